"""Sub-motions of the legs over standing feet: kicks, knee lifts, squatting, sitting, kneeling.

Same form as :mod:`.gestures`. Lengths are leg lengths, angles degrees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import DataError
from infocpl.skeleton.synthetic.gestures import aim_arm, outward, sides_of
from infocpl.skeleton.synthetic.kinematics import Pose
from infocpl.skeleton.synthetic.timing import Clock, Style

__all__ = ["kick", "kneel", "lift_knee", "lower", "reach_floor", "sit", "squat", "stand_on"]

Array = NDArray[np.float64]


def stand_on(pose: Pose, side: str, weight: Array) -> None:
    """Shift the weight over the leg that stays, as one must before lifting the other."""
    pose["pelvis_x"] += 0.075 * outward(side) * weight
    pose["torso_roll"] += 3.0 * outward(side) * weight


def kick(pose: Pose, clock: Clock, style: Style, *, side: str, direction: str) -> None:
    """Snap a leg forward, sideways or backward off the floor and bring it back."""
    shapes = {
        # lift, azimuth, knee while drawing in, how the trunk answers (pitch, roll away)
        "forward": (76.0, 0.0, 70.0, -12.0, 0.0),
        "sideways": (58.0, 88.0, 45.0, 0.0, 16.0),
        "backward": (44.0, 178.0, 40.0, 24.0, 0.0),
    }
    if direction not in shapes:
        raise DataError(f"direction: expected one of {', '.join(shapes)}, got {direction!r}")
    lift, azimuth, drawn, pitch, roll = shapes[direction]
    (name,) = sides_of(side, style)
    (standing,) = {"left", "right"} - {name}
    lifted = clock.move(0.18, 0.46) * (1.0 - clock.move(0.56, 0.86))
    snap = clock.move(0.34, 0.48)
    stand_on(pose, standing, clock.hold(0.2, 0.14))
    pose[f"{name}_leg_azimuth"] = azimuth
    pose[f"{name}_leg_lift"] += lift * style.amplitude * lifted
    pose[f"{name}_leg_knee"] += lifted * (drawn * (1.0 - snap) + 6.0)
    pose["torso_pitch"] += pitch * lifted
    pose["torso_roll"] -= roll * outward(name) * lifted
    for arm in ("left", "right"):
        pose.blend(0.8 * lifted, **{f"{arm}_arm_lift": 26.0, f"{arm}_arm_elbow": 30.0})


def lift_knee(pose: Pose, clock: Clock, style: Style, *, side: str) -> None:
    """Lift a bent knee to the height of the hip, hold it, and put the foot down."""
    (name,) = sides_of(side, style)
    (standing,) = {"left", "right"} - {name}
    lifted = clock.move(0.14, 0.4) * (1.0 - clock.move(0.64, 0.9))
    stand_on(pose, standing, clock.hold(0.18, 0.14))
    pose[f"{name}_leg_lift"] += min(96.0, 88.0 * style.amplitude) * lifted
    pose[f"{name}_leg_knee"] += 92.0 * lifted
    pose["torso_pitch"] -= 3.0 * lifted


def lower(pose: Pose, down: Array, *, drop: float, back: float, lean: Array | float) -> None:
    """Let the hips sink by `drop` and go `back`, `down` (T,) of the way; feet stay, knees bend."""
    pose["pelvis_y"] -= drop * down
    pose["pelvis_z"] += back * down
    pose["torso_pitch"] += lean


def squat(pose: Pose, clock: Clock, style: Style, *, rising: bool) -> None:
    """Bend both knees deeply with the arms held forward, or come up from there."""
    course = clock.move(0.1, 0.72)
    down = 1.0 - course if rising else course
    lower(pose, down, drop=0.56 * min(style.amplitude, 1.05), back=0.10, lean=36.0 * down)
    pose["head_pitch"] -= 20.0 * down
    for name in ("left", "right"):
        aim_arm(pose, name, down, lift=86.0, azimuth=6.0, elbow=12.0)


def sit(pose: Pose, clock: Clock, style: Style, *, rising: bool) -> None:
    """Lower the hips backwards onto a seat of knee height, or get up from it."""
    course = clock.move(0.1, 0.75)
    down = 1.0 - course if rising else course
    tipping = 4.0 * down * (1.0 - down)  # the trunk tips forward only on the way
    lower(pose, down, drop=0.47, back=0.44, lean=34.0 * style.amplitude * tipping)
    pose["head_pitch"] -= 14.0 * tipping
    for name in ("left", "right"):
        aim_arm(pose, name, down, lift=22.0, azimuth=8.0, elbow=58.0, twist=6.0)


def kneel(pose: Pose, clock: Clock, style: Style, *, side: str = "preferred") -> None:
    """Step back with one foot and go down until that knee is on the floor."""
    (name,) = sides_of(side, style)
    (front,) = {"left", "right"} - {name}
    step, down = clock.move(0.02, 0.32), clock.move(0.2, 0.75)
    pose[f"{name}_foot_z"] += 0.58 * step
    pose[f"{name}_foot_y"] += 0.10 * np.sin(np.pi * step) + 0.045 * down
    pose["pelvis_z"] += 0.22 * step - 0.02 * down
    pose["pelvis_y"] -= 0.46 * down
    pose["torso_pitch"] += 10.0 * 4.0 * down * (1.0 - down) * style.amplitude
    aim_arm(pose, front, down, lift=34.0, azimuth=6.0, elbow=56.0)


def reach_floor(pose: Pose, clock: Clock, style: Style) -> None:
    """Bend far forward with slightly bent knees until both hands touch the floor."""
    down = clock.hold(0.4, 0.38)
    lower(pose, down, drop=0.22, back=0.22, lean=132.0 * min(style.amplitude, 1.06) * down)
    for name in ("left", "right"):
        aim_arm(pose, name, down, lift=124.0, azimuth=2.0, elbow=6.0)
