"""The second stage: InfoCPL trained on the encoder's features of seen classes."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.initialise import start_matching
from infocpl.alignment.measured import training_sample
from infocpl.alignment.measured_fit import fit_measured
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
    measures: Tensor | None = None,
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
    measures : (N, Q) of the same clips (:func:`infocpl.skeleton.measures.measure_clips`), where
        there are clips and not only features; the model then asks for them behind the features.
        Seen classes without any traits leave them without use

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
    measured = None
    if measures is not None and config.measured_weight and seen.knows_traits:
        measured = fit_measured(measures, labels, seen)
        some = training_sample(len(features))
        agreement = measured.scores(measures[some], seen)

    def ready_aligner() -> StandardInfoCPL:
        aligner = _on_processor(standard)
        if measured is not None:
            own = aligner.own_scores(features[some], seen)
            aligner.measured = measured.beside(own, agreement, config.measured_weight)
        return aligner

    def report(epoch: EpochReport) -> None:
        if on_epoch is not None:
            on_epoch(epoch, ready_aligner())

    fit(task, len(labels), config.fit, seed=seed, on_epoch=report, stop_after=stop_after)
    return ready_aligner()


def _on_processor(aligner: StandardInfoCPL) -> StandardInfoCPL:
    """The aligner itself, or a copy of one that is on another device."""
    if all(weights.device.type == "cpu" for weights in aligner.model.parameters()):
        return aligner
    # Its model stays where it is: its training may go on.
    model = copy.deepcopy(aligner.model).cpu()
    return StandardInfoCPL(model, aligner.feature_mean, aligner.feature_scale, aligner.centre)
