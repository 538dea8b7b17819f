"""Sizes beyond which a skeleton file is refused before it costs memory or time.

The limits are far above anything the supported sensors record (NTU RGB+D clips have at most some
hundred frames and six bodies a frame) and low enough that a damaged or hostile file is refused in
milliseconds.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError

__all__ = [
    "MAX_BODIES",
    "MAX_CLASSES",
    "MAX_CLIPS",
    "MAX_COLLECTION_BYTES",
    "MAX_COORDINATE",
    "MAX_FILE_BYTES",
    "MAX_FRAMES",
    "check_coordinates",
    "file_size",
    "is_folder",
    "path_exists",
    "read_bounded",
    "read_head",
    "show",
    "sniff_head",
]

MAX_FILE_BYTES = 64 * 1024 * 1024
"""Largest file that is read, in bytes; also the largest size a compressed part may grow to."""

MAX_FRAMES = 10_000
"""Most frames a clip may have (more than five minutes at 30 frames a second)."""

MAX_BODIES = 16
"""Most bodies in one frame."""

MAX_COLLECTION_BYTES = 64 * 1024**3
"""Largest file that is mapped (the largest published one, NTU RGB+D 120 as npz, has 21 GB)."""

MAX_CLIPS = 2_000_000
"""Most clips in one collection (NTU RGB+D 120 has 114,480, Kinetics 300,000)."""

MAX_CLASSES = 10_000
"""Most classes of a collection that does not say how many it has."""

MAX_COORDINATE = 1e6
"""Largest magnitude of a coordinate, in the unit of the file; no sensor sees a thousand km."""


def read_bounded(path: str | Path, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Return the content of a regular file that is neither empty nor too large.

    Raises
    ------
    SkeletonFormatError : if the file is missing, a folder or a device, unreadable, empty, or
        larger than `max_bytes`

    Examples
    --------
    >>> read_bounded("no/such/clip.skeleton")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: no/such/clip.skeleton: file: expected a readable file, \
got nothing at this path
    """
    # The size is asked for first, and not trusted: a file may grow while it is read.
    content = _read(path, max_bytes + 1, max_bytes)
    if len(content) > max_bytes:
        raise _too_large(path, max_bytes)
    if not content:
        raise SkeletonFormatError(path, "file", "content", "an empty file")
    return content


def read_head(path: str | Path, size: int = 4096) -> bytes:
    """Return the first `size` bytes, which is what formats are recognised by.

    Raises
    ------
    SkeletonFormatError : if there is no readable regular file at `path`
    """
    return _read(path, size)


def path_exists(path: Path) -> bool:
    """Whether there is something at `path`; never raises."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long, or with a NUL byte
        return False


def is_folder(path: Path) -> bool:
    """Whether `path` is a folder; never raises."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def sniff_head(path: Path, size: int = 4096) -> bytes:
    """The first `size` bytes of a regular file, b"" of anything else; never raises."""
    try:
        return _read(path, size)
    except SkeletonFormatError:
        return b""


def file_size(path: str | Path, *, max_bytes: int = MAX_COLLECTION_BYTES) -> int:
    """Size of a regular file that is to be mapped, not read.

    Raises
    ------
    SkeletonFormatError : if there is no readable regular file, or it is empty or too large
    """
    path = Path(path)
    if not read_head(path, 1):
        raise SkeletonFormatError(path, "file", "content", "an empty file")
    size = path.stat().st_size
    if size > max_bytes:
        raise SkeletonFormatError(
            path, "file size", f"at most {max_bytes:,} bytes", f"{size:,} bytes"
        )
    return size


def _too_large(path: str | Path, most: int) -> SkeletonFormatError:
    return SkeletonFormatError(path, "file size", f"at most {most:,} bytes", f"more than {most:,}")


def _read(path: str | Path, size: int, most: int | None = None) -> bytes:
    path = Path(path)
    try:
        if not path.exists():
            raise SkeletonFormatError(path, "file", "a readable file", "nothing at this path")
        # A pipe or a device could block for ever or never end.
        if not path.is_file():
            kind = "a folder" if path.is_dir() else "neither a file nor a folder"
            raise SkeletonFormatError(path, "file", "a readable file", kind)
        with path.open("rb") as file:
            if most is not None and os.fstat(file.fileno()).st_size > most:
                raise _too_large(path, most)
            return file.read(size)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise SkeletonFormatError(path, "file", "a readable file", str(error)) from error


def check_coordinates(
    values: NDArray[np.float64],
    path: str | Path,
    axes: tuple[str, ...],
    start: int = 0,
    *,
    field: str = "coordinate",
) -> None:
    """Refuse coordinates that are not finite or larger than :data:`MAX_COORDINATE`.

    Parameters
    ----------
    values : array whose axes are called `axes` in the message, for instance
        ``("frame", "joint", "coordinate")``
    start : number given to the first entry of every axis
    field : what an entry is called

    Raises
    ------
    SkeletonFormatError : naming the first offending entry

    Examples
    --------
    >>> check_coordinates(np.array([[0.0, np.nan]]), "a.csv", ("row", "column"), start=1)
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: a.csv, row 1, column 2: coordinate: expected a finite \
number within 1e+06, got nan
    """
    # Written so that NaN fails the comparison too.
    good = np.abs(values) <= MAX_COORDINATE
    if not good.all():
        first = np.unravel_index(int(np.argmin(good)), good.shape)
        where = ", ".join(f"{a} {int(i) + start}" for a, i in zip(axes, first, strict=True))
        raise SkeletonFormatError(
            path,
            field,
            f"a finite number within {MAX_COORDINATE:.0e}",
            f"{float(values[first]):g}",
            where,
        )


def show(token: object, limit: int = 40) -> str:
    """Quote a piece of a file for a message, cut to `limit` characters.

    Examples
    --------
    >>> show(b"25"), show("x" * 50, limit=5)
    ("'25'", "'xxxxx...'")
    """
    text = token.decode("utf-8", "replace") if isinstance(token, bytes) else str(token)
    return repr(text if len(text) <= limit else text[:limit] + "...")
