"""What looks wrong in a clip: empty frames, jumps, lost joints, bones of no human length.

A reader refuses what breaks its format; this looks at what the numbers mean. Every limit is far
beyond what people do and what the supported sensors usually deliver, so that a problem is worth a
look, not that every clip has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["Problem", "find_problems", "frame_speed"]

SHORT = 8
"""Fewer frames than this hardly hold a movement."""

LOST = 0.3
"""Share of a person's frames beyond which a joint without confidence is worth a word."""

FROZEN = 10
"""So many frames in a row without any change are no stillness of a living body."""

JUMP = 15.0
"""Body heights a second that no joint moves; the fastest hands of athletes reach about twelve."""

LONG = 0.1
"""Bones below this share of the body's height (hands, feet, finger tips) are too noisy to judge."""

UNSTEADY = 1.0
"""Spread of a long bone's length (5th to 95th percentile) by its median; sensors stay below."""

UNEQUAL = 1.8
"""How many times one side's bone may be as long as the other side's."""

HEIGHT = (0.3, 2.6)
"""Metres between the lowest and the highest joint of a body, lying down or stretching up."""


@dataclass(frozen=True)
class Problem:
    """One thing that looks wrong.

    Attributes
    ----------
    kind : one word for counting, for example ``"jumps"``
    text : a sentence with what was found and where
    frames : the frames it concerns, for drawing; empty if it concerns the whole clip
    """

    kind: str
    text: str
    frames: tuple[int, ...] = ()


def find_problems(clip: SkeletonSequence) -> list[Problem]:
    """List what looks wrong in a clip, the gravest first; an empty list if nothing does.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> points = np.random.default_rng(0).normal(0, 0.3, (1, 1, 25, 3)) * np.ones((1, 40, 1, 1))
    >>> points[0, 20] = 0.0
    >>> clip = SkeletonSequence(points, create_layout("ntu25"))
    >>> [(problem.kind, problem.text) for problem in find_problems(clip)][0]
    ('empty frames', 'nobody in 1 of 40 frames, first in frame 20')
    """
    found = [*_presence(clip)]
    for person in range(clip.persons):
        present = clip.present[person]
        if present.any():
            who = f"person {person}: " if clip.persons > 1 else ""
            found += _joints(clip, person, who)
            found += _movement(clip, person, who)
            found += _bones(clip, person, who)
    if clip.frames < SHORT:
        found.append(Problem("short", f"only {clip.frames} frames"))
    return found


def frame_speed(clip: SkeletonSequence, person: int) -> NDArray[np.float64]:
    """Fastest joint of a person from each frame to the next, in body heights a second.

    Returns
    -------
    (T,) : zero for the last frame, and where the person or the joint is absent in one of the two
    """
    points = clip.keypoints[person].astype(np.float64)
    there = clip.confidence[person] > 0
    height = _height(clip, person)
    speed = np.zeros(clip.frames)
    if clip.frames < 2 or height <= 0:
        return speed
    step = np.linalg.norm(np.diff(points, axis=0), axis=2) * (there[1:] & there[:-1])
    speed[:-1] = step.max(axis=1) * clip.fps / height
    return speed


def _height(clip: SkeletonSequence, person: int) -> float:
    """Median extent of a person along the longest axis of the body, in the clip's units."""
    points = clip.keypoints[person][clip.present[person]]
    return float(np.median(np.ptp(points, axis=1).max(axis=1))) if len(points) else 0.0


def _list(frames: NDArray[np.intp]) -> tuple[int, ...]:
    return tuple(int(frame) for frame in frames)


def _presence(clip: SkeletonSequence) -> list[Problem]:
    present = clip.present
    empty = np.flatnonzero(~present.any(axis=0))
    if len(empty) == clip.frames:
        return [Problem("nobody", "nobody is there in any frame")]
    found = []
    if len(empty):
        text = f"nobody in {len(empty)} of {clip.frames} frames, first in frame {empty[0]}"
        found.append(Problem("empty frames", text, _list(empty)))
    for person in range(clip.persons):
        share = present[person].mean()
        if clip.persons > 1 and share < 0.5:
            text = f"person {person} is there in {share:.0%} of the frames"
            found.append(Problem("passing person", text))
    return found


