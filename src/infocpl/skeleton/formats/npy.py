"""Numpy's ``.npy`` arrays, opened without trusting the file.

numpy's own loader runs pickled code for object arrays and believes the header about sizes. Here
the header may only say what a plain array of numbers needs, it is matched and not evaluated, and
the size it promises is compared with the size of the file before anything is mapped. Format:
numpy, "NEP 1, A simple file format for NumPy arrays", versions 1.0 to 3.0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import (
    MAX_COLLECTION_BYTES,
    file_size,
    read_head,
    show,
)

__all__ = ["HEAD_BYTES", "MAGIC", "NpyHeader", "check_finite", "map_npy", "read_npy_header"]

MAGIC = b"\x93NUMPY"

HEAD_BYTES = 12 + 10_000
"""So many first bytes hold the whole header of every file that is accepted."""

_MAX_AXES = 8
_SHAPE = rb"\(\s*((?:\d{1,18}L?\s*,\s*)*(?:\d{1,18}L?)?)\s*\)"
_FIELDS = {
    b"descr": re.compile(rb"""['"]descr['"]\s*:\s*(?:['"]([^'"]{0,40})['"]|(\[))"""),
    b"fortran_order": re.compile(rb"""['"]fortran_order['"]\s*:\s*(True|False)\b"""),
    b"shape": re.compile(rb"""['"]shape['"]\s*:\s*""" + _SHAPE),
}
_NUMBER = re.compile(r"[<>|=]?([fiu][1248]|b1)")


@dataclass(frozen=True)
class NpyHeader:
    """What a header says.

    Attributes
    ----------
    dtype : of numbers or truth values, in the byte order of the file
    shape : of the array
    fortran : whether the first axis runs fastest
    start : byte at which the numbers begin
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    start: int

    @property
    def nbytes(self) -> int:
        """Bytes that the numbers take."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy_header(path: Path, head: bytes, where: str = "") -> NpyHeader:
    """Read the header at the beginning of an array.

    Parameters
    ----------
    path : named in messages only
    head : the first :data:`HEAD_BYTES` bytes of the array, fewer if it is shorter
    where : what to name beside the path, for arrays inside other files

    Raises
    ------
    SkeletonFormatError : if this is no array of numbers of a sane shape

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> np.save(file, np.zeros((2, 3), np.float32))
    >>> header = read_npy_header(Path("a.npy"), file.getvalue())
    >>> header.shape, header.dtype.name, header.start, header.nbytes
    ((2, 3), 'float32', 128, 24)
    """

    def fail(field: str, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(path, field, expected, got, where or "byte 0")

    if not head.startswith(MAGIC):
        raise fail("npy header", "a numpy array", show(head[:8], 20))
    version = head[6:8]
    wide = 2 if version == b"\x01\x00" else 4
    if version not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise fail("npy version", "1.0, 2.0 or 3.0", show(version.hex()))
    length = int.from_bytes(head[8 : 8 + wide], "little")
    start = 8 + wide + length
    if start > len(head):
        limit = f"at most {HEAD_BYTES - 12:,} bytes, all in the file"
        raise fail("npy header", limit, f"{length:,} bytes")
    text = head[8 + wide : start]
    found = {}
    for key, pattern in _FIELDS.items():
        match = pattern.search(text)
        if match is None or len(pattern.findall(text)) != 1:
            raise fail(f"npy {key.decode()}", "one plain value", show(text.strip(), 80))
        found[key] = match
    dtype = _dtype(found[b"descr"], fail)
    sizes = re.findall(rb"\d+", found[b"shape"][1])
    shape = tuple(int(size) for size in sizes)
    if len(shape) > _MAX_AXES or math.prod(shape) * dtype.itemsize > MAX_COLLECTION_BYTES:
        limit = f"at most {_MAX_AXES} axes and {MAX_COLLECTION_BYTES:,} bytes"
        raise fail("npy shape", limit, show(str(shape), 80))
    return NpyHeader(dtype, shape, found[b"fortran_order"][1] == b"True", start)


def _dtype(found: re.Match[bytes], fail: Any) -> np.dtype[Any]:
    code = "a structured type" if found[2] else found[1].decode("latin-1")
    if "O" in code and not found[2]:
        got = "Python objects, which only unpickling could read"
        raise fail("npy descr", "numbers", got)
    if not _NUMBER.fullmatch(code):
        raise fail("npy descr", "real numbers", show(code))
    dtype: np.dtype[Any] = np.dtype(code)
    return dtype


def map_npy(path: str | Path) -> NDArray[Any]:
    """Map an array file into memory, read-only; nothing is read but the header.

    Raises
    ------
    SkeletonFormatError : if the file is missing, is no array of numbers, or is shorter or longer
        than its header says

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.npy"
    ...     np.save(path, np.arange(6).reshape(2, 3))
    ...     map_npy(path)[1].tolist()
    [3, 4, 5]
    """
    path = Path(path)
    header = read_npy_header(path, read_head(path, HEAD_BYTES))
    size = file_size(path)
    if header.start + header.nbytes != size:
        expected = f"{header.start + header.nbytes:,} bytes for shape {header.shape}"
        raise SkeletonFormatError(path, "file size", expected, f"{size:,}")
    if header.nbytes == 0:
        return np.zeros(header.shape, header.dtype)
    order: Any = "F" if header.fortran else "C"
    return np.memmap(path, header.dtype, "r", header.start, header.shape, order)


def check_finite(array: NDArray[Any], path: str | Path, axes: tuple[str, ...]) -> None:
    """Refuse an array that holds NaN or infinite numbers, looking at a part of it at a time.

    Parameters
    ----------
    array : of numbers, first axis ``axes[0]``; may be a memory map
    axes : what the axes are called in the message

    Raises
    ------
    SkeletonFormatError : naming the first such entry
    """
    step = max(1, (1 << 20) // max(1, math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        block = np.asarray(array[start : start + step], dtype=np.float64)
        if not np.isfinite(block).all():
            where = np.argwhere(~np.isfinite(block))[0]
            where[0] += start
            place = ", ".join(f"{a} {i}" for a, i in zip(axes, where.tolist(), strict=True))
            got = f"{float(array[tuple(where)]):g}"
            raise SkeletonFormatError(path, "value", "a finite number", got, place)
