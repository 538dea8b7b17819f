"""The small YAML of lexicons: equal to the plain loader where that is safe, refused elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics import yaml_text
from infocpl.semantics.yaml_text import LinedDict, LinedList, dump_yaml, parse_yaml

letters = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=12)
values = st.recursive(
    letters,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(letters, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(values)
def test_what_is_dumped_is_parsed_as_it_was(value: Any) -> None:
    text = dump_yaml(value)
    assert parse_yaml(text, "x") == value
    assert yaml.safe_load(text) == value


def test_every_key_and_item_knows_its_line() -> None:
    data = parse_yaml("a: one\nb:\n- x\n- y:\n    z: w\nc: 'two\n  lines'\nd: end\n", "x")
    assert isinstance(data, LinedDict)
    assert data.lines == {"a": 1, "b": 2, "c": 6, "d": 8} | {"b": data.lines["b"]}
    assert isinstance(data["b"], LinedList)
    assert data["b"].lines == [3, 4]
    assert data["b"][1]["y"].lines == {"z": 5}


@pytest.mark.parametrize(
    ("text", "kind"), [("7", "int"), ("yes", "bool"), ("1.5", "float"), ("2001-01-01", "timestamp")]
)
def test_what_yaml_takes_for_something_else_is_no_text(text: str, kind: str) -> None:
    value = parse_yaml(f"a: {text}", "x")["a"]
    assert not isinstance(value, str)
    assert repr(value) == f"{text} ({kind}; quote it if it is text)"
    assert parse_yaml(f"a: '{text}'", "x") == {"a": text}


@pytest.mark.parametrize("text", ["", "~", "null"])
def test_nothing_is_none(text: str) -> None:
    assert parse_yaml(f"a: {text}", "x") == {"a": None}


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "plain Python"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("format: [1", r"x, line \d: expected YAML", id="an open bracket"),
        pytest.param("a: 1\na: 2\n", r"line 2: expected YAML, got: 'a' stands twice", id="twice"),
        pytest.param("a: {b: 1,\n b: 2}", r"line 2: .*'b' stands twice", id="twice in flow"),
        pytest.param("a: &x 1\nb: *x\n", r"line 1: .*anchors are refused", id="an anchor"),
        pytest.param("a: 1\nb: *x\n", r"line 2: .*aliases are refused", id="an alias"),
        pytest.param("a: !!python/name:os.system", r"line 1: .*python/name.*refused", id="Python"),
        pytest.param("a: !!binary aGk=", r"line 1: .*tags are refused", id="binary"),
        pytest.param("[" * 5000, r"more than 16 levels", id="five thousand brackets"),
        pytest.param("a:\n" * 3 + "? [x]\n: 1\n", r"expected YAML", id="a list as key"),
        pytest.param("7: 1", r"line 1: .*a key that is no text", id="a number as key"),
        pytest.param("a: 1\n---\nb: 2\n", r"line 2: .*a second document", id="two documents"),
        pytest.param("a: \x01", r"x.*: expected YAML", id="a control character"),
        pytest.param("a: \ud800", r"x.*: expected YAML", id="half a character"),
    ],
)
def test_text_that_is_no_plain_yaml_is_one_error(
    monkeypatch: pytest.MonkeyPatch, compiled: bool, text: str, message: str
) -> None:
    if not compiled:
        monkeypatch.setattr(yaml_text, "_Loader", yaml.SafeLoader)
    with pytest.raises(SemanticsError, match=message):
        parse_yaml(text, "x")


def test_both_parsers_read_a_lexicon_alike(
    monkeypatch: pytest.MonkeyPatch, lexicon_data: dict[str, Any]
) -> None:
    text = dump_yaml(lexicon_data)
    compiled = parse_yaml(text, "x")
    monkeypatch.setattr(yaml_text, "_Loader", yaml.SafeLoader)
    plain = parse_yaml(text, "x")
    assert plain == compiled == lexicon_data
    assert plain["classes"].lines == compiled["classes"].lines
