"""Variants: each changes what it says, and nothing else; all share features, folds and rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from infocpl.errors import ConfigError
from infocpl.evaluation.config import create_preset
from infocpl.evaluation.experiment import plan_units, run_experiment
from infocpl.evaluation.head_weights import HeadTrial, final_weights, judge_weights
from infocpl.evaluation.selection import select
from infocpl.evaluation.trial import Candidate
from infocpl.evaluation.variants import (
    METHODS,
    VARIANTS,
    alignment_of,
    describe_for,
    possible_variants,
)
from infocpl.metrics import top_k_accuracy
from infocpl.training.stages import AlignmentConfig
from infocpl.training.tasks import LossSampling


def other_text(task, *parts):
    """Random vectors in the place of some kinds of text, of every class."""
    generator = torch.Generator().manual_seed(11)
    text, changed = task.text, {}
    for part in parts:
        values = torch.randn(getattr(text, part).shape, generator=generator)
        changed[part] = torch.nn.functional.normalize(values, dim=-1)
    if "descriptions" in changed:
        changed["descriptions"] *= text.mask.unsqueeze(2)
    return dataclasses.replace(task, text=dataclasses.replace(text, **changed))


@pytest.fixture(scope="module")
def config(small_config):
    return dataclasses.replace(small_config, variants=tuple(VARIANTS), with_oracle=True)


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("variants")


@pytest.fixture(scope="module")
def run(small_task, config, work):
    (run,) = run_experiment(small_task, config, (0,), work=work)
    return run


@pytest.fixture
def spoil(small_task, small_config, work):
    """The experiment with some text exchanged, on the encoders that are finished already."""

    def rerun(variant, *parts):
        changed = dataclasses.replace(small_config, variants=(variant,))
        (spoilt,) = run_experiment(other_text(small_task, *parts), changed, (0,), work=work)
        return spoilt.methods

    return rerun


def test_every_row_is_there_in_the_order_of_the_table(run):
    assert tuple(run.methods) == (*METHODS, *VARIANTS)


def test_further_rows_leave_the_others_as_they_were_to_the_last_bit(run, small_runs):
    for method in METHODS:
        assert run.methods[method].choice == small_runs[0].methods[method].choice
        np.testing.assert_array_equal(
            run.methods[method].scores, small_runs[0].methods[method].scores
        )
    torch.testing.assert_close(run.features.train, small_runs[0].features.train, rtol=0, atol=0)


def test_every_variant_gives_other_scores_than_infocpl(run):
    for name in VARIANTS:
        assert not np.array_equal(run.methods[name].scores, run.methods["infocpl"].scores), name


def test_every_variant_is_selected_by_its_own_results_on_the_same_folds(run):
    held = [fold["held_out"] for fold in run.methods["infocpl"].choice.evidence]
    told = set()
    for name in VARIANTS:
        evidence = run.methods[name].choice.evidence
        assert [fold["held_out"] for fold in evidence] == held
        told.add(str([fold["accuracy"] for fold in evidence]))
    assert len(told) > 1


def test_one_head_has_one_head_and_the_others_the_series(run):
    def series(name):
        return run.methods[name].aligner.model.config.k_series

    whole = series("infocpl")
    assert len(whole) > 1
    assert series("one-head") == whole[-1:]
    assert series("one-head-1") == (1,)
    others = {"one-head", "one-head-1", "names-only", "measures-only", "ridge-measures"}
    for name in set(VARIANTS) - others:
        assert series(name) == whole


def test_names_only_knows_neither_descriptions_nor_motion_nor_traits(run, spoil):
    spoilt = spoil("names-only", "descriptions", "motion", "traits")
    np.testing.assert_array_equal(spoilt["names-only"].scores, run.methods["names-only"].scores)
    assert not np.array_equal(spoilt["infocpl"].scores, run.methods["infocpl"].scores)


def test_names_only_does_know_the_names(run, spoil):
    spoilt = spoil("names-only", "names")["names-only"]
    assert not np.array_equal(spoilt.scores, run.methods["names-only"].scores)


def test_without_motion_the_motion_text_does_not_matter(run, spoil):
    spoilt = spoil("no-motion", "motion")
    np.testing.assert_array_equal(spoilt["no-motion"].scores, run.methods["no-motion"].scores)
    assert not np.array_equal(spoilt["infocpl"].scores, run.methods["infocpl"].scores)


def test_without_traits_the_traits_do_not_matter(small_task, run, spoil):
    spoilt = spoil("no-traits", "traits")
    np.testing.assert_array_equal(spoilt["no-traits"].scores, run.methods["no-traits"].scores)
    assert bool(small_task.text.traits.any())
    assert not np.array_equal(spoilt["infocpl"].scores, run.methods["infocpl"].scores)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("no-inverse", {"sampling.inverse_epochs": (1, 0)}),
        ("no-sampling", {"sampling.dense": (False, True)}),
        ("random-start", {"start": ("matching", "random")}),
        ("with-margin", {"sampling.margin_weight": (0.0, 0.5)}),
        ("with-gate", {"gate": ("none", "visual+text")}),
        ("no-traits", {"trait_weight": (0.7, 0.0), "measured_weight": (2.0, 0.0)}),
        ("no-measures", {"measured_weight": (2.0, 0.0)}),
        ("no-motion", {"motion": (True, False)}),
        ("one-head", {"heads": ("series", "largest")}),
        ("one-head-1", {"heads": ("series", "smallest")}),
        ("fitted-fusion", {}),
    ],
)
def test_a_variant_changes_one_setting_and_no_other(name, expected):
    def flat(values, prefix=""):
        for key, value in values.items():
            if isinstance(value, dict):
                yield from flat(value, f"{key}.")
            else:
                yield prefix + key, value

    base = AlignmentConfig()
    before, after = (
        dict(flat(dataclasses.asdict(one))) for one in (base, alignment_of(name, base))
    )
    changed = {key: (before[key], after[key]) for key in before if before[key] != after[key]}
    assert changed == expected


def test_head_weights_are_in_the_final_model_and_come_from_folds_alone(run, small_task):
    entry = run.methods["fitted-fusion"]
    assert entry.aligner.model.config.fusion == pytest.approx(entry.choice.fusion)
    assert np.mean(entry.choice.fusion) == pytest.approx(1)
    entry.aligner.model.set_fusion(None)
    text = small_task.text.subset(small_task.split.unseen)
    plain = entry.aligner.scores(run.features.unseen_test, text).double().numpy()
    entry.aligner.model.set_fusion(entry.choice.fusion)
    assert not np.array_equal(plain, entry.scores)
    same = run.methods["infocpl"]
    if same.choice.epoch == entry.choice.epoch:
        np.testing.assert_array_equal(plain, same.scores)


def trial(good: int, seed: int) -> HeadTrial:
    """Three heads, one of which knows the answer."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 80)
    scores = torch.from_numpy(rng.normal(size=(3, 80, 4))).float()
    scores[good] += 6 * torch.eye(4)[torch.from_numpy(labels)]
    return HeadTrial(labels, unseen={1: scores})


