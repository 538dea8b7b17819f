"""What a result holds of one method: numbers a seed, means, intervals, confusion, curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.evaluation.experiment import MethodRun, SeedRun
from infocpl.evaluation.protocol import GzslResult
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.variants import CHOSEN, method_title
from infocpl.metrics import bootstrap_interval, per_class_recall

__all__ = ["REFERENCE", "tell_method", "tell_sources"]

REFERENCE = "infocpl"
"""The method that the others are compared with."""

_CURVE_POINTS = 200


def tell_sources(task: TaskData) -> str:
    """Names of the datasets that were learned from besides, "" without any."""
    sources = task.elsewhere.sources if task.elsewhere is not None else ()
    return " and ".join(source.name for source in sources)


def _numbers(entry: MethodRun) -> dict[str, float]:
    found = {
        "zsl.top1": entry.zsl.top1,
        "zsl.top5": entry.zsl.top5,
        "zsl.per_class_mean": entry.zsl.per_class_mean,
    }
    for group, told in (("gzsl", entry.gzsl), ("gate", entry.gate)):
        if told is not None:
            for name in ("seen", "unseen", "harmonic", "ausuc"):
                found[f"{group}.{name}"] = getattr(told, name)
    return found


def _nested(entry: MethodRun, seed: int) -> dict[str, Any]:
    out: dict[str, Any] = {"seed": seed}
    for key, value in _numbers(entry).items():
        group, name = key.split(".")
        out.setdefault(group, {})[name] = value
    if entry.gzsl is not None:
        out["gzsl"] |= {
            "gamma": entry.gzsl.gamma,
            "relative_gamma": entry.calibration.relative_gamma,
            "lead": entry.calibration.lead,
        }
    out["selected"] = {"epoch": entry.choice.epoch, "alpha": entry.choice.alpha}
    return out


def _seed(method: str, run: SeedRun) -> dict[str, Any]:
    """Numbers of one seed; of the row that folds choose, with the name of what they chose."""
    out = _nested(run.methods[method], run.seed)
    if method == CHOSEN and run.chosen is not None:
        out["selected"] = {"candidate": run.chosen.candidate, **out["selected"]}
    return out


def tell_method(method: str, task: TaskData, runs: Sequence[SeedRun]) -> dict[str, Any]:
    """Everything a result holds of one method: seeds, mean, spread, intervals, classes, curves."""
    entries = [run.methods[method] for run in runs]
    table = [_numbers(entry) for entry in entries]
    # A gate may be missing in a seed; a mean over the others would compare unlike things.
    keys = [key for key in table[0] if all(key in row for row in table)]
    # Sample standard deviation; one seed has none, which is not the same as zero.
    spread = {
        key: float(np.std([row[key] for row in table], ddof=1)) if len(table) > 1 else None
        for key in keys
    }
    confusion = sum(entry.zsl.confusion for entry in entries)
    clips = entries[0].zsl.confusion.sum(axis=1)
    recall = per_class_recall(np.asarray(confusion))
    hits = np.mean([entry.zsl.hits for entry in entries], axis=0)
    labels = entries[0].zsl.labels
    return {
        "title": method_title(method) + _besides(task),
        "per_seed": [_seed(method, run) for run in runs],
        "mean": {key: float(np.mean([row[key] for row in table])) for key in keys},
        "sd": spread,
        "interval": {
            "zsl.top1": _interval(hits, labels, "class"),
            "zsl.top1.clip": _interval(hits, labels, "clip"),
            "zsl.top1.class and clip": _interval(hits, labels, "class and clip"),
        },
        "per_class": {
            name: {"recall": None if np.isnan(r) else float(r), "clips": int(n)}
            for name, r, n in zip(task.split.unseen, recall, clips, strict=True)
        },
        "confusion": {"labels": list(task.split.unseen), "counts": np.asarray(confusion).tolist()},
        "curve": _curve(entries[0].gzsl),
        "gate_curve": _curve(entries[0].gate),
        "oracle": _oracle(entries, runs),
        "transductive": _transductive(entries),
        "paired": _paired(method, runs),
    }


def _besides(task: TaskData) -> str:
    """A row that had more to learn from is named for it."""
    return "" if task.elsewhere is None else f" + {tell_sources(task)} clips"


def _interval(values: NDArray[np.floating], labels: NDArray[np.integer], by: str) -> dict[str, Any]:
    low, high = bootstrap_interval(values, labels, by=by)
    return {"by": by, "low": low, "high": high}


def _paired(method: str, runs: Sequence[SeedRun]) -> dict[str, Any] | None:
    """By how much the reference is ahead of a method on the same clips, features and seeds."""
    if method == REFERENCE:
        return None
    pairs = [(run.methods[REFERENCE].zsl, run.methods[method].zsl) for run in runs]
    ahead = np.mean([one.hits - other.hits for one, other in pairs], axis=0)
    per_seed = [one.top1 - other.top1 for one, other in pairs]
    return {
        "reference": REFERENCE,
        "zsl.top1": {
            "mean": float(np.mean(per_seed)),
            "sd": float(np.std(per_seed, ddof=1)) if len(per_seed) > 1 else None,
            **_interval(ahead, pairs[0][0].labels, "class and clip"),
        },
    }


def _transductive(entries: Sequence[MethodRun]) -> dict[str, Any] | None:
    """Numbers after refinement on the unlabelled test clips, if that was asked for."""
    found = [entry.transductive for entry in entries if entry.transductive is not None]
    if not found:
        return None
    keys = ("top1", "top5", "per_class_mean")
    table = np.array([[getattr(zsl, key) for key in keys] for zsl in found])
    spread = table.std(axis=0, ddof=1) if len(table) > 1 else [None] * len(keys)
    return {
        "mean": {f"zsl.{key}": float(v) for key, v in zip(keys, table.mean(axis=0), strict=True)},
        "sd": {
            f"zsl.{key}": None if v is None else float(v)
            for key, v in zip(keys, spread, strict=True)
        },
        "per_seed": [
            {f"zsl.{k}": float(v) for k, v in zip(keys, row, strict=True)} for row in table
        ],
    }


def _oracle(entries: Sequence[MethodRun], runs: Sequence[SeedRun]) -> dict[str, Any] | None:
    """What choosing on the unseen test clips would have shown, if that was asked for."""
    peeked = [entry.oracle for entry in entries if entry.oracle is not None]
    if not peeked:
        return None
    table = [_numbers(entry) for entry in peeked]
    mean = {key: float(np.mean([row[key] for row in table])) for key in table[0]}
    honest = float(np.mean([entry.zsl.top1 for entry in entries]))
    return {
        "mean": mean,
        "inflation": {"zsl.top1": mean["zsl.top1"] - honest},
        "per_seed": [_nested(entry, run.seed) for entry, run in zip(peeked, runs, strict=True)],
    }


def _curve(told: GzslResult | None) -> dict[str, list[float]] | None:
    if told is None:
        return None
    curve = told.curve
    keep = np.unique(np.linspace(0, len(curve.gamma) - 1, _CURVE_POINTS).round().astype(int))
    return {
        "gamma": curve.gamma[keep].tolist(),
        "seen": curve.seen[keep].tolist(),
        "unseen": curve.unseen[keep].tolist(),
    }
