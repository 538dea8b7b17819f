"""HDM05's Acclaim files: real motions, an independent forward kinematics, round trips, refusals."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats import read_hdm05, read_skeleton
from infocpl.skeleton.formats.acclaim import (
    AcclaimMotion,
    joint_positions,
    read_amc,
    write_amc,
)
from infocpl.skeleton.formats.acclaim_skeleton import (
    AcclaimBone,
    AcclaimSkeleton,
    read_asf,
    write_asf,
)
from infocpl.skeleton.formats.hdm05 import HDM05_BONES, find_skeleton
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map

LAYOUT = create_layout("hdm05_31")
quick = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
ROOT = ("TX", "TY", "TZ", "RX", "RY", "RZ")

finite = st.floats(-1e3, 1e3, allow_nan=False).map(lambda x: round(x, 6))
triples = st.tuples(finite, finite, finite)
orders = st.sampled_from(["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])


@st.composite
def skeletons(draw) -> AcclaimSkeleton:
    """Any tree of bones, in any order in the file."""
    count = draw(st.integers(1, 6))
    names = [f"bone{i}" for i in range(count)]
    bones = [
        AcclaimBone(
            name,
            draw(triples),
            abs(draw(finite)),
            draw(triples),
            draw(orders),
            tuple(draw(st.lists(st.sampled_from(["rx", "ry", "rz"]), unique=True))),
        )
        for name in names
    ]
    parents = {name: draw(st.sampled_from(["root", *names[:at]])) for at, name in enumerate(names)}
    return AcclaimSkeleton(
        scale=draw(st.sampled_from([0.45, 1.0, 2.5])),
        order=tuple(draw(st.permutations(ROOT))),
        axis=draw(orders),
        position=draw(triples),
        orientation=draw(triples),
        bones=tuple(draw(st.permutations(bones))),
        parents=parents,
    )


def make_motion(skeleton: AcclaimSkeleton, frames: int, seed: int) -> AcclaimMotion:
    rng = np.random.default_rng(seed)
    widths = {"root": 6} | {bone.name: len(bone.free) for bone in skeleton.bones if bone.free}
    return AcclaimMotion(
        {name: rng.normal(scale=90, size=(frames, width)) for name, width in widths.items()}
    )


def turn(order: str, degrees) -> Rotation:
    """Rotations about fixed axes, one after the other as they are named."""
    return Rotation.from_euler(order.lower(), degrees, degrees=True)


def position_by_recursion(skeleton, motion, name: str, frame: int) -> tuple[np.ndarray, Rotation]:
    """Far end of a bone and the rotation of what hangs on it, walking up to the root."""
    if name == "root":
        row = dict(zip(skeleton.order, motion.values["root"][frame], strict=True))
        place = np.array(skeleton.position) + [row[axis] for axis in ("TX", "TY", "TZ")]
        own = turn(skeleton.axis, skeleton.orientation)
        moved = Rotation.identity()
        for key in skeleton.order:
            if key.startswith("R"):
                moved = turn(key[1], [row[key]]) * moved
        return place, own * moved * own.inv()
    start, above = position_by_recursion(skeleton, motion, skeleton.parents[name], frame)
    bone = next(bone for bone in skeleton.bones if bone.name == name)
    own = turn(bone.axis_order, bone.axis)
    moved = Rotation.identity()
    for axis, angle in zip(bone.free, motion.values.get(name, [[]] * 99)[frame], strict=True):
        moved = turn(axis[1], [angle]) * moved
    rotation = above * own * moved * own.inv()
    return start + np.ravel(rotation.apply(bone.direction)) * bone.length, rotation


@quick
@given(skeleton=skeletons(), seed=st.integers(0, 999), frames=st.integers(1, 3))
def test_forward_kinematics_equals_a_recursion_up_to_the_root(skeleton, seed, frames) -> None:
    motion = make_motion(skeleton, frames, seed)
    found = joint_positions(skeleton, motion)
    names = ["root", *(bone.name for bone in skeleton.bones)]
    assert found.shape == (frames, len(names), 3)
    for frame in range(frames):
        for at, name in enumerate(names):
            place, _ = position_by_recursion(skeleton, motion, name, frame)
            expected = np.ravel(place) * 0.0254 / skeleton.scale
            scale = max(1.0, float(np.abs(expected).max()))
            np.testing.assert_allclose(found[frame, at], expected, atol=1e-9 * scale)


@quick
@given(skeleton=skeletons(), seed=st.integers(0, 999), frames=st.integers(1, 3))
def test_skeleton_and_motion_are_read_back_exactly(tmp_path, skeleton, seed, frames) -> None:
    motion = make_motion(skeleton, frames, seed)
    write_asf(tmp_path / "a.asf", skeleton)
    write_amc(tmp_path / "a.amc", motion)
    assert read_asf(tmp_path / "a.asf") == skeleton
    again = read_amc(tmp_path / "a.amc", skeleton)
    assert set(again.values) == set(motion.values)
    for name, table in motion.values.items():
        np.testing.assert_array_equal(again.values[name], table)


# --- real motions -----------------------------------------------------------------------------


@pytest.fixture
def hdm05(real_data) -> Path:
    return real_data / "format_samples" / "hdm05"


@pytest.mark.parametrize(
    ("name", "frames"), [("squat1Reps_001_120", 140), ("depositFloorR_001_120", 301)]
)
def test_real_bones_keep_their_length_and_feet_the_floor(hdm05, name, frames) -> None:
    clip = read_skeleton(hdm05 / f"HDM_bd_{name}.amc")
    assert (clip.keypoints.shape, clip.fps, clip.units) == ((1, frames, 31, 3), 120.0, "m")
    assert clip.layout is LAYOUT
    bones = clip.keypoints[0] - clip.keypoints[0][:, LAYOUT.parent_index()]
    lengths = np.linalg.norm(bones, axis=-1)
    assert np.ptp(lengths, axis=0).max() < 1e-5
    asf = (hdm05 / "HDM_bd.asf").read_text(errors="replace")
    for bone, joint in HDM05_BONES.items():
        if bone != "root":
            said = float(re.search(rf"name {bone}\s.*?length (\S+)", asf, re.DOTALL)[1])
            expected = said * 2.54 / 100 / 0.45
            assert lengths[0, LAYOUT.index(joint)] == pytest.approx(expected, abs=1e-5)
    at = {joint: clip.keypoints[0, :, i] for i, joint in enumerate(LAYOUT.joints)}
    for side in ("left", "right"):
        assert -0.02 < at[f"{side}_foot"][:, 1].min() < 0.1
    assert 1.5 < np.ptp(clip.keypoints[0, 0, :, 1]) < 1.9  # standing at first


def test_a_real_squat_goes_down_and_up_on_standing_feet(hdm05) -> None:
    clip = read_hdm05(hdm05 / "HDM_bd_squat1Reps_001_120.amc")
    pelvis = clip.keypoints[0, :, 0, 1]
    assert pelvis[0] > 0.9
    assert pelvis.min() < 0.55
    assert pelvis[-1] > 0.9
    for side in ("left", "right"):
        foot = clip.keypoints[0, :, LAYOUT.index(f"{side}_foot")]
        assert np.ptp(foot, axis=0).max() < 0.06


def test_the_right_hand_lays_something_on_the_floor(hdm05) -> None:
    clip = read_hdm05(hdm05 / "HDM_bd_depositFloorR_001_120.amc")
    lowest = {
        side: clip.keypoints[0, :, LAYOUT.index(f"{side}_wrist"), 1].min()
        for side in ("left", "right")
    }
    assert lowest["right"] < 0.1
    assert lowest["left"] > 0.25


def test_a_real_motion_becomes_an_ntu_body_by_copying_every_joint(hdm05) -> None:
    clip = read_hdm05(hdm05 / "HDM_bd_squat1Reps_001_120.amc")
    chart = create_layout_map(clip.layout, create_layout("ntu25"))
    assert {entry.how for entry in chart.entries} == {"copied"}
    assert chart.apply(clip).present.all()


# --- where the skeleton is --------------------------------------------------------------------


def test_the_skeleton_is_the_one_whose_name_the_motion_begins_with(tmp_path) -> None:
    for name in ("HDM_b.asf", "HDM_bd.asf", "HDM_mm.ASF"):
        (tmp_path / name).touch()
    assert find_skeleton(tmp_path / "HDM_bd_walk.amc").name == "HDM_bd.asf"
    assert find_skeleton(tmp_path / "HDM_mm_walk.amc").name == "HDM_mm.ASF"
    with pytest.raises(SkeletonFormatError, match=r"skeleton: .*got 'HDM_b.asf, HDM_bd.asf, HDM"):
        find_skeleton(tmp_path / "HDM_tr_walk.amc")
    (tmp_path / "sub").mkdir()
    with pytest.raises(SkeletonFormatError, match=r"skeleton: .*got .no .asf file"):
        find_skeleton(tmp_path / "sub" / "walk.amc")
    (tmp_path / "sub" / "actor.asf").touch()
    assert find_skeleton(tmp_path / "sub" / "walk.amc").name == "actor.asf"


def test_motions_in_folders_by_class_share_the_skeleton_one_folder_up(tmp_path: Path) -> None:
    (tmp_path / "walk").mkdir()
    (tmp_path / "HDM_bd.asf").write_text("")
    (tmp_path / "HDM_mm.asf").write_text("")
    motion = tmp_path / "walk" / "HDM_bd_walk2Steps_001_120.amc"
    assert find_skeleton(motion) == tmp_path / "HDM_bd.asf"
    (tmp_path / "walk" / "HDM_bd.asf").write_text("")
    assert find_skeleton(motion) == tmp_path / "walk" / "HDM_bd.asf"
    # A stranger's skeleton above proves nothing.
    with pytest.raises(SkeletonFormatError, match="one folder up"):
        find_skeleton(tmp_path / "other" / "HDM_tr_walk.amc")


def test_a_skeleton_of_other_bones_is_refused(tmp_path) -> None:
    write_asf(tmp_path / "a.asf", SIMPLE)
    write_amc(tmp_path / "a.amc", make_motion(SIMPLE, 1, 0))
    with pytest.raises(
        SkeletonFormatError, match=r"a\.asf: bones: expected the thirty of HDM05, got"
    ):
        read_hdm05(tmp_path / "a.amc")


# --- refusals ---------------------------------------------------------------------------------

SIMPLE = AcclaimSkeleton(
    scale=0.45,
    order=ROOT,
    axis="XYZ",
    position=(0.0, 0.0, 0.0),
    orientation=(0.0, 0.0, 0.0),
    bones=(
        AcclaimBone("thigh", (0.0, -1.0, 0.0), 7.0, (0.0, 0.0, 20.0), "XYZ", ("rx", "ry", "rz")),
        AcclaimBone("shin", (0.0, -1.0, 0.0), 7.0, (0.0, 0.0, 20.0), "XYZ", ("rx",)),
        AcclaimBone("toe", (0.0, 0.0, 1.0), 1.0, (0.0, 0.0, 0.0)),
    ),
    parents={"thigh": "root", "shin": "thigh", "toe": "shin"},
)


@pytest.fixture
def simple_files(tmp_path) -> tuple[str, str]:
    write_asf(tmp_path / "s.asf", SIMPLE)
    write_amc(tmp_path / "s.amc", AcclaimMotion({n: np.ones((2, k)) for n, k in COUNTS.items()}))
    return (tmp_path / "s.asf").read_text(), (tmp_path / "s.amc").read_text()


COUNTS = {"root": 6, "thigh": 3, "shin": 1}
ASF_REFUSALS = {
    "no hierarchy": ((":hierarchy", ":other"), "sections: expected one called :hierarchy"),
    "a section twice": ((":hierarchy", ":units\n:hierarchy"), "every section once, got ':units'"),
    "no length unit that makes sense": (("length 0.45", "length 0"), "line 4: length: expected a"),
    "an angle unit of its own": (("angle deg", "angle grad"), "line 5: angle: expected one of deg"),
    "no axis of the root": (("  axis XYZ\n  position", "  position"), "root: expected order, axis"),
    "an axis order of its own": (("axis XYZ", "axis XXY"), "line 8: axis: .*got 'XXY'"),
    "a root that shears": (("order TX", "order SX"), "line 7: order: expected one of TX"),
    "a root that turns twice": (("order TX", "order RX"), "line 7: order: .*each once"),
    "a position of two": (("position 0.0 ", "position "), "line 9: position: expected 3 entries"),
    "a bone in a bone": (("    id 2", "begin"), "bone: expected end before the next begin"),
    "a bone outside": (("  begin\n    id 1", "id 1"), "line 12: bone: expected begin, got 'id'"),
    "a bone without a name": (("    name shin\n", ""), "bone: expected its name, got 'id, dir"),
    "a name twice": (("name shin", "name thigh"), "bones of different names, got 'thigh'"),
    "a bone called root": (("name shin", "name root"), "bones of different names, got 'root'"),
    "a direction of words": (("direction 0.0", "direction x"), "direction: .*finite number"),
    "a length of NaN": (("length 7.0", "length nan"), "length: expected a finite number"),
    "a length of a light year": (("length 7.0", "length 1e15"), "length: expected a number within"),
    "a motion that is no turn": (("dof rx ry rz", "dof rx ry l"), "dof: .*got 'l'"),
    "an unknown bone in the tree": (("    thigh shin", "    thigh fin"), "hierarchy: .*got 'fin'"),
    "an unknown parent": (("    thigh shin", "    leg shin"), "hierarchy: expected a bone"),
    "a bone without a parent": (("    shin toe\n", ""), "got none above 'toe'"),
    "a bone with two parents": (("root thigh", "root thigh shin"), "every bone below one other"),
    "a circle": (("root thigh", "toe thigh"), "every bone hanging on the root"),
    "a bone that does not end": (("  end\n:hierarchy", ":hierarchy"), "bone: expected end"),
}


@pytest.mark.parametrize(("change", "words"), ASF_REFUSALS.values(), ids=ASF_REFUSALS)
def test_a_broken_skeleton_is_refused_with_line_and_field(
    simple_files, save, change, words
) -> None:
    text = simple_files[0]
    assert change[0] in text
    with pytest.raises(SkeletonFormatError, match=words):
        read_asf(save(text.replace(*change, 1), "s.asf"))


AMC_REFUSALS = {
    "no frames": (lambda t: t[: t.index("1\n")], "content: expected frames, got none"),
    "an unknown keyword": (lambda t: t.replace(":DEGREES", ":GRADS"), "line 2: keyword: .*GRADS"),
    "a frame cut off": (lambda t: t[: t.rindex("shin")], "lines: expected 4 for each of"),
    "a line too many": (lambda t: t + "shin 1.0\n", "lines: expected 4 for each of"),
    "an unknown bone": (lambda t: t.replace("shin", "fin", 1), "line 6: bone: .*got 'fin'"),
    "a bone twice": (lambda t: t.replace("shin", "thigh", 1), "bone: .*got 'thigh'"),
    "frames of other order": (
        lambda t: "\n".join((lines := t.splitlines())[:-2] + lines[:-3:-1]),
        "line 9: bone: expected thigh, got 'shin'",
    ),
    "a frame number that stays": (lambda t: t.replace("\n2\n", "\n1\n"), "line 7: frame number"),
    "a number too few": (lambda t: t.replace("shin 1.0", "shin", 1), "line 6: line: expected 1"),
    "a number too many": (lambda t: t.replace("shin 1.0", "shin 1 2", 1), "line 6: line"),
    "NaN": (lambda t: t[: t.rindex("1.0")] + "nan", "line 10: shin rx: .*got 'nan'"),
    "a huge angle": (lambda t: t[: t.rindex("1.0")] + "1e300", "frame 2, number of shin 1"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), AMC_REFUSALS.values(), ids=AMC_REFUSALS)
def test_a_broken_motion_is_refused_with_line_and_field(simple_files, save, change, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_amc(save(change(simple_files[1]), "s.amc"), SIMPLE)


def test_comments_case_and_line_ends_do_not_matter(simple_files, save) -> None:
    asf, amc = simple_files
    asf = "# made by hand\r\n" + asf.replace("\n", "  \r\n").replace("axis XYZ", "axis xyz # own")
    assert read_asf(save(asf, "s.asf")) == SIMPLE
    amc = "#!OML:ASF C:\\x\r\n" + amc.replace("\n", "\r\n")
    assert read_amc(save(amc, "s.amc"), SIMPLE).frames == 2


def test_radians_are_turned_into_degrees(simple_files, save) -> None:
    asf, amc = simple_files
    skeleton = read_asf(save(asf.replace("angle deg", "angle rad"), "s.asf"))
    assert skeleton.bones[0].axis == pytest.approx(np.degrees([0.0, 0.0, 20.0]))
    motion = read_amc(save(amc.replace(":DEGREES", ":RADIANS"), "s.amc"), SIMPLE)
    np.testing.assert_allclose(motion.values["root"][0], [1, 1, 1, *np.degrees([1, 1, 1])])
    np.testing.assert_allclose(motion.values["shin"], np.degrees(np.ones((2, 1))))


def test_too_many_bones_are_refused(tmp_path) -> None:
    bones = tuple(replace(SIMPLE.bones[2], name=f"b{i}") for i in range(129))
    many = replace(SIMPLE, bones=bones, parents={bone.name: "root" for bone in bones})
    write_asf(tmp_path / "a.asf", many)
    with pytest.raises(SkeletonFormatError, match="at most 128 bones"):
        read_asf(tmp_path / "a.asf")
