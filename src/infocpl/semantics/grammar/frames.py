"""Frames: what an action does with the body, before the other words of a name change it.

A frame has the fields of the traits, but speaks of limbs in general: ``arm`` is the arm that
acts, ``arms`` are both. Its text has gaps such as ``{hand}`` and ``{thing}`` (see :mod:`.voice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

__all__ = ["GENERIC_LIMBS", "TAKES", "Frame", "make_frame", "planes_of"]

GENERIC_LIMBS = ("arm", "arms", "leg", "legs", "head", "torso")
"""What a frame may move."""

TAKES = ("limb", "target", "thing", "way", "person", "pose")
"""What a name may add to an action; ``families.yaml`` says what each means."""

_SAGITTAL = ("forward", "backward", "up", "down", "towards_face", "towards_torso")
_SIDEWAYS = ("left", "right", "outward", "inward")


@dataclass(frozen=True)
class Frame:
    """An action in general terms.

    Attributes
    ----------
    key : name of the action in the vocabulary
    moving : :data:`GENERIC_LIMBS` that move, the leading one first
    side, symmetry, planes : empty where they follow from the other fields
    start, end : postures
    takes : what a name may add, of :data:`TAKES`
    general : whether the action says little without a thing or a limb ("use", "move")
    does, begin, finish : what a person does, third person; begin and finish frame it
    why : what for, an infinitive without "to"; empty where the thing says it
    thing : what is handled if the name does not say so; empty for nothing
    tool : what it is done with, which a name may replace by "with ..."
    to_person : relation of the two if it is done to someone
    variants : fields that are different for a thing, a kind of thing or a place of the body
    """

    key: str
    moving: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    path: str = "line"
    planes: tuple[str, ...] = ()
    side: str = ""
    speed: str = "moderate"
    amplitude: str = "medium"
    repetition: str = "once"
    symmetry: str = ""
    heights: tuple[str, ...] = ("chest",)
    arms: tuple[str, ...] = ("none",)
    start: str = "standing"
    end: str = "standing"
    locomotion: str = "none"
    contact: tuple[str, ...] = ("none",)
    persons: str = "one"
    relation: str = "none"
    takes: tuple[str, ...] = ()
    general: bool = False
    does: str = ""
    begin: str = ""
    finish: str = ""
    why: str = ""
    thing: str = ""
    tool: str = ""
    family: str = ""
    to_person: str = ""
    variants: Mapping[str, Frame] = field(default_factory=dict, hash=False, repr=False)

    @property
    def lead(self) -> str:
        """The limb that matters most: ``"arm"``, ``"leg"``, ``"head"`` or ``"torso"``."""
        return self.moving[0].rstrip("s")

    def moves(self, limb: str) -> bool:
        """Whether `limb` (``"arm"`` or ``"leg"``: one or both of them) moves."""
        return limb in self.moving or f"{limb}s" in self.moving

    def change(self, **values: Any) -> Frame:
        """The frame with other values; what follows from a changed field follows anew."""
        if "moving" in values and values["moving"][:1] != self.moving[:1]:
            values.setdefault("side", "")
            values.setdefault("symmetry", "")
        if "directions" in values:
            values.setdefault("planes", ())
        return replace(self, **values)


_TUPLES = ("moving", "directions", "planes", "heights", "arms", "contact", "takes")
FIELDS = tuple(f.name for f in fields(Frame) if f.name not in ("key", "variants"))
"""What a record of the vocabulary may say about an action."""


def make_frame(
    key: str, record: Mapping[str, Any], families: Mapping[str, Mapping[str, Any]]
) -> Frame:
    """The frame of one action and its variants from their records.

    A record takes what it does not say from its family; a variant from the action, unless it
    names a family of its own.
    """
    own = {name: value for name, value in record.items() if name not in ("words", "with")}
    base = _build(key, families[own["family"]], own)
    variants = {}
    for selector, changes in record.get("with", {}).items():
        if "family" in changes:
            variant = _build(key, families[changes["family"]], changes)
        else:
            variant = base.change(**_values(changes))
        # Why a kind of movement is made says little of what is done with this thing.
        variants[selector] = replace(variant, why=changes.get("why") or own.get("why", ""))
    return replace(base, variants=variants)


def _build(key: str, family: Mapping[str, Any], own: Mapping[str, Any]) -> Frame:
    start = Frame(key=key, **_values(family))
    return start.change(**_values(own))


def _values(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if name in _TUPLES else value
        for name, value in record.items()
        if name != "words"
    }


def planes_of(directions: tuple[str, ...]) -> tuple[str, ...]:
    """Planes in which movements of these directions lie, the most likely one first.

    Examples
    --------
    >>> planes_of(("forward", "up")), planes_of(("left", "right")), planes_of(())
    (('sagittal',), ('frontal',), ())
    """
    found = []
    level = any(word in _SIDEWAYS for word in directions)
    if any(word in directions for word in ("forward", "backward")):
        found.append("sagittal")
    if level or any(word.endswith("clockwise") for word in directions):
        found.append("frontal")
    if not found and any(word in _SAGITTAL for word in directions):
        found.append("sagittal")
    return tuple(found)
