"""Drawings inside the page: right numbers in right places, page colours, nothing foreign."""

from __future__ import annotations

import re
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

from infocpl.apps.report.confusions import confusion_figure, method_confusions
from infocpl.apps.report.curves import curve_figure, method_curves
from infocpl.apps.report.drawing import COLOURS
from infocpl.errors import DataError


def texts(svg: str) -> list[tuple[float, float, str]]:
    """(x, y, text) of every text element that is not turned."""
    found = re.findall(r'<text[^>]* x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg)
    return [(float(x), float(y), text) for x, y, text in found]


def make_curve(**changes: Any) -> dict[str, Any]:
    curve = {"title": "A", "seen": [1.0, 0.6, 0.0], "unseen": [0.0, 0.5, 0.8]}
    return curve | {"point": (0.6, 0.5), "series": 0} | changes


def test_counts_stand_in_their_rows_and_columns() -> None:
    counts = [[11, 12, 13], [21, 22, 23], [31, 32, 33]]
    svg = confusion_figure(["a", "b", "c"], counts, "m")
    numbers = [(y, x, int(text)) for x, y, text in texts(svg) if text.isdigit()]
    by_row = [text for _, _, text in sorted((round(y), x, text) for y, x, text in numbers)]
    assert by_row == [count for row in counts for count in row]


def test_zero_is_left_blank_and_fractions_keep_a_digit() -> None:
    svg = confusion_figure(["a", "b"], [[0, 2.5], [0, 0]], "m")
    assert [text for _, _, text in texts(svg) if re.fullmatch(r"[\d.]+", text)] == ["2.5"]


def test_the_shade_is_the_share_of_the_row() -> None:
    svg = confusion_figure(["a", "b"], [[3, 1], [0, 0]], "m")
    shades = [float(value) for value in re.findall(r"var\(--heat\); opacity: ([\d.]+)", svg)]
    assert shades == pytest.approx([0.05 + 0.95 * 0.75, 0.05 + 0.95 * 0.25, 0.05, 0.05])


def test_thirty_long_names_are_wrapped_and_all_there() -> None:
    labels = [f"take off something number {i} with both hands slowly" for i in range(30)]
    svg = confusion_figure(labels, np.eye(30) * 7, "m")
    words = " ".join(re.sub(r"<[^>]*>", " ", svg).split())
    for i in range(30):
        assert len(re.findall(rf"\bnumber {i}\b|\b{i} with\b", words)) >= 2
    assert max(len(text) for text in re.findall(r">([^<]+)</", svg)) <= 28


@pytest.mark.parametrize(
    "label",
    ["$x_1$", "$\\frac{", "a_b^c", "挥手", "<b>&", "\x00", "\ud800", "", "  ", "%d\\"],
    ids=ascii,
)
def test_any_name_can_be_drawn(label: str) -> None:
    svg = confusion_figure([label, "b"], [[1, 2], [3, 4]], "m")
    assert "<b>" not in svg
    assert len(re.findall(r"<text\b", svg)) >= 6
    svg.encode("utf-8")


@pytest.mark.parametrize(
    ("labels", "counts"),
    [
        ([], []),
        (["a"], [[1, 2]]),
        (["a", "b"], [[1, 2]]),
        (["a", "b"], [[1, -2], [0, 1]]),
        (["a", "b"], [[1, float("nan")], [0, 1]]),
        (["a", "b"], [[1, 2], [3]]),
        (["a", "b"], [[1, "x"], [0, 1]]),
        (["a"], None),
    ],
    ids=["empty", "wide", "short", "negative", "NaN", "ragged", "text", "none"],
)
def test_a_matrix_that_does_not_fit_is_refused(labels: list[str], counts: Any) -> None:
    with pytest.raises(DataError, match=r"confusion\.counts"):
        confusion_figure(labels, counts, "m")


def test_the_curve_passes_through_its_points() -> None:
    svg = curve_figure([make_curve()], "k")
    # The data box is found from the tick labels 0 and 100 below the axis.
    found = [(x, y, text) for x, y, text in texts(svg) if text.isdigit()]
    lowest = max(y for _, y, _ in found)
    ticks = {text: x for x, y, text in found if y == lowest}
    line = re.search(r'<path d="([^"]*)"[^>]*stroke: var\(--series-0\)', svg)
    assert line is not None
    xs = [float(x) for x in re.findall(r"[ML] ([\d.]+) [\d.]+", line.group(1))]
    wanted = [ticks["0"] + (ticks["100"] - ticks["0"]) * share for share in (1.0, 0.6, 0.0)]
    assert xs == pytest.approx(wanted, abs=0.01)


def test_twelve_methods_have_twelve_colours() -> None:
    svg = curve_figure([make_curve(series=place) for place in range(COLOURS)], "k")
    used = set(re.findall(r"stroke: var\(--series-(\d+)\)", svg))
    assert used == {str(place) for place in range(12)}


def test_the_colour_of_a_second_dozen_comes_with_another_dash_and_a_hollow_mark() -> None:
    first = curve_figure([make_curve(series=1)], "k")
    again = curve_figure([make_curve(series=1 + COLOURS)], "k")
    pattern = r'style="fill: none; stroke-dasharray: ([^;]*);[^"]*var\(--series-1\)'
    assert re.findall(pattern, first) != re.findall(pattern, again)
    assert "fill: var(--series-1); stroke: var(--surface)" in first
    assert "fill: var(--surface); stroke: var(--series-1)" in again


def test_a_curve_without_operating_point_is_drawn() -> None:
    with_point = curve_figure([make_curve()], "k")
    without = curve_figure([make_curve(point=None)], "k")
    assert len(without) < len(with_point)


@pytest.mark.parametrize(
    "change",
    [
        {"seen": []},
        {"seen": [1.0]},
        {"unseen": [0.0, 0.5, 1.2]},
        {"unseen": [0.0, -0.5, 1.0]},
        {"seen": [float("nan"), 0, 0]},
        {"seen": "abc"},
    ],
    ids=["empty", "short", "above 1", "below 0", "NaN", "text"],
)
def test_a_curve_that_is_none_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="curve"):
        curve_figure([make_curve(**change)], "k")


