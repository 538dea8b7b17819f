"""Sub-motions of arms, head and trunk.

Every sub-motion is a function ``(pose, clock, style, **choices) -> None`` that moves the channels
it is about and leaves the others alone, so an action is a short list of them. Angles are degrees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl.errors import DataError
from infocpl.skeleton.synthetic.kinematics import Pose
from infocpl.skeleton.synthetic.timing import Clock, Style, ease

__all__ = [
    "aim_arm",
    "circle_arm",
    "clap",
    "embrace",
    "lean",
    "nod",
    "outward",
    "pull",
    "punch",
    "push",
    "raise_arm",
    "reach_and_shake",
    "rest",
    "shake_head",
    "sides_of",
    "swing_angles",
    "swing_arm",
    "throw",
    "turn_trunk",
    "wave",
]

Array = NDArray[np.float64]

_RAISED = {"forward": (88.0, 2.0), "sideways": (88.0, 90.0), "overhead": (168.0, 12.0)}


def sides_of(side: str, style: Style) -> tuple[str, ...]:
    """Which sides "left", "right", "both", "preferred" or "other" stand for."""
    other = "left" if style.handed == "right" else "right"
    meaning = {
        "left": ("left",),
        "right": ("right",),
        "both": ("left", "right"),
        "preferred": (style.handed,),
        "other": (other,),
    }
    if side not in meaning:
        raise DataError(f"side: expected one of {', '.join(meaning)}, got {side!r}")
    return meaning[side]


def outward(side: str) -> float:
    """Sign of sideways channels that leads away from the body on this side."""
    return 1.0 if side == "right" else -1.0


def aim_arm(
    pose: Pose,
    side: str,
    weight: Array,
    *,
    lift: ArrayLike,
    azimuth: ArrayLike,
    elbow: ArrayLike = 6.0,
    twist: ArrayLike = 0.0,
) -> None:
    """Move one arm towards a posture, `weight` (T,) of the way."""
    lift, azimuth = np.asarray(lift), np.asarray(azimuth)
    targets = {"arm_lift": lift, "arm_azimuth": azimuth, "arm_elbow": elbow, "arm_twist": twist}
    pose.blend(weight, **{f"{side}_{channel}": value for channel, value in targets.items()})


def swing_angles(front: Array, out: float) -> tuple[Array, Array]:
    """Lift and azimuth of a hanging arm held `front` degrees forwards and `out` outwards."""
    return np.hypot(front, out), np.degrees(np.arctan2(out, front))


def rest(pose: Pose, clock: Clock, style: Style) -> None:
    """Hanging arms and the slow wandering of somebody who stands still."""
    phases = np.random.default_rng(style.seed).uniform(0.0, 2.0 * np.pi, size=(9, 2))

    def wander(row: int) -> Array:
        slow, slower = phases[row]
        time = 2.0 * np.pi * clock.seconds
        result: Array = 0.6 * np.sin(0.31 * time + slow) + 0.4 * np.sin(0.17 * time + slower)
        return style.sway * result

    for row, channel in enumerate(("pitch", "roll", "yaw")):
        pose[f"torso_{channel}"] = wander(row)
        pose[f"head_{channel}"] = 1.5 * wander(3 + row)
    pose["pelvis_x"] = 0.006 * wander(6)
    for row, side in ((7, "left"), (8, "right")):
        pose[f"{side}_arm_azimuth"] = 75.0
        pose[f"{side}_arm_lift"] = style.spread + 0.8 * np.abs(wander(row))
        pose[f"{side}_arm_elbow"] = style.elbow + wander(row)


def raise_arm(pose: Pose, clock: Clock, style: Style, *, side: str, direction: str) -> None:
    """Raise a straight arm forward, sideways or overhead, hold it, and lower it again."""
    if direction not in _RAISED:
        raise DataError(f"direction: expected one of {', '.join(_RAISED)}, got {direction!r}")
    lift, azimuth = _RAISED[direction]
    scale = style.amplitude if lift < 120.0 else min(style.amplitude, 1.04)
    for name in sides_of(side, style):
        # The direction is chosen before the arm leaves the body, so that the hand travels in
        # one plane.
        pose.blend(clock.hold(0.12, 0.12), **{f"{name}_arm_azimuth": azimuth})
        weight = clock.hold(0.32, 0.32)
        aim_arm(pose, name, weight, lift=lift * scale, azimuth=azimuth)


def wave(pose: Pose, clock: Clock, style: Style, *, side: str) -> None:
    """Hold a hand up beside the head and swing the forearm from side to side."""
    count = clock.cycles(1.7 * style.frequency, least=3)
    swing = 26.0 * style.amplitude * np.sin(clock.phase(count, 0.2, 0.82))
    for name in sides_of(side, style):
        aim_arm(
            pose,
            name,
            clock.hold(0.22, 0.2),
            lift=72.0,
            azimuth=72.0,
            twist=-82.0,
            elbow=98 + swing,
        )


def punch(pose: Pose, clock: Clock, style: Style, *, side: str) -> None:
    """Shoot a fist from the shoulder straight ahead and pull it back, some times over."""
    count = max(2, style.repeats)
    reach = clock.pulses(count, 0.16, 0.88) ** 1.5
    for name in sides_of(side, style):
        aim_arm(
            pose,
            name,
            clock.hold(0.14, 0.14),
            lift=28.0 + 60.0 * reach,
            azimuth=100.0 * (1.0 - ease(2.0 * reach)) + 2.0,
            elbow=128.0 - 122.0 * reach,
        )
        pose["torso_yaw"] += outward(name) * clock.hold(0.14, 0.14) * (26.0 * reach - 10.0)


def push(pose: Pose, clock: Clock, style: Style, *, side: str = "both") -> None:
    """Bring the hands to the chest and press them straight ahead, then let them sink."""
    out = clock.move(0.28, 0.52)
    for name in sides_of(side, style):
        aim_arm(
            pose,
            name,
            clock.hold(0.2, 0.22),
            lift=26.0 + 58.0 * out * style.amplitude,
            azimuth=60.0 * (1.0 - out) + 2.0,
            elbow=128.0 - 120.0 * out,
        )
    pose["torso_pitch"] += clock.hold(0.2, 0.25) * (16.0 * out - 4.0)


def pull(pose: Pose, clock: Clock, style: Style, *, side: str = "both") -> None:
    """Reach straight ahead, then draw the hands back to the waist while leaning back."""
    back = clock.move(0.4, 0.68)
    lift, azimuth = swing_angles(80.0 * (1.0 - back) * style.amplitude - 36.0 * back, 9.0)
    for name in sides_of(side, style):
        elbow = 8.0 + 94.0 * back
        aim_arm(pose, name, clock.hold(0.26, 0.18), lift=lift, azimuth=azimuth, elbow=elbow)
    pose["torso_pitch"] += clock.hold(0.26, 0.2) * (10.0 - 20.0 * back)


def swing_arm(pose: Pose, clock: Clock, style: Style, *, side: str) -> None:
    """Swing a hanging, straight arm forwards and backwards like a pendulum."""
    count = clock.cycles(0.9 * style.frequency, least=2)
    front = 10.0 + 46.0 * style.amplitude * np.sin(clock.phase(count, 0.05, 0.95))
    for name in sides_of(side, style):
        lift, azimuth = swing_angles(front, 5.0)
        aim_arm(pose, name, clock.hold(0.15, 0.15), lift=lift, azimuth=azimuth, elbow=8.0)


def circle_arm(pose: Pose, clock: Clock, style: Style, *, side: str) -> None:
    """Swing a straight arm forwards, up over the head and round behind the body."""
    count = max(1, clock.cycles(0.6 * style.frequency))
    turned = 360.0 * count * ease((clock.active - 0.08) / 0.84)
    for name in sides_of(side, style):
        pose.blend(clock.hold(0.12, 0.12), **{f"{name}_arm_azimuth": 8.0})
        pose[f"{name}_arm_lift"] += turned
        pose.blend(clock.hold(0.2, 0.2), **{f"{name}_arm_elbow": 5.0})


def clap(pose: Pose, clock: Clock, style: Style) -> None:
    """Bring both palms together in front of the chest again and again."""
    count = clock.cycles(2.0 * style.frequency, least=3)
    closed = clock.pulses(count, 0.2, 0.85)
    for name in ("left", "right"):
        aim_arm(
            pose,
            name,
            clock.hold(0.2, 0.2),
            lift=34.0,
            azimuth=22.0,
            elbow=88.0,
            twist=6.0 + 38.0 * closed - 12.0 * (1.0 - closed) * style.amplitude,
        )


def throw(pose: Pose, clock: Clock, style: Style, *, side: str = "preferred") -> None:
    """Draw a hand back behind the head, then fling it forwards and down across the body."""
    fling = clock.move(0.42, 0.66)
    for name in sides_of(side, style):
        aim_arm(
            pose,
            name,
            clock.hold(0.36, 0.24),
            lift=96.0 - 30.0 * fling,
            azimuth=100.0 - 116.0 * fling,
            twist=-100.0 * (1.0 - fling),
            elbow=105.0 - 90.0 * fling,
        )
        turn = clock.hold(0.36, 0.24) * (52.0 * fling - 24.0)
        pose["torso_yaw"] += outward(name) * turn * style.amplitude
        pose["torso_pitch"] += clock.hold(0.36, 0.24) * (22.0 * fling - 6.0)


def reach_and_shake(pose: Pose, clock: Clock, style: Style, *, side: str = "right") -> None:
    """Stretch a half-bent arm forward at waist height and move the hand up and down."""
    count = clock.cycles(1.8 * style.frequency, least=3)
    shake = 8.0 * style.amplitude * np.sin(clock.phase(count, 0.28, 0.8))
    for name in sides_of(side, style):
        weight = clock.hold(0.25, 0.2)
        aim_arm(
            pose,
            name,
            weight,
            lift=36.0 + 0.5 * shake,
            azimuth=-16.0,
            twist=20.0,
            elbow=42.0 + shake,
        )
    pose["torso_pitch"] += 6.0 * clock.hold(0.25, 0.2)


def embrace(pose: Pose, clock: Clock, style: Style) -> None:
    """Open both arms forward and close them around somebody in front."""
    close = clock.move(0.38, 0.56) * (1.0 - clock.move(0.78, 0.92))
    for name in ("left", "right"):
        aim_arm(
            pose,
            name,
            clock.hold(0.34, 0.2),
            lift=72.0,
            azimuth=44.0 - 34.0 * close,
            twist=24.0,
            elbow=24.0 + 50.0 * close,
        )
    pose["torso_pitch"] += 12.0 * close * style.amplitude


def nod(pose: Pose, clock: Clock, style: Style) -> None:
    """Tip the head forwards and back again, some times over."""
    count = clock.cycles(1.3 * style.frequency, least=2)
    pose["head_pitch"] += 34.0 * style.amplitude * clock.pulses(count, 0.08, 0.92) - 4.0


def shake_head(pose: Pose, clock: Clock, style: Style) -> None:
    """Turn the head to the left and to the right in turn; the trunk follows a little."""
    count = clock.cycles(1.2 * style.frequency, least=2)
    turn = np.sin(clock.phase(count, 0.08, 0.92))
    pose["head_yaw"] += 48.0 * style.amplitude * turn
    pose["head_roll"] -= 9.0 * turn
    pose["torso_yaw"] += 5.0 * turn


def lean(pose: Pose, clock: Clock, style: Style, *, direction: str, degrees: float) -> None:
    """Bend the trunk forward, left or right and come up again."""
    course = degrees * style.amplitude * clock.hold(0.34, 0.34)
    if direction == "forward":
        pose["torso_pitch"] += course
        pose["pelvis_z"] += course / 450.0  # the hips go back or the person would fall
        pose["head_pitch"] += 0.3 * course
    elif direction in ("left", "right"):
        pose["torso_roll"] += outward(direction) * course
        pose["head_roll"] += 0.3 * outward(direction) * course
        pose["pelvis_x"] -= outward(direction) * course / 600.0
    else:
        raise DataError(f"direction: expected forward, left or right, got {direction!r}")


def turn_trunk(pose: Pose, clock: Clock, style: Style) -> None:
    """Twist the trunk to the left and to the right in turn over standing feet."""
    count = clock.cycles(0.7 * style.frequency, least=2)
    turn = np.sin(clock.phase(count, 0.05, 0.95))
    pose["torso_yaw"] += 48.0 * style.amplitude * turn
    pose["head_yaw"] += 10.0 * turn
    for name in ("left", "right"):
        aim_arm(pose, name, clock.hold(0.15, 0.15), lift=30.0, azimuth=60.0, elbow=80.0)
