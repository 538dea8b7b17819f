"""The stages of a run: encoder on seen clips, features of all clips, aligners on features.

Every stage states the classes it learned from, and refuses to meet a class it must not know.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.alignment.fusion import GATES
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series
from infocpl.alignment.initialise import start_matching
from infocpl.alignment.measured import fit_measured, training_sample
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.data.loading import ClipRows
from infocpl.encoders.augment import AugmentConfig
from infocpl.encoders.ensemble import EncoderEnsemble
from infocpl.encoders.registry import create_encoder
from infocpl.errors import ConfigError, SplitLeakageError
from infocpl.files import canonical_hash
from infocpl.training.checkpoint import save_tensors
from infocpl.training.config import FitConfig, decisive
from infocpl.training.encoder_cache import EncoderCache, read_finished
from infocpl.training.environment import is_main_process
from infocpl.training.feature_cache import encode_clips
from infocpl.training.loop import EpochReport, fit
from infocpl.training.tasks import AlignmentTask, EncoderTask, LossSampling

__all__ = [
    "HEADS",
    "AlignmentConfig",
    "EncoderConfig",
    "TrainedEncoder",
    "encode_clips",
    "forbid_classes",
    "train_encoder",
    "train_infocpl",
]

Progress = Callable[[EpochReport], None]

_MEMBER_STRIDE = 1_000_003  # seeds of members lie far from the seeds of runs and folds

HEADS = ("series", "largest", "smallest")

_FEW = 256  # clips in memory at a time where all of them are looked at once


@dataclass(frozen=True)
class EncoderConfig:
    """Which encoder is trained, and how.

    Attributes
    ----------
    name : one of :func:`infocpl.encoders.registry.list_encoders`
    fit : optimisation
    augment : variation of the training clips
    smoothing : of the labels
    members : encoders trained apart, from seeds of their own, whose features are concatenated
    text_weight : share of a second loss that aligns features with the text of the seen classes
        while the encoder is trained (joint training); 0 trains it on labels alone and freezes it,
        as the paper does
    """

    name: str = "stgcn-small"
    fit: FitConfig = field(
        default_factory=lambda: FitConfig(
            epochs=20, batch_size=32, lr=3e-3, weight_decay=0.02, warmup=4, precision="auto"
        )
    )
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    smoothing: float = 0.1
    members: int = 1
    text_weight: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.text_weight) and self.text_weight >= 0):
            raise ConfigError(f"text_weight must be a number >= 0, got {self.text_weight}")
        if self.members < 1:
            raise ConfigError(f"an encoder needs at least 1 member, got {self.members}")


@dataclass(frozen=True)
class AlignmentConfig:
    """How InfoCPL is shaped and trained.

    Attributes
    ----------
    max_k : upper bound of the k-series 1, 5, 10, ...
    heads : one for each k of the ``"series"``, or a single one: the ``"largest"`` or the
        ``"smallest"`` k of it
    hidden : widths of the scorer
    motion : use the motion description
    standard_features : give every feature zero mean and unit variance on the training clips; the
        paper projects features as they come
    centre_text : remove the mean text of the seen classes
    trait_weight : length of a class's traits beside each of its sentences (of length one), 0 to
        leave traits out as the paper does; needs `centre_text`
    measured_weight : spread of the scores of measured traits (:mod:`infocpl.alignment.measured`) in
        units of the spread of the heads' fused scores, both on training clips; 0 leaves them out as
        the paper does
    gate : how heads are weighed, see :class:`infocpl.alignment.infocpl.InfoCPLConfig`
    start : ``"random"`` weights as in the paper, or ``"matching"``
        (:func:`infocpl.alignment.initialise.start_matching`)
    sampling : negatives, attention inverse, feature noise
    fit : optimisation
    """

    max_k: int = 30
    heads: str = "series"
    hidden: tuple[int, int] = (256, 128)
    motion: bool = True
    standard_features: bool = True
    centre_text: bool = True
    trait_weight: float = 0.7
    measured_weight: float = 2.0
    gate: str = "none"
    start: str = "matching"
    sampling: LossSampling = field(
        default_factory=lambda: LossSampling(inverse_epochs=1, noise=1.0)
    )
    fit: FitConfig = field(
        default_factory=lambda: FitConfig(epochs=6, batch_size=64, lr=3e-4, warmup=1)
    )

    def __post_init__(self) -> None:
        if self.gate not in GATES:
            raise ConfigError(f"unknown gate {self.gate!r}; known: {', '.join(GATES)}")
        if self.heads not in HEADS:
            raise ConfigError(f"heads must be one of {', '.join(HEADS)}, got {self.heads!r}")
        if self.start not in ("random", "matching"):
            raise ConfigError(f"start must be 'random' or 'matching', got {self.start!r}")
        if not (math.isfinite(self.trait_weight) and self.trait_weight >= 0):
            raise ConfigError(f"trait_weight must be a number >= 0, got {self.trait_weight}")
        if not (math.isfinite(self.measured_weight) and self.measured_weight >= 0):
            raise ConfigError(f"measured_weight must be a number >= 0, got {self.measured_weight}")
        if self.trait_weight and not self.centre_text:
            raise ConfigError("trait_weight needs centre_text: traits stand beside centred text")

    def k_series(self, rows: int) -> tuple[int, ...]:
        """Descriptions believed by each head where a class has `rows` at the most.

        Examples
        --------
        >>> AlignmentConfig(max_k=30).k_series(rows=12)
        (1, 5, 10)
        >>> AlignmentConfig(max_k=30, heads="largest").k_series(rows=12)
        (10,)
        """
        series = tuple(k for k in default_k_series(self.max_k) if k <= rows)
        return {"series": series, "largest": series[-1:], "smallest": series[:1]}[self.heads]


@dataclass(frozen=True)
class TrainedEncoder:
    """An encoder and the proof of what it learned from.

    Attributes
    ----------
    module : (N, M, T, V, C) -> (N, D)
    config, layout, frames : how to build it again and what it expects
    training_classes : names of the classes of its training clips
    """

    module: nn.Module
    config: EncoderConfig
    layout: str
    frames: int
    training_classes: tuple[str, ...]


def forbid_classes(trained_on: Sequence[str], forbidden: Sequence[str], what: str) -> None:
    """Raise :class:`SplitLeakageError` if `what` was trained on a class it must not know.

    Examples
    --------
    >>> forbid_classes(["walk"], ["walk", "sit"], "encoder")
    Traceback (most recent call last):
    infocpl.errors.SplitLeakageError: the encoder was trained on unseen classes: walk
    """
    both = [name for name in forbidden if name in set(trained_on)]
    if both:
        raise SplitLeakageError(f"the {what} was trained on unseen classes: {', '.join(both)}")


def train_encoder(
    clips: NDArray[np.float32] | ClipRows,
    labels: NDArray[np.integer],
    classes: Sequence[str],
    config: EncoderConfig,
    *,
    layout: str,
    seed: int,
    work: Path | None = None,
    cache: EncoderCache | None = None,
    on_epoch: Progress | None = None,
    text: Tensor | None = None,
) -> TrainedEncoder:
    """Train an encoder by cross-entropy on the clips given, and on nothing else.

    Parameters
    ----------
    clips : (N, M, T, V, C) normalised training clips of seen classes; rows of a mapped array stay
        on disk but for the batch at work
    labels : (N,) rows of `classes`; every class must have a clip
    classes : names of the training classes
    layout : joint layout of the clips
    seed : of weights, order, augmentation and dropout
    work : folder for the finished weights and for checkpoints of an unfinished training; a
        second call with the same arguments continues or returns at once
    cache : encoders finished by other runs; one with the same clips, labels, names, configuration,
        seed and environment is taken from there, and a new one is stored there
    text : (classes, Dt) text of the training classes, where ``config.text_weight`` is not 0

    Returns
    -------
    the encoder; its training classes are those that are written beside its weights

    Raises
    ------
    SplitLeakageError : if a class has no clip
    CheckpointError : if the checkpoint of an unfinished training in `work` is damaged
    """
    missing = [name for i, name in enumerate(classes) if not (labels == i).any()]
    if missing:
        raise SplitLeakageError(f"no training clip for {', '.join(missing)}")
    if config.members > 1:
        return _train_members(
            clips,
            labels,
            classes,
            config,
            layout=layout,
            seed=seed,
            work=work,
            cache=cache,
            on_epoch=on_epoch,
            text=text,
        )
    identity = canonical_hash(
        {
            "config": decisive(config),
            "layout": layout,
            "seed": seed,
            "classes": list(classes),
            "labels": np.asarray(labels).tolist(),
            "clips": _hash(clips),
            "shape": list(clips.shape),
            **({"text": _hash_text(text)} if config.text_weight else {}),
        }
    )
    torch.manual_seed(seed)
    module = create_encoder(config.name, layout)
    trained = TrainedEncoder(module, config, layout, clips.shape[2], tuple(classes))
    done = work / f"encoder-{identity[:16]}.safetensors" if work else None
    state = work / f"encoder-{identity[:16]}.state.safetensors" if work else None
    found = read_finished(done) if done is not None else None
    if found is None and cache is not None:
        found = cache.find(identity)
    if found is not None:
        tensors, learned = found
        module.load_state_dict(tensors)
        module.eval()
        if state is not None:
            # Killed between its last two steps, an earlier call left its checkpoint behind.
            state.unlink(missing_ok=True)
        return replace(trained, training_classes=learned)
    task = EncoderTask(
        module,
        clips if isinstance(clips, ClipRows) else torch.from_numpy(np.ascontiguousarray(clips)),
        torch.from_numpy(np.asarray(labels, dtype=np.int64)),
        len(classes),
        config.augment,
        config.smoothing,
        text,
        config.text_weight,
    )
    fit(task, len(labels), config.fit, seed=seed, checkpoint=state, on_epoch=on_epoch)
    if not is_main_process():
        return trained
    if cache is not None:
        cache.keep(identity, dict(module.state_dict()), list(classes))
    if done is not None and state is not None:
        save_tensors(done, dict(module.state_dict()), {"training_classes": list(classes)})
        state.unlink(missing_ok=True)
    return trained


def _train_members(
    clips: NDArray[np.float32] | ClipRows,
    labels: NDArray[np.integer],
    classes: Sequence[str],
    config: EncoderConfig,
    *,
    layout: str,
    seed: int,
    work: Path | None,
    cache: EncoderCache | None,
    on_epoch: Progress | None,
    text: Tensor | None,
) -> TrainedEncoder:
    """Train each member as an encoder of its own; epochs are counted over all of them."""
    alone = replace(config, members=1)
    trained = []
    for number in range(config.members):

        def report(epoch: EpochReport, before: int = number * config.fit.epochs) -> None:
            if on_epoch is not None:
                total = config.members * config.fit.epochs
                on_epoch(EpochReport(before + epoch.epoch, total, epoch.losses))

        trained.append(
            train_encoder(
                clips,
                labels,
                classes,
                alone,
                layout=layout,
                # The first member is the encoder that would have been trained alone.
                seed=seed + _MEMBER_STRIDE * number,
                work=work,
                cache=cache,
                on_epoch=report,
                text=text,
            )
        )
    module = EncoderEnsemble([member.module for member in trained]).eval()
    learned = dict.fromkeys(name for member in trained for name in member.training_classes)
    return TrainedEncoder(module, config, layout, clips.shape[2], tuple(learned))


def _hash_text(text: Tensor | None) -> str:
    return "" if text is None else hashlib.sha256(text.numpy().tobytes()).hexdigest()


def _hash(clips: NDArray[np.float32] | ClipRows) -> str:
    """SHA-256 of all clips, a few of which are in memory at a time."""
    digest = hashlib.sha256()
    for start in range(0, len(clips), _FEW):
        digest.update(clips[start : start + _FEW].tobytes())
    return digest.hexdigest()


def train_infocpl(
    features: Tensor,
    labels: Tensor,
    seen: TextTable,
    config: AlignmentConfig,
    *,
    seed: int,
    stop_after: int | None = None,
    on_epoch: Callable[[EpochReport, StandardInfoCPL], None] | None = None,
    masked: Tensor | None = None,
    measures: Tensor | None = None,
) -> StandardInfoCPL:
    """Align features of seen clips with the text of seen classes.

    Parameters
    ----------
    features : (N, Dv) encoder features
    labels : (N,) rows of `seen`
    seen : text of the seen classes only
    stop_after : end after this epoch of the schedule (honest epoch selection), default all
    on_epoch : called after every epoch with the losses and the model so far
    masked : (N, Dv) encoder features of the same clips with parts hidden, where the margin loss is
        switched on (``sampling.margin_weight``)
    measures : (N, Q) of the same clips (:func:`infocpl.skeleton.measures.measure_clips`), where
        there are clips and not only features; the model then asks for them behind the features.
        Seen classes without any traits leave them without use
    """
    torch.manual_seed(seed)
    mean, scale = torch.zeros(features.shape[1]), torch.ones(features.shape[1])
    if config.standard_features:
        mean, scale = standardise(features)
    centre = TextCentre.of(seen, config.trait_weight) if config.centre_text else None
    text = centre.apply(seen) if centre is not None else seen
    shape = InfoCPLConfig(
        visual_dim=features.shape[1],
        text_dim=text.motion.shape[1],
        k_series=config.k_series(seen.mask.shape[1]),
        hidden=config.hidden,
        motion=config.motion,
        gate=config.gate,
    )
    standard = StandardInfoCPL(InfoCPL(shape), mean, scale, centre)
    ready = standard.features(features)
    if config.start == "matching":
        start_matching(standard.model, ready, labels, text)
    hidden = standard.features(masked) if masked is not None else None
    task = AlignmentTask(standard.model, ready, labels, text, config.sampling, hidden)
    traits = seen.traits is not None and bool(seen.traits.any())
    measured = None
    if measures is not None and config.measured_weight and traits:
        measured = fit_measured(measures, labels, seen)
        some = training_sample(len(features))
        agreement = measured.scores(measures[some], seen)

    def report(epoch: EpochReport) -> None:
        if measured is not None:
            with torch.no_grad():
                own = standard.model.scores(ready[some], text)
            standard.measured = measured.beside(own, agreement, config.measured_weight)
        if on_epoch is not None:
            on_epoch(epoch, standard)

    fit(task, len(labels), config.fit, seed=seed, on_epoch=report, stop_after=stop_after)
    return standard
