"""Generated clips beside a dataset's own: all that is asked for, in its form, and nothing else."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from infocpl.apps.extra import describe_extra, gather_extra
from infocpl.apps.plan import Plan
from infocpl.apps.progress import Reporter
from infocpl.data import PreparedClips, create_dataset, load_split
from infocpl.evaluation.config import create_preset
from infocpl.semantics import DescriptionChoice, load_lexicon

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    place = tmp_path_factory.mktemp("extra")
    dataset = create_dataset("utd-mhad")
    return Plan(
        dataset=dataset,
        split=load_split(dataset, "purls/22-5"),
        protocol="",
        source=place / "none",
        out=place / "out",
        config=create_preset("tiny"),
        seeds=(0,),
        descriptions=DescriptionChoice(("definition",)),
        extra="synthetic",
        extra_clips=2,
    )


@pytest.fixture(scope="module")
def own(plan) -> PreparedClips:
    classes = plan.dataset.classes
    count = len(classes)
    rng = np.random.default_rng(0)
    return PreparedClips(
        rng.standard_normal((count, 1, plan.config.frames, 20, 3)).astype(np.float32),
        np.arange(count),
        tuple(f"clip {number}" for number in range(count)),
        np.ones(count, dtype=np.int64),
        "kinect20",
        classes,
    )


@pytest.fixture(scope="module")
def gathered(plan, own, tmp_path_factory):
    work: Path = tmp_path_factory.mktemp("work")
    return (*gather_extra(own, plan, work, QUIET), work)


def test_every_action_of_one_person_is_there_as_often_as_asked(gathered):
    clips, elsewhere, _ = gathered
    alone = {
        f"synthetic: {entry.name}"
        for entry in load_lexicon("synthetic").entries
        if entry.traits.persons == "one"
    }
    found = Counter(clips.classes[label] for label in clips.labels[elsewhere.rows])
    assert found == dict.fromkeys(alone, 2)
    assert set(elsewhere.names) == alone


def test_the_own_clips_stand_first_and_unchanged(gathered, own):
    clips, _, _ = gathered
    assert np.array_equal(clips.keypoints[: len(own)], own.keypoints)
    assert clips.names[: len(own)] == own.names
    assert np.isfinite(clips.keypoints).all()


def test_a_second_call_takes_the_same_clips_without_generating_them(gathered, own, plan):
    first, _, work = gathered
    before = {path: path.stat().st_mtime_ns for path in (work / "extra-store").rglob("*")}
    second, _ = gather_extra(own, plan, work, QUIET)
    assert np.array_equal(first.keypoints, second.keypoints)
    assert {path: path.stat().st_mtime_ns for path in (work / "extra-store").rglob("*")} == before


def test_what_shows_an_unseen_class_is_left_out_of_its_split(gathered, plan):
    _, elsewhere, _ = gathered
    left_out = set(elsewhere.names) - set(elsewhere.allowed(("squat", "jogging")))
    assert left_out == {
        "synthetic: squat down",
        "synthetic: stand up from a squat",
        "synthetic: jog in place",
    }


def test_extra_classes_are_described_from_their_own_lexicon(gathered, plan):
    _, elsewhere, _ = gathered
    book = describe_extra(plan, elsewhere, QUIET)
    assert tuple(f"synthetic: {name}" for name in book.labels.names) == elsewhere.names
    assert set(book.sources) == {"lexicon synthetic"}
