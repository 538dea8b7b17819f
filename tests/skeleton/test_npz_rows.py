"""Arrays mapped and read by rows, against numpy; archives whose numbers do not fit together."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.npy import check_finite, map_npy
from infocpl.skeleton.formats.npz import NpzFile

dtypes = st.one_of(
    hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?"),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.boolean_dtypes(),
)
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=1, max_dims=4, min_side=1, max_side=6)
    )
)
SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bits(array: np.ndarray) -> tuple[tuple[int, ...], bytes]:
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    return array.shape, native.tobytes()


# --- single arrays ----------------------------------------------------------------------------


@SETTINGS
@given(arrays, st.booleans())
def test_a_mapped_array_is_what_numpy_saved(tmp_path, array, fortran) -> None:
    np.save(tmp_path / "a.npy", np.asfortranarray(array) if fortran else array)
    assert bits(map_npy(tmp_path / "a.npy")) == bits(array)


def test_a_mapped_array_cannot_be_written_to(tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(4))
    with pytest.raises(ValueError, match="read-only"):
        map_npy(tmp_path / "a.npy")[0] = 1.0


def test_an_array_without_elements_has_its_shape(tmp_path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((0, 3)))
    assert map_npy(tmp_path / "a.npy").shape == (0, 3)


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


NPY_REFUSALS = {
    "objects": (npy(np.array([1, "a"], object)), "Python objects, which may run code"),
    "text": (npy(np.array(["a"])), "npy type: expected numbers, got <U1"),
    "a byte short": (npy(np.zeros(3))[:-1], r"file size: expected 152 bytes .*got 151"),
    "a byte long": (npy(np.zeros(3)) + b"\0", r"file size: expected 152 bytes .*got 153"),
    "larger than anything": (
        npy(np.zeros(1)).replace(b"(1,), }" + b" " * 10, b"(99999999999,), }"),
        "at most 68,719,476,736 bytes",
    ),
    "no array": (b"x" * 300, "an npy file"),
    "an archive": (b"PK\x03\x04" + b"x" * 300, "an npy file"),
}


@pytest.mark.parametrize(("content", "words"), NPY_REFUSALS.values(), ids=NPY_REFUSALS.keys())
def test_other_files_are_not_mapped(save, content, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        map_npy(save(content, "a.npy"))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_a_number_that_is_not_finite_is_found_wherever_it_is(bad, dtype) -> None:
    array = np.zeros((3000, 700), dtype)
    check_finite(array, "a", ("row", "column"))
    array[2999, 5] = bad
    with pytest.raises(SkeletonFormatError, match="a, row 2999, column 5: value"):
        check_finite(array, "a", ("row", "column"))


# --- archives ---------------------------------------------------------------------------------


@SETTINGS
@given(arrays, st.booleans(), st.data())
def test_rows_of_an_archive_are_what_numpy_saved(tmp_path, array, compress, data) -> None:
    (np.savez_compressed if compress else np.savez)(tmp_path / "a.npz", x=array, y=np.arange(3))
    pairs = st.tuples(*[st.integers(0, len(array))] * 2).map(sorted)
    with NpzFile(tmp_path / "a.npz") as file:
        assert list(file.arrays) == ["x", "y"]
        for start, stop in data.draw(st.lists(pairs, max_size=6)):
            assert bits(file.arrays["x"].rows(start, stop)) == bits(array[start:stop])
        for stored in file.arrays.values():
            stored.verify()


def test_rows_in_fortran_order_are_refused(tmp_path) -> None:
    np.savez(tmp_path / "a.npz", x=np.asfortranarray(np.zeros((3, 4))))
    with (
        NpzFile(tmp_path / "a.npz") as file,
        pytest.raises(SkeletonFormatError, match=r"C order\), got Fortran"),
    ):
        file.arrays["x"].rows(0, 1)


def test_a_megabyte_that_would_inflate_to_a_gigabyte_is_refused_unread(tmp_path) -> None:
    path = tmp_path / "bomb.npz"
    size = 2**30 + 128
    head = npy(np.zeros(1, "<f4"))[:128].replace(b"(1,), }" + b" " * 8, b"(268435456,), }")
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = machine.compress(head) + machine.flush(zlib.Z_FULL_FLUSH)
    # After a full flush nothing refers back, so one block may stand sixty-four times.
    packed += 64 * (machine.compress(bytes(2**24)) + machine.flush(zlib.Z_FULL_FLUSH))
    packed += machine.flush()
    write_zip(path, [("x_train.npy", 8, packed, len(packed), size)])
    assert path.stat().st_size < 2**20 + 2**17
    with np.load(path) as bomb:
        assert bomb.zip.getinfo("x_train.npy").file_size == size
    tracemalloc.start()
    start = time.process_time()
    with pytest.raises(SkeletonFormatError, match=r"100 times the packed size, got 1,073,741,952"):
        NpzFile(path)
    assert time.process_time() - start < 0.05
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def archive(compress: bool = False, **arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if compress else np.savez)(file, **arrays)
    return file.getvalue()


ROWS = np.random.default_rng(0).normal(size=(40, 30))


@pytest.mark.parametrize("compress", [False, True], ids=["stored", "deflated"])
def test_a_flipped_bit_in_the_numbers_is_found_by_verifying(save, compress) -> None:
    content = bytearray(archive(compress, x=ROWS))
    content[len(content) // 2] ^= 4
    with (
        pytest.raises(SkeletonFormatError, match=r"content: expected (checksum|deflated data)"),
        NpzFile(save(bytes(content), "a.npz")) as file,
    ):
        file.arrays["x"].verify()


def test_rows_before_damage_are_read_and_rows_after_it_refused_at_once(tmp_path) -> None:
    rows = np.random.default_rng(0).normal(size=(40, 900))
    whole = archive(True, x=rows)
    start, end = 30 + len("x.npy") + 20, whole.index(b"PK\x01\x02")
    packed = whole[start:end]
    path, size = tmp_path / "a.npz", 128 + rows.nbytes
    write_zip(path, [("x.npy", 8, packed[: len(packed) * 3 // 4], len(packed) * 3 // 4, size)])
    with NpzFile(path) as file:
        stored = file.arrays["x"]
        read = []
        for row in range(40):
            with contextlib.suppress(SkeletonFormatError):
                assert np.array_equal(stored.rows(row, row + 1), rows[row : row + 1])
                read.append(row)
        assert 20 < len(read) < 39
        assert read == list(range(len(read)))
        assert np.array_equal(stored.rows(0, 5), rows[:5])
        with pytest.raises(SkeletonFormatError, match=r"content: expected .* bytes, got fewer"):
            stored.rows(39, 40)


def change(content: bytes, at: int, by: bytes) -> bytes:
    return content[:at] + by + content[at + len(by) :]


GOOD = archive(x=ROWS)
DIRECTORY = GOOD.index(b"PK\x01\x02")
END = GOOD.index(b"PK\x05\x06")

ZIP_REFUSALS = {
    "no directory": (GOOD[:DIRECTORY], "zip directory: expected one at the end"),
    "half a directory": (GOOD[: END - 5] + GOOD[END:], "zip directory"),
    "no entries": (change(GOOD, END + 10, b"\0\0"), "1 to 64 entries, got 0"),
    "too many entries": (change(GOOD, END + 10, b"\x41\0"), "1 to 64 entries, got 65"),
    "more entries than there are": (change(GOOD, END + 10, b"\2\0"), "an entry"),
    "a directory beyond the file": (change(GOOD, END + 16, b"\xff\xff\xff\x7f"), "zip directory"),
    "encrypted": (change(GOOD, DIRECTORY + 8, b"\x01"), "stored or deflated, got encrypted"),
    "another method": (change(GOOD, DIRECTORY + 10, b"\x0e"), "stored or deflated, got method 14"),
    "data elsewhere": (change(GOOD, DIRECTORY + 42, b"\x07"), "a member, got none at byte 7"),
    "more data than the file": (
        change(GOOD, DIRECTORY + 20, b"\xff\xff\xff\x00\xff\xff\xff\x00"), "in the file"
    ),
    "a size that is not its header's": (
        change(GOOD, DIRECTORY + 20, struct.pack("<II", 9720, 9720)), "9,728 bytes for shape"
    ),
    "packed larger than it is": (
        change(GOOD, DIRECTORY + 20, struct.pack("<II", 9720, 9728)), "in the file"
    ),
    "no zip64 field": (change(GOOD, DIRECTORY + 24, b"\xff\xff\xff\xff"), "a zip64 field"),
    "no zip64 locator": (change(GOOD, END + 16, b"\xff\xff\xff\xff"), "a zip64 locator"),
    "a name twice": (
        change(archive(x=ROWS, y=ROWS), archive(x=ROWS, y=ROWS).rindex(b"y.npy"), b"x"),
        "every name once",
    ),
    "objects": (archive(x=np.array([1, "a"], object)), "Python objects, which may run code"),
    "text": (archive(x=np.array(["a"])), "npy type: expected numbers"),
    "not an array": (change(GOOD, GOOD.index(b"\x93NUMPY"), b"x"), "an npy file"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), ZIP_REFUSALS.values(), ids=ZIP_REFUSALS.keys())
def test_an_archive_whose_numbers_do_not_fit_is_refused(save, content, words) -> None:
    path = save(content, "a.npz")
    with pytest.raises(SkeletonFormatError, match=words) as caught:
        NpzFile(path)
    assert caught.value.path == str(path)


def test_an_archive_larger_than_four_gigabytes_is_read(tmp_path) -> None:
    """Sizes and places beyond 32 bits, in a file of holes."""
    path = tmp_path / "large.npz"
    rows, width = 9_000_000, 150
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        head, {"descr": "<f4", "fortran_order": False, "shape": (rows, width)}
    )
    size, small = len(head.getvalue()) + 4 * rows * width, npy(np.arange(3))
    write_zip(
        path,
        [
            ("x.npy", 0, head.getvalue(), size, size),
            ("y.npy", 0, small, len(small), len(small)),
        ],
    )
    assert path.stat().st_size > 5 * 2**30
    with NpzFile(path) as file:
        assert file.arrays["x"].header.shape == (rows, width)
        assert not file.arrays["x"].rows(rows - 1, rows).any()
        assert file.arrays["y"].rows(0, 3).tolist() == [0, 1, 2]


def write_zip(path: Path, members: list[tuple[str, int, bytes, int, int]]) -> None:
    """Members with zip64 fields: (name, method, first bytes, bytes in the file, inflated)."""
    directory, count = b"", len(members)
    with path.open("wb") as file:
        for name, method, head, packed, size in members:
            at, length = file.tell(), len(name)
            local = struct.pack("<HHHHHIIIHH", 45, 0, method, 0, 0, 0, 0, 0, length, 0)
            file.write(b"PK\x03\x04" + local + name.encode() + head)
            file.seek(packed - len(head), 1)
            extra = struct.pack("<HHQQQ", 1, 24, size, packed, at)
            full = 2**32 - 1
            sizes = (0, full, full, length, len(extra), 0, 0, 0, 0, full)
            entry = struct.pack("<HHHHHHIIIHHHHHII", 45, 45, 0, method, 0, 0, *sizes)
            directory += b"PK\x01\x02" + entry + name.encode() + extra
        at = file.tell()
        file.write(directory)
        record = file.tell()
        end = struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, count, count, len(directory), at)
        file.write(b"PK\x06\x06" + end + b"PK\x06\x07" + struct.pack("<IQI", 0, record, 1))
        end = struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), 2**32 - 1, 0)
        file.write(b"PK\x05\x06" + end)
