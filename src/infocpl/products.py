"""Matrix products in the order, and by the one of torch's libraries, that is fastest.

On a CPU ``torch.nn.functional.linear`` multiplies single-precision matrices with the BLAS torch
was built with, and that need not know the processor's widest instructions: on one AMD server it
reached half the rate of oneDNN, which torch carries as well and uses for convolutions.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

__all__ = ["linear", "multiply_each", "plain_single"]

_AT_ONCE = 1024
_ONEDNN = bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def plain_single(x: Tensor) -> bool:
    """True for single precision on a CPU outside of automatic mixed precision.

    Everything else (a GPU, half or double precision) has its own fast or exact path in torch.
    A graph that is traced or exported gets plain operations, as does everyone who switches
    ``torch.backends.mkldnn`` off.
    """
    return (
        # Tensors that only stand for others, while a graph is exported, are of another type.
        type(x) in (Tensor, nn.Parameter)
        and x.device.type == "cpu"
        and x.dtype == torch.float32
        and _ONEDNN
        and bool(torch.backends.mkldnn.enabled)
        and not torch.is_autocast_enabled("cpu")
        and not torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    )


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``x @ weight.T + bias`` with gradients, equal to ``functional.linear`` to rounding.

    Parameters
    ----------
    x : (..., I)
    weight : (O, I), of any strides
    bias : (O,)

    Returns
    -------
    (..., O)

    Examples
    --------
    >>> linear(torch.ones(1, 2), torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2))
    tensor([[3., 7.]])
    """
    if not plain_single(x) or x.numel() == 0:
        return functional.linear(x, weight, bias)
    out: Tensor = functional.linear(x.to_mkldnn(), weight, bias).to_dense()
    return out


class _MultiplyEach(torch.autograd.Function):
    """The products of one matrix with many small ones, none of which is moved in memory."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, rights: Tensor) -> Tensor:
        ctx.save_for_backward(left, rights)
        return torch.bmm(left.expand(len(rights), -1, -1), rights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        left, rights = ctx.saved_tensors
        (gradient,) = gradients
        of_left = of_rights = None
        if ctx.needs_input_grad[0]:
            of_left = torch.zeros_like(left)
            # All products at once would take more memory than anything else here.
            for start in range(0, len(rights), _AT_ONCE):
                part = slice(start, start + _AT_ONCE)
                of_left += torch.bmm(gradient[part], rights[part].transpose(1, 2)).sum(0)
        if ctx.needs_input_grad[1]:
            of_rights = torch.bmm(left.t().expand(len(rights), -1, -1), gradient)
        return of_left, of_rights


def multiply_each(left: Tensor, rights: Tensor) -> Tensor:
    """``left @ rights[n]`` for every n, equal to ``torch.matmul`` to rounding.

    torch makes one large product of them, for which it moves all of `rights`, the result and their
    gradients to another order in memory; where the matrices are small that takes longer than the
    product.

    Parameters
    ----------
    left : (W, V)
    rights : (N, V, C), contiguous

    Returns
    -------
    (N, W, C), contiguous

    Examples
    --------
    >>> multiply_each(torch.tensor([[1.0, 1.0]]), torch.tensor([[[1.0], [2.0]], [[3.0], [4.0]]]))
    tensor([[[3.]],
    <BLANKLINE>
            [[7.]]])
    """
    if not plain_single(rights) or rights.numel() == 0:
        return torch.matmul(left, rights)
    found: Tensor = _MultiplyEach.apply(left, rights)  # type: ignore[no-untyped-call]
    return found
