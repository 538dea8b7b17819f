"""Figures of the report as inline SVG that follows the page's colours, light or dark.

Matplotlib draws with stand-in colours; :func:`inline_svg` exchanges them for CSS variables of the
page, so that one drawing serves light mode, dark mode and print.
"""

from __future__ import annotations

import io
import re
import textwrap
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from infocpl.apps.report.player import need, number, optional, percent
from infocpl.errors import DataError
from infocpl.evaluation.variants import CHOSEN, METHODS

__all__ = [
    "GRID",
    "INK",
    "MARKERS",
    "MUTED",
    "SERIES",
    "SERIES_COLOURS",
    "confusion_figure",
    "curve_figure",
    "drawing_style",
    "drawn_methods",
    "inline_svg",
    "method_confusions",
    "method_curves",
    "wrap_label",
]

SERIES = 5
"""How many methods get a colour and a marker of their own. Figures show no more."""

LEGEND = ("seen", "unseen", "harmonic", "ausuc")
"""Numbers written beside a curve."""

# Stand-in colour -> CSS variable. The stand-ins occur nowhere else in a drawing.
INK, MUTED, GRID, HEAT, ON_HEAT, SURFACE = (
    "#010203",
    "#010204",
    "#010205",
    "#010206",
    "#010207",
    "#010208",
)
SERIES_COLOURS = tuple(f"#0a0b1{place}" for place in range(SERIES))
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    HEAT: "var(--heat)",
    ON_HEAT: "var(--on-heat)",
    SURFACE: "var(--surface)",
    **{colour: f"var(--series-{place})" for place, colour in enumerate(SERIES_COLOURS)},
}
MARKERS = ("o", "s", "D", "^", "v")
_DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3)))


def drawn_methods(result: Mapping[str, Any]) -> dict[str, Any]:
    """Methods that figures show: all, or where there are too many the main ones.

    Those are InfoCPL, its baselines, and what folds chose.

    Variants are then left to the tables: their curves and marks would cover each other.

    Parameters
    ----------
    result : content of ``result.json``

    Returns
    -------
    name of a method to its entry, at most :data:`SERIES`, in the order of the result

    Examples
    --------
    >>> names = ["infocpl", "ridge", "a", "b", "c", "d"]
    >>> list(drawn_methods({"methods": dict.fromkeys(names, {})}))
    ['infocpl', 'ridge']
    """
    methods = dict(result["methods"])
    if len(methods) <= SERIES:
        return methods
    # A result of other methods altogether still shows its first ones.
    return {name: methods[name] for name in methods if name in (*METHODS, CHOSEN)} or dict(
        list(methods.items())[:SERIES]
    )


def method_confusions(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Confusion matrices of a result: for every method that has one title, svg, labels, counts.

    Raises
    ------
    DataError : names the method and what is wrong with its matrix
    """
    figures = []
    for place, (name, method) in enumerate(drawn_methods(result).items()):
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
    table = _numbers(counts, "confusion.counts")
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
        figure = Figure(figsize=(5.6, 5.0))
        axes = figure.add_axes((0.12, 0.12, 0.84, 0.85))
        _equal_harmonic(axes)
        for curve in curves:
            _draw_curve(axes, curve, filled=len(curves) == 1)
        axes.set(xlim=(0, 100), ylim=(0, 100), aspect="equal")
        axes.set_xlabel("Seen accuracy S (%)", color=MUTED)
        axes.set_ylabel("Unseen accuracy U (%)", color=MUTED)
        axes.set_xticks(range(0, 101, 20))
        axes.set_yticks(range(0, 101, 20))
        axes.tick_params(length=0, pad=5)
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
            color=MUTED, fontsize=8, ha="right", va="bottom", zorder=0,
        )  # fmt: skip


def _draw_curve(axes: Any, curve: Mapping[str, Any], *, filled: bool) -> None:
    seen = 100 * _numbers(curve["seen"], f"curve.seen of {curve['title']}")
    unseen = 100 * _numbers(curve["unseen"], f"curve.unseen of {curve['title']}")
    joint = np.concatenate([seen.ravel(), unseen.ravel()])
    if seen.ndim != 1 or seen.shape != unseen.shape or seen.size == 0:
        raise DataError(
            f"curve of {curve['title']}: expected seen and unseen lists of one length above 0, "
            f"got shapes {seen.shape} and {unseen.shape}"
        )
    # A hair of tolerance for means computed in single precision.
    if joint.min() < -1e-4 or joint.max() > 100 + 1e-4:
        raise DataError(f"curve of {curve['title']}: expected numbers from 0 to 1")
    place = int(curve["series"]) % SERIES
    colour = SERIES_COLOURS[place]
    if filled:
        axes.fill_between(seen, 0, unseen, color=colour, alpha=0.10, linewidth=0)
    axes.plot(
        seen, unseen, color=colour, linewidth=2.2, linestyle=_DASHES[place],
        solid_joinstyle="round", clip_on=False, zorder=3,
    )  # fmt: skip
    if curve["point"] is not None:
        axes.plot(
            100 * curve["point"][0], 100 * curve["point"][1], marker=MARKERS[place],
            markersize=10, color=colour, markeredgecolor=SURFACE, markeredgewidth=2,
            clip_on=False, zorder=4, linestyle="none",
        )  # fmt: skip


def _numbers(value: Any, where: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        table = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{where}: expected a table of numbers") from None
    if not np.isfinite(table).all():
        raise DataError(f"{where}: expected finite numbers")
    return table


def wrap_label(label: str, width: int, lines: int) -> str:
    """Break a long name into at most `lines` lines without odd characters."""
    # Unassigned, control and surrogate characters have no shape to draw.
    drawn = "".join("�" if unicodedata.category(c) in ("Cc", "Cs", "Cn") else c for c in label)
    return "\n".join(textwrap.wrap(drawn, width, max_lines=lines, placeholder=" …")) or " "


def drawing_style(name: str) -> Any:
    """Drawing settings that hold inside a ``with`` block only."""
    return mpl.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "font.size": 10,
            "text.color": INK,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "axes.facecolor": "none",
            "figure.facecolor": "none",
        }
    )


def inline_svg(figure: Figure, name: str, title: str) -> Markup:
    """SVG text of a figure, fit to stand inside an HTML page.

    Only tags are rewritten, never the text between them, which may hold class names.
    """
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # Text stays text, so a glyph that matplotlib's own font lacks is drawn by the browser.
        warnings.filterwarnings("ignore", message=r".*[Gg]lyph.*")
        FigureCanvasSVG(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<!--.*?-->|<(metadata|style)\b.*?</\1>", "", text, flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", lambda tag: _rewrite_tag(tag.group(), name), text)
    text = text.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
    return Markup(text.strip())  # noqa: S704 - matplotlib escapes text; tags are its own


def _rewrite_tag(tag: str, name: str) -> str:
    tag = re.sub(r'\s+xmlns(:\w+)?="[^"]*"', "", tag)
    tag = re.sub(r'\bid="', f'id="{name}-', tag)
    tag = re.sub(r'\bxlink:href="#', f'href="#{name}-', tag)
    tag = tag.replace("url(#", f"url(#{name}-")
    for colour, variable in _VARIABLES.items():
        tag = tag.replace(colour, variable)
    return tag
