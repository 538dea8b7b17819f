"""Methods can be told apart: by colour, by eyes that see fewer colours, by dash and by mark."""

from __future__ import annotations

import itertools
import re
from importlib import resources

import numpy as np
import pytest

from infocpl.apps.report.drawing import COLOURS
from infocpl.apps.report.series import SERIES, series_key, series_mark, series_style

# Machado, Oliveira, Fernandes 2009: what dichromats see, on linear sRGB.
EYES = {
    "common": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
# D65, two degrees.
TO_XYZ = [
    [0.4124564, 0.3575761, 0.1804375],
    [0.2126729, 0.7151522, 0.0721750],
    [0.0193339, 0.1191920, 0.9503041],
]
WHITE = np.sum(TO_XYZ, axis=1)


def page_colours(part: int) -> dict[str, np.ndarray]:
    """Linear sRGB of every variable in the light (0), dark (1) and printed (2) page."""
    folder = resources.files("infocpl.apps.report") / "templates"
    blocks = re.findall(r":root \{(.*?)\}", (folder / "style.css").read_text(), flags=re.DOTALL)
    found = re.findall(r"--([\w-]+): #([0-9a-f]{6});", blocks[part])
    values = {name: np.frombuffer(bytes.fromhex(text), np.uint8) / 255 for name, text in found}
    return {
        name: np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
        for name, v in values.items()
    }


def lab(colour: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b*."""
    ratio = np.clip(np.asarray(TO_XYZ) @ colour / WHITE, 0, None)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("part", [0, 1, 2], ids=["light", "dark", "printed"])
def test_every_colour_stands_out_from_the_page(part: int) -> None:
    colours = page_colours(part)
    light = {name: float(np.asarray(TO_XYZ)[1] @ value) for name, value in colours.items()}
    for place in range(COLOURS):
        pair = sorted((light[f"series-{place}"], light["surface"]))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3  # WCAG 2.1, 1.4.11


@pytest.mark.parametrize("eyes", EYES)
@pytest.mark.parametrize("part", [0, 1, 2], ids=["light", "dark", "printed"])
def test_no_two_of_twelve_colours_look_alike(part: int, eyes: str) -> None:
    colours = page_colours(part)
    seen = [lab(np.clip(EYES[eyes] @ colours[f"series-{n}"], 0, 1)) for n in range(COLOURS)]
    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    # A just noticeable difference is about 2.3.
    assert least >= (14 if eyes == "common" else 7)


def test_no_two_series_share_colour_dash_and_filling_nor_a_filled_mark() -> None:
    styles = [series_style(place) for place in range(SERIES)]
    assert SERIES >= 12
    assert len(set(styles)) == SERIES
    assert len({(style.colour, style.dash) for style in styles}) == SERIES
    assert len({(style.marker, style.hollow) for style in styles}) == SERIES


@pytest.mark.parametrize("place", range(SERIES))
def test_mark_and_key_of_the_page_have_the_colour_of_the_figure(place: int) -> None:
    colour = f"var(--series-{place % COLOURS})"
    assert colour in series_mark(place)
    assert series_key(place).count(colour) == 2
    points = re.findall(r"-?\d+\.\d", re.findall(r' d="([^"]*)"', series_mark(place))[0])
    assert max(abs(float(point)) for point in points) == 7.5


def test_shapes_of_marks_differ() -> None:
    shapes = {re.findall(r' d="([^"]*)"', series_mark(place))[0] for place in range(COLOURS)}
    assert len(shapes) == COLOURS
