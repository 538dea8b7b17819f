"""Arrays out of ``.npz`` files, every size checked before memory is used.

numpy's own loader trusts the file: a header may ask for any amount of memory, an archive of a
megabyte may inflate to a gigabyte, and object arrays run code. Here a header is read on its own and
by a strict pattern, sizes are compared with what lies in the file and with a limit, and only plain
numbers and text are returned. Formats: NumPy enhancement proposal 1; PKWARE's APPNOTE for zip.
"""

from __future__ import annotations

import math
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_FILE_BYTES, read_head, show

__all__ = [
    "NpyHeader",
    "is_npz",
    "list_npz",
    "pack_npz",
    "read_npy_header",
    "read_npz_array",
]

_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 4096
_MAX_MEMBERS = 256
_MAX_DIRECTORY = 1024 * 1024
_MAX_TAIL = 128 * 1024
_MAX_AXES = 8
_MAX_AXIS = 2**40
_HEADER = re.compile(
    r"\{\s*'descr':\s*'([^'\\]{2,12})',\s*'fortran_order':\s*(True|False),\s*"
    r"'shape':\s*\(([0-9, ]{0,160})\),?\s*\}\s*"
)
_PLAIN = re.compile(r"[<>|=]?([fiub][1248]|U[1-9]\d{0,3}|\?)")
# What the zip and zlib modules raise when they meet damage; all of it is the file's fault.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    UnicodeError,
    ValueError,
)


@dataclass(frozen=True)
class NpyHeader:
    """What an ``.npy`` file says about its array.

    Attributes
    ----------
    dtype : a plain number, boolean or text type; never objects
    shape : lengths of the axes
    fortran : whether the first axis varies fastest in the file
    start : number of bytes before the data
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int

    @property
    def bytes(self) -> int:
        """Size of the data."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy_header(file: IO[bytes], path: str | Path, where: str = "") -> NpyHeader:
    """Read the header of an ``.npy`` file and leave `file` at the first byte of the data.

    Parameters
    ----------
    file : at its beginning
    path, where : named in messages

    Raises
    ------
    SkeletonFormatError : if it is no ``.npy`` file of versions 1 to 3, or not of plain values

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> np.save(file, np.zeros((3, 2), np.float32))
    >>> _ = file.seek(0)
    >>> header = read_npy_header(file, "a.npy")
    >>> header.dtype.str, header.shape, header.bytes
    ('<f4', (3, 2), 24)
    """
    start = file.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC):
        raise SkeletonFormatError(path, "npy header", "an npy file", show(start), where)
    width = {1: 2, 2: 4, 3: 4}.get(start[6])
    if width is None:
        raise SkeletonFormatError(path, "npy version", "1, 2 or 3", str(start[6]), where)
    length = int.from_bytes(file.read(width), "little")
    if length > _MAX_HEADER:
        expected = f"at most {_MAX_HEADER} bytes"
        raise SkeletonFormatError(path, "npy header", expected, f"{length:,}", where)
    text = file.read(length)
    found = _HEADER.fullmatch(text.decode("latin-1"))
    if len(text) < length or found is None:
        raise SkeletonFormatError(
            path, "npy header", "type, order and shape of an array", show(text), where
        )
    kind, order, axes = found.groups()
    if not _PLAIN.fullmatch(kind):
        expected = "plain numbers or text"
        got = "Python objects, which may run code" if "O" in kind else show(kind)
        raise SkeletonFormatError(path, "npy type", expected, got, where)
    try:
        dtype = np.dtype(kind)
        shape = tuple(int(axis) for axis in axes.split(",") if axis.strip())
    except (TypeError, ValueError) as error:
        raise SkeletonFormatError(
            path, "npy header", "a type and a shape", show(text), where
        ) from error
    if len(shape) > _MAX_AXES or any(axis > _MAX_AXIS for axis in shape):
        expected = f"at most {_MAX_AXES} axes of up to {_MAX_AXIS:,}"
        raise SkeletonFormatError(path, "shape", expected, show(shape), where)
    return NpyHeader(dtype, shape, order == "True", 8 + width + length)


def is_npz(head: bytes) -> bool:
    """Whether a file that begins with `head` claims to be a zip archive, as npz files are."""
    return head.startswith(b"PK\x03\x04")


def list_npz(path: str | Path) -> dict[str, NpyHeader]:
    """Names, types and shapes of the arrays in an ``.npz`` file; no array is read.

    Raises
    ------
    SkeletonFormatError : if the file is missing, no zip archive of ``.npy`` files, or damaged

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez_compressed(f"{folder}/a.npz", x=np.zeros((3, 2)), y=np.arange(3))
    ...     {name: header.shape for name, header in list_npz(f"{folder}/a.npz").items()}
    {'x': (3, 2), 'y': (3,)}
    """
    path = Path(path)
    read_head(path, 1)
    try:
        with _open(path) as archive:
            return {
                name: _member_header(archive, info, path) for name, info in _members(archive, path)
            }
    except _DAMAGE as error:
        raise _damaged(path, error) from error


