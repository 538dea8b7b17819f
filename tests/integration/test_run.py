"""Whole runs in processes of their own: finished, refused, interrupted, killed, continued."""

from __future__ import annotations

import dataclasses
import json
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infocpl.files import sha256_file
from infocpl.semantics import Codebook
from infocpl.training.pretrained import ZeroShotModel

pytestmark = pytest.mark.integration


def read_result(out: Path) -> dict[str, Any]:
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


def snapshot(folder: Path) -> dict[str, str]:
    """Every file below a folder with its hash."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256_file(path) for path in files}


@pytest.fixture(scope="module")
def result(trained_run) -> dict[str, Any]:
    return read_result(trained_run.out)


def test_a_run_leaves_result_report_model_and_codebook(trained_run, result):
    assert {item.name for item in trained_run.out.iterdir()} == {
        "run.json",
        "result.json",
        "report.html",
        "model",
        "codebook",
        "work",
    }
    assert not list(trained_run.out.rglob(".partial-*"))
    codebook = Codebook.load(trained_run.out / "codebook")
    assert codebook.hash == result["text"]["codebook_hash"]
    assert set(codebook.labels) == {*result["split"]["seen"], *result["split"]["unseen"]}


def test_the_saved_model_is_of_the_first_seed_and_has_seen_no_unseen_class(trained_run, result):
    model = ZeroShotModel.from_pretrained(trained_run.out / "model")
    first = result["selection"]["details"][0]["methods"]["infocpl"]
    assert model.gamma == first["gamma"]
    assert model.about["seed"] == result["seeds"][0]
    assert model.about["split_hash"] == result["split"]["hash"]
    assert list(model.seen) == result["split"]["seen"]
    assert not set(model.seen) & set(result["split"]["unseen"])


def test_counts_are_those_of_the_files(result):
    """59 actions by four people, of whom one tests."""
    assert result["dataset"]["clips"] == 59 * 4
    assert result["protocol"]["train_clips"] == 51 * 3
    assert result["protocol"]["seen_test_clips"] == 51
    assert result["protocol"]["unseen_clips"] == 8 * 4
    assert result["seeds"] == [0, 1]


def test_table_report_and_result_tell_the_same_numbers(trained_run, result):
    page = (trained_run.out / "report.html").read_text(encoding="utf-8")
    for method in result["methods"].values():
        row = next(
            line for line in trained_run.printed.stdout.splitlines() if method["title"] in line
        )
        mean, sd = method["mean"]["zsl.top1"], method["sd"]["zsl.top1"]
        assert f"{100 * mean:.1f} ± {100 * sd:.1f}" in row
        assert method["title"] in page
        assert f"{100 * mean:.1f}" in page
    assert "†" not in trained_run.printed.stdout


def test_standard_output_is_the_table_and_standard_error_the_progress(trained_run):
    assert trained_run.printed.stdout.startswith("Synthetic actions, split demo/51-8")
    assert str(trained_run.out / "result.json") in trained_run.printed.stdout
    assert "embedding" in trained_run.printed.stderr
    assert "Warning" not in trained_run.printed.stderr


def test_the_card_of_the_model_tells_how_it_was_chosen(trained_run, result):
    card = (trained_run.out / "model" / "README.md").read_text(encoding="utf-8")
    assert "selection rule: pseudo-unseen" in card
    top1 = result["methods"]["infocpl"]["per_seed"][0]["zsl"]["top1"]
    assert f"ZSL top-1 of this seed {100 * top1:.1f} %" in card
    assert all(name in card for name in result["split"]["unseen"])


def test_the_model_names_clips_and_is_measured_from_the_shell(
    trained_run, result, run_infocpl, synthetic_files
):
    labels = ", ".join(result["split"]["unseen"])
    clips = sorted(synthetic_files.glob("*P009*"))[:3]
    model = ("--model", trained_run.out / "model")
    told = run_infocpl("predict", *clips, *model, "--labels", labels, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert [item["path"] for item in json.loads(told.stdout)] == [str(clip) for clip in clips]
    where = ("--dataset", "synthetic", "--data", synthetic_files, "--split", "demo/51-8")
    told = run_infocpl("evaluate", *model, *where, "--json")
    assert told.returncode == 0
    expected = result["methods"]["infocpl"]["per_seed"][0]["zsl"]
    assert json.loads(told.stdout)["zsl"] == pytest.approx(expected)


def test_a_usage_error_and_a_user_error_of_a_real_process(run_infocpl):
    told = run_infocpl("run", "--dataset", "synthetic")
    assert (told.returncode, told.stdout) == (2, "")
    told = run_infocpl("info", "--dataset", "kitchen")
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1


def test_a_second_run_in_the_same_folder_is_refused_and_changes_nothing(trained_run, run_infocpl):
    before = snapshot(trained_run.out)
    told = run_infocpl(*trained_run.arguments, "--out", trained_run.out)
    assert told.returncode == 1
    assert len(told.stderr.splitlines()) == 1
    assert "not empty" in told.stderr
    other = [word if word != "2" else "3" for word in trained_run.arguments]
    told = run_infocpl(*other, "--out", trained_run.out, "--resume")
    assert told.returncode == 1
    assert "other settings" in told.stderr.splitlines()[-1]
    assert snapshot(trained_run.out) == before


def stop_when(
    process: Any, ready: Callable[[], bool], number: signal.Signals
) -> tuple[int, str, str]:
    """Send a signal as soon as `ready` says so; what the process answered."""
    end = time.monotonic() + 600
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.mark.parametrize(
    ("number", "finished"), [(signal.SIGINT, 2), (signal.SIGKILL, 1)], ids=["interrupt", "kill"]
)
def test_a_stopped_run_continues_to_the_numbers_of_an_unstopped_one(
    trained_run, result, start_infocpl, run_infocpl, tmp_path, number, finished
):
    out = tmp_path / "out"
    arguments = (*trained_run.arguments, "--out", out)

    def encoders() -> set[str]:
        """Finished encoders, without checkpoints of unfinished ones."""
        names = {path.name for path in out.glob("work/encoder-*.safetensors")}
        return {name for name in names if ".state." not in name}

    def ready() -> bool:
        return len(encoders()) >= finished

    code, printed, errors = stop_when(start_infocpl(*arguments), ready, number)
    assert printed == ""
    assert not (out / "result.json").exists()
    assert "Traceback" not in errors
    if number == signal.SIGINT:
        assert code == 130
        assert errors.splitlines()[-1] == "infocpl: interrupted; finished work was kept"
    else:
        assert code == -signal.SIGKILL
        # What a writer killed in the middle leaves behind.
        (out / "work" / ".partial-encoder").write_bytes(b"half of it")
        # And what one leaves that is killed between its last two steps.
        orphan = out / "work" / min(encoders()).replace(".safetensors", ".state.safetensors")
        orphan.write_bytes(b"no longer needed")
    kept = encoders()

    refused = run_infocpl(*arguments)
    assert refused.returncode == 1
    assert "--resume" in refused.stderr
    done = run_infocpl(*arguments, "--resume")
    assert done.returncode == 0, done.stderr
    found = read_result(out)
    for field in ("methods", "selection", "split", "text", "features", "config", "protocol"):
        assert found[field] == result[field], field
    assert found["dataset"]["store_hash"] == result["dataset"]["store_hash"]
    assert kept < encoders()
    assert not list(out.rglob(".partial-*"))
    assert not list(out.rglob("*.state.safetensors"))


def test_runs_with_an_encoder_cache_share_encoders_and_give_the_same_numbers(
    trained_run, result, run_infocpl, tmp_path
):
    shared = tmp_path / "shared"
    for out in (tmp_path / "one", tmp_path / "two"):
        told = run_infocpl(*trained_run.arguments, "--out", out, "--encoder-cache", shared)
        assert told.returncode == 0, told.stderr
        assert read_result(out)["methods"] == result["methods"]
        if out.name == "one":
            before = snapshot(shared)
    assert snapshot(shared) == before
    # A final encoder and one of selection, for each of two seeds.
    assert len(list(shared.glob("encoder-*.safetensors"))) == 4
    # Without checkpoints of its own, the second has trained nothing.
    assert not list((tmp_path / "two" / "work").glob("encoder-*"))
    weights = [tmp_path / name / "model" / "model.safetensors" for name in ("one", "two")]
    assert {sha256_file(path) for path in weights} == {
        sha256_file(trained_run.out / "model" / "model.safetensors")
    }
    told = run_infocpl("ablate", "--help")
    assert "--encoder-cache" in told.stdout


def test_oracle_numbers_are_marked_wherever_they_appear(trained_run, run_infocpl, tmp_path):
    out = tmp_path / "oracle"
    one_seed = [word if word != "2" else "1" for word in trained_run.arguments]
    told = run_infocpl(*one_seed, "--selection", "oracle", "--out", out)
    assert told.returncode == 0, told.stderr
    found = read_result(out)
    assert found["selection"]["oracle"] is True
    for method in found["methods"].values():
        row = next(line for line in told.stdout.splitlines() if method["title"] in line)
        assert row.count("†") == 7
    assert "† chosen on the unseen test clips: an upper bound" in told.stdout
    page = (out / "report.html").read_text(encoding="utf-8")
    assert 'id="oracle-banner"' in page
    assert page.count("†") > 20
    card = (out / "model" / "README.md").read_text(encoding="utf-8")
    assert "selection rule: oracle" in card
    assert card.count("†") == 3


@pytest.mark.parametrize(
    ("options", "most"),
    [
        (("--descriptions", 20, "--weigh", 0.5), 20),
        # Kinds that the shared run has embedded already.
        (("--best-descriptions", 3, "--granularities", "definition", "part", "objects"), 3),
    ],
    ids=["20 drawn evenly and weighed", "the best 3"],
)
def test_a_choice_of_descriptions_goes_from_the_run_into_result_model_and_measurement(
    run_infocpl, synthetic_files, tmp_path, options, most
):
    out = tmp_path / "out"
    where = ("--dataset", "synthetic", "--data", synthetic_files, "--split", "demo/51-8")
    tiny = ("--seeds", 1, "--preset", "tiny", "--threads", 1)
    told = run_infocpl("run", *where, *tiny, *options, "--out", out)
    assert told.returncode == 0, told.stderr
    found = read_result(out)
    codebook = Codebook.load(out / "codebook")
    assert (codebook.mask.sum(axis=1) == most).all()
    assert found["text"]["descriptions"] == most
    model = ZeroShotModel.from_pretrained(out / "model")
    choice = dataclasses.asdict(model.descriptions)
    assert {**choice, "granularities": list(choice["granularities"])}.items() <= found["text"][
        "choice"
    ].items()
    assert most in (choice["count"], choice["best"])
    assert choice["temperature"] == codebook.temperature == (0.5 if "--weigh" in options else None)
    for page in (out / "report.html", out / "model" / "README.md"):
        assert found["text"]["choice"]["summary"] in page.read_text(encoding="utf-8")
    assert f"{most} descriptions a class at the most" in told.stdout
    again = run_infocpl("evaluate", "--model", out / "model", *where, "--json")
    assert again.returncode == 0, again.stderr
    expected = found["methods"]["infocpl"]["per_seed"][0]["zsl"]
    assert json.loads(again.stdout)["zsl"] == pytest.approx(expected)
    # A list of labels in another order, two of them unknown to the dataset.
    clip = next(synthetic_files.glob("*P009*A010*"))
    names = ("juggling", *reversed(found["split"]["unseen"]), "jump rope")
    labels = ", ".join(names)
    named = run_infocpl("predict", clip, "--model", out / "model", "--labels", labels, "--json")
    assert named.returncode == 0, named.stderr
    (answer,) = json.loads(named.stdout)
    assert {row["name"] for row in answer["ranked"]} == set(names)


def test_a_real_dataset_runs_from_its_original_files(real_data, run_infocpl, tmp_path):
    out = tmp_path / "utd"
    told = run_infocpl(
        "run",
        *("--dataset", "utd-mhad", "--data", real_data / "utd_mhad", "--split", "purls/22-5"),
        *("--preset", "tiny", "--seeds", 1, "--epochs", 1, "--threads", 1, "--out", out),
        *("--granularities", "definition", "part"),
    )
    assert told.returncode == 0, told.stderr
    found = read_result(out)
    assert found["dataset"]["clips"] == 861
    assert found["dataset"]["classes"] == 27
    assert (len(found["split"]["seen"]), len(found["split"]["unseen"])) == (22, 5)
    sides = found["protocol"]
    assert sides["train_clips"] + sides["seen_test_clips"] + sides["unseen_clips"] == 861
    per_class = found["methods"]["infocpl"]["per_class"].values()
    assert sum(entry["clips"] for entry in per_class) == sides["unseen_clips"]
    assert re.search(r"PURLS \(published\)\s*│\s*57\.5", told.stdout)
    assert {"method": "PURLS", "top1": 0.575}.items() <= {
        key: value for row in found["published"] if row["method"] == "PURLS"
        for key, value in row.items()
    }.items()  # fmt: skip
    assert all(source == "lexicon utd-mhad" for source in found["text"]["sources"].values())
