"""Clips learned from besides: joined without loss, and silent about unseen classes."""

from __future__ import annotations

import dataclasses
import itertools
import tracemalloc

import numpy as np
import pytest

from infocpl.data import create_dataset
from infocpl.data import extra as module
from infocpl.data.extra import OtherClips, join_clips
from infocpl.data.loading import PreparedClips
from infocpl.data.same_meaning import load_same_meaning
from infocpl.errors import DataError


def clips_of(classes: tuple[str, ...], each: int, seed: int, *, frames: int = 3) -> PreparedClips:
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(classes)), each)
    return PreparedClips(
        rng.standard_normal((len(labels), 1, frames, 20, 3)).astype(np.float32),
        labels,
        tuple(f"clip {number}" for number in range(len(labels))),
        np.arange(len(labels)),
        "kinect20",
        classes,
    )


OWN = clips_of(("squat", "walking"), 3, 0)
SYNTHETIC = OtherClips(
    "synthetic",
    clips_of(("squat down", "bow"), 2, 1),
    {"squat": frozenset({"squat down"}), "walking": frozenset()},
    "hash of synthetic",
)
UCLA = OtherClips(
    "nw-ucla",
    clips_of(("bow", "walk around", "sit down"), 1, 2),
    {"squat": frozenset(), "walking": frozenset({"walk around"})},
    "hash of nw-ucla",
)
ORDERS = [(SYNTHETIC,), (UCLA,), (SYNTHETIC, UCLA), (UCLA, SYNTHETIC)]


def named(orders: tuple[OtherClips, ...]) -> str:
    return " then ".join(other.source for other in orders)


@pytest.mark.parametrize("chunk", [1, 2, 1024])
@pytest.mark.parametrize("mapped", [False, True], ids=["in memory", "mapped"])
@pytest.mark.parametrize("others", ORDERS, ids=named)
def test_joined_clips_are_the_ones_that_went_in(tmp_path, monkeypatch, others, mapped, chunk):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    joined, extra = join_clips(OWN, others, file=tmp_path / "joined.npy" if mapped else None)
    assert isinstance(joined.keypoints, np.memmap) == mapped
    expected = [(OWN.classes[OWN.labels[n]], OWN.names[n], OWN.keypoints[n]) for n in range(6)]
    for other in others:
        for number, label in enumerate(other.clips.labels):
            called = f"{other.source}: {other.clips.classes[label]}"
            told = f"{other.source}: {other.clips.names[number]}"
            expected.append((called, told, other.clips.keypoints[number]))
    assert len(joined) == len(expected)
    for number, (called, told, keypoints) in enumerate(expected):
        assert joined.classes[joined.labels[number]] == called
        assert joined.names[number] == told
        assert np.array_equal(joined.keypoints[number], keypoints)
    assert extra.rows.tolist() == list(range(6, len(expected)))


@pytest.mark.parametrize("others", ORDERS, ids=named)
def test_every_source_knows_its_own_rows_classes_and_hash(others):
    joined, extra = join_clips(OWN, others)
    assert [source.name for source in extra.sources] == [other.source for other in others]
    for source, other in zip(extra.sources, others, strict=True):
        assert np.array_equal(joined.keypoints[source.rows], other.clips.keypoints)
        assert source.classes == other.clips.classes
        assert {joined.classes[n] for n in joined.labels[source.rows]} == set(source.names)
        assert source.store_hash == f"hash of {source.name}"


def test_joining_on_disk_needs_the_memory_of_no_source(tmp_path):
    parts = []
    for place in range(3):
        file = tmp_path / f"part {place}.npy"
        np.save(file, np.full((4096, 1, 8, 20, 3), place, np.float32))
        small = clips_of(("squat", "walking"), 2048, place, frames=1)
        mapped = np.load(file, mmap_mode="r")
        parts.append(dataclasses.replace(small, keypoints=mapped))
    nothing = {"squat": frozenset[str](), "walking": frozenset[str]()}
    others = [OtherClips(f"source {n}", part, nothing) for n, part in enumerate(parts[1:])]
    tracemalloc.start()
    joined, _ = join_clips(parts[0], others, file=tmp_path / "joined.npy")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert joined.keypoints[:, 0, 0, 0, 0].tolist() == [0] * 4096 + [1] * 4096 + [2] * 4096
    assert peak < parts[0].keypoints.nbytes / 2


def test_subjects_of_other_datasets_are_nobodys():
    joined, extra = join_clips(OWN, [SYNTHETIC, UCLA])
    assert set(joined.subjects[extra.rows].tolist()) == {-1}
    assert joined.subjects[:6].tolist() == OWN.subjects.tolist()