def read_npz_array(path: str | Path, name: str, *, max_bytes: int = MAX_FILE_BYTES) -> NDArray[Any]:
    """Read one array of an ``.npz`` file, its checksum included.

    Raises
    ------
    SkeletonFormatError : as :func:`list_npz`; if there is no array `name`; or if it is larger than
        `max_bytes` (it is then refused unread)
    """
    path = Path(path)
    read_head(path, 1)
    try:
        with _open(path) as archive:
            members = dict(_members(archive, path))
            if name not in members:
                got = show(", ".join(members)) if members else "none at all"
                raise SkeletonFormatError(path, "arrays", f"one called {name}", got)
            header = _member_header(archive, members[name], path)
            with archive.open(members[name]) as file:
                file.read(header.start)
                return _read_array(file, header, path, f"array {name}", max_bytes)
    except _DAMAGE as error:
        raise _damaged(path, error, name) from error


def pack_npz(path: Path, arrays: dict[str, Any]) -> None:
    """Write arrays of plain values as a compressed ``.npz`` file, the same bytes every time.

    Call it inside :func:`infocpl.files.atomic_path`.
    """
    with path.open("wb") as file:
        # A file object: given a name, numpy would put ".npz" after one that ends otherwise.
        np.savez_compressed(file, **arrays)


def _open(path: Path) -> zipfile.ZipFile:
    """Open an archive whose list of members is short, before that list fills the memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(size - _MAX_TAIL, 0))
        tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) < end + 22:
        raise SkeletonFormatError(path, "content", "a whole npz archive", "no directory at its end")
    counts = [struct.unpack_from("<HI", tail, end + 10)]
    large = tail.rfind(b"PK\x06\x06", 0, end)
    if large >= 0 and len(tail) >= large + 56:
        counts.append(struct.unpack_from("<QQ", tail, large + 32))
    for members, length in counts:
        if members > _MAX_MEMBERS or length > _MAX_DIRECTORY:
            expected = f"a directory of at most {_MAX_MEMBERS} arrays"
            got = f"{members:,} arrays, {length:,} bytes"
            raise SkeletonFormatError(path, "directory", expected, got)
    return zipfile.ZipFile(path)


def _members(archive: zipfile.ZipFile, path: Path) -> list[tuple[str, zipfile.ZipInfo]]:
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename.removesuffix(".npy")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            expected = "stored or deflated data"
            raise SkeletonFormatError(path, "compression", expected, str(info.compress_type))
        if name == info.filename:
            raise SkeletonFormatError(path, "arrays", "npy files only", show(info.filename))
        if name in members:
            raise SkeletonFormatError(path, "arrays", "every name once", f"{show(name)} again")
        members[name] = info
    return list(members.items())


def _member_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> NpyHeader:
    where = f"array {show(info.filename)}"
    with archive.open(info) as file:
        header = read_npy_header(file, path, where)
    # The directory of the archive and the header of the array must tell the same size.
    if info.file_size != header.start + header.bytes:
        expected = f"{header.bytes:,} bytes for shape {header.shape}"
        got = f"{info.file_size - header.start:,}"
        raise SkeletonFormatError(path, "data", expected, got, where)
    return header


def _read_array(
    file: IO[bytes], header: NpyHeader, path: Path, where: str, max_bytes: int
) -> NDArray[Any]:
    if header.bytes > max_bytes:
        expected = f"at most {max_bytes:,} bytes"
        got = f"{header.bytes:,} for shape {header.shape}"
        raise SkeletonFormatError(path, "array size", expected, got, where)
    # Reading to the end makes the archive compare the checksum; _member_header() bounded it.
    data = file.read()
    if len(data) != header.bytes:
        raise SkeletonFormatError(path, "data", f"{header.bytes:,} bytes", f"{len(data):,}", where)
    array = np.frombuffer(data, header.dtype)
    if header.dtype.kind == "U" and array.size:
        codes = np.frombuffer(data, np.dtype("u4").newbyteorder(header.dtype.byteorder))
        if ((codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))).any():
            raise SkeletonFormatError(path, "data", "text", "numbers that are no letters", where)
    return array.reshape(header.shape, order="F" if header.fortran else "C")


def _damaged(path: Path, error: BaseException, name: str = "") -> SkeletonFormatError:
    where = f"array {name}" if name else ""
    return SkeletonFormatError(path, "content", "a sound npz archive", show(error, 80), where)
