"""Text files of rows of numbers: their lines, and their numbers by names of columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats import text_numbers
from infocpl.skeleton.formats.limits import read_bounded, show

__all__ = ["parse_number", "parse_rows", "read_lines"]


def read_lines(path: Path, max_lines: int) -> list[bytes]:
    """Return the lines of a text file without the blank ones at its end.

    Only line feeds, alone or after a carriage return, end lines.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or too large, or has more than `max_lines` lines
    """
    content = read_bounded(path).rstrip()
    found = content.count(b"\n") + 1
    if found > max_lines:
        raise SkeletonFormatError(path, "lines", f"at most {max_lines:,}", f"{found:,}")
    return content.replace(b"\r\n", b"\n").split(b"\n")


def parse_rows(
    path: Path,
    lines: Sequence[bytes],
    columns: Sequence[str],
    first: int,
    *,
    step: int = 1,
    mark: bytes | None = None,
) -> NDArray[np.float64]:
    """Convert lines of numbers.

    Parameters
    ----------
    path : named in messages
    lines : R lines
    columns : names of the K columns
    first, step : number of the first line in the file, and lines from one to the next
    mark : what stands between two numbers; None for any white space

    Returns
    -------
    numpy.ndarray : (R, K), finite

    Raises
    ------
    SkeletonFormatError : if a line has not K entries, or one of them is no finite number

    Examples
    --------
    >>> parse_rows(Path("a.txt"), [b"1 2", b"3 x"], ("x", "y"), 7)
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: a.txt, line 8: y: expected a finite number, got 'x'
    """

    def fail(row: int, column: int, found: bytes) -> SkeletonFormatError:
        where = f"line {first + row * step}"
        if column < 0:
            expected = f"{len(columns)} numbers"
            return SkeletonFormatError(path, "line", expected, show(found), where)
        return SkeletonFormatError(path, columns[column], "a finite number", show(found), where)

    return text_numbers.parse_lines(lines, len(columns), fail, mark=mark)


def parse_number(path: Path, token: bytes, field: str, line: int) -> float:
    """Convert one number.

    Raises
    ------
    SkeletonFormatError : if it is no finite number
    """
    value = text_numbers.parse_number(token)
    if value is None:
        raise SkeletonFormatError(path, field, "a finite number", show(token), f"line {line}")
    return value
