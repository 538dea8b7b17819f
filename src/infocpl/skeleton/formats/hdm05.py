"""HDM05 motions (and CMU's, which have the same bones): Acclaim files at 120 frames a second.

A motion (``HDM_bd_squat1Reps_001_120.amc``) needs the skeleton of its actor (``HDM_bd.asf``), which
lies beside it. Joints are the root and the far ends of the thirty bones. A unit of these files is
1/0.45 of an inch; the skeleton says so, and coordinates become metres. Dataset: Müller et al.,
"Documentation mocap database HDM05", Bonn, 2007.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.acclaim import joint_positions, read_amc
from infocpl.skeleton.formats.acclaim_skeleton import read_asf
from infocpl.skeleton.formats.limits import check_coordinates, read_head, show
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["HDM05_BONES", "find_skeleton", "read_hdm05"]

FPS = 120.0
_MIDDLE = {
    "root": "pelvis", "lowerback": "lower_spine", "upperback": "spine", "thorax": "upper_spine",
    "lowerneck": "neck", "upperneck": "upper_neck", "head": "head",
}  # fmt: skip
_SIDED = {
    "hipjoint": "hip", "femur": "knee", "tibia": "ankle", "foot": "foot", "toes": "toes",
    "clavicle": "shoulder", "humerus": "elbow", "radius": "forearm", "wrist": "wrist",
    "hand": "hand", "fingers": "hand_tip", "thumb": "thumb",
}  # fmt: skip
HDM05_BONES = _MIDDLE | {
    f"{side[0]}{bone}": f"{side}_{joint}"
    for side in ("left", "right")
    for bone, joint in _SIDED.items()
}
"""Bone to the joint of layout hdm05_31 at its far end."""


def read_hdm05(
    path: str | Path, *, skeleton: str | Path | None = None, fps: float = FPS
) -> SkeletonSequence:
    """Read one HDM05 or CMU motion.

    Parameters
    ----------
    path : an ``.amc`` file
    skeleton : its ``.asf`` file; None finds it as :func:`find_skeleton` does
    fps : frames a second, which the format does not say

    Returns
    -------
    SkeletonSequence : (1, T, 31, 3) metres on layout hdm05_31, y up

    Raises
    ------
    SkeletonFormatError : if a file is missing, unreadable or breaks the format (path, line, field),
        or the skeleton has other bones

    Examples
    --------
    >>> read_hdm05("no/such/HDM_bd_walk_120.amc")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: no/such/HDM_bd_walk_120.amc: file: expected a readable \
file, got nothing at this path
    """
    path = Path(path)
    read_head(path, 1)  # a missing motion is not to be taken for a missing skeleton
    asf = Path(skeleton) if skeleton is not None else find_skeleton(path)
    body = read_asf(asf)
    names = ["root", *(bone.name for bone in body.bones)]
    if sorted(names) != sorted(HDM05_BONES):
        odd = sorted(set(names) ^ set(HDM05_BONES))
        raise SkeletonFormatError(asf, "bones", "the thirty of HDM05", show(", ".join(odd), 80))
    points = joint_positions(body, read_amc(path, body))
    layout = create_layout("hdm05_31")
    joints = [HDM05_BONES[name] for name in names]
    points = points[:, [joints.index(joint) for joint in layout.joints]]
    check_coordinates(points, path, ("frame", "joint", "coordinate"), start=1)
    return SkeletonSequence(
        points[None].astype(np.float32),
        layout,
        confidence=np.ones((1, *points.shape[:2]), np.float32),
        fps=fps,
        source=str(path),
    )


def find_skeleton(path: Path) -> Path:
    """The skeleton of a motion: the ``.asf`` file whose name its own name begins with.

    Looked for beside the motion, then one folder up (motions cut by class lie in folders of
    their own). Of several the longest name wins; a skeleton that is alone in the motion's folder
    needs no such name.

    Raises
    ------
    SkeletonFormatError : if there is none, or several and none of such a name
    """
    beside = _skeletons_in(path.parent)
    for found in (beside, _skeletons_in(path.parent.parent)):
        named = [file for file in found if path.name.startswith(file.stem)]
        if named:
            return max(named, key=lambda file: len(file.stem))
    if len(beside) == 1:
        return beside[0]
    got = ", ".join(file.name for file in beside) if beside else "no .asf file"
    expected = "its .asf file beside it or one folder up, named as the motion begins"
    raise SkeletonFormatError(path, "skeleton", expected, show(got, 80))


def _skeletons_in(folder: Path) -> list[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.suffix.lower() == ".asf")
    except (OSError, ValueError):
        return []


register_format(
    SkeletonFormat(
        name="hdm05",
        title="HDM05 and CMU motion capture, .amc with its .asf beside it",
        layout="hdm05_31",
        suffixes=(".amc",),
        read=read_hdm05,
        write=None,
        sniff=lambda head: b":FULLY-SPECIFIED" in head,
    )
)
