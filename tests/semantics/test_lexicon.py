"""Lexicons: found, read, written, referred to, and refused when anything is not as it must be."""

from __future__ import annotations

import copy
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
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
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
            lambda d: d.update(format="infocpl-lexicon/1"),
            r"format: expected infocpl-lexicon/2, got 'infocpl-lexicon/1'; version 1 had fewer",
            id="the older version",
        ),
        pytest.param(
            lambda d: d.update(format="infocpl-lexicon/3"),
            r"format: expected infocpl-lexicon/2, got 'infocpl-lexicon/3'$",
            id="a later version",
        ),
        pytest.param(lambda d: d.pop("dataset"), r"the field 'dataset', got none", id="no dataset"),
        pytest.param(
            lambda d: d.update(dataset=7),
            r"dataset: expected a text .*, got 7 \(int; quote it if it is text\)",
            id="a number as dataset",
        ),
        pytest.param(
            lambda d: d.update(author="x"),
            r"line \d+: expected only format, dataset, classes, got the field 'author'",
            id="top surplus",
        ),
        pytest.param(
            lambda d: d.update(classes=[]), r"at least one class, got a list of 0", id="no class"
        ),
        pytest.param(lambda d: d.update(classes={}), r"classes: expected a list", id="no list"),
        pytest.param(
            lambda d: d["classes"].append("hoe"),
            r"class 3: entry: expected the fields name, .*, got 'hoe'",
            id="a text as class",
        ),
        pytest.param(
            lambda d: d["classes"][1].update(name="Dig"),
            r"'garden', class 'Dig': expected each name and alias once, got 'Dig' again",
            id="two classes of one name",
        ),
        pytest.param(
            lambda d: d["classes"][1]["aliases"].__setitem__(0, "DIG"),
            r"class 'rake': .*got 'DIG' again \(first in class 'dig'\)",
            id="an alias that is another class",
        ),
        pytest.param(
            lambda d: first(d)["aliases"].__setitem__(0, "dig again"),
            r"class 'dig': .*got 'dig again' again",
            id="an alias twice",
        ),
    ],
)
def test_a_broken_rule_is_named_with_file_place_and_finding(
    tmp_path: Path, lexicon_data: dict[str, Any], spoil: Spoil, message: str
) -> None:
    spoil(lexicon_data)
    path = write(tmp_path / "garden.yaml", lexicon_data)
    with pytest.raises(SemanticsError, match=message) as caught:
        load_lexicon(path)
    assert str(caught.value).startswith(str(path))


def test_a_broken_entry_is_named_with_its_class_and_line(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    lexicon_data["classes"][1]["parts"]["torso"] = "bad"
    path = write(tmp_path / "garden.yaml", lexicon_data)
    line = path.read_text().splitlines().index("    torso: bad") + 1
    with pytest.raises(SemanticsError) as caught:
        load_lexicon(path)
    place = f"{path}, class 2 (rake), line {line}: parts.torso: expected one sentence"
    assert str(caught.value).startswith(place)


def test_the_message_begins_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "garden.yaml", ["not", "fields"])
    with pytest.raises(SemanticsError) as caught:
        load_lexicon(path)
    expected = f"{path}: file: expected the fields format, dataset, classes, got a list of 2"
    assert str(caught.value) == expected


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


def test_what_is_written_reads_as_the_same_lexicon(tmp_path: Path, lexicon_file: Path) -> None:
    lexicon = load_lexicon(lexicon_file)
    lexicon.write(tmp_path / "copy.yaml")
    copied = load_lexicon(tmp_path / "copy.yaml")
    assert copied == lexicon
    assert copied.hash == lexicon.hash
    assert copied.to_yaml() == lexicon.to_yaml()


@pytest.mark.parametrize("name", ["true", "null", "12", "- a: b", "x # y", "2001-01-01", "ü '\""])
def test_names_that_yaml_would_take_for_something_else_survive_writing(
    tmp_path: Path, lexicon_data: dict[str, Any], name: str
) -> None:
    first(lexicon_data)["name"] = name
    lexicon = load_lexicon(write(tmp_path / "one.yaml", lexicon_data))
    assert lexicon.names[0] == name
    lexicon.write(tmp_path / "two.yaml")
    assert load_lexicon(tmp_path / "two.yaml") == lexicon


def test_an_unwritable_place_is_one_error_and_leaves_nothing(
    tmp_path: Path, lexicon_file: Path
) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SemanticsError, match="cannot be written"):
        load_lexicon(lexicon_file).write(tmp_path / "file" / "garden.yaml")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "garden.yaml"]


