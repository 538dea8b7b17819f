"""One clip as a picture: key frames from two sides, and how fast its joints move over time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from infocpl.errors import ConfigError
from infocpl.files import atomic_path
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.quality import JUMP, Problem, frame_speed
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["PICTURES", "draw_clip"]

PICTURES = (".png", ".svg")
FRAMES = 6
"""Key frames in a row."""

_SIDES = {"left": "#1f77b4", "right": "#d1661a", "middle": "#4d4d4d"}
_WRONG = "#c1272d"


def draw_clip(
    clip: SkeletonSequence, path: Path, *, title: str = "", problems: Sequence[Problem] = ()
) -> Path:
    """Draw a clip to a .png or .svg file, whole or not at all.

    Parameters
    ----------
    clip : (M, T, V, C); left limbs are drawn blue, right ones orange
    path : the picture; replaced if it exists
    title : stands above it
    problems : their frames are marked red on the time axis

    Raises
    ------
    ConfigError : if the ending is another one, or the file cannot be written
    """
    if path.suffix.lower() not in PICTURES:
        raise ConfigError(f"{path}: expected a name ending in {' or '.join(PICTURES)}")
    figure = _figure(clip, title, problems)
    try:
        with (
            mpl.rc_context({"svg.hashsalt": "infocpl", "svg.fonttype": "none"}),
            warnings.catch_warnings(),
            atomic_path(path) as temporary,
        ):
            # A glyph that matplotlib's font lacks is drawn as a box, not complained about.
            warnings.simplefilter("ignore")
            kind = path.suffix.lower()[1:]
            facts = {"Date": None} if kind == "svg" else None
            figure.savefig(temporary, format=kind, dpi=110, metadata=facts)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _figure(clip: SkeletonSequence, title: str, problems: Sequence[Problem]) -> Figure:
    views = [(0, "from the front")] + ([(2, "from the side")] if clip.layout.dims == 3 else [])
    figure = Figure(figsize=(2.0 * FRAMES, 2.1 * len(views) + 1.9), layout="constrained")
    grid = figure.add_gridspec(len(views) + 1, FRAMES, height_ratios=[2.1] * len(views) + [1.4])
    shown = np.unique(np.linspace(0, clip.frames - 1, FRAMES).round().astype(int))
    for row, (axis, words) in enumerate(views):
        box = _box(clip, axis)
        for column, frame in enumerate(shown):
            axes = figure.add_subplot(grid[row, column])
            _draw_frame(axes, clip, int(frame), axis, box)
            if row == 0:
                axes.set_title(f"frame {frame}, {frame / clip.fps:.2f} s", fontsize=8)
            if column == 0:
                axes.set_ylabel(words, fontsize=8)
    _draw_time(figure.add_subplot(grid[-1, :]), clip, shown, problems)
    figure.suptitle(title or clip.source or clip.layout.name, fontsize=10, parse_math=False)
    return figure


def _box(clip: SkeletonSequence, axis: int) -> tuple[float, float, float]:
    """Middle and half width that hold the movement in one view; equal for all its frames."""
    bodies = clip.keypoints[clip.present]
    if not len(bodies):
        return 0.0, 0.0, 1.0
    points = bodies[:, :, (axis, 1)].reshape(-1, 2)
    # A sensor now and then throws a joint far away; the picture is of the body.
    low, high = np.percentile(points, [1, 99], axis=0)
    middle = (low + high) / 2
    half = max(float((high - low).max()) / 2 * 1.15, 1e-6)
    return float(middle[0]), float(middle[1]), half


def _draw_frame(
    axes: Axes,
    clip: SkeletonSequence,
    frame: int,
    axis: int,
    box: tuple[float, float, float],
) -> None:
    for person in np.flatnonzero(clip.present[:, frame]):
        points = clip.keypoints[person, frame][:, (axis, 1)]
        known = clip.confidence[person, frame] > 0
        _draw_body(axes, points, known, clip.layout, faint=bool(person))
    across, up, half = box
    # A person who faces the sensor has the left side at the smaller x, as in a mirror.
    axes.set_xlim(across - half, across + half)
    axes.set_ylim(up - half, up + half)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#cccccc")


def _draw_body(
    axes: Axes,
    points: NDArray[np.float32],
    known: NDArray[np.bool_],
    layout: Layout,
    *,
    faint: bool,
) -> None:
    colours = [_SIDES["middle"]] * len(layout)
    for part in layout.parts:
        side = part.partition("_")[0]
        for joint in layout.part_index(part):
            colours[joint] = _SIDES.get(side, _SIDES["middle"])
    bones = [(layout.index(child), layout.index(parent)) for child, parent in layout.bones]
    lines = [(points[a], points[b]) for a, b in bones if known[a] and known[b]]
    paint = [colours[a] for a, b in bones if known[a] and known[b]]
    style = {"linewidths": 1.0 if faint else 1.8, "alpha": 0.7 if faint else 1.0}
    axes.add_collection(LineCollection(lines, colors=paint, **style))
    across, up = points[known].T
    axes.scatter(across, up, s=3, c=[colours[i] for i in np.flatnonzero(known)], zorder=3)


def _draw_time(
    axes: Axes, clip: SkeletonSequence, shown: NDArray[np.int_], problems: Sequence[Problem]
) -> None:
    times = np.arange(clip.frames)
    for person in range(clip.persons):
        axes.plot(times, frame_speed(clip, person), lw=1.0, label=f"person {person + 1}")
    empty = ~clip.present.any(axis=0)
    axes.fill_between(
        times, 0, 1, where=empty, transform=axes.get_xaxis_transform(), color="#dddddd",
        step="mid", label="nobody" if empty.any() else None,
    )  # fmt: skip
    wrong = sorted({frame for problem in problems for frame in problem.frames})
    if wrong:
        axes.vlines(
            wrong,
            0,
            0.06,
            transform=axes.get_xaxis_transform(),
            color=_WRONG,
            lw=2,
            label="problem",
        )
    for frame in shown:
        axes.axvline(frame, color="#bbbbbb", lw=0.6, zorder=0)
    axes.set_xlim(-0.5, max(clip.frames - 0.5, 0.5))
    axes.set_ylim(0, min(max(1.0, axes.get_ylim()[1]), 3 * JUMP))
    axes.set_xlabel("frame", fontsize=8)
    axes.set_ylabel("fastest joint,\nbody heights a second", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.legend(fontsize=7, loc="upper right", frameon=False)
