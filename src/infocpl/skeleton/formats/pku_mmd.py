"""PKU-MMD files: untrimmed recordings (Kinect v2, 25 joints, metres, y up) and their intervals.

A skeleton file has a row for each frame: 2 persons x 25 joints x (x, y, z), a person who is not
there being zeros. A label file has a row for each action: ``action,start,end,confidence``, where
frames count from 1 and both ends belong to the action (as the tools that most published results
rest on cut them), and confidence is 1 or 2 for a slightly or strongly recommended example.
Format: Liu et al., "PKU-MMD", 2017, parts I and II.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates, read_bounded, show
from infocpl.skeleton.formats.number_rows import parse_rows, read_lines
from infocpl.skeleton.formats.padded import pad_clip, require_ntu25
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = [
    "PkuInterval",
    "read_pku_labels",
    "read_pku_mmd",
    "write_pku_labels",
    "write_pku_mmd",
]

FPS = 30.0
CLASSES = 51
PERSONS = 2
_JOINTS, _COORDS = 25, 3
_NAMES = tuple(
    f"person {person + 1} joint {joint + 1} {axis}"
    for person in range(PERSONS)
    for joint in range(_JOINTS)
    for axis in "xyz"
)
_MAX_INTERVALS = 1000
_ROW = re.compile(rb"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,?\s*")
_NUMBER = re.compile(rb"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_FIELDS = ("action", "start frame", "end frame", "confidence")


@dataclass(frozen=True)
class PkuInterval:
    """One action in a recording.

    Attributes
    ----------
    action : official id, 1 to 51
    start, end : first and last frame, counted from 1
    confidence : what the file says, usually 1 or 2
    """

    action: int
    start: int
    end: int
    confidence: int = 2


def read_pku_mmd(path: str | Path) -> SkeletonSequence:
    r"""Read one whole recording, untrimmed.

    Returns
    -------
    SkeletonSequence : (M, T, 25, 3) metres on layout ntu25, 30 frames a second, M 1 or 2: persons
        who never appear are left out, frames stay as many as there are rows

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, a row is not 150 finite numbers (path, line,
        field), or nobody appears

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "0002-L.txt"
    ...     _ = path.write_text("\n".join([" ".join(["0.5"] * 75 + ["0"] * 75)] * 4))
    ...     read_pku_mmd(path).keypoints.shape
    (1, 4, 25, 3)
    """
    path = Path(path)
    rows = parse_rows(path, read_lines(path, MAX_FRAMES), _NAMES, 1)
    numbers = rows.reshape(len(rows), PERSONS, _JOINTS, _COORDS)
    check_coordinates(numbers, path, ("line", "person", "joint", "coordinate"), start=1)
    keypoints = numbers.transpose(1, 0, 2, 3)
    present = np.any(keypoints != 0, axis=(2, 3))
    persons = np.flatnonzero(present.any(axis=1))
    if not len(persons):
        raise SkeletonFormatError(path, "rows", "a person in some row", "zeros only")
    confidence = np.repeat(present[persons, :, None], _JOINTS, axis=2).astype(np.float32)
    return SkeletonSequence(
        keypoints[persons].astype(np.float32),
        create_layout("ntu25"),
        confidence=confidence,
        fps=FPS,
        source=str(path),
    )


def read_pku_labels(path: str | Path) -> list[PkuInterval]:
    """Read the intervals of one recording, in the order of the file.

    Intervals may overlap. A start of 0 is taken as 1, since a few tools count from 0; where an
    interval may end is known only beside its recording.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, a row is not four whole numbers, an action is
        not 1 to 51, or an interval ends before it starts (path, line, field)

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "0002-L.txt"
    ...     write_pku_labels(path, [PkuInterval(34, 120, 215)])
    ...     read_pku_labels(path)
    [PkuInterval(action=34, start=120, end=215, confidence=2)]
    """
    path = Path(path)
    rows = read_bounded(path).rstrip().split(b"\n")
    if len(rows) > _MAX_INTERVALS:
        raise SkeletonFormatError(path, "rows", f"at most {_MAX_INTERVALS}", str(len(rows)))
    intervals = []
    for index, row in enumerate(rows):
        where = f"line {index + 1}"
        match = _ROW.fullmatch(row)
        if match is None:
            expected = f"{', '.join(_FIELDS)}, whole numbers"
            raise SkeletonFormatError(path, "row", expected, show(row), where)
        action, start, end, confidence = map(int, match.groups())
        if not 1 <= action <= CLASSES:
            raise SkeletonFormatError(path, "action", f"1 to {CLASSES}", str(action), where)
        start = max(start, 1)
        if end < start:
            raise SkeletonFormatError(path, "end frame", f"at least {start}", str(end), where)
        intervals.append(PkuInterval(action, start, end, confidence))
    return intervals


def write_pku_mmd(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a recording as rows of 150 numbers, whole or not at all.

    Coordinates get nine digits, enough for float32. Confidence beyond presence is not part of the
    format.

    Raises
    ------
    LayoutError : if the clip is not on layout ntu25 in metres
    SkeletonFormatError : if it has more than two persons or more frames than a reader accepts

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.ones((2, 4, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pku_mmd(Path(folder) / "0002-L.txt", clip)
    ...     read_pku_mmd(Path(folder) / "0002-L.txt").persons
    2
    """
    path = Path(path)
    require_ntu25(clip, "PKU-MMD files")
    if clip.frames > MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"at most {MAX_FRAMES}", str(clip.frames))
    points = pad_clip(clip, PERSONS, clip.frames)
    rows = points.astype(np.float64).transpose(1, 0, 2, 3).reshape(clip.frames, len(_NAMES))
    line = " ".join(["%.9g"] * len(_NAMES)) + "\n"
    text = "".join(line % tuple(row) for row in rows.tolist())
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")


def write_pku_labels(path: str | Path, intervals: Sequence[PkuInterval]) -> None:
    """Write a label file; the inverse of :func:`read_pku_labels`."""
    rows = [f"{i.action},{i.start},{i.end},{i.confidence}\n" for i in intervals]
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("".join(rows), encoding="ascii", newline="\n")


def _sniff(head: bytes) -> bool:
    """150 numbers in the first line."""
    tokens = head.split(b"\n", 1)[0].split()
    return len(tokens) == len(_NAMES) and all(_NUMBER.fullmatch(token) for token in tokens[:9])


register_format(
    SkeletonFormat(
        name="pku-mmd",
        title="PKU-MMD rows, one untrimmed recording, Kinect v2",
        layout="ntu25",
        suffixes=(".txt",),
        read=read_pku_mmd,
        write=write_pku_mmd,
        sniff=_sniff,
    )
)
