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


def test_the_layouts_of_the_four_datasets_ship_with_the_package() -> None:
    assert {"kinect20", "ntu25", "sbu15"} <= set(list_layouts())
    assert list_layouts() == sorted(list_layouts())


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
