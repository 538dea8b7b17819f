"""Safe reading of npz files, judged by numpy's own reader and by hostile files."""

from __future__ import annotations

import io
import pickle
import resource
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.npy_safe import (
    is_npz,
    list_npz,
    pack_npz,
    read_npy_header,
    read_npz_array,
)

ARRAYS = hnp.arrays(
    dtype=st.sampled_from(["<f4", ">f8", "<f2", "i1", "<u2", ">i8", "?", "<U3"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)


def npy(array: np.ndarray, **options) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def archive(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as target:
        for name, content in members.items():
            target.writestr(name, content)
    return file.getvalue()


def header_of(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


PLAIN = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n"


@settings(max_examples=60, deadline=None)
@given(array=ARRAYS, fortran=st.booleans(), packed=st.booleans())
def test_what_numpy_writes_is_read_as_numpy_reads_it(
    tmp_path_factory, array, fortran, packed
) -> None:
    folder = tmp_path_factory.mktemp("npy")
    array = np.asfortranarray(array) if fortran else array
    (np.savez_compressed if packed else np.savez)(folder / "a.npz", one=array, two=np.arange(3))
    with np.load(folder / "a.npz") as archive:
        expected = archive["one"]
    found = read_npz_array(folder / "a.npz", "one")
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    assert found.tobytes() == expected.tobytes()
    headers = list_npz(folder / "a.npz")
    assert list(headers) == ["one", "two"]
    assert (headers["one"].dtype, headers["one"].shape) == (array.dtype, array.shape)


def test_an_archive_is_known_by_its_first_bytes(tmp_path) -> None:
    pack_npz(tmp_path / "a", {"x": np.eye(2)})
    assert is_npz((tmp_path / "a").read_bytes())
    assert not is_npz(npy(np.eye(2)))
    np.testing.assert_array_equal(read_npz_array(tmp_path / "a", "x"), np.eye(2))


def test_writing_the_same_arrays_gives_the_same_bytes(tmp_path) -> None:
    for name in "ab":
        pack_npz(tmp_path / name, {"x": np.arange(9.0)})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def inflating(header: bytes, block: int, times: int) -> bytes:
    """An archive of zeros, put together from one compressed block, as its maker would do it."""
    machine = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = machine.compress(header) + machine.flush(zlib.Z_FULL_FLUSH)
    repeated = machine.compress(bytes(block)) + machine.flush(zlib.Z_FULL_FLUSH)
    data = bytearray(archive({"x.npy": start + repeated * times + machine.flush()}, 0))
    size = len(header) + block * times
    for at in (0, data.index(b"PK\x01\x02") + 2):
        struct.pack_into("<H", data, at + 8, zipfile.ZIP_DEFLATED)
        struct.pack_into("<I", data, at + 22, size)
    return bytes(data)


def test_a_small_archive_that_inflates_to_a_gigabyte_is_refused_unread(save) -> None:
    header = header_of(PLAIN.replace("'<f8'", "'|u1'").replace("(2,)", f"({1 << 30},)"))
    path = save(inflating(header, 1 << 24, 64), "bomb.npz")
    assert path.stat().st_size < 1_200_000
    assert list_npz(path)["x"].shape == (1 << 30,)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(SkeletonFormatError, match=r"at most 67,108,864 bytes, got 1,073,741,824"):
        read_npz_array(path, "x")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024
    # The trap is real: a smaller one of the same making does inflate.
    header = header_of(PLAIN.replace("'<f8'", "'|u1'").replace("(2,)", "(300,)"))
    with zipfile.ZipFile(io.BytesIO(inflating(header, 100, 3))) as sound:
        info = sound.getinfo("x.npy")
        info.CRC = zlib.crc32(header + bytes(300))
        assert sound.read(info) == header + bytes(300)


def test_a_directory_that_lies_about_sizes_is_noticed(tmp_path) -> None:
    """The directory says a hundred bytes; the data, if inflated, would be a megabyte."""
    content = npy(np.zeros(1 << 17))
    data = archive({"x.npy": content})
    size = struct.pack("<I", len(content))
    assert data.count(size) == 2
    (tmp_path / "a.npz").write_bytes(data.replace(size, struct.pack("<I", 228)))
    with pytest.raises(SkeletonFormatError, match=r"1,048,576 bytes|sound npz archive"):
        read_npz_array(tmp_path / "a.npz", "x")


class Bomb:
    """Runs code when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple:
        return (Path.touch, (self.mark,))


def test_objects_are_refused_and_run_nothing(tmp_path) -> None:
    mark = tmp_path / "executed"
    array = np.array([Bomb(mark)], dtype=object)
    np.savez(tmp_path / "a.npz", x=array)
    with pytest.raises(SkeletonFormatError, match=r"array 'x.npy'.*objects, which may run code"):
        read_npz_array(tmp_path / "a.npz", "x")
    assert not mark.exists()
    # The trap does work: this is what a trusting reader would have done.
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()


NPY_REFUSALS = {
    "no array": (b"hello, world", "npy header: expected an npy file, got 'hello, w'"),
    "nothing but the magic": (b"\x93NUMPY\x01\x00", "type, order and shape"),
    "version 9": (b"\x93NUMPY\x09\x00" + bytes(99), "npy version: expected 1, 2 or 3, got 9"),
    "a long header": (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "at most 4096 bytes, got 4,294"),
    "a header that breaks off": (header_of(PLAIN)[:-9], "type, order and shape"),
    "a header that computes": (header_of(PLAIN.replace("(2,)", "(2**30,)")), "type, order and"),
    "a record type": (header_of(PLAIN.replace("'<f8'", "[('a', '<f8')]")), "type, order and shape"),
    "complex numbers": (header_of(PLAIN.replace("<f8", "<c8")), "plain numbers or text, got '<c8'"),
    "dates": (header_of(PLAIN.replace("<f8", "<M8[s]")), "plain numbers or text"),
    "a size that is none": (header_of(PLAIN.replace("<f8", "<f1")), "a type and a shape"),
    "nine axes": (header_of(PLAIN.replace("(2,)", "(1,1,1,1,1,1,1,1,1)")), "at most 8 axes"),
    "an endless axis": (header_of(PLAIN.replace("(2,)", f"(0, {'9' * 99})")), "at most 8 axes"),
    "a negative axis": (header_of(PLAIN.replace("(2,)", "(-2,)")), "type, order and shape"),
    "axes without comma": (header_of(PLAIN.replace("(2,)", "(2 3)")), "a type and a shape"),
    "far too large": (header_of(PLAIN.replace("(2,)", "(9000000,)")), "72,000,000 bytes .*got 0"),
    "data that break off": (header_of(PLAIN) + bytes(15), "expected 16 bytes .*got 15"),
    "data that go on": (header_of(PLAIN) + bytes(17), "expected 16 bytes .*got 17"),
    "letters that are none": (header_of(PLAIN.replace("<f8", "<U1")) + b"\xff" * 8, "no letters"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), NPY_REFUSALS.values(), ids=NPY_REFUSALS)
def test_a_broken_array_is_refused_with_the_reason(save, content, words) -> None:
    with pytest.raises(SkeletonFormatError, match=f"array '?x.*{words}"):
        read_npz_array(save(archive({"x.npy": content}), "a.npz"), "x")


SOUND = archive({"x.npy": npy(np.arange(4.0))}, zipfile.ZIP_STORED)
NPZ_REFUSALS = {
    "no archive": (b"PK\x03\x04" + bytes(99), "a whole npz archive, got no directory"),
    "half an archive": (SOUND[: len(SOUND) // 2], "a whole npz archive"),
    "another kind of member": (archive({"x.txt": b"hello"}), "npy files only, got 'x.txt'"),
    "a foreign compression": (archive({"x.npy": b""}, zipfile.ZIP_LZMA), "stored or deflated"),
    "a name twice": (SOUND, "one called y, got 'x'"),
    "nothing inside": (archive({}), "one called y, got none at all"),
    "too many members": (archive({f"{i}.npy": b"" for i in range(300)}), "at most 256 arrays"),
}


@pytest.mark.parametrize(("content", "words"), NPZ_REFUSALS.values(), ids=NPZ_REFUSALS)
def test_a_broken_archive_is_refused_with_the_reason(save, content, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_npz_array(save(content, "a.npz"), "y")


def test_a_changed_byte_is_found_by_the_checksum(save) -> None:
    at = SOUND.index(np.float64(3).tobytes())
    damaged = SOUND[:at] + b"\x01" + SOUND[at + 1 :]
    with pytest.raises(SkeletonFormatError, match=r"sound npz archive, got .*CRC"):
        read_npz_array(save(damaged, "a.npz"), "x")


def test_a_name_that_comes_twice_is_refused(save) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("x.npy", npy(np.eye(2)))
        with pytest.warns(UserWarning, match="Duplicate"):
            target.writestr("x.npy", npy(np.eye(2)))
    with pytest.raises(SkeletonFormatError, match="every name once, got 'x' again"):
        list_npz(save(file.getvalue(), "a.npz"))


@pytest.mark.parametrize("read", [list_npz, lambda path: read_npz_array(path, "x")])
def test_what_is_no_file_is_refused(read, tmp_path) -> None:
    for path in (tmp_path / "missing", tmp_path, Path("/dev/null")):
        with pytest.raises(SkeletonFormatError, match="file: expected a readable file"):
            read(path)


def test_the_header_leaves_the_file_at_the_data() -> None:
    file = io.BytesIO(npy(np.arange(3, dtype="<i2")))
    header = read_npy_header(file, "a.npy")
    assert header.start == file.tell()
    assert file.read() == np.arange(3, dtype="<i2").tobytes()
