"""Numpy's ``.npz`` archives, opened without trusting the file and read row by row.

An archive is a zip of arrays. Its directory, the header of every array and the size of the file
are compared with each other before anything is inflated: a megabyte that would grow to a gigabyte
is refused unread. Rows of stored arrays come from a memory map; rows of deflated ones are inflated
in order, a row at a time.
"""

from __future__ import annotations

import math
import mmap
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import show
from infocpl.skeleton.formats.mapped import MappedFile
from infocpl.skeleton.formats.npy import HEAD_BYTES, read_number_header
from infocpl.skeleton.formats.npy_safe import NpyHeader
from infocpl.skeleton.formats.zip_directory import ZipEntry, read_zip_directory

__all__ = ["NpzArray", "NpzFile"]

_BLOCK = 1 << 20


class NpzArray:
    """One array of an archive, read row by row.

    Attributes
    ----------
    name : without ``.npy``
    header : type, shape and order of the array
    """

    def __init__(self, path: Path, data: mmap.mmap, entry: ZipEntry) -> None:
        self.path, self._data, self._entry = path, data, entry
        self.name = entry.name.removesuffix(".npy")
        head = self._stream().read(min(HEAD_BYTES, entry.size))
        self.header: NpyHeader = read_number_header(path, head, f"array {show(entry.name)}")
        whole = self.header.start + self.header.bytes
        if whole != entry.size:
            expected = f"{whole:,} bytes for shape {self.header.shape}"
            raise SkeletonFormatError(path, "size", expected, f"{entry.size:,}", entry.name)
        self._reader: _Stream | None = None
        self._broken: tuple[int, SkeletonFormatError] | None = None
        self._next = 0

    def _stream(self) -> _Stream:
        return _Stream(self.path, self._data, self._entry)

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return self.header.shape[1:]

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """Rows from `start` up to `stop` as a copy in native byte order.

        Rows of a deflated array are inflated up to these; rising order is the fast order.

        Raises
        ------
        SkeletonFormatError : if the data are damaged, or the first axis does not run slowest
        """
        header, entry = self.header, self._entry
        if header.fortran and len(header.shape) > 1:
            expected = "rows one after the other (C order)"
            raise SkeletonFormatError(self.path, "order", expected, "Fortran order", entry.name)
        size = math.prod(self.row_shape) * header.dtype.itemsize
        if not entry.deflated:
            at = entry.start + header.start
            content: bytes = self._data[at + start * size : at + stop * size]
        else:
            content = self._inflate_rows(start, stop, size)
        rows = np.frombuffer(content, header.dtype).reshape(stop - start, *self.row_shape)
        with np.errstate(invalid="ignore"):  # a NaN in foreign byte order
            return rows.astype(header.dtype.newbyteorder("="))

    def _inflate_rows(self, start: int, stop: int, size: int) -> bytes:
        if self._broken is not None and stop > self._broken[0]:
            raise self._broken[1]
        reader, at = self._reader, self._next
        # Put back when it is known to stand between two rows.
        self._reader = None
        if reader is None or start < at:
            reader, at = self._stream(), 0
            reader.skip(self.header.start)
        try:
            reader.skip((start - at) * size)
            content = reader.read((stop - start) * size)
        except SkeletonFormatError as error:
            # What follows the damage cannot be inflated either; once is enough to find out.
            self._broken = (start, error)
            raise
        self._reader, self._next = reader, stop
        return content

    def verify(self) -> None:
        """Compare the whole content with its checksum in the archive.

        Raises
        ------
        SkeletonFormatError : if it is damaged
        """
        stream, left = self._stream(), self._entry.size
        while left:
            left -= len(stream.read(min(left, _BLOCK)))
        stream.finish()


class _Stream:
    """The content of one member from its beginning, in bounded pieces."""

    def __init__(self, path: Path, data: mmap.mmap, entry: ZipEntry) -> None:
        self.path, self.data, self.entry = path, data, entry
        self.at, self.end = entry.start, entry.start + entry.packed
        self.machine = zlib.decompressobj(-zlib.MAX_WBITS) if entry.deflated else None
        self.rest = b""
        self.crc = 0

    def fail(self, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, "content", expected, got, self.entry.name)

    def read(self, count: int) -> bytes:
        parts = []
        while count:
            part = self._some(count)
            self.crc = zlib.crc32(part, self.crc)
            count -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.read(min(count, _BLOCK)))

    def _some(self, count: int) -> bytes:
        """Between 1 and `count` bytes."""
        if self.machine is None:
            part: bytes = self.data[self.at : min(self.end, self.at + count)]
            self.at += len(part)
        else:
            part = self._inflate(count)
        if not part:
            raise self.fail(f"{self.entry.size:,} bytes", "fewer")
        return part

    def _inflate(self, count: int) -> bytes:
        machine = self.machine
        part = b""
        while machine is not None and not part and not machine.eof:
            if not self.rest:
                self.rest = self.data[self.at : min(self.end, self.at + _BLOCK)]
                self.at += len(self.rest)
            fed = bool(self.rest)
            try:
                part = machine.decompress(self.rest, count)
            except zlib.error as error:
                raise self.fail("deflated data", show(error, 60)) from error
            self.rest = machine.unconsumed_tail
            if not part and not fed:
                break
        return part

    def finish(self) -> None:
        """Check that nothing follows, and the checksum."""
        if self.machine is not None and (self._inflate(1) or not self.machine.eof):
            raise self.fail(f"{self.entry.size:,} bytes", "more")
        if self.crc != self.entry.crc:
            raise self.fail(f"checksum {self.entry.crc:08x}", f"{self.crc:08x}")


class NpzFile(MappedFile):
    """A mapped archive; a context manager.

    Attributes
    ----------
    path : the file
    arrays : name to :class:`NpzArray`

    Raises
    ------
    SkeletonFormatError : if the file is no archive of plain arrays of numbers, its directory, its
        headers and its size disagree, or an array would inflate more than a hundredfold to more
        than :data:`MAX_FILE_BYTES`

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "a.npz", x=np.arange(6).reshape(3, 2))
    ...     with NpzFile(Path(folder) / "a.npz") as file:
    ...         file.arrays["x"].header.shape, file.arrays["x"].rows(1, 3).tolist()
    ((3, 2), [[2, 3], [4, 5]])
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        try:
            arrays = [
                NpzArray(self.path, self._map, entry)
                for entry in read_zip_directory(self.path, self._map)
            ]
        except BaseException:
            self.close()
            raise
        self.arrays = {array.name: array for array in arrays}
