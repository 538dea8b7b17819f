"""Which methods figures show, and the colour, dash and mark of each: the same in every figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.markers import MarkerStyle

from infocpl.apps.report.drawing import COLOURS, SERIES_COLOURS

__all__ = ["SERIES", "SeriesStyle", "drawn_methods", "series_key", "series_mark", "series_style"]

SERIES = 2 * COLOURS
"""How many methods can be told apart. Figures show no more."""

# Twelve shapes, one a colour: where two colours look alike to somebody, the shapes do not.
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "<", ">", "p", "h")
_DASHES: tuple[tuple[float, ...], ...] = (
    (),
    (5, 2),
    (1.5, 1.5),
    (6, 2, 1.5, 2),
    (9, 3),
    (6, 1.5, 1.5, 1.5, 1.5, 1.5),
)
_CODES = {1: "M", 2: "L", 3: "Q", 4: "C", 79: "Z"}  # of a path in matplotlib, and in SVG


@dataclass(frozen=True)
class SeriesStyle:
    """How one series is drawn.

    Attributes
    ----------
    colour : number of the page's colour
    marker : shape as matplotlib names it
    dash : lengths of dashes and gaps, none for a whole line
    hollow : whether the mark is an outline: of the series that have a colour for the second time
    """

    colour: int
    marker: str
    dash: tuple[float, ...]
    hollow: bool

    @property
    def stand_in(self) -> str:
        """The colour while matplotlib draws."""
        return SERIES_COLOURS[self.colour]

    @property
    def linestyle(self) -> Any:
        """The dash as matplotlib wants it."""
        return (0, self.dash) if self.dash else "-"


def series_style(place: int) -> SeriesStyle:
    """The style of a series, by its place in the result.

    Examples
    --------
    >>> series_style(0) == series_style(SERIES), series_style(0) == series_style(COLOURS)
    (True, False)
    """
    colour, again = place % COLOURS, place // COLOURS % 2
    # Shifted the second time, so that colour and dash together never come back.
    dash = _DASHES[(colour + 3 * again) % len(_DASHES)]
    return SeriesStyle(colour, _MARKERS[colour], dash, bool(again))


def series_mark(place: int) -> Markup:
    """The mark of a series as inline SVG, for text and strips beside the figures.

    Examples
    --------
    >>> "var(--series-3)" in series_mark(3)
    True
    """
    return _svg("sign", place, "-10 -10 20 20", _shape(place))


def series_key(place: int) -> Markup:
    """A piece of line with the mark of a series on it, for legends.

    Examples
    --------
    >>> "stroke-dasharray" in series_key(1), "stroke-dasharray" in series_key(0)
    (True, False)
    """
    style = series_style(place)
    dash = ",".join(f"{2 * length:g}" for length in style.dash)
    line = (
        f'<path d="M -28 0 L 28 0" style="fill:none;stroke:var(--series-{style.colour});'
        f'stroke-width:3{";stroke-dasharray:" + dash if dash else ""}"/>'
    )
    return _svg("key", place, "-28 -10 56 20", line + _shape(place))


def _svg(kind: str, place: int, box: str, content: str) -> Markup:
    # Numbers and letters of our own, nothing of a result.
    head = f'<svg class="{kind} s{place}" viewBox="{box}" aria-hidden="true">'
    return Markup(f"{head}{content}</svg>")  # noqa: S704


def _shape(place: int) -> str:
    style = series_style(place)
    marker = MarkerStyle(style.marker)
    path = marker.get_path().transformed(marker.get_transform())
    size = 7.5 / float(np.abs(np.asarray(path.vertices)).max())
    pieces = []
    for points, code in path.iter_segments(simplify=False):
        # The page counts downwards.
        numbers = (f"{size * v * (-1) ** i:.1f}" for i, v in enumerate(points))
        pieces.append(" ".join((_CODES[int(code)], *(numbers if code != 79 else ()))))
    colour = f"var(--series-{style.colour})"
    fill, edge = ("var(--surface)", colour) if style.hollow else (colour, "var(--surface)")
    # A rim below the filling, not over it, where thin shapes would drown.
    paint = f"fill:{fill};stroke:{edge};stroke-width:3"
    return f'<path d="{" ".join(pieces)}" style="{paint};paint-order:stroke"/>'


def drawn_methods(result: Mapping[str, Any]) -> dict[str, Any]:
    """Methods that figures show: all, or the first ones where not all can be told apart.

    Parameters
    ----------
    result : content of ``result.json``

    Returns
    -------
    name of a method to its entry, at most :data:`SERIES`, in the order of the result

    Examples
    --------
    >>> list(drawn_methods({"methods": {"infocpl": {}, "ridge": {}}}))
    ['infocpl', 'ridge']
    """
    return dict(islice(result["methods"].items(), SERIES))