def test_every_shipped_lexicon_survives_writing(tmp_path: Path) -> None:
    for name in list_lexicons():
        lexicon = load_lexicon(name)
        lexicon.write(tmp_path / "copy.yaml")
        assert load_lexicon(tmp_path / "copy.yaml") == lexicon


def refer(data: dict[str, Any], **fields: Any) -> None:
    data["classes"].append(fields)


def test_a_class_may_be_the_same_as_one_of_a_shipped_lexicon(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    refer(lexicon_data, name="take a seat now", same_as="nw-ucla / sit down")
    lexicon = load_lexicon(write(tmp_path / "garden.yaml", lexicon_data))
    entry, original = lexicon.entries[2], load_lexicon("nw-ucla")["sit down"]
    assert entry.name == "take a seat now"
    assert entry.dataset == "garden"
    assert entry.motion == original.motion
    assert entry.traits == original.traits
    assert lexicon["sit down"] is entry
    lexicon.write(tmp_path / "whole.yaml")
    assert load_lexicon(tmp_path / "whole.yaml") == lexicon


def test_the_same_name_refers_to_the_very_same_content(
    tmp_path: Path, lexicon_data: dict[str, Any]
) -> None:
    refer(lexicon_data, name="sit down", same_as="nw-ucla / sit down")
    lexicon = load_lexicon(write(tmp_path / "garden.yaml", lexicon_data))
    assert lexicon["sit down"].hash == load_lexicon("nw-ucla")["sit down"].hash


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"name": "x", "same_as": "nowhere / x"}, "unknown lexicon 'nowhere'", id="0"),
        pytest.param(
            {"name": "x", "same_as": "nw-ucla / sit dow"},
            "has no class 'sit dow'; did you mean sit down",
            id="an unknown class",
        ),
        pytest.param(
            {"name": "x", "same_as": "sit down"},
            "same_as: expected 'dataset / class name', got 'sit down'",
            id="no dataset",
        ),
        pytest.param({"name": "x", "same_as": ["nw-ucla"]}, r"got \['nw-ucla'\]", id="a list"),
        pytest.param(
            {"same_as": "nw-ucla / throw"}, "a name beside same_as and nothing else", id="no name"
        ),
        pytest.param(
            {"name": "x", "same_as": "nw-ucla / throw", "motion": "More."},
            "got the fields name, same_as, motion",
            id="more fields",
        ),
    ],
)
def test_a_reference_that_leads_nowhere_is_refused(
    tmp_path: Path, lexicon_data: dict[str, Any], fields: dict[str, Any], message: str
) -> None:
    refer(lexicon_data, **fields)
    with pytest.raises(SemanticsError, match=rf"garden\.yaml, class 3.*{message}"):
        load_lexicon(write(tmp_path / "garden.yaml", lexicon_data))


def test_the_hash_depends_on_content_not_on_the_layout_of_the_file(
    tmp_path: Path, lexicon_data: dict[str, Any], lexicon_file: Path
) -> None:
    other = tmp_path / "flow.yaml"
    other.write_text(yaml.safe_dump(lexicon_data, default_flow_style=True, sort_keys=True))
    assert load_lexicon(other).hash == load_lexicon(lexicon_file).hash
    changed_data = copy.deepcopy(lexicon_data)
    first(changed_data)["purpose"] = "People dig for worms and for buried treasure."
    changed = load_lexicon(write(other, changed_data))
    original = load_lexicon(lexicon_file)
    assert changed.hash != original.hash
    assert changed["dig"].hash != original["dig"].hash
    assert changed["rake"].hash == original["rake"].hash
    first(lexicon_data)["traits"]["speed"] = "fast"
    assert load_lexicon(write(other, lexicon_data))["dig"].hash != original["dig"].hash


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


def test_the_lexicon_asked_first_answers_for_its_own_classes() -> None:
    for name in list_lexicons():
        for entry in load_lexicon(name).entries:
            assert find_entry(entry.name, first=name) == (entry, load_lexicon(name))


def test_an_unknown_name_is_found_nowhere() -> None:
    assert find_entry("peeling a potato under water") is None


def test_a_class_name_comes_before_another_lexicons_alias() -> None:
    found = find_entry("walking", first="nw-ucla")
    assert found is not None
    assert found[0].name == "walking"
    assert found[1].dataset == "utd-mhad"
