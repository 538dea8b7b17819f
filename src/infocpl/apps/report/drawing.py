"""How every figure is drawn: page colours, text that stays text, SVG that fits into HTML.

Matplotlib draws with stand-in colours; :func:`inline_svg` exchanges them for CSS variables of the
page, so that one drawing serves light mode, dark mode and print.
"""

from __future__ import annotations

import io
import re
import textwrap
import unicodedata
import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infocpl.errors import DataError

__all__ = [
    "COLOURS",
    "GRID",
    "HEAT",
    "INK",
    "MUTED",
    "ON_HEAT",
    "SERIES_COLOURS",
    "SURFACE",
    "drawing_style",
    "inline_svg",
    "number_table",
    "wrap_label",
]

COLOURS = 12
"""How many colours the page has for series; ``style.css`` gives their values."""

# Stand-in colour -> CSS variable. The stand-ins occur nowhere else in a drawing.
INK, MUTED, GRID, HEAT, ON_HEAT, SURFACE = (
    "#010203",
    "#010204",
    "#010205",
    "#010206",
    "#010207",
    "#010208",
)
SERIES_COLOURS = tuple(f"#0a0b{0x10 + place:02x}" for place in range(COLOURS))
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    HEAT: "var(--heat)",
    ON_HEAT: "var(--on-heat)",
    SURFACE: "var(--surface)",
    **{colour: f"var(--series-{place})" for place, colour in enumerate(SERIES_COLOURS)},
}


def number_table(value: Any, where: str) -> NDArray[np.float64]:
    """A list (of lists) of finite numbers; :class:`DataError` that says `where` if it is none."""
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
