"""When things happen in a clip, and how a person's habits change that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl.errors import DataError

__all__ = ["Clock", "Style", "ease"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Style:
    """How one performance differs from the plain one.

    Attributes
    ----------
    amplitude : factor on how far limbs travel
    frequency : factor on how often a repeated motion repeats a second
    onset, finish : fractions of the clip at which the action begins and ends
    repeats : how often short gestures (a punch, a bounce) are done in one clip
    handed : the preferred side, used where an action does not name one
    sway : degrees by which the trunk of a standing person wanders
    seed : phases of that wandering
    elbow, spread : degrees of elbow bend and outward lift of arms at rest
    """

    amplitude: float = 1.0
    frequency: float = 1.0
    onset: float = 0.1
    finish: float = 0.92
    repeats: int = 3
    handed: str = "right"
    sway: float = 0.0
    seed: int = 0
    elbow: float = 14.0
    spread: float = 6.0

    def __post_init__(self) -> None:
        if self.handed not in ("left", "right"):
            raise DataError(f"handed: expected 'left' or 'right', got {self.handed!r}")
        if not 0.0 <= self.onset < self.finish <= 1.0:
            raise DataError(
                f"onset, finish: expected 0 <= onset < finish <= 1, got {self.onset}, {self.finish}"
            )


def ease(fraction: ArrayLike) -> Array:
    """Minimum-jerk course from 0 to 1 (Flash and Hogan, 1985); flat outside 0 to 1.

    Examples
    --------
    >>> ease([-1.0, 0.0, 0.5, 1.0, 2.0]).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    x = np.clip(np.asarray(fraction, dtype=np.float64), 0.0, 1.0)
    result: Array = x**3 * (10.0 - 15.0 * x + 6.0 * x * x)
    return result


class Clock:
    """Time axis of a clip with the courses that motions are made of.

    Examples
    --------
    >>> clock = Clock(31, Style(onset=0.0, finish=1.0))
    >>> float(clock.seconds[-1]), clock.move(0.0, 1.0)[[0, 15, 30]].tolist()
    (1.0, [0.0, 0.5, 1.0])
    """

    def __init__(self, frames: int, style: Style, fps: float = 30.0) -> None:
        if frames < 2 or fps <= 0:
            raise DataError(f"frames, fps: expected at least 2 and above 0, got {frames}, {fps}")
        self.frames = frames
        self.seconds: Array = np.arange(frames) / fps
        whole = np.linspace(0.0, 1.0, frames)
        self.active: Array = (whole - style.onset) / (style.finish - style.onset)
        self.duration = float(self.seconds[-1]) * (style.finish - style.onset)

    def move(self, start: float, end: float) -> Array:
        """(T,) smooth rise from 0 to 1 between two fractions of the active time."""
        return ease((self.active - start) / (end - start))

    def hold(self, rise: float = 0.28, fall: float = 0.28) -> Array:
        """(T,) rise, stay, and return: 0, 1, 0."""
        return self.move(0.0, rise) * (1.0 - self.move(1.0 - fall, 1.0))

    def cycles(self, frequency: float, least: int = 1) -> int:
        """Whole cycles that fit into the middle of the active time at `frequency` hertz."""
        return max(least, round(frequency * self.duration * 0.7))

    def phase(self, count: float, start: float = 0.15, end: float = 0.85) -> Array:
        """(T,) radians: `count` even turns between two fractions of the active time."""
        inside = np.clip((self.active - start) / (end - start), 0.0, 1.0)
        result: Array = 2.0 * np.pi * count * inside
        return result

    def pulses(self, count: float, start: float = 0.05, end: float = 0.95) -> Array:
        """(T,) `count` smooth bumps between 0 and 1."""
        result: Array = 0.5 - 0.5 * np.cos(self.phase(count, start, end))
        return result
