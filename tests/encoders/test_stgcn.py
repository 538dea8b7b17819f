"""ST-GCN against the textbook network, written here as the paper's authors arrange it."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from torch import Tensor, nn

from infocpl.encoders.graph import spatial_partition
from infocpl.encoders.stgcn import STGCN, STGCNConfig
from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import create_layout

PAPER = STGCNConfig(dropout=0.0)
SMALL = STGCNConfig(layout="kinect20", channels=(8, 12, 12), strides=(1, 2, 1), dropout=0.0)


class TextbookBlock(nn.Module):
    """1x1 convolution to 3 C' channels, einsum over the graph, then time; residual."""

    def __init__(
        self, before: int, after: int, adjacency: Tensor, stride: int, kernel: int, first: bool
    ) -> None:
        super().__init__()
        self.adjacency = adjacency
        self.importance = nn.Parameter(torch.ones_like(adjacency))
        self.gcn = nn.Conv2d(before, 3 * after, 1)
        self.tcn = nn.Sequential(
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, (kernel, 1), (stride, 1), (kernel // 2, 0)),
            nn.BatchNorm2d(after),
        )
        self.first = first
        self.down: nn.Module = nn.Identity()
        if not first and (before != after or stride != 1):
            self.down = nn.Sequential(
                nn.Conv2d(before, after, 1, (stride, 1)), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = self.gcn(x)
        n, kc, t, v = y.shape
        y = y.view(n, 3, kc // 3, t, v)
        y = torch.einsum("nkctv,kvw->nctw", y, self.adjacency * self.importance)
        y = self.tcn(y.contiguous())
        return torch.relu(y if self.first else y + self.down(x))


class TextbookSTGCN(nn.Module):
    """Input (N, M, T, V, C); the mean is over both persons, absent or not."""

    def __init__(self, config: STGCNConfig, dtype: torch.dtype) -> None:
        super().__init__()
        layout = create_layout(config.layout)
        adjacency = torch.from_numpy(spatial_partition(layout)).to(dtype)
        self.data_bn = nn.BatchNorm1d(3 * len(layout))
        widths = (3, *config.channels)
        self.blocks = nn.Sequential(
            *(
                TextbookBlock(widths[i], widths[i + 1], adjacency, stride, config.kernel, i == 0)
                for i, stride in enumerate(config.strides)
            )
        )

    def forward(self, clips: Tensor) -> Tensor:
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 4, 3, 2).reshape(n * m, c * v, t)
        x = self.data_bn(x).view(n * m, c, v, t).permute(0, 1, 3, 2).contiguous()
        x = self.blocks(x)
        return nn.functional.avg_pool2d(x, x.shape[2:]).view(n, m, -1).mean(1)


def pairs_of_tensors(ours: STGCN, textbook: TextbookSTGCN, get) -> list[tuple]:
    """Corresponding tensors, both in the textbook's shape; `get` picks value or gradient."""
    pairs = [
        (get(ours.input_norm.weight), get(textbook.data_bn.weight)),
        (get(ours.input_norm.bias), get(textbook.data_bn.bias)),
    ]
    for mine, theirs in zip(ours.blocks, textbook.blocks, strict=True):
        out = mine.graph.bias.shape[1]
        weight = get(mine.graph.weight)
        pairs += [
            # (C', 3, C) -> the (3 C', C, 1, 1) of one convolution, subset by subset
            (weight.permute(1, 0, 2).reshape(3 * out, -1, 1, 1), get(theirs.gcn.weight)),
            (get(mine.graph.bias).reshape(-1), get(theirs.gcn.bias)),
            (get(mine.graph.importance), get(theirs.importance)),
        ]
        modules = [
            (mine.graph_norm, theirs.tcn[0]),
            (mine.time, theirs.tcn[2]),
            (mine.time_norm, theirs.tcn[3]),
        ]
        if isinstance(mine.shortcut, nn.Sequential):
            modules += list(zip(mine.shortcut, theirs.down, strict=True))
        for a, b in modules:
            pairs += [(get(a.weight), get(b.weight)), (get(a.bias), get(b.bias))]
    return pairs


def twins(config: STGCNConfig, dtype: torch.dtype, seed: int = 0) -> tuple[STGCN, TextbookSTGCN]:
    """Both networks with the same, thoroughly random, weights and running statistics."""
    torch.manual_seed(seed)
    ours = STGCN(config).to(dtype)
    textbook = TextbookSTGCN(config, dtype).to(dtype)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for mine, theirs in pairs_of_tensors(ours, textbook, lambda p: p.data):
            theirs.copy_(mine)
        for mine, theirs in zip(norms(ours), norms(textbook), strict=True):
            mine.running_mean.normal_(0, 0.1)
            mine.running_var.uniform_(0.5, 1.5)
            theirs.running_mean.copy_(mine.running_mean)
            theirs.running_var.copy_(mine.running_var)
    return ours, textbook


def norms(network: nn.Module) -> list[nn.Module]:
    """Batch norms in the order both networks share: input, then graph, time and shortcut."""
    return [module for module in network.modules() if hasattr(module, "running_mean")]


def clips(config: STGCNConfig, dtype: torch.dtype, frames: int = 14, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    joints = len(create_layout(config.layout))
    return torch.randn(batch, 2, frames, joints, 3, generator=generator, dtype=dtype)


PRECISIONS = pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-10)], ids=["f32", "f64"]
)


