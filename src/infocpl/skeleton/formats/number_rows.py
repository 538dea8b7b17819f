"""Rows of numbers in text files, converted all at once; only a wrong one is looked for singly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import read_bounded, show

__all__ = ["parse_number", "parse_rows", "read_lines"]

# So many numbers are text at a time: as text they take ten times the memory.
_BLOCK = 100_000


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

    numbers = np.empty((len(lines), len(columns)))
    block = max(1, _BLOCK // len(columns))
    for start in range(0, len(lines), block):
        some = lines[start : start + block]
        rows = [line.split(mark, len(columns)) for line in some]
        for at, row in enumerate(rows):
            if len(row) != len(columns):
                raise fail(start + at, -1, some[at])
        # float() reads 1_000 as a thousand; no sensor writes that.
        values = None if any(b"_" in line for line in some) else _convert(rows)
        if values is None:
            at, column = next(
                (at, column)
                for at, row in enumerate(rows)
                for column, token in enumerate(row)
                if _number(token) is None
            )
            raise fail(start + at, column, rows[at][column])
        numbers[start : start + block] = values.reshape(len(rows), len(columns))
    return numbers


def _convert(rows: list[list[bytes]]) -> NDArray[np.float64] | None:
    """All the numbers at once, or None if one of them is none."""
    try:
        values = np.fromiter(map(float, chain.from_iterable(rows)), np.float64)
    except ValueError:
        return None
    return values if bool(np.isfinite(values).all()) else None


def parse_number(path: Path, token: bytes, field: str, line: int) -> float:
    """Convert one number.

    Raises
    ------
    SkeletonFormatError : if it is no finite number
    """
    value = _number(token)
    if value is None:
        raise SkeletonFormatError(path, field, "a finite number", show(token), f"line {line}")
    return value


def _number(token: bytes) -> float | None:
    try:
        value = float(token)
    except ValueError:
        return None
    return value if math.isfinite(value) and b"_" not in token else None
