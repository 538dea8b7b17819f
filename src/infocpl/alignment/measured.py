"""Measured traits: what geometry says of a clip against what the text says of a class.

Beyond the paper. A handful of seen classes teaches a map from features to text little about
directions in which those classes do not differ. That the right hand is the one that moves, or
that the body starts seated, needs no such map: it is measured (:mod:`infocpl.skeleton.measures`)
and stands in the lexicon.

The scores are those of a linear discriminant whose class means are not learned but told: of a class
with centred traits d a standard measure is expected at d, with errors of one covariance for all
classes (:mod:`infocpl.alignment.measured_fit`). Without a constant that all labels share, the
logarithm of the density at z is d' M z - d' M d / 2 with the inverse M of that covariance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.semantics.traits import TRAIT_DIMENSIONS
from infocpl.skeleton.measures import MEASURES

__all__ = [
    "TRAIT_COLUMNS",
    "Expected",
    "MeasuredTraits",
    "TwoVoices",
    "in_units",
    "products",
    "spread",
    "training_sample",
]

TRAIT_COLUMNS = [TRAIT_DIMENSIONS.index(name) for name in MEASURES]
"""Where the trait of each measure stands in a vector of traits."""

_MOST = 3.0
_FEW = 256
_TINY = 1e-12


class Expected(NamedTuple):
    """What to look for in a clip, for each of C labels.

    Attributes
    ----------
    filters : (C, Q) weights of the standard measures; zero for a label whose traits are unknown
    offsets : (C,) what is added to the products
    """

    filters: Tensor
    offsets: Tensor


@dataclass(frozen=True)
class MeasuredTraits:
    """Agreement of measured and described traits, as an aligner of its own.

    Attributes
    ----------
    mean, scale : (Q,) of the measures over the seen classes' training clips, classes counting
        alike; a measure that was the same for all clips has scale infinity and says nothing
    traits : (Q,) mean of the seen classes' traits
    metric : (Q, Q) inverse covariance of the errors of standard measures
    length : () of standard measures in the metric, median of the training clips
    offset : () of a label whose traits are unknown: the mean of the seen classes' offsets, as if
        every clip neither agreed nor disagreed with it
    gain : () factor of the scores, so that they can be added to those of another aligner
    weight : () spread of the scores in units of that aligner's; 0 without one
    """

    mean: Tensor
    scale: Tensor
    traits: Tensor
    metric: Tensor
    length: Tensor
    offset: Tensor
    gain: Tensor
    weight: Tensor = field(default_factory=lambda: torch.zeros(()))

    def expect(self, text: TextTable) -> Expected:
        """What is expected of the clips of each label.

        Parameters
        ----------
        text : of C labels
        """
        if text.traits is None:
            filters = self.mean.new_zeros(len(text.labels), len(self.mean))
            return Expected(filters, self.offset.expand(len(filters)))
        known = text.traits.any(1, keepdim=True)
        difference = (text.traits[:, TRAIT_COLUMNS] - self.traits) * known
        filters = difference @ self.metric
        offsets = -(filters * difference).sum(1) / 2
        return Expected(filters, torch.where(known[:, 0], offsets, self.offset))

    def scores_of(self, features: Tensor, expected: Expected) -> Tensor:
        """(B, C) scores of features with what :meth:`expect` found before."""
        filters, offsets = expected
        return self.gain * (self.standard(features[:, -len(self.mean) :]) @ filters.t() + offsets)

    def standard(self, measures: Tensor) -> Tensor:
        """(B, Q) measures in units of the training clips', all clips as long as the typical one.

        How much a clip differs from all others says little about what it shows.
        """
        units = in_units(measures, self.mean, self.scale)
        return units * (self.length / products(units, self.metric).sqrt().unsqueeze(1))

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) logarithms of densities, but for a constant of the clip, times the gain.

        Parameters
        ----------
        features : (B, D + Q), measures in the last Q columns
        text : of C labels
        """
        return self.scores_of(features, self.expect(text))

    def reasons(
        self, feature: Tensor, text: TextTable, label: int, most: int = 5
    ) -> list[tuple[str, float]]:
        """Traits in which a clip agrees with a class most, and what each adds to the score.

        Parameters
        ----------
        feature : (D + Q,) of the clip
        text : of the label set
        label : row of the class
        most : traits at the most; those that speak against the class are left out
        """
        standard = self.standard(feature[-len(self.mean) :].unsqueeze(0))[0]
        parts = standard * self.expect(text).filters[label]
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


def in_units(measures: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """(N, Q) measures about their mean (Q,) by their scale (Q,); beyond 3 they say no more."""
    return ((measures - mean) / scale).clamp(-_MOST, _MOST)


def products(rows: Tensor, metric: Tensor) -> Tensor:
    """(N,) of each of the rows (N, Q) with itself; at least tiny, so that one may divide by it."""
    return ((rows @ metric) * rows).sum(1).clamp_min(_TINY)


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