@pytest.mark.parametrize(
    "svg",
    [confusion_figure(["a", "b"], [[1, 2], [3, 4]], "one"), curve_figure([make_curve()], "one")],
    ids=["confusion", "curve"],
)
def test_a_drawing_brings_nothing_foreign_and_uses_page_colours(svg: str) -> None:
    assert "http" not in svg
    assert "xmlns" not in svg
    assert "<style" not in svg
    assert "<!--" not in svg
    assert not re.search(r"#0[01]0[12b]", svg), "a stand-in colour was left"
    assert not re.search(r"(fill|stroke): #", svg), "a colour that does not follow dark mode"
    assert all(name.startswith("one-") for name in re.findall(r'\bid="([^"]*)"', svg))
    assert 'role="img" aria-label="' in svg


def test_drawing_leaves_global_settings_alone() -> None:
    before = dict(mpl.rcParams)
    confusion_figure(["a"], [[1]], "m")
    curve_figure([make_curve()], "k")
    assert dict(mpl.rcParams) == before


def test_results_without_matrices_or_curves_have_no_drawings() -> None:
    result = {"methods": {"a": {"title": "A", "mean": {}, "curve": None}}}
    assert method_confusions(result) == []
    assert method_curves(result) is None


def test_only_methods_with_a_curve_are_in_the_legend() -> None:
    curve = {"gamma": [0, 1], "seen": [0.5, 0.1], "unseen": [0.1, 0.5]}
    mean = {"gzsl.seen": 0.5, "gzsl.unseen": 0.25, "gzsl.harmonic": 1 / 3}
    methods = {
        "a": {"title": "A", "mean": {}},
        "b": {"title": "B", "mean": mean, "curve": curve},
        "c": {"title": "C", "mean": {}, "curve": curve},
    }
    found = method_curves({"methods": methods})
    assert found is not None
    assert [entry["title"] for entry in found["curves"]] == ["B", "C"]
    assert [entry["series"] for entry in found["curves"]] == [1, 2]
    assert found["curves"][0]["legend"] == {
        "seen": "50.0", "unseen": "25.0", "harmonic": "33.3", "ausuc": "–",
    }  # fmt: skip
    assert found["curves"][1]["point"] is None


def test_the_curves_of_the_gate_are_drawn_with_its_own_numbers() -> None:
    curve = {"gamma": [0, 1], "seen": [0.5, 0.1], "unseen": [0.1, 0.5]}
    mean = {"gzsl.seen": 0.9, "gate.seen": 0.3, "gate.unseen": 0.2, "gate.harmonic": 0.24}
    methods = {"a": {"title": "A", "mean": mean, "gate_curve": curve}}
    assert method_curves({"methods": methods}) is None
    found = method_curves({"methods": methods}, "gate_curve", "gate")
    assert found is not None
    assert found["curves"][0]["point"] == (0.3, 0.2)
    assert found["curves"][0]["legend"]["harmonic"] == "24.0"
    faulty = {"a": {"title": "A", "mean": {}, "gate_curve": {"gamma": [0]}}}
    with pytest.raises(DataError, match=r"result\.methods\.a\.gate_curve"):
        method_curves({"methods": faulty}, "gate_curve", "gate")


def test_a_faulty_matrix_names_its_method() -> None:
    bad = {"title": "B", "mean": {}, "confusion": {"labels": ["a"], "counts": [[1, 2]]}}
    with pytest.raises(DataError, match=r"result\.methods\.b\.confusion\.counts"):
        method_confusions({"methods": {"b": bad}})
