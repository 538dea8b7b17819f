"""Honest selection: every choice is made on classes held out of the seen ones.

A fold holds some seen classes out, trains an encoder without them, and plays the whole task once
with those classes as the unseen ones. Epoch, ridge penalty and calibration are read off there;
the real unseen classes take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.evaluation.calibration import FoldGamma, Lead, average_gamma, measure_lead
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.gate import FoldClips, Gate, TrainingCues, fit_gate
from infocpl.evaluation.runs import (
    METHODS,
    Advance,
    Features,
    fit_method,
    learn_features,
    score_method,
)
from infocpl.evaluation.task_data import TaskData
from infocpl.metrics import gated_curve, harmonic_mean, joint_answers, top_k_accuracy

__all__ = [
    "Choice",
    "Trial",
    "epochs_to_try",
    "fold_seed",
    "joint_cues",
    "joint_scores",
    "select",
    "try_candidates",
]


@dataclass(frozen=True)
class Choice:
    """What was selected for one method, and on which evidence.

    Attributes
    ----------
    epoch : InfoCPL's last epoch (0 for the ridge maps)
    alpha : ridge penalty (0 for InfoCPL)
    gamma : calibration of seen scores, mean over folds in the units of their models
    evidence : per fold the held-out classes, the accuracy of every candidate, and gamma and lead
        of the chosen one
    relative_gamma : the same in leads (see :mod:`.calibration`), which a final model can use
    gate : fitted on the clips of all folds; None where they allow none
    """

    epoch: int
    alpha: float
    gamma: float
    evidence: tuple[dict[str, Any], ...]
    relative_gamma: float | None = None
    gate: Gate | None = None


class Trial(NamedTuple):
    """What one candidate was worth in one fold.

    Attributes
    ----------
    accuracy : among the classes that played the unseen ones
    gamma : the best; None without seen test clips, or where none gives an H above 0
    lead : of the same model on its own training clips; None without seen test clips
    clips : what a gate can learn from; None without seen test clips
    """

    accuracy: float
    gamma: float | None = None
    lead: Lead | None = None
    clips: FoldClips | None = None


def fold_seed(seed: int, fold: int) -> int:
    """Seed of a fold: drawn apart from the seeds of final runs."""
    return 10_000 + 100 * seed + fold


def epochs_to_try(config: ExperimentConfig) -> list[int]:
    """Epochs among which selection chooses: ten, evenly spread, the last one included."""
    last = config.alignment.fit.epochs
    step = max(1, last // 10)
    return sorted({*range(step, last + 1, step), last})


def joint_scores(
    aligner: Aligner, task: TaskData, seen_test: Any, unseen_test: Any
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Scores, labels and seen columns of the seen and unseen test clips over all classes."""
    names = (*task.split.seen, *task.split.unseen)
    scores = np.concatenate(
        [score_method(aligner, task, part, names) for part in (seen_test, unseen_test)]
    )
    clips = np.concatenate([task.seen_test, task.unseen_test])
    return scores, task.rows(clips, names), np.arange(len(task.split.seen))


