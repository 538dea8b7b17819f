from __future__ import annotations

import json
from importlib import resources

import pytest

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import (
    PART_NAMES,
    Layout,
    create_layout,
    layout_from_dict,
    list_layouts,
)

STICK = {
    "name": "stick",
    "joints": ["root", "left_end", "right_end"],
    "bones": [["left_end", "root"], ["right_end", "root"]],
    "symmetry": [["left_end", "right_end"]],
    "parts": {"torso": ["root"], "left_arm": ["left_end"], "right_arm": ["right_end"]},
    "center": "root",
}


SIZES = {
    "coco17": (17, 2), "halpe26": (26, 2), "openpose18": (18, 2), "openpose25": (25, 2),
    "hdm05_31": (31, 3), "kinect20": (20, 3), "mediapipe33": (33, 3), "ntu25": (25, 3),
    "sbu15": (15, 3), "smpl24": (24, 3),
}  # fmt: skip


def test_the_layouts_of_the_usual_sensors_and_estimators_ship_with_the_package() -> None:
    assert list_layouts() == sorted(SIZES)
    found = {name: (len(create_layout(name)), create_layout(name).dims) for name in SIZES}
    assert found == SIZES


# Places that the documentation of each estimator numbers, from memory of its figures.
NUMBERED = {
    "coco17": {0: "nose", 3: "left_ear", 5: "left_shoulder", 10: "right_wrist", 15: "left_ankle"},
    "halpe26": {4: "right_ear", 17: "head_top", 19: "pelvis", 20: "left_big_toe", 25: "right_heel"},
    "openpose18": {1: "neck", 2: "right_shoulder", 8: "right_hip", 13: "left_ankle",
                   17: "left_ear"},
    "openpose25": {4: "right_wrist", 8: "pelvis", 14: "left_ankle", 19: "left_big_toe",
                   24: "right_heel"},
    "mediapipe33": {2: "left_eye", 8: "right_ear", 11: "left_shoulder", 16: "right_wrist",
                    20: "right_index", 23: "left_hip", 28: "right_ankle", 31: "left_foot_index"},
    "smpl24": {0: "pelvis", 2: "right_hip", 4: "left_knee", 12: "neck", 15: "head",
               18: "left_elbow", 23: "right_hand"},
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERED)
def test_joints_stand_where_their_estimator_puts_them(name) -> None:
    joints = create_layout(name).joints
    assert {place: joints[place] for place in NUMBERED[name]} == NUMBERED[name]


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_names_the_joints_that_measure_a_body(name) -> None:
    for joint in ("shoulder", "elbow", "hip", "knee"):
        assert {f"left_{joint}", f"right_{joint}"} <= set(create_layout(name).joints)


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_exists_flat_and_spatial(name) -> None:
    plain = create_layout(name)
    for dims in (2, 3):
        other = create_layout(f"{name}-{dims}d")
        assert (other.dims, other.joints, other.bones) == (dims, plain.joints, plain.bones)
        assert other.name == (name if dims == plain.dims else f"{name}-{dims}d")
        assert create_layout(other.name) == other
    for bad in (f"{name}-4d", f"{name}-", f"-{name}", f"{name}-2d-3d"):
        with pytest.raises(LayoutError, match="unknown layout"):
            create_layout(bad)


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_is_a_symmetric_tree_with_parts(name) -> None:
    layout = create_layout(name)
    assert layout.name == name
    assert len(layout) == len(layout.joints)
    parents = layout.parent_index()
    center = layout.index(layout.center)
    assert [i for i, parent in enumerate(parents) if parent == i] == [center]
    for joint in range(len(layout)):
        for _ in range(len(layout)):
            joint = parents[joint]
        assert joint == center
    flipped = layout.flip_index()
    assert [flipped[i] for i in flipped] == list(range(len(layout)))
    for left, right in layout.symmetry:
        assert left.startswith("left_")
        assert right == "right_" + left.removeprefix("left_")
    # Mirroring the body maps bones onto bones.
    bones = {(i, parent) for i, parent in enumerate(parents)}
    assert {(flipped[a], flipped[b]) for a, b in bones} == bones
    covered = [i for part in layout.parts for i in layout.part_index(part)]
    assert sorted(covered) == list(range(len(layout)))
    for side, other in (("left", "right"), ("right", "left")):
        for limb in ("arm", "leg"):
            mirrored = sorted(flipped[i] for i in layout.part_index(f"{side}_{limb}"))
            assert mirrored == sorted(layout.part_index(f"{other}_{limb}"))


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_file_is_named_after_its_layout(name) -> None:
    file = resources.files("infocpl.skeleton") / "layouts" / f"{name}.json"
    assert json.loads(file.read_text(encoding="utf-8"))["name"] == name
    assert create_layout(name).description


