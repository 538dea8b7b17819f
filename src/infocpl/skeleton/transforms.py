"""Pure functions on clips: where a body stands, which way it faces, how large, how long.

Every function returns a new clip and keeps two promises: a person who is absent in a frame (zero
confidence) stays exactly zero there unless :func:`fill_gaps` says otherwise, and the first person
sets position, direction and size for all, so distances between persons survive.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = [
    "bones",
    "center",
    "face_forward",
    "fill_gaps",
    "flip",
    "motion",
    "normalise",
    "resample",
    "scale",
]

Floats = NDArray[np.float64]
_FIRST_FRAMES = 5
_DEGENERATE = 1e-3
_FILLED_CONFIDENCE = 0.5


def center(clip: SkeletonSequence) -> SkeletonSequence:
    """Move the centre joint of the first person, in its first present frame, to the origin.

    One shift for the whole clip, so walking across the room stays walking.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.full((1, 4, 25, 3), 2.0), create_layout("ntu25"))
    >>> float(np.abs(center(clip).keypoints).max())
    0.0
    """
    first = _first_frames(clip, 1)
    if first is None:
        return clip
    origin = first[0, clip.layout.index(clip.layout.center)]
    return _with_present(clip, clip.keypoints.astype(np.float64) - origin)


def face_forward(clip: SkeletonSequence) -> SkeletonSequence:
    """Turn the clip about the vertical so that the first person faces the sensor (-z).

    The direction from left to right hip and shoulder, averaged over the first (up to five)
    present frames, is turned onto +x; the pivot is the first person's centre joint. Only yaw
    changes, so leaning and lying stay what they are. A clip is returned unchanged if that
    direction is undefined: a degenerate or horizontal-across body, or a 2-D layout.

    Raises
    ------
    LayoutError : if the layout names neither hips nor shoulders
    """
    first = _first_frames(clip, _FIRST_FRAMES)
    if first is None or clip.layout.dims != 3:
        return clip
    pairs = _pairs(clip.layout)
    across = np.mean([first[:, right] - first[:, left] for left, right in pairs], axis=(0, 1))
    length = float(np.hypot(across[0], across[2]))
    if length <= _DEGENERATE * _extent(first):
        return clip
    cosine, sine = across[0] / length, across[2] / length
    turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    pivot = first[0, clip.layout.index(clip.layout.center)]
    return _with_present(clip, (clip.keypoints - pivot) @ turn.T + pivot)


def scale(clip: SkeletonSequence) -> SkeletonSequence:
    """Divide all coordinates by the first person's torso length; units become "normalised".

    The torso reaches from the middle of the hips to the middle of the shoulders; its length is
    the median over the frames in which the person is present, which a few bad frames cannot move.
    A body without a torso (zero length against its extent) is returned unchanged.

    Raises
    ------
    LayoutError : if the layout does not name both hips and both shoulders
    """
    first = _first_frames(clip, clip.frames)
    if first is None:
        return clip
    hips, shoulders = (_pair(clip.layout, name) for name in ("hip", "shoulder"))
    if hips is None or shoulders is None:
        raise LayoutError(
            f"layout {clip.layout.name!r} does not name both hips and both shoulders, which "
            "measure the torso"
        )
    torso = first[:, list(shoulders)].mean(axis=1) - first[:, list(hips)].mean(axis=1)
    length = float(np.median(np.linalg.norm(torso, axis=-1)))
    if length <= _DEGENERATE * _extent(first):
        return clip
    scaled = _with_present(clip, clip.keypoints.astype(np.float64) / length)
    return replace(scaled, units="normalised")


def resample(clip: SkeletonSequence, frames: int = 50) -> SkeletonSequence:
    """Bring a clip to `frames` frames, linear in time, first and last frame kept.

    Between a frame in which a person is present and one in which it is absent nothing is
    blended: the nearer frame decides (the earlier one at equal distance). The frame rate changes
    so that the clip lasts as long as before; a clip of one frame is repeated.

    Raises
    ------
    ConfigError : if `frames` is not positive

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.ones((1, 4, 25, 3)), create_layout("ntu25"))
    >>> longer = resample(clip, 7)
    >>> longer.frames, longer.fps
    (7, 60.0)
    """
    if frames < 1:
        raise ConfigError(f"resample: frames must be at least 1, got {frames}")
    if frames == clip.frames:
        return clip
    times = np.linspace(0, clip.frames - 1, frames)
    low = np.floor(times).astype(np.intp)
    high = np.minimum(low + 1, clip.frames - 1)
    weight = np.broadcast_to(times - low, (clip.persons, frames))
    present = clip.present
    both = present[:, low] & present[:, high]
    weight = np.where(both, weight, weight > 0.5)
    keypoints = _blend(clip.keypoints, low, high, weight)
    confidence = _blend(clip.confidence, low, high, weight)
    ratio = (frames - 1) / (clip.frames - 1) if frames > 1 and clip.frames > 1 else 1.0
    return replace(clip, keypoints=keypoints, confidence=confidence, fps=clip.fps * ratio)


def flip(clip: SkeletonSequence) -> SkeletonSequence:
    """Mirror a clip: x changes sign and left joints become right ones.

    A right hand wave becomes a left hand wave; applied twice it is the identity.
    """
    order = clip.layout.flip_index()
    keypoints = clip.keypoints[:, :, order].copy()
    keypoints[..., 0] = 0.0 - keypoints[..., 0]
    return clip.with_keypoints(keypoints, confidence=clip.confidence[:, :, order])


def fill_gaps(clip: SkeletonSequence) -> SkeletonSequence:
    """Fill the frames in which a person was lost.

    Between two present frames coordinates are interpolated linearly; before the first and after
    the last one the pose is held. Filled frames get half the confidence they would have, so they
    can be told from measured ones. A person who is never present stays absent.
    """
    keypoints = clip.keypoints.copy()
    confidence = clip.confidence.copy()
    times = np.arange(clip.frames)
    for person, present in enumerate(clip.present):
        known = np.flatnonzero(present)
        lost = np.flatnonzero(~present)
        if not len(known) or not len(lost):
            continue
        after = np.searchsorted(known, lost)
        high = known[np.minimum(after, len(known) - 1)]
        low = known[np.maximum(after - 1, 0)]
        low = np.where(after == 0, high, low)
        weight = (times[lost] - low) / np.maximum(high - low, 1) * (high > low)
        one = slice(person, person + 1)
        keypoints[one, lost] = _blend(clip.keypoints[one], low, high, weight[None])
        guess = _blend(clip.confidence[one], low, high, weight[None])
        confidence[one, lost] = _FILLED_CONFIDENCE * guess
    return clip.with_keypoints(keypoints, confidence=confidence)


def normalise(clip: SkeletonSequence, frames: int = 50) -> SkeletonSequence:
    """Bring clips of any place, direction, size and length to one form.

    In order: :func:`fill_gaps`, :func:`resample`, :func:`center`, :func:`face_forward`,
    :func:`scale`. Resampling is linear and so commutes with the moves after it; coming before
    them it lets the result measure itself the same way again, which makes the whole idempotent.

    Returns
    -------
    SkeletonSequence : (M, frames, V, C), units "normalised" unless the body is degenerate

    Raises
    ------
    ConfigError : if `frames` is not positive
    LayoutError : if the layout does not name hips and shoulders

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> points = np.random.default_rng(0).normal(size=(2, 9, 25, 3)) + 4.0
    >>> once = normalise(SkeletonSequence(points, create_layout("ntu25")))
    >>> once.keypoints.shape, bool(np.allclose(normalise(once).keypoints, once.keypoints))
    ((2, 50, 25, 3), True)
    """
    return scale(face_forward(center(resample(fill_gaps(clip), frames))))


def bones(keypoints: NDArray[np.floating], layout: Layout) -> NDArray[np.floating]:
    """Return every joint minus its parent, (..., V, C); the centre's bone is zero.

    Raises
    ------
    LayoutError : if the V axis does not fit `layout`

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> bones(np.ones((4, 25, 3)), create_layout("ntu25")).any()
    np.False_
    """
    if keypoints.ndim < 2 or keypoints.shape[-2] != len(layout):
        raise LayoutError(
            f"bones: expected (..., V, C) with V = {len(layout)} for layout {layout.name!r}, "
            f"got {keypoints.shape}"
        )
    difference: NDArray[np.floating] = keypoints - keypoints[..., layout.parent_index(), :]
    return difference


def motion(keypoints: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the next frame minus this one, (..., T, V, C); the last frame is zero.

    Raises
    ------
    LayoutError : if there are fewer than three axes

    Examples
    --------
    >>> motion(np.array([1.0, 4.0, 9.0]).reshape(3, 1, 1)).ravel().tolist()
    [3.0, 5.0, 0.0]
    """
    if keypoints.ndim < 3:
        raise LayoutError(f"motion: expected (..., T, V, C), got {keypoints.shape}")
    difference = np.zeros_like(keypoints)
    difference[..., :-1, :, :] = keypoints[..., 1:, :, :] - keypoints[..., :-1, :, :]
    return difference


