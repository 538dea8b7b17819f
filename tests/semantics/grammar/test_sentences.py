"""Composed sentences follow the traits: what changes in one is told where it belongs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.grammar.entries import compose_scene
from infocpl.semantics.grammar.reading import read_name
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.traits import TRAIT_VALUES


def scene(name: str = "wave the left hand", **changes: object) -> Scene:
    base = read_name(name).scene
    return replace(base, frame=base.frame.change(**changes)) if changes else base


def entry(name: str = "wave the left hand", **changes: object) -> LexiconEntry:
    return compose_scene(scene(name, **changes), dataset="test")


ATTRIBUTE_OF = {
    "path": "trajectory",
    "speed": "speed",
    "amplitude": "amplitude",
    "repetition": "periodicity",
    "symmetry": "symmetry",
    "locomotion": "locomotion",
}


@pytest.mark.parametrize("trait", list(ATTRIBUTE_OF))
def test_every_word_of_a_trait_is_told_differently(trait):
    told = {}
    for word in TRAIT_VALUES[trait]:
        made = entry(**{trait: word})
        assert getattr(made.traits, trait) == word
        told[word] = made.attributes[ATTRIBUTE_OF[trait]]
    assert len(set(told.values())) == len(told)


@pytest.mark.parametrize("posture", TRAIT_VALUES["posture_start"])
def test_postures_are_told_in_phases_and_attributes(posture):
    made = entry(start=posture, end=posture)
    word = {"bent": "bent forward", "standing": "standing upright"}.get(posture, posture)
    assert word in made.attributes["posture"]
    assert word in made.phases["start"].lower()
    changed = entry(start=posture, end="lying" if posture != "lying" else "standing")
    assert " to " in changed.attributes["posture"]


@pytest.mark.parametrize("direction", TRAIT_VALUES["directions"])
def test_directions_are_told_in_words(direction):
    words = {
        "left": "to the left",
        "right": "to the right",
        "inward": "in to the middle",
        "outward": "out to the side",
        "towards_face": "to the face",
        "towards_torso": "in to the body",
    }
    made = entry(directions=(direction,))
    assert words.get(direction, direction) in made.attributes["direction"]


@pytest.mark.parametrize("contact", [w for w in TRAIT_VALUES["contact"] if w != "none"])
def test_what_is_touched_is_told(contact):
    words = {
        "own_hand": "the other hand",
        "own_arm": "the arm",
        "own_leg": "the leg",
        "object": "thing",
        "other_person": "the other person",
        "torso": "the trunk",
    }
    made = entry(contact=(contact,))
    assert words.get(contact, f"the {contact}") in made.attributes["contact"]
    assert "touches nothing" in entry(contact=("none",)).attributes["contact"]


@pytest.mark.parametrize("relation", TRAIT_VALUES["relation"])
def test_how_two_people_stand_to_each_other_is_told(relation):
    alone = entry().attributes["persons"]
    told = entry(persons="two", relation=relation).attributes["persons"]
    assert told.startswith("Two people take part")
    assert alone.startswith("One person alone")


@pytest.mark.parametrize(
    ("name", "part", "words"),
    [
        ("wave the left hand", "left_arm", "rises"),
        ("clap", "right_arm", "mirror image"),
        ("box", "right_arm", "takes its turn"),
        ("walk", "left_leg", "takes the weight in turn"),
        ("jump", "right_leg", "at the same time"),
        ("run", "right_leg", "half a step later"),
        ("sit down", "left_leg", "lets the body down"),
        ("stand up", "left_leg", "straightens at knee and hip"),
        ("nod", "head", "carries the face"),
        ("bow", "torso", "leads from the hips"),
        ("arm curl in sitting", "left_leg", "rests bent before the seat"),
        ("wave the left hand lying on the back", "right_arm", "rests on the ground"),
        ("drink", "head", "towards the hand that comes to the face"),
        ("ride a bike", "left_arm", "is held steady"),
        ("lift a box", "left_leg", "straightens to help"),
    ],
)
def test_what_a_part_does_fits_the_action(name, part, words):
    assert words in entry(name).parts[part]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("walk", "hip joint travels over the ground"),
        ("jump", "goes up and comes down again"),
        ("sit down", "not the same at the end as at the start"),
        ("clap", "two wrists falls almost to zero"),
        ("drink", "falls to a few centimetres"),
        ("hug", "falls to almost nothing"),
        ("push someone", "closes in a flash"),
        ("follow someone", "distance between the two skeletons"),
    ],
)
def test_a_sensor_sees_what_the_action_shows(name, words):
    assert any(words in text for text in entry(name).sensor), entry(name).sensor


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hammer a tack", "A hammer is used on the nail, held in one hand."),
        ("drink from a cup", "A cup is handled with one hand"),
        ("shake hands", "only the two people"),
        ("jump", "both legs need no object"),
        ("nod", "the head needs no object"),
        ("climb a ladder", "a ladder"),
    ],
)
def test_things_and_tools_are_told_or_that_there_are_none(name, words):
    assert words in entry(name).objects or words in entry(name).objects.lower()


def test_the_motion_tells_beginning_middle_end_and_what_rests():
    told = entry("kick a ball with the left foot").motion
    for words in (
        "Standing upright",
        "shifts the weight onto the standing leg",
        "the left leg",
        "sets the left foot down again",
    ):
        assert words in told
    assert told.index("shifts") < told.index("snaps" if "snaps" in told else "swings")


def test_where_the_action_says_how_often_it_is_not_said_twice():
    first = entry("knead dough").definition[0]
    assert first.count("again and again") == 1


def test_names_are_never_put_into_the_sentences():
    made = entry("Zorbatically kick")
    for text in (*made.definition, made.motion, *made.details, *made.sensor, made.purpose):
        assert "zorb" not in text.lower()
