"""Writing: refusals of what does not fit, and stores that are whole or absent."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infocpl.data import ClipInfo, ClipStore, StoreWriter
from infocpl.errors import OutputExistsError, StoreError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

LAYOUT = create_layout("kinect20")
CLASSES = ("wave", "walk")


def writer_for(folder: Path, **options) -> StoreWriter:
    return StoreWriter(folder, "toy", LAYOUT, CLASSES, **options)


def test_the_store_appears_only_when_the_block_ends(tmp_path: Path, make_clip):
    target = tmp_path / "store"
    with writer_for(target) as writer:
        writer.append(make_clip(1), ClipInfo("a", 0))
        assert not target.exists()
        assert len(writer) == 1
    assert len(ClipStore.open(target)) == 1
    assert [item.name for item in tmp_path.iterdir()] == ["store"]


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_inside_the_block_leaves_nothing(tmp_path: Path, make_clip, problem):
    def interrupted() -> None:
        with writer_for(tmp_path / "store") as writer:
            writer.append(make_clip(1), ClipInfo("a", 0))
            raise problem

    with pytest.raises(problem):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_a_store_without_clips_is_refused_and_leaves_nothing(tmp_path: Path):
    with pytest.raises(StoreError, match="at least one clip, got none"), writer_for(tmp_path / "s"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "info", "words"),
    [
        ({}, ClipInfo("a", 0), "clip 'a' was written already"),
        ({}, ClipInfo("b", 2), "label: expected 0 to 1, got 2"),
        ({}, ClipInfo("b", -1), "label: expected 0 to 1, got -1"),
        ({"fps": 15.0}, ClipInfo("b", 0), r"expected \(30.0, 'm'\), got \(15.0, 'm'\)"),
        ({"units": "normalised"}, ClipInfo("b", 0), r"got \(30.0, 'normalised'\)"),
    ],
    ids=["same name", "label too large", "label negative", "frame rate", "units"],
)
def test_a_clip_that_does_not_fit_is_refused(tmp_path: Path, make_clip, change, info, words: str):
    def write() -> None:
        with writer_for(tmp_path / "store") as writer:
            writer.append(make_clip(1), ClipInfo("a", 0))
            writer.append(replace(make_clip(2), **change), info)

    with pytest.raises(StoreError, match=words):
        write()
    assert list(tmp_path.iterdir()) == []


def test_a_clip_of_another_layout_is_refused(tmp_path: Path, make_clip):
    with (
        pytest.raises(StoreError, match="layout: expected 'kinect20', got 'ntu25'"),
        writer_for(tmp_path / "store") as writer,
    ):
        writer.append(make_clip(1, layout="ntu25"), ClipInfo("a", 0))


def test_a_refused_clip_can_be_left_out(tmp_path: Path, make_clip):
    with writer_for(tmp_path / "store") as writer:
        writer.append(make_clip(1), ClipInfo("a", 0))
        with pytest.raises(StoreError):
            writer.append(make_clip(2), ClipInfo("a", 1))
        writer.append(make_clip(3), ClipInfo("b", 1))
    store = ClipStore.open(tmp_path / "store")
    store.verify()
    assert np.array_equal(store[1].keypoints, make_clip(3).keypoints)


def test_an_existing_store_is_kept_unless_told_otherwise(tmp_path: Path, make_store):
    old = make_store([ClipInfo("a", 0)])
    with pytest.raises(OutputExistsError, match="exists already"), writer_for(old.folder):
        pass
    old.verify()


def test_an_existing_store_is_replaced_when_asked_for(make_store, make_clip):
    old = make_store([ClipInfo("a", 0)])
    with writer_for(old.folder, overwrite=True) as writer:
        writer.append(make_clip(5), ClipInfo("new", 1))
    assert ClipStore.open(old.folder).names == ("new",)
    assert len(list(old.folder.parent.iterdir())) == 1


def test_an_existing_store_survives_a_failed_replacement(make_store, make_clip):
    old = make_store([ClipInfo("a", 0)])

    def fail() -> None:
        with writer_for(old.folder, overwrite=True) as writer:
            writer.append(make_clip(5), ClipInfo("new", 1))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    old.verify()
    assert ClipStore.open(old.folder).names == ("a",)


@pytest.mark.parametrize("kind", ["foreign folder", "store with a foreign file", "file"])
def test_nothing_but_a_store_is_ever_replaced(tmp_path: Path, make_store, kind: str):
    target = tmp_path / "precious"
    if kind == "file":
        target.write_text("letters")
    elif kind == "foreign folder":
        target.mkdir()
        (target / "thesis.tex").write_text("letters")
    else:
        make_store([ClipInfo("a", 0)], name="precious")
        (target / "notes.txt").write_text("letters")
    before = sorted(tmp_path.rglob("*"))
    with (
        pytest.raises(OutputExistsError, match="not a clip store and will not be overwritten"),
        writer_for(target, overwrite=True),
    ):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_an_empty_folder_may_be_replaced(tmp_path: Path, make_clip):
    (tmp_path / "store").mkdir()
    with writer_for(tmp_path / "store", overwrite=True) as writer:
        writer.append(make_clip(1), ClipInfo("a", 0))
    ClipStore.open(tmp_path / "store").verify()


def test_the_slower_of_two_writers_is_told_and_the_first_store_stays(tmp_path: Path, make_clip):
    target = tmp_path / "store"

    def race() -> None:
        with writer_for(target) as slow:
            slow.append(make_clip(1), ClipInfo("slow", 0))
            with writer_for(target) as fast:
                fast.append(make_clip(2), ClipInfo("fast", 0))

    with pytest.raises(OutputExistsError, match="made by another process"):
        race()
    assert ClipStore.open(target).names == ("fast",)
    assert [item.name for item in tmp_path.iterdir()] == ["store"]


def test_a_trace_of_confidence_is_not_taken_for_absence(tmp_path: Path):
    confidence = np.zeros((1, 1, 20), np.float32)
    confidence[0, 0, :4] = (1e-6, 0.5, 1.0, 0.999)
    clip = SkeletonSequence(np.ones((1, 1, 20, 3)), LAYOUT, confidence=confidence)
    with writer_for(tmp_path / "store") as writer:
        writer.append(clip, ClipInfo("a", 0))
    read = ClipStore.open(tmp_path / "store")[0].confidence[0, 0]
    np.testing.assert_allclose(read[:4], [1 / 255, 128 / 255, 1.0, 1.0], atol=1e-7)
    assert not read[4:].any()


@pytest.mark.parametrize("value", np.linspace(0, 1, 23))
def test_confidence_is_kept_to_half_a_level(tmp_path: Path, value: float):
    confidence = np.full((1, 2, 20), value, np.float32)
    clip = SkeletonSequence(np.ones((1, 2, 20, 3)), LAYOUT, confidence=confidence)
    with writer_for(tmp_path / "store") as writer:
        writer.append(clip, ClipInfo("a", 0))
    read = ClipStore.open(tmp_path / "store")[0].confidence
    assert np.abs(read - value).max() <= 0.5 / 255 + 1e-6


def test_provenance_is_kept_with_what_it_gained_while_writing(tmp_path: Path, make_clip):
    skipped: list[str] = []
    with writer_for(tmp_path / "store", provenance={"skipped": skipped}) as writer:
        writer.append(make_clip(1), ClipInfo("a", 0))
        skipped.append("b")
    assert ClipStore.open(tmp_path / "store").manifest["provenance"] == {"skipped": ["b"]}


def test_memory_does_not_grow_with_the_store(tmp_path: Path, make_clip):
    clip = make_clip(1, persons=2, frames=200)
    bytes_a_clip = clip.keypoints.nbytes + clip.confidence.size
    with writer_for(tmp_path / "store") as writer:
        writer.append(clip, ClipInfo("first", 0))
        tracemalloc.start()
        for number in range(300):
            writer.append(clip, ClipInfo(f"clip {number}", 0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (tmp_path / "store" / "keypoints.npy").stat().st_size > 20_000_000
    assert peak < 10 * bytes_a_clip
