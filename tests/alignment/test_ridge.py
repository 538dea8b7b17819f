"""The ridge baseline against scikit-learn's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.utils.class_weight import compute_sample_weight

from infocpl.alignment.base import TextTable
from infocpl.alignment.ridge import fit_ridge
from infocpl.errors import ConfigError


def make_text(generator: np.random.Generator, classes: int, dim: int) -> TextTable:
    def rows(*shape: int) -> torch.Tensor:
        free = torch.from_numpy(generator.normal(size=(*shape, dim)))
        return torch.nn.functional.normalize(free, dim=-1)

    mask = torch.ones(classes, 3, dtype=torch.bool)
    labels = tuple(f"class {i}" for i in range(classes))
    return TextTable(labels, rows(classes, 3), mask, rows(classes), rows(classes))


def problem(seed: int, classes: int = 5, clips: int = 40, dim: int = 7) -> tuple:
    """Unbalanced classes, each with a clip at least."""
    generator = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), generator.integers(0, classes, clips - classes)])
    labels[: clips // 2] = np.concatenate([np.arange(classes), np.zeros(clips // 2 - classes, int)])
    features = generator.normal(size=(clips, dim)) * generator.uniform(0.5, 2, dim) + 1
    return features, labels, make_text(generator, classes, 6)


def class_rows(text: TextTable, names_only: bool, seen: TextTable) -> np.ndarray:
    """Class text by numpy alone: rows minus the mean row of `seen`, unit rows, unit mean."""
    if names_only:
        return normalize(text.names.numpy() - seen.names.numpy().mean(axis=0))
    centre = seen.descriptions.numpy().mean(axis=(0, 1))
    rows = [normalize(own - centre) for own in text.descriptions.numpy()]
    motion = normalize(text.motion.numpy() - seen.motion.numpy().mean(axis=0))
    stacked = np.concatenate([np.stack(rows), motion[:, None]], axis=1)
    return normalize(stacked.mean(axis=1))


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 10_000),
    alpha=st.sampled_from([1e-4, 0.01, 0.3, 1.0, 20.0]),
    names_only=st.booleans(),
)
def test_map_and_scores_equal_the_ridge_of_scikit_learn(
    seed: int, alpha: float, names_only: bool
) -> None:
    x, labels, text = problem(seed)
    aligner = fit_ridge(
        torch.from_numpy(x), torch.from_numpy(labels), text, alpha=alpha, names_only=names_only
    )
    targets = class_rows(text, names_only, text)[labels]
    scaler = StandardScaler().fit(x)
    judge = Ridge(alpha=alpha * len(x), fit_intercept=False, solver="svd")
    weights = compute_sample_weight("balanced", labels)
    judge.fit(scaler.transform(x), targets, sample_weight=weights)
    np.testing.assert_allclose(aligner.weight.numpy(), judge.coef_.T, atol=1e-9)

    other = make_text(np.random.default_rng(seed + 1), 4, 6)
    fresh = np.random.default_rng(seed + 2).normal(size=(9, 7))
    expected = cosine_similarity(
        judge.predict(scaler.transform(fresh)), class_rows(other, names_only, text)
    )
    found = aligner.scores(torch.from_numpy(fresh), other)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-8)


def test_float32_features_give_float32_scores_close_to_float64() -> None:
    x, labels, text = problem(0)
    exact = fit_ridge(torch.from_numpy(x), torch.from_numpy(labels), text, alpha=0.1)
    small = TextTable(
        text.labels, text.descriptions.float(), text.mask, text.motion.float(), text.names.float()
    )
    coarse = fit_ridge(torch.from_numpy(x).float(), torch.from_numpy(labels), small, alpha=0.1)
    found = coarse.scores(torch.from_numpy(x).float(), small)
    assert found.dtype == torch.float32
    expected = exact.scores(torch.from_numpy(x), text)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=1e-5)


def test_names_only_looks_at_nothing_but_names() -> None:
    x, labels, text = problem(1)
    noise = torch.randn_like(text.descriptions)
    changed = dataclasses.replace(text, descriptions=noise, motion=torch.randn_like(text.motion))
    clips, y = torch.from_numpy(x), torch.from_numpy(labels)
    first = fit_ridge(clips, y, text, alpha=0.1, names_only=True).scores(clips, text)
    second = fit_ridge(clips, y, changed, alpha=0.1, names_only=True).scores(clips, changed)
    assert torch.equal(first, second)
    full = fit_ridge(clips, y, text, alpha=0.1).scores(clips, text)
    assert not torch.allclose(first, full)


def test_the_centre_is_that_of_the_seen_classes_whatever_is_scored_later() -> None:
    x, labels, seen = problem(2)
    aligner = fit_ridge(torch.from_numpy(x), torch.from_numpy(labels), seen, alpha=0.1)
    torch.testing.assert_close(aligner.centre.motion, seen.motion.mean(0))
    unseen = make_text(np.random.default_rng(3), 6, 6)
    together = aligner.scores(torch.from_numpy(x), unseen)
    alone = aligner.scores(torch.from_numpy(x), unseen.subset(("class 4",)))
    torch.testing.assert_close(together[:, 4:5], alone, rtol=0, atol=1e-12)


def test_repeating_the_clips_of_a_class_does_not_move_the_map() -> None:
    x, labels, text = problem(4)
    clips, y = torch.from_numpy(x), torch.from_numpy(labels)
    once = fit_ridge(clips, y, text, alpha=0.1)
    twice = fit_ridge(torch.cat([clips, clips]), torch.cat([y, y]), text, alpha=0.1)
    torch.testing.assert_close(once.weight, twice.weight, rtol=0, atol=1e-10)


def test_a_stronger_penalty_gives_a_smaller_map() -> None:
    x, labels, text = problem(5)
    sizes = [
        float(fit_ridge(torch.from_numpy(x), torch.from_numpy(labels), text, alpha=a).weight.norm())
        for a in (1e-3, 0.1, 10.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]


@pytest.mark.parametrize("alpha", [0.0, -1.0, float("nan"), float("inf")])
def test_a_penalty_that_is_not_positive_is_refused(alpha: float) -> None:
    x, labels, text = problem(6)
    with pytest.raises(ConfigError, match="alpha must be a positive number"):
        fit_ridge(torch.from_numpy(x), torch.from_numpy(labels), text, alpha=alpha)
