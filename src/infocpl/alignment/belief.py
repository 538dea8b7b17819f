"""Which descriptions the sampled (clip, class) pairs believe, with a gradient as sparse as it is.

A head keeps a few of a class's descriptions. Backwards through torch's own operations that costs
a matrix of all clips, classes and descriptions, zero almost everywhere; here only what was kept
is kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import attention_weights
from infocpl.errors import ConfigError
from infocpl.products import linear

__all__ = ["mix_believed"]


def mix_believed(
    z: Tensor,
    clips: Tensor,
    classes: Tensor,
    text: TextTable,
    count: int,
    *,
    inverse: bool = False,
) -> Tensor:
    """Weighted sum of the descriptions that each pair believes.

    Parameters
    ----------
    z : (B, Dt) projected clips
    clips, classes : (P,) rows of `z` and of `text`
    text : its descriptions are data, not parameters
    count, inverse : see :func:`.functional.attention_weights`

    Returns
    -------
    (P, Dt)

    Raises
    ------
    ConfigError : if a gradient of the descriptions is expected

    Examples
    --------
    >>> text = TextTable(("a",), torch.eye(2).unsqueeze(0), torch.ones(1, 2, dtype=torch.bool),
    ...                  torch.zeros(1, 2), torch.zeros(1, 2))
    >>> mix_believed(torch.tensor([[3.0, 1.0]]), torch.tensor([0]), torch.tensor([0]), text, 1)
    tensor([[1., 0.]])
    """
    if text.descriptions.requires_grad:
        raise ConfigError("descriptions are data: a gradient of them is not computed")
    weights, rows = _Belief.apply(  # type: ignore[no-untyped-call]
        z, clips, classes, text, count, inverse
    )
    mixed: Tensor = functional.embedding_bag(
        rows, text.descriptions.flatten(0, 1), per_sample_weights=weights, mode="sum"
    )
    return mixed


class _Belief(torch.autograd.Function):
    """Weights (P, k) of the kept descriptions and their rows in the flattened text."""

    @staticmethod
    def forward(
        ctx: Any,
        z: Tensor,
        clips: Tensor,
        classes: Tensor,
        text: TextTable,
        count: int,
        inverse: bool,
    ) -> tuple[Tensor, Tensor]:
        total = text.mask.shape[1]
        flat = text.descriptions.flatten(0, 1)
        # One product with all classes is faster than gathering the descriptions of the pairs.
        # In the precision of the text: rounded to bfloat16, many descriptions would tie.
        with torch.autocast(z.device.type, enabled=False):
            similarity = linear(z.to(flat.dtype), flat).view(-1, total)
        similarity = similarity.index_select(0, clips * len(text.mask) + classes)
        weights = attention_weights(
            similarity.div_(z.shape[1] ** 0.5),
            count,
            text.mask[classes],
            inverse=inverse,
            prior=None if text.weights is None else text.weights[classes],
        )
        # Ties may keep more than `count`; then all of this batch keep so many.
        kept = int((weights > 0).sum(1).max()) if count < total else total
        weights, index = weights.topk(min(max(kept, 1), total), dim=1)
        rows = index.add_(classes.unsqueeze(1) * total)
        ctx.save_for_backward(weights, rows, clips, flat)
        ctx.batch, ctx.dtype, ctx.sign = len(z), z.dtype, -1.0 if inverse else 1.0
        ctx.mark_non_differentiable(rows)
        return weights, rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        weights, rows, clips, flat = ctx.saved_tensors
        # Of a softmax over what was kept; everything else has weight zero and no gradient.
        slope = weights * (grad - (grad * weights).sum(1, keepdim=True))
        slope.mul_(ctx.sign / flat.shape[1] ** 0.5)
        pairs = functional.embedding_bag(rows, flat, per_sample_weights=slope, mode="sum")
        clip = pairs.new_zeros(ctx.batch, flat.shape[1]).index_add_(0, clips, pairs)
        return clip.to(ctx.dtype), None, None, None, None, None
