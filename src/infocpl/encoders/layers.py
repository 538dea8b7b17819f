"""Layers that the encoders share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from infocpl.encoders.shared import current_bodies
from infocpl.errors import ConfigError

__all__ = ["STREAMS", "ByteDropout", "skeleton_streams"]

STREAMS = ("joint", "bone", "motion")


class ByteDropout(nn.Module):
    """Dropout whose mask costs one random byte an element.

    On a CPU the Bernoulli generator of ``nn.Dropout`` takes longer than the convolution beside
    it; comparing random bytes with a threshold is about 15 times faster. The rate is therefore
    a multiple of 1/256 (0.5 is exact).

    Parameters
    ----------
    rate : share of elements set to zero while training, 0 <= rate < 1

    Examples
    --------
    >>> layer = ByteDropout(0.5).eval()
    >>> bool((layer(torch.ones(4)) == 1).all())
    True
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        if not 0 <= rate < 1:
            raise ConfigError(f"dropout must be at least 0 and below 1, got {rate}")
        # At most 255, or a rate close to 1 would drop everything and divide by zero.
        self.threshold = min(round(rate * 256), 255)

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of `x` and rescale the others, in training mode only.

        `x` has any shape; its first axis numbers bodies.
        """
        if not self.training or self.threshold == 0:
            return x
        # Of a batch that processes share, each draws all masks and takes those of its bodies.
        bodies, each = current_bodies(), x[:1].numel() if x.dim() else 1
        first, total = (bodies.before * each, bodies.total * each) if bodies else (0, x.numel())
        words = torch.empty((total + 7) // 8, dtype=torch.int64, device=x.device)
        # The full 64-bit range: random_() alone leaves the sign bit, and with it one byte, skewed.
        words.random_(-(2**63), None)
        drawn = words.view(torch.uint8)[first : first + x.numel()]
        mask = (drawn >= self.threshold).to(x.dtype)
        mask = mask.mul_(256 / (256 - self.threshold))
        # The mask is laid out like the memory of x, so that the product stays contiguous.
        return (
            x * torch.as_strided(mask, x.size(), x.stride())
            if _is_dense(x)
            else (x * mask.view(x.shape))
        )


def _is_dense(x: Tensor) -> bool:
    return x.is_contiguous() or (
        x.dim() == 4 and x.is_contiguous(memory_format=torch.channels_last)
    )


def skeleton_streams(joints: Tensor, parents: Tensor, streams: tuple[str, ...]) -> Tensor:
    """Stack joint, bone and motion streams along the coordinate axis.

    Parameters
    ----------
    joints : (N, M, T, V, C) joint coordinates
    parents : (V,) index of each joint's parent; the centre is its own
    streams : any of ``"joint"``, ``"bone"`` (joint minus parent) and ``"motion"`` (next frame
        minus this one, zero in the last frame)

    Returns
    -------
    (N, M, T, V, C * len(streams))

    Examples
    --------
    >>> x = torch.zeros(1, 1, 4, 2, 3)
    >>> skeleton_streams(x, torch.tensor([0, 0]), ("joint", "bone")).shape[-1]
    6
    """
    parts = []
    for stream in streams:
        if stream == "joint":
            parts.append(joints)
        elif stream == "bone":
            parts.append(joints - joints[..., parents, :])
        elif stream == "motion":
            step = joints[:, :, 1:] - joints[:, :, :-1]
            parts.append(torch.cat([step, torch.zeros_like(joints[:, :, :1])], dim=2))
        else:
            raise ConfigError(f"unknown stream {stream!r}; known: {', '.join(STREAMS)}")
    return torch.cat(parts, dim=-1)