def joint_cues(
    aligner: Aligner, task: TaskData, features: Features, scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cues of the clips of :func:`joint_scores`, from their scores."""
    clips = torch.cat([features.seen_test, features.unseen_test])
    training = TrainingCues.measure(aligner, task, features)
    return training.cues(scores, clips, len(task.split.seen))


def select(
    task: TaskData,
    config: ExperimentConfig,
    *,
    seed: int,
    work: Path | None,
    advance: Advance,
) -> dict[str, Choice]:
    """Choose epoch, penalty and gamma for every method on pseudo-unseen classes.

    Returns
    -------
    method name to :class:`Choice`
    """
    trials: dict[str, list[dict[float, Trial]]] = {m: [] for m in METHODS}
    held: list[tuple[str, ...]] = []
    for fold in range(config.folds):
        inner = task.pseudo(task.pseudo_count(), fold_seed(seed, fold))
        held.append(inner.split.unseen)
        note = f"seed {seed}, selection {fold + 1}/{config.folds}"
        for method, trial in _play(inner, config, fold_seed(seed, fold), work, advance, note):
            trials[method].append(trial)
    return {method: _choose(method, trials[method], held) for method in METHODS}


def _play(
    task: TaskData,
    config: ExperimentConfig,
    seed: int,
    work: Path | None,
    advance: Advance,
    note: str,
) -> list[tuple[str, dict[float, Trial]]]:
    """Accuracy and best gamma of every candidate of every method in one fold."""
    features = learn_features(task, config, seed=seed, work=work, advance=advance, note=note)
    return [
        (method, try_candidates(method, task, features, config, seed, advance, note))
        for method in METHODS
    ]


def try_candidates(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    note: str,
) -> dict[float, Trial]:
    """Accuracy among the task's unseen classes, and best gamma, of every candidate of a method.

    Candidates are epochs for InfoCPL and penalties for the ridge maps.
    """
    labels = task.rows(task.unseen_test, task.split.unseen)
    wanted = set(epochs_to_try(config))
    tried: dict[float, Trial] = {}

    def judge(aligner: Aligner) -> Trial:
        scores = score_method(aligner, task, features.unseen_test, task.split.unseen)
        accuracy = top_k_accuracy(scores, labels)
        if not len(task.seen_test):
            return Trial(accuracy)
        joint = joint_scores(aligner, task, features.seen_test, features.unseen_test)
        answers = joint_answers(*joint)
        curve = gated_curve(answers.gap, answers)
        gamma = curve.best_gamma()
        # Where no gamma is any good the fold says nothing about which one to take.
        useful = harmonic_mean(*curve.at(gamma)) > 0
        lead = measure_lead(aligner, task, features)
        cues = joint_cues(aligner, task, features, joint[0])
        return Trial(accuracy, gamma if useful else None, lead, FoldClips(cues, answers))

    def watch(epoch: int, model: StandardInfoCPL) -> None:
        if epoch in wanted:
            tried[epoch] = judge(model)

    for alpha in (1.0,) if method == "infocpl" else config.alphas:
        aligner = fit_method(
            method,
            task,
            features,
            config,
            seed=seed,
            alpha=alpha,
            on_epoch=watch,
            advance=advance,
            note=note,
        )
        if method != "infocpl":
            tried[alpha] = judge(aligner)
    return tried


def _choose(
    method: str,
    folds: list[dict[float, Trial]],
    held: list[tuple[str, ...]],
) -> Choice:
    candidates = sorted(folds[0])
    accuracy = np.array([[fold[c][0] for c in candidates] for fold in folds]).mean(axis=0)
    # Neighbouring candidates are nearly the same model: averaging with them removes noise that
    # a bare maximum over few held-out clips would pick up.
    padded = np.pad(accuracy, 1, mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    best = candidates[int(np.flatnonzero(smooth >= smooth.max() - 1e-12)[-1])]
    chosen = [fold[best] for fold in folds]
    gamma, relative = average_gamma(
        [FoldGamma(trial.gamma, trial.lead) for trial in chosen if trial.lead is not None]
    )
    evidence = tuple(
        {
            "held_out": list(names),
            "accuracy": {f"{c:g}": round(fold[c].accuracy, 6) for c in candidates},
            "gamma": fold[best].gamma,
            "lead": None if (lead := fold[best].lead) is None else lead.mean,
        }
        for names, fold in zip(held, folds, strict=True)
    )
    return Choice(
        epoch=int(best) if method == "infocpl" else 0,
        alpha=0.0 if method == "infocpl" else float(best),
        gamma=gamma,
        evidence=evidence,
        relative_gamma=relative,
        gate=fit_gate([trial.clips for trial in chosen if trial.clips is not None]),
    )