def test_a_layout_is_made_once_and_can_be_a_key() -> None:
    assert create_layout("ntu25") is create_layout("ntu25")
    assert {create_layout("ntu25"): 1}[create_layout("ntu25")] == 1
    assert create_layout("ntu25") != create_layout("kinect20")


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(LayoutError, match=r"unknown layout 'ntu26'; known: .*ntu25"):
        create_layout("ntu26")
    with pytest.raises(LayoutError, match="no joint 'tail'; it has root, left_end, right_end"):
        layout_from_dict(STICK).index("tail")
    with pytest.raises(LayoutError, match=r"no part 'tail'; parts: .*left_arm"):
        layout_from_dict(STICK).part_index("tail")


def test_the_smallest_layout_works() -> None:
    layout = layout_from_dict(STICK)
    assert layout.parent_index() == [0, 0, 0]
    assert layout.flip_index() == [0, 2, 1]
    assert layout.part_index("torso") == [0]
    assert layout.dims == 3
    assert set(layout.parts) <= set(PART_NAMES)


REFUSALS = {
    "a joint twice": ({"joints": ["root", "left_end", "left_end"]}, r"named twice: \['left_end'\]"),
    "a bone to nowhere": ({"bones": [["left_end", "tail"], ["right_end", "root"]]}, "'tail'"),
    "a pair with nobody": ({"symmetry": [["left_end", "tail"]]}, "'tail' is not one"),
    "a foreign centre": ({"center": "tail"}, "'tail' is not one of its joints"),
    "an unknown part": ({"parts": {"wing": ["root", "left_end", "right_end"]}}, r"\['wing'\]"),
    "a joint in no part": ({"parts": {"torso": ["root", "left_end"]}}, "exactly once"),
    "a joint in two parts": (
        {"parts": {"torso": ["root", "left_end", "right_end"], "head": ["root"]}},
        "exactly once",
    ),
    "a bone too few": ({"bones": [["left_end", "root"]]}, "needs one parent"),
    "two parents": ({"bones": [["left_end", "root"], ["left_end", "right_end"]]}, "one parent"),
    "a cycle": ({"bones": [["left_end", "right_end"], ["right_end", "left_end"]]}, "tree"),
    "four dimensions": ({"dims": 4}, "dims must be 2 or 3, got 4"),
    "dims as a word": ({"dims": "many"}, "'stick' is malformed"),
    "a bone of one joint": ({"bones": [["left_end"]]}, "'stick' is malformed"),
    "joints as a number": ({"joints": 3}, "'stick' is malformed"),
}


@pytest.mark.parametrize(("change", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_malformed_layout_is_refused_with_the_reason(change, words) -> None:
    with pytest.raises(LayoutError, match=words):
        layout_from_dict(STICK | change)


@pytest.mark.parametrize("key", ["name", "joints", "bones", "symmetry", "parts", "center"])
def test_a_layout_without_a_field_is_refused(key) -> None:
    with pytest.raises(LayoutError, match=f"malformed: '{key}'"):
        layout_from_dict({k: v for k, v in STICK.items() if k != key})


def test_layouts_cannot_be_changed() -> None:
    layout = create_layout("ntu25")
    with pytest.raises(AttributeError):
        layout.name = "mine"  # type: ignore[misc]
    assert isinstance(layout, Layout)
