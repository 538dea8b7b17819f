"""The one record that carries a clip through the package."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import Layout

__all__ = ["UNITS", "SkeletonSequence"]

UNITS = ("m", "px", "normalised")
"""What a coordinate of 1 may mean; see :class:`SkeletonSequence`."""


@dataclass(frozen=True, eq=False)
class SkeletonSequence:
    """A clip: one or more persons moving through frames, on a named layout.

    Axes are named once for the whole package: M persons, T frames, V joints, C coordinates.
    Coordinates are right-handed with y up; a person who faces the sensor looks along -z and has
    the left shoulder at the smaller x. A person who is absent in a frame has zero confidence
    there and zero coordinates.

    Attributes
    ----------
    keypoints : (M, T, V, C) float32, finite
    confidence : (M, T, V) float32 in [0, 1]; by default 1 wherever a person is not all zero
    layout : joint layout with V joints
    fps : frames a second (> 0)
    units : ``"m"``; ``"px"`` for pixels of an image; ``"normalised"`` for a scale of its own
    source : where the clip came from (a path or a generator's name)

    Raises
    ------
    LayoutError : if shapes, layout, values or units do not fit together

    Examples
    --------
    >>> import numpy as np
    >>> from infocpl.skeleton.layout import create_layout
    >>> clip = SkeletonSequence(np.ones((1, 4, 25, 3)), create_layout("ntu25"), source="example")
    >>> clip.persons, clip.frames, clip.keypoints.dtype.name
    (1, 4, 'float32')
    """

    keypoints: NDArray[np.float32]
    layout: Layout
    confidence: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    fps: float = 30.0
    units: str = "m"
    source: str = ""

    def __post_init__(self) -> None:
        keypoints = np.ascontiguousarray(self.keypoints, dtype=np.float32)
        where = f"clip {self.source!r}: " if self.source else ""
        if keypoints.ndim != 4 or 0 in keypoints.shape:
            raise LayoutError(
                f"{where}keypoints must be (M, T, V, C), none of them 0; got {keypoints.shape}"
            )
        persons, frames, joints, coords = keypoints.shape
        if joints != len(self.layout) or coords != self.layout.dims:
            raise LayoutError(
                f"{where}this clip has {joints} joints in {coords}-D; layout "
                f"{self.layout.name!r} has {len(self.layout)} joints in {self.layout.dims}-D"
            )
        if not np.isfinite(keypoints).all():
            raise LayoutError(f"{where}keypoints hold NaN or infinite values")
        if self.confidence.size == 0:
            present = np.abs(keypoints).sum(axis=(2, 3), keepdims=True)[..., 0] > 0
            confidence = np.broadcast_to(present, (persons, frames, joints)).astype(np.float32)
        else:
            confidence = np.ascontiguousarray(self.confidence, dtype=np.float32)
        if confidence.shape != (persons, frames, joints):
            raise LayoutError(
                f"{where}confidence must be (M, T, V) = {(persons, frames, joints)}, "
                f"got {confidence.shape}"
            )
        if not ((confidence >= 0) & (confidence <= 1)).all():
            raise LayoutError(f"{where}confidence must be finite, from 0 to 1")
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise LayoutError(f"{where}fps must be a positive number, got {self.fps}")
        if self.units not in UNITS:
            raise LayoutError(f"{where}units must be one of {', '.join(UNITS)}, got {self.units!r}")
        object.__setattr__(self, "keypoints", keypoints)
        object.__setattr__(self, "confidence", confidence)

    @property
    def persons(self) -> int:
        """Number of persons, M."""
        return int(self.keypoints.shape[0])

    @property
    def frames(self) -> int:
        """Number of frames, T."""
        return int(self.keypoints.shape[1])

    @property
    def present(self) -> NDArray[np.bool_]:
        """(M, T) true where a person was tracked at all."""
        found: NDArray[np.bool_] = self.confidence.max(axis=2) > 0
        return found

    def with_keypoints(
        self,
        keypoints: NDArray[np.float32],
        *,
        confidence: NDArray[np.float32] | None = None,
        layout: Layout | None = None,
    ) -> SkeletonSequence:
        """Return a copy with other coordinates; confidence is kept if it still fits."""
        if confidence is None:
            confidence = self.confidence
        return replace(
            self, keypoints=keypoints, confidence=confidence, layout=layout or self.layout
        )
