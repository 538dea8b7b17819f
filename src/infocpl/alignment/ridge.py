"""The plainest baseline a sceptic would run: a ridge map from clip features to class text."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from infocpl.alignment.base import TextTable, standardise
from infocpl.errors import ConfigError

__all__ = ["RidgeAligner", "fit_ridge"]


class RidgeAligner:
    """Linear map from standardised clip features to centred text, scored by cosine.

    Attributes
    ----------
    weight : (Dv, Dt) map
    feature_mean, feature_scale : (Dv,) of the training features
    text_mean : (Dt,) mean text of the seen classes, removed from every label's text
    names_only : use bare class names instead of the mean of all descriptions
    """

    def __init__(
        self,
        weight: Tensor,
        feature_mean: Tensor,
        feature_scale: Tensor,
        text_mean: Tensor,
        *,
        names_only: bool,
    ) -> None:
        self.weight = weight
        self.feature_mean = feature_mean
        self.feature_scale = feature_scale
        self.text_mean = text_mean
        self.names_only = names_only

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, Dv) features to (B, C) cosines with the text of each label."""
        standard = (features - self.feature_mean) / self.feature_scale
        predicted = torch.nn.functional.normalize(standard @ self.weight, dim=1)
        target = _class_text(text, names_only=self.names_only) - self.text_mean
        return predicted @ torch.nn.functional.normalize(target, dim=1).t()


def fit_ridge(
    features: Tensor,
    labels: Tensor,
    text: TextTable,
    *,
    alpha: float,
    names_only: bool = False,
) -> RidgeAligner:
    """Fit the ridge map on seen clips.

    Minimises ``|X W - Y|^2 + alpha * N * |W|^2`` where X are standardised features and Y the
    centred text of each clip's class.

    Parameters
    ----------
    features : (N, Dv) of seen training clips
    labels : (N,) rows of `text`
    text : seen classes only
    alpha : strength of the penalty, > 0, per clip
    names_only : see :class:`RidgeAligner`

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
    x = ((features - mean) / scale).double()
    rows = _class_text(text, names_only=names_only)
    centre = rows.mean(0)
    y = torch.nn.functional.normalize(rows - centre, dim=1)[labels].double()
    # Balanced classes: a class with more clips must not pull the map towards its text.
    weight = 1.0 / torch.bincount(labels, minlength=len(text.labels)).double()[labels]
    weight = (weight / weight.mean()).unsqueeze(1)
    gram = x.t() @ (x * weight)
    gram += alpha * x.shape[0] * torch.eye(x.shape[1], dtype=torch.float64)
    solution = torch.linalg.solve(gram, x.t() @ (y * weight)).to(features.dtype)
    return RidgeAligner(solution, mean, scale, centre, names_only=names_only)


def _class_text(text: TextTable, *, names_only: bool) -> Tensor:
    return text.names if names_only else text.mean()
