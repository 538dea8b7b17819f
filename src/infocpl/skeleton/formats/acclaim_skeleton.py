"""Acclaim skeletons: the ``.asf`` half of a motion capture recording.

Used by :mod:`infocpl.skeleton.formats.acclaim`, which moves them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_COORDINATE, show
from infocpl.skeleton.formats.number_rows import parse_number, read_lines

__all__ = ["AcclaimBone", "AcclaimSkeleton", "read_asf", "write_asf"]

_MAX_BONES = 128
_MAX_LINES = 8_000
_INCH = 0.0254
_ROOT_MOTIONS = ("TX", "TY", "TZ", "RX", "RY", "RZ")
_BONE_MOTIONS = ("rx", "ry", "rz")
_ORDERS = ("XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX")

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class AcclaimBone:
    """A bone.

    Attributes
    ----------
    name : as in the file
    direction, length : from its near to its far end in the rest pose, in units of the file
    axis, axis_order : angles of its own axes in degrees, and the order in which they apply
    free : its free rotations in the order of the motion file, ``"rx"`` to ``"rz"``
    """

    name: str
    direction: Triple
    length: float
    axis: Triple
    axis_order: str = "XYZ"
    free: tuple[str, ...] = ()


@dataclass(frozen=True)
class AcclaimSkeleton:
    """What stands in an ``.asf`` file.

    Attributes
    ----------
    scale : units of length in an inch, as the file gives it (0.45)
    order : what the motion file says of the root, ``"TX"`` to ``"RZ"``
    axis, orientation : order and angles (degrees) of the root's own axes
    position : of the root, in units of the file
    bones : in file order
    parents : name of every bone to that of its parent, "root" for the first ones
    """

    scale: float
    order: tuple[str, ...]
    axis: str
    position: Triple
    orientation: Triple
    bones: tuple[AcclaimBone, ...]
    parents: dict[str, str]

    @property
    def metres(self) -> float:
        """Length of a unit of the file."""
        return _INCH / self.scale

    def outwards(self) -> list[str]:
        """Names of the bones, every parent before its children."""
        order: list[str] = []
        waiting = ["root"]
        while waiting:
            here = waiting.pop()
            children = [bone.name for bone in self.bones if self.parents[bone.name] == here]
            order += children
            waiting += children
        return order


def read_asf(path: str | Path) -> AcclaimSkeleton:
    """Read a skeleton; sections other than units, root, bones and hierarchy are passed over.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or breaks the format (path, line, field), has
        more than 128 bones, motions other than rotations of bones, or a hierarchy that is no tree
    """
    path = Path(path)
    sections = _sections(path)
    for name in ("units", "root", "bonedata", "hierarchy"):
        if name not in sections:
            got = show(", ".join(sections)) if sections else "none"
            raise SkeletonFormatError(path, "sections", f"one called :{name}", got)
    scale, to_degrees = _read_units(sections["units"])
    root = _read_root(path, sections["root"])
    bones = tuple(_read_bones(sections["bonedata"], to_degrees))
    parents = _read_hierarchy(path, sections["hierarchy"], bones)
    skeleton = AcclaimSkeleton(
        scale=scale,
        order=root["order"].words(_ROOT_MOTIONS),
        axis=root["axis"].word(1, _ORDERS),
        position=root["position"].triple(),
        orientation=root["orientation"].triple(to_degrees),
        bones=bones,
        parents=parents,
    )
    if len(skeleton.outwards()) != len(bones):
        lost = sorted({bone.name for bone in bones} - set(skeleton.outwards()))
        expected = "every bone hanging on the root"
        raise SkeletonFormatError(path, "hierarchy", expected, show(", ".join(lost)))
    return skeleton


@dataclass(frozen=True)
class _Line:
    """A line that says something: its words, and where it stands."""

    path: Path
    number: int
    tokens: tuple[bytes, ...]

    def error(self, field: str, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, field, expected, got, f"line {self.number}")

    @property
    def key(self) -> str:
        return self.tokens[0].decode("latin-1")

    def text(self, at: int) -> str:
        if at >= len(self.tokens):
            raise self.error(self.key, f"{at} entries", f"{len(self.tokens) - 1}")
        return self.tokens[at].decode("latin-1")

    def word(self, at: int, known: tuple[str, ...]) -> str:
        """One of `known`, in whatever case."""
        word = self.text(at)
        for candidate in known:
            if word.lower() == candidate.lower():
                return candidate
        raise self.error(self.key, f"one of {', '.join(known)}", show(word))

    def words(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """All entries, of `known` and none twice."""
        found = tuple(self.word(at, known) for at in range(1, len(self.tokens)))
        if not found or len(set(found)) != len(found):
            expected = f"some of {', '.join(known)}, each once"
            raise self.error(self.key, expected, show(" ".join(found)))
        return found

    def number_at(self, at: int) -> float:
        self.text(at)
        value = parse_number(self.path, self.tokens[at], self.key, self.number)
        if abs(value) > MAX_COORDINATE:
            expected = f"a number within {MAX_COORDINATE:.0e}"
            raise self.error(self.key, expected, show(self.tokens[at]))
        return value

    def triple(self, factor: float = 1.0) -> Triple:
        return self.number_at(1) * factor, self.number_at(2) * factor, self.number_at(3) * factor


def _sections(path: Path) -> dict[str, list[_Line]]:
    sections: dict[str, list[_Line]] = {}
    here: list[_Line] = []
    for number, line in enumerate(read_lines(path, _MAX_LINES), start=1):
        tokens = tuple(line.split(b"#", 1)[0].split())
        if not tokens:
            continue
        if tokens[0].startswith(b":"):
            name = tokens[0][1:].decode("latin-1").lower()
            if name in sections:
                raise SkeletonFormatError(
                    path, "section", "every section once", show(tokens[0]), f"line {number}"
                )
            here = sections[name] = []
        else:
            here.append(_Line(path, number, tokens))
    return sections


def _read_units(lines: list[_Line]) -> tuple[float, float]:
    """Units of length in an inch, and the factor from angles of the file to degrees."""
    scale, to_degrees = 1.0, 1.0
    for line in lines:
        if line.key == "length":
            scale = line.number_at(1)
            if not 1e-3 <= scale <= 1e3:
                raise line.error("length", "a number from 0.001 to 1000", show(line.text(1)))
        elif line.key == "angle" and line.word(1, ("deg", "rad")) == "rad":
            to_degrees = 180.0 / math.pi
    return scale, to_degrees


def _read_root(path: Path, lines: list[_Line]) -> dict[str, _Line]:
    found = {line.key: line for line in lines}
    for name in ("order", "axis", "position", "orientation"):
        if name not in found:
            expected = "order, axis, position and orientation"
            raise SkeletonFormatError(path, "root", expected, show(", ".join(found)))
    return found


def _read_bones(lines: list[_Line], to_degrees: float) -> Iterator[AcclaimBone]:
    names: set[str] = set()
    facts: dict[str, _Line] | None = None
    for line in lines:
        if line.key == "begin":
            if facts is not None:
                raise line.error("bone", "end before the next begin", "begin")
            facts = {}
        elif facts is None:
            raise line.error("bone", "begin", show(line.tokens[0]))
        elif line.key != "end":
            facts[line.key] = line
        else:
            bone = _read_bone(line, facts, to_degrees)
            if bone.name in names or bone.name == "root" or len(names) >= _MAX_BONES:
                expected = f"at most {_MAX_BONES} bones of different names"
                raise line.error("bone", expected, show(bone.name))
            names.add(bone.name)
            facts = None
            yield bone
    if facts is not None:
        raise lines[-1].error("bone", "end", "the end of the section")


def _read_bone(end: _Line, facts: dict[str, _Line], to_degrees: float) -> AcclaimBone:
    for key in ("name", "direction", "length", "axis"):
        if key not in facts:
            raise end.error("bone", f"its {key}", show(", ".join(facts)))
    return AcclaimBone(
        name=facts["name"].text(1),
        direction=facts["direction"].triple(),
        length=facts["length"].number_at(1),
        axis=facts["axis"].triple(to_degrees),
        axis_order=facts["axis"].word(4, _ORDERS),
        free=facts["dof"].words(_BONE_MOTIONS) if "dof" in facts else (),
    )


def _read_hierarchy(
    path: Path, lines: list[_Line], bones: tuple[AcclaimBone, ...]
) -> dict[str, str]:
    names = {bone.name for bone in bones}
    parents: dict[str, str] = {}
    for line in lines:
        if line.key in ("begin", "end"):
            continue
        if line.key not in names | {"root"}:
            raise line.error("hierarchy", "a bone", show(line.tokens[0]))
        for at in range(1, len(line.tokens)):
            child = line.text(at)
            if child not in names or child in parents:
                raise line.error("hierarchy", "every bone below one other", show(child))
            parents[child] = line.key
    if missing := sorted(names - set(parents)):
        got = f"none above {show(', '.join(missing))}"
        raise SkeletonFormatError(path, "hierarchy", "a parent of every bone", got)
    return parents


def write_asf(path: str | Path, skeleton: AcclaimSkeleton) -> None:
    """Write a skeleton, whole or not at all; reading it gives `skeleton` back."""

    def numbers(values: Triple) -> str:
        return " ".join(map(repr, values))

    lines = [":version 1.10", ":name infocpl", ":units", f"  length {skeleton.scale!r}"]
    lines += ["  angle deg", ":root", f"  order {' '.join(skeleton.order)}"]
    lines += [f"  axis {skeleton.axis}", f"  position {numbers(skeleton.position)}"]
    lines += [f"  orientation {numbers(skeleton.orientation)}", ":bonedata"]
    for number, bone in enumerate(skeleton.bones, start=1):
        lines += ["  begin", f"    id {number}", f"    name {bone.name}"]
        lines += [f"    direction {numbers(bone.direction)}", f"    length {bone.length!r}"]
        lines.append(f"    axis {numbers(bone.axis)} {bone.axis_order}")
        if bone.free:
            lines.append(f"    dof {' '.join(bone.free)}")
        lines.append("  end")
    lines += [":hierarchy", "  begin"]
    for above in ("root", *(bone.name for bone in skeleton.bones)):
        children = [bone.name for bone in skeleton.bones if skeleton.parents[bone.name] == above]
        if children:
            lines.append(f"    {above} {' '.join(children)}")
    lines.append("  end")
    with atomic_path(Path(path)) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="latin-1", newline="\n")
