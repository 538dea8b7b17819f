"""Pure functions that turn scores into numbers. Nothing here knows a model or a file.

Arrays are numpy; fractions lie in [0, 1]; one ratio over all clips, never a mean of batch means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "JointAnswers",
    "SeenUnseenCurve",
    "bootstrap_interval",
    "confusion_matrix",
    "gated_curve",
    "harmonic_mean",
    "joint_answers",
    "per_class_recall",
    "seen_unseen_curve",
    "top_k_accuracy",
]

Scores = NDArray[np.floating]
Labels = NDArray[np.integer]


def _check(scores: Scores, labels: Labels) -> None:
    if scores.ndim != 2 or labels.shape != (scores.shape[0],):
        raise ValueError(
            f"expected scores (N, C) and labels (N,), got {scores.shape} and {labels.shape}"
        )
    if scores.shape[0] == 0:
        raise ValueError("no clips to measure")
    if not np.isfinite(scores).all():
        # argmax of a NaN row is class 0: a broken clip would become a confident answer.
        raise ValueError("scores hold NaN or infinite values")
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(f"labels must lie in 0..{scores.shape[1] - 1}")


def top_k_accuracy(scores: Scores, labels: Labels, k: int = 1) -> float:
    """Share of clips whose label is among the k best scores.

    A label is counted as found only if fewer than k other labels score at least as much, so
    that ties are never decided in the model's favour.

    Examples
    --------
    >>> top_k_accuracy(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 0]))
    0.5
    """
    _check(scores, labels)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    own = scores[np.arange(len(labels)), labels][:, None]
    better = (scores >= own).sum(axis=1) - 1
    return float((better < k).mean())


def confusion_matrix(predicted: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """(C, C) counts, row = true class, column = predicted class.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1]), np.array([0, 0, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (labels, predicted), 1)
    return matrix


def per_class_recall(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(C,) share of each class's clips that were named right; NaN for a class without clips.

    Examples
    --------
    >>> per_class_recall(np.array([[1, 1], [0, 2]])).tolist()
    [0.5, 1.0]
    """
    clips = confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.where(clips > 0, np.diag(confusion) / np.maximum(clips, 1), np.nan)


def harmonic_mean(seen: float, unseen: float) -> float:
    """H = 2 S U / (S + U); 0 if both are 0.

    Examples
    --------
    >>> harmonic_mean(0.6, 0.3)
    0.4
    """
    return 0.0 if seen + unseen == 0 else round(2 * seen * unseen / (seen + unseen), 12)


@dataclass(frozen=True)
class SeenUnseenCurve:
    """Accuracy on seen and on unseen clips as the seen scores are lowered.

    Attributes
    ----------
    gamma : (G,) what is subtracted from every seen class's score, ascending
    seen, unseen : (G,) accuracies S and U over the joint label set
    """

    gamma: NDArray[np.float64]
    seen: NDArray[np.float64]
    unseen: NDArray[np.float64]

    @property
    def ausuc(self) -> float:
        """Area under the seen-unseen curve (Chao et al., ECCV 2016)."""
        order = np.lexsort((-self.seen, self.unseen))
        return float(np.trapezoid(self.seen[order], self.unseen[order]))

    def at(self, gamma: float) -> tuple[float, float]:
        """(S, U) when `gamma` is subtracted from the seen scores."""
        index = int(np.searchsorted(self.gamma, gamma, side="left"))
        index = min(index, len(self.gamma) - 1)
        return float(self.seen[index]), float(self.unseen[index])

    def best_gamma(self) -> float:
        """The middle of the widest stretch of gamma with the highest harmonic mean."""
        h = np.array([harmonic_mean(s, u) for s, u in zip(self.seen, self.unseen, strict=True)])
        best = np.flatnonzero(h == h.max())
        # Step k holds for gamma in (gamma[k - 1], gamma[k]]; the ends are open.
        left = np.where(best > 0, self.gamma[np.maximum(best - 1, 0)], self.gamma[0])
        width = self.gamma[best] - left
        pick = int(np.argmax(width))
        return float((left[pick] + self.gamma[best[pick]]) / 2)


def seen_unseen_curve(scores: Scores, labels: Labels, seen_classes: Labels) -> SeenUnseenCurve:
    """Exact seen-unseen curve of calibrated stacking.

    Every clip changes its answer at one value of gamma only (the gap between its best seen and
    its best unseen score), so the curve has at most N + 1 steps and needs no grid.

    Parameters
    ----------
    scores : (N, C) over seen and unseen classes together
    labels : (N,) true class of each clip; clips of seen classes must be unseen *clips*
    seen_classes : columns that are seen classes

    Raises
    ------
    ValueError : if either kind of class or of clip is missing

    Examples
    --------
    >>> s = np.array([[0.9, 0.5], [0.8, 0.6]])
    >>> curve = seen_unseen_curve(s, np.array([0, 1]), np.array([0]))
    >>> curve.at(0.3)
    (1.0, 1.0)
    """
    answers = joint_answers(scores, labels, seen_classes)
    return gated_curve(answers.gap, answers)


@dataclass(frozen=True)
class JointAnswers:
    """What each clip answers among the seen and among the unseen classes.

    Attributes
    ----------
    gap : (N,) best seen minus best unseen score
    right_if_seen, right_if_unseen : (N,) whether the best class of that kind is the true one
    of_seen : (N,) whether the true class is a seen one
    """

    gap: NDArray[np.float64]
    right_if_seen: NDArray[np.bool_]
    right_if_unseen: NDArray[np.bool_]
    of_seen: NDArray[np.bool_]


def joint_answers(scores: Scores, labels: Labels, seen_classes: Labels) -> JointAnswers:
    """Split joint scores into two answers a clip; see :func:`seen_unseen_curve`."""
    _check(scores, labels)
    is_seen = np.zeros(scores.shape[1], dtype=bool)
    is_seen[seen_classes] = True
    of_seen = is_seen[labels]
    if is_seen.all() or not is_seen.any() or of_seen.all() or not of_seen.any():
        raise ValueError("a seen-unseen curve needs clips and classes of both kinds")
    seen_scores = np.where(is_seen, scores, -np.inf)
    unseen_scores = np.where(is_seen, -np.inf, scores)
    return JointAnswers(
        seen_scores.max(axis=1) - unseen_scores.max(axis=1),
        seen_scores.argmax(axis=1) == labels,
        unseen_scores.argmax(axis=1) == labels,
        of_seen,
    )


def gated_curve(seenness: NDArray[np.floating], answers: JointAnswers) -> SeenUnseenCurve:
    """Exact curve of any gate: a clip answers with a seen class while gamma < its seenness.

    Parameters
    ----------
    seenness : (N,) how much each clip looks like one of a seen class, in any unit; calibrated
        stacking is the gate whose seenness is the gap
    answers : of those clips
    """
    edges = np.unique(seenness)
    last = edges[-1] + max(1.0, abs(edges[-1]))
    gamma = np.append(edges, last)
    s_hit = np.sort(seenness[answers.of_seen & answers.right_if_seen])
    u_hit = np.sort(seenness[~answers.of_seen & answers.right_if_unseen])
    # Value k describes gamma just above edge k - 1 and up to edge k (exclusive).
    seen = (len(s_hit) - np.searchsorted(s_hit, gamma, side="left")) / answers.of_seen.sum()
    unseen = np.searchsorted(u_hit, gamma, side="left") / (~answers.of_seen).sum()
    return SeenUnseenCurve(gamma.astype(np.float64), seen, unseen)


def bootstrap_interval(
    hits: NDArray[np.floating],
    groups: Labels,
    *,
    by: str = "class",
    draws: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of an accuracy, or of the difference between two.

    The statistic of every draw is one ratio over all clips drawn, as accuracies here are.

    Parameters
    ----------
    hits : (N,) share of runs in which a clip was named right (0 or 1 for one run); or, for a
        paired difference, the share of one method minus that of the other for the same clip
    groups : (N,) class of each clip
    by : ``"class"`` draws whole classes with replacement (what another choice of unseen classes
        would do), ``"clip"`` draws clips, ``"class and clip"`` draws classes and then, for each
        class drawn, as many of its clips with replacement as it has
    draws, level, seed : number of resamples, coverage, random seed

    Examples
    --------
    >>> bootstrap_interval(np.ones(4), np.array([0, 0, 1, 1]))
    (1.0, 1.0)
    """
    if by not in ("class", "clip", "class and clip"):
        raise ValueError(f"by must be 'class', 'clip' or 'class and clip', got {by!r}")
    rng = np.random.default_rng(seed)
    _, members = np.unique(np.arange(len(hits)) if by == "clip" else groups, return_inverse=True)
    total = np.bincount(members, weights=hits)
    count = np.bincount(members)
    picks = rng.integers(0, len(count), size=(draws, len(count)))
    totals = total[picks]
    if by == "class and clip":
        for place in range(len(count)):
            of_class = np.asarray(hits)[members == place]
            drawn = np.nonzero(picks == place)
            clips = rng.integers(0, len(of_class), size=(len(drawn[0]), len(of_class)))
            totals[drawn] = of_class[clips].sum(axis=1)
    means = totals.sum(axis=1) / count[picks].sum(axis=1)
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)
