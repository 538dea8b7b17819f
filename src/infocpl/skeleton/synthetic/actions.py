"""What a synthetic action is: a name and the shared sub-motions it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infocpl.errors import LabelError
from infocpl.skeleton.synthetic import gestures
from infocpl.skeleton.synthetic.kinematics import Pose
from infocpl.skeleton.synthetic.timing import Clock, Style

__all__ = ["Motion", "Part", "SyntheticAction", "perform"]

Motion = Callable[..., None]


@dataclass(frozen=True)
class Part:
    """One sub-motion with its choices, such as ``Part(gestures.wave, {"side": "left"})``."""

    motion: Motion
    choices: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SyntheticAction:
    """One class of the synthetic dataset.

    Attributes
    ----------
    name : what people call it
    id : number in file names, from 1
    family : actions of one family share their sub-motion
    attributes : limb, movement, direction, repetition, posture and locomotion, in words
    roles : for each person the sub-motions that the action consists of
    seconds : how long an average performance takes
    distance : metres between the pelvises of two persons at the beginning (0 for one person)
    facing : ``"each other"`` or ``"away"``, for two persons
    """

    name: str
    id: int
    family: str
    attributes: dict[str, str]
    roles: tuple[tuple[Part, ...], ...]
    seconds: float
    distance: float = 0.0
    facing: str = "each other"

    @property
    def persons(self) -> int:
        """Number of persons, 1 or 2."""
        return len(self.roles)


def perform(action: SyntheticAction, style: Style, frames: int, *, person: int = 0) -> Pose:
    """The pose channels of one person who performs `action` in `frames` frames.

    Examples
    --------
    >>> from infocpl.skeleton.synthetic import get_action
    >>> perform(get_action("sit down"), Style(), 60).frames
    60
    """
    if not 0 <= person < action.persons:
        raise LabelError(f"{action.name!r} has {action.persons} person(s), no number {person}")
    pose, clock = Pose(frames), Clock(frames, style)
    gestures.rest(pose, clock, style)
    for part in action.roles[person]:
        part.motion(pose, clock, style, **part.choices)
    return pose
