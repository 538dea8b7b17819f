"""The page of a study: one strip of splits a method, and the table behind it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from infocpl.apps.report.drawing import GRID, INK, MUTED, drawing_style, inline_svg, wrap_label
from infocpl.apps.report.player import percent
from infocpl.apps.report.series import series_style
from infocpl.apps.report.template import render_template, write_page
from infocpl.errors import DataError

__all__ = ["render_study", "strip_figure", "write_study"]

_SPREAD = 0.26  # how far points of a strip stand from its middle, so that equal ones are seen


def strip_figure(strips: Mapping[str, list[float]], chance: float, name: str) -> Markup:
    """A point for each split, a box from quartile to quartile and a line at the median.

    Parameters
    ----------
    strips : title of a method to its accuracies in [0, 1], one a split, in the same order
    chance : accuracy of guessing
    name : prefix for element ids, unique on the page

    Raises
    ------
    DataError : without methods or splits, or with numbers outside [0, 1]

    Examples
    --------
    >>> strip_figure({"A": [0.2, 0.4]}, 0.2, "s").startswith("<svg")
    True
    """
    table = np.array(list(strips.values()), dtype=np.float64)
    if table.ndim != 2 or not table.size or not ((table >= 0) & (table <= 1)).all():
        raise DataError(f"study: expected methods x splits of numbers in [0, 1], got {table.shape}")
    places = np.arange(len(table))
    shift = np.linspace(-_SPREAD, _SPREAD, table.shape[1]) if table.shape[1] > 1 else np.zeros(1)
    height = 0.9 + 0.5 * len(table)
    with drawing_style(name):
        figure = Figure(figsize=(7.2, height))
        axes = figure.add_axes((0.34, 0.55 / height, 0.64, 1 - 0.65 / height))
        axes.axvline(100 * chance, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        for place, row in zip(places, 100 * table, strict=True):
            style = series_style(int(place))
            colour = style.stand_in
            low, middle, high = np.quantile(row, [0.25, 0.5, 0.75])
            axes.barh(place, high - low, left=low, height=0.66, color=colour, alpha=0.22)
            axes.plot([middle, middle], [place - 0.33, place + 0.33], color=INK, linewidth=2)
            axes.plot(
                row, place + shift, style.marker, color=colour, markersize=5, linestyle="none",
                markerfacecolor="none" if style.hollow else colour,
            )  # fmt: skip
        axes.set(xlim=(0, 100), ylim=(len(table) - 0.5, -0.5))
        labels = [wrap_label(title, 28, lines=2) for title in strips]
        axes.set_yticks(places, labels, parse_math=False)
        axes.set_xlabel("ZSL top-1 (%); dashed: chance", color=MUTED)
        axes.tick_params(length=0, pad=5)
        axes.grid(axis="x", color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return inline_svg(figure, name, "Top-1 of every method on every split; numbers follow")


def render_study(study: Mapping[str, Any]) -> str:
    """HTML of the page; see :func:`write_study`."""
    methods, splits = study["methods"], study["splits"]
    strips = {
        method["title"]: [split["top1"][name] for split in splits]
        for name, method in methods.items()
    }
    chance = float(np.mean([split["chance"] for split in splits]))
    return render_template(
        "study.html",
        study=study,
        reference=methods[study["reference"]]["title"],
        rows=[_row(method) for method in methods.values()],
        splits=[
            {
                "id": split["id"],
                "unseen": ", ".join(split["unseen"]),
                "cells": [percent(split["top1"][name]) for name in methods],
            }
            for split in splits
        ],
        chance=percent(chance),
        figure=strip_figure(strips, chance, "study"),
        percent=percent,
    )


def _row(method: Mapping[str, Any]) -> dict[str, Any]:
    found, behind = method["top1"], method["behind"]
    return {
        "title": method["title"],
        "mean": percent(found["mean"]),
        "sd": "" if found["sd"] is None else percent(found["sd"]),
        "quartiles": [percent(value) for value in found["quartiles"]],
        "range": f"{percent(found['least'])} to {percent(found['most'])}",
        "ahead": "" if behind is None else f"{100 * behind['mean']:+.1f}",
        "ahead_sd": "" if behind is None or behind["sd"] is None else percent(behind["sd"]),
        "wins": "" if behind is None else str(behind["wins"]),
    }


def write_study(study: Mapping[str, Any], path: Path) -> Path:
    """Write one self-contained HTML page about a study; it opens from disk without a network.

    Parameters
    ----------
    study : content of ``study.json`` (schema ``infocpl-study/1``)
    path : the HTML file; written whole or not at all, replaced if it exists

    Raises
    ------
    ConfigError : if `path` is a folder or cannot be written
    """
    return write_page(path, render_study(study))
