"""Map and tree of classes: every name there, groups that mean something, safe in a page."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.cluster import AgglomerativeClustering

from infocpl.apps.report.class_map import class_groups, map_figure, tree_figure
from infocpl.apps.report.drawing import SERIES_COLOURS


@pytest.fixture
def similarity(rng: np.random.Generator) -> np.ndarray:
    """Twelve classes in three clear groups of 6, 4 and 2."""
    rows = 4 * np.eye(8)[[0] * 6 + [1] * 4 + [2] * 2] + 0.3 * rng.normal(size=(12, 8))
    rows -= rows.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows @ rows.T


LABELS = tuple(f"class number {i}" for i in range(12))


def test_groups_are_scikit_learns_and_numbered_by_size(similarity: np.ndarray) -> None:
    groups = class_groups(similarity)
    oracle = AgglomerativeClustering(5, metric="precomputed", linkage="average")
    expected = oracle.fit_predict(np.clip(1 - similarity, 0, None))
    assert {tuple(groups == g) for g in set(groups)} == {
        tuple(expected == g) for g in set(expected)
    }
    sizes = np.bincount(groups)
    assert sizes.tolist() == sorted(sizes, reverse=True)


@pytest.mark.parametrize("draw", [map_figure, tree_figure], ids=["map", "tree"])
def test_every_class_is_named_once(similarity: np.ndarray, draw) -> None:
    svg = draw(LABELS, similarity, "x")
    for label in LABELS:
        assert len(re.findall(rf">{label}<", svg)) == 1


@pytest.mark.parametrize("draw", [map_figure, tree_figure], ids=["map", "tree"])
def test_colours_are_the_pages_own(similarity: np.ndarray, draw) -> None:
    svg = draw(LABELS, similarity, "x")
    assert not any(colour in svg for colour in SERIES_COLOURS)
    used = set(re.findall(r"var\(--series-(\d)\)", svg))
    assert used == {str(group) for group in class_groups(similarity)}


@pytest.mark.parametrize("draw", [map_figure, tree_figure], ids=["map", "tree"])
@pytest.mark.parametrize("label", ["<b>&", "$x_1$", "\x00", "挥手", "x" * 300], ids=ascii)
def test_any_name_can_be_drawn(draw, label: str) -> None:
    svg = draw([label, "other"], np.eye(2), "x")
    assert "<b>" not in svg
    assert len(svg) < 60_000


def test_alike_classes_lie_together_on_the_map(similarity: np.ndarray) -> None:
    svg = map_figure(LABELS, similarity, "x")
    places = {
        int(n): (float(x), float(y))
        for x, y, n in re.findall(r'x="([\d.]+)" y="([\d.]+)"[^>]*>class number (\d+)<', svg)
    }
    points = np.array([places[i] for i in range(12)])
    within = np.linalg.norm(points[0] - points[1:6], axis=1).max()
    between = np.linalg.norm(points[0] - points[6:], axis=1).min()
    assert within < between
