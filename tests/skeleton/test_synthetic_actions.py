"""The actions do what their names say: judged from joint positions, not from channels."""

from __future__ import annotations

import numpy as np
import pytest

from infocpl.errors import DataError, LabelError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.synthetic import (
    Style,
    SyntheticAction,
    create_body,
    create_subject,
    get_action,
    list_actions,
    perform,
    solve,
)
from infocpl.skeleton.synthetic.generate import move_bodies
from infocpl.skeleton.synthetic.gestures import lean, raise_arm, sides_of
from infocpl.skeleton.synthetic.kinematics import Pose
from infocpl.skeleton.synthetic.timing import Clock

LAYOUT = create_layout("ntu25")
ACTIONS = list_actions()
BODY = create_body(1.75)
_PLANTED = {"raise", "wave", "punch", "swing", "circle", "lean", "squat", "sit", "head", "bend"}
STANDING = [action for action in ACTIONS if action.family in _PLANTED]
LEFT_NAMES = [a.name for a in ACTIONS if " left" in a.name]


def play(name: str, *, person: int = 0, **habits: object) -> np.ndarray:
    action = get_action(name)
    frames = round(30 * action.seconds)
    return solve(BODY, perform(action, Style(**habits), frames, person=person))  # type: ignore[arg-type]


def at(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, LAYOUT.index(name)]


def energy(joints: np.ndarray) -> dict[str, float]:
    variance = joints.var(axis=0).sum(axis=1)
    return dict(zip(LAYOUT.joints, variance, strict=True))


def test_there_are_enough_actions_with_unique_names_and_running_ids() -> None:
    assert len(ACTIONS) >= 44
    assert len({action.name.casefold() for action in ACTIONS}) == len(ACTIONS)
    assert [action.id for action in ACTIONS] == list(range(1, len(ACTIONS) + 1))
    assert sum(action.persons == 2 for action in ACTIONS) >= 4


def test_every_action_has_every_attribute() -> None:
    for action in ACTIONS:
        assert set(action.attributes) == {
            *("limb", "movement", "direction", "repetition", "posture", "locomotion"),
        }, action.name
        assert all(action.attributes.values())


def test_an_action_is_found_by_name_and_by_id() -> None:
    assert get_action(11) is get_action(ACTIONS[10].name)
    with pytest.raises(LabelError, match=r"unknown synthetic action 'fly'.*wave the left hand"):
        get_action("fly")
    with pytest.raises(LabelError, match="has 1 person"):
        perform(get_action("bow"), Style(), 50, person=1)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_is_smooth_and_stays_above_the_floor(action: SyntheticAction) -> None:
    for person in range(action.persons):
        frames = round(30 * action.seconds)
        style = Style(sway=2.0, seed=4)
        joints = solve(BODY, perform(action, style, frames, person=person))
        assert np.isfinite(joints).all()
        assert joints[..., 1].min() > 0.0
        speed = np.linalg.norm(np.diff(joints, axis=0), axis=2) * 30.0
        assert speed.max() < 12.0  # metres a second; a thrown ball leaves the hand at about 10
        assert joints.var(axis=0).sum() > 1e-4


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_feet_never_sink_and_one_carries_the_body_unless_it_jumps(action: SyntheticAction) -> None:
    airborne = {"jump up", "hop on one leg", "do jumping jacks", "jog in place"}
    for person in range(action.persons):
        joints = solve(BODY, perform(action, Style(), 75, person=person))
        ankles = np.stack([at(joints, f"{s}_ankle")[:, 1] for s in ("left", "right")])
        assert ankles.min() > BODY.ankle_height - 1e-9
        if action.name not in airborne:
            assert ankles.min(axis=0).max() < BODY.ankle_height + 0.02


@pytest.mark.parametrize("action", STANDING, ids=lambda action: action.name)
def test_feet_do_not_slide_while_only_arms_trunk_or_knees_move(action: SyntheticAction) -> None:
    joints = solve(BODY, perform(action, Style(sway=2.0), 75))
    for side in ("left", "right"):
        assert np.ptp(at(joints, f"{side}_ankle"), axis=0).max() < 0.005


