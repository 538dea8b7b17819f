"""Motion capture of synthetic actions: positions of joints turned into rotations of bones.

A sensor gives positions; files of motion capture hold angles. Where bones keep their length the
angles follow from the positions, up to the turn of a limb about itself, which no position shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from infocpl.skeleton.formats.acclaim import AcclaimMotion
from infocpl.skeleton.formats.acclaim_skeleton import AcclaimBone, AcclaimSkeleton
from infocpl.skeleton.formats.bvh_text import BvhJoint, BvhMotion
from infocpl.skeleton.formats.hdm05 import HDM05_BONES
from infocpl.skeleton.layout import Layout, create_layout

__all__ = ["capture_acclaim", "capture_bvh"]

Array = NDArray[np.float64]

_CM = 100.0
_ACCLAIM_SCALE = 0.45
_INCH = 0.0254
_BVH_NAMES = {
    "pelvis": "Hips", "spine": "Spine", "upper_spine": "Spine2", "neck": "Neck", "head": "Head",
    "shoulder": "Arm", "elbow": "ForeArm", "wrist": "Hand", "hip": "UpLeg", "knee": "Leg",
    "ankle": "Foot", "foot": "ToeBase",
}  # fmt: skip


def _outwards(layout: Layout) -> list[int]:
    """V positions, every parent before its children."""
    parent = layout.parent_index()
    order = [layout.index(layout.center)]
    for joint in order:
        order += [child for child, its in enumerate(parent) if its == joint != child]
    return order


def _rotations(points: Array, layout: Layout) -> tuple[Array, Array]:
    """Bones at rest and how every joint turns them.

    Parameters
    ----------
    points : (T, V, 3) positions

    Returns
    -------
    rest : (V, 3) from parent to joint in the first frame
    turns : (V, T, 3, 3) from the first frame's axes to those of each frame: of several bones below
        a joint the best common rotation (Kabsch), of one the smallest after that of the parent
    """
    parent = layout.parent_index()
    bones = points - points[:, parent]
    rest: Array = bones[0]
    turns = np.tile(np.eye(3), (points.shape[1], len(points), 1, 1))
    for joint in _outwards(layout):
        children = [child for child, its in enumerate(parent) if its == joint != child]
        above = turns[parent[joint]]
        if not children:
            turns[joint] = above
        elif len(children) == 1:
            turns[joint] = _align(above @ rest[children[0]], bones[:, children[0]]) @ above
        else:
            turns[joint] = _kabsch(rest[children], bones[:, children])
    return rest, turns


def _align(start: Array, end: Array) -> Array:
    """(T, 3, 3) smallest rotations that turn the directions `start` (T, 3) to those of `end`."""
    length = np.linalg.norm(start, axis=1) * np.linalg.norm(end, axis=1)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=1)
    angle = np.arctan2(sine, np.sum(start * end, axis=1))
    unit = axis / np.maximum(sine, 1e-12 * np.maximum(length, 1e-12))[:, None]
    matrices: Array = Rotation.from_rotvec(unit * angle[:, None]).as_matrix()
    return matrices


def _kabsch(start: Array, end: Array) -> Array:
    """(T, 3, 3) rotations that turn the vectors `start` (K, 3) best to those of `end` (T, K, 3)."""
    left, _, right = np.linalg.svd(np.einsum("tki,kj->tij", end, start))
    mirror = np.tile(np.eye(3), (len(end), 1, 1))
    mirror[:, 2, 2] = np.sign(np.linalg.det(left @ right))
    matrices: Array = left @ mirror @ right
    return matrices


def capture_bvh(points: Array, fps: float) -> BvhMotion:
    """Turn a body into a BVH file's motion in centimetres, with rotations.

    Parameters
    ----------
    points : (T, 25, 3) metres on layout ntu25, y up
    fps : frames a second

    Returns
    -------
    BvhMotion : joints named as in MotionBuilder, hands without fingers
    """
    layout = create_layout("ntu25")
    rest, turns = _rotations(points, layout)
    parent = layout.parent_index()
    joints: list[BvhJoint] = []
    columns: list[Array] = []
    places: dict[int, int] = {}
    waiting = [layout.index(layout.center)]
    while waiting:
        joint = waiting.pop()
        name = _bvh_name(layout.joints[joint])
        if not name:
            continue
        above = places.get(parent[joint], -1) if places else -1
        offset = rest[joint] * _CM if above >= 0 else np.zeros(3)
        x, y, z = offset.tolist()
        channels: tuple[str, ...] = ("Zrotation", "Xrotation", "Yrotation")
        local = turns[joint]
        if above < 0:
            columns.append(points[:, joint] * _CM)
            channels = ("Xposition", "Yposition", "Zposition", *channels)
        else:
            local = turns[parent[joint]].transpose(0, 2, 1) @ local
        columns.append(Rotation.from_matrix(local).as_euler("ZXY", degrees=True))
        places[joint] = len(joints)
        joints.append(BvhJoint(name, above, (x, y, z), channels))
        waiting += [child for child, its in enumerate(parent) if its == joint != child][::-1]
    return BvhMotion(tuple(joints), 1.0 / fps, np.hstack(columns))


def _bvh_name(joint: str) -> str:
    """Name of a joint in MotionBuilder; "" for hands and fingers."""
    side, _, base = joint.partition("_")
    if side in ("left", "right"):
        return f"{side.title()}{_BVH_NAMES[base]}" if base in _BVH_NAMES else ""
    return _BVH_NAMES[joint]


def capture_acclaim(points: Array) -> tuple[AcclaimSkeleton, AcclaimMotion]:
    """Turn a body into an Acclaim skeleton and its motion, in the units of HDM05.

    Parameters
    ----------
    points : (T, 31, 3) metres on layout hdm05_31, y up

    Returns
    -------
    The skeleton, whose bones have axes of their own and may all turn but those to the hips, and the
    motion, which gives the joints back as far as bones keep their length
    """
    layout = create_layout("hdm05_31")
    parent = layout.parent_index()
    bone_of = {joint: bone for bone, joint in HDM05_BONES.items()}
    unit = _INCH / _ACCLAIM_SCALE
    center = layout.index(layout.center)
    rest, turns = _rotations(points, layout)
    # How every bone is turned, by the joint at its far end.
    turned = {center: turns[center]}
    angles = Rotation.from_matrix(turns[center]).as_euler("xyz", degrees=True)
    values = {"root": np.hstack([points[:, center] / unit, angles])}
    bones = []
    for joint in _outwards(layout)[1:]:
        name, above = bone_of[layout.joints[joint]], turned[parent[joint]]
        length = float(np.linalg.norm(rest[joint]))
        x, y, z = (rest[joint] / max(length, 1e-12)).tolist()
        own = (20.0 * (joint % 3), -15.0 * (joint % 5), 10.0 * (joint % 7))
        free = () if name.endswith("hipjoint") else ("rx", "ry", "rz")
        bones.append(AcclaimBone(name, (x, y, z), length / unit, own, "XYZ", free))
        turned[joint] = above
        if free:
            bone = points[:, joint] - points[:, parent[joint]]
            turned[joint] = _align(above @ rest[joint], bone) @ above
            axes = Rotation.from_euler("xyz", own, degrees=True).as_matrix()
            local = axes.T @ above.transpose(0, 2, 1) @ turned[joint] @ axes
            values[name] = Rotation.from_matrix(local).as_euler("xyz", degrees=True)
    return (
        AcclaimSkeleton(
            scale=_ACCLAIM_SCALE,
            order=("TX", "TY", "TZ", "RX", "RY", "RZ"),
            axis="XYZ",
            position=(0.0, 0.0, 0.0),
            orientation=(0.0, 0.0, 0.0),
            bones=tuple(bones),
            parents={
                bone_of[layout.joints[j]]: bone_of[layout.joints[parent[j]]]
                for j in _outwards(layout)[1:]
            },
        ),
        AcclaimMotion(values),
    )
