"""The first stage: an encoder, or several, trained on clips of seen classes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infocpl.data.loading import ClipRows
from infocpl.encoders.ensemble import EncoderEnsemble
from infocpl.encoders.registry import create_encoder
from infocpl.errors import SplitLeakageError
from infocpl.files import canonical_hash
from infocpl.training.checkpoint import save_tensors
from infocpl.training.config import decisive
from infocpl.training.encoder_cache import EncoderCache, read_finished
from infocpl.training.environment import is_main_process
from infocpl.training.loop import EpochReport, fit
from infocpl.training.stage_configs import EncoderConfig
from infocpl.training.tasks import EncoderTask

__all__ = ["TrainedEncoder", "train_encoder"]

Progress = Callable[[EpochReport], None]

_MEMBER_STRIDE = 1_000_003  # seeds of members lie far from the seeds of runs and folds

_FEW = 256  # clips in memory at a time where all of them are looked at once


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
    lesson = _Lesson(clips, labels, tuple(classes), layout, work, cache, text)
    if config.members > 1:
        return lesson.teach_members(config, seed, on_epoch)
    return lesson.teach(config, seed, on_epoch)


@dataclass(frozen=True, eq=False)
class _Lesson:
    """What every encoder of one call learns from, and where it is kept.

    Attributes
    ----------
    clips, labels, classes, layout, work, cache, text : see :func:`train_encoder`
    """

    clips: NDArray[np.float32] | ClipRows
    labels: NDArray[np.integer]
    classes: tuple[str, ...]
    layout: str
    work: Path | None
    cache: EncoderCache | None
    text: Tensor | None

    def teach_members(
        self, config: EncoderConfig, seed: int, on_epoch: Progress | None
    ) -> TrainedEncoder:
        """Train each member as an encoder of its own; epochs are counted over all of them."""
        alone = replace(config, members=1)
        trained = []
        for number in range(config.members):

            def report(epoch: EpochReport, before: int = number * config.fit.epochs) -> None:
                if on_epoch is not None:
                    total = config.members * config.fit.epochs
                    on_epoch(EpochReport(before + epoch.epoch, total, epoch.losses))

            # The first member is the encoder that would have been trained alone.
            trained.append(self.teach(alone, seed + _MEMBER_STRIDE * number, report))
        module = EncoderEnsemble([member.module for member in trained]).eval()
        learned = dict.fromkeys(name for member in trained for name in member.training_classes)
        return TrainedEncoder(module, config, self.layout, self.clips.shape[2], tuple(learned))

    def teach(self, config: EncoderConfig, seed: int, on_epoch: Progress | None) -> TrainedEncoder:
        """Train one encoder, or take it from where it was finished."""
        identity = self.identity(config, seed)
        torch.manual_seed(seed)
        module = create_encoder(config.name, self.layout)
        trained = TrainedEncoder(module, config, self.layout, self.clips.shape[2], self.classes)
        done = self.work / f"encoder-{identity[:16]}.safetensors" if self.work else None
        state = self.work / f"encoder-{identity[:16]}.state.safetensors" if self.work else None
        found = read_finished(done) if done is not None else None
        if found is None and self.cache is not None:
            found = self.cache.find(identity)
        if found is not None:
            tensors, learned = found
            module.load_state_dict(tensors)
            module.eval()
            if state is not None:
                # Killed between its last two steps, an earlier call left its checkpoint behind.
                state.unlink(missing_ok=True)
            return replace(trained, training_classes=learned)
        task = self.task(module, config)
        fit(task, len(self.labels), config.fit, seed=seed, checkpoint=state, on_epoch=on_epoch)
        if not is_main_process():
            return trained
        if self.cache is not None:
            self.cache.keep(identity, dict(module.state_dict()), list(self.classes))
        if done is not None and state is not None:
            learned_from = {"training_classes": list(self.classes)}
            save_tensors(done, dict(module.state_dict()), learned_from)
            state.unlink(missing_ok=True)
        return trained

    def task(self, module: nn.Module, config: EncoderConfig) -> EncoderTask:
        """The encoder with its loss."""
        clips = self.clips
        return EncoderTask(
            module,
            clips if isinstance(clips, ClipRows) else torch.from_numpy(np.ascontiguousarray(clips)),
            torch.from_numpy(np.asarray(self.labels, dtype=np.int64)),
            len(self.classes),
            config.augment,
            config.smoothing,
            self.text,
            config.text_weight,
        )

    def identity(self, config: EncoderConfig, seed: int) -> str:
        """Hash of everything that decides the weights, but for the environment."""
        return canonical_hash(
            {
                "config": decisive(config),
                "layout": self.layout,
                "seed": seed,
                "classes": list(self.classes),
                "labels": np.asarray(self.labels).tolist(),
                "clips": self.clips_hash,
                "shape": list(self.clips.shape),
                **({"text": _hash_text(self.text)} if config.text_weight else {}),
            }
        )

    @cached_property
    def clips_hash(self) -> str:
        """SHA-256 of all clips, a few of which are in memory at a time."""
        digest = hashlib.sha256()
        for start in range(0, len(self.clips), _FEW):
            digest.update(self.clips[start : start + _FEW].tobytes())
        return digest.hexdigest()


def _hash_text(text: Tensor | None) -> str:
    return "" if text is None else hashlib.sha256(text.numpy().tobytes()).hexdigest()
