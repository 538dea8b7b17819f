"""What two persons do to each other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.body import SIDES, distance
from infocpl.skeleton.measures.signals import smooth

__all__ = ["measure_pair"]

Floats = NDArray[np.float64]

_FAR = -3.0  # torso lengths: nobody is there to be touched


def measure_pair(
    picked: Floats, present: NDArray[np.bool_], lead: NDArray[np.intp], names: list[str]
) -> dict[str, Floats]:
    """What two persons do to each other; the same for every clip of one person."""
    count = len(picked)
    two = present.all(axis=2).sum(axis=1) > 1
    nothing, far = np.zeros(count), np.full(count, _FAR)
    if picked.shape[1] < 2 or not two.any():
        # As below, whatever clips are measured together: a clip must not depend on the others.
        kinds = ("persons", "relation.none", "relation.approach", "relation.depart")
        more = ("relation.touch", "relation.strike", "contact.other_person")
        return dict.fromkeys(kinds, nothing) | dict.fromkeys(more, far)
    rows = np.arange(count)
    actor, other = smooth(picked[rows, lead]), smooth(picked[rows, (lead + 1) % picked.shape[1]])
    hips = [names.index("left_hip"), names.index("right_hip")]
    apart = distance(actor[:, :, hips].mean(axis=2), other[:, :, hips].mean(axis=2))
    ends = max(1, apart.shape[1] // 8)
    nearing = apart[:, :ends].mean(axis=1) - apart[:, -ends:].mean(axis=1)
    tips = [names.index(f"{side}_{joint}") for side in SIDES for joint in ("wrist", "ankle")]
    reach = np.linalg.norm(actor[:, :, tips, None] - other[:, :, None], axis=-1).min(axis=(1, 2, 3))
    fast = np.linalg.norm(np.diff(actor[:, :, tips], axis=1), axis=-1).max(axis=(1, 2))
    return {
        "persons": two.astype(float),
        "relation.none": -two.astype(float),
        "relation.approach": np.where(two, nearing, 0),
        "relation.depart": np.where(two, -nearing, 0),
        "relation.touch": np.where(two, -reach, _FAR),
        "relation.strike": np.where(two, fast - reach, _FAR),
        "contact.other_person": np.where(two, -reach, _FAR),
    }
