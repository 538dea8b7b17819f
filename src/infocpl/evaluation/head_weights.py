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
from infocpl.evaluation.calibration import Lead, sample_training
from infocpl.evaluation.gate import TrainingCues
from infocpl.evaluation.runs import Features
from infocpl.evaluation.scoring import add_measured
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.metrics import top_k_accuracy

__all__ = ["HeadTrial", "final_weights", "fit_to_heads", "judge_weights"]


@dataclass(frozen=True)
class HeadTrial:
    """Scores of every head in one fold, for every candidate epoch.

    Attributes
    ----------
    labels : (N,) rows of the held-out classes, of the clips that played unseen
    fold : task and features of the fold; None without seen test clips
    unseen : epoch to (H, N, U) scores of those clips among the held-out classes
    joint : epoch to (H, M, C) scores of seen and unseen test clips among all classes, of a `fold`
    measured : epoch to the scores of measured traits of those three sets of clips, where the model
        has them; they are added to whatever the heads say together
    training : the same of the model's own training clips (:func:`.calibration.sample_training`)
    """

    labels: NDArray[np.int64]
    fold: tuple[TaskData, Features] | None = None
    unseen: dict[float, Tensor] = field(default_factory=dict)
    joint: dict[float, Tensor] = field(default_factory=dict)
    training: dict[float, Tensor] = field(default_factory=dict)
    measured: dict[float, dict[str, NDArray[np.float64]]] = field(default_factory=dict)

    @classmethod
    def of(cls, task: TaskData, features: Features) -> HeadTrial:
        """A trial of one fold without any scores yet."""
        labels = task.rows(task.unseen_test, task.split.unseen)
        return cls(labels, (task, features) if len(task.seen_test) else None)

    @torch.no_grad()
    def add(self, epoch: int, model: StandardInfoCPL, task: TaskData, features: Features) -> None:
        """Score clips of the fold with the model as it is after an epoch."""
        measured: dict[str, NDArray[np.float64]] = {}

        def score(clips: Tensor, names: tuple[str, ...], which: str) -> Tensor:
            raw = task.text.subset(names)
            if model.measured is not None:
                measured[which] = model.measured.scores(clips, raw).double().numpy()
            return model.model.head_scores(model.features(clips), model.text(raw))

        self.measured[epoch] = measured
        self.unseen[epoch] = score(features.unseen_test, task.split.unseen, "unseen")
        if self.fold is not None:
            names = (*task.split.seen, *task.split.unseen)
            clips = torch.cat([features.seen_test, features.unseen_test])
            self.joint[epoch] = score(clips, names, "joint")
            rows = sample_training(len(features.train))
            self.training[epoch] = score(features.train[rows], names, "training")


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


def judge_weights(
    trials: Sequence[HeadTrial], measured: float = 0.0
) -> list[dict[Candidate, Trial]]:
    """Accuracy and best gamma of every candidate of every fold, with the other folds' weights.

    A single fold has no others: there the heads count equally, as published. Lead and cues are
    those of the weighed model, so that gamma and gate carry over like those of any other method.

    Parameters
    ----------
    trials : one a fold
    measured : weight of the measured traits that their models were fitted with

    Returns
    -------
    for each fold candidate to what it was worth
    """
    found: list[dict[Candidate, Trial]] = []
    for place, trial in enumerate(trials):
        others = [*trials[:place], *trials[place + 1 :]]
        told = {}
        for epoch, scores in trial.unseen.items():
            weights = final_weights(others, epoch) if others else ()
            told[Candidate(epoch, measured)] = _judge(
                trial, epoch, scores.new_tensor(fit_to_heads(weights, len(scores)))
            )
        found.append(told)
    return found


def _judge(trial: HeadTrial, epoch: float, weights: Tensor) -> Trial:
    beside = trial.measured.get(epoch, {})

    def fuse(scores: Tensor, which: str, seen: int = 0) -> NDArray[np.float64]:
        fused: NDArray[np.float64] = weigh_heads(scores, weights).double().numpy()
        return add_measured(fused, beside.get(which), 1.0, seen)

    accuracy = top_k_accuracy(fuse(trial.unseen[epoch], "unseen"), trial.labels)
    if trial.fold is None:
        return Trial(accuracy)
    task, features = trial.fold
    names, seen = (*task.split.seen, *task.split.unseen), len(task.split.seen)
    joint = fuse(trial.joint[epoch], "joint", seen)
    training = fuse(trial.training[epoch], "training", seen)
    clips = torch.cat([features.seen_test, features.unseen_test])
    cues = TrainingCues.of_scores(training, task, features).cues(joint, clips, seen)
    labels = task.rows(np.concatenate([task.seen_test, task.unseen_test]), names)
    return Trial.among_all(
        accuracy, (joint, labels, np.arange(seen)), Lead.of(training, seen), cues
    )
