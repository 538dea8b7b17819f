"""Arithmetic on tracks against plain loops and numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.skeleton.measures.signals import (
    angle,
    area,
    correlation,
    covariance,
    extent,
    path_length,
    returning,
    smooth,
    vibration,
)

seeds = st.integers(0, 10_000)


def tracks(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).cumsum(axis=1)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, frames=st.integers(1, 12))
def test_smoothing_averages_five_frames_and_holds_the_ends(seed, frames):
    track = tracks(seed, 2, frames, 3)
    window = min(5, frames)
    found = smooth(track)
    assert found.shape == track.shape
    for time in range(frames):
        around = range(time - window // 2, time - window // 2 + window)
        held = [track[:, min(max(t, 0), frames - 1)] for t in around]
        np.testing.assert_allclose(found[:, time], sum(held) / window, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, frames=st.integers(2, 12))
def test_a_path_is_as_long_as_its_steps_together(seed, frames):
    track = tracks(seed, 3, frames, 3)
    expected = [
        sum(math.dist(points[t], points[t + 1]) for t in range(frames - 1)) for points in track
    ]
    np.testing.assert_allclose(path_length(track), expected)


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_the_extent_reaches_from_the_least_to_the_largest_value(seed):
    track = tracks(seed, 3, 9, 2)
    for clip, axis in np.ndindex(3, 2):
        values = track[clip, :, axis].tolist()
        assert extent(track)[clip, axis] == pytest.approx(max(values) - min(values))


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_an_angle_is_that_of_cross_and_dot_product(seed):
    first, middle, last = np.random.default_rng(seed).normal(size=(3, 2, 4, 3))
    one, two = first - middle, last - middle
    across = np.linalg.norm(np.cross(one, two), axis=-1)
    expected = np.arctan2(across, (one * two).sum(axis=-1))
    np.testing.assert_allclose(angle(first, middle, last), expected, atol=5e-3)


def test_a_straight_limb_has_an_angle_of_pi_and_one_without_length_a_right_one():
    a, b, c = (np.full((1, 1, 3), value) for value in (0.0, 1.0, 2.0))
    assert angle(a, b, c)[0, 0] == pytest.approx(math.pi, abs=2e-3)
    assert angle(b, b, c)[0, 0] == pytest.approx(math.pi / 2)


def shoelace(points: list[tuple[float, float]]) -> float:
    """Twice-signed area of a polygon whose last corner joins the first."""
    total = 0.0
    for (x, y), (right, up) in zip(points, points[1:] + points[:1], strict=True):
        total += x * up - right * y
    return total / 2


@settings(deadline=None, max_examples=30)
@given(seed=seeds, corners=st.integers(3, 9))
def test_a_closed_track_sweeps_the_area_of_its_polygon_wherever_it_lies(seed, corners):
    points = np.random.default_rng(seed).normal(size=(corners, 2))
    closed = np.concatenate([points, points[:1]]) + 7
    found = area(closed[None, :, 0], closed[None, :, 1])[0]
    assert found == pytest.approx(shoelace([tuple(point) for point in points]), abs=1e-9)
    backwards = closed[::-1]
    assert area(backwards[None, :, 0], backwards[None, :, 1])[0] == pytest.approx(-found)


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_large_signals_correlate_as_numpy_says(seed):
    a, b = 30 * np.random.default_rng(seed).normal(size=(2, 4, 12))
    expected = [np.corrcoef(one, other)[0, 1] for one, other in zip(a, b, strict=True)]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-4)


def test_signals_that_hardly_move_do_not_correlate():
    wave = np.sin(np.linspace(0, 20, 50))[None]
    assert correlation(wave, wave)[0] == pytest.approx(1, abs=1e-3)
    assert abs(correlation(1e-3 * wave, 1e-3 * wave)[0]) < 1e-3
    assert correlation(wave, np.ones_like(wave))[0] == 0


@settings(deadline=None, max_examples=30)
@given(seed=seeds)
def test_a_covariance_is_that_of_numpy(seed):
    track = tracks(seed, 3, 9, 3)
    expected = [np.cov(points.T, bias=True) for points in track]
    np.testing.assert_allclose(covariance(track), expected, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(seed=seeds, frames=st.integers(1, 14), window=st.sampled_from([3, 7, 17]))
def test_vibration_is_what_a_running_mean_with_mirrored_ends_leaves(seed, frames, window):
    track = tracks(seed, 2, frames, 3)
    half = min(window, frames - 1 + frames % 2) // 2
    left = []
    for points in track:
        mirrored = [*points[half:0:-1], *points, *points[-2 : -2 - half : -1]]
        means = [np.mean(mirrored[t : t + 2 * half + 1], axis=0) for t in range(frames)]
        left.append(
            math.sqrt(np.mean([np.sum((p - m) ** 2) for p, m in zip(points, means, strict=True)]))
        )
    np.testing.assert_allclose(vibration(track, window), left, atol=1e-9)


def swinging(period: float, frames: int = 60) -> np.ndarray:
    return np.cos(2 * np.pi * np.arange(frames) / period)[None, :, None]


@pytest.mark.parametrize("period", [8, 12, 20, 30])
def test_what_swings_returns_by_its_whole_span_and_what_goes_one_way_does_not(period):
    # Twice the mean of |sin| times the span of one half: 4 / pi for an amplitude of one.
    assert returning(swinging(period))[0] == pytest.approx(4 / math.pi, rel=0.06)
    assert returning(3 * swinging(period))[0] == pytest.approx(3 * returning(swinging(period))[0])
    assert returning(np.linspace(0, 1, 60)[None, :, None])[0] < 0


@pytest.mark.parametrize("frames", [2, 5, 11, 12])
def test_a_clip_too_short_to_hold_two_periods_does_not_return(frames):
    found = returning(tracks(3, 2, frames, 3))
    assert np.isfinite(found).all()
    assert frames >= 12 or not found.any()
