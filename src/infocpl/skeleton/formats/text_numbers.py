"""Lines of numbers, converted all at once; one by one only to say which one is wrong.

A clip as text has tens of thousands of numbers. Used by every reader of text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain

import numpy as np
import orjson
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError

__all__ = ["parse_lines", "parse_number"]

# So many numbers are text at a time: as text they take ten times the memory.
_BLOCK = 100_000

Fail = Callable[[int, int, bytes], SkeletonFormatError]
"""Line, column (-1 for a wrong number of columns), what stands there -> the error to raise."""


def parse_lines(
    lines: Sequence[bytes], columns: int, fail: Fail, *, mark: bytes | None = None
) -> NDArray[np.float64]:
    """Convert lines of `columns` finite numbers each.

    Parameters
    ----------
    lines : without line ends
    columns : numbers in a line, at least 2
    fail : makes the error for the first bad line
    mark : what stands between two numbers; None for any white space

    Returns
    -------
    (lines, columns) float64, finite

    Examples
    --------
    >>> parse_lines([b"1 2.5", b"-3  4e1"], 2, lambda *_: None).tolist()
    [[1.0, 2.5], [-3.0, 40.0]]
    """
    numbers = _parse_fast(lines, columns) if mark is None else None
    if numbers is None:
        numbers = _parse_split(lines, columns, mark)
    if numbers is None:
        numbers = _parse_slowly(lines, columns, fail, mark)
    return numbers.reshape(len(lines), columns)


def _parse_fast(lines: Sequence[bytes], columns: int) -> NDArray[np.float64] | None:
    """Convert all lines in one call, or return None if anything is out of the ordinary.

    Exactly so many single blanks a line and no other white space mean so many numbers a line, and
    the shape needs no look at single tokens; the character set keeps JSON to plain numbers.
    """
    text = b" ".join(lines)
    ordinary = (
        all(line.count(b" ") == columns - 1 for line in lines)
        and b"  " not in text
        and not text.startswith(b" ")
        and not text.endswith(b" ")
        and not text.translate(None, b"0123456789+-.eE ")
    )
    if not ordinary:
        return None
    try:
        values = orjson.loads(b"[" + text.replace(b" ", b",") + b"]")
        numbers = np.array(values, dtype=np.float64)
    except (orjson.JSONDecodeError, OverflowError):
        return None
    return numbers if bool(np.isfinite(numbers).all()) else None


def _parse_split(
    lines: Sequence[bytes], columns: int, mark: bytes | None
) -> NDArray[np.float64] | None:
    """Convert lines of any spacing, some thousand numbers at a time, or return None."""
    numbers = np.empty((len(lines), columns))
    step = max(1, _BLOCK // columns)
    for start in range(0, len(lines), step):
        rows = [line.split(mark, columns) for line in lines[start : start + step]]
        if any(len(row) != columns for row in rows):
            return None
        try:
            values = np.fromiter(map(float, chain.from_iterable(rows)), np.float64)
        except ValueError:
            return None
        numbers[start : start + step] = values.reshape(len(rows), columns)
    # float() reads 1_000 as a thousand; no sensor writes that.
    plain = bool(np.isfinite(numbers).all()) and not any(b"_" in line for line in lines)
    return numbers if plain else None


def _parse_slowly(
    lines: Sequence[bytes], columns: int, fail: Fail, mark: bytes | None
) -> NDArray[np.float64]:
    """Convert token by token, to say where something is wrong."""
    rows = np.empty((len(lines), columns))
    for row, line in enumerate(lines):
        tokens = line.split(mark, columns)
        if len(tokens) != columns:
            raise fail(row, -1, line)
        for column, token in enumerate(tokens):
            number = parse_number(token)
            if number is None:
                raise fail(row, column, token)
            rows[row, column] = number
    return rows


def parse_number(token: bytes) -> float | None:
    """A finite number, or None.

    Examples
    --------
    >>> parse_number(b"1e3"), parse_number(b"nan"), parse_number(b"1_000")
    (1000.0, None, None)
    """
    try:
        value = float(token)
    except ValueError:
        return None
    # float() reads 1_000 as a thousand; no sensor writes that.
    return value if math.isfinite(value) and b"_" not in token else None
