"""What must hold in a codebook: shapes, masks, rows of length one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.traits import TRAIT_DIMENSIONS

if TYPE_CHECKING:
    from infocpl.semantics.codebook import Codebook

__all__ = ["check_codebook", "pad_rows"]

Array = NDArray[np.float32]


def check_codebook(book: Codebook) -> None:
    """Refuse a codebook whose fields do not fit each other.

    Raises
    ------
    SemanticsError : which field, what was expected, and what was found
    """
    _check_shapes(book)
    _check_values(book)
    _check_weights(book)


def pad_rows(groups: Sequence[Array]) -> tuple[Array, NDArray[np.bool_]]:
    """Stack (K_c, D) groups to (C, K, D) with zeros, and the (C, K) mask of real rows."""
    longest = max(len(group) for group in groups)
    stacked = np.zeros((len(groups), longest, groups[0].shape[1]), dtype=np.float32)
    mask = np.zeros((len(groups), longest), dtype=np.bool_)
    for c, group in enumerate(groups):
        stacked[c, : len(group)] = group
        mask[c, : len(group)] = True
    return stacked, mask


def _check_shapes(book: Codebook) -> None:
    classes = len(book.labels)
    if book.descriptions.ndim != 3 or not book.descriptions.size:
        raise SemanticsError(
            f"codebook: descriptions: expected shape (C, K, D), got {book.descriptions.shape}"
        )
    _, longest, dim = book.descriptions.shape
    for name, array, shape, dtype in (
        ("descriptions", book.descriptions, (classes, longest, dim), np.float32),
        ("mask", book.mask, (classes, longest), np.bool_),
        ("weights", book.weights, (classes, longest), np.float32),
        ("motion", book.motion, (classes, dim), np.float32),
        ("names", book.names, (classes, dim), np.float32),
        ("traits", book.traits, (classes, len(TRAIT_DIMENSIONS)), np.float32),
        ("has_traits", book.has_traits, (classes,), np.bool_),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise SemanticsError(
                f"codebook: {name}: expected {np.dtype(dtype)} of shape {shape}, got "
                f"{array.dtype} of shape {array.shape}"
            )
    for name, count in (
        ("rows", len(book.rows)),
        ("motion_texts", len(book.motion_texts)),
        ("sources", len(book.sources)),
    ):
        if count != classes:
            raise SemanticsError(f"codebook: {name}: expected {classes} classes, got {count}")


def _check_values(book: Codebook) -> None:
    for c, rows in enumerate(book.rows):
        expected = np.arange(book.mask.shape[1]) < len(rows)
        if not rows or len(rows) > book.mask.shape[1] or not np.array_equal(book.mask[c], expected):
            raise SemanticsError(
                f"codebook, class {book.labels[c]!r}: expected a mask of its {len(rows)} "
                f"descriptions, got {int(book.mask[c].sum())} marked"
            )
    for name, vectors in (
        ("descriptions", book.descriptions[book.mask]),
        ("motion", book.motion),
        ("names", book.names),
    ):
        # A comparison with NaN is false, so this refuses non-finite rows as well.
        if not bool(np.all(np.abs(np.linalg.norm(vectors, axis=-1) - 1) < 1e-3)):
            raise SemanticsError(f"codebook: {name}: expected finite rows of length one")
    if book.descriptions[~book.mask].any():
        raise SemanticsError("codebook: descriptions: expected zeros in rows the mask leaves out")


def _check_weights(book: Codebook) -> None:
    weights, mask = book.weights, book.mask
    means = weights.sum(axis=1) / mask.sum(axis=1)
    # Comparisons with NaN are false, so these refuse non-finite numbers as well.
    if not bool(np.all(weights >= 0) and np.all(np.abs(means - 1) < 1e-3)):
        raise SemanticsError("codebook: weights: expected numbers of mean one in each class")
    if weights[~mask].any():
        raise SemanticsError("codebook: weights: expected zeros in rows the mask leaves out")
    if not bool(np.all((book.traits >= 0) & (book.traits <= 1))):
        raise SemanticsError("codebook: traits: expected numbers between 0 and 1")
    if book.traits[~book.has_traits].any():
        raise SemanticsError("codebook: traits: expected zeros where none are known")
