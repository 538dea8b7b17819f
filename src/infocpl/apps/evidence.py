"""Clips worth looking at: a few right and wrong answers, with what each head believed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl.alignment.base import TextTable
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.data.feature_store import PreparedFeatures
from infocpl.evaluation.experiment import SeedRun
from infocpl.evaluation.task_data import TaskData
from infocpl.semantics.codebook import Codebook
from infocpl.skeleton.layout import create_layout

__all__ = ["believed_descriptions", "report_clips", "shares"]


def shares(scores: NDArray[np.float64], heads: float) -> NDArray[np.float64]:
    """Turn fused scores (..., C) into shares that sum to 1, for display.

    The fused score is a sum over heads; dividing by their number keeps the shares from growing
    more certain just because there are more heads.

    Examples
    --------
    >>> shares(np.zeros(4), heads=3).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    scaled = scores / heads
    grown = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


def believed_descriptions(
    aligner: StandardInfoCPL,
    feature: torch.Tensor,
    text: TextTable,
    codebook: Codebook,
    label: str,
    *,
    most: int = 5,
) -> list[dict[str, Any]]:
    """For every head the descriptions of `label` it believed for one clip.

    Parameters
    ----------
    aligner : trained InfoCPL
    feature : (D,) of the clip
    text, codebook : the label set as vectors and as sentences
    label : class to explain
    most : descriptions a head at the most

    Returns
    -------
    one entry a head: ``{"k": int, "believed": [{"text", "granularity", "weight"}]}``
    """
    row = text.labels.index(label)
    sentences = codebook.rows[codebook.labels.index(label)]
    return [
        {
            "k": belief.k,
            "believed": [
                {
                    "text": sentences[index].text,
                    "granularity": sentences[index].granularity,
                    "weight": round(weight, 4),
                }
                for index, weight in zip(belief.rows, belief.weights, strict=True)
            ],
        }
        for belief in aligner.beliefs(feature, text, row, most)
    ]


def _choose(hits: NDArray[np.float64], labels: NDArray[np.integer], count: int) -> list[int]:
    """Half right and half wrong answers where there are both, of as many classes as possible."""
    picked: list[int] = []
    for wanted in (1.0, 0.0):
        pool = [int(i) for i in np.flatnonzero(hits == wanted)]
        seen: dict[int, int] = {}
        # Round-robin over classes: the k-th clip of each class before the (k + 1)-th of any.
        rank = []
        for index in pool:
            label = int(labels[index])
            rank.append((seen.get(label, 0), label, index))
            seen[label] = seen.get(label, 0) + 1
        picked += [index for _, _, index in sorted(rank)[: count // 2]]
    return picked


def report_clips(
    task: TaskData, run: SeedRun, codebook: Codebook, *, count: int = 6
) -> list[dict[str, Any]]:
    """Clips for the report's player, from InfoCPL's answers among the unseen classes.

    Parameters
    ----------
    task, run : the task and one seed of its experiment
    codebook : text of all classes of the task
    count : clips in all

    Returns
    -------
    list of dict : none for precomputed features, which cannot be drawn
    """
    if isinstance(task.clips, PreparedFeatures):
        return []
    entry = run.methods["infocpl"]
    aligner = entry.aligner
    unseen = task.split.unseen
    text = task.text.subset(unseen)
    layout = create_layout(task.clips.layout)
    heads = aligner.voices if isinstance(aligner, StandardInfoCPL) else 1
    clips = []
    for index in _choose(entry.zsl.hits, entry.zsl.labels, count):
        where = int(task.unseen_test[index])
        predicted = unseen[int(entry.scores[index].argmax())]
        share = shares(entry.scores[index], heads)
        clips.append(
            {
                "name": task.clips.names[where],
                "true": unseen[int(entry.zsl.labels[index])],
                "predicted": predicted,
                "correct": bool(entry.zsl.hits[index]),
                "scores": {name: float(value) for name, value in zip(unseen, share, strict=True)},
                "layout": layout.name,
                "bones": [[layout.index(a), layout.index(b)] for a, b in layout.bones],
                "parts": {part: layout.part_index(part) for part in layout.parts},
                "fps": 20,
                "keypoints": _present(task.clips.keypoints[where]),
                "heads": believed_descriptions(
                    aligner, run.features.unseen_test[index], text, codebook, predicted
                )
                if isinstance(aligner, StandardInfoCPL)
                else [],
            }
        )
    return clips


def _present(keypoints: NDArray[np.float32]) -> Sequence[Any]:
    """Rounded coordinates of the persons who are there at all."""
    kept = [person for person in keypoints if np.abs(person).max() > 0]
    values: list[Any] = np.round(np.stack(kept or [keypoints[0]]), 3).tolist()
    return values
