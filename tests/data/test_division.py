"""Who trains and who tests, against the records one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.data import (
    ClipInfo,
    ClipStore,
    Protocol,
    StoreWriter,
    create_dataset,
    create_split,
    list_splits,
    load_split,
    split_indices,
)
from infocpl.data.division import check_no_leak
from infocpl.errors import DataError, SplitError, SplitLeakageError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

UTD = create_dataset("utd-mhad")
UTD_SPLIT = load_split(UTD, "purls/22-5")


@pytest.fixture
def store(make_store, utd_infos) -> ClipStore:
    return make_store(utd_infos)


def by_loop(store: ClipStore, split, protocol: Protocol, unseen: str = "all"):
    """The division, clip by clip, by name."""
    train, seen_test, unseen_test = [], [], []
    for index, record in enumerate(store.records):
        name = store.classes[record.label]
        if name in split.seen:
            (train if protocol.is_train(record) else seen_test).append(index)
        elif name in split.unseen and (unseen == "all" or not protocol.is_train(record)):
            unseen_test.append(index)
    return train, seen_test, unseen_test


@pytest.mark.parametrize("split_id", [*list_splits(UTD), "random:1:3"])
@pytest.mark.parametrize("protocol", ["xsub", "xsub-75"])
@pytest.mark.parametrize("unseen", ["all", "test"])
def test_the_division_is_that_of_a_plain_loop(store, split_id: str, protocol: str, unseen: str):
    split = load_split(UTD, split_id)
    found = split_indices(store, split, protocol, unseen=unseen)
    expected = by_loop(store, split, UTD.protocol(protocol), unseen)
    assert (found.train.tolist(), found.seen_test.tolist(), found.unseen_test.tolist()) == expected
    assert found.train.dtype == np.int64


@settings(max_examples=25, deadline=None)
@given(
    unseen=st.sets(st.sampled_from(UTD.classes), min_size=1, max_size=20),
    train=st.sets(st.integers(1, 8), min_size=1),
    count=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_no_division_ever_trains_on_an_unseen_class(utd_open, unseen, train, count, seed):
    split = create_split("utd-mhad", UTD.classes, unseen)
    protocol = Protocol("any", "subject", tuple(train))
    for task in (split, split.hold_out(count, seed=seed)):
        found = split_indices(utd_open, task, protocol)
        trained = {utd_open.classes[label] for label in utd_open.labels[found.train]}
        assert trained.isdisjoint(task.unseen)
        assert trained.isdisjoint(split.unseen)
        assert trained <= set(task.seen)


@pytest.fixture(scope="module")
def utd_open(tmp_path_factory) -> ClipStore:
    """One store for all examples of a property: 27 classes by 8 subjects, a clip each."""
    layout = create_layout("kinect20")
    clip = SkeletonSequence(np.ones((1, 1, 20, 3)), layout)
    folder = tmp_path_factory.mktemp("property") / "store"
    with StoreWriter(folder, "utd-mhad", layout, UTD.classes) as writer:
        for label in range(27):
            for subject in range(1, 9):
                writer.append(clip, ClipInfo(f"a{label}_s{subject}", label, subject))
    return ClipStore.open(folder)


def test_a_pseudo_split_leaves_the_real_unseen_classes_out_of_everything(store: ClipStore):
    pseudo = UTD_SPLIT.hold_out(4, seed=2)
    found = split_indices(store, pseudo)
    everything = np.concatenate((found.train, found.seen_test, found.unseen_test))
    names = {store.classes[label] for label in store.labels[everything]}
    assert names == set(UTD_SPLIT.seen)
    assert names.isdisjoint(UTD_SPLIT.unseen)


def test_the_default_protocol_is_the_catalogue_s(store: ClipStore):
    default = split_indices(store, UTD_SPLIT)
    named = split_indices(store, UTD_SPLIT, "xsub-75")
    given_itself = split_indices(store, UTD_SPLIT, UTD.protocol("xsub-75"))
    for part in ("train", "seen_test", "unseen_test"):
        assert np.array_equal(getattr(default, part), getattr(named, part))
        assert np.array_equal(getattr(default, part), getattr(given_itself, part))


@pytest.mark.parametrize(
    ("part", "label_of", "words"),
    [
        ("train", "unseen", "must not be in train"),
        ("seen_test", "unseen", "must not be in seen_test"),
        ("unseen_test", "seen", "must not be in unseen_test"),
    ],
)
def test_a_clip_on_the_wrong_side_is_leakage(
    store: ClipStore, part: str, label_of: str, words: str
):
    honest = split_indices(store, UTD_SPLIT)
    check_no_leak(store, UTD_SPLIT, honest)
    wrong = store.classes.index(getattr(UTD_SPLIT, label_of)[0])
    clip = int(np.flatnonzero(store.labels == wrong)[0])
    dishonest = replace(honest, **{part: np.append(getattr(honest, part), clip)})
    with pytest.raises(SplitLeakageError, match=words) as caught:
        check_no_leak(store, UTD_SPLIT, dishonest)
    assert store.names[clip] in str(caught.value)


def test_a_clip_on_two_sides_is_leakage(store: ClipStore):
    honest = split_indices(store, UTD_SPLIT)
    dishonest = replace(honest, seen_test=np.append(honest.seen_test, honest.train[3]))
    with pytest.raises(SplitLeakageError, match="is on two sides") as caught:
        check_no_leak(store, UTD_SPLIT, dishonest)
    assert store.names[honest.train[3]] in str(caught.value)


def test_a_split_of_another_dataset_is_refused(store: ClipStore):
    split = load_split(create_dataset("nw-ucla"), "purls/8-2")
    with pytest.raises(SplitError, match=r"divides dataset 'nw-ucla'; .* holds 'utd-mhad'"):
        split_indices(store, split)


def test_a_split_with_classes_the_store_does_not_know_is_refused(store: ClipStore):
    split = create_split("utd-mhad", ["squat", "fly"], ["fly"])
    with pytest.raises(SplitError, match="does not know the classes fly"):
        split_indices(store, split)


def test_an_unknown_protocol_is_refused_with_the_known_ones(store: ClipStore):
    with pytest.raises(DataError, match="no protocol 'xview'; usable: xsub, xsub-75"):
        split_indices(store, UTD_SPLIT, "xview")


def test_an_unknown_rule_for_unseen_clips_is_refused(store: ClipStore):
    with pytest.raises(SplitError, match="unseen: expected 'all' or 'test', got 'most'"):
        split_indices(store, UTD_SPLIT, unseen="most")


def test_nothing_to_train_on_and_nothing_to_test_on_are_errors(make_store, utd_infos):
    tests_only = make_store([info for info in utd_infos if info.subject > 6], name="tests")
    with pytest.raises(SplitError, match="no clips to train with split 'purls/22-5'"):
        split_indices(tests_only, UTD_SPLIT)
    seen_only = make_store([info for info in utd_infos if info.label == 0], name="seen")
    with pytest.raises(SplitError, match="no clips to test unseen classes"):
        split_indices(seen_only, UTD_SPLIT)


def test_a_store_without_seen_test_clips_may_still_be_used_without_gzsl(make_store, utd_infos):
    store = make_store([info for info in utd_infos if info.subject < 7])
    found = split_indices(store, UTD_SPLIT)
    assert len(found.seen_test) == 0
    assert len(found.train) == 22 * 6 * 2


def test_the_real_utd_mhad_divides_as_counted_by_hand(utd_store: ClipStore):
    found = split_indices(utd_store, UTD_SPLIT, "xsub-75")
    # 5 unseen classes x 8 subjects x 4 trials: none of the three clips that never existed is
    # of these classes, and two of the three (a8_s1, a23_s6) are on the training side.
    assert len(found.unseen_test) == 160
    assert len(found.train) + len(found.seen_test) == 861 - 160
    assert len(found.train) == 22 * 6 * 4 - 2


def test_the_view_protocol_of_ucla_does_leak_performances_and_the_subject_one_does_not(
    ucla_store: ClipStore,
):
    split = load_split(create_dataset("nw-ucla"), "purls/8-2")
    performances = [(r.label, r.subject, r.replication) for r in ucla_store.records]
    shared = {}
    for protocol in ("xview", "xsub"):
        found = split_indices(ucla_store, split, protocol)
        train = {performances[index] for index in found.train}
        shared[protocol] = np.mean([performances[index] in train for index in found.seen_test])
    assert shared["xview"] > 0.9
    assert shared["xsub"] == 0.0
