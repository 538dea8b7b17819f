"""What a skeleton shows of its traits without any training: measures of a clip.

A lexicon says of an action that the right arm moves, in a circle, at head height, and that the
body stands. Much of that can be read off a skeleton by plain geometry. Each measure bears the name
of the trait it speaks for (:data:`infocpl.semantics.traits.TRAIT_DIMENSIONS`) and grows with it;
zero and unit mean nothing until training clips give them one (:mod:`infocpl.alignment.measured`).

The definitions follow from what the words mean. They were checked on generated actions, whose
traits are known, and never on a class of a benchmark.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.signals import (
    angle,
    area,
    correlation,
    extent,
    path_length,
    reversals,
    smooth,
)

__all__ = ["MEASURES", "can_measure", "measure_clips"]

Floats = NDArray[np.float64]

_SIDES = ("left", "right")
_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
# Sensors that see no wrist see a hand, and so on.
_STAND_INS = {"wrist": "hand", "ankle": "foot", "head": "nose"}
_TINY = 1e-6
_STILL = 0.3  # torso lengths of path that noise alone gives; keeps logarithms of rest apart
_CHUNK = 512  # clips measured at a time


def can_measure(layout: Layout) -> bool:
    """Whether a layout has the joints that measures need.

    Examples
    --------
    >>> can_measure(create_layout("ntu25")), can_measure(create_layout("sbu15"))
    (True, True)
    """
    return _find_joints(layout) is not None


def measure_clips(keypoints: NDArray[np.floating], layout: Layout) -> NDArray[np.float32]:
    """Measure clips.

    Parameters
    ----------
    keypoints : (N, M, T, V, C) normalised clips (:func:`infocpl.skeleton.transforms.normalise`),
        T >= 2; of two persons the one who moves more is looked at
    layout : of the V axis

    Returns
    -------
    (N, Q) float32, columns as :data:`MEASURES`; finite

    Raises
    ------
    LayoutError : if the layout lacks a joint that is needed, or the clips do not fit it

    Examples
    --------
    >>> still = np.zeros((1, 1, 8, 25, 3))
    >>> measure_clips(still, create_layout("ntu25")).shape == (1, len(MEASURES))
    True
    """
    joints = _find_joints(layout)
    if joints is None:
        raise LayoutError(
            f"layout {layout.summary}: measures need shoulders, elbows, wrists, hips, knees, "
            f"ankles and a head; it has {', '.join(layout.joints)}"
        )
    if keypoints.ndim != 5 or keypoints.shape[2] < 2 or keypoints.shape[3] != len(layout):
        raise LayoutError(
            f"clips to measure: expected (N, M, T >= 2, {len(layout)}, 3), got {keypoints.shape}"
        )
    parts = [np.zeros((0, len(MEASURES)), dtype=np.float32)]
    for start in range(0, len(keypoints), _CHUNK):
        block = np.asarray(keypoints[start : start + _CHUNK], dtype=np.float64)
        parts.append(_measure(block, joints))
    return np.concatenate(parts)


def _find_joints(layout: Layout) -> dict[str, int] | None:
    """Position of every joint that is needed; None if one is missing without a stand-in."""
    found = {}
    for name in ("head", *(f"{side}_{limb}" for side in _SIDES for limb in _LIMBS)):
        kind = name.rpartition("_")[2]
        other = name.removesuffix(kind) + _STAND_INS.get(kind, kind)
        known = next((joint for joint in (name, other) if joint in layout.joints), None)
        if known is None:
            return None
        found[name] = layout.index(known)
    return found


def _measure(block: Floats, joints: dict[str, int]) -> NDArray[np.float32]:
    order = list(joints.values())
    picked = block[:, :, :, order]
    present = np.abs(picked).max(axis=(3, 4)) > 0
    moved = np.linalg.norm(np.diff(picked, axis=2), axis=-1).sum(axis=(2, 3))
    # Whoever comes and goes seems to jump; that is no movement.
    moved *= present.all(axis=2)
    lead = moved.argmax(axis=1)
    rows = np.arange(len(block))
    body = _Body(picked[rows, lead], list(joints))
    found = {**_limbs(body), **_hand(body), **_places(body), **_postures(body)}
    found |= _pair(picked, present, lead, list(joints))
    table = np.stack([found[name] for name in MEASURES], axis=1)
    return np.nan_to_num(table).astype(np.float32)


class _Body:
    """Joints (N, T, 3) of one person a clip, turned to face -z, and what is often asked of them."""

    def __init__(self, clips: Floats, names: list[str]) -> None:
        self._clips = smooth(_face_forward(clips, names))
        self._names = names
        self.frames = clips.shape[1]
        self.ends = max(1, self.frames // 8)

    def __getitem__(self, name: str) -> Floats:
        joint: Floats = self._clips[:, :, self._names.index(name)]
        return joint

    @cached_property
    def neck(self) -> Floats:
        """Middle of the shoulders."""
        return (self["left_shoulder"] + self["right_shoulder"]) / 2

    @cached_property
    def pelvis(self) -> Floats:
        """Middle of the hips."""
        return (self["left_hip"] + self["right_hip"]) / 2

    @cached_property
    def arm_path(self) -> dict[str, Floats]:
        """(N,) way of each wrist about the neck."""
        return {side: path_length(self[f"{side}_wrist"] - self.neck) for side in _SIDES}

    @cached_property
    def leg_path(self) -> dict[str, Floats]:
        """(N,) way of each knee and ankle about the pelvis."""
        joints = ("knee", "ankle")
        return {
            side: sum(path_length(self[f"{side}_{joint}"] - self.pelvis) for joint in joints)
            for side in _SIDES
        }

    @cached_property
    def arms(self) -> Floats:
        """(N,) way of both wrists."""
        return self.arm_path["left"] + self.arm_path["right"]

    @cached_property
    def arm_share(self) -> Floats:
        """(N,) of all movement, between 0 and 1."""
        legs = self.leg_path["left"] + self.leg_path["right"] + path_length(self.pelvis)
        share: Floats = self.arms / (self.arms + legs + _TINY)
        return share

    @cached_property
    def both_arms(self) -> Floats:
        """(N,) 1 where both wrists move as far, 0 where one rests."""
        left, right = self.arm_path["left"], self.arm_path["right"]
        share: Floats = np.minimum(left, right) / (np.maximum(left, right) + _TINY)
        return share

    @cached_property
    def rightness(self) -> Floats:
        """(N,) 1 where only the right arm moves, -1 where only the left does."""
        difference: Floats = self.arm_path["right"] - self.arm_path["left"]
        return difference / (self.arms + _TINY)

    def working(self, joint: str) -> Floats:
        """(N, T, 3) a joint of the arm that moves further."""
        right = (self.rightness >= 0)[:, None, None]
        return np.where(right, self[f"right_{joint}"], self[f"left_{joint}"])

    @cached_property
    def hand(self) -> Floats:
        """(N, T, 3) working wrist about the neck."""
        return self.working("wrist") - self.neck

    @cached_property
    def hands_apart(self) -> Floats:
        """(N, T) distance of the wrists."""
        return _distance(self["left_wrist"], self["right_wrist"])

    @cached_property
    def height(self) -> Floats:
        """(N, T) of the pelvis above the ankles."""
        ankles = (self["left_ankle"] + self["right_ankle"])[..., 1] / 2
        height: Floats = self.pelvis[..., 1] - ankles
        return height

    def at_start(self, signal: Floats) -> Floats:
        """(N,) mean over the first frames of (N, T)."""
        return signal[:, : self.ends].mean(axis=1)

    def at_end(self, signal: Floats) -> Floats:
        """(N,) mean over the last frames of (N, T)."""
        return signal[:, -self.ends :].mean(axis=1)


def _face_forward(clips: Floats, names: list[str]) -> Floats:
    """Turn each body about the vertical until its right hip and shoulder lie on +x."""
    first = clips[:, : max(1, clips.shape[1] // 10)]
    across = sum(
        first[:, :, names.index(f"right_{joint}")] - first[:, :, names.index(f"left_{joint}")]
        for joint in ("hip", "shoulder")
    ).mean(axis=1)
    length = np.hypot(across[:, 0], across[:, 2])
    known = length > _TINY
    safe = np.where(known, length, 1.0)
    cosine = np.where(known, across[:, 0] / safe, 1.0)[:, None, None]
    sine = np.where(known, across[:, 2] / safe, 0.0)[:, None, None]
    x, y, z = clips[..., 0], clips[..., 1], clips[..., 2]
    return np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)


def _distance(a: Floats, b: Floats) -> Floats:
    distance: Floats = np.linalg.norm(a - b, axis=-1)
    return distance


def _limbs(body: _Body) -> dict[str, Floats]:
    """Which parts move, on which side, how the sides go together."""
    legs = {side: body.leg_path[side] for side in _SIDES}
    trunk = path_length(body.neck - body.pelvis) + 2 * extent(body.pelvis[..., 1])
    leg_right = (legs["right"] - legs["left"]) / (legs["right"] + legs["left"] + _TINY)
    side = body.rightness * body.arm_share + leg_right * (1 - body.arm_share)
    hands = [body[f"{side}_wrist"] - body.neck for side in _SIDES]
    knees = [body[f"{side}_knee"] - body.pelvis for side in _SIDES]
    strides = sum(extent(knee[..., axis]) for knee in knees for axis in (1, 2))
    # A mirror image goes up and forward together, and to opposite sides.
    mirrored = (
        sum(correlation(hands[0][..., axis], hands[1][..., axis]) for axis in (1, 2))
        / 2
        * body.both_arms
    )
    in_turn = -sum(correlation(knees[0][..., axis], knees[1][..., axis]) for axis in (1, 2)) / 2
    return {
        "moving.left_arm": np.log(_STILL + body.arm_path["left"]),
        "moving.right_arm": np.log(_STILL + body.arm_path["right"]),
        "moving.left_leg": np.log(_STILL + legs["left"]),
        "moving.right_leg": np.log(_STILL + legs["right"]),
        "moving.torso": np.log(_STILL + trunk),
        "moving.head": np.log(
            _STILL + path_length(body["head"] - body.neck) + extent(body["head"][..., 1])
        ),
        "side.right": side,
        "side.left": -side,
        "side.both": body.both_arms,
        "side.none": -body.arm_share,
        "symmetry.one_sided": np.abs(body.rightness) * body.arm_share,
        "symmetry.symmetric": mirrored,
        "symmetry.alternating": in_turn * strides - mirrored / 2,
        "arms.none": -np.log(_STILL + body.arms),
        "contact.ground": np.log(
            _STILL + legs["left"] + legs["right"] + 2 * extent(body.pelvis[..., 1])
        ),
    }


def _hand(body: _Body) -> dict[str, Floats]:
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
    knees = [body[f"{side}_knee"] - body.pelvis for side in _SIDES]
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
        "path.line": axes[:, 2] / (axes.sum(axis=1) + _TINY),
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


def _places(body: _Body) -> dict[str, Floats]:
    """At which height hands work, and what of the own body they come near to."""
    hand, neck, pelvis = body.working("wrist")[..., 1], body.neck[..., 1], body.pelvis[..., 1]
    head = body["head"][..., 1]
    wrists = [body[f"{side}_wrist"] for side in _SIDES]
    knees = [body[f"{side}_knee"] for side in _SIDES]
    elbows = [body[f"{side}_elbow"] for side in _SIDES]

    def nearest(*pairs: tuple[Floats, Floats]) -> Floats:
        return np.min([_distance(a, b).min(axis=1) for a, b in pairs], axis=0)

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
        "heights.floor": np.log(_STILL + legs) - lowest,  # Feet work there as well as hands.
        "directions.towards_face": -to_head,
        "directions.towards_torso": -_distance(
            body.working("wrist"), (body.neck + body.pelvis) / 2
        ).min(axis=1),
        "contact.own_hand": -body.hands_apart.min(axis=1),
        "contact.own_arm": -nearest((wrists[0], elbows[1]), (wrists[1], elbows[0])),
        "contact.own_leg": -nearest(*zip(wrists, knees, strict=True)),
        "contact.torso": -to_chest,
        "contact.head": -to_head,
        "contact.face": -to_head,
    }


def _postures(body: _Body) -> dict[str, Floats]:
    """How the body is held at first and at last, and whether and how it gets about."""
    thighs = [body[f"{side}_hip"] - body[f"{side}_knee"] for side in _SIDES]
    upright = sum(_uprightness(thigh) for thigh in thighs) / 2
    trunk = _uprightness(body.neck - body.pelvis)
    found = {}
    for moment, mean in (("start", body.at_start), ("end", body.at_end)):
        found[f"posture_{moment}.standing"] = mean(upright)
        found[f"posture_{moment}.sitting"] = -mean(upright)
        found[f"posture_{moment}.bent"] = -mean(trunk)
        found[f"posture_{moment}.crouching"] = -mean(body.height)
        found[f"posture_{moment}.lying"] = -mean(trunk)
    ankles = [body[f"{side}_ankle"] for side in _SIDES]
    way = np.linalg.norm((body.pelvis - body.pelvis[:, :1])[..., [0, 2]], axis=2).max(axis=1)
    steps = sum(np.linalg.norm(extent(ankle[..., [0, 2]]), axis=1) for ankle in ankles)
    knees = [body[f"{side}_knee"] - body.pelvis for side in _SIDES]
    strides = sum(extent(knee[..., axis]) for knee in knees for axis in (1, 2))
    lifted = np.minimum(*(ankle[..., 1] - ankle[:, :1, 1] for ankle in ankles)).max(axis=1)
    legs = body.leg_path["left"] + body.leg_path["right"]
    hips = body["right_hip"] - body["left_hip"]
    facing = np.unwrap(np.arctan2(hips[..., 2], hips[..., 0]), axis=1)
    return found | {
        "locomotion.none": -steps - strides / 2,
        "locomotion.walking": steps + strides / 3,
        "locomotion.running": np.log(_STILL + legs),
        "locomotion.stepping": steps,
        "locomotion.jumping": lifted,
        "locomotion.hopping": lifted,
        "locomotion.turning": extent(facing),
        "relation.follow": way,
    }


def _uprightness(limb: Floats) -> Floats:
    """(N, T) 1 for a vertical limb (N, T, 3), 0 for a horizontal one."""
    upright: Floats = limb[..., 1] / (np.linalg.norm(limb, axis=-1) + _TINY)
    return upright


def _pair(
    picked: Floats, present: NDArray[np.bool_], lead: NDArray[np.intp], names: list[str]
) -> dict[str, Floats]:
    """What two persons do to each other; the same for every clip of one person."""
    count = len(picked)
    two = present.all(axis=2).sum(axis=1) > 1
    nothing = np.zeros(count)
    if picked.shape[1] < 2 or not two.any():
        kinds = ("persons", "relation.none", "relation.approach", "relation.depart")
        more = ("relation.touch", "relation.strike", "relation.face", "contact.other_person")
        return dict.fromkeys((*kinds, *more), nothing)
    rows = np.arange(count)
    actor, other = smooth(picked[rows, lead]), smooth(picked[rows, (lead + 1) % picked.shape[1]])
    hips = [names.index("left_hip"), names.index("right_hip")]
    apart = _distance(actor[:, :, hips].mean(axis=2), other[:, :, hips].mean(axis=2))
    ends = max(1, apart.shape[1] // 8)
    nearing = apart[:, :ends].mean(axis=1) - apart[:, -ends:].mean(axis=1)
    tips = [names.index(f"{side}_{joint}") for side in _SIDES for joint in ("wrist", "ankle")]
    reach = np.linalg.norm(actor[:, :, tips, None] - other[:, :, None], axis=-1).min(axis=(1, 2, 3))
    fast = np.linalg.norm(np.diff(actor[:, :, tips], axis=1), axis=-1).max(axis=(1, 2))
    return {
        "persons": two.astype(float),
        "relation.none": -two.astype(float),
        "relation.approach": np.where(two, nearing, 0),
        "relation.depart": np.where(two, -nearing, 0),
        "relation.touch": np.where(two, -reach, -3.0),
        "relation.strike": np.where(two, fast - reach, -3.0),
        "relation.face": two.astype(float),
        "contact.other_person": np.where(two, -reach, -3.0),
    }


def _list_measures() -> tuple[str, ...]:
    names = [f"{side}_{limb}" for side in _SIDES for limb in _LIMBS]
    still = _Body(np.zeros((1, 2, 1 + len(names), 3)), ["head", *names])
    found = {**_limbs(still), **_hand(still), **_places(still), **_postures(still)}
    empty = np.zeros((1, 1, 2, 1, 3))
    return (*found, *_pair(empty, np.zeros((1, 1, 2), dtype=bool), np.zeros(1, dtype=int), []))


MEASURES = _list_measures()
"""Traits that are measured, in the order of the columns."""
