"""CTR-GCN: every channel of every clip refines the skeleton graph for itself.

Source: Chen et al., "Channel-wise Topology Refinement Graph Convolution for Skeleton-Based Action
Recognition", ICCV 2021, sections 3.2 to 3.4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.encoders.graph import directed_partition
from infocpl.encoders.layers import ByteDropout
from infocpl.encoders.network import NetworkConfig, SkeletonNetwork
from infocpl.encoders.shared import BatchNorm2d
from infocpl.errors import ConfigError

__all__ = ["CTRGCN", "CTRGCNConfig", "refine_topology"]

_INPUT_RELATIONS = 8  # channels of the relation of two joints where coordinates come in
_REDUCTION = 8  # elsewhere: as many as the input has, divided by this
_EXTRA_BRANCHES = 2  # besides the dilated convolutions: a maximum, and a plain 1x1


@dataclass(frozen=True)
class CTRGCNConfig(NetworkConfig):
    """Shape of a CTR-GCN; the defaults are the paper's (one stream, 256 features).

    Attributes
    ----------
    kernel : temporal kernel of each branch in frames (odd)
    dilations : one temporal branch each, beside a maximum over three frames and a 1x1 branch;
        channels must be divisible by the number of branches
    """

    kernel: int = 5
    dilations: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise ConfigError(f"the temporal kernel must be odd and positive, got {self.kernel}")
        if any(dilation < 1 for dilation in self.dilations):
            raise ConfigError(f"dilations must be at least 1, got {self.dilations}")
        branches = len(self.dilations) + _EXTRA_BRANCHES
        for width in self.channels:
            if width % branches:
                raise ConfigError(f"{width} channels cannot be divided among {branches} branches")


def refine_topology(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Channel-wise correlation of joints, to be added to a graph that all channels share.

    Parameters
    ----------
    first, second : (P, R, V) two views of the joints, averaged over time
    weight, bias : (C, R) and (C,) from relations to channels

    Returns
    -------
    (P, C, V, V) entry ``[p, c, v, w]``: how much joint v contributes to joint w in channel c,
    ``sum_r weight[c, r] tanh(first[p, r, w] - second[p, r, v]) + bias[c]``

    Examples
    --------
    >>> x = torch.zeros(1, 2, 5)
    >>> refine_topology(x, x, torch.ones(4, 2), torch.ones(4)).unique().tolist()
    [1.0]
    """
    relation = torch.tanh(first.unsqueeze(2) - second.unsqueeze(3))
    refined = torch.einsum("prvw,cr->pcvw", relation, weight)
    return refined + bias.to(refined.dtype).view(-1, 1, 1)