def test_a_fold_is_judged_with_the_weights_of_the_other_folds():
    """Folds that contradict each other must do worse than with equal weights."""
    trials = [trial(0, 0), trial(1, 1)]
    assert final_weights(trials[:1], 1)[0] > 2.5
    equal = [judge_weights([one])[0][Candidate(1)][0] for one in trials]
    crossed = [fold[Candidate(1)][0] for fold in judge_weights(trials)]
    assert all(one < other for one, other in zip(crossed, equal, strict=True))


def test_folds_that_agree_gain_by_each_others_weights():
    trials = [trial(2, 3), trial(2, 4)]
    crossed = [fold[Candidate(1)][0] for fold in judge_weights(trials)]
    for one, told in zip(trials, crossed, strict=True):
        plain = torch.nn.functional.logsigmoid(one.unseen[1]).sum(0).numpy()
        assert told > top_k_accuracy(plain, one.labels)


def test_the_oracle_stands_beside_every_method_and_is_never_below_what_it_could_choose(run):
    for name, entry in run.methods.items():
        assert entry.oracle is not None
        assert "unseen" in entry.oracle.choice.evidence[0]["held_out"][0]
        tried = entry.oracle.choice.evidence[0]["accuracy"]
        assert entry.oracle.zsl.top1 == pytest.approx(max(tried.values()), abs=1e-6), name
        assert entry.oracle.zsl.top1 >= entry.zsl.top1


