"""Confusion matrices of the methods of a result, as heat maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from infocpl.apps.report.drawing import (
    HEAT,
    INK,
    MUTED,
    ON_HEAT,
    drawing_style,
    inline_svg,
    number_table,
    wrap_label,
)
from infocpl.apps.report.player import need, optional
from infocpl.errors import DataError
from infocpl.evaluation.variants import CHOSEN, METHODS

__all__ = ["compared_methods", "confusion_figure", "method_confusions"]

_MATRICES = 5
"""A page holds no more confusion matrices: they are large, and few are ever opened."""


def compared_methods(result: Mapping[str, Any]) -> dict[str, Any]:
    """Methods whose confusion matrices are drawn: all, or of many InfoCPL and its baselines.

    Parameters
    ----------
    result : content of ``result.json``

    Returns
    -------
    name of a method to its entry, in the order of the result

    Examples
    --------
    >>> names = ["infocpl", "ridge", "a", "b", "c", "d"]
    >>> list(compared_methods({"methods": dict.fromkeys(names, {})}))
    ['infocpl', 'ridge']
    """
    methods = dict(result["methods"])
    if len(methods) <= _MATRICES:
        return methods
    # A result of other methods altogether still shows its first ones.
    return {name: methods[name] for name in methods if name in (*METHODS, CHOSEN)} or dict(
        list(methods.items())[:_MATRICES]
    )


def method_confusions(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Confusion matrices of a result: for every method that has one title, svg, labels, counts.

    Raises
    ------
    DataError : names the method and what is wrong with its matrix
    """
    figures = []
    for place, (name, method) in enumerate(compared_methods(result).items()):
        where = f"result.methods.{name}"
        confusion = optional(method, "confusion", dict, where)
        if not confusion:
            continue
        labels = [str(label) for label in need(confusion, "labels", list, f"{where}.confusion")]
        counts = need(confusion, "counts", list, f"{where}.confusion")
        try:
            svg = confusion_figure(labels, counts, f"confusion-{place}")
        except DataError as error:
            raise DataError(f"{where}.{error}") from error
        figures.append({"title": method["title"], "svg": svg, "labels": labels, "counts": counts})
    return figures


def confusion_figure(labels: Sequence[str], counts: Any, name: str) -> Markup:
    """Heat map of a confusion matrix: rows are true actions, columns what they were called.

    The shade is the share of the row, the number is the count, and a zero is left blank.

    Parameters
    ----------
    labels : C class names
    counts : (C, C) numbers >= 0
    name : prefix for element ids, unique on the page, letters, digits and hyphens only

    Raises
    ------
    DataError : if `counts` is not a square table of finite numbers >= 0 that fits the labels

    Examples
    --------
    >>> svg = confusion_figure(["wave", "throw"], [[3, 1], [0, 4]], "c")
    >>> svg.startswith("<svg"), ">throw<" in svg
    (True, True)
    """
    table = number_table(counts, "confusion.counts")
    size = len(labels)
    if size == 0 or table.shape != (size, size) or (table < 0).any():
        raise DataError(
            f"confusion.counts: expected {size} x {size} numbers >= 0 (one row and column for "
            f"each of the labels), got shape {table.shape}"
        )
    totals = table.sum(axis=1, keepdims=True)
    share = np.divide(table, totals, out=np.zeros_like(table), where=totals > 0)
    # Many classes: smaller cells that still fit a page, names upright instead of slanted.
    many = size > 16
    cell = 0.62 if size <= 8 else 0.27 if many else 0.46
    fontsize = 8.5 if many else 10.0
    rows = [wrap_label(label, 28, lines=2 if many else 3) for label in labels]
    columns = [wrap_label(label, 24, lines=2) for label in labels]
    letter = 0.0085 * fontsize
    left = 0.35 + letter * max(len(line) for label in rows for line in label.split("\n"))
    reach = letter * max(len(line) for label in columns for line in label.split("\n"))
    bottom = 0.45 + reach * (1.0 if many else 0.75)
    side = cell * size
    width, height = left + side + (0.1 if many else 0.5), bottom + side + 0.1
    with drawing_style(name):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
        for row, column in np.ndindex(size, size):
            _cell(axes, row, column, float(table[row, column]), float(share[row, column]), cell)
        axes.set(xlim=(0, size), ylim=(size, 0), aspect="equal")
        axes.set_xlabel("Named as", color=MUTED)
        axes.set_ylabel("True action", color=MUTED)
        axes.set_xticks(np.arange(size) + 0.5, columns, parse_math=False)
        axes.set_yticks(np.arange(size) + 0.5, rows, parse_math=False)
        for tick in axes.get_xticklabels():
            tick.set(rotation_mode="anchor", ha="right", linespacing=0.95)
            tick.set(rotation=90 if many else 45, va="center" if many else "top")
        axes.tick_params(length=0, pad=5, labelsize=fontsize)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return inline_svg(figure, name, "Confusion matrix; the same counts follow as a table")


def _cell(axes: Any, row: int, column: int, count: float, share: float, inches: float) -> None:
    gap = 0.03
    box = Rectangle((column + gap, row + gap), 1 - 2 * gap, 1 - 2 * gap, linewidth=0)
    # The lightest shade still shows where a cell is.
    box.set(facecolor=HEAT, alpha=0.05 + 0.95 * share)
    axes.add_patch(box)
    if row == column:
        frame = Rectangle((column + gap, row + gap), 1 - 2 * gap, 1 - 2 * gap, fill=False)
        frame.set(edgecolor=MUTED, linewidth=0.8)
        axes.add_patch(frame)
    if count > 0:
        text = f"{count:.0f}" if count.is_integer() else f"{count:.1f}"
        # Past this share the shade is nearer to the heat colour than to the page.
        colour = ON_HEAT if share > 0.6 else INK
        fontsize = min(11.0, 62 * inches / max(2, len(text)))
        axes.text(
            column + 0.5, row + 0.5, text, ha="center", va="center_baseline",
            color=colour, fontsize=fontsize,
        )  # fmt: skip
