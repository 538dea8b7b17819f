"""Whole datasets in the formats of others, made of synthetic performances."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from infocpl.errors import DataError, OutputExistsError
from infocpl.skeleton.formats import (
    open_aimclr,
    open_ctrgcn,
    open_pku_mmd,
    open_pyskl,
    parse_ntu_name,
    read_feature_folder,
    read_ntu,
)
from infocpl.skeleton.synthetic import (
    NtuRecording,
    PkuScript,
    generate_aimclr,
    generate_ctrgcn,
    generate_feature_folder,
    generate_ntu,
    generate_pku_mmd,
    generate_pyskl,
    list_ntu_recordings,
    perform_pku,
)

FEW = [NtuRecording(1, camera, subject, 1, action)
       for subject in (1, 2) for camera in (1, 2) for action in (1, 50)]  # fmt: skip


# --- NTU RGB+D --------------------------------------------------------------------------------


def test_recordings_have_the_numbers_and_names_of_ntu() -> None:
    recordings = list_ntu_recordings(classes=120, subjects=20, setups=3, cameras=3, replications=2)
    assert len({recording.name for recording in recordings}) == 120 * 20 * 3 * 2
    for recording in recordings[:: 1000 + 7]:
        assert parse_ntu_name(f"{recording.name}.skeleton") == vars(recording)
    assert Counter(recording.setup for recording in recordings[:360]) == {1: 360}
    assert {recording.action for recording in recordings[:120]} == set(range(1, 121))


@pytest.mark.parametrize(
    "field", [{"classes": 121}, {"subjects": 0}, {"cameras": 4}, {"setups": 0}, {"replications": 0}]
)
def test_a_number_out_of_range_is_refused(field) -> None:
    (name,) = field
    with pytest.raises(DataError, match=f"{name}: expected 1 to"):
        list_ntu_recordings(**field)


def test_classes_50_to_60_and_106_to_120_have_two_persons() -> None:
    pairs = [
        action
        for action in range(1, 121)
        if NtuRecording(1, 1, 1, 1, action).perform().persons == 2
    ]
    assert pairs == [*range(50, 61), *range(106, 121)]


def test_cameras_see_one_performance_from_three_sides_with_noise_of_their_own() -> None:
    clips = [NtuRecording(1, camera, 5, 1, 8).perform() for camera in (1, 2, 3)]
    assert len({clip.frames for clip in clips}) == 1
    heights = [np.ptp(clip.keypoints[0, 0, :, 1]) for clip in clips]
    assert np.ptp(heights) < 0.15
    assert not np.allclose(clips[0].keypoints, clips[1].keypoints, atol=0.05)
    again = NtuRecording(1, 1, 5, 1, 8).perform()
    np.testing.assert_array_equal(again.keypoints, clips[0].keypoints)
    other = NtuRecording(1, 1, 5, 1, 8).perform(seed=1)
    assert other.keypoints.shape != again.keypoints.shape or not np.allclose(
        other.keypoints, again.keypoints, atol=0.05
    )


def test_generated_files_are_read_as_they_were_performed(tmp_path) -> None:
    done = []
    generate_ntu(tmp_path / "ntu", FEW, progress=lambda *pair: done.append(pair))
    assert done == [(i, 8) for i in range(1, 9)]
    files = sorted((tmp_path / "ntu").iterdir())
    assert [path.stem for path in files] == sorted(recording.name for recording in FEW)
    for recording in FEW:
        clip = read_ntu(tmp_path / "ntu" / f"{recording.name}.skeleton")
        performed = recording.perform()
        assert clip.persons == performed.persons
        # Who of two moves more is the reader's business.
        matched = [any(np.array_equal(a, b) for b in performed.keypoints) for a in clip.keypoints]
        assert all(matched)
    with pytest.raises(OutputExistsError):
        generate_ntu(tmp_path / "ntu", FEW)


def test_the_reader_finds_the_people_among_lost_tracks_and_furniture(tmp_path) -> None:
    generate_ntu(tmp_path / "odd", FEW, oddities=1.0)
    for recording in FEW:
        path = tmp_path / "odd" / f"{recording.name}.skeleton"
        performed = recording.perform()
        raw = read_ntu(path, max_persons=16, select=False)
        assert raw.persons == performed.persons + 2
        clip = read_ntu(path)
        assert clip.persons == performed.persons
        assert not clip.present[:, 0].any()
        for person in clip.keypoints[:, 1:]:
            assert any(np.array_equal(person, other) for other in performed.keypoints)


# --- PKU-MMD ----------------------------------------------------------------------------------


def test_a_pku_folder_has_long_recordings_of_three_views_cut_by_one_label_file(tmp_path) -> None:
    generate_pku_mmd(tmp_path / "pku", recordings=3, actions=4)
    with open_pku_mmd(tmp_path / "pku") as clips:
        assert len(clips) == 3 * 3 * 4
        assert clips.notes == ()
        assert sorted(clips.splits) == ["xsub_train", "xsub_val", "xview_train", "xview_val"]
        for protocol in ("xsub", "xview"):
            both = np.concatenate([clips.splits[f"{protocol}_{p}"] for p in ("train", "val")])
            assert sorted(both.tolist()) == list(range(36))
        by_name = {recording.name: recording for recording in clips.recordings}
        for number in ("0001", "0002", "0003"):
            left, middle, right = (by_name[f"{number}-{view}"].intervals for view in "LMR")
            assert left == middle == right
            assert all(a.end < b.start for a, b in pairwise(left))
        for clip, (_, interval) in zip(clips, clips.intervals, strict=True):
            assert clip.frames == interval.end - interval.start + 1
        persons = {item.name[:4]: clips.whole(i).persons for i, item in enumerate(clips.recordings)}
        assert persons == {"0001": 1, "0002": 1, "0003": 2}


def test_people_do_not_jump_between_actions() -> None:
    recordings, _ = perform_pku(PkuScript(1, (1, 8, 34)), views="M")
    clip = recordings["M"]
    pelvis = clip.keypoints[0, clip.present[0], 0]
    assert np.linalg.norm(np.diff(pelvis, axis=0), axis=1).max() < 0.3


def test_actions_of_one_and_of_two_do_not_mix() -> None:
    with pytest.raises(DataError, match="one person or those of two"):
        PkuScript(1, (1, 14))


# --- files of many clips ----------------------------------------------------------------------


def test_collections_hold_the_same_performances(tmp_path) -> None:
    generate_pyskl(tmp_path / "a.pkl", FEW)
    generate_ctrgcn(tmp_path / "a.npz", FEW)
    generate_aimclr(tmp_path / "arrays", FEW)
    odd = [i for i, recording in enumerate(FEW) if recording.subject == 1]
    even = [i for i in range(len(FEW)) if i not in odd]
    with open_pyskl(tmp_path / "a.pkl") as clips:
        assert clips.names == tuple(recording.name for recording in FEW)
        assert clips.labels.tolist() == [recording.action - 1 for recording in FEW]
        assert clips.splits["xsub_train"].tolist() == odd
        assert clips.splits["xview_val"].tolist() == [
            i for i, recording in enumerate(FEW) if recording.camera == 1
        ]
        np.testing.assert_allclose(
            clips.read(3).keypoints, FEW[3].perform().keypoints, atol=4e-3, rtol=1e-3
        )
    for path, parts, open_it in (
        ("a.npz", ("train", "test"), open_ctrgcn),
        ("arrays", ("train", "val"), open_aimclr),
    ):
        with open_it(tmp_path / path) as clips:
            assert [len(clips.splits[part]) for part in parts] == [len(odd), len(even)]
            for position, index in enumerate([*odd, *even]):
                performed = FEW[index].perform()
                clip = clips.read(position)
                length = clip.frames  # a person may be lost in the last frames
                np.testing.assert_array_equal(clip.keypoints, performed.keypoints[:, :length])
                assert not performed.present[:, length:].any()
                assert clips.labels[position] == FEW[index].action - 1


def test_features_make_clouds_that_the_labels_tell_apart(tmp_path) -> None:
    generate_feature_folder(tmp_path, classes=12, unseen=(3, 7), rows=5, dim=64)
    found = read_feature_folder(tmp_path, classes=12)
    assert found.unseen == (3, 7)
    assert found.seen == tuple(i for i in range(12) if i not in (3, 7))
    train, everything = found.parts["train"], found.parts["gtest"]
    centres = np.stack([train.features[train.labels == c].mean(axis=0) for c in found.seen])
    rows = everything.features[np.isin(everything.labels, found.seen)]
    nearest = ((rows[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    truth = everything.labels[np.isin(everything.labels, found.seen)]
    assert (np.array(found.seen)[nearest] == truth).mean() > 0.95


@pytest.mark.parametrize("unseen", [(), (60,), (-1,), range(60)])
def test_unseen_classes_must_exist_and_leave_some_seen(tmp_path, unseen) -> None:
    with pytest.raises(DataError, match="unseen: expected some of the classes 0 to 59"):
        generate_feature_folder(tmp_path, unseen=unseen)
