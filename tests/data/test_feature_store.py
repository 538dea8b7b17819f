"""Feature stores: round trips, published forms, damage, and what is declared of the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.data import (
    ClipInfo,
    ClipStore,
    EncoderNote,
    FeatureStore,
    convert_features,
    create_dataset,
    declared_classes,
    load_split,
    open_store,
    split_indices,
    write_features,
)
from infocpl.data.feature_files import is_feature_file, open_features
from infocpl.data.feature_store import FEATURES
from infocpl.errors import (
    ConfigError,
    DataError,
    OutputExistsError,
    SkeletonFormatError,
    StoreError,
)

NTU = create_dataset("ntu60")
SPLIT = load_split(NTU, "synse/55-5")
NOTE = EncoderNote("Shift-GCN", SPLIT.seen, "publisher", "four streams")
DIM = 8


def labels_of(names: tuple[str, ...], each: int) -> np.ndarray:
    return np.repeat([NTU.label(name) for name in names], each)


@pytest.fixture
def parts(rng) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Training, whole test and unseen test features as SynSE divides them."""
    seen = labels_of(SPLIT.seen, 2)
    test = np.concatenate((labels_of(SPLIT.seen, 1), labels_of(SPLIT.unseen, 3)))
    found = {
        "train": (rng.normal(size=(len(seen), DIM)).astype(np.float32), seen),
        "gtest": (rng.normal(size=(len(test), DIM)).astype(np.float32), test),
    }
    unseen = np.isin(test, [NTU.label(name) for name in SPLIT.unseen])
    found["ztest"] = (found["gtest"][0][unseen], test[unseen])
    return found


def write_folder(folder: Path, parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> Path:
    folder.mkdir()
    for part, (rows, labels) in parts.items():
        np.save(folder / f"{part}.npy", rows)
        stem = {"train": "train_label", "gtest": "g_label", "ztest": "z_label"}[part]
        np.save(folder / f"{stem}.npy", labels)
    return folder


@pytest.fixture
def folder(tmp_path: Path, parts) -> Path:
    return write_folder(tmp_path / "published", parts)


@pytest.fixture
def store(tmp_path: Path, folder: Path) -> FeatureStore:
    return convert_features(NTU, folder, tmp_path / "store", NOTE)


@settings(max_examples=25, deadline=None)
@given(
    features=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=6),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    data=st.data(),
)
def test_what_is_written_is_what_is_read(tmp_path_factory, features, data):
    infos = [
        ClipInfo(f"row {i}", data.draw(st.integers(0, 2)), part=data.draw(st.integers(-1, 2)))
        for i in range(len(features))
    ]
    target = tmp_path_factory.mktemp("round") / "store"
    store = write_features(target, "toy", ("a", "b", "c"), features, infos, NOTE)
    assert store.features.tobytes() == features.tobytes()
    assert store.labels.tolist() == [info.label for info in infos]
    assert store.names == tuple(info.name for info in infos)
    assert store.encoder == NOTE
    store.verify()
    assert open_store(target).hash == store.hash


def test_the_features_are_a_plain_npy_file(store: FeatureStore):
    assert np.array_equal(np.load(store.folder / "features.npy"), store.features)


def test_published_folders_become_one_store_with_every_clip_once(store: FeatureStore, parts):
    train, whole = parts["train"], parts["gtest"]
    assert np.array_equal(store.features, np.concatenate((train[0], whole[0])))
    assert np.array_equal(store.labels, np.concatenate((train[1], whole[1])))
    assert store.column("part").tolist() == [1] * 110 + [2] * 70
    assert store.manifest["provenance"]["notes"] == [
        "the features of unseen classes are part of the whole test set"
    ]
    assert store.default_protocol == "file"


@pytest.mark.parametrize("unseen", ["all", "test"])
def test_the_store_divides_as_the_synse_papers_do(store: FeatureStore, unseen: str):
    found = split_indices(store, SPLIT, unseen=unseen)
    assert (len(found.train), len(found.seen_test), len(found.unseen_test)) == (110, 55, 15)


