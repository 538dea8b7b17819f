"""Sentences told with the gist of their action."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics import LexiconEntry, compose, list_lexicons, load_lexicon
from infocpl.semantics.compounds import constituents, related_rows
from infocpl.semantics.gists import carries_gist, share_gists, with_gist
from infocpl.semantics.mirror import mirror_entry, mirror_text
from infocpl.semantics.prompts import SINGLES

ENTRIES = [entry for name in list_lexicons() for entry in load_lexicon(name).entries]
GIST = "A cup is tipped."


@pytest.mark.parametrize(
    ("sentence", "kind", "key", "told"),
    [
        ("The arm rests.", "part", "head", "While a cup is tipped, the arm rests."),
        ("It moves while I wait.", "part", "head", "As a cup is tipped, it moves while I wait."),
        ("The hand is low.", "phase", "start", "Before a cup is tipped, the hand is low."),
        ("At first it is low.", "phase", "start", "At first it is low, before a cup is tipped."),
        ("The hand is low.", "phase", "end", "A cup is tipped, and in the end the hand is low."),
        ("At last it is low.", "phase", "end", "A cup is tipped, and at last it is low."),
        ("It is done for fun.", "purpose", "purpose", "A cup is tipped, which is done for fun."),
        ("In play it rests.", "detail", "1", "A cup is tipped, and in play it rests."),
        ("At first A, then B.", "phase-pair", "x", "When a cup is tipped, at first A, then B."),
        (
            "One drinks, and it is slow.",
            "definition-pair",
            "definition.1 + attribute.speed",
            "One drinks, and it is slow, so that a cup is tipped.",
        ),
    ],
)
def test_a_gist_is_joined_as_the_kind_of_sentence_asks(
    sentence: str, kind: str, key: str, told: str
) -> None:
    assert with_gist(sentence, GIST, kind, key) == told


def test_behind_a_sentence_it_stands_only_where_that_is_short_and_plain() -> None:
    short, long = "The arm rests.", "The arm rests, and the leg too."
    assert (
        with_gist(short, GIST, "part", "head", last=True) == "The arm rests while a cup is tipped."
    )
    assert with_gist(long, GIST, "part", "head", last=True).startswith("While a cup is tipped, ")


def test_every_single_sentence_but_names_and_definitions_carries_a_gist() -> None:
    for entry in ENTRIES:
        for row in compose(entry, SINGLES):
            told = [kind for kind, _ in constituents(row.granularity, row.key)[1:]] == ["gist"]
            assert told == carries_gist(row.granularity), (entry.name, row)


def test_nine_in_ten_sentences_say_their_gist_word_for_word() -> None:
    for name in list_lexicons():
        said = rows = 0
        for entry in load_lexicon(name).entries:
            for row in compose(entry):
                pieces = dict(constituents(row.granularity, row.key))
                rows += carries_gist(row.granularity)
                if "gist" in pieces:
                    gist = entry.gist[int(pieces["gist"]) - 1].rstrip(".")
                    assert gist[1:] in row.text, row
                    said += 1
        assert said >= 0.88 * rows, name


def test_every_sentence_with_a_gist_reads_as_one() -> None:
    for entry in ENTRIES:
        for row in compose(entry):
            if carries_gist(row.granularity):
                assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,'\-]*\.", row.text), row.text
                assert not re.search(r", , |, (and|so that|while) [A-Z][a-z]", row.text), row.text


def test_without_gists_sentences_stand_alone_and_are_the_same_kinds() -> None:
    entry = load_lexicon("nw-ucla")["carry"]
    plain, told = compose(replace(entry, gist=())), compose(entry)
    assert [row.granularity for row in plain] == [row.granularity for row in told]
    texts = {row.text for row in plain}
    assert {entry.parts["head"], entry.attributes["speed"], entry.purpose} <= texts


def test_gists_of_classes_of_a_dataset_are_all_different() -> None:
    for name in list_lexicons():
        gists = [gist for entry in load_lexicon(name).entries for gist in entry.gist]
        assert len(set(gists)) == len(gists) >= 3 * len(load_lexicon(name)), name


def test_rows_with_the_same_gist_are_related() -> None:
    rows = compose(ENTRIES[0], ["part"])
    related = related_rows(rows)
    numbers = [row.key.rpartition(".")[2] for row in rows]
    assert len(set(numbers)) == 3
    for i, one in enumerate(numbers):
        for j, other in enumerate(numbers):
            assert related[i, j] == (one == other)


def test_sentences_with_the_same_words_get_different_gists_or_none() -> None:
    rows = [("part", "The arm is bent.")] * 3
    assert share_gists(rows, ["A cup tips.", "One drinks."]) == [(0, False), (1, False), None]


def test_a_mirrored_entry_has_mirrored_gists() -> None:
    entry = load_lexicon("synthetic")["lean to the left"]
    assert mirror_entry(entry).gist == tuple(map(mirror_text, entry.gist))
    assert "left" in entry.gist[0]
    assert "right" in mirror_entry(entry).gist[0]


@pytest.mark.parametrize(
    ("gist", "message"),
    [
        (["A spade turns earth."], "gist: expected a list of 2 to 4 sentences"),
        (["A spade turns earth.", "Earth."], "gist 2: expected 4 to 14 words, got 1"),
        (["A spade turns earth.", "no capital here at all."], "gist 2: expected one sentence"),
        (["A spade turns the earth."] * 2, "got nearly the words of gist"),
    ],
)
def test_wrong_gists_are_refused(
    lexicon_data: dict[str, Any], gist: list[str], message: str
) -> None:
    with pytest.raises(SemanticsError, match=message):
        LexiconEntry.from_dict({**lexicon_data["classes"][0], "gist": gist}, "garden")


def test_gists_count_in_the_hash_and_survive_writing(lexicon_data: dict[str, Any]) -> None:
    data = lexicon_data["classes"][0]
    plain = LexiconEntry.from_dict(data, "garden")
    gist = ["A spade turns the earth.", "The person digs a deep hole."]
    told = LexiconEntry.from_dict({**data, "gist": gist}, "garden")
    assert plain.gist == ()
    assert told.gist == tuple(gist)
    assert plain.hash != told.hash
    assert LexiconEntry.from_dict(told.to_dict(), "garden") == told
