"""Chooses among ways to say something, so that an entry never says a thing twice."""

from __future__ import annotations

from collections.abc import Iterable

from infocpl.errors import SemanticsError
from infocpl.semantics.entry_reader import ALIKE, WORD_LIMITS, word_set

__all__ = ["Writer", "fit", "sentence"]


def sentence(text: str) -> str:
    """`text` with single spacing, a capital and a full stop.

    Examples
    --------
    >>> sentence("the hand  rises , then sinks")
    'The hand rises, then sinks.'
    """
    plain = " ".join(text.split()).replace(" ,", ",").rstrip(".,")
    return f"{plain[:1].upper()}{plain[1:]}."


def fit(base: str, additions: Iterable[str], most: int) -> str:
    """`base` and as many of `additions`, in their order, as `most` words allow.

    Examples
    --------
    >>> fit("the hand rises", [" quickly", " and sinks again", " twice"], 5)
    'the hand rises quickly twice'
    """
    count = len(base.split())
    for addition in additions:
        words = len(addition.split())
        if addition and count + words <= most:
            base, count = base + addition, count + words
    return base


class Writer:
    """Collects the sentences of one entry and keeps them apart from each other."""

    def __init__(self) -> None:
        self.told: list[frozenset[str]] = []

    def pick(self, rule: str, candidates: Iterable[str]) -> str:
        """The first candidate that keeps the rules of its field and repeats nothing told before.

        Parameters
        ----------
        rule : field of the lexicon format, see :data:`~infocpl.semantics.entry.WORD_LIMITS`
        candidates : texts, made sentences of here; the best first

        Raises
        ------
        SemanticsError : if none will do
        """
        return self.several(rule, 1, candidates)[0]

    def several(self, rule: str, count: int, candidates: Iterable[str]) -> tuple[str, ...]:
        """The first `count` candidates that will do, see :meth:`pick`."""
        return self.upto(rule, (count, count), candidates)

    def upto(
        self, rule: str, counts: tuple[int, int], candidates: Iterable[str]
    ) -> tuple[str, ...]:
        """The same, as many as there are between a smallest and a largest count."""
        fewest, most = counts
        found: list[str] = []
        tried = ""
        for candidate in candidates:
            tried = sentence(candidate)
            if self.take(rule, tried):
                found.append(tried)
                if len(found) == most:
                    break
        if len(found) < fewest:
            raise SemanticsError(
                f"motion grammar: expected {fewest} sentences for {rule}, got {len(found)}; the "
                f"last candidate was {tried!r}"
            )
        return tuple(found)

    def take(self, rule: str, text: str) -> bool:
        """Keep a sentence if it will do; the answer says whether it did."""
        if not self._keeps(rule, text):
            return False
        self.told.append(word_set(text))
        return True

    def _keeps(self, rule: str, text: str) -> bool:
        fewest, most = WORD_LIMITS[rule]
        words = word_set(text)
        return fewest <= len(text.split()) <= most and not any(
            len(words & other) > ALIKE * len(words | other) for other in self.told
        )
