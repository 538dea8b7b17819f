"""Honest selection: every choice is made on classes held out of the seen ones.

A fold holds some seen classes out, trains an encoder without them, and plays the whole task once
with those classes as the unseen ones. Epoch, ridge penalty and calibration are read off there;
the real unseen classes take no part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.runs import (
    METHODS,
    Advance,
    Features,
    fit_method,
    learn_features,
    score_method,
)
from infocpl.evaluation.task_data import TaskData
from infocpl.metrics import seen_unseen_curve, top_k_accuracy
from infocpl.training.encoder_cache import EncoderCache

__all__ = ["Choice", "epochs_to_try", "fold_seed", "joint_scores", "select", "try_candidates"]


@dataclass(frozen=True)
class Choice:
    """What was selected for one method, and on which evidence.

    Attributes
    ----------
    epoch : InfoCPL's last epoch (0 for the ridge maps)
    alpha : ridge penalty (0 for InfoCPL)
    gamma : calibration of seen scores
    evidence : per fold the held-out classes and the accuracy of every candidate
    """

    epoch: int
    alpha: float
    gamma: float
    evidence: tuple[dict[str, Any], ...]


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


def select(
    task: TaskData,
    config: ExperimentConfig,
    *,
    seed: int,
    work: Path | None,
    cache: EncoderCache | None = None,
    advance: Advance,
) -> dict[str, Choice]:
    """Choose epoch, penalty and gamma for every method on pseudo-unseen classes.

    Returns
    -------
    method name to :class:`Choice`
    """
    trials: dict[str, list[dict[float, tuple[float, float | None]]]] = {m: [] for m in METHODS}
    held: list[tuple[str, ...]] = []
    for fold in range(config.folds):
        inner = task.pseudo(task.pseudo_count(), fold_seed(seed, fold))
        held.append(inner.split.unseen)
        note = f"seed {seed}, selection {fold + 1}/{config.folds}"
        features = learn_features(
            inner,
            config,
            seed=fold_seed(seed, fold),
            work=work,
            cache=cache,
            advance=advance,
            note=note,
        )
        for method in METHODS:
            trials[method].append(
                try_candidates(
                    method, inner, features, config, fold_seed(seed, fold), advance, note
                )
            )
    return {method: _choose(method, trials[method], held) for method in METHODS}


def try_candidates(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    note: str,
) -> dict[float, tuple[float, float | None]]:
    """Accuracy among the task's unseen classes, and best gamma, of every candidate of a method.

    Candidates are epochs for InfoCPL and penalties for the ridge maps. Gamma is None without seen
    test clips.
    """
    labels = task.rows(task.unseen_test, task.split.unseen)
    wanted = set(epochs_to_try(config))
    tried: dict[float, tuple[float, float | None]] = {}

    def judge(aligner: Aligner) -> tuple[float, float | None]:
        scores = score_method(aligner, task, features.unseen_test, task.split.unseen)
        gamma = None
        if len(task.seen_test):
            joint = joint_scores(aligner, task, features.seen_test, features.unseen_test)
            gamma = seen_unseen_curve(*joint).best_gamma()
        return top_k_accuracy(scores, labels), gamma

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
    folds: list[dict[float, tuple[float, float | None]]],
    held: list[tuple[str, ...]],
) -> Choice:
    candidates = sorted(folds[0])
    accuracy = np.array([[fold[c][0] for c in candidates] for fold in folds]).mean(axis=0)
    # Neighbouring candidates are nearly the same model: averaging with them removes noise that
    # a bare maximum over few held-out clips would pick up.
    padded = np.pad(accuracy, 1, mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    best = candidates[int(np.flatnonzero(smooth >= smooth.max() - 1e-12)[-1])]
    gammas = [gamma for fold in folds if (gamma := fold[best][1]) is not None]
    evidence = tuple(
        {
            "held_out": list(names),
            "accuracy": {f"{c:g}": round(fold[c][0], 6) for c in candidates},
        }
        for names, fold in zip(held, folds, strict=True)
    )
    return Choice(
        epoch=int(best) if method == "infocpl" else 0,
        alpha=0.0 if method == "infocpl" else float(best),
        gamma=float(np.mean(gammas)) if gammas else 0.0,
        evidence=evidence,
    )
