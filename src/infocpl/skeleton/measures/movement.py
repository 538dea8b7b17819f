"""Where a movement goes, along which path, how far, how fast and how often.

Whatever leads it: a hand, a foot, or the trunk (:attr:`.body.Body.movers`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.body import TINY, Body
from infocpl.skeleton.measures.signals import (
    area,
    covariance,
    extent,
    path_length,
    returning,
    vibration,
)

__all__ = ["measure_directions", "measure_paths"]

Floats = NDArray[np.float64]


def measure_directions(body: Body) -> dict[str, Floats]:
    """In which directions a movement goes."""
    hand = body.hand
    turned = area(hand[..., 0], hand[..., 1])
    rise = body.at_end(body.height) - body.at_start(body.height)
    bob = extent(body.height)
    knees = [body[f"{side}_knee"] - body.pelvis for side in ("left", "right")]
    hands, feet = body.movers[:2], body.movers[2:4]

    def furthest(axis: int, sign: int) -> Floats:
        """Of hands and feet, from where they were; of the body, where it has got to."""
        way = sign * (body.at_end(body.pelvis[..., axis]) - body.at_start(body.pelvis[..., axis]))
        limbs = [_reach(body, sign * track[..., axis]) for track in (*hands, *feet)]
        found: Floats = np.max([way, *limbs], axis=0)
        return found

    lifted = np.max([_reach(body, knee[..., 1]) for knee in knees], axis=0)
    raised = np.max([_reach(body, track[..., 1]) for track in hands], axis=0)
    # How far each wrist goes beyond its shoulder.
    outside = [
        (sign * (body[f"{side}_wrist"] - body[f"{side}_shoulder"])[..., 0]).max(axis=1)
        for side, sign in (("left", -1), ("right", 1))
    ]
    return {
        "directions.left": furthest(0, -1),
        "directions.right": furthest(0, 1),
        "directions.forward": furthest(2, -1),
        "directions.backward": furthest(2, 1),
        "directions.up": raised / 2 + lifted + 2 * rise + bob,
        "directions.down": bob - 2 * rise,
        "directions.inward": (extent(body.hands_apart) - body.hands_apart.min(axis=1))
        * body.both_arms,
        "directions.outward": np.max(outside, axis=0),
        "directions.clockwise": -turned,
        "directions.counterclockwise": turned,
        "path.circle": np.abs(turned),
    }


def measure_paths(body: Body) -> dict[str, Floats]:
    """Along which path, in which plane, how far, how fast and how often."""
    hand = body.hand
    # Of all that moves together, so that what moves most decides.
    spreads = [covariance(track) for track in body.movers]
    total = np.sum(spreads, axis=0)
    whole = np.trace(total, axis1=1, axis2=2)
    shares = np.diagonal(total, axis1=1, axis2=2) / (whole[:, None] + 1e-3)
    longest = np.sum([np.linalg.eigvalsh(spread)[:, 2] for spread in spreads], axis=0)
    spans = np.sum(body.spans, axis=0)
    paths = np.sum([path_length(track) for track in body.movers], axis=0)
    steps = [np.linalg.norm(np.diff(track, axis=1), axis=2) for track in body.movers]
    fastest = np.log(np.max([step.max(axis=1) for step in steps], axis=0) + 1e-3)
    swings = [
        span**2 * returning(track) / (span + 0.1)
        for track, span in zip(body.movers, body.spans, strict=True)
    ]
    head = body["head"] - body.neck
    shaken = [
        vibration(track, 17) / (span + 0.2)
        for track, span in zip(
            (*body.movers, head),
            (*body.spans, np.linalg.norm(extent(head), axis=1)),
            strict=True,
        )
    ]
    return {
        "path.line": longest / (whole + TINY),
        "path.swing": np.sum(swings, axis=0) / (np.square(body.spans).sum(axis=0) + TINY),
        "path.oscillation": paths / (spans + TINY),
        "path.zigzag": extent(hand[..., 0]) + extent(hand[..., 1]) - 2 * extent(hand[..., 2]),
        "planes.sagittal": -shares[:, 0],
        "planes.frontal": -shares[:, 2],
        "planes.horizontal": -shares[:, 1],
        "repetition": np.max(shaken, axis=0),
        "speed": fastest,
        "amplitude": np.log(spans + TINY),
    }


def _reach(body: Body, signal: Floats) -> Floats:
    """(N,) how far (N, T) goes beyond where it was at first."""
    reach: Floats = signal.max(axis=1) - body.at_start(signal)
    return reach
