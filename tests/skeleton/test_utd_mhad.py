"""UTD-MHAD and the MATLAB 5 reader under it; scipy is the judge on sound files."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats import read_utd_mhad
from infocpl.skeleton.formats.mat5 import read_mat5_array

HERE = Path("clip.mat")


def mat(compress: bool = False, **variables) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, variables, do_compression=compress)
    return file.getvalue()


def element(kind: int, data: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(
    numbers: bytes, kind: int = 9, shape: tuple[int, ...] = (20, 3, 1), flags: int = 6,
    order: str = "<", name: bytes = b"d_skel",
) -> bytes:  # fmt: skip
    """A whole file put together by hand from the published description."""
    body = (
        element(6, struct.pack(order + "II", flags, 0), order)
        + element(5, struct.pack(f"{order}{len(shape)}I", *shape), order)
        + element(1, name, order)
        + element(kind, numbers, order)
    )
    mark = b"\x00\x01IM" if order == "<" else b"\x01\x00MI"
    return b"MATLAB 5.0 MAT-file".ljust(124) + mark + element(14, body, order)


# --- real files -------------------------------------------------------------------------------


def test_all_real_clips_are_read_and_equal_scipy(real_data) -> None:
    paths = sorted((real_data / "utd_mhad").glob("*.mat"))
    assert len(paths) == 861
    order = (real_data / "utd_mhad" / "Skeleton_joint_order.txt").read_text().split("\n")
    names = [line.split(". ")[1].rstrip("; \r") for line in order if line[:1].isdigit()]
    same = {"shoulder_center": "upper_spine", "hip_center": "pelvis"}
    for number, path in enumerate(paths):
        clip = read_utd_mhad(path)
        assert (clip.persons, clip.layout.name, clip.units) == (1, "kinect20", "m")
        assert 41 <= clip.frames <= 125
        if number % 20 == 0:
            expected = scipy.io.loadmat(path)["d_skel"]
            for row, name in enumerate(names):
                at = clip.layout.index(same.get(name, name))
                np.testing.assert_array_equal(
                    clip.keypoints[0, :, at], expected[row].T.astype(np.float32)
                )


def test_real_bodies_stand_upright_and_face_the_sensor(real_data) -> None:
    for path in sorted((real_data / "utd_mhad").glob("*.mat"))[::60]:
        clip = read_utd_mhad(path)
        first = dict(zip(clip.layout.joints, clip.keypoints[0, 0], strict=True))
        assert first["head"][1] > first["pelvis"][1] > first["left_foot"][1]
        assert first["left_shoulder"][0] < first["right_shoulder"][0]


# --- sound files ------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    array=hnp.arrays(
        st.sampled_from([np.float64, np.float32]),
        hnp.array_shapes(min_dims=2, max_dims=4, max_side=4),
        elements=st.floats(-100, 100, width=32) | st.integers(-9, 9).map(float),
    ),
    compress=st.booleans(),
    name=st.sampled_from(["a", "four", "longer_than_eight"]),
)
def test_arrays_equal_what_scipy_reads(array, compress, name) -> None:
    content = mat(compress, before="text", other=np.eye(3), **{name: array})
    expected = scipy.io.loadmat(io.BytesIO(content))[name]
    np.testing.assert_array_equal(read_mat5_array(HERE, content, name), expected)


@pytest.mark.parametrize("order", ["<", ">"], ids=["little endian", "big endian"])
@pytest.mark.parametrize(("kind", "code"), [*enumerate("bBhHiIf", start=1), (9, "d")])
def test_numbers_may_be_stored_in_a_smaller_type(order, kind, code) -> None:
    content = matrix(struct.pack(f"{order}60{code}", *range(60)), kind, order=order)
    expected = scipy.io.loadmat(io.BytesIO(content))["d_skel"]
    found = read_mat5_array(HERE, content, "d_skel")
    np.testing.assert_array_equal(found.reshape(20, 3), expected.reshape(20, 3))


def test_a_clip_of_one_frame_is_valid(save) -> None:
    assert read_utd_mhad(save(mat(d_skel=np.ones((20, 3))), "a.mat")).frames == 1


# --- refusals ---------------------------------------------------------------------------------

SOUND = mat(d_skel=np.ones((20, 3, 4)))
NUMBERS = np.ones(60).tobytes()


def with_value(value: float) -> np.ndarray:
    array = np.ones((20, 3, 2))
    array[4, 1, 1] = value
    return array


REFUSALS = {
    "not MATLAB": (b"hello" * 100, "byte 0: header: expected a MATLAB 5 file"),
    "MATLAB 7.3": (b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM", "save with -v6 or -v7"),
    "no byte order": (SOUND[:126] + b"xx" + SOUND[128:], "byte 0: header"),
    "a header only": (SOUND[:128], "variables: expected one called d_skel"),
    "another variable": (mat(skel=np.ones((20, 3, 4))), "d_skel, got 'skel'"),
    "cut inside": (SOUND[:-9], "byte 128: element: expected"),
    "text": (mat(d_skel="hello"), "d_skel class: .*got char"),
    "a cell": (mat(d_skel=np.array([1, "a"], dtype=object)), "d_skel class: .*got cell"),
    "a struct": (mat(d_skel={"a": 1}), "d_skel class: .*got struct"),
    "complex": (mat(d_skel=np.ones((20, 3, 2)) * 1j), "d_skel class: .*complex"),
    "truth values": (mat(d_skel=np.ones((20, 3, 2), bool)), "d_skel class"),
    "whole numbers": (mat(d_skel=np.ones((20, 3, 2), np.int16)), "d_skel class: .*int16"),
    "19 joints": (mat(d_skel=np.ones((19, 3, 4))), r"d_skel shape: .*got \(19, 3, 4\)"),
    "2 coordinates": (mat(d_skel=np.ones((20, 2, 4))), "d_skel shape"),
    "no frames": (mat(d_skel=np.ones((20, 3, 0))), r"d_skel shape: .*got \(20, 3, 0\)"),
    "too many frames": (mat(True, d_skel=np.ones((20, 3, 10_001))), "d_skel shape"),
    "four axes": (mat(d_skel=np.ones((20, 3, 2, 2))), "d_skel shape"),
    "NaN": (mat(d_skel=with_value(np.nan)), "frame 2, joint 5, coordinate 2: .*got nan"),
    "infinite": (mat(True, d_skel=with_value(-np.inf)), "frame 2, joint 5, coordinate 2"),
    "too large": (mat(d_skel=with_value(1e7)), "frame 2, joint 5, coordinate 2"),
    "only zeros": (mat(d_skel=np.zeros((20, 3, 2))), "a person in some frame"),
    "shape and numbers differ": (matrix(NUMBERS, shape=(20, 3, 2)), "120 numbers .*got 60"),
    "a shape beyond memory": (matrix(NUMBERS, shape=(2**31, 2**31, 2**31)), "numbers for shape"),
    "one axis": (matrix(NUMBERS, shape=(60,)), "dimensions: .*got 4 bytes"),
    "nine axes": (matrix(NUMBERS, shape=(1,) * 9), "dimensions"),
    "numbers of no type": (matrix(NUMBERS, kind=11), "d_skel numbers: .*got type 11"),
    "numbers of an unknown class": (matrix(NUMBERS, flags=99), "d_skel class: .*class 99"),
    "too many variables": (mat(**{f"v{i}": 1.0 for i in range(70)}), "variables: .*at most 64"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_broken_file_is_refused_with_the_reason(save, content, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_utd_mhad(save(content, "a.mat"))


def test_every_truncation_is_refused(save) -> None:
    for content in (mat(d_skel=np.ones((20, 3, 1))), mat(True, d_skel=with_value(2))):
        for length in range(1, len(content)):
            with pytest.raises(SkeletonFormatError):
                read_utd_mhad(save(content[:length], "a.mat"))


def compressed(inner: bytes) -> bytes:
    return SOUND[:128] + struct.pack("<II", 15, len(inner)) + inner


def test_a_small_file_that_inflates_to_gigabytes_is_refused_unread(save) -> None:
    machine = zlib.compressobj(9)
    block = bytes(2**20)
    bomb = b"".join(machine.compress(block) for _ in range(1024)) + machine.flush()
    assert len(bomb) < 2**20 + 2**14
    with pytest.raises(SkeletonFormatError, match="at most 67,108,864 bytes after inflating"):
        read_utd_mhad(save(compressed(bomb), "a.mat"))


def test_broken_compression_is_refused(save) -> None:
    for inner, words in ((b"hello", "zlib data"), (zlib.compress(SOUND[128:])[:-5], "breaks off")):
        with pytest.raises(SkeletonFormatError, match=f"byte 136: element: .*{words}"):
            read_utd_mhad(save(compressed(inner), "a.mat"))
