"""Numbers of a run, against scikit-learn and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, auc, balanced_accuracy_score, top_k_accuracy_score
from sklearn.metrics import confusion_matrix as sklearn_confusion

from infocpl.evaluation.protocol import measure_gzsl, measure_zsl


def random_scores(seed: int, clips: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores that favour the truth a little, and labels in which every class occurs."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, clips - classes)])
    scores = rng.normal(size=(clips, classes))
    scores[np.arange(clips), labels] += 0.8
    return scores, labels


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_zsl_numbers_agree_with_scikit_learn(seed, classes):
    scores, labels = random_scores(seed, 60, classes)
    found = measure_zsl(scores, labels)
    predicted = scores.argmax(axis=1)
    assert found.top1 == pytest.approx(accuracy_score(labels, predicted))
    assert found.per_class_mean == pytest.approx(balanced_accuracy_score(labels, predicted))
    every = np.arange(classes)
    np.testing.assert_array_equal(
        found.confusion, sklearn_confusion(labels, predicted, labels=every)
    )
    if classes > 5:
        top5 = top_k_accuracy_score(labels, scores, k=5, labels=every)
        assert found.top5 == pytest.approx(top5)


def test_hits_are_the_clips_that_were_named_right():
    scores, labels = random_scores(3, 40, 5)
    found = measure_zsl(scores, labels)
    by_hand = [float(row.argmax() == label) for row, label in zip(scores, labels, strict=True)]
    assert found.hits.tolist() == by_hand
    assert found.top1 == pytest.approx(sum(by_hand) / 40)
    assert found.labels.tolist() == labels.tolist()


def test_top5_of_four_classes_is_certain():
    scores, labels = random_scores(1, 20, 4)
    assert measure_zsl(scores, labels).top5 == 1.0


def test_an_unseen_class_without_clips_is_left_out_of_the_class_mean():
    scores = np.eye(3)[[0, 0, 1, 1]]
    found = measure_zsl(scores, np.array([0, 0, 1, 0]))
    assert found.per_class_mean == pytest.approx((2 / 3 + 1.0) / 2)


def stacked(scores: np.ndarray, labels: np.ndarray, seen: int, gamma: float) -> tuple[float, float]:
    """S and U of calibrated stacking, clip by clip."""
    right: dict[bool, list[bool]] = {True: [], False: []}
    for row, label in zip(scores, labels, strict=True):
        lowered = [value - gamma * (column < seen) for column, value in enumerate(row)]
        right[bool(label < seen)].append(int(np.argmax(lowered)) == label)
    return float(np.mean(right[True])), float(np.mean(right[False]))


@given(st.integers(0, 10_000), st.floats(-4, 4))
def test_gzsl_numbers_agree_with_a_plain_loop(seed, gamma):
    scores, labels = random_scores(seed, 50, 7)
    found = measure_gzsl(scores, labels, np.arange(4), gamma)
    seen, unseen = stacked(scores, labels, 4, gamma)
    assert (found.seen, found.unseen) == pytest.approx((seen, unseen))
    expected = 2 * seen * unseen / (seen + unseen) if seen + unseen else 0.0
    assert found.harmonic == pytest.approx(expected)
    assert found.gamma == gamma


def test_the_area_is_that_of_a_dense_grid_of_gamma():
    scores, labels = random_scores(11, 80, 6)
    found = measure_gzsl(scores, labels, np.arange(3), 0.0)
    points = {stacked(scores, labels, 3, gamma) for gamma in np.linspace(-8, 8, 6001)}
    ordered = sorted(points, key=lambda point: (point[1], -point[0]))
    area = auc([unseen for _, unseen in ordered], [seen for seen, _ in ordered])
    assert found.ausuc == pytest.approx(area, abs=1e-9)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_score_that_is_no_number_is_refused_not_ranked(bad):
    scores, labels = random_scores(0, 10, 3)
    scores[4, 1] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        measure_zsl(scores, labels)
    with pytest.raises(ValueError, match="NaN or infinite"):
        measure_gzsl(scores, labels, np.array([0]), 0.0)
