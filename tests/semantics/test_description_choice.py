"""A choice of descriptions gives the rows a plain loop over sentences and cosines would give."""

from __future__ import annotations

import math
import re
from collections import Counter

import numpy as np
import pytest

from infocpl.errors import LabelError, SemanticsError
from infocpl.semantics import Codebook, DescriptionChoice, build_codebook
from infocpl.semantics.prompts import GRANULARITIES, draw_balanced

NAMES = ("sit down", "stand up", "throw", "carry", "donning")


@pytest.fixture(scope="module")
def book(trigrams) -> Codebook:
    return build_codebook(NAMES, trigrams, lexicon="nw-ucla")


def best_by_hand(book: Codebook, group: tuple[str, ...], name: str, count: int) -> list[str]:
    """Texts of the rows nearest to their own class and far from the others, one at a time."""
    own = [book.descriptions[book.labels.index(n)][book.mask[book.labels.index(n)]] for n in group]
    common = np.mean([rows.astype(float).mean(axis=0) for rows in own], axis=0)

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))

    mine = own[group.index(name)].astype(float)
    margins = []
    for k, row in enumerate(mine):
        rest = np.delete(mine, k, axis=0).mean(axis=0) - common
        rivals = [
            cosine(row - common, rows.astype(float).mean(axis=0) - common)
            for other, rows in zip(group, own, strict=True)
            if other != name
        ]
        margins.append(cosine(row - common, rest) - max(rivals))
    kept = sorted(sorted(range(len(mine)), key=lambda k: -margins[k])[:count])
    return [book.rows[book.labels.index(name)][k].text for k in kept]


def texts(book: Codebook, name: str) -> list[str]:
    return [row.text for row in book.rows[book.labels.index(name)]]


def test_without_a_choice_everything_stays(book):
    assert DescriptionChoice().apply(book).hash == book.hash
    assert DescriptionChoice().kinds == GRANULARITIES


def test_a_count_draws_evenly_from_the_kinds_that_are_wanted(book):
    chosen = DescriptionChoice(("part", "definition", "phase"), count=7).apply(book)
    for name in NAMES:
        rows = chosen.rows[chosen.labels.index(name)]
        several = [r for r in book.rows[book.labels.index(name)]
                   if r.granularity in ("part", "definition", "phase")]  # fmt: skip
        assert list(rows) == draw_balanced(several, 7)
        assert max(Counter(row.granularity for row in rows).values()) <= 3


@pytest.mark.parametrize("count", [1, 6])
def test_the_best_are_those_that_lie_nearest_to_their_own_class(book, count):
    chosen = DescriptionChoice(best=count).apply(book)
    for name in NAMES:
        assert texts(chosen, name) == best_by_hand(book, NAMES, name, count)


def test_the_best_of_a_group_do_not_depend_on_the_classes_of_another(book):
    """So that training on seen classes knows nothing of unseen names."""
    seen, unseen = NAMES[:3], NAMES[3:]
    chosen = DescriptionChoice(best=6).apply(book, within=(seen, unseen))
    for group in (seen, unseen):
        alone = DescriptionChoice(best=6).apply(book.subset(group))
        assert chosen.subset(group).hash == alone.hash
        for name in group:
            assert texts(chosen, name) == best_by_hand(book, group, name, 6)
    assert chosen.hash != DescriptionChoice(best=6).apply(book).hash


@pytest.mark.parametrize(
    ("within", "error"),
    [
        ((NAMES[:3],), SemanticsError),
        ((NAMES[:3], NAMES[2:]), SemanticsError),
        ((NAMES[:4], NAMES[4:]), SemanticsError),
        ((NAMES[:3], (*NAMES[3:], "fly")), LabelError),
    ],
    ids=["one is missing", "one stands twice", "one is alone", "one is unknown"],
)
def test_groups_that_do_not_divide_the_classes_are_refused(book, within, error):
    with pytest.raises(error):
        DescriptionChoice(best=2).apply(book, within=within)


def test_weights_and_the_motion_row_follow_the_choice(book):
    chosen = DescriptionChoice(count=9, temperature=0.5, motion=False).apply(book)
    assert chosen.temperature == 0.5
    assert chosen.motion_texts == chosen.labels.names
    np.testing.assert_allclose(chosen.weights.sum(axis=1), 9, rtol=1e-5)
    assert (chosen.weights.max(axis=1) > 1).all()
    assert DescriptionChoice(count=9).apply(book).motion_texts == book.motion_texts


@pytest.mark.parametrize("number", [0, -1, 2.0, True, "3", math.nan])
@pytest.mark.parametrize("way", ["count", "best"])
def test_a_number_that_counts_nothing_is_refused(way, number):
    with pytest.raises(SemanticsError, match="at least 1, got"):
        DescriptionChoice(**{way: number})


@pytest.mark.parametrize("warm", [0, -0.5, math.nan, math.inf, "1"])
def test_a_temperature_must_be_a_positive_number(warm):
    with pytest.raises(SemanticsError, match="positive number, got"):
        DescriptionChoice(temperature=warm)


def test_an_unknown_kind_is_refused_when_the_choice_is_made():
    with pytest.raises(SemanticsError, match="'smell'"):
        DescriptionChoice(("smell",))


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({}, "all descriptions"),
        ({"granularities": ("part",)}, "all descriptions of part"),
        ({"count": 20}, "20 descriptions a class at the most, drawn evenly from all kinds"),
        ({"best": 5}, "5 descriptions a class .* those of all kinds that tell the labels apart"),
        ({"temperature": 0.2}, "weighed .* at 0.2"),
        ({"motion": False}, "the name in place of the motion description"),
    ],
    ids=str,
)
def test_the_summary_says_every_choice(choice, words):
    assert re.search(words, DescriptionChoice(**choice).summary)
