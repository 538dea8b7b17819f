"""From joint angles to joint positions, for all frames at once.

A :class:`Pose` holds named channels over time. Trunk, head and arms follow by forward
kinematics; legs by two-bone inverse kinematics from where the feet stand, so a planted foot stays
on the floor whatever the pelvis does. No bone can stretch on either way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl.errors import DataError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.rotations import rotation
from infocpl.skeleton.synthetic.body import Body

__all__ = ["CHANNELS", "Pose", "rotation", "solve"]

Array = NDArray[np.float64]

_TRUNK_CHANNELS = (
    "heading",  # degrees, the whole person turns to the left
    *("root_x", "root_z"),  # leg lengths, to the right and backwards of where the clip began
    *("pelvis_x", "pelvis_y", "pelvis_z"),  # leg lengths, relative to the feet, along the heading
    *("torso_pitch", "torso_roll", "torso_yaw"),  # degrees: forwards, to the right, to the left
    *("head_pitch", "head_roll", "head_yaw"),
)
_SIDE_CHANNELS = (
    # degrees: away from hanging; direction of that (0 front, 90 outwards, 180 back); turn of the
    # upper arm about its own length, inwards; bend of the elbow
    *("arm_lift", "arm_azimuth", "arm_twist", "arm_elbow"),
    # degrees: swing of the leg away from where the foot stands, its direction, bend of the knee
    *("leg_lift", "leg_azimuth", "leg_knee"),
    # leg lengths from where the foot stood at the beginning, in the directions of that moment
    *("foot_x", "foot_y", "foot_z"),
    "foot_yaw",  # degrees to the left
)
CHANNELS = _TRUNK_CHANNELS + tuple(f"{s}_{c}" for s in ("left", "right") for c in _SIDE_CHANNELS)
"""Every channel a pose has."""

_INDEX = {name: index for index, name in enumerate(CHANNELS)}
_LAYOUT = create_layout("ntu25")
_STANDING = 0.985  # legs of a standing person are not quite straight
_TRUNK_SHARE = {
    # how much of a bend happens below each joint, from pelvis up
    "pelvis": (0.60, 0.35, 0.15),
    "spine": (0.22, 0.35, 0.40),
    "upper_spine": (0.18, 0.30, 0.45),
}


class Pose:
    """Channels over T frames, all zero at first: upright, arms and legs straight, facing -z.

    Examples
    --------
    >>> pose = Pose(3)
    >>> pose["left_arm_lift"] = 90.0
    >>> pose.mirror()["right_arm_lift"].tolist()
    [90.0, 90.0, 90.0]
    """

    def __init__(self, frames: int) -> None:
        if frames < 1:
            raise DataError(f"frames: expected at least 1, got {frames}")
        self.values: Array = np.zeros((len(CHANNELS), frames))

    @property
    def frames(self) -> int:
        """Number of frames, T."""
        return int(self.values.shape[1])

    def _row(self, channel: str) -> int:
        if channel not in _INDEX:
            raise DataError(f"unknown channel {channel!r}; channels: {', '.join(CHANNELS)}")
        return _INDEX[channel]

    def __getitem__(self, channel: str) -> Array:
        row: Array = self.values[self._row(channel)]
        return row

    def __setitem__(self, channel: str, value: ArrayLike) -> None:
        self.values[self._row(channel)] = value

    def blend(self, weight: Array, **targets: ArrayLike) -> None:
        """Move channels towards `targets`, by `weight` (T,) of the way."""
        for channel, target in targets.items():
            row = self[channel]
            row += weight * (np.asarray(target, dtype=np.float64) - row)

    def mirror(self) -> Pose:
        """The same motion seen in a mirror: sides exchanged, sideways signs reversed."""
        other = Pose(self.frames)
        for channel in CHANNELS:
            side, _, rest = channel.partition("_")
            twin = {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, channel)
            odd = channel == "heading" or channel.endswith(("_x", "_roll", "_yaw"))
            other[twin] = -self[channel] if odd else self[channel]
        return other


def _swing(lift: Array, azimuth: Array) -> Array:
    """Rotation that takes a hanging limb by `lift` towards `azimuth` without twisting it."""
    turn = rotation("y", -azimuth)
    result: Array = turn @ rotation("x", lift) @ turn.transpose(0, 2, 1)
    return result


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    result: Array = vectors / np.maximum(length, 1e-9)
    return result


def _apply(matrix: Array, vector: Array) -> Array:
    result: Array = np.einsum("tij,j->ti" if vector.ndim == 1 else "tij,tj->ti", matrix, vector)
    return result


def _offset(body: Body, joint: str) -> Array:
    row: Array = body.offsets[_LAYOUT.index(joint)]
    return row


def _stance(body: Body, pose: Pose, side: str) -> Array:
    """(T, 3) where the ankle is if the leg does nothing but stand."""
    rest = _offset(body, f"{side}_hip") * (1.0, 0.0, 1.0)
    shift = np.stack([pose[f"{side}_foot_{axis}"] for axis in "xyz"], axis=1) * body.leg
    result: Array = rest + shift + (0.0, body.ankle_height, 0.0)
    return result


def _leg_delta(body: Body, pose: Pose, side: str) -> Array:
    """(T, 3) how far the leg's own angles carry the ankle, in the frame of the pelvis."""
    thigh, shank = body.length(f"{side}_knee"), body.length(f"{side}_ankle")
    sign = 1.0 if side == "right" else -1.0
    hip = _swing(pose[f"{side}_leg_lift"], sign * pose[f"{side}_leg_azimuth"])
    lower = hip @ rotation("x", -pose[f"{side}_leg_knee"])
    down = np.array((0.0, -1.0, 0.0))
    moved = thigh * _apply(hip, down) + shank * _apply(lower, down)
    result: Array = moved - (thigh + shank) * down
    return result


