"""Words of a name, and what each may be a form of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.semantics.grammar.words import tokenise, word_forms


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Side Kick", ["side", "kick"]),
        ("push-ups", ["push", "ups"]),
        ("put on a hat/cap", ["put", "on", "a", "hat", "cap"]),
        ("touch other person's pocket", ["touch", "other", "person's", "pocket"]),
        ("don’t move", ["don't", "move"]),
        ("rock & roll (3x)", ["rock", "and", "roll", "3", "x"]),
        ("lift_left_leg", ["lift", "left", "leg"]),
        ("  ", []),
        ("!?", []),
    ],
)
def test_names_are_cut_into_words(name, words):
    assert [token.text for token in tokenise(name, {})] == words


@pytest.mark.parametrize(
    ("word", "base"),
    [
        ("kicks", "kick"),
        ("kicking", "kick"),
        ("kicked", "kick"),
        ("running", "run"),
        ("stirred", "stir"),
        ("waving", "wave"),
        ("waved", "wave"),
        ("carries", "carry"),
        ("carried", "carry"),
        ("pushes", "push"),
        ("washes", "wash"),
        ("goes", "go"),
        ("scarves", "scarf"),
        ("knives", "knife"),
        ("presses", "press"),
        ("pressing", "press"),
        ("child's", "child"),
        ("rolling", "roll"),
        ("untying", "untie"),
    ],
)
def test_a_form_leads_back_to_its_base(word, base):
    assert base in word_forms(word, {"untying": "untie"})


@pytest.mark.parametrize("word", ["press", "glass", "is", "sing", "red", "bus"])
def test_a_word_is_always_a_form_of_itself(word):
    assert word_forms(word, {})[0] == word


def test_irregular_forms_come_from_the_table():
    assert word_forms("threw", {"threw": "throw"}) == ("threw", "throw")


def test_endings_tell_actions_from_things_and_plurals_from_singulars():
    going, bus, class_ = tokenise("jumping kicks class", {})
    assert (going.progressive, bus.progressive) == (True, False)
    assert (bus.plural, class_.plural) == (True, False)


@given(st.text(max_size=60))
def test_any_text_is_cut_into_words_without_white_space(text):
    for token in tokenise(text, {"feet": "foot"}):
        assert token.text.strip() == token.text != ""
        assert token.forms[0] == token.text
