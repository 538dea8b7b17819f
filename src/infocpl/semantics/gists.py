"""A sentence and the gist of its action: what keeps a body part or a speed from fitting anything.

"The left arm hangs still" is true of half of all actions and leads back to none of them. Said
with what happens meanwhile it belongs to one: "While a cup is tipped at the lips, the left arm
hangs still." A gist is such a clause, a few words of the entry about the movement itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from infocpl.semantics.compounds import TIMED, lower_first

__all__ = ["carries_gist", "overlap", "share_gists", "with_gist", "word_bits"]

# They tell what the action is by themselves, or are no sentences.
_WITHOUT = frozenset(("name", "definition", "motion"))
# "As ..., in the middle ..." stumbles: a sentence that opens with a circumstance is added instead.
_OPENING = re.compile(
    r"(about|after|at|before|between|during|for|from|if|in|near|now|occasionally|often|on|once"
    r"|right after|seen|sometimes|there|to|with|when|while|as)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(r",|\b(while|as|and|so|because)\b")
_LONGEST_TAIL = 14
_WORD = re.compile(r"[a-z]+")
# Sentences that share more of their words than this are not told with the same gist.
_ALIKE = 0.58
_ALIKE_DEFINED = 0.45
# Sentences that begin with the first or the last phase speak of another moment than the gist.
_MOMENTS = {"start": "Before", "end": "After"}


def carries_gist(granularity: str) -> bool:
    """Whether a description of this kind is told with the gist: not if it defines the action.

    Examples
    --------
    >>> carries_gist("part"), carries_gist("definition")
    (True, False)
    """
    return granularity not in _WITHOUT


def with_gist(sentence: str, gist: str, granularity: str, key: str, *, last: bool = False) -> str:
    """One sentence that says both `sentence` and `gist`, in the words its kind asks for.

    Parameters
    ----------
    sentence : a description that :func:`carries_gist`
    gist : a sentence of the entry's field of that name
    granularity, key : what the description is
    last : put the gist behind a sentence that is short and plain enough for that

    Examples
    --------
    >>> with_gist("The left arm hangs still.", "A cup is tipped.", "part", "left_arm")
    'While a cup is tipped, the left arm hangs still.'
    >>> with_gist("The speed is low.", "A cup is tipped.", "attribute", "speed", last=True)
    'The speed is low as a cup is tipped.'
    >>> with_gist("The hand is low.", "A cup is tipped.", "phase", "start")
    'Before a cup is tipped, the hand is low.'
    """
    clause, inner = lower_first(gist).rstrip("."), lower_first(sentence)
    first, timed = gist.rstrip("."), TIMED.match(sentence)
    if key.startswith("definition."):
        told = sentence.rstrip(".")
        return f"{told}, {'and so' if 'so that' in told else 'so that'} {clause}."
    if granularity == "phase-pair":
        return f"When {clause}, {inner}"
    if granularity == "phase" and key == "start" and timed:
        return f"{sentence.rstrip('.')}, before {clause}."
    if granularity == "phase" and key == "end" and not (timed or last):
        return f"{first}, and in the end {inner}"
    if granularity == "purpose" and sentence.startswith("It "):
        return f"{first}, which {sentence.removeprefix('It ')}"
    if granularity == "purpose" or timed or _OPENING.match(sentence):
        return f"{first}, and {inner}"
    if lead := _MOMENTS.get(key.removeprefix("phase.").partition(" ")[0]):
        return f"{lead} {clause}, {inner}"
    word = "while" if granularity == "part" and "while" not in sentence else "as"
    if last and sentence.count(" ") < _LONGEST_TAIL and not _JOINED.search(sentence):
        return f"{sentence.rstrip('.')} {word} {clause}."
    return f"{word.capitalize()} {clause}, {inner}"


def share_gists(
    rows: Sequence[tuple[str, str]], gists: Sequence[str]
) -> list[tuple[int, bool] | None]:
    """Which gist every sentence of an action is told with, and whether behind the sentence.

    The gists take turns, but sentences that have words in common get different ones where they
    can, and none gets a gist that begins as it does. A sentence that would say nearly the same as
    an earlier one whichever gist it got stands alone (None): told alike they would be too alike.

    Parameters
    ----------
    rows : granularity and text of the sentences that carry a gist, in the order of telling
    gists : at least one

    Examples
    --------
    >>> share_gists([("part", "An arm rests."), ("part", "Both legs kick.")], ["A cup tips."])
    [(0, False), (0, True)]
    >>> share_gists([("part", "The arm is bent.")] * 2, ["A cup tips."])
    [(0, False), None]
    """
    words = word_bits([text for _, text in rows])
    shared: list[list[int]] = [[] for _ in gists]
    chosen: list[tuple[int, bool] | None] = []
    for turn, ((kind, text), own) in enumerate(zip(rows, words, strict=True)):
        limit = _ALIKE_DEFINED if kind == "definition-pair" else _ALIKE
        beginning = text.split()[:2]
        ranks = []
        for step in range(len(gists)):
            n = (turn + step) % len(gists)
            alike = max(map(overlap(own), shared[n]), default=0.0)
            if alike <= limit:
                ranks.append((beginning == gists[n].split()[:2], alike, step, n))
        if not ranks:
            chosen.append(None)
            continue
        number = min(ranks)[-1]
        shared[number].append(own)
        chosen.append((number, turn // len(gists) % 2 == 1))
    return chosen


def word_bits(texts: Sequence[str]) -> list[int]:
    """The words of each text as a number with a bit a word: comparing two is next to nothing."""
    bits: dict[str, int] = {}
    found = []
    for text in texts:
        own = 0
        for word in _WORD.findall(text.lower()):
            own |= 1 << bits.setdefault(word, len(bits))
        found.append(own)
    return found


def overlap(one: int) -> Callable[[int], float]:
    """Share of their words that texts have in common with `one`, see :func:`word_bits`."""
    return lambda other: (one & other).bit_count() / max((one | other).bit_count(), 1)
