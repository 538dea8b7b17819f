"""Any clip as a table of comma-separated values, for spreadsheets and other languages.

Lines that begin with ``#`` say what the clip is: ``# layout: ntu25`` (a layout of this package; its
ending ``-2d`` or ``-3d`` says that it has other dimensions than usual) and, if wanted, ``# fps:``
(30), ``# units:`` (m, px or normalised), ``# frames:`` and ``# persons:`` (as many as the rows
name). Then come the names of the columns and a row for every person in every frame in which it is
present::

    # layout: coco17
    # fps: 25
    person,frame,nose_x,nose_y,nose_confidence,left_eye_x, ...
    0,0,101.5,-40.25,0.9, ...

Persons and frames count from 0, coordinates have y up, columns may come in any order, and those of
confidence may be left out (they are then 1).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_BODIES, MAX_FRAMES, check_coordinates, show
from infocpl.skeleton.formats.number_rows import parse_number, parse_rows, read_lines
from infocpl.skeleton.formats.plain_npz import (
    FPS,
    check_clip,
    check_layout,
    check_sizes,
    check_writable,
)
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_csv", "write_csv"]

_FACTS = ("layout", "fps", "units", "frames", "persons")
_MAX_FACTS = 50
_INDEX = ("person", "frame")


def read_csv(path: str | Path) -> SkeletonSequence:
    """Read one clip from a table.

    Returns
    -------
    SkeletonSequence : (M, T, V, C) on the layout the file names; a person is absent in frames
        without a row; ``units`` are "m" for three dimensions and "px" for two unless the file says
        other

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, does not name its layout, columns are not those
        of the layout, a person comes twice in a frame, or an entry is no finite number (path, line,
        column)

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.ones((2, 4, 25, 3)), create_layout("ntu25"), fps=25.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_csv(Path(folder) / "clip.csv", clip)
    ...     again = read_csv(Path(folder) / "clip.csv")
    >>> bool(np.array_equal(again.keypoints, clip.keypoints)), again.fps, again.layout.name
    (True, 25.0, 'ntu25')
    """
    path = Path(path)
    lines = read_lines(path, _MAX_FACTS + MAX_FRAMES * MAX_BODIES)
    facts, start = _read_facts(path, lines)
    if "layout" not in facts:
        expected = "a line such as '# layout: ntu25' at the beginning"
        raise SkeletonFormatError(path, "layout", expected, show(lines[0]))
    layout = check_layout(path, facts["layout"][0].decode("utf-8", "replace"))
    names = [name.strip().decode("utf-8", "replace") for name in lines[start].split(b",")]
    places = _places(path, names, layout, start + 1)
    table = parse_rows(path, lines[start + 1 :], names, start + 2, mark=b",")
    persons, frames = (_whole(path, table, names, name, start + 2) for name in _INDEX)
    size = [
        _count(path, facts, f"{name}s", 1 + int(column.max(initial=-1)))
        for name, column in zip(_INDEX, (persons, frames), strict=True)
    ]
    check_sizes(path, *size)
    _check_once(path, persons * size[1] + frames, start + 2)
    table = np.hstack([table, np.ones((len(table), 1))])[:, places]
    values = np.zeros((*size, len(layout), layout.dims + 1))
    values[persons, frames] = table.reshape(-1, len(layout), layout.dims + 1)
    check_coordinates(values[..., :-1], path, ("person", "frame", "joint", "coordinate"))
    units, fps = "m" if layout.dims == 3 else "px", FPS
    if "units" in facts:
        units = facts["units"][0].decode("utf-8", "replace")
    if "fps" in facts:
        fps = parse_number(path, facts["fps"][0], "fps", facts["fps"][1])
    return check_clip(path, values[..., :-1], values[..., -1], layout, fps, units)


def _read_facts(path: Path, lines: list[bytes]) -> tuple[dict[str, tuple[bytes, int]], int]:
    """What the lines with # say, and in which line; and the index of the line after them."""
    facts: dict[str, tuple[bytes, int]] = {}
    for at, line in enumerate(lines):
        text = line.strip()
        if text and not text.startswith(b"#"):
            return facts, at
        name, colon, value = text.lstrip(b"# ").partition(b":")
        key = name.strip().decode("utf-8", "replace")
        if colon and key in _FACTS:
            if key in facts:
                raise SkeletonFormatError(path, key, "it once", "it again", f"line {at + 1}")
            facts[key] = (value.strip(), at + 1)
    raise SkeletonFormatError(path, "content", "names of columns and rows", "none")


