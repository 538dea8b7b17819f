"""One real numeric array out of a MATLAB 5 file, read without trusting the file.

scipy's reader follows sizes and types it finds; on damaged files it raises exceptions of many
kinds, and some damage ends the whole process with a bus error. Dataset files hold plain real
arrays, a small part of the format, so that part is read here with every size checked before use.
Compressed elements are inflated within a bound: a small file may inflate to gigabytes. Format:
The MathWorks, "MAT-File Format", level 5.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_FILE_BYTES, show

__all__ = ["is_mat5", "read_mat5_array"]

_HEADER_BYTES = 128
_MAX_VARIABLES = 64
_MAX_AXES = 8
_INT8, _INT32, _UINT32, _MATRIX, _COMPRESSED = 1, 5, 6, 14, 15
_NUMBER_TYPES = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
_CLASSES = {
    1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 6: "double", 7: "single",
    8: "int8", 9: "uint8", 10: "int16", 11: "uint16", 12: "int32", 13: "uint32", 14: "int64",
    15: "uint64",
}  # fmt: skip
_REAL_CLASSES = ("double", "single")
_COMPLEX, _LOGICAL = 0x0800, 0x0200


def is_mat5(head: bytes) -> bool:
    """Whether a file that begins with `head` claims to be of MATLAB's level 5."""
    return head.startswith(b"MATLAB 5.0")