class TopologyConv(nn.Module):
    """Graph convolution over a refined topology, one subset; (P, C, T, V) -> (P, C', T, V)."""

    def __init__(self, in_channels: int, out_channels: int, *, relations: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(in_channels, relations, 1)
        self.second = nn.Conv2d(in_channels, relations, 1)
        self.value = nn.Conv2d(in_channels, out_channels, 1)
        self.refine = nn.Linear(relations, out_channels)

    def forward(self, x: Tensor, graph: Tensor, strength: Tensor) -> Tensor:
        # Both views are linear, so the mean over time may come first.
        pooled = x.mean(2, keepdim=True)
        first, second = self.first(pooled).squeeze(2), self.second(pooled).squeeze(2)
        own = refine_topology(first, second, self.refine.weight, self.refine.bias)
        topology = own * strength + graph
        # (T, V) x (V, W) for every body and channel.
        return torch.matmul(self.value(x).contiguous(), topology.to(x.dtype))


class GraphConv(nn.Module):
    """Sum of topology convolutions over the subsets of the graph, normalised, with residual."""

    def __init__(self, in_channels: int, out_channels: int, graph: Tensor, relations: int) -> None:
        super().__init__()
        self.graph = nn.Parameter(graph.clone())
        self.strength = nn.Parameter(torch.zeros(()))
        self.convs = nn.ModuleList(
            TopologyConv(in_channels, out_channels, relations=relations) for _ in graph
        )
        self.norm = BatchNorm2d(out_channels)
        # As published: a block starts as (almost) its shortcut.
        nn.init.constant_(self.norm.weight, 1e-6)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels:
            self.shortcut = _pointwise(in_channels, out_channels)

    def forward(self, x: Tensor) -> Tensor:
        total = torch.zeros((), device=x.device, dtype=x.dtype)
        for conv, graph in zip(self.convs, self.graph, strict=True):
            total = total + conv(x, graph, self.strength)
        return functional.relu(self.norm(total) + self.shortcut(x))


class MultiScaleTime(nn.Module):
    """Temporal branches side by side; (P, C, T, V) -> (P, C, ceil(T / stride), V)."""

    def __init__(
        self, channels: int, *, kernel: int, stride: int, dilations: tuple[int, ...]
    ) -> None:
        super().__init__()
        width = channels // (len(dilations) + _EXTRA_BRANCHES)

        def narrow(*after: nn.Module) -> nn.Sequential:
            return nn.Sequential(*_pointwise(channels, width), nn.ReLU(), *after)

        self.branches = nn.ModuleList(
            narrow(
                nn.Conv2d(
                    width,
                    width,
                    (kernel, 1),
                    (stride, 1),
                    (kernel // 2 * dilation, 0),
                    (dilation, 1),
                    bias=False,
                ),
                BatchNorm2d(width),
            )
            for dilation in dilations
        )
        pool = nn.MaxPool2d((3, 1), (stride, 1), (1, 0))
        self.branches.append(narrow(pool, BatchNorm2d(width)))
        self.branches.append(_pointwise(channels, width, stride))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def _pointwise(in_channels: int, out_channels: int, stride: int = 1) -> nn.Sequential:
    # No bias: the normalisation would take it away again.
    conv = nn.Conv2d(in_channels, out_channels, 1, (stride, 1), bias=False)
    return nn.Sequential(conv, BatchNorm2d(out_channels))


class Block(nn.Module):
    """Graph convolution, multi-scale temporal convolution and residual; (P, C, T, V)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        graph: Tensor,
        config: CTRGCNConfig,
        *,
        stride: int,
        entry: bool,
    ) -> None:
        super().__init__()
        relations = _INPUT_RELATIONS if entry else max(1, in_channels // _REDUCTION)
        self.space = GraphConv(in_channels, out_channels, graph, relations)
        self.time = MultiScaleTime(
            out_channels, kernel=config.kernel, stride=stride, dilations=config.dilations
        )
        self.dropout = ByteDropout(config.dropout)
        self.shortcut: nn.Module | None = None
        if not entry and (in_channels != out_channels or stride != 1):
            self.shortcut = _pointwise(in_channels, out_channels, stride)
        elif not entry:
            self.shortcut = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = self.dropout(self.time(self.space(x)))
        if self.shortcut is not None:
            out = out + self.shortcut(x)
        return functional.relu(out)


class CTRGCN(SkeletonNetwork):
    """Skeleton encoder: (N, M, T, V, C) -> (N, D).

    Parameters
    ----------
    config : shape of the network

    Examples
    --------
    >>> config = CTRGCNConfig(layout="kinect20", channels=(8, 8), strides=(1, 2))
    >>> CTRGCN(config).eval()(torch.randn(2, 1, 10, 20, 3)).shape
    torch.Size([2, 8])
    """

    def __init__(self, config: CTRGCNConfig) -> None:
        super().__init__(config)
        self.config = config
        graph = torch.from_numpy(directed_partition(self.layout))
        self.blocks.extend(
            Block(before, after, graph, config, stride=stride, entry=number == 0)
            for number, (before, after, stride) in enumerate(self.plan)
        )
