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

from infocpl import __version__
from infocpl.data.dataset import Dataset
from infocpl.data.feature_store import EncoderNote
from infocpl.data.labelled import LabelledStore
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.experiment import SeedRun
from infocpl.evaluation.result_methods import tell_method, tell_sources
from infocpl.evaluation.result_selection import tell_selection
from infocpl.evaluation.task_data import TaskData
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.training.config import to_dict

__all__ = ["SCHEMA", "ResultContext", "build_result", "environment"]

SCHEMA = "infocpl-result/1"

_FITTED = (
    "measured traits were revised by how well they agree with these generated actions: rows that "
    "use them show that everything works here, and say nothing about other data"
)


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
        "features": _features(runs[0], config, context.dataset.name),
        "text": _text(codebook, context.descriptions),
        "extra": _extra(task, context.extra_codebooks),
        "selection": tell_selection(runs, config),
        "config": to_dict(config),
        "seeds": [run.seed for run in runs],
        "chance": {"zsl": 1 / len(task.split.unseen)},
        "methods": {method: tell_method(method, task, runs) for method in config.rows},
        "published": [
            {"method": row.method, "top1": row.top1, "source": row.source}
            for row in context.dataset.published
            if row.split == task.split.id
        ],
        "environment": environment(),
        "seconds": {name: round(value, 2) for name, value in context.seconds.items()},
    }


def _features(run: SeedRun, config: ExperimentConfig, dataset: str) -> dict[str, Any]:
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
    measures = run.features.train.shape[1] - run.features.dim
    told = {
        "origin": "trained here",
        "encoder": config.encoder.name,
        "members": config.encoder.members,
        "streams": list(module.config.streams),  # type: ignore[union-attr, arg-type]
        "dim": int(module.dim),  # type: ignore[arg-type]
        "measures": measures,
        "parameters": sum(p.numel() for p in module.parameters()),
        "training_classes": list(encoder.training_classes),
    }
    if measures and dataset == "synthetic":
        # Unseen actions among them: no number of this dataset is a test of what was fitted to it.
        told["warning"] = _FITTED
    return told


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
        "source": tell_sources(task),
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
