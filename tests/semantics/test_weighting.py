"""Weights of descriptions against plain loops, and what they are good for on made-up vectors."""

from __future__ import annotations

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics.weighting import best_rows, own_and_rival, row_margins, row_weights


@pytest.fixture
def case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Four classes of 3, 7, 1 and 5 rows, with chance relations."""
    counts = (3, 7, 1, 5)
    rows = np.zeros((4, 7, 6))
    mask = np.arange(7) < np.array(counts)[:, None]
    rows[mask] = rng.normal(size=(sum(counts), 6))
    rows[mask] /= np.linalg.norm(rows[mask], axis=1, keepdims=True)
    related = []
    for count in counts:
        half = rng.random((count, count)) < 0.25
        related.append(half | half.T)
    return rows, mask, related


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def by_loop(
    rows: np.ndarray, mask: np.ndarray, related: list[np.ndarray] | None, c: int, k: int
) -> tuple[float, float, int]:
    """Own and rival cosine of one row, the slow and obvious way."""
    means = [rows[i][mask[i]].mean(axis=0) for i in range(len(rows))]
    common = np.mean(means, axis=0)
    others = []
    for j in range(int(mask[c].sum())):
        if j != k and not (related is not None and related[c][k, j]):
            others.append(rows[c, j] - common)
    query = unit(rows[c, k] - common)
    own = float(query @ unit(np.sum(others, axis=0))) if others else float("nan")
    best, which = -np.inf, -1
    for i in range(len(rows)):
        if i != c and float(query @ unit(means[i] - common)) > best:
            best, which = float(query @ unit(means[i] - common)), i
    return own, best, which


@pytest.mark.parametrize("with_relations", [True, False])
def test_every_row_is_compared_as_in_a_plain_loop(case, with_relations: bool) -> None:
    rows, mask, related = case
    relations = related if with_relations else None
    own, rival, which = own_and_rival(rows, mask, relations)
    margins = row_margins(rows, mask)
    for c, k in zip(*np.nonzero(mask), strict=True):
        expected = by_loop(rows, mask, relations, c, k)
        assert own[c, k] == pytest.approx(expected[0], nan_ok=True, abs=1e-9)
        assert rival[c, k] == pytest.approx(expected[1], abs=1e-9)
        assert which[c, k] == expected[2]
        alone = by_loop(rows, mask, None, c, k)[0]
        wanted = 0 if np.isnan(alone) else alone - expected[1]
        assert margins[c, k] == pytest.approx(wanted, abs=1e-9)
    assert np.isnan(own[~mask]).all()
    assert np.isnan(rival[~mask]).all()
    assert (which[~mask] == -1).all()
    assert not margins[~mask].any()


def test_a_class_of_one_row_has_nothing_to_compare_it_with(case) -> None:
    rows, mask, _ = case
    assert row_margins(rows, mask)[2, 0] == 0


@pytest.mark.parametrize("temperature", [0.05, 1.0, 30.0])
def test_weights_are_a_softmax_of_mean_one(case, temperature: float) -> None:
    rows, mask, _ = case
    margins = row_margins(rows, mask)
    weights = row_weights(margins, mask, temperature)
    for c in range(len(rows)):
        count = int(mask[c].sum())
        grown = [np.exp(m / temperature) for m in margins[c, :count]]
        expected = [count * g / sum(grown) for g in grown]
        np.testing.assert_allclose(weights[c, :count], expected, rtol=1e-5, atol=1.1e-6)
        assert (weights[c, :count] > 0).all()
    assert not weights[~mask].any()
    assert weights.dtype == np.float32


def test_a_large_temperature_gives_equal_weights_and_a_small_one_the_best_row(case) -> None:
    rows, mask, _ = case
    margins = row_margins(rows, mask)
    np.testing.assert_allclose(row_weights(margins, mask, 1e9)[mask], 1, atol=1e-6)
    cold = row_weights(margins, mask, 1e-6)
    for c in range(len(rows)):
        assert cold[c].argmax() == margins[c][mask[c]].argmax()
        assert cold[c].max() == pytest.approx(mask[c].sum(), abs=1e-4)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_is_a_positive_number(case, temperature: float) -> None:
    rows, mask, _ = case
    with pytest.raises(SemanticsError, match="temperature: expected a positive number"):
        row_weights(row_margins(rows, mask), mask, temperature)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_the_best_rows_are_those_of_a_sort(case, count: int) -> None:
    rows, mask, _ = case
    margins = row_margins(rows, mask)
    keep = best_rows(margins, mask, count)
    for c in range(len(rows)):
        order = sorted(np.flatnonzero(mask[c]), key=lambda k: -margins[c, k])
        assert set(np.flatnonzero(keep[c])) == set(order[:count])


def test_of_equal_margins_the_earlier_row_is_kept() -> None:
    keep = best_rows(np.zeros((1, 4)), np.array([[True, True, True, False]]), 2)
    assert keep.tolist() == [[True, True, False, False]]


def test_no_row_at_all_cannot_be_kept(case) -> None:
    rows, mask, _ = case
    with pytest.raises(SemanticsError, match="at least 1, got 0"):
        best_rows(row_margins(rows, mask), mask, 0)


def test_one_class_has_no_rival() -> None:
    with pytest.raises(SemanticsError, match="at least two classes, got 1"):
        row_margins(np.ones((1, 2, 1)), np.ones((1, 2), dtype=bool))


def test_a_sentence_every_class_has_gets_less_weight_than_one_of_its_own(
    rng: np.random.Generator,
) -> None:
    own = rng.normal(size=(5, 1, 32)) + 0.3 * rng.normal(size=(5, 6, 32))
    shared = 3 * rng.normal(size=(1, 1, 32)) + 0.3 * rng.normal(size=(5, 3, 32))
    rows = np.concatenate([own, shared], axis=1)
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    weights = row_weights(
        row_margins(rows, np.ones((5, 9), dtype=bool)), np.ones((5, 9), bool), 0.3
    )
    assert weights[:, :6].min() > weights[:, 6:].max()


def test_unseen_labels_can_be_weighed_since_only_text_enters(case) -> None:
    """Scores depend on the label set alone: the same rows among other classes weigh otherwise."""
    rows, mask, _ = case
    among_all = row_margins(rows, mask)[:2]
    among_two = row_margins(rows[:2], mask[:2])
    assert not np.allclose(among_all, among_two)
