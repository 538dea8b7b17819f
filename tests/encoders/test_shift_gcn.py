"""Shifts against plain loops, and the block against the paper's description written out."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from infocpl.encoders.shift_gcn import (
    Block,
    ShiftGCN,
    ShiftGCNConfig,
    SpatialShift,
    shift_frames,
    shift_joints,
)
from infocpl.errors import ConfigError, LayoutError

SMALL = ShiftGCNConfig(layout="kinect20", channels=(6, 8), strides=(1, 2))


def joints_by_loops(x: Tensor, step: int) -> Tensor:
    out = torch.zeros_like(x)
    joints, channels = x.shape[-2:]
    for v in range(joints):
        for c in range(channels):
            out[..., v, c] = x[..., (v + step * c) % joints, c]
    return out


def frames_by_loops(x: Tensor, offset: Tensor, stride: int) -> Tensor:
    """One number at a time: linear interpolation, zero outside."""
    bodies, frames, joints, channels = x.shape
    steps = math.ceil(frames / stride)
    out = torch.zeros(bodies, steps, joints, channels, dtype=x.dtype)
    for c in range(channels):
        for step in range(steps):
            place = step * stride + float(offset.detach()[c])
            below = math.floor(place)
            for frame, weight in ((below, 1 - (place - below)), (below + 1, place - below)):
                if 0 <= frame < frames:
                    out[:, step, :, c] += weight * x[:, frame, :, c]
    return out


@given(
    joints=st.integers(1, 9),
    channels=st.integers(1, 23),
    step=st.sampled_from([1, -1]),
    seed=st.integers(0, 9999),
)
@settings(max_examples=40, deadline=None)
def test_the_spatial_shift_equals_a_loop_over_joints_and_channels(joints, channels, step, seed):
    x = torch.randn(2, 3, joints, channels, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(shift_joints(x, step), joints_by_loops(x, step))
    assert torch.equal(shift_joints(shift_joints(x, step), -step), x)


def test_with_as_many_channels_as_joints_every_joint_sees_every_other():
    """The shift is non-local: the channels of a joint come from all joints of the body."""
    origin = torch.arange(7.0).unsqueeze(1).expand(7, 7)
    assert all(sorted(row) == list(range(7)) for row in shift_joints(origin).tolist())


@given(
    frames=st.integers(1, 12),
    stride=st.integers(1, 3),
    offsets=st.lists(st.floats(-15, 15), min_size=1, max_size=5),
)
@settings(max_examples=60, deadline=None)
def test_the_temporal_shift_equals_interpolation_in_a_loop(frames, stride, offsets):
    offset = torch.tensor(offsets, dtype=torch.float64)
    generator = torch.Generator().manual_seed(frames)
    x = torch.randn(2, frames, 3, len(offsets), generator=generator, dtype=torch.float64)
    expected = frames_by_loops(x, offset, stride)
    torch.testing.assert_close(shift_frames(x, offset, stride), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("stride", [1, 2])
def test_gradients_of_clip_and_offset_are_those_of_the_shift(stride: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 2, 3, dtype=torch.float64, requires_grad=True)
    # Away from whole numbers, where linear interpolation has a corner.
    offset = torch.tensor([-1.3, 0.4, 2.7], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, b: shift_frames(a, b, stride), (x, offset))


def test_the_offset_learns_how_far_a_channel_is_to_be_moved() -> None:
    """A smooth signal and its delayed copy: gradient descent on the offset finds the delay."""
    time = torch.arange(40.0)
    signal = torch.sin(time / 6).view(1, 40, 1, 1)
    delayed = torch.sin((time - 1.6) / 6).view(1, 40, 1, 1)
    offset = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([offset], lr=0.2)
    for _ in range(60):
        optimizer.zero_grad()
        error = (shift_frames(signal, offset) - delayed)[:, 4:-4]
        error.pow(2).mean().backward()
        optimizer.step()
    assert float(offset.detach()) == pytest.approx(-1.6, abs=0.05)


def norm_by_hand(x: Tensor, norm: torch.nn.Module) -> Tensor:
    """Batch normalisation of the last axis with running statistics."""
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return (x - norm.running_mean) * scale + norm.bias


def randomise(module: torch.nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
        for part in module.modules():
            if hasattr(part, "running_mean"):
                part.running_mean.normal_(0, 0.2)
                part.running_var.uniform_(0.5, 1.5)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("width", [4, 6])
def test_a_block_is_shift_mask_mix_shift_and_a_learned_shift_in_time(
    stride: int, width: int
) -> None:
    torch.manual_seed(1)
    block = Block(4, width, 5, stride=stride, dropout=0.0, residual=True).double().eval()
    randomise(block)
    x = torch.randn(2, 7, 5, 4, dtype=torch.float64)  # P, T, V, C
    space, time = block.space, block.time
    y = joints_by_loops(x, 1) * (1 + torch.tanh(space.mask))
    y = joints_by_loops(torch.einsum("ptvc,cd->ptvd", y, space.weight), -1)
    y = norm_by_hand(y.reshape(2, 7, -1), space.norm).view(2, 7, 5, width)
    around = x
    if width != 4:
        around = norm_by_hand(x @ space.shortcut[0].weight.t(), space.shortcut[1])
    y = torch.relu(y + around)
    y = frames_by_loops(norm_by_hand(y, time.norm_in), time.offset_in, 1)
    y = torch.relu(y @ time.mix.weight.t() + time.mix.bias)
    y = norm_by_hand(frames_by_loops(y, time.offset_out, stride), time.norm_out)
    around = x[:, ::stride]
    if width != 4 or stride != 1:
        around = norm_by_hand(around @ block.shortcut[0].weight.t(), block.shortcut[1])
    expected = torch.relu(y + around)
    found = block(x.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-11)


def test_the_first_block_has_no_residual_and_the_mask_starts_neutral() -> None:
    network = ShiftGCN(SMALL)
    assert network.blocks[0].shortcut is None
    assert network.blocks[1].shortcut is not None
    assert all(bool((block.space.mask == 0).all()) for block in network.blocks)
    for block in network.blocks:
        for offset in (block.time.offset_in, block.time.offset_out):
            assert bool((offset.abs() <= 1).all())


def test_joints_far_apart_in_the_skeleton_reach_each_other_in_one_layer() -> None:
    torch.manual_seed(0)
    layer = SpatialShift(20, 20, 20).eval()
    x = torch.randn(1, 1, 20, 20)
    moved = x.clone()
    moved[0, 0, 3] += 1
    changed = (layer(moved) - layer(x)).abs().amax((0, 1, 3)) > 1e-6
    assert int(changed.sum()) >= 15


def test_a_network_learns_to_tell_two_movements_apart() -> None:
    torch.manual_seed(0)
    network = ShiftGCN(SMALL)
    head = torch.nn.Linear(network.dim, 2)
    time = torch.linspace(0, 3, 12).view(1, 1, 12, 1, 1)
    base = torch.randn(16, 1, 1, 20, 3)
    labels = torch.arange(16) % 2
    speed = (1.0 + 2.0 * labels).view(-1, 1, 1, 1, 1)
    x = base + torch.sin(speed * time)
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=0.02)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(head(network(x)), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_clips_of_another_layout_are_refused() -> None:
    with pytest.raises(LayoutError, match="clips have 25 joints"):
        ShiftGCN(SMALL)(torch.zeros(1, 1, 4, 25, 3))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"channels": (8,)}, "equally many"),
        ({"strides": (0, 1)}, "at least 1"),
        ({"streams": ("smell",)}, "unknown stream"),
    ],
)
def test_impossible_networks_are_refused(change: dict, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        ShiftGCNConfig(**{"channels": (8, 8), "strides": (1, 1), **change})
