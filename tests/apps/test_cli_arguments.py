"""Options that take several values may be given several times; others are left to the reader."""

from __future__ import annotations

import pytest

from infocpl.apps.cli.arguments import join_repeated, options_of_several
from infocpl.apps.cli.main import Command

SEVERAL = {"--lexicon", "--variants"}


@pytest.mark.parametrize(
    ("given", "joined"),
    [
        ("run --lexicon a --lexicon b", "run --lexicon a b"),
        ("run --lexicon a b --seeds 3 --lexicon c", "run --lexicon a b c --seeds 3"),
        ("run --lexicon=a --lexicon=b", "run --lexicon a b"),
        ("run --variants x --lexicon a --variants y", "run --variants x y --lexicon a"),
        ("run --seeds 3 --seeds 5", "run --seeds 3 --seeds 5"),
        ("run --seeds=3 --lexicon a", "run --seeds=3 --lexicon a"),
        ("predict clip --lexicon a -- --lexicon b", "predict clip --lexicon a -- --lexicon b"),
        ("run --lexicon --lexicon a", "run --lexicon a"),
        ("", ""),
    ],
)
def test_values_of_a_repeated_option_stand_behind_its_first_occurrence(given, joined):
    assert join_repeated(given.split(), SEVERAL) == joined.split()


def test_the_options_are_those_of_the_commands_and_none_that_appends_itself():
    found = options_of_several(Command)
    assert {"--lexicon", "--variants", "--choose", "--granularities", "--text-encoders"} <= found
    assert not {"--extra", "--seeds", "--classes", "--out"} & found
