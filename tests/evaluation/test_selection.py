"""Selection: it must not depend on anything of the unseen classes, to the last bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from infocpl.evaluation.calibration import Lead
from infocpl.evaluation.choice import settle
from infocpl.evaluation.config import create_preset
from infocpl.evaluation.experiment import run_experiment
from infocpl.evaluation.selection import epochs_to_try, fold_seed, select
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.evaluation.variants import METHODS


def replace_clips(task: TaskData, **changes: object) -> TaskData:
    return dataclasses.replace(task, clips=dataclasses.replace(task.clips, **changes))


def noise_for_unseen_clips(task: TaskData) -> TaskData:
    """Other movements in every clip of an unseen class."""
    keypoints = task.clips.keypoints.copy()
    shape = keypoints[task.unseen_test].shape
    keypoints[task.unseen_test] = np.random.default_rng(5).normal(size=shape)
    return replace_clips(task, keypoints=keypoints)


def other_unseen_labels(task: TaskData) -> TaskData:
    """The clips of unseen classes change their classes."""
    labels = task.clips.labels.copy()
    labels[task.unseen_test] = np.roll(labels[task.unseen_test], 5)
    return replace_clips(task, labels=labels)


def other_unseen_text(task: TaskData) -> TaskData:
    """Random sentences for every unseen class."""
    generator = torch.Generator().manual_seed(3)
    text = task.text
    rows = [text.labels.index(name) for name in task.split.unseen]
    changed = {}
    for name in ("descriptions", "motion", "names"):
        values = getattr(text, name).clone()
        random = torch.randn(values[rows].shape, generator=generator)
        values[rows] = torch.nn.functional.normalize(random, dim=-1)
        changed[name] = values
    changed["descriptions"] *= text.mask.unsqueeze(2)
    return dataclasses.replace(task, text=dataclasses.replace(text, **changed))


def more_unseen_text(task: TaskData) -> TaskData:
    """An unseen class with more descriptions than any seen one has."""
    text = task.text
    extra = 12
    rows = torch.nn.functional.pad(text.descriptions, (0, 0, 0, extra))
    mask = torch.nn.functional.pad(text.mask, (0, extra))
    row = text.labels.index(task.split.unseen[0])
    rows[row] = text.descriptions[row, 0]
    mask[row] = True
    wider = dataclasses.replace(text, descriptions=rows, mask=mask)
    return dataclasses.replace(task, text=wider)


def no_unseen_clips_but_one(task: TaskData) -> TaskData:
    return dataclasses.replace(task, unseen_test=task.unseen_test[:1])


def other_seen_test_clips(task: TaskData) -> TaskData:
    """The people of the seen test do something else."""
    keypoints = task.clips.keypoints.copy()
    keypoints[task.seen_test] = keypoints[task.seen_test][::-1]
    return replace_clips(task, keypoints=keypoints)


CORRUPTIONS = (
    noise_for_unseen_clips,
    other_unseen_labels,
    other_unseen_text,
    more_unseen_text,
    no_unseen_clips_but_one,
    other_seen_test_clips,
)


@pytest.mark.parametrize("corrupt", CORRUPTIONS, ids=lambda function: function.__name__)
def test_choices_and_weights_do_not_depend_on_the_test_side(
    small_task, small_config, small_runs, assert_same_learning, corrupt
):
    spoilt = corrupt(small_task)
    (run,) = run_experiment(spoilt, small_config, (0,))
    honest = small_runs[0]
    if corrupt is other_seen_test_clips:
        # Features of those clips are the one thing that may differ.
        features = dataclasses.replace(run.features, seen_test=honest.features.seen_test)
        run = dataclasses.replace(run, features=features)
    assert_same_learning(run, honest)


def test_the_corruptions_above_do_change_the_scores(small_task, small_config, small_runs):
    """Otherwise the test before this one would prove nothing."""
    honest = small_runs[0].methods["infocpl"]
    for corrupt in (noise_for_unseen_clips, other_unseen_text):
        (run,) = run_experiment(corrupt(small_task), small_config, (0,))
        assert not np.array_equal(run.methods["infocpl"].scores, honest.scores)


def test_oracle_selection_does_depend_on_the_unseen_clips(small_task, small_config):
    config = dataclasses.replace(small_config, selection="oracle")
    (honest,) = run_experiment(small_task, config, (0,))
    (spoilt,) = run_experiment(other_unseen_labels(small_task), config, (0,))
    told = [
        {method: entry.choice for method, entry in run.methods.items()} for run in (honest, spoilt)
    ]
    assert told[0] != told[1]
    assert all(
        "unseen" in choice.evidence[0]["held_out"][0] for run in told for choice in run.values()
    )


def test_every_method_is_chosen_with_its_evidence(small_task, small_config, small_runs):
    for run in small_runs:
        assert run.methods.keys() == METHODS.keys()
        for method, entry in run.methods.items():
            choice = entry.choice
            assert len(choice.evidence) == small_config.folds
            for fold, seen in enumerate(choice.evidence):
                inner = small_task.pseudo(small_task.pseudo_count(), fold_seed(run.seed, fold))
                assert tuple(seen["held_out"]) == inner.split.unseen
                assert all(0 <= value <= 1 for value in seen["accuracy"].values())
            tried = {float(key) for key in choice.evidence[0]["accuracy"]}
            if method == "infocpl":
                assert tried == set(epochs_to_try(small_config.alignment))
                assert choice.epoch in tried
                assert choice.alpha == 0
            else:
                assert tried == set(small_config.alphas)
                assert choice.alpha in tried
                assert choice.epoch == 0


def test_selection_alone_gives_what_the_experiment_used(small_task, small_config, small_runs):
    choices = select(small_task, small_config, seed=1, work=None, advance=lambda units, note: None)
    assert choices == {m: entry.choice for m, entry in small_runs[1].methods.items()}


def fold(accuracies: dict[float, float], gamma: float | None = 0.5):
    lead = None if gamma is None else Lead(mean=2.0, spread=1.0)
    return {Candidate(key): Trial(value, gamma, lead) for key, value in accuracies.items()}


def test_the_chosen_candidate_is_best_among_its_neighbours_too():
    """A lone peak loses to a plateau."""
    folds = [fold({1: 0.1, 2: 0.6, 3: 0.1, 4: 0.1, 5: 0.5, 6: 0.5, 7: 0.5})]
    assert settle("infocpl", folds, [("a",)]).epoch in (6, 7)


def test_a_tie_goes_to_the_later_epoch_and_the_stronger_penalty():
    folds = [fold({0.1: 0.4, 1.0: 0.4, 10.0: 0.4})]
    assert settle("ridge", folds, [("a",)]).alpha == 10.0
    assert settle("infocpl", [fold({5: 0.4, 10: 0.4})], [("a",)]).epoch == 10


def test_folds_are_averaged_before_anything_is_chosen():
    folds = [fold({1: 1.0, 2: 0.5}, 0.2), fold({1: 0.0, 2: 0.9}, 0.6)]
    choice = settle("infocpl", folds, [("a",), ("b",)])
    assert choice.epoch == 2
    assert choice.gamma == pytest.approx(0.4)
    assert choice.relative_gamma == pytest.approx(0.2)
    assert [entry["held_out"] for entry in choice.evidence] == [["a"], ["b"]]


def test_without_seen_test_clips_there_is_no_calibration():
    assert settle("ridge", [fold({1.0: 0.5}, None)], [("a",)]).gamma == 0.0


@pytest.mark.parametrize("name", ["tiny", "fast", "default"])
def test_the_last_epoch_is_always_tried(name):
    config = create_preset(name)
    tried = epochs_to_try(config.alignment)
    assert tried[-1] == config.alignment.fit.epochs
    assert tried == sorted(set(tried))
    assert min(tried) >= 1
    assert len(tried) <= 11


def test_seeds_of_folds_never_meet():
    seeds = {fold_seed(seed, fold) for seed in range(50) for fold in range(100)}
    assert len(seeds) == 5000
    assert not seeds & set(range(1000))
