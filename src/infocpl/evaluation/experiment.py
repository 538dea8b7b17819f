"""A whole experiment: every seed selects, trains on all seen classes, and is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.data.feature_store import EncoderNote, PreparedFeatures
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.protocol import GzslResult, ZslResult, measure_gzsl, measure_zsl
from infocpl.evaluation.runs import (
    METHODS,
    Advance,
    Features,
    fit_method,
    learn_features,
    score_method,
    units,
)
from infocpl.evaluation.selection import (
    Choice,
    fold_seed,
    joint_scores,
    select,
    try_candidates,
)
from infocpl.evaluation.task_data import TaskData
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.stages import TrainedEncoder, forbid_classes

__all__ = ["MethodRun", "SeedRun", "plan_units", "run_experiment"]


@dataclass(frozen=True)
class MethodRun:
    """One method in one seed.

    Attributes
    ----------
    choice : what selection decided
    zsl : numbers among unseen classes
    gzsl : numbers among all classes; None without seen test clips
    scores : (N, U) of the unseen clips
    aligner : the fitted aligner
    """

    choice: Choice
    zsl: ZslResult
    gzsl: GzslResult | None
    scores: NDArray[np.float64]
    aligner: Aligner


@dataclass(frozen=True)
class SeedRun:
    """Everything one seed gave.

    Attributes
    ----------
    seed : its number
    methods : method name to its run
    encoder : the final encoder; for precomputed features what is said of theirs
    features : features of the task's clips
    seconds : wall time
    """

    seed: int
    methods: dict[str, MethodRun]
    encoder: TrainedEncoder | EncoderNote
    features: Features
    seconds: float


def plan_units(task: TaskData, config: ExperimentConfig, seeds: Sequence[int]) -> float:
    """Work of the experiment in clip passes (see :func:`.runs.units`)."""
    total = 0.0
    for seed in seeds:
        total += units(task, config)
        if config.selection == "pseudo-unseen":
            for fold in range(config.folds):
                inner = task.pseudo(task.pseudo_count(), fold_seed(seed, fold))
                total += units(inner, config)
    return total


def run_experiment(
    task: TaskData,
    config: ExperimentConfig,
    seeds: Sequence[int],
    *,
    work: Path | None = None,
    cache: EncoderCache | None = None,
    advance: Callable[[float, str], None] = lambda units, note: None,
) -> list[SeedRun]:
    """Run all seeds.

    Parameters
    ----------
    task : clips, split and text
    config : how to train and select
    seeds : independent repetitions
    work : folder for finished encoders, features and checkpoints; makes a killed run resumable
    cache : finished encoders and features that several experiments share
    advance : called with finished work (of :func:`plan_units`) and a note for the user

    Raises
    ------
    SplitLeakageError : if something was trained on an unseen class; of precomputed features only
        what is declared of their encoder can be checked
    """
    if isinstance(task.clips, PreparedFeatures):
        declared = task.clips.encoder.training_classes or ()
        forbid_classes(declared, task.split.unseen, "encoder of the precomputed features")
    return [_run_seed(task, config, seed, work, cache, advance) for seed in seeds]


def _run_seed(
    task: TaskData,
    config: ExperimentConfig,
    seed: int,
    work: Path | None,
    cache: EncoderCache | None,
    advance: Advance,
) -> SeedRun:
    started = time.monotonic()
    choices: dict[str, Choice] = {}
    if config.selection == "pseudo-unseen":
        choices = select(task, config, seed=seed, work=work, cache=cache, advance=advance)
    note = f"seed {seed}, final"
    features = learn_features(
        task, config, seed=seed, work=work, cache=cache, advance=advance, note=note
    )
    runs = {}
    for method in METHODS:
        if config.selection == "oracle":
            choices[method] = _oracle(method, task, features, config, seed, advance)
        choice = choices[method]
        aligner = fit_method(
            method,
            task,
            features,
            config,
            seed=seed,
            alpha=choice.alpha,
            stop_after=choice.epoch or None,
            advance=advance if config.selection == "pseudo-unseen" else _ignore,
            note=note,
        )
        runs[method] = _measure(aligner, choice, task, features)
    return SeedRun(seed, runs, features.encoder, features, time.monotonic() - started)


def _ignore(units: float, note: str) -> None:
    """Progress of work that was already counted."""


def _measure(aligner: Aligner, choice: Choice, task: TaskData, features: Features) -> MethodRun:
    scores = score_method(aligner, task, features.unseen_test, task.split.unseen)
    zsl = measure_zsl(scores, task.rows(task.unseen_test, task.split.unseen))
    gzsl = None
    if len(task.seen_test):
        joint = joint_scores(aligner, task, features.seen_test, features.unseen_test)
        gzsl = measure_gzsl(*joint, choice.gamma)
    return MethodRun(choice, zsl, gzsl, scores, aligner)


def _oracle(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
) -> Choice:
    """The published rule: choose on the unseen test clips themselves, and say so."""
    note = f"seed {seed}, oracle"
    tried = try_candidates(method, task, features, config, seed, advance, note)
    best = max(tried, key=lambda key: tried[key][0])
    evidence = {
        "held_out": ["the unseen test classes themselves"],
        "accuracy": {f"{key:g}": round(value[0], 6) for key, value in tried.items()},
    }
    return Choice(
        epoch=int(best) if method == "infocpl" else 0,
        alpha=0.0 if method == "infocpl" else float(best),
        gamma=tried[best][1] or 0.0,
        evidence=(evidence,),
    )
