"""Whether a split is what it says it is, and what it leaves of a store on each side."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from infocpl.data.dataset import Dataset
from infocpl.data.division import split_indices
from infocpl.data.labelled import LabelledStore
from infocpl.data.splits import Split
from infocpl.errors import DataError, SplitError

__all__ = ["ClassCount", "SplitReport", "check_split"]

_COUNTS = re.compile(r"(\d+)-(\d+)")


@dataclass(frozen=True)
class ClassCount:
    """Clips of one class in a store, by side."""

    name: str
    side: str
    train: int
    seen_test: int
    unseen_test: int


@dataclass(frozen=True)
class SplitReport:
    """What :func:`check_split` found.

    Attributes
    ----------
    split : the split
    facts : what holds, in sentences
    problems : what does not hold, in sentences; empty for a sound split
    warnings : what a result should say, such as classes without clips
    classes : clips of every class on each side; empty without a store
    protocol : name of the protocol that divided the store ("" without a store)
    """

    split: Split
    facts: tuple[str, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    classes: tuple[ClassCount, ...] = ()
    protocol: str = ""


def check_split(
    dataset: Dataset,
    split: Split,
    store: LabelledStore | None = None,
    protocol: str | None = None,
) -> SplitReport:
    """Check a split against its dataset, and count what it makes of a store.

    Parameters
    ----------
    dataset, split : whose classes are divided
    store : clips or features of that dataset
    protocol : name of one of the store's protocols; None for its default

    Examples
    --------
    >>> from infocpl.data.catalog import create_dataset
    >>> from infocpl.data.splits import load_split
    >>> report = check_split(*(d := create_dataset("ntu60"), load_split(d, "synse/55-5")))
    >>> report.problems, report.facts[0]
    ((), '55 seen and 5 unseen classes, none on both sides')
    """
    facts: list[str] = []
    problems: list[str] = []
    both = set(split.seen) & set(split.unseen)
    counts = f"{len(split.seen)} seen and {len(split.unseen)} unseen classes"
    if both:
        problems.append(f"seen and unseen at once: {', '.join(sorted(both))}")
    else:
        facts.append(f"{counts}, none on both sides")
    unknown = [name for name in (*split.seen, *split.unseen) if name not in dataset.classes]
    if unknown:
        problems.append(f"not classes of {dataset.title}: {', '.join(unknown)}")
    else:
        facts.append(f"every name is a class of {dataset.title}")
    rest = [name for name in dataset.classes if name not in {*split.seen, *split.unseen}]
    if rest:
        facts.append(f"on neither side: {', '.join(rest)}")
    named = _COUNTS.fullmatch(split.name) if split.family not in ("random", "pseudo") else None
    found = (len(split.seen), len(split.unseen))
    if named and found != (int(named[1]), int(named[2])):
        problems.append(f"its name says {split.name}, but there are {found[0]} and {found[1]}")
    if store is None:
        return SplitReport(split, tuple(facts), tuple(problems), ())
    warnings, classes, name = _count(store, split, protocol, facts, problems)
    return SplitReport(split, tuple(facts), tuple(problems), tuple(warnings), classes, name)


def _count(
    store: LabelledStore,
    split: Split,
    protocol: str | None,
    facts: list[str],
    problems: list[str],
) -> tuple[list[str], tuple[ClassCount, ...], str]:
    try:
        rule = store.protocol(protocol)
        parts = split_indices(store, split, rule)
    except (DataError, SplitError) as error:
        problems.append(str(error))
        return [], (), ""
    sides = {
        side: np.bincount(store.labels[getattr(parts, side)], minlength=len(store.classes))
        for side in ("train", "seen_test", "unseen_test")
    }
    facts.append(
        f"protocol {rule.name}: {len(parts.train)} clips train, {len(parts.seen_test)} test seen "
        f"and {len(parts.unseen_test)} unseen classes"
    )
    classes = tuple(
        ClassCount(name, side, *(int(sides[key][store.classes.index(name)]) for key in sides))
        for side, names in (("seen", split.seen), ("unseen", split.unseen))
        for name in names
    )
    warnings = []
    for words, empty in (
        ("unseen classes without a clip, which count for nothing", _without(classes, "unseen")),
        ("seen classes without a test clip", _without(classes, "seen", "seen_test")),
    ):
        if empty:
            warnings.append(f"{words}: {', '.join(empty)}")
    untrained = _without(classes, "seen", "train")
    if untrained:
        problems.append(f"seen classes without a training clip: {', '.join(untrained)}")
    return warnings, classes, rule.name


def _without(classes: tuple[ClassCount, ...], side: str, part: str = "unseen_test") -> list[str]:
    return [item.name for item in classes if item.side == side and not getattr(item, part)]
