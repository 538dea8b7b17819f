"""What a fitted aligner is worth in a fold, for every weight of the measured traits beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infocpl.alignment.base import Aligner
from infocpl.alignment.measured import TwoVoices
from infocpl.evaluation.calibration import Lead, sample_training
from infocpl.evaluation.gate import TrainingCues
from infocpl.evaluation.runs import Features
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Trial
from infocpl.metrics import top_k_accuracy

__all__ = ["judge_weights_of_measures"]

Scores = NDArray[np.float64]


def judge_weights_of_measures(
    aligner: Aligner, task: TaskData, features: Features, weights: Sequence[float]
) -> dict[float, Trial]:
    """Accuracy among the task's unseen classes, and what calibration needs, for every weight.

    The heads score each clip once; the scores of measured traits are added with each weight.

    Parameters
    ----------
    aligner : fitted with weight 1, where it has measured traits
    task, features : of the fold
    weights : of the measured traits
    """
    seen, unseen = task.split.seen, task.split.unseen
    names, labels = (*seen, *unseen), task.rows(task.unseen_test, unseen)
    alone = _apart(aligner, task, features.unseen_test, unseen)
    if not len(task.seen_test):
        return {w: Trial(top_k_accuracy(_add(alone, w), labels)) for w in weights}
    clips = torch.cat([features.seen_test, features.unseen_test])
    among_all = _apart(aligner, task, clips, names)
    rows = sample_training(len(features.train))
    training = _apart(aligner, task, features.train[rows], names)
    known = task.rows(np.concatenate([task.seen_test, task.unseen_test]), names)
    found = {}
    for weight in weights:
        joint, own = _add(among_all, weight), _add(training, weight)
        cues = TrainingCues.of_scores(own, task, features).cues(joint, clips, len(seen))
        found[weight] = Trial.among_all(
            top_k_accuracy(_add(alone, weight), labels),
            (joint, known, np.arange(len(seen))),
            Lead.of(own, len(seen)),
            cues,
        )
    return found


def _apart(
    aligner: Aligner, task: TaskData, clips: Tensor, names: tuple[str, ...]
) -> tuple[Scores, Scores | None]:
    """Scores of the aligner itself, and those of measured traits at weight 1, if it has them."""
    text = task.text.subset(names)
    if not isinstance(aligner, TwoVoices) or aligner.measured is None:
        return aligner.scores(clips, text).double().numpy(), None
    own, agreement = aligner.own_scores(clips, text), aligner.measured.scores(clips, text)
    return own.double().numpy(), agreement.double().numpy()


def _add(scores: tuple[Scores, Scores | None], weight: float) -> Scores:
    own, agreement = scores
    return own if agreement is None else own + weight * agreement
