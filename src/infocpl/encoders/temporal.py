"""Convolution over time as few products of large matrices.

A wide temporal convolution is almost all of a graph network's arithmetic. Each output frame needs
`kernel` products of channel matrices. By the convolution theorem they become one product for each
frequency, shared by all frames; a complex product takes three real ones (Gauss). For 16 frames and
9 taps that makes 29 products instead of 144.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor, nn

from infocpl.products import linear, plain_single

__all__ = ["TimeConv", "convolve_time"]

_WIDE = 192  # channels from which the products saved outweigh the transforms


class TimeConv(nn.Conv2d):
    """Convolution (N, C, T, V) -> (N, C', ceil(T / stride), V) with an odd kernel over time.

    A ``Conv2d`` with a ``(kernel, 1)`` kernel, equal to it to rounding; wide ones that
    keep every frame run as :func:`convolve_time` on a CPU.

    Examples
    --------
    >>> TimeConv(4, 6, kernel=9, stride=2)(torch.randn(2, 4, 7, 25)).shape
    torch.Size([2, 6, 4, 25])
    """

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, (kernel, 1), (stride, 1), (kernel // 2, 0))
        wide = min(in_channels, out_channels) >= _WIDE
        # A stride halves what a plain convolution has to do, but not the number of frequencies.
        self._fewer = wide and kernel > 1 and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        """Convolve `x` over time."""
        if self._fewer and plain_single(x):
            return convolve_time(x, self.weight, self.bias)
        return super().forward(x)


def convolve_time(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``conv2d(x, weight, bias, 1, (kernel // 2, 0))`` by products of frequencies.

    Parameters
    ----------
    x : (N, C, T, V)
    weight : (C', C, kernel, 1), kernel odd
    bias : (C',)

    Returns
    -------
    (N, C', T, V), channels-last

    Examples
    --------
    >>> x, weight = torch.randn(2, 3, 8, 5), torch.randn(4, 3, 9, 1)
    >>> expected = torch.nn.functional.conv2d(x, weight, None, 1, (4, 0))
    >>> torch.allclose(convolve_time(x, weight, None), expected, atol=1e-5)
    True
    """
    batch, channels, frames, joints = x.shape
    out_channels, _, kernel, _ = weight.shape
    of_frames, of_taps, back = _transforms(frames, kernel, x.dtype)
    rows = x.permute(2, 0, 3, 1).reshape(frames, -1)
    taps = weight.squeeze(3).permute(2, 0, 1).reshape(kernel, -1)
    seen = (of_frames @ rows).view(len(of_frames), -1, channels)
    kernels = (of_taps @ taps).view(len(of_taps), out_channels, channels)
    products = torch.stack(
        [linear(a, b) for a, b in zip(seen.unbind(), kernels.unbind(), strict=True)]
    )
    out = (back @ products.flatten(1)).view(frames, batch, joints, out_channels)
    out = out.permute(1, 3, 0, 2).contiguous(memory_format=torch.channels_last)
    return out if bias is None else out.add_(bias.view(-1, 1, 1))


@lru_cache(maxsize=64)
# Kept for later calls, which may want gradients, whatever mode the first call is made in.
@torch.inference_mode(False)
def _transforms(frames: int, kernel: int, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices (R, T) of frames, (R, kernel) of taps and (T, R) back, R products between them.

    A circle of T + kernel // 2 frames is long enough: what wraps around meets zeros only.
    """
    half = kernel // 2
    length = frames + half
    count = length // 2 + 1
    turn = 2 * torch.pi / length * torch.arange(count, dtype=torch.float64).unsqueeze(1)
    # y[t] = sum_j w[j] x[t + j - half]: tap j stands at frame half - j of a causal filter.
    at, tap = torch.arange(frames), half - torch.arange(kernel)
    real, imaginary = torch.cos(turn * at), -torch.sin(turn * at)
    tap_real, tap_imaginary = torch.cos(turn * tap), -torch.sin(turn * tap)
    share = torch.full((count, 1), 2.0 / length, dtype=torch.float64)
    # Without an imaginary part, a frequency stands for itself alone and takes one product.
    alone = torch.zeros(count, dtype=torch.bool)
    alone[0] = True
    alone[-1] |= length % 2 == 0
    share[alone] = 1.0 / length
    back_real, back_imaginary = share * real, share * imaginary
    pair = ~alone
    # (a + ib)(c + id): p = (a + b)c, q = a(d - c), r = b(c + d) give p - r and p + q.
    of_frames = [real[alone], (real + imaginary)[pair], real[pair], imaginary[pair]]
    of_taps = [
        tap_real[alone],
        tap_real[pair],
        (tap_imaginary - tap_real)[pair],
        (tap_real + tap_imaginary)[pair],
    ]
    back = [
        back_real[alone],
        (back_real + back_imaginary)[pair],
        back_imaginary[pair],
        -back_real[pair],
    ]
    sides = torch.cat(of_frames), torch.cat(of_taps), torch.cat(back).t()
    return tuple(side.to(dtype).contiguous() for side in sides)  # type: ignore[return-value]
