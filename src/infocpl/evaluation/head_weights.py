"""Weights of heads from the scores of pseudo-unseen classes, and what they are worth there.

A fold may not judge weights that were fitted on its own clips: in every fold the weights that the
*other* folds ask for are judged. The final weights come from all folds together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infocpl.alignment.fusion import fit_fusion, weigh_heads
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.evaluation.runs import Features
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Trial
from infocpl.metrics import seen_unseen_curve, top_k_accuracy

__all__ = ["HeadTrial", "final_weights", "fit_to_heads", "judge_weights"]


@dataclass(frozen=True)
class HeadTrial:
    """Scores of every head in one fold, for every candidate epoch.

    Attributes
    ----------
    labels : (N,) rows of the held-out classes, of the clips that played unseen
    unseen : epoch to (H, N, U) scores of those clips among the held-out classes
    joint : epoch to (H, M, C) scores of seen and unseen test clips among all classes
    joint_labels : (M,) columns of `joint`
    seen_columns : columns of the classes that were trained on
    """

    labels: NDArray[np.int64]
    joint_labels: NDArray[np.int64]
    seen_columns: NDArray[np.int64]
    unseen: dict[float, Tensor] = field(default_factory=dict)
    joint: dict[float, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, task: TaskData) -> HeadTrial:
        """A trial of one fold without any scores yet."""
        names = (*task.split.seen, *task.split.unseen)
        clips = np.concatenate([task.seen_test, task.unseen_test])
        return cls(
            task.rows(task.unseen_test, task.split.unseen),
            task.rows(clips, names),
            np.arange(len(task.split.seen)),
        )

    @torch.no_grad()
    def add(self, epoch: int, model: StandardInfoCPL, task: TaskData, features: Features) -> None:
        """Score the fold's test clips with the model as it is after an epoch."""

        def score(clips: Tensor, names: tuple[str, ...]) -> Tensor:
            text = model.text(task.text.subset(names))
            return model.model.head_scores(model.features(clips), text)

        self.unseen[epoch] = score(features.unseen_test, task.split.unseen)
        if len(task.seen_test):
            clips = torch.cat([features.seen_test, features.unseen_test])
            self.joint[epoch] = score(clips, (*task.split.seen, *task.split.unseen))


def fit_to_heads(weights: tuple[float, ...], heads: int) -> tuple[float, ...]:
    """Weights for `heads` heads: those without a weight of their own count as published, 1.

    A fold whose classes have fewer descriptions has fewer heads than the final model.

    Examples
    --------
    >>> fit_to_heads((1.5, 0.5), 3)
    (1.5, 0.5, 1.0)
    """
    return (*weights, *[1.0] * (heads - len(weights)))[:heads]


def final_weights(trials: Sequence[HeadTrial], epoch: float) -> tuple[float, ...]:
    """Weights with which the clips of all folds are told apart best, at one epoch.

    Parameters
    ----------
    trials : one a fold, of as many held-out classes each
    epoch : one of their candidates

    Returns
    -------
    H weights of mean one, H being the heads that all folds have
    """
    heads = min(len(trial.unseen[epoch]) for trial in trials)
    scores = torch.cat([trial.unseen[epoch][:heads] for trial in trials], dim=1)
    labels = torch.from_numpy(np.concatenate([trial.labels for trial in trials]))
    return fit_fusion(scores, labels)


def judge_weights(trials: Sequence[HeadTrial]) -> list[dict[float, Trial]]:
    """Accuracy and best gamma of every candidate of every fold, with the other folds' weights.

    A single fold has no others: there the heads count equally, as published. There is no lead and
    no gate: gamma is handed on in the units of the folds' models.

    Returns
    -------
    for each fold candidate to what it was worth
    """
    found: list[dict[float, Trial]] = []
    for place, trial in enumerate(trials):
        others = [*trials[:place], *trials[place + 1 :]]
        told = {}
        for epoch, scores in trial.unseen.items():
            weights = final_weights(others, epoch) if others else ()
            told[epoch] = _judge(
                trial, epoch, scores.new_tensor(fit_to_heads(weights, len(scores)))
            )
        found.append(told)
    return found


def _judge(trial: HeadTrial, epoch: float, weights: Tensor) -> Trial:
    fused = weigh_heads(trial.unseen[epoch], weights).double().numpy()
    gamma = None
    if epoch in trial.joint:
        joint = weigh_heads(trial.joint[epoch], weights).double().numpy()
        gamma = seen_unseen_curve(joint, trial.joint_labels, trial.seen_columns).best_gamma()
    return Trial(top_k_accuracy(fused, trial.labels), gamma)