@pytest.mark.parametrize("name", LEFT_NAMES)
def test_left_and_right_are_mirror_images(name: str) -> None:
    left, right = play(name), play(name.replace(" left", " right"))
    mirrored = right[:, LAYOUT.flip_index()] * (-1.0, 1.0, 1.0)
    # Nothing in these actions depends on the preferred hand.
    np.testing.assert_allclose(left, mirrored, atol=1e-9)
    assert np.abs(left - right).max() > 0.1


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    "words",
    [
        "raise the {} arm forward",
        "raise the {} arm sideways",
        "raise the {} arm overhead",
        "wave the {} hand",
        "punch forward with the {} arm",
        "swing the {} arm back and forth",
        "circle the {} arm",
        "kick forward with the {} leg",
        "kick sideways with the {} leg",
        "kick backward with the {} leg",
        "lift the {} knee",
    ],
)
def test_the_named_limb_moves_most(words: str, side: str) -> None:
    moved = energy(play(words.format(side)))
    limb = "leg" if ("leg" in words or "knee" in words) else "arm"
    most = max(moved, key=lambda joint: moved[joint])
    assert most in LAYOUT.parts[f"{side}_{limb}"]
    other = "right" if side == "left" else "left"
    end = "foot" if limb == "leg" else "hand"
    assert moved[f"{side}_{end}"] > 5.0 * moved[f"{other}_{end}"]


