"""Files that are mapped into memory and read in pieces."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import Self

from infocpl.skeleton.formats.limits import MAX_COLLECTION_BYTES, file_size

__all__ = ["MappedFile"]


class MappedFile:
    """A regular file of bounded size, mapped read-only; a context manager.

    Attributes
    ----------
    path : the file

    Raises
    ------
    SkeletonFormatError : if there is no readable regular file, or it is empty or too large
    """

    def __init__(self, path: str | Path, *, max_bytes: int = MAX_COLLECTION_BYTES) -> None:
        self.path = Path(path)
        file_size(self.path, max_bytes=max_bytes)
        with self.path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Unmap the file; what was not read is gone. Closing twice is harmless."""
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
