"""Read an action's name: what was recognised, what was not, and how sure that makes us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from infocpl.semantics.grammar.choose import Read, choose_meanings
from infocpl.semantics.grammar.combine import understand
from infocpl.semantics.grammar.match import find_spans
from infocpl.semantics.grammar.roles import assign_roles
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.grammar.words import Token, tokenise
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.traits import Traits

__all__ = ["CONFIDENT", "Reading", "WordReading", "read_name"]

CONFIDENT = 0.6
"""Confidence from which on a reading is worth describing an action by."""

# Words that say nothing about a movement neither raise nor lower the confidence.
_LITTLE = ("empty", "number")
_SPELT = 0.5
_SHARE = 0.5

_KINDS = {
    "action": "action",
    "thing": "thing",
    "body": "part of the body",
    "hands": "hands",
    "feet": "feet",
    "side": "side",
    "way": "direction",
    "height": "height",
    "manner": "manner",
    "times": "repetition",
    "posture": "posture",
    "person": "person",
    "negation": "negation",
    "number": "number",
    "empty": "no meaning of its own",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class WordReading:
    """How one or more words were read.

    Attributes
    ----------
    text : as in the name
    kind : "action", "thing", "part of the body", ..., "unknown"
    meaning : which one, in words of the vocabulary; empty for an unknown word
    spelt : the word it was taken for, if it is misspelt
    """

    text: str
    kind: str
    meaning: str
    spelt: str = ""


@dataclass(frozen=True)
class Reading:
    """What the grammar makes of a name.

    Attributes
    ----------
    name : with single spacing
    words : the name's words in order
    confidence : 0 (nothing understood) to 1; see :func:`read_name`
    scene : the action as far as it was understood; None where the name holds no action
    """

    name: str
    words: tuple[WordReading, ...]
    confidence: float
    scene: Scene | None = field(repr=False)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Words that mean nothing to the grammar."""
        return tuple(word.text for word in self.words if word.kind == "unknown")

    @property
    def traits(self) -> Traits | None:
        """What the action looks like, as far as the name was understood."""
        return self.scene.traits if self.scene is not None else None

    def explain(self) -> str:
        """One line: each word that matters and how it was read."""
        told = []
        for word in self.words:
            if word.kind == _KINDS["empty"]:
                continue
            spelt = f" (read as {word.spelt})" if word.spelt else ""
            meaning = f" {word.meaning}" if word.meaning not in ("", word.text) else ""
            told.append(f"{word.text}{spelt}: {word.kind}{meaning}")
        return "; ".join(told) or "nothing"


def read_name(name: str) -> Reading:
    """Read an action's name with the motion grammar; no lexicon and no model is asked.

    The confidence is ``a * (0.5 + 0.5 * u)``. ``a`` says how the action was found: 1 for an action
    of the vocabulary, 0.8 for one that a thing, a posture or two limbs imply ("binoculars",
    "finger to nose"), 0.65 for a limb with a direction, 0.5 for an action that says little without
    the thing it is done to ("use"), 0 for none. ``u`` is the share of the other words that were
    understood, without those that carry no movement ("the", "exercise"); a misspelt word counts
    half, the action's own word included.

    Raises
    ------
    LabelError : if `name` is empty, too long or unreadable

    Examples
    --------
    >>> reading = read_name("side kick")
    >>> reading.confidence, reading.traits.directions
    (1.0, ('outward', 'up'))
    >>> read_name("gloop the zorb").confidence
    0.0
    """
    (clean,) = LabelSet((name,)).names
    vocabulary = load_vocabulary()
    tokens = tokenise(clean, vocabulary.irregular)
    if not tokens:
        return Reading(clean, (), 0.0, None)
    reads = choose_meanings(find_spans(tokens, vocabulary), tokens, vocabulary)
    understood = understand(clean, assign_roles(reads, tokens, vocabulary), vocabulary)
    words = tuple(_word(read, tokens) for read in reads)
    confidence = understood.sureness * (1 - _SHARE + _SHARE * _share(reads)) if understood else 0.0
    scene = understood.scene if understood else None
    return Reading(clean, words, round(confidence, 2), scene)


def _share(reads: Sequence[Read]) -> float:
    """Share of the words that matter which were understood."""
    counted = [read for read in reads if read.kind not in _LITTLE]
    if not counted:
        return 0.0
    known = 0.0
    for read in counted:
        if read.kind != "unknown":
            known += _SPELT if read.span.spelt else 1.0
    return known / len(counted)


def _word(read: Read, tokens: Sequence[Token]) -> WordReading:
    text = " ".join(tokens[place].text for place in read.span.places)
    meaning = "" if read.kind in ("unknown", "empty") else read.value.replace("_", " ")
    return WordReading(text, _KINDS[read.kind], meaning, read.span.spelt)
