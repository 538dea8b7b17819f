"""Where the working hand goes, and where it works."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.body import SIDES, STILL, TINY, Body, distance
from infocpl.skeleton.measures.signals import angle, area, extent, reversals

__all__ = ["measure_hand", "measure_places"]

Floats = NDArray[np.float64]


def measure_hand(body: Body) -> dict[str, Floats]:
    """Where the working hand goes, along which path, how fast and how often."""
    hand = body.hand
    steps = np.diff(hand, axis=1)
    level = hand[..., 1] - hand[..., 1].min(axis=1, keepdims=True)
    raised = level > level.max(axis=1, keepdims=True) / 2
    # On its way up from the hip and back the hand goes to the side whatever the action is.
    sideways = steps[..., 0] * (raised[:, 1:] & raised[:, :-1])
    net = sideways.sum(axis=1)
    travelled = np.abs(sideways).sum(axis=1)
    shoulder = body.working("shoulder") - body.neck
    beside = (hand - shoulder)[..., 0]
    turned = area(hand[..., 0], hand[..., 1])
    centred = hand - hand.mean(axis=1, keepdims=True)
    spread = np.einsum("ntc,ntd->ncd", centred, centred) / hand.shape[1]
    axes = np.linalg.eigvalsh(spread)
    shares = np.diagonal(spread, axis1=1, axis2=2)
    shares = shares / (shares.sum(axis=1, keepdims=True) + 1e-3)
    knees = [body[f"{side}_knee"] - body.pelvis for side in SIDES]
    often = np.max([reversals(signal) for signal in (hand, *knees)], axis=0)
    fastest = np.linalg.norm(steps, axis=2).max(axis=1)
    reach = np.linalg.norm(extent(hand), axis=1)
    rise = body.at_end(body.height) - body.at_start(body.height)
    bob = extent(body.height)
    way = np.linalg.norm(extent(body.pelvis[..., [0, 2]]), axis=1)
    elbow = angle(body.working("shoulder"), body.working("elbow"), body.working("wrist"))
    # How far each wrist goes beyond its shoulder, and the working one to the other side.
    outside = [
        (sign * (body[f"{side}_wrist"] - body[f"{side}_shoulder"])[..., 0]).max(axis=1)
        for side, sign in (("left", -1), ("right", 1))
    ]
    inside = np.where(body.rightness >= 0, -1.0, 1.0)[:, None] * hand[..., 0]
    return {
        # A stroke to one side, or a hand that goes out there and comes back.
        "directions.left": 0.3 * travelled - net - 0.5 * beside.min(axis=1),
        "directions.right": 0.3 * travelled + net + 0.5 * beside.max(axis=1),
        "directions.forward": -hand[..., 2].min(axis=1) + way,
        "directions.backward": hand[..., 2].max(axis=1),
        "directions.up": 0.3 * extent(hand[..., 1]) + 2 * rise + bob,
        "directions.down": bob - 2 * rise,
        "directions.inward": (extent(body.hands_apart) - body.hands_apart.min(axis=1))
        * body.both_arms,
        "directions.outward": np.max(outside, axis=0),
        "directions.clockwise": -turned,
        "directions.counterclockwise": turned,
        "path.circle": np.abs(turned),
        "path.line": axes[:, 2] / (axes.sum(axis=1) + TINY),
        "path.oscillation": often,
        "path.zigzag": extent(hand[..., 0]) + extent(hand[..., 1]) - 2 * extent(hand[..., 2]),
        "planes.sagittal": -shares[:, 0],
        "planes.frontal": -shares[:, 2],
        "planes.horizontal": -shares[:, 1],
        "repetition": often,
        "speed": np.log(fastest + 1e-3),
        "amplitude": np.maximum(reach, 1.5 * bob),
        "arms.raise": hand[..., 1].max(axis=1),
        "arms.push": -hand[..., 2].min(axis=1),
        "arms.swing": reach,
        "arms.rotate": np.abs(turned),
        "arms.shake": reversals(hand),
        "arms.strike": np.log(fastest + 1e-3),
        "arms.bend": -elbow.min(axis=1),
        "arms.straighten": extent(elbow),
        # A hanging arm is long as well; one that reaches is so sideways or forward.
        "arms.reach": np.linalg.norm((hand - shoulder)[..., [0, 2]], axis=2).max(axis=1),
        "arms.cross": inside.max(axis=1),
        "arms.touch": -body.hands_apart.min(axis=1),
    }


def measure_places(body: Body) -> dict[str, Floats]:
    """At which height hands work, and what of the own body they come near to."""
    hand, neck, pelvis = body.working("wrist")[..., 1], body.neck[..., 1], body.pelvis[..., 1]
    head = body["head"][..., 1]
    wrists = [body[f"{side}_wrist"] for side in SIDES]
    knees = [body[f"{side}_knee"] for side in SIDES]
    elbows = [body[f"{side}_elbow"] for side in SIDES]

    def nearest(*pairs: tuple[Floats, Floats]) -> Floats:
        closest: Floats = np.min([distance(a, b).min(axis=1) for a, b in pairs], axis=0)
        return closest

    lowest = np.min(
        [(wrist - knee)[..., 1].min(axis=1) for wrist, knee in zip(wrists, knees, strict=True)],
        axis=0,
    )
    legs = body.leg_path["left"] + body.leg_path["right"]
    to_head = nearest(*((wrist, body["head"]) for wrist in wrists))
    to_chest = nearest(*((wrist, body.neck) for wrist in wrists))
    return {
        "heights.overhead": (hand - head).max(axis=1),
        "heights.head": ((hand > neck - 0.15) & (hand < head + 0.25)).mean(axis=1),
        "heights.chest": ((hand > pelvis + 0.3) & (hand < head - 0.15)).mean(axis=1),
        "heights.waist": ((hand > pelvis - 0.35) & (hand < neck - 0.55)).mean(axis=1),
        "heights.knee": -lowest,
        "heights.floor": np.log(STILL + legs) - lowest,  # Feet work there as well as hands.
        "directions.towards_face": -to_head,
        "directions.towards_torso": -distance(
            body.working("wrist"), (body.neck + body.pelvis) / 2
        ).min(axis=1),
        "contact.own_hand": -body.hands_apart.min(axis=1),
        "contact.own_arm": -nearest((wrists[0], elbows[1]), (wrists[1], elbows[0])),
        "contact.own_leg": -nearest(*zip(wrists, knees, strict=True)),
        "contact.torso": -to_chest,
        "contact.head": -to_head,
        "contact.face": -to_head,
    }
