"""Sentences made of an entry, and of a name no lexicon knows."""

from __future__ import annotations

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import LabelError, SemanticsError
from infocpl.semantics import (
    GRANULARITIES,
    Lexicon,
    compose,
    describe_name,
    load_lexicon,
    motion_description,
)
from infocpl.semantics.prompts import SINGLES, check_granularities, draw_balanced

NUMBER = {
    "name": 4,  # the name and three aliases
    "definition": 2,
    "part": 6,
    "phase": 3,
    "attribute": 11,
    "objects": 1,
    "purpose": 1,
    "sensor": 3,
    "detail": 10,
    "contrast": 3,
    "part-pair": 9,
    "phase-pair": 4,
    "attribute-pair": 13,
    "definition-pair": 10,
    "part-phase": 6,
    "part-attribute": 8,
    "phase-attribute": 6,
    "sensor-pair": 6,
    "purpose-pair": 4,
    "detail-pair": 5,
    "motion": 1,
}


@pytest.fixture
def garden(lexicon_file: Path) -> Lexicon:
    return load_lexicon(lexicon_file)


def test_each_granularity_gives_its_number_of_descriptions(garden: Lexicon) -> None:
    rows = compose(garden["dig"])
    assert {kind: sum(r.granularity == kind for r in rows) for kind in GRANULARITIES} == NUMBER


def test_a_class_has_more_than_a_hundred_descriptions_besides_its_motion(garden: Lexicon) -> None:
    texts = [row.text for row in compose(garden["dig"]) if row.granularity != "motion"]
    assert len(set(texts)) == len(texts) >= 100


def test_descriptions_come_in_the_order_of_the_granularities(garden: Lexicon) -> None:
    places = [GRANULARITIES.index(row.granularity) for row in compose(garden["dig"])]
    assert places == sorted(places)


def test_the_order_asked_for_does_not_matter(garden: Lexicon) -> None:
    assert compose(garden["dig"], ["phase", "name", "phase"]) == compose(
        garden["dig"], ["name", "phase"]
    )


def test_any_choice_of_granularities_is_a_part_of_all(garden: Lexicon) -> None:
    everything = compose(garden["rake"])
    for pair in combinations(GRANULARITIES, 2):
        assert compose(garden["rake"], pair) == [r for r in everything if r.granularity in pair]


def test_every_row_says_which_lexicon_it_comes_from(garden: Lexicon) -> None:
    assert {row.source for row in compose(garden["dig"])} == {"lexicon garden"}


def test_keys_are_unique_within_a_granularity(garden: Lexicon) -> None:
    keys = [(row.granularity, row.key) for row in compose(garden["dig"])]
    assert len(set(keys)) == len(keys)


def test_the_bare_name_and_few_aliases_are_all_that_repeats_the_name(garden: Lexicon) -> None:
    rows = compose(garden["dig"], ["name"])
    assert [row.text for row in rows] == ["dig", "dig quickly", "dig slowly", "dig calmly"]


def test_parts_that_move_come_first(garden: Lexicon) -> None:
    assert garden["dig"].traits.moving == ("right_arm", "torso")
    keys = [row.key for row in compose(garden["dig"], ["part"])]
    assert keys == ["right_arm", "torso", "head", "left_arm", "left_leg", "right_leg"]


def test_phases_are_told_one_after_the_other(garden: Lexicon) -> None:
    texts = [row.text for row in compose(garden["dig"], ["phase-pair"])]
    assert texts[0].startswith("At first the start ")
    assert ", then the middle " in texts[0]
    assert texts[1].startswith("The middle ")
    assert ", and in the end the end " in texts[3]


def test_the_motion_description_is_the_motion_row(garden: Lexicon) -> None:
    (row,) = compose(garden["dig"], ["motion"])
    assert row.text == motion_description(garden["dig"]) == garden["dig"].motion


