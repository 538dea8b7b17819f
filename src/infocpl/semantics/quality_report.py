"""Numbers of a codebook's quality, put together from :mod:`.quality` as plain JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.semantics.codebook import Codebook
from infocpl.semantics.compounds import COMPOUNDS, related_rows
from infocpl.semantics.mirror import mirror_text
from infocpl.semantics.prompts import NAME_ONLY
from infocpl.semantics.quality import (
    class_similarity,
    feature_similarity,
    find_repeats,
    mirrored_pairs,
    opposite_pairs,
    rank_agreement,
    retrieve,
)

__all__ = ["QUALITY_SCHEMA", "measure_agreement", "measure_quality"]

QUALITY_SCHEMA = "infocpl-codebook-quality/1"
_LIMIT = 0.98


def measure_quality(codebook: Codebook, *, limit: float = _LIMIT) -> dict[str, Any]:
    """What can be said of descriptions without any clip.

    Parameters
    ----------
    codebook : C >= 2 classes
    limit : cosine above which two sentences of a class count as one; a sentence and its
        left-right mirror image may lie closer, since text encoders hardly tell them apart

    Returns
    -------
    plain JSON values:

    - ``classes``, ``sentences`` (least, mean, most a class), ``encoder``, ``codebook_hash``,
      ``name_only`` (classes without an entry)
    - ``repeats``: pairs of sentences above `limit`, and ``closest``, the largest cosine of any
      two that are no mirror images
    - ``separation``: for each class the nearest other class and the cosine of their means
    - ``retrieval``: shares of rows that lead back to their class. ``"motion"``: the motion
      description, which is not among the rows, by the nearest class mean. ``"held_out"``: each
      row while it and all rows that share a sentence with it are hidden, by class mean and by
      nearest row, in all, for single and compound sentences, and by granularity.
      ``"alone"``: each row while only it is hidden, which is easier
    - ``put_on_take_off`` and ``mirrored``: pairs of such actions, None where there are none:
      their ``held_out`` share by class mean, the share when either of the two counts as right,
      and the share of all other classes

    Raises
    ------
    SemanticsError : if there is only one class
    """
    mask, names = codebook.mask, codebook.labels.names
    own = np.broadcast_to(np.arange(len(codebook))[:, None], mask.shape)
    strict = retrieve(codebook.descriptions, mask, [related_rows(rows) for rows in codebook.rows])
    alone = retrieve(codebook.descriptions, mask)
    kinds = np.full(mask.shape, "", dtype=object)
    for c, rows in enumerate(codebook.rows):
        kinds[c, : len(rows)] = [row.granularity for row in rows]
    compound = np.isin(kinds, COMPOUNDS)
    groups = {"all": mask, "single": mask & ~compound, "compound": mask & compound}
    groups |= {kind: kinds == kind for kind in dict.fromkeys(kinds[mask])}
    counts = mask.sum(axis=1)
    repeats, closest = _repeats(codebook, limit)
    return {
        "schema": QUALITY_SCHEMA,
        "classes": list(names),
        "sentences": {
            "least": int(counts.min()),
            "mean": float(counts.mean()),
            "most": int(counts.max()),
        },
        "encoder": codebook.encoder_id,
        "codebook_hash": codebook.hash,
        "name_only": [
            name
            for name, source in zip(codebook.labels, codebook.sources, strict=True)
            if source == NAME_ONLY
        ],
        "limit": limit,
        "closest": closest,
        "repeats": repeats,
        "separation": _separation(codebook),
        "retrieval": {
            "motion": _motion_retrieval(codebook),
            "held_out": {
                name: _shares(strict.by_mean, strict.by_row, own, chosen)
                for name, chosen in groups.items()
                if chosen.any()
            },
            "alone": _shares(alone.by_mean, alone.by_row, own, mask),
        },
        "put_on_take_off": _pairs(codebook, strict.by_mean, opposite_pairs(names)),
        "mirrored": _pairs(codebook, strict.by_mean, mirrored_pairs(names)),
    }


def measure_agreement(
    codebook: Codebook, features: NDArray[np.floating], labels: NDArray[np.integer]
) -> dict[str, Any]:
    """Do classes that move alike read alike? Only for classes with training clips.

    Parameters
    ----------
    codebook : seen classes
    features : (N, Dv) of their clips
    labels : (N,) rows of the codebook

    Returns
    -------
    ``spearman`` between the cosines of class-mean features and of class-mean descriptions over
    all pairs of classes, ``classes``, ``clips``, and ``by_names``, the same for bare names

    Raises
    ------
    SemanticsError : with fewer than three classes, or a class without clips
    """
    seen = feature_similarity(features, labels, len(codebook))
    text = class_similarity(codebook.descriptions, codebook.mask)
    alone = np.ones((len(codebook), 1), dtype=np.bool_)
    names = class_similarity(codebook.names[:, None], alone)
    return {
        "spearman": rank_agreement(text, seen),
        "by_names": rank_agreement(names, seen),
        "classes": len(codebook),
        "clips": len(labels),
    }


def _shares(
    by_mean: NDArray[np.int64],
    by_row: NDArray[np.int64],
    own: NDArray[np.int64],
    chosen: NDArray[np.bool_],
) -> dict[str, float | int]:
    return {
        "by_mean": float((by_mean == own)[chosen].mean()),
        "by_row": float((by_row == own)[chosen].mean()),
        "rows": int(chosen.sum()),
    }


def _repeats(codebook: Codebook, limit: float) -> tuple[list[dict[str, Any]], float]:
    found: list[dict[str, Any]] = []
    closest = -1.0
    # Above a low limit first: the closest pair is of interest even if none is too close.
    for pair in find_repeats(codebook.descriptions, codebook.mask, min(limit, 0.9)):
        rows = codebook.rows[pair.label]
        one, other = rows[pair.first].text, rows[pair.second].text
        if mirror_text(one) == other:
            continue
        closest = max(closest, pair.cosine)
        if pair.cosine > limit:
            found.append(
                {
                    "class": codebook.labels[pair.label],
                    "cosine": pair.cosine,
                    "first": one,
                    "second": other,
                }
            )
    return found, closest


def _separation(codebook: Codebook) -> list[dict[str, Any]]:
    similar = class_similarity(codebook.descriptions, codebook.mask)
    np.fill_diagonal(similar, -np.inf)
    return [
        {
            "class": name,
            "nearest": codebook.labels[int(similar[c].argmax())],
            "cosine": float(similar[c].max()),
        }
        for c, name in enumerate(codebook.labels)
    ]


def _motion_retrieval(codebook: Codebook) -> dict[str, Any]:
    present = codebook.mask[:, :, None]
    means = (codebook.descriptions * present).sum(axis=1) / codebook.mask.sum(axis=1)[:, None]
    means = means - means.mean(axis=0)
    norms = np.linalg.norm(means, axis=1)
    cosines = (codebook.motion - codebook.motion.mean(axis=0)) @ (means.T / np.maximum(norms, 1e-9))
    found = cosines.argmax(axis=1)
    wrong = {
        codebook.labels[c]: codebook.labels[int(other)]
        for c, other in enumerate(found)
        if other != c
    }
    return {"by_mean": float(np.mean(found == np.arange(len(found)))), "wrong": wrong}


def _pairs(
    codebook: Codebook, by_mean: NDArray[np.int64], pairs: Sequence[tuple[int, int]]
) -> dict[str, Any] | None:
    if not pairs:
        return None
    partner = {one: other for pair in pairs for one, other in (pair, pair[::-1])}
    inside = [c for c in range(len(codebook)) if c in partner]
    outside = [c for c in range(len(codebook)) if c not in partner]
    right = {c: by_mean[c][codebook.mask[c]] == c for c in range(len(codebook))}
    either = [right[c] | (by_mean[c][codebook.mask[c]] == partner[c]) for c in inside]
    return {
        "pairs": [[codebook.labels[one], codebook.labels[other]] for one, other in pairs],
        "by_mean": float(np.concatenate([right[c] for c in inside]).mean()),
        "either": float(np.concatenate(either).mean()),
        "others": float(np.concatenate([right[c] for c in outside]).mean()) if outside else None,
    }
