"""``infocpl describe``: what it says of names, what it writes, and how it refuses."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path

import pytest

from infocpl.semantics import Codebook, compose, describe, load_lexicon
from infocpl.semantics.lexicon import Lexicon

NAMES = "donning, side kick with the left leg, zorb"
FEW = ("--granularities", "name", "definition")
NO_TEXT = ("--text-encoder", "none")


def refused(told, *words: str) -> None:
    assert told.code == 1, told
    (line,) = told.error_lines
    assert line.startswith("infocpl: error: ")
    assert told.out == ""
    for word in words:
        assert word in line


def test_every_name_is_told_with_its_source_and_how_it_was_read(infocpl):
    told = infocpl("describe", "--labels", NAMES, *NO_TEXT)
    assert told.code == 0
    assert told.err == ""
    lines = [re.sub(r"[│\s]+", " ", line).strip() for line in told.out.splitlines()]
    assert "donning lexicon nw-ucla known to a lexicon" in lines
    assert (
        "side kick with the left leg grammar (confidence 1.00) side kick: action; left: side; "
        "leg: part of the body"
    ) in lines
    assert "zorb name only zorb: unknown" in lines


def test_names_may_come_from_a_file(infocpl, tmp_path: Path):
    (tmp_path / "names.txt").write_text("# mine\nleapfrog, then bow\nzorb\n", encoding="utf-8")
    told = infocpl("describe", "--labels", tmp_path / "names.txt", *NO_TEXT, "--json")
    assert [item["name"] for item in json.loads(told.out)] == ["leapfrog, then bow", "zorb"]


def test_json_holds_what_was_recognised(infocpl):
    told = infocpl("describe", "--labels", NAMES, *NO_TEXT, "--json")
    known, kick, zorb = json.loads(told.out)
    assert (known["source"], known["confidence"], known["words"]) == ("lexicon nw-ucla", 1.0, [])
    assert kick["traits"] == describe("side kick with the left leg").entry.traits.to_dict()
    assert kick["words"][0]["kind"] == "action"
    assert (zorb["unknown"], zorb["traits"], zorb["neighbours"]) == (["zorb"], None, [])


def test_lexicon_and_codebook_are_written_and_can_be_used(infocpl, tmp_path: Path):
    out = tmp_path / "out"
    told = infocpl("describe", "--labels", NAMES, "--out", out, *FEW)
    assert told.code == 0, told.err
    assert f"{out}: 2 of 3 names described" in told.out
    assert sorted(item.name for item in out.iterdir()) == [
        "codebook.json",
        "codebook.safetensors",
        "lexicon.yaml",
    ]
    lexicon = load_lexicon(out / "lexicon.yaml")
    assert lexicon.names == ("donning", "side kick with the left leg")
    book = Codebook.load(out)
    assert book.labels.names == tuple(NAMES.split(", "))
    assert book.sources[1:] == ("grammar (confidence 1.00)", "name only")
    expected = compose(describe(NAMES.split(", ")[1]).entry, ["name", "definition"])
    assert [row.text for row in book.rows[1]] == [row.text for row in expected]
    again = infocpl(
        *("codebook", "build", "--labels", NAMES, "--lexicon", out / "lexicon.yaml"),
        *("--out", tmp_path / "book", *FEW),
    )
    assert again.code == 0, again.err
    sources = Codebook.load(tmp_path / "book").sources
    assert sources == ("lexicon described", "lexicon described", "name only")


def test_without_an_encoder_only_the_lexicon_is_written(infocpl, tmp_path: Path):
    out = tmp_path / "out"
    assert infocpl("describe", "--labels", NAMES, "--out", out, *NO_TEXT).code == 0
    assert [item.name for item in out.iterdir()] == ["lexicon.yaml"]
    umask = os.umask(0)
    os.umask(umask)
    assert (out / "lexicon.yaml").stat().st_mode & 0o777 == 0o666 & ~umask


def test_an_edited_lexicon_comes_first(infocpl, tmp_path: Path):
    infocpl("describe", "--labels", "leapfrog", "--out", tmp_path / "out", *NO_TEXT)
    path = tmp_path / "out" / "lexicon.yaml"
    edited = path.read_text(encoding="utf-8").replace("name: leapfrog", "name: zorb")
    path.write_text(edited, encoding="utf-8")
    told = infocpl("describe", "--labels", "zorb", "--lexicon", path, *NO_TEXT, "--json")
    assert json.loads(told.out)[0]["source"] == "lexicon described"


def test_an_edit_that_breaks_the_format_is_told_with_its_line(infocpl, tmp_path: Path):
    infocpl("describe", "--labels", "leapfrog", "--out", tmp_path / "out", *NO_TEXT)
    path = tmp_path / "out" / "lexicon.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    place = next(n for n, line in enumerate(lines) if line.startswith("  purpose:"))
    end = next(n for n in range(place + 1, len(lines)) if lines[n].startswith("  sensor:"))
    lines[place:end] = ["  purpose: Fun (and games)."]
    path.write_text("\n".join(lines), encoding="utf-8")
    told = infocpl("describe", "--labels", "zorb", "--lexicon", path, *NO_TEXT)
    refused(told, f"{path}, class 1 (leapfrog), line {place + 1}: purpose: expected one sentence")


def test_an_earlier_output_is_replaced_only_on_request(infocpl, tmp_path: Path):
    out = tmp_path / "out"
    infocpl("describe", "--labels", "leapfrog", "--out", out, *NO_TEXT)
    before = (out / "lexicon.yaml").read_bytes()
    refused(infocpl("describe", "--labels", "bow", "--out", out, *NO_TEXT), "--overwrite")
    assert (out / "lexicon.yaml").read_bytes() == before
    told = infocpl("describe", "--labels", "cartwheel", "--out", out, *NO_TEXT, "--overwrite")
    assert told.code == 0
    assert load_lexicon(out / "lexicon.yaml").names == ("cartwheel",)


def test_what_is_no_output_of_ours_is_never_removed(infocpl, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    told = infocpl("describe", "--labels", "bow", "--out", tmp_path, *NO_TEXT, "--overwrite")
    refused(told, "holds no descriptions")
    file = tmp_path / "notes.txt"
    refused(infocpl("describe", "--labels", "bow", "--out", file, *NO_TEXT), "is a file")
    refused(
        infocpl("describe", "--labels", "bow", "--out", file / "out", *NO_TEXT), "cannot be written"
    )
    assert file.read_text() == "mine"
    assert [item.name for item in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--labels", ""), ("label 1", "empty name")),
        (("--labels", "bow, Bow"), ("repeats",)),
        (("--labels", "bow", "--lexicon", "none.yaml"), ("none.yaml", "no such lexicon")),
        (("--labels", "bow", "--text-encoder", "word2vec"), ("word2vec", "minilm")),
        (("--labels", "bow", "--granularities", "smell"), ("smell", "definition")),
        (("--labels", "zorb", *NO_TEXT, "--out", "out"), ("nothing to write",)),
    ],
    ids=["empty", "twice", "lexicon", "encoder", "kind", "nothing"],
)
def test_a_wrong_option_is_one_line_and_writes_nothing(
    infocpl, tmp_path: Path, monkeypatch, arguments, words
):
    monkeypatch.chdir(tmp_path)
    refused(infocpl("describe", *arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_names_that_look_like_markup_are_printed_as_they_are(infocpl):
    told = infocpl("describe", "--labels", "[red]wave[/red], [/oops]", *NO_TEXT)
    assert told.code == 0
    assert "[red]wave[/red]" in told.out
    assert "[/oops]" in told.out


def test_lexicons_named_one_by_one_are_all_asked(infocpl, tmp_path: Path):
    """``--lexicon a --lexicon b`` as well as ``--lexicon a b``."""
    files = []
    for number, name in enumerate(("flurble", "snorgle")):
        entry = dataclasses.replace(load_lexicon("nw-ucla")["donning"], name=name)
        files.append(tmp_path / f"{number}.yaml")
        Lexicon("mine", (entry,)).write(files[-1])
    words = ("describe", "--labels", "flurble, snorgle", "--json")
    together = infocpl(*words, "--lexicon", *files)
    apart = infocpl(*words, f"--lexicon={files[0]}", "--lexicon", files[1])
    assert (apart.code, apart.out) == (0, together.out)
    assert apart.out.count("lexicon mine") == 2
