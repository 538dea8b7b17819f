"""The command line: help, exit codes, and one line for every mistake."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from infocpl import __version__
from infocpl.apps.cli.tables import print_result
from infocpl.data import list_datasets, list_splits
from infocpl.data.catalog import create_dataset
from infocpl.semantics.text import save_precomputed
from infocpl.training.authors import load_aligner

COMMANDS = (
    "demo",
    "convert",
    "verify",
    "inspect",
    "splits",
    "run",
    "evaluate",
    "predict",
    "import-weights",
    "describe",
    "codebook",
    "ablate",
    "info",
)
NAMES = "wave the left hand, sit down, nod the head"


def refused(told, *words: str) -> None:
    """Exit 1 with exactly one line on standard error, no traceback, and the words in it."""
    assert told.code == 1, told
    assert len(told.error_lines) == 1, told.err
    (line,) = told.error_lines
    assert line.startswith("infocpl: error: ")
    assert "Traceback" not in told.err + told.out
    for word in words:
        assert word in line


# --- help and usage -----------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_shows_an_example(infocpl, command):
    told = infocpl(command, "--help")
    assert told.code == 0
    assert f"infocpl {command}" in re.sub(r"[│\s]+", " ", told.out).split("Example:", 1)[1]


def test_the_help_of_the_program_lists_every_command(infocpl):
    for arguments in (("--help",), ()):
        told = infocpl(*arguments)
        assert told.code == 0
        assert all(command in told.out for command in COMMANDS)


def test_the_version_is_that_of_the_package(infocpl):
    told = infocpl("--version")
    assert (told.code, told.out.strip()) == (0, __version__)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(("--version",), 0, __version__), (("info", "--dataset", "x"), 1, "infocpl: error: ")],
)
def test_the_package_itself_can_be_run_and_hands_its_exit_code_on(arguments, code, said):
    done = subprocess.run(
        [sys.executable, "-m", "infocpl", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == code
    assert (done.stdout or done.stderr).startswith(said)


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("info",)], ids=" ".join)
def test_a_reader_who_leaves_early_is_no_error(start_infocpl, arguments):
    """As in ``infocpl --help | head -1``; the pipe is closed before anything is written."""
    process = start_infocpl(*arguments)
    process.stdout.close()
    process.stdout = None
    _, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("predict", "--unknown"),
        ("run", "--dataset", "utd-mhad"),
        ("run", "--dataset", "x", "--data", "x", "--split", "x", "--out", "x", "--seeds", "two"),
        ("predict", "a.skeleton", "--labels", "a,b"),
        ("run", "--selection", "peek"),
    ],
    ids=["command", "option", "missing options", "no number", "missing model", "choice"],
)
def test_a_usage_error_is_exit_code_2(infocpl, arguments):
    told = infocpl(*arguments)
    assert told.code == 2
    assert told.out == ""
    assert told.err
    assert "Traceback" not in told.err


def test_info_names_everything_that_has_a_name(infocpl):
    told = infocpl("info")
    assert told.code == 0
    for word in (*list_datasets(), "minilm", "stgcn-small", "tiny", "utd-mhad", "ntu25", "torch"):
        assert word in told.out


@pytest.mark.parametrize("name", list_datasets())
def test_info_of_a_dataset_lists_its_classes_and_splits(infocpl, name):
    told = infocpl("info", "--dataset", name)
    dataset = create_dataset(name)
    assert told.code == 0
    assert all(word in told.out for word in (*dataset.classes, *list_splits(dataset)))


def test_info_of_an_unknown_dataset_names_the_known_ones(infocpl):
    refused(infocpl("info", "--dataset", "kitchen"), "kitchen", "utd-mhad")


# --- predict ------------------------------------------------------------------------------------


def test_predict_prints_a_table_for_every_file(infocpl, model_folder, wave):
    told = infocpl("predict", wave, wave, "--model", model_folder, "--labels", NAMES, "--top", 2)
    assert told.code == 0
    assert told.err == ""
    assert told.out.count("ntu25") == 2
    assert len(re.findall(r"\d+\.\d %", told.out)) == 4


def test_predict_prints_json_that_agrees_with_the_table(infocpl, model_folder, wave):
    arguments = ("predict", wave, "--model", model_folder, "--labels", NAMES)
    (item,) = json.loads(infocpl(*arguments, "--json").out)
    table = infocpl(*arguments).out
    assert item["path"] == str(wave)
    for entry in item["ranked"]:
        line = next(line for line in table.splitlines() if entry["name"] in line)
        assert f"{100 * entry['share']:.1f} %" in line


def test_predict_explains_with_a_sentence_for_every_head(infocpl, model_folder, wave):
    arguments = ("predict", wave, "--model", model_folder, "--labels", NAMES)
    (item,) = json.loads(infocpl(*arguments, "--json").out)
    told = infocpl(*arguments, "--explain")
    lines = [line for line in told.out.splitlines() if line.startswith("  head k=")]
    assert len(lines) == len(item["heads"]) > 0
    for line, head in zip(lines, item["heads"], strict=True):
        assert line.startswith(f"  head k={head['k']}: {head['believed'][0]['text']}")


def test_predict_says_which_names_nothing_is_known_of(infocpl, model_folder, wave):
    told = infocpl("predict", wave, "--model", model_folder, "--labels", "sit down, zorb")
    assert told.code == 0
    assert told.error_lines == [
        "infocpl: note: no description is known for zorb; only the name speaks for it, which is "
        "much weaker"
    ]


def test_predict_says_which_descriptions_were_composed_from_the_name(infocpl, model_folder, wave):
    arguments = ("predict", wave, "--model", model_folder, "--labels", "sit down, leapfrog a hedge")
    told = infocpl(*arguments)
    assert told.code == 0
    assert told.error_lines == [
        "infocpl: note: no lexicon knows leapfrog a hedge (grammar (confidence 1.00)); the "
        "descriptions were composed from the names, see `infocpl describe`"
    ]
    (line,) = (line for line in told.out.splitlines() if "leapfrog a hedge" in line)
    assert "grammar (confidence 1.00)" in line
    (item,) = json.loads(infocpl(*arguments, "--json").out)
    assert item["sources"]["leapfrog a hedge"] == "grammar (confidence 1.00)"


def test_predict_asks_the_users_own_lexicon_first(infocpl, model_folder, wave, tmp_path):
    infocpl("describe", "--labels", "zorb", "--text-encoder", "none", "--out", tmp_path / "none")
    assert not (tmp_path / "none").exists()
    out = tmp_path / "out"
    infocpl("describe", "--labels", "wave slowly", "--text-encoder", "none", "--out", out)
    text = (out / "lexicon.yaml").read_text().replace("name: wave slowly", "name: zorb")
    (tmp_path / "own.yaml").write_text(text)
    told = infocpl(
        *("predict", wave, "--model", model_folder, "--labels", "sit down, zorb"),
        *("--lexicon", tmp_path / "own.yaml", "--json"),
    )
    assert told.code == 0, told.err
    assert json.loads(told.out)[0]["sources"]["zorb"] == "lexicon described"
    missing = infocpl(
        *("predict", wave, "--model", model_folder, "--labels", "sit down, zorb"),
        *("--lexicon", tmp_path / "absent.yaml"),
    )
    refused(missing, "absent.yaml", "no such lexicon file")


def test_names_that_look_like_markup_are_printed_as_they_are(infocpl, model_folder, wave, tmp_path):
    strange = tmp_path / "[b]clip[i].skeleton"
    strange.write_bytes(wave.read_bytes())
    told = infocpl("predict", strange, "--model", model_folder, "--labels", "[red]wave, [/oops]")
    assert told.code == 0
    assert "[red]wave" in told.out
    assert "[/oops]" in told.out
    assert str(strange) in told.out


def test_a_bad_file_among_good_ones_costs_the_exit_code_only(infocpl, model_folder, wave, tmp_path):
    bad = tmp_path / "bad.skeleton"
    bad.write_text("3\n")
    told = infocpl("predict", bad, wave, "--model", model_folder, "--labels", NAMES, "--json")
    refused(told, str(bad))
    assert [item["path"] for item in json.loads(told.out)] == [str(wave)]


def spoil(kind: str, good: Path, folder: Path) -> Path:
    path = folder / "clip.skeleton"
    content = good.read_bytes()
    lines = content.decode().splitlines()
    first = next(i for i, line in enumerate(lines) if len(line.split()) == 12)
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif kind == "binary":
        path.write_bytes(bytes(range(256)) * 50)
    elif kind == "not a number":
        path.write_text("\n".join([*lines[:first], "nan " * 12, *lines[first + 1 :]]))
    elif kind == "too few joints":
        path.write_text("\n".join([*lines[: first - 1], "20", *lines[first:]]))
    elif kind == "a folder":
        path.mkdir()
    elif kind == "another format":
        path = folder / "clip.mat"
        savemat(path, {"something": np.ones((3, 3))})
    elif kind == "wrong shape":
        path = folder / "clip.mat"
        savemat(path, {"d_skel": np.ones((25, 3, 5))})
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "empty",
        "truncated",
        "binary",
        "not a number",
        "too few joints",
        "a folder",
        "another format",
        "wrong shape",
    ],
)
def test_a_bad_clip_is_one_line_that_names_it(infocpl, model_folder, wave, tmp_path, kind):
    path = spoil(kind, wave, tmp_path)
    told = infocpl("predict", path, "--model", model_folder, "--labels", NAMES)
    refused(told, str(path), "expected", "got")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--labels": ""}, ["label"]),
        ({"--labels": "sit down, Sit Down"}, ["sit down"]),
        ({"--labels": "sit down"}, ["at least two names"]),
        ({"--model": "no/such/model"}, ["no/such/model", "no such folder"]),
        ({"--format": "vhs"}, ["vhs", "ntu"]),
        ({"--top": "0"}, ["--top", "0"]),
    ],
    ids=["no labels", "labels twice", "one label", "model", "format", "top"],
)
def test_a_bad_option_of_predict_is_one_line(infocpl, model_folder, wave, changes, words):
    options = {"--model": str(model_folder), "--labels": NAMES, **changes}
    arguments = [item for pair in options.items() for item in pair]
    refused(infocpl("predict", wave, *arguments), *words)


def test_a_folder_that_is_no_model_is_one_line(infocpl, wave, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    told = infocpl("predict", wave, "--model", tmp_path, "--labels", NAMES)
    refused(told, str(tmp_path))


def test_a_text_encoder_that_has_moved_is_asked_for_and_taken(
    infocpl, moved_encoder_model, model_folder, wave, tmp_path
):
    arguments = ("predict", wave, "--labels", NAMES, "--json", "--model")
    told = infocpl(*arguments, moved_encoder_model)
    refused(told, str(tmp_path / "gone"), "all-minilm-l6-v2@", "--text-encoder")
    told = infocpl(*arguments, moved_encoder_model, "--text-encoder", "minilm")
    assert told.code == 0
    assert told.out == infocpl(*arguments, model_folder).out


def test_a_text_encoder_with_other_vectors_is_refused(infocpl, model_folder, wave, tmp_path):
    save_precomputed(tmp_path / "own.npy", NAMES.split(", "), np.eye(3))
    arguments = ("predict", wave, "--labels", NAMES, "--model", model_folder)
    told = infocpl(*arguments, "--text-encoder", tmp_path / "own.npy")
    refused(told, "precomputed:", "mean something else")


# --- convert, run, evaluate: what is refused before any work --------------------------------------


@pytest.fixture
def run_options(synthetic_files: Path, tmp_path: Path) -> dict[str, str]:
    return {
        "--dataset": "synthetic",
        "--data": str(synthetic_files),
        "--split": "demo/51-8",
        "--preset": "tiny",
        "--out": str(tmp_path / "out"),
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"--dataset": "kitchen"}, ["kitchen", "utd-mhad"]),
        ({"--split": "demo/7-7"}, ["demo/7-7", "demo/51-8"]),
        ({"--split": "random:1:59"}, ["random:1:59"]),
        ({"--split": "no/such.yaml"}, ["no/such.yaml"]),
        ({"--preset": "huge"}, ["huge", "tiny"]),
        ({"--encoder": "transformer"}, ["transformer", "stgcn-small"]),
        ({"--text-encoder": "word2vec"}, ["word2vec", "minilm"]),
        ({"--granularities": "smell"}, ["smell", "definition"]),
        ({"--protocol": "xmoon"}, ["xmoon", "xsub"]),
        ({"--seeds": "0"}, ["--seeds", "0"]),
        ({"--epochs": "0"}, ["epochs", "0"]),
        ({"--folds": "0"}, ["folds"]),
        ({"--threads": "0"}, ["--threads", "0"]),
        ({"--data": "no/such/data"}, ["no/such/data"]),
        ({"--workers": "0"}, ["--workers", "0"]),
        ({"--features": "no/such/store"}, ["--data or --features"]),
        ({"--lexicon": "no/such.yaml"}, ["no/such.yaml", "no such lexicon file"]),
        ({"--extra": "no/such/store"}, ["--extra no/such/store", "no such folder"]),
        ({"--extra": "synthetic"}, ["--extra synthetic", "'synthetic' itself"]),
    ],
    ids=lambda value: "=".join(next(iter(value.items()))) if isinstance(value, dict) else "",
)
def test_a_bad_option_of_run_is_one_line_and_writes_nothing(infocpl, run_options, changes, words):
    arguments = [item for pair in {**run_options, **changes}.items() for item in pair]
    refused(infocpl("run", *arguments), *words)
    assert not Path(run_options["--out"]).exists()


@pytest.mark.parametrize("command", ["run", "study"])
def test_one_bad_source_among_several_is_one_line_and_writes_nothing(
    infocpl, run_options, small_store, tmp_path, command
):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a1_s1_t1_skeleton.mat").write_bytes(b"read later, and then refused")
    options = {**run_options, "--dataset": "utd-mhad", "--split": "purls/22-5"}
    options["--data"] = str(tmp_path / "raw")
    if command == "study":
        del options["--split"]
    arguments = [item for pair in options.items() for item in pair]
    for typed in (
        ["--extra", "synthetic", tmp_path / "nowhere"],
        ["--extra", small_store.folder, "synthetic"],
        ["--extra", "synthetic", "--extra", "synthetic"],
        ["--extra"],
    ):
        refused(infocpl(command, *arguments, *typed), "--extra")
        assert not Path(run_options["--out"]).exists()


def test_run_refuses_an_output_folder_that_holds_something(infocpl, run_options):
    out = Path(run_options["--out"])
    out.mkdir()
    (out / "thesis.tex").write_text("years of work")
    arguments = [item for pair in run_options.items() for item in pair]
    refused(infocpl("run", *arguments), str(out), "not empty")
    refused(infocpl("run", *arguments, "--resume"), str(out), "nothing to resume")
    assert [item.name for item in out.iterdir()] == ["thesis.tex"]


def test_run_refuses_a_file_as_output_folder(infocpl, run_options):
    out = Path(run_options["--out"])
    out.write_text("years of work")
    arguments = [item for pair in run_options.items() for item in pair]
    refused(infocpl("run", *arguments), str(out), "is a file")
    assert out.read_text() == "years of work"


def test_run_refuses_an_output_below_a_file(infocpl, run_options, tmp_path):
    (tmp_path / "file").write_text("")
    options = {**run_options, "--out": str(tmp_path / "file" / "out")}
    arguments = [item for pair in options.items() for item in pair]
    refused(infocpl("run", *arguments), "file")


def test_demo_refuses_too_few_people_and_to_overwrite_what_is_no_demo(infocpl, tmp_path):
    refused(infocpl("demo", "--out", tmp_path / "new", "--subjects", 8), "--subjects", "9")
    assert not (tmp_path / "new").exists()
    (tmp_path / "precious.txt").write_text("years of work")
    refused(infocpl("demo", "--out", tmp_path, "--overwrite"), "nothing was removed")
    assert (tmp_path / "precious.txt").read_text() == "years of work"


def test_convert_tells_what_it_found(infocpl, synthetic_files, tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    for path in sorted(synthetic_files.iterdir())[:5]:
        (folder / path.name).write_bytes(path.read_bytes())
    arguments = ("convert", "--dataset", "synthetic", "--data", folder)
    told = infocpl(*arguments, "--out", tmp_path / "store")
    assert told.code == 0
    assert "5 clips of Synthetic actions" in told.out
    refused(infocpl(*arguments, "--out", tmp_path / "store"), str(tmp_path / "store"))
    spoilt = sorted(folder.iterdir())[0]
    spoilt.write_text("oops")
    refused(infocpl(*arguments, "--out", tmp_path / "second"), str(spoilt))
    assert not (tmp_path / "second").exists()
    told = infocpl(*arguments, "--out", tmp_path / "second", "--on-error", "skip")
    assert told.code == 0
    assert "4 clips" in told.out
    assert spoilt.stem in told.out


@pytest.mark.parametrize("option", [("--workers", "0"), ("--dataset", "kitchen"), ("--data", "no")])
def test_a_bad_option_of_convert_is_one_line(infocpl, synthetic_files, tmp_path, option):
    options = {"--dataset": "synthetic", "--data": str(synthetic_files), option[0]: option[1]}
    arguments = [item for pair in options.items() for item in pair]
    refused(infocpl("convert", *arguments, "--out", tmp_path / "store"), option[1])
    assert not (tmp_path / "store").exists()


# --- the table ----------------------------------------------------------------------------------


def sample(*, oracle: bool) -> dict:
    keys = ("zsl.top1", "zsl.top5", "zsl.per_class_mean")
    return {
        "dataset": {"title": "Toy"},
        "split": {"id": "own/1", "family": "own", "seen": ["a"] * 3, "unseen": ["b"] * 2},
        "protocol": {"name": "xsub"},
        "features": {"encoder": "stgcn", "dim": 8},
        "text": {"encoder": "minilm", "dim": 4, "descriptions": 5.0},
        "selection": {"rule": "oracle" if oracle else "pseudo-unseen", "oracle": oracle},
        "seeds": [0, 1],
        "chance": {"zsl": 0.5},
        "methods": {
            name: {"title": name, "mean": dict.fromkeys(keys, 0.625), "sd": dict.fromkeys(keys, sd)}
            for name, sd in (("first", 0.0125), ("second", None))
        },
        "published": [{"method": "Someone", "top1": 0.575, "source": "a paper"}],
    }


def test_the_table_marks_every_oracle_number(capsys, tmp_path):
    print_result(sample(oracle=True), tmp_path)
    table = capsys.readouterr().out
    assert table.count("62.5") == table.count("62.5 ± 1.2 †") + table.count("62.5 †") == 6
    assert "† chosen on the unseen test clips: an upper bound" in table
    assert "57.5 †" not in table


def test_the_table_of_an_honest_run_has_no_mark(capsys, tmp_path):
    print_result(sample(oracle=False), tmp_path)
    table = capsys.readouterr().out
    assert "†" not in table
    assert "selection pseudo-unseen; seeds 0, 1" in table
    assert re.search(r"Someone \(published\)\s*│\s*57\.5", table)
    assert re.search(r"chance\s*│\s*50\.0", table)
    assert str(tmp_path / "result.json") in table


# --- import-weights -----------------------------------------------------------------------------


def authors_weights() -> dict[str, torch.Tensor]:
    """One head of 2 features and text of 3 numbers, in the authors' naming."""
    shapes = {"proj.0": (3, 2), "global_D.0.l0": (4, 6), "global_D.0.l1": (5, 4)}
    shapes["global_D.0.l2"] = (1, 5)
    state = {f"{name}.weight": torch.ones(shape) for name, shape in shapes.items()}
    return state | {f"{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}


def test_weights_of_the_authors_become_a_folder(infocpl, tmp_path):
    torch.save(authors_weights(), tmp_path / "a.pt")
    told = infocpl("import-weights", tmp_path / "a.pt", "--out", tmp_path / "out", "--k-series", 7)
    assert told.code == 0, told
    assert "1 heads (k = 7), 2 features, text of 3 numbers" in told.out
    assert load_aligner(tmp_path / "out").model.config.k_series == (7,)


def test_a_file_that_is_no_checkpoint_is_answered_in_one_line(infocpl, tmp_path):
    (tmp_path / "a.pt").write_text("hello")
    refused(infocpl("import-weights", tmp_path / "a.pt", "--out", tmp_path / "out"), "a.pt")
    torch.save({"gate.w": torch.ones(1), **authors_weights()}, tmp_path / "b.pt")
    refused(infocpl("import-weights", tmp_path / "b.pt", "--out", tmp_path / "out"), "gate.w")
    assert not (tmp_path / "out").exists()
    options = ("--out", tmp_path / "out", "--ignore", "gate.")
    assert infocpl("import-weights", tmp_path / "b.pt", *options).code == 0
    refused(infocpl("import-weights", tmp_path / "b.pt", *options), "exists already")
