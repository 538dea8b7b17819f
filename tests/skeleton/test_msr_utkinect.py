"""MSR-Action3D and UTKinect: real samples, plain loops, round trips, refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import LayoutError, OutputExistsError, SkeletonFormatError
from infocpl.skeleton.formats import (
    is_collection,
    open_collection,
    open_utkinect,
    read_msr_action3d,
    read_utkinect,
    write_msr_action3d,
    write_utkinect,
)
from infocpl.skeleton.formats.utkinect_clips import UTKINECT_ACTIONS, read_utkinect_labels
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.files import generate_utkinect

KINECT = create_layout("kinect20")
quick = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def clips(draw, *, confidence: bool) -> SkeletonSequence:
    """One person before a Kinect, absent in some frames, with coordinates of any float32 size."""
    frames = draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = rng.normal(size=(1, frames, 20, 3)) * 10.0 ** draw(st.integers(-20, 4))
    weight = rng.uniform(0.01, 1.0, (1, frames, 20)) if confidence else np.ones((1, frames, 20))
    weight[rng.random(weight.shape) < 0.2 * confidence] = 0
    weight[0, 0, 0] = 1
    absent = rng.random(frames) < 0.3
    absent[0] = False
    weight[0, absent] = 0
    points[weight.max(axis=2) == 0] = 0
    return SkeletonSequence(
        points.astype(np.float32), KINECT, confidence=weight.astype(np.float32), fps=15.0
    )


# --- MSR-Action3D -----------------------------------------------------------------------------

# Positions in the file by the pairs of joints that papers on this dataset connect by bones.
MSR_BONES = [
    (20, 3), (3, 1), (1, 8), (8, 10), (10, 12), (3, 2), (2, 9), (9, 11), (11, 13), (3, 4), (4, 7),
    (7, 5), (5, 14), (14, 16), (16, 18), (7, 6), (6, 15), (15, 17), (17, 19),
]  # fmt: skip


def test_the_real_msr_samples_are_read_as_a_plain_loop_reads_them(real_data) -> None:
    folder = real_data / "format_samples" / "msr_action3d"
    for name, frames in (("a01_s01_e01", 54), ("a01_s01_e02", 43)):
        path = folder / f"{name}_skeleton3D.txt"
        clip = read_msr_action3d(path)
        assert (clip.persons, clip.frames, clip.fps, clip.units) == (1, frames, 15.0, "m")
        rows = np.loadtxt(path).reshape(frames, 20, 4)
        # The same set of points in every frame, whatever their order.
        np.testing.assert_array_equal(
            np.sort(clip.keypoints[0], axis=1), np.sort(np.float32(rows[..., :3]), axis=1)
        )
        # Bones of the papers are bones of the layout: together the pairs fix the order.
        at = {joint: clip.keypoints[0, 0, i].tolist() for i, joint in enumerate(KINECT.joints)}
        for a, b in MSR_BONES:
            ends = [np.float32(rows[0, i - 1, :3]).tolist() for i in (a, b)]
            joints = [next(j for j, point in at.items() if point == end) for end in ends]
            assert tuple(joints) in KINECT.bones or tuple(joints[::-1]) in KINECT.bones


def test_a_real_msr_body_stands_upright_and_waves_its_right_arm_high(real_data) -> None:
    path = real_data / "format_samples" / "msr_action3d" / "a01_s01_e01_skeleton3D.txt"
    clip = read_msr_action3d(path)
    mean = dict(zip(KINECT.joints, clip.keypoints[0].mean(axis=0), strict=True))
    order = ("head", "upper_spine", "spine", "pelvis", "left_knee", "left_ankle")
    heights = [float(mean[joint][1]) for joint in order]
    assert heights == sorted(heights, reverse=True)
    # It faces the sensor: toes before ankles, the left shoulder at the smaller x.
    assert mean["left_foot"][2] < mean["left_ankle"][2]
    assert mean["left_shoulder"][0] < mean["right_shoulder"][0]
    # Subjects were asked to use the right arm.
    moved = clip.keypoints[0].std(axis=0).sum(axis=1)
    right, left = (moved[KINECT.index(f"{side}_hand")] for side in ("right", "left"))
    assert right > 5 * left


def test_the_real_msr_clip_of_zeros_is_refused(real_data) -> None:
    path = real_data / "format_samples" / "msr_action3d" / "a13_s09_e02_skeleton3D.txt"
    with pytest.raises(SkeletonFormatError, match="a person in some frame, got zeros only"):
        read_msr_action3d(path)


@quick
@given(clip=clips(confidence=True))
def test_msr_files_are_read_back_exactly(tmp_path, clip) -> None:
    write_msr_action3d(tmp_path / "a.txt", clip)
    again = read_msr_action3d(tmp_path / "a.txt")
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)
    write_msr_action3d(tmp_path / "b.txt", again)
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()


def msr(frames: int = 2, **rows: str) -> str:
    lines = ["0.5 0.25 2 1"] * (20 * frames)
    for place, row in rows.items():
        lines[int(place[1:]) - 1] = row
    return "\n".join(lines) + "\n"


MSR_REFUSALS = {
    "a row too few": (msr().replace("0.5 0.25 2 1\n", "", 1), "rows: expected 20 for every .* 39"),
    "three numbers": (msr(r7="1 2 3"), "line 7: line: expected 4 numbers, got '1 2 3'"),
    "five numbers": (msr(r7="1 2 3 0 5"), "line 7: line: expected 4 numbers"),
    "an empty row": (msr(r7=""), "line 7: line: expected 4 numbers, got ''"),
    "a word": (msr(r7="1 2 x 1"), "line 7: z: expected a finite number, got 'x'"),
    "NaN": (msr(r40="nan 2 3 1"), "line 40: x: expected a finite number, got 'nan'"),
    "infinite": (msr(r40="1 -inf 3 1"), "line 40: y"),
    "overflow": (msr(r1="1e999 2 3 1"), "line 1: x"),
    "an underscore": (msr(r1="1_0 2 3 1"), "line 1: x: .*'1_0'"),
    "too large": (msr(r5="1 2 3e7 1"), "line 5, coordinate 3: coordinate"),
    "confidence above 1": (msr(r9="1 2 3 1.5"), "line 9: confidence: .*0 to 1, got 1.5"),
    "confidence below 0": (msr(r9="1 2 3 -0.1"), "line 9: confidence"),
    "no confidence at all": (msr().replace(" 1\n", " 0\n"), "a person in some frame"),
    "too many frames": ("0 0 0 0\n" * 200_020, "lines: expected at most 200,000, got 200,020"),
}


@pytest.mark.parametrize(("text", "words"), MSR_REFUSALS.values(), ids=MSR_REFUSALS)
def test_a_broken_msr_file_is_refused_with_line_and_field(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_msr_action3d(save(text, "clip.txt"))


def test_an_msr_frame_without_confidence_is_an_absence(save) -> None:
    text = msr().splitlines()
    text[20:] = ["0.5 0.25 2 0"] * 20
    clip = read_msr_action3d(save("\r\n".join(text), "clip.txt"))
    assert clip.present.tolist() == [[True, False]]
    assert not clip.keypoints[0, 1].any()


# --- UTKinect ---------------------------------------------------------------------------------


def test_the_real_utkinect_recording_is_read_as_a_plain_loop_reads_it(real_data) -> None:
    path = real_data / "format_samples" / "utkinect" / "joints_s01_e01.txt"
    clip = read_utkinect(path)
    rows = np.loadtxt(path)
    assert (clip.persons, clip.frames, clip.fps, clip.units) == (1, 560, 15.0, "m")
    np.testing.assert_array_equal(clip.keypoints[0].reshape(560, 60), np.float32(rows[:, 1:]))
    mean = dict(zip(KINECT.joints, clip.keypoints[0].mean(axis=0), strict=True))
    order = ("head", "upper_spine", "spine", "pelvis", "left_knee", "left_ankle")
    heights = [float(mean[joint][1]) for joint in order]
    assert heights == sorted(heights, reverse=True)
    assert mean["left_shoulder"][0] < mean["right_shoulder"][0]


def test_the_real_labels_are_200_intervals_of_which_one_was_not_performed(real_data) -> None:
    path = real_data / "format_samples" / "utkinect" / "actionLabel.txt"
    found = read_utkinect_labels(path)
    assert len(found) == 200
    assert {item.action for item in found} == set(UTKINECT_ACTIONS)
    assert len({item.session for item in found}) == 20
    assert [i.session + i.action for i in found if i.start is None] == ["s10_e02carry"]
    assert (found[0].session, found[0].start, found[0].end) == ("s01_e01", 252, 390)


def test_real_clips_are_the_rows_of_their_intervals(real_data) -> None:
    folder = real_data / "format_samples" / "utkinect"
    assert is_collection(folder)
    clips = open_collection(folder)
    assert len(clips) == 10
    assert clips.names[:2] == ("s01_e01_walk", "s01_e01_sitDown")
    assert clips.labels.tolist() == list(range(10))
    assert [note for note in clips.notes if "no recording of s01_e02" in note]
    rows = np.loadtxt(folder / "joints_s01_e01.txt")
    intervals = read_utkinect_labels(folder / "actionLabel.txt")[:10]
    for index, item in enumerate(intervals):
        inside = [row[1:] for row in rows if item.start <= row[0] <= item.end]
        clip = clips.read(index)
        np.testing.assert_array_equal(clip.keypoints[0].reshape(-1, 60), np.float32(inside))
        assert clip.source == f"{folder}#s01_e01_{item.action}"
    with pytest.raises(IndexError):
        clips.read(10)


@quick
@given(clip=clips(confidence=False))
def test_utkinect_files_are_read_back_exactly(tmp_path, clip) -> None:
    write_utkinect(tmp_path / "a.txt", clip)
    again = read_utkinect(tmp_path / "a.txt")
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)


def utkinect(*numbers: object, cells: str = "0.5 " * 60) -> str:
    return "".join(f"{number}   {cells}\n" for number in numbers)


UTKINECT_REFUSALS = {
    "the number falls": (utkinect(4, 2), "line 2: frame number: .*not below .* got 2"),
    "a fraction": (utkinect(1.5), "line 1: frame number: .*got 1.5"),
    "a negative number": (utkinect(-2), "line 1: frame number: .*got -2"),
    "59 coordinates": (utkinect(2, cells="0.5 " * 59), "line 1: line: expected 61 numbers"),
    "61 coordinates": (utkinect(2, cells="0.5 " * 61), "line 1: line: expected 61 numbers"),
    "NaN": (utkinect(2, cells="0.5 " * 58 + "nan 1"), "line 1: joint 20 y: .*got 'nan'"),
    "too large": (utkinect(0, 2, cells="2e6 " + "0 " * 59), "line 1, joint 1, coordinate 1"),
    "zeros only": (utkinect(0, 2, cells="0 " * 60), "a person in some frame, got zeros only"),
    "too many rows": ("0\n" * 10_001, "lines: expected at most 10,000, got 10,001"),
}


@pytest.mark.parametrize(("text", "words"), UTKINECT_REFUSALS.values(), ids=UTKINECT_REFUSALS)
def test_a_broken_utkinect_file_is_refused_with_line_and_field(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_utkinect(save(text, "joints_s01_e01.txt"))


def test_numbers_that_repeat_or_skip_lose_no_row(save) -> None:
    clip = read_utkinect(save(utkinect(190, 190, 194, 204), "joints_s01_e01.txt"))
    assert clip.frames == 4


LABEL_REFUSALS = {
    "an action without a recording": ("walk: 1 2\n", "line 1: label"),
    "an unknown action": ("s01_e01\nfly: 1 2\n", "line 2: label: .*got 'fly: 1 2'"),
    "one number": ("s01_e01\nwalk: 1\n", "line 2: label"),
    "a word for a number": ("s01_e01\nwalk: 1 x\n", "line 2: label"),
    "an empty line between": ("s01_e01\n\nwalk: 1 2\n", "line 2: label"),
    "half not performed": ("s01_e01\nwalk: NaN 2\n", "line 2: interval: .*NaN NaN"),
    "backwards": ("s01_e01\nwalk: 9 2\n", "line 2: interval: .*not above the last"),
    "twice": ("s01_e01\nwalk: 1 2\nwalk: 3 4\n", "line 3: label: .*once, got walk again"),
}


@pytest.mark.parametrize(("text", "words"), LABEL_REFUSALS.values(), ids=LABEL_REFUSALS)
def test_broken_labels_are_refused_with_line_and_field(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_utkinect_labels(save(text, "actionLabel.txt"))


def test_a_generated_folder_is_a_collection_with_every_oddity(tmp_path) -> None:
    generate_utkinect(tmp_path / "utk", subjects=1, repetitions=2)
    clips = open_utkinect(tmp_path / "utk")
    assert len(clips) == 19
    assert clips.classes == 10
    assert clips.notes == ("s01_e02: carry was not performed (NaN NaN)",)
    assert [UTKINECT_ACTIONS[label] for label in clips.labels[:10]] == list(UTKINECT_ACTIONS)
    backwards = {clips.names[i]: clips.read(i).keypoints for i in reversed(range(19))}
    for clip, name in zip(clips, clips.names, strict=True):
        np.testing.assert_array_equal(clip.keypoints, backwards[name])
    with pytest.raises(OutputExistsError):
        generate_utkinect(tmp_path / "utk")


def test_recordings_may_lie_in_a_folder_of_their_own(tmp_path) -> None:
    generate_utkinect(tmp_path / "utk", subjects=1, repetitions=1)
    before = [clip.keypoints for clip in open_utkinect(tmp_path / "utk")]
    (tmp_path / "utk" / "joints").mkdir()
    for file in (tmp_path / "utk").glob("joints_*"):
        file.rename(file.parent / "joints" / file.name)
    after = [clip.keypoints for clip in open_utkinect(tmp_path / "utk")]
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_an_interval_without_rows_is_told_with_what_there_is(tmp_path) -> None:
    (tmp_path / "joints_s01_e01.txt").write_text(utkinect(10, 12, 14))
    (tmp_path / "joints_s02_e01.txt").write_text(utkinect(10, 12, 14))
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 12 30\nthrow: 100 120\n")
    clips = open_utkinect(tmp_path)
    assert clips.notes == ("no labels of s02_e01",)
    assert clips.read(0).frames == 2
    with pytest.raises(SkeletonFormatError, match=r"100 to 120 \(throw\), got frames 10 to 14"):
        clips.read(1)


def test_a_folder_without_recordings_is_refused(tmp_path) -> None:
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 12 30\n")
    with pytest.raises(SkeletonFormatError, match="clips: expected 1 to"):
        open_utkinect(tmp_path)
    assert not is_collection(tmp_path / "actionLabel.txt")


@pytest.mark.parametrize("write", [write_msr_action3d, write_utkinect])
def test_what_the_formats_cannot_hold_is_refused_with_the_reason(
    make_clip, tmp_path, write
) -> None:
    clip = make_clip("kinect20")
    path = Path(tmp_path / "a.txt")
    many = SkeletonSequence(np.ones((1, 10_001, 20, 3), np.float32), KINECT)
    for bad, error, words in (
        (make_clip("kinect20", persons=2), LayoutError, "this clip has 2 on layout kinect20"),
        (make_clip("ntu25"), LayoutError, r"has 1 on layout ntu25 \(25 joints, 3-D\)"),
        (replace(clip, units="normalised"), LayoutError, "units 'normalised'"),
        (many, SkeletonFormatError, "frames: expected at most 10000, got 10001"),
        (clip.with_keypoints(clip.keypoints * 1e7), SkeletonFormatError, "coordinate"),
        (clip.with_keypoints(clip.keypoints * 0), SkeletonFormatError, "got none"),
    ):
        with pytest.raises(error, match=words):
            write(path, bad)
    assert list(tmp_path.iterdir()) == []