@PRECISIONS
@pytest.mark.parametrize("config", [PAPER, SMALL], ids=["paper", "small"])
def test_outputs_equal_the_textbook_network_in_evaluation(
    config: STGCNConfig, dtype: torch.dtype, tolerance: float
) -> None:
    ours, textbook = twins(config, dtype)
    x = clips(config, dtype)
    found, expected = ours.eval()(x), textbook.eval()(x)
    assert float(expected.detach().std()) > 1e-2
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance)


@PRECISIONS
def test_outputs_and_running_statistics_equal_the_textbook_network_in_training(
    dtype: torch.dtype, tolerance: float
) -> None:
    ours, textbook = twins(SMALL, dtype)
    x = clips(SMALL, dtype)
    torch.testing.assert_close(ours.train()(x), textbook.train()(x), rtol=0, atol=tolerance)
    for mine, theirs in zip(norms(ours), norms(textbook), strict=True):
        torch.testing.assert_close(mine.running_mean, theirs.running_mean, rtol=0, atol=tolerance)
        torch.testing.assert_close(mine.running_var, theirs.running_var, rtol=0, atol=tolerance)


@PRECISIONS
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_gradients_equal_the_textbook_network(
    dtype: torch.dtype, tolerance: float, training: bool
) -> None:
    ours, textbook = twins(SMALL, dtype)
    x = clips(SMALL, dtype)
    target = torch.randn(len(x), ours.dim, generator=torch.Generator().manual_seed(1)).to(dtype)
    for network in (ours, textbook):
        (network.train(training)(x) * target).mean().backward()
    largest = 0.0
    for mine, theirs in pairs_of_tensors(ours, textbook, lambda p: p.grad):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=tolerance)
        largest = max(largest, float(theirs.abs().max()))
    assert largest > 1e-3  # gradients of nothing would be equal too


def test_the_gradient_of_the_input_equals_the_textbook_network() -> None:
    ours, textbook = twins(SMALL, torch.float64)
    inputs = [clips(SMALL, torch.float64).requires_grad_() for _ in range(2)]
    for network, x in zip((ours, textbook), inputs, strict=True):
        network.train()(x).pow(2).sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, rtol=0, atol=1e-10)


def test_one_step_of_training_moves_the_weights_as_it_would_the_textbook_network() -> None:
    ours, textbook = twins(SMALL, torch.float64)
    x = clips(SMALL, torch.float64)
    for network in (ours, textbook):
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
        for _ in range(3):
            optimizer.zero_grad()
            network.train()(x).pow(2).mean().backward()
            optimizer.step()
    for mine, theirs in pairs_of_tensors(ours, textbook, lambda p: p.data):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-9)


def test_an_absent_second_person_changes_nothing_when_absent_persons_are_skipped() -> None:
    config = dataclasses.replace(SMALL, skip_absent=True)
    network, _ = twins(config, torch.float64)
    x = clips(config, torch.float64)
    alone = x[:, :1]
    padded = torch.cat([alone, torch.zeros_like(alone)], dim=1)
    padded_first = torch.cat([torch.zeros_like(alone), alone], dim=1)
    for training in (False, True):
        network.train(training)
        expected = network(alone)
        torch.testing.assert_close(network(padded), expected, rtol=0, atol=1e-12)
        torch.testing.assert_close(network(padded_first), expected, rtol=0, atol=1e-12)


