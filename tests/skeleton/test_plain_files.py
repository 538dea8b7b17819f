"""Plain npz and CSV of any layout, and what their readers are made of: rows and JSON."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import read_csv, read_npz, read_skeleton, write_csv, write_npz
from infocpl.skeleton.formats.json_safe import check_numbers, describe_kind, load_json
from infocpl.skeleton.formats.mocap_names import mocap_layout
from infocpl.skeleton.formats.number_rows import parse_rows, read_lines
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.skeleton.sequence import SkeletonSequence

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def clips(draw) -> SkeletonSequence:
    """Any clip there can be: layout in two or three dimensions, persons who are absent at times."""
    name = draw(st.sampled_from(list_layouts()))
    layout = create_layout(f"{name}-{draw(st.sampled_from([2, 3]))}d")
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)), len(layout))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = rng.normal(size=(*shape, layout.dims)) * 10.0 ** draw(st.integers(-20, 4))
    confidence = rng.uniform(0, 1, shape)
    confidence[rng.random(shape[:2]) < 0.3] = 0
    confidence[0, 0] = 1
    points[confidence.max(axis=2) == 0] = 0
    return SkeletonSequence(
        points.astype(np.float32),
        layout,
        confidence=confidence.astype(np.float32),
        fps=draw(st.sampled_from([15.0, 29.97, 120.0])),
        units=draw(st.sampled_from(["m", "px", "normalised"])),
    )


@quick
@given(clip=clips())
@pytest.mark.parametrize(
    ("write", "read"), [(write_npz, read_npz), (write_csv, read_csv)], ids=["npz", "csv"]
)
def test_every_clip_is_read_back_exactly(tmp_path, write, read, clip) -> None:
    write(tmp_path / "clip", clip)
    for again in (read(tmp_path / "clip"), read_skeleton(tmp_path / "clip")):
        assert again.layout == clip.layout
        assert (again.fps, again.units) == (clip.fps, clip.units)
        np.testing.assert_array_equal(again.keypoints, clip.keypoints)
        np.testing.assert_array_equal(again.confidence, clip.confidence)


@pytest.mark.parametrize("write", [write_npz, write_csv])
def test_a_layout_that_no_reader_would_know_is_refused(make_clip, tmp_path, write) -> None:
    clip = make_clip("ntu25")
    own = mocap_layout("bvh", clip.layout.joints, [-1, *range(24)])
    with pytest.raises(LayoutError, match="unknown layout 'bvh'"):
        write(tmp_path / "a", clip.with_keypoints(clip.keypoints, layout=own))
    twin = replace(clip.layout, joints=clip.layout.joints[::-1])
    with pytest.raises(LayoutError, match="'ntu25' of this clip is not the one known by that name"):
        write(tmp_path / "a", clip.with_keypoints(clip.keypoints, layout=twin))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("write", [write_npz, write_csv])
def test_clips_beyond_the_limits_are_refused(tmp_path, write) -> None:
    layout = create_layout("sbu15")
    for shape, words in (((17, 1), "persons: expected 1 to 16"), ((1, 10_001), "frames: .*10,001")):
        clip = SkeletonSequence(np.ones((*shape, 15, 3), np.float32), layout)
        with pytest.raises(SkeletonFormatError, match=words):
            write(tmp_path / "a", clip)
    nobody = SkeletonSequence(np.zeros((1, 2, 15, 3), np.float32), layout)
    with pytest.raises(SkeletonFormatError, match="a person in some frame, got none"):
        write(tmp_path / "a", nobody)
    assert list(tmp_path.iterdir()) == []


# --- npz --------------------------------------------------------------------------------------

GOOD = {"keypoints": np.ones((1, 4, 25, 3), np.float32), "layout": "ntu25"}


@pytest.fixture
def npz(tmp_path):
    def write(packed: bool = True, **arrays) -> Path:
        path = tmp_path / "clip.npz"
        save = np.savez_compressed if packed else np.savez
        save(path, **{k: v for k, v in (GOOD | arrays).items() if v is not None})
        return path

    return write


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f8", "<i4", "u1"])
def test_what_numpy_saves_is_enough(npz, packed, dtype) -> None:
    clip = read_npz(npz(packed, keypoints=np.full((2, 4, 25, 3), 7, dtype)))
    assert (clip.persons, clip.fps, clip.units) == (2, 30.0, "m")
    assert clip.keypoints.min() == clip.keypoints.max() == 7
    assert clip.present.all()


def test_two_dimensions_are_pixels_unless_the_file_says_other(npz) -> None:
    flat = np.ones((1, 4, 17, 2))
    assert read_npz(npz(keypoints=flat, layout="coco17")).units == "px"
    assert read_npz(npz(keypoints=flat, layout="coco17", units="normalised")).units == "normalised"
    assert read_npz(npz(keypoints=flat[:, :, :15], layout="sbu15-2d")).layout.dims == 2


def test_a_person_without_confidence_or_coordinates_is_absent(npz) -> None:
    points = np.ones((1, 4, 25, 3))
    points[0, 1] = 0
    assert read_npz(npz(keypoints=points)).present.tolist() == [[True, False, True, True]]
    weight = np.ones((1, 4, 25))
    weight[0, 2] = 0
    clip = read_npz(npz(keypoints=points, confidence=weight))
    assert clip.present.tolist() == [[True, True, False, True]]
    assert not clip.keypoints[0, 2].any()


ODD = np.ones((1, 4, 25, 3))
NPZ_REFUSALS = {
    "no keypoints": ({"keypoints": None}, "arrays: expected one called keypoints, got 'layout'"),
    "no layout": ({"layout": None}, "arrays: expected one called layout, got 'keypoints'"),
    "an unknown layout": ({"layout": "ntu26"}, "layout: expected one of coco17, .*got 'ntu26'"),
    "layout as a list": ({"layout": np.array(["ntu25"])}, "layout: expected one piece of text"),
    "layout as a number": ({"layout": 25}, "layout: expected one piece of text, got '?<i8"),
    "layout as objects": ({"layout": np.array(None)}, "npy type: .*objects, which may run code"),
    "three axes": ({"keypoints": ODD[0]}, r"keypoints shape: expected \(M, T, 25, 3\) for"),
    "20 joints": ({"keypoints": ODD[:, :, :20]}, r"keypoints shape: .*got \(1, 4, 20, 3\)"),
    "two coordinates": ({"keypoints": ODD[..., :2]}, "keypoints shape"),
    "no frames": ({"keypoints": ODD[:, :0]}, "frames: expected 1 to 10,000, got 0"),
    "17 persons": ({"keypoints": np.ones((17, 1, 25, 3))}, "persons: expected 1 to 16, got 17"),
    "text": ({"keypoints": np.full(ODD.shape, "x")}, "keypoints: expected numbers, got <U1"),
    "NaN": ({"keypoints": ODD * np.nan}, "person 0, frame 0, joint 0, coordinate 0: coordinate"),
    "too large": ({"keypoints": ODD * 1e7}, "coordinate: .*got 1e\\+07"),
    "zeros only": ({"keypoints": ODD * 0}, "a person in some frame, got none"),
    "confidence of another shape": ({"confidence": ODD[..., 0, 0]}, "confidence shape: .*1, 4, 25"),
    "confidence of 2": ({"confidence": 2 * ODD[..., 0]}, "person 0, frame 0, joint 0: confidence"),
    "confidence of NaN": ({"confidence": np.nan * ODD[..., 0]}, "confidence: .*0 to 1, got nan"),
    "fps of two numbers": ({"fps": [30, 30]}, "fps: expected one number, got <i8"),
    "fps of zero": ({"fps": 0}, "fps: expected a number from 0.001 to 100,000, got 0"),
    "fps of NaN": ({"fps": np.nan}, "fps: .*got nan"),
    "unknown units": ({"units": "cm"}, "units: expected one of m, px, normalised, got 'cm'"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), NPZ_REFUSALS.values(), ids=NPZ_REFUSALS)
def test_a_broken_npz_is_refused_with_the_array(npz, change, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_npz(npz(**change))


def test_a_clip_that_inflates_beyond_the_limit_is_refused_unread(npz) -> None:
    path = npz(keypoints=np.zeros((16, 10_000, 25, 3), np.float64))
    assert path.stat().st_size < 200_000
    with pytest.raises(SkeletonFormatError, match=r"array size: expected at most 67,108,864 bytes"):
        read_npz(path)


# --- CSV --------------------------------------------------------------------------------------


@pytest.fixture
def csv(make_clip, tmp_path) -> str:
    write_csv(tmp_path / "seed.csv", make_clip("sbu15", persons=2, frames=2))
    return (tmp_path / "seed.csv").read_text()


def test_a_table_is_for_people(csv) -> None:
    lines = csv.splitlines()
    assert lines[:5] == [
        "# layout: sbu15", "# fps: 30.0", "# units: m", "# frames: 2", "# persons: 2",
    ]  # fmt: skip
    assert lines[5].startswith("person,frame,head_x,head_y,head_z,head_confidence,neck_x,")
    assert [line.split(",")[:2] for line in lines[6:]] == [
        [person, frame] for person in "01" for frame in "01"
    ]


def test_columns_may_come_in_any_order_and_confidence_may_be_left_out(csv, save, rng) -> None:
    expected = read_csv(save(csv, "a.csv"))
    lines = csv.splitlines()
    table = [line.split(",") for line in lines[5:]]
    order = [i for i, name in enumerate(table[0]) if not name.endswith("confidence")]
    order = rng.permutation(order)
    shuffled = [", ".join(row[i] for i in order) for row in table]
    text = "\r\n".join(["", "# a clip", "#layout:sbu15", *shuffled, "", ""])
    clip = read_csv(save(text, "b.csv"))
    np.testing.assert_array_equal(clip.keypoints, expected.keypoints)
    np.testing.assert_array_equal(clip.confidence, expected.confidence)


def test_frames_without_rows_are_absences_and_may_come_last(csv, save) -> None:
    lines = [line for line in csv.splitlines() if not line.startswith("1,0,")]
    clip = read_csv(save("\n".join(lines), "a.csv"))
    assert clip.present.tolist() == [[True, True], [False, True]]
    text = "\n".join(lines).replace("# frames: 2", "# frames: 5")
    assert read_csv(save(text, "a.csv")).frames == 5


CSV_REFUSALS = {
    "no layout": (("# layout: sbu15\n", ""), "layout: expected a line such as '# layout: ntu25'"),
    "an unknown layout": (("sbu15", "sbu16"), "layout: expected one of coco17, .*got 'sbu16'"),
    "another layout": (("sbu15", "ntu25"), "line 6: column: .*layout ntu25, each once|none called"),
    "a fact twice": (("# fps: 30.0", "# units: m"), "line 3: units: expected it once"),
    "fps of a word": (("# fps: 30.0", "# fps: x"), "line 2: fps: expected a finite number"),
    "fps below 0": (("# fps: 30.0", "# fps: -1"), "fps: expected a number from 0.001"),
    "unknown units": (("units: m", "units: cm"), "units: expected one of m, px, normalised"),
    "fewer frames than rows": (("frames: 2", "frames: 1"), "line 4: frames: .*at least the 2"),
    "too many frames": (("frames: 2", "frames: 10001"), "frames: expected 1 to 10,000, got 10,001"),
    "frames of a word": (("frames: 2", "frames: x"), "line 4: frames: expected a whole number"),
    "an unknown column": (("head_x", "tail_x"), "line 6: column: .*got 'tail_x'"),
    "a column twice": (("head_x", "head_y"), "line 6: column: .*each once, got 'head_y'"),
    "a column too few": (("person,", ""), "line 6: column: .*got none called 'person'"),
    "a row too short": (("\n1,0,", "\n1,"), "line 9: line: expected 62 numbers"),
    "a row too long": (("\n1,0,", "\n1,0,0,"), "line 9: line: expected 62 numbers"),
    "an empty row": (("\n1,0,", "\n\n1,0,"), "line 9: line: expected 62 numbers, got ''"),
    "an empty cell": (("\n1,0,", "\n1,,"), "line 9: frame: expected a finite number, got ''"),
    "a blank in a number": (("\n1,0,", "\n1,0 0,"), "line 9: frame: expected a finite .*'0 0'"),
    "a word": (("\n1,0,", "\n1,x,"), "line 9: frame: expected a finite number, got 'x'"),
    "half a frame": (("\n1,0,", "\n1,0.5,"), "line 9: frame: expected a whole number .*got 0.5"),
    "a negative person": (("\n1,0,", "\n-1,0,"), "line 9: person: .*0 to 15, got -1"),
    "person 16": (("\n1,0,", "\n16,0,"), "line 9: person: .*got 16"),
    "the same row twice": (("\n1,0,", "\n1,1,"), "line 10: row: expected every person once"),
    "only facts": (("\n", "\n# "), "content: expected names of columns and rows, got none"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), CSV_REFUSALS.values(), ids=CSV_REFUSALS)
def test_a_broken_table_is_refused_with_line_and_column(csv, save, change, words) -> None:
    assert change[0] in csv
    text = csv.replace(*change) if change[0] == "\n" else csv.replace(*change, 1)
    with pytest.raises(SkeletonFormatError, match=words):
        read_csv(save(text, "a.csv"))


@pytest.mark.parametrize(
    ("bad", "words"), [("nan", "'nan'"), ("1e7", "coordinate"), ("inf", "inf")]
)
def test_a_coordinate_that_is_none_is_refused(csv, save, bad, words) -> None:
    lines = csv.splitlines()
    cells = lines[6].split(",")
    cells[2] = bad
    text = "\n".join([*lines[:6], ",".join(cells), *lines[7:]])
    with pytest.raises(SkeletonFormatError, match=words):
        read_csv(save(text, "a.csv"))


def test_a_confidence_out_of_range_is_refused(csv, save) -> None:
    lines = csv.splitlines()
    cells = lines[6].split(",")
    cells[5] = "1.25"
    text = "\n".join([*lines[:6], ",".join(cells), *lines[7:]])
    with pytest.raises(
        SkeletonFormatError, match=r"person 0, frame 0, joint 0: confidence: .*1\.25"
    ):
        read_csv(save(text, "a.csv"))


def test_a_table_without_rows_is_refused(csv, save) -> None:
    head = "\n".join(line for line in csv.splitlines()[:6] if "# frames" not in line)
    with pytest.raises(SkeletonFormatError, match="frames: expected 1 to 10,000, got 0"):
        read_csv(save(head, "a.csv"))


# --- rows and JSON ----------------------------------------------------------------------------

PATH = Path("a.txt")


@quick
@given(
    table=st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=9,
    ),
    blank=st.sampled_from([" ", "  ", "\t", " \t "]),
)
def test_rows_equal_float_cell_by_cell(table, blank) -> None:
    lines = [blank.join(map(repr, row)).encode() for row in table]
    np.testing.assert_array_equal(parse_rows(PATH, lines, "xyz", 1), table)
    commas = [line.replace(blank.encode(), b",") for line in lines]
    np.testing.assert_array_equal(parse_rows(PATH, commas, "xyz", 1, mark=b","), table)


def test_many_rows_are_converted_in_blocks_with_the_right_line_in_the_message() -> None:
    lines = [b"1 2 3"] * 70_000
    assert parse_rows(PATH, lines, "xyz", 1).shape == (70_000, 3)
    for bad, words in (
        (b"1 2 x", "line 131999: z"),
        (b"1 2", "line 131999: line"),
        (b"1 _2 3", "y"),
    ):
        broken = [*lines[:65_999], bad, *lines[66_000:]]
        with pytest.raises(SkeletonFormatError, match=words):
            parse_rows(PATH, broken, "xyz", 1, step=2)


def test_no_rows_are_a_table_without_rows() -> None:
    assert parse_rows(PATH, [], "xy", 1).shape == (0, 2)


def test_lines_end_at_line_feeds_only(save) -> None:
    assert read_lines(save(b"a\x0bb\r\nc\x85\n\n \n", "a"), 9) == [b"a\x0bb", b"c\x85"]
    with pytest.raises(SkeletonFormatError, match="lines: expected at most 2, got 3"):
        read_lines(save(b"1\n2\n3\n", "a"), 2)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (7, "expected a list of 2 numbers, got a number"),
        ([1], "got a list of 1"),
        ([1, None], "expected numbers, got 'None'"),
        ([1, "2"], "got '2'"),
        ([True, 2], "got 'True'"),
        ([[1], 2], re.escape("got '[1]'")),
        ({}, "got an object"),
    ],
)
def test_what_is_no_list_of_numbers_is_refused(value, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        check_numbers(PATH, value, 2, "point", "frame 1")
    assert check_numbers(PATH, [1, 2.5], 2, "point", "") == [1, 2.5]


def test_json_values_are_named_as_json_names_them() -> None:
    kinds = [describe_kind(value) for value in ({}, [], "", True, None, 1, 1.5)]
    assert kinds == [
        "an object", "a list of 0", "a string", "true or false", "null", "a number", "a number",
    ]  # fmt: skip


def test_a_json_file_above_the_limit_is_refused(tmp_path) -> None:
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(33 * 1024 * 1024)
    with pytest.raises(SkeletonFormatError, match="file size: expected at most 33,554,432 bytes"):
        load_json(tmp_path / "a.json")
