"""From people found frame by frame to persons who last: what pose estimators leave to do.

A pose estimator looks at each image alone. It lists the people it finds in any order, some with a
number that a tracker gave them, and leaves out joints it does not see. Here people become persons
with a row of their own, and every joint of a present person gets a place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_BODIES, MAX_FRAMES, check_coordinates
from infocpl.skeleton.layout import Layout

__all__ = ["HALF_TURN", "Detection", "assemble_people", "check_max_persons", "written_people"]

HALF_TURN = np.array([-1.0, -1.0, 1.0])
"""From image axes (x right, y down, z away from the camera) to a clip's, y up: both signs change,
so left stays left, and a person who faces the camera has the left shoulder at the smaller x."""

MAX_PEOPLE = 100
"""Most people in one frame; crowds are no subject of action recognition."""

_LONGEST_GAP = 30
_MOST_FOLLOWED = 2 * MAX_PEOPLE
_STEADY = 0.5


@dataclass(frozen=True, eq=False)
class Detection:
    """One person in one frame, in the axes of the file.

    Attributes
    ----------
    points : (V, C) coordinates
    scores : (V,) confidence, not negative; above 1 counts as 1
    person : number a tracker gave, -1 if none did
    """

    points: NDArray[np.float64]
    scores: NDArray[np.float64]
    person: int = -1


def check_max_persons(max_persons: int) -> None:
    """Refuse a number of persons out of range.

    Raises
    ------
    ConfigError : unless 1 <= `max_persons` <= 16
    """
    if not 1 <= max_persons <= MAX_BODIES:
        raise ConfigError(f"max_persons must lie between 1 and {MAX_BODIES}, got {max_persons}")


def assemble_people(
    path: Path, frames: Sequence[Sequence[Detection]], layout: Layout, max_persons: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Make the arrays of a clip of what was found in its frames.

    Persons are told apart by the numbers of a tracker where everyone has one and none comes twice
    in a frame; otherwise a person found is taken for the one who stood nearest before, at most 30
    frames ago and at most the extent of a body away. Of more than `max_persons` the most seen stay
    (largest sum of confidence). They come in order of their numbers, or of appearance, except that
    persons seen less than half as much as the most seen one come after the others. Joints not seen
    (all zero, confidence too) stand at the nearest joint seen, along the bones, with confidence 0.

    Parameters
    ----------
    path : named in messages
    frames : for each of T frames the people in it, in the axes of an image
    layout : of V joints and C dimensions
    max_persons : most persons to keep

    Returns
    -------
    keypoints : (M, T, V, C) y up (see :data:`HALF_TURN`)
    confidence : (M, T, V) from 0 to 1

    Raises
    ------
    SkeletonFormatError : if there are too many frames or people, a number is too large or not
        finite, a confidence is negative, or nobody is in any frame
    """
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"1 to {MAX_FRAMES:,}", f"{len(frames):,}")
    for number, people in enumerate(frames):
        if len(people) > MAX_PEOPLE:
            raise SkeletonFormatError(
                path, "people", f"at most {MAX_PEOPLE}", f"{len(people)}", f"frame {number}"
            )
    found = [(time, one) for time, people in enumerate(frames) for one in people]
    if not found:
        raise SkeletonFormatError(path, "people", "a person in some frame", "nobody")
    points = np.stack([one.points for _, one in found])
    scores = np.stack([one.scores for _, one in found])
    _check(path, found, points, scores)
    seen = np.flatnonzero((scores > 0).any(axis=1))
    if not len(seen):
        raise SkeletonFormatError(
            path, "confidence", "a joint seen in some frame", "0 for every joint in every frame"
        )
    found = [found[index] for index in seen]
    points, scores = points[seen], np.minimum(scores[seen], 1.0)
    points = points * HALF_TURN[: layout.dims] + 0.0  # no negative zeros
    _place_unseen(points, scores, layout)
    owners = _owners(found, points, scores)
    chosen = _choose(owners, scores.sum(axis=1), max_persons)
    keypoints = np.zeros((len(chosen), len(frames), *points.shape[1:]), np.float32)
    confidence = np.zeros(keypoints.shape[:3], np.float32)
    for row, owner in enumerate(chosen):
        index = np.flatnonzero(owners == owner)
        times = [found[i][0] for i in index]
        keypoints[row, times] = points[index]
        confidence[row, times] = scores[index]
    return keypoints, confidence


