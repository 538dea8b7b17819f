"""Calibrated stacking whose gamma survives the change of model: it is counted in leads.

The lead of a model is how far it puts the best seen class before the best unseen one on its own
training clips. Scores of two models differ in scale, by their data and by how long they trained;
a gamma that is right for one is wrong for the other, but the same share of the lead fits both.
Only training clips enter, and the text of unseen classes; no clip of an unseen class does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from infocpl.alignment.base import Aligner
from infocpl.evaluation.runs import Features
from infocpl.evaluation.scoring import score_among_all
from infocpl.evaluation.task_data import TaskData

__all__ = [
    "Calibration",
    "FoldGamma",
    "Lead",
    "average_gamma",
    "measure_lead",
    "sample_training",
    "transfer_gamma",
]

_TRAINING_CLIPS = 2000  # a mean over more of them changes nothing that can be seen
_LEAST_LEAD = 0.1


@dataclass(frozen=True)
class Lead:
    """Best seen minus best unseen score over a model's own training clips.

    Attributes
    ----------
    mean : the lead itself
    spread : standard deviation over clips

    Examples
    --------
    >>> Lead.of(np.array([[3.0, 1.0, 0.5], [1.0, 2.0, 1.5]]), seen=2)
    Lead(mean=1.5, spread=1.0)
    """

    mean: float
    spread: float

    @classmethod
    def of(cls, scores: NDArray[np.floating], seen: int) -> Lead:
        """Lead from (N, C) scores whose first `seen` columns are the seen classes."""
        gap = scores[:, :seen].max(axis=1) - scores[:, seen:].max(axis=1)
        return cls(float(gap.mean()), float(gap.std()))

    @property
    def usable(self) -> bool:
        """Whether it can serve as a unit: positive, and not lost in its own spread."""
        return self.mean > 0 and self.mean >= _LEAST_LEAD * self.spread


class FoldGamma(NamedTuple):
    """Calibration of one candidate in one fold.

    Attributes
    ----------
    gamma : best of the fold; None where no gamma names any seen and any unseen clip right
    lead : of the very model that gamma was found for
    """

    gamma: float | None
    lead: Lead

    @property
    def relative(self) -> float | None:
        """Gamma in leads; None without a gamma or a usable lead."""
        if self.gamma is None or not self.lead.usable:
            return None
        return self.gamma / self.lead.mean


@dataclass(frozen=True)
class Calibration:
    """The gamma of a final model and where it comes from.

    Attributes
    ----------
    gamma : what is subtracted from the scores of seen classes
    relative_gamma : the same in leads, as found in the folds; None if no fold had one
    lead : mean lead of the final model
    rule : ``"relative"`` (gamma is relative_gamma times lead) or ``"raw"`` (mean of the folds'
        own gammas, because a lead could not serve as a unit)
    """

    gamma: float
    relative_gamma: float | None
    lead: float
    rule: str


def sample_training(count: int) -> NDArray[np.int64]:
    """Which of `count` training clips stand for all: all, or 2,000 evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, _TRAINING_CLIPS)).round().astype(int))


def measure_lead(aligner: Aligner, task: TaskData, features: Features) -> Lead:
    """Lead of a fitted model on its own training clips.

    Parameters
    ----------
    aligner : the model
    task : whose unseen classes are meant; only their text is used
    features : of which only the training clips' are used
    """
    rows = sample_training(len(features.train))
    scores = score_among_all(aligner, task, features.train[rows])
    return Lead.of(scores, len(task.split.seen))


def average_gamma(folds: Sequence[FoldGamma]) -> tuple[float, float | None]:
    """Raw and relative gamma of all folds together.

    The raw gammas are averaged. Of the relative ones the median is taken: the lead of one fold may
    be small, and its ratio then large.

    Returns
    -------
    mean of the raw gammas (0 without any), median of the relative ones (None without any)

    Examples
    --------
    >>> average_gamma([FoldGamma(1.0, Lead(2.0, 1.0)), FoldGamma(6.0, Lead(8.0, 1.0))])
    (3.5, 0.625)
    """
    raw = [fold.gamma for fold in folds if fold.gamma is not None]
    relative = [share for fold in folds if (share := fold.relative) is not None]
    return (
        float(np.mean(raw)) if raw else 0.0,
        float(np.median(relative)) if relative else None,
    )


def transfer_gamma(raw: float, relative: float | None, lead: Lead) -> Calibration:
    """Gamma of a final model from what the folds found.

    Examples
    --------
    >>> transfer_gamma(3.5, 0.5, Lead(4.0, 1.0)).gamma
    2.0
    >>> transfer_gamma(3.5, 0.5, Lead(-4.0, 1.0)).rule
    'raw'
    """
    if relative is None or not lead.usable:
        return Calibration(raw, relative, lead.mean, "raw")
    return Calibration(relative * lead.mean, relative, lead.mean, "relative")
