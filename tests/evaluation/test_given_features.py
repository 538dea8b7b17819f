"""Experiments on precomputed features: the same numbers, and nothing claimed that is not known."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from infocpl.data import ClipInfo, EncoderNote, create_dataset, write_features
from infocpl.errors import ConfigError, SplitLeakageError
from infocpl.evaluation.experiment import SeedRun, plan_units, run_experiment
from infocpl.evaluation.result import ResultContext, build_result
from infocpl.evaluation.selection import fold_seed
from infocpl.evaluation.task_data import TaskData


def given(task: TaskData, run: SeedRun, folder: Path, note: EncoderNote) -> TaskData:
    """The task on the features that a run made of its clips, through a store on disk."""
    order = np.concatenate((task.train, task.seen_test, task.unseen_test))
    parts = (run.features.train, run.features.seen_test, run.features.unseen_test)
    rows = np.concatenate([part.numpy() for part in parts])
    clips = task.clips
    infos = [ClipInfo(clips.names[i], int(clips.labels[i]), int(clips.subjects[i])) for i in order]
    store = write_features(folder, "synthetic", clips.classes, rows, infos, note)
    sides = np.split(np.arange(len(order)), np.cumsum([len(part) for part in parts])[:-1])
    return TaskData(store.prepared(), task.split, *sides, task.text)


@pytest.fixture(scope="module")
def oracle(small_config):
    """Choices made on the final features alone, so that they can be compared."""
    # Without measured traits, which features alone cannot have.
    alignment = dataclasses.replace(small_config.alignment, measured_weight=0.0)
    return dataclasses.replace(small_config, selection="oracle", alignment=alignment)


@pytest.fixture(scope="module")
def trained(small_task, oracle) -> SeedRun:
    (run,) = run_experiment(small_task, oracle, (0,))
    return run


@pytest.fixture(scope="module")
def task(small_task, trained, tmp_path_factory) -> TaskData:
    note = EncoderNote("the encoder of this test", small_task.split.seen, "publisher")
    return given(small_task, trained, tmp_path_factory.mktemp("given") / "store", note)


def test_features_give_the_numbers_of_the_clips_they_were_made_of(task, trained, oracle):
    (run,) = run_experiment(task, oracle, (0,))
    for method, entry in run.methods.items():
        expected = trained.methods[method]
        assert entry.choice == expected.choice
        np.testing.assert_array_equal(entry.scores, expected.scores)
        assert entry.zsl.top1 == expected.zsl.top1
        assert entry.gzsl.ausuc == expected.gzsl.ausuc


def test_no_encoder_is_trained_and_the_work_planned_is_that_of_alignment(
    task, small_task, small_config
):
    done: list[float] = []
    notes: list[str] = []

    def advance(units: float, note: str) -> None:
        done.append(units)
        notes.append(note)

    (run,) = run_experiment(task, small_config, (0,), advance=advance)
    assert run.encoder is task.clips.encoder
    assert not any("encoder" in note for note in notes)
    planned = plan_units(task, small_config, (0,))
    assert sum(done) == pytest.approx(planned)
    # What is spared is every encoder epoch of every fold and of the final training.
    clips = len(small_task.train)
    for fold in range(small_config.folds):
        clips += len(small_task.pseudo(small_task.pseudo_count(), fold_seed(0, fold)).train)
    spared = plan_units(small_task, small_config, (0,)) - planned
    assert spared == pytest.approx(small_config.encoder.fit.epochs * clips)


@pytest.fixture(scope="module")
def context(small_store, small_codebook, small_config) -> ResultContext:
    return ResultContext(
        dataset=create_dataset("synthetic"),
        store=small_store,
        codebook=small_codebook,
        protocol="file",
        config=small_config,
        command="infocpl run --features store",
        seconds={},
        unseen_clips="test",
    )


def test_the_result_says_what_is_declared_and_what_cannot_be_proved(task, small_config, context):
    (run,) = run_experiment(task, dataclasses.replace(small_config, folds=1), (0,))
    result = build_result(task, [run], context)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    features = result["features"]
    assert (features["origin"], features["encoder"]) == ("precomputed", "the encoder of this test")
    assert features["training_classes"] == list(task.split.seen)
    assert features["declared_by"] == "publisher"
    assert re.search("declared by the publisher and cannot be proved", features["warning"])
    assert re.search("knew the classes that played the unseen ones", result["selection"]["caveat"])
    assert result["protocol"]["unseen_from"] == "test"
    assert result["dataset"]["layout"] is None


def test_an_encoder_nobody_speaks_for_is_reported_as_such(task, oracle, context):
    silent = dataclasses.replace(task.clips, encoder=EncoderNote("found on a disk"))
    unknown = dataclasses.replace(task, clips=silent)
    (run,) = run_experiment(unknown, oracle, (0,))
    result = build_result(unknown, [run], dataclasses.replace(context, config=oracle))
    assert result["features"]["declared_by"] == "nobody"
    assert "nobody declares" in result["features"]["warning"]
    assert "caveat" not in result["selection"]


def test_features_of_an_encoder_that_knew_an_unseen_class_are_refused(task, small_config):
    knew = EncoderNote("x", (*task.split.seen, task.split.unseen[1]))
    leaky = dataclasses.replace(task, clips=dataclasses.replace(task.clips, encoder=knew))
    with pytest.raises(
        SplitLeakageError, match=f"encoder of the precomputed .*: {task.split.unseen[1]}"
    ):
        run_experiment(leaky, small_config, (0,))


def test_what_was_trained_here_carries_no_warning(small_task, trained, context, oracle):
    real = dataclasses.replace(context, config=oracle, dataset=create_dataset("utd-mhad"))
    result = build_result(small_task, [trained], real)
    assert result["features"]["origin"] == "trained here"
    assert not {"warning", "declared_by", "note"} & set(result["features"])
    assert "caveat" not in result["selection"]


def test_infocpl_on_features_is_the_one_without_measures(task, small_config, oracle):
    asked = dataclasses.replace(small_config, selection="oracle")
    assert asked.alignment.measured_weight > 0
    (run,) = run_experiment(task, asked, (0,))
    (plain,) = run_experiment(task, oracle, (0,))
    entry = run.methods["infocpl"]
    assert entry.aligner.measured is None
    assert entry.choice == plain.methods["infocpl"].choice
    np.testing.assert_array_equal(entry.scores, plain.methods["infocpl"].scores)


def test_measures_of_features_are_refused_in_one_sentence(task, small_config):
    config = dataclasses.replace(small_config, variants=("measures-only",))
    with pytest.raises(ConfigError) as caught:
        run_experiment(task, config, (0,))
    assert str(caught.value) == "measures-only: precomputed features have no clips to measure"
