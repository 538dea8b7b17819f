"""A start for InfoCPL that matches clip and text before the first step.

With a few hundred clips of a dozen seen classes, random weights have to discover that the two
halves of the scorer's input are to be *compared*, and learn the seen classes by heart meanwhile.
The shape of the model stays the paper's; only where training starts differs.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.head import Head
from infocpl.alignment.infocpl import InfoCPL
from infocpl.alignment.ridge import ridge_map
from infocpl.errors import ConfigError

__all__ = ["start_matching"]

# Per direction r four units see +r(z-e), -r(z-e), +r(z+e) and -r(z+e). |r(z+e)| - |r(z-e)| behaves
# like a product and favours long texts, -|r(z-e)| like a distance and favours short ones; half of
# the first against the whole second lies between them, as a cosine does.
_UNITS = 4
_SUM_SHARE = 0.5
_SPREAD = 2.0  # thresholds of the second layer reach this many standard deviations to either side
_JITTER = 0.3  # share of the drawn weights that stays in the second layer, so that units differ
_SAMPLE = 256
_ALPHA = 1.0


@torch.no_grad()
def start_matching(model: InfoCPL, features: Tensor, labels: Tensor, text: TextTable) -> None:
    """Let every head start as a comparison of clip and text that a ridge map has brought together.

    The projection starts as the ridge map from features to mean text. The scorer's first layer
    starts with units that see sums and differences of z and e along random directions within the
    span of the seen classes' text (outside of it z says nothing); the second and third let the
    score grow with their agreement, so that the first scores already rank like a cosine.

    Parameters
    ----------
    model : freshly created; changed in place
    features : (N, Dv) standardised features of the training clips
    labels : (N,) rows of `text`
    text : (centred) text of the seen classes

    Raises
    ------
    ConfigError : if features or text do not fit the model, or its first hidden layer has fewer
        than four units
    """
    config = model.config
    if (features.shape[1], text.motion.shape[1]) != (config.visual_dim, config.text_dim):
        raise ConfigError(
            f"the model maps {config.visual_dim} features to text of {config.text_dim}, "
            f"got {features.shape[1]} and {text.motion.shape[1]}"
        )
    if config.hidden[0] < _UNITS:
        raise ConfigError(f"a matching start needs {_UNITS} hidden units, got {config.hidden[0]}")
    mean = text.mean()
    ridge = ridge_map(features, labels, mean, _ALPHA)
    span = _row_space(torch.cat([mean, functional.normalize(text.motion, dim=1)]), len(mean))
    for head in model.granularity_heads():
        some = features[torch.randperm(len(features))[:_SAMPLE]]
        _start_projection(head, ridge, features)
        z = head.project(some)
        semantics = head.semantics(head.attend(z, text), text)
        signs = _start_first(head, z, semantics, span)
        _start_rest(head, z, semantics, signs)


def _row_space(rows: Tensor, most: int) -> Tensor:
    """At most `most` orthonormal rows that span `rows`, those of negligible weight left out."""
    _, size, basis = torch.linalg.svd(rows, full_matrices=False)
    kept: Tensor = basis[size > 1e-3 * size[0]][:most]
    return kept


def _start_projection(head: Head, ridge: Tensor, features: Tensor) -> None:
    # As long as a vector after LayerNorm, so that its gradients are of the usual size.
    length = (features @ ridge).norm(dim=1).mean().clamp_min(1e-12)
    head.proj.weight.copy_(ridge.t() * head.text_dim**0.5 / length)
    head.proj.bias.zero_()


def _start_first(head: Head, z: Tensor, semantics: Tensor, span: Tensor) -> Tensor:
    """Set the first layer; return (H,) by how much each unit speaks for a match."""
    units = head.l0.weight.shape[0]
    count = units // _UNITS
    direction = functional.normalize(torch.randn(count, len(span)) @ span, dim=1)
    direction = direction / (z @ direction.t()).std().clamp_min(1e-6)
    # LayerNorm gives z the length sqrt(Dt); texts are short and enlarged to it.
    stretch = head.text_dim**0.5 / semantics.norm(dim=2).mean().clamp_min(1e-6)
    apart = torch.cat([direction, -stretch * direction], dim=1)
    alike = torch.cat([direction, stretch * direction], dim=1)
    # A width that four does not divide leaves units as they were drawn, without a say.
    head.l0.weight[: _UNITS * count] = torch.cat([apart, -apart, alike, -alike])
    head.l0.bias.zero_()
    signs = torch.zeros(units)
    signs[: 2 * count] = -1.0 / count
    signs[2 * count : _UNITS * count] = _SUM_SHARE / count
    return signs


def _start_rest(head: Head, z: Tensor, semantics: Tensor, signs: Tensor) -> None:
    agreement = head.first_layer(z, semantics) @ signs
    centre, spread = agreement.mean(), agreement.std().clamp_min(1e-6)
    second = head.l1.weight.shape[0]
    head.l1.weight.mul_(_JITTER).add_(signs / spread)
    head.l1.bias.copy_(torch.linspace(-_SPREAD, _SPREAD, second) - centre / spread)
    head.l2.weight.fill_(2.0 / second)
    head.l2.bias.fill_(-1.0)
