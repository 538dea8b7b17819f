"""ZSL and GZSL numbers of one run, from its scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infocpl.metrics import (
    SeenUnseenCurve,
    confusion_matrix,
    gated_curve,
    harmonic_mean,
    joint_answers,
    per_class_recall,
    seen_unseen_curve,
    top_k_accuracy,
)

__all__ = ["GzslResult", "ZslResult", "measure_gate", "measure_gzsl", "measure_zsl"]


@dataclass(frozen=True)
class ZslResult:
    """Zero-shot recognition among the unseen classes.

    Attributes
    ----------
    top1, top5 : one ratio over all unseen clips
    per_class_mean : mean recall over the unseen classes that have clips
    confusion : (U, U) counts
    hits : (N,) 1 where a clip was named right
    labels : (N,) rows of the unseen classes
    """

    top1: float
    top5: float
    per_class_mean: float
    confusion: NDArray[np.int64]
    hits: NDArray[np.float64]
    labels: NDArray[np.integer]


@dataclass(frozen=True)
class GzslResult:
    """Recognition among seen and unseen classes together (calibrated stacking, or a gate).

    Attributes
    ----------
    seen, unseen, harmonic : S, U and H at `gamma`
    gamma : what was subtracted from seen scores, fitted elsewhere; of a gate its threshold
    ausuc : area under the seen-unseen curve
    curve : the curve itself
    """

    seen: float
    unseen: float
    harmonic: float
    gamma: float
    ausuc: float
    curve: SeenUnseenCurve


def measure_zsl(scores: NDArray[np.floating], labels: NDArray[np.integer]) -> ZslResult:
    """Numbers of zero-shot recognition.

    Parameters
    ----------
    scores : (N, U) of unseen clips over unseen classes
    labels : (N,)

    Examples
    --------
    >>> measure_zsl(np.eye(3), np.array([0, 1, 0])).top1
    0.6666666666666666
    """
    predicted = scores.argmax(axis=1)
    confusion = confusion_matrix(predicted, labels, scores.shape[1])
    return ZslResult(
        top1=top_k_accuracy(scores, labels),
        top5=top_k_accuracy(scores, labels, min(5, scores.shape[1])),
        per_class_mean=float(np.nanmean(per_class_recall(confusion))),
        confusion=confusion,
        hits=(predicted == labels).astype(np.float64),
        labels=labels,
    )


def measure_gzsl(
    scores: NDArray[np.floating],
    labels: NDArray[np.integer],
    seen_classes: NDArray[np.integer],
    gamma: float,
) -> GzslResult:
    """Numbers of generalised zero-shot recognition at a given gamma.

    Parameters
    ----------
    scores : (N, C) over seen and unseen classes, of seen test clips and unseen clips
    labels : (N,)
    seen_classes : columns of the seen classes
    gamma : calibration, fitted on pseudo-unseen classes
    """
    curve = seen_unseen_curve(scores, labels, seen_classes)
    seen, unseen = curve.at(gamma)
    return GzslResult(seen, unseen, harmonic_mean(seen, unseen), gamma, curve.ausuc, curve)


def measure_gate(
    scores: NDArray[np.floating],
    labels: NDArray[np.integer],
    seen_classes: NDArray[np.integer],
    seenness: NDArray[np.floating],
    threshold: float,
) -> GzslResult:
    """Numbers of generalised recognition behind a gate, and the curve over its threshold.

    Parameters
    ----------
    scores, labels, seen_classes : as for :func:`measure_gzsl`
    seenness : (N,) what the gate says of each clip
    threshold : clips of at least this seenness are named among seen classes, the others among
        unseen ones; fitted on pseudo-unseen classes

    Examples
    --------
    >>> scores, labels = np.array([[0.9, 0.5], [0.8, 0.6]]), np.array([0, 1])
    >>> measure_gate(scores, labels, np.array([0]), np.array([1.0, -1.0]), 0.0).harmonic
    1.0
    """
    curve = gated_curve(seenness, joint_answers(scores, labels, seen_classes))
    seen, unseen = curve.at(threshold)
    return GzslResult(seen, unseen, harmonic_mean(seen, unseen), threshold, curve.ausuc, curve)
