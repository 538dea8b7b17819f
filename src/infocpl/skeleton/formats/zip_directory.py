"""The directory of a zip archive, every number of which is checked before it is used.

Used by :mod:`infocpl.skeleton.formats.npz`. Python's zipfile believes the directory until it reads;
here sizes and places are compared with the file, and what would inflate beyond all proportion is
refused unread. Format: PKWARE, "APPNOTE", with zip64; no encryption, no archives of several parts.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_COLLECTION_BYTES, MAX_FILE_BYTES, show

__all__ = ["ZipEntry", "is_zip", "read_zip_directory"]

_MAX_ENTRIES = 64
_MAX_RATIO = 100  # padded skeletons deflate to a tenth; zeros alone to a thousandth
_STORED, _DEFLATED = 0, 8
_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF


def is_zip(head: bytes) -> bool:
    """Whether a file that begins with `head` is a zip archive with something in it."""
    return head.startswith(_LOCAL)


@dataclass(frozen=True)
class ZipEntry:
    """One member as the directory describes it.

    Attributes
    ----------
    name : of the member
    deflated : whether it is deflated; otherwise it is stored as it is
    crc : CRC-32 of its content
    packed, size : bytes in the file, and after inflating
    start : byte at which its data begin
    """

    name: str
    deflated: bool
    crc: int
    packed: int
    size: int
    start: int


def read_zip_directory(path: Path, data: mmap.mmap) -> list[ZipEntry]:
    """List the members of an archive.

    Parameters
    ----------
    path : named in messages only
    data : the file

    Raises
    ------
    SkeletonFormatError : if the directory is damaged or does not fit the file, names a member
        twice, or a member is encrypted, packed in an unusual way, or would inflate more than a
        hundredfold to more than :data:`MAX_FILE_BYTES`
    """
    return _Directory(path, data).read()


@dataclass(frozen=True, eq=False)
class _Directory:
    path: Path
    data: mmap.mmap

    def fail(self, field: str, expected: str, got: str, at: int) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, field, expected, got, f"byte {at}")

    def numbers(self, code: str, at: int) -> tuple[int, ...]:
        numbers: tuple[int, ...] = struct.unpack_from(f"<{code}", self.data, at)
        return numbers

    def read(self) -> list[ZipEntry]:
        end = self.data.rfind(_END, max(0, len(self.data) - 22 - _FULL16))
        if end < 0 or end + 22 > len(self.data):
            raise self.fail("zip directory", "one at the end of the file", "none", len(self.data))
        count, size, at = self.numbers("HII", end + 10)
        limit = end
        if _FULL32 in (size, at) or count == _FULL16:
            limit, count, size, at = self.end64(end)
        if not 1 <= count <= _MAX_ENTRIES:
            raise self.fail("zip directory", f"1 to {_MAX_ENTRIES} entries", f"{count}", end)
        if at + size > limit:
            got = f"{max(0, limit - at):,}"
            raise self.fail("zip directory", f"{size:,} bytes", got, end)
        entries: dict[str, ZipEntry] = {}
        for _ in range(count):
            if at + 46 > limit or self.data[at : at + 4] != _CENTRAL:
                got = show(self.data[at : at + 4], 20)
                raise self.fail("zip directory", "an entry", got, at)
            entry, follows = self.entry(at, limit)
            if entry.name in entries:
                raise self.fail("zip entry", "every name once", show(entry.name), at)
            entries[entry.name], at = entry, follows
        return list(entries.values())

    def end64(self, end: int) -> tuple[int, int, int, int]:
        """Where the directory ends, and its count, size and place, for large archives."""
        if end < 20 or self.data[end - 20 : end - 16] != _LOCATOR64:
            raise self.fail("zip directory", "a zip64 locator", "none", end)
        (record,) = self.numbers("Q", end - 12)
        if record + 56 > end or self.data[record : record + 4] != _END64:
            raise self.fail("zip directory", "a zip64 end record", "none", end - 20)
        count, size, at = self.numbers("QQQ", record + 32)
        return record, count, size, at

    def entry(self, at: int, limit: int) -> tuple[ZipEntry, int]:
        """The entry at `at`, and where the next one begins."""
        flags, method, _, _, crc, *sizes = self.numbers("HHHHIII", at + 8)
        lengths = self.numbers("HHH", at + 28)
        name_end = at + 46 + lengths[0]
        follows = name_end + lengths[1] + lengths[2]
        if follows > limit:
            raise self.fail("zip directory", "an entry", "the end of the directory", at)
        name = self.data[at + 46 : name_end].decode("utf-8", "replace")
        extra = self.data[name_end : name_end + lengths[1]]
        packed, size = sizes
        size, packed, local = self.widen(extra, [size, packed, *self.numbers("I", at + 42)], at)
        shown = show(name)
        if flags & 1 or method not in (_STORED, _DEFLATED):
            got = "encrypted" if flags & 1 else f"method {method}"
            raise self.fail(f"{shown} storage", "stored or deflated", got, at)
        if local + 30 > at or self.data[local : local + 4] != _LOCAL:
            raise self.fail(f"{shown} place", "a member", f"none at byte {local:,}", at)
        start = local + 30 + sum(self.numbers("HH", local + 26))
        if start + packed > limit or (method == _STORED and packed != size):
            got = f"{packed:,} bytes for {size:,} at byte {start:,}"
            raise self.fail(f"{shown} size", "data that are in the file", got, at)
        if size > MAX_COLLECTION_BYTES or (size > MAX_FILE_BYTES and size > _MAX_RATIO * packed):
            most = f"at most {MAX_COLLECTION_BYTES:,} bytes and {_MAX_RATIO} times the packed size"
            raise self.fail(f"{shown} size", most, f"{size:,} bytes from {packed:,}", at)
        return ZipEntry(name, method == _DEFLATED, crc, packed, size, start), follows

    def widen(self, extra: bytes, values: list[int], at: int) -> list[int]:
        """Replace what did not fit into 32 bits by the numbers of the zip64 field."""
        wanted = [index for index, value in enumerate(values) if value == _FULL32]
        place = 0
        while wanted and place + 4 <= len(extra):
            kind, length = struct.unpack_from("<HH", extra, place)
            place += 4
            if kind == 1 and min(length, len(extra) - place) >= 8 * len(wanted):
                found = struct.unpack_from(f"<{len(wanted)}Q", extra, place)
                for index, value in zip(wanted, found, strict=True):
                    values[index] = value
                return values
            place += length
        if wanted:
            raise self.fail("zip directory", "a zip64 field with the sizes", "none", at)
        return values
