"""Clips in arrays in which all have the same persons and frames, padded with zeros."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.skeleton.formats.limits import check_coordinates
from infocpl.skeleton.formats.npy import widen
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["pad_clip", "require_ntu25", "unpad_clip"]


def unpad_clip(
    keypoints: NDArray[np.floating], layout: Layout, *, fps: float, source: str
) -> SkeletonSequence:
    """Take the padding off a clip.

    Persons who are zero throughout go, and so do frames at the end in which everyone is zero. A
    person who is all zero in another frame counts as absent there.

    Parameters
    ----------
    keypoints : (M, T, V, C)
    layout, fps, source : of the clip; `source` is named in messages

    Returns
    -------
    SkeletonSequence : (M', T', V, C) metres, 1 <= M' <= M, 1 <= T' <= T

    Raises
    ------
    SkeletonFormatError : if a coordinate is not finite or too large, or nobody is there

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> padded = np.zeros((2, 300, 25, 3))
    >>> padded[0, :80] = 1.0
    >>> unpad_clip(padded, create_layout("ntu25"), fps=30, source="a").keypoints.shape
    (1, 80, 25, 3)
    """
    points = widen(keypoints)
    check_coordinates(points, source, ("person", "frame", "joint", "coordinate"))
    present = np.any(points != 0, axis=(2, 3))
    persons, frames = np.flatnonzero(present.any(axis=1)), np.flatnonzero(present.any(axis=0))
    if not len(persons):
        raise SkeletonFormatError(source, "clip", "a person in some frame", "zeros only")
    kept = points[persons, : frames[-1] + 1].astype(np.float32)
    # A coordinate may be too small for float32; who was there stays there.
    there = np.repeat(present[persons, : frames[-1] + 1, None], len(layout), axis=2)
    return SkeletonSequence(
        kept, layout, confidence=there.astype(np.float32), fps=fps, source=source
    )


def pad_clip(clip: SkeletonSequence, persons: int, frames: int) -> NDArray[np.float32]:
    """Bring a clip to `persons` and `frames` with zeros; the inverse of :func:`unpad_clip`.

    Raises
    ------
    SkeletonFormatError : if the clip has more persons or frames

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.ones((1, 80, 25, 3)), create_layout("ntu25"))
    >>> pad_clip(clip, 2, 300).shape
    (2, 300, 25, 3)
    """
    for field, most, got in (("persons", persons, clip.persons), ("frames", frames, clip.frames)):
        if got > most:
            raise SkeletonFormatError(clip.source or "clip", field, f"at most {most}", str(got))
    padded = np.zeros((persons, frames, *clip.keypoints.shape[2:]), dtype=np.float32)
    padded[: clip.persons, : clip.frames] = clip.keypoints * clip.present[..., None, None]
    return padded


def require_ntu25(clip: SkeletonSequence, what: str) -> None:
    """Refuse a clip that is not on layout ntu25 in metres, for formats that hold nothing else.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.ones((1, 1, 20, 3)), create_layout("kinect20"))
    >>> require_ntu25(clip, "NTU files")
    Traceback (most recent call last):
    infocpl.errors.LayoutError: NTU files hold layout 'ntu25' in metres; this clip has layout \
'kinect20' in units 'm'; map or scale it first
    """
    if clip.layout.name != "ntu25" or clip.units != "m":
        raise LayoutError(
            f"{what} hold layout 'ntu25' in metres; this clip has layout "
            f"{clip.layout.name!r} in units {clip.units!r}; map or scale it first"
        )
