"""Scenes: an action as one name tells it, with its limbs, things and persons decided."""

from __future__ import annotations

from dataclasses import dataclass

from infocpl.semantics.grammar.frames import Frame, planes_of
from infocpl.semantics.traits import Traits
from infocpl.skeleton.layout import PART_NAMES

__all__ = ["Scene", "parts_of"]


@dataclass(frozen=True)
class Scene:
    """What a name says, ready to be told.

    Attributes
    ----------
    name : the action
    frame : what the body does, after everything in the name has had its say
    side : ``"left"``, ``"right"``, ``"both"``, ``"either"`` or ``"none"``
    does : what a person does, one or two sentences' worth, gaps not filled yet
    thing, tool : what is handled, and with what; empty for nothing
    manner : an adverb, or empty
    title : what the action is called by the vocabulary, in plain words
    """

    name: str
    frame: Frame
    side: str
    does: tuple[str, ...]
    thing: str = ""
    tool: str = ""
    manner: str = ""
    title: str = ""

    @property
    def traits(self) -> Traits:
        """The scene in the controlled vocabulary."""
        frame = self.frame
        return Traits(
            moving=parts_of(frame.moving, self.side),
            side=self.side,
            directions=frame.directions,
            path=frame.path,
            planes=frame.planes or planes_of(frame.directions),
            speed=frame.speed,
            amplitude=frame.amplitude,
            repetition=frame.repetition,
            symmetry=frame.symmetry or _symmetry(frame),
            heights=frame.heights,
            arms=frame.arms,
            posture_start=frame.start,
            posture_end=frame.end,
            locomotion=frame.locomotion,
            contact=frame.contact,
            persons=frame.persons,
            relation=frame.relation,
        )


def parts_of(moving: tuple[str, ...], side: str) -> tuple[str, ...]:
    """Body parts of generic limbs; of an action that either side may do, the right one is named.

    Examples
    --------
    >>> parts_of(("leg", "torso"), "left"), parts_of(("arms",), "both")
    (('left_leg', 'torso'), ('left_arm', 'right_arm'))
    """
    acting = "left" if side == "left" else "right"
    parts: list[str] = []
    for limb in moving:
        if limb in PART_NAMES:
            parts.append(limb)
        elif limb.endswith("s"):
            parts += [f"left_{limb[:-1]}", f"right_{limb[:-1]}"]
        else:
            parts.append(f"{acting}_{limb}")
    return tuple(dict.fromkeys(parts))


def _symmetry(frame: Frame) -> str:
    lead = frame.moving[0]
    return "one_sided" if lead in ("arm", "leg") else "symmetric"


def side_of(frame: Frame) -> str:
    """Whose side acts where the name does not say it."""
    if frame.side:
        return frame.side
    if frame.moving[0] in ("head", "torso"):
        return "none"
    if frame.moving[0] in ("arm", "leg"):
        return "either"
    return "both"
