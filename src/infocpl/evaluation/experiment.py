"""A whole experiment: every seed selects, trains on all seen classes, and is measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.data.feature_store import EncoderNote, PreparedFeatures
from infocpl.evaluation.calibration import Calibration, measure_lead, transfer_gamma
from infocpl.evaluation.choice import Choice, tell_evidence
from infocpl.evaluation.choosing import Chosen, choose_on_folds
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.protocol import (
    GzslResult,
    ZslResult,
    measure_gate,
    measure_gzsl,
    measure_zsl,
)
from infocpl.evaluation.runs import (
    Advance,
    Features,
    aligner_units,
    fit_method,
    learn_features,
    score_method,
    units,
)
from infocpl.evaluation.selection import (
    fold_seed,
    joint_cues,
    joint_scores,
    select,
    try_candidates,
    weigh,
)
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.transductive import refine_scores
from infocpl.evaluation.variants import CHOSEN, describe_for, is_ridge
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
    calibration : gamma of this very model
    gate : like `gzsl`, behind the gate instead of with gamma; None without a gate
    oracle : the same method chosen on the unseen test clips, where that was asked for besides
    transductive : its scores refined on the unlabelled unseen clips, where that was asked for
    """

    choice: Choice
    zsl: ZslResult
    gzsl: GzslResult | None
    scores: NDArray[np.float64]
    aligner: Aligner
    calibration: Calibration
    gate: GzslResult | None = None
    oracle: MethodRun | None = None
    transductive: ZslResult | None = None


@dataclass(frozen=True)
class SeedRun:
    """Everything one seed gave.

    Attributes
    ----------
    seed : its number
    methods : method name to its run; :data:`.variants.CHOSEN` is the very run of a candidate
    encoder : the final encoder; for precomputed features what is said of theirs
    features : features of the task's clips
    seconds : wall time
    chosen : which candidate the folds chose; None where there was nothing to choose among
    """

    seed: int
    methods: dict[str, MethodRun]
    encoder: TrainedEncoder | EncoderNote
    features: Features
    seconds: float
    chosen: Chosen | None = None


def plan_units(task: TaskData, config: ExperimentConfig, seeds: Sequence[int]) -> float:
    """Work of the experiment in clip passes (see :func:`.runs.units`)."""
    total = 0.0
    for seed in seeds:
        total += units(task, config)
        if config.selection == "pseudo-unseen" and config.with_oracle:
            total += aligner_units(task, config, config.methods)
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
    honest = config.selection == "pseudo-unseen"
    for method in config.methods:
        told = method, describe_for(method, task), features, config, seed
        if honest:
            run = _finish(choices[method], *told, advance, note)
            if config.with_oracle:
                best = _oracle(*told, advance, fusion=choices[method].fusion)
                run = replace(run, oracle=_finish(best, *told, _ignore, note))
        else:
            run = _finish(_oracle(*told, advance), *told, _ignore, note)
        if config.transductive:
            run = replace(run, transductive=_refine(run, task, features))
        runs[method] = run
    chosen = None
    if config.candidates:
        chosen = choose_on_folds({name: choices[name].score or 0.0 for name in config.candidates})
        runs[CHOSEN] = runs[chosen.candidate]
    seconds = time.monotonic() - started
    return SeedRun(seed, runs, features.encoder, features, seconds, chosen)


def _ignore(units: float, note: str) -> None:
    """Progress of work that was already counted."""


def _finish(
    choice: Choice,
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    note: str,
) -> MethodRun:
    """Train a method on all seen classes as was chosen, and measure it."""
    aligner = fit_method(
        method,
        task,
        features,
        config,
        seed=seed,
        alpha=choice.alpha,
        measured_weight=choice.measured,
        stop_after=choice.epoch or None,
        advance=advance,
        note=note,
    )
    if choice.fusion is not None and isinstance(aligner, StandardInfoCPL):
        weigh(aligner, choice.fusion)
    return _measure(aligner, choice, task, features)


def _refine(run: MethodRun, task: TaskData, features: Features) -> ZslResult:
    refined = refine_scores(run.scores, features.unseen_test.numpy())
    return measure_zsl(refined, task.rows(task.unseen_test, task.split.unseen))


def _measure(aligner: Aligner, choice: Choice, task: TaskData, features: Features) -> MethodRun:
    scores = score_method(aligner, task, features.unseen_test, task.split.unseen)
    zsl = measure_zsl(scores, task.rows(task.unseen_test, task.split.unseen))
    lead = measure_lead(aligner, task, features)
    calibration = transfer_gamma(choice.gamma, choice.relative_gamma, lead)
    gzsl = gated = None
    if len(task.seen_test):
        joint = joint_scores(aligner, task, features.seen_test, features.unseen_test)
        gzsl = measure_gzsl(*joint, calibration.gamma)
        if choice.gate is not None:
            seenness = choice.gate.seenness(joint_cues(aligner, task, features, joint[0]))
            gated = measure_gate(*joint, seenness, choice.gate.threshold)
    return MethodRun(choice, zsl, gzsl, scores, aligner, calibration, gated)


def _oracle(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    seed: int,
    advance: Advance,
    fusion: tuple[float, ...] | None = None,
) -> Choice:
    """The published rule: choose on the unseen test clips themselves, and say so."""
    note = f"seed {seed}, oracle"
    tried = try_candidates(method, task, features, config, seed, advance, note, fusion=fusion)
    best = max(tried, key=lambda key: tried[key][0])
    evidence = tell_evidence(["the unseen test classes themselves"], tried, best)
    return Choice(
        epoch=0 if is_ridge(method) else int(best.step),
        alpha=best.step if is_ridge(method) else 0.0,
        measured=best.measured,
        gamma=tried[best].gamma or 0.0,
        evidence=(evidence,),
        fusion=fusion,
    )
