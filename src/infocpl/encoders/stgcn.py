"""ST-GCN, the skeleton encoder of the paper, arranged for fast CPU execution.

Source: Yan, Xiong, Lin, "Spatial Temporal Graph Convolutional Networks", AAAI 2018; channel
plan of the InfoCPL paper (arXiv 2406.00639, section IV-B).

The network is the textbook one, with two changes of order that leave its outputs alone: the
graph aggregation runs before the 1x1 convolution (both are linear, and there are fewer channels
before than after it), and activations stay in channels-last memory, so both become plain matrix
products without copies. What a wide temporal convolution costs is in
:mod:`infocpl.encoders.temporal`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.encoders.graph import spatial_partition
from infocpl.encoders.layers import ByteDropout
from infocpl.encoders.network import NetworkConfig, SkeletonNetwork
from infocpl.encoders.shared import BatchNorm2d
from infocpl.encoders.temporal import TimeConv
from infocpl.errors import ConfigError
from infocpl.products import linear, multiply_each

__all__ = ["STGCN", "STGCNConfig"]


@dataclass(frozen=True)
class STGCNConfig(NetworkConfig):
    """Shape of an ST-GCN; the defaults are the paper's.

    Attributes
    ----------
    kernel : temporal kernel in frames (odd)
    """

    channels: tuple[int, ...] = (16, 16, 16, 16, 32, 32, 32, 64, 64, 256)
    dropout: float = 0.5
    kernel: int = 9

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ConfigError(f"the temporal kernel must be odd and positive, got {self.kernel}")


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
        gathered = multiply_each(mix, rows)
        gathered = gathered.reshape(batch * frames * joints, subsets * channels)
        out = linear(gathered, self.weight.flatten(1))
        # A convolution before the aggregation would see its bias aggregated as well.
        bias = torch.einsum("kvw,ko->wo", weighted, self.bias)
        out = out.view(batch, frames, joints, -1).add_(bias.to(out.dtype))
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
        self.graph_norm = BatchNorm2d(out_channels)
        self.time = TimeConv(out_channels, out_channels, kernel=kernel, stride=stride)
        self.time_norm = BatchNorm2d(out_channels)
        self.dropout = ByteDropout(dropout)
        self.shortcut: nn.Module | None = None
        if residual and (in_channels != out_channels or stride != 1):
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, (stride, 1)),
                BatchNorm2d(out_channels),
            )
        elif residual:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = functional.relu(self.graph_norm(self.graph(x)), inplace=True)
        out = self.dropout(self.time_norm(self.time(out)))
        if self.shortcut is not None:
            out = out.add_(self.shortcut(x))
        return functional.relu_(out)


class STGCN(SkeletonNetwork):
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

    def __init__(self, config: STGCNConfig) -> None:
        super().__init__(config)
        self.config = config
        adjacency = torch.from_numpy(spatial_partition(self.layout))
        self.blocks.extend(
            Block(
                before,
                after,
                adjacency,
                kernel=config.kernel,
                stride=stride,
                dropout=config.dropout,
                residual=number > 0,
            )
            for number, (before, after, stride) in enumerate(self.plan)
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
