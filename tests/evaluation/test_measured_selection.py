"""The weight of measured traits: chosen on folds as the evidence says, 0 where there are none."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy.ndimage import convolve

from infocpl.alignment.measured import MeasuredTraits
from infocpl.errors import ConfigError
from infocpl.evaluation.choice import settle
from infocpl.evaluation.experiment import plan_units, run_experiment
from infocpl.evaluation.runs import fit_method, learn_features, score_method
from infocpl.evaluation.selection import fold_seed, weights_to_try
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.evaluation.variants import describe_for
from infocpl.metrics import top_k_accuracy

MEASURED = ("no-measures", "measures-only", "ridge-measures")


def ignore(units: float, note: str) -> None:
    """Progress that nobody looks at."""


@pytest.fixture(scope="module")
def config(small_config):
    return dataclasses.replace(
        small_config, variants=MEASURED, measured_weights=(0.0, 0.5, 2.0, 8.0), with_oracle=True
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def run(small_task, config, work):
    (run,) = run_experiment(small_task, config, (0,), work=work)
    return run


def best_of(evidence) -> tuple[float, float]:
    """(weight, step): last of the best means over folds, each blurred with its neighbours."""
    weights = sorted(evidence[0]["measured"], key=float)
    steps = sorted(evidence[0]["accuracy"], key=float)
    grid = np.mean(
        [[[fold["measured"][w][s] for s in steps] for w in weights] for fold in evidence], axis=0
    )
    blurred = convolve(grid, np.outer([1, 2, 1], [1, 2, 1]) / 16, mode="nearest")
    # The evidence has six digits.
    row, column = np.argwhere(blurred >= blurred.max() - 2e-6)[-1]
    return float(weights[row]), float(steps[column])


@pytest.mark.parametrize("method", ["infocpl", "ridge-measures"])
def test_the_chosen_weight_is_the_best_of_the_grid_in_the_evidence(run, config, method):
    choice = run.methods[method].choice
    for fold in choice.evidence:
        assert [float(weight) for weight in fold["measured"]] == list(config.measured_weights)
        assert fold["accuracy"] == fold["measured"][f"{choice.measured:g}"]
    weight, step = best_of(choice.evidence)
    assert choice.measured == weight
    assert step == (choice.epoch or choice.alpha)
    accuracies = [fold["measured"][w] for fold in choice.evidence for w in fold["measured"]]
    assert len({str(row) for row in accuracies}) > 1


@pytest.mark.parametrize("method", ["infocpl", "ridge-measures"])
def test_the_final_model_weighs_what_was_measured_as_was_chosen(run, small_task, method):
    entry = run.methods[method]
    if not entry.choice.measured:
        assert entry.aligner.measured is None
        return
    seen = small_task.text.subset(small_task.split.seen)
    own = entry.aligner.own_scores(run.features.train, seen).double().numpy()
    agreement = entry.aligner.measured.scores(run.features.train, seen).double().numpy()
    ratio = np.sqrt(agreement.var(axis=1).mean() / own.var(axis=1).mean())
    assert ratio == pytest.approx(entry.choice.measured, rel=1e-3)


@pytest.mark.parametrize("method", ["infocpl", "ridge-measures"])
@pytest.mark.parametrize("weight", [0.5, 8.0])
def test_evidence_is_what_a_model_fitted_with_that_weight_gives(
    run, small_task, config, work, method, weight
):
    inner = small_task.pseudo(small_task.pseudo_count(), fold_seed(0, 0))
    features = learn_features(
        inner, config, seed=fold_seed(0, 0), work=work, advance=ignore, note=""
    )
    told = run.methods[method].choice.evidence[0]["measured"][f"{weight:g}"]
    step = max(told, key=float)
    aligner = fit_method(
        method,
        inner,
        features,
        config,
        seed=fold_seed(0, 0),
        alpha=float(step),
        measured_weight=weight,
        advance=ignore,
        note="",
    )
    scores = score_method(aligner, inner, features.unseen_test, inner.split.unseen)
    labels = inner.rows(inner.unseen_test, inner.split.unseen)
    assert told[step] == pytest.approx(top_k_accuracy(scores, labels), abs=1e-6)


def test_weight_zero_alone_is_infocpl_without_measures_to_the_last_bit(
    small_task, small_config, work, run
):
    alone = dataclasses.replace(
        small_config, measured_weights=(0.0,), variants=("no-measures", "ridge-measures")
    )
    (found,) = run_experiment(small_task, alone, (0,), work=work)
    for method, without in (("infocpl", "no-measures"), ("ridge-measures", "ridge")):
        entry, other = found.methods[method], found.methods[without]
        assert entry.choice == other.choice
        assert entry.aligner.measured is None
        np.testing.assert_array_equal(entry.scores, other.scores)
    # The variant is the same wherever it stands.
    apart = run.methods["no-measures"]
    assert apart.choice == found.methods["no-measures"].choice
    np.testing.assert_array_equal(apart.scores, found.methods["no-measures"].scores)


def test_measures_alone_have_no_epochs_and_cost_no_training(run, small_task, small_config):
    entry = run.methods["measures-only"]
    choice = entry.choice
    assert (choice.epoch, choice.alpha, choice.measured) == (0, 0.0, 0.0)
    assert all(set(fold["accuracy"]) == {"0"} for fold in choice.evidence)
    assert isinstance(entry.aligner, MeasuredTraits)
    alone = dataclasses.replace(small_config, variants=("measures-only",))
    assert plan_units(small_task, alone, (0,)) == plan_units(small_task, small_config, (0,))


def test_measures_alone_name_unseen_actions_better_than_chance(run, small_task):
    """Nothing is learned but zero and unit, so that this holds on the smallest of tasks."""
    entry = run.methods["measures-only"]
    assert entry.zsl.top1 > 1.5 / len(small_task.split.unseen)
    rows = small_task.rows(small_task.unseen_test, small_task.split.unseen)
    assert entry.zsl.top1 == np.mean(entry.scores.argmax(axis=1) == rows)


def test_the_weight_is_smoothed_over_its_neighbours_like_the_step():
    """A lone peak at one weight loses to a plateau over two."""
    accuracies = {0.0: 0.1, 1.0: 0.62, 2.0: 0.1, 4.0: 0.5, 8.0: 0.5}
    fold = {Candidate(1, weight): Trial(value) for weight, value in accuracies.items()}
    assert settle("infocpl", [fold], [("a",)]).measured == 8.0


def without_traits(task, traits=None):
    return dataclasses.replace(task, text=dataclasses.replace(task.text, traits=traits))


@pytest.mark.parametrize("empty", [False, True], ids=["none", "all zero"])
def test_text_without_any_traits_leaves_nothing_to_compare(small_task, small_config, work, empty):
    zero = torch.zeros_like(small_task.text.traits)
    task = without_traits(small_task, zero if empty else None)
    config = dataclasses.replace(small_config, folds=1, variants=("no-measures", "ridge-measures"))
    (run,) = run_experiment(task, config, (0,), work=work)
    for method, without in (("infocpl", "no-measures"), ("ridge-measures", "ridge")):
        entry = run.methods[method]
        assert entry.choice.measured == 0
        assert entry.aligner.measured is None
        assert "measured" not in entry.choice.evidence[0]
        np.testing.assert_array_equal(entry.scores, run.methods[without].scores)


def test_names_alone_are_tried_without_measures(small_task, config, run):
    task = describe_for("names-only", small_task)
    assert weights_to_try("names-only", config, task, run.features) == (0.0,)
    assert weights_to_try("infocpl", config, task, run.features) == (0.0,)
    assert weights_to_try("ridge", config, small_task, run.features) == (0.0,)
    assert weights_to_try("infocpl", config, small_task, run.features) == config.measured_weights


def test_measures_alone_need_traits(small_task, small_config, work):
    config = dataclasses.replace(small_config, folds=1, variants=("measures-only",))
    with pytest.raises(ConfigError, match="need traits of the seen classes; none has any"):
        run_experiment(without_traits(small_task), config, (0,), work=work)
