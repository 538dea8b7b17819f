"""Which words of a name are known, and as what: the longest phrases first.

A phrase may be interrupted by an article or a side ("wash the hands", "lift the left leg"), and a
verb may stand apart from its particle ("put the hat on").
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from infocpl.semantics.grammar.vocabulary import Meaning, Vocabulary
from infocpl.semantics.grammar.words import ARTICLES, Token

__all__ = ["NUMBERS", "Span", "find_spans"]

NUMBERS = frozenset(
    (
        *("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twelve"),
        *("twenty", "first", "second", "third"),
    )
)
"""Words that count and say nothing else."""

_PARTICLES = frozenset(("up", "down", "on", "off", "out", "away", "over", "back"))
# After a particle that ends a phrase only these may follow: "put the hat on quickly", but not
# "put the hat on the table".
_AFTER_PARTICLE = frozenset(("and", "then", "while", "with", "from", "to", "into", "in"))
_MOST_BETWEEN = 4
_SKIPPED = ARTICLES | {"left", "right", "one", "both", "single", "two"}
_SPELLING = 0.85
_SHORTEST_MISSPELT = 5


@dataclass(frozen=True)
class Span:
    """Words of a name that belong together.

    Attributes
    ----------
    places : positions of the words
    meanings : every way to read them; none for an unknown word
    spelt : the known word an unknown one was taken for, else empty
    """

    places: tuple[int, ...]
    meanings: tuple[Meaning, ...]
    spelt: str = ""

    @property
    def start(self) -> int:
        """Position of the first word."""
        return self.places[0]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of the meanings, each once."""
        return tuple(dict.fromkeys(meaning.kind for meaning in self.meanings))

    def first(self, kind: str) -> str:
        """Value of the first meaning of `kind`."""
        return next(meaning.value for meaning in self.meanings if meaning.kind == kind)


def find_spans(tokens: Sequence[Token], vocabulary: Vocabulary) -> list[Span]:
    """Divide a name into spans, in the order of their first words.

    Each word belongs to one span. Longer phrases win over shorter ones, and words as they stand
    over what they may be a form of.
    """
    free = [True] * len(tokens)
    spans: list[Span] = []
    for start in range(len(tokens)):
        if not free[start]:
            continue
        span = _longest(tokens, start, free, vocabulary) or _unknown(tokens, start, vocabulary)
        for place in span.places:
            free[place] = False
        spans.append(span)
    return spans


def _longest(
    tokens: Sequence[Token], start: int, free: Sequence[bool], vocabulary: Vocabulary
) -> Span | None:
    found: dict[tuple[int, ...], list[Meaning]] = {}
    for form in tokens[start].forms:
        for meaning in vocabulary.index.get(form, ()):
            places = _places(meaning.words, tokens, start, free)
            if places:
                found.setdefault(places, []).append(meaning)
    if not found:
        return _number(tokens, start)
    best = max(found, key=lambda places: (len(places), -places[-1]))
    # "standing" is a posture before it is a form of "stand".
    ordered = sorted(found[best], key=lambda meaning: not _as_written(meaning, tokens, best))
    distinct = {(meaning.kind, meaning.value): meaning for meaning in reversed(ordered)}
    return Span(best, tuple(reversed(distinct.values())))


def _as_written(meaning: Meaning, tokens: Sequence[Token], places: Sequence[int]) -> bool:
    pairs = zip(meaning.words, places, strict=True)
    return all(word == tokens[place].text for word, place in pairs)


def _places(
    words: Sequence[str], tokens: Sequence[Token], start: int, free: Sequence[bool]
) -> tuple[int, ...]:
    """Where the words of a phrase stand, with articles and sides between; empty if they do not."""
    places = [start]
    for word in words[1:]:
        place = places[-1] + 1
        while place < len(tokens) and free[place] and word not in tokens[place].forms:
            if tokens[place].text not in _SKIPPED:
                place = len(tokens)
            place += 1
        if place >= len(tokens) or not free[place]:
            return _apart(words, tokens, start, free)
        places.append(place)
    return tuple(places)


def _apart(
    words: Sequence[str], tokens: Sequence[Token], start: int, free: Sequence[bool]
) -> tuple[int, ...]:
    """A verb and its particle with the thing between them."""
    if len(words) != 2 or words[1] not in _PARTICLES:
        return ()
    last = min(len(tokens), start + _MOST_BETWEEN + 2)
    for place in range(start + 1, last):
        ends = place + 1 == len(tokens) or tokens[place + 1].text in _AFTER_PARTICLE
        if tokens[place].text == words[1] and free[place] and ends:
            return (start, place)
    return ()


def _number(tokens: Sequence[Token], start: int) -> Span | None:
    text = tokens[start].text
    if not (text.isdigit() or text in NUMBERS):
        return None
    following = tokens[start + 1].text if start + 1 < len(tokens) else ""
    if following in ("times", "x", "reps", "repetitions", "time"):
        often = "continuous" if text.isdigit() and int(text) > 10 else "few"
        meaning = Meaning("times", often, (text, following))
        return Span((start, start + 1), (meaning,))
    return Span((start,), (Meaning("number", text, (text,)),))


def _unknown(tokens: Sequence[Token], start: int, vocabulary: Vocabulary) -> Span:
    """An unknown word, or the known word it seems to be a misspelling of."""
    token = tokens[start]
    if len(token.text) < _SHORTEST_MISSPELT:
        return Span((start,), ())
    forms = [form for form in token.forms if len(form) >= _SHORTEST_MISSPELT - 1]
    best, spelt = _SPELLING, ""
    for near, meanings in vocabulary.index.items():
        # People rarely mistype the first letter; other words that look alike differ in it.
        if near[0] != token.text[0] or all(meaning.words != (near,) for meaning in meanings):
            continue
        for form in forms:
            alike = difflib.SequenceMatcher(None, form, near).ratio()
            if alike > best:
                best, spelt = alike, near
    alone = (meaning for meaning in vocabulary.index.get(spelt, ()) if meaning.words == (spelt,))
    return Span((start,), tuple(alone), spelt=spelt)
