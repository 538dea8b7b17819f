"""A body: how long every bone of the 25-joint skeleton is, and where it points at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import DataError
from infocpl.skeleton.layout import create_layout

__all__ = ["Body", "create_body"]

# Fractions of stature along the body of a standing adult (segment lengths after Drillis and
# Contini, 1966), with the hips and shoulders where a depth sensor places them, which is further
# inside the body than the bones are. (x to the person's right, y up, z backwards)
_TRUNK = {
    "spine": (0.0, 0.155, 0.006),
    "upper_spine": (0.0, 0.125, 0.006),
    "neck": (0.0, 0.042, -0.004),
    "head": (0.0, 0.088, -0.012),
}
_ARM = {
    "shoulder": (0.098, -0.018, 0.0),
    "elbow": (0.0, -0.160, 0.0),
    "wrist": (0.0, -0.140, 0.0),
    "hand": (0.0, -0.046, 0.0),
    "hand_tip": (0.0, -0.045, 0.0),
    "thumb": (-0.014, -0.036, -0.022),
}
_LEG = {
    "hip": (0.047, -0.008, 0.0),
    "knee": (0.0, -0.240, 0.0),
    "ankle": (0.0, -0.235, 0.0),
    "foot": (0.006, -0.028, -0.062),
}
_ANKLE_HEIGHT = 0.042


@dataclass(frozen=True, eq=False)
class Body:
    """The bones of one person.

    Attributes
    ----------
    height : stature in metres
    offsets : (25, 3) metres, from every joint's parent to the joint while the person stands
        upright with hanging arms and looks along -z; the pelvis row is zero
    ankle_height : metres from the floor to the ankle of a standing foot
    """

    height: float
    offsets: NDArray[np.float64]
    ankle_height: float

    def length(self, joint: str) -> float:
        """Metres from `joint` to its parent.

        Examples
        --------
        >>> body = create_body(1.80)
        >>> round(body.length("left_knee"), 3)
        0.432
        """
        return float(np.linalg.norm(self.offsets[create_layout("ntu25").index(joint)]))

    @property
    def leg(self) -> float:
        """Metres from hip to ankle with a straight knee; the unit in which motions travel."""
        return self.length("left_knee") + self.length("left_ankle")


def create_body(
    height: float = 1.72, *, arms: float = 1.0, legs: float = 1.0, shoulders: float = 1.0
) -> Body:
    """Build a body from stature and proportions.

    Parameters
    ----------
    height : stature in metres, from 0.8 to 2.4
    arms, legs, shoulders : arm length, leg length and shoulder width relative to an average
        person of that stature, each from 0.7 to 1.3; the trunk keeps the stature what it is

    Raises
    ------
    DataError : if a number is outside its range

    Examples
    --------
    >>> create_body(1.6, legs=1.05).leg > create_body(1.6).leg
    True
    """
    if not 0.8 <= height <= 2.4:
        raise DataError(f"height: expected 0.8 to 2.4 metres, got {height}")
    for name, value in (("arms", arms), ("legs", legs), ("shoulders", shoulders)):
        if not 0.7 <= value <= 1.3:
            raise DataError(f"{name}: expected a proportion from 0.7 to 1.3, got {value}")
    layout = create_layout("ntu25")
    offsets = np.zeros((len(layout), 3))
    gained = (legs - 1.0) * -(_LEG["knee"][1] + _LEG["ankle"][1])
    trunk = 1.0 - gained / sum(offset[1] for offset in _TRUNK.values())
    for name, offset in _TRUNK.items():
        offsets[layout.index(name)] = np.array(offset) * trunk
    for side, mirror in (("left", (-1.0, 1.0, 1.0)), ("right", (1.0, 1.0, 1.0))):
        for name, offset in _ARM.items():
            scale = np.array((shoulders, 1.0, 1.0)) if name == "shoulder" else arms
            offsets[layout.index(f"{side}_{name}")] = np.array(offset) * mirror * scale
        for name, offset in _LEG.items():
            scale = legs if name in ("knee", "ankle") else 1.0
            offsets[layout.index(f"{side}_{name}")] = np.array(offset) * mirror * scale
    return Body(height, offsets * height, _ANKLE_HEIGHT * height)
