"""The result of an experiment as one JSON value (``result.json``), schema ``infocpl-result/1``.

The schema is described in ``docs/result.md``. Fractions lie in [0, 1].
"""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl import __version__
from infocpl.data.dataset import Dataset
from infocpl.data.feature_store import EncoderNote
from infocpl.data.labelled import LabelledStore
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.experiment import MethodRun, SeedRun
from infocpl.evaluation.protocol import GzslResult
from infocpl.evaluation.result_selection import tell_selection
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.variants import CHOSEN, method_title
from infocpl.metrics import bootstrap_interval, per_class_recall
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.training.config import to_dict

__all__ = ["SCHEMA", "ResultContext", "build_result", "environment"]

SCHEMA = "infocpl-result/1"
REFERENCE = "infocpl"
"""The method that the others are compared with."""

_CURVE_POINTS = 200


@dataclass(frozen=True)
class ResultContext:
    """What a result says besides its numbers.

    Attributes
    ----------
    dataset, store, codebook : where clips and text came from
    protocol : name of the train/test protocol
    unseen_clips : "all", or "test" where only those of the protocol's test side were used
    descriptions : which descriptions the codebook holds, and how they are weighed
    config : the experiment's configuration
    command : what the user typed
    seconds : wall time of each stage
    extra_codebooks : text of the classes that were learned besides, one a source
    """

    dataset: Dataset
    store: LabelledStore
    codebook: Codebook
    protocol: str
    config: ExperimentConfig
    command: str
    seconds: dict[str, float]
    unseen_clips: str = "all"
    descriptions: DescriptionChoice = field(default_factory=DescriptionChoice)
    extra_codebooks: Sequence[Codebook] = ()


def environment() -> dict[str, Any]:
    """Versions and machine facts that a number depends on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "accelerate": metadata.version("accelerate"),
        "platform": f"{platform.system()} {platform.machine()}",
        "threads": torch.get_num_threads(),
        "device": "cuda" if torch.cuda.is_available() else "cpu",
    }


def build_result(task: TaskData, runs: Sequence[SeedRun], context: ResultContext) -> dict[str, Any]:
    """Put numbers, choices, hashes and versions together.

    Parameters
    ----------
    task : the task that was run
    runs : one entry a seed
    context : everything else
    """
    config, codebook = context.config, context.codebook
    return {
        "schema": SCHEMA,
        "infocpl_version": __version__,
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": context.command,
        "dataset": {
            "name": context.dataset.name,
            "title": context.dataset.title,
            "clips": len(context.store),
            "classes": len(context.dataset.classes),
            "layout": getattr(task.clips, "layout", None),
            "store_hash": context.store.hash,
        },
        "split": {
            "id": task.split.id,
            "family": task.split.family,
            "seen": list(task.split.seen),
            "unseen": list(task.split.unseen),
            "hash": task.split.hash,
            "source": task.split.source,
        },
        "protocol": {
            "name": context.protocol,
            "train_clips": len(task.train),
            "seen_test_clips": len(task.seen_test),
            "unseen_clips": len(task.unseen_test),
            "unseen_from": context.unseen_clips,
        },
        "features": _features(runs[0], config),
        "text": _text(codebook, context.descriptions),
        "extra": _extra(task, context.extra_codebooks),
        "selection": tell_selection(runs, config),
        "config": to_dict(config),
        "seeds": [run.seed for run in runs],
        "chance": {"zsl": 1 / len(task.split.unseen)},
        "methods": {
            method: _method(method, task, runs) | {"paired": _paired(method, runs)}
            for method in config.rows
        },
        "published": [
            {"method": row.method, "top1": row.top1, "source": row.source}
            for row in context.dataset.published
            if row.split == task.split.id
        ],
        "environment": environment(),
        "seconds": {name: round(value, 2) for name, value in context.seconds.items()},
    }


def _features(run: SeedRun, config: ExperimentConfig) -> dict[str, Any]:
    """Which encoder, and whether its training classes are proved or only declared."""
    encoder = run.encoder
    if isinstance(encoder, EncoderNote):
        return {
            "origin": "precomputed",
            "encoder": encoder.name,
            "streams": [],
            "dim": int(run.features.train.shape[1]),
            "measures": 0,
            "parameters": None,
            "training_classes": list(encoder.training_classes or ()),
            "declared_by": encoder.declared_by if encoder.training_classes else "nobody",
            "note": encoder.note,
            "warning": declaration(encoder),
        }
    module = encoder.module
    return {
        "origin": "trained here",
        "encoder": config.encoder.name,
        "members": config.encoder.members,
        "streams": list(module.config.streams),  # type: ignore[union-attr, arg-type]
        "dim": int(module.dim),  # type: ignore[arg-type]
        "measures": run.features.train.shape[1] - run.features.dim,
        "parameters": sum(p.numel() for p in module.parameters()),
        "training_classes": list(encoder.training_classes),
    }


def declaration(note: EncoderNote) -> str:
    """What a reader must know of features that were not made here, in one sentence."""
    if note.training_classes is None:
        return (
            "precomputed features: nobody declares which classes their encoder was trained on; "
            "unseen classes may be among them"
        )
    return (
        f"precomputed features: that their encoder was trained on {len(note.training_classes)} "
        f"classes without the unseen ones is declared by the {note.declared_by} and cannot be "
        "proved"
    )


def _extra(task: TaskData, codebooks: Sequence[Codebook]) -> dict[str, Any] | None:
    """What was learned besides the seen classes, and what was left out for an unseen one."""
    if task.elsewhere is None:
        return None
    sources = task.elsewhere.sources
    return {
        "source": _sources(task),
        "clips": len(task.extra),
        "classes": list(task.extra_classes),
        "left_out": [name for name in task.elsewhere.names if name not in task.extra_classes],
        "sources": [
            {
                "name": source.name,
                "clips": int(np.isin(task.extra, source.rows).sum()),
                "classes": sum(name in task.extra_classes for name in source.names),
                "store_hash": source.store_hash,
                "codebook_hash": codebook.hash,
            }
            for source, codebook in zip(sources, codebooks, strict=True)
        ],
    }


def _sources(task: TaskData) -> str:
    """Names of the datasets that were learned from besides, "" without any."""
    sources = task.elsewhere.sources if task.elsewhere is not None else ()
    return " and ".join(source.name for source in sources)


def _text(codebook: Codebook, choice: DescriptionChoice) -> dict[str, Any]:
    kinds: dict[str, int] = {}
    for rows in codebook.rows:
        for row in rows:
            kinds[row.granularity] = kinds.get(row.granularity, 0) + 1
    classes = len(codebook)
    return {
        "encoder": codebook.encoder_id,
        "dim": codebook.dim,
        "codebook_hash": codebook.hash,
        "lexicon_hash": codebook.lexicon_hash,
        "choice": {"summary": choice.summary, **to_dict(choice)},
        "descriptions": round(float(codebook.mask.sum()) / classes, 2),
        "granularities": {kind: round(count / classes, 2) for kind, count in kinds.items()},
        "sources": dict(zip(codebook.labels.names, codebook.sources, strict=True)),
    }


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


def _method(method: str, task: TaskData, runs: Sequence[SeedRun]) -> dict[str, Any]:
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
    }


def _besides(task: TaskData) -> str:
    """A row that had more to learn from is named for it."""
    return "" if task.elsewhere is None else f" + {_sources(task)} clips"


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
