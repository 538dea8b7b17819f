"""One meaning for every span: "hammer" as tool or action, "standing" as posture or action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infocpl.semantics.grammar.match import Span
from infocpl.semantics.grammar.vocabulary import Vocabulary
from infocpl.semantics.grammar.words import ARTICLES, Token

__all__ = ["PREPOSITIONS", "Read", "choose_meanings"]

PREPOSITIONS = frozenset(
    (
        *("with", "using", "by", "of", "in", "on", "at", "to", "from", "for", "into", "onto"),
        *("off", "over", "under", "through", "along", "past", "near", "beside", "between"),
        *("against", "across", "toward", "towards", "behind", "above", "below", "around", "out"),
    )
)
"""Words that say what the noun after them has to do with the action."""

# What a word is rather than an action, where the name has an action already; the order says which.
_BESIDE_ACTION = ("posture", "body", "thing", "empty", "way", "manner", "times")
_ORDER = (
    *("action", "negation", "hands", "feet", "posture", "body", "thing", "person", "way", "height"),
    *("side", "manner", "times", "number", "empty"),
)


@dataclass(frozen=True)
class Read:
    """A span with the one meaning it has in its name; `kind` is ``"unknown"`` if it has none."""

    span: Span
    kind: str
    value: str


def choose_meanings(
    spans: Sequence[Span], tokens: Sequence[Token], vocabulary: Vocabulary
) -> list[Read]:
    """Decide for every span what it means here.

    A word that may be an action and something else is something else where the name holds a clear
    action, or where an article or a preposition stands before it.
    """
    sure = [span for span in spans if span.kinds == ("action",)]
    clear = [span for span in sure if not vocabulary.frames[span.first("action")].general]
    reads: list[Read] = []
    for place, span in enumerate(spans):
        if not span.meanings:
            reads.append(Read(span, "unknown", " ".join(tokens[p].text for p in span.places)))
            continue
        around = _Around(
            clear=any(other is not span for other in clear),
            action=any(other is not span for other in sure),
            noun=_after_article(spans, tokens, place),
            reached=_reached(reads, vocabulary),
            progressive=tokens[span.start].progressive,
        )
        kind = _kind(span, around)
        reads.append(Read(span, kind, span.first(kind)))
    return _one_action(reads, spans, tokens)


@dataclass(frozen=True)
class _Around:
    """What stands around a span.

    `clear` and `action`: whether another word is surely an action, and one that says a lot; `noun`:
    an article or a preposition stands before; `reached`: an action before it reaches for places of
    the body; `progressive`: it ends in "ing".
    """

    clear: bool
    action: bool
    noun: bool
    reached: bool
    progressive: bool


def _kind(span: Span, around: _Around) -> str:
    kinds = span.kinds
    if set(kinds) == {"way", "body"}:
        return "body" if around.noun or around.reached else "way"
    if "action" in kinds and len(kinds) > 1:
        beside = next((kind for kind in _BESIDE_ACTION if kind in kinds), "")
        if beside == "posture":
            return "posture" if around.action else "action"
        if beside in ("thing", "body"):
            # "elbow" beside any action is a part of the body; "hammer" beside "use" is one itself.
            sure = around.clear if beside == "thing" else around.action
            other = around.noun or (sure and not around.progressive)
            return beside if other else "action"
        if beside:
            return beside if around.clear else "action"
    return next(kind for kind in _ORDER if kind in kinds)


def _one_action(reads: list[Read], spans: Sequence[Span], tokens: Sequence[Token]) -> list[Read]:
    """Of words that are actions or things and side by side, the first one acts; one must."""
    doubtful = [
        place
        for place, read in enumerate(reads)
        if read.kind == "action"
        and {"thing", "body"} & set(spans[place].kinds)
        and not tokens[spans[place].start].progressive
    ]
    if len(doubtful) > 1:
        for place in doubtful[1:]:
            kind = "thing" if "thing" in spans[place].kinds else "body"
            reads[place] = Read(spans[place], kind, spans[place].first(kind))
    if not any(read.kind == "action" for read in reads):
        # "using a hammer": the tool says what is done with it.
        for place, span in enumerate(spans):
            if "action" in span.kinds and "empty" not in span.kinds:
                reads[place] = Read(span, "action", span.first("action"))
                break
    return reads


def _reached(reads: Sequence[Read], vocabulary: Vocabulary) -> bool:
    """Whether the action before reaches for places of the body: "scratch back", not "step back"."""
    if not reads or reads[-1].kind != "action":
        return False
    takes = vocabulary.frames[reads[-1].value].takes
    return "target" in takes and "way" not in takes


def _after_article(spans: Sequence[Span], tokens: Sequence[Token], place: int) -> bool:
    """Whether an article or a preposition stands before a span, sides and manners between."""
    before = spans[place].start - 1
    while before >= 0:
        text = tokens[before].text
        if text in ARTICLES or text in PREPOSITIONS:
            return True
        owner = next(span for span in spans if before in span.places)
        if "side" in owner.kinds and "body" in spans[place].kinds:
            return True
        if not {"side", "manner", "number"} & set(owner.kinds):
            return False
        before -= 1
    return False
