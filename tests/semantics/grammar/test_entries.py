"""Entries composed from readings: as complete and as distinct as those people write."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics import GRANULARITIES, LexiconEntry, compose
from infocpl.semantics.compounds import COMPOUNDS
from infocpl.semantics.grammar import read_name
from infocpl.semantics.grammar.entries import GRAMMAR, compose_entry
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.labels import label_key

VOCABULARY = load_vocabulary()
# A quarter of all actions a run, another one each time the list grows: composing all takes long.
TITLES = sorted(VOCABULARY.titles.values())
PHRASES = [
    (meaning.kind, " ".join(meaning.words))
    for meanings in VOCABULARY.index.values()
    for meaning in meanings
]
ACTIONS = sorted({phrase for kind, phrase in PHRASES if kind == "action"})
OTHERS = sorted({phrase for kind, phrase in PHRASES if kind in ("thing", "body", "way", "manner")})


def entry_of(name: str) -> LexiconEntry:
    return compose_entry(read_name(name))


@pytest.mark.parametrize("part", range(4))
def test_every_action_gives_a_hundred_distinct_descriptions(part):
    for title in TITLES[part::12]:
        rows = compose(entry_of(title))
        texts = {label_key(row.text) for row in rows}
        assert len(texts) == len(rows) >= 100, title
        assert {row.granularity for row in rows} == set(GRANULARITIES), title


def test_an_entry_is_read_back_from_its_own_form():
    for name in ("side kick", "putting on a red hat", "jump rope twice", "arm wrestling"):
        entry = entry_of(name)
        assert LexiconEntry.from_dict(entry.to_dict(), GRAMMAR) == entry


def test_the_same_name_always_gives_the_same_entry():
    assert entry_of("kick a ball hard").hash == entry_of("kick a ball hard").hash


def test_entries_of_different_actions_share_few_sentences():
    rng = random.Random(5)
    for _ in range(40):
        one, other = (entry_of(title) for title in rng.sample(TITLES, 2))
        mine = {row.text for row in compose(one) if row.granularity not in COMPOUNDS}
        theirs = {row.text for row in compose(other) if row.granularity not in COMPOUNDS}
        assert len(mine & theirs) < 0.75 * len(mine), (one.name, other.name)
        assert one.motion != other.motion
        assert one.definition != other.definition


def test_what_the_name_says_is_in_the_sentences():
    entry = entry_of("slowly kick a ball sideways with the left foot several times")
    told = " ".join(row.text for row in compose(entry))
    for word in ("left foot", "out to the side", "slowly", "several times", "ball"):
        assert word in told, word
    assert "right foot" not in entry.motion


def test_a_side_that_people_choose_is_told_as_one_of_two():
    entry = entry_of("throw a ball")
    assert entry.traits.side == "either"
    assert "one hand" in entry.definition[0] + entry.motion
    assert "left one by choice" in entry.parts["right_arm"]


def test_limbs_that_rest_are_told_to_rest():
    entry = entry_of("wave the left hand")
    for part in ("torso", "right_arm", "left_leg", "right_leg"):
        assert part not in entry.traits.moving
        words = entry.parts[part].split()
        assert {"still", "quiet", "rests", "hangs", "loosely"} & {
            word.strip(",.") for word in words
        }


def test_aliases_are_none_of_the_names_that_are_taken():
    reading = read_name("kick")
    plain = compose_entry(reading)
    assert label_key("kick") not in map(label_key, plain.aliases)
    again = compose_entry(reading, taken=plain.aliases)
    assert not {label_key(a) for a in plain.aliases} & {label_key(a) for a in again.aliases}
    assert 4 <= len(again.aliases) <= 6


def test_contrasts_are_other_actions_and_say_what_differs():
    entry = entry_of("side kick with the left leg")
    assert len({item.other for item in entry.contrast}) == 3
    assert "side kick" not in [item.other for item in entry.contrast]
    (kick,) = (item for item in entry.contrast if item.other == "kick")
    assert "out to the side" in kick.how
    assert "forward" in kick.how


@pytest.mark.parametrize("name", ["zorb", "the left", "日本語"])
def test_a_name_without_an_action_cannot_be_described(name):
    with pytest.raises(SemanticsError, match="no action was recognised"):
        entry_of(name)


@pytest.mark.parametrize(
    "name", ["kick (left) / side", "trinken, kick!", "kick — a «ball»", "k" * 500 + " kick"]
)
def test_a_strange_name_gives_plain_sentences(name):
    entry = entry_of(name)
    assert entry.name == " ".join(name.split())
    assert all(row.text.isascii() for row in compose(entry) if row.granularity != "name")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2),
    st.lists(st.sampled_from(OTHERS), max_size=3),
    st.sampled_from([" and ", " while ", " ", " to "]),
)
def test_any_reading_gives_an_entry_that_keeps_the_format(actions, others, link):
    entry = entry_of(link.join(actions) + " " + " ".join(others))
    assert len(compose(entry)) >= 95
