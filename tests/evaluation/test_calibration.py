"""Gamma in leads: against plain loops, and indifferent to the unit of a model's scores."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.evaluation import experiment, selection
from infocpl.evaluation.calibration import (
    FoldGamma,
    Lead,
    average_gamma,
    measure_lead,
    sample_training,
    transfer_gamma,
)
from infocpl.evaluation.runs import score_method


class Louder:
    """A model that says the same in another unit."""

    def __init__(self, aligner, factor: float):
        self.inner, self.factor = aligner, factor

    def scores(self, features, text):
        return self.factor * self.inner.scores(features, text)

    def own_scores(self, features, text):
        return self.factor * self.inner.own_scores(features, text)

    @property
    def measured(self):
        found = getattr(self.inner, "measured", None)
        return found and dataclasses.replace(found, gain=self.factor * found.gain)


def louder(fit, factor: float):
    """A fitting function whose models are all louder."""

    def fitted(*args, on_epoch=None, **settings):
        def watch(epoch, model):
            on_epoch(epoch, Louder(model, factor))

        watched = None if on_epoch is None else watch
        return Louder(fit(*args, on_epoch=watched, **settings), factor)

    return fitted


def told(run) -> dict[str, tuple]:
    return {
        method: (entry.gzsl.seen, entry.gzsl.unseen, entry.gzsl.harmonic, entry.gzsl.ausuc)
        for method, entry in run.methods.items()
    }


@pytest.mark.parametrize("places", [(experiment,), (selection, experiment)], ids=["final", "all"])
def test_scores_seven_times_as_large_give_the_same_s_u_and_h(
    small_task, small_config, small_runs, monkeypatch, places
):
    """In the final model alone, where a raw gamma would fail, and in the folds as well."""
    assert {e.calibration.rule for e in small_runs[0].methods.values()} == {"relative"}
    for place in places:
        monkeypatch.setattr(place, "fit_method", louder(place.fit_method, 7.0))
    (run,) = experiment.run_experiment(small_task, small_config, (0,))
    for method, values in told(small_runs[0]).items():
        assert told(run)[method] == pytest.approx(values)
        honest, loud = small_runs[0].methods[method].calibration, run.methods[method].calibration
        assert loud.gamma == pytest.approx(7 * honest.gamma)
        assert loud.relative_gamma == pytest.approx(honest.relative_gamma)


def test_the_lead_is_what_a_loop_over_training_clips_finds(small_task, small_runs):
    run = small_runs[0]
    seen, unseen = small_task.split.seen, small_task.split.unseen
    for entry in run.methods.values():
        scores = score_method(entry.aligner, small_task, run.features.train, (*seen, *unseen))
        gaps = [max(row[: len(seen)]) - max(row[len(seen) :]) for row in scores]
        lead = measure_lead(entry.aligner, small_task, run.features)
        assert lead.mean == pytest.approx(np.mean(gaps))
        assert lead.spread == pytest.approx(np.std(gaps))
        assert entry.calibration.lead == lead.mean
        assert entry.calibration.gamma == entry.choice.relative_gamma * lead.mean


def test_the_lead_asks_for_no_test_clip(small_task, small_runs):
    run = small_runs[0]
    blind = dataclasses.replace(run.features, seen_test=None, unseen_test=None)
    for entry in run.methods.values():
        lead = measure_lead(entry.aligner, small_task, blind)
        assert lead.mean == entry.calibration.lead


def test_every_fold_tells_its_gamma_and_lead(small_runs):
    for run in small_runs:
        for entry in run.methods.values():
            # A fold where no gamma gives an H above 0 says nothing.
            told = [fold for fold in entry.choice.evidence if fold["gamma"] is not None]
            assert told or entry.choice.relative_gamma is None
            if told:
                shares = [fold["gamma"] / fold["lead"] for fold in told]
                assert entry.choice.relative_gamma == pytest.approx(np.median(shares))


@pytest.mark.parametrize(
    ("mean", "spread", "usable"),
    [(1, 1, True), (0.2, 1, True), (0.05, 1, False), (0, 1, False), (-2, 1, False), (0, 0, False)],
)
def test_a_lead_that_is_not_positive_or_lost_in_its_spread_is_no_unit(mean, spread, usable):
    lead = Lead(float(mean), float(spread))
    assert lead.usable is usable
    assert transfer_gamma(3.0, 0.5, lead).rule == ("relative" if usable else "raw")
    assert transfer_gamma(3.0, 0.5, lead).gamma == (0.5 * mean if usable else 3.0)
    assert FoldGamma(1.0, lead).relative == (1.0 / mean if usable else None)


@given(st.floats(0.01, 100), st.floats(-5, 5), st.floats(0, 20), st.floats(1e-3, 1e3))
def test_whether_a_lead_is_usable_does_not_depend_on_its_unit(share, mean, spread, unit):
    lead = Lead(share * mean, spread)
    if abs(lead.mean - 0.1 * spread) > 1e-6 * (1 + spread):
        assert Lead(unit * lead.mean, unit * spread).usable is lead.usable


def test_folds_without_a_gamma_or_a_usable_lead_are_left_out():
    folds = [
        FoldGamma(None, Lead(1.0, 0.1)),
        FoldGamma(4.0, Lead(-1.0, 0.1)),
        FoldGamma(2.0, Lead(4.0, 0.1)),
    ]
    assert average_gamma(folds) == (3.0, 0.5)
    assert average_gamma(folds[:2]) == (4.0, None)
    assert average_gamma(folds[:1]) == (0.0, None)
    assert transfer_gamma(4.0, None, Lead(1.0, 0.1)).gamma == 4.0


def test_one_fold_with_a_tiny_lead_does_not_carry_the_others_away():
    folds = [FoldGamma(1.0, Lead(value, 0.1)) for value in (2.0, 2.5, 0.011)]
    assert average_gamma(folds)[1] == 0.5


@pytest.mark.parametrize("count", [1, 2, 1999, 2000, 2001, 40_000])
def test_training_clips_that_stand_for_all_are_all_or_two_thousand_spread_evenly(count):
    rows = sample_training(count)
    assert len(rows) == len(set(rows.tolist())) == min(count, 2000)
    assert (rows[0], rows[-1]) == (0, count - 1)
    assert np.ptp(np.diff(rows)) <= 1 if count > 1 else True


def test_a_fold_in_which_no_gamma_is_any_good_gives_none(small_task, small_runs, small_config):
    """A map that sends every unseen clip astray: H is 0 whatever gamma."""
    seen, unseen = small_task.split.seen, small_task.split.unseen

    class Astray:
        def scores(self, features, text):
            scores = features.new_zeros(len(features), len(text.labels))
            scores[:, [text.labels.index(n) for n in text.labels if n in seen]] = 1.0
            return scores

    # Everything is named by its first column, and no unseen clip is of the first unseen class.
    first = small_task.rows(small_task.unseen_test, unseen) == 0
    task = dataclasses.replace(small_task, unseen_test=small_task.unseen_test[~first])
    features = dataclasses.replace(
        small_runs[0].features, unseen_test=small_runs[0].features.unseen_test[~first]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(selection, "fit_method", lambda *args, **settings: Astray())
        tried = selection.try_candidates(
            "ridge", task, features, small_config, 0, lambda units, note: None, ""
        )
    assert {trial.gamma for trial in tried.values()} == {None}
    assert {trial.lead for trial in tried.values()} == {Lead(1.0, 0.0)}
