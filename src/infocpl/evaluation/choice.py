"""What is chosen for one method from its results on folds: epoch or penalty, gamma and gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.evaluation.calibration import FoldGamma, average_gamma
from infocpl.evaluation.gate import Gate, fit_gate
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.evaluation.variants import is_ridge

__all__ = ["Choice", "settle", "tell_evidence"]


@dataclass(frozen=True)
class Choice:
    """What was selected for one method, and on which evidence.

    Attributes
    ----------
    epoch : InfoCPL's last epoch (0 for the ridge maps)
    alpha : ridge penalty (0 for InfoCPL)
    gamma : calibration of seen scores, mean over folds in the units of their models
    evidence : per fold the held-out classes, the accuracy of every candidate, and gamma and lead
        of the chosen one
    relative_gamma : the same in leads (see :mod:`.calibration`), which a final model can use
    gate : fitted on the clips of all folds; None where they allow none
    fusion : weights of the heads, where a method fits them; None otherwise
    measured : weight of the measured traits beside the method's own scores
    score : mean top-1 over folds at the candidate chosen, smoothed over its neighbours; None where
        no folds were played
    """

    epoch: int
    alpha: float
    gamma: float
    evidence: tuple[dict[str, Any], ...]
    relative_gamma: float | None = None
    gate: Gate | None = None
    fusion: tuple[float, ...] | None = None
    measured: float = 0.0
    score: float | None = None


def tell_evidence(
    held_out: Sequence[str], tried: Mapping[Candidate, Trial], best: Candidate
) -> dict[str, Any]:
    """Plain values that say on what a choice rests: classes, all candidates, the chosen one.

    ``accuracy`` holds all steps at the chosen weight of measured traits; ``measured``, where there
    are several weights to choose from, all steps at each.
    """
    lead = tried[best].lead
    weights = sorted({candidate.measured for candidate in tried})

    def steps(weight: float) -> dict[str, float]:
        found = sorted(candidate for candidate in tried if candidate.measured == weight)
        return {f"{each.step:g}": round(tried[each].accuracy, 6) for each in found}

    several = {"measured": {f"{w:g}": steps(w) for w in weights}} if len(weights) > 1 else {}
    return {
        "held_out": list(held_out),
        "accuracy": steps(best.measured),
        **several,
        "gamma": tried[best].gamma,
        "lead": None if lead is None else lead.mean,
    }


def settle(
    method: str,
    folds: Sequence[Mapping[Candidate, Trial]],
    held: Sequence[tuple[str, ...]],
) -> Choice:
    """Choose what does best over all folds, and what goes with it.

    Candidates form a grid of steps (epochs or penalties) and weights of measured traits.

    Parameters
    ----------
    method : name
    folds : for each fold every candidate to what it was worth, the same candidates in each
    held : for each fold the classes that played the unseen ones
    """
    steps = sorted({candidate.step for candidate in folds[0]})
    weights = sorted({candidate.measured for candidate in folds[0]})
    grid = [[Candidate(step, weight) for step in steps] for weight in weights]
    accuracy = np.array([[[fold[c].accuracy for c in row] for row in grid] for fold in folds])
    # Neighbouring candidates are nearly the same model: averaging with them removes noise that
    # a bare maximum over few held-out clips would pick up.
    smooth = _smooth(_smooth(accuracy.mean(axis=0), 0), 1)
    row, column = np.argwhere(smooth >= smooth.max() - 1e-12)[-1]
    best = grid[row][column]
    chosen = [fold[best] for fold in folds]
    gamma, relative = average_gamma(
        [FoldGamma(trial.gamma, trial.lead) for trial in chosen if trial.lead is not None]
    )
    evidence = tuple(
        tell_evidence(names, fold, best) for names, fold in zip(held, folds, strict=True)
    )
    return Choice(
        epoch=0 if is_ridge(method) else int(best.step),
        alpha=float(best.step) if is_ridge(method) else 0.0,
        gamma=gamma,
        evidence=evidence,
        relative_gamma=relative,
        gate=fit_gate([trial.clips for trial in chosen if trial.clips is not None]),
        measured=best.measured,
        score=float(smooth[row, column]),
    )


def _smooth(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Each value averaged with its neighbours along an axis, counting twice itself."""
    padded = np.pad(values, [(1, 1) if i == axis else (0, 0) for i in range(2)], mode="edge")
    found: NDArray[np.float64] = (
        np.delete(padded, [-1, -2], axis) + 2 * values + np.delete(padded, [0, 1], axis)
    ) / 4
    return found
