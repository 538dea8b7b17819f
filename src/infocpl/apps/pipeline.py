"""From raw files to a result, a model and a report: what ``run`` and ``demo`` have in common."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from infocpl.apps.evidence import report_clips
from infocpl.apps.progress import Reporter
from infocpl.apps.report import write_report
from infocpl.data import (
    ClipStore,
    FeatureStore,
    Split,
    convert_dataset,
    is_store,
    open_store,
    prepare_clips,
    split_indices,
)
from infocpl.data.dataset import Dataset
from infocpl.data.feature_store import PreparedFeatures
from infocpl.data.loading import PreparedClips
from infocpl.errors import ConfigError, OutputExistsError
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.experiment import SeedRun, plan_units, run_experiment
from infocpl.evaluation.result import ResultContext, build_result
from infocpl.evaluation.task_data import TaskData
from infocpl.files import canonical_hash, read_json, remove_stale, write_json
from infocpl.semantics import GRANULARITIES, EmbeddingCache, build_codebook, create_text_encoder
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.lexicon import Lexicon
from infocpl.semantics.prompts import check_granularities
from infocpl.semantics.text import locate_text_encoder
from infocpl.training.config import to_dict
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.environment import environment
from infocpl.training.pretrained import ZeroShotModel

__all__ = [
    "Plan",
    "open_encoder_cache",
    "open_output",
    "prepare_source",
    "run_pipeline",
    "source_store",
]


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know before it starts.

    Attributes
    ----------
    dataset, split : what is trained and tested on
    protocol : name of the protocol; "" for the default of the store
    source : folder with the dataset's original files, or a converted store of clips or features
    out : output folder
    config : how to train and select
    seeds : independent repetitions
    text_encoder : name, folder or file
    granularities : kinds of description, empty for all
    lexicons : the user's own, asked before the shipped ones
    command : what the user typed
    unseen_clips : ``"all"`` clips of unseen classes, or those of the protocol's ``"test"`` side
    workers : processes that read original files
    encoder_cache : folder of trained encoders and their features that several runs share; None
        keeps them in the output folder only
    """

    dataset: Dataset
    split: Split
    protocol: str
    source: Path
    out: Path
    config: ExperimentConfig
    seeds: tuple[int, ...]
    text_encoder: str = "minilm"
    granularities: tuple[str, ...] = ()
    lexicons: tuple[Lexicon, ...] = ()
    command: str = ""
    unseen_clips: Literal["all", "test"] = "all"
    workers: int = 1
    encoder_cache: Path | None = None

    def identity(self) -> dict[str, Any]:
        """What must be equal for one run to continue another."""
        return {
            "dataset": self.dataset.name,
            "source": str(self.source.resolve()),
            "split": self.split.hash,
            "protocol": self.protocol,
            "unseen_clips": self.unseen_clips,
            "config": to_dict(self.config),
            "seeds": list(self.seeds),
            "text_encoder": locate_text_encoder(self.text_encoder),
            "granularities": list(self.granularities),
            "lexicons": [lexicon.hash for lexicon in self.lexicons],
        }


def open_output(plan: Plan, *, resume: bool) -> Path:
    """Create the output folder, or check that it belongs to this very run.

    Returns
    -------
    the folder for intermediate work inside it

    Raises
    ------
    OutputExistsError : if it holds something and `resume` is false
    ConfigError : if it holds another run, or several processes were started for one run
    """
    if (processes := environment()["processes"]) > 1:
        raise ConfigError(
            f"started as {processes} processes, which would write the same files; start one "
            "(several may share a training: infocpl.training.loop.fit)"
        )
    out, record = plan.out, plan.out / "run.json"
    if out.exists() and not out.is_dir():
        raise OutputExistsError(f"{out} is a file; --out needs a folder")
    if out.is_dir() and any(out.iterdir()):
        if not resume:
            raise OutputExistsError(
                f"{out} is not empty; choose another --out, or continue with --resume"
            )
        if not record.is_file():
            raise ConfigError(f"{out} holds no infocpl run (no run.json); nothing to resume")
        found = read_json(record)
        owner = found.get("hash") if isinstance(found, dict) else None
        if owner != canonical_hash(plan.identity()):
            raise ConfigError(
                f"{out} holds a run with other settings; use the same ones to resume it, or "
                "choose another --out"
            )
    # First of all: without its record a killed run could not be continued.
    write_json(record, {"hash": canonical_hash(plan.identity()), **plan.identity()})
    work = out / "work"
    work.mkdir(exist_ok=True)
    remove_stale(out)
    remove_stale(work)
    remove_stale(work / "features")
    return work


