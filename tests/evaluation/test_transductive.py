"""Refinement on unlabelled clips against properties and a plain loop over clips."""

from __future__ import annotations

import numpy as np
import pytest

from infocpl.evaluation.transductive import refine_scores


@pytest.fixture(scope="module")
def stream():
    """Clusters that features show well and scores show badly."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 40)
    features = 4 * rng.standard_normal((4, 12))[labels] + rng.standard_normal((160, 12))
    scores = np.eye(4)[labels] + 1.0 * rng.standard_normal((160, 4))
    return labels, features, scores


def accuracy(scores, labels):
    return float((scores.argmax(axis=1) == labels).mean())


def test_clips_that_lie_together_get_one_name(stream):
    labels, features, scores = stream
    assert accuracy(scores, labels) < 0.75
    assert accuracy(refine_scores(scores, features), labels) > 0.95


def test_rows_are_probabilities(stream):
    refined = refine_scores(stream[2], stream[1])
    assert np.allclose(refined.sum(axis=1), 1)
    assert (refined >= 0).all()


@pytest.mark.parametrize("change", [lambda s: 7 * s, lambda s: s - 100])
def test_the_unit_of_the_scores_does_not_matter(stream, change):
    _, features, scores = stream
    assert np.allclose(refine_scores(change(scores), features), refine_scores(scores, features))


def test_the_order_of_clips_and_of_classes_does_not_matter(stream):
    _, features, scores = stream
    rng = np.random.default_rng(1)
    clips, classes = rng.permutation(160), rng.permutation(4)
    moved = refine_scores(scores[clips][:, classes], features[clips])
    assert np.allclose(moved, refine_scores(scores, features)[clips][:, classes], atol=1e-8)


def test_features_without_any_structure_leave_clear_scores_alone():
    scores = np.eye(3)[np.arange(30) % 3]
    refined = refine_scores(scores, np.ones((30, 5)))
    assert (refined.argmax(axis=1) == scores.argmax(axis=1)).all()


def test_one_clip_keeps_its_order():
    assert refine_scores(np.array([[0.1, 0.9, 0.3]]), np.ones((1, 4))).argmax() == 1
