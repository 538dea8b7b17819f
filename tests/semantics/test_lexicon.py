"""The lexicon format: each rule with a file that breaks it."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infocpl.errors import SemanticsError
from infocpl.semantics import Lexicon, find_entry, list_lexicons, load_lexicon

Spoil = Callable[[dict[str, Any]], object]


def first(data: dict[str, Any]) -> dict[str, Any]:
    return data["classes"][0]


def write(path: Path, data: object) -> Path:
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_a_correct_file_is_read_field_by_field(
    lexicon_file: Path, lexicon_data: dict[str, Any]
) -> None:
    lexicon = load_lexicon(lexicon_file)
    assert lexicon.dataset == "garden"
    assert lexicon.names == ("dig", "rake")
    for entry, expected in zip(lexicon.entries, lexicon_data["classes"], strict=True):
        assert entry.to_dict() == expected
        assert entry.dataset == "garden"


def test_a_path_may_be_given_as_text(lexicon_file: Path) -> None:
    assert load_lexicon(str(lexicon_file)) == load_lexicon(lexicon_file)


def test_entries_are_found_by_name_and_alias_without_regard_to_case(lexicon_file: Path) -> None:
    lexicon = load_lexicon(lexicon_file)
    assert lexicon["RAKE"] is lexicon.entries[1]
    assert lexicon["  Rake  Quickly"] is lexicon.entries[1]
    assert lexicon.get("plant") is None


def test_an_unknown_class_gets_the_nearest_suggested(lexicon_file: Path) -> None:
    with pytest.raises(SemanticsError, match=r"'garden' has no class 'rakes'; did you mean rake"):
        load_lexicon(lexicon_file)["rakes"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda d: d.update(format="infocpl-lexicon/2"),
            r"format: expected infocpl-lexicon/1, got 'infocpl-lexicon/2'",
            id="another version",
        ),
        pytest.param(lambda d: d.pop("dataset"), r"the field 'dataset', got none", id="no dataset"),
        pytest.param(lambda d: d.update(dataset=7), r"dataset: expected text, got 7", id="number"),
        pytest.param(lambda d: d.update(author="x"), r"got the field 'author'", id="top surplus"),
        pytest.param(
            lambda d: d.update(classes=[]), r"at least one class, got a list of 0", id="0"
        ),
        pytest.param(lambda d: d.update(classes={}), r"classes: expected a list", id="no list"),
        pytest.param(
            lambda d: d["classes"].append("hoe"), r"class 3: expected the fields .*'hoe'", id="text"
        ),
        pytest.param(
            lambda d: first(d).pop("motion"),
            r"class 1 \(dig\): expected the field 'motion', got none",
            id="a field is missing",
        ),
        pytest.param(
            lambda d: first(d).update(colour="red"),
            r"class 1 \(dig\): .*got the field 'colour'",
            id="a field too many",
        ),
        pytest.param(
            lambda d: first(d).update(definition=True),
            r"class 1 \(dig\): definition: expected text, got True",
            id="a truth value for text",
        ),
        pytest.param(
            lambda d: first(d).update(purpose=" "),
            r"purpose: expected 1 to 1000 characters, got 0",
            id="an empty sentence",
        ),
        pytest.param(
            lambda d: first(d).update(sensor="x" * 1001),
            r"sensor: expected 1 to 1000 characters, got 1001",
            id="a sentence too long",
        ),
        pytest.param(
            lambda d: first(d).update(aliases="spade work"),
            r"aliases: expected a list of names, got 'spade work'",
            id="aliases as text",
        ),
        pytest.param(
            lambda d: first(d).update(aliases=["x", None]),
            r"alias 2: expected text, got nothing",
            id="an empty alias",
        ),
        pytest.param(
            lambda d: first(d)["parts"].pop("torso"),
            r"parts: expected the field 'torso', got none",
            id="a part is missing",
        ),
        pytest.param(
            lambda d: first(d)["parts"].update(tail="wags"),
            r"parts: .*got the field 'tail'",
            id="an unknown part",
        ),
        pytest.param(
            lambda d: first(d)["phases"].update(end=None),
            r"phases\.end: expected text, got nothing",
            id="a phase without text",
        ),
        pytest.param(
            lambda d: first(d).update(attributes=[]),
            r"attributes: expected the fields .*got a list of 0",
            id="attributes as a list",
        ),
        pytest.param(
            lambda d: first(d).update(contrast=[]),
            r"contrast: expected a list of 1 to 3 actions, got a list of 0",
            id="no contrast",
        ),
        pytest.param(
            lambda d: first(d).update(contrast=[dict(first(d)["contrast"][0]) for _ in range(4)]),
            r"1 to 3 actions, got a list of 4",
            id="four contrasts",
        ),
        pytest.param(
            lambda d: first(d)["contrast"][0].pop("how"),
            r"contrast 1: expected the field 'how'",
            id="a contrast without how",
        ),
        pytest.param(
            lambda d: d["classes"][1].update(name="Dig"),
            r"'garden', class 'Dig': expected each name and alias once, got 'Dig' again",
            id="two classes of one name",
        ),
        pytest.param(
            lambda d: d["classes"][1].update(aliases=["DIG"]),
            r"class 'rake': .*got 'DIG' again \(first in class 'dig'\)",
            id="an alias that is another class",
        ),
        pytest.param(
            lambda d: first(d).update(aliases=["spade", "spade"]),
            r"class 'dig': .*got 'spade' again",
            id="an alias twice",
        ),
    ],
)
def test_a_broken_rule_is_named_with_class_field_and_finding(
    tmp_path: Path, lexicon_data: dict[str, Any], spoil: Spoil, message: str
) -> None:
    spoil(lexicon_data)
    with pytest.raises(SemanticsError, match=message):
        load_lexicon(write(tmp_path / "garden.yaml", lexicon_data))


def test_the_message_begins_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "garden.yaml", ["not", "fields"])
    with pytest.raises(SemanticsError) as caught:
        load_lexicon(path)
    assert str(caught.value).startswith(f"{path}: expected the fields format, dataset, classes")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("format: [1", r"line 1: expected YAML", id="an open bracket"),
        pytest.param("a: 1\na: 2\n", r"line 2: expected YAML, got: 'a' stands twice", id="twice"),
        pytest.param("a: &x 1\nb: *x\n", r"line 2: .*aliases are refused", id="an alias"),
        pytest.param("a: !!python/name:os.system", r"line 1: .*python/name", id="a Python object"),
        pytest.param("[" * 5000, r"expected YAML", id="five thousand brackets"),
        pytest.param("a: \x01", r"expected YAML", id="a control character"),
        pytest.param("? [x]\n: 1\n", r"expected", id="a list as key"),
        pytest.param("a: 2001-99-99", r"expected", id="an impossible date"),
        pytest.param("", r"got nothing", id="an empty file"),
    ],
)
def test_text_that_is_no_plain_yaml_is_one_error(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SemanticsError, match=message):
        load_lexicon(path)


def test_missing_unreadable_and_huge_files_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match="no such lexicon file"):
        load_lexicon(tmp_path / "none.yaml")
    with pytest.raises(SemanticsError, match="cannot be read"):
        load_lexicon(tmp_path)
    latin = tmp_path / "latin.yaml"
    latin.write_bytes(b"a: \xe9")
    with pytest.raises(SemanticsError, match="byte 3: expected UTF-8"):
        load_lexicon(latin)
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(9 * 2**20)
    with pytest.raises(SemanticsError, match="expected at most 8388608 bytes"):
        load_lexicon(huge)


def test_five_hundred_mutilated_files_give_no_other_error(
    tmp_path: Path, lexicon_file: Path
) -> None:
    source = lexicon_file.read_bytes()[:3000]
    dice = random.Random(7)
    path = tmp_path / "mutant.yaml"
    refused = 0
    for _ in range(500):
        data = bytearray(source)
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(data))
            if dice.random() < 0.5:
                data[place] = dice.randrange(256)
            else:
                del data[place : place + dice.randint(1, 60)]
        path.write_bytes(bytes(data))
        try:
            load_lexicon(path)
        except SemanticsError:
            refused += 1
    assert refused > 400


def test_the_hash_depends_on_content_not_on_the_layout_of_the_file(
    tmp_path: Path, lexicon_data: dict[str, Any], lexicon_file: Path
) -> None:
    other = tmp_path / "flow.yaml"
    other.write_text(yaml.safe_dump(lexicon_data, default_flow_style=True, sort_keys=False))
    assert load_lexicon(other).hash == load_lexicon(lexicon_file).hash
    first(lexicon_data)["purpose"] = "People dig for worms."
    changed = load_lexicon(write(other, lexicon_data))
    original = load_lexicon(lexicon_file)
    assert changed.hash != original.hash
    assert changed["dig"].hash != original["dig"].hash
    assert changed["rake"].hash == original["rake"].hash


def test_every_shipped_lexicon_loads_under_its_own_name() -> None:
    assert {"nw-ucla", "utd-mhad"} <= set(list_lexicons())
    for name in list_lexicons():
        assert load_lexicon(name).dataset == name
        assert load_lexicon(name.replace("-", "_").upper()) is load_lexicon(name)


def test_an_unknown_lexicon_gets_the_known_ones_listed() -> None:
    with pytest.raises(SemanticsError, match=r"unknown lexicon 'ucf'; known: .*nw-ucla"):
        load_lexicon("ucf")


def test_a_name_is_found_over_all_lexicons() -> None:
    for name in list_lexicons():
        for entry in load_lexicon(name).entries:
            found = find_entry(entry.name.upper())
            assert found is not None
            assert found[0].name.casefold() == entry.name.casefold()
            assert isinstance(found[1], Lexicon)


def test_an_unknown_name_is_found_nowhere() -> None:
    assert find_entry("peeling a potato under water") is None


def test_a_class_name_comes_before_another_lexicons_alias() -> None:
    found = find_entry("walking")
    assert found is not None
    assert found[0].name == "walking"
    assert found[1].dataset == "utd-mhad"
