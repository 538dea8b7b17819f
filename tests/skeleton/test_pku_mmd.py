"""PKU-MMD: recordings, intervals, and the clips they make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import (
    PkuInterval,
    open_collection,
    open_pku_mmd,
    read_pku_labels,
    read_pku_mmd,
    read_skeleton,
    write_pku_labels,
    write_pku_mmd,
)
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

LAYOUT = create_layout("ntu25")
SETTINGS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def recording(frames: int = 100, second: slice = slice(20, 60)) -> SkeletonSequence:
    """Frame t stands at x = t; the second person is there for a while only."""
    points = np.zeros((2, frames, 25, 3), np.float32)
    points[0, :, :, 0] = np.arange(frames)[:, None]
    points[0, :, :, 2] = points[1, second, :, 2] = 3.0
    return SkeletonSequence(points, LAYOUT)


def dataset(folder: Path, intervals: list[PkuInterval], name: str = "0002-L") -> Path:
    write_pku_mmd(folder / "Data" / f"{name}.txt", recording())
    write_pku_labels(folder / "Label" / "Train_Label_PKU_final" / f"{name}.txt", intervals)
    return folder


# --- recordings -------------------------------------------------------------------------------


def test_the_real_recording_equals_a_plain_reading(real_data) -> None:
    path = real_data / "pkummd_sample" / "A10N08-L.txt"
    rows = np.array([[float(x) for x in line.split()] for line in path.read_text().splitlines()])
    expected = rows.reshape(1040, 2, 25, 3).transpose(1, 0, 2, 3)
    for clip in (read_pku_mmd(path), read_skeleton(path)):
        assert (clip.persons, clip.frames, clip.units, clip.fps) == (2, 1040, "m", 30.0)
        np.testing.assert_array_equal(clip.keypoints, np.float32(expected))
        assert clip.present.sum(axis=1).tolist() == [1040, 728]


def test_the_real_recording_is_cut_along_intervals_and_stays_whole(real_data, tmp_path) -> None:
    path = real_data / "pkummd_sample" / "A10N08-L.txt"
    labels = tmp_path / "labels.txt"
    write_pku_labels(labels, [PkuInterval(14, 1, 100), PkuInterval(27, 900, 1055, 1)])
    whole = read_pku_mmd(path)
    with open_pku_mmd(path, labels) as clips:
        assert clips.names == ("A10N08-L_i001_a14", "A10N08-L_i002_a27")
        assert clips.labels.tolist() == [13, 26]
        there = whole.present[:, :100].any(axis=1)
        np.testing.assert_array_equal(clips.read(0).keypoints, whole.keypoints[there, :100])
        assert clips.read(1).frames == 141
        np.testing.assert_array_equal(clips.whole(0).keypoints, whole.keypoints)


def test_people_of_the_real_recording_stand_upright(real_data) -> None:
    clip = read_pku_mmd(real_data / "pkummd_sample" / "A10N08-L.txt")
    head, foot = (clip.keypoints[0, :, clip.layout.index(j), 1] for j in ("head", "left_foot"))
    assert (head > foot).mean() > 0.9


@SETTINGS
@given(
    hnp.arrays(np.float32, st.tuples(st.integers(1, 2), st.integers(1, 4), st.just(25), st.just(3)),
               elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(0, 3),
)  # fmt: skip
def test_reading_what_was_written_gives_the_same_float32(tmp_path, points, absent) -> None:
    points[:, 0, 0, 0] = 1.0  # every person is there at least once
    points[-1, absent % points.shape[1]] *= absent != 0 and points.shape[1] > 1
    points[-1, 0, 0, 0] = 1.0
    clip = SkeletonSequence(points, LAYOUT)
    write_pku_mmd(tmp_path / "a.txt", clip)
    again = read_pku_mmd(tmp_path / "a.txt")
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)


def test_only_two_persons_in_metres_fit_into_a_row(tmp_path, make_clip) -> None:
    with pytest.raises(SkeletonFormatError, match="persons: expected at most 2, got 3"):
        write_pku_mmd(tmp_path / "a.txt", make_clip(persons=3))
    with pytest.raises(LayoutError, match="PKU-MMD files hold layout 'ntu25'"):
        write_pku_mmd(tmp_path / "a.txt", make_clip("kinect20"))
    with pytest.raises(SkeletonFormatError, match="frames: expected at most 10000"):
        write_pku_mmd(tmp_path / "a.txt", SkeletonSequence(np.ones((1, 10_001, 25, 3)), LAYOUT))
    assert list(tmp_path.iterdir()) == []


ROW = " ".join(["0.5"] * 150)
ROW_REFUSALS = {
    "a number short": (f"{ROW}\n{ROW[:-4]}\n", "line 2: .*150"),
    "a number more": (f"{ROW} 1\n", "line 1: .*150"),
    "a word": (ROW.replace("0.5", "x", 1), "line 1: person 1 joint 1 x: .*'x'"),
    "NaN": (f"{ROW}\n{ROW[:-3]}nan", "line 2: person 2 joint 25 z: .*'nan'"),
    "infinite": ("-inf" + ROW[3:], "line 1: person 1 joint 1 x"),
    "far away": ("2e6" + ROW[3:], "line 1, person 1, joint 1, coordinate 1"),
    "a blank line": (f"{ROW}\n\n{ROW}", "line 2"),
    "nobody": (ROW.replace("0.5", "0"), "a person in some row, got zeros only"),
    "too many rows": ("1\n" * 10_001, "at most 10,000, got 10,001"),
}


@pytest.mark.parametrize(("text", "words"), ROW_REFUSALS.values(), ids=ROW_REFUSALS.keys())
def test_a_broken_recording_is_refused_with_line_and_field(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_pku_mmd(save(text, "0002-L.txt"))


@pytest.mark.parametrize(
    "change",
    [lambda t: t.replace("\n", "\r\n"), lambda t: t.replace("\n", " \n"), lambda t: t + "\n"],
    ids=["CRLF", "a blank at the end of every row", "an empty line at the end"],
)
def test_harmless_differences_change_nothing(save, change) -> None:
    text = f"{ROW}\n{ROW.replace('0.5', '-1.25e0')}\n"
    plain, changed = read_pku_mmd(save(text, "a.txt")), read_pku_mmd(save(change(text), "b.txt"))
    np.testing.assert_array_equal(changed.keypoints, plain.keypoints)


# --- intervals --------------------------------------------------------------------------------


@SETTINGS
@given(
    st.lists(
        st.builds(
            lambda action, start, length, confidence: PkuInterval(
                action, start, start + length, confidence
            ),
            st.integers(1, 51), st.integers(1, 9000), st.integers(0, 900), st.integers(0, 2),
        ),
        min_size=1,
        max_size=20,
    )
)  # fmt: skip
def test_intervals_survive_writing_and_reading(tmp_path, intervals) -> None:
    write_pku_labels(tmp_path / "a.txt", intervals)
    assert read_pku_labels(tmp_path / "a.txt") == intervals


def test_labels_may_have_blanks_and_begin_at_zero(save) -> None:
    path = save(" 34, 0,215,1\r\n1,300,300,2,\n\n", "a.txt")
    assert read_pku_labels(path) == [PkuInterval(34, 1, 215, 1), PkuInterval(1, 300, 300)]


LABEL_REFUSALS = {
    "a word": ("34,1,2,2\n34,one,2,2\n", "line 2: row: expected action, start frame"),
    "three numbers": ("34,1,2\n", "line 1: row"),
    "five numbers": ("34,1,2,3,4\n", "line 1: row"),
    "a fraction": ("34,1.5,2,2\n", "line 1: row"),
    "a negative start": ("34,-1,2,2\n", "line 1: row"),
    "action 0": ("0,1,2,2\n", "line 1: action: expected 1 to 51, got 0"),
    "action 52": ("1,1,2,2\n52,1,2,2\n", "line 2: action: expected 1 to 51, got 52"),
    "reversed": ("34,20,19,2\n", "line 1: end frame: expected at least 20, got 19"),
    "ends at 0": ("34,0,0,2\n", "line 1: end frame: expected at least 1, got 0"),
    "too many": ("34,1,2,2\n" * 1001, "rows: expected at most 1000, got 1001"),
    "empty": ("", "an empty file"),
}


@pytest.mark.parametrize(("text", "words"), LABEL_REFUSALS.values(), ids=LABEL_REFUSALS.keys())
def test_a_broken_label_file_is_refused_with_its_line(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_pku_labels(save(text, "a.txt"))


# --- clips ------------------------------------------------------------------------------------


def test_a_clip_has_the_frames_from_first_to_last_and_the_persons_seen_in_them(tmp_path) -> None:
    intervals = [PkuInterval(34, 11, 15), PkuInterval(14, 15, 30), PkuInterval(1, 100, 100)]
    with open_collection(dataset(tmp_path, intervals)) as clips:
        first, second, last = clips
        assert first.keypoints[0, :, 0, 0].tolist() == [10, 11, 12, 13, 14]
        assert (first.persons, second.persons, last.persons) == (1, 2, 1)
        assert second.present.sum(axis=1).tolist() == [16, 10]
        assert (last.frames, last.source) == (1, f"{tmp_path}#0002-L_i003_a01")
        assert clips.names == ("0002-L_i001_a34", "0002-L_i002_a14", "0002-L_i003_a01")
        assert (clips.labels.tolist(), clips.classes) == ([33, 13, 0], 51)
        assert [interval for _, interval in clips.intervals] == intervals
        assert clips.whole(0).frames == 100
        assert clips.notes == ("1 intervals overlap an earlier one",)


@pytest.mark.parametrize("index", [-1, 1])
def test_there_is_no_recording_beyond_either_end(tmp_path, index) -> None:
    with pytest.raises(IndexError, match=f"recording {index} of 1"):
        open_pku_mmd(dataset(tmp_path, [PkuInterval(1, 1, 2)])).whole(index)


def test_an_interval_may_hang_over_by_a_second_and_no_more(tmp_path) -> None:
    intervals = [PkuInterval(34, 91, 130), PkuInterval(35, 91, 131), PkuInterval(36, 101, 101)]
    with open_pku_mmd(dataset(tmp_path, intervals)) as clips:
        assert clips.read(0).frames == 10
        for index, line, got in ((1, 2, "91 to 131"), (2, 3, "101 to 101")):
            words = f"line {line}: frames: .* 100 frames of 0002-L.txt, got {got}"
            with pytest.raises(SkeletonFormatError, match=words):
                clips.read(index)


def test_a_clip_of_nobody_is_refused_and_the_next_one_read(tmp_path) -> None:
    folder = dataset(tmp_path, [PkuInterval(34, 1, 5), PkuInterval(35, 50, 60)])
    clip = recording()
    points = clip.keypoints.copy()
    points[:, :10] = 0
    write_pku_mmd(folder / "Data" / "0002-L.txt", SkeletonSequence(points, LAYOUT))
    with open_pku_mmd(folder) as clips:
        with pytest.raises(SkeletonFormatError, match=r"_i001_a34: clip: .*got nobody"):
            clips.read(0)
        assert clips.read(1).frames == 11


def split(folder: Path, name: str, train: str, val: str) -> None:
    text = f"Training videos: \n{train}\n\nValidataion videos: \n{val}\n"  # codespell:ignore
    (folder / "Split").mkdir(exist_ok=True)
    (folder / "Split" / name).write_text(text)


def test_the_datasets_own_split_files_become_splits(tmp_path) -> None:
    for name in ("0002-L", "0002-M", "0003-L"):
        dataset(tmp_path, [PkuInterval(1, 1, 9), PkuInterval(2, 11, 19)], name)
    split(tmp_path, "cross-subject.txt", "0002-L, 0002-M,", "0003-L, 0099-R")
    split(tmp_path, "cross_view_v2.txt", "0002-M", "0002-L, 0003-L")
    with open_collection(tmp_path) as clips:
        assert {name: where.tolist() for name, where in clips.splits.items()} == {
            "xsub_train": [0, 1, 2, 3], "xsub_val": [4, 5],
            "xview_train": [2, 3], "xview_val": [0, 1, 4, 5],
        }  # fmt: skip
        assert clips.notes == ("cross-subject.txt names 1 val recordings that are not here",)
        assert len(clips.files) == 8


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0002-L\n", "line 1: name: .*'0002-L'"),
        ("Training videos:\nclip 7\n", "line 2: name: .*'clip 7'"),
        ("Some videos:\n0002-L\n", "line 1: part: .*'Some videos:'"),
        ("Training videos:\n0002-L\nTraining videos:\n", "line 3: part"),
    ],
    ids=["no part", "no name", "an unknown part", "a part twice"],
)
def test_a_broken_split_file_is_refused_with_its_line(tmp_path, text, words) -> None:
    folder = dataset(tmp_path, [PkuInterval(1, 1, 9)])
    (folder / "cross-view.txt").write_text(text)
    with pytest.raises(SkeletonFormatError, match=words):
        open_pku_mmd(folder)


def test_files_without_their_counterpart_are_noted(tmp_path) -> None:
    dataset(tmp_path, [PkuInterval(1, 1, 9)])
    write_pku_mmd(tmp_path / "Data" / "0004-R.txt", recording())
    write_pku_labels(tmp_path / "Label" / "0005-M.txt", [PkuInterval(1, 1, 9)])
    (tmp_path / "README.txt").write_text("1,2,3,4")
    (tmp_path / "0006-L.txt").write_text("other")
    with open_pku_mmd(tmp_path) as clips:
        assert [item.name for item in clips.recordings] == ["0002-L"]
        assert clips.notes == (
            "1 recordings have no label file and were passed over",
            "1 recordings have no skeleton file and were passed over",
        )


def test_a_recording_that_is_there_twice_is_refused(tmp_path) -> None:
    dataset(tmp_path, [PkuInterval(1, 1, 9)])
    write_pku_mmd(tmp_path / "copy" / "0002-L.txt", recording())
    with pytest.raises(
        SkeletonFormatError, match=r"recording: expected each name once, got .* too"
    ):
        open_pku_mmd(tmp_path)


def test_a_lone_recording_needs_its_labels(tmp_path) -> None:
    write_pku_mmd(tmp_path / "0002-L.txt", recording())
    with pytest.raises(SkeletonFormatError, match="or a label file too, got none"):
        open_pku_mmd(tmp_path / "0002-L.txt")
    with pytest.raises(SkeletonFormatError, match="1 skeleton and 0 label files"):
        open_pku_mmd(tmp_path)
