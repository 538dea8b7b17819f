"""Any name: from a lexicon, from the grammar, from its neighbours, or by its name alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from infocpl.errors import LabelError, SemanticsError
from infocpl.semantics import (
    Lexicon,
    build_codebook,
    compose,
    describe,
    describe_all,
    load_lexicon,
    write_described,
)
from infocpl.semantics.build import embed_described
from infocpl.semantics.describing import is_composed, to_lexicon
from infocpl.semantics.labels import label_key

NAMES = ("sit down", "side kick with the left leg", "zorb", "jugling", "Donning")


@pytest.fixture(scope="module")
def described():
    return describe_all(NAMES, dataset="nw-ucla")


def test_each_name_says_where_its_description_comes_from(described):
    assert [item.source for item in described] == [
        "lexicon nw-ucla",
        "grammar (confidence 1.00)",
        "name only",
        "grammar (confidence 0.75)",
        "lexicon nw-ucla",
    ]
    assert [item.confidence for item in described] == [1.0, 1.0, 0.0, 0.75, 1.0]
    assert [item.entry is None for item in described] == [False, False, True, False, False]
    assert [item.reading is None for item in described] == [True, False, False, False, True]


def test_only_lexicons_are_asked_where_the_grammar_is_not_wanted():
    found = describe_all(NAMES, dataset="nw-ucla", grammar=False)
    assert [item.source for item in found].count("name only") == 3


def test_the_users_own_lexicon_comes_before_the_shipped_ones():
    own = Lexicon("own", (replace(load_lexicon("nw-ucla")["throw"], name="sit down"),))
    found = describe("Sit Down", lexicons=[own])
    assert (found.source, found.entry) == ("lexicon own", own["sit down"])


def test_without_an_encoder_there_are_no_neighbours_and_with_one_there_may_be(words):
    assert describe("hush zorb").source == "name only"
    near = describe("hush zorb", encoder=words)
    assert near.source.startswith("nearest (hush (quite) 0.5")
    assert near.confidence == pytest.approx(near.neighbours[0].similarity / 2, abs=0.005)
    assert near.entry is not None
    assert near.entry.dataset == "nearest"


def test_composed_descriptions_are_known_as_such(described):
    composed = [is_composed(item.source) for item in described]
    assert composed == [False, True, False, True, False]
    assert is_composed("nearest (throw 0.50)")
    assert is_composed("language model x")
    assert not is_composed("name only")


@pytest.mark.parametrize("names", [(), ("a", "A"), ("",), ("x" * 600,)])
def test_names_that_are_none_are_refused(names):
    with pytest.raises(LabelError):
        describe_all(names)


# --- the lexicon of what was described ----------------------------------------------------------


def test_described_names_become_a_lexicon_under_the_names_asked_for(described):
    lexicon = to_lexicon(described)
    assert lexicon.names == ("sit down", "side kick with the left leg", "jugling", "Donning")
    assert lexicon["jugling"].motion == described[3].entry.motion
    assert label_key("donning") not in map(label_key, lexicon["Donning"].aliases)
    assert to_lexicon([described[2]]) is None


def test_names_that_mean_the_same_get_aliases_of_their_own():
    names = ("kick", "boot", "kick it", "Kick something", "kicks", "a kick")
    found = [item for item in describe_all(names) if item.entry is not None]
    lexicon = to_lexicon(found)
    assert len(lexicon) == len(found)
    for entry in lexicon.entries:
        assert 4 <= len(entry.aliases) <= 6


def test_a_written_lexicon_is_loaded_edited_and_used(described, tmp_path: Path, letters):
    path = tmp_path / "mine.yaml"
    written = write_described(described, path)
    assert load_lexicon(path) == written
    text = path.read_text(encoding="utf-8")
    assert "# zorb: name only" in text
    assert "# jugling: grammar (confidence 0.75)" in text
    assert "read as jugling (read as juggle)" in text
    data = yaml.safe_load(text)
    data["classes"][2]["purpose"] = "The purpose was edited by a careful person."
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    book = build_codebook(["jugling", "walk forward"], letters, lexicons=[path])
    assert book.sources == ("lexicon described", "lexicon synthetic")
    told = [row.text for row in book.rows[0]]
    assert any("the purpose was edited by a careful person." in text for text in told)


def test_nothing_is_written_of_names_alone_or_where_it_cannot_be(described, tmp_path: Path):
    with pytest.raises(SemanticsError, match="nothing to write"):
        write_described([described[2]], tmp_path / "none.yaml")
    (tmp_path / "file").write_text("")
    with pytest.raises(SemanticsError, match="cannot be written"):
        write_described(described, tmp_path / "file" / "mine.yaml")
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


# --- codebooks ----------------------------------------------------------------------------------


def test_a_codebook_describes_unknown_names_by_the_grammar(letters, described):
    book = build_codebook(NAMES, letters, dataset="nw-ucla")
    assert book.sources == tuple(item.source for item in described)
    assert book.has_traits.tolist() == [True, True, False, True, True]
    expected = [r for r in compose(described[1].entry) if r.granularity != "motion"]
    assert [row.text for row in book.rows[1]] == [row.text for row in expected]
    assert {row.source for row in book.rows[1]} == {"grammar (confidence 1.00)"}
    assert len(book.rows[1]) >= 99


def test_a_codebook_of_names_described_already_is_the_same(letters, described):
    one = build_codebook(NAMES, letters, dataset="nw-ucla")
    assert embed_described(described, letters).hash == one.hash


def test_a_codebook_may_do_without_the_grammar(letters):
    book = build_codebook(NAMES, letters, dataset="nw-ucla", grammar=False)
    assert book.sources[1] == "name only"
    only = build_codebook(NAMES, letters, lexicon="nw-ucla")
    assert only.sources[1] == "name only"
