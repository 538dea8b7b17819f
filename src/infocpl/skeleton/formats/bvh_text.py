"""The text of BVH files: a tree of joints with offsets and channels, then a row for every frame.

Used by :mod:`infocpl.skeleton.formats.bvh`, which makes clips of the result. Description of the
format: Meredith and Maddock, "Motion capture file formats explained", Sheffield, 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_COORDINATE, MAX_FRAMES, check_coordinates, show
from infocpl.skeleton.formats.number_rows import parse_number, parse_rows, read_lines
from infocpl.skeleton.rotations import euler_rotation

__all__ = ["BvhJoint", "BvhMotion", "joint_positions", "read_bvh_motion", "write_bvh_motion"]

_MAX_JOINTS = 128
_MAX_HEADER = 16 * _MAX_JOINTS
_CHANNELS = tuple(f"{axis}{kind}" for kind in ("position", "rotation") for axis in "XYZ")
_BY_LOWER = {name.lower().encode(): name for name in _CHANNELS}


@dataclass(frozen=True)
class BvhJoint:
    """A joint or an end site.

    Attributes
    ----------
    name : as in the file; an end site has the name of its joint with "End" behind
    parent : position of its parent, which comes before it; -1 for the root
    offset : from its parent, in the axes of the parent and the unit of the file
    channels : in order, ``"Xposition"`` to ``"Zrotation"``; none at an end site
    end : whether it is an end site
    """

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...] = ()
    end: bool = False


@dataclass(frozen=True, eq=False)
class BvhMotion:
    """What stands in a BVH file.

    Attributes
    ----------
    joints : in file order, the root first
    frame_time : seconds from frame to frame
    values : (T, K) one column for every channel of every joint; angles in degrees
    """

    joints: tuple[BvhJoint, ...]
    frame_time: float
    values: NDArray[np.float64]


def joint_positions(motion: BvhMotion) -> NDArray[np.float64]:
    """Forward kinematics: (T, V, 3) positions in the axes and the unit of the file.

    Position channels take the place of the joint's offset, as they do in the files of Rokoko,
    MotionBuilder and others (there both are equal while a bone keeps its length). Rotations apply
    in the order of the channels, the last one first, to everything below the joint.
    """
    frames = len(motion.values)
    positions = np.empty((frames, len(motion.joints), 3))
    turns: list[NDArray[np.float64]] = []
    column = 0
    for at, joint in enumerate(motion.joints):
        columns = motion.values[:, column : column + len(joint.channels)]
        column += len(joint.channels)
        place = np.tile(np.array(joint.offset), (frames, 1))
        axes, angles = [], []
        for index, channel in enumerate(joint.channels):
            if channel.endswith("position"):
                place[:, "XYZ".index(channel[0])] = columns[:, index]
            else:
                axes.append(channel[0].lower())
                angles.append(index)
        turn = euler_rotation(axes, columns[:, angles])
        if joint.parent >= 0:
            above = turns[joint.parent]
            place = positions[:, joint.parent] + np.einsum("tij,tj->ti", above, place)
            turn = above @ turn
        positions[:, at] = place
        turns.append(turn)
    return positions


def read_bvh_motion(path: str | Path) -> BvhMotion:
    """Read a BVH file.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, breaks the format anywhere (path, line, field),
        or has more than 128 joints, two roots, or more frames than a clip may have
    """
    path = Path(path)
    lines = read_lines(path, _MAX_HEADER + MAX_FRAMES)
    words = _Words(path, lines)
    words.expect(b"HIERARCHY")
    words.expect(b"ROOT")
    joints = _read_joints(words)
    words.expect(b"MOTION")
    words.expect(b"Frames:")
    count = words.whole("frame count", 1, MAX_FRAMES)
    words.expect(b"Frame")
    words.expect(b"Time:")
    frame_time = words.number("frame time")
    if not 1e-4 <= frame_time <= 10:
        got = f"{frame_time:g}"
        raise words.error("frame time", "seconds from 0.0001 to 10", got)
    words.end_of_line()
    rows = lines[words.line :]
    if len(rows) != count:
        raise SkeletonFormatError(path, "motion", f"{count} rows", f"{len(rows)}")
    names = [f"{joint.name} {channel}" for joint in joints for channel in joint.channels]
    values = parse_rows(path, rows, names, words.line + 1)
    check_coordinates(values, path, ("frame", "channel"), start=1)
    return BvhMotion(tuple(joints), frame_time, values)


class _Words:
    """The words of the header, one after another, and the line each stands in."""

    def __init__(self, path: Path, lines: list[bytes]) -> None:
        self.path = path
        self.line = 0  # number of the line the last word stood in, from 1
        self._words = self._walk(lines[:_MAX_HEADER])
        self._rest: list[bytes] = []

    def _walk(self, lines: list[bytes]) -> Iterator[bytes]:
        for number, line in enumerate(lines, start=1):
            self._rest = line.split()
            self._rest.reverse()
            while self._rest:
                self.line = number
                yield self._rest.pop()

    def error(self, field: str, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, field, expected, got, f"line {self.line}")

    def next(self, field: str, expected: str) -> bytes:
        word = next(self._words, None)
        if word is None:
            raise self.error(field, expected, "the end of the header")
        return word

    def expect(self, word: bytes) -> None:
        expected = word.decode("ascii")
        found = self.next("keyword", expected)
        if found != word:
            raise self.error("keyword", expected, show(found))

    def number(self, field: str) -> float:
        word = self.next(field, "a finite number")
        value = parse_number(self.path, word, field, self.line)
        if abs(value) > MAX_COORDINATE:
            raise self.error(field, f"a number within {MAX_COORDINATE:.0e}", show(word))
        return value

    def whole(self, field: str, low: int, high: int) -> int:
        expected = f"a whole number from {low} to {high}"
        word = self.next(field, expected)
        if not (word.isdigit() and len(word) <= 9 and low <= int(word) <= high):
            raise self.error(field, expected, show(word))
        return int(word)

    def end_of_line(self) -> None:
        if self._rest:
            raise self.error("line", "nothing more", show(self._rest[-1]))


def _read_joints(words: _Words) -> list[BvhJoint]:
    """Read the tree from the name of the root to its closing brace."""
    joints = [_read_joint(words, -1)]
    open_joints = [0]
    while open_joints:
        word = words.next("hierarchy", "JOINT, End Site or }")
        if word == b"}":
            open_joints.pop()
        elif word == b"JOINT":
            joints.append(_read_joint(words, open_joints[-1]))
            open_joints.append(len(joints) - 1)
        elif word == b"End":
            joints.append(_read_end(words, open_joints[-1], joints))
        else:
            raise words.error("hierarchy", "JOINT, End Site or }", show(word))
        if len(joints) > _MAX_JOINTS:
            raise words.error("hierarchy", f"at most {_MAX_JOINTS} joints", "more")
    return joints


def _read_joint(words: _Words, parent: int) -> BvhJoint:
    name = words.next("joint name", "a name")
    while (word := words.next("joint name", "{")) != b"{":  # some names hold blanks
        name += b" " + word
        if len(name) > 200:
            raise words.error("joint name", "{ after a name", show(name))
    offset = _read_offset(words)
    words.expect(b"CHANNELS")
    channels = []
    for _ in range(words.whole("channel count", 0, len(_CHANNELS))):
        word = words.next("channel", "a channel such as Xposition")
        channel = _BY_LOWER.get(word.lower())
        if channel is None or channel in channels:
            expected = f"one of {', '.join(_CHANNELS)}, each once"
            raise words.error("channel", expected, show(word))
        channels.append(channel)
    return BvhJoint(name.decode("utf-8", "replace"), parent, offset, tuple(channels))


def _read_end(words: _Words, parent: int, joints: list[BvhJoint]) -> BvhJoint:
    words.expect(b"Site")
    words.expect(b"{")
    offset = _read_offset(words)
    words.expect(b"}")
    return BvhJoint(f"{joints[parent].name}End", parent, offset, end=True)


def _read_offset(words: _Words) -> tuple[float, float, float]:
    words.expect(b"OFFSET")
    x, y, z = (words.number(f"offset {axis}") for axis in "xyz")
    return x, y, z


def write_bvh_motion(path: str | Path, motion: BvhMotion) -> None:
    """Write a BVH file, whole or not at all; reading it gives `motion` back exactly."""
    lines = ["HIERARCHY"]
    open_joints: list[int] = []

    def close(until: int) -> None:
        while open_joints and open_joints[-1] != until:
            open_joints.pop()
            lines.append("  " * len(open_joints) + "}")

    for at, joint in enumerate(motion.joints):
        close(joint.parent)
        indent = "  " * len(open_joints)
        keyword = "ROOT" if joint.parent < 0 else "JOINT"
        lines.append(indent + ("End Site" if joint.end else f"{keyword} {joint.name}"))
        lines.append(indent + "{")
        lines.append(f"{indent}  OFFSET {' '.join(map(repr, joint.offset))}")
        if not joint.end:
            channels = " ".join((str(len(joint.channels)), *joint.channels))
            lines.append(f"{indent}  CHANNELS {channels}")
        open_joints.append(at)
    close(-1)
    lines += ["MOTION", f"Frames: {len(motion.values)}", f"Frame Time: {motion.frame_time!r}"]
    lines += [" ".join(map(repr, row)) for row in motion.values.tolist()]
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
