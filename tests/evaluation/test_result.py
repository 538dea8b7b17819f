"""The result as a JSON value: complete, documented, and equal to what the runs hold."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from infocpl.data import PreparedClips, create_dataset
from infocpl.data.extra import OtherClips, join_clips
from infocpl.evaluation.experiment import run_experiment
from infocpl.evaluation.result import SCHEMA, ResultContext, build_result
from infocpl.evaluation.task_data import TaskData, text_table
from infocpl.evaluation.variants import METHODS
from infocpl.semantics import build_codebook
from infocpl.semantics.codebook import Codebook
from infocpl.skeleton.measures import MEASURES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "result.md"


@pytest.fixture(scope="module")
def context(small_store, small_codebook, small_config) -> ResultContext:
    return ResultContext(
        dataset=create_dataset("synthetic"),
        store=small_store,
        codebook=small_codebook,
        protocol="xsub",
        config=small_config,
        command="infocpl run --dataset synthetic",
        seconds={"total": 1.23456},
    )


@pytest.fixture(scope="module")
def result(small_task, small_runs, context) -> dict[str, Any]:
    return build_result(small_task, small_runs, context)


def test_measured_traits_on_the_actions_they_were_revised_by_carry_a_warning(
    result, small_task, small_runs, context
):
    """On those alone, and only where they are used."""
    assert result["features"]["measures"] == len(MEASURES)
    assert "revised by how well they agree with these generated" in result["features"]["warning"]
    real = dataclasses.replace(context, dataset=create_dataset("utd-mhad"))
    assert "warning" not in build_result(small_task, small_runs, real)["features"]
    bare = [
        dataclasses.replace(
            run,
            features=dataclasses.replace(
                run.features, train=run.features.train[:, : run.features.dim]
            ),
        )
        for run in small_runs
    ]
    assert "warning" not in build_result(small_task, bare, context)["features"]


def test_a_result_survives_strict_json(result):
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert result["schema"] == SCHEMA == "infocpl-result/1"


def test_mean_and_spread_over_seeds_agree_with_numpy(result):
    for entry in result["methods"].values():
        assert entry["mean"].keys() == entry["sd"].keys()
        for key, mean in entry["mean"].items():
            group, name = key.split(".")
            values = [seed[group][name] for seed in entry["per_seed"]]
            assert len(values) == 2
            assert mean == pytest.approx(np.mean(values))
            assert entry["sd"][key] == pytest.approx(np.std(values, ddof=1))


def test_one_seed_has_no_spread_rather_than_none_at_all(small_task, small_runs, context):
    single = build_result(small_task, small_runs[:1], context)
    assert single["seeds"] == [0]
    for entry in single["methods"].values():
        assert set(entry["sd"].values()) == {None}
        assert entry["mean"]["zsl.top1"] == entry["per_seed"][0]["zsl"]["top1"]


def test_confusion_and_recall_are_those_of_scikit_learn(result, small_task, small_runs):
    unseen = small_task.split.unseen
    labels = small_task.rows(small_task.unseen_test, unseen)
    truth = np.concatenate([labels, labels])
    for method, entry in result["methods"].items():
        said = np.concatenate([run.methods[method].scores.argmax(axis=1) for run in small_runs])
        assert entry["confusion"]["labels"] == list(unseen)
        assert entry["confusion"]["counts"] == confusion_matrix(truth, said).tolist()
        recalls = recall_score(truth, said, average=None)
        for row, name in enumerate(unseen):
            assert entry["per_class"][name]["recall"] == pytest.approx(recalls[row])
            assert entry["per_class"][name]["clips"] == (labels == row).sum()


def test_intervals_hold_the_mean(result):
    for entry in result["methods"].values():
        for name, interval in entry["interval"].items():
            assert 0 <= interval["low"] <= entry["mean"]["zsl.top1"] <= interval["high"] <= 1
            assert interval["by"] == (name.removeprefix("zsl.top1").lstrip(".") or "class")


def test_differences_are_those_of_the_same_clips_and_seeds(result, small_runs):
    assert result["methods"]["infocpl"]["paired"] is None
    for method in ("ridge", "ridge-names"):
        paired = result["methods"][method]["paired"]
        assert paired["reference"] == "infocpl"
        gains = [
            run.methods["infocpl"].zsl.hits.mean() - run.methods[method].zsl.hits.mean()
            for run in small_runs
        ]
        told = paired["zsl.top1"]
        assert told["mean"] == pytest.approx(np.mean(gains))
        assert told["sd"] == pytest.approx(np.std(gains, ddof=1))
        assert told["by"] == "class and clip"
        assert -1 <= told["low"] <= told["mean"] <= told["high"] <= 1


def test_the_oracle_is_told_beside_the_honest_number_where_it_was_asked_for(
    small_task, small_config, small_runs, context
):
    both = dataclasses.replace(small_config, variants=("one-head",), with_oracle=True)
    runs = run_experiment(small_task, both, (0, 1))
    told = build_result(small_task, runs, dataclasses.replace(context, config=both))
    json.dumps(told, allow_nan=False)
    assert list(told["methods"]) == ["infocpl", "ridge", "ridge-names", "one-head"]
    assert told["config"]["variants"] == ["one-head"]
    assert told["selection"]["oracle"] is False
    plain = build_result(small_task, small_runs, context)["methods"]["infocpl"]
    honest = told["methods"]["infocpl"]
    assert {**honest, "oracle": None} == plain
    for entry in told["methods"].values():
        oracle = entry["oracle"]
        # A gate is fitted in folds, which choosing on the test clips does without.
        assert oracle["mean"].keys() == {k for k in entry["mean"] if not k.startswith("gate.")}
        assert oracle["inflation"]["zsl.top1"] >= 0
        assert oracle["mean"]["zsl.top1"] - oracle["inflation"]["zsl.top1"] == pytest.approx(
            entry["mean"]["zsl.top1"]
        )


def test_the_curve_is_that_of_the_first_seed_and_not_too_long(result, small_runs):
    for method, entry in result["methods"].items():
        curve, full = entry["curve"], small_runs[0].methods[method].gzsl.curve
        assert len(curve["gamma"]) == len(curve["seen"]) == len(curve["unseen"]) <= 200
        assert curve["gamma"] == sorted(curve["gamma"])
        assert curve["gamma"][0] == full.gamma[0]
        assert curve["gamma"][-1] == full.gamma[-1]
        assert (curve["unseen"][0], curve["seen"][-1]) == (0.0, 0.0)


def test_choices_of_every_seed_and_method_are_written_down(result, small_runs):
    details = result["selection"]["details"]
    assert [entry["seed"] for entry in details] == [0, 1]
    for entry, run in zip(details, small_runs, strict=True):
        assert entry["methods"].keys() == METHODS.keys()
        for method, told in entry["methods"].items():
            choice, used = run.methods[method].choice, run.methods[method].calibration
            assert (told["epoch"], told["alpha"]) == (choice.epoch, choice.alpha)
            assert tuple(told["evidence"]) == choice.evidence
            assert told["raw_gamma"] == choice.gamma
            assert told["relative_gamma"] == choice.relative_gamma
            assert (told["gamma"], told["gamma_rule"]) == (used.gamma, used.rule)
            assert told["lead"] == used.lead
            selected = result["methods"][method]["per_seed"][run.seed]["selected"]
            assert selected == {"epoch": choice.epoch, "alpha": choice.alpha}


def test_no_unseen_class_is_among_the_training_classes(result, small_task):
    assert result["features"]["training_classes"] == list(small_task.split.seen)
    held = [
        name
        for seed in result["selection"]["details"]
        for method in seed["methods"].values()
        for fold in method["evidence"]
        for name in fold["held_out"]
    ]
    assert set(held) <= set(small_task.split.seen)
    assert not set(held) & set(result["split"]["unseen"])


def test_counts_and_hashes_are_those_of_the_task(result, small_task, small_store, small_codebook):
    assert result["protocol"] == {
        "name": "xsub",
        "train_clips": len(small_task.train),
        "seen_test_clips": len(small_task.seen_test),
        "unseen_clips": len(small_task.unseen_test),
        "unseen_from": "all",
    }
    assert result["dataset"]["store_hash"] == small_store.hash
    assert result["dataset"]["clips"] == len(small_store)
    assert result["split"]["hash"] == small_task.split.hash
    assert result["text"]["codebook_hash"] == small_codebook.hash
    assert sum(result["text"]["granularities"].values()) == pytest.approx(
        result["text"]["descriptions"], abs=0.05
    )
    assert result["chance"]["zsl"] == pytest.approx(1 / 3)
    assert result["seconds"] == {"total": 1.23}


def test_an_honest_result_says_so(result, small_config):
    assert result["selection"]["oracle"] is False
    assert result["selection"]["folds"] == small_config.folds


def test_an_oracle_result_says_so_in_three_places(small_task, small_config, context):
    config = dataclasses.replace(small_config, selection="oracle")
    runs = run_experiment(small_task, config, (0,))
    told = build_result(small_task, runs, dataclasses.replace(context, config=config))
    assert told["selection"]["oracle"] is True
    assert told["selection"]["rule"] == told["config"]["selection"] == "oracle"
    assert told["selection"]["folds"] == 0
    for method in told["selection"]["details"][0]["methods"].values():
        (evidence,) = method["evidence"]
        assert evidence["held_out"] == ["the unseen test classes themselves"]


def test_without_seen_test_clips_gzsl_is_absent_not_zero(small_task, small_config, context):
    alone = dataclasses.replace(small_task, seen_test=small_task.seen_test[:0])
    runs = run_experiment(alone, dataclasses.replace(small_config, folds=1), (0,))
    told = build_result(alone, runs, context)
    json.dumps(told, allow_nan=False)
    for entry in told["methods"].values():
        assert entry["curve"] is entry["gate_curve"] is None
        assert "gate" not in entry["per_seed"][0]
        assert "gzsl" not in entry["per_seed"][0]
        assert not [key for key in entry["mean"] if key.startswith(("gzsl", "gate"))]


def test_an_unseen_class_without_clips_has_no_recall(small_task, small_config, context):
    labels = small_task.rows(small_task.unseen_test, small_task.split.unseen)
    fewer = dataclasses.replace(small_task, unseen_test=small_task.unseen_test[labels > 0])
    runs = run_experiment(fewer, dataclasses.replace(small_config, folds=1), (0,))
    told = build_result(fewer, runs, context)
    json.dumps(told, allow_nan=False)
    for entry in told["methods"].values():
        assert entry["per_class"][small_task.split.unseen[0]] == {"recall": None, "clips": 0}


def test_numbers_published_for_the_split_stand_beside_ours(small_task, small_runs, context):
    """Only those of this very split."""
    utd = create_dataset("utd-mhad")
    split = dataclasses.replace(small_task.split, family="purls", name="22-5")
    task = dataclasses.replace(small_task, split=split)
    told = build_result(task, small_runs, dataclasses.replace(context, dataset=utd))
    expected = {row.method: row.top1 for row in utd.published if row.split == "purls/22-5"}
    assert {row["method"]: row["top1"] for row in told["published"]} == expected
    assert expected["PURLS"] == 0.575
    assert len(expected) < len(utd.published)


FREE = ("sources", "per_class", "accuracy", "granularities", "config")
"""Objects whose keys are names of classes, candidates, kinds or settings, not of fields."""


def fields(value: Any, skip: bool = False) -> set[str]:
    """Every key of a result that the schema fixes."""
    if isinstance(value, list):
        return {key for item in value for key in fields(item)}
    if not isinstance(value, dict):
        return set()
    own = set() if skip else set(value)
    if skip and not all(isinstance(item, dict) for item in value.values()):
        return own
    for key, item in value.items():
        if key != "measured":  # Numbers by weight and step.
            own |= fields(item, skip=key in FREE)
    return own


def described() -> set[str]:
    """Every word and path of the document that stands as code."""
    spans = re.findall(r"`([^`]+)`", DOCUMENT.read_text(encoding="utf-8"))
    return {part for span in spans for part in [span, *span.split(".")]}


def test_every_field_of_a_result_is_described_in_the_document(result):
    words = described()
    found = fields({key: value for key, value in result.items() if key != "config"})
    assert len(found) > 70
    found -= {"total"} if "total" in words else set()
    assert sorted(found - words) == []


def test_every_top_level_field_is_there(result):
    assert set(result) == {
        "schema", "infocpl_version", "created", "command", "dataset", "split", "protocol",
        "features", "text", "extra", "selection", "config", "seeds", "chance", "methods",
        "published", "environment", "seconds",
    }  # fmt: skip


# --- classes learned besides --------------------------------------------------------------------

BESIDES = {"nw-ucla": ("carry", "sit down"), "sbu": ("kicking", "hugging", "punching")}
"""Classes of each source; "sit down" and "kicking" may not be learned."""


@pytest.fixture(scope="module")
def besides(small_task, trigrams) -> tuple[TaskData, list[Codebook]]:
    """The small task with clips of two sources, number i of a source i + 1 times."""
    form = small_task.clips.keypoints.shape[1:]
    others = []
    for source, names in BESIDES.items():
        labels = np.repeat(np.arange(len(names)), np.arange(len(names)) + 1)
        clips = PreparedClips(
            np.zeros((len(labels), *form), np.float32),
            labels,
            ("x",) * len(labels),
            labels,
            small_task.clips.layout,
            names,
        )
        excluded = {name: frozenset[str]() for name in small_task.clips.classes}
        excluded |= dict.fromkeys(small_task.split.unseen, frozenset({"sit down", "kicking"}))
        others.append(OtherClips(source, clips, excluded, f"store of {source}"))
    joined, elsewhere = join_clips(small_task.clips, others)
    books = [build_codebook(names, trigrams, dataset=source) for source, names in BESIDES.items()]
    task = dataclasses.replace(small_task, clips=joined)
    return task.with_extra(elsewhere, [text_table(book) for book in books]), books


@pytest.fixture(scope="module")
def wider(besides, small_runs, context) -> dict[str, Any]:
    task, books = besides
    return build_result(task, small_runs, dataclasses.replace(context, extra_codebooks=books))


def test_every_source_that_was_learned_besides_is_told_with_its_hashes(wider, besides):
    _, books = besides
    extra = wider["extra"]
    assert extra["classes"] == ["nw-ucla: carry", "sbu: hugging", "sbu: punching"]
    assert extra["left_out"] == ["nw-ucla: sit down", "sbu: kicking"]
    assert extra["clips"] == 1 + 2 + 3
    assert extra["sources"] == [
        {
            "name": "nw-ucla",
            "clips": 1,
            "classes": 1,
            "store_hash": "store of nw-ucla",
            "codebook_hash": books[0].hash,
        },
        {
            "name": "sbu",
            "clips": 5,
            "classes": 2,
            "store_hash": "store of sbu",
            "codebook_hash": books[1].hash,
        },
    ]
    assert books[0].hash != books[1].hash
    assert fields(extra) <= described()


def test_every_row_is_named_for_what_was_learned_besides(wider, result):
    assert result["extra"] is None
    assert wider["extra"]["source"] == "nw-ucla and sbu"
    for method, entry in wider["methods"].items():
        assert entry["title"] == f"{result['methods'][method]['title']} + nw-ucla and sbu clips"
