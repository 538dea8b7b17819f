"""Compound sentences: read well, made of known sentences, and never of resting parts alone."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.semantics import compose, list_lexicons, load_lexicon, mirror_text
from infocpl.semantics.compounds import COMPOUNDS, constituents, join, lower_first, related_rows
from infocpl.semantics.prompts import Description

ENTRIES = [entry for name in list_lexicons() for entry in load_lexicon(name).entries]


@pytest.mark.parametrize(
    ("sentence", "inside"),
    [
        ("The hand rises.", "the hand rises."),
        ("A hand rises.", "a hand rises."),
        ("I rise.", "I rise."),
        ("I'm rising.", "I'm rising."),
        ("X is drawn.", "X is drawn."),
        ("T-shirts are worn.", "T-shirts are worn."),
        ("TV is watched.", "TV is watched."),
        ("McX walks.", "McX walks."),
        ("", ""),
    ],
)
def test_the_first_letter_becomes_small_unless_it_is_a_name(sentence: str, inside: str) -> None:
    assert lower_first(sentence) == inside


def test_two_facts_of_one_moment_are_joined_by_while() -> None:
    assert join("The head rests.", "Both legs stand.") == "The head rests, while both legs stand."


def test_a_reason_is_added_with_and() -> None:
    assert join("A cup is held.", "One is thirsty.", "and") == "A cup is held, and one is thirsty."


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The head rests while the arm moves.", "Both legs stand still."),
        ("Both legs stand still.", "The head rests while the arm moves."),
        ("While the arm moves, the head rests.", "Both legs stand still."),
        ("The right hand rises fast.", "The right hand draws a line."),
    ],
)
def test_a_second_while_and_one_subject_twice_are_avoided(first: str, second: str) -> None:
    assert re.search(r"\., |\bwhile\b.*\bwhile\b", join(first, second)) is None
    assert ", and " in join(first, second)


@given(
    st.sampled_from(COMPOUNDS),
    st.lists(st.tuples(*[st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True)] * 2), min_size=1),
)
def test_the_key_of_a_compound_tells_what_it_is_made_of(
    kind: str, pieces: list[tuple[str, str]]
) -> None:
    key = " + ".join(f"{group}.{name}" for group, name in pieces)
    assert constituents(kind, key) == tuple(pieces)


def test_every_compound_is_made_of_the_sentences_its_key_names() -> None:
    for entry in ENTRIES:
        entry = replace(entry, gist=())
        rows = compose(entry)
        singles = {(row.granularity, row.key): row.text for row in rows}
        for row in rows:
            if row.granularity not in COMPOUNDS:
                continue
            said = row.text.casefold()
            pieces = constituents(row.granularity, row.key)
            assert len(pieces) in (2, 3)
            for piece in pieces:
                # A single sentence that two keys share is listed once.
                if piece in singles:
                    assert singles[piece].rstrip(".").casefold() in said, (row, piece)


def test_every_compound_reads_as_one_sentence() -> None:
    for entry in ENTRIES:
        for row in compose(entry, COMPOUNDS):
            assert re.fullmatch(r"[A-Z][A-Za-z0-9 ,'\-]*\.", row.text), row.text
            assert not re.search(r", (and|while|then) [A-Z][a-z]", row.text), row.text
            assert not re.search(r"At first (at first|first|in the)\b", row.text, re.I), row.text


def test_no_pair_of_parts_rests() -> None:
    for entry in ENTRIES:
        for row in compose(entry, ["part-pair"]):
            parts = [part for _, part in constituents(row.granularity, row.key)]
            assert set(parts) & set(entry.traits.moving), (entry.name, row.key)


def test_resting_limbs_that_mirror_each_other_are_told_of_once() -> None:
    for entry in ENTRIES:
        pairs: dict[str, list[str]] = {}
        for row in compose(entry, ["part-pair"]):
            (_, one), (_, other), *_ = constituents(row.granularity, row.key)
            if other not in entry.traits.moving:
                pairs.setdefault(one, []).append(entry.parts[other])
        for texts in pairs.values():
            for one, other in combinations(texts, 2):
                assert mirror_text(one) != other


def test_relatives_share_a_sentence_in_a_plain_loop() -> None:
    rows = compose(ENTRIES[0])
    found = related_rows(rows)
    for i, one in enumerate(rows):
        for j, other in enumerate(rows):
            mine = constituents(one.granularity, one.key)
            share = any(piece in constituents(other.granularity, other.key) for piece in mine)
            assert found[i, j] == share
    assert found.diagonal().all()


def test_a_single_sentence_is_related_to_its_compounds_only() -> None:
    rows = [
        Description("part", "head", "The head nods."),
        Description("part", "torso", "The torso rests."),
        Description("part-pair", "part.head + part.torso", "Both."),
        Description("phase", "head", "Not a part."),
    ]
    assert related_rows(rows).astype(int).tolist() == [
        [1, 0, 1, 0],
        [0, 1, 1, 0],
        [1, 1, 1, 0],
        [0, 0, 0, 1],
    ]