def _check(
    path: Path,
    found: Sequence[tuple[int, Detection]],
    points: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> None:
    good = np.isfinite(scores) & (scores >= 0)
    if not good.all():
        row, joint = np.argwhere(~good)[0].tolist()
        raise SkeletonFormatError(
            path,
            f"confidence of joint {joint}",
            "a number from 0",
            f"{scores[row, joint]:g}",
            f"frame {found[row][0]}",
        )
    check_coordinates(points, path, ("person found", "joint", "coordinate"))


def _place_unseen(points: NDArray[np.float64], scores: NDArray[np.float64], layout: Layout) -> None:
    """Put joints that were not seen (all zero) at the nearest joint that was, in place."""
    unseen = (scores == 0) & ~points.any(axis=2)
    if not unseen.any():
        return
    for joint, others in enumerate(_nearest(layout)):
        rows = np.flatnonzero(unseen[:, joint])
        if len(rows):
            # argmax finds the first one seen; at least one is, or the person would not be here.
            first = (~unseen[rows[:, None], others]).argmax(axis=1)
            points[rows, joint] = points[rows, others[first]]


@cache
def _nearest(layout: Layout) -> tuple[NDArray[np.intp], ...]:
    """For every joint all others, the nearest along the bones first."""
    parents = layout.parent_index()
    count = len(layout)
    hops = np.full((count, count), count)
    np.fill_diagonal(hops, 0)
    for joint, parent in enumerate(parents):
        if joint != parent:
            hops[joint, parent] = hops[parent, joint] = 1
    for middle in range(count):
        hops = np.minimum(hops, hops[:, middle, None] + hops[None, middle])
    return tuple(
        order[order != joint] for joint, order in enumerate(np.argsort(hops, axis=1, kind="stable"))
    )


def _owners(
    found: Sequence[tuple[int, Detection]],
    points: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> NDArray[np.intp]:
    """(F,) a number for each detection, the same for the same person, rising with order."""
    keys = [(time, one.person) for time, one in found]
    if all(person >= 0 for _, person in keys) and len(set(keys)) == len(keys):
        numbers = sorted({person for _, person in keys})
        return np.array([numbers.index(person) for _, person in keys])
    return _link([time for time, _ in found], points, scores)


def _link(
    times: Sequence[int], points: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.intp]:
    """Follow persons from frame to frame by where their joints are, nearest pairs first."""
    every = np.arange(len(times))
    gaps = np.diff(times)
    alone = bool((gaps > 0).all() and (gaps <= _LONGEST_GAP).all())
    if alone and (_distance(every[:-1], every[1:], points, scores) <= 1.0).all():
        return np.zeros(len(times), dtype=np.intp)
    owners = np.full(len(times), -1)
    last: dict[int, int] = {}  # person to the detection that showed them last
    tracks = 0
    at = 0
    while at < len(times):
        stop = at
        while stop < len(times) and times[stop] == times[at]:
            stop += 1
        recent = sorted(last.items(), key=lambda item: item[1])[-_MOST_FOLLOWED:]
        last = {p: i for p, i in recent if times[at] - times[i] <= _LONGEST_GAP}
        free = list(range(at, stop))
        for _, person, row in sorted(_near_pairs(last, free, points, scores)):
            if times[last[person]] != times[at] and owners[row] < 0:
                owners[row] = person
                last[person] = row
        for row in free:
            if owners[row] < 0:
                owners[row] = tracks
                last[tracks] = row
                tracks += 1
        at = stop
    return owners


def _near_pairs(
    last: dict[int, int], rows: list[int], points: NDArray[np.float64], scores: NDArray[np.float64]
) -> list[tuple[float, int, int]]:
    """(distance, person, detection) of all pairs that may be the same person."""
    if not last:
        return []
    persons, before = list(last), np.array(list(last.values()))
    far = _distance(before[:, None], np.array(rows)[None], points, scores)
    return [(float(far[p, r]), persons[p], rows[r]) for p, r in np.argwhere(far <= 1.0).tolist()]


def _distance(
    before: NDArray[np.intp],
    after: NDArray[np.intp],
    points: NDArray[np.float64],
    scores: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Mean distance of the joints seen both times, in extents of the body before.

    Infinite where there are none. The two arrays of detections are broadcast together.
    """
    both = (scores[before] > 0) & (scores[after] > 0)
    gap = np.linalg.norm(points[before] - points[after], axis=-1)
    count = both.sum(axis=-1)
    mean = (gap * both).sum(axis=-1) / np.maximum(count, 1)
    size = np.linalg.norm(np.ptp(points[before], axis=-2), axis=-1)
    far: NDArray[np.float64] = np.where(count > 0, mean / np.maximum(size, 1e-9), np.inf)
    return far


def _choose(owners: NDArray[np.intp], weight: NDArray[np.float64], max_persons: int) -> list[int]:
    """The persons to keep, steady ones first (see :func:`assemble_people`)."""
    total = np.bincount(owners, weight)
    most = sorted(range(len(total)), key=lambda person: -total[person])[:max_persons]
    return sorted(most, key=lambda person: (total[person] < _STEADY * total.max(), person))


def written_people(
    keypoints: NDArray[np.float32], confidence: NDArray[np.float32]
) -> list[list[tuple[int, NDArray[np.float64]]]]:
    """For each frame of a clip the persons present, (number, (V, C + 1)), in the axes of an image.

    Coordinates come with their confidence as last column; see :func:`assemble_people` for the way
    back.
    """
    dims = keypoints.shape[-1]
    points = keypoints.astype(np.float64) * HALF_TURN[:dims] + 0.0
    table = np.concatenate([points, confidence.astype(np.float64)[..., None]], axis=-1)
    present = confidence.max(axis=2) > 0
    return [
        [(int(person), table[person, time]) for person in np.flatnonzero(present[:, time])]
        for time in range(keypoints.shape[1])
    ]
