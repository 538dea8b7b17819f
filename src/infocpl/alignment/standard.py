"""InfoCPL with the statistics of its training data around it: raw features and text in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import torch
from torch import Tensor

from infocpl.alignment.base import TextCentre, TextTable
from infocpl.alignment.infocpl import InfoCPL
from infocpl.alignment.measured import MeasuredTraits

__all__ = ["Belief", "StandardInfoCPL"]


@dataclass(frozen=True)
class Belief:
    """Which descriptions of a class one head believed for one clip.

    Attributes
    ----------
    k : how many descriptions the head may believe
    rows : indices of the believed descriptions, strongest first
    weights : their attention, summing to 1
    """

    k: int
    rows: tuple[int, ...]
    weights: tuple[float, ...]


class StandardInfoCPL:
    """A trained InfoCPL that standardises features and centres text by itself.

    Attributes
    ----------
    model : the trained aligner
    feature_mean, feature_scale : (Dv,) of the seen training features
    centre : mean text of the seen classes, or None to use text as it comes
    measured : agreement of measured with described traits, added to the fused scores; None without.
        With it features have the measures of the clip behind the Dv of the encoder; columns that
        nothing asks for are passed over
    """

    def __init__(
        self,
        model: InfoCPL,
        feature_mean: Tensor,
        feature_scale: Tensor,
        centre: TextCentre | None,
        measured: MeasuredTraits | None = None,
    ) -> None:
        self.model = model.eval()
        self.feature_mean = feature_mean
        self.feature_scale = feature_scale
        self.centre = centre
        self.measured = measured

    def features(self, raw: Tensor) -> Tensor:
        """Standardise the first Dv columns, which the encoder gave."""
        return (raw[:, : len(self.feature_mean)] - self.feature_mean) / self.feature_scale

    def text(self, raw: TextTable) -> TextTable:
        """Centre a label set's text, if this model was trained on centred text."""
        return self.centre.apply(raw) if self.centre is not None else raw

    @torch.no_grad()
    def own_scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) fused scores of the heads for raw features and raw text."""
        return self.model.scores(self.features(features), self.text(text))

    @torch.no_grad()
    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) fused scores, measured traits beside the heads where the model has them."""
        own = self.own_scores(features, text)
        return own if self.measured is None else own + self.measured.scores(features, text)

    @property
    def voices(self) -> float:
        """By how much the fused scores spread more than those of a single head."""
        heads = len(self.model.config.k_series)
        return heads if self.measured is None else heads * (1 + float(self.measured.weight))

    @torch.no_grad()
    def beliefs(self, feature: Tensor, text: TextTable, label: int, most: int = 5) -> list[Belief]:
        """What every head believed of class `label` for one clip.

        Parameters
        ----------
        feature : (Dv,) or more, raw features of the clip
        text : raw text of the label set
        label : row of the class
        most : descriptions listed a head at the most
        """
        ready = self.text(_only(text, label))
        x = self.features(feature.unsqueeze(0))
        found = []
        for head in self.model.granularity_heads():
            weights = head.attend(head.project(x), ready)[0, 0]
            order = weights.argsort(descending=True)[: min(most, int((weights > 0).sum()))]
            found.append(Belief(head.count, tuple(order.tolist()), tuple(weights[order].tolist())))
        return found


def _only(text: TextTable, label: int) -> TextTable:
    """Row `label` alone, its descriptions weighed as they are among all labels."""
    row = slice(label, label + 1)
    return dataclasses.replace(
        text,
        labels=text.labels[row],
        descriptions=text.descriptions[row],
        mask=text.mask[row],
        motion=text.motion[row],
        names=text.names[row],
        weights=None if text.weights is None else text.weights[row],
        traits=None if text.traits is None else text.traits[row],
    )
