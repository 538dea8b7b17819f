"""Scores of an aligner with measured traits beside it, among unseen classes and among all.

Measured traits are asked where nothing was learned. Which of the *unseen* classes a clip is of,
and whether it is of an unseen one at all, the sum decides; which of the *seen* classes it is of,
the aligner alone, which was trained on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from infocpl.alignment.base import Aligner
from infocpl.alignment.measured import TwoVoices
from infocpl.evaluation.task_data import TaskData

__all__ = ["add_measured", "score_among_all", "score_apart"]

Scores = NDArray[np.float64]


def score_apart(
    aligner: Aligner, task: TaskData, clips: Tensor, names: Sequence[str]
) -> tuple[Scores, Scores | None]:
    """(N, len(names)) scores of the aligner itself, and those of measured traits if it has them."""
    text = task.text.subset(tuple(names))
    if not isinstance(aligner, TwoVoices) or aligner.measured is None:
        return aligner.scores(clips, text).double().numpy(), None
    own, agreement = aligner.own_scores(clips, text), aligner.measured.scores(clips, text)
    return own.double().numpy(), agreement.double().numpy()


def add_measured(own: Scores, agreement: Scores | None, weight: float, seen: int = 0) -> Scores:
    """The sum, its seen columns in the order that the aligner alone gives them.

    Parameters
    ----------
    own, agreement : (N, C) from :func:`score_apart`
    weight : of the agreement
    seen : how many of the first columns are seen classes; their best keeps the value of the sum,
        so that seen and unseen classes compete as before

    Examples
    --------
    >>> own, agreement = np.array([[3.0, 1.0, 0.0]]), np.array([[0.0, 4.0, 2.0]])
    >>> add_measured(own, agreement, 1.0).tolist()
    [[3.0, 5.0, 2.0]]
    >>> add_measured(own, agreement, 1.0, seen=2).tolist()
    [[5.0, 3.0, 2.0]]
    """
    if agreement is None:
        return own
    total: Scores = own + weight * agreement
    if seen:
        inside = own[:, :seen]
        shift = total[:, :seen].max(axis=1) - inside.max(axis=1)
        total[:, :seen] = inside + shift[:, None]
    return total


def score_among_all(aligner: Aligner, task: TaskData, clips: Tensor) -> Scores:
    """(N, S + U) scores of clips among the seen, then the unseen classes of a task."""
    names = (*task.split.seen, *task.split.unseen)
    return add_measured(*score_apart(aligner, task, clips, names), 1.0, len(task.split.seen))
