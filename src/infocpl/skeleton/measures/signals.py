"""Arithmetic on the tracks of joints: paths, angles, turns, reversals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["angle", "area", "correlation", "extent", "path_length", "reversals", "smooth"]

Floats = NDArray[np.float64]

_TINY = 1e-6
_WINDOW = 5
_HYSTERESIS = 0.25  # of the extent that must be gone back before a turn counts


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


def reversals(track: Floats) -> Floats:
    """(N,) how often (N, T, C) points turn round along the direction in which they vary most.

    A turn counts once a quarter of the whole extent has been gone back. The count is damped where
    the extent is small: jitter of a resting joint is no repetition.

    Examples
    --------
    >>> t = np.linspace(0, 1, 100)
    >>> there_and_back = np.stack([9 * np.cos(2 * np.pi * t), 0 * t], axis=1)[None]
    >>> six_times = np.stack([9 * np.cos(12 * np.pi * t), 0 * t], axis=1)[None]
    >>> [round(float(reversals(track)[0])) for track in (there_and_back, six_times)]
    [1, 11]
    """
    centred = track - track.mean(axis=1, keepdims=True)
    _, axes = np.linalg.eigh(np.einsum("ntc,ntd->ncd", centred, centred))
    signal = np.einsum("ntc,nc->nt", centred, axes[:, :, -1])
    size = extent(signal)
    least = _HYSTERESIS * size + _TINY
    high = low = signal[:, 0]
    heading = np.zeros(len(signal))
    turns = np.zeros(len(signal))
    for value in signal.T[1:]:
        high, low = np.maximum(high, value), np.minimum(low, value)
        down, up = (high - value >= least) & (heading >= 0), (value - low >= least) & (heading <= 0)
        turns += (down & (heading > 0)) | (up & (heading < 0))
        heading = np.where(down, -1.0, np.where(up, 1.0, heading))
        # From a turn on the next one is measured from the extreme that follows it.
        high, low = np.where(down | up, value, high), np.where(down | up, value, low)
    counted: Floats = turns * size / (size + 0.1)
    return counted
