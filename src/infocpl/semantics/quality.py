"""How good descriptions are, measured on text (and on seen classes), never on unseen labels.

Four questions: does every sentence say something of its own; are the classes apart; does a
sentence that was held out lead back to its class; and do classes that look alike read alike.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

from infocpl.errors import SemanticsError
from infocpl.semantics.labels import label_key
from infocpl.semantics.mirror import mirror_text
from infocpl.semantics.weighting import own_and_rival

__all__ = [
    "Repeat",
    "Retrieval",
    "class_positions",
    "class_similarity",
    "class_tree",
    "feature_similarity",
    "find_repeats",
    "mirrored_pairs",
    "opposite_pairs",
    "rank_agreement",
    "retrieve",
]

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]

_ON = re.compile(r"(put(ting)? on|wear(ing)?( on)?|donning)\b ?(a|the|one's)? ?")
_OFF = re.compile(r"(tak(e|ing) off|remov(e|ing)|doffing)\b ?(a|the|one's)? ?")


@dataclass(frozen=True)
class Repeat:
    """Two descriptions of class `label` that say nearly the same: rows `first` and `second`."""

    label: int
    first: int
    second: int
    cosine: float


@dataclass(frozen=True)
class Retrieval:
    """To which class each held-out row leads; -1 where no row is.

    Attributes
    ----------
    by_mean : (C, K) class with the nearest mean of its rows
    by_row : (C, K) class of the nearest single row
    """

    by_mean: NDArray[np.int64]
    by_row: NDArray[np.int64]


def find_repeats(descriptions: Floats, mask: Mask, limit: float = 0.98) -> list[Repeat]:
    """Pairs of rows of one class whose cosine is above `limit`, the closest first.

    Parameters
    ----------
    descriptions : (C, K, D) unit rows
    mask : (C, K) true where a row counts
    limit : cosine above which two sentences count as one
    """
    found = []
    for label, (rows, present) in enumerate(zip(descriptions, mask, strict=True)):
        own = np.asarray(rows[present], dtype=np.float64)
        cosines = np.triu(own @ own.T, 1)
        for first, second in zip(*np.nonzero(cosines > limit), strict=True):
            found.append(Repeat(label, int(first), int(second), float(cosines[first, second])))
    return sorted(found, key=lambda pair: (-pair.cosine, pair.label, pair.first, pair.second))


def retrieve(descriptions: Floats, mask: Mask, related: Sequence[Mask] | None = None) -> Retrieval:
    """Hold every row out in turn, with all that is related to it, and ask for its class.

    What all classes share, the mean of the class means, is removed from every row first.

    Parameters
    ----------
    descriptions, mask, related : see :func:`.weighting.own_and_rival`; a row of which nothing
        unrelated is left cannot lead back to its class
    """
    own, rival, which = own_and_rival(descriptions, mask, related)
    classes = np.broadcast_to(np.arange(len(mask))[:, None], mask.shape)
    by_mean = np.where(own > rival, classes, which)
    unit = _centre(descriptions, mask)
    by_row = np.full(mask.shape, -1)
    flat = unit.reshape(-1, unit.shape[2])
    for c in range(len(mask)):
        count = int(mask[c].sum())
        cosines = (unit[c, :count] @ flat.T).reshape(count, *mask.shape)
        cosines[:, ~mask] = -np.inf
        hidden = np.eye(count, dtype=np.bool_)
        if related is not None:
            hidden = hidden | related[c]
        cosines[:, c, :count][hidden] = -np.inf
        by_row[c, :count] = cosines.max(axis=2).argmax(axis=1)
    return Retrieval(by_mean, by_row)


def class_similarity(descriptions: Floats, mask: Mask) -> NDArray[np.float64]:
    """(C, C) cosines between class means, what all classes share removed."""
    rows = np.asarray(descriptions, dtype=np.float64) * mask[:, :, None]
    means = rows.sum(axis=1) / mask.sum(axis=1)[:, None]
    return _cosines(means)


def class_positions(similarity: Floats) -> tuple[NDArray[np.float64], float]:
    """A map of the classes: the plane that keeps most of their likeness (principal components).

    Parameters
    ----------
    similarity : (C, C) cosines, such as :func:`class_similarity` gives

    Returns
    -------
    positions : (C, 2); of each axis the class farthest out lies on the positive side
    share : how much of the variance the plane keeps, 0 to 1
    """
    centred = np.asarray(similarity, dtype=np.float64)
    centred = centred - centred.mean(axis=0) - centred.mean(axis=1, keepdims=True) + centred.mean()
    values, vectors = np.linalg.eigh(centred)
    order = np.argsort(-values)[:2]
    kept = np.clip(values[order], 0, None)
    positions = np.zeros((len(centred), 2))
    positions[:, : len(order)] = vectors[:, order] * np.sqrt(kept)
    extremes = positions[np.abs(positions).argmax(axis=0), [0, 1]]
    positions *= np.where(extremes < 0, -1.0, 1.0)
    total = float(np.clip(values, 0, None).sum())
    return positions, float(kept.sum() / total) if total > 0 else 0.0


def class_tree(similarity: Floats) -> NDArray[np.float64]:
    """Which classes are alike, and groups of them: average linkage of 1 - cosine.

    Parameters
    ----------
    similarity : (C, C) cosines, C >= 2

    Returns
    -------
    (C - 1, 4), as :func:`scipy.cluster.hierarchy.linkage` gives
    """
    distance = np.clip(1 - (similarity + similarity.T) / 2, 0, None)
    np.fill_diagonal(distance, 0)
    return np.asarray(linkage(squareform(distance, checks=False), method="average"))


def feature_similarity(
    features: Floats, labels: NDArray[np.integer], classes: int
) -> NDArray[np.float64]:
    """(C, C) cosines between the mean features of classes, what all of them share removed.

    Parameters
    ----------
    features : (N, Dv) of clips
    labels : (N,) classes 0 to C - 1, each with at least one clip
    classes : C

    Raises
    ------
    SemanticsError : if a class has no clip
    """
    counts = np.bincount(labels, minlength=classes)
    if len(counts) != classes or not counts.all():
        raise SemanticsError(
            f"features: expected clips of all {classes} classes, got {np.count_nonzero(counts)}"
        )
    values = np.asarray(features, dtype=np.float64)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    means = np.zeros((classes, values.shape[1]))
    np.add.at(means, labels, values)
    return _cosines(means / counts[:, None])


def rank_agreement(one: Floats, other: Floats) -> float:
    """Spearman's rank correlation between two similarity matrices (C, C) over pairs of classes.

    Raises
    ------
    SemanticsError : with fewer than three classes, or matrices of different sizes

    Examples
    --------
    >>> likeness = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]])
    >>> round(rank_agreement(likeness, likeness**3), 6)
    1.0
    """
    if one.shape != other.shape or len(one) < 3:
        raise SemanticsError(
            f"agreement: expected two matrices of one size, of at least three classes, got "
            f"{one.shape} and {other.shape}"
        )
    pairs = np.triu_indices(len(one), 1)
    return float(spearmanr(one[pairs], other[pairs]).statistic)


def opposite_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of put-on and take-off actions of the same thing among `names`.

    Their sentences share nearly every word, so they are the hardest to tell apart by text.

    Examples
    --------
    >>> opposite_pairs(["wear jacket", "throw", "take off jacket", "donning", "doffing"])
    [(0, 2), (3, 4)]
    """
    keys = [label_key(name) for name in names]
    off = {_OFF.sub("", key, count=1): i for i, key in enumerate(keys) if _OFF.match(key)}
    pairs = []
    for i, key in enumerate(keys):
        thing = _ON.sub("", key, count=1)
        if _ON.match(key) and thing in off:
            pairs.append((i, off[thing]))
    return pairs


