"""One training on one task: encoder, ridge maps and InfoCPL, and the scores they give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infocpl.alignment.base import Aligner, TextCentre
from infocpl.alignment.measured_fit import fit_measured
from infocpl.alignment.ridge import fit_ridge
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.data.feature_store import EncoderNote, PreparedFeatures
from infocpl.data.loading import PreparedClips
from infocpl.encoders.masking import mask_clips
from infocpl.errors import ConfigError
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.variants import (
    alignment_of,
    is_ridge,
    kind_of,
    method_title,
    uses_margin,
    uses_measures,
)
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.feature_cache import FeatureCache, encode_clips
from infocpl.training.loop import EpochReport
from infocpl.training.stages import (
    TrainedEncoder,
    forbid_classes,
    train_encoder,
    train_infocpl,
)

__all__ = [
    "ALIGNMENT_COST",
    "Features",
    "aligner_units",
    "fit_method",
    "learn_features",
    "score_method",
    "units",
]

Advance = Callable[[float, str], None]

ALIGNMENT_COST = 0.5
"""What a clip costs in an epoch of InfoCPL, in passes of that clip through the encoder's training.

One thread, default preset, 105 descriptions a class: 0.8 ms of InfoCPL against 1.25 to 2.1 ms of
``stgcn-small``. Wider encoders make it less, at worst a time left that is told too long."""

_CLIPS = 128  # copied and masked at a time


@dataclass(frozen=True)
class Features:
    """Encoder and features of a task's clips.

    Attributes
    ----------
    encoder : trained on the task's training clips; for precomputed features what is said of it
    train, seen_test, unseen_test, extra : (., D + Q) features of those clips: of the encoder, and
        behind them what was measured (:func:`infocpl.skeleton.measures.measure_clips`) where a
        method asks for it
    dim : D, columns of the encoder
    masked : (., D) features of the training and extra clips with parts hidden, where a method wants
        them
    """

    encoder: TrainedEncoder | EncoderNote
    train: Tensor
    seen_test: Tensor
    unseen_test: Tensor
    extra: Tensor
    dim: int
    masked: Tensor | None = None

    def learned(self) -> tuple[Tensor, Tensor | None]:
        """(N, D) features of the encoder and (N, Q) measures of all clips that are learned."""
        both = torch.cat([self.train, self.extra])
        return both[:, : self.dim], both[:, self.dim :] if both.shape[1] > self.dim else None


def units(task: TaskData, config: ExperimentConfig) -> float:
    """Work of one training in clip passes, for progress with a time left."""
    encoder = 0 if isinstance(task.clips, PreparedFeatures) else _epochs(config)
    return len(task.learned) * encoder + aligner_units(task, config, config.methods)


def aligner_units(task: TaskData, config: ExperimentConfig, methods: Sequence[str]) -> float:
    """Work of the given methods on one task; ridge maps cost next to nothing."""
    epochs = sum(
        alignment_of(method, config.alignment).fit.epochs
        for method in methods
        if kind_of(method) == "infocpl"
    )
    return ALIGNMENT_COST * len(task.learned) * epochs


def _epochs(config: ExperimentConfig) -> int:
    """Epochs of all members of the encoder together."""
    return config.encoder.members * config.encoder.fit.epochs


def learn_features(
    task: TaskData,
    config: ExperimentConfig,
    *,
    seed: int,
    work: Path | None,
    cache: EncoderCache | None = None,
    advance: Advance,
    note: str,
) -> Features:
    """Train an encoder on the task's training clips and encode the clips of the task.

    Precomputed features are taken as they are. Encoders and features that are in `cache` or, from
    an earlier call, in `work` are taken from there.

    Raises
    ------
    ConfigError : if a margin loss is wanted for precomputed features, of which nothing can be
        hidden
    SplitLeakageError : if the encoder was trained on an unseen class, wherever it comes from
    """
    margin = uses_margin(config.methods, config.alignment)
    if isinstance(task.clips, PreparedFeatures):
        if lacking := [method for method in config.methods if kind_of(method) == "measures"]:
            raise ConfigError(f"{lacking[0]}: precomputed features have no clips to measure")
        if margin:
            raise ConfigError(
                "the margin loss hides parts of clips; precomputed features have none"
            )
        return _given_features(task, task.clips)
    clips = task.clips
    classes = task.learned_classes
    left = _epochs(config)

    def report(epoch: EpochReport) -> None:
        nonlocal left
        left = epoch.epochs - epoch.epoch
        loss = sum(epoch.losses.values())
        advance(len(task.learned), f"{note}: encoder {epoch.epoch}/{epoch.epochs}, loss {loss:.2f}")

    trained = train_encoder(
        clips.rows(task.learned),
        task.rows(task.learned, classes),
        classes,
        config.encoder,
        layout=clips.layout,
        seed=seed,
        work=work,
        cache=cache,
        on_epoch=report,
        text=_targets(task, config) if config.encoder.text_weight else None,
    )
    if left:
        # Finished in an earlier run, in whole or in part: that work is done as well.
        advance(left * len(task.learned), f"{note}: encoder of an earlier run")
    forbid_classes(trained.training_classes, task.split.unseen, "encoder")
    kept = None
    if cache is not None:
        kept = cache.features
    elif work is not None:
        kept = FeatureCache(work / "features")
    dim = int(trained.module.dim)  # type: ignore[arg-type]
    sides = task.train, task.seen_test, task.unseen_test, task.extra
    parts = [
        encode_clips(trained.module, clips.rows(index), cache=kept)
        if len(index)
        else torch.zeros(0, dim)
        for index in sides
    ]
    if any(uses_measures(method, config.alignment) for method in config.methods):
        measures = [torch.from_numpy(clips.measures[index]) for index in sides]
        parts = [torch.cat(both, dim=1) for both in zip(parts, measures, strict=True)]
    masked = _masked(trained, clips, task, seed) if margin else None
    return Features(trained, parts[0], parts[1], parts[2], parts[3], dim, masked)


def _targets(task: TaskData, config: ExperimentConfig) -> Tensor:
    """(C, Dt) text of the classes that are learned, as the aligners see it; none of unseen ones."""
    text = task.text.subset(task.learned_classes)
    weight = config.alignment.trait_weight
    return TextCentre.of(text, weight).apply(text).mean().contiguous()


def _masked(trained: TrainedEncoder, clips: PreparedClips, task: TaskData, seed: int) -> Tensor:
    """Features (N, D) of all clips that are learned, with joints and frames hidden."""
    generator = torch.Generator().manual_seed(seed)
    rows, parts = clips.rows(task.learned), []
    for start in range(0, len(rows), _CLIPS):
        whole = torch.from_numpy(np.ascontiguousarray(rows[start : start + _CLIPS]))
        hidden = mask_clips(whole, generator=generator)
        parts.append(encode_clips(trained.module, hidden.numpy()))
    return torch.cat(parts)


def _given_features(task: TaskData, given: PreparedFeatures) -> Features:
    parts = [
        torch.from_numpy(np.asarray(given.features[index]))
        for index in (task.train, task.seen_test, task.unseen_test, task.extra)
    ]
    return Features(given.encoder, parts[0], parts[1], parts[2], parts[3], parts[0].shape[1])


def fit_method(
    method: str,
    task: TaskData,
    features: Features,
    config: ExperimentConfig,
    *,
    seed: int,
    alpha: float = 1.0,
    measured_weight: float | None = None,
    stop_after: int | None = None,
    on_epoch: Callable[[int, StandardInfoCPL], None] | None = None,
    advance: Advance,
    note: str,
) -> Aligner:
    """Fit a method on the training features and the text of seen classes only.

    Parameters
    ----------
    method : one of :attr:`.config.ExperimentConfig.methods`
    task : with the text that the method gets (:func:`.variants.describe_for`)
    measured_weight : of measured traits in a method that uses them, instead of the configured one
    """
    classes = task.learned_classes
    text = task.text.subset(classes)
    labels = torch.from_numpy(task.rows(task.learned, classes))
    learned, measures = features.learned()
    shape, cost = alignment_of(method, config.alignment), ALIGNMENT_COST * len(labels)
    if measured_weight is not None and uses_measures(method, config.alignment):
        shape = replace(shape, measured_weight=measured_weight)
    if kind_of(method) == "measures" and measures is not None:
        return fit_measured(measures, labels, text)
    if is_ridge(method):
        ridge = fit_ridge(
            learned,
            labels,
            text,
            alpha=alpha,
            names_only=method == "ridge-names",
            trait_weight=shape.trait_weight,
        )
        if uses_measures(method, config.alignment) and measures is not None:
            ridge.add_measured(learned, measures, labels, text, shape.measured_weight)
        return ridge
    told = f"{note}: {method_title(method)}"

    def report(epoch: EpochReport, model: StandardInfoCPL) -> None:
        advance(cost, f"{told} {epoch.epoch}/{epoch.epochs}")
        if on_epoch is not None:
            on_epoch(epoch.epoch, model)

    fitted = train_infocpl(
        learned,
        labels,
        text,
        shape,
        seed=seed,
        stop_after=stop_after,
        on_epoch=report,
        masked=features.masked,
        measures=measures,
    )
    if stop_after is not None and stop_after < shape.fit.epochs:
        # Planned before anyone knew where it would stop.
        advance(cost * (shape.fit.epochs - stop_after), f"{told}, done")
    return fitted


def score_method(
    aligner: Aligner, task: TaskData, features: Tensor, names: Sequence[str]
) -> NDArray[np.float64]:
    """(N, len(names)) scores of clips with the text of `names`."""
    scores = aligner.scores(features, task.text.subset(tuple(names)))
    return scores.double().numpy()