def _pelvis(body: Body, pose: Pose, heading: Array, turn: Array, stances: list[Array]) -> Array:
    """(T, 3) pelvis position: as asked for, but low enough for both feet to reach the floor."""
    local = np.stack([pose[f"pelvis_{axis}"] for axis in "xyz"], axis=1) * body.leg
    position = _apply(heading, local)
    position[:, 0] += pose["root_x"] * body.leg
    position[:, 2] += pose["root_z"] * body.leg
    wanted = (
        position[:, 1] + body.ankle_height + _STANDING * body.leg - _offset(body, "left_hip")[1]
    )
    heights = [wanted]
    for side, stance in zip(("left", "right"), stances, strict=True):
        hip = _apply(turn, _offset(body, f"{side}_hip"))
        flat = np.sum((hip + position - stance)[:, [0, 2]] ** 2, axis=1)
        reach = np.sqrt(np.maximum((0.998 * body.leg) ** 2 - flat, (0.2 * body.leg) ** 2))
        heights.append(stance[:, 1] + reach - hip[:, 1])
    # A soft minimum keeps the pelvis from jerking when the limiting leg changes.
    soft = 0.006
    position[:, 1] = -soft * np.logaddexp.reduce([-h / soft for h in heights], axis=0)
    return position


def _solve_leg(
    body: Body, pose: Pose, side: str, hip: Array, heading: Array, stance: Array, out: Array
) -> None:
    """Place knee, ankle and foot: two bones between the hip and where the ankle should be."""
    thigh, shank = body.length(f"{side}_knee"), body.length(f"{side}_ankle")
    reach = stance + _apply(heading, _leg_delta(body, pose, side)) - hip
    distance = np.linalg.norm(reach, axis=1, keepdims=True)
    direction = reach / np.maximum(distance, 1e-9)
    distance = np.clip(distance, 0.25 * thigh, 0.9995 * (thigh + shank))
    # The knee points forwards for a hanging leg and turns with the leg as it swings; a fixed
    # forward pole would be undefined for a leg kicked straight ahead.
    forward = _apply(heading, np.array((0.0, 0.0, -1.0)))
    pole = _carry(forward, direction)
    pole = _unit(pole - np.sum(pole * direction, axis=1, keepdims=True) * direction)
    cosine = (thigh**2 + distance**2 - shank**2) / (2.0 * thigh * distance)
    cosine = np.clip(cosine, -1.0, 1.0)
    knee = hip + thigh * (cosine * direction + np.sqrt(1.0 - cosine**2) * pole)
    ankle = hip + distance * direction
    flat = _apply(rotation("y", pose[f"{side}_foot_yaw"]), _offset(body, f"{side}_foot"))
    lifted = _carry(flat, _unit(ankle - knee))
    height = (ankle[:, 1:2] - body.ankle_height) / (0.18 * body.height)
    weight = np.clip(height, 0.0, 1.0) ** 2 * (3.0 - 2.0 * np.clip(height, 0.0, 1.0))
    foot = _unit((1.0 - weight) * flat + weight * lifted) * body.length(f"{side}_foot")
    for name, place in (("hip", hip), ("knee", knee), ("ankle", ankle), ("foot", ankle + foot)):
        out[:, _LAYOUT.index(f"{side}_{name}")] = place


