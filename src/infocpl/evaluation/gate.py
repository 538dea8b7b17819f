"""A gate that says of a clip whether it is of a seen class, before any name is chosen.

It looks at cues that mean the same whatever the label set: each is divided by what the model's own
training clips give. So a gate fitted in the folds, on seen test clips against clips of classes
that played the unseen ones, can be used by the final model. It never meets an unseen clip while
it is fitted. Clips it takes for unseen are named among unseen classes only, the others among seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import Tensor

from infocpl.alignment.base import Aligner, standardise
from infocpl.evaluation.calibration import sample_training
from infocpl.evaluation.runs import Features
from infocpl.evaluation.scoring import score_among_all
from infocpl.evaluation.task_data import TaskData
from infocpl.metrics import JointAnswers, gated_curve, harmonic_mean

__all__ = ["CUES", "FoldClips", "Gate", "TrainingCues", "fit_gate", "fit_logistic"]

CUES = ("gap", "margin", "distance")
"""Best seen minus best unseen score; best minus second seen score; distance to the nearest mean
feature of a seen class. All in units of what training clips have on average."""

_SIGNS = (1, 1, -1)
"""A clip of a seen class lies nearer and is named more clearly. Few clips can seem to say the
reverse; gates that may not believe it were better in folds they were not fitted on."""


@dataclass(frozen=True)
class TrainingCues:
    """What a model's training clips give, as the unit of cues.

    Attributes
    ----------
    gap, margin, distance : means over training clips (of the absolute gap, so that a model that
        leads by nothing still has a unit)
    mean, scale : (D,) statistics that features are standardised with
    centres : (S, D) mean standardised feature of every seen class
    """

    gap: float
    margin: float
    distance: float
    mean: Tensor
    scale: Tensor
    centres: Tensor

    @classmethod
    def measure(cls, aligner: Aligner, task: TaskData, features: Features) -> TrainingCues:
        """Units of a fitted model.

        Parameters
        ----------
        aligner : the model
        task : its seen classes, and unseen ones of which only the text is used
        features : of which only the training clips' are used
        """
        rows = sample_training(len(features.train))
        return cls.of_scores(score_among_all(aligner, task, features.train[rows]), task, features)

    @classmethod
    def of_scores(
        cls, scores: NDArray[np.floating], task: TaskData, features: Features
    ) -> TrainingCues:
        """The same from the scores of the clips of :func:`.calibration.sample_training`.

        Parameters
        ----------
        scores : (R, C) whose first columns are the task's seen classes
        task, features : as for :meth:`measure`
        """
        seen = task.split.seen
        labels = task.rows(task.train, seen)
        mean, scale = standardise(features.train)
        ready = (features.train - mean) / scale
        # A class without training clips has no centre; it would stand at the overall mean.
        centres = torch.stack([ready[labels == row].mean(0) for row in np.unique(labels)])
        rows = sample_training(len(features.train))
        gap, margin = _gap_and_margin(scores, len(seen))
        distance = torch.cdist(ready[rows], centres).amin(1)
        return cls(
            _unit(float(np.abs(gap).mean())),
            _unit(float(margin.mean())),
            _unit(float(distance.mean())),
            mean,
            scale,
            centres,
        )

    def cues(
        self, scores: NDArray[np.floating], features: Tensor, seen: int
    ) -> NDArray[np.float64]:
        """Cues of other clips.

        Parameters
        ----------
        scores : (N, C) whose first `seen` columns are the seen classes
        features : (N, D) of the same clips

        Returns
        -------
        (N, 3) in the order of :data:`CUES`
        """
        gap, margin = _gap_and_margin(scores, seen)
        ready = (features - self.mean) / self.scale
        distance = torch.cdist(ready, self.centres).amin(1).double().numpy()
        return np.column_stack(
            [gap / self.gap, margin / self.margin, distance / self.distance]
        ).astype(np.float64)


def _gap_and_margin(
    scores: NDArray[np.floating], seen: int
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    inside = np.sort(scores[:, :seen], axis=1)
    gap = inside[:, -1] - scores[:, seen:].max(axis=1)
    # With a single seen class there is no second one to compare with.
    margin = inside[:, -1] - inside[:, -2] if seen > 1 else np.zeros(len(scores))
    return gap, margin


def _unit(value: float) -> float:
    return value if value > 0 else 1.0


@dataclass(frozen=True)
class FoldClips:
    """Clips of one fold that a gate can learn from.

    Attributes
    ----------
    cues : (N, 3)
    answers : what each clip answers among seen and among pseudo-unseen classes
    """

    cues: NDArray[np.float64]
    answers: JointAnswers


@dataclass(frozen=True)
class Gate:
    """A fitted gate: linear in the cues.

    Attributes
    ----------
    weights : one a cue, in the order of :data:`CUES`
    bias : added to the weighted sum
    threshold : a clip is taken for seen where its seenness is at least this

    Examples
    --------
    >>> Gate((1.0, 0.0, -1.0), 0.5, 0.0).seenness(np.array([[2.0, 5.0, 1.0]])).tolist()
    [1.5]
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float

    def seenness(self, cues: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N, 3) cues to (N,) log odds of being of a seen class."""
        return np.asarray(cues @ np.array(self.weights) + self.bias)


def fit_gate(folds: Sequence[FoldClips]) -> Gate | None:
    """Fit weights and threshold on the clips of all folds together.

    Weights are those of a logistic regression in which both kinds of clip count the same; the
    threshold is the one with the highest H over the same clips.

    Parameters
    ----------
    folds : clips of seen classes a model was not trained on, and clips of pseudo-unseen ones

    Returns
    -------
    the gate; None without folds, or if no cue is of use and so no threshold gives an H above 0
    """
    if not folds:
        return None
    cues = np.concatenate([fold.cues for fold in folds])
    answers = JointAnswers(
        *(
            np.concatenate([getattr(fold.answers, name) for fold in folds])
            for name in ("gap", "right_if_seen", "right_if_unseen", "of_seen")
        )
    )
    centre, spread = cues.mean(axis=0), cues.std(axis=0)
    # A cue that never varies says nothing; dividing by its spread would make it shout.
    spread = np.where(spread > 1e-9, spread, np.inf)
    slope, offset = fit_logistic((cues - centre) / spread, answers.of_seen, signs=_SIGNS)
    weights = slope / spread
    bias = float(offset - centre @ weights)
    gate = Gate(tuple(weights.tolist()), bias, 0.0)
    curve = gated_curve(gate.seenness(cues), answers)
    threshold = curve.best_gamma()
    if harmonic_mean(*curve.at(threshold)) == 0:
        return None
    return Gate(gate.weights, bias, threshold)


def fit_logistic(
    inputs: NDArray[np.float64],
    positive: NDArray[np.bool_],
    penalty: float = 1.0,
    signs: Sequence[int] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Logistic regression in which both kinds count the same, however many there are of each.

    Parameters
    ----------
    inputs : (N, Q) of spread one
    positive : (N,) true for the kind that gets high values; both kinds must occur
    penalty : on half the squared length of the slope; the offset is free
    signs : 1 for every input whose slope must not be negative, -1 where it must not be positive,
        0 where it is free (default: all)

    Returns
    -------
    (Q,) slope, offset
    """
    sign = np.where(positive, 1.0, -1.0)
    weight = np.where(positive, 0.5 / positive.mean(), 0.5 / (~positive).mean())

    def loss(point: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        agreement = sign * (inputs @ point[:-1] + point[-1])
        doubt = weight * sign * np.exp(-np.logaddexp(0, agreement))
        value = weight @ np.logaddexp(0, -agreement) + 0.5 * penalty * point[:-1] @ point[:-1]
        slope = -inputs.T @ doubt + penalty * point[:-1]
        return float(value), np.append(slope, -doubt.sum())

    start = np.zeros(inputs.shape[1] + 1)
    ranges = {1: (0, None), -1: (None, 0), 0: (None, None)}
    bounds = [ranges[sign] for sign in (*(signs or [0] * inputs.shape[1]), 0)]
    options = {"ftol": 1e-14}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return found[:-1], float(found[-1])