def mirrored_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Positions of actions that are each other's left-right mirror image by name.

    Examples
    --------
    >>> mirrored_pairs(["wave the right hand", "throw", "wave the left hand"])
    [(0, 2)]
    >>> mirrored_pairs(["draw a circle (clockwise)", "draw a circle (counter clockwise)"])
    [(0, 1)]
    """
    images = [mirror_text(name) for name in names]
    # Mirrored twice, a name is spelt as images are: counterclockwise in one word.
    places = {label_key(mirror_text(image)): place for place, image in enumerate(images)}
    pairs = []
    for place, image in enumerate(images):
        other = places.get(label_key(image))
        if other is not None and place < other:
            pairs.append((place, other))
    return pairs


def _centre(descriptions: Floats, mask: Mask) -> NDArray[np.float64]:
    """Rows without the mean of the class means, of length one; zeros where no row is."""
    rows = np.asarray(descriptions, dtype=np.float64) * mask[:, :, None]
    means = rows.sum(axis=1) / mask.sum(axis=1)[:, None]
    rows = (rows - means.mean(axis=0)) * mask[:, :, None]
    norms = np.linalg.norm(rows, axis=2, keepdims=True)
    unit: NDArray[np.float64] = rows / np.where(norms > 0, norms, 1.0)
    return unit


def _cosines(means: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = means - means.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    unit = centred / np.where(norms > 0, norms, 1.0)
    return np.asarray(unit @ unit.T)
