"""Choosing among sentences."""

from __future__ import annotations

import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics.grammar.writer import Writer, fit, sentence

FIRST = "the left hand rises slowly beside the head"
SECOND = "the right foot is set far out to the side"


def test_a_sentence_has_a_capital_and_one_full_stop():
    assert sentence(" the  hand rises ,then sinks. ") == "The hand rises,then sinks."
    assert sentence("up") == "Up."


def test_additions_are_made_while_they_fit():
    assert fit("one two", [" three", " four five", " six"], 4) == "one two three six"
    assert fit("one two", ["", " three"], 2) == "one two"


def test_the_first_sentence_that_keeps_the_rules_is_taken():
    writer = Writer()
    assert writer.pick("details", ["too short", FIRST, SECOND]) == f"T{FIRST[1:]}."
    # In nearly the same words it would be a repeat, even in another field.
    assert writer.pick("parts", [f"{FIRST} now", SECOND]) == f"T{SECOND[1:]}."


def test_too_long_is_as_bad_as_too_short():
    with pytest.raises(SemanticsError, match="expected 1 sentences for parts, got 0"):
        Writer().pick("parts", ["short", " ".join(["word"] * 25)])


def test_several_sentences_are_found_or_missed_together():
    assert len(Writer().several("details", 2, [FIRST, FIRST, SECOND])) == 2
    with pytest.raises(SemanticsError, match="expected 3 sentences for details, got 2"):
        Writer().several("details", 3, [FIRST, FIRST, SECOND])
