"""Names that nothing knows, described by the names nearest in meaning."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from infocpl.semantics import LexiconEntry, compose, load_lexicon
from infocpl.semantics.grammar import read_name
from infocpl.semantics.lexicon import Lexicon
from infocpl.semantics.nearest import SIMILAR, Neighbour, find_neighbours, mix_entry
from infocpl.semantics.traits import TRAIT_LISTS, TRAIT_VALUES

UCLA = load_lexicon("nw-ucla")


def test_the_nearest_names_are_found_with_their_cosines(words):
    found = find_neighbours("zorb the left hand", words)
    best = found[0]
    mine, theirs = words.encode(["zorb the left hand", best.entry.name])
    assert best.similarity == pytest.approx(float(mine @ theirs), abs=1e-3)
    assert best.entry.name == "wave the left hand"
    values = [item.similarity for item in found]
    assert values == sorted(values, reverse=True)
    assert len(found) <= 3
    assert values[-1] >= max(SIMILAR, values[0] - 0.15)


def test_names_too_far_away_describe_nothing(words):
    assert find_neighbours("zorb gloop quonk", words) == ()


def test_the_users_own_entries_may_be_the_nearest(words):
    own = Lexicon("own", (replace(UCLA["sit down"], name="zorb gloop", dataset="own"),))
    (found,) = find_neighbours("zorb gloop now", words, lexicons=[own])
    assert found.entry.name == "zorb gloop"


def neighbours(*weights: tuple[str, float]) -> list[Neighbour]:
    return [Neighbour(UCLA[name], weight) for name, weight in weights]


def test_a_single_neighbour_lends_all_its_traits():
    entry = mix_entry("zorb", neighbours(("sit down", 0.7)))
    assert set(entry.traits.moving) == set(UCLA["sit down"].traits.moving)
    for trait in ("directions", "posture_end", "repetition", "path", "speed", "contact"):
        assert getattr(entry.traits, trait) == getattr(UCLA["sit down"].traits, trait)


def test_neighbours_vote_with_their_similarity():
    names = (("throw", 0.6), ("pick up with one hand", 0.5), ("drop trash", 0.5))
    entry = mix_entry("zorb", neighbours(*names))
    whole = sum(weight for _, weight in names)
    for trait in TRAIT_VALUES:
        votes: Counter[str] = Counter()
        for name, weight in names:
            value = getattr(UCLA[name].traits, trait)
            for word in value if trait in TRAIT_LISTS else (value,):
                votes[word] += weight
        got = getattr(entry.traits, trait)
        if trait == "moving":
            continue  # told as limbs, so that sides may be exchanged
        if trait in TRAIT_LISTS:
            wanted = {word for word, weight in votes.items() if weight > whole / 2}
            assert set(got) == (wanted or set(getattr(UCLA["throw"].traits, trait))), trait
        else:
            assert votes[got] == max(votes.values()), trait


def test_a_mixture_is_a_full_entry_that_says_what_it_resembles():
    entry = mix_entry("zorb", neighbours(("throw", 0.6), ("drop trash", 0.5)))
    assert LexiconEntry.from_dict(entry.to_dict(), "x").traits == entry.traits
    rows = compose(entry)
    assert len(rows) >= 95
    told = " ".join(row.text for row in rows)
    assert "the action called throw" in told
    assert "the action called drop trash" in told
    assert entry.dataset == "nearest"


def test_a_side_that_was_read_is_kept():
    left = mix_entry("zorb", neighbours(("throw", 0.6)), reading=read_name("left zorb"))
    assert (left.traits.side, left.traits.moving[0]) == ("left", "left_arm")
    plain = mix_entry("zorb", neighbours(("throw", 0.6)), reading=read_name("zorb"))
    assert plain.traits.side == "either"


def test_names_with_signs_can_be_spoken_of():
    odd = replace(UCLA["throw"], name="eat meal/snack (with «fork»)")
    entry = mix_entry("zorb", [Neighbour(odd, 0.6)])
    assert "the action called eat meal or snack with fork" in entry.definition[0]
