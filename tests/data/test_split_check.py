"""Checks of splits: every published one is sound, and clips are counted as a plain loop does."""

from __future__ import annotations

from collections import Counter

import pytest

from infocpl.data import (
    ClipInfo,
    Split,
    create_dataset,
    create_split,
    list_datasets,
    list_splits,
    load_split,
)
from infocpl.data.split_check import check_split

UTD = create_dataset("utd-mhad")
PUBLISHED = [
    (name, split) for name in list_datasets() for split in list_splits(create_dataset(name))
]


@pytest.mark.parametrize(("name", "split_id"), PUBLISHED, ids=str)
def test_every_published_split_is_sound(name: str, split_id: str):
    dataset = create_dataset(name)
    report = check_split(dataset, load_split(dataset, split_id))
    assert report.problems == ()
    assert report.facts[1] == f"every name is a class of {dataset.title}"


@pytest.mark.parametrize("name", ["ntu60", "ntu120"])
def test_every_family_is_crossed_with_every_protocol_as_a_plain_loop_counts(make_store, name):
    dataset = create_dataset(name)
    infos = [
        ClipInfo(f"{label}-{number}", label, subject, camera, setup)
        for label in range(len(dataset.classes))
        for number, (subject, camera, setup) in enumerate(
            [(1, 1, 1), (2, 2, 2), (3, 3, 3), (6, 1, 4), (7, 2, 5)]
        )
    ]
    store = make_store(infos, dataset=name, layout="ntu25")
    families = {split.split("/")[0]: split for split in list_splits(dataset)}
    assert set(families) == {"synse", "synse-gate", "purls", "smie", "sa-dvae"}
    for split_id in (*families.values(), "random:4:9"):
        split = load_split(dataset, split_id)
        for protocol_name, protocol in dataset.protocols.items():
            report = check_split(dataset, split, store, protocol_name)
            counts: dict[str, Counter] = {}
            for record in store.records:
                train = protocol.is_train(record)
                class_name = store.classes[record.label]
                side = "unseen_test"
                if class_name in split.seen:
                    side = "train" if train else "seen_test"
                counts.setdefault(class_name, Counter())[side] += 1
            assert len(report.classes) == len(split.seen) + len(split.unseen)
            for item in report.classes:
                for side in ("train", "seen_test", "unseen_test"):
                    assert getattr(item, side) == counts[item.name][side]
            assert report.protocol == protocol_name
            assert report.problems == ()


def test_a_name_that_lies_about_its_numbers_is_found():
    split = create_split("utd-mhad", UTD.classes, UTD.classes[:3], name="22-5")
    report = check_split(UTD, split)
    assert report.problems == ("its name says 22-5, but there are 24 and 3",)


def test_names_of_another_dataset_are_found():
    split = Split("utd-mhad", "own", "x", seen=("squat", "fly"), unseen=("jogging",))
    (problem,) = check_split(UTD, split).problems
    assert problem == "not classes of UTD-MHAD: fly"


def test_classes_on_neither_side_are_mentioned():
    split = load_split(UTD, "purls/22-5").hold_out(4)
    report = check_split(UTD, split)
    assert report.problems == ()
    assert sum(fact.startswith("on neither side: ") for fact in report.facts) == 1


def test_classes_without_clips_are_told_apart_by_what_they_spoil(make_store, utd_infos):
    split = create_split("utd-mhad", UTD.classes[:5], UTD.classes[3:5])
    infos = [info for info in utd_infos if info.label in (0, 1, 3)]
    # Of class 1 nobody who tests is left; class 2 has no clip at all, and neither has class 4.
    infos = [info for info in infos if info.label != 1 or info.subject < 7]
    report = check_split(UTD, split, make_store(infos))
    first, second, third, _, fifth = UTD.classes[:5]
    assert report.problems == (f"seen classes without a training clip: {third}",)
    assert report.warnings == (
        f"unseen classes without a clip, which count for nothing: {fifth}",
        f"seen classes without a test clip: {second}, {third}",
    )
    assert [item.train for item in report.classes if item.name == first] == [12]


def test_a_store_that_cannot_be_divided_is_a_problem_and_no_crash(make_store, utd_infos):
    split = load_split(UTD, "purls/22-5")
    store = make_store([info for info in utd_infos if info.label == 0])
    (problem,) = check_split(UTD, split, store).problems
    assert "no clips to test unseen classes" in problem
    (problem,) = check_split(UTD, split, store, "xmoon").problems
    assert "no protocol 'xmoon'" in problem