@pytest.mark.parametrize(
    ("direction", "axis", "sign"),
    [("forward", 2, -1.0), ("sideways", 0, 1.0), ("overhead", 1, 1.0)],
)
def test_a_raised_arm_points_in_the_named_direction(direction: str, axis: int, sign: float) -> None:
    joints = play(f"raise the right arm {direction}")
    arm = (at(joints, "right_hand") - at(joints, "right_shoulder"))[len(joints) // 2]
    assert sign * arm[axis] / np.linalg.norm(arm) > 0.95
    np.testing.assert_allclose(joints[0], joints[-1], atol=0.02)


@pytest.mark.parametrize(
    ("direction", "axis", "sign"), [("forward", 2, -1), ("sideways", 0, 1), ("backward", 2, 1)]
)
def test_a_kick_goes_in_the_named_direction(direction: str, axis: int, sign: int) -> None:
    joints = play(f"kick {direction} with the right leg")
    travel = sign * (at(joints, "right_ankle") - at(joints, "right_ankle")[0])[:, axis]
    assert travel.max() > 0.4
    assert at(joints, "right_ankle")[:, 1].max() > 0.25


@pytest.mark.parametrize(
    ("name", "axis", "sign"),
    [
        ("walk forward", 2, -1),
        ("walk backward", 2, 1),
        ("step sideways to the left", 0, -1),
        ("step sideways to the right", 0, 1),
    ],
)
def test_a_gait_travels_in_the_named_direction(name: str, axis: int, sign: int) -> None:
    pelvis = at(play(name), "pelvis")
    way = pelvis[-1] - pelvis[0]
    assert sign * way[axis] > 0.6
    assert abs(way[2 - axis]) < 0.05


def test_one_foot_is_always_at_rest_while_walking() -> None:
    joints = play("walk forward")
    speeds = [
        np.linalg.norm(np.diff(at(joints, f"{side}_ankle"), axis=0), axis=1) * 30.0
        for side in ("left", "right")
    ]
    assert np.minimum(*speeds).max() < 0.5
    assert np.maximum(*speeds).max() > 1.5


def test_turning_around_ends_half_a_circle_later() -> None:
    joints = play("turn around")
    across = at(joints, "right_shoulder") - at(joints, "left_shoulder")
    first, last = across[0] / np.linalg.norm(across[0]), across[-1] / np.linalg.norm(across[-1])
    assert first @ last < -0.99


def test_sitting_and_squatting_end_low_and_standing_up_reverses_them() -> None:
    for down, up in (
        ("sit down", "stand up from a chair"),
        ("squat down", "stand up from a squat"),
    ):
        lowering, rising = at(play(down), "pelvis"), at(play(up), "pelvis")
        assert lowering[-1, 1] < 0.65 * lowering[0, 1]
        assert rising[-1, 1] > 1.5 * rising[0, 1]
        np.testing.assert_allclose(lowering[-1], rising[0], atol=0.02)


def test_a_seat_is_behind_and_a_squat_is_above_the_feet() -> None:
    seated, squatting = play("sit down")[-1], play("squat down")[-1]
    pelvis, ankle = LAYOUT.index("pelvis"), LAYOUT.index("left_ankle")
    assert seated[pelvis, 2] - seated[ankle, 2] > 0.25
    assert squatting[pelvis, 2] - squatting[ankle, 2] < 0.2


def test_hands_reach_the_floor_and_each_other() -> None:
    floor = play("bend down and touch the floor")
    assert at(floor, "left_hand_tip")[:, 1].min() < 0.12
    clap = play("clap the hands")
    gap = np.linalg.norm(at(clap, "left_hand") - at(clap, "right_hand"), axis=1)
    assert gap.min() < 0.06 < 0.2 < gap.max()


def test_kneeling_brings_exactly_one_knee_to_the_floor() -> None:
    last = play("kneel down on one knee")[-1]
    knees = sorted(last[LAYOUT.index(f"{side}_knee"), 1] for side in ("left", "right"))
    assert 0.0 < knees[0] < 0.12
    assert knees[1] > 0.35


def test_jumping_leaves_the_floor_with_both_feet_and_hopping_with_one_held_up() -> None:
    jump = play("jump up")
    ankles = np.minimum(at(jump, "left_ankle")[:, 1], at(jump, "right_ankle")[:, 1])
    assert ankles.max() > BODY.ankle_height + 0.15
    hop = play("hop on one leg", handed="right")
    middle = slice(len(hop) // 4, -len(hop) // 4)
    assert (at(hop, "left_ankle")[middle, 1] > at(hop, "right_ankle")[middle, 1] + 0.1).all()


PERIODIC = {
    "wave the right hand": "right_hand",
    "swing the left arm back and forth": "left_hand",
    "clap the hands": "left_hand",
    "nod the head": "head",
    "shake the head": "left_shoulder",
    "twist the torso from side to side": "left_shoulder",
    "march in place": "right_hand",
    "jog in place": "right_hand",
    "do jumping jacks": "left_hand",
    "shake hands": "right_hand",
}


@pytest.mark.parametrize(("name", "joint"), PERIODIC.items())
def test_periodic_actions_have_a_dominant_frequency(name: str, joint: str) -> None:
    assert get_action(name).attributes["repetition"] == "periodic"
    course = at(play(name), joint)
    middle = course[len(course) // 4 : -len(course) // 4]
    middle = middle[:, middle.var(axis=0).argmax()]
    velocity = np.diff(middle) * np.hanning(len(middle) - 1)
    power = np.abs(np.fft.rfft(velocity, n=512)) ** 2
    frequency = np.fft.rfftfreq(512, 1 / 30)
    peak = frequency[power.argmax()]
    assert 0.3 < peak < 5.0
    near = np.abs(frequency - peak) < 0.8
    assert power[near].sum() > 0.6 * power.sum()


@pytest.mark.parametrize("name", ["throw a ball overhand", "hop on one leg", "turn around"])
def test_handedness_mirrors_what_the_name_leaves_open(name: str) -> None:
    right, left = play(name, handed="right"), play(name, handed="left")
    mirrored = right[:, LAYOUT.flip_index()] * (-1.0, 1.0, 1.0)
    np.testing.assert_allclose(left, mirrored, atol=1e-9)
    assert np.abs(left - right).max() > 0.1


def pair(name: str) -> np.ndarray:
    subjects = [create_subject(1), create_subject(2)]
    return move_bodies(get_action(name), subjects, np.random.default_rng(0), 75)


def distance(joints: np.ndarray) -> np.ndarray:
    pelvis = joints[:, :, LAYOUT.index("pelvis")]
    return np.linalg.norm(pelvis[0] - pelvis[1], axis=1)


def test_two_people_approach_and_part() -> None:
    near, far = (
        distance(pair("two people walk towards each other")),
        distance(pair("two people walk apart")),
    )
    assert near[0] > 2.0 > 1.2 > near[-1] > 0.3
    assert far[-1] > 2.0 > 1.2 > far[0]


def test_a_blow_drives_the_other_person_back() -> None:
    for name in ("push", "kick", "punch"):
        gap = distance(pair(f"{name} the other person"))
        assert gap[-1] > gap[0] + 0.2, name
        assert gap.min() > 0.3, name


def test_shaken_hands_meet_between_the_two() -> None:
    joints = pair("shake hands")
    hand = LAYOUT.index("right_hand")
    gap = np.linalg.norm(joints[0, :, hand] - joints[1, :, hand], axis=1)
    assert gap.min() < 0.2
    assert abs(joints[:, 37, hand, 0].mean()) < 0.1


def test_two_persons_face_each_other() -> None:
    joints = pair("hug each other")[:, 0]
    toes = joints[:, LAYOUT.index("left_foot"), 0] - joints[:, LAYOUT.index("left_ankle"), 0]
    assert joints[0, 0, 0] < joints[1, 0, 0]
    assert toes[0] > 0 > toes[1]


def test_a_pair_action_asks_for_two_subjects() -> None:
    with pytest.raises(DataError, match=r"'shake hands' needs 2 subject\(s\), got 1"):
        move_bodies(get_action("shake hands"), [create_subject(1)], np.random.default_rng(0), 60)


def test_unknown_choices_of_a_sub_motion_are_refused() -> None:
    pose, clock = Pose(40), Clock(40, Style())
    with pytest.raises(DataError, match="side: expected one of left, right"):
        sides_of("middle", Style())
    with pytest.raises(DataError, match="direction: expected one of forward"):
        raise_arm(pose, clock, Style(), side="left", direction="up")
    with pytest.raises(DataError, match="direction: expected forward, left or right"):
        lean(pose, clock, Style(), direction="up", degrees=10.0)
