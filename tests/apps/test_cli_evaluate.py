"""``infocpl evaluate``: the same numbers from files and stores, as JSON and as a table."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from infocpl.apps.cli.evaluate_table import print_measured
from infocpl.data import Split, create_dataset, prepare_clips
from infocpl.evaluation.evaluate import describe_for
from infocpl.evaluation.task_data import text_table
from infocpl.training.pretrained import ZeroShotModel


def refused(told, *words: str) -> None:
    """Exit 1 with exactly one line on standard error, no traceback, and the words in it."""
    assert told.code == 1, told
    assert len(told.error_lines) == 1, told.err
    (line,) = told.error_lines
    assert line.startswith("infocpl: error: ")
    assert "Traceback" not in told.err + told.out
    for word in words:
        assert word in line


def evaluate(model: Path, data: Path, split: str) -> tuple[object, ...]:
    return (
        "evaluate",
        "--model",
        model,
        "--dataset",
        "synthetic",
        "--data",
        data,
        "--split",
        split,
        "--json",
    )


def test_a_model_is_not_measured_on_classes_it_was_trained_on(
    infocpl, model_folder, synthetic_files
):
    # The model was trained on "sit down" and others, which are unseen in this split.
    told = infocpl(*evaluate(model_folder, synthetic_files, "demo/51-8"))
    refused(told, "was trained on unseen classes", "sit down")


@pytest.fixture
def fair_split(tmp_path: Path) -> Path:
    path = tmp_path / "fair.yaml"
    path.write_text("unseen: [wave the left hand, raise the right arm forward, jump up]\n")
    return path


def test_evaluate_measures_on_files_as_on_a_store(
    infocpl, model_folder, synthetic_files, small_store, fair_split, tmp_path
):
    out = tmp_path / "numbers.json"
    told = infocpl(*evaluate(model_folder, synthetic_files, str(fair_split)), "--out", out)
    assert told.code == 0
    numbers = json.loads(told.out)
    assert json.loads(out.read_text()) == numbers
    assert numbers["clips"] == 12
    again = infocpl(*evaluate(model_folder, small_store.folder, str(fair_split)))
    assert json.loads(again.out) == numbers
    told = infocpl(*evaluate(model_folder, synthetic_files, str(fair_split)), "--out", out)
    refused(told, str(out), "exists already")


def test_evaluate_counts_heads_and_measured_traits_together(
    infocpl, model_folder, small_store, fair_split
):
    numbers = json.loads(infocpl(*evaluate(model_folder, small_store.folder, str(fair_split))).out)
    model = ZeroShotModel.from_pretrained(model_folder)
    names = tuple(numbers["per_class"])
    wanted = np.array([small_store.classes.index(name) for name in names])
    rows = np.flatnonzero(np.isin(small_store.labels, wanted))
    clips = prepare_clips(small_store, frames=12, layout="ntu25", persons=1, rows=rows)
    features, text = model.encode(clips.keypoints), text_table(describe_for(model, names))
    own = model.aligner.own_scores(features, text)
    both = (own + model.aligner.measured.scores(features, text)).numpy()
    right = wanted[both.argmax(axis=1)] == clips.labels
    assert numbers["zsl"]["top1"] == pytest.approx(right.mean())
    assert not np.allclose(both, own.numpy(), atol=0.1)


def test_evaluate_takes_the_text_encoder_from_where_it_lies_now(
    infocpl, moved_encoder_model, model_folder, small_store, fair_split
):
    told = infocpl(*evaluate(moved_encoder_model, small_store.folder, str(fair_split)))
    refused(told, "gone", "--text-encoder")
    arguments = evaluate(moved_encoder_model, small_store.folder, str(fair_split))
    told = infocpl(*arguments, "--text-encoder", "minilm")
    there = infocpl(*evaluate(model_folder, small_store.folder, str(fair_split)))
    assert (told.code, told.out) == (0, there.out)


def test_evaluate_uses_the_users_own_words(
    infocpl, model_folder, small_store, fair_split, tmp_path
):
    arguments = evaluate(model_folder, small_store.folder, str(fair_split))
    plain = json.loads(infocpl(*arguments).out)
    infocpl("describe", "--labels", "clap", "--text-encoder", "none", "--out", tmp_path / "own")
    path = tmp_path / "own" / "lexicon.yaml"
    path.write_text(path.read_text().replace("name: clap", "name: jump up"))
    own = json.loads(infocpl(*arguments, "--lexicon", path).out)
    assert own["codebook_hash"] != plain["codebook_hash"]
    assert own["clips"] == plain["clips"]


def cells(table: str) -> dict[str, list[str]]:
    """First cell of every row to the cells after it."""
    rows = [line.strip("│ ").split("│") for line in table.splitlines() if line.startswith("│")]
    return {first.strip(): [cell.strip() for cell in rest] for first, *rest in rows}


def test_evaluate_shows_the_numbers_of_its_json_and_their_conditions(
    infocpl, model_folder, small_store, fair_split
):
    arguments = evaluate(model_folder, small_store.folder, str(fair_split))
    numbers = json.loads(infocpl(*arguments).out)
    told = infocpl(*arguments[:-1])
    assert told.code == 0
    shown = cells(told.out)
    zsl = (numbers["zsl"][key] for key in ("top1", "top5", "per_class_mean"))
    assert shown["InfoCPL"] == [f"{100 * value:.1f}" for value in zsl]
    assert shown["chance"][0] == "33.3"
    for name, recall in numbers["per_class"].items():
        assert shown[name] == [f"{100 * recall:.1f}"]
    assert "split family custom" in told.out
    assert f"3 unseen classes, {numbers['clips']} clips" in told.out
    assert (
        f"text {numbers['text_encoder']}; all descriptions of definition, phase, objects"
        in told.out
    )
    assert "its selection: not known" in told.out
    assert "†" not in told.out


def test_a_model_chosen_on_test_clips_is_measured_under_a_mark(
    infocpl, model_folder, small_store, fair_split, tmp_path
):
    model = ZeroShotModel.from_pretrained(model_folder)
    about = {"dataset": "synthetic", "split": "own/1", "seed": 4, "selection": "oracle"}
    dataclasses.replace(model, about=about).save_pretrained(tmp_path / "peeked")
    told = infocpl(*evaluate(tmp_path / "peeked", small_store.folder, str(fair_split))[:-1])
    assert all(cell.endswith(" †") for cell in cells(told.out)["InfoCPL"])
    assert "of synthetic, split own/1, seed 4; its selection: oracle" in told.out
    assert "† the model was chosen on unseen test clips" in told.out


def test_a_class_without_clips_has_no_recall_in_the_table(model_folder, capsys):
    split = Split("synthetic", "own", "1", seen=("sit down",), unseen=("jump up", "clap [b]"))
    print_measured(
        {
            "clips": 4,
            "chance": 0.5,
            "text_encoder": "minilm",
            "zsl": {"top1": 0.75, "top5": 1.0, "per_class_mean": 0.75},
            "per_class": {"jump up": 0.75, "clap [b]": None},
        },
        ZeroShotModel.from_pretrained(model_folder),
        create_dataset("synthetic"),
        split,
    )
    shown = cells(capsys.readouterr().out)
    assert (shown["jump up"], shown["clap [b]"]) == (["75.0"], ["no clips"])


def test_evaluate_refuses_a_store_of_another_dataset(infocpl, model_folder, small_store):
    arguments = ("--model", model_folder, "--dataset", "utd-mhad", "--data", small_store.folder)
    refused(infocpl("evaluate", *arguments, "--split", "purls/22-5"), "utd-mhad", "synthetic")
