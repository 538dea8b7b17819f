"""The registry, the limits, and the readers of NW-UCLA and SBU."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats import (
    get_format,
    list_formats,
    read_ntu,
    read_nw_ucla,
    read_sbu,
    read_skeleton,
    register_format,
)
from infocpl.skeleton.formats.limits import check_coordinates, read_bounded, read_head, show

# --- registry ---------------------------------------------------------------------------------


def test_the_formats_of_datasets_and_estimators_are_registered() -> None:
    assert list_formats() == sorted(list_formats())
    assert {"ntu", "nw-ucla", "sbu", "utd-mhad", "bvh", "openpose", "npz"} <= set(list_formats())


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"'fbx'; known: bvh, .*ntu, nw-ucla, .*utkinect"):
        get_format("fbx")


def test_a_name_is_registered_once_unless_overwritten() -> None:
    item = get_format("ntu")
    with pytest.raises(ConfigError, match="registered already"):
        register_format(item)
    assert register_format(item, overwrite=True) is item


@pytest.mark.parametrize("suffix", ["skeleton", ".SKELETON", ""])
def test_suffixes_are_lower_case_with_a_dot(suffix) -> None:
    with pytest.raises(ConfigError, match="suffixes must be like"):
        register_format(replace(get_format("ntu"), name="bad", suffixes=(suffix,)))
    assert "bad" not in list_formats()


REAL = {
    "ntu": "ntu_samples/S001C001P001R001A001.skeleton",
    "nw-ucla": "nw_ucla/a01_s01_e00_v01.json",
    "utd-mhad": "utd_mhad/a10_s1_t1_skeleton.mat",
    "sbu": "sbu/s01s03/03/001/skeleton_pos.txt",
}


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("suffix", ["its own", ".dat", ""], ids=["own suffix", "odd", "none"])
def test_a_real_file_is_recognised_by_content_alone(real_data, tmp_path, name, suffix) -> None:
    source = real_data / REAL[name]
    path = source
    if suffix != "its own":
        path = tmp_path / f"clip{suffix}"
        os.symlink(source, path)
    found, asked = read_skeleton(path), read_skeleton(path, format=name)
    assert found.layout.name == get_format(name).layout
    np.testing.assert_array_equal(found.keypoints, asked.keypoints)
    for other in set(REAL) - {name}:
        with pytest.raises(SkeletonFormatError):
            read_skeleton(path, format=other)


def test_an_unknown_file_is_told_which_formats_there_are(save) -> None:
    with pytest.raises(SkeletonFormatError, match=r"ntu \(.skeleton.*nw-ucla.*sbu.*utd-mhad"):
        read_skeleton(save("hello", "clip.xyz"))


def test_a_damaged_file_of_a_known_suffix_is_explained_by_its_reader(save) -> None:
    with pytest.raises(SkeletonFormatError, match="line 1: frame count"):
        read_skeleton(save("hello", "clip.SKELETON"))


def test_two_formats_that_both_fit_are_not_guessed_between(save, monkeypatch) -> None:
    from infocpl.skeleton.formats import registry

    monkeypatch.setattr(registry, "_FORMATS", dict(registry._FORMATS))
    register_format(replace(get_format("ntu"), name="twin"))
    with pytest.raises(SkeletonFormatError, match="ntu, twin; name the format"):
        read_skeleton(save("1\n1\n", "clip.skeleton"))


# --- limits -----------------------------------------------------------------------------------


def test_what_is_no_file_is_refused_before_its_format_is_asked_for(tmp_path) -> None:
    for path, words in (
        (tmp_path / "missing.skeleton", "nothing at this path"),
        (tmp_path, "a folder"),
        (Path("/dev/null"), "neither a file nor a folder"),
        (tmp_path / ("x" * 300), "file: expected a readable file"),
        (tmp_path / "a\0b", "file: expected a readable file"),
    ):
        with pytest.raises(SkeletonFormatError, match=words):
            read_skeleton(path)


def test_an_empty_file_has_no_format(save) -> None:
    with pytest.raises(SkeletonFormatError, match="an empty file"):
        read_skeleton(save(b""))


def test_a_file_above_the_size_limit_is_refused_without_being_read_whole(tmp_path) -> None:
    path = tmp_path / "large.skeleton"
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)
    with pytest.raises(SkeletonFormatError, match="file size: expected at most 67,108,864 bytes"):
        read_ntu(path)


def test_the_size_limit_is_exact(save) -> None:
    path = save(b"x" * 10)
    assert read_bounded(path, max_bytes=10) == b"x" * 10
    with pytest.raises(SkeletonFormatError, match="at most 9 bytes"):
        read_bounded(path, max_bytes=9)
    assert read_head(path, 4) == b"xxxx"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1.1e6, -1e300])
def test_a_bad_coordinate_is_found_by_its_place(bad) -> None:
    values = np.zeros((2, 3))
    check_coordinates(values, "a", ("row", "column"))
    values[1, 2] = bad
    with pytest.raises(SkeletonFormatError, match="a, row 2, column 3: coordinate"):
        check_coordinates(values, "a", ("row", "column"), start=1)


def test_pieces_of_files_are_quoted_short_and_printable() -> None:
    assert show(b"\xff\x00") == "'\ufffd\\x00'"
    assert len(show("x" * 10_000)) < 50


# --- NW-UCLA ----------------------------------------------------------------------------------


def test_all_real_nw_ucla_clips_are_read_as_the_json_module_reads_them(real_data) -> None:
    paths = sorted((real_data / "nw_ucla").glob("*.json"))
    assert len(paths) == 1484
    short = 0
    for number, path in enumerate(paths):
        clip = read_nw_ucla(path)
        assert (clip.persons, len(clip.layout), clip.units) == (1, 20, "m")
        short += clip.frames == 1
        if number % 50 == 0:
            expected = json.loads(path.read_text())["skeletons"]
            np.testing.assert_array_equal(clip.keypoints[0], np.float32(expected))
    assert short == 2


def nw_ucla(**change) -> str:
    point = [0.1, 0.2, 3]
    return json.dumps({"file_name": "a", "skeletons": [[point] * 20] * 2, "label": 1} | change)


NW_UCLA_REFUSALS = {
    "not JSON": ("{", "line 1: content: expected JSON"),
    "a list": ("[1]", "object with the key 'skeletons', got a list of 1"),
    "no skeletons": ('{"a": 1}', "got the keys 'a'"),
    "skeletons is null": (nw_ucla(skeletons=None), "1 to 10000 frames, got null"),
    "no frames": (nw_ucla(skeletons=[]), "got a list of 0"),
    "too many frames": (nw_ucla(skeletons=[0] * 10_001), "got a list of 10001"),
    "a frame is a number": (nw_ucla(skeletons=[1]), "frame 1: frame: .*20 joints, got a number"),
    "19 joints": (nw_ucla(skeletons=[[[0, 0, 1]] * 19]), "frame 1: frame: .*got a list of 19"),
    "a joint is text": (nw_ucla(skeletons=[["a"] * 20]), "frame 1: joint 1: .*got a string"),
    "2 coordinates": (nw_ucla(skeletons=[[[0, 1]] * 20]), "joint 1: .*3 numbers, got a list of 2"),
    "true": (nw_ucla(skeletons=[[[0, 1, True]] * 20]), "joint 1: .*got 'True'"),
    "NaN": (nw_ucla().replace("0.1", "NaN"), "expected JSON"),
    "too large": (nw_ucla(skeletons=[[[0, 1, 2e6]] * 20]), "frame 1, joint 1, coordinate 3"),
    "only zeros": (nw_ucla(skeletons=[[[0, 0, 0]] * 20]), "a person in some frame"),
    "deep": ("[" * 100_000, "content: expected JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), NW_UCLA_REFUSALS.values(), ids=NW_UCLA_REFUSALS)
def test_a_broken_nw_ucla_file_is_refused_with_the_place(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_nw_ucla(save(text, "clip.json"))


def test_a_nw_ucla_frame_of_zeros_is_an_absence(save) -> None:
    frames = [[[0.1, 0.2, 3]] * 20, [[0, 0, 0]] * 20]
    assert read_nw_ucla(save(nw_ucla(skeletons=frames))).present.tolist() == [[True, False]]


# --- SBU --------------------------------------------------------------------------------------


def test_all_real_sbu_clips_are_two_persons_in_metres(real_data) -> None:
    paths = sorted((real_data / "sbu").rglob("skeleton_pos.txt"))
    assert len(paths) == 282
    spread = []
    for path in paths:
        clip = read_sbu(path)
        assert (clip.persons, len(clip.layout), clip.units) == (2, 15, "m")
        assert clip.present.all()
        head, foot = (clip.keypoints[:, :, clip.layout.index(j), 1] for j in ("head", "left_foot"))
        assert (head > foot).mean() > 0.9, f"{path} is upside down"
        shin = np.linalg.norm(
            clip.keypoints[:, :, clip.layout.index("left_knee")]
            - clip.keypoints[:, :, clip.layout.index("left_foot")],
            axis=-1,
        )
        spread.append(shin.std(axis=1) / shin.mean(axis=1))
        assert 0.3 < np.median(shin) < 0.6
    # Bones do not change their length: the sign that all three axes are in one unit.
    assert np.median(spread) < 0.02


def test_sbu_numbers_equal_a_plain_reading(real_data) -> None:
    path = real_data / REAL["sbu"]
    clip = read_sbu(path)
    for t, row in enumerate(path.read_text().split()):
        cells = [float(cell) for cell in row.split(",")][1:]
        for m in range(2):
            for v in range(15):
                x, y, z = cells[45 * m + 3 * v : 45 * m + 3 * v + 3]
                expected = (1.28 - 2.56 * x, 0.96 - 1.92 * y, 1.28 * z)
                np.testing.assert_allclose(clip.keypoints[m, t, v], expected, atol=1e-6)


def sbu(rows: int = 3, **cells: str) -> str:
    table = [[str(i + 7), *["0.5"] * 90] for i in range(rows)]
    for place, value in cells.items():
        row, column = map(int, place[1:].split("_"))
        table[row][column] = value
    return "".join(",".join(row) + "\n" for row in table)


SBU_REFUSALS = {
    "a cell less": (sbu().replace("\n8,0.5,", "\n8,"), "line 2: columns: expected 91, got 90"),
    "a cell more": (sbu().replace("\n8,", "\n8,1,"), "line 2: columns: expected 91, got 92"),
    "an empty line": (sbu().replace("\n8,", "\n\n8,"), "line 2: columns"),
    "frame number falls": (sbu(c1_0="7"), "line 2: frame number: .*above 7, got '7'"),
    "frame number is a fraction": (sbu(c0_0="1.5"), "line 1: frame number"),
    "NaN": (sbu(c2_1="nan"), "line 3: person 1 joint 1 x: .*got 'nan'"),
    "infinite": (sbu(c2_90="-inf"), "line 3: person 2 joint 15 z"),
    "overflow": (sbu(c2_47="1e999"), "line 3: person 2 joint 1 y"),
    "a word": (sbu(c1_50="x"), "line 2: person 2 joint 2 y: .*'x'"),
    "an underscore": (sbu(c1_50="1_0"), "line 2: person 2 joint 2 y"),
    "nothing": (sbu(c1_50=""), "line 2: person 2 joint 2 y"),
    "too large": (sbu(c1_50="1e7"), "line 2, person 2, joint 2, coordinate 2"),
    "too many rows": ("1\n" * 10_001, "rows: expected at most 10000, got 10001"),
    "only zeros": (sbu().replace("0.5", "0"), "a person in some row"),
}


@pytest.mark.parametrize(("text", "words"), SBU_REFUSALS.values(), ids=SBU_REFUSALS)
def test_a_broken_sbu_file_is_refused_with_line_and_field(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_sbu(save(text, "skeleton_pos.txt"))


def test_an_sbu_person_of_zeros_is_absent_and_stays_zero(save) -> None:
    row = "7," + ",".join(["0.5"] * 45 + ["0"] * 45) + "\r\n"
    clip = read_sbu(save(row, "skeleton_pos.txt"))
    assert clip.present.tolist() == [[True], [False]]
    assert not clip.keypoints[1].any()
