"""Measures of quality against plain loops, scipy and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

from infocpl.errors import SemanticsError
from infocpl.semantics.quality import (
    class_positions,
    class_similarity,
    class_tree,
    feature_similarity,
    find_repeats,
    mirrored_pairs,
    opposite_pairs,
    rank_agreement,
    retrieve,
)


@pytest.fixture
def case(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Four classes of 3 to 7 rows around centres of their own, with chance relations."""
    counts = (3, 7, 4, 5)
    mask = np.arange(7) < np.array(counts)[:, None]
    rows = rng.normal(size=(4, 1, 6)) + 0.8 * rng.normal(size=(4, 7, 6)) + 0.5
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    rows[~mask] = 0
    related = []
    for count in counts:
        half = rng.random((count, count)) < 0.2
        related.append(half | half.T)
    return rows, mask, related


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


@pytest.mark.parametrize("with_relations", [True, False])
def test_a_held_out_row_leads_where_a_plain_loop_says(case, with_relations: bool) -> None:
    rows, mask, related = case
    found = retrieve(rows, mask, related if with_relations else None)
    means = [rows[c][mask[c]].mean(axis=0) for c in range(4)]
    common = np.mean(means, axis=0)
    for c, k in zip(*np.nonzero(mask), strict=True):
        query = unit(rows[c, k] - common)
        by_mean, by_row = np.full(4, -np.inf), np.full(4, -np.inf)
        for other in range(4):
            kept = [
                rows[other, j] - common
                for j in np.flatnonzero(mask[other])
                if other != c or (j != k and not (with_relations and related[c][k, j]))
            ]
            if kept:
                by_mean[other] = query @ unit(np.sum(kept, axis=0))
                by_row[other] = max(query @ unit(row) for row in kept)
        assert found.by_mean[c, k] == by_mean.argmax()
        assert found.by_row[c, k] == by_row.argmax()
    assert (found.by_mean[~mask] == -1).all()
    assert (found.by_row[~mask] == -1).all()


def test_rows_that_are_all_related_cannot_lead_back(case) -> None:
    rows, mask, _ = case
    everything = [np.ones((int(n), int(n)), dtype=bool) for n in mask.sum(axis=1)]
    found = retrieve(rows, mask, everything)
    own = np.broadcast_to(np.arange(4)[:, None], mask.shape)
    assert (found.by_mean != own)[mask].all()
    assert (found.by_row != own)[mask].all()


def test_well_separated_classes_are_always_found(rng: np.random.Generator) -> None:
    rows = 5 * np.eye(6)[:, None] + 0.1 * rng.normal(size=(6, 8, 6))
    rows /= np.linalg.norm(rows, axis=2, keepdims=True)
    found = retrieve(rows, np.ones((6, 8), dtype=bool))
    assert (found.by_mean == np.arange(6)[:, None]).all()
    assert (found.by_row == np.arange(6)[:, None]).all()


@pytest.mark.parametrize("limit", [0.3, 0.7, 0.95])
def test_repeats_are_those_of_a_plain_loop(case, limit: float) -> None:
    rows, mask, _ = case
    expected = {
        (c, i, j)
        for c in range(4)
        for i in range(7)
        for j in range(i + 1, 7)
        if mask[c, i] and mask[c, j] and rows[c, i] @ rows[c, j] > limit
    }
    found = find_repeats(rows, mask, limit)
    assert {(pair.label, pair.first, pair.second) for pair in found} == expected
    assert [pair.cosine for pair in found] == sorted((p.cosine for p in found), reverse=True)


def test_class_similarity_is_scikit_learns_of_centred_means(case) -> None:
    rows, mask, _ = case
    means = np.stack([rows[c][mask[c]].mean(axis=0) for c in range(4)])
    expected = cosine_similarity(means - means.mean(axis=0))
    np.testing.assert_allclose(class_similarity(rows, mask), expected, atol=1e-12)


def test_feature_similarity_is_scikit_learns_of_standardised_means(
    rng: np.random.Generator,
) -> None:
    features = rng.normal(size=(40, 5)) * [1, 5, 0.1, 2, 0] + 3
    labels = np.arange(40) % 4
    scaled = (features - features.mean(axis=0)) / np.where(
        features.std(axis=0) > 0, features.std(axis=0), 1
    )
    means = np.stack([scaled[labels == c].mean(axis=0) for c in range(4)])
    found = feature_similarity(features, labels, 4)
    np.testing.assert_allclose(found, cosine_similarity(means - means.mean(axis=0)), atol=1e-9)


@pytest.mark.parametrize(("labels", "classes"), [([0, 0, 2], 3), ([0, 1, 2], 2)])
def test_features_without_clips_of_a_class_are_refused(labels: list[int], classes: int) -> None:
    with pytest.raises(SemanticsError, match=f"clips of all {classes} classes"):
        feature_similarity(np.ones((3, 2)), np.array(labels), classes)


def test_agreement_is_the_correlation_of_ranks(rng: np.random.Generator) -> None:
    one, other = rng.normal(size=(2, 6, 6))
    pairs = np.triu_indices(6, 1)
    expected = np.corrcoef(rankdata(one[pairs]), rankdata(other[pairs]))[0, 1]
    assert rank_agreement(one, other) == pytest.approx(expected)
    assert rank_agreement(one, -np.exp(one)) == pytest.approx(-1)


@pytest.mark.parametrize("sizes", [(2, 2), (3, 4)])
def test_agreement_needs_three_classes_on_both_sides(sizes: tuple[int, int]) -> None:
    one, other = (np.eye(size) for size in sizes)
    with pytest.raises(SemanticsError, match="at least three classes"):
        rank_agreement(one, other)


def test_only_put_on_and_take_off_of_one_thing_are_opposites() -> None:
    names = [
        *("take off a shoe", "wear a shoe", "put on a hat/cap", "take off jacket", "take photo"),
        *("take off a hat/cap", "Wear Jacket", "wear on glasses", "put on headphone"),
    ]
    assert opposite_pairs(names) == [(1, 0), (2, 5), (6, 3)]


def test_mirrored_names_are_paired_once_and_others_not_at_all() -> None:
    names = ["kick left", "clockwise turn", "Kick Right", "left", "counterclockwise turn", "sit"]
    assert mirrored_pairs(names) == [(0, 2), (1, 4)]


def test_the_map_is_scikit_learns_principal_plane(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(9, 5)) * [3, 2, 1, 0.5, 0.2]
    positions, share = class_positions(rows @ rows.T)
    oracle = PCA(2).fit(rows)
    expected = oracle.transform(rows)
    np.testing.assert_allclose(np.abs(positions), np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(pdist(positions), pdist(expected), atol=1e-9)
    assert share == pytest.approx(oracle.explained_variance_ratio_.sum())
    farthest = np.abs(positions).argmax(axis=0)
    assert (positions[farthest, [0, 1]] > 0).all()


@pytest.mark.parametrize("similarity", [np.eye(2), np.ones((3, 3))], ids=["two", "all alike"])
def test_few_or_equal_classes_have_a_finite_map(similarity: np.ndarray) -> None:
    positions, share = class_positions(similarity)
    assert np.isfinite(positions).all()
    assert 0 <= share <= 1


def test_the_tree_joins_classes_at_their_mean_distance(rng: np.random.Generator) -> None:
    rows = rng.normal(size=(7, 4))
    similarity = cosine_similarity(rows)
    distances = pdist(rows, "cosine")
    found = class_tree(similarity)
    np.testing.assert_allclose(cophenet(found), cophenet(linkage(distances, "average")), atol=1e-9)
    assert squareform(cophenet(found)).shape == (7, 7)
