"""Prepared clips against a plain loop, and divisions against the records."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.data import (
    ClipInfo,
    ClipStore,
    PreparedClips,
    Protocol,
    StoreWriter,
    create_dataset,
    create_split,
    list_splits,
    load_split,
    prepare_clips,
    split_indices,
)
from infocpl.data.loading import ClipRows, check_no_leak
from infocpl.errors import DataError, LayoutError, SplitError, SplitLeakageError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.transforms import normalise

UTD = create_dataset("utd-mhad")
UTD_SPLIT = load_split(UTD, "purls/22-5")


@pytest.fixture
def store(make_store, utd_infos) -> ClipStore:
    return make_store(utd_infos)


def empty_clips(count: int, **changes) -> PreparedClips:
    parts = {
        "keypoints": np.zeros((count, 1, 4, 25, 3), np.float32),
        "labels": np.zeros(count, np.int64),
        "names": tuple(f"clip {number}" for number in range(count)),
        "subjects": np.ones(count, np.int64),
        "layout": "ntu25",
        "classes": ("walk", "run"),
    }
    return PreparedClips(**{**parts, **changes})


def test_every_clip_is_normalised_by_itself_and_absent_persons_are_zero(make_store, utd_infos):
    store = make_store(utd_infos[:6], persons=(1, 2, 3))
    prepared = prepare_clips(store, frames=10)
    assert prepared.keypoints.shape == (6, 2, 10, 20, 3)
    assert prepared.keypoints.dtype == np.float32
    for index, record in enumerate(store.records):
        expected = normalise(store[index], frames=10).keypoints
        shared = min(2, record.persons)
        assert np.array_equal(prepared.keypoints[index, :shared], expected[:shared])
        assert not prepared.keypoints[index, shared:].any()
    assert prepared.labels.tolist() == [record.label for record in store.records]
    assert prepared.names == tuple(record.name for record in store.records)
    assert prepared.subjects.tolist() == [record.subject for record in store.records]
    assert (prepared.layout, prepared.classes) == ("kinect20", store.classes)


@pytest.mark.parametrize(("persons", "expected"), [((1,), 1), ((1, 2), 2), ((3, 1), 2)])
def test_the_number_of_persons_is_the_store_s_own_and_at_most_two(
    make_store, utd_infos, persons, expected: int
):
    store = make_store(utd_infos[:4], persons=persons)
    assert prepare_clips(store, frames=4).keypoints.shape[1] == expected


@pytest.mark.parametrize("persons", [1, 2, 4])
def test_the_number_of_persons_can_be_chosen(make_store, utd_infos, persons: int):
    store = make_store(utd_infos[:4], persons=(2,))
    prepared = prepare_clips(store, frames=4, persons=persons)
    assert prepared.keypoints.shape[1] == persons
    assert not prepared.keypoints[:, 2:].any()


@pytest.mark.parametrize("frames", [1, 2, 50, 120])
def test_every_clip_has_the_frames_asked_for(make_store, utd_infos, frames: int):
    assert prepare_clips(make_store(utd_infos[:3]), frames=frames).keypoints.shape[2] == frames


def test_another_layout_is_mapped_to_before_clips_are_normalised(make_store, utd_infos):
    store = make_store(utd_infos[:3])
    prepared = prepare_clips(store, frames=8, layout="ntu25")
    mapping = create_layout_map(create_layout("kinect20"), create_layout("ntu25"))
    for index in range(3):
        expected = normalise(mapping.apply(store[index]), frames=8).keypoints
        assert np.array_equal(prepared.keypoints[index], expected)
    assert prepared.layout == "ntu25"
    # So the centre of the new layout, not of the old one, begins at the origin.
    center = create_layout("ntu25").index(create_layout("ntu25").center)
    np.testing.assert_allclose(prepared.keypoints[:, 0, 0, center], 0.0, atol=1e-5)


def test_the_store_s_own_layout_by_name_changes_nothing(make_store, utd_infos):
    store = make_store(utd_infos[:3])
    one, two = prepare_clips(store), prepare_clips(store, layout="kinect20")
    assert np.array_equal(one.keypoints, two.keypoints)


def test_an_unknown_layout_is_refused(make_store, utd_infos):
    with pytest.raises(LayoutError, match="unknown layout 'ntu26'"):
        prepare_clips(make_store(utd_infos[:1]), layout="ntu26")


@pytest.mark.parametrize("options", [{"frames": 0}, {"persons": 0}, {"persons": -1}])
def test_no_frames_and_no_persons_are_refused(make_store, utd_infos, options):
    with pytest.raises(DataError, match="frames and persons: expected 1 or more"):
        prepare_clips(make_store(utd_infos[:1]), **options)


def test_preparing_reports_its_progress(make_store, utd_infos):
    calls: list[tuple[int, int]] = []
    store = make_store(utd_infos[:4])
    prepare_clips(store, frames=4, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_chosen_clips_are_prepared_in_the_order_asked_for(make_store, utd_infos):
    store = make_store(utd_infos[:6], persons=(1, 2))
    whole = prepare_clips(store, frames=6)
    part = prepare_clips(store, frames=6, rows=np.array([4, 1, 1]))
    expected = whole.subset([4, 1, 1])
    assert np.array_equal(part.keypoints, expected.keypoints)
    assert part.names == expected.names
    assert part.labels.tolist() == expected.labels.tolist()
    assert part.subjects.tolist() == expected.subjects.tolist()


def test_a_cache_holds_the_same_clips_on_disk_and_is_made_once(tmp_path, make_store, utd_infos):
    store = make_store(utd_infos[:6], persons=(1, 2))
    calls: list[int] = []

    def prepare(**options):
        return prepare_clips(
            store, frames=7, cache=tmp_path / "c", progress=lambda n, _: calls.append(n), **options
        )

    first = prepare()
    assert isinstance(first.keypoints, np.memmap)
    assert np.array_equal(first.keypoints, prepare_clips(store, frames=7).keypoints)
    (path,) = (tmp_path / "c").iterdir()
    assert np.array_equal(np.load(path), first.keypoints)
    assert calls == [1, 2, 3, 4, 5, 6]
    assert np.array_equal(prepare().keypoints, first.keypoints)
    assert len(calls) == 6
    prepare(persons=1)
    prepare(rows=np.array([0]))
    assert len(list((tmp_path / "c").iterdir())) == 3


def test_a_damaged_cache_is_made_again_or_refused(tmp_path, make_store, utd_infos):
    store = make_store(utd_infos[:4])
    whole = prepare_clips(store, frames=7, cache=tmp_path / "c").keypoints.copy()
    (path,) = (tmp_path / "c").iterdir()
    raw = path.read_bytes()
    path.write_bytes(raw[:-5])
    again = prepare_clips(store, frames=7, cache=tmp_path / "c")
    assert np.array_equal(again.keypoints, whole)
    path.write_bytes(b"x" + raw[1:])
    with pytest.raises(DataError, match=r"expected an array of float32 .*; remove the file"):
        prepare_clips(store, frames=7, cache=tmp_path / "c")


def test_the_cache_of_another_store_is_not_taken(tmp_path, make_store, utd_infos):
    for name, infos in (("one", utd_infos[:2]), ("two", utd_infos[2:4])):
        prepare_clips(make_store(infos, name=name), frames=7, cache=tmp_path / "c")
    assert len(list((tmp_path / "c").iterdir())) == 2


@given(
    rows=st.lists(st.integers(0, 8), min_size=1, max_size=12),
    data=st.data(),
)
def test_rows_stand_in_for_the_copy_they_save(rows: list[int], data):
    array = np.arange(9 * 4, dtype=np.float32).reshape(9, 1, 2, 2, 1)
    clips = ClipRows(array, np.array(rows))
    copy = array[rows]
    assert (len(clips), clips.shape) == (len(copy), copy.shape)
    index = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=5))
    assert np.array_equal(clips[np.array(index, dtype=np.int64)], copy[index])
    start, stop = sorted(data.draw(st.tuples(st.integers(0, 12), st.integers(0, 12))))
    assert np.array_equal(clips[start:stop], copy[start:stop])
    taken = clips[0:1]
    taken[:] = -1.0
    assert array.min() == 0.0


@given(st.lists(st.integers(0, 6)))
def test_a_subset_holds_the_clips_asked_for_in_that_order(chosen: list[int]):
    keypoints = np.arange(7, dtype=np.float32).reshape(7, 1, 1, 1, 1) * np.ones((1, 1, 2, 25, 3))
    clips = empty_clips(7, keypoints=keypoints.astype(np.float32), labels=np.arange(7) % 2)
    part = clips.subset(chosen)
    assert part.keypoints[:, 0, 0, 0, 0].tolist() == chosen
    assert part.labels.tolist() == [number % 2 for number in chosen]
    assert part.names == tuple(f"clip {number}" for number in chosen)
    assert (part.layout, part.classes) == (clips.layout, clips.classes)
    part.keypoints[:] = -1.0
    assert clips.keypoints.min() == 0.0


@pytest.mark.parametrize(
    "indices",
    [[True, False, True], [0.5], [3], [-1], [[0, 1]], np.array([True, True, False])],
    ids=["mask", "fraction", "too large", "negative", "two axes", "numpy mask"],
)
def test_a_subset_takes_whole_numbers_within_range_only(indices):
    with pytest.raises(DataError, match="indices: expected"):
        empty_clips(3).subset(indices)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"keypoints": np.zeros((3, 4, 25, 3), np.float32)}, r"expected \(N, M, T, V, C\)"),
        ({"keypoints": np.zeros((3, 1, 4, 20, 3), np.float32)}, "'ntu25' has 25 joints, got 20"),
        ({"labels": np.zeros(2, np.int64)}, "labels: expected 3 values, got 2"),
        ({"labels": np.array([0, 1, 2])}, "labels: expected 0 to 1"),
        ({"labels": np.array([0, 1, -1])}, "labels: expected 0 to 1"),
        ({"names": ("a",)}, "names: expected 3 values, got 1"),
        ({"subjects": np.zeros(4, np.int64)}, "subjects: expected 3 values, got 4"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(changes, words: str):
    with pytest.raises(DataError, match=words):
        empty_clips(3, **changes)


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


def test_the_real_utd_mhad_prepares_to_finite_standing_bodies(utd_store: ClipStore):
    clips = prepare_clips(utd_store)
    assert clips.keypoints.shape == (861, 1, 50, 20, 3)
    assert np.isfinite(clips.keypoints).all()
    layout = create_layout("kinect20")
    head, foot = layout.index("head"), layout.index("left_foot")
    assert (clips.keypoints[:, 0, 0, head, 1] > clips.keypoints[:, 0, 0, foot, 1]).all()
    left, right = layout.index("left_shoulder"), layout.index("right_shoulder")
    assert (clips.keypoints[:, 0, 0, left, 0] < clips.keypoints[:, 0, 0, right, 0]).mean() > 0.99


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


def test_importing_the_data_folder_does_not_import_torch():
    code = "import sys, infocpl.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_folders_may_be_given_as_text(make_store, utd_infos):
    store = make_store(utd_infos[:2])
    assert ClipStore.open(str(store.folder)).hash == store.hash
    assert isinstance(store.folder, Path)
