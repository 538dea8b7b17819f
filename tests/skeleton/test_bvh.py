"""BVH: real motions, an independent forward kinematics, joint names, round trips, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import read_bvh, read_skeleton, write_bvh
from infocpl.skeleton.formats.bvh_text import (
    BvhJoint,
    BvhMotion,
    joint_positions,
    read_bvh_motion,
    write_bvh_motion,
)
from infocpl.skeleton.formats.mocap_names import mocap_layout, name_joints
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.files import generate_file

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
POSITIONS = ("Xposition", "Yposition", "Zposition")
ROTATIONS = ("Xrotation", "Yrotation", "Zrotation")
finite = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 6))


@st.composite
def motions(draw) -> BvhMotion:
    """Any tree in file order, channels in any order and number, some end sites."""
    joints: list[BvhJoint] = []
    path: list[int] = []
    for number in range(draw(st.integers(1, 7))):
        offset = (draw(finite), draw(finite), draw(finite))
        if number and draw(st.booleans()) and draw(st.booleans()):
            joints.append(BvhJoint(f"{joints[path[-1]].name}End", path[-1], offset, end=True))
            continue
        path = path[: draw(st.integers(1, len(path)))] if path else path
        channels = draw(st.permutations(POSITIONS + ROTATIONS))[: draw(st.integers(0, 6))]
        parent = path[-1] if path else -1
        joints.append(BvhJoint(f"joint {number}", parent, offset, tuple(channels)))
        path = [*path, len(joints) - 1]
    width = sum(len(joint.channels) for joint in joints)
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    # A row without any number would be an empty line.
    if not width:
        joints[0] = replace(joints[0], channels=("Xposition",))
        width = 1
    return BvhMotion(tuple(joints), 1 / 30, rng.normal(scale=60, size=(3, width)))


def position_by_recursion(motion: BvhMotion, joint: int, frame: int) -> tuple[np.ndarray, Rotation]:
    """Place of a joint and the rotation of what hangs on it, walking up to the root."""
    here = motion.joints[joint]
    first = sum(len(other.channels) for other in motion.joints[:joint])
    row = dict(zip(here.channels, motion.values[frame, first:], strict=False))
    local = np.array(here.offset)
    for axis, channel in enumerate(POSITIONS):
        local[axis] = row.get(channel, local[axis])
    turns = [channel for channel in here.channels if channel in ROTATIONS]
    rotation = Rotation.identity()
    if turns:
        order = "".join(channel[0] for channel in turns)
        rotation = Rotation.from_euler(order, [row[c] for c in turns], degrees=True)
    if here.parent < 0:
        return local, rotation
    place, above = position_by_recursion(motion, here.parent, frame)
    return place + np.ravel(above.apply(local)), above * rotation


@quick
@given(motion=motions())
def test_forward_kinematics_equals_a_recursion_up_to_the_root(motion) -> None:
    found = joint_positions(motion)
    for frame in range(3):
        for joint in range(len(motion.joints)):
            expected, _ = position_by_recursion(motion, joint, frame)
            np.testing.assert_allclose(found[frame, joint], np.ravel(expected), atol=1e-8)


@quick
@given(motion=motions())
def test_a_motion_is_read_back_exactly(tmp_path, motion) -> None:
    write_bvh_motion(tmp_path / "a.bvh", motion)
    again = read_bvh_motion(tmp_path / "a.bvh")
    assert again.joints == motion.joints
    assert again.frame_time == motion.frame_time
    np.testing.assert_array_equal(again.values, motion.values)


@quick
@given(
    name=st.sampled_from(list_layouts()),
    seed=st.integers(0, 999),
    metres=st.booleans(),
    fps=st.sampled_from([15.0, 24.0, 30.0, 59.94, 120.0]),
)
def test_positions_of_every_layout_are_read_back(tmp_path, make_clip, name, seed, metres, fps):
    clip = make_clip(f"{name}-3d", frames=3, seed=seed)
    clip = replace(clip, fps=fps, units="m" if metres else "normalised")
    write_bvh(tmp_path / "a.bvh", clip)
    again = read_bvh(tmp_path / "a.bvh", unit="cm" if metres else "none")
    assert again.layout == clip.layout
    assert (again.units, again.fps) == (clip.units, pytest.approx(fps, rel=1e-9))
    np.testing.assert_allclose(again.keypoints, clip.keypoints, atol=1e-6)


# --- real motions -----------------------------------------------------------------------------

REAL = {
    "dataset-1_bow_normal_001": (138, 27),
    "dataset-1_punch_normal_001": (224, 22),
    "dataset-2_raise-up-both-hands_normal_001": (51, 22),
    "dataset-2_wave-left-hand_normal_001": (197, 22),
}


@pytest.fixture
def real_bvh(real_data):
    return lambda name: real_data / "format_samples" / "bandai_namco_bvh" / f"{name}.bvh"


@pytest.mark.parametrize(("name", "size"), REAL.items())
def test_real_bodies_stand_on_the_floor_in_metres_with_rigid_bones(real_bvh, name, size) -> None:
    clip = read_skeleton(real_bvh(name))
    assert (clip.frames, len(clip.layout)) == size
    assert (clip.persons, clip.fps, clip.units) == (1, 30.0, "m")
    at = {joint: clip.keypoints[0, :, i] for i, joint in enumerate(clip.layout.joints)}
    assert 1.3 < at["head"][0, 1] < 1.6  # the joint below the skull
    assert all(-0.05 < at[f"{side}_foot"][:, 1].min() < 0.1 for side in ("left", "right"))
    for side in ("left", "right"):
        for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle")):
            bone = np.linalg.norm(at[f"{side}_{a}"] - at[f"{side}_{b}"], axis=1)
            assert 0.2 < bone[0] < 0.5
            assert np.ptp(bone) < 1e-5
    # The first joint of these files does not move.
    assert not np.ptp(at["root"], axis=0).any()
    assert clip.layout.center == "pelvis"


def test_real_actions_do_what_they_are_called(real_bvh) -> None:
    def height(name: str, joint: str) -> np.ndarray:
        clip = read_bvh(real_bvh(name))
        return clip.keypoints[0, :, clip.layout.index(joint), 1]

    wave, both = "dataset-2_wave-left-hand_normal_001", "dataset-2_raise-up-both-hands_normal_001"
    assert height(wave, "left_wrist").max() > 1.5
    assert height(wave, "right_wrist").max() < 1.0
    assert min(height(both, f"{side}_wrist").max() for side in ("left", "right")) > 1.5
    bow = height("dataset-1_bow_normal_001", "head")
    assert bow.min() < bow[0] - 0.1


def test_real_positions_equal_a_recursion_up_to_the_root(real_bvh) -> None:
    motion = read_bvh_motion(real_bvh("dataset-1_bow_normal_001"))
    found = joint_positions(motion)
    for frame in (0, 70, 137):
        for joint in range(0, len(motion.joints), 5):
            expected, _ = position_by_recursion(motion, joint, frame)
            np.testing.assert_allclose(found[frame, joint], expected, atol=1e-8)


@pytest.mark.parametrize("target", ["ntu25", "kinect20"])
@pytest.mark.parametrize("name", REAL)
def test_real_bodies_reach_the_kinects_without_missing_joints(real_bvh, name, target) -> None:
    own = read_bvh(real_bvh(name))
    chart = create_layout_map(own.layout, create_layout(target))
    clip = read_bvh(real_bvh(name), layout=target)
    assert clip.layout.name == target
    np.testing.assert_array_equal(clip.keypoints, chart.apply(own).keypoints)


# --- joint names ------------------------------------------------------------------------------

NAMED = {
    "MotionBuilder": (
        "Hips Spine Spine1 Neck Head LeftShoulder LeftArm LeftForeArm LeftHand "
        "RightUpLeg RightLeg RightFoot RightToeBase",
        "pelvis lower_spine spine neck head left_collar left_shoulder left_elbow left_wrist "
        "right_hip right_knee right_ankle right_foot",
    ),
    "Mixamo": (
        "mixamorig:Hips mixamorig:Spine mixamorig:LeftArm mixamorig_LeftHand mixamorigRightUpLeg "
        "mixamorig:HeadTop_End mixamorig:LeftHandThumb1",
        "pelvis spine left_shoulder left_wrist right_hip head_top left_thumb",
    ),
    "Biped": (
        "Bip01 Pelvis|Bip01 Spine|Bip01 L Clavicle|Bip01 L UpperArm|Bip01 L Forearm|Bip01 L Hand|"
        "Bip01 R Thigh|Bip01 R Calf|Bip01 R Foot|Bip01 R Toe0",
        "pelvis spine left_collar left_shoulder left_elbow left_wrist right_hip right_knee "
        "right_ankle right_foot",
    ),
    "Blender": (
        "hips spine upper_arm.L forearm.L hand.L thigh.R shin.R foot.R toe.R",
        "pelvis spine left_shoulder left_elbow left_wrist right_hip right_knee right_ankle "
        "right_foot",
    ),
    "Poser": (
        "hip abdomen chest lCollar lShldr lForeArm lHand rThigh rShin rFoot",
        "pelvis spine chest left_collar left_shoulder left_elbow left_wrist right_hip right_knee "
        "right_ankle",
    ),
    "anatomy": (
        "Hips LeftShoulder LeftElbow LeftWrist LeftHand RightHip RightKnee RightAnkle RightFoot",
        "pelvis left_shoulder left_elbow left_wrist left_hand right_hip right_knee right_ankle "
        "right_foot",
    ),
    "Acclaim in BVH": (
        "root lfemur ltibia lfoot rhumerus rradius lowerback",
        "pelvis left_hip left_knee left_ankle right_shoulder right_elbow lower_spine",
    ),
    "Bandai Namco": (
        "joint_Root Hips Spine Chest Shoulder_L UpperArm_L LowerArm_L Hand_L UpperLeg_R LowerLeg_R "
        "Foot_R Toes_R",
        "root pelvis spine chest left_collar left_shoulder left_elbow left_wrist right_hip "
        "right_knee right_ankle right_foot",
    ),
    "what is in no table": (
        "Hips LeftHandIndex1 Prop Prop LHipJoint 123",
        "pelvis left_hand_index_1 prop prop_2 left_hip_joint 123",
    ),
}


@pytest.mark.parametrize(("names", "expected"), NAMED.values(), ids=NAMED)
def test_joints_get_the_names_of_the_package(names, expected) -> None:
    given = names.split("|") if "|" in names else names.split()
    assert name_joints(given) == expected.split()


@pytest.mark.parametrize("name", list_layouts())
def test_names_of_a_layout_of_the_package_are_kept(name) -> None:
    joints = create_layout(name).joints
    assert name_joints(joints) == list(joints)


@quick
@given(
    names=st.lists(
        st.one_of(
            st.text(max_size=12), st.sampled_from(" ".join(a for a, _ in NAMED.values()).split())
        ),
        min_size=1,
        max_size=12,
    ),
    seed=st.integers(0, 999),
)
def test_any_names_and_any_tree_make_a_layout(names, seed) -> None:
    rng = np.random.default_rng(seed)
    parents = [-1, *(int(rng.integers(0, at)) for at in range(1, len(names)))]
    layout = mocap_layout("bvh", names, parents)
    assert len(layout) == len(names)
    flipped = layout.flip_index()
    assert [flipped[i] for i in flipped] == list(range(len(names)))
    # The tree is the file's, whatever joint is its centre.
    edges = {frozenset((a, b)) for a, b in enumerate(parents) if b >= 0}
    assert {frozenset(map(layout.index, bone)) for bone in layout.bones} == edges


def test_a_joint_in_no_table_belongs_to_the_part_of_its_parent() -> None:
    layout = mocap_layout("bvh", ["Hips", "LeftForeArm", "LeftHandIndex1", "Tail"], [-1, 0, 1, 0])
    assert layout.parts == {
        "torso": ("pelvis", "tail"),
        "left_arm": ("left_elbow", "left_hand_index_1"),
    }


# --- units, axes, oddities --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "metres"),
    [("m", 1), ("cm", 0.01), ("mm", 0.001), ("inch", 0.0254), ("acclaim", 0.0254 / 0.45)],
)
def test_the_unit_is_the_one_in_which_the_body_is_a_persons(tmp_path, unit, metres) -> None:
    generate_file("bvh", tmp_path / "a.bvh", noise=0)
    motion = read_bvh_motion(tmp_path / "a.bvh")
    expected = read_bvh(tmp_path / "a.bvh").keypoints
    factor = 0.01 / metres
    values = motion.values.copy()
    values[:, :3] *= factor
    joints = tuple(
        replace(joint, offset=tuple(factor * x for x in joint.offset)) for joint in motion.joints
    )
    write_bvh_motion(tmp_path / "b.bvh", BvhMotion(joints, motion.frame_time, values))
    for asked in ("auto", unit):
        clip = read_bvh(tmp_path / "b.bvh", unit=asked)
        assert clip.units == "m"
        np.testing.assert_allclose(clip.keypoints, expected, atol=1e-5)
    raw = read_bvh(tmp_path / "b.bvh", unit="none")
    assert raw.units == "normalised"
    np.testing.assert_allclose(raw.keypoints * metres, expected, atol=1e-5)


def test_a_body_of_no_human_size_has_no_known_unit(make_clip, tmp_path) -> None:
    clip = replace(make_clip("ntu25", frames=2), units="normalised")
    clip = clip.with_keypoints(clip.keypoints * 1e4)
    write_bvh(tmp_path / "a.bvh", clip)
    again = read_bvh(tmp_path / "a.bvh")
    assert again.units == "normalised"
    np.testing.assert_allclose(again.keypoints, clip.keypoints, rtol=1e-6)
    write_bvh_motion(tmp_path / "b.bvh", SMALL)
    assert read_bvh(tmp_path / "b.bvh").units == "normalised"  # neither head nor legs


def test_z_up_is_turned_about_x_and_not_mirrored(make_clip, tmp_path) -> None:
    write_bvh(tmp_path / "a.bvh", make_clip("ntu25", frames=2))
    upright = read_bvh(tmp_path / "a.bvh", unit="cm").keypoints
    turned = read_bvh(tmp_path / "a.bvh", unit="cm", up="z").keypoints
    quarter = Rotation.from_euler("x", -90, degrees=True)
    np.testing.assert_allclose(
        turned.reshape(-1, 3), quarter.apply(upright.reshape(-1, 3)), atol=1e-6
    )


SMALL = BvhMotion(
    (
        BvhJoint("Base", -1, (0.0, 0.0, 0.0), POSITIONS),
        BvhJoint("Tip", 0, (0.0, 1.0, 0.0), ("Xrotation",)),
        BvhJoint("TipEnd", 1, (0.0, 0.0, 0.0), end=True),
    ),
    1 / 60,
    np.array([[1.0, 2.0, 3.0, 90.0]]),
)


def test_end_sites_become_joints_unless_they_lie_on_their_joint(tmp_path) -> None:
    write_bvh_motion(tmp_path / "a.bvh", SMALL)
    clip = read_bvh(tmp_path / "a.bvh")
    assert clip.layout.joints == ("base", "tip")
    assert clip.fps == 60.0
    end = replace(SMALL.joints[2], offset=(0.0, 0.0, 2.0))
    write_bvh_motion(tmp_path / "b.bvh", replace(SMALL, joints=(*SMALL.joints[:2], end)))
    clip = read_bvh(tmp_path / "b.bvh")
    assert clip.layout.joints == ("base", "tip", "tip_end")
    np.testing.assert_allclose(clip.keypoints[0, 0, 2], [1, 1, 3], atol=1e-6)


def test_a_joint_at_the_origin_is_present(tmp_path) -> None:
    still = replace(SMALL, values=np.zeros((2, 4)), joints=SMALL.joints[:1])
    write_bvh_motion(tmp_path / "a.bvh", replace(still, values=np.zeros((2, 3))))
    assert read_bvh(tmp_path / "a.bvh").present.all()


@pytest.mark.parametrize("change", [{"unit": "ell"}, {"up": "x"}])
def test_unknown_units_and_axes_are_refused(tmp_path, change) -> None:
    write_bvh_motion(tmp_path / "a.bvh", SMALL)
    with pytest.raises(ConfigError, match="unit must be one of auto, m, cm"):
        read_bvh(tmp_path / "a.bvh", **change)


def test_a_layout_that_cannot_be_reached_is_refused(tmp_path) -> None:
    write_bvh_motion(tmp_path / "a.bvh", SMALL)
    with pytest.raises(LayoutError, match=r"bvh \(2 joints, 3-D\) does not map onto ntu25"):
        read_bvh(tmp_path / "a.bvh", layout="ntu25")


def test_what_the_format_cannot_hold_is_refused_with_the_reason(make_clip, tmp_path) -> None:
    clip = make_clip("ntu25")
    keypoints, confidence = clip.keypoints.copy(), clip.confidence.copy()
    keypoints[0, 3] = confidence[0, 3] = 0
    gone = clip.with_keypoints(keypoints, confidence=confidence)
    for bad, words in (
        (make_clip("ntu25", persons=2), "this clip has 2 on layout ntu25"),
        (make_clip("coco17"), r"coco17 \(17 joints, 2-D\)"),
        (replace(clip, units="px"), "units 'px'"),
        (gone, "present in 11 of 12 frames"),
    ):
        with pytest.raises(LayoutError, match=words):
            write_bvh(tmp_path / "a.bvh", bad)
    many = SkeletonSequence(np.ones((1, 10_001, 25, 3), np.float32), clip.layout)
    with pytest.raises(SkeletonFormatError, match="frames: expected at most 10000"):
        write_bvh(tmp_path / "a.bvh", many)
    assert list(tmp_path.iterdir()) == []


# --- refusals ---------------------------------------------------------------------------------

TEXT = """HIERARCHY
ROOT Hips
{
  OFFSET 0 90 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Left Leg
  {
    OFFSET 10 0 0
    CHANNELS 1 Xrotation
    End Site
    {
      OFFSET 0 -40 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
1 2 3 4 5 6 7
1 2 3 4 5 6 7
"""
REFUSALS = {
    "another beginning": (("HIERARCHY", "HEADER"), "line 1: keyword: expected HIERARCHY, got 'HEA"),
    "no root": (("ROOT", "JOINT"), "line 2: keyword: expected ROOT"),
    "two roots": (("MOTION", "ROOT Other\n{\n}\nMOTION"), "keyword: expected MOTION, got 'ROOT'"),
    "no brace": (("{\n  OFFSET 0 90 0", "OFFSET 0 90 0"), "joint name: expected {|keyword"),
    "no offset": (("  OFFSET 0 90 0\n", ""), "line 4: keyword: expected OFFSET, got 'CHANNELS'"),
    "an offset of two": (("OFFSET 10 0 0", "OFFSET 10 0"), "offset z: .*got 'CHANNELS'"),
    "an offset of NaN": (("OFFSET 10 0 0", "OFFSET nan 0 0"), "line 8: offset x: .*'nan'"),
    "a far offset": (("OFFSET 10 0 0", "OFFSET 1e7 0 0"), "line 8: offset x: .*within 1e"),
    "no channels": (("    CHANNELS 1 Xrotation\n", ""), "keyword: expected CHANNELS, got 'End'"),
    "seven channels": (("CHANNELS 6", "CHANNELS 7"), "channel count: .*0 to 6, got '7'"),
    "fewer than said": (("CHANNELS 6", "CHANNELS 5"), "hierarchy: .*got 'Yrotation'"),
    "more than said": (("CHANNELS 1 X", "CHANNELS 2 X"), "channel: expected one of .*got 'End'"),
    "a channel twice": (("Zrotation X", "Xrotation X"), "channel: .*each once, got 'Xrotation'"),
    "an unknown channel": (("Zrotation", "Wrotation"), "channel: .*got 'Wrotation'"),
    "an end with children": (("OFFSET 0 -40 0\n", "OFFSET 0 -40 0\n JOINT a\n"), "expected }, got"),
    "braces that do not close": (("  }\n}\nMOTION", "  }\nMOTION"), "got 'MOTION'"),
    "no motion": ((TEXT[TEXT.index("MOTION") :], ""), "got the end of the header"),
    "no frames": (("Frames: 2", "Frames: 0"), "line 17: frame count: .*1 to 10000, got '0'"),
    "too many frames": (("Frames: 2", "Frames: 10001"), "frame count: .*got '10001'"),
    "a frame missing": (("Frames: 2", "Frames: 3"), "motion: expected 3 rows, got 2"),
    "a frame too many": (("Frames: 2", "Frames: 1"), "motion: expected 1 rows, got 2"),
    "no time": (("0.0333333", "0"), "line 18: frame time: .*0.0001 to 10, got 0"),
    "time that is none": (("0.0333333", "inf"), "line 18: frame time: .*finite"),
    "words after the time": (("0.0333333", "0.0333333 s"), "line 18: line: .*more, got 's'"),
    "a row of six": (("5 6 7\n1", "5 6\n1"), "line 19: line: expected 7 numbers"),
    "a row of eight": (("5 6 7\n1", "5 6 7 8\n1"), "line 19: line: expected 7 numbers"),
    "an empty row": (("1 2 3 4 5 6 7\n1", "\n1"), "line 19: line: expected 7 numbers, got ''"),
    "a word in a row": (("5 6 7\n1", "5 x 7\n1"), "line 19: Hips Yrotation: .*'x'"),
    "NaN in a row": (("5 6 7\n1", "5 6 nan\n1"), "line 19: Left Leg Xrotation: .*'nan'"),
    "a huge angle": (("5 6 7\n1", "5 6 1e300\n1"), "frame 1, channel 7"),
    "a name without end": (("Left Leg", "Left " * 60), "joint name: expected { after a name"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_broken_file_is_refused_with_line_and_field(save, change, words) -> None:
    assert change[0] in TEXT
    with pytest.raises(SkeletonFormatError, match=words):
        read_bvh(save(TEXT.replace(*change, 1), "a.bvh"))


def test_the_plain_file_is_read_with_case_blanks_and_line_ends_as_they_may_be(save) -> None:
    for text in (
        TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("Xrotation", "XROTATION"),
        TEXT.replace("{", "\n\t{\n").replace("Frames: 2", "Frames:\t2\n") + "\n\n",
    ):
        motion = read_bvh_motion(save(text, "a.bvh"))
        assert [joint.name for joint in motion.joints] == ["Hips", "Left Leg", "Left LegEnd"]
        assert motion.values.tolist() == [[1, 2, 3, 4, 5, 6, 7]] * 2


@pytest.mark.parametrize("close", ["", "}\n"], ids=["deep", "wide"])
def test_a_tree_of_thousands_of_joints_is_refused_and_overflows_nothing(save, close) -> None:
    joint = "JOINT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n"
    text = "HIERARCHY\nROOT" + joint[5:] + (joint + close) * 2_000
    with pytest.raises(SkeletonFormatError, match="hierarchy: expected at most 128 joints"):
        read_bvh(save(text, "a.bvh"))
