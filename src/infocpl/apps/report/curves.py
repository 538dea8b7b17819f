"""Seen-unseen curves of the methods of a result, in one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from infocpl.apps.report.drawing import (
    GRID,
    MUTED,
    SURFACE,
    drawing_style,
    inline_svg,
    number_table,
)
from infocpl.apps.report.player import need, number, optional, percent
from infocpl.apps.report.series import drawn_methods, series_style
from infocpl.errors import DataError

__all__ = ["curve_figure", "method_curves"]


def method_curves(
    result: Mapping[str, Any], field: str = "curve", group: str = "gzsl"
) -> dict[str, Any] | None:
    """One figure with the seen-unseen curves of a result, or None if no method has one.

    Parameters
    ----------
    result : content of ``result.json``
    field, group : ``"curve"`` and ``"gzsl"`` for calibrated stacking, ``"gate_curve"`` and
        ``"gate"`` for the gate

    Raises
    ------
    DataError : names the method and what is wrong with its curve
    """
    curves = []
    for place, (name, method) in enumerate(drawn_methods(result).items()):
        where = f"result.methods.{name}"
        curve = optional(method, field, dict, where)
        if not curve:
            continue
        mean = method["mean"]
        seen, unseen = number(mean.get(f"{group}.seen")), number(mean.get(f"{group}.unseen"))
        curves.append(
            {
                "title": method["title"],
                "series": place,
                "seen": need(curve, "seen", list, f"{where}.{field}"),
                "unseen": need(curve, "unseen", list, f"{where}.{field}"),
                "point": None if seen is None or unseen is None else (seen, unseen),
                "legend": {
                    k: percent(mean.get(f"{group}.{k}"))
                    for k in ("seen", "unseen", "harmonic", "ausuc")
                },
            }
        )
    name = field.replace("_", "-")
    return {"svg": curve_figure(curves, name), "curves": curves} if curves else None


def curve_figure(curves: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """Seen against unseen accuracy while gamma moves, with the chosen operating points.

    Thin lines join points of equal harmonic mean H.

    Parameters
    ----------
    curves : for every method ``title``, ``seen`` and ``unseen`` (P,) in [0, 1], in order of
        gamma, ``point`` (S, U) or None, and ``series`` (its number in the page's colours)
    name : prefix for element ids, unique on the page

    Raises
    ------
    DataError : if a curve is empty, of two lengths, or not made of numbers in [0, 1]

    Examples
    --------
    >>> svg = curve_figure([{"title": "A", "seen": [1, 0], "unseen": [0, 1],
    ...                      "point": (0.5, 0.5), "series": 0}], "k")
    >>> svg.startswith("<svg")
    True
    """
    with drawing_style(name):
        figure = Figure(figsize=(5.2, 4.7))
        axes = figure.add_axes((0.14, 0.14, 0.82, 0.83))
        _equal_harmonic(axes)
        for curve in curves:
            _draw_curve(axes, curve, filled=len(curves) == 1)
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set_xlabel("Seen accuracy S (%)", color=MUTED, fontsize=12)
        axes.set_ylabel("Unseen accuracy U (%)", color=MUTED, fontsize=12)
        axes.set_xticks(range(0, 101, 20))
        axes.set_yticks(range(0, 101, 20))
        axes.tick_params(length=0, pad=5, labelsize=12)
        for place, spine in axes.spines.items():
            spine.set(visible=place in ("left", "bottom"), color=GRID)
        return inline_svg(
            figure, name, "Seen accuracy against unseen accuracy; numbers in the table"
        )


def _equal_harmonic(axes: Any) -> None:
    for harmonic in (20, 40, 60, 80):
        seen = np.linspace(harmonic / 2 + 0.5, 100, 200)
        unseen = harmonic * seen / (2 * seen - harmonic)
        inside = unseen <= 100
        axes.plot(seen[inside], unseen[inside], color=GRID, linewidth=0.9, zorder=0)
        axes.text(
            98.5, harmonic * 100 / (200 - harmonic) + 1.2, f"H = {harmonic}",
            color=MUTED, fontsize=10, ha="right", va="bottom", zorder=0,
        )  # fmt: skip


def _draw_curve(axes: Any, curve: Mapping[str, Any], *, filled: bool) -> None:
    seen = 100 * number_table(curve["seen"], f"curve.seen of {curve['title']}")
    unseen = 100 * number_table(curve["unseen"], f"curve.unseen of {curve['title']}")
    joint = np.concatenate([seen.ravel(), unseen.ravel()])
    if seen.ndim != 1 or seen.shape != unseen.shape or seen.size == 0:
        raise DataError(
            f"curve of {curve['title']}: expected seen and unseen lists of one length above 0, "
            f"got shapes {seen.shape} and {unseen.shape}"
        )
    # A hair of tolerance for means computed in single precision.
    if joint.min() < -1e-4 or joint.max() > 100 + 1e-4:
        raise DataError(f"curve of {curve['title']}: expected numbers from 0 to 1")
    style = series_style(int(curve["series"]))
    colour = style.stand_in
    # The first method is the one the page is about: it lies on top, and is drawn broader.
    first = int(curve["series"]) == 0
    if filled:
        axes.fill_between(seen, 0, unseen, color=colour, alpha=0.10, linewidth=0)
    axes.plot(
        seen, unseen, color=colour, linewidth=2.8 if first else 1.7, linestyle=style.linestyle,
        solid_joinstyle="round", clip_on=False, zorder=5 if first else 3,
    )  # fmt: skip
    if curve["point"] is not None:
        axes.plot(
            100 * curve["point"][0], 100 * curve["point"][1], marker=style.marker,
            markersize=12 if first else 10, color=SURFACE if style.hollow else colour,
            markeredgecolor=colour if style.hollow else SURFACE, markeredgewidth=1.5,
            clip_on=False, zorder=7 if first else 6, linestyle="none",
        )  # fmt: skip
