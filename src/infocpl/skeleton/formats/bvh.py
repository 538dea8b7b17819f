"""BVH motion capture files: any skeleton, any order of channels, by forward kinematics.

A file brings its own joints; their names are understood as far as
:mod:`infocpl.skeleton.formats.mocap_names` knows them, so that a clip can be mapped onto other
layouts by name. End sites become joints unless they lie on their joint. The format does not say in
which unit it is.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.skeleton.formats.bvh_text import (
    BvhJoint,
    BvhMotion,
    joint_positions,
    read_bvh_motion,
    write_bvh_motion,
)
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates
from infocpl.skeleton.formats.mocap_names import mocap_layout
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import Layout, create_layout, list_layouts
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["BvhUnit", "read_bvh", "write_bvh"]

BvhUnit = Literal["auto", "m", "cm", "mm", "inch", "acclaim", "none"]

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "acclaim": 0.0254 / 0.45}
_HUMAN, _ADULT = (0.9, 2.3), 1.7
# A person is about a third taller than from ankle to hip and from pelvis to the base of the skull.
_STATURE = 4 / 3
_CM = 100.0


def read_bvh(
    path: str | Path,
    *,
    layout: str | None = None,
    unit: BvhUnit = "auto",
    up: Literal["y", "z"] = "y",
) -> SkeletonSequence:
    """Read one BVH clip.

    Parameters
    ----------
    path : a ``.bvh`` file
    layout : name of the layout to map the clip onto; None keeps the file's own skeleton, or the
        layout of this package that has just its joints
    unit : of the file; "auto" takes the unit in which the length of legs, trunk and neck is that of
        a person of 0.9 to 2.3 m ("acclaim" is 0.45 to the inch, as in CMU's files), "none" knows
        none
    up : axis that points up in the file; the format says y, some programs write z

    Returns
    -------
    SkeletonSequence : (1, T, V, 3) y up; units "m", or "normalised" where the unit is not known

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or breaks the format (path, line, field)
    LayoutError : if `layout` cannot be reached from the joints of the file
    ConfigError : if `unit` or `up` is none of these

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.random.default_rng(0).normal(size=(1, 4, 25, 3)),
    ...                         create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bvh(Path(folder) / "a.bvh", clip)
    ...     again = read_bvh(Path(folder) / "a.bvh", unit="cm")
    >>> again.layout.name, bool(np.allclose(again.keypoints, clip.keypoints, atol=1e-6))
    ('ntu25', True)
    """
    path = Path(path)
    if unit not in get_args(BvhUnit) or up not in ("y", "z"):
        raise ConfigError(f"unit must be one of {', '.join(get_args(BvhUnit))} and up y or z")
    motion = read_bvh_motion(path)
    kept = [at for at, joint in enumerate(motion.joints) if not joint.end or any(joint.offset)]
    own = mocap_layout(
        "bvh",
        [motion.joints[at].name for at in kept],
        # Only end sites are left out, and nothing hangs on an end site.
        [kept.index(parent) if (parent := motion.joints[at].parent) >= 0 else -1 for at in kept],
    )
    points = joint_positions(motion)[:, kept]
    if up == "z":
        points = np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)
    if unit == "auto":
        unit = _guess_unit(points[0], own)
    points *= _METRES.get(unit, 1.0)
    check_coordinates(points, path, ("frame", "joint", "coordinate"), start=1)
    clip = _on_known_layout(
        SkeletonSequence(
            points[None].astype(np.float32),
            own,
            confidence=np.ones((1, *points.shape[:2]), np.float32),
            fps=_fps(motion.frame_time),
            units="normalised" if unit == "none" else "m",
            source=str(path),
        )
    )
    if layout is None or layout == clip.layout.name:
        return clip
    return create_layout_map(clip.layout, create_layout(layout)).apply(clip)


def _fps(frame_time: float) -> float:
    """Frames a second; 0.0333333 is meant to be a thirtieth."""
    fps = 1.0 / frame_time
    return float(round(fps)) if abs(fps - round(fps)) < 1e-4 * fps else fps


def _guess_unit(points: NDArray[np.float64], layout: Layout) -> BvhUnit:
    """The unit in which this body is as long as people are; "none" if there is none."""
    chains = (("head", "pelvis"), ("left_ankle", "left_hip"))
    parent = dict(layout.bones)
    length = 0.0
    for lower, upper in chains:
        if lower not in layout.joints or upper not in layout.joints:
            return "none"
        joint = lower
        while joint != upper:
            if joint not in parent:
                return "none"
            ends = layout.index(joint), layout.index(parent[joint])
            length += float(np.linalg.norm(points[ends[0]] - points[ends[1]]))
            joint = parent[joint]
    fitting: list[tuple[float, BvhUnit]] = []
    for unit in get_args(BvhUnit):
        stature = _STATURE * length * _METRES.get(unit, 0.0)
        if _HUMAN[0] <= stature <= _HUMAN[1]:
            fitting.append((abs(math.log(stature / _ADULT)), unit))
    # A child in inches is as long as a giant in Acclaim's unit; adults are likelier than both.
    return min(fitting, default=(0.0, "none"))[1]


def _on_known_layout(clip: SkeletonSequence) -> SkeletonSequence:
    """The clip on the layout of the package that has just its joints, or as it is."""
    for name in list_layouts():
        known = create_layout(f"{name}-3d")
        if set(known.joints) == set(clip.layout.joints):
            return create_layout_map(clip.layout, known).apply(clip)
    return clip


def write_bvh(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip of one person as a BVH file in centimetres, whole or not at all.

    A clip has positions and no rotations, so every joint gets three position channels. Reading such
    a file with ``unit="cm"`` gives the positions back to a millionth of a metre (of a unit, with
    ``unit="none"``, for a clip that is not in metres, whose numbers are written as they are).

    Raises
    ------
    LayoutError : if the clip is flat, in pixels, or has not one person who is present in every
        frame: the format knows neither absence nor confidence
    SkeletonFormatError : if it has more frames than a reader accepts

    Examples
    --------
    See :func:`read_bvh`.
    """
    path = Path(path)
    layout = clip.layout
    if layout.dims != 3 or clip.units == "px" or clip.persons != 1 or not clip.present.all():
        raise LayoutError(
            "BVH files hold one person, present in every frame, in three dimensions; this clip has "
            f"{clip.persons} on layout {layout.summary} in units {clip.units!r}, present in "
            f"{int(clip.present.sum())} of {clip.present.size} frames"
        )
    if clip.frames > MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"at most {MAX_FRAMES}", f"{clip.frames}")
    points = clip.keypoints[0].astype(np.float64) * (_CM if clip.units == "m" else 1.0)
    order, parents = _depth_first(layout)
    joints, columns = [], []
    for joint, parent in zip(order, parents, strict=True):
        relative = points[:, joint].copy()
        if parent >= 0:
            relative -= points[:, order[parent]]
        x, y, z = relative[0].tolist()
        channels = ("Xposition", "Yposition", "Zposition")
        joints.append(BvhJoint(layout.joints[joint], parent, (x, y, z), channels))
        columns.append(relative)
    write_bvh_motion(path, BvhMotion(tuple(joints), 1.0 / clip.fps, np.hstack(columns)))


def _depth_first(layout: Layout) -> tuple[list[int], list[int]]:
    """Joints in the order of a BVH file, and for each the place of its parent in that order."""
    parent = layout.parent_index()
    center = layout.index(layout.center)
    order: list[int] = []
    waiting = [center]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting += [c for c, p in reversed(list(enumerate(parent))) if p == joint != c]
    return order, [order.index(parent[j]) if j != center else -1 for j in order]


register_format(
    SkeletonFormat(
        name="bvh",
        title="BVH motion capture, any skeleton",
        layout=None,
        suffixes=(".bvh",),
        read=read_bvh,
        write=write_bvh,
        sniff=lambda head: head.lstrip().startswith(b"HIERARCHY"),
    )
)
