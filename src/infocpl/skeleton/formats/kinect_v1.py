"""What the writers of datasets recorded with a Kinect v1 have in common: one person, 20 joints."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["check_one_kinect_person"]


def check_one_kinect_person(path: Path, clip: SkeletonSequence, title: str) -> None:
    """Refuse to write what files of one person before a Kinect v1 cannot hold.

    Raises
    ------
    LayoutError : if the clip is not of one person on layout kinect20 in metres
    SkeletonFormatError : if it has too many frames, too large coordinates, or nobody in it
    """
    if clip.layout.name != "kinect20" or clip.units != "m" or clip.persons != 1:
        raise LayoutError(
            f"{title} files hold one person on layout 'kinect20' in metres; this clip has "
            f"{clip.persons} on layout {clip.layout.summary} in units {clip.units!r}"
        )
    if clip.frames > MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"at most {MAX_FRAMES}", f"{clip.frames}")
    points = clip.keypoints.astype(np.float64)
    check_coordinates(points, path, ("person", "frame", "joint", "coordinate"))
    if not (clip.present & clip.keypoints.any(axis=(2, 3))).any():
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")
