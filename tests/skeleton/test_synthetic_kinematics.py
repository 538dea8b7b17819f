"""Bodies, joint angles and time courses, against loops, geometry and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from infocpl.errors import DataError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.synthetic.body import create_body
from infocpl.skeleton.synthetic.kinematics import CHANNELS, Pose, rotation, solve
from infocpl.skeleton.synthetic.timing import Clock, Style, ease

LAYOUT = create_layout("ntu25")
PARENT = LAYOUT.parent_index()


def at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, LAYOUT.index(name)]


def random_pose(seed: int, frames: int = 5) -> Pose:
    rng = np.random.default_rng(seed)
    pose = Pose(frames)
    for channel in CHANNELS:
        small = channel.split("_")[-1] in ("x", "y", "z")
        pose[channel] = rng.normal(scale=0.2 if small else 50.0, size=frames)
    return pose


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_rotations_agree_with_scipy(axis: str, rng: np.random.Generator) -> None:
    degrees = rng.uniform(-400, 400, size=20)
    theirs = Rotation.from_euler(axis, degrees[:, None], degrees=True).as_matrix()
    np.testing.assert_allclose(rotation(axis, degrees), theirs, atol=1e-12)


def test_an_unknown_axis_is_refused() -> None:
    with pytest.raises(DataError, match="axis: expected x, y or z, got 'w'"):
        rotation("w", 3.0)


@given(
    seed=st.integers(0, 10_000),
    height=st.floats(0.8, 2.4),
    arms=st.floats(0.7, 1.3),
    legs=st.floats(0.7, 1.3),
)
@settings(max_examples=60, deadline=None)
def test_no_pose_whatever_stretches_a_bone(
    seed: int, height: float, arms: float, legs: float
) -> None:
    body = create_body(height, arms=arms, legs=legs)
    joints = solve(body, random_pose(seed))
    assert np.isfinite(joints).all()
    for index, joint in enumerate(LAYOUT.joints):
        length = np.linalg.norm(joints[:, index] - joints[:, PARENT[index]], axis=1)
        np.testing.assert_allclose(length, body.length(joint), atol=1e-9, err_msg=joint)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_a_mirrored_pose_gives_mirrored_joints(seed: int) -> None:
    body, pose = create_body(1.7), random_pose(seed)
    there = solve(body, pose)[:, LAYOUT.flip_index()] * (-1.0, 1.0, 1.0)
    np.testing.assert_allclose(solve(body, pose.mirror()), there, atol=1e-9)


def test_mirroring_a_pose_twice_gives_it_back() -> None:
    pose = random_pose(3)
    np.testing.assert_array_equal(pose.mirror().mirror().values, pose.values)


def test_a_resting_person_stands_on_the_floor_and_is_as_tall_as_said() -> None:
    body = create_body(1.8)
    joints = solve(body, Pose(1))
    assert at(joints, "left_ankle")[0, 1] == pytest.approx(body.ankle_height, abs=1e-9)
    top = at(joints, "head")[0, 1]
    # The head joint is the middle of the head, some 12 cm below the crown.
    assert 1.62 < top < 1.76
    assert joints[..., 1].min() > 0.0


def test_a_resting_person_looks_along_minus_z_with_the_left_shoulder_at_smaller_x() -> None:
    joints = solve(create_body(), Pose(1))
    assert at(joints, "left_shoulder")[0, 0] < 0 < at(joints, "right_shoulder")[0, 0]
    assert at(joints, "left_foot")[0, 2] < at(joints, "left_ankle")[0, 2]


@pytest.mark.parametrize(
    ("lift", "azimuth", "towards"),
    [
        (90.0, 0.0, (0.0, 0.0, -1.0)),
        (90.0, 90.0, (1.0, 0.0, 0.0)),
        (180.0, 0.0, (0.0, 1.0, 0.0)),
        (90.0, 180.0, (0.0, 0.0, 1.0)),
        (0.0, 37.0, (0.0, -1.0, 0.0)),
    ],
    ids=["forward", "outwards", "overhead", "backward", "hanging"],
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_an_arm_points_where_its_angles_say(
    side: str, lift: float, azimuth: float, towards: tuple[float, float, float]
) -> None:
    pose = Pose(1)
    pose[f"{side}_arm_lift"], pose[f"{side}_arm_azimuth"] = lift, azimuth
    joints = solve(create_body(), pose)
    arm = at(joints, f"{side}_hand") - at(joints, f"{side}_shoulder")
    sign = 1.0 if side == "right" else -1.0
    expected = np.array(towards) * (sign, 1.0, 1.0)
    np.testing.assert_allclose(arm[0] / np.linalg.norm(arm[0]), expected, atol=1e-9)


@given(bend=st.floats(0.0, 150.0), lift=st.floats(0.0, 170.0), twist=st.floats(-90.0, 90.0))
@settings(max_examples=40, deadline=None)
def test_the_elbow_bends_by_the_angle_asked_for(bend: float, lift: float, twist: float) -> None:
    pose = Pose(1)
    pose["left_arm_elbow"], pose["left_arm_lift"], pose["left_arm_twist"] = bend, lift, twist
    joints = solve(create_body(), pose)
    upper = at(joints, "left_elbow") - at(joints, "left_shoulder")
    lower = at(joints, "left_wrist") - at(joints, "left_elbow")
    cosine = np.sum(upper * lower) / np.linalg.norm(upper) / np.linalg.norm(lower)
    assert cosine == pytest.approx(np.cos(np.radians(bend)), abs=1e-9)


def test_trunk_bends_add_up_to_the_angle_asked_for() -> None:
    pose = Pose(1)
    pose["torso_pitch"] = 60.0
    joints = solve(create_body(), pose)
    top = at(joints, "neck") - at(joints, "upper_spine")
    upright = solve(create_body(), Pose(1))
    before = at(upright, "neck") - at(upright, "upper_spine")
    cosine = np.sum(top * before) / np.linalg.norm(top) / np.linalg.norm(before)
    assert np.degrees(np.arccos(cosine)) == pytest.approx(60.0, abs=1e-6)
    assert top[0, 2] < 0


def test_lowering_the_pelvis_bends_the_knees_forward_and_leaves_the_feet() -> None:
    pose = Pose(20)
    pose["pelvis_y"] = np.linspace(0.0, -0.55, 20)
    joints = solve(create_body(), pose)
    for side in ("left", "right"):
        foot = at(joints, f"{side}_foot")
        np.testing.assert_allclose(foot, np.broadcast_to(foot[0], foot.shape), atol=1e-9)
        assert at(joints, f"{side}_knee")[-1, 2] < at(joints, f"{side}_knee")[0, 2] - 0.1


def test_a_wide_stance_pulls_the_pelvis_down_instead_of_stretching_the_legs() -> None:
    pose = Pose(1)
    pose["left_foot_x"], pose["right_foot_x"] = -0.5, 0.5
    wide, narrow = solve(create_body(), pose), solve(create_body(), Pose(1))
    assert at(wide, "pelvis")[0, 1] < at(narrow, "pelvis")[0, 1] - 0.05
    ankles = at(wide, "right_ankle") - at(wide, "left_ankle")
    planted = at(narrow, "right_ankle") - at(narrow, "left_ankle")
    assert ankles[0, 0] - planted[0, 0] == pytest.approx(create_body().leg, abs=0.01)


def test_heading_turns_the_person_to_the_left() -> None:
    pose = Pose(1)
    pose["heading"] = 90.0
    joints = solve(create_body(), pose)
    # Looking along -x, the left hand is at +z.
    assert at(joints, "left_shoulder")[0, 2] > 0.1 > at(joints, "right_shoulder")[0, 2]


def test_proportions_change_limbs_but_not_stature() -> None:
    short, long = create_body(1.7, legs=0.9), create_body(1.7, legs=1.1)
    heights = [solve(body, Pose(1))[0, LAYOUT.index("head"), 1] for body in (short, long)]
    assert heights[0] == pytest.approx(heights[1], abs=0.01)
    assert create_body(1.7, arms=1.1).length("left_elbow") == pytest.approx(
        1.1 * create_body(1.7).length("left_elbow")
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"height": 0.0}, "height: expected 0.8 to 2.4 metres, got 0.0"),
        ({"height": float("nan")}, "height: expected 0.8 to 2.4 metres, got nan"),
        ({"legs": 2.0}, "legs: expected a proportion from 0.7 to 1.3, got 2.0"),
    ],
)
def test_an_impossible_body_is_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(DataError, match=message):
        create_body(**arguments)  # type: ignore[arg-type]


def test_a_misspelt_channel_names_the_channels_there_are() -> None:
    with pytest.raises(DataError, match=r"unknown channel 'left_arm_lft'.*left_arm_lift"):
        Pose(2)["left_arm_lft"]
    with pytest.raises(DataError, match="frames: expected at least 1, got 0"):
        Pose(0)


def test_blending_goes_part_of_the_way() -> None:
    pose = Pose(3)
    pose["heading"] = 10.0
    pose.blend(np.array([0.0, 0.5, 1.0]), heading=30.0)
    assert pose["heading"].tolist() == [10.0, 20.0, 30.0]


@given(x=st.floats(-2.0, 3.0))
def test_easing_is_monotonic_symmetric_and_bounded(x: float) -> None:
    value, later = ease([x, x + 0.01])
    assert 0.0 <= value <= later <= 1.0 + 1e-12
    assert ease(1.0 - x) == pytest.approx(1.0 - value, abs=1e-12)


def test_easing_starts_and_stops_without_velocity() -> None:
    slope = np.gradient(ease(np.linspace(0.0, 1.0, 1001)), 1e-3)
    assert abs(slope[0]) < 1e-3
    assert abs(slope[-1]) < 1e-3
    assert slope.max() == pytest.approx(1.875, abs=1e-3)  # known peak of minimum jerk


def test_pulses_come_as_often_as_asked_for() -> None:
    clock = Clock(301, Style(onset=0.0, finish=1.0))
    course = clock.pulses(4)
    above = course > 0.5
    assert np.sum(above[1:] & ~above[:-1]) == 4
    assert course[0] == course[-1] == pytest.approx(0.0)


def test_nothing_moves_before_the_onset_or_after_the_finish() -> None:
    clock = Clock(101, Style(onset=0.2, finish=0.8))
    hold = clock.hold()
    assert not hold[:21].any()
    assert not hold[80:].any()
    assert hold[50] == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"handed": "both"}, "handed: expected 'left' or 'right', got 'both'"),
        ({"onset": 0.9, "finish": 0.5}, "onset, finish"),
    ],
)
def test_an_impossible_style_is_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Style(**arguments)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="frames, fps"):
        Clock(1, Style())
