"""Clips learned from besides: joined without loss, and silent about unseen classes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from infocpl.data import create_dataset
from infocpl.data.extra import join_clips
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
OTHER = clips_of(("squat down", "bow"), 2, 1)
EXCLUDED = {"squat": frozenset({"squat down"}), "walking": frozenset()}


@pytest.mark.parametrize("mapped", [False, True])
def test_joined_clips_are_the_ones_that_went_in(tmp_path, mapped):
    file = tmp_path / "joined.npy" if mapped else None
    joined, extra = join_clips(OWN, OTHER, "synthetic", EXCLUDED, file=file)
    assert np.array_equal(joined.keypoints[:6], OWN.keypoints)
    assert np.array_equal(joined.keypoints[6:], OTHER.keypoints)
    assert extra.rows.tolist() == [6, 7, 8, 9]
    told = [joined.classes[label] for label in joined.labels[extra.rows]]
    assert told == ["synthetic: squat down"] * 2 + ["synthetic: bow"] * 2
    assert isinstance(joined.keypoints, np.memmap) == mapped


def test_subjects_of_other_datasets_are_nobodys():
    joined, extra = join_clips(OWN, OTHER, "synthetic", EXCLUDED)
    assert set(joined.subjects[extra.rows].tolist()) == {-1}


def test_a_class_that_would_show_an_unseen_one_is_not_allowed():
    _, extra = join_clips(OWN, OTHER, "synthetic", EXCLUDED)
    assert extra.allowed(["squat"]) == ("synthetic: bow",)
    assert extra.allowed(["walking"]) == ("synthetic: squat down", "synthetic: bow")


def test_clips_of_another_form_are_refused():
    with pytest.raises(DataError, match=r"expected \(1, 3, 20, 3\).*got \(1, 4, 20, 3\)"):
        join_clips(OWN, clips_of(("bow",), 2, 1, frames=4), "synthetic", EXCLUDED)


def test_every_name_in_the_list_is_a_class_of_its_dataset():
    same = load_same_meaning()
    for owner, name in {entry for group in same.groups for entry in group}:
        assert name in create_dataset(owner).classes, (owner, name)


def test_exclusion_is_mutual():
    same = load_same_meaning()
    for dataset in same.datasets:
        for name in create_dataset(dataset).classes:
            for other in same.datasets:
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
        for other in same.datasets:
            if dataset == other or {dataset, other} <= {"ntu60", "ntu120", "pku-mmd"}:
                continue  # these share clips' classes by construction and are never joined
            both = set(create_dataset(dataset).classes) & set(create_dataset(other).classes)
            for name in both:
                assert name in same.excluded(dataset, name, other), (dataset, other, name)


def test_a_dataset_nobody_thought_about_is_refused():
    with pytest.raises(DataError, match="dataset 'hdm05'"):
        load_same_meaning().excluded("hdm05", "walk", "synthetic")


def test_the_list_cannot_be_changed_by_a_reader():
    with pytest.raises(dataclasses.FrozenInstanceError):
        load_same_meaning().groups = ()  # type: ignore[misc]