def test_without_the_whole_test_set_the_unseen_one_is_used(tmp_path: Path, parts):
    del parts["gtest"]
    store = convert_features(NTU, write_folder(tmp_path / "in", parts), tmp_path / "out", NOTE)
    found = split_indices(store, SPLIT)
    assert (len(found.train), len(found.seen_test), len(found.unseen_test)) == (110, 0, 15)


def test_a_test_set_without_the_unseen_clips_is_completed_by_them(tmp_path: Path, parts, rng):
    rows, labels = parts["ztest"]
    parts["ztest"] = (rng.normal(size=rows.shape).astype(np.float32), labels)
    unseen = np.isin(parts["gtest"][1], labels)
    parts["gtest"] = tuple(part[~unseen] for part in parts["gtest"])
    store = convert_features(NTU, write_folder(tmp_path / "in", parts), tmp_path / "out", NOTE)
    assert len(store) == 110 + 55 + 15


def test_test_sets_that_overlap_in_part_are_refused(tmp_path: Path, parts, rng):
    parts["ztest"][0][4] = rng.normal(size=DIM)
    with pytest.raises(
        SkeletonFormatError, match=r"expected all features .* or none, got 14 of 15"
    ):
        open_features(write_folder(tmp_path / "in", parts))


def write_archive(path: Path, parts, compress: bool = False) -> Path:
    names = {"train": "train", "gtest": "gzsl", "ztest": "zsl"}
    arrays = {f"{names[part]}_data": rows for part, (rows, _) in parts.items()}
    arrays |= {f"{names[part]}_label": labels for part, (_, labels) in parts.items()}
    (np.savez_compressed if compress else np.savez)(path, **arrays)
    return path


@pytest.mark.parametrize("compress", [False, True])
def test_an_archive_of_the_three_parts_is_the_same_as_a_folder(
    tmp_path: Path, parts, store: FeatureStore, compress: bool
):
    path = write_archive(tmp_path / "features.npz", parts, compress)
    other = convert_features(NTU, path, tmp_path / "other", NOTE)
    assert np.array_equal(other.features, store.features)
    assert other.column("part").tolist() == store.column("part").tolist()


def test_features_of_ones_own_are_divided_by_their_subjects(tmp_path: Path, rng):
    labels, subjects = (grid.ravel() for grid in np.meshgrid(np.arange(60), [1, 2, 3, 6]))
    np.savez(
        tmp_path / "mine.npz",
        features=rng.normal(size=(240, 5)),
        labels=labels.astype(np.int32),
        subject=subjects,
    )
    note = EncoderNote("mine", declared_classes(NTU, "synse/55-5"))
    store = convert_features(NTU, tmp_path / "mine.npz", tmp_path / "store", note)
    assert store.default_protocol == "xsub"
    found = split_indices(store, SPLIT)
    assert (len(found.train), len(found.seen_test), len(found.unseen_test)) == (110, 110, 20)
    assert not store.manifest["provenance"]["notes"]


def test_features_that_cannot_be_divided_are_refused(tmp_path: Path):
    np.savez(tmp_path / "mine.npz", features=np.eye(4), labels=np.arange(4))
    with pytest.raises(ConfigError, match="expected the side of each row"):
        convert_features(NTU, tmp_path / "mine.npz", tmp_path / "store", NOTE)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("train", lambda rows, labels: (rows[:, :0], labels), r"expected \(N, D\) features"),
        ("train", lambda rows, labels: (rows[0], labels), r"expected \(N, D\) features"),
        ("train", lambda rows, labels: (rows, labels[:-1]), "labels: expected one for each of 110"),
        ("train", lambda rows, labels: (rows, labels + 0.5), "expected a whole number from 0"),
        ("train", lambda rows, labels: (rows, labels * 0 - 1), r"row 0: labels: .* got -1"),
        ("train", lambda rows, labels: (rows, labels * 1e300), "expected a whole number"),
        ("gtest", lambda rows, labels: (rows[:, 1:], labels), "expected 8 numbers a row"),
        ("gtest", lambda rows, labels: (rows.astype("U4"), labels), "numbers"),
        ("gtest", lambda rows, labels: (np.array([{}]), labels), "features.npz"),
    ],
)
def test_damaged_parts_are_refused_by_file_and_field(tmp_path: Path, parts, part, change, words):
    parts[part] = change(*parts[part])
    with pytest.raises(SkeletonFormatError, match=words):
        open_features(write_archive(tmp_path / "features.npz", parts))


