"""Matrix products by whichever of torch's libraries is fastest on this machine.

On a CPU ``torch.nn.functional.linear`` multiplies single-precision matrices with the BLAS torch
was built with, and that need not know the processor's widest instructions: on one AMD server it
reached half the rate of oneDNN, which torch carries as well and uses for convolutions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["linear", "plain_single"]

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
