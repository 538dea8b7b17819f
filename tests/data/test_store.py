"""Clip stores: round trips, damage, versions, speed of opening."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.data import ClipInfo, ClipRecord, ClipStore, StoreWriter
from infocpl.data.store import CLIPS, COLUMNS
from infocpl.errors import DataError, StoreError
from infocpl.files import canonical_hash, sha256_file
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

FILES = CLIPS.files
LAYOUT = create_layout("sbu15")
CLASSES = ("wave", "walk", "sit down")

sizes = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 6)), min_size=1, max_size=5)
ids = st.integers(min_value=-1, max_value=10**9)


def rewrite_manifest(store: ClipStore, **changes: object) -> None:
    """Change the manifest and sign it again, as an honest writer of another version would."""
    manifest = {**store.manifest, **changes}
    whole = {**manifest, "checksum": canonical_hash(manifest)}
    (store.folder / "manifest.json").write_text(json.dumps(whole, indent=1) + "\n")


def rewrite_columns(store: ClipStore, **changes: list) -> None:
    """Change clips.json and make the manifest agree with it."""
    path = store.folder / "clips.json"
    columns = {**json.loads(path.read_bytes()), **changes}
    path.write_text(json.dumps(columns))
    files = {**store.manifest["files"]}
    files["clips.json"] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    rewrite_manifest(store, files=files)


@pytest.fixture
def store(make_store) -> ClipStore:
    return make_store([ClipInfo("a", 0, 1), ClipInfo("b", 26, 2, 3, 4, 5)], persons=(1, 2))


@settings(max_examples=40, deadline=None)
@given(shapes=sizes, data=st.data())
def test_what_is_written_is_what_is_read(tmp_path_factory, shapes, data):
    folder = tmp_path_factory.mktemp("round") / "store"
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    clips, infos = [], []
    for number, (persons, frames) in enumerate(shapes):
        # Any float32 bits that are finite, the smallest and the largest among them.
        bits = rng.integers(0, 2**32, (persons, frames, 15, 3), dtype=np.uint32)
        keypoints = bits.view(np.float32)
        keypoints = np.where(np.isfinite(keypoints), keypoints, np.float32(0))
        confidence = (rng.integers(0, 256, keypoints.shape[:3]) / 255).astype(np.float32)
        clips.append(SkeletonSequence(keypoints, LAYOUT, confidence=confidence, units="normalised"))
        facts = {key: data.draw(ids) for key in ("subject", "camera", "setup", "replication")}
        infos.append(ClipInfo(f"clip {number} \u00e9", data.draw(st.integers(0, 2)), **facts))
    with StoreWriter(folder, "toy", LAYOUT, CLASSES) as writer:
        for number, (clip, info) in enumerate(zip(clips, infos, strict=True)):
            writer.append(clip, info, sha256=f"{number:064x}")
    store = ClipStore.open(folder)
    store.verify()
    assert len(store) == len(clips)
    for number, (clip, info) in enumerate(zip(clips, infos, strict=True)):
        read = store[number]
        assert read.keypoints.tobytes() == clip.keypoints.tobytes()
        assert np.array_equal(read.confidence, clip.confidence)
        assert (read.layout, read.fps, read.units) == (clip.layout, clip.fps, clip.units)
        record = store.records[number]
        assert vars(record).items() >= vars(info).items()
        assert (record.persons, record.frames) == clip.keypoints.shape[:2]
        assert record.sha256 == f"{number:064x}"


def test_the_arrays_are_plain_npy_files_in_the_documented_form(store: ClipStore):
    keypoints = np.load(store.folder / "keypoints.npy")
    confidence = np.load(store.folder / "confidence.npy")
    assert (keypoints.dtype, confidence.dtype) == (np.float32, np.uint8)
    offset = 0
    for index, record in enumerate(store.records):
        assert record.offset == offset
        for person in range(record.persons):
            for frame in range(record.frames):
                assert np.array_equal(store[index].keypoints[person, frame], keypoints[offset])
                expected = confidence[offset] / 255
                np.testing.assert_allclose(store[index].confidence[person, frame], expected, 1e-6)
                offset += 1
    assert offset == len(keypoints) == len(confidence)


def test_columns_and_records_tell_the_same(store: ClipStore):
    assert store.names == ("a", "b")
    assert store.labels.tolist() == [0, 26]
    for key in COLUMNS:
        values = [getattr(record, key) for record in store.records]
        if key not in ("name", "sha256"):
            assert store.column(key).tolist() == values
    assert isinstance(store.records[0], ClipRecord)
    with pytest.raises(StoreError, match="no numeric column 'weather'"):
        store.column("weather")


def test_a_store_is_a_sequence(store: ClipStore):
    assert [clip.persons for clip in store] == [1, 2]
    assert np.array_equal(store[-1].keypoints, store[1].keypoints)
    assert np.array_equal(store[np.int64(1)].keypoints, store[1].keypoints)
    for index in (2, -3):
        with pytest.raises(IndexError):
            store[index]
    assert "clips=2" in repr(store)


def test_a_clip_read_is_a_copy_and_the_file_stays_as_it_is(store: ClipStore):
    before = store[0].keypoints.copy()
    store[0].keypoints[:] = 7.0
    assert np.array_equal(store[0].keypoints, before)
    store.verify()
    with pytest.raises(ValueError, match="read-only"):
        store._keypoints[0] = 1.0


def test_a_clip_says_where_it_came_from(store: ClipStore):
    assert store[1].source == "utd-mhad/b"


def test_the_hash_follows_the_content_and_not_the_place(make_store):
    infos = [ClipInfo("a", 0, 1), ClipInfo("b", 1, 2)]
    one, same = make_store(infos, name="one"), make_store(infos, name="same")
    other = make_store([ClipInfo("a", 0, 1), ClipInfo("b", 2, 2)], name="other")
    assert one.hash == same.hash
    assert one.hash != other.hash


def test_every_changed_byte_is_found(tmp_path: Path, make_clip, rng):
    folder = tmp_path / "small"
    with StoreWriter(folder, "toy", LAYOUT, ("wave",)) as writer:
        writer.append(make_clip(1, frames=2, layout="sbu15"), ClipInfo("a", 0, 1), sha256="0" * 64)
    store = ClipStore.open(folder)
    flips = 0
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for position in range(len(whole)):
            changed = bytearray(whole)
            changed[position] ^= int(rng.integers(1, 256))
            # Written in place, because the arrays stay mapped while they change.
            with path.open("rb+") as file:
                file.seek(position)
                file.write(changed[position : position + 1])
            with pytest.raises(StoreError, match=r"small"):
                store.verify()
            with pytest.raises(StoreError):
                ClipStore.open(folder).verify()
            with path.open("rb+") as file:
                file.seek(position)
                file.write(whole[position : position + 1])
            flips += 1
    store.verify()
    assert flips == sum(path.stat().st_size for path in folder.iterdir()) > 1500


@pytest.mark.parametrize("name", FILES)
def test_verify_names_the_file_that_differs(store: ClipStore, name: str):
    raw = bytearray((store.folder / name).read_bytes())
    raw[-3] ^= 1
    (store.folder / name).write_bytes(raw)
    with pytest.raises(StoreError, match=f"{name}: expected SHA-256 [0-9a-f]{{64}}, got"):
        store.verify()


def test_verify_notices_that_the_store_was_replaced(make_store):
    store = make_store([ClipInfo("a", 0, 1)], name="one")
    other = make_store([ClipInfo("b", 1, 1)], name="two")
    for name in (*FILES, "manifest.json"):
        (store.folder / name).write_bytes((other.folder / name).read_bytes())
    with pytest.raises(StoreError, match="changed since the store was opened"):
        store.verify()


def test_verify_notices_a_manifest_that_only_reads_the_same(store: ClipStore):
    path = store.folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    with pytest.raises(StoreError, match=r"manifest.json: its bytes were changed"):
        store.verify()


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_file_is_named(store: ClipStore, name: str):
    (store.folder / name).unlink()
    with pytest.raises(StoreError, match=name):
        ClipStore.open(store.folder)
    with pytest.raises(StoreError, match=name):
        store.verify()


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("change", [-1, 1, -(10**9)])
def test_a_file_of_another_length_is_refused_on_opening(store: ClipStore, name: str, change: int):
    raw = (store.folder / name).read_bytes()
    (store.folder / name).write_bytes(raw[:change] if change < 0 else raw + b"\0")
    with pytest.raises(StoreError, match=rf"{name}: expected {len(raw)} bytes, got \d+"):
        ClipStore.open(store.folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "expected JSON"),
        ("[1, 2]", "format: expected 'infocpl-clips'"),
        ('{"format": "zip"}', "format: expected 'infocpl-clips'"),
        ('{"format": "infocpl-clips", "format_version": 2}', "checksum: expected"),
        ('{"format": "infocpl-features", "format_version": 1}', "got 'infocpl-features'"),
        ("[" * 100_000, "expected the manifest"),
    ],
)
def test_another_manifest_is_refused(tmp_path: Path, content: str, words: str):
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match=words):
        ClipStore.open(tmp_path)


@pytest.mark.parametrize("version", [1, 3, 0, None, "2", 2.5])
def test_another_format_version_is_refused(store: ClipStore, version: object):
    rewrite_manifest(store, format_version=version)
    with pytest.raises(StoreError, match="format_version: expected 2, got"):
        ClipStore.open(store.folder)


@pytest.mark.parametrize("key", ["files", "counts", "layout", "dataset", "classes"])
def test_a_manifest_without_a_key_is_refused_though_signed(store: ClipStore, key: str):
    del store.manifest[key]
    rewrite_manifest(store)
    with pytest.raises(StoreError, match=key):
        ClipStore.open(store.folder)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": [0, 27]}, "labels below 27"),
        ({"label": [0, -1]}, "labels below 27"),
        ({"label": [0]}, "label: expected 2 values, got 1"),
        ({"label": [0, "x"]}, "damaged"),
        ({"frames": [3, 0]}, "at least one person and one frame"),
        ({"frames": [3, 5]}, "without gaps"),
        ({"offset": [0, 2]}, "without gaps"),
        ({"persons": [1, 10**9]}, "without gaps"),
        ({"persons": [1, 10**30]}, "damaged"),
    ],
)
def test_records_that_point_outside_the_arrays_are_refused_though_signed(
    store: ClipStore, changes: dict[str, list], words: str
):
    rewrite_columns(store, **changes)
    with pytest.raises(StoreError, match=words):
        ClipStore.open(store.folder)


def test_an_array_of_objects_is_never_opened(store: ClipStore):
    path = store.folder / "keypoints.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    files = {**store.manifest["files"]}
    files["keypoints.npy"] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    rewrite_manifest(store, files=files)
    with pytest.raises(StoreError, match="damaged"):
        ClipStore.open(store.folder)


def test_an_array_of_another_kind_is_refused_though_signed(store: ClipStore):
    path = store.folder / "keypoints.npy"
    np.save(path, np.load(path).astype(np.float64))
    files = {**store.manifest["files"]}
    files["keypoints.npy"] = {"bytes": path.stat().st_size, "sha256": sha256_file(path)}
    rewrite_manifest(store, files=files)
    with pytest.raises(StoreError, match="expected an array of float32"):
        ClipStore.open(store.folder)


def test_what_is_not_a_store_is_a_data_error_too(tmp_path: Path):
    with pytest.raises(DataError, match="expected a clip store, got no manifest"):
        ClipStore.open(tmp_path / "nothing")


def test_a_store_of_the_size_of_ntu60_opens_at_once(tmp_path: Path, make_clip):
    clip = make_clip(0, frames=1, layout="ntu25")
    names = tuple(f"class {number}" for number in range(60))
    with StoreWriter(tmp_path / "large", "large", clip.layout, names) as writer:
        for number in range(56_578):
            info = ClipInfo(f"S001C001P001R001A{number:06}", number % 60, number % 40, 1, 1, 1)
            writer.append(clip, info, sha256="0" * 64)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        store = ClipStore.open(tmp_path / "large")
        times.append(time.perf_counter() - start)
    assert len(store) == 56_578
    # Measured 0.07 s; reading all records one by one would take several times the bound.
    assert min(times) < 0.5
    assert store[56_577].frames == 1
    assert store.records[56_577].label == 56_577 % 60
