"""The text of NTU RGB+D files: counts and numbers, checked one by one, converted all at once.

Used by :mod:`infocpl.skeleton.formats.ntu`, which makes clips of the result. A clip has some
twenty-five thousand numbers, so they are converted in one call; only when something is out of the
ordinary are the lines taken one by one, to say which one is wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import (
    MAX_BODIES,
    MAX_COORDINATE,
    MAX_FRAMES,
    read_bounded,
    show,
)

__all__ = ["COLUMNS", "JOINTS", "NtuTable", "read_table"]

JOINTS, COLUMNS = 25, 12
_HEADER = 10
_COLUMN_NAMES = (
    "x", "y", "z", "depth x", "depth y", "colour x", "colour y",
    "orientation w", "orientation x", "orientation y", "orientation z", "tracking state",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class NtuTable:
    """What stands in an NTU file.

    Attributes
    ----------
    frames : number of frames, T
    owners : for each of the B body records its (frame, tracking id)
    numbers : (B, 25, 12) the joint lines; x, y, z come first, the tracking state last
    """

    frames: int
    owners: list[tuple[int, int]]
    numbers: NDArray[np.float64]


def read_table(path: Path) -> NtuTable:
    """Read the numbers of a file; :class:`SkeletonFormatError` names the first wrong line."""
    content = read_bounded(path).rstrip()
    _check_line_count(path, content)
    # Only line feeds end lines here: splitlines() would also break at form feeds and the like.
    lines = (content.replace(b"\r\n", b"\n") if b"\r" in content else content).split(b"\n")
    frames, owners, starts = _walk(path, lines)
    joint_lines = [line for start in starts for line in lines[start : start + JOINTS]]
    numbers = _parse_fast(joint_lines)
    if numbers is None:
        numbers = _parse_slowly(path, joint_lines, starts)
    table = numbers.reshape(len(starts), JOINTS, COLUMNS)
    _check_values(path, table, starts)
    return NtuTable(frames, owners, table)


def _check_line_count(path: Path, content: bytes) -> None:
    """Refuse a file of far too many lines before a list of them fills the memory."""
    frames = _count(path, [content[:80].split(b"\n")[0]], 0, "frame count", 1, MAX_FRAMES)
    most = 1 + frames * (1 + MAX_BODIES * (2 + JOINTS))
    found = content.count(b"\n") + 1
    if found > most:
        raise SkeletonFormatError(path, "lines", f"at most {most} for {frames} frames", str(found))


def _walk(path: Path, lines: list[bytes]) -> tuple[int, list[tuple[int, int]], list[int]]:
    """Follow the counts through the file.

    Returns the number of frames, and for each body in each frame (frame, tracking id) and the
    index of its first joint line.
    """
    frames = _count(path, lines, 0, "frame count", 1, MAX_FRAMES)
    owners: list[tuple[int, int]] = []
    starts: list[int] = []
    at = 1
    for frame in range(frames):
        bodies = _count(path, lines, at, "body count", 0, MAX_BODIES)
        at += 1
        seen: set[int] = set()
        for _ in range(bodies):
            body = _body_id(path, lines, at)
            if body in seen:
                raise _error(path, at, "tracking id", "an id once in a frame", f"{body} again")
            seen.add(body)
            _count(path, lines, at + 1, "joint count", JOINTS, JOINTS)
            at += 2
            if at + JOINTS > len(lines):
                missing = f"joint {len(lines) - at + 1}"
                raise _error(path, len(lines) - 1, missing, "12 numbers", "the end of the file")
            owners.append((frame, body))
            starts.append(at)
            at += JOINTS
    if at < len(lines):
        raise _error(path, at, "end of file", f"nothing after frame {frames}", show(lines[at]))
    if not starts:
        raise SkeletonFormatError(
            path, "bodies", "at least one body in some frame", f"none in {frames} frames"
        )
    return frames, owners, starts


def _count(path: Path, lines: list[bytes], at: int, field: str, low: int, high: int) -> int:
    expected = f"{low}" if low == high else f"a whole number from {low} to {high}"
    if at >= len(lines):
        raise _error(path, len(lines) - 1, field, expected, "the end of the file")
    token = lines[at].strip()
    if not (token.isdigit() and len(token) <= 9 and low <= int(token) <= high):
        raise _error(path, at, field, expected, show(token))
    return int(token)


def _body_id(path: Path, lines: list[bytes], at: int) -> int:
    if at >= len(lines):
        raise _error(path, len(lines) - 1, "body", "10 numbers", "the end of the file")
    tokens = lines[at].split(None, _HEADER)
    if len(tokens) != _HEADER:
        raise _error(path, at, "body", f"{_HEADER} numbers", show(lines[at]))
    if not (tokens[0].isdigit() and len(tokens[0]) <= 20):
        raise _error(path, at, "tracking id", "a whole number", show(tokens[0]))
    for token in tokens[1:]:
        if _number(token) is None:
            raise _error(path, at, "body", "finite numbers", show(token))
    return int(tokens[0])


def _parse_fast(lines: list[bytes]) -> NDArray[np.float64] | None:
    """Convert all joint lines in one call, or return None if anything is out of the ordinary.

    Exactly eleven single blanks a line and no other white space mean twelve numbers a line, so
    the shape needs no look at single tokens; the character set keeps JSON to plain numbers.
    """
    text = b" ".join(lines)
    ordinary = (
        all(line.count(b" ") == COLUMNS - 1 for line in lines)
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


def _parse_slowly(path: Path, lines: list[bytes], starts: list[int]) -> NDArray[np.float64]:
    """Convert token by token; accepts odd spacing and says where something is wrong."""
    rows = np.empty((len(lines), COLUMNS))
    for row, line in enumerate(lines):
        body, joint = divmod(row, JOINTS)
        at = starts[body] + joint
        tokens = line.split(None, COLUMNS)
        if len(tokens) != COLUMNS:
            raise _error(path, at, f"joint {joint + 1}", f"{COLUMNS} numbers", show(line))
        for column, token in enumerate(tokens):
            number = _number(token)
            if number is None:
                field = f"joint {joint + 1} {_COLUMN_NAMES[column]}"
                raise _error(path, at, field, "a finite number", show(token))
            rows[row, column] = number
    return rows


def _number(token: bytes) -> float | None:
    try:
        value = float(token)
    except ValueError:
        return None
    # float() reads 1_000 as a thousand; no sensor writes that.
    return value if math.isfinite(value) and b"_" not in token else None


def _check_values(path: Path, table: NDArray[np.float64], starts: list[int]) -> None:
    coords, states = table[..., :3], table[..., 11]
    far: NDArray[np.bool_] = np.abs(coords) > MAX_COORDINATE
    if far.any():
        body, joint, column = np.argwhere(far)[0].tolist()
        raise _error(
            path,
            starts[body] + joint,
            f"joint {joint + 1} {_COLUMN_NAMES[column]}",
            f"metres within {MAX_COORDINATE:.0e}",
            f"{coords[body, joint, column]:g}",
        )
    strange: NDArray[np.bool_] = (states != 0) & (states != 1) & (states != 2)
    if strange.any():
        body, joint = np.argwhere(strange)[0].tolist()
        field = f"joint {joint + 1} tracking state"
        got = f"{states[body, joint]:g}"
        raise _error(path, starts[body] + joint, field, "0, 1 or 2", got)


def _error(path: Path, at: int, field: str, expected: str, got: str) -> SkeletonFormatError:
    return SkeletonFormatError(path, field, expected, got, f"line {at + 1}")