def read_mat5_array(path: Path, content: bytes, variable: str) -> NDArray[np.float64]:
    """Return the real array called `variable`.

    Parameters
    ----------
    path : named in messages only
    content : the whole file, as saved by MATLAB with ``-v6`` or ``-v7``
    variable : name of a double or single array; other variables are passed over

    Returns
    -------
    numpy.ndarray : float64, of the shape the file declares (MATLAB drops trailing axes of 1)

    Raises
    ------
    SkeletonFormatError : if the file is damaged anywhere up to the end of the array, inflates
        beyond :data:`MAX_FILE_BYTES`, or has no such real array

    Examples
    --------
    >>> import io, scipy.io
    >>> file = io.BytesIO()
    >>> scipy.io.savemat(file, {"a": np.eye(2)}, do_compression=True)
    >>> read_mat5_array(Path("a.mat"), file.getvalue(), "a").tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    marks: dict[bytes, Literal["little", "big"]] = {b"IM": "little", b"MI": "big"}
    if len(content) < _HEADER_BYTES:
        raise SkeletonFormatError(
            path,
            "header",
            f"the {_HEADER_BYTES} bytes of a MATLAB 5 file",
            f"{len(content)} bytes",
            "byte 0",
        )
    order = marks.get(content[126:128])
    if order is None or not is_mat5(content):
        raise SkeletonFormatError(
            path, "header", "a MATLAB 5 file (save with -v6 or -v7)", show(content[:20]), "byte 0"
        )
    names: list[str] = []
    budget = MAX_FILE_BYTES
    whole = _Part(path, content, order, "byte")
    for kind, start, end in whole.elements(_HEADER_BYTES, padded=False):
        if len(names) >= _MAX_VARIABLES:
            raise SkeletonFormatError(path, "variables", f"at most {_MAX_VARIABLES}", "more")
        part, place = whole, (start, end)
        if kind == _COMPRESSED:
            data = _inflate(path, content[start:end], budget, start)
            budget -= len(data)
            part = _Part(path, data, order, f"byte {start}, inflated byte")
            kind, *span = part.element(0, len(data))
            place = (span[0], span[1])
        if kind != _MATRIX:
            raise part.error(place[0], "element", "an array", f"type {kind}")
        name, array = _read_matrix(part, *place, variable)
        if array is not None:
            return array
        names.append(name)
    raise SkeletonFormatError(path, "variables", f"one called {variable}", show(", ".join(names)))


@dataclass(frozen=True, eq=False)
class _Part:
    """Bytes with tagged elements, and where they stand in the file."""

    path: Path
    data: bytes
    order: Literal["little", "big"]
    unit: str

    def error(self, at: int, field: str, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, field, expected, got, f"{self.unit} {at}")

    def number(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 4], self.order)

    def element(self, at: int, limit: int) -> tuple[int, int, int]:
        """Type, first byte and end of the data of the element at `at`, all within `limit`."""
        if at + 8 > limit:
            raise self.error(at, "element", "a tag of 8 bytes", f"{max(limit - at, 0)}")
        word = self.number(at)
        kind, size, start = word, self.number(at + 4), at + 8
        if word >> 16:  # up to four bytes of data may share the tag
            kind, size, start = word & 0xFFFF, word >> 16, at + 4
            if size > 4:
                raise self.error(at, "element", "at most 4 bytes inside a tag", f"{size}")
        if start + size > limit:
            raise self.error(at, "element", f"{size:,} bytes", f"{limit - start:,}")
        return kind, start, start + size

    def elements(
        self, at: int, limit: int | None = None, *, padded: bool = True
    ) -> Iterator[tuple[int, int, int]]:
        """All elements from `at` on; inside an array each one is padded to 8 bytes."""
        limit = len(self.data) if limit is None else limit
        while at < limit:
            kind, start, end = self.element(at, limit)
            yield kind, start, end
            if start == at + 4:  # the data shared the tag's eight bytes
                at += 8
            else:
                at = end + (-(end - start) % 8 if padded else 0)


def _inflate(path: Path, data: bytes, budget: int, at: int) -> bytes:
    machine = zlib.decompressobj()
    try:
        inflated = machine.decompress(data, budget + 1)
    except zlib.error as error:
        raise SkeletonFormatError(
            path, "element", "zlib data", show(error, 80), f"byte {at}"
        ) from error
    if len(inflated) > budget:
        expected = f"at most {MAX_FILE_BYTES:,} bytes after inflating"
        raise SkeletonFormatError(path, "element", expected, "more", f"byte {at}")
    if not machine.eof:
        raise SkeletonFormatError(
            path, "element", "a whole zlib stream", "one that breaks off", f"byte {at}"
        )
    return inflated


def _read_matrix(
    part: _Part, start: int, end: int, variable: str
) -> tuple[str, NDArray[np.float64] | None]:
    """Name of the array in ``data[start:end]``, and its numbers if it is the one wanted."""
    inside = part.elements(start, end)

    def following(field: str, *kinds: int) -> tuple[int, int, int]:
        found = next(inside, None)
        if found is None:
            raise part.error(end, field, "more data", "the end of the array")
        if found[0] not in kinds:
            raise part.error(found[1], field, f"data of type {kinds}", f"type {found[0]}")
        return found

    _, at, stop = following("array flags", _UINT32)
    if stop - at != 8:
        raise part.error(at, "array flags", "8 bytes", f"{stop - at}")
    flags = part.number(at)
    _, at, stop = following("dimensions", _INT32)
    if not 8 <= stop - at <= 4 * _MAX_AXES or (stop - at) % 4:
        raise part.error(at, "dimensions", f"2 to {_MAX_AXES} whole numbers", f"{stop - at} bytes")
    shape = tuple(part.number(i) for i in range(at, stop, 4))
    _, at, stop = following("name", _INT8)
    name = part.data[at:stop].decode("latin-1")
    if name != variable:
        return name, None
    kind = _CLASSES.get(flags & 0xFF, f"class {flags & 0xFF}")
    if kind not in _REAL_CLASSES or flags & (_COMPLEX | _LOGICAL):
        got = kind + (" (complex)" if flags & _COMPLEX else "")
        raise part.error(at, f"{name} class", "real double or single", got)
    code, at, stop = following(f"{name} numbers", *_NUMBER_TYPES)
    dtype = np.dtype(_NUMBER_TYPES[code]).newbyteorder("<" if part.order == "little" else ">")
    if stop - at != math.prod(shape) * dtype.itemsize:
        expected = f"{math.prod(shape):,} numbers for shape {shape}"
        raise part.error(at, f"{name} numbers", expected, f"{(stop - at) / dtype.itemsize:,g}")
    numbers = np.frombuffer(part.data, dtype, math.prod(shape), at).astype(np.float64)
    return name, numbers.reshape(shape, order="F")
