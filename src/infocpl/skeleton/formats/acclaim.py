"""Acclaim motion capture: a skeleton in an ``.asf`` file, its motion in ``.amc`` files.

The skeleton lists bones, each with a direction and a length in the axes of the rest pose, axes of
its own and the rotations it is free to make; the motion gives for every frame the angles of every
free bone and the place of the root. Used by :mod:`infocpl.skeleton.formats.hdm05`. Description of
the format: Lander, "Working with motion capture file formats", Game Developer, January 1998.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.acclaim_skeleton import AcclaimSkeleton
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates, show
from infocpl.skeleton.formats.number_rows import parse_rows, read_lines
from infocpl.skeleton.rotations import euler_rotation

__all__ = ["AcclaimMotion", "joint_positions", "read_amc", "write_amc"]


@dataclass(frozen=True, eq=False)
class AcclaimMotion:
    """What stands in an ``.amc`` file.

    Attributes
    ----------
    values : name of the root and of every free bone to its (T, K) numbers, in the order in which
        the skeleton lists its free motions; angles in degrees, places in the unit of the file
    """

    values: dict[str, NDArray[np.float64]]

    @property
    def frames(self) -> int:
        """Number of frames, T."""
        return len(self.values["root"])


def joint_positions(skeleton: AcclaimSkeleton, motion: AcclaimMotion) -> NDArray[np.float64]:
    """Forward kinematics: (T, B + 1, 3) metres, the root and the far end of every bone.

    A bone's rotation is L = C M C^-1 with its own axes C and its free angles M, the first one
    applied first; rotations multiply from the root outwards and turn the bone's direction.
    """
    frames = motion.frames
    root = motion.values["root"]
    place = np.tile(np.array(skeleton.position), (frames, 1))
    axes, angles = [], []
    for column, name in enumerate(skeleton.order):
        if name[0] == "T":
            place[:, "XYZ".index(name[1])] += root[:, column]
        else:
            axes.append(name[1].lower())
            angles.append(column)
    own = _axes(skeleton.axis, skeleton.orientation)
    turns = {"root": own @ _angles(axes, root[:, angles]) @ own.transpose(0, 2, 1)}
    positions = np.empty((frames, len(skeleton.bones) + 1, 3))
    positions[:, 0] = place
    index = {"root": 0} | {bone.name: at for at, bone in enumerate(skeleton.bones, start=1)}
    for name in skeleton.outwards():
        bone = skeleton.bones[index[name] - 1]
        turn = turns[skeleton.parents[name]]
        if bone.free:
            own = _axes(bone.axis_order, bone.axis)
            free = _angles([axis[1] for axis in bone.free], motion.values[name])
            turn = turn @ own @ free @ own.transpose(0, 2, 1)
        turns[name] = turn
        step = turn @ (np.array(bone.direction) * bone.length)
        positions[:, index[name]] = positions[:, index[skeleton.parents[name]]] + step
    return positions * skeleton.metres


def _angles(axes: list[str], degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations about `axes`, the first one applied first."""
    return euler_rotation(axes[::-1], degrees[:, ::-1])


def _axes(order: str, degrees: tuple[float, float, float]) -> NDArray[np.float64]:
    return _angles(list(order.lower()), np.array([degrees]))


def read_amc(path: str | Path, skeleton: AcclaimSkeleton) -> AcclaimMotion:
    """Read the motion of `skeleton`.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, a frame does not name the root and every free
        bone once, or a number is missing, too many or not finite (path, line, bone)
    """
    path = Path(path)
    columns = {"root": skeleton.order} | {b.name: b.free for b in skeleton.bones if b.free}
    lines = read_lines(path, MAX_FRAMES * (len(columns) + 1) + 100)
    start, radians = _read_keywords(path, lines)
    size = len(columns) + 1
    frames, rest = divmod(len(lines) - start, size)
    if frames < 1 or rest or frames > MAX_FRAMES:
        raise SkeletonFormatError(
            path,
            "lines",
            f"{size} for each of 1 to {MAX_FRAMES} frames: its number, the root, every free bone",
            f"{len(lines) - start} after line {start}",
        )
    names = [line.split(None, 1)[:1] for line in lines[start + 1 : start + size]]
    order = [name[0].decode("latin-1") if name else "" for name in names]
    if sorted(order) != sorted(columns):
        wrong = next((n for n in order if n not in columns or order.count(n) > 1), order[0])
        expected = "the root and every free bone of the skeleton once"
        raise SkeletonFormatError(
            path, "bone", expected, show(wrong), f"line {start + 2 + order.index(wrong)}"
        )
    _check_frames(path, lines, start, order)
    values = {}
    for at, name in enumerate(order, start=1):
        rows = [line.partition(name.encode("latin-1"))[2] for line in lines[start + at :: size]]
        fields = [f"{name} {motion}" for motion in columns[name]]
        table = parse_rows(path, rows, fields, start + at + 1, step=size)
        check_coordinates(table, path, ("frame", f"number of {name}"), start=1)
        values[name] = table
    if radians:
        for name, table in values.items():
            turned = [column[0] in "rR" for column in columns[name]]
            table[:, turned] = np.degrees(table[:, turned])
    return AcclaimMotion({name: values[name] for name in columns})


def _read_keywords(path: Path, lines: list[bytes]) -> tuple[int, bool]:
    """Index of the first line after comments and keywords, and whether angles are in radians."""
    radians = False
    for at, line in enumerate(lines):
        word = line.strip()
        if word.startswith(b":"):
            if word.upper() not in (b":FULLY-SPECIFIED", b":DEGREES", b":RADIANS"):
                expected = ":FULLY-SPECIFIED, :DEGREES or :RADIANS"
                raise SkeletonFormatError(path, "keyword", expected, show(word), f"line {at + 1}")
            radians = word.upper() == b":RADIANS" or (radians and word.upper() != b":DEGREES")
        elif word and not word.startswith(b"#"):
            return at, radians
    raise SkeletonFormatError(path, "content", "frames", "none")


def _check_frames(path: Path, lines: list[bytes], start: int, order: list[str]) -> None:
    """See that every frame is a number that rises and then the same names as the first one."""
    names = [name.encode("latin-1") for name in order]
    size = len(names) + 1
    last = -1
    for at in range(start, len(lines), size):
        number = lines[at].strip()
        if not (number.isdigit() and len(number) <= 9 and int(number) > last):
            expected = f"a whole number above {last}"
            raise SkeletonFormatError(
                path, "frame number", expected, show(number), f"line {at + 1}"
            )
        last = int(number)
        for offset, name in enumerate(names, start=1):
            words = lines[at + offset].split(None, 1)
            if not words or words[0] != name:
                got = show(words[0]) if words else "an empty line"
                where = f"line {at + offset + 1}"
                raise SkeletonFormatError(path, "bone", order[offset - 1], got, where)


def write_amc(path: str | Path, motion: AcclaimMotion) -> None:
    """Write a motion file in degrees, whole or not at all; reading it gives `motion` back."""
    lines = [":FULLY-SPECIFIED", ":DEGREES"]
    tables = {name: table.tolist() for name, table in motion.values.items()}
    for frame in range(motion.frames):
        lines.append(str(frame + 1))
        lines += [f"{name} {' '.join(map(repr, rows[frame]))}" for name, rows in tables.items()]
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="latin-1", newline="\n")
