"""Whole experiments: repeatable, resumable, and indifferent to the order of test clips."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from infocpl.errors import SplitLeakageError
from infocpl.evaluation.experiment import plan_units, run_experiment
from infocpl.evaluation.selection import joint_scores
from infocpl.evaluation.task_data import TaskData


def numbers(run) -> dict[str, tuple]:
    """Every measured number of a seed."""
    return {
        method: (
            entry.zsl.top1,
            entry.zsl.top5,
            entry.zsl.per_class_mean,
            entry.gzsl.seen,
            entry.gzsl.unseen,
            entry.gzsl.harmonic,
            entry.gzsl.ausuc,
            entry.scores.tobytes(),
        )
        for method, entry in run.methods.items()
    }


def test_the_same_seed_gives_the_same_numbers(
    small_task, small_config, small_runs, assert_same_learning
):
    """Alone, without a work folder, in another process state: seed 1 is seed 1."""
    (again,) = run_experiment(small_task, small_config, (1,))
    assert numbers(again) == numbers(small_runs[1])
    assert_same_learning(again, small_runs[1])


def test_seeds_differ(small_runs):
    assert numbers(small_runs[0]) != numbers(small_runs[1])


def test_numbers_belong_to_the_scores_beside_them(small_task, small_runs):
    labels = small_task.rows(small_task.unseen_test, small_task.split.unseen)
    for run in small_runs:
        for entry in run.methods.values():
            assert entry.scores.shape == (len(small_task.unseen_test), 3)
            assert entry.zsl.top1 == accuracy_score(labels, entry.scores.argmax(axis=1))


def test_gzsl_numbers_come_from_the_joint_label_set_at_the_chosen_gamma(small_task, small_runs):
    for run in small_runs:
        for entry in run.methods.values():
            scores, labels, seen = joint_scores(
                entry.aligner, small_task, run.features.seen_test, run.features.unseen_test
            )
            scores[:, seen] -= entry.calibration.gamma
            right = scores.argmax(axis=1) == labels
            of_seen = labels < len(small_task.split.seen)
            assert entry.gzsl.seen == pytest.approx(right[of_seen].mean())
            assert entry.gzsl.unseen == pytest.approx(right[~of_seen].mean())


def test_the_order_of_test_clips_changes_nothing_but_the_order_of_scores(
    small_task, small_config, small_runs, assert_same_learning
):
    rng = np.random.default_rng(8)
    order = rng.permutation(len(small_task.unseen_test))
    shuffled = dataclasses.replace(
        small_task,
        unseen_test=small_task.unseen_test[order],
        seen_test=rng.permutation(small_task.seen_test),
    )
    (run,) = run_experiment(shuffled, small_config, (0,))
    for method, entry in run.methods.items():
        honest = small_runs[0].methods[method]
        assert entry.choice == honest.choice
        np.testing.assert_allclose(entry.scores, honest.scores[order], rtol=1e-4, atol=1e-5)
        assert entry.zsl.top1 == pytest.approx(honest.zsl.top1)
        assert entry.zsl.per_class_mean == pytest.approx(honest.zsl.per_class_mean)


class PowerCutError(Exception):
    """The work ends where it stands."""


@pytest.mark.parametrize("share", [0.1, 0.45, 0.8])
def test_a_killed_experiment_continues_to_equal_numbers(
    small_task, small_config, small_runs, assert_same_learning, tmp_path: Path, share: float
):
    config = dataclasses.replace(
        small_config,
        encoder=dataclasses.replace(
            small_config.encoder,
            fit=dataclasses.replace(small_config.encoder.fit, checkpoint_every=1),
        ),
    )
    limit = share * plan_units(small_task, config, (0,))
    done = 0.0

    def advance(units: float, note: str) -> None:
        nonlocal done
        done += units
        if done > limit:
            raise PowerCutError(note)

    with pytest.raises(PowerCutError):
        run_experiment(small_task, config, (0,), work=tmp_path, advance=advance)
    left = sorted(item.name for item in tmp_path.iterdir())
    assert left
    (resumed,) = run_experiment(small_task, config, (0,), work=tmp_path)
    assert not list(tmp_path.glob(".partial-*"))
    assert not list(tmp_path.glob("*.state.safetensors"))
    assert numbers(resumed) == numbers(small_runs[0])
    assert_same_learning(resumed, small_runs[0])


@pytest.mark.parametrize("rule", ["pseudo-unseen", "oracle"])
def test_reported_work_adds_up_to_the_plan(small_task, small_config, rule):
    """The bar ends at its end; the ridge maps are too cheap to be counted."""
    config = dataclasses.replace(small_config, selection=rule)
    done: list[float] = []
    notes: list[str] = []

    def advance(units: float, note: str) -> None:
        done.append(units)
        notes.append(note)

    run_experiment(small_task, config, (0,), advance=advance)
    planned = plan_units(small_task, config, (0,))
    assert 0.85 * planned < sum(done) <= planned + 1e-6
    assert all("seed 0" in note for note in notes)


def test_finished_encoders_are_not_trained_again(small_task, small_config, tmp_path: Path):
    run_experiment(small_task, small_config, (0,), work=tmp_path)
    before = {item.name: item.stat().st_mtime_ns for item in tmp_path.iterdir()}
    notes: list[str] = []
    run_experiment(
        small_task,
        small_config,
        (0,),
        work=tmp_path,
        advance=lambda units, note: notes.append(note),
    )
    assert {item.name: item.stat().st_mtime_ns for item in tmp_path.iterdir()} == before
    assert not any("loss" in note for note in notes)


def test_without_seen_test_clips_there_is_zsl_only(small_task, small_config):
    alone = dataclasses.replace(small_task, seen_test=small_task.seen_test[:0])
    (run,) = run_experiment(alone, dataclasses.replace(small_config, folds=1), (0,))
    for entry in run.methods.values():
        assert entry.gzsl is None
        assert 0 <= entry.zsl.top1 <= 1


def test_a_seen_class_without_training_clips_is_named(small_task: TaskData, small_config):
    first = small_task.clips.classes.index(small_task.split.seen[0])
    without = small_task.train[small_task.clips.labels[small_task.train] != first]
    with pytest.raises(SplitLeakageError, match=small_task.split.seen[0]):
        run_experiment(
            dataclasses.replace(small_task, train=without),
            dataclasses.replace(small_config, selection="oracle"),
            (0,),
        )
