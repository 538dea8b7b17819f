"""Losses taken back as soon as they are computed, so that memory holds one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["loss_taken_back"]


def loss_taken_back(compute: Callable[[], Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Value of ``compute()`` that carries its gradient ready-made instead of its graph.

    The heads of an aligner share no parameter. Were all their losses computed before the first
    is taken back, the intermediate results of all would wait in memory.

    Parameters
    ----------
    compute : to a scalar loss; every tensor that is to get a gradient through it is in `inputs`
    inputs : parameters (and other tensors) the loss depends on

    Returns
    -------
    () the loss; ``backward`` adds its gradients to those of `inputs` that require one, once.
    Without gradients (``torch.no_grad``) the plain value

    Examples
    --------
    >>> w = torch.tensor(3.0, requires_grad=True)
    >>> loss = loss_taken_back(lambda: w * w, [w])
    >>> (0.5 * loss).backward()
    >>> loss.item(), w.grad.item()
    (9.0, 3.0)
    """
    wanted = [tensor for tensor in inputs if tensor.requires_grad]
    if not torch.is_grad_enabled() or not wanted:
        return compute()
    value: Tensor = _TakenBack.apply(compute, *wanted)  # type: ignore[no-untyped-call]
    return value


class _TakenBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, compute: Callable[[], Tensor], *inputs: Tensor) -> Tensor:
        with torch.enable_grad():
            loss = compute()
            ctx.gradients = torch.autograd.grad(loss, inputs, allow_unused=True)
        return loss.detach()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.gradients is None:
            raise RuntimeError("this loss has been taken back already; its gradient is gone")
        ready, ctx.gradients = list(reversed(ctx.gradients)), None
        scaled: list[Tensor | None] = []
        while ready:
            # Each unscaled one is freed before the next: together they are as large as the model.
            each = ready.pop()
            scaled.append(None if each is None else each * grad)
        return None, *scaled
