"""The lists of names that the grammar is judged by; the figures are those of docs/grammar.md."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import yaml

from infocpl.semantics import find_entry
from infocpl.semantics.labels import label_key

FOLDER = Path(__file__).parent
SCRIPT = FOLDER.parents[2] / "benchmarks" / "grammar_names.py"


@pytest.fixture(scope="module")
def judge():
    spec = importlib.util.spec_from_file_location("grammar_names", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["grammar_names"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("file", "count", "accepted"),
    [("names.yaml", 100, 98), ("names_second.yaml", 65, 62), ("names_third.yaml", 45, 34)],
)
def test_as_many_names_are_read_rightly_as_is_claimed(judge, file, count, accepted):
    verdicts = judge.judge_file(FOLDER / file)
    assert len(verdicts) == count
    assert sum(not verdict.wrong for verdict in verdicts) >= accepted


def test_no_name_is_known_to_a_lexicon_or_stands_in_two_lists():
    known: set[str] = set()
    for file in ("names.yaml", "names_second.yaml", "names_third.yaml"):
        for item in yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["names"]:
            key = label_key(item["name"])
            assert key not in known
            assert find_entry(item["name"]) is None
            known.add(key)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, ()),
        ({"limbs": {"legs": 2}}, ("limbs",)),
        ({"limbs": {"legs": 1}}, ("limbs",)),  # the trunk moves as well
        ({"limbs": {"legs": 1, "torso": "may", "head": "moves"}}, ("limbs",)),
        ({"limbs": {"legs": 1, "torso": "may", "side": "right"}}, ("limbs",)),
        ({"directions": {"must": ["outward", "down"], "may": ["up"]}}, ("directions",)),
        ({"directions": {"must": ["outward"]}}, ("directions",)),  # up is not allowed
        ({"directions": {"any": ["left"], "may": ["outward", "up"]}}, ("directions",)),
        ({"repetition": ["few"]}, ("repetition",)),
        ({"name": "zorb"}, ("limbs", "directions", "repetition")),
    ],
    ids=["right", "two", "trunk", "head", "side", "must", "may", "any", "repetition", "nothing"],
)
def test_the_judge_finds_what_is_wrong(judge, changes, wrong):
    expected = {
        "name": "side kick with the left leg",
        "limbs": {"legs": 1, "torso": "may", "side": "left"},
        "directions": {"must": ["outward"], "may": ["up"]},
        "repetition": ["once"],
        **changes,
    }
    assert judge.judge(expected).wrong == wrong
