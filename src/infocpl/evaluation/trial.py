"""What one candidate of a method was worth in one fold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infocpl.evaluation.calibration import Lead
from infocpl.evaluation.gate import FoldClips
from infocpl.metrics import gated_curve, harmonic_mean, joint_answers

__all__ = ["Candidate", "Trial"]


class Candidate(NamedTuple):
    """What selection may choose for a method.

    Attributes
    ----------
    step : epoch of InfoCPL, penalty of a ridge map
    measured : weight of the measured traits beside the method's own scores; 0 leaves them out
    """

    step: float
    measured: float = 0.0


class Trial(NamedTuple):
    """What one candidate was worth in one fold.

    Attributes
    ----------
    accuracy : among the classes that played the unseen ones
    gamma : the best; None without seen test clips, or where none gives an H above 0
    lead : of the same model on its own training clips; None without seen test clips
    clips : what a gate can learn from; None without seen test clips
    """

    accuracy: float
    gamma: float | None = None
    lead: Lead | None = None
    clips: FoldClips | None = None

    @classmethod
    def among_all(
        cls,
        accuracy: float,
        joint: tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]],
        lead: Lead,
        cues: NDArray[np.float64],
    ) -> Trial:
        """A trial with seen test clips, from its scores.

        Parameters
        ----------
        accuracy : among the classes that played the unseen ones
        joint : (N, C) scores of seen and unseen test clips, their (N,) labels, the seen columns
        lead : of the model on its own training clips
        cues : (N, 3) of the same test clips
        """
        answers = joint_answers(*joint)
        curve = gated_curve(answers.gap, answers)
        gamma = curve.best_gamma()
        # Where no gamma is any good the fold says nothing about which one to take.
        useful = harmonic_mean(*curve.at(gamma)) > 0
        return cls(accuracy, gamma if useful else None, lead, FoldClips(cues, answers))
