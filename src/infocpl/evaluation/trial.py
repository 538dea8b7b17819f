"""What one candidate of a method was worth in one fold."""

from __future__ import annotations

from typing import NamedTuple

from infocpl.evaluation.calibration import Lead
from infocpl.evaluation.gate import FoldClips

__all__ = ["Trial"]


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
