"""A study of random splits: every split a run, one table, continued where it ended."""

from __future__ import annotations

import dataclasses
import json

import pytest

from infocpl.apps import study as module
from infocpl.apps.cli.study import print_study
from infocpl.apps.progress import Reporter
from infocpl.apps.report.study_page import render_study, strip_figure
from infocpl.apps.study import StudyPlan, random_splits, run_study
from infocpl.data import create_dataset
from infocpl.errors import ConfigError, DataError
from infocpl.evaluation.config import create_preset
from infocpl.evaluation.variants import METHODS
from infocpl.semantics import DescriptionChoice


@pytest.fixture(scope="module")
def plan(small_store, text_cache, one_thread, tmp_path_factory) -> StudyPlan:
    dataset = create_dataset("synthetic")
    tiny = create_preset("tiny")
    encoder = dataclasses.replace(
        tiny.encoder, fit=dataclasses.replace(tiny.encoder.fit, epochs=1, precision="fp32")
    )
    splits = random_splits(dataset, 2, 5)
    return StudyPlan(
        dataset=dataset,
        split=splits[0],
        splits=splits,
        protocol="",
        source=small_store.folder,
        out=tmp_path_factory.mktemp("study") / "out",
        config=dataclasses.replace(tiny, frames=8, encoder=encoder, variants=("one-head",)),
        seeds=(0,),
        descriptions=DescriptionChoice(("definition",)),
    )


@pytest.fixture(scope="module")
def study(plan):
    return run_study(plan, Reporter())


def test_splits_are_those_of_the_first_seeds():
    splits = random_splits(create_dataset("synthetic"), 3, 5)
    assert [split.id for split in splits] == ["random/0-5", "random/1-5", "random/2-5"]
    assert len({split.unseen for split in splits}) == 3
    with pytest.raises(ConfigError, match="at least 1 split"):
        random_splits(create_dataset("synthetic"), 0, 5)


@pytest.mark.integration
def test_a_study_holds_every_split_and_method(plan, study):
    assert json.loads((plan.out / "study.json").read_text()) == study
    assert [split["hash"] for split in study["splits"]] == [split.hash for split in plan.splits]
    assert list(study["methods"]) == [*METHODS, "measures-only", "one-head"]
    for place, folder in enumerate(sorted((plan.out / "splits").iterdir())):
        told = json.loads((folder / "result.json").read_text())
        for name, method in told["methods"].items():
            assert study["splits"][place]["top1"][name] == method["mean"]["zsl.top1"]
    page = (plan.out / "study.html").read_text()
    for method in study["methods"].values():
        assert method["title"] in page
        assert f"{100 * method['top1']['mean']:.1f}" in page


@pytest.mark.integration
def test_a_killed_study_goes_on_with_the_split_where_it_ended(plan, study, monkeypatch):
    folders = sorted((plan.out / "splits").iterdir())
    (folders[1] / "result.json").unlink()
    (plan.out / "study.json").unlink()
    measured = []
    measure = module.measure_split

    def watch(single, *rest):
        measured.append(single.split.id)
        return measure(single, *rest)

    monkeypatch.setattr(module, "measure_split", watch)
    again = run_study(plan, Reporter(), resume=True)
    assert measured == [plan.splits[1].id]
    assert again == study
    other = dataclasses.replace(plan, config=dataclasses.replace(plan.config, variants=()))
    with pytest.raises(ConfigError, match="other settings"):
        run_study(other, Reporter(), resume=True)


def small_study(titles=("InfoCPL", "Ridge <b>")):
    figures = {"mean": 0.5, "sd": 0.1, "least": 0.4, "quartiles": [0.4, 0.5, 0.6], "most": 0.6}
    names = ("infocpl", "ridge")
    return {
        "dataset": {"name": "toy", "title": "Toy"},
        "protocol": "xsub", "features": "stgcn", "text": "minilm",
        "selection": "pseudo-unseen", "seeds": [0], "reference": "infocpl",
        "splits": [
            {"id": f"random:{i}:2", "unseen": ["a", "b"], "chance": 0.5,
             "top1": {"infocpl": 0.4 + 0.2 * i, "ridge": 0.5}}
            for i in range(2)
        ],
        "methods": {
            name: {"title": title, "top1": figures,
                   "behind": None if name == "infocpl" else {**figures, "wins": 1}}
            for name, title in zip(names, titles, strict=True)
        },
    }  # fmt: skip


def test_the_page_escapes_titles_and_draws_a_point_for_every_split():
    page = render_study(small_study())
    assert "<b>" not in page.replace("<b>Nothing", "")
    assert "random:1:2" in page
    assert page.count("<svg") == 1


def test_numbers_that_are_no_shares_are_refused():
    with pytest.raises(DataError, match=r"\[0, 1\]"):
        strip_figure({"A": [0.2, 1.4]}, 0.2, "s")


def test_the_table_shows_quartiles_and_how_often_the_reference_is_ahead(tmp_path, capsys):
    print_study(small_study(("InfoCPL", "Ridge")), tmp_path)
    told = capsys.readouterr().out
    assert "40.0 / 50.0 / 60.0" in told
    assert "1 of 2" in told
    assert str(tmp_path / "study.json") in told
