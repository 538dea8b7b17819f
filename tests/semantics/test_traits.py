"""Traits: the vocabulary is closed, and the vector says exactly what the words say."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics import TRAIT_DIMENSIONS, Traits, list_lexicons, load_lexicon, trait_vector
from infocpl.semantics.traits import TRAIT_LISTS, TRAIT_VALUES


def any_traits() -> st.SearchStrategy[Traits]:
    """Traits in any words of the vocabulary."""

    def words(name: str) -> st.SearchStrategy[Any]:
        known = TRAIT_VALUES[name]
        if name not in TRAIT_LISTS:
            return st.sampled_from(known)
        fewest = 0 if name in ("directions", "planes") else 1
        return st.lists(st.sampled_from(known), min_size=fewest, unique=True).map(tuple)

    return st.builds(Traits, **{name: words(name) for name in TRAIT_VALUES})


@pytest.fixture
def plain(lexicon_data: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(lexicon_data["classes"][0]["traits"])


@given(any_traits())
def test_traits_survive_the_form_of_the_file(traits: Traits) -> None:
    assert Traits.from_dict(traits.to_dict()) == traits


@given(any_traits())
def test_the_vector_is_that_of_a_plain_loop(traits: Traits) -> None:
    by_name = dict(zip(TRAIT_DIMENSIONS, trait_vector(traits).tolist(), strict=True))
    for trait, known in TRAIT_VALUES.items():
        value = getattr(traits, trait)
        if trait in ("speed", "amplitude", "repetition", "persons"):
            expected = {trait: known.index(value) / (len(known) - 1)}
        else:
            told = value if trait in TRAIT_LISTS else [value]
            expected = {f"{trait}.{word}": 1.0 if word in told else 0.0 for word in known}
        for name, number in expected.items():
            assert by_name.pop(name) == pytest.approx(number, abs=1e-6)
    assert not by_name


@given(any_traits(), any_traits())
def test_traits_that_differ_have_vectors_that_differ(one: Traits, other: Traits) -> None:
    def told(traits: Traits) -> dict[str, Any]:
        return {k: sorted(v) if isinstance(v, list) else v for k, v in traits.to_dict().items()}

    same = bool(np.array_equal(trait_vector(one), trait_vector(other)))
    assert same == (told(one) == told(other))


def test_dimensions_have_names_of_their_own() -> None:
    assert len(set(TRAIT_DIMENSIONS)) == len(TRAIT_DIMENSIONS) == 99
    assert TRAIT_DIMENSIONS[0] == "moving.head"
    vector = trait_vector(load_lexicon("nw-ucla").entries[0].traits)
    assert vector.shape == (99,)
    assert vector.dtype == np.float32


def test_every_dimension_but_few_tells_some_shipped_actions_apart() -> None:
    rows = [trait_vector(e.traits) for name in list_lexicons() for e in load_lexicon(name).entries]
    silent = [
        name
        for name, low, high in zip(TRAIT_DIMENSIONS, np.min(rows, 0), np.max(rows, 0), strict=True)
        if low == high
    ]
    assert len(silent) <= 12, silent


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "up"}, r"traits\.side: expected one of left, .*none, got up"),
        ({"side": ["left"]}, r"traits\.side: expected one word of left, .*got \('left',\)"),
        ({"side": None}, r"traits\.side: expected one word of .*got None"),
        ({"moving": "head"}, r"traits\.moving: expected several words of head, .*got head"),
        ({"moving": []}, r"traits\.moving: expected at least one of head"),
        ({"moving": ["head", "tail"]}, r"traits\.moving: expected one of head, .*got tail"),
        ({"moving": ["head", "head"]}, r"traits\.moving: expected each word once, got head again"),
        ({"contact": [3]}, r"traits\.contact: expected one of face, .*got 3"),
        ({"mood": "gay"}, r"traits: expected only moving, .*got 'mood'"),
    ],
)
def test_words_outside_the_vocabulary_are_refused(
    plain: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(SemanticsError, match=message):
        Traits.from_dict(plain | change)


@pytest.mark.parametrize("name", TRAIT_VALUES)
def test_no_trait_may_be_left_out(plain: dict[str, Any], name: str) -> None:
    del plain[name]
    with pytest.raises(SemanticsError, match=f"traits: expected '{name}', got none"):
        Traits.from_dict(plain)


def test_directions_and_planes_alone_may_be_empty(plain: dict[str, Any]) -> None:
    traits = Traits.from_dict(plain | {"directions": [], "planes": []})
    assert traits.directions == traits.planes == ()
    for name in set(TRAIT_LISTS) - {"directions", "planes"}:
        with pytest.raises(SemanticsError, match=rf"traits\.{name}: expected at least one"):
            Traits.from_dict(plain | {name: []})
