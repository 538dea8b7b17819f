"""Words of a name found in the vocabulary, and one meaning chosen for each."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.semantics.grammar.choose import choose_meanings
from infocpl.semantics.grammar.match import find_spans
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.grammar.words import tokenise

VOCABULARY = load_vocabulary()


def spans(name: str):
    tokens = tokenise(name, VOCABULARY.irregular)
    return tokens, find_spans(tokens, VOCABULARY)


def texts(name: str) -> list[str]:
    tokens, found = spans(name)
    return [" ".join(tokens[place].text for place in span.places) for span in found]


def meanings(name: str) -> dict[str, tuple[str, str]]:
    tokens, found = spans(name)
    reads = choose_meanings(found, tokens, VOCABULARY)
    return {
        " ".join(tokens[place].text for place in read.span.places): (read.kind, read.value)
        for read in reads
    }


@pytest.mark.parametrize(
    ("name", "divided"),
    [
        ("jump rope", ["jump rope"]),
        ("jumping ropes", ["jumping ropes"]),
        ("front crawl", ["front crawl"]),
        ("front kick", ["front kick"]),
        ("wash his hands", ["wash hands", "his"]),
        ("lift your left leg", ["lift leg", "your", "left"]),
        ("put the hat on", ["put on", "the", "hat"]),
        ("put the hat on the head", ["put", "the", "hat", "on", "the", "head"]),
        ("pick it up quickly", ["pick", "it", "up", "quickly"]),
        ("pick it up and throw", ["pick up", "it", "and", "throw"]),
        ("zorb kick", ["zorb", "kick"]),
        ("kick 12 times", ["kick", "12 times"]),
    ],
)
def test_the_longest_phrases_are_found(name, divided):
    assert texts(name) == divided


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="abcdeghiklnoprstuw '-", max_size=50))
def test_every_word_belongs_to_one_span(name):
    tokens, found = spans(name)
    places = sorted(place for span in found for place in span.places)
    assert places == list(range(len(tokens)))
    assert [span.start for span in found] == sorted(span.start for span in found)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("jugling", "juggle"),
        ("cartwheeel", "cartwheel"),
        ("somersalt", "somersault"),
        ("umbrela", "umbrella"),
        ("overhaed", "overhead"),
    ],
)
def test_a_slip_of_the_pen_is_forgiven(wrong, right):
    _, (span,) = spans(wrong)
    assert span.spelt == right
    assert span.meanings


@pytest.mark.parametrize("word", ["zorb", "flumph", "kwik", "xylology", "aaaaaaaaaa", "ale"])
def test_other_words_are_left_unknown(word):
    _, (span,) = spans(word)
    assert (span.spelt, span.meanings, span.kinds) == ("", (), ())


@pytest.mark.parametrize(
    ("name", "word", "kind"),
    [
        # a tool, or what is done with it
        ("hammer", "hammer", "action"),
        ("hammering", "hammering", "action"),
        ("carry a hammer", "hammer", "thing"),
        ("hit with a hammer", "hammer", "thing"),
        # a posture, or taking it up
        ("standing", "standing", "action"),
        ("standing hip abduction", "standing", "posture"),
        ("kick standing", "standing", "posture"),
        # a part of the body, or a strike with it
        ("elbow", "elbow", "action"),
        ("elbow flexion", "elbow", "body"),
        ("heading it", "heading", "action"),
        ("touch the head", "head", "body"),
        # the way back, or the back
        ("step back", "back", "way"),
        ("scratch back", "back", "body"),
        ("touch the back", "the back", "body"),
        ("back kick", "back kick", "action"),
        # words that colour others
        ("squat exercise", "exercise", "empty"),
        ("exercise", "exercise", "action"),
        ("walk around", "around", "way"),
    ],
)
def test_what_a_word_means_depends_on_its_company(name, word, kind):
    assert meanings(name)[word][0] == kind


def test_of_two_words_that_may_act_the_first_one_does():
    found = meanings("hammer saw")
    assert (found["hammer"][0], found["saw"][0]) == ("action", "thing")