def test_a_class_that_would_show_an_unseen_one_is_not_allowed():
    _, extra = join_clips(OWN, [SYNTHETIC])
    assert extra.allowed(["squat"]) == ("synthetic: bow",)
    assert extra.allowed(["walking"]) == ("synthetic: squat down", "synthetic: bow")


@pytest.mark.parametrize("others", ORDERS, ids=named)
@pytest.mark.parametrize("unseen", [(), ("squat",), ("walking",), ("squat", "walking")], ids=str)
def test_no_source_may_show_an_unseen_class(others, unseen):
    _, extra = join_clips(OWN, others)
    expected = []
    for other in others:
        for name in other.clips.classes:
            if not any(name in other.excluded[hidden] for hidden in unseen):
                expected.append(f"{other.source}: {name}")
    assert extra.allowed(unseen) == tuple(expected)


def test_clips_of_another_form_are_refused():
    longer = dataclasses.replace(UCLA, clips=clips_of(("bow",), 2, 1, frames=4))
    words = r"nw-ucla: expected \(1, 3, 20, 3\).*got \(1, 4, 20, 3\)"
    with pytest.raises(DataError, match=words):
        join_clips(OWN, [SYNTHETIC, longer])


def test_one_dataset_twice_is_refused():
    with pytest.raises(DataError, match="each dataset once, got synthetic, nw-ucla, synthetic"):
        join_clips(OWN, [SYNTHETIC, UCLA, SYNTHETIC])


def test_a_source_that_says_nothing_of_a_class_is_refused():
    silent = dataclasses.replace(UCLA, excluded={"squat": frozenset()})
    with pytest.raises(DataError, match="nw-ucla: nothing says which classes show 'walking'"):
        join_clips(OWN, [SYNTHETIC, silent])


def test_every_name_in_the_list_is_a_class_of_its_dataset():
    same = load_same_meaning()
    for owner, name in {entry for group in same.groups for entry in group}:
        assert name in create_dataset(owner).classes, (owner, name)


RELATED = {"ntu60", "ntu120", "pku-mmd"}


def comparable(dataset: str) -> list[str]:
    """Datasets whose classes may be learned besides those of another."""
    others = [other for other in load_same_meaning().datasets if other != dataset]
    return [other for other in others if not {dataset, other} <= RELATED]


@pytest.mark.parametrize(("dataset", "other"), itertools.permutations(sorted(RELATED), 2))
def test_datasets_that_share_classes_or_clips_may_not_be_learned_besides_each_other(dataset, other):
    names = create_dataset(dataset).classes
    # There is nothing that would keep these apart: their equal names stand on no list.
    assert set(names) & set(create_dataset(other).classes)
    with pytest.raises(
        DataError, match=f"classes of '{other}' mean the same as those of '{dataset}'"
    ):
        load_same_meaning().exclusions(dataset, names, other)


def test_a_renamed_class_is_refused_because_no_list_knows_it():
    names = create_dataset("utd-mhad").classes
    with pytest.raises(DataError, match="'knee bends': the dataset 'utd-mhad' of the catalogue"):
        load_same_meaning().exclusions("utd-mhad", (*names[:-1], "knee bends"), "synthetic")


def test_exclusion_is_mutual():
    same = load_same_meaning()
    for dataset in same.datasets:
        for name in create_dataset(dataset).classes:
            for other in comparable(dataset):
                for found in same.excluded(dataset, name, other):
                    assert name in same.excluded(other, found, dataset)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("stand to sit", "sit down"),
        ("jogging", "jog in place"),
        ("right hand wave", "wave both hands"),
        ("squat", "stand up from a squat"),
    ],
)
def test_plain_namesakes_are_on_the_list(name, other):
    assert other in load_same_meaning().excluded("utd-mhad", name, "synthetic")


def test_equal_names_of_two_datasets_are_always_on_the_list():
    same = load_same_meaning()
    for dataset in same.datasets:
        for other in comparable(dataset):
            both = set(create_dataset(dataset).classes) & set(create_dataset(other).classes)
            for name in both:
                assert name in same.excluded(dataset, name, other), (dataset, other, name)


def test_a_dataset_nobody_thought_about_is_refused():
    with pytest.raises(DataError, match="dataset 'hdm05'"):
        load_same_meaning().excluded("hdm05", "walk", "synthetic")


def test_the_list_cannot_be_changed_by_a_reader():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_same_meaning().groups = ()  # type: ignore[misc]
