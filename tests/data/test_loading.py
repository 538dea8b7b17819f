"""Prepared clips against a plain loop, in memory and in a mapped file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.data import ClipStore, PreparedClips, prepare_clips
from infocpl.data.loading import ClipRows
from infocpl.errors import DataError, LayoutError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.transforms import normalise


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


def test_the_real_utd_mhad_prepares_to_finite_standing_bodies(utd_store: ClipStore):
    clips = prepare_clips(utd_store)
    assert clips.keypoints.shape == (861, 1, 50, 20, 3)
    assert np.isfinite(clips.keypoints).all()
    layout = create_layout("kinect20")
    head, foot = layout.index("head"), layout.index("left_foot")
    assert (clips.keypoints[:, 0, 0, head, 1] > clips.keypoints[:, 0, 0, foot, 1]).all()
    left, right = layout.index("left_shoulder"), layout.index("right_shoulder")
    assert (clips.keypoints[:, 0, 0, left, 0] < clips.keypoints[:, 0, 0, right, 0]).mean() > 0.99


def test_importing_the_data_folder_does_not_import_torch():
    code = "import sys, infocpl.data; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_folders_may_be_given_as_text(make_store, utd_infos):
    store = make_store(utd_infos[:2])
    assert ClipStore.open(str(store.folder)).hash == store.hash
    assert isinstance(store.folder, Path)
