"""Frames: what a record takes from its family, and what follows from its fields."""

from __future__ import annotations

import pytest

from infocpl.semantics.grammar.frames import Frame, make_frame, planes_of
from infocpl.semantics.grammar.scene import Scene, parts_of, side_of

FAMILIES = {
    "swing": {
        "moving": ["arms", "torso"],
        "directions": ["left", "forward"],
        "planes": ["horizontal"],
        "symmetry": "asymmetric",
        "speed": "fast",
        "begin": "gets ready",
        "finish": "rests",
        "why": "hit",
    },
    "kick": {
        "moving": ["leg"],
        "directions": ["up"],
        "why": "kick it",
        "begin": "x",
        "finish": "y",
    },
}


def frame(record: dict[str, object]) -> Frame:
    return make_frame("act", {"family": "swing", "does": "swings it about", **record}, FAMILIES)


def test_what_a_record_does_not_say_comes_from_its_family():
    made = frame({"speed": "slow"})
    assert (made.key, made.speed, made.symmetry) == ("act", "slow", "asymmetric")
    assert made.moving == ("arms", "torso")
    assert (made.begin, made.does) == ("gets ready", "swings it about")


def test_other_directions_have_planes_of_their_own():
    assert frame({}).planes == ("horizontal",)
    assert frame({"directions": ["up"]}).planes == ()
    assert frame({"directions": ["up"], "planes": ["frontal"]}).planes == ("frontal",)


def test_another_leading_limb_has_a_symmetry_of_its_own():
    assert frame({"moving": ["arms", "head"]}).symmetry == "asymmetric"
    assert frame({"moving": ["leg"]}).symmetry == ""
    assert frame({"moving": ["leg"], "symmetry": "alternating"}).symmetry == "alternating"


def test_a_variant_takes_over_from_the_action_or_from_its_own_family():
    made = frame(
        {"speed": "slow", "with": {"ball": {"directions": ["up"]}, "can": {"family": "kick"}}}
    )
    ball, can = made.variants["ball"], made.variants["can"]
    assert (ball.speed, ball.directions, ball.moving) == ("slow", ("up",), ("arms", "torso"))
    assert (can.speed, can.moving) == ("moderate", ("leg",))
    assert (ball.key, can.key) == ("act", "act")


def test_the_purpose_of_a_variant_is_the_actions_own_or_left_to_the_thing():
    variants = {"ball": {}, "can": {"family": "kick"}, "cup": {"why": "drink"}}
    assert [frame({"with": variants}).variants[name].why for name in variants] == ["", "", "drink"]
    own = frame({"why": "play", "with": variants})
    assert [own.variants[name].why for name in variants] == ["play", "play", "drink"]


@pytest.mark.parametrize(
    ("directions", "planes"),
    [
        ((), ()),
        (("up", "down"), ("sagittal",)),
        (("forward",), ("sagittal",)),
        (("left", "right"), ("frontal",)),
        (("outward", "up"), ("frontal",)),
        (("forward", "outward"), ("sagittal", "frontal")),
        (("clockwise",), ("frontal",)),
        (("towards_face",), ("sagittal",)),
    ],
)
def test_planes_are_those_that_hold_the_directions(directions, planes):
    assert planes_of(directions) == planes


@pytest.mark.parametrize(
    ("moving", "side"),
    [
        (("arm", "torso"), "either"),
        (("arms",), "both"),
        (("legs", "arm"), "both"),
        (("leg",), "either"),
        (("head",), "none"),
        (("torso", "arms"), "none"),
    ],
)
def test_whose_side_acts_follows_from_the_leading_limb(moving, side):
    made = Frame("act", moving=moving)
    assert side_of(made) == side
    assert side_of(made.change(side="left")) == "left"


@pytest.mark.parametrize(
    ("moving", "side", "parts"),
    [
        (("arm",), "left", ("left_arm",)),
        (("arm",), "right", ("right_arm",)),
        (("arm", "head"), "either", ("right_arm", "head")),
        (("legs", "torso"), "both", ("left_leg", "right_leg", "torso")),
        (("legs", "leg"), "left", ("left_leg", "right_leg")),
        (("left_arm", "torso"), "right", ("left_arm", "torso")),
    ],
)
def test_limbs_become_parts_of_the_body(moving, side, parts):
    assert parts_of(moving, side) == parts


def test_a_scene_derives_symmetry_from_its_limbs():
    one, both = Frame("a", moving=("leg",)), Frame("a", moving=("legs",))
    assert Scene("a", one, "either", ("x",)).traits.symmetry == "one_sided"
    assert Scene("a", both, "both", ("x",)).traits.symmetry == "symmetric"
    told = both.change(symmetry="alternating")
    assert Scene("a", told, "both", ("x",)).traits.symmetry == "alternating"
