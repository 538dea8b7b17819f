"""Rows of numbers in text files, converted all at once; only a wrong one is looked for singly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
    mark: bytes | None = None,
) -> NDArray[np.float64]:
    """Convert lines of numbers.

    Parameters
    ----------
    path : named in messages
    lines : R lines
    columns : names of the K columns
    first : number of the first line in the file, for messages
    mark : what stands between two numbers; None for any blanks

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
    table = np.empty((len(lines), len(columns)))
    step = max(1, _BLOCK // max(1, len(columns)))
    for start in range(0, len(lines), step):
        block = lines[start : start + step]
        table[start : start + step] = _parse_block(path, block, columns, first + start, mark)
    return table


def _parse_block(
    path: Path, lines: Sequence[bytes], columns: Sequence[str], first: int, mark: bytes | None
) -> ArrayLike:
    rows = [line.split(mark, len(columns)) for line in lines]
    for index, row in enumerate(rows):
        if len(row) != len(columns):
            raise SkeletonFormatError(
                path, "line", f"{len(columns)} numbers", show(lines[index]), f"line {first + index}"
            )
    # float() reads 1_000 as a thousand; no sensor writes that.
    if not any(b"_" in line for line in lines):
        try:
            values = np.fromiter(map(float, chain.from_iterable(rows)), np.float64)
        except ValueError:
            values = np.array([math.nan])
        if np.isfinite(values).all():
            return values.reshape(len(rows), len(columns))
    return [
        [
            parse_number(path, token, name, first + index)
            for name, token in zip(columns, row, strict=True)
        ]
        for index, row in enumerate(rows)
    ]


def parse_number(path: Path, token: bytes, field: str, line: int) -> float:
    """Convert one number.

    Raises
    ------
    SkeletonFormatError : if it is no finite number
    """
    try:
        value = float(token)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or b"_" in token:
        raise SkeletonFormatError(path, field, "a finite number", show(token), f"line {line}")
    return value
