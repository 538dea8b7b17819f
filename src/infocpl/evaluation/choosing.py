"""Choosing how InfoCPL is shaped and trained, on classes held out of the seen ones.

Every candidate is selected by its own fold results like any other row of the table. The one that
did best there is then taken, once a seed. Scores of folds are all this module sees: it imports
nothing that knows a clip or an unseen class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infocpl.errors import ConfigError
from infocpl.evaluation.variants import METHODS, VARIANTS, check_variants
from infocpl.training.stages import AlignmentConfig

__all__ = [
    "CANDIDATES",
    "Chosen",
    "candidates_of",
    "check_candidates",
    "choose_on_folds",
    "further_rows",
    "tell_chosen",
]

_YARDSTICKS = ("ridge-names", "names-only")
"""Rows that know bare names only: others are measured by them, and nobody would use them."""

CANDIDATES = ("ridge", *(name for name in VARIANTS if name not in _YARDSTICKS))
"""What may stand beside InfoCPL as it is configured."""

_EQUAL = 1e-12  # far below what one clip of one fold can change


@dataclass(frozen=True)
class Chosen:
    """What the folds of one seed chose.

    Attributes
    ----------
    candidate : name of the method
    scores : of every candidate, mean top-1 over folds at its own chosen epoch or penalty, smoothed
        over the neighbours of that one (:func:`.choice.settle`)
    """

    candidate: str
    scores: dict[str, float]


def candidates_of(choose: Sequence[str]) -> tuple[str, ...]:
    """Names among which folds choose, in the order in which ties are decided.

    Examples
    --------
    >>> candidates_of(["one-head", "ridge"])
    ('infocpl', 'one-head', 'ridge')
    """
    return ("infocpl", *choose)


def further_rows(variants: Sequence[str], choose: Sequence[str]) -> tuple[str, ...]:
    """Variants asked for, and candidates that are no row of the table yet.

    A reader must see what was chosen among.

    Examples
    --------
    >>> further_rows(["no-inverse"], ["ridge", "one-head", "no-inverse"])
    ('no-inverse', 'one-head')
    """
    shown = {*METHODS, *variants}
    return (*variants, *(name for name in choose if name not in shown))


def check_candidates(choose: Sequence[str] | None, config: AlignmentConfig, selection: str) -> None:
    """Refuse candidates that are unknown, stand twice, cannot be trained, or lack folds.

    Parameters
    ----------
    choose : names beside ``infocpl``; None where nothing is to be chosen
    config : of InfoCPL
    selection : rule of the experiment

    Raises
    ------
    ConfigError : says what is wrong with which name

    Examples
    --------
    >>> check_candidates(["infocpl"], AlignmentConfig(), "pseudo-unseen")
    Traceback (most recent call last):
    infocpl.errors.ConfigError: 'infocpl' is always among the candidates; name the others
    """
    if choose is None:
        return
    known = f"known: {', '.join(CANDIDATES)}"
    if not choose:
        raise ConfigError(f"choosing needs at least one candidate beside infocpl; {known}")
    if selection != "pseudo-unseen":
        raise ConfigError(
            "candidates are chosen on seen classes held out, which selection "
            f"{selection!r} does not do"
        )
    for name in choose:
        if name == "infocpl":
            raise ConfigError("'infocpl' is always among the candidates; name the others")
        if name in _YARDSTICKS:
            raise ConfigError(f"{name!r} is a row to compare with and cannot be chosen; {known}")
        if name not in CANDIDATES:
            raise ConfigError(f"unknown candidate {name!r}; {known}")
    if len(set(choose)) < len(choose):
        raise ConfigError(f"candidates must differ, got {', '.join(choose)}")
    check_variants([name for name in choose if name in VARIANTS], config, selection)


def choose_on_folds(scores: Mapping[str, float]) -> Chosen:
    """The candidate with the best score; of equal ones the earlier named.

    Parameters
    ----------
    scores : name to score on the folds, in the order of :func:`candidates_of`

    Examples
    --------
    >>> choose_on_folds({"infocpl": 0.5, "one-head": 0.6, "ridge": 0.6}).candidate
    'one-head'
    """
    best = max(scores.values())
    first = next(name for name, score in scores.items() if score >= best - _EQUAL)
    return Chosen(first, dict(scores))


def tell_chosen(names: Sequence[str], what: str = "seed") -> str:
    """How often each candidate was chosen, most often first, as one line.

    Parameters
    ----------
    names : the candidate chosen each time
    what : one of those times

    Examples
    --------
    >>> tell_chosen(["one-head", "infocpl", "one-head"])
    'chosen: one-head in 2 of 3 seeds, infocpl in 1'
    >>> tell_chosen(["ridge"], "split")
    'chosen: ridge in 1 of 1 split'
    """
    (first, times), *others = Counter(names).most_common()
    plural = "" if len(names) == 1 else "s"
    pieces = [f"{first} in {times} of {len(names)} {what}{plural}"]
    pieces += [f"{name} in {count}" for name, count in others]
    return f"chosen: {', '.join(pieces)}"
