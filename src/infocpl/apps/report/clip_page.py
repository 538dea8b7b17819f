"""One clip as a self-contained HTML page with the report's player."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.apps.report.player import clip_payload, script_json
from infocpl.apps.report.template import render_template, write_page
from infocpl.skeleton.quality import Problem
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["write_clip_page"]


def write_clip_page(
    clip: SkeletonSequence,
    path: Path,
    *,
    title: str,
    facts: Sequence[tuple[str, str]] = (),
    problems: Sequence[Problem] = (),
) -> Path:
    """Write an animation of a clip; the page opens from disk without a network.

    Parameters
    ----------
    clip : (M, T, V, C); flat layouts are drawn in a plane
    path : the HTML file; written whole or not at all, replaced if it exists
    title : name of the clip
    facts, problems : shown below the figure

    Raises
    ------
    ConfigError : if `path` is a folder or cannot be written
    """
    layout = clip.layout
    payload = clip_payload(
        {
            "name": title,
            "true": title,
            "fps": clip.fps,
            "bones": [[layout.index(a), layout.index(b)] for a, b in layout.bones],
            "parts": {part: layout.part_index(part) for part in layout.parts},
            "keypoints": _solid(clip),
        }
    )
    text = render_template(
        "inspect.html",
        title=title,
        facts=facts,
        problems=problems,
        payload=script_json([payload]),
    )
    return write_page(path, text)


def _solid(clip: SkeletonSequence) -> NDArray[np.float64]:
    """Coordinates (M, T, V, 3); of a flat layout in the plane z = 0, exactly zero where absent."""
    points = clip.keypoints.astype(np.float64)
    if points.shape[-1] == 2:
        points = np.concatenate((points, np.zeros_like(points[..., :1])), axis=-1)
    points[~clip.present] = 0.0
    return points
