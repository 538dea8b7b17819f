"""The plainest baseline a sceptic would run: a ridge map from clip features to class text."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.alignment.measured import MeasuredTraits, training_sample
from infocpl.alignment.measured_fit import fit_measured
from infocpl.errors import ConfigError

__all__ = ["RidgeAligner", "fit_ridge", "ridge_map"]


class RidgeAligner:
    """Linear map from standardised clip features to centred text, scored by cosine.

    Attributes
    ----------
    weight : (Dv, Dt) map
    feature_mean, feature_scale : (Dv,) of the training features
    centre : mean text of the seen classes, removed from every label's text
    names_only : use bare class names instead of the mean of all descriptions
    measured : agreement of measured with described traits, added to the cosines; None without
    """

    def __init__(
        self,
        weight: Tensor,
        feature_mean: Tensor,
        feature_scale: Tensor,
        centre: TextCentre,
        *,
        names_only: bool,
        measured: MeasuredTraits | None = None,
    ) -> None:
        self.weight = weight
        self.feature_mean = feature_mean
        self.feature_scale = feature_scale
        self.centre = centre
        self.names_only = names_only
        self.measured = measured

    def own_scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, Dv) features to (B, C) cosines with the text of each label."""
        own = features[:, : len(self.feature_mean)]
        standard = (own - self.feature_mean) / self.feature_scale
        predicted = torch.nn.functional.normalize(standard @ self.weight, dim=1)
        return predicted @ _targets(self.centre.apply(text), names_only=self.names_only).t()

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """The same, with measured traits beside the cosines where the map has them.

        Columns of the features behind the Dv of the encoder are what was measured.
        """
        own = self.own_scores(features, text)
        return own if self.measured is None else own + self.measured.scores(features, text)

    def add_measured(
        self, features: Tensor, measures: Tensor, labels: Tensor, seen: TextTable, weight: float
    ) -> None:
        """Put measured traits beside the cosines, if any seen class has traits.

        Parameters
        ----------
        features, measures, labels : (N, Dv), (N, Q) and (N,) of the training clips
        seen : text of the seen classes
        weight : spread of their scores in units of the spread of the cosines; 0 for none
        """
        if not weight or not seen.knows_traits:
            return
        measured, some = fit_measured(measures, labels, seen), training_sample(len(features))
        agreement = measured.scores(measures[some], seen)
        self.measured = measured.beside(self.own_scores(features[some], seen), agreement, weight)


def fit_ridge(
    features: Tensor,
    labels: Tensor,
    text: TextTable,
    *,
    alpha: float,
    names_only: bool = False,
    trait_weight: float = 0.0,
) -> RidgeAligner:
    """Fit the ridge map on seen clips.

    Parameters
    ----------
    features : (N, Dv) of seen training clips
    labels : (N,) rows of `text`
    text : seen classes only
    alpha : strength of the penalty, > 0, per clip (see :func:`ridge_map`)
    names_only : see :class:`RidgeAligner`
    trait_weight : see :class:`TextCentre`; names alone come without traits

    Raises
    ------
    ConfigError : if `alpha` is not a positive number

    Examples
    --------
    >>> text = TextTable(("a", "b"), torch.eye(2).unsqueeze(1), torch.ones(2, 1, dtype=torch.bool),
    ...                  torch.eye(2), torch.eye(2))
    >>> x = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    >>> fit_ridge(x, torch.tensor([0, 0, 1]), text, alpha=0.1).scores(x, text).argmax(1)
    tensor([0, 0, 1])
    """
    if not (math.isfinite(alpha) and alpha > 0):
        raise ConfigError(f"alpha must be a positive number, got {alpha}")
    mean, scale = standardise(features)
    centre = TextCentre.of(text, 0.0 if names_only else trait_weight)
    targets = _targets(centre.apply(text), names_only=names_only)
    weight = ridge_map((features - mean) / scale, labels, targets, alpha)
    return RidgeAligner(weight, mean, scale, centre, names_only=names_only)


def ridge_map(x: Tensor, labels: Tensor, targets: Tensor, alpha: float) -> Tensor:
    """The W that minimises ``|X W - Y|^2 + alpha * N * |W|^2``, classes counting alike.

    Parameters
    ----------
    x : (N, Dv) standardised features
    labels : (N,) rows of `targets`
    targets : (C, Dt) text of each class; Y holds the row of each clip's class
    alpha : penalty per clip

    Returns
    -------
    (Dv, Dt)
    """
    wide, y = x.double(), targets.double()[labels]
    # Balanced classes: a class with more clips must not pull the map towards its text.
    weight = 1.0 / torch.bincount(labels, minlength=len(targets)).double()[labels]
    weight = (weight / weight.mean()).unsqueeze(1)
    gram = wide.t() @ (wide * weight)
    gram += alpha * len(wide) * torch.eye(wide.shape[1], dtype=torch.float64)
    solution: Tensor = torch.linalg.solve(gram, wide.t() @ (y * weight))
    return solution.to(x.dtype)


def _targets(text: TextTable, *, names_only: bool) -> Tensor:
    return text.names if names_only else text.mean()