def test_two_present_persons_count_alike_when_absent_persons_are_skipped() -> None:
    config = dataclasses.replace(SMALL, skip_absent=True)
    network, textbook = twins(config, torch.float64)
    network.eval()
    textbook.eval()
    x = clips(config, torch.float64)
    torch.testing.assert_close(network(x), textbook(x), rtol=0, atol=1e-10)


def test_an_absent_second_person_halves_the_first_in_the_textbook_mean() -> None:
    ours, textbook = twins(SMALL, torch.float64)
    ours.eval()
    textbook.eval()
    alone = clips(SMALL, torch.float64)[:, :1]
    empty = torch.zeros_like(alone)
    found = ours(torch.cat([alone, empty], dim=1))
    torch.testing.assert_close(found, (ours(alone) + ours(empty)) / 2, rtol=0, atol=1e-12)
    torch.testing.assert_close(
        found, textbook(torch.cat([alone, empty], dim=1)), rtol=0, atol=1e-10
    )
    assert not torch.allclose(found, ours(alone))


def test_a_clip_without_anybody_still_has_finite_features() -> None:
    network, _ = twins(dataclasses.replace(SMALL, skip_absent=True), torch.float32)
    x = clips(SMALL, torch.float32)
    x[1] = 0
    found = network.eval()(x)
    assert bool(torch.isfinite(found).all())
    torch.testing.assert_close(found[1:2], network(torch.zeros_like(x[:1])), rtol=0, atol=1e-6)


@pytest.mark.parametrize("skip_absent", [False, True])
def test_the_features_of_a_clip_do_not_depend_on_its_batch(skip_absent: bool) -> None:
    config = dataclasses.replace(STGCNConfig(), skip_absent=skip_absent)
    torch.manual_seed(0)
    network = STGCN(config).eval()
    x = clips(config, torch.float32, frames=12, batch=9)
    x[::3, 1] = 0
    together = network(x)
    alone = torch.cat([network(clip.unsqueeze(0)) for clip in x])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)
    shuffled = network(x.flip(0)).flip(0)
    torch.testing.assert_close(together, shuffled, rtol=0, atol=1e-5)


def test_persons_may_be_given_in_any_order() -> None:
    network, _ = twins(SMALL, torch.float64)
    x = clips(SMALL, torch.float64)
    torch.testing.assert_close(network.eval()(x), network(x.flip(1)), rtol=0, atol=1e-12)


def test_streams_reach_the_network_as_further_coordinates() -> None:
    config = dataclasses.replace(SMALL, streams=("joint", "motion"))
    torch.manual_seed(0)
    network = STGCN(config).double().eval()
    plain = STGCN(SMALL).double().eval()
    # With the motion half of the first layer silenced, the joint half is left.
    state = copy.deepcopy(plain.state_dict())
    joints = len(network.layout) * 3
    for name in ("weight", "bias", "running_mean", "running_var"):
        padding = torch.zeros(joints, dtype=torch.float64)
        state[f"input_norm.{name}"] = torch.cat([state[f"input_norm.{name}"], padding])
    weight = state["blocks.0.graph.weight"]
    state["blocks.0.graph.weight"] = torch.cat([weight, torch.ones_like(weight)], dim=2)
    network.load_state_dict(state)
    x = clips(SMALL, torch.float64)
    torch.testing.assert_close(network(x), plain(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((2, 1, 5, 25, 3), "clips have 25 joints in 3-D; .* layout 'kinect20' .20 joints, 3-D."),
        ((2, 1, 5, 20, 2), "clips have 20 joints in 2-D; .* layout 'kinect20' .20 joints, 3-D."),
        ((2, 5, 20, 3), r"clips must be \(N, M, T, V, C\), got \(2, 5, 20, 3\)"),
    ],
    ids=["another layout", "two dimensions", "no axis for persons"],
)
def test_clips_that_do_not_fit_are_refused_in_words(shape: tuple[int, ...], sentence: str) -> None:
    network = STGCN(SMALL)
    with pytest.raises(LayoutError, match=sentence):
        network(torch.zeros(shape))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"channels": (8,)}, "equally many"),
        ({"channels": (), "strides": ()}, "at least one"),
        ({"kernel": 4}, "odd"),
        ({"kernel": -1}, "odd and positive"),
        ({"streams": ()}, "at least one stream"),
        ({"streams": ("joint", "speed")}, "unknown stream 'speed'; known: joint, bone, motion"),
        ({"strides": (1, 0, 1)}, "at least 1"),
        ({"channels": (8, -3, 8)}, "at least 1"),
    ],
)
def test_impossible_networks_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        dataclasses.replace(SMALL, **change)
