"""Metrics against scikit-learn, plain loops and properties that must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from infocpl.metrics import (
    bootstrap_interval,
    confusion_matrix,
    harmonic_mean,
    per_class_recall,
    seen_unseen_curve,
    top_k_accuracy,
)


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    clips, classes = int(rng.integers(2, 60)), int(rng.integers(3, 12))
    labels = rng.integers(0, classes, clips)
    return rng.normal(size=(clips, classes)) + np.eye(classes)[labels], labels


def test_a_thousand_random_cases_agree_with_scikit_learn() -> None:
    for seed in range(1000):
        scores, labels = random_case(seed)
        classes = np.arange(scores.shape[1])
        for k in (1, 2):
            expected = oracle.top_k_accuracy_score(labels, scores, k=k, labels=classes)
            assert top_k_accuracy(scores, labels, k) == pytest.approx(expected, abs=1e-12)
        predicted = scores.argmax(1)
        matrix = confusion_matrix(predicted, labels, len(classes))
        assert (matrix == oracle.confusion_matrix(labels, predicted, labels=classes)).all()
        recall = oracle.recall_score(
            labels, predicted, labels=classes, average=None, zero_division=0
        )
        found = per_class_recall(matrix)
        present = np.isin(classes, labels)
        np.testing.assert_allclose(found[present], recall[present], atol=1e-12)
        assert np.isnan(found[~present]).all()


def curve_by_loop(scores: np.ndarray, labels: np.ndarray, seen: np.ndarray, gamma: float) -> tuple:
    lowered = scores.copy()
    lowered[:, seen] -= gamma
    hit = lowered.argmax(1) == labels
    of_seen = np.isin(labels, seen)
    return hit[of_seen].mean(), hit[~of_seen].mean()


@settings(deadline=None, max_examples=80)
@given(seed=st.integers(0, 10_000), gamma=st.floats(-6, 6))
def test_the_curve_equals_lowering_the_scores_and_counting(seed: int, gamma: float) -> None:
    scores, labels = random_case(seed)
    seen = np.arange(scores.shape[1] // 2)
    labels[0], labels[1] = 0, scores.shape[1] - 1
    curve = seen_unseen_curve(scores, labels, seen)
    assert curve.at(gamma) == pytest.approx(curve_by_loop(scores, labels, seen, gamma))
    assert (np.diff(curve.seen) <= 0).all()
    assert (np.diff(curve.unseen) >= 0).all()
    assert 0 <= curve.ausuc <= 1


def test_the_best_gamma_is_as_good_as_any_on_a_fine_grid() -> None:
    for seed in range(50):
        scores, labels = random_case(seed)
        seen = np.arange(scores.shape[1] // 2)
        labels[0], labels[1] = 0, scores.shape[1] - 1
        curve = seen_unseen_curve(scores, labels, seen)
        found = harmonic_mean(*curve_by_loop(scores, labels, seen, curve.best_gamma()))
        grid = [
            harmonic_mean(*curve_by_loop(scores, labels, seen, g)) for g in np.linspace(-6, 6, 241)
        ]
        assert found >= max(grid) - 1e-9


def test_ausuc_of_a_perfect_model_is_one_and_of_one_that_is_right_on_seen_only_is_zero() -> None:
    labels = np.array([0, 1, 2, 3])
    assert seen_unseen_curve(np.eye(4), labels, np.array([0, 1])).ausuc == pytest.approx(1.0)
    wrong = np.eye(4)[[0, 1, 3, 2]]
    assert seen_unseen_curve(wrong, labels, np.array([0, 1])).ausuc == 0


@given(seen=st.floats(0, 1), unseen=st.floats(0, 1))
def test_the_harmonic_mean_stays_below_twice_the_smaller_value(seen: float, unseen: float) -> None:
    value = harmonic_mean(seen, unseen)
    assert 0 <= value <= 2 * min(seen, unseen) + 1e-9
    assert value == harmonic_mean(unseen, seen)


def test_a_tie_is_not_counted_as_right() -> None:
    assert top_k_accuracy(np.zeros((5, 4)), np.arange(5) % 4) == 0.0
    assert top_k_accuracy(np.zeros((5, 4)), np.arange(5) % 4, k=4) == 1.0


def test_intervals_by_class_are_wider_than_by_clip_when_classes_differ() -> None:
    groups = np.repeat(np.arange(5), 40)
    hits = (groups < 3).astype(float)
    low_class, high_class = bootstrap_interval(hits, groups, by="class")
    low_clip, high_clip = bootstrap_interval(hits, groups, by="clip")
    assert low_class < low_clip < 0.6 < high_clip < high_class


def test_the_interval_by_class_and_clip_agrees_with_a_plain_loop(rng: np.random.Generator) -> None:
    sizes = [4, 30, 12, 7]
    groups = np.repeat(np.arange(4), sizes)
    ahead = rng.integers(-3, 4, len(groups)) / 3  # a paired difference over three seeds
    values = []
    for _ in range(4000):
        drawn: list[float] = []
        for place in rng.integers(0, 4, 4):
            own = ahead[groups == place]
            drawn += [own[clip] for clip in rng.integers(0, len(own), len(own))]
        values.append(np.mean(drawn))
    expected = np.quantile(values, [0.025, 0.975])
    told = bootstrap_interval(ahead, groups, by="class and clip", draws=4000)
    np.testing.assert_allclose(told, expected, atol=0.02)
    assert told == bootstrap_interval(ahead, groups, by="class and clip", draws=4000)


def test_drawing_clips_within_classes_adds_their_chance_to_that_of_the_classes() -> None:
    groups = np.repeat(np.arange(6), 8)
    hits = np.tile([1.0, 0.0], 24)  # every class alike: classes alone say nothing of the spread
    assert bootstrap_interval(hits, groups, by="class") == (0.5, 0.5)
    low, high = bootstrap_interval(hits, groups, by="class and clip")
    assert low < 0.4 < 0.6 < high
    # Every clip of a class alike: there is nothing within a class to draw.
    pure = np.repeat([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], 8)
    one, other = (bootstrap_interval(pure, groups, by=by) for by in ("class", "class and clip"))
    assert one == other


def test_the_clip_interval_agrees_with_the_binomial_one(rng: np.random.Generator) -> None:
    hits = (rng.random(400) < 0.7).astype(float)
    low, high = bootstrap_interval(hits, np.zeros(400, dtype=int), by="clip")
    half = 1.96 * np.sqrt(hits.mean() * (1 - hits.mean()) / 400)
    assert low == pytest.approx(hits.mean() - half, abs=0.01)
    assert high == pytest.approx(hits.mean() + half, abs=0.01)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (np.full((2, 2), np.nan), np.array([0, 1]), "NaN"),
        (np.zeros((2, 2)), np.array([0, 2]), "labels must lie"),
        (np.zeros((0, 2)), np.zeros(0, dtype=int), "no clips"),
        (np.zeros(3), np.zeros(3, dtype=int), "expected scores"),
    ],
    ids=["not a number", "a label out of range", "no clips", "one axis only"],
)
def test_scores_that_mean_nothing_are_refused(
    scores: np.ndarray, labels: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        top_k_accuracy(scores, labels)


def test_a_curve_without_unseen_clips_is_refused() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        seen_unseen_curve(np.eye(3), np.array([0, 0, 1]), np.array([0, 1]))


def test_k_below_one_and_unknown_resampling_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        top_k_accuracy(np.eye(2), np.array([0, 1]), 0)
    with pytest.raises(ValueError, match="'class', 'clip' or 'class and clip'"):
        bootstrap_interval(np.ones(2), np.array([0, 1]), by="subject")