def test_a_missing_part_is_named(tmp_path: Path, parts):
    only = write_folder(tmp_path / "folder", {"train": parts["train"]})
    with pytest.raises(SkeletonFormatError, match=r"those of the whole test set .* got train"):
        open_features(only)
    np.savez(tmp_path / "a.npz", train_data=np.eye(2), train_label=[0, 1], zsl_data=np.eye(2))
    with pytest.raises(SkeletonFormatError, match="expected zsl_label beside zsl_data"):
        open_features(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", features=np.eye(2))
    with pytest.raises(SkeletonFormatError, match="expected labels beside features"):
        open_features(tmp_path / "b.npz")


def test_folders_for_the_gate_and_smie_s_folders_are_divided_too(tmp_path: Path, parts):
    """Held-out seen clips test; the unseen part may be called test."""
    gate = write_folder(tmp_path / "gate", {"train": parts["train"], "ztest": parts["ztest"]})
    np.save(gate / "val.npy", parts["train"][0] + 1)
    np.save(gate / "val_label.npy", parts["train"][1])
    assert [info.part for info in open_features(gate).infos] == [1] * 110 + [2] * 125
    smie = write_folder(tmp_path / "smie", {"train": parts["train"]})
    np.save(smie / "test.npy", parts["ztest"][0])
    np.save(smie / "test_label.npy", parts["ztest"][1])
    found = split_indices(convert_features(NTU, smie, tmp_path / "store", NOTE), SPLIT)
    assert (len(found.train), len(found.seen_test), len(found.unseen_test)) == (110, 0, 15)


def test_a_number_that_is_not_finite_is_named_and_nothing_is_written(tmp_path: Path, parts):
    parts["gtest"][0][7, 3] = np.nan
    del parts["ztest"]
    source = write_archive(tmp_path / "in.npz", parts)
    with pytest.raises(StoreError, match=r"row 117 \('gtest/000007'\): features: expected finite"):
        convert_features(NTU, source, tmp_path / "out" / "store", NOTE)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_label_the_dataset_does_not_have_is_refused(tmp_path: Path, folder: Path):
    with pytest.raises(DataError, match="label: expected 0 to 26"):
        convert_features(create_dataset("utd-mhad"), folder, tmp_path / "out", EncoderNote("x"))


def test_declared_classes_must_be_classes_of_the_dataset(tmp_path: Path, folder: Path):
    with pytest.raises(DataError, match="'flying' is not a class of NTU"):
        convert_features(NTU, folder, tmp_path / "store", EncoderNote("x", ("flying",)))


@pytest.mark.parametrize(
    ("word", "count"), [("synse/48-12", 48), ("all", 60), ("random:1:7", 53), ("unknown", None)]
)
def test_what_an_encoder_was_trained_on_is_said_in_a_word(word: str, count: int | None):
    classes = declared_classes(NTU, word)
    assert classes is None if count is None else len(classes) == count


@pytest.mark.parametrize("options", [{"name": " "}, {"name": "x", "declared_by": "nobody"}])
def test_a_note_without_meaning_is_refused(options):
    with pytest.raises(DataError, match="encoder note: "):
        EncoderNote(**options)


def test_every_changed_byte_is_found(tmp_path: Path, rng):
    infos = [ClipInfo("a", 0, part=1), ClipInfo("b", 1, part=2)]
    store = write_features(
        tmp_path / "small", "toy", ("x", "y"), rng.normal(size=(2, 3)), infos, NOTE
    )
    for path in sorted(store.folder.iterdir()):
        whole = path.read_bytes()
        for position in range(0, len(whole), 3):
            with path.open("rb+") as file:
                file.seek(position)
                file.write(bytes([whole[position] ^ int(rng.integers(1, 256))]))
            with pytest.raises(StoreError, match="small"):
                FeatureStore.open(store.folder).verify()
            with path.open("rb+") as file:
                file.seek(position)
                file.write(whole[position : position + 1])
    store.verify()


def test_kinds_of_stores_are_told_apart(store: FeatureStore, make_store):
    clips = make_store([ClipInfo("a", 0, 1)], name="clips")
    assert isinstance(open_store(store.folder), FeatureStore)
    assert isinstance(open_store(clips.folder), ClipStore)
    with pytest.raises(StoreError, match=r"expected 'infocpl-features' \(a feature store\)"):
        FeatureStore.open(clips.folder)
    with pytest.raises(StoreError, match=r"'infocpl-clips' \(a clip store\), got 'infocpl-feat"):
        ClipStore.open(store.folder)


@pytest.mark.parametrize("content", ["", "[1]", "{}", '{"format": "zip"}'])
def test_what_is_no_store_is_refused(tmp_path: Path, content: str):
    with pytest.raises(StoreError, match="expected a clip store or a feature store"):
        open_store(tmp_path)
    (tmp_path / "manifest.json").write_text(content)
    with pytest.raises(StoreError, match="manifest"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (np.zeros((2, 2, 2)), [0, 1], r"expected \(N, D\)"),
        (np.zeros((0, 3)), [], r"expected \(N, D\)"),
        (np.zeros((2, 3)), [0], "expected 2 names and labels, got 1"),
        (np.zeros((2, 3)), [0, 5], "label: expected 0 to 1, got 5"),
        (np.full((2, 3), 1e39), [0, 1], "row 0 .* finite numbers within float32"),
    ],
)
def test_rows_that_do_not_fit_together_are_refused(tmp_path: Path, features, labels, words):
    infos = [ClipInfo(str(i), label) for i, label in enumerate(labels)]
    with pytest.raises(StoreError, match=words):
        write_features(tmp_path / "out" / "store", "toy", ("a", "b"), features, infos, NOTE)
    assert not (tmp_path / "out" / "store").exists()


