"""``--choose`` on the command line: what it leaves, says and refuses."""

from __future__ import annotations

import dataclasses
import json

import pytest

from infocpl.apps.plan import Plan, open_output
from infocpl.apps.report.page import render_report
from infocpl.data import create_dataset, load_split
from infocpl.errors import ConfigError, DataError
from infocpl.evaluation.config import create_preset
from infocpl.evaluation.variants import METHODS

ROWS = [*METHODS, "measures-only", "one-head", "chosen"]


@pytest.fixture
def arguments(small_store, tmp_path):
    return (
        "--dataset", "synthetic", "--data", small_store.folder, "--preset", "tiny",
        "--epochs", "1", "--granularities", "definition", "--threads", "1",
        "--out", tmp_path / "out",
    )  # fmt: skip


def test_a_run_says_which_candidate_was_chosen_in_which_seed(infocpl, arguments, tmp_path):
    asked = ("--choose", "one-head", "ridge", "--split", "demo/51-8", "--seeds", "2")
    told = infocpl("run", *arguments, *asked)
    assert told.code == 0, told.err
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert list(result["methods"]) == ROWS
    names = []
    for place, seed in enumerate(result["selection"]["details"]):
        scores = seed["chosen"]["scores"]
        assert list(scores) == ["infocpl", "one-head", "ridge"]
        name = next(name for name in scores if scores[name] == max(scores.values()))
        assert seed["chosen"]["candidate"] == name
        one, other = (result["methods"][key]["per_seed"][place] for key in ("chosen", name))
        assert one["zsl"] == other["zsl"]
        assert one["gzsl"] == other["gzsl"]
        names.append(name)
    summary = result["selection"]["chosen"]["summary"]
    assert f"{names[0]} in {names.count(names[0])}" in summary
    assert f"{summary}; among infocpl, one-head, ridge" in told.out
    row = next(line for line in told.out.splitlines() if "InfoCPL, chosen on folds" in line)
    assert f"{100 * result['methods']['chosen']['mean']['zsl.top1']:.1f}" in row
    page = (tmp_path / "out" / "report.html").read_text()
    assert summary in page
    assert "InfoCPL, chosen on folds" in page
    assert f"candidate {names[0]}" in page


def test_the_saved_model_stays_that_of_infocpl(infocpl, arguments, tmp_path):
    infocpl("run", *arguments, "--choose", "ridge", "--split", "demo/51-8", "--seeds", "1")
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    model = json.loads((tmp_path / "out" / "model" / "config.json").read_text())
    own = result["selection"]["details"][0]["methods"]["infocpl"]
    assert model["gamma"] == own["gamma"]


def test_a_study_says_how_often_each_was_chosen(infocpl, arguments, tmp_path):
    told = infocpl("study", *arguments, "--choose", "one-head", "--count", "2", "--unseen", "5")
    assert told.code == 0, told.err
    study = json.loads((tmp_path / "out" / "study.json").read_text())
    assert list(study["methods"]) == ROWS
    for split in study["splits"]:
        (name,) = split["chosen"]
        assert split["top1"]["chosen"] == split["top1"][name]
    (first,) = study["splits"][0]["chosen"]
    count = sum(split["chosen"] == [first] for split in study["splits"])
    assert f"{first} in {count}" in study["chosen"]
    assert "of 2 splits" in study["chosen"]
    assert study["chosen"] in told.out
    assert study["chosen"] in (tmp_path / "out" / "study.html").read_text()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--choose",), "at least one candidate"),
        (("--choose", "two-heads"), "unknown candidate 'two-heads'"),
        (("--choose", "ridge", "ridge"), "candidates must differ"),
        (("--choose", "ridge-names"), "'ridge-names' is a row to compare with"),
        (("--choose", "names-only"), "'names-only' is a row to compare with"),
        (("--choose", "ridge", "--selection", "oracle"), "selection 'oracle' does not do"),
    ],
    ids=["none", "unknown", "twice", "ridge of names", "names only", "oracle"],
)
def test_what_cannot_be_chosen_among_is_one_line_before_any_work(
    infocpl, arguments, tmp_path, asked, said
):
    told = infocpl("run", *arguments, "--split", "demo/51-8", *asked)
    assert told.code != 0
    assert len(told.error_lines) == 1
    assert said in told.err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def plan(tmp_path):
    dataset = create_dataset("utd-mhad")
    return Plan(
        dataset=dataset,
        split=load_split(dataset, "purls/22-5"),
        protocol="xsub",
        source=tmp_path / "data",
        out=tmp_path / "out",
        config=create_preset("tiny"),
        seeds=(0,),
    )


def test_a_run_without_a_choice_is_known_as_before_there_was_one(plan):
    assert "choose" not in plan.identity()["config"]
    assert "variants" in plan.identity()["config"]


def test_a_run_with_a_choice_is_another_run(plan):
    chosen = dataclasses.replace(
        plan, config=dataclasses.replace(plan.config, choose=("one-head", "ridge"))
    )
    open_output(chosen, resume=False)
    open_output(chosen, resume=True)
    order = dataclasses.replace(plan.config, choose=("ridge", "one-head"))
    for other in (plan, dataclasses.replace(plan, config=order)):
        with pytest.raises(ConfigError, match="other settings"):
            open_output(other, resume=True)


def test_a_page_of_a_broken_choice_names_the_place():
    result = {
        "schema": "infocpl-result/1", "seeds": [0],
        "selection": {"rule": "pseudo-unseen", "chosen": {"among": ["infocpl"]}},
        "dataset": {"name": "toy"}, "features": {"encoder": "e"}, "text": {"encoder": "t"},
        "split": {"id": "s", "family": "f", "seen": ["a"], "unseen": ["b", "c"]},
        "methods": {"infocpl": {"title": "InfoCPL", "mean": {"zsl.top1": 0.5}}},
    }  # fmt: skip
    with pytest.raises(DataError, match=r"result\.selection\.chosen"):
        render_report(result, [])
