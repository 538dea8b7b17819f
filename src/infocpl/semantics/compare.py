"""What two codebooks, or two classes of one, have in common and where they differ."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.semantics.codebook import Codebook
from infocpl.semantics.labels import label_key
from infocpl.semantics.prompts import SINGLES
from infocpl.semantics.traits import TRAIT_DIMENSIONS

__all__ = ["compare_books", "compare_classes"]

_CLOSEST = 5


def compare_classes(book: Codebook, one: str, other: str) -> dict[str, Any]:
    """How alike two classes of a codebook are described.

    Returns
    -------
    plain JSON values: ``classes``, ``cosine`` between their mean rows, ``cosine_centred`` once
    the mean of all classes of the codebook is removed, ``shared`` sentences, ``closest`` pairs of
    other sentences with their cosines, and ``traits`` that only one of them has (None where they
    are not known)

    Raises
    ------
    LabelError : if a class is unknown
    """
    c, d = book.labels.index(one), book.labels.index(other)
    first, second = (_by_text(book, place) for place in (c, d))
    shared = [text for key, (_, text) in first.items() if key in second]
    own = [row for key, row in first.items() if key not in second]
    others = [row for key, row in second.items() if key not in first]
    pairs = [
        (float(book.descriptions[c, k] @ book.descriptions[d, m]), text, other_text)
        for k, text in own
        for m, other_text in others
    ]
    closest = [
        {"cosine": cosine, "first": text, "second": other_text}
        for cosine, text, other_text in sorted(pairs, key=lambda pair: -pair[0])[:_CLOSEST]
    ]
    means = book.mean_text()
    return {
        "classes": [book.labels[c], book.labels[d]],
        "cosine": float(means[c] @ means[d]),
        "cosine_centred": _cosine(means[c] - means.mean(axis=0), means[d] - means.mean(axis=0)),
        "shared": shared,
        "closest": closest,
        "traits": _trait_difference(book, c, d),
    }


def compare_books(one: Codebook, other: Codebook) -> dict[str, Any]:
    """How two codebooks differ, class by class.

    Returns
    -------
    plain JSON values: ``hashes``, ``encoders``, ``only_first`` and ``only_second`` (classes),
    and ``classes``: for each class of both its ``name``, the numbers of ``descriptions``, how
    many are ``shared``, whether the ``motion`` description is the same, and the ``cosine`` of
    their means (None for different text encoders, whose vectors cannot be compared)
    """
    common = [name for name in one.labels if name in other.labels]
    comparable = one.encoder_id == other.encoder_id
    first, second = (one.mean_text(), other.mean_text()) if comparable else (None, None)
    classes = []
    for name in common:
        c, d = one.labels.index(name), other.labels.index(name)
        texts = [{label_key(row.text) for row in rows} for rows in (one.rows[c], other.rows[d])]
        cosine = None if first is None or second is None else float(first[c] @ second[d])
        classes.append(
            {
                "name": name,
                "descriptions": [len(one.rows[c]), len(other.rows[d])],
                "shared": len(texts[0] & texts[1]),
                "motion": one.motion_texts[c] == other.motion_texts[d],
                "cosine": cosine,
            }
        )
    return {
        "hashes": [one.hash, other.hash],
        "encoders": [one.encoder_id, other.encoder_id],
        "only_first": [name for name in one.labels if name not in other.labels],
        "only_second": [name for name in other.labels if name not in one.labels],
        "classes": classes,
    }


def _by_text(book: Codebook, c: int) -> dict[str, tuple[int, str]]:
    """Row and text of every single sentence; compounds would only say the same again."""
    return {
        label_key(row.text): (k, row.text)
        for k, row in enumerate(book.rows[c])
        if row.granularity in SINGLES
    }


def _trait_difference(book: Codebook, c: int, d: int) -> dict[str, list[str]] | None:
    if not (book.has_traits[c] and book.has_traits[d]):
        return None
    pairs = list(zip(TRAIT_DIMENSIONS, book.traits[c], book.traits[d], strict=True))
    return {
        "first": [_trait(name, a) for name, a, b in pairs if a > b],
        "second": [_trait(name, b) for name, a, b in pairs if b > a],
    }


def _trait(name: str, value: np.float32) -> str:
    return name.replace(".", " ") if "." in name else f"more {name} ({value:.2g})"


def _cosine(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    norms = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / norms if norms > 0 else 0.0