def _joints(clip: SkeletonSequence, person: int, who: str) -> list[Problem]:
    there = clip.present[person]
    lost = (clip.confidence[person][there] == 0).mean(axis=0)
    wrong = np.flatnonzero(lost > LOST)
    if not len(wrong):
        return []
    names = ", ".join(f"{clip.layout.joints[j]} ({lost[j]:.0%})" for j in wrong[:6])
    more = f" and {len(wrong) - 6} more" if len(wrong) > 6 else ""
    return [Problem("missing joints", f"{who}no confidence in {names}{more} of the frames")]


def _movement(clip: SkeletonSequence, person: int, who: str) -> list[Problem]:
    found = []
    jumps = np.flatnonzero(frame_speed(clip, person) > JUMP)
    if len(jumps):
        count = f"{len(jumps)} jump{'s' * (len(jumps) > 1)}"
        text = (
            f"{who}{count} of a joint by more than {JUMP / clip.fps:.1f} body heights in one "
            f"frame, first after frame {jumps[0]}"
        )
        found.append(Problem("jumps", text, _list(jumps)))
    there = clip.present[person]
    same = np.zeros(clip.frames + 1, dtype=bool)
    same[1:-1] = (np.diff(clip.keypoints[person], axis=0) == 0).all(axis=(1, 2))
    same[1:-1] &= there[1:] & there[:-1]
    edges = np.flatnonzero(np.diff(same.astype(np.int8)))
    runs = edges.reshape(-1, 2)
    longest = max(runs, key=lambda run: run[1] - run[0]) if len(runs) else None
    if longest is not None and longest[1] - longest[0] + 1 >= FROZEN:
        first, last = int(longest[0]), int(longest[1])
        text = f"{who}nothing moves from frame {first} to {last}"
        found.append(Problem("frozen", text, tuple(range(first, last + 1))))
    return found


def _bones(clip: SkeletonSequence, person: int, who: str) -> list[Problem]:
    layout = clip.layout
    pairs = [(layout.index(child), layout.index(parent)) for child, parent in layout.bones]
    children, parents = (np.array(side) for side in zip(*pairs, strict=True))
    points = clip.keypoints[person].astype(np.float64)
    lengths = np.linalg.norm(points[:, children] - points[:, parents], axis=2)
    known = (clip.confidence[person][:, children] > 0) & (clip.confidence[person][:, parents] > 0)
    lengths = np.where(known, lengths, np.nan)
    usable = known.sum(axis=0) >= SHORT
    height = _height(clip, person)
    found = []
    if usable.any():
        low, middle, high = np.nanpercentile(lengths[:, usable], [5, 50, 95], axis=0)
        names = [layout.bones[i] for i in np.flatnonzero(usable)]
        spread = (high - low) / np.maximum(middle, 1e-9)
        long = middle > LONG * height
        wrong = [names[i] for i in np.flatnonzero((spread > UNSTEADY) & long)]
        if wrong:
            text = f"{who}length changes by more than its median: {_bone_list(wrong)}"
            found.append(Problem("unsteady bones", text))
        known_bones = dict(zip(names, middle, strict=True))
        found += _sides(known_bones, dict(layout.symmetry), LONG * height, who)
    if clip.units == "m" and layout.dims == 3 and not HEIGHT[0] <= height <= HEIGHT[1]:
        text = f"{who}{height:.3g} m from the lowest to the highest joint; other units than metres?"
        found.append(Problem("body size", text))
    return found


def _sides(
    middle: dict[tuple[str, str], float], mirror: dict[str, str], least: float, who: str
) -> list[Problem]:
    """Bones whose other side is much longer."""
    wrong = []
    for (child, parent), left in middle.items():
        other = (mirror.get(child, child), mirror.get(parent, parent))
        right = middle.get(other, 0.0)
        ratio = max(left, right) / min(left, right) if min(left, right) > 0 else 0.0
        if other != (child, parent) and max(left, right) > least and ratio > UNEQUAL:
            wrong.append((child, parent) if left > right else other)
    if not wrong:
        return []
    text = f"{who}one side is {UNEQUAL} times the other's length or more: {_bone_list(wrong)}"
    return [Problem("unequal sides", text)]


def _bone_list(bones: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{parent} to {child}" for child, parent in bones[:4])
    return shown + (f" and {len(bones) - 4} more" if len(bones) > 4 else "")