def _blend(
    values: NDArray[np.float32], low: NDArray[np.intp], high: NDArray[np.intp], weight: Floats
) -> NDArray[np.float32]:
    """Mix frames `low` and `high` of (M, T, ...) with `weight` (M, F) on `high`."""
    mix = weight.reshape(*weight.shape, *[1] * (values.ndim - 2))
    mixed = values[:, low] * (1 - mix) + values[:, high] * mix
    return mixed.astype(np.float32)


def _first_frames(clip: SkeletonSequence, most: int) -> Floats | None:
    """First present frames of the first person that is ever present, (F, V, C), or None."""
    for keypoints, present in zip(clip.keypoints, clip.present, strict=True):
        if present.any():
            points: Floats = keypoints[np.flatnonzero(present)[:most]].astype(np.float64)
            return points
    return None


def _with_present(clip: SkeletonSequence, keypoints: Floats) -> SkeletonSequence:
    moved = np.where(clip.present[:, :, None, None], keypoints, 0.0)
    return clip.with_keypoints(moved.astype(np.float32))


def _extent(points: Floats) -> float:
    """Largest extent of a body in any one frame; the yardstick for "degenerate"."""
    return float(np.ptp(points, axis=1).max())


def _pair(layout: Layout, name: str) -> tuple[int, int] | None:
    left, right = f"left_{name}", f"right_{name}"
    if left in layout.joints and right in layout.joints:
        return layout.index(left), layout.index(right)
    return None


def _pairs(layout: Layout) -> list[tuple[int, int]]:
    pairs = [pair for name in ("hip", "shoulder") if (pair := _pair(layout, name)) is not None]
    if not pairs:
        raise LayoutError(f"layout {layout.name!r} names neither hips nor shoulders")
    return pairs
