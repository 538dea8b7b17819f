"""Numpy's ``.npy`` arrays of numbers, mapped into memory without trusting the file.

The header is read by :mod:`infocpl.skeleton.formats.npy_safe`; the size it promises is compared
with the size of the file before anything is mapped.
"""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_COLLECTION_BYTES, file_size, read_head
from infocpl.skeleton.formats.npy_safe import NpyHeader, read_npy_header

__all__ = [
    "HEAD_BYTES",
    "MAGIC",
    "check_finite",
    "map_npy",
    "read_number_header",
    "widen",
    "write_npy_header",
]

MAGIC = b"\x93NUMPY"

HEAD_BYTES = 8192
"""So many first bytes hold the whole header of every array that is accepted."""


def read_number_header(path: Path, head: bytes, where: str = "byte 0") -> NpyHeader:
    """Read the header of an array of numbers.

    Parameters
    ----------
    path : named in messages only
    head : the first :data:`HEAD_BYTES` bytes of the array, fewer if it is shorter
    where : place named in messages

    Raises
    ------
    SkeletonFormatError : if this is no array, or one of something else than numbers, or larger
        than any collection

    Examples
    --------
    >>> file = io.BytesIO()
    >>> np.save(file, np.zeros((2, 3), np.float32))
    >>> header = read_number_header(Path("a.npy"), file.getvalue())
    >>> header.shape, header.dtype.name, header.start, header.bytes
    ((2, 3), 'float32', 128, 24)
    """
    header = read_npy_header(io.BytesIO(head), path, where)
    if header.dtype.kind not in "biuf":
        raise SkeletonFormatError(path, "npy type", "numbers", header.dtype.str, where)
    if header.bytes > MAX_COLLECTION_BYTES:
        expected = f"at most {MAX_COLLECTION_BYTES:,} bytes"
        raise SkeletonFormatError(path, "shape", expected, f"{header.shape}", where)
    return header


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
    header = read_number_header(path, read_head(path, HEAD_BYTES))
    size = file_size(path)
    if header.start + header.bytes != size:
        expected = f"{header.start + header.bytes:,} bytes for shape {header.shape}"
        raise SkeletonFormatError(path, "file size", expected, f"{size:,}")
    if header.bytes == 0:
        return np.zeros(header.shape, header.dtype)
    order: Any = "F" if header.fortran else "C"
    return np.memmap(path, header.dtype, "r", header.start, header.shape, order)


def write_npy_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Write what stands before the numbers of an array, which the caller writes in C order."""
    npy_format.write_array_header_1_0(
        file,
        {"descr": dtype.str, "fortran_order": False, "shape": shape},
    )


def widen(array: NDArray[Any]) -> NDArray[np.float64]:
    """Numbers of any type as float64; a NaN stays one without a warning."""
    with np.errstate(invalid="ignore"):
        return np.asarray(array, dtype=np.float64)


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
        block = widen(array[start : start + step])
        if not np.isfinite(block).all():
            where = np.argwhere(~np.isfinite(block))[0]
            where[0] += start
            place = ", ".join(f"{a} {i}" for a, i in zip(axes, where.tolist(), strict=True))
            got = f"{float(array[tuple(where)]):g}"
            raise SkeletonFormatError(path, "value", "a finite number", got, place)
