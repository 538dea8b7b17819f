"""The output folder of a run: whose it is, and what may continue there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from infocpl.apps.pipeline import Plan, open_output, run_pipeline
from infocpl.apps.progress import Reporter
from infocpl.data import Split, create_dataset, load_split
from infocpl.errors import ConfigError, DataError, OutputExistsError, SemanticsError
from infocpl.evaluation.config import create_preset
from infocpl.semantics import DescriptionChoice, load_lexicon


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    dataset = create_dataset("utd-mhad")
    return Plan(
        dataset=dataset,
        split=load_split(dataset, "purls/22-5"),
        protocol="xsub",
        source=tmp_path / "data",
        out=tmp_path / "out",
        config=create_preset("tiny"),
        seeds=(0, 1),
    )


def test_a_new_folder_is_opened_and_says_whose_it_is(plan):
    work = open_output(plan, resume=False)
    assert work == plan.out / "work"
    record = json.loads((plan.out / "run.json").read_text())
    assert record["dataset"] == "utd-mhad"
    assert record["seeds"] == [0, 1]
    assert len(record["hash"]) == 64


def test_a_text_encoder_in_a_folder_is_the_same_one_from_anywhere(plan, tmp_path, monkeypatch):
    (tmp_path / "models" / "clip").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    open_output(dataclasses.replace(plan, text_encoder="models/clip"), resume=False)
    monkeypatch.chdir(tmp_path / "models")
    open_output(dataclasses.replace(plan, text_encoder="clip"), resume=True)
    with pytest.raises(ConfigError, match="other settings"):
        open_output(dataclasses.replace(plan, text_encoder="models/clip"), resume=True)


def test_an_empty_folder_may_be_used(plan):
    plan.out.mkdir()
    assert open_output(plan, resume=False).is_dir()


def test_the_same_run_may_continue_and_no_other(plan):
    work = open_output(plan, resume=False)
    (work / "encoder.safetensors").write_bytes(b"finished work")
    with pytest.raises(OutputExistsError, match="--resume"):
        open_output(plan, resume=False)
    assert open_output(plan, resume=True) == work
    assert (work / "encoder.safetensors").read_bytes() == b"finished work"


def changed(plan: Plan, name: str) -> Plan:
    dataset = plan.dataset
    other = {
        "dataset": create_dataset("nw-ucla"),
        "source": plan.source / "elsewhere",
        "split": load_split(dataset, "purls/18-9"),
        "protocol": "another",
        "config": create_preset("fast"),
        "seeds": (0,),
        "text_encoder": "another",
        "descriptions": DescriptionChoice(("definition",)),
        "unseen_clips": "test",
        "lexicons": (load_lexicon("nw-ucla"),),
        "extra": ("synthetic",),
    }
    return dataclasses.replace(plan, **{name: other[name]})


@pytest.mark.parametrize(
    "name",
    [
        field.name
        for field in dataclasses.fields(Plan)
        # Where results go, what was typed, how many processes read files and where encoders are
        # kept change no number; nor does the number of extra clips where there are none.
        if field.name not in ("out", "command", "workers", "encoder_cache", "extra_clips")
    ],
)
def test_a_run_that_differs_in_anything_may_not_continue(plan, name):
    open_output(plan, resume=False)
    before = (plan.out / "run.json").read_bytes()
    with pytest.raises(ConfigError, match="other settings"):
        open_output(changed(plan, name), resume=True)
    assert (plan.out / "run.json").read_bytes() == before


def test_the_words_of_the_command_do_not_matter(plan):
    open_output(plan, resume=False)
    open_output(dataclasses.replace(plan, command="infocpl run --resume"), resume=True)


def test_what_a_killed_writer_left_is_removed(plan):
    work = open_output(plan, resume=False)
    (plan.out / ".partial-model-x").mkdir()
    (plan.out / ".partial-model-x" / "weights").write_bytes(b"half")
    (work / ".partial-encoder").write_bytes(b"half")
    open_output(plan, resume=True)
    assert sorted(item.name for item in plan.out.iterdir()) == ["run.json", "work"]
    assert list(work.iterdir()) == []


def test_a_folder_of_something_else_is_left_alone(plan):
    plan.out.mkdir()
    (plan.out / "thesis.tex").write_text("years of work")
    with pytest.raises(OutputExistsError, match="not empty"):
        open_output(plan, resume=False)
    with pytest.raises(ConfigError, match=r"no run\.json"):
        open_output(plan, resume=True)
    assert [item.name for item in plan.out.iterdir()] == ["thesis.tex"]


def test_a_file_is_no_folder(plan):
    plan.out.write_text("")
    with pytest.raises(OutputExistsError, match="is a file"):
        open_output(plan, resume=True)


@pytest.mark.parametrize("content", ["{oops", "[]", '"text"'])
def test_a_damaged_record_is_named(plan, content):
    open_output(plan, resume=False)
    (plan.out / "run.json").write_text(content)
    with pytest.raises((ConfigError, DataError), match=str(plan.out)):
        open_output(plan, resume=True)


def test_an_unknown_text_encoder_is_refused_before_anything_is_written(plan):
    with pytest.raises(SemanticsError):
        run_pipeline(dataclasses.replace(plan, text_encoder="word2vec"), Reporter(quiet=True))
    assert not plan.out.exists()


def test_a_lone_unseen_class_cannot_be_told_apart_and_that_is_said_first(plan):
    names = plan.dataset.classes
    split = Split("utd-mhad", "own", "26-1", seen=names[1:], unseen=names[:1])
    alone = dataclasses.replace(plan, split=split, descriptions=DescriptionChoice(best=5))
    with pytest.raises(ConfigError, match="two unseen classes in split 'own/26-1', got 1"):
        run_pipeline(alone, Reporter(quiet=True))
    assert not plan.out.exists()


@pytest.mark.parametrize(
    "choice", [{"count": 20}, {"best": 20}, {"temperature": 0.5}, {"motion": False}], ids=str
)
def test_a_run_with_other_descriptions_may_not_continue(plan, choice):
    open_output(plan, resume=False)
    other = dataclasses.replace(plan, descriptions=DescriptionChoice(**choice))
    with pytest.raises(ConfigError, match="other settings"):
        open_output(other, resume=True)


def test_a_run_without_a_choice_is_the_run_it_was_before_there_was_one(plan):
    assert plan.identity()["granularities"] == []
    assert "descriptions" not in plan.identity()


def test_several_processes_started_for_one_run_are_refused(plan, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="started as 2 processes"):
        open_output(plan, resume=False)
    assert not plan.out.exists()


def test_a_run_with_one_extra_source_is_the_run_it_was_before_there_could_be_several(plan):
    assert not {"extra", "extra_clips"} & set(plan.identity())
    one = dataclasses.replace(plan, extra=("synthetic",)).identity()
    assert one == {**plan.identity(), "extra": "synthetic", "extra_clips": 6}


def test_the_order_of_extra_sources_belongs_to_a_run(plan):
    both = dataclasses.replace(plan, extra=("synthetic", "stores/nw"))
    open_output(both, resume=False)
    open_output(both, resume=True)
    for other in (("stores/nw", "synthetic"), ("synthetic",), ()):
        with pytest.raises(ConfigError, match="other settings"):
            open_output(dataclasses.replace(both, extra=other), resume=True)


def test_the_number_of_extra_clips_belongs_to_a_run_that_has_some(plan):
    with_extra = dataclasses.replace(plan, extra=("synthetic",))
    open_output(with_extra, resume=False)
    with pytest.raises(ConfigError, match="other settings"):
        open_output(dataclasses.replace(with_extra, extra_clips=9), resume=True)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"extra": ("synthetic",), "extra_clips": 1}, "at least 2, got 1"),
        ({"extra": ("synthetic", "nowhere")}, "--extra nowhere: expected .* got no such folder"),
        ({"extra": ("",)}, "--extra '': expected"),
        ({"extra": ("synthetic", "synthetic")}, "'synthetic' already from synthetic"),
        ({"dataset": create_dataset("hdm05"), "extra": ("synthetic",)}, "dataset 'hdm05'"),
        ({"dataset": create_dataset("synthetic"), "extra": ("synthetic",)}, "itself"),
    ],
    ids=str,
)
def test_extra_clips_that_cannot_be_used_are_refused_before_anything_is_written(
    plan, change, words
):
    with pytest.raises((ConfigError, DataError), match=words):
        run_pipeline(dataclasses.replace(plan, **change), Reporter(quiet=True))
    assert not plan.out.exists()
