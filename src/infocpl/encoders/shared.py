"""Batch statistics and dropout of a batch that several processes share.

Statistics of half a batch are not those of the batch, and masks drawn apart are not those drawn at
once. Here processes add their sums before they normalise, and each takes its own part of masks that
all of them draw: the loss is that of one process with the whole batch. torch's SyncBatchNorm does
the first of these on GPUs only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn

__all__ = ["BatchNorm1d", "BatchNorm2d", "Bodies", "current_bodies", "share_bodies"]


@dataclass(frozen=True)
class Bodies:
    """Where this process's bodies stand among those of the whole batch.

    Attributes
    ----------
    before : bodies of the processes before this one
    total : bodies of all processes
    """

    before: int
    total: int


_bodies: ContextVar[Bodies | None] = ContextVar("bodies", default=None)


def current_bodies() -> Bodies | None:
    """The place of this process in the batch at work; None where it has the whole batch."""
    return _bodies.get()


@contextlib.contextmanager
def share_bodies(count: int, *, training: bool, device: torch.device) -> Iterator[None]:
    """Tell the layers inside that `count` bodies are this process's part of a shared batch.

    Does nothing in evaluation, or where there is one process. Processes hold consecutive parts of
    the batch, in the order of their ranks, and all of them must come here.
    """
    if not training or not _several():
        yield
        return
    counts = torch.zeros(distributed.get_world_size(), dtype=torch.int64, device=device)
    rank = distributed.get_rank()
    counts[rank] = count
    distributed.all_reduce(counts)
    token = _bodies.set(Bodies(int(counts[:rank].sum()), int(counts.sum())))
    try:
        yield
    finally:
        _bodies.reset(token)


def _several() -> bool:
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )


class _SumOverProcesses(torch.autograd.Function):
    """Sum over processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def _shared_norm(x: Tensor, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> Tensor:
    """Normalise (P, C, ...) by the statistics of all processes' bodies, and remember them."""
    axes = [axis for axis in range(x.dim()) if axis != 1]
    wide = x if x.dtype == torch.float64 else x.float()
    local_var, local_mean = torch.var_mean(wide, dim=axes, correction=0)
    count = x.numel() // x.shape[1]
    # In float64 the variance survives the difference of squares.
    mean, var = local_mean.double(), local_var.double()
    sums = torch.stack([count * mean, count * (var + mean**2), torch.full_like(mean, count)])
    sums = _SumOverProcesses.apply(sums)  # type: ignore[no-untyped-call]
    number = sums[2]
    mean = sums[0] / number
    var = (sums[1] / number - mean**2).clamp(min=0)
    if norm.running_mean is not None and norm.running_var is not None:
        with torch.no_grad():
            rate = norm.momentum if norm.momentum is not None else 0.1
            unbiased = var * number / (number - 1)
            norm.running_mean.lerp_(mean.to(norm.running_mean), rate)
            norm.running_var.lerp_(unbiased.to(norm.running_var), rate)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
    shape = [1, -1] + [1] * (x.dim() - 2)
    scale = norm.weight / (var + norm.eps).sqrt().to(wide)
    out: Tensor = (wide - mean.to(wide).view(shape)) * scale.view(shape) + norm.bias.view(shape)
    return out.to(x.dtype)


class BatchNorm1d(nn.BatchNorm1d):
    """``nn.BatchNorm1d`` whose statistics are those of all processes that share the batch."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (P, C) or (P, C, L) over everything but C."""
        if self.training and current_bodies() is not None:
            return _shared_norm(x, self)
        return super().forward(x)


class BatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` whose statistics are those of all processes that share the batch."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (P, C, T, V) over everything but C."""
        if self.training and current_bodies() is not None:
            return _shared_norm(x, self)
        return super().forward(x)
