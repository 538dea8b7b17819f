"""Who in a recording is a person, and which of them act: from tracked bodies to persons.

A depth sensor tracks more than people: a chair, a screen or a reflection becomes a body for a few
frames, and a person who was lost for a moment comes back under another number. The usual remedies,
first published with SGN (Zhang et al., CVPR 2020) and taken over by most later work on NTU RGB+D,
are kept here with their numbers, as pure functions on tracks:

- a body seen in at most eleven frames is noise;
- in a frame, a body wider than 0.8 of its height is hardly a standing person; a body that is so in
  at least 0.69754 of its frames is noise;
- among the rest, those that move most are the actors.

Two things differ. Motion is measured about each joint's own mean, so that it does not grow with
the size of a body. And a track continues another one only where a person could have gone in the
time between, while the usual rule joins any two that do not overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BodyTrack",
    "choose_bodies",
    "is_plausible",
    "join_tracks",
    "motion_energy",
    "wide_share",
]

NOISE_FRAMES = 11
"""A body tracked in so many frames or fewer is noise, where there are others."""

WIDE_RATIO = 0.8
"""Width to height above which a body in a frame is wide."""

WIDE_SHARE = 0.69754
"""A body wide in at least this share of its frames is noise, where there are others."""

STEADY = 0.9
"""Bodies seen in this share of the longest track's frames come first, whatever their motion."""

REACH, SPEED = 0.5, 0.1
"""Metres a person may be from where it was lost: at once, and more for each frame in between."""


@dataclass(frozen=True, eq=False)
class BodyTrack:
    """One body for as long as the sensor followed it.

    Attributes
    ----------
    frames : (F) rising frame numbers
    keypoints : (F, V, 3) metres, y up
    confidence : (F, V) in [0, 1]
    """

    frames: NDArray[np.intp]
    keypoints: NDArray[np.float64]
    confidence: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frames)


def motion_energy(keypoints: NDArray[np.float64]) -> float:
    """How much a body moves: the sum over joints and axes of the variance over time, in m^2.

    Parameters
    ----------
    keypoints : (F, V, 3)

    Examples
    --------
    >>> still = np.ones((4, 25, 3))
    >>> motion_energy(still), motion_energy(still * np.array([0, 2, 0, 2]).reshape(4, 1, 1))
    (0.0, 75.0)
    """
    return float(keypoints.var(axis=0).sum())


def wide_share(keypoints: NDArray[np.float64]) -> float:
    """Share of the frames in which the x extent exceeds :data:`WIDE_RATIO` of the y extent.

    Examples
    --------
    >>> standing = np.array([[[0.0, 0.0, 3.0], [0.5, 1.7, 3.0]]])
    >>> lying = standing[..., [1, 0, 2]]
    >>> wide_share(np.concatenate([standing, lying, lying, standing]))
    0.5
    """
    extent = np.ptp(keypoints, axis=1)
    return float(np.mean(extent[:, 0] > WIDE_RATIO * extent[:, 1]))


def is_plausible(keypoints: NDArray[np.float64]) -> bool:
    """Whether a body is a person: long enough in view, and upright for enough of it."""
    return len(keypoints) > NOISE_FRAMES and wide_share(keypoints) < WIDE_SHARE


def join_tracks(tracks: Sequence[BodyTrack]) -> list[BodyTrack]:
    """Join tracks that are one person who was lost and found.

    A track continues the nearest one that ended before it began, if the middle of the body is
    within :data:`REACH` plus :data:`SPEED` times the frames in between (3 m/s at 30 frames a
    second, faster than anyone walks in a room). Only the end of one track and the beginning of the
    next are compared.

    Parameters
    ----------
    tracks : in any order

    Returns
    -------
    list of BodyTrack : by first frame; tracks that no other one touches are returned as they are

    Examples
    --------
    >>> def track(frames, x):
    ...     return BodyTrack(np.array(frames), np.full((len(frames), 25, 3), x), np.ones((2, 25)))
    >>> joined = join_tracks([track([0, 1], 0.0), track([4, 5], 0.1), track([4, 5], 3.0)])
    >>> [part.frames.tolist() for part in joined]
    [[0, 1, 4, 5], [4, 5]]
    """
    persons: list[list[BodyTrack]] = []
    # sorted() is stable: of tracks that begin together the first in the file is served first.
    for track in sorted(tracks, key=lambda item: int(item.frames[0])):
        before = [
            (_distance(parts[-1], track), number)
            for number, parts in enumerate(persons)
            if parts[-1].frames[-1] < track.frames[0]
        ]
        far, nearest = min(before, default=(np.inf, -1))
        if nearest >= 0 and far <= _reach(persons[nearest][-1], track):
            persons[nearest].append(track)
        else:
            persons.append([track])
    return [_concatenate(parts) for parts in persons]


def _distance(before: BodyTrack, after: BodyTrack) -> float:
    step = after.keypoints[0].mean(axis=0) - before.keypoints[-1].mean(axis=0)
    return float(np.sqrt((step**2).sum()))


def _reach(before: BodyTrack, after: BodyTrack) -> float:
    return REACH + SPEED * float(after.frames[0] - before.frames[-1])


def _concatenate(parts: list[BodyTrack]) -> BodyTrack:
    if len(parts) == 1:
        return parts[0]
    return BodyTrack(
        np.concatenate([part.frames for part in parts]),
        np.concatenate([part.keypoints for part in parts]),
        np.concatenate([part.confidence for part in parts]),
    )


def choose_bodies(bodies: Sequence[NDArray[np.float64]], max_persons: int) -> list[int]:
    """Choose the actors and put them in order.

    Bodies that are not plausible go, unless that leaves nobody; then all of them stay. The
    `max_persons` most energetic ones are kept and ordered by energy, those tracked in at least nine
    tenths as many frames as the longest one first: person 0 is the steadiest main actor.

    Parameters
    ----------
    bodies : for each body its coordinates in the frames where it was tracked, (F, V, 3)
    max_persons : most positions to return

    Returns
    -------
    list of int : at most `max_persons` positions in `bodies`, main actor first

    Examples
    --------
    >>> tall = np.tile([[0.0, 0.0, 3.0], [0.4, 1.7, 3.0]], (20, 1, 1))
    >>> moving = tall + np.linspace(0, 1, 20).reshape(20, 1, 1)
    >>> table = tall[..., [1, 0, 2]]
    >>> choose_bodies([tall, moving, table], 3), choose_bodies([moving[:5], tall], 2)
    ([1, 0], [1])
    """
    if len(bodies) == 1:
        return [0]
    plausible = [number for number, body in enumerate(bodies) if is_plausible(body)]
    energy = [motion_energy(body) for body in bodies]
    kept = sorted(plausible or range(len(bodies)), key=lambda i: -energy[i])[:max_persons]
    longest = max(len(bodies[i]) for i in kept)
    # sorted() is stable: energy decides within steady and within passing bodies.
    return sorted(kept, key=lambda i: len(bodies[i]) < STEADY * longest)