def _places(path: Path, names: list[str], layout: Layout, line: int) -> list[int]:
    """Column of every coordinate and confidence of every joint; -1 for a confidence left out."""
    axes = ("x", "y", "z")[: layout.dims]
    coordinates = {f"{joint}_{axis}" for joint in layout.joints for axis in axes}
    others = {f"{joint}_confidence" for joint in layout.joints} | set(_INDEX)
    for at, name in enumerate(names):
        if name not in coordinates | others or name in names[:at]:
            expected = f"person, frame and columns of layout {layout.name}, each once"
            raise SkeletonFormatError(path, "column", expected, show(name), f"line {line}")
    if missing := sorted((coordinates | set(_INDEX)) - set(names)):
        got = f"none called {show(', '.join(missing))}"
        expected = f"a column for every coordinate of layout {layout.name}"
        raise SkeletonFormatError(path, "column", expected, got, f"line {line}")
    index = {name: at for at, name in enumerate(names)}
    wanted = (f"{joint}_{what}" for joint in layout.joints for what in (*axes, "confidence"))
    return [index.get(name, -1) for name in wanted]


def _whole(
    path: Path, table: NDArray[np.float64], names: list[str], name: str, first: int
) -> NDArray[np.intp]:
    """The column of person or frame numbers."""
    column = table[:, names.index(name)]
    most = MAX_FRAMES if name == "frame" else MAX_BODIES
    wrong = np.flatnonzero((column < 0) | (column >= most) | (column != np.floor(column)))
    if len(wrong):
        got = f"{column[wrong[0]]:g}"
        where = f"line {first + wrong[0]}"
        raise SkeletonFormatError(path, name, f"a whole number from 0 to {most - 1}", got, where)
    return column.astype(np.intp)


def _count(path: Path, facts: dict[str, tuple[bytes, int]], name: str, least: int) -> int:
    if name not in facts:
        return least
    value, line = facts[name]
    if not (value.isdigit() and len(value) <= 9 and int(value) >= least):
        expected = f"a whole number, at least the {least} of the rows"
        raise SkeletonFormatError(path, name, expected, show(value), f"line {line}")
    return int(value)


def _check_once(path: Path, keys: NDArray[np.intp], first: int) -> None:
    _, firsts = np.unique(keys, return_index=True)
    if len(firsts) < len(keys):
        again = int(np.setdiff1d(np.arange(len(keys)), firsts)[0])
        expected = "every person once in a frame"
        raise SkeletonFormatError(path, "row", expected, "one again", f"line {first + again}")


def write_csv(path: str | Path, clip: SkeletonSequence) -> None:
    """Write any clip as a table, whole or not at all; reading returns it exactly.

    Raises
    ------
    LayoutError : if its layout is not one of this package
    SkeletonFormatError : if it has more frames or persons than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_csv`.
    """
    path = Path(path)
    check_writable(path, clip)
    axes = ("x", "y", "z")[: clip.layout.dims]
    names = [f"{joint}_{what}" for joint in clip.layout.joints for what in (*axes, "confidence")]
    facts = (clip.layout.name, repr(float(clip.fps)), clip.units, clip.frames, clip.persons)
    lines = [f"# {key}: {value}" for key, value in zip(_FACTS, facts, strict=True)]
    lines.append(",".join((*_INDEX, *names)))
    values = np.concatenate([clip.keypoints, clip.confidence[..., None]], axis=-1)
    row = "%d,%d" + ",%.9g" * len(names)
    for person, frame in np.argwhere(clip.present).tolist():
        lines.append(row % (person, frame, *values[person, frame].ravel().tolist()))
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


register_format(
    SkeletonFormat(
        name="csv",
        title="comma-separated values with a column for every coordinate of every joint",
        layout=None,
        suffixes=(".csv",),
        read=read_csv,
        write=write_csv,
        sniff=lambda head: head.startswith(b"#") and b"layout:" in head,
    )
)
