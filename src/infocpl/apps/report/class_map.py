"""Figures about a codebook: a map of its classes and a tree of which are alike, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.cluster.hierarchy import dendrogram, fcluster

from infocpl.apps.report.drawing import GRID, INK, MUTED, drawing_style, inline_svg, wrap_label
from infocpl.apps.report.series import series_style
from infocpl.semantics.quality import class_positions, class_tree

__all__ = ["class_groups", "map_figure", "tree_figure"]

_GROUPS = 5  # more of them would say less


def class_groups(similarity: NDArray[np.floating]) -> NDArray[np.int64]:
    """(C,) number of the group of each class: the tree cut into at most five.

    Groups are numbered by size, the largest first, so that colours say the same in every figure.
    """
    groups = fcluster(class_tree(similarity), _GROUPS, criterion="maxclust")
    numbers, counts = np.unique(groups, return_counts=True)
    order = numbers[np.lexsort((numbers, -counts))]
    rank = {int(number): place for place, number in enumerate(order)}
    return np.array([rank[int(group)] for group in groups])


def map_figure(labels: Sequence[str], similarity: NDArray[np.floating], name: str) -> Markup:
    """The classes in the plane that keeps most of their likeness.

    Parameters
    ----------
    labels : C class names
    similarity : (C, C) cosines between classes, C >= 2
    name : prefix for element ids, unique on the page

    Examples
    --------
    >>> svg = map_figure(["sit", "stand"], np.eye(2), "m")
    >>> svg.startswith("<svg"), ">stand<" in svg
    (True, True)
    """
    positions, share = class_positions(similarity)
    groups = class_groups(similarity)
    many = len(labels) > 40
    with drawing_style(name):
        figure = Figure(figsize=(10.4, 8.6 if many else 6.4))
        axes = figure.add_axes((0.03, 0.06, 0.94, 0.92))
        for group in np.unique(groups):
            inside, style = positions[groups == group], series_style(int(group))
            axes.scatter(
                inside[:, 0],
                inside[:, 1],
                s=18 if many else 30,
                marker=style.marker,
                color=style.stand_in,
                linewidths=0,
            )
        for label, (x, y) in zip(labels, positions, strict=True):
            axes.annotate(
                wrap_label(label, 30, lines=1),
                (x, y),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=6.5 if many else 8.5,
                color=INK,
                parse_math=False,
            )
        # Names stand to the right of their points.
        low, high = positions[:, 0].min(), positions[:, 0].max()
        width = max(high - low, 1e-6)
        axes.set_xlim(low - 0.04 * width, high + 0.24 * width)
        axes.margins(y=0.05)
        axes.set_xlabel(f"the two axes keep {100 * share:.0f} % of the variance", color=MUTED)
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_color(GRID)
        return inline_svg(figure, name, "Map of the classes; the nearest ones stand in the table")


def tree_figure(labels: Sequence[str], similarity: NDArray[np.floating], name: str) -> Markup:
    """Tree of the classes: what joins near the names is alike.

    Parameters
    ----------
    labels, similarity, name : see :func:`map_figure`

    Examples
    --------
    >>> svg = tree_figure(["sit", "stand"], np.eye(2), "t")
    >>> svg.startswith("<svg"), ">sit<" in svg
    (True, True)
    """
    groups = class_groups(similarity)
    drawn = dendrogram(class_tree(similarity), no_plot=True)
    row = 0.17 if len(labels) > 40 else 0.24
    height = row * len(labels) + 0.7
    with drawing_style(name):
        figure = Figure(figsize=(9.6, height))
        axes = figure.add_axes((0.01, 0.5 / height, 0.66, 1 - 0.6 / height))
        for depths, places in zip(drawn["dcoord"], drawn["icoord"], strict=True):
            axes.plot(depths, places, color=MUTED, linewidth=1.0)
        for place, leaf in enumerate(drawn["leaves"]):
            style = series_style(int(groups[leaf]))
            axes.annotate(
                wrap_label(labels[leaf], 44, lines=1),
                (0, 10 * place + 5),
                xytext=(10, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.0 if len(labels) > 40 else 9.5,
                color=INK,
                annotation_clip=False,
                parse_math=False,
            )
            axes.plot(
                [0],
                [10 * place + 5],
                marker=style.marker,
                color=style.stand_in,
                markersize=4.5,
                clip_on=False,
                linestyle="none",
            )
        deepest = max(max(depths) for depths in drawn["dcoord"])
        axes.set(xlim=(1.04 * deepest if deepest > 0 else 1.0, 0), ylim=(10 * len(labels), 0))
        axes.set_xlabel("1 - cosine between groups of classes", color=MUTED)
        axes.set_yticks([])
        axes.tick_params(length=0, pad=5)
        for side, spine in axes.spines.items():
            spine.set(visible=side == "bottom", color=GRID)
        return inline_svg(figure, name, "Tree of the classes by likeness of their descriptions")
