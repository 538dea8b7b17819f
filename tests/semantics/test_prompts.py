"""Sentences made of an entry, and of a name no lexicon knows."""

from __future__ import annotations

from itertools import combinations
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
from infocpl.semantics.prompts import check_granularities

NUMBER = {
    "name": 5,  # the name, three sentences and one alias
    "definition": 1,
    "part": 6,
    "phase": 3,
    "attribute": 8,
    "sensor": 1,
    "purpose": 1,
    "contrast": 1,
    "motion": 1,
}


@pytest.fixture
def garden(lexicon_file: Path) -> Lexicon:
    return load_lexicon(lexicon_file)


def test_each_granularity_gives_its_number_of_descriptions(garden: Lexicon) -> None:
    rows = compose(garden["dig"])
    assert {kind: sum(r.granularity == kind for r in rows) for kind in GRANULARITIES} == NUMBER


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


def test_the_first_row_is_the_bare_name_and_aliases_are_among_the_names(garden: Lexicon) -> None:
    rows = compose(garden["dig"], ["name"])
    assert rows[0].text == "dig"
    assert rows[-1].text == "dig quickly"
    assert all("dig" in row.text for row in rows)


def test_the_motion_description_is_the_motion_row(garden: Lexicon) -> None:
    (row,) = compose(garden["dig"], ["motion"])
    assert row.text == motion_description(garden["dig"]) == "The body moves as in dig."


def test_a_part_sentence_without_its_part_is_led_by_it(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    lexicon_data["classes"][0]["parts"]["left_arm"] = "Both hands hold the spade."
    path = tmp_path / "garden.yaml"
    path.write_text(yaml.safe_dump(lexicon_data))
    rows = {row.key: row.text for row in compose(load_lexicon(path)["dig"], ["part"])}
    assert rows["left_arm"] == "Left arm: Both hands hold the spade."
    assert rows["right_arm"] == "The right arm does dig."


def test_a_sentence_that_stands_twice_is_given_once(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    lexicon_data["classes"][0]["purpose"] = "DIG is  an action."
    path = tmp_path / "garden.yaml"
    path.write_text(yaml.safe_dump(lexicon_data))
    rows = compose(load_lexicon(path)["dig"], ["definition", "purpose"])
    assert [row.granularity for row in rows] == ["definition"]


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
