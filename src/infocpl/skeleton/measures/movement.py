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
    # All that leads at once, (P, N, ...): one clip is measured in few operations of numpy.
    leads = np.stack(body.movers)
    flat = leads.reshape(-1, *leads.shape[2:])
    spans = body.spans
    spreads = covariance(flat)
    longest = np.linalg.eigvalsh(spreads)[:, 2].reshape(spans.shape).sum(axis=0)
    # Of all that moves together, so that what moves most decides.
    total = spreads.reshape(*spans.shape, 3, 3).sum(axis=0)
    whole = np.trace(total, axis1=1, axis2=2)
    shares = np.diagonal(total, axis1=1, axis2=2) / (whole[:, None] + 1e-3)
    paths = path_length(flat).reshape(spans.shape).sum(axis=0)
    steps = np.linalg.norm(np.diff(flat, axis=1), axis=2).max(axis=1).reshape(spans.shape)
    swings = spans**2 * returning(flat).reshape(spans.shape) / (spans + 0.1)
    head = body["head"] - body.neck
    head_span = np.linalg.norm(extent(head), axis=1)
    shaken = [
        *(vibration(flat, 17).reshape(spans.shape) / (spans + 0.2)),
        vibration(head, 17) / (head_span + 0.2),
    ]
    whole_span = spans.sum(axis=0)
    return {
        "path.line": longest / (whole + TINY),
        "path.swing": swings.sum(axis=0) / ((spans**2).sum(axis=0) + TINY),
        "path.oscillation": paths / (whole_span + TINY),
        "path.zigzag": extent(hand[..., 0]) + extent(hand[..., 1]) - 2 * extent(hand[..., 2]),
        "planes.sagittal": -shares[:, 0],
        "planes.frontal": -shares[:, 2],
        "planes.horizontal": -shares[:, 1],
        "repetition": np.max(shaken, axis=0),
        "speed": np.log(steps.max(axis=0) + 1e-3),
        "amplitude": np.log(whole_span + TINY),
    }


def _reach(body: Body, signal: Floats) -> Floats:
    """(N,) how far (N, T) goes beyond where it was at first."""
    reach: Floats = signal.max(axis=1) - body.at_start(signal)
    return reach