def _carry(vectors: Array, direction: Array) -> Array:
    """Turn `vectors` (T, 3) by the smallest rotation that takes "down" to `direction`."""
    down = np.array((0.0, -1.0, 0.0))
    axis = np.cross(np.broadcast_to(down, direction.shape), direction)
    cosine = np.sum(direction * down, axis=1, keepdims=True)
    along = np.sum(axis * vectors, axis=1, keepdims=True) / np.maximum(1.0 + cosine, 1e-6)
    result: Array = vectors * cosine + np.cross(axis, vectors) + axis * along
    return result


def _solve_arm(body: Body, pose: Pose, side: str, torso: Array, out: Array) -> None:
    sign = 1.0 if side == "right" else -1.0
    upper = torso @ _swing(pose[f"{side}_arm_lift"], sign * pose[f"{side}_arm_azimuth"])
    upper = upper @ rotation("y", sign * pose[f"{side}_arm_twist"])
    lower = upper @ rotation("x", pose[f"{side}_arm_elbow"])
    top = out[:, _LAYOUT.index("upper_spine")]
    shoulder = top + _apply(torso, _offset(body, f"{side}_shoulder"))
    elbow = shoulder + _apply(upper, _offset(body, f"{side}_elbow"))
    wrist = elbow + _apply(lower, _offset(body, f"{side}_wrist"))
    hand = wrist + _apply(lower, _offset(body, f"{side}_hand"))
    tip = hand + _apply(lower, _offset(body, f"{side}_hand_tip"))
    thumb = wrist + _apply(lower, _offset(body, f"{side}_thumb"))
    places = {"shoulder": shoulder, "elbow": elbow, "wrist": wrist, "hand": hand}
    for name, place in (places | {"hand_tip": tip, "thumb": thumb}).items():
        out[:, _LAYOUT.index(f"{side}_{name}")] = place


def solve(body: Body, pose: Pose) -> Array:
    """Joint positions of a pose.

    Parameters
    ----------
    body : bones, in metres
    pose : channels over T frames

    Returns
    -------
    (T, 25, 3) metres on layout ntu25; the floor is y = 0, the person begins at x = z = 0 and
    looks along -z

    Examples
    --------
    >>> from infocpl.skeleton.synthetic.body import create_body
    >>> joints = solve(create_body(1.7), Pose(2))
    >>> joints.shape, bool(joints[0, 3, 1] > joints[0, 0, 1])
    ((2, 25, 3), True)
    """
    out = np.zeros((pose.frames, len(_LAYOUT), 3))
    heading = rotation("y", pose["heading"])
    stances = [_stance(body, pose, side) for side in ("left", "right")]
    turn, place = heading, out[:, 0]
    for joint, child in (("pelvis", "spine"), ("spine", "upper_spine"), ("upper_spine", "neck")):
        pitch, roll, yaw = _TRUNK_SHARE[joint]
        turn = turn @ rotation("y", yaw * pose["torso_yaw"])
        turn = turn @ rotation("z", -roll * pose["torso_roll"])
        turn = turn @ rotation("x", -pitch * pose["torso_pitch"])
        if joint == "pelvis":
            place = _pelvis(body, pose, heading, turn, stances)
            out[:, _LAYOUT.index(joint)] = place
            for side, stance in zip(("left", "right"), stances, strict=True):
                hip = place + _apply(turn, _offset(body, f"{side}_hip"))
                _solve_leg(body, pose, side, hip, heading, stance, out)
        place = place + _apply(turn, _offset(body, child))
        out[:, _LAYOUT.index(child)] = place
    nod = rotation("z", -pose["head_roll"]) @ rotation("x", -pose["head_pitch"])
    head = turn @ rotation("y", pose["head_yaw"]) @ nod
    out[:, _LAYOUT.index("head")] = place + _apply(head, _offset(body, "head"))
    for side in ("left", "right"):
        _solve_arm(body, pose, side, turn, out)
    return out