def test_names_given_twice_are_refused(tmp_path: Path):
    infos = [ClipInfo("same", 0), ClipInfo("same", 1)]
    with pytest.raises(StoreError, match="expected different names"):
        write_features(tmp_path / "store", "toy", ("a", "b"), np.eye(2), infos, NOTE)


def test_an_existing_store_is_kept_or_replaced_as_asked(tmp_path: Path, folder: Path, store):
    with pytest.raises(OutputExistsError, match="exists already"):
        convert_features(NTU, folder, store.folder, NOTE)
    again = convert_features(NTU, folder, store.folder, EncoderNote("other"), overwrite=True)
    assert again.encoder.name == "other"
    with pytest.raises(OutputExistsError, match="not a feature store"):
        convert_features(NTU, folder, folder, NOTE, overwrite=True)


def test_a_store_without_a_column_is_refused(store: FeatureStore):
    assert set(FEATURES.files) == {"rows.json", "features.npy"}
    (store.folder / "rows.json").unlink()
    with pytest.raises(StoreError, match=r"rows.json: expected a file"):
        FeatureStore.open(store.folder)


def test_feature_files_are_recognised_and_nothing_else_is(tmp_path: Path, folder: Path):
    np.savez(tmp_path / "mine.npz", features=np.eye(2), labels=np.arange(2))
    np.savez(tmp_path / "clips.npz", x_train=np.eye(2), y_train=np.arange(2))
    (tmp_path / "broken.npz").write_bytes(b"PK")
    assert is_feature_file(folder)
    assert is_feature_file(tmp_path / "mine.npz")
    for other in (tmp_path, tmp_path / "clips.npz", tmp_path / "broken.npz", tmp_path / "no.npz"):
        assert not is_feature_file(other)


def test_a_subset_of_features_has_the_rows_asked_for_in_their_order(store: FeatureStore) -> None:
    prepared = store.prepared()
    part = prepared.subset([7, 0, 3])
    for position, row in enumerate((7, 0, 3)):
        np.testing.assert_array_equal(part.features[position], prepared.features[row])
        assert part.names[position] == prepared.names[row]
        assert part.labels[position] == prepared.labels[row]
    with pytest.raises(DataError, match="indices: expected 0 to"):
        prepared.subset([len(prepared)])
