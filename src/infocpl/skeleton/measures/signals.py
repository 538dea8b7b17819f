"""Arithmetic on the tracks of joints: paths, angles, turns, reversals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "angle",
    "area",
    "correlation",
    "covariance",
    "extent",
    "path_length",
    "returning",
    "smooth",
    "vibration",
]

Floats = NDArray[np.float64]

_TINY = 1e-6
_WINDOW = 5
_LEAST_PERIOD = 6  # frames; what is faster is taken off by the smoothing


def smooth(tracks: Floats) -> Floats:
    """(N, T, ...) averaged over five frames, the ends held: sensors jitter.

    Examples
    --------
    >>> smooth(np.array([[0.0, 0, 5, 0, 0]])).tolist()
    [[1.0, 1.0, 1.0, 1.0, 1.0]]
    """
    frames = tracks.shape[1]
    window = min(_WINDOW, frames)
    pad = [(0, 0), (window // 2, window - 1 - window // 2), *[(0, 0)] * (tracks.ndim - 2)]
    padded = np.pad(tracks, pad, mode="edge")
    total: Floats = sum(padded[:, i : i + frames] for i in range(window)) / window
    return total


def path_length(track: Floats) -> Floats:
    """(N,) length of the way that (N, T, C) points go.

    Examples
    --------
    >>> path_length(np.array([[[0.0, 0], [3, 4], [3, 0]]])).tolist()
    [9.0]
    """
    length: Floats = np.linalg.norm(np.diff(track, axis=1), axis=2).sum(axis=1)
    return length


def extent(signal: Floats) -> Floats:
    """(N, ...) largest minus smallest value over the frames of (N, T, ...)."""
    difference: Floats = signal.max(axis=1) - signal.min(axis=1)
    return difference


def angle(first: Floats, middle: Floats, last: Floats) -> Floats:
    """(N, T) radians at the middle of three joints (N, T, 3); pi where they lie on a line.

    Examples
    --------
    >>> a, b, c = (np.array([[p]], dtype=float) for p in ([1, 0, 0], [0, 0, 0], [0, 1, 0]))
    >>> round(float(angle(a, b, c)[0, 0]), 3)
    1.571
    """
    one, two = first - middle, last - middle
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(two, axis=-1)
    found: Floats = np.arccos(np.clip((one * two).sum(axis=-1) / (lengths + _TINY), -1, 1))
    return found


def area(x: Floats, y: Floats) -> Floats:
    """(N,) signed area that tracks (N, T) sweep about their mean; counterclockwise is positive.

    Examples
    --------
    >>> t = np.linspace(0, 2 * np.pi, 200)[None]
    >>> round(float(area(np.cos(t), np.sin(t))[0]), 2)
    3.14
    """
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    swept: Floats = (x[:, :-1] * y[:, 1:] - x[:, 1:] * y[:, :-1]).sum(axis=1) / 2
    return swept


def correlation(a: Floats, b: Floats) -> Floats:
    """(N,) correlation over time of two signals (N, T); near 0 where either hardly moves."""
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    power = (a**2).mean(axis=1) * (b**2).mean(axis=1)
    # A hand's breadth (0.1 torso lengths) of movement halves what noise alone would give.
    found: Floats = (a * b).mean(axis=1) / np.sqrt(power + 1e-4)
    return found


def covariance(track: Floats) -> Floats:
    """(N, C, C) covariance over the frames of (N, T, C).

    Examples
    --------
    >>> covariance(np.array([[[1.0, 0.0], [-1.0, 0.0]]]))[0].tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    centred = track - track.mean(axis=1, keepdims=True)
    found: Floats = np.einsum("ntc,ntd->ncd", centred, centred) / track.shape[1]
    return found


def vibration(track: Floats, window: int) -> Floats:
    """(N,) what is left of (N, T, C) points when their mean over some frames is taken off.

    The root of the mean square, in units of the track: near 0 for what moves slowly, the size of
    the movement for what goes there and back within `window` frames.

    Parameters
    ----------
    track : (N, T, C)
    window : frames, odd; at most T

    Examples
    --------
    >>> t = np.arange(60)
    >>> fast, slow = (np.cos(2 * np.pi * t / period)[None, :, None] for period in (8, 120))
    >>> round(float(vibration(fast, 9)[0]), 1), round(float(vibration(slow, 9)[0]), 1)
    (0.8, 0.0)
    """
    frames = track.shape[1]
    window = min(window, frames - 1 + frames % 2)
    half = window // 2
    padded = np.pad(track, [(0, 0), (half, half), (0, 0)], mode="reflect" if half else "edge")
    total = np.cumsum(np.pad(padded, [(0, 0), (1, 0), (0, 0)]), axis=1)
    rest = track - (total[:, window:] - total[:, :-window]) / window
    found: Floats = np.sqrt((rest**2).sum(axis=2).mean(axis=1))
    return found


def returning(track: Floats) -> Floats:
    """(N,) how much nearer (N, T, C) points are after a period than after half of it.

    The best of all periods from six frames to half of the clip, in units of the track: the span
    of what swings to and fro, 0 or less for what goes one way.

    Examples
    --------
    >>> swing = np.cos(2 * np.pi * np.arange(60) / 12)[None, :, None]
    >>> one_way = np.linspace(0, 1, 60)[None, :, None]
    >>> float(returning(swing)[0]) > 1, float(returning(one_way)[0]) < 0
    (True, True)
    """
    longest = track.shape[1] // 2
    if longest < _LEAST_PERIOD:
        return np.zeros(len(track))
    apart = [
        np.linalg.norm(track[:, lag:] - track[:, :-lag], axis=2).mean(axis=1)
        for lag in range(1, longest + 1)
    ]
    nearer = [apart[lag // 2 - 1] - apart[lag - 1] for lag in range(_LEAST_PERIOD, longest + 1)]
    found: Floats = np.max(nearer, axis=0)
    return found
