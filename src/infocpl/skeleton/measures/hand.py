"""What the arms do, where the working hand works, and what it comes near to."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.body import SIDES, STILL, Body, distance
from infocpl.skeleton.measures.signals import angle, area, extent, vibration

__all__ = ["measure_arms", "measure_places"]

Floats = NDArray[np.float64]


def measure_arms(body: Body) -> dict[str, Floats]:
    """What the arms do."""
    hand = body.hand
    shoulder = body.working("shoulder") - body.neck
    fastest = np.linalg.norm(np.diff(hand, axis=1), axis=2).max(axis=1)
    elbow = angle(body.working("shoulder"), body.working("elbow"), body.working("wrist"))
    inside = np.where(body.rightness >= 0, -1.0, 1.0)[:, None] * hand[..., 0]
    forearms = [body[f"{side}_wrist"] - body[f"{side}_elbow"] for side in SIDES]
    uppers = [body[f"{side}_elbow"] - body.neck for side in SIDES]
    return {
        "arms.raise": hand[..., 1].max(axis=1),
        "arms.push": -hand[..., 2].min(axis=1),
        "arms.swing": _most(vibration(hand, 21) for hand in body.movers[:2]),
        "arms.rotate": np.abs(area(hand[..., 0], hand[..., 1])),
        # The forearm to and fro while the upper arm rests.
        "arms.shake": _most(
            vibration(fore, 7) - vibration(upper, 7)
            for fore, upper in zip(forearms, uppers, strict=True)
        ),
        "arms.strike": np.log(fastest + 1e-3),
        "arms.bend": -elbow.min(axis=1),
        "arms.straighten": extent(elbow),
        # A hanging arm is long as well; one that reaches is so sideways or forward.
        "arms.reach": np.linalg.norm((hand - shoulder)[..., [0, 2]], axis=2).max(axis=1),
        "arms.cross": inside.max(axis=1),
        "arms.touch": -body.hands_apart.min(axis=1),
    }


def _straightness(body: Body, side: str) -> Floats:
    """(N,) widest angle of the elbow while the arm does not hang."""
    shoulder, wrist = body[f"{side}_shoulder"], body[f"{side}_wrist"]
    raised = wrist[..., 1] > shoulder[..., 1] - 0.7
    widest: Floats = (angle(shoulder, body[f"{side}_elbow"], wrist) * raised).max(axis=1)
    return widest


def _most(values: Iterable[Floats]) -> Floats:
    """(N,) the larger of what both sides give."""
    most: Floats = np.max(list(values), axis=0)
    return most


def measure_places(body: Body) -> dict[str, Floats]:
    """At which height hands work, and what of the own body they come near to."""
    hand, neck, pelvis = body.working("wrist")[..., 1], body.neck[..., 1], body.pelvis[..., 1]
    head = body["head"][..., 1]
    wrists = [body[f"{side}_wrist"] for side in SIDES]
    knees = [body[f"{side}_knee"] for side in SIDES]
    ankles = [body[f"{side}_ankle"] for side in SIDES]
    elbows = [body[f"{side}_elbow"] for side in SIDES]

    def nearest(*pairs: tuple[Floats, Floats]) -> Floats:
        closest: Floats = np.min([distance(a, b).min(axis=1) for a, b in pairs], axis=0)
        return closest

    lowest = np.min(
        [(wrist - knee)[..., 1].min(axis=1) for wrist, knee in zip(wrists, knees, strict=True)],
        axis=0,
    )
    stepped = _most((ankle[..., 1] - ankle[:, :1, 1]).max(axis=1) for ankle in ankles)
    legs = body.leg_path["left"] + body.leg_path["right"]
    to_head = nearest(*((wrist, body["head"]) for wrist in wrists))
    to_chest = nearest(*((wrist, body.neck) for wrist in wrists))
    return {
        "heights.overhead": (hand - head).max(axis=1),
        "heights.head": ((hand > neck - 0.15) & (hand < head + 0.25)).mean(axis=1),
        "heights.chest": ((hand > pelvis + 0.3) & (hand < head - 0.15)).mean(axis=1),
        "heights.waist": ((hand > pelvis - 0.35) & (hand < neck - 0.55)).mean(axis=1),
        # A hand that goes down there, or a foot that comes up.
        "heights.knee": stepped - lowest,
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
