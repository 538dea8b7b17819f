"""What the kinds and numbers of descriptions are worth, judged on seen classes only.

Every fold holds some seen classes out, learns skeleton features without them once, and lets each
way of describing the classes play the zero-shot task with those features. Clips and text of the
real unseen classes are not even loaded: the task is cut down to training clips first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from infocpl.data.division import SplitIndices
from infocpl.data.feature_store import PreparedFeatures
from infocpl.data.loading import PreparedClips
from infocpl.data.splits import Split
from infocpl.errors import ConfigError, SplitLeakageError
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.runs import Features, aligner_units, learn_features, units
from infocpl.evaluation.selection import fold_seed, try_candidates
from infocpl.evaluation.task_data import TaskData, text_table
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.compounds import COMPOUNDS
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.semantics.prompts import GRANULARITIES
from infocpl.training.config import to_dict
from infocpl.training.encoder_cache import EncoderCache

__all__ = [
    "ABLATION_METHODS",
    "ABLATION_SCHEMA",
    "DEFAULT_ROWS",
    "REFERENCE",
    "AblationRow",
    "ablation_units",
    "cross_selected",
    "run_ablation",
    "seen_task",
]

ABLATION_SCHEMA = "infocpl-ablation/1"
ABLATION_METHODS = ("ridge", "infocpl")
REFERENCE = "all"
"""Title of the row that the others are compared with, where it is there; else the first one."""


@dataclass(frozen=True)
class AblationRow:
    """One way of describing the classes.

    Attributes
    ----------
    title : how the table calls it
    choice : which descriptions, and how much they count
    """

    title: str
    choice: DescriptionChoice = field(default_factory=DescriptionChoice)


_NAMES = ("name",)
_DEFINED = (*_NAMES, "definition")
_PARTS = (*_DEFINED, "part")
_PHASES = (*_PARTS, "phase")
_SINGLES = tuple(kind for kind in GRANULARITIES if kind not in COMPOUNDS)

DEFAULT_ROWS = (
    AblationRow("class name", DescriptionChoice(_NAMES, count=1, motion=False)),
    AblationRow("names and paraphrases", DescriptionChoice(_NAMES, motion=False)),
    AblationRow("+ definition", DescriptionChoice(_DEFINED, motion=False)),
    AblationRow("+ parts", DescriptionChoice(_PARTS, motion=False)),
    AblationRow("+ phases", DescriptionChoice(_PHASES, motion=False)),
    AblationRow("+ motion description", DescriptionChoice(_PHASES)),
    AblationRow("all single sentences", DescriptionChoice(_SINGLES)),
    AblationRow("all"),
    *(AblationRow(f"K = {count}", DescriptionChoice(count=count)) for count in (1, 5, 20, 50, 100)),
    AblationRow("best 20", DescriptionChoice(best=20)),
    AblationRow("best 50", DescriptionChoice(best=50)),
    AblationRow("all, weighed, temperature 1", DescriptionChoice(temperature=1.0)),
    AblationRow("all, weighed, temperature 0.2", DescriptionChoice(temperature=0.2)),
)
"""Rows of the table: what each kind adds, how many are needed, and what weighing brings."""


def seen_task(
    clips: PreparedClips | PreparedFeatures, split: Split, indices: SplitIndices, codebook: Codebook
) -> TaskData:
    """The task cut down to training clips of seen classes; nothing else is in it.

    Parameters
    ----------
    clips, split, indices : as for :meth:`.task_data.TaskData.create`
    codebook : text of the seen classes only

    Raises
    ------
    SplitLeakageError : if the codebook holds text of an unseen class
    """
    known = set(codebook.labels.names) & set(split.unseen)
    if known:
        raise SplitLeakageError(f"text of unseen classes: {', '.join(sorted(known))}")
    none = np.zeros(0, dtype=np.int64)
    train = np.arange(len(indices.train))
    return TaskData.create(
        clips.subset(indices.train), split, SplitIndices(train, none, none), codebook
    )


def ablation_units(
    task: TaskData, config: ExperimentConfig, seeds: Sequence[int], rows: int
) -> float:
    """Work of the ablation in clip passes (see :func:`.runs.units`)."""
    total = 0.0
    for seed in seeds:
        for fold in range(config.folds):
            inner = task.pseudo(task.pseudo_count(), fold_seed(seed, fold))
            total += units(inner, config)
            total += (rows - 1) * aligner_units(inner, config, ("infocpl",))
    return total


def cross_selected(tried: Sequence[Mapping[float, float]]) -> list[float]:
    """Accuracy of each fold at the candidate that did best, on average, on the other folds.

    A maximum over candidates on the fold itself would flatter whatever has noisier candidates.
    With one fold there are no others, and the last candidate is taken.

    Parameters
    ----------
    tried : for each fold the accuracy of every candidate, the same candidates in each

    Examples
    --------
    >>> cross_selected([{1: 0.5, 2: 0.9}, {1: 0.6, 2: 0.7}, {1: 0.8, 2: 0.1}])
    [0.5, 0.6, 0.1]
    """
    candidates = sorted(tried[0])
    values = np.array([[fold[candidate] for candidate in candidates] for fold in tried])
    if len(values) == 1:
        return [float(values[0, -1])]
    others = values.sum(axis=0) - values
    # Of equal candidates the later one, as in selection.
    best = len(candidates) - 1 - others[:, ::-1].argmax(axis=1)
    return [float(row[place]) for row, place in zip(values, best, strict=True)]


def run_ablation(
    task: TaskData,
    codebooks: Mapping[str, Codebook],
    config: ExperimentConfig,
    seeds: Sequence[int],
    *,
    rows: Sequence[AblationRow] = DEFAULT_ROWS,
    work: Path | None = None,
    cache: EncoderCache | None = None,
    advance: Callable[[float, str], None] = lambda units, note: None,
) -> dict[str, Any]:
    """Play every way of describing the classes in every fold of every seed.

    Parameters
    ----------
    task : from :func:`seen_task`; its own text is not used
    codebooks : text encoder name to the codebook of the seen classes
    config : training; ``folds`` pseudo-unseen sets a seed
    seeds : repetitions; a fold of a seed is the same for every row
    rows : ways of describing
    work : folder for finished encoders and features, which makes a killed run resumable
    cache : finished encoders and features that several runs and ablations share
    advance : called with finished work (of :func:`ablation_units`) and a note

    Returns
    -------
    plain JSON values: ``folds`` (seed, classes held out, clips) and ``rows`` (title, encoder,
    descriptions a class, and for each of :data:`ABLATION_METHODS` ``mean`` and ``sd`` over seeds,
    ``per_seed``, ``per_fold``, and ``gain``, mean and sd of the difference to the ``reference``
    row in the same seed)

    Raises
    ------
    ConfigError : without seeds, rows or codebooks
    SplitLeakageError : if the task holds test clips, or a codebook text of an unseen class
    """
    # What is measured does not depend on the choice of sentences and would hide what that does.
    config = replace(config, alignment=replace(config.alignment, measured_weight=0.0))
    if not (seeds and rows and codebooks):
        raise ConfigError("ablation needs at least one seed, one row and one text encoder")
    _forbid_unseen(task, codebooks)
    books = {
        (name, place): row.choice.apply(book)
        for name, book in codebooks.items()
        for place, row in enumerate(rows)
    }
    tried: dict[tuple[str, int, str], list[dict[float, float]]] = {}
    folds = []
    for seed in seeds:
        for fold in range(config.folds):
            number = fold_seed(seed, fold)
            inner = task.pseudo(task.pseudo_count(), number)
            note = f"seed {seed}, fold {fold + 1}/{config.folds}"
            features = learn_features(
                inner, config, seed=number, work=work, cache=cache, advance=advance, note=note
            )
            # Calibration is not asked about; leaving those clips out saves their scores.
            zsl = replace(inner, seen_test=inner.seen_test[:0])
            folds.append(_fold_facts(inner, seed, features))
            for (name, place), book in books.items():
                described = replace(zsl, text=text_table(book))
                for method in ABLATION_METHODS:
                    found = try_candidates(
                        method,
                        described,
                        features,
                        config,
                        number,
                        advance,
                        f"{note}, {rows[place].title}",
                    )
                    accuracy = {each.step: trial.accuracy for each, trial in found.items()}
                    tried.setdefault((name, place, method), []).append(accuracy)
    described_rows = [
        {
            "title": rows[place].title,
            "text_encoder": name,
            "descriptions": float(book.mask.sum(axis=1).mean()),
            "codebook_hash": book.hash,
            **{
                method: _summary(tried[name, place, method], len(seeds))
                for method in ABLATION_METHODS
            },
        }
        for (name, place), book in books.items()
    ]
    return {
        "schema": ABLATION_SCHEMA,
        "seeds": list(seeds),
        "config": to_dict(config),
        "split": {"id": task.split.id, "hash": task.split.hash},
        "seen": list(task.split.seen),
        "folds": folds,
        "chance": float(np.mean([1 / len(fold["held_out"]) for fold in folds])),
        "reference": _compare(described_rows),
        "rows": described_rows,
    }


def _compare(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Write into every row how it differs from a reference, seed by seed; return which one.

    Which classes are held out moves all rows alike, and far more than most ways of describing
    do: differences within a seed say what the spread of the accuracies hides.
    """
    reference = next((row for row in rows if row["title"] == REFERENCE), rows[0])
    for row in rows:
        for method in ABLATION_METHODS:
            pairs = zip(row[method]["per_seed"], reference[method]["per_seed"], strict=True)
            gains = np.array([one - other for one, other in pairs])
            row[method]["gain"] = {
                "mean": float(gains.mean()),
                "sd": float(gains.std(ddof=1)) if len(gains) > 1 else None,
            }
    return {"title": reference["title"], "text_encoder": reference["text_encoder"]}


def _forbid_unseen(task: TaskData, codebooks: Mapping[str, Codebook]) -> None:
    if len(task.unseen_test) or len(task.seen_test):
        raise SplitLeakageError("an ablation is judged on training clips; the task has test clips")
    for book in codebooks.values():
        known = sorted(set(book.labels.names) & set(task.split.unseen))
        if known:
            raise SplitLeakageError(f"text of unseen classes: {', '.join(known)}")


def _fold_facts(inner: TaskData, seed: int, features: Features) -> dict[str, Any]:
    return {
        "seed": seed,
        "held_out": list(inner.split.unseen),
        "train_clips": len(inner.train),
        "clips": len(features.unseen_test),
    }


def _summary(tried: Sequence[Mapping[float, float]], seeds: int) -> dict[str, Any]:
    per_fold = cross_selected(tried)
    per_seed = np.array(per_fold).reshape(seeds, -1).mean(axis=1)
    return {
        "mean": float(per_seed.mean()),
        "sd": float(per_seed.std(ddof=1)) if seeds > 1 else None,
        "per_seed": per_seed.tolist(),
        "per_fold": per_fold,
        "candidates": [{f"{key:g}": round(v, 6) for key, v in fold.items()} for fold in tried],
    }