def test_progress_of_all_rows_is_planned(small_task, small_config, config):
    assert plan_units(small_task, config, (0,)) > plan_units(small_task, small_config, (0,))


def test_all_means_those_that_differ():
    every = possible_variants(AlignmentConfig(), "pseudo-unseen")
    assert every == tuple(name for name in VARIANTS if name != "long-random")
    paper = create_preset("paper/ntu60").alignment
    assert set(VARIANTS) - set(possible_variants(paper, "pseudo-unseen")) == {
        "no-traits",
        "no-measures",
        "measures-only",
        "ridge-measures",
        "random-start",
        "long-random",
    }
    assert "fitted-fusion" not in possible_variants(AlignmentConfig(), "oracle")
    assert "with-margin" not in possible_variants(AlignmentConfig(), "pseudo-unseen", clips=False)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"variants": ("two-heads",)}, "unknown variant 'two-heads'"),
        ({"variants": ("one-head", "one-head")}, "must differ"),
        ({"variants": ("fitted-fusion",), "selection": "oracle"}, "pseudo-unseen classes"),
        (
            {
                "variants": ("no-traits",),
                "alignment": AlignmentConfig(trait_weight=0.0, measured_weight=0.0),
            },
            "is the same",
        ),
        (
            {
                "variants": ("measures-only",),
                "alignment": AlignmentConfig(measured_weight=0.0),
            },
            "measured traits are switched off",
        ),
    ],
    ids=[
        "an unknown name",
        "a name twice",
        "weights without folds",
        "a variant of nothing",
        "no measures",
    ],
)
def test_variants_that_make_no_sense_are_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        dataclasses.replace(create_preset("tiny"), **changes)


def test_a_dense_loss_has_no_text_negatives():
    with pytest.raises(ConfigError, match="text negatives"):
        LossSampling(dense=True, text_negatives=3)


def test_text_of_names_is_one_row_a_class(small_task):
    text = describe_for("names-only", small_task).text
    assert text.descriptions.shape == (len(text.labels), 1, small_task.text.names.shape[1])
    torch.testing.assert_close(text.descriptions[:, 0], small_task.text.names, rtol=0, atol=0)
    assert text.traits is None


def test_fitted_head_weights_are_calibrated_in_leads_like_every_other_method(run):
    entry = run.methods["fitted-fusion"]
    assert entry.calibration.rule == run.methods["infocpl"].calibration.rule == "relative"
    assert entry.calibration.gamma == entry.choice.relative_gamma * entry.calibration.lead
    assert all(told["lead"] is not None for told in entry.choice.evidence)
    assert entry.choice.gate is not None


def test_a_fold_of_equal_head_weights_is_worth_what_the_plain_model_is(small_task, small_config):
    """One fold has no other folds' weights: lead, gamma and cues must be those of InfoCPL."""
    one = dataclasses.replace(
        small_config, folds=1, variants=("fitted-fusion",), measured_weights=(2.0,)
    )
    found = select(small_task, one, seed=0, work=None, advance=lambda units, note: None)
    fitted, plain = found["fitted-fusion"], found["infocpl"]
    assert fitted.epoch == plain.epoch
    assert fitted.relative_gamma == pytest.approx(plain.relative_gamma)
    assert fitted.evidence[0]["lead"] == pytest.approx(plain.evidence[0]["lead"], rel=1e-5)
    assert fitted.gate.weights == pytest.approx(plain.gate.weights, rel=1e-3)
