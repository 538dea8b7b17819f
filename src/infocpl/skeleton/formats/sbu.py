"""SBU Kinect Interaction skeleton files (OpenNI, 15 joints, two persons).

Every row is a frame: its number, then 2 persons x 15 joints x (x, y, z). The file gives x and y as
fractions of the image plane (x to the right of the image, y DOWN) and z as a fraction of 1.28 m.
They are affine in metres, with a different factor on each axis; undoing it makes limb lengths
constant over a clip (median variation 0.7 %, against 3 % before). So this reader returns metres::

    X = 1.28 - 2.56 x        Y = 0.96 - 1.92 y        Z = 1.28 z

Both signs change, which is a half turn about z and not a mirror image: left stays left, y points
up, and a person who faces the sensor has the left shoulder at the smaller X. Dataset: Yun et al.,
"Two-person interaction detection using body-pose features", CVPR Workshops 2012.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates, read_bounded, show
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_sbu", "write_sbu"]

FPS = 15.0
_PERSONS, _JOINTS, _COORDS = 2, 15, 3
_COLUMNS = 1 + _PERSONS * _JOINTS * _COORDS
_OFFSET = np.array([1.28, 0.96, 0.0])
_SCALE = np.array([-2.56, -1.92, 1.28])


def read_sbu(path: str | Path) -> SkeletonSequence:
    r"""Read one SBU clip.

    Returns
    -------
    SkeletonSequence : (2, T, 15, 3) metres on layout sbu15, y up, 15 frames a second; a person
        whose row is all zero counts as absent in that frame

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or a row is not a rising frame number and 90
        finite numbers (path, line, field)

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "skeleton_pos.txt"
    ...     _ = path.write_text("7," + ",".join(["0.5"] * 90) + "\n")
    ...     read_sbu(path).keypoints[0, 0, 0].round(3).tolist()
    [0.0, 0.0, 0.6399999856948853]
    """
    path = Path(path)
    content = read_bounded(path).rstrip()
    found = content.count(b"\n") + 1
    if found > MAX_FRAMES:
        raise SkeletonFormatError(path, "rows", f"at most {MAX_FRAMES}", str(found))
    rows = content.replace(b"\r\n", b"\n").split(b"\n")
    last = -1
    numbers: list[float] = []
    for index, row in enumerate(rows):
        last = _collect(path, row, index + 1, last, numbers)
    values = np.array(numbers).reshape(len(rows), _PERSONS, _JOINTS, _COORDS)
    check_coordinates(values, path, ("line", "person", "joint", "coordinate"), start=1)
    present = np.any(values != 0, axis=(2, 3)).T
    if not present.any():
        raise SkeletonFormatError(path, "rows", "a person in some row", "zeros only")
    metres = (_OFFSET + _SCALE * values).transpose(1, 0, 2, 3) * present[..., None, None]
    confidence = np.repeat(present[..., None], _JOINTS, axis=2).astype(np.float32)
    return SkeletonSequence(
        metres.astype(np.float32),
        create_layout("sbu15"),
        confidence=confidence,
        fps=FPS,
        source=str(path),
    )


def _collect(path: Path, row: bytes, line: int, last: int, numbers: list[float]) -> int:
    """Append the 90 numbers of one row and return its frame number."""
    where = f"line {line}"
    columns = row.count(b",") + 1
    if columns != _COLUMNS:
        raise SkeletonFormatError(path, "columns", str(_COLUMNS), f"{columns}: {show(row)}", where)
    cells = row.split(b",")
    frame = cells[0].strip()
    if not (frame.isdigit() and len(frame) <= 9 and int(frame) > last):
        expected = f"a whole number above {last}"
        raise SkeletonFormatError(path, "frame number", expected, show(frame), where)
    for column, cell in enumerate(cells[1:]):
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
        # float() reads 1_000 as a thousand; no sensor writes that.
        if not math.isfinite(value) or b"_" in cell:
            person, rest = divmod(column, _JOINTS * _COORDS)
            joint, axis = divmod(rest, _COORDS)
            field = f"person {person + 1} joint {joint + 1} {'xyz'[axis]}"
            raise SkeletonFormatError(path, field, "a finite number", show(cell), where)
        numbers.append(value)
    return int(frame)


def write_sbu(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip of one or two persons as SBU rows, whole or not at all.

    An absent person is a row of zeros. Reading returns coordinates to a millionth of a metre;
    confidence and frame rate are not part of the format.

    Raises
    ------
    LayoutError : if the clip is not of one or two persons on layout sbu15 in metres
    SkeletonFormatError : if it has more frames than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_sbu`.
    """
    path = Path(path)
    if clip.layout.name != "sbu15" or clip.units != "m" or clip.persons > _PERSONS:
        raise LayoutError(
            f"SBU files hold two persons on layout 'sbu15' in metres; this clip has {clip.persons} "
            f"on layout {clip.layout.summary} in units {clip.units!r}"
        )
    if clip.frames > MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"at most {MAX_FRAMES}", f"{clip.frames}")
    if not clip.present.any():
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")
    values = np.zeros((clip.frames, _PERSONS, _JOINTS, _COORDS))
    fractions = (clip.keypoints.astype(np.float64) - _OFFSET) / _SCALE
    fractions *= clip.present[..., None, None]
    values[:, : clip.persons] = fractions.transpose(1, 0, 2, 3)
    check_coordinates(values, path, ("frame", "person", "joint", "coordinate"))
    row = "%d" + ",%.12g" * (_COLUMNS - 1) + "\n"
    table = values.reshape(clip.frames, -1).tolist()
    text = "".join(row % (frame, *numbers) for frame, numbers in enumerate(table, start=1))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")


def _sniff(head: bytes) -> bool:
    first = head.lstrip().split(b"\n", 1)[0]
    return first.count(b",") == _COLUMNS - 1 and first.split(b",", 1)[0].strip().isdigit()


register_format(
    SkeletonFormat(
        name="sbu",
        title="SBU Kinect Interaction rows, two persons",
        layout="sbu15",
        suffixes=(".txt", ".csv"),
        read=read_sbu,
        write=write_sbu,
        sniff=_sniff,
    )
)
