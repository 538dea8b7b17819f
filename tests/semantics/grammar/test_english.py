"""English: agreement, gerunds, articles, lists."""

from __future__ import annotations

import pytest

from infocpl.semantics.grammar.english import NounPhrase, article, definite, gerund, join_words


@pytest.mark.parametrize(
    ("verb", "one", "many"),
    [
        ("move", "moves", "move"),
        ("push away", "pushes away", "push away"),
        ("go", "goes", "go"),
        ("carry", "carries", "carry"),
        ("sway", "sways", "sway"),
        ("be bent", "is bent", "are bent"),
        ("have rest", "has rest", "have rest"),
    ],
)
def test_verbs_agree_with_their_subject(verb, one, many):
    assert NounPhrase("the hand").verb(verb) == one
    assert NounPhrase("both hands", plural=True).verb(verb) == many


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("swings one leg", "swinging one leg"),
        ("sits down", "sitting down"),
        ("runs, leaps", "running leaps"),
        ("ties a knot", "tying a knot"),
        ("lies flat", "lying flat"),
        ("carries a box", "carrying a box"),
        ("washes a cup", "washing a cup"),
        ("raises both hands", "raising both hands"),
        ("opens a door", "opening a door"),
        ("whirls round", "whirling round"),
        ("dips low", "dipping low"),
        ("kneels", "kneeling"),
        ("goes on", "going on"),
    ],
)
def test_a_phrase_becomes_a_name(phrase, expected):
    assert gerund(phrase) == expected


def test_words_are_joined_as_in_speech():
    assert join_words([]) == ""
    assert join_words(["up"]) == "up"
    assert join_words(["up", "left", "right"]) == "up, left and right"


@pytest.mark.parametrize(
    ("phrase", "known"),
    [
        ("a ball", "the ball"),
        ("an umbrella", "the umbrella"),
        ("clothes", "the clothes"),
        ("several balls", "the balls"),
        ("two weights", "the weights"),
        ("the torches", "the torches"),
    ],
)
def test_what_was_named_once_is_known(phrase, known):
    assert definite(phrase) == known


def test_the_article_is_that_of_the_sound():
    assert [article("ball"), article("umbrella"), article("explosive arc")] == ["a", "an", "an"]
