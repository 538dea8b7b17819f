"""The seen/unseen gate: against scikit-learn and plain loops, and blind to unseen clips."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import auc

from infocpl.evaluation import choice, experiment, selection
from infocpl.evaluation.gate import FoldClips, Gate, TrainingCues, fit_gate, fit_logistic
from infocpl.evaluation.protocol import measure_gate, measure_gzsl
from infocpl.evaluation.scoring import score_among_all
from infocpl.evaluation.selection import joint_cues, joint_scores
from infocpl.metrics import JointAnswers, harmonic_mean


def random_joint(seed: int, clips: int = 60, seen: int = 4, classes: int = 7):
    """Joint scores a little in favour of the truth, and labels of both kinds."""
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, clips - classes)])
    scores = rng.normal(size=(clips, classes))
    scores[np.arange(clips), labels] += 1.0
    return scores, labels, np.arange(seen)


def gated_by_loop(scores, labels, seen, seenness, threshold) -> tuple[float, float]:
    right: dict[bool, list[bool]] = {True: [], False: []}
    for row, label, value in zip(scores, labels, seenness, strict=True):
        if value >= threshold:
            said = max(range(seen), key=lambda column: row[column])
        else:
            said = max(range(seen, len(row)), key=lambda column: row[column])
        right[bool(label < seen)].append(said == label)
    return float(np.mean(right[True])), float(np.mean(right[False]))


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_numbers_behind_a_gate_agree_with_a_plain_loop(seed, threshold):
    scores, labels, seen = random_joint(seed)
    seenness = np.random.default_rng(seed + 1).normal(size=len(labels)) + (labels < 4)
    found = measure_gate(scores, labels, seen, seenness, threshold)
    expected = gated_by_loop(scores, labels, 4, seenness, threshold)
    assert (found.seen, found.unseen) == pytest.approx(expected)
    assert found.harmonic == pytest.approx(harmonic_mean(*expected))
    assert found.gamma == threshold


def test_the_area_behind_a_gate_is_that_of_a_sweep_of_its_threshold():
    scores, labels, seen = random_joint(3, clips=80)
    seenness = np.random.default_rng(9).normal(size=80) + (labels < 4)
    points = {gated_by_loop(scores, labels, 4, seenness, t) for t in np.linspace(-6, 6, 4001)}
    ordered = sorted(points, key=lambda point: (point[1], -point[0]))
    area = auc([unseen for _, unseen in ordered], [seen for seen, _ in ordered])
    found = measure_gate(scores, labels, seen, seenness, 0.0)
    assert found.ausuc == pytest.approx(area, abs=1e-9)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.floats(-3, 3))
def test_calibrated_stacking_is_the_gate_that_looks_at_the_gap_alone(seed, gamma):
    scores, labels, seen = random_joint(seed)
    gap = scores[:, :4].max(axis=1) - scores[:, 4:].max(axis=1)
    stacked = measure_gzsl(scores, labels, seen, gamma)
    gated = measure_gate(scores, labels, seen, gap, gamma)
    assert (gated.seen, gated.unseen, gated.ausuc) == (stacked.seen, stacked.unseen, stacked.ausuc)


def test_a_gate_that_is_never_wrong_leaves_the_accuracy_among_each_kind():
    """S is the accuracy among seen classes, U the zero-shot accuracy, and nothing is lost."""
    scores, labels, seen = random_joint(5)
    of_seen = labels < 4
    found = measure_gate(scores, labels, seen, of_seen.astype(float), 0.5)
    among_seen = (scores[of_seen, :4].argmax(axis=1) == labels[of_seen]).mean()
    zsl = (scores[~of_seen, 4:].argmax(axis=1) + 4 == labels[~of_seen]).mean()
    assert (found.seen, found.unseen) == pytest.approx((among_seen, zsl))
    assert found.ausuc == pytest.approx(among_seen * zsl)
    for other in np.random.default_rng(0).normal(size=(20, len(labels))):
        assert measure_gate(scores, labels, seen, other, 0.0).harmonic <= found.harmonic


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    positive = rng.random(150) < (0.15, 0.5, 0.85)[seed % 3]
    inputs = rng.normal(size=(150, 3)) + np.outer(positive, rng.normal(size=3))
    for penalty in (0.1, 1.0, 10.0):
        oracle = LogisticRegression(C=1 / penalty, class_weight="balanced", tol=1e-10, max_iter=999)
        oracle.fit(inputs, positive)
        slope, offset = fit_logistic(inputs, positive, penalty)
        np.testing.assert_allclose(slope, oracle.coef_[0], rtol=1e-3, atol=1e-4)
        assert offset == pytest.approx(oracle.intercept_[0], rel=1e-3, abs=1e-4)


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_weights_held_to_their_signs_are_the_best_of_that_kind(seed):
    """Where a sign binds, the fit is that of scikit-learn without the inputs held at zero."""
    rng = np.random.default_rng(seed)
    positive = np.arange(80) % 2 == 0
    inputs = rng.normal(size=(80, 3)) + np.outer(positive, rng.normal(size=3))
    slope, offset = fit_logistic(inputs, positive, signs=(1, 1, -1))
    assert slope[0] >= 0 <= slope[1]
    assert slope[2] <= 0
    oracle = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-10, max_iter=999)
    kept = np.flatnonzero(slope)
    if len(kept):
        oracle.fit(inputs[:, kept], positive)
        np.testing.assert_allclose(slope[kept], oracle.coef_[0], rtol=1e-2, atol=1e-3)
        assert offset == pytest.approx(oracle.intercept_[0], rel=1e-2, abs=1e-3)
    free, _ = fit_logistic(inputs, positive)
    if free[0] > 0 < free[1] and free[2] < 0:
        np.testing.assert_allclose(slope, free, rtol=1e-3, atol=1e-4)


def test_a_cue_that_seems_to_say_the_reverse_is_not_believed():
    fold = random_fold(0, 2.0)
    gate = fit_gate([dataclasses.replace(fold, cues=fold.cues * [-1.0, 1.0, 1.0])])
    assert gate.weights[0] == 0
    assert gate.weights[2] < 0
    assert fit_gate([random_fold(0, -2.0)]) is None  # no cue is left to go by


def random_fold(seed: int, apart: float, seen: int = 40, unseen: int = 30) -> FoldClips:
    rng = np.random.default_rng(seed)
    of_seen = np.arange(seen + unseen) < seen
    cues = rng.normal(size=(seen + unseen, 3)) + apart * of_seen[:, None] * [1.0, 0.5, -1.0]
    right = rng.random((2, seen + unseen)) < 0.8
    answers = JointAnswers(cues[:, 0], right[0] & of_seen, right[1] & ~of_seen, of_seen)
    return FoldClips(cues, answers)


def test_a_gate_fitted_on_kinds_that_lie_apart_tells_new_clips_apart():
    gate = fit_gate([random_fold(0, 8.0), random_fold(1, 8.0, seen=10)])
    new = random_fold(2, 8.0)
    said = gate.seenness(new.cues) >= gate.threshold
    assert (said == new.answers.of_seen).all()
    assert gate.weights[0] > 0 > gate.weights[2]


def test_the_threshold_is_as_good_as_any_on_a_fine_grid():
    folds = [random_fold(seed, 0.8) for seed in range(3)]
    gate = fit_gate(folds)

    def harmonic(threshold: float) -> float:
        hits: dict[bool, list[bool]] = {True: [], False: []}
        for fold in folds:
            for row, value in enumerate(gate.seenness(fold.cues)):
                answers = fold.answers
                right = answers.right_if_seen if value >= threshold else answers.right_if_unseen
                hits[bool(answers.of_seen[row])].append(bool(right[row]))
        return harmonic_mean(float(np.mean(hits[True])), float(np.mean(hits[False])))

    best = max(harmonic(threshold) for threshold in np.linspace(-5, 5, 801))
    assert harmonic(gate.threshold) >= best - 1e-9 > 0.4


def test_a_cue_that_never_varies_has_no_weight():
    fold = random_fold(0, 1.0)
    cues = fold.cues.copy()
    cues[:, 1] = 3.0
    gate = fit_gate([dataclasses.replace(fold, cues=cues)])
    assert gate.weights[1] == 0.0
    assert np.isfinite([*gate.weights, gate.bias, gate.threshold]).all()


def test_without_folds_or_without_any_right_answer_there_is_no_gate():
    assert fit_gate([]) is None
    fold = random_fold(0, 1.0)
    never = np.zeros(len(fold.cues), dtype=bool)
    blind = dataclasses.replace(fold.answers, right_if_unseen=never)
    assert fit_gate([dataclasses.replace(fold, answers=blind)]) is None


def test_cues_are_those_of_a_loop_over_clips(small_task, small_runs):
    run = small_runs[0]
    seen = len(small_task.split.seen)
    labels = small_task.rows(small_task.train, small_task.split.seen)
    train = run.features.train.double().numpy()
    mean, scale = train.mean(0), train.std(0)
    scale = np.maximum(scale, 1e-3 * scale.max())
    centres = [((train - mean) / scale)[labels == row].mean(0) for row in range(seen)]

    def cues(scores, clip):
        first, second = sorted(scores[:seen])[::-1][:2]
        nearest = min(np.linalg.norm((clip - mean) / scale - centre) for centre in centres)
        return first - max(scores[seen:]), first - second, nearest

    for entry in run.methods.values():
        own = score_among_all(entry.aligner, small_task, run.features.train)
        units = np.mean([np.abs(cues(*pair)) for pair in zip(own, train, strict=True)], axis=0)
        joint = joint_scores(
            entry.aligner, small_task, run.features.seen_test, run.features.unseen_test
        )
        clips = torch.cat([run.features.seen_test, run.features.unseen_test]).double().numpy()
        expected = [np.array(cues(*pair)) / units for pair in zip(joint[0], clips, strict=True)]
        found = joint_cues(entry.aligner, small_task, run.features, joint[0])
        np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-3)


def test_units_of_cues_ask_for_no_test_clip(small_task, small_runs):
    run = small_runs[0]
    blind = dataclasses.replace(run.features, seen_test=None, unseen_test=None)
    aligner = run.methods["ridge"].aligner
    one, other = (TrainingCues.measure(aligner, small_task, f) for f in (run.features, blind))
    assert (one.gap, one.margin, one.distance) == (other.gap, other.margin, other.distance)


def test_the_gate_never_sees_an_unseen_clip(small_task, small_config, small_runs, monkeypatch):
    """A sentinel lies in every clip of the test side; a gate that met one could not be equal."""
    keypoints = small_task.clips.keypoints.copy()
    keypoints[small_task.unseen_test] = np.nan
    keypoints[small_task.seen_test] = np.nan
    spoilt = dataclasses.replace(
        small_task, clips=dataclasses.replace(small_task.clips, keypoints=keypoints)
    )
    fitted = []

    def watch(folds):
        fitted.extend(folds)
        return fit_gate(folds)

    monkeypatch.setattr(choice, "fit_gate", watch)
    choices = selection.select(
        spoilt, small_config, seed=0, work=None, advance=lambda units, note: None
    )
    assert all(np.isfinite(fold.cues).all() for fold in fitted)
    training = len(small_task.train)
    assert all(0 < len(fold.cues) < training for fold in fitted)
    for method, entry in small_runs[0].methods.items():
        assert choices[method].gate is not None
        assert choices[method].gate == entry.choice.gate


def test_gate_numbers_of_a_run_are_those_of_a_loop_over_its_clips(small_task, small_runs):
    seen = len(small_task.split.seen)
    for run in small_runs:
        for entry in run.methods.values():
            scores, labels, _ = joint_scores(
                entry.aligner, small_task, run.features.seen_test, run.features.unseen_test
            )
            gate = entry.choice.gate
            cues = joint_cues(entry.aligner, small_task, run.features, scores)
            values = [
                sum(w * c for w, c in zip(gate.weights, row, strict=True)) + gate.bias
                for row in cues
            ]
            expected = gated_by_loop(scores, labels, seen, values, gate.threshold)
            assert (entry.gate.seen, entry.gate.unseen) == pytest.approx(expected)


def test_a_gate_takes_no_notice_of_the_unit_of_scores(small_task, small_runs):
    run = small_runs[0]

    class Louder:
        def __init__(self, aligner):
            self.inner = aligner

        def scores(self, features, text):
            return 7.0 * self.inner.scores(features, text)

    for entry in run.methods.values():
        measured = [
            experiment._measure(aligner, entry.choice, small_task, run.features).gate
            for aligner in (entry.aligner, Louder(entry.aligner))
        ]
        assert measured[0].harmonic == pytest.approx(measured[1].harmonic)
        assert measured[0].ausuc == pytest.approx(measured[1].ausuc)


def test_oracle_selection_has_no_gate(small_task, small_config):
    config = dataclasses.replace(small_config, selection="oracle")
    (run,) = experiment.run_experiment(small_task, config, (0,))
    assert all(e.choice.gate is None and e.gate is None for e in run.methods.values())
    assert {e.calibration.rule for e in run.methods.values()} == {"raw"}


def test_a_single_seen_class_has_no_margin_and_no_division_by_it():
    units = TrainingCues(2.0, 1.0, 1.0, torch.zeros(2), torch.ones(2), torch.zeros(1, 2))
    cues = units.cues(np.array([[3.0, 1.0]]), torch.tensor([[3.0, 4.0]]), 1)
    assert cues.tolist() == [[1.0, 0.0, 5.0]]
    assert Gate((1.0, 1.0, 1.0), 0.0, 0.0).seenness(cues).tolist() == [6.0]
