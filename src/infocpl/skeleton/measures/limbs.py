"""Which parts move, how the sides go together, how the body is held and gets about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.body import SIDES, STILL, TINY, Body
from infocpl.skeleton.measures.signals import correlation, extent, path_length, vibration

__all__ = ["measure_limbs", "measure_postures"]

Floats = NDArray[np.float64]


def measure_limbs(body: Body) -> dict[str, Floats]:
    """Which parts move, on which side, how the sides go together."""
    legs = {side: body.leg_path[side] for side in SIDES}
    trunk = path_length(body.neck - body.pelvis) + 2 * extent(body.pelvis[..., 1])
    leg_right = (legs["right"] - legs["left"]) / (legs["right"] + legs["left"] + TINY)
    side = body.rightness * body.arm_share + leg_right * (1 - body.arm_share)
    hands = [body[f"{side}_wrist"] - body.neck for side in SIDES]
    knees = [body[f"{side}_knee"] - body.pelvis for side in SIDES]
    # A mirror image goes up and forward together, and to opposite sides.
    mirrored = _together(*hands) * body.both_arms
    return {
        "moving.left_arm": np.log(STILL + body.arm_path["left"]),
        "moving.right_arm": np.log(STILL + body.arm_path["right"]),
        "moving.left_leg": np.log(STILL + legs["left"]),
        "moving.right_leg": np.log(STILL + legs["right"]),
        "moving.torso": np.log(STILL + trunk),
        "moving.head": np.log(
            STILL
            + path_length(body["head"] - body.neck)
            + path_length(body.neck - body.pelvis)
            + extent(body["head"][..., 1])
        ),
        "side.right": side,
        "side.left": -side,
        "side.both": body.both_arms,
        "side.none": -body.arm_share,
        "symmetry.one_sided": np.abs(body.rightness) * body.arm_share,
        "symmetry.symmetric": mirrored,
        "symmetry.alternating": -_together(*knees) * body.strides - mirrored / 2,
        "arms.none": -np.log(STILL + body.arms),
        "contact.ground": np.log(
            STILL + legs["left"] + legs["right"] + 2 * extent(body.pelvis[..., 1])
        ),
    }


def measure_postures(body: Body) -> dict[str, Floats]:
    """How the body is held at first and at last, and whether and how it gets about."""
    thighs = [body[f"{side}_hip"] - body[f"{side}_knee"] for side in SIDES]
    upright = np.mean([_uprightness(thigh) for thigh in thighs], axis=0)
    trunk = _uprightness(body.neck - body.pelvis)
    # Of the lower one, above the ankle.
    knees = np.minimum(*((body[f"{side}_knee"] - body[f"{side}_ankle"])[..., 1] for side in SIDES))
    found = {}
    for moment, mean in (("start", body.at_start), ("end", body.at_end)):
        found[f"posture_{moment}.standing"] = mean(upright)
        found[f"posture_{moment}.sitting"] = -mean(upright)
        found[f"posture_{moment}.bent"] = -mean(trunk)
        found[f"posture_{moment}.crouching"] = -mean(body.height)
        found[f"posture_{moment}.kneeling"] = -mean(knees)
        found[f"posture_{moment}.lying"] = -mean(trunk)
    ankles = [body[f"{side}_ankle"] for side in SIDES]
    steps = np.sum([np.linalg.norm(extent(ankle[..., [0, 2]]), axis=1) for ankle in ankles], axis=0)
    lifted = np.minimum(*(ankle[..., 1] - ankle[:, :1, 1] for ankle in ankles)).max(axis=1)
    legs = body.leg_path["left"] + body.leg_path["right"]
    hips = body["right_hip"] - body["left_hip"]
    facing = np.unwrap(np.arctan2(hips[..., 2], hips[..., 0]), axis=1)
    return found | {
        "locomotion.none": -steps - body.strides / 2,
        "locomotion.walking": steps + body.strides / 3,
        "locomotion.running": np.log(STILL + legs),
        "locomotion.stepping": steps,
        "locomotion.jumping": lifted,
        # One foot hangs in the air while the body bounces.
        "locomotion.hopping": np.abs(ankles[0] - ankles[1])[..., 1].mean(axis=1)
        + 3 * vibration(body.pelvis[..., 1:2], 13),
        "locomotion.turning": extent(facing),
    }


def _together(one: Floats, other: Floats) -> Floats:
    """(N,) 1 where two joints (N, T, 3) go up and forward at the same time, -1 in turn."""
    both = [correlation(one[..., axis], other[..., axis]) for axis in (1, 2)]
    together: Floats = np.mean(both, axis=0)
    return together


def _uprightness(limb: Floats) -> Floats:
    """(N, T) 1 for a vertical limb (N, T, 3), 0 for a horizontal one."""
    upright: Floats = limb[..., 1] / (np.linalg.norm(limb, axis=-1) + TINY)
    return upright
