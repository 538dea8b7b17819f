"""Augmentation may turn, stretch and re-time a body; it may not make another action of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.encoders.augment import AugmentConfig, augment_clips
from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import create_layout

STILL = AugmentConfig(yaw=0, tilt=0, scale=0, noise=0, crop=0, warp=0)
LAYOUT = create_layout("kinect20")


def clips(seed: int = 0, batch: int = 6, frames: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, 2, frames, len(LAYOUT), 3, generator=generator)


def bone_lengths(x: torch.Tensor) -> torch.Tensor:
    return (x - x[..., LAYOUT.parent_index(), :]).norm(dim=-1)


def test_zero_strength_changes_nothing() -> None:
    x = clips()
    torch.testing.assert_close(augment_clips(x, STILL), x, rtol=0, atol=1e-6)


def test_the_input_is_left_alone() -> None:
    x = clips()
    before = x.clone()
    augment_clips(x, AugmentConfig())
    assert torch.equal(x, before)


def test_turning_keeps_every_bone_length_and_moves_the_body() -> None:
    x = clips().double()
    torch.manual_seed(0)
    out = augment_clips(x, dataclasses.replace(STILL, yaw=90.0, tilt=30.0))
    torch.testing.assert_close(bone_lengths(out), bone_lengths(x), rtol=0, atol=1e-6)
    assert float((out - x).abs().amax(dim=(1, 2, 3, 4)).min()) > 0.05


def test_yaw_leaves_heights_alone_and_stays_below_its_limit() -> None:
    x = clips(batch=400, frames=1).double()
    torch.manual_seed(1)
    out = augment_clips(x, dataclasses.replace(STILL, yaw=20.0))
    torch.testing.assert_close(out[..., 1], x[..., 1], rtol=0, atol=1e-6)
    before = torch.atan2(x[..., 0], x[..., 2])[:, 0, 0, 0]
    after = torch.atan2(out[..., 0], out[..., 2])[:, 0, 0, 0]
    turn = torch.rad2deg((after - before + torch.pi) % (2 * torch.pi) - torch.pi)
    assert float(turn.abs().max()) <= 20.0 + 1e-4
    # Uniform over the whole range, both ways.
    assert float(turn.max()) > 18
    assert float(turn.min()) < -18


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_left_and_right_are_never_exchanged(seed: int) -> None:
    x = clips(seed, batch=4, frames=1).double()
    torch.manual_seed(seed)
    out = augment_clips(
        x, AugmentConfig(yaw=180, tilt=90, scale=0.9, noise=0, crop=0, warp=0)
    ).double()
    for before, after in zip(x[:, 0, 0], out[:, 0, 0], strict=True):
        matrix = np.linalg.lstsq(before.numpy(), after.numpy(), rcond=None)[0]
        assert np.linalg.det(matrix) > 0  # a mirror would have a negative determinant


def test_scale_stretches_each_axis_within_its_limit() -> None:
    x = clips(batch=200, frames=1).double()
    torch.manual_seed(2)
    ratio = augment_clips(x, dataclasses.replace(STILL, scale=0.1)) / x
    per_clip = ratio[:, 0, 0, 0]
    torch.testing.assert_close(ratio, per_clip[:, None, None, None].expand_as(ratio))
    assert 0.9 - 1e-6 <= float(per_clip.min()) < 0.92
    assert 1.08 < float(per_clip.max()) <= 1.1 + 1e-6


def test_an_absent_person_stays_exactly_zero() -> None:
    x = clips()
    x[:, 1] = 0
    out = augment_clips(x, AugmentConfig(noise=0.5))
    assert bool((out[:, 1] == 0).all())
    assert bool((out[:, 0] != 0).any())


def test_a_person_who_leaves_is_never_half_there_and_never_noise() -> None:
    x = torch.ones(64, 1, 20, len(LAYOUT), 3)
    x[:, :, 11:] = 0
    torch.manual_seed(3)
    config = dataclasses.replace(STILL, crop=0.3, warp=0.5)
    out = augment_clips(x, config)
    assert set(out.unique().tolist()) == {0.0, 1.0}
    noisy = augment_clips(x, dataclasses.replace(config, noise=0.01))
    empty = (noisy == 0).flatten(3).all(3)
    present = ((noisy - 1).abs() < 0.1).flatten(3).all(3)
    assert bool((empty | present).all())
    assert bool(empty.any(2).all())


@settings(deadline=None, max_examples=60)
@given(
    crop=st.floats(0, 0.99),
    warp=st.floats(0, 0.99),
    frames=st.integers(1, 40),
    seed=st.integers(0, 10_000),
)
def test_time_never_runs_backwards_and_never_leaves_the_clip(
    crop: float, warp: float, frames: int, seed: int
) -> None:
    clock = torch.arange(frames, dtype=torch.float64) + 1
    x = clock.view(1, 1, frames, 1, 1).expand(5, 2, frames, 3, 3).clone()
    torch.manual_seed(seed)
    shown = augment_clips(x, dataclasses.replace(STILL, crop=crop, warp=warp))[:, 0, :, 0, 0]
    assert bool((shown.diff(dim=1) >= -1e-4).all())
    assert float(shown.min()) >= 1 - 1e-6
    assert float(shown.max()) <= frames + 1e-6
    span = shown[:, -1] - shown[:, 0]
    assert float(span.min()) >= (1 - crop) * (frames - 1) - 1e-3


def test_warping_keeps_both_ends_of_an_uncropped_clip() -> None:
    x = clips(frames=30)
    out = augment_clips(x, dataclasses.replace(STILL, warp=0.9))
    torch.testing.assert_close(out[:, :, 0], x[:, :, 0], rtol=0, atol=1e-5)
    torch.testing.assert_close(out[:, :, -1], x[:, :, -1], rtol=0, atol=1e-4)
    assert float((out - x).abs().max()) > 0.1


@pytest.mark.parametrize("field", ["yaw", "tilt", "scale", "noise", "crop", "warp"])
def test_each_strength_varies_every_clip_in_its_own_way(field: str) -> None:
    x = clips(batch=1).expand(5, -1, -1, -1, -1).clone()
    torch.manual_seed(4)
    out = augment_clips(x, dataclasses.replace(STILL, **{field: 0.5}))
    for first in range(5):
        for second in range(first):
            assert not torch.allclose(out[first], out[second])


def test_persons_of_a_clip_are_varied_together() -> None:
    x = clips()
    x[:, 1] = x[:, 0]
    out = augment_clips(x, dataclasses.replace(AugmentConfig(), noise=0.0))
    torch.testing.assert_close(out[:, 1], out[:, 0])


def test_noise_has_the_standard_deviation_asked_for() -> None:
    x = clips(batch=200)
    torch.manual_seed(5)
    added = augment_clips(x, dataclasses.replace(STILL, noise=0.05)) - x
    assert abs(float(added.std()) - 0.05) < 0.001
    assert abs(float(added.mean())) < 0.001


def test_the_seed_decides_everything() -> None:
    x, config = clips(), AugmentConfig()
    torch.manual_seed(6)
    first = augment_clips(x, config)
    second = augment_clips(x, config)
    torch.manual_seed(6)
    assert torch.equal(augment_clips(x, config), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_the_kind_of_number_is_kept(dtype: torch.dtype) -> None:
    assert augment_clips(clips().to(dtype), AugmentConfig()).dtype == dtype


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, -0.1) for name in ("yaw", "tilt", "scale", "noise", "crop", "warp")),
        *((name, float("nan")) for name in ("yaw", "noise", "warp")),
        ("yaw", float("inf")),
        ("crop", 1.0),
        ("warp", 1.0),
        ("scale", 1.0),
    ],
)
def test_impossible_strengths_are_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=field):
        AugmentConfig(**{field: value})


@pytest.mark.parametrize("shape", [(2, 1, 4, 5, 2), (2, 4, 5, 3)], ids=["2-D", "no persons"])
def test_clips_that_cannot_be_turned_in_space_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(LayoutError, match="3-D clips"):
        augment_clips(torch.zeros(shape), AugmentConfig())
