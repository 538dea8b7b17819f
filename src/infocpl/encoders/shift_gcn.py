"""Shift-GCN in plain tensor operations: no compiled extension, any device.

Source: Cheng et al., "Skeleton-Based Action Recognition with Shift Graph Convolutional Network",
CVPR 2020: non-local spatial shift (section 3.2) and adaptive temporal shift (section 3.3).

A shift moves each channel by its own distance and lets a 1x1 convolution mix what has met. Among
joints the distance is fixed, channel c coming from c joints further on, so a shift is one gather
with a constant index. In time it is learned and fractional, so it interpolates linearly; frames
outside of the clip are zero. Activations stay in (P, T, V, C) memory, in which the 1x1
convolutions are plain matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.encoders.layers import ByteDropout
from infocpl.encoders.network import NetworkConfig, SkeletonNetwork
from infocpl.encoders.shared import BatchNorm1d

__all__ = ["ShiftGCN", "ShiftGCNConfig", "shift_frames", "shift_joints"]


@dataclass(frozen=True)
class ShiftGCNConfig(NetworkConfig):
    """Shape of a Shift-GCN; the defaults are the paper's (one stream, 256 features)."""


def shift_joints(x: Tensor, step: int = 1) -> Tensor:
    """Non-local spatial shift: channel c of joint v comes from joint v + step * c, cyclically.

    Parameters
    ----------
    x : (..., V, C)
    step : 1 shifts, -1 shifts back

    Examples
    --------
    >>> shift_joints(torch.tensor([[0, 1, 2], [10, 11, 12], [20, 21, 22]])).tolist()
    [[0, 11, 22], [10, 21, 2], [20, 1, 12]]
    """
    joints, channels = x.shape[-2:]
    channel = torch.arange(channels, device=x.device)
    source = torch.arange(joints, device=x.device).unsqueeze(1) + step * channel
    index = (source % joints) * channels + channel
    return x.flatten(-2).index_select(-1, index.flatten()).view(x.shape)


def shift_frames(x: Tensor, offset: Tensor, stride: int = 1) -> Tensor:
    """Adaptive temporal shift: channel c of frame t comes from frame stride * t + offset[c].

    Between two frames it is their linear interpolation, outside of the clip it is zero.

    Parameters
    ----------
    x : (P, T, V, C)
    offset : (C,) frames, fractions allowed
    stride : frames a step

    Returns
    -------
    (P, ceil(T / stride), V, C)

    Examples
    --------
    >>> x = torch.tensor([0.0, 10.0, 20.0]).view(1, 3, 1, 1)
    >>> shift_frames(x, torch.tensor([0.5])).flatten().tolist()
    [5.0, 15.0, 10.0]
    """
    frames = x.shape[1]
    below = offset.detach().floor()
    share = offset - below
    start = torch.arange(0, frames, stride, device=x.device).unsqueeze(1) + below.long()  # (T', C)
    total: Tensor | None = None
    for place, weight in ((start, 1 - share), (start + 1, share)):
        inside = ((place >= 0) & (place < frames)).to(x.dtype)
        index = place.clamp(0, frames - 1).view(1, -1, 1, x.shape[3])
        index = index.expand(x.shape[0], -1, x.shape[2], -1)
        part = x.gather(1, index) * (inside * weight.to(x.dtype)).unsqueeze(1)
        total = part if total is None else total + part
    return total if total is not None else x


class _ChannelNorm(BatchNorm1d):
    """Batch normalisation over the last axis, whatever stands before it."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.reshape(-1, x.shape[-1])).view(x.shape)


class SpatialShift(nn.Module):
    """Shift, mask, mix, shift back; (P, T, V, C) -> (P, T, V, C').

    The mask (1 + tanh) weighs every channel of every joint, so that far joints need not count as
    much as near ones. The published layer has a bias between the shifts, which the normalisation
    after it takes away again; it is left out.
    """

    def __init__(self, in_channels: int, out_channels: int, joints: int) -> None:
        super().__init__()
        self.mask = nn.Parameter(torch.zeros(joints, in_channels))
        self.weight = nn.Parameter(torch.randn(in_channels, out_channels) * out_channels**-0.5)
        # Every joint is normalised by itself: after the shift each has channels of its own.
        self.norm = _ChannelNorm(joints * out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Linear(in_channels, out_channels, bias=False), _ChannelNorm(out_channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        out = shift_joints(x) * (torch.tanh(self.mask) + 1)
        out = shift_joints(out @ self.weight, -1)
        out = self.norm(out.flatten(2)).view(out.shape)
        return functional.relu(out + self.shortcut(x))


class TemporalShift(nn.Module):
    """Shift, mix, shift by learned offsets; (P, T, V, C) -> (P, ceil(T / stride), V, C)."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.norm_in = _ChannelNorm(channels)
        self.offset_in = nn.Parameter(torch.empty(channels).uniform_(-1, 1))
        self.mix = nn.Linear(channels, channels)
        self.offset_out = nn.Parameter(torch.empty(channels).uniform_(-1, 1))
        self.norm_out = _ChannelNorm(channels)
        nn.init.kaiming_normal_(self.mix.weight, mode="fan_out")

    def forward(self, x: Tensor) -> Tensor:
        out = shift_frames(self.norm_in(x), self.offset_in)
        out = functional.relu(self.mix(out))
        normed: Tensor = self.norm_out(shift_frames(out, self.offset_out, self.stride))
        return normed


class Block(nn.Module):
    """Spatial shift, temporal shift and residual; (P, C, T, V) channels-last."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        joints: int,
        *,
        stride: int,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        self.space = SpatialShift(in_channels, out_channels, joints)
        self.time = TemporalShift(out_channels, stride)
        self.dropout = ByteDropout(dropout)
        self.stride = stride
        self.shortcut: nn.Module | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.shortcut = nn.Sequential(
                nn.Linear(in_channels, out_channels, bias=False), _ChannelNorm(out_channels)
            )
        elif residual:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        rows = x.permute(0, 2, 3, 1)
        out = self.dropout(self.time(self.space(rows)))
        if self.shortcut is not None:
            out = out + self.shortcut(rows[:, :: self.stride])
        return functional.relu(out).permute(0, 3, 1, 2)


class ShiftGCN(SkeletonNetwork):
    """Skeleton encoder: (N, M, T, V, C) -> (N, D).

    Parameters
    ----------
    config : shape of the network

    Examples
    --------
    >>> config = ShiftGCNConfig(layout="kinect20", channels=(8, 8), strides=(1, 2))
    >>> ShiftGCN(config).eval()(torch.randn(2, 1, 10, 20, 3)).shape
    torch.Size([2, 8])
    """

    def __init__(self, config: ShiftGCNConfig) -> None:
        super().__init__(config)
        self.config = config
        self.blocks.extend(
            Block(
                before,
                after,
                len(self.layout),
                stride=stride,
                dropout=config.dropout,
                residual=number > 0,
            )
            for number, (before, after, stride) in enumerate(self.plan)
        )
