"""ST-GCN, the skeleton encoder of the paper, arranged for fast CPU execution.

Source: Yan, Xiong, Lin, "Spatial Temporal Graph Convolutional Networks", AAAI 2018; channel
plan of the InfoCPL paper (arXiv 2406.00639, section IV-B).

The network is the textbook one, with two changes of order that leave its outputs alone: the
graph aggregation runs before the 1x1 convolution (both are linear, and there are fewer channels
before than after it), and activations stay in channels-last memory, so both become plain matrix
products without copies.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.encoders.graph import spatial_partition
from infocpl.encoders.layers import STREAMS, ByteDropout, skeleton_streams
from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import create_layout

__all__ = ["STGCN", "STGCNConfig"]


@dataclass(frozen=True)
class STGCNConfig:
    """Shape of an ST-GCN; the defaults are the paper's.

    Attributes
    ----------
    layout : joint layout of the clips
    streams : ``joint``, ``bone``, ``motion``, stacked as input channels
    channels : output channels of each block
    strides : temporal stride of each block
    kernel : temporal kernel in frames (odd)
    dropout : rate after each temporal convolution
    skip_absent : leave persons without any coordinate out of the mean over persons (and out of
        the arithmetic); the textbook network runs them as all-zero bodies
    """

    layout: str = "ntu25"
    streams: tuple[str, ...] = ("joint",)
    channels: tuple[int, ...] = (16, 16, 16, 16, 32, 32, 32, 64, 64, 256)
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    kernel: int = 9
    dropout: float = 0.5
    skip_absent: bool = False

    def __post_init__(self) -> None:
        if not self.channels or len(self.channels) != len(self.strides):
            raise ConfigError(
                f"channels and strides must be equally many and at least one, "
                f"got {len(self.channels)} and {len(self.strides)}"
            )
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ConfigError(f"the temporal kernel must be odd and positive, got {self.kernel}")
        if min(*self.channels, *self.strides) < 1:
            raise ConfigError(
                f"channels and strides must be at least 1, got {self.channels} and {self.strides}"
            )
        if not self.streams:
            raise ConfigError("an encoder needs at least one stream")
        for stream in self.streams:
            if stream not in STREAMS:
                raise ConfigError(f"unknown stream {stream!r}; known: {', '.join(STREAMS)}")


class GraphConv(nn.Module):
    """Aggregate over the partitioned graph, then mix channels.

    (N, C, T, V) -> (N, C', T, V), both channels-last.
    """

    adjacency: Tensor

    def __init__(self, in_channels: int, out_channels: int, adjacency: Tensor) -> None:
        super().__init__()
        subsets, joints, _ = adjacency.shape
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.importance = nn.Parameter(torch.ones_like(adjacency))
        self.weight = nn.Parameter(torch.empty(out_channels, subsets, in_channels))
        self.bias = nn.Parameter(torch.empty(subsets, out_channels))
        bound = in_channels**-0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)
        self.joints = joints

    def forward(self, x: Tensor) -> Tensor:
        batch, channels, frames, joints = x.shape
        weighted = self.adjacency * self.importance  # (K, V, W): from joint v to joint w
        subsets = weighted.shape[0]
        rows = x.permute(0, 2, 3, 1).reshape(batch * frames, joints, channels)
        mix = weighted.permute(2, 0, 1).reshape(joints * subsets, joints)
        gathered = torch.einsum("wv,nvc->nwc", mix, rows)
        gathered = gathered.reshape(batch * frames * joints, subsets * channels)
        out = gathered @ self.weight.flatten(1).t()
        # A convolution before the aggregation would see its bias aggregated as well.
        bias = torch.einsum("kvw,ko->wo", weighted, self.bias)
        out = out.view(batch, frames, joints, -1) + bias.to(out.dtype)
        return out.permute(0, 3, 1, 2)


class Block(nn.Module):
    """Graph convolution, temporal convolution and residual; (N, C, T, V) channels-last."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        adjacency: Tensor,
        *,
        kernel: int,
        stride: int,
        dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        self.graph = GraphConv(in_channels, out_channels, adjacency)
        self.graph_norm = nn.BatchNorm2d(out_channels)
        self.time = nn.Conv2d(
            out_channels, out_channels, (kernel, 1), (stride, 1), (kernel // 2, 0)
        )
        self.time_norm = nn.BatchNorm2d(out_channels)
        self.dropout = ByteDropout(dropout)
        self.shortcut: nn.Module | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, (stride, 1)),
                nn.BatchNorm2d(out_channels),
            )
        elif residual:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.graph_norm(self.graph(x)), inplace=True)
        out = self.dropout(self.time_norm(self.time(out)))
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        return functional.relu(out)


