"""Many random splits of one dataset, each a run of its own, in one folder and one table."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from infocpl import __version__
from infocpl.apps.extra import check_extra
from infocpl.apps.pipeline import (
    Plan,
    discard_prepared,
    measure_split,
    open_output,
    prepare_source,
    source_store,
)
from infocpl.apps.progress import Reporter
from infocpl.apps.report.study_page import write_study
from infocpl.data import load_split
from infocpl.data.dataset import Dataset
from infocpl.data.splits import Split
from infocpl.errors import ConfigError
from infocpl.evaluation.study import STUDY_SCHEMA, summarise_splits
from infocpl.files import read_json, write_json
from infocpl.semantics import create_text_encoder
from infocpl.semantics.prompts import check_granularities
from infocpl.training.config import to_dict

__all__ = ["StudyPlan", "random_splits", "run_study"]


def random_splits(dataset: Dataset, count: int, unseen: int) -> tuple[Split, ...]:
    """The splits ``random:0:unseen`` to ``random:count-1:unseen``; the seeds are never chosen.

    Raises
    ------
    ConfigError : if `count` is below 1
    SplitError : if the dataset has too few classes
    """
    if count < 1:
        raise ConfigError(f"a study needs at least 1 split, got {count}")
    return tuple(load_split(dataset, f"random:{seed}:{unseen}") for seed in range(count))


@dataclass(frozen=True)
class StudyPlan(Plan):
    """Everything a study needs to know before it starts.

    Attributes
    ----------
    splits : what is run one after the other; ``split`` is the first of them
    """

    splits: tuple[Split, ...] = ()

    def identity(self) -> dict[str, Any]:
        """What must be equal for one study to continue another."""
        return {**super().identity(), "study": [split.hash for split in self.splits]}

    def single(self, split: Split) -> Plan:
        """The run of one split, in a folder of its own."""
        shared = {field.name: getattr(self, field.name) for field in fields(Plan)}
        place = self.out / "splits" / split.id.replace("/", "-").replace(":", "-")
        return Plan(**(shared | {"split": split, "out": place}))


def run_study(plan: StudyPlan, reporter: Reporter, *, resume: bool = False) -> dict[str, Any]:
    """Run all splits and return the study, written to ``study.json`` and ``study.html``.

    Each finished split leaves ``splits/ID/result.json``; a killed study continues with `resume`
    at the split, and in it at the encoder, where it ended.
    """
    # Wrong names are refused before anything is written.
    create_text_encoder(plan.text_encoder)
    check_granularities(plan.descriptions.kinds)
    check_extra(plan)
    work = open_output(plan, resume=resume)
    store = source_store(plan, work, reporter)
    clips, elsewhere = prepare_source(store, plan, work, reporter)
    results = []
    for place, split in enumerate(plan.splits, start=1):
        single = plan.single(split)
        inner = open_output(single, resume=True)
        file = single.out / "result.json"
        if not file.is_file():
            reporter.say(f"split {place} of {len(plan.splits)}: {split.id}")
            done = measure_split(single, store, clips, inner, reporter, {}, elsewhere)
            # Last, because its presence says that the split is complete.
            write_json(file, done.result)
        results.append(read_json(file))
    study = {
        "schema": STUDY_SCHEMA,
        "infocpl_version": __version__,
        "command": plan.command,
        "dataset": {"name": plan.dataset.name, "title": plan.dataset.title},
        "protocol": results[0]["protocol"]["name"],
        "features": results[0]["features"]["encoder"],
        "text": results[0]["text"]["encoder"],
        "selection": plan.config.selection,
        "seeds": list(plan.seeds),
        "config": to_dict(plan.config),
        **summarise_splits(results),
    }
    write_study(study, plan.out / "study.html")
    write_json(plan.out / "study.json", study)
    discard_prepared(work)
    return study
