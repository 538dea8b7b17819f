"""Layouts for motion capture files, which bring a skeleton and joint names of their own.

Names are compared with the table in ``mocap_names.json``, which knows MotionBuilder and Mixamo
(``LeftUpLeg``, ``mixamorig:LeftForeArm``), Biped (``Bip01 L Thigh``), Blender (``UpperArm.L``),
Poser and Daz (``lShldr``), and anatomical names (``LeftKnee``). A joint that is not in the table
keeps its own name and belongs to the body part of its parent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources

from infocpl.skeleton.layout import Layout, create_layout, list_layouts

__all__ = ["mocap_layout", "name_joints"]

_PREFIX = re.compile(
    r"(?:.*:)?(?:(?i:mixamorig|joint|bip|valvebiped|character)\d*(?=[_. A-Z])[_. ]*)*"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SIDES = {"left": "left", "l": "left", "right": "right", "r": "right"}
_PARTS = {
    "head": ("head", "neck", "upper_neck", "head_top"),
    "torso": ("pelvis", "spine", "lower_spine", "chest"),
    "arm": ("collar", "shoulder", "elbow", "wrist", "hand", "hand_tip", "thumb"),
    "leg": ("hip", "knee", "ankle", "foot", "toes"),
}


@cache
def _table(kind: str) -> dict[str, list[str]]:
    text = (resources.files("infocpl.skeleton") / "mocap_names.json").read_text(encoding="utf-8")
    table: dict[str, list[str]] = json.loads(text)[kind]
    return table


@cache
def _sided_names() -> frozenset[str]:
    return frozenset(name for names in _table("sided").values() for name in names)


def _split(name: str) -> tuple[str, list[str]]:
    """Side ("left", "right" or "") and words of a joint name.

    Examples
    --------
    >>> _split("mixamorig:LeftForeArm"), _split("UpperArm_R"), _split("lShldr")
    (('left', ['fore', 'arm']), ('right', ['upper', 'arm']), ('left', ['shldr']))
    """
    prefix = _PREFIX.match(name)
    words = [word.lower() for word in _WORD.findall(name[prefix.end() if prefix else 0 :])]
    for at, word in enumerate(words):
        if word in _SIDES and len(words) > 1:
            return _SIDES[word], words[:at] + words[at + 1 :]
    first = words[0] if words else ""
    for mark, side in _SIDES.items():
        rest = first.removeprefix(mark)
        if rest != first and "".join([rest, *words[1:]]) in _sided_names():
            return side, [rest, *words[1:]]
    return "", words


def name_joints(names: Sequence[str]) -> list[str]:
    """Give every joint of a file a name of its own, one of the package's where the table knows it.

    Names that are all joint names of the package are kept.

    Examples
    --------
    >>> name_joints(["Hips", "LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase", "Prop"])
    ['pelvis', 'left_hip', 'left_knee', 'left_ankle', 'left_foot', 'prop']
    """
    if len(set(names)) == len(names) and set(names) <= _known_joints():
        return list(names)
    split = [_split(name) for name in names]
    result = [""] * len(names)
    for side in ("left", "right", ""):
        for joint, aliases in _table("sided" if side else "middle").items():
            for alias in aliases:
                found = [
                    at
                    for at, (its_side, words) in enumerate(split)
                    if its_side == side and "".join(words) == alias and not result[at]
                ]
                if found:
                    result[found[0]] = f"{side}_{joint}" if side else joint
                    break
    taken = {name for name in result if name}
    for at, (side, words) in enumerate(split):
        if not result[at]:
            name = "_".join([side, *words] if side else words) or "joint"
            number, unique = 1, name
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            result[at] = unique
            taken.add(unique)
    return result


@cache
def _known_joints() -> frozenset[str]:
    return frozenset(joint for name in list_layouts() for joint in create_layout(name).joints)


def mocap_layout(kind: str, names: Sequence[str], parents: Sequence[int]) -> Layout:
    """Make the layout of a file's skeleton.

    Parameters
    ----------
    kind : name of the layout
    names : V joint names of the file
    parents : position of each joint's parent, before it; -1 for the root

    Returns
    -------
    Layout : of V joints in the file's order; its centre is the pelvis where one is named so
    """
    joints = name_joints(names)
    center = joints.index("pelvis") if "pelvis" in joints else 0
    parts: list[str] = []
    for at, joint in enumerate(joints):
        own = _part(joint)
        parts.append(own or (parts[parents[at]] if parents[at] >= 0 else "torso"))
    return Layout(
        name=kind,
        joints=tuple(joints),
        bones=tuple((joints[a], joints[b]) for a, b in _bones_from(center, parents)),
        symmetry=tuple(
            (joint, twin)
            for joint in joints
            if joint.startswith("left_")
            and (twin := f"right_{joint.removeprefix('left_')}") in joints
        ),
        parts={
            part: tuple(joint for joint, its in zip(joints, parts, strict=True) if its == part)
            for part in dict.fromkeys(parts)
        },
        center=joints[center],
        description="the skeleton that a motion capture file brings",
    )


def _part(joint: str) -> str:
    side, _, rest = joint.partition("_")
    sided = side in ("left", "right")
    for part, members in _PARTS.items():
        if (rest if sided else joint) in members and sided == (part in ("arm", "leg")):
            return f"{side}_{part}" if sided else part
    return ""


def _bones_from(center: int, parents: Sequence[int]) -> list[tuple[int, int]]:
    """(child, parent) pairs of the same tree with its root at `center`."""
    turned = dict(enumerate(parents))
    joint, before = center, -1
    while joint >= 0:
        turned[joint], before, joint = before, joint, turned[joint]
    return [(child, parent) for child, parent in turned.items() if parent >= 0]
