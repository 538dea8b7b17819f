"""Names and what the grammar makes of them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.errors import LabelError
from infocpl.semantics.grammar import CONFIDENT, read_name
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.mirror import mirror_text, mirror_traits
from infocpl.semantics.traits import TRAIT_VALUES


def traits(name):
    found = read_name(name).traits
    assert found is not None, name
    return found


# --- limbs and sides ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "moving", "side"),
    [
        ("wave the left hand", ("left_arm",), "left"),
        ("wave both hands", ("left_arm", "right_arm"), "both"),
        ("wave", ("right_arm",), "either"),
        ("punch with the right fist", ("right_arm", "torso"), "right"),
        ("left punch", ("left_arm", "torso"), "left"),
        ("kick with the left foot", ("left_leg", "torso"), "left"),
        ("lift the right leg", ("right_leg",), "right"),
        ("raise both legs", ("left_leg", "right_leg"), "both"),
        ("push with the foot", ("right_leg", "torso"), "either"),
        ("two handed throw", ("left_arm", "right_arm", "torso"), "both"),
        ("one-handed catch", ("right_arm",), "either"),
        ("knee extension of the left leg", ("left_leg",), "left"),
        ("elbow flexion", ("right_arm",), "either"),
        ("turn the head", ("head",), "none"),
    ],
)
def test_limbs_and_sides_are_those_of_the_name(name, moving, side):
    assert (traits(name).moving, traits(name).side) == (moving, side)


def test_left_and_right_are_mirror_images():
    for name in (
        "kick sideways with the left leg",
        "wave the left hand",
        "circle the left arm",
        "left uppercut",
        "lift the left knee",
        "turn left",
        "lean to the left",
    ):
        mirrored = mirror_traits(traits(name))
        other = traits(mirror_text(name))
        for trait in TRAIT_VALUES:
            mine, theirs = getattr(mirrored, trait), getattr(other, trait)
            assert set(mine) == set(theirs) if isinstance(mine, tuple) else mine == theirs, name


def test_alternating_limbs_take_turns():
    found = traits("alternating arm raises")
    assert (found.symmetry, found.side, found.repetition) == ("alternating", "both", "few")


# --- directions, heights, planes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "directions"),
    [
        ("walk backward", ("backward",)),
        ("walk forward", ("forward",)),
        ("kick sideways", ("outward", "up")),
        ("raise the arm forward", ("forward", "up", "down")),
        ("raise the arms sideways", ("outward", "up", "down")),
        ("swing the arms back and forth", ("forward", "backward")),
        ("swing the arms from side to side", ("left", "right")),
        ("lean to the right", ("right", "up")),
        ("turn right", ("right",)),
        ("draw a circle clockwise", ("clockwise",)),
        ("draw a circle anti-clockwise", ("counterclockwise",)),
        ("look down", ("down", "forward")),
        ("climb down the stairs", ("down", "forward")),
        ("hip abduction", ("outward", "inward")),
        ("throw upward", ("up",)),
    ],
)
def test_directions_of_the_name_replace_those_of_the_action(name, directions):
    assert traits(name).directions == directions


@pytest.mark.parametrize(
    ("name", "height"),
    [
        ("raise the arms above the head", "overhead"),
        ("raise the arm overhead", "overhead"),
        ("punch at head height", "head"),
        ("touch the nose", "head"),
        ("touch the knee", "knee"),
        ("scratch the foot", "floor"),
        ("rub the belly", "waist"),
    ],
)
def test_heights_follow_words_and_places_of_the_body(name, height):
    assert traits(name).heights[0] == height


@pytest.mark.parametrize(
    ("name", "contact"),
    [
        ("touch the nose", "face"),
        ("touch the head", "head"),
        ("rub the belly", "torso"),
        ("scratch the knee", "own_leg"),
        ("scratch the elbow", "own_arm"),
        ("rub the hands together", "own_hand"),
        ("finger to nose", "face"),
        ("pick up a box", "object"),
        ("hug a friend", "other_person"),
    ],
)
def test_contact_is_with_what_is_reached(name, contact):
    assert contact in traits(name).contact


def test_planes_follow_the_directions():
    assert traits("kick sideways").planes == ("frontal",)
    assert traits("kick").planes == ("sagittal",)
    assert traits("shake the head").planes == ("horizontal",)


# --- number, manner, negation -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "repetition"),
    [
        ("kick", "once"),
        ("kick twice", "few"),
        ("kicks", "few"),
        ("kick three times", "few"),
        ("kick 25 times", "continuous"),
        ("kick repeatedly", "continuous"),
        ("clap once", "once"),
        ("walk", "continuous"),
    ],
)
def test_repetition_follows_numbers_and_plurals(name, repetition):
    assert traits(name).repetition == repetition


@pytest.mark.parametrize(
    ("name", "trait", "value"),
    [
        ("sit down slowly", "speed", "slow"),
        ("wave quickly", "speed", "fast"),
        ("push hard", "speed", "explosive"),
        ("small arm circles", "amplitude", "small"),
        ("wide arm circles", "amplitude", "large"),
    ],
)
def test_manner_sets_speed_and_size(name, trait, value):
    assert getattr(traits(name), trait) == value


@pytest.mark.parametrize(
    "name",
    ["sit to stand without using the arms", "get up from the floor without arms", "jump, no arms"],
)
def test_what_is_left_out_does_not_move(name):
    found = traits(name)
    assert not {"left_arm", "right_arm"} & set(found.moving)
    assert found.arms == ("none",)


# --- reversal pairs and particles ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "trait"),
    [
        ("sit down", "stand up", "posture_end"),
        ("put on glasses", "take off glasses", "directions"),
        ("put on a hat", "take off a hat", "heights"),
        ("put on shoes", "take off shoes", "directions"),
        ("open a drawer", "close a drawer", "directions"),
        ("open a jar", "close a bottle", "directions"),
        ("pick up a box", "put down a box", "heights"),
        ("push", "pull", "directions"),
        ("step up", "step down", "directions"),
        ("climb up", "climb down", "directions"),
        ("tie a knot", "untie a knot", "repetition"),
        ("raise the arm", "lower the arm", "directions"),
        ("lie down", "get up from the floor", "posture_end"),
    ],
)
def test_actions_that_undo_each_other_differ(one, other, trait):
    assert getattr(traits(one), trait) != getattr(traits(other), trait)


@pytest.mark.parametrize(
    ("apart", "together"),
    [
        ("put the hat on", "put on the hat"),
        ("take your jacket off", "take off your jacket"),
        ("pick the heavy box up", "pick up the heavy box"),
        ("throw the paper away", "throw away the paper"),
        ("switch the light off", "switch off the light"),
    ],
)
def test_a_particle_may_stand_apart_from_its_verb(apart, together):
    assert traits(apart) == traits(together)


def test_a_particle_before_a_place_is_no_particle():
    assert read_name("put the hat on the table").scene.frame.key == "put"


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("sit down", "standing", "sitting"),
        ("stand up from a chair", "sitting", "standing"),
        ("stand up from kneeling", "kneeling", "standing"),
        ("from sitting to standing", "sitting", "standing"),
        ("supine to sitting", "lying", "sitting"),
        ("lie down", "sitting", "lying"),
        ("kneel down", "standing", "kneeling"),
        ("squat down", "standing", "crouching"),
        ("arm curl in sitting", "sitting", "sitting"),
        ("leg raise lying on the back", "lying", "lying"),
        ("standing hip abduction", "standing", "standing"),
        ("seated march", "sitting", "sitting"),
    ],
)
def test_postures_are_told_and_changed(name, start, end):
    assert (traits(name).posture_start, traits(name).posture_end) == (start, end)


# --- things, persons ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "thing", "tool"),
    [
        ("drink from a cup", "a cup", ""),
        ("hammer a tack", "a nail", "a hammer"),
        ("cut paper with scissors", "paper", "scissors"),
        ("throw a frisbee", "a flying disc", ""),
        ("carry a child", "a child", ""),
        ("read a book", "a book", ""),
        ("juggle five torches", "the torches", ""),
        ("throw a boomerang", "a boomerang", ""),
        ("polish the gizmo", "the gizmo", ""),
    ],
)
def test_things_are_handled_or_used(name, thing, tool):
    scene = read_name(name).scene
    assert (scene.thing, scene.tool) == (thing, tool)


@pytest.mark.parametrize(
    ("name", "different"),
    [
        ("brush the teeth", "brush the hair"),
        ("wash the hands", "wash the face"),
        ("open a door", "open an umbrella"),
        ("swing a golf club", "swing the legs"),
        ("play the piano", "play the violin"),
        ("throw a dart", "throw a basketball"),
        ("put on a hat", "put on shoes"),
        ("ride a bike", "ride a horse"),
        ("pick fruit", "pick up a phone"),
    ],
)
def test_what_it_is_done_to_changes_the_movement(name, different):
    assert traits(name).to_dict() != traits(different).to_dict()


@pytest.mark.parametrize(
    ("name", "persons", "relation"),
    [
        ("kick the other person", "two", "strike"),
        ("push someone", "two", "strike"),
        ("hug", "two", "touch"),
        ("wave at a friend", "two", "face"),
        ("follow another person", "two", "follow"),
        ("two people walk towards each other", "two", "approach"),
        ("walk away from each other", "two", "depart"),
        ("a person walking", "one", "none"),
        ("kick a ball", "one", "none"),
    ],
)
def test_two_people_and_what_one_does_to_the_other(name, persons, relation):
    assert (traits(name).persons, traits(name).relation) == (persons, relation)


# --- several actions ----------------------------------------------------------------------------


def test_two_actions_in_a_row_are_both_told():
    found = traits("pick up a ball and throw it")
    assert {"down", "forward"} <= set(found.directions)
    assert found.heights[0] == "floor"
    assert len(read_name("pick up a ball and throw it").scene.does) == 2


def test_two_actions_at_once_share_the_body():
    found = traits("walking while talking on the phone")
    assert found.locomotion == "walking"
    assert "right_arm" in found.moving
    assert "face" in found.contact


def test_a_general_word_beside_a_special_one_adds_nothing():
    assert traits("front crawl swimming") == traits("front crawl")
    assert traits("doing squats") == traits("squats")
    assert traits("squat exercise") == traits("squat")


# --- confidence and what is said about the words ------------------------------------------------


def test_unknown_words_are_listed_and_cost_confidence():
    sure, unsure = read_name("kick a ball"), read_name("kick a flumph wickedly")
    assert sure.unknown == ()
    assert unsure.unknown == ("flumph", "wickedly")
    assert 1 == sure.confidence > unsure.confidence > 0


@pytest.mark.parametrize("name", ["zorb", "the gloop of quonk", "!?", "42", "日本語", "with the"])
def test_a_name_that_means_nothing_gives_no_action(name):
    found = read_name(name)
    assert found.confidence == 0
    assert found.traits is None


@pytest.mark.parametrize(
    ("name", "confidence"),
    [
        ("kick", 1.0),
        ("binoculars", 0.0),  # a thing alone says too little
        ("razor", 0.8),
        ("finger to nose", 0.8),
        ("left arm upward", 0.65),
        ("use something", 0.5),
        ("kick zorb", 0.75),
        ("jugling", 0.75),
    ],
)
def test_the_confidence_is_the_documented_one(name, confidence):
    assert read_name(name).confidence == confidence


def test_a_misspelt_word_is_read_and_said_so():
    (word,) = read_name("jugling").words
    assert (word.kind, word.meaning, word.spelt) == ("action", "juggle", "juggle")
    assert "jugling (read as juggle)" in read_name("jugling").explain()


def test_every_word_is_accounted_for_in_order():
    found = read_name("slowly raise the left arm with a zorb twice")
    assert " ".join(word.text for word in found.words) == found.name
    kinds = {word.text: word.kind for word in found.words}
    assert kinds["slowly"] == "manner"
    assert kinds["left"] == "side"
    assert kinds["arm"] == "part of the body"
    assert kinds["zorb"] == "unknown"
    assert kinds["twice"] == "repetition"


@pytest.mark.parametrize("name", ["", "   ", "x" * 600, "a\0b"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(LabelError):
        read_name(name)


def test_every_phrase_of_the_vocabulary_is_read_as_its_action():
    vocabulary = load_vocabulary()
    for meanings in vocabulary.index.values():
        for meaning in meanings:
            if meaning.kind == "action":
                found = read_name(" ".join(meaning.words))
                assert found.scene is not None, meaning
                assert found.scene.frame.key == meaning.value, meaning


PHRASES = sorted(
    " ".join(meaning.words) for meanings in load_vocabulary().index.values() for meaning in meanings
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=6))
def test_any_heap_of_known_words_gives_traits_or_none_and_no_error(phrases):
    found = read_name(" ".join(phrases))
    assert 0 <= found.confidence <= 1
    assert not found.unknown
    assert (found.traits is None) == (found.scene is None)
    if found.confidence >= CONFIDENT:
        assert found.traits is not None


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=40).filter(lambda text: text.strip()))
def test_any_readable_text_gives_a_reading(text):
    try:
        found = read_name(text)
    except LabelError:
        return
    assert 0 <= found.confidence <= 1


def test_reading_is_the_same_every_time():
    rng = random.Random(3)
    for _ in range(50):
        name = " ".join(rng.sample(PHRASES, 4))
        assert read_name(name) == read_name(name)
