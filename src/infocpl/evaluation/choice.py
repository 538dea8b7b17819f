"""What is chosen for one method from its results on folds: epoch or penalty, gamma and gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infocpl.evaluation.calibration import FoldGamma, average_gamma
from infocpl.evaluation.gate import Gate, fit_gate
from infocpl.evaluation.trial import Trial
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
    score: float | None = None


def tell_evidence(
    held_out: Sequence[str], tried: Mapping[float, Trial], best: float
) -> dict[str, Any]:
    """Plain values that say on what a choice rests: classes, all candidates, the chosen one."""
    lead = tried[best].lead
    return {
        "held_out": list(held_out),
        "accuracy": {f"{c:g}": round(tried[c].accuracy, 6) for c in sorted(tried)},
        "gamma": tried[best].gamma,
        "lead": None if lead is None else lead.mean,
    }


def settle(
    method: str,
    folds: Sequence[Mapping[float, Trial]],
    held: Sequence[tuple[str, ...]],
) -> Choice:
    """Choose the epoch or penalty that does best over all folds, and what goes with it.

    Parameters
    ----------
    method : name
    folds : for each fold every candidate to what it was worth, the same candidates in each
    held : for each fold the classes that played the unseen ones
    """
    candidates = sorted(folds[0])
    accuracy = np.array([[fold[c][0] for c in candidates] for fold in folds]).mean(axis=0)
    # Neighbouring candidates are nearly the same model: averaging with them removes noise that
    # a bare maximum over few held-out clips would pick up.
    padded = np.pad(accuracy, 1, mode="edge")
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    best = candidates[int(np.flatnonzero(smooth >= smooth.max() - 1e-12)[-1])]
    chosen = [fold[best] for fold in folds]
    gamma, relative = average_gamma(
        [FoldGamma(trial.gamma, trial.lead) for trial in chosen if trial.lead is not None]
    )
    evidence = tuple(
        tell_evidence(names, fold, best) for names, fold in zip(held, folds, strict=True)
    )
    return Choice(
        epoch=0 if is_ridge(method) else int(best),
        alpha=float(best) if is_ridge(method) else 0.0,
        gamma=gamma,
        evidence=evidence,
        relative_gamma=relative,
        gate=fit_gate([trial.clips for trial in chosen if trial.clips is not None]),
        score=float(smooth[candidates.index(best)]),
    )