def test_a_sentence_that_stands_twice_is_given_once(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    lexicon_data["classes"][0]["aliases"][0] = "DIG  slowly then"
    lexicon_data["classes"][0]["aliases"][1] = "dig slowly"
    path = tmp_path / "garden.yaml"
    path.write_text(yaml.safe_dump(lexicon_data))
    rows = compose(load_lexicon(path)["dig"], ["name"])
    assert [row.text for row in rows] == ["dig", "DIG slowly then", "dig slowly", "dig calmly"]


@pytest.mark.parametrize("count", [1, 2, 5, 10, 20, 50, 100])
def test_a_count_gives_as_many_descriptions(garden: Lexicon, count: int) -> None:
    everything = compose(garden["dig"])
    rows = compose(garden["dig"], count=count)
    assert len(rows) == count
    assert rows == [row for row in everything if row in rows]


def test_a_smaller_count_is_a_part_of_a_larger_one(garden: Lexicon) -> None:
    everything = compose(garden["dig"])
    chosen = [set(compose(garden["dig"], count=n)) for n in range(1, len(everything) + 1)]
    assert all(small < large for small, large in pairwise(chosen))
    assert chosen[-1] == set(everything) == set(compose(garden["dig"], count=1000))


def test_every_granularity_gets_its_turn_before_any_gets_two(garden: Lexicon) -> None:
    for count in range(1, 50):
        rows = compose(garden["dig"], count=count)
        given_ = {kind: sum(r.granularity == kind for r in rows) for kind in GRANULARITIES}
        open_ = [given_[kind] for kind in GRANULARITIES if given_[kind] < NUMBER[kind]]
        assert max(given_.values()) <= min(open_) + 1


def test_single_sentences_come_before_names_and_compounds(garden: Lexicon) -> None:
    drawn = [set(compose(garden["dig"], count=n)) for n in range(12)[1:]]
    order = [next(iter(drawn[0])), *(next(iter(b - a)) for a, b in pairwise(drawn))]
    kinds = [row.granularity for row in order]
    assert kinds == [*SINGLES[1:], "name", "part-pair"]
    assert [row.key for row in order if row.granularity == "phase"] == ["middle"]


def test_a_count_works_within_chosen_granularities(garden: Lexicon) -> None:
    rows = compose(garden["dig"], ["part", "phase"], count=4)
    assert [row.key for row in rows] == ["right_arm", "torso", "start", "middle"]


@pytest.mark.parametrize("count", [0, -1])
def test_no_description_at_all_cannot_be_asked_for(garden: Lexicon, count: int) -> None:
    with pytest.raises(SemanticsError, match=f"count of descriptions: .*at least 1, got {count}"):
        compose(garden["dig"], count=count)


def test_drawing_from_few_rows_gives_all_of_them() -> None:
    rows = describe_name("juggling")
    assert draw_balanced(rows, 50) == rows


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        pytest.param(["name", "colour"], "got 'colour'", id="an unknown one"),
        pytest.param([], "got none", id="none"),
    ],
)
def test_wrong_granularities_get_the_known_ones_listed(wanted: list[str], message: str) -> None:
    with pytest.raises(SemanticsError, match=rf"some of name, definition, .*{message}"):
        check_granularities(wanted)


def test_one_granularity_may_be_given_as_text() -> None:
    assert check_granularities("phase") == ("phase",)


def test_an_unknown_name_is_described_by_name_only_and_says_so() -> None:
    rows = describe_name("  juggling  ")
    assert 3 <= len(rows) <= 5
    assert rows[0].text == "juggling"
    assert {row.granularity for row in rows} == {"name"}
    assert {row.source for row in rows} == {"name only"}


@given(st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=30))
def test_any_readable_name_stands_in_every_sentence_as_it_is(name: str) -> None:
    if not name.strip():
        with pytest.raises(LabelError):
            describe_name(name)
        return
    rows = describe_name(name)
    assert all(" ".join(name.split()) in row.text for row in rows)
    assert len({row.text for row in rows}) == len(rows)


def test_a_name_with_braces_is_no_template() -> None:
    assert describe_name("{0} {name}")[1].text == "A person performs the action: {0} {name}."
