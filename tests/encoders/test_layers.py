"""ByteDropout against what dropout promises, and the input streams against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infocpl.encoders.layers import ByteDropout, skeleton_streams
from infocpl.errors import ConfigError

SHAPES = [(1000, 1003), (8, 16, 50, 25), (3, 5, 7, 11), (2, 3, 1, 1), (1, 4, 9, 1), (17,), ()]


def memory_formats(shape: tuple[int, ...]) -> list[torch.memory_format]:
    formats = [torch.contiguous_format]
    return [*formats, torch.channels_last] if len(shape) == 4 else formats


@pytest.mark.parametrize("rate", [1 / 256, 0.1, 0.25, 0.5, 0.8, 255 / 256])
def test_the_share_of_dropped_elements_is_the_rate(rate: float) -> None:
    torch.manual_seed(1)
    count = 1_000_003
    out = ByteDropout(rate)(torch.ones(count))
    dropped = int((out == 0).sum())
    quantised = round(rate * 256) / 256
    assert stats.binomtest(dropped, count, quantised).pvalue > 1e-6


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.8])
def test_the_expectation_is_kept(rate: float) -> None:
    torch.manual_seed(2)
    count = 1_000_000
    out = ByteDropout(rate)(torch.ones(count, dtype=torch.float64))
    deviation = (rate / (1 - rate) / count) ** 0.5
    assert abs(float(out.mean()) - 1) < 6 * deviation + 1e-9


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_element_is_either_zero_or_rescaled_in_any_shape_and_layout(
    shape: tuple[int, ...],
) -> None:
    for memory in memory_formats(shape):
        torch.manual_seed(3)
        x = (torch.rand(shape) + 1).contiguous(memory_format=memory)
        out = ByteDropout(0.25)(x)
        assert out.shape == x.shape
        kept = out != 0
        torch.testing.assert_close(out[kept], x[kept] / 0.75)


def test_a_view_with_gaps_in_memory_is_dropped_like_any_other() -> None:
    torch.manual_seed(4)
    x = (torch.rand(40, 60) + 1)[::2, 1::3].t()
    out = ByteDropout(0.5)(x)
    kept = out != 0
    torch.testing.assert_close(out[kept], 2 * x[kept])
    assert 0.4 < float(kept.float().mean()) < 0.6


def test_channels_last_stays_channels_last() -> None:
    x = torch.rand(4, 8, 6, 5).contiguous(memory_format=torch.channels_last)
    assert ByteDropout(0.5)(x).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=str)
def test_neighbours_along_no_axis_share_their_fate(memory: torch.memory_format) -> None:
    torch.manual_seed(5)
    x = torch.ones(40, 32, 30, 25).contiguous(memory_format=memory)
    kept = (ByteDropout(0.5)(x) > 0).double() - 0.5
    for axis in range(4):
        pairs = kept.narrow(axis, 1, kept.shape[axis] - 1) * kept.narrow(
            axis, 0, kept.shape[axis] - 1
        )
        # Products of fair signs / 4: mean 0, standard deviation 1/4.
        assert abs(float(pairs.mean())) < 6 * 0.25 / pairs.numel() ** 0.5


def test_every_byte_of_a_word_is_uniform() -> None:
    torch.manual_seed(6)
    columns = 8
    thresholds = (1, 32, 128, 200, 255)
    for threshold in thresholds:
        out = ByteDropout(threshold / 256)(torch.ones(200_000, columns))
        dropped = (out == 0).sum(0).numpy()
        # Column j is always byte j of a word; every one of them must drop at the same rate.
        expected = np.full(columns, 200_000 * threshold / 256)
        variance = expected * (1 - threshold / 256)
        statistic = float(((dropped - expected) ** 2 / variance).sum())
        assert stats.chi2.sf(statistic, columns) > 1e-6, f"threshold {threshold}: {dropped}"


def test_evaluation_mode_is_the_identity() -> None:
    x = torch.randn(5, 7)
    assert ByteDropout(0.9).eval()(x) is x


def test_rate_zero_is_the_identity_in_training() -> None:
    x = torch.randn(5, 7)
    assert torch.equal(ByteDropout(0.0)(x), x)


def test_gradient_flows_through_kept_elements_only() -> None:
    torch.manual_seed(7)
    x = (torch.rand(4, 8, 6, 5) + 1).requires_grad_()
    out = ByteDropout(0.25)(x)
    out.sum().backward()
    assert x.grad is not None
    torch.testing.assert_close(x.grad, (out != 0).float() / 0.75)


def test_masks_differ_from_call_to_call_and_follow_the_seed() -> None:
    layer, x = ByteDropout(0.5), torch.ones(1000)
    torch.manual_seed(8)
    first, second = layer(x), layer(x)
    assert not torch.equal(first, second)
    torch.manual_seed(8)
    assert torch.equal(layer(x), first)
    assert torch.equal(layer(x), second)


def test_a_rate_that_rounds_to_everything_still_keeps_one_in_256() -> None:
    torch.manual_seed(9)
    out = ByteDropout(0.9999)(torch.ones(100_000))
    assert set(out.unique().tolist()) == {0.0, 256.0}


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, float("nan")])
def test_a_rate_outside_zero_to_one_is_refused(rate: float) -> None:
    with pytest.raises(ConfigError, match="dropout must be"):
        ByteDropout(rate)


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(1, 5),
    joints=st.integers(1, 4),
    streams=st.lists(st.sampled_from(["joint", "bone", "motion"]), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_streams_equal_differences_written_as_loops(
    frames: int, joints: int, streams: list[str], seed: int
) -> None:
    generator = np.random.default_rng(seed)
    clips = generator.normal(size=(2, 2, frames, joints, 3))
    parents = [int(generator.integers(0, joints)) for _ in range(joints)]
    found = skeleton_streams(torch.from_numpy(clips), torch.tensor(parents), tuple(streams))
    for number, stream in enumerate(streams):
        part = found[..., 3 * number : 3 * number + 3].numpy()
        for n, m, t, v in np.ndindex(*clips.shape[:4]):
            if stream == "joint":
                expected = clips[n, m, t, v]
            elif stream == "bone":
                expected = clips[n, m, t, v] - clips[n, m, t, parents[v]]
            elif t + 1 < frames:
                expected = clips[n, m, t + 1, v] - clips[n, m, t, v]
            else:
                expected = np.zeros(3)
            assert np.array_equal(part[n, m, t, v], expected)


def test_an_unknown_stream_is_named_together_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="unknown stream 'speed'; known: joint, bone, motion"):
        skeleton_streams(torch.zeros(1, 1, 2, 2, 3), torch.tensor([0, 0]), ("speed",))