class STGCN(nn.Module):
    """Skeleton encoder: (N, M, T, V, C) -> (N, D).

    Parameters
    ----------
    config : shape of the network

    Examples
    --------
    >>> encoder = STGCN(STGCNConfig(layout="kinect20", channels=(8, 8), strides=(1, 2))).eval()
    >>> encoder(torch.randn(2, 1, 10, 20, 3)).shape
    torch.Size([2, 8])
    """

    parents: Tensor

    def __init__(self, config: STGCNConfig) -> None:
        super().__init__()
        self.config = config
        layout = create_layout(config.layout)
        self.layout = layout
        self.dim = config.channels[-1]
        adjacency = torch.from_numpy(spatial_partition(layout))
        width = layout.dims * len(config.streams)
        self.register_buffer("parents", torch.tensor(layout.parent_index()), persistent=False)
        self.input_norm = nn.BatchNorm1d(width * len(layout))
        widths = (width, *config.channels[:-1])
        self.blocks = nn.ModuleList(
            Block(
                before,
                after,
                adjacency,
                kernel=config.kernel,
                stride=stride,
                dropout=config.dropout,
                residual=number > 0,
            )
            for number, (before, after, stride) in enumerate(
                zip(widths, config.channels, config.strides, strict=True)
            )
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, clips: Tensor) -> Tensor:
        """Encode clips.

        Parameters
        ----------
        clips : (N, M, T, V, C) normalised joint coordinates; an absent person is all zero

        Returns
        -------
        (N, D) mean over joints, frames and persons of the last block

        Raises
        ------
        LayoutError : if there are not five axes, or V or C is not the layout's
        """
        if clips.dim() != 5:
            raise LayoutError(f"clips must be (N, M, T, V, C), got {tuple(clips.shape)}")
        batch, persons, frames, joints, coords = clips.shape
        if joints != len(self.layout) or coords != self.layout.dims:
            raise LayoutError(
                f"clips have {joints} joints in {coords}-D; the encoder was built for layout "
                f"{self.layout.name!r} ({len(self.layout)} joints, {self.layout.dims}-D)"
            )
        x = skeleton_streams(clips, self.parents, self.config.streams)
        x = x.reshape(batch * persons, frames, joints, -1)
        present = torch.ones(batch * persons, dtype=torch.bool, device=clips.device)
        if self.config.skip_absent:
            present = clips.flatten(2).abs().amax(2).gt(0)
            # A clip without anyone still needs one body to average over.
            present[:, 0] |= ~present.any(1)
            present = present.flatten()
            x = x[present]
        x = x.permute(0, 3, 2, 1).reshape(x.shape[0], -1, frames)  # (N*M, C*V, T)
        x = self.input_norm(x).view(x.shape[0], -1, joints, frames)
        x = x.permute(0, 1, 3, 2).contiguous(memory_format=torch.channels_last)
        for block in self.blocks:
            x = block(x)
        pooled = x.mean(dim=(2, 3))
        owner = torch.arange(batch, device=clips.device).repeat_interleave(persons)[present]
        total = pooled.new_zeros(batch, self.dim).index_add(0, owner, pooled)
        count = torch.bincount(owner, minlength=batch).to(pooled.dtype)
        mean: Tensor = total / count.unsqueeze(1)
        return mean
