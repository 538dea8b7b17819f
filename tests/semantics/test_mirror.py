"""Left for right: twice is none at all, and only directions are exchanged."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.semantics import compose, list_lexicons, load_lexicon, mirror_entry, mirror_text
from infocpl.semantics.mirror import mirror_traits
from infocpl.semantics.traits import Traits

from .test_traits import any_traits

WORDS = (
    *("left", "right", "Left", "RIGHT", "leftward", "rightwards", "leftmost", "clockwise"),
    *("counterclockwise", "Counterclockwise", "the", "is", "to", "out", "angle", "above", "hand"),
    *("nothing", "behind", "arm", "from", "over", "before", "leftover", "bright", "and", "far"),
)
phrases = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
ENTRIES = [entry for name in list_lexicons() for entry in load_lexicon(name).entries]


@given(phrases)
def test_mirroring_twice_changes_nothing(text: str) -> None:
    assert mirror_text(mirror_text(text)) == text


@given(st.text(max_size=40) | phrases.map(lambda text: text.replace("clock", "Counter clock")))
def test_any_text_settles_after_one_mirroring(text: str) -> None:
    once = mirror_text(text)
    assert mirror_text(mirror_text(once)) == once


@given(any_traits())
def test_mirrored_traits_are_mirrored_back(traits: Traits) -> None:
    assert mirror_traits(mirror_traits(traits)) == traits


def one_spelling(text: str) -> str:
    return re.sub("(counter|anti)[ -]?clockwise", "counterclockwise", text)


def test_every_shipped_entry_is_mirrored_back() -> None:
    for entry in ENTRIES:
        back = mirror_entry(mirror_entry(entry))
        assert back.name == one_spelling(entry.name)
        assert back.to_dict() == json.loads(one_spelling(json.dumps(entry.to_dict())))


@pytest.mark.parametrize(
    ("text", "mirrored"),
    [
        ("The left arm and the right leg.", "The right arm and the left leg."),
        ("LEFT, Right; leftwards!", "RIGHT, Left; rightwards!"),
        ("It turns from left to right.", "It turns from right to left."),
        ("The left-hand side.", "The right-hand side."),
        ("A circle drawn clockwise.", "A circle drawn counterclockwise."),
        ("A circle drawn counter-clockwise.", "A circle drawn clockwise."),
        ("Anticlockwise turns.", "Clockwise turns."),
        ("To the left above the head.", "To the right above the head."),
        ("The person's right.", "The person's left."),
    ],
)
def test_directions_are_exchanged(text: str, mirrored: str) -> None:
    assert mirror_text(text) == mirrored


@pytest.mark.parametrize(
    "text",
    [
        "The elbow bends to a right angle.",
        "Nothing is left in the hand.",
        "The chair is left behind.",
        "It stops right above the head.",
        "It is all right.",
        "A bright leftover.",
    ],
)
def test_words_that_are_no_directions_stay(text: str) -> None:
    assert mirror_text(text) == text


def test_a_mirrored_entry_speaks_of_the_other_side_throughout() -> None:
    entry = load_lexicon("synthetic")["wave the right hand"]
    other = mirror_entry(entry)
    assert other.name == "wave the left hand"
    assert other.traits.side == "left"
    assert other.parts["left_arm"] == mirror_text(entry.parts["right_arm"])
    assert "left" in other.parts["left_arm"].casefold()
    assert list(other.parts) == list(entry.parts)
    assert other.motion == mirror_text(entry.motion) != entry.motion
    assert len(compose(other)) == len(compose(entry))
