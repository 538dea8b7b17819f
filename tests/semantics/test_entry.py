"""The rules of an entry: each with an entry that breaks it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics import LexiconEntry

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture
def dig(lexicon_data: dict[str, Any]) -> dict[str, Any]:
    return lexicon_data["classes"][0]


def set_in(*path: Any) -> Spoil:
    """A spoiler that puts the last of `path` at the place the others lead to."""
    *way, key, value = path

    def spoil(data: dict[str, Any]) -> None:
        holder: Any = data
        for step in way:
            holder = holder[step]
        holder[key] = value

    return spoil


def words(count: int) -> str:
    return " ".join(["Word", *(f"w{number}" for number in range(count - 1))]) + "."


def test_an_entry_is_what_it_was_made_of(dig: dict[str, Any]) -> None:
    entry = LexiconEntry.from_dict(dig, "garden")
    assert entry.to_dict() == dig
    assert LexiconEntry.from_dict(entry.to_dict(), "garden") == entry


def test_white_space_inside_a_sentence_is_evened_out(dig: dict[str, Any]) -> None:
    plain = LexiconEntry.from_dict(dig, "garden")
    dig["motion"] = dig["motion"].replace(" ", "\n   ")
    assert LexiconEntry.from_dict(dig, "garden") == plain
    assert LexiconEntry.from_dict(dig, "garden").hash == plain.hash


def test_the_hash_is_that_of_the_content_in_whatever_lexicon(dig: dict[str, Any]) -> None:
    one = LexiconEntry.from_dict(dig, "garden")
    assert LexiconEntry.from_dict(dig, "field").hash == one.hash
    dig["details"] = dig["details"][::-1]
    assert LexiconEntry.from_dict(dig, "garden").hash != one.hash


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda d: d.pop("motion"), "entry: expected the field 'motion', got none", id="missing"
        ),
        pytest.param(set_in("colour", "red"), "entry: .* got field 'colour'", id="surplus"),
        pytest.param(set_in("name", None), "name: expected text, got nothing", id="no name"),
        pytest.param(set_in("name", " "), "name: expected 1 to 512 characters, got 0", id="blank"),
        pytest.param(
            set_in("aliases", "spade work"), "a list of 4 to 6 names, got 'spade work'", id="alias"
        ),
        pytest.param(
            set_in("aliases", ["x"] * 3),
            "aliases: .* 4 to 6 names, got a list of 3",
            id="3 aliases",
        ),
        pytest.param(
            set_in("aliases", ["x"] * 7),
            "aliases: .* 4 to 6 names, got a list of 7",
            id="7 aliases",
        ),
        pytest.param(
            set_in("aliases", 1, 3), "alias 2: expected text, got 3", id="a number as alias"
        ),
        pytest.param(
            set_in("definition", "One only."), "definition: .* 2 sentences, got 'One", id="one text"
        ),
        pytest.param(
            set_in("definition", [words(9)]), "a list of 2 sentences, got a list of 1", id="one"
        ),
        pytest.param(
            set_in("definition", 1, words(31)), "definition 2: .*8 to 30 words, got 31", id="31"
        ),
        pytest.param(set_in("motion", words(19)), "motion: .*20 to 50 words, got 19", id="motion"),
        pytest.param(set_in("motion", words(51)), "20 to 50 words, got 51", id="long motion"),
        pytest.param(set_in("motion", True), "motion: expected a sentence, got True", id="true"),
        pytest.param(set_in("sensor", 2, words(7)), "sensor 3: .*8 to 24 words", id="sensor"),
        pytest.param(
            set_in("details", [words(8)] * 9), "details: .*10 sentences, got a list of 9", id="9"
        ),
        pytest.param(set_in("parts", {}), "parts: expected the field 'head', got none", id="parts"),
        pytest.param(set_in("parts", "tail", words(9)), "parts: .*got field 'tail'", id="tail"),
        pytest.param(set_in("parts", []), "parts: .*head.*, got a list of 0", id="parts as list"),
        pytest.param(set_in("phases", "end", None), r"phases\.end: .*got nothing", id="no end"),
        pytest.param(
            set_in("attributes", "plane", words(25)), r"attributes\.plane: .*5 to 24", id="plane"
        ),
        pytest.param(set_in("objects", "Hands only."), "objects: .*4 to 24 words, got 2", id="few"),
        pytest.param(set_in("contrast", []), "contrast: .*3 actions, got a list of 0", id="no"),
        pytest.param(
            set_in("contrast", 1, {"from": "rake"}), "contrast 2: .*field 'how', got none", id="how"
        ),
        pytest.param(
            set_in("contrast", 0, "how", "Too short a one."), "contrast 1: .*8 to 24", id="short"
        ),
        pytest.param(
            set_in("contrast", 0, "from", ""), "contrast 1: from: .*1 to 512", id="from nothing"
        ),
        pytest.param(set_in("traits", ["slow"]), "traits: expected fields, got a list", id="list"),
        pytest.param(
            set_in("traits", "speed", "quick"),
            r"traits\.speed: expected one of slow, moderate, fast, explosive, got quick",
            id="a word that is not in the vocabulary",
        ),
    ],
)
def test_a_broken_rule_is_named_with_place_field_and_finding(
    dig: dict[str, Any], spoil: Spoil, message: str
) -> None:
    spoil(dig)
    with pytest.raises(SemanticsError, match=f"^the answer: {message}|^the answer: .*{message}"):
        LexiconEntry.from_dict(dig, "garden", place="the answer")


@pytest.mark.parametrize(
    "text",
    [
        "the hand goes down and up again in a calm way.",
        "The hand goes down and up again in a calm way",
        "The hand goes down. Then it goes up again calmly.",
        "The hand goes down; then it goes up again calmly.",
        "The hand goes down: it goes up again quite calmly.",
        "The hand (the right one) goes down and up again.",
        'The hand goes "down" and then up again calmly.',
        "The hand goes down and up again with élan indeed.",
        "",
    ],
)
def test_a_text_that_is_not_one_plain_sentence_is_refused(dig: dict[str, Any], text: str) -> None:
    dig["purpose"] = text
    with pytest.raises(SemanticsError, match="purpose: expected one sentence of letters"):
        LexiconEntry.from_dict(dig, "garden")


def test_a_very_long_text_is_refused_unread(dig: dict[str, Any]) -> None:
    dig["purpose"] = "A" * 10_000
    with pytest.raises(SemanticsError, match="purpose: expected at most 400 characters, got 10000"):
        LexiconEntry.from_dict(dig, "garden")


@pytest.mark.parametrize("other", ["details", "parts"])
def test_a_sentence_in_nearly_the_same_words_is_refused(dig: dict[str, Any], other: str) -> None:
    dig["sensor"][0] = "The right wrist comes up to the height of the right shoulder slowly."
    again = "Slowly the right wrist comes up to the height of the shoulder."
    dig[other][3 if other == "details" else "torso"] = again
    with pytest.raises(SemanticsError, match="a sentence of its own, got nearly the words of"):
        LexiconEntry.from_dict(dig, "garden")


def test_near_repeats_are_those_of_a_plain_comparison_of_all_pairs(
    lexicon_data: dict[str, Any],
) -> None:
    """Sentences of six words out of eight, pairwise: the search that stops early misses none."""
    base = ["The", "right", "wrist", "comes", "up", "to", "shoulder", "height"]
    for dropped in range(3):
        entry = LexiconEntry.from_dict(lexicon_data["classes"][0], "garden").to_dict()
        kept = base[: len(base) - dropped]
        entry["details"][0] = " ".join([*base, "quite", "often"]) + "."
        entry["details"][1] = " ".join([*kept, "very", "seldom"]) + "."
        one, other = (frozenset(text.lower().strip(".").split()) for text in entry["details"][:2])
        alike = len(one & other) / len(one | other) > 0.8
        assert not alike
        LexiconEntry.from_dict(entry, "garden")
        entry["details"][1] = " ".join([*base, "quite", "often", "there"][: 11 - dropped]) + "."
        other = frozenset(entry["details"][1].lower().strip(".").split())
        if len(one & other) / len(one | other) > 0.8:
            with pytest.raises(SemanticsError, match="nearly the words"):
                LexiconEntry.from_dict(entry, "garden")
        else:
            LexiconEntry.from_dict(entry, "garden")
