"""Compound sentences: two or three sentences of an entry said in one breath.

A body part alone is shared by many actions, and so is a phase; both together are not. Which
sentences are put together is data here, and every recipe holds at least one sentence that tells
actions apart (a definition, a leading part, the middle phase, the trajectory).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from infocpl.semantics.mirror import mirror_text

__all__ = [
    "COMPOUNDS",
    "TIMED",
    "constituents",
    "join",
    "list_compounds",
    "lower_first",
    "name_with_gist",
    "related_rows",
]

Key = tuple[str, str]
"""Granularity and key of a single sentence."""

COMPOUNDS = (
    *("part-pair", "phase-pair", "attribute-pair", "definition-pair", "part-phase"),
    *("part-attribute", "phase-attribute", "sensor-pair", "purpose-pair", "detail-pair"),
)
"""Kinds of compound sentence, in the order of :func:`list_compounds`."""

_PHASE_PAIRS = (
    ("start", "middle"),
    ("middle", "end"),
    ("start", "end"),
    ("start", "middle", "end"),
)
# "part 1" is the part that leads the action, "part 2" the next one.
_RECIPES: Mapping[str, tuple[tuple[Key, Key], ...]] = {
    "attribute-pair": tuple(
        (("attribute", one), ("attribute", other))
        for one, other in (
            ("trajectory", "speed"),
            ("trajectory", "amplitude"),
            ("trajectory", "contact"),
            ("direction", "plane"),
            ("direction", "periodicity"),
            ("direction", "amplitude"),
            ("plane", "trajectory"),
            ("speed", "periodicity"),
            ("amplitude", "contact"),
            ("trajectory", "symmetry"),
            ("direction", "posture"),
            ("trajectory", "locomotion"),
            ("contact", "persons"),
        )
    ),
    "definition-pair": (
        (("definition", "1"), ("part", "part 1")),
        (("definition", "1"), ("attribute", "speed")),
        (("definition", "1"), ("attribute", "contact")),
        (("definition", "1"), ("attribute", "periodicity")),
        (("definition", "1"), ("attribute", "trajectory")),
        (("definition", "2"), ("part", "part 2")),
        (("definition", "2"), ("attribute", "direction")),
        (("definition", "2"), ("attribute", "posture")),
        (("definition", "2"), ("attribute", "amplitude")),
        (("definition", "2"), ("attribute", "locomotion")),
    ),
    "part-phase": tuple(
        (("phase", phase), ("part", part))
        for part in ("part 1", "part 2")
        for phase in ("start", "middle", "end")
    ),
    "part-attribute": (
        *(
            (("part", "part 1"), ("attribute", attribute))
            for attribute in ("trajectory", "direction", "amplitude", "speed", "contact")
        ),
        *(
            (("part", "part 2"), ("attribute", attribute))
            for attribute in ("trajectory", "direction", "symmetry")
        ),
    ),
    "phase-attribute": (
        (("phase", "start"), ("attribute", "direction")),
        (("phase", "middle"), ("attribute", "speed")),
        (("phase", "middle"), ("attribute", "amplitude")),
        (("phase", "middle"), ("attribute", "contact")),
        (("phase", "end"), ("attribute", "trajectory")),
        (("phase", "end"), ("attribute", "periodicity")),
    ),
    "sensor-pair": (
        (("sensor", "1"), ("attribute", "periodicity")),
        (("sensor", "2"), ("attribute", "trajectory")),
        (("sensor", "3"), ("attribute", "direction")),
        (("phase", "middle"), ("sensor", "1")),
        (("phase", "start"), ("sensor", "2")),
        (("phase", "end"), ("sensor", "3")),
    ),
    "purpose-pair": (
        (("definition", "1"), ("purpose", "purpose")),
        (("definition", "2"), ("objects", "objects")),
        (("objects", "objects"), ("purpose", "purpose")),
        (("phase", "middle"), ("objects", "objects")),
    ),
    "detail-pair": tuple(
        (("detail", str(number)), ("detail", str(number + 1))) for number in range(1, 10, 2)
    ),
}
# Facts of one moment go together with "while"; a reason or a thing is added with "and".
_ADDED = ("purpose-pair", "detail-pair")
_MOST_PART_PAIRS = 9
_DIVIDER = " + "
TIMED = re.compile(
    r"(at first|at last|first|at the (start|beginning|end|outset)|in the (middle|end|beginning)"
    r"|to begin|to start|before|then|next|now|after|afterwards|finally|lastly|meanwhile|once|when"
    r"|as|while)\b",
    re.IGNORECASE,
)
"""Begins a sentence that says itself when it happens and needs no "at first" or "then"."""

_WHILE = re.compile(r"\bwhile\b", re.IGNORECASE)
_KEPT_CAPITAL = re.compile(r"[B-Z]\b|\w*[A-Z]\w*[A-Z]")


def lower_first(sentence: str) -> str:
    """`sentence` as it reads inside another one: its first letter small, unless it is a name.

    The pronoun I, single letters (an X), and words with further capitals keep theirs.

    Examples
    --------
    >>> lower_first("A hand rises."), lower_first("X is drawn."), lower_first("TV is watched.")
    ('a hand rises.', 'X is drawn.', 'TV is watched.')
    """
    return sentence if _KEPT_CAPITAL.match(sentence) else sentence[:1].lower() + sentence[1:]


def join(first: str, second: str, word: str = "while") -> str:
    """Two sentences as one: the first without its stop, `word`, the second in small letters.

    Where one of them has a ``while`` already, or both speak of the same thing, ``and`` stands in
    for it.

    Examples
    --------
    >>> join("The left arm hangs still.", "The right hand rises.")
    'The left arm hangs still, while the right hand rises.'
    """
    same = first.split()[:3] == second.split()[:3]
    if same or _WHILE.search(first) or _WHILE.search(second):
        word = "and"
    return f"{first.rstrip('.')}, {word} {lower_first(second)}"


def constituents(granularity: str, key: str) -> tuple[Key, ...]:
    """What a description is made of: a single sentence or those of a compound, and the gist.

    Examples
    --------
    >>> constituents("part-pair", "part.head + part.torso")
    (('part', 'head'), ('part', 'torso'))
    >>> constituents("part", "head + gist.2")
    (('part', 'head'), ('gist', '2'))
    """
    first, *more = key.split(_DIVIDER) if _DIVIDER in key else (key,)
    told = [first, *more] if granularity in COMPOUNDS else more
    pieces = [tuple(piece.split(".", 1)) for piece in told]
    own: tuple[Key, ...] = () if granularity in COMPOUNDS else ((granularity, first),)
    return (*own, *((kind, name) for kind, name in pieces))


def name_with_gist(key: str, number: int) -> str:
    """Key of a description that is told with the gist of that number.

    Examples
    --------
    >>> name_with_gist("part.head + part.torso", 2)
    'part.head + part.torso + gist.2'
    """
    return f"{key}{_DIVIDER}gist.{number}"


class _Described(Protocol):
    """What a description is known by."""

    @property
    def granularity(self) -> str: ...

    @property
    def key(self) -> str: ...


def related_rows(rows: Sequence[_Described]) -> NDArray[np.bool_]:
    """(K, K): which of K descriptions of one class say a sentence in common.

    A single sentence is related to every compound it is part of, and compounds that share one to
    each other; so are rows that are told with the same gist, and every row to itself.
    """
    made_of = [set(constituents(row.granularity, row.key)) for row in rows]
    return np.array([[bool(one & other) for other in made_of] for one in made_of])


def list_compounds(
    singles: Mapping[Key, str], parts: Sequence[str], moving: Sequence[str]
) -> Iterator[tuple[str, str, str]]:
    """Granularity, key and text of every compound sentence of an entry.

    Parameters
    ----------
    singles : (granularity, key) to sentence
    parts : body parts, the leading one first
    moving : those that move
    """
    for keys in _part_pairs(singles, parts, moving):
        yield "part-pair", _name(keys), join(singles[keys[0]], singles[keys[1]])
    for phases in _PHASE_PAIRS:
        told = [singles["phase", phase] for phase in phases]
        name = _name([("phase", phase) for phase in phases])
        yield "phase-pair", name, _sequence(told, phases)
    for kind, recipes in _RECIPES.items():
        word = "and" if kind in _ADDED else "while"
        for recipe in recipes:
            first, second = ((group, _fill(key, parts)) for group, key in recipe)
            text = join(singles[first], singles[second], word)
            yield kind, _name([first, second]), text


def _fill(key: str, parts: Sequence[str]) -> str:
    return parts[int(key.removeprefix("part ")) - 1] if key.startswith("part ") else key


def _name(keys: Sequence[Key]) -> str:
    return _DIVIDER.join(f"{group}.{key}" for group, key in keys)


def _part_pairs(
    singles: Mapping[Key, str], parts: Sequence[str], moving: Sequence[str]
) -> list[tuple[Key, Key]]:
    """Pairs with a part that moves; of two resting limbs that mirror each other only one."""
    pairs = []
    for place, one in enumerate(parts):
        told: set[str] = set()
        for other in parts[place + 1 :]:
            text = singles["part", other]
            if other not in moving and (one not in moving or mirror_text(text) in told):
                continue
            told.add(text)
            pairs.append((("part", one), ("part", other)))
    return pairs[:_MOST_PART_PAIRS]


def _sequence(texts: Sequence[str], phases: Sequence[str]) -> str:
    """Phases one after the other: "At first ..., then ..., and in the end ..."."""
    leads = {"start": "At first", "middle": "then", "end": "and in the end"}
    said = ""
    for phase, text in zip(phases, texts, strict=True):
        timed = TIMED.match(text)
        if said:
            lead = "and" if timed else leads[phase]
            said = f"{said.rstrip('.')}, {lead} {lower_first(text)}"
        elif timed or phase != "start":
            said = text  # a sequence that begins in the middle needs no word for it
        else:
            said = f"{leads[phase]} {lower_first(text)}"
    return said
