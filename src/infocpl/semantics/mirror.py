"""Left for right: the words of a clip that is mirrored.

A mirrored clip shows the mirrored action, so its sentences must say ``right`` where they said
``left``, and ``clockwise`` where they said ``counterclockwise``. Mirroring twice gives back what
was there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.entry_reader import Contrast
from infocpl.semantics.traits import TRAIT_VALUES, Traits

__all__ = ["mirror_entry", "mirror_text", "mirror_traits"]

_SWAPS = {
    "left": "right",
    "leftward": "rightward",
    "leftwards": "rightwards",
    "leftmost": "rightmost",
    "lefthand": "righthand",
    "lefty": "righty",
    "clockwise": "counterclockwise",
}
_SWAPS |= {new: old for old, new in _SWAPS.items()}
_COUNTER = re.compile(r"\b(counter|anti)[ -]?clockwise\b", re.IGNORECASE)
_WORDS = re.compile(r"\b(" + "|".join(_SWAPS) + r")\b", re.IGNORECASE)
_SIDE = ("left", "right")
# "is left", "nothing left", "all right": no direction, whichever of the two words it is. The
# same list serves both, or mirroring twice would not lead back.
_NOT_AFTER = frozenset(
    ("is", "are", "was", "were", "be", "been", "being", "has", "have", "had", "nothing", "all")
)
# "left out", "right angle", "right above": likewise, unless an article stands before them.
_NOT_BEFORE = frozenset(
    (
        *("out", "over", "behind", "alone", "hanging", "free", "open", "unused", "empty"),
        *("angle", "angles", "angled", "away", "after", "above", "below", "beside", "before"),
        *("beneath", "under", "underneath", "next"),
    )
)
_ARTICLES = frozenset(("the", "his", "her", "its", "their", "to", "from", "far", "and", "or"))


def mirror_text(text: str) -> str:
    """Exchange left and right, clockwise and counterclockwise in `text`.

    Words that are no directions stay: "is left out", "a right angle". ``counter clockwise`` and
    ``anti-clockwise`` become the one spelling ``counterclockwise`` on the way, apart from which
    mirroring twice gives the same text.

    Examples
    --------
    >>> mirror_text("The left arm bends to a right angle, and the right hand draws clockwise.")
    'The right arm bends to a right angle, and the left hand draws counterclockwise.'
    """
    plain = _COUNTER.sub(lambda match: _like(match.group(), "counterclockwise"), text)
    return _WORDS.sub(lambda match: _swap(match, plain), plain)


def mirror_traits(traits: Traits) -> Traits:
    """The traits of the mirrored action."""
    values: dict[str, Any] = {
        name: tuple(map(_mirror_word, value)) if isinstance(value, tuple) else _mirror_word(value)
        for name in TRAIT_VALUES
        for value in (getattr(traits, name),)
    }
    return Traits(**values)


def mirror_entry(entry: LexiconEntry) -> LexiconEntry:
    """The entry of the mirrored action: names, every sentence, parts and traits.

    Examples
    --------
    >>> from infocpl.semantics.lexicon import load_lexicon
    >>> entry = mirror_entry(load_lexicon("utd-mhad")["right arm throw"])
    >>> entry.name, entry.traits.moving[0]
    ('left arm throw', 'left_arm')
    """
    return replace(
        entry,
        name=mirror_text(entry.name),
        aliases=_all(entry.aliases),
        gist=_all(entry.gist),
        definition=_all(entry.definition),
        parts={part: mirror_text(entry.parts[_mirror_word(part)]) for part in entry.parts},
        phases={key: mirror_text(text) for key, text in entry.phases.items()},
        motion=mirror_text(entry.motion),
        attributes={key: mirror_text(text) for key, text in entry.attributes.items()},
        objects=mirror_text(entry.objects),
        purpose=mirror_text(entry.purpose),
        sensor=_all(entry.sensor),
        details=_all(entry.details),
        contrast=tuple(
            Contrast(mirror_text(item.other), mirror_text(item.how)) for item in entry.contrast
        ),
        traits=mirror_traits(entry.traits),
    )


def _all(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(mirror_text, texts))


def _mirror_word(word: str) -> str:
    """``left_arm`` and the like, which are no English."""
    side, line, rest = word.partition("_")
    return f"{_SWAPS.get(side, side)}{line}{rest}"


def _swap(match: re.Match[str], text: str) -> str:
    word = match.group()
    if word.lower() in _SIDE:
        before = re.search(r"([A-Za-z]+)[ -]$", text[: match.start()])
        after = re.match(r"[ -]([A-Za-z]+)", text[match.end() :])
        previous = before.group(1).lower() if before else ""
        following = after.group(1).lower() if after else ""
        if previous in _NOT_AFTER:
            return word
        if following in _NOT_BEFORE and previous not in _ARTICLES:
            return word
    return _like(word, _SWAPS[word.lower()])


def _like(model: str, word: str) -> str:
    """`word` in capitals where `model` is."""
    if model.isupper():
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word
