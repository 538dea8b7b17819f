"""Traits: what an action looks like in a controlled vocabulary, and as a vector.

Sentences tell an encoder of text what an action is; traits tell a program. Every value is a word
of :data:`TRAIT_VALUES`, so that traits can be compared, counted, mirrored and made into features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.skeleton.layout import PART_NAMES

__all__ = [
    "TRAIT_DIMENSIONS",
    "TRAIT_LISTS",
    "TRAIT_MAY_BE_EMPTY",
    "TRAIT_VALUES",
    "Traits",
    "trait_vector",
]

_POSTURES = ("standing", "sitting", "bent", "crouching", "kneeling", "lying")

TRAIT_VALUES: Mapping[str, tuple[str, ...]] = {
    "moving": PART_NAMES,
    "side": ("left", "right", "both", "either", "none"),
    "directions": (
        *("up", "down", "forward", "backward", "left", "right", "inward", "outward"),
        *("clockwise", "counterclockwise", "towards_face", "towards_torso"),
    ),
    "path": ("still", "line", "arc", "circle", "zigzag", "swing", "oscillation", "mixed"),
    "planes": ("sagittal", "frontal", "horizontal"),
    "speed": ("slow", "moderate", "fast", "explosive"),
    "amplitude": ("small", "medium", "large"),
    "repetition": ("once", "few", "continuous"),
    "symmetry": ("symmetric", "alternating", "one_sided", "asymmetric"),
    "heights": ("overhead", "head", "chest", "waist", "knee", "floor"),
    "arms": (
        *("raise", "lower", "reach", "pull", "push", "swing", "rotate", "hold", "shake"),
        *("strike", "bend", "straighten", "cross", "touch", "none"),
    ),
    "posture_start": _POSTURES,
    "posture_end": _POSTURES,
    "locomotion": ("none", "walking", "running", "jumping", "hopping", "stepping", "turning"),
    "contact": (
        *("face", "head", "torso", "own_hand", "own_arm", "own_leg", "object"),
        *("other_person", "ground", "none"),
    ),
    "persons": ("one", "two"),
    "relation": ("none", "approach", "depart", "touch", "strike", "face", "follow"),
}
"""Every trait and the words it may be told in."""

TRAIT_LISTS = ("moving", "directions", "planes", "heights", "arms", "contact")
"""Traits that hold several words; the others hold one."""

TRAIT_MAY_BE_EMPTY = ("directions", "planes")
"""Of those that hold several words, the ones that may hold none."""

# Words of these traits stand in an order of growth: one number says more than a switch a word.
_ORDINAL = ("speed", "amplitude", "repetition", "persons")


@dataclass(frozen=True)
class Traits:
    """What an action looks like, in words of :data:`TRAIT_VALUES`.

    Attributes
    ----------
    moving : body parts that move, the leading one first
    side : whose side acts; ``"either"`` when people choose, ``"none"`` for the whole body
    directions, planes, path : where the working joints go (the first two may be empty)
    speed, amplitude, repetition, symmetry : how they go
    heights : where the working hands or feet are
    arms : what the arms do
    posture_start, posture_end, locomotion : what the whole body does
    contact : what is touched
    persons, relation : how many take part, and what one does to the other

    Raises
    ------
    SemanticsError : which trait, which words were expected, and what was found
    """

    moving: tuple[str, ...]
    side: str
    directions: tuple[str, ...]
    path: str
    planes: tuple[str, ...]
    speed: str
    amplitude: str
    repetition: str
    symmetry: str
    heights: tuple[str, ...]
    arms: tuple[str, ...]
    posture_start: str
    posture_end: str
    locomotion: str
    contact: tuple[str, ...]
    persons: str
    relation: str

    def __post_init__(self) -> None:
        for name, known in TRAIT_VALUES.items():
            value = getattr(self, name)
            several = name in TRAIT_LISTS
            kind = tuple if several else str
            if not isinstance(value, kind):
                expected = "several words" if several else "one word"
                raise _bad(name, f"{expected} of {', '.join(known)}", value)
            words = value if several else (value,)
            if not words and name not in TRAIT_MAY_BE_EMPTY:
                raise _bad(name, f"at least one of {', '.join(known)}", value)
            for position, word in enumerate(words):
                if word not in known:
                    raise _bad(name, f"one of {', '.join(known)}", word)
                if word in words[:position]:
                    raise _bad(name, "each word once", f"{word} again")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Traits:
        """Traits in the form of a lexicon file, lists for several words.

        Raises
        ------
        SemanticsError : as the class does, and for missing and surplus traits
        """
        surplus = [name for name in data if name not in TRAIT_VALUES]
        if surplus:
            raise SemanticsError(
                f"traits: expected only {', '.join(TRAIT_VALUES)}, got {surplus[0]!r}"
            )
        missing = [name for name in TRAIT_VALUES if name not in data]
        if missing:
            raise SemanticsError(f"traits: expected {missing[0]!r}, got none")
        # Anything that is neither a list nor a text is left for the class to refuse.
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data.items()
        }
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """The traits in the form of a lexicon file."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def _bad(name: str, expected: str, got: object) -> SemanticsError:
    shown = got if isinstance(got, str) else repr(got)
    return SemanticsError(f"traits.{name}: expected {expected}, got {shown[:60] or 'nothing'}")


def _dimensions() -> tuple[str, ...]:
    names: list[str] = []
    for trait, words in TRAIT_VALUES.items():
        names += [trait] if trait in _ORDINAL else [f"{trait}.{word}" for word in words]
    return tuple(names)


TRAIT_DIMENSIONS = _dimensions()
"""Names of the T entries of :func:`trait_vector`."""


def trait_vector(traits: Traits) -> NDArray[np.float32]:
    """Traits as numbers between 0 and 1, one for each of :data:`TRAIT_DIMENSIONS`.

    ``"moving.head"`` and the like are 1 where the word is among the trait's words and 0
    elsewhere; ``"speed"``, ``"amplitude"``, ``"repetition"`` and ``"persons"`` grow evenly from 0
    (slow, small, once, one) to 1.

    Returns
    -------
    (T,) float32

    Examples
    --------
    >>> from infocpl.semantics.lexicon import load_lexicon
    >>> entry = load_lexicon("nw-ucla")["walk around"]
    >>> dict(zip(TRAIT_DIMENSIONS, trait_vector(entry.traits).tolist()))["locomotion.walking"]
    1.0
    """
    numbers: list[float] = []
    for trait, known in TRAIT_VALUES.items():
        value = getattr(traits, trait)
        if trait in _ORDINAL:
            numbers.append(known.index(value) / (len(known) - 1))
        else:
            words = value if isinstance(value, tuple) else (value,)
            numbers += [float(word in words) for word in known]
    return np.array(numbers, dtype=np.float32)
