"""Refined topologies and the blocks around them, against the equations written as loops."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from infocpl.encoders.ctrgcn import (
    CTRGCN,
    Block,
    CTRGCNConfig,
    GraphConv,
    MultiScaleTime,
    refine_topology,
)
from infocpl.errors import ConfigError, LayoutError

SMALL = CTRGCNConfig(layout="kinect20", channels=(8, 12), strides=(1, 2))


def randomise(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for part in module.modules():
            if hasattr(part, "running_mean"):
                part.running_mean.normal_(0, 0.2)
                part.running_var.uniform_(0.5, 1.5)


def normalise(x: Tensor, norm: nn.Module) -> Tensor:
    """Batch normalisation of axis 1 with running statistics."""
    shape = (1, -1, 1, 1)
    scale = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).view(shape)
    return (x - norm.running_mean.view(shape)) * scale + norm.bias.view(shape)


def pointwise(x: Tensor, conv: nn.Module) -> Tensor:
    out = torch.einsum("pctv,dc->pdtv", x, conv.weight.flatten(1))
    return out if conv.bias is None else out + conv.bias.view(1, -1, 1, 1)


def topology_by_loops(first: Tensor, second: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    first, second, weight, bias = (x.detach() for x in (first, second, weight, bias))
    bodies, relations, joints = first.shape
    out = torch.zeros(bodies, len(weight), joints, joints, dtype=first.dtype)
    for p in range(bodies):
        for v in range(joints):
            for w in range(joints):
                for c in range(len(weight)):
                    total = float(bias[c])
                    for r in range(relations):
                        difference = float(first[p, r, w] - second[p, r, v])
                        total += float(weight[c, r]) * math.tanh(difference)
                    out[p, c, v, w] = total
    return out


def graph_by_loops(layer: GraphConv, x: Tensor) -> Tensor:
    """Equations 4 to 7 of the paper, body by body, channel by channel."""
    total: Tensor | float = 0.0
    for conv, graph in zip(layer.convs, layer.graph, strict=True):
        first = pointwise(x, conv.first).mean(2)
        second = pointwise(x, conv.second).mean(2)
        own = topology_by_loops(first, second, conv.refine.weight, conv.refine.bias)
        value = pointwise(x, conv.value)
        out = torch.zeros_like(value)
        for p in range(len(x)):
            for c in range(value.shape[1]):
                topology = graph + layer.strength * own[p, c]
                for w in range(x.shape[3]):
                    for v in range(x.shape[3]):
                        out[p, c, :, w] += topology[v, w] * value[p, c, :, v]
        total = total + out
    around = x
    if isinstance(layer.shortcut, nn.Sequential):
        around = normalise(pointwise(x, layer.shortcut[0]), layer.shortcut[1])
    return torch.relu(normalise(total, layer.norm) + around)


def test_the_refined_topology_equals_a_loop_over_pairs_of_joints() -> None:
    torch.manual_seed(0)
    first, second = torch.randn(2, 2, 3, 5, dtype=torch.float64).unbind(0)
    weight, bias = torch.randn(4, 3).double(), torch.randn(4).double()
    found = refine_topology(first, second, weight, bias)
    expected = topology_by_loops(first, second, weight, bias)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("width", [3, 4], ids=["same width", "another width"])
def test_the_graph_convolution_equals_the_equations_written_as_loops(width: int) -> None:
    torch.manual_seed(1)
    layer = GraphConv(3, width, torch.rand(2, 4, 4), relations=2).double().eval()
    randomise(layer)
    x = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    expected = graph_by_loops(layer, x)
    assert expected.detach().std() > 0.1
    torch.testing.assert_close(layer(x), expected.detach(), rtol=0, atol=1e-11)


def test_without_refinement_every_channel_and_clip_shares_one_graph() -> None:
    torch.manual_seed(2)
    graph = torch.rand(3, 5, 5)
    layer = GraphConv(4, 4, graph, relations=2).double().eval()
    assert layer.strength.detach() == 0  # as published, the refinement starts switched off
    x = torch.randn(2, 4, 3, 5, dtype=torch.float64)
    mixed = sum(
        torch.einsum("pctv,vw->pctw", pointwise(x, conv.value), shared.double())
        for conv, shared in zip(layer.convs, graph, strict=True)
    )
    expected = torch.relu(normalise(mixed, layer.norm) + x)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)


def test_refinement_differs_between_clips_and_channels() -> None:
    torch.manual_seed(3)
    layer = GraphConv(4, 4, torch.rand(1, 5, 5), relations=2).eval()
    conv = layer.convs[0]
    pooled = torch.randn(2, 4, 1, 5)
    first, second = conv.first(pooled).squeeze(2), conv.second(pooled).squeeze(2)
    own = refine_topology(first, second, conv.refine.weight, conv.refine.bias)
    assert not torch.allclose(own[0], own[1])
    assert not torch.allclose(own[:, 0], own[:, 1])


def time_by_loops(layer: MultiScaleTime, x: Tensor, stride: int, dilations: tuple) -> Tensor:
    """Each branch frame by frame."""
    frames = x.shape[2]
    steps = range(0, frames, stride)
    parts = []
    for branch, dilation in zip(layer.branches, dilations, strict=False):
        y = torch.relu(normalise(pointwise(x, branch[0]), branch[1]))
        kernel = branch[3].weight  # (C', C', kernel, 1)
        columns = []
        for t in steps:
            total = torch.zeros(len(x), kernel.shape[0], x.shape[3], dtype=x.dtype)
            for k in range(kernel.shape[2]):
                frame = t + (k - kernel.shape[2] // 2) * dilation
                if 0 <= frame < frames:
                    total += torch.einsum("pcv,dc->pdv", y[:, :, frame], kernel[:, :, k, 0])
            columns.append(total)
        parts.append(normalise(torch.stack(columns, dim=2), branch[4]))
    pool, plain = layer.branches[len(dilations)], layer.branches[len(dilations) + 1]
    y = torch.relu(normalise(pointwise(x, pool[0]), pool[1]))
    columns = [y[:, :, max(0, t - 1) : t + 2].amax(2) for t in steps]
    parts.append(normalise(torch.stack(columns, dim=2), pool[4]))
    parts.append(normalise(pointwise(x[:, :, ::stride], plain[0]), plain[1]))
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dilations", [(1, 2), (1,), (3,)], ids=str)
@pytest.mark.parametrize("frames", [1, 8])
def test_temporal_branches_equal_loops_over_frames(
    stride: int, dilations: tuple[int, ...], frames: int
) -> None:
    torch.manual_seed(4)
    layer = MultiScaleTime(12, kernel=5, stride=stride, dilations=dilations).double().eval()
    randomise(layer)
    x = torch.randn(2, 12, frames, 3, dtype=torch.float64)
    expected = time_by_loops(layer, x, stride, dilations)
    assert expected.shape == (2, 12, math.ceil(frames / stride), 3)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize(
    ("width", "stride", "entry"),
    [(8, 1, False), (8, 2, False), (4, 1, False), (8, 1, True)],
    ids=["same", "stride", "width", "entry"],
)
def test_a_block_is_graph_then_time_then_the_residual(width: int, stride: int, entry: bool) -> None:
    torch.manual_seed(5)
    config = CTRGCNConfig(channels=(8,), strides=(1,))
    block = Block(8, width, torch.rand(2, 3, 3), config, stride=stride, entry=entry)
    block = block.double().eval()
    randomise(block)
    x = torch.randn(2, 8, 6, 3, dtype=torch.float64)
    y = time_by_loops(block.time, graph_by_loops(block.space, x), stride, (1, 2))
    if not entry and (width != 8 or stride != 1):
        conv, norm = block.shortcut
        y = y + normalise(pointwise(x[:, :, ::stride], conv), norm)
    elif not entry:
        y = y + x
    torch.testing.assert_close(block(x), torch.relu(y).detach(), rtol=0, atol=1e-10)


def test_relations_have_eight_channels_at_the_entry_and_an_eighth_of_the_input_later() -> None:
    network = CTRGCN(CTRGCNConfig())
    found = [block.space.convs[0].first.out_channels for block in network.blocks]
    assert found == [8, 8, 8, 8, 8, 16, 16, 16, 32, 32]


def test_the_graph_is_learned_from_where_the_skeleton_starts() -> None:
    network = CTRGCN(SMALL)
    first, second = (block.space.graph for block in network.blocks)
    assert torch.equal(first, second)
    assert first is not second
    assert first.requires_grad
    assert torch.equal(first[0], torch.eye(20))


def test_a_network_learns_to_tell_two_movements_apart() -> None:
    torch.manual_seed(0)
    network = CTRGCN(SMALL)
    head = nn.Linear(network.dim, 2)
    time = torch.linspace(0, 3, 12).view(1, 1, 12, 1, 1)
    labels = torch.arange(16) % 2
    speed = (1.0 + 2.0 * labels).view(-1, 1, 1, 1, 1)
    x = torch.randn(16, 1, 1, 20, 3) + torch.sin(speed * time)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=0.02)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(head(network(x)), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_clips_of_another_layout_are_refused() -> None:
    with pytest.raises(LayoutError, match="clips have 25 joints"):
        CTRGCN(SMALL)(torch.zeros(1, 1, 4, 25, 3))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kernel": 4}, "odd"),
        ({"dilations": (0,)}, "dilations must be at least 1"),
        ({"channels": (8, 10)}, "10 channels cannot be divided among 4 branches"),
        ({"strides": (1,)}, "equally many"),
    ],
)
def test_impossible_networks_are_refused(change: dict, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        CTRGCNConfig(**{"channels": (8, 8), "strides": (1, 1), **change})
