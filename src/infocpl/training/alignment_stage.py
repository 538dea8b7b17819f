"""The second stage: InfoCPL trained on the encoder's features of seen classes."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.initialise import start_matching
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.training.loop import EpochReport, fit
from infocpl.training.stage_configs import AlignmentConfig
from infocpl.training.tasks import AlignmentTask

__all__ = ["train_infocpl"]


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
) -> StandardInfoCPL:
    """Align features of seen clips with the text of seen classes.

    Parameters
    ----------
    features : (N, Dv) encoder features
    labels : (N,) rows of `seen`
    seen : text of the seen classes only
    stop_after : end after this epoch of the schedule (honest epoch selection), default all
    on_epoch : called after every epoch with the losses and the model so far, on the processor
    masked : (N, Dv) encoder features of the same clips with parts hidden, where the margin loss is
        switched on (``sampling.margin_weight``)

    Returns
    -------
    the aligner, on the processor wherever it was trained
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

    def report(epoch: EpochReport) -> None:
        if on_epoch is not None:
            on_epoch(epoch, _on_processor(standard))

    fit(task, len(labels), config.fit, seed=seed, on_epoch=report, stop_after=stop_after)
    return _on_processor(standard)


def _on_processor(aligner: StandardInfoCPL) -> StandardInfoCPL:
    """The aligner itself, or a copy of one that is on another device."""
    if all(weights.device.type == "cpu" for weights in aligner.model.parameters()):
        return aligner
    # Its model stays where it is: its training may go on.
    model = copy.deepcopy(aligner.model).cpu()
    return StandardInfoCPL(model, aligner.feature_mean, aligner.feature_scale, aligner.centre)
