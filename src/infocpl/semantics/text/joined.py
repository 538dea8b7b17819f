"""Several files read as one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

__all__ = ["joined_files"]

_BUFFER = 2**20


@contextlib.contextmanager
def joined_files(pieces: Sequence[Path]) -> Iterator[IO[bytes]]:
    """The pieces, one after another, as one file that can be read and searched.

    Nothing is copied: a model of hundreds of megabytes need not lie on the disk a second time.

    Raises
    ------
    OSError : if a piece cannot be opened or read
    """
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(path.open("rb")) for path in pieces]
        yield stack.enter_context(io.BufferedReader(_Joined(files), _BUFFER))


class _Joined(io.RawIOBase):
    """Several files read as one."""

    def __init__(self, files: Sequence[IO[bytes]]) -> None:
        self._files = files
        self._sizes = [file.seek(0, io.SEEK_END) for file in files]
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: sum(self._sizes)}[whence]
        if base + offset < 0:
            raise ValueError(f"expected a place in the file, got {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        begin = 0
        for file, size in zip(self._files, self._sizes, strict=True):
            if begin <= self._position < begin + size:
                file.seek(self._position - begin)
                count = file.readinto(buffer)  # type: ignore[attr-defined]
                self._position += count
                return int(count)
            begin += size
        return 0
