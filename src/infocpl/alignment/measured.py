"""Measured traits: what geometry says of a clip against what the text says of a class.

Beyond the paper. A handful of seen classes teaches a map from features to text little about
directions in which those classes do not differ. That the right hand is the one that moves, or
that the body starts seated, needs no such map: it is measured (:mod:`infocpl.skeleton.measures`)
and stands in the lexicon. All that is learned is what a measure does without its trait: its zero,
its unit, and with which others it varies for other reasons.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.errors import ConfigError
from infocpl.semantics.traits import TRAIT_DIMENSIONS
from infocpl.skeleton.measures import MEASURES

__all__ = ["MeasuredTraits", "TwoVoices", "fit_measured", "spread", "training_sample"]

_MOST = 3.0  # standard deviations beyond which a measure says no more
_FEW = 256
_TINY = 1e-12
_LEAST = 1e-4  # spread below which a measure is the same for all clips
_SHRUNK = 0.9  # of the covariance towards equal and independent measures; few classes tell it
_COLUMNS = [TRAIT_DIMENSIONS.index(name) for name in MEASURES]


@dataclass(frozen=True)
class MeasuredTraits:
    """Agreement of measured and described traits, as an aligner of its own.

    Attributes
    ----------
    mean, scale : (Q,) of the measures over the seen classes' training clips, classes counting
        alike; a measure that was the same for all clips has scale infinity and says nothing
    traits : (Q,) mean of the seen classes' traits
    metric : (Q, Q) inverse covariance of standard measures about what traits say of them, shrunk
        (:func:`fit_measured`); what several measures do together for other reasons counts once
    gain : () factor of the scores, so that they can be added to those of another aligner
    weight : () spread of the scores in units of that aligner's; 0 without one
    """

    mean: Tensor
    scale: Tensor
    traits: Tensor
    metric: Tensor
    gain: Tensor
    weight: Tensor = field(default_factory=lambda: torch.zeros(()))

    def directions(self, text: TextTable) -> Tensor:
        """(C, Q) what to look for in a clip: how each class differs from the seen ones.

        The dot product with standard measures is a cosine in the metric. Zero for a label of
        which no traits are known: it neither gains nor loses.
        """
        if text.traits is None:
            return self.mean.new_zeros(len(text.labels), len(self.mean))
        known = text.traits.any(1, keepdim=True)
        difference = (text.traits[:, _COLUMNS] - self.traits) * known
        filters = difference @ self.metric
        return filters / _length(difference, filters)

    def scores_along(self, features: Tensor, directions: Tensor) -> Tensor:
        """(B, C) scores of features with :meth:`directions` found before."""
        return self.gain * (self._standard(features) @ directions.t())

    def _standard(self, features: Tensor) -> Tensor:
        """(B, Q) measures in units of the training clips', of length one in the metric."""
        measures = features[:, -len(self.mean) :]
        standard = ((measures - self.mean) / self.scale).clamp(-_MOST, _MOST)
        return standard / _length(standard, standard @ self.metric)

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) cosines times the gain.

        Parameters
        ----------
        features : (B, D + Q), measures in the last Q columns
        text : of C labels
        """
        return self.scores_along(features, self.directions(text))

    def reasons(
        self, feature: Tensor, text: TextTable, label: int, most: int = 5
    ) -> list[tuple[str, float]]:
        """Traits in which a clip agrees with a class most, and what each adds to the cosine.

        Parameters
        ----------
        feature : (D + Q,) of the clip
        text : of the label set
        label : row of the class
        most : traits at the most; those that speak against the class are left out
        """
        parts = self._standard(feature.unsqueeze(0))[0] * self.directions(text)[label]
        best = parts.argsort(descending=True)[:most].tolist()
        return [(MEASURES[place], float(parts[place])) for place in best if parts[place] > 0]

    def beside(self, own: Tensor, agreement: Tensor, weight: float) -> MeasuredTraits:
        """The same with a gain that gives its scores `weight` times the spread of others.

        Parameters
        ----------
        own : (B, C) scores of the other aligner for some training clips and seen labels
        agreement : (B, C) of this one for the same
        weight : 1 lets both say as much
        """
        least = torch.finfo(agreement.dtype).tiny
        share = spread(own) / spread(agreement).clamp_min(least)
        return replace(self, gain=self.gain * weight * share, weight=torch.tensor(float(weight)))


def _length(rows: Tensor, under_metric: Tensor) -> Tensor:
    """(N, 1) root of the products of rows (N, Q); at least tiny, so that one may divide by it."""
    return (rows * under_metric).sum(1, keepdim=True).clamp_min(_TINY).sqrt()


def training_sample(count: int) -> Tensor:
    """Rows of training clips on which gains are found: all of `count`, or 256 evenly spread."""
    return torch.linspace(0, count - 1, min(count, _FEW)).long()


def spread(scores: Tensor) -> Tensor:
    """() standard deviation of scores (B, C) about their mean for each clip.

    Examples
    --------
    >>> float(spread(torch.tensor([[1.0, 3.0], [11.0, 13.0]])))
    1.0
    """
    centred = scores - scores.mean(dim=1, keepdim=True)
    return centred.square().mean().sqrt()


@runtime_checkable
class TwoVoices(Protocol):
    """An aligner whose scores are its own, plus those of measured traits if it has them."""

    measured: MeasuredTraits | None

    def own_scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) scores without those of measured traits."""
        ...


def fit_measured(measures: Tensor, labels: Tensor, seen: TextTable) -> MeasuredTraits:
    """Zero, unit and metric of the measures, from seen training clips.

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
    centre = seen.traits[known][:, _COLUMNS].mean(0)
    standard = ((wide - mean) / scale).clamp(-_MOST, _MOST)
    meant = (seen.traits[:, _COLUMNS] - centre).double()
    metric = torch.linalg.inv(_covariance(standard, labels, share, meant, known))
    parts = mean, scale, centre, metric, torch.ones(())
    # In the order of memory that a file keeps: a reloaded model gives the same bits.
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
