"""Honest selection: every choice is made on classes held out of the seen ones.

A fold holds some seen classes out, trains an encoder without them, and plays the whole task once
with those classes as the unseen ones. Epoch, ridge penalty and calibration are read off there;
the real unseen classes take no part.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.evaluation.choice import Choice, settle
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.gate import TrainingCues
from infocpl.evaluation.head_weights import (
    HeadTrial,
    final_weights,
    fit_to_heads,
    judge_weights,
)
from infocpl.evaluation.judging import judge_weights_of_measures
from infocpl.evaluation.runs import (
    Advance,
    Features,
    fit_method,
    learn_features,
)
from infocpl.evaluation.scoring import score_among_all
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.evaluation.variants import (
    alignment_of,
    describe_for,
    is_ridge,
    kind_of,
    uses_fusion,
    uses_measures,
)
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.stages import AlignmentConfig

__all__ = [
    "epochs_to_try",
    "fold_seed",
    "joint_cues",
    "joint_scores",
    "select",
    "try_candidates",
    "weigh",
    "weights_to_try",
]


def fold_seed(seed: int, fold: int) -> int:
    """Seed of a fold: drawn apart from the seeds of final runs."""
    return 10_000 + 100 * seed + fold


def epochs_to_try(config: AlignmentConfig) -> list[int]:
    """Epochs among which selection chooses: ten, evenly spread, the last one included.

    Parameters
    ----------
    config : of the method in question (:func:`.variants.alignment_of`); they differ in epochs
    """
    last = config.fit.epochs
    step = max(1, last // 10)
    return sorted({*range(step, last + 1, step), last})


def joint_scores(
    aligner: Aligner, task: TaskData, seen_test: Any, unseen_test: Any
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Scores, labels and seen columns of the seen and unseen test clips over all classes."""
    names = (*task.split.seen, *task.split.unseen)
    scores = score_among_all(aligner, task, torch.cat([seen_test, unseen_test]))
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
    cache: EncoderCache | None = None,
    advance: Advance,
) -> dict[str, Choice]:
    """Choose epoch, penalty and gamma for every method on pseudo-unseen classes.

    Returns
    -------
    method name to :class:`Choice`
    """
    methods = config.methods
    trials: dict[str, list[dict[Candidate, Trial]]] = {method: [] for method in methods}
    heads: dict[str, list[HeadTrial]] = {method: [] for method in methods}
    held: list[tuple[str, ...]] = []
    for fold in range(config.folds):
        inner = task.pseudo(task.pseudo_count(), fold_seed(seed, fold))
        held.append(inner.split.unseen)
        note = f"seed {seed}, selection {fold + 1}/{config.folds}"
        number = fold_seed(seed, fold)
        features = learn_features(
            inner, config, seed=number, work=work, cache=cache, advance=advance, note=note
        )
        for method in methods:
            told = inner, features, config, number, advance, note
            if uses_fusion(method):
                heads[method].append(_try_heads(method, *told))
            else:
                trials[method].append(try_candidates(method, *told))
    choices = {}
    for method in methods:
        folds = trials[method]
        if uses_fusion(method):
            shape = alignment_of(method, config.alignment)
            folds = judge_weights(heads[method], shape.measured_weight)
        choice = settle(method, folds, held)
        if uses_fusion(method):
            choice = replace(choice, fusion=final_weights(heads[method], choice.epoch))
        choices[method] = choice
    return choices


def _try_heads(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    note: str,
) -> HeadTrial:
    """Scores of every head in one fold, for every candidate epoch."""
    task = describe_for(method, task)
    wanted, trial = (
        set(epochs_to_try(alignment_of(method, config.alignment))),
        HeadTrial.of(task, features),
    )

    def watch(epoch: int, model: StandardInfoCPL) -> None:
        if epoch in wanted:
            trial.add(epoch, model, task, features)

    fit_method(
        method, task, features, config, seed=seed, on_epoch=watch, advance=advance, note=note
    )
    return trial


def try_candidates(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    note: str,
    *,
    fusion: tuple[float, ...] | None = None,
) -> dict[Candidate, Trial]:
    """Accuracy among the task's unseen classes, and best gamma, of every candidate of a method.

    Candidates are epochs for InfoCPL and penalties for the ridge maps, each with every weight of
    measured traits for the methods that use them. With `fusion` the heads are
    weighed by these numbers.
    """
    task = describe_for(method, task)
    wanted = set(epochs_to_try(alignment_of(method, config.alignment)))
    weights = weights_to_try(method, config, task, features)
    tried: dict[Candidate, Trial] = {}

    def judge(aligner: Aligner, step: float) -> None:
        for weight, trial in judge_weights_of_measures(aligner, task, features, weights).items():
            tried[Candidate(step, weight)] = trial

    def watch(epoch: int, model: StandardInfoCPL) -> None:
        if epoch in wanted:
            if fusion is not None:
                weigh(model, fusion)
            judge(model, epoch)
            if fusion is not None:
                model.model.set_fusion(None)

    for alpha in config.alphas if is_ridge(method) else (1.0,):
        aligner = fit_method(
            method,
            task,
            features,
            config,
            seed=seed,
            alpha=alpha,
            # Scores of measured traits can be multiplied afterwards by any weight.
            measured_weight=1.0,
            on_epoch=watch,
            advance=advance,
            note=note,
        )
        if is_ridge(method):
            judge(aligner, alpha)
        elif kind_of(method) == "measures":
            judge(aligner, 0)
    return tried


def weights_to_try(
    method: str, config: ExperimentConfig, task: TaskData, features: Features
) -> tuple[float, ...]:
    """Weights of measured traits among which selection chooses: only 0 where there are none.

    Parameters
    ----------
    task : with the text that the method gets
    features : of its clips
    """
    told = task.text.subset(task.learned_classes).knows_traits
    measured = features.train.shape[1] > features.dim
    if kind_of(method) == "measures" or not uses_measures(method, config.alignment):
        return (0.0,)
    return config.measured_weights if told and measured else (0.0,)


def weigh(model: StandardInfoCPL, fusion: tuple[float, ...]) -> None:
    """Let the heads of a model count as the folds ask for."""
    model.model.set_fusion(fit_to_heads(fusion, len(model.model.config.k_series)))
