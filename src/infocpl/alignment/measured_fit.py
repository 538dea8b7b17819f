"""What measured traits learn from the training clips of seen classes: zero, unit and errors."""

from __future__ import annotations

import torch
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.alignment.measured import TRAIT_COLUMNS, MeasuredTraits, in_units, products
from infocpl.errors import ConfigError
from infocpl.skeleton.measures import MEASURES

__all__ = ["fit_measured"]

_LEAST = 1e-4  # spread below which a measure is the same for all clips
_SHRUNK = 0.9  # of the covariance towards equal and independent measures; few classes tell it
_TINY = 1e-12


def fit_measured(measures: Tensor, labels: Tensor, seen: TextTable) -> MeasuredTraits:
    """Zero, unit and errors of the measures, from seen training clips.

    A standard measure is taken for its centred trait times one factor, common to all, plus an
    error. The covariance of errors is that of clips about their class plus that of classes about
    what the traits say, scaled to a mean variance of one and shrunk by nine tenths to the
    identity; the metric is its inverse. Classes count alike.

    Parameters
    ----------
    measures : (N, Q) of :func:`infocpl.skeleton.measures.measure_clips`
    labels : (N,) rows of `seen`
    seen : text of the seen classes only

    Raises
    ------
    ConfigError : if the columns are not the measures, or no seen class has traits

    Examples
    --------
    >>> from infocpl.semantics.traits import TRAIT_DIMENSIONS
    >>> eye, q = torch.eye(2), len(MEASURES)
    >>> traits = torch.zeros(2, len(TRAIT_DIMENSIONS))
    >>> traits[0, TRAIT_DIMENSIONS.index("moving.left_arm")] = 1
    >>> traits[1, TRAIT_DIMENSIONS.index("moving.right_leg")] = 1
    >>> text = TextTable(("wave", "kick"), eye.unsqueeze(1), torch.ones(2, 1, dtype=torch.bool),
    ...                  eye, eye, traits=traits)
    >>> clips = torch.zeros(2, q)
    >>> clips[0, MEASURES.index("moving.left_arm")] = 5
    >>> fit_measured(clips, torch.tensor([0, 1]), text).scores(clips, text).argmax(1).tolist()
    [0, 1]
    """
    if measures.shape[1] != len(MEASURES):
        raise ConfigError(f"expected {len(MEASURES)} measures a clip, got {measures.shape[1]}")
    if seen.traits is None or not bool(seen.traits.any()):
        raise ConfigError("measured traits need traits of the seen classes; none has any")
    wide = measures.double()
    share = 1.0 / torch.bincount(labels, minlength=len(seen.labels)).double()[labels]
    share = (share / share.sum()).unsqueeze(1)
    mean = (share * wide).sum(0)
    scale = (share * (wide - mean).square()).sum(0).sqrt()
    scale = torch.where(scale < _LEAST, torch.inf, scale)
    known = seen.traits.any(1)
    centre = seen.traits[known][:, TRAIT_COLUMNS].mean(0).double()
    standard = in_units(wide, mean, scale)
    meant = seen.traits[:, TRAIT_COLUMNS] - centre
    metric = torch.linalg.inv(_covariance(standard, labels, share, meant, known))
    length = products(standard, metric).sqrt().quantile(0.5)
    offset = -products(meant[known], metric).mean() / 2
    # In the order of memory that a file keeps: a reloaded model gives the same bits.
    parts = (mean, scale, centre, metric, length, offset, torch.ones(()))
    return MeasuredTraits(*(part.to(measures.dtype).contiguous() for part in parts))


def _covariance(
    standard: Tensor, labels: Tensor, share: Tensor, meant: Tensor, known: Tensor
) -> Tensor:
    """(Q, Q) covariance of errors, shrunk.

    Parameters
    ----------
    standard, labels, share : (N, Q), (N,) and (N, 1) of the clips; the shares sum to one
    meant, known : (S, Q) centred traits of the classes, and (S,) whether they are known
    """
    weight = share.new_zeros(len(meant), 1).index_add_(0, labels, share)
    means = torch.zeros_like(meant).index_add_(0, labels, share * standard)
    means = means / weight.clamp_min(_TINY)
    inside = standard - means[labels]
    told = known & (weight.squeeze(1) > 0)
    about, meant = means[told], meant[told]
    factor = (about * meant).sum() / meant.square().sum().clamp_min(_TINY)
    off = about - factor * meant
    found = inside.t() @ (share * inside) + off.t() @ off / max(1, len(off))
    size = (found.trace() / len(found)).clamp_min(_TINY)
    return (1 - _SHRUNK) * found / size + _SHRUNK * torch.eye(len(found), dtype=found.dtype)
