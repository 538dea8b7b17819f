"""Sub-motions that leave the spot or the floor: steps, turns, running, jumps.

Same form as :mod:`.gestures`. Lengths are leg lengths, angles degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import DataError
from infocpl.skeleton.synthetic.gestures import aim_arm, outward, sides_of, swing_angles
from infocpl.skeleton.synthetic.kinematics import Pose
from infocpl.skeleton.synthetic.postures import lower, stand_on
from infocpl.skeleton.synthetic.timing import Clock, Style

__all__ = ["hop", "jog", "jump", "jumping_jacks", "march", "recoil", "turn_around", "walk"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class _Step:
    """One foot goes to a new place: fractions of active time, place, heading, height."""

    side: str
    start: float
    end: float
    x: float
    z: float
    yaw: float = 0.0
    height: float = 0.1


def _take_steps(pose: Pose, clock: Clock, steps: list[_Step]) -> None:
    """Move the feet as planned; the body follows their middle without stopping in between."""
    last = {"left": (0.0, 0.0, 0.0), "right": (0.0, 0.0, 0.0)}
    for step in steps:
        course = clock.move(step.start, step.end)
        x, z, yaw = last[step.side]
        pose[f"{step.side}_foot_x"] += (step.x - x) * course
        pose[f"{step.side}_foot_z"] += (step.z - z) * course
        pose[f"{step.side}_foot_yaw"] += (step.yaw - yaw) * course
        pose[f"{step.side}_foot_y"] += step.height * np.sin(np.pi * course) ** 2
        last[step.side] = (step.x, step.z, step.yaw)
    frame = float(clock.active[1] - clock.active[0])
    width = max(3, round((steps[0].end - steps[0].start) / frame) | 1)
    for root, foot in (("root_x", "foot_x"), ("root_z", "foot_z"), ("heading", "foot_yaw")):
        pose[root] += _smooth(0.5 * (pose[f"left_{foot}"] + pose[f"right_{foot}"]), width)
    # The weight goes over the foot that stays on the floor.
    lifted = _smooth(pose["left_foot_y"] - pose["right_foot_y"], width)
    pose["pelvis_x"] += 0.3 * lifted


def _smooth(values: Array, width: int) -> Array:
    padded = np.pad(values, width // 2, mode="edge")
    result: Array = np.convolve(padded, np.ones(width) / width, mode="valid")
    return result


def walk(pose: Pose, clock: Clock, style: Style, *, direction: str, steps: int = 4) -> None:
    """Walk forward or backward, or step to the left or right, foot after foot."""
    ways = {"forward": (0, -1), "backward": (0, 1), "left": (-1, 0), "right": (1, 0)}
    if direction not in ways:
        raise DataError(f"direction: expected one of {', '.join(ways)}, got {direction!r}")
    x, z = ways[direction]
    sideways = x != 0
    length = {"forward": 0.62, "backward": 0.46}.get(direction, 0.46) * style.amplitude
    first = direction if sideways else style.handed
    second = "left" if first == "right" else "right"
    count = 2 * max(2, steps // 2) if sideways else steps + 1
    span = 1.0 / count
    plan = []
    for index in range(count):
        # Sideways the second foot closes up; otherwise it overtakes, and the last one closes.
        done = index // 2 + 1 if sideways else min(index + 1, count - 1)
        far = done * length * (1.0 if sideways else 0.75)
        side = (first, second)[index % 2]
        start = index * span
        plan.append(_Step(side, start, min(1.0, start + 1.1 * span), x * far, z * far))
    _take_steps(pose, clock, plan)
    if not sideways:
        _swing_arms(pose, clock, style)


def _swing_arms(pose: Pose, clock: Clock, style: Style) -> None:
    """Arms swing against the legs: each follows the foot of the other side."""
    ahead = 0.5 * (pose["left_foot_z"] - pose["right_foot_z"])  # right foot in front: positive
    for name in ("left", "right"):
        front = 55.0 * style.amplitude * ahead * -outward(name)
        lift, azimuth = swing_angles(front, 6.0)
        weight = clock.hold(0.1, 0.1)
        aim_arm(pose, name, weight, lift=lift, azimuth=azimuth, elbow=style.elbow + 6.0)


def turn_around(pose: Pose, clock: Clock, style: Style) -> None:
    """Turn half a circle on the spot in small steps."""
    toward = 1.0 if style.handed == "left" else -1.0
    first = style.handed
    second = "left" if first == "right" else "right"
    count, span, plan = 6, 1.0 / 6, []
    for index in range(count):
        angle = 180.0 * min(index + 1, count - 1) / (count - 1)
        side = (first, second)[index % 2]
        half = 0.099 * outward(side)  # half the distance between the hips
        radians = np.radians(angle)
        x, z = half * (np.cos(radians) - 1.0), -toward * half * np.sin(radians)
        start = index * span
        plan.append(_Step(side, start, start + span, x, z, toward * angle, 0.07))
    _take_steps(pose, clock, plan)


def _alternate(
    pose: Pose, clock: Clock, frequency: float, least: int
) -> tuple[Array, dict[str, Array]]:
    """Envelope, and for each leg a course 0..1 of being lifted, one after the other."""
    count = clock.cycles(frequency, least)
    phase = clock.phase(count, 0.05, 0.95)
    lifted = {
        "left": np.maximum(np.sin(phase), 0.0) ** 1.3,
        "right": np.maximum(-np.sin(phase), 0.0) ** 1.3,
    }
    return clock.hold(0.1, 0.1), lifted


def march(pose: Pose, clock: Clock, style: Style) -> None:
    """Lift the knees high in turn on the spot, slowly, with swinging straight arms."""
    weight, lifted = _alternate(pose, clock, 0.8 * style.frequency, 2)
    for name, other in (("left", "right"), ("right", "left")):
        up = weight * lifted[name]
        pose[f"{name}_leg_lift"] += 76.0 * style.amplitude * up
        pose[f"{name}_leg_knee"] += 84.0 * up
        pose["pelvis_x"] -= 0.05 * outward(name) * up
        front = 34.0 * (lifted[other] - lifted[name])
        lift, azimuth = swing_angles(front, 6.0)
        aim_arm(pose, name, weight, lift=lift, azimuth=azimuth, elbow=10.0)


def jog(pose: Pose, clock: Clock, style: Style) -> None:
    """Run on the spot: fast small steps, heels up behind, elbows bent, body bouncing."""
    weight, lifted = _alternate(pose, clock, 1.7 * style.frequency, 4)
    bounce = 0.05 * weight * (lifted["left"] + lifted["right"])
    pose["pelvis_y"] += bounce - 0.04 * weight
    pose["torso_pitch"] += 7.0 * weight
    for name, other in (("left", "right"), ("right", "left")):
        up = weight * lifted[name]
        pose[f"{name}_leg_lift"] += 34.0 * style.amplitude * up
        pose[f"{name}_leg_knee"] += 82.0 * up
        pose[f"{name}_foot_y"] += 0.3 * bounce
        front = 30.0 * (lifted[other] - lifted[name]) - 6.0
        lift, azimuth = swing_angles(front, 8.0)
        aim_arm(pose, name, weight, lift=lift, azimuth=azimuth, elbow=88.0)


def _leap(clock: Clock, start: float, end: float) -> tuple[Array, Array]:
    """Crouching (0..1) before and after a flight, and the parabola of the flight (0..1)."""
    span = end - start
    off, on = start + 0.38 * span, start + 0.68 * span
    fraction = np.clip((clock.active - off) / (on - off), 0.0, 1.0)
    before = clock.move(start, start + 0.26 * span) * (1.0 - clock.move(start + 0.24 * span, off))
    after = clock.move(on - 0.04 * span, on + 0.12 * span) * (
        1.0 - clock.move(on + 0.1 * span, end)
    )
    return before + 0.8 * after, 4.0 * fraction * (1.0 - fraction)


def jump(pose: Pose, clock: Clock, style: Style) -> None:
    """Bend the knees, swing the arms up, leave the floor with both feet and land."""
    crouch, flight = _leap(clock, 0.05, 0.95)
    height = 0.30 * style.amplitude
    back = clock.move(0.06, 0.28) * (1.0 - clock.move(0.26, 0.5))
    up = clock.move(0.26, 0.58) * (1.0 - clock.move(0.58, 0.9))
    lift, azimuth = swing_angles(6.0 - 44.0 * back + 124.0 * style.amplitude * up, 10.0)
    lower(pose, crouch, drop=0.26, back=0.06, lean=26.0 * crouch)
    pose["pelvis_y"] += height * flight
    for name in ("left", "right"):
        pose[f"{name}_foot_y"] += height * flight
        aim_arm(pose, name, clock.hold(0.1, 0.1), lift=lift, azimuth=azimuth, elbow=16.0)


def hop(pose: Pose, clock: Clock, style: Style, *, side: str = "preferred") -> None:
    """Hop some times on one leg while the other is held up with a bent knee."""
    (name,) = sides_of(side, style)
    (lifted,) = {"left", "right"} - {name}
    weight = clock.hold(0.14, 0.14)
    stand_on(pose, name, weight)
    pose[f"{lifted}_leg_lift"] += 24.0 * weight
    pose[f"{lifted}_leg_knee"] += 86.0 * weight
    count = max(3, style.repeats + 1)
    phase = np.sin(clock.phase(count, 0.16, 0.86) - 0.5 * np.pi)
    flight = np.maximum(phase, 0.0) ** 1.2
    pose["pelvis_y"] += 0.16 * style.amplitude * flight - 0.05 * weight * np.maximum(-phase, 0.0)
    for foot in ("left", "right"):
        pose[f"{foot}_foot_y"] += 0.16 * style.amplitude * flight
        aim_arm(pose, foot, 0.8 * weight, lift=30.0 + 12.0 * flight, azimuth=80.0, elbow=50.0)


def jumping_jacks(pose: Pose, clock: Clock, style: Style) -> None:
    """Jump with the feet apart and the arms overhead sideways, and back, again and again."""
    count = clock.cycles(1.0 * style.frequency, least=2)
    spread = clock.pulses(count, 0.06, 0.94)
    flight = np.sin(clock.phase(2 * count, 0.06, 0.94) / 2.0) ** 2
    for name in ("left", "right"):
        aim_arm(
            pose, name, clock.hold(0.08, 0.08), lift=6.0 + 156.0 * spread, azimuth=86.0, elbow=10.0
        )
        pose[f"{name}_foot_x"] += 0.30 * style.amplitude * outward(name) * spread
        pose[f"{name}_foot_y"] += 0.09 * flight
    pose["pelvis_y"] += 0.11 * flight - 0.05 * clock.hold(0.08, 0.08)


def recoil(pose: Pose, clock: Clock, style: Style, *, start: float = 0.45) -> None:
    """Be hit: the trunk is thrown back and two quick steps backward catch the fall."""
    second = "left" if style.handed == "right" else "right"
    reach = 0.34 * style.amplitude
    plan = [
        _Step(style.handed, start, start + 0.16, 0.0, reach),
        _Step(second, start + 0.14, start + 0.32, 0.0, 1.3 * reach),
        _Step(style.handed, start + 0.3, start + 0.46, 0.0, 1.3 * reach),
    ]
    _take_steps(pose, clock, plan)
    blow = clock.move(start - 0.04, start + 0.1) * (1.0 - clock.move(start + 0.16, start + 0.5))
    pose["torso_pitch"] -= 20.0 * blow
    pose["head_pitch"] += 12.0 * blow
    for name in ("left", "right"):
        aim_arm(pose, name, blow, lift=52.0, azimuth=40.0, elbow=46.0)