def run_pipeline(plan: Plan, reporter: Reporter, *, resume: bool = False) -> dict[str, Any]:
    """Do everything and return the result that was written.

    Writes ``result.json``, ``report.html``, ``model/`` (of the first seed; not for precomputed
    features, whose encoder is elsewhere) and ``codebook/`` to the output folder. A killed run
    continues with `resume`.
    """
    started = time.monotonic()
    seconds: dict[str, float] = {}
    # Wrong names are refused before anything is written.
    create_text_encoder(plan.text_encoder)
    check_granularities(plan.granularities or GRANULARITIES)
    cache = open_encoder_cache(plan)
    work = open_output(plan, resume=resume)
    store = source_store(plan, work, reporter)
    seconds["convert"] = time.monotonic() - started
    protocol = store.protocol(plan.protocol or None)
    indices = split_indices(store, plan.split, protocol, unseen=plan.unseen_clips)
    clips = prepare_source(store, plan, work, reporter)
    mark = time.monotonic()
    codebook = _describe(plan, reporter)
    seconds["text"] = time.monotonic() - mark
    task = TaskData.create(clips, plan.split, indices, codebook)
    with reporter.bar(plan_units(task, plan.config, plan.seeds)) as advance:
        runs = run_experiment(
            task, plan.config, plan.seeds, work=work, cache=cache, advance=advance
        )
    seconds["train and evaluate"] = sum(run.seconds for run in runs)
    seconds["total"] = time.monotonic() - started
    context = ResultContext(
        plan.dataset,
        store,
        codebook,
        protocol.name,
        plan.config,
        plan.command,
        seconds,
        plan.unseen_clips,
    )
    result = build_result(task, runs, context)
    _write_outputs(plan, task, runs, codebook, result)
    for path in work.glob("prepared-*.npy"):
        # As large as the dataset and made again within minutes; a mapped file may refuse to go.
        with contextlib.suppress(OSError):
            path.unlink()
    return result


def open_encoder_cache(plan: Plan) -> EncoderCache | None:
    """The shared folder of trained encoders that `plan` names, if it names one."""
    return EncoderCache(plan.encoder_cache) if plan.encoder_cache is not None else None


def prepare_source(
    store: ClipStore | FeatureStore, plan: Plan, work: Path, reporter: Reporter
) -> PreparedClips | PreparedFeatures:
    """Clips of one form, mapped from a file in `work`, or the features as they are."""
    if isinstance(store, FeatureStore):
        return store.prepared()
    with reporter.count("preparing clips") as progress:
        return prepare_clips(store, frames=plan.config.frames, cache=work, progress=progress)


def source_store(plan: Plan, work: Path, reporter: Reporter) -> ClipStore | FeatureStore:
    """The store that `plan` names, or one made of original files and kept in `work`."""
    if is_store(plan.source):
        return open_store(plan.source)
    folder = work / "store"
    if folder.is_dir():
        return ClipStore.open(folder)
    with reporter.count(f"reading {plan.dataset.title}") as progress:
        return convert_dataset(
            plan.dataset, plan.source, folder, workers=plan.workers, progress=progress
        )


def _describe(plan: Plan, reporter: Reporter) -> Codebook:
    reporter.say("embedding the descriptions of all classes")
    return build_codebook(
        (*plan.split.seen, *plan.split.unseen),
        create_text_encoder(plan.text_encoder),
        lexicons=plan.lexicons,
        dataset=plan.dataset.name,
        granularities=plan.granularities or GRANULARITIES,
        cache=EmbeddingCache(),
    )


def _write_outputs(
    plan: Plan,
    task: TaskData,
    runs: Sequence[SeedRun],
    codebook: Codebook,
    result: dict[str, Any],
) -> None:
    first = runs[0]
    if isinstance(task.clips, PreparedClips):
        _write_model(plan, task.clips, first, codebook, result)
    codebook.save(plan.out / "codebook", overwrite=True)
    write_report(result, report_clips(task, first, codebook), plan.out / "report.html")
    # Last, because its presence says that the run is complete.
    write_json(plan.out / "result.json", result)


def _write_model(
    plan: Plan, clips: PreparedClips, first: SeedRun, codebook: Codebook, result: dict[str, Any]
) -> None:
    entry = first.methods["infocpl"]
    model = ZeroShotModel(
        encoder=first.encoder,  # type: ignore[arg-type]
        aligner=entry.aligner,  # type: ignore[arg-type]
        gamma=entry.choice.gamma,
        persons=clips.keypoints.shape[1],
        text_encoder=locate_text_encoder(plan.text_encoder),
        text_encoder_id=codebook.encoder_id,
        granularities=plan.granularities,
        about={
            "dataset": plan.dataset.name,
            "split": plan.split.id,
            "split_hash": plan.split.hash,
            "codebook_hash": codebook.hash,
            "seed": first.seed,
            "selection": plan.config.selection,
        },
    )
    model.save_pretrained(
        plan.out / "model", card=_card(result), labels=plan.split.unseen, overwrite=True
    )


def _card(result: dict[str, Any]) -> str:
    mean = result["methods"]["infocpl"]["mean"]
    first = result["methods"]["infocpl"]["per_seed"][0]
    mark = " †" if result["selection"]["oracle"] else ""
    lines = [
        f"# InfoCPL on {result['dataset']['title']}, split {result['split']['id']}",
        "",
        f"- encoder: {result['features']['encoder']}, trained on {len(result['split']['seen'])} "
        f"seen classes; text encoder: {result['text']['encoder']}",
        f"- selection rule: {result['selection']['rule']}; this model is seed {first['seed']}",
        f"- ZSL top-1 of this seed {100 * first['zsl']['top1']:.1f} %{mark}, mean of all seeds "
        f"{100 * mean['zsl.top1']:.1f} %{mark} (chance {100 * result['chance']['zsl']:.1f} %)",
        f"- unseen classes it was tested on: {', '.join(result['split']['unseen'])}",
        "",
        "Load it with `infocpl.training.pretrained.ZeroShotModel.from_pretrained(folder)` or name",
        'clips with `infocpl predict FILE --model DIR --labels "one action, another action"`.',
        "",
    ]
    if mark:
        lines += ["† chosen on the unseen test clips: an upper bound, not a measurement", ""]
    return "\n".join(lines)
