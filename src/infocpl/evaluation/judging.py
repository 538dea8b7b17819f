"""What a fitted aligner is worth in a fold, for every weight of the measured traits beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from infocpl.alignment.base import Aligner
from infocpl.evaluation.calibration import Lead, sample_training
from infocpl.evaluation.gate import TrainingCues
from infocpl.evaluation.runs import Features
from infocpl.evaluation.scoring import add_measured, score_apart
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Trial
from infocpl.metrics import top_k_accuracy

__all__ = ["judge_weights_of_measures"]


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
    alone = score_apart(aligner, task, features.unseen_test, unseen)
    if not len(task.seen_test):
        return {w: Trial(top_k_accuracy(add_measured(*alone, w), labels)) for w in weights}
    clips = torch.cat([features.seen_test, features.unseen_test])
    among_all = score_apart(aligner, task, clips, names)
    rows = sample_training(len(features.train))
    training = score_apart(aligner, task, features.train[rows], names)
    known = task.rows(np.concatenate([task.seen_test, task.unseen_test]), names)
    found = {}
    for weight in weights:
        joint = add_measured(*among_all, weight, len(seen))
        own = add_measured(*training, weight, len(seen))
        cues = TrainingCues.of_scores(own, task, features).cues(joint, clips, len(seen))
        found[weight] = Trial.among_all(
            top_k_accuracy(add_measured(*alone, weight), labels),
            (joint, known, np.arange(len(seen))),
            Lead.of(own, len(seen)),
            cues,
        )
    return found
