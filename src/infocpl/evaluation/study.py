"""Many random splits put together: how much a number depends on which classes are unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from infocpl.errors import ConfigError
from infocpl.evaluation.choosing import tell_chosen

__all__ = ["STUDY_SCHEMA", "summarise_splits"]

STUDY_SCHEMA = "infocpl-study/1"
_REFERENCE = "infocpl"


def summarise_splits(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Top-1 of every method on every split, and what the splits say together.

    Parameters
    ----------
    results : of one run each (schema ``infocpl-result/1``), of the same methods on different splits

    Returns
    -------
    plain JSON values: ``splits`` (id, hash, unseen names, ``top1`` of each method and, where folds
    chose among candidates, ``chosen``, one name a seed), ``chosen`` (how often which, in words;
    only there) and ``methods``: for each ``title``, ``top1`` (``mean``, ``sd`` over splits,
    ``least``, ``quartiles``, ``most``) and ``behind``, the same figures of the reference minus the
    method, split by split, with ``wins``, the number of splits in which the reference is ahead;
    None for the reference

    Raises
    ------
    ConfigError : without results, or with results of different methods
    """
    if not results:
        raise ConfigError("a study needs at least one split")
    titles = {name: method["title"] for name, method in results[0]["methods"].items()}
    if any(list(result["methods"]) != list(titles) for result in results):
        raise ConfigError("results of one study must hold the same methods")
    top1 = {
        name: np.array([result["methods"][name]["mean"]["zsl.top1"] for result in results])
        for name in titles
    }
    chosen = [_chosen(result) for result in results]
    names = [name for split in chosen for name in split]
    unit = "split" if len(names) == len(results) else "training"
    return {
        "splits": [
            {
                "id": result["split"]["id"],
                "hash": result["split"]["hash"],
                "unseen": list(result["split"]["unseen"]),
                "unseen_clips": result["protocol"]["unseen_clips"],
                "chance": result["chance"]["zsl"],
                "top1": {name: float(values[place]) for name, values in top1.items()},
                **({"chosen": chosen[place]} if chosen[place] else {}),
            }
            for place, result in enumerate(results)
        ],
        **({"chosen": tell_chosen(names, unit)} if names else {}),
        "methods": {
            name: {
                "title": title,
                "top1": _figures(top1[name]),
                "behind": None if name == _REFERENCE else _behind(top1[_REFERENCE] - top1[name]),
            }
            for name, title in titles.items()
        },
        "reference": _REFERENCE,
    }


def _chosen(result: Mapping[str, Any]) -> list[str]:
    """The candidate of every seed; none where nothing was chosen among."""
    details = result.get("selection", {}).get("details", [])
    return [seed["chosen"]["candidate"] for seed in details if "chosen" in seed]


def _figures(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    return {
        "mean": float(values.mean()),
        # Sample standard deviation; one split has none, which is not the same as zero.
        "sd": float(values.std(ddof=1)) if len(values) > 1 else None,
        "least": float(values.min()),
        "quartiles": [float(q) for q in np.quantile(values, [0.25, 0.5, 0.75])],
        "most": float(values.max()),
    }


def _behind(ahead: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    return {**_figures(ahead), "wins": int((ahead > 0).sum())}
