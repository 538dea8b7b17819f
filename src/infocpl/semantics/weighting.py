"""How much a description tells its class from the others: pure functions of text vectors.

A sentence that fits most classes ("the legs stay still") says little about any of them and takes
weight from those that do. Which those are can be seen in the text alone, within the label set at
hand: no clip and no result enters, so that classes without training clips may be weighed as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError

__all__ = ["best_rows", "group_margins", "own_and_rival", "row_margins", "row_weights"]

_LEAST = 1e-6

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]


def own_and_rival(
    descriptions: Floats, mask: Mask, related: Sequence[Mask] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Cosine of every row with its own class and with the nearest other class.

    What all classes share, the mean of the class means, is removed first. The own class is the
    mean of its rows without the row itself and without all that is related to it.

    Parameters
    ----------
    descriptions : (C, K, D) unit rows, C >= 2
    mask : (C, K) true where a row counts
    related : for each class (K_c, K_c) true where two rows say partly the same; a row is always
        related to itself (default: to nothing else)

    Returns
    -------
    own : (C, K) cosine with the own class, NaN where nothing unrelated is left or no row is
    rival : (C, K) largest cosine with another class, NaN where no row is
    which : (C, K) that other class, -1 where no row is

    Raises
    ------
    SemanticsError : with fewer than two classes there is nothing to tell apart
    """
    classes = len(descriptions)
    if classes < 2:
        raise SemanticsError(f"weighting: expected at least two classes, got {classes}")
    vectors = np.asarray(descriptions, dtype=np.float64)
    counts = mask.sum(axis=1)[:, None]
    means = (vectors * mask[:, :, None]).sum(axis=1) / counts
    common = means.mean(axis=0)
    centred = np.where(mask[:, :, None], vectors - common, 0.0)
    unit = _normalise(centred)
    targets = _normalise(means - common)
    own = np.full(mask.shape, np.nan)
    rival = np.full(mask.shape, np.nan)
    which = np.full(mask.shape, -1)
    for c in range(classes):
        count = int(counts[c, 0])
        left_out = np.eye(count, dtype=np.bool_)
        if related is not None:
            left_out = left_out | related[c]
        others = (~left_out).astype(np.float64)
        remaining = others.sum(axis=1)
        sums = others @ centred[c, :count]
        cosines = np.einsum("kd,kd->k", unit[c, :count], _normalise(sums))
        own[c, :count] = np.where(remaining > 0, cosines, np.nan)
        similar = unit[c, :count] @ targets.T
        similar[:, c] = -np.inf
        which[c, :count] = similar.argmax(axis=1)
        rival[c, :count] = similar.max(axis=1)
    return own, rival, which


def row_margins(descriptions: Floats, mask: Mask) -> NDArray[np.float64]:
    """By how much every row lies nearer to its own class than to the hardest other class.

    Parameters
    ----------
    descriptions, mask : see :func:`own_and_rival`

    Returns
    -------
    (C, K) differences of cosines; 0 where a class has nothing to compare a row with, and for
    rows that do not count

    Examples
    --------
    >>> rows = np.eye(3)[[[0, 0], [1, 1]]]
    >>> row_margins(rows, np.ones((2, 2), dtype=bool)).round(2).tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """
    own, rival, _ = own_and_rival(descriptions, mask)
    return np.nan_to_num(own - rival, nan=0.0)


def group_margins(
    descriptions: Floats, mask: Mask, groups: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Like :func:`row_margins`, with every class compared with those of its own group only.

    Parameters
    ----------
    descriptions, mask : see :func:`own_and_rival`
    groups : numbers of the classes of each group; every class in exactly one of them

    Raises
    ------
    SemanticsError : if the groups do not divide the classes, or one has fewer than two of them

    Examples
    --------
    >>> rows = np.eye(3)[[[0, 0], [1, 1], [0, 0], [2, 2]]]
    >>> mask = np.ones((4, 2), dtype=bool)
    >>> group_margins(rows, mask, [[0, 1], [2, 3]])[0].round(2).tolist()
    [2.0, 2.0]
    >>> row_margins(rows, mask)[0].round(2).tolist()  # the third class says the same
    [0.0, 0.0]
    """
    if sorted(place for group in groups for place in group) != list(range(len(mask))):
        raise SemanticsError(
            f"weighting: expected groups that divide {len(mask)} classes, each in one of them"
        )
    margins = np.zeros(mask.shape)
    for group in map(list, groups):
        margins[group] = row_margins(descriptions[group], mask[group])
    return margins


def row_weights(margins: Floats, mask: Mask, temperature: float) -> NDArray[np.float32]:
    """Weights of rows from their margins: a softmax within each class, of mean one.

    Parameters
    ----------
    margins : (C, K)
    mask : (C, K) true where a row counts
    temperature : difference of margins that makes a row e times as heavy as another; a large one
        gives all rows the same weight

    Returns
    -------
    (C, K) float32; zero where no row is, and of mean one over the rows of each class

    Raises
    ------
    SemanticsError : if `temperature` is not a positive number
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise SemanticsError(f"temperature: expected a positive number, got {temperature}")
    scaled = np.where(mask, np.asarray(margins, dtype=np.float64) / temperature, -np.inf)
    grown = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares = grown / grown.sum(axis=1, keepdims=True)
    weights = shares * mask.sum(axis=1, keepdims=True)
    # A weight of exactly zero would make a row absent, and its logarithm endless.
    return np.where(mask, np.maximum(weights, _LEAST), 0).astype(np.float32)


def best_rows(margins: Floats, mask: Mask, count: int) -> Mask:
    """The `count` rows of largest margin of each class; all where a class has no more.

    Of equal margins the earlier row is taken.

    Raises
    ------
    SemanticsError : if `count` is not at least 1
    """
    if count < 1:
        raise SemanticsError(f"count of descriptions: expected at least 1, got {count}")
    ranked = np.argsort(np.where(mask, -np.asarray(margins), np.inf), axis=1, kind="stable")
    keep = np.zeros_like(mask)
    np.put_along_axis(keep, ranked[:, :count], True, axis=1)
    return keep & mask


def _normalise(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows of length one; a row of zeros stays."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(norms > 0, norms, 1.0)
