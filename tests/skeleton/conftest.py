"""Clips and files for the skeleton tests, made here and not taken from any dataset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

MakeClip = Callable[..., SkeletonSequence]


@pytest.fixture
def make_clip() -> MakeClip:
    """Make a clip of upright bodies on any layout, walking and waving a little."""

    def make(
        layout: str = "ntu25", persons: int = 1, frames: int = 12, seed: int = 0
    ) -> SkeletonSequence:
        rng = np.random.default_rng(seed)
        shape = create_layout(layout)
        dims = shape.dims
        body = rng.normal(scale=(0.15, 0.5, 0.1)[:dims], size=(persons, 1, len(shape), dims))
        for joint, x, y in (
            ("left_shoulder", -0.2, 0.5),
            ("right_shoulder", 0.2, 0.5),
            ("left_hip", -0.1, 0.0),
            ("right_hip", 0.1, 0.0),
        ):
            body[:, :, shape.index(joint)] = (x, y, 0.0)[:dims]
        steps = rng.normal(scale=0.02, size=(persons, frames, len(shape), dims)).cumsum(axis=1)
        low, high = (-1, -0.5, 2)[:dims], (1, 0.5, 4)[:dims]
        place = rng.uniform(low, high, size=(persons, 1, 1, dims))
        return SkeletonSequence(
            (body + steps + place).astype(np.float32), shape, source=f"made {seed}"
        )

    return make


@pytest.fixture
def ntu_text() -> Callable[..., str]:
    """Write the text of an NTU file from scratch: frames is a list of {id: (coords, state)}."""

    def text(frames: list[dict[int, tuple[np.ndarray, int]]], end: str = "\n") -> str:
        lines = [str(len(frames))]
        for frame in frames:
            lines.append(str(len(frame)))
            for body, (coords, state) in frame.items():
                lines += [f"{body} 0 1 1 1 1 0 0.02 -0.25 2", "25"]
                lines += [
                    f"{float(x)!r} {float(y)!r} {float(z)!r} 277.4 191.8 1036.2 519.1 "
                    f"-0.2 0.05 0.9 -0.1 {state}"
                    for x, y, z in coords
                ]
        return end.join(lines) + end

    return text


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str | bytes, str], Path]:
    def write(content: str | bytes, name: str = "clip.skeleton") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write
