"""``infocpl codebook``: what it writes, what it prints, and how it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from infocpl.semantics import Codebook, compose, load_lexicon

SUBCOMMANDS = ("build", "show", "compare", "check")
NAMES = "donning, doffing, throw, zorbing"
FEW = ("--granularities", "name", "definition", "phase")


def refused(told, *words: str) -> None:
    assert told.code == 1, told
    (line,) = told.error_lines
    assert line.startswith("infocpl: error: ")
    for word in words:
        assert word in line


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("books") / "book"


@pytest.fixture
def book(infocpl, built: Path) -> Path:
    """A codebook of four names, built once from the command line."""
    if not built.exists():
        told = infocpl(
            "codebook", "build", "--labels", NAMES, "--dataset", "nw-ucla", "--out", built, *FEW
        )
        assert told.code == 0, told.err
        assert "4 classes" in told.out
        assert "note: only the name speaks for zorbing" in told.out
    return built


@pytest.mark.parametrize("command", SUBCOMMANDS)
def test_the_help_of_every_subcommand_shows_an_example(infocpl, command):
    told = infocpl("codebook", command, "--help")
    assert told.code == 0
    text = re.sub(r"[│\s]+", " ", told.out).split("Example:", 1)[1]
    assert f"infocpl codebook {command}" in text


def test_a_built_codebook_holds_what_was_asked_for(book: Path):
    loaded = Codebook.load(book)
    assert loaded.labels.names == tuple(NAMES.split(", "))
    assert loaded.sources[0] == "lexicon nw-ucla"
    expected = compose(load_lexicon("nw-ucla")["donning"], ["name", "definition", "phase"])
    assert loaded.rows[0] == tuple(expected)


def test_build_takes_a_file_a_lexicon_of_ones_own_and_choices(infocpl, tmp_path: Path):
    load_lexicon("nw-ucla").write(tmp_path / "mine.yaml")
    (tmp_path / "names.txt").write_text("throw\ncarry\n", encoding="utf-8")
    told = infocpl(
        *("codebook", "build", "--labels", tmp_path / "names.txt", "--out", tmp_path / "b"),
        *("--lexicon", tmp_path / "mine.yaml", "--best-descriptions", 4, "--weigh", 0.5),
    )
    assert told.code == 0, told.err
    loaded = Codebook.load(tmp_path / "b")
    assert loaded.labels.names == ("throw", "carry")
    assert (loaded.mask.sum(axis=1) == 4).all()
    assert loaded.temperature == 0.5


def test_a_dataset_alone_gives_all_its_classes(infocpl, tmp_path: Path):
    told = infocpl(
        *("codebook", "build", "--dataset", "sbu", "--out", tmp_path / "sbu"),
        *("--granularities", "definition"),
    )
    assert told.code == 0, told.err
    loaded = Codebook.load(tmp_path / "sbu")
    assert loaded.labels.names == load_lexicon("sbu").names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("--labels or --dataset",)),
        (("--dataset", "kitchen"), ("unknown dataset 'kitchen'",)),
        (("--labels", "a, a"), ("repeats",)),
        (("--labels", "a, b", "--text-encoder", "word2vec"), ("word2vec", "minilm")),
        (("--labels", "a, b", "--granularities", "smell"), ("smell", "definition")),
        (("--labels", "a, b", "--lexicon", "none.yaml"), ("none.yaml", "no such lexicon")),
        (("--labels", "a, b", "--descriptions", 0), ("at least 1, got 0",)),
        (("--labels", "a, b", "--best-descriptions", -3), ("at least 1, got -3",)),
        (
            ("--labels", "a, b", "--descriptions", 3, "--best-descriptions", 2),
            ("--descriptions", "--best-descriptions", "got both: 3 and 2"),
        ),
        (("--labels", "a, b", "--weigh", 0), ("temperature",)),
    ],
    ids=[
        "nothing",
        "dataset",
        "labels",
        "encoder",
        "kind",
        "lexicon",
        "count",
        "best",
        "both",
        "temperature",
    ],
)
def test_a_wrong_option_of_build_is_one_line_and_writes_nothing(
    infocpl, tmp_path: Path, arguments, words
):
    refused(infocpl("codebook", "build", "--out", tmp_path / "b", *arguments), *words)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_codebook_is_replaced_only_on_request(infocpl, book: Path):
    before = Codebook.load(book).hash
    refused(infocpl("codebook", "build", "--labels", "a, b", "--out", book), "exists already")
    assert Codebook.load(book).hash == before


def test_show_lists_every_class(infocpl, book: Path):
    told = infocpl("codebook", "show", book)
    assert told.code == 0
    for name, source in zip(NAMES.split(", "), Codebook.load(book).sources, strict=True):
        (line,) = (line for line in told.out.splitlines() if line.startswith(f"│ {name} "))
        assert source in line


def test_show_of_a_class_gives_its_rows(infocpl, book: Path):
    loaded = Codebook.load(book)
    found = json.loads(infocpl("codebook", "show", book, "Donning", "--json").out)
    assert found["motion"] == loaded.motion_texts[0]
    assert [row["text"] for row in found["rows"]] == [row.text for row in loaded.rows[0]]
    assert "posture_end standing" in found["traits"]
    told = infocpl("codebook", "show", book, "donning", "--granularities", "phase")
    words = " ".join(re.sub(r"[│\s]+", " ", told.out).split())
    assert loaded.motion_texts[0] in told.out
    for row in loaded.rows[0]:
        if row.granularity != "name":  # the class is named in the heading as well
            assert (row.text.split(",")[0] in words) == (row.granularity == "phase"), row


def test_show_refuses_what_is_not_there(infocpl, book: Path, tmp_path: Path):
    refused(infocpl("codebook", "show", book, "trow"), "unknown label 'trow'", "throw")
    refused(infocpl("codebook", "show", tmp_path), "codebook.json does not exist")
    refused(infocpl("codebook", "show", book, "--granularities", "phase"), "needs a class")
    refused(infocpl("codebook", "show", book, "throw", "--granularities", "x"), "definition")


def test_compare_of_two_classes_names_traits_and_sentences(infocpl, book: Path):
    arguments = ("codebook", "compare", book, "--classes", "donning", "doffing")
    found = json.loads(infocpl(*arguments, "--json").out)
    told = infocpl(*arguments)
    assert told.code == 0
    assert f"cosine {found['cosine']:.3f}" in told.out
    for pair in found["closest"]:
        assert pair["first"] in told.out
        assert pair["second"] in told.out
    for trait in (*found["traits"]["first"], *found["traits"]["second"]):
        assert trait in told.out


def test_compare_of_two_codebooks_says_what_differs(infocpl, book: Path, tmp_path: Path):
    part = Codebook.load(book).subset(["throw", "donning"])
    part.select_granularities(["definition"]).save(tmp_path / "part")
    told = infocpl("codebook", "compare", book, tmp_path / "part")
    assert told.code == 0
    assert "only in the first: doffing, zorbing" in told.out
    (line,) = (line for line in told.out.splitlines() if line.startswith("│ throw "))
    assert re.sub(r"[│\s]+", " ", line).split()[1:4] == ["9", "2", "2"]
    assert "the same names, texts" in infocpl("codebook", "compare", book, book).out


def test_compare_needs_exactly_one_other(infocpl, book: Path):
    refused(infocpl("codebook", "compare", book), "--classes")
    refused(infocpl("codebook", "compare", book, book, "--classes", "throw", "throw"), "either")


def test_check_prints_the_numbers_and_writes_the_report(infocpl, book: Path, tmp_path: Path):
    page = tmp_path / "page.html"
    found = json.loads(infocpl("codebook", "check", book, "--json").out)
    told = infocpl("codebook", "check", book, "--out", page)
    assert told.code == 0
    (line,) = (line for line in told.out.splitlines() if "motion description" in line)
    assert f"{100 * found['retrieval']['motion']['by_mean']:.1f}" in line
    assert "only the name is known of zorbing" in told.out
    assert str(page) in told.out
    assert found["codebook_hash"] in page.read_text(encoding="utf-8")
    refused(infocpl("codebook", "check", book, "--out", page), "exists already")


def test_check_ends_with_1_where_it_is_to_be_strict(infocpl, book: Path, tmp_path: Path):
    told = infocpl("codebook", "check", book, "--strict")
    assert told.code == 1
    assert told.err == ""
    Codebook.load(book).subset(["donning", "throw"]).save(tmp_path / "known")
    assert infocpl("codebook", "check", tmp_path / "known", "--strict").code == 0


def test_check_compares_with_movement_on_classes_the_model_has_seen(
    infocpl, model_folder: Path, small_store, small_task, tmp_path: Path
):
    told = infocpl(
        *("codebook", "build", "--labels", ",".join((*small_task.split.seen, "fly")), *FEW),
        *("--out", tmp_path / "book"),
    )
    assert told.code == 0, told.err
    found = json.loads(
        infocpl(
            *("codebook", "check", tmp_path / "book", "--model", model_folder),
            *("--data", small_store.folder, "--json"),
        ).out
    )["agreement"]
    assert found["classes"] == len(small_task.split.seen)
    assert found["clips"] == int(
        np.isin(
            small_store.labels, [small_store.classes.index(name) for name in small_task.split.seen]
        ).sum()
    )
    assert -1 <= found["spearman"] <= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--limit", 0), ("--limit",)),
        (("--limit", 1.5), ("--limit", "1.5")),
        (("--model", "x"), ("--data together",)),
        (("--data", "x"), ("--model",)),
    ],
)
def test_check_refuses_options_that_do_not_fit(infocpl, book: Path, arguments, words):
    refused(infocpl("codebook", "check", book, *arguments), *words)


def test_check_needs_three_classes_the_model_has_seen(infocpl, book, model_folder, small_store):
    refused(
        infocpl("codebook", "check", book, "--model", model_folder, "--data", small_store.folder),
        "at least three classes",
        "got 0",
    )
