"""From raw files to a result, a model and a report: what ``run`` and ``demo`` have in common."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infocpl.apps.describing import describe_classes, describe_extra
from infocpl.apps.evidence import report_clips
from infocpl.apps.extra import check_extra, gather_extra
from infocpl.apps.plan import Plan, open_output
from infocpl.apps.progress import Reporter
from infocpl.apps.report import write_report
from infocpl.data import (
    ClipStore,
    FeatureStore,
    convert_dataset,
    is_store,
    open_store,
    prepare_clips,
    split_indices,
)
from infocpl.data.extra import ExtraClasses
from infocpl.data.feature_store import PreparedFeatures
from infocpl.data.loading import PreparedClips
from infocpl.errors import ConfigError
from infocpl.evaluation.config import with_measured_baseline
from infocpl.evaluation.experiment import SeedRun, plan_units, run_experiment
from infocpl.evaluation.result import ResultContext, build_result
from infocpl.evaluation.task_data import TaskData, text_table
from infocpl.files import write_json
from infocpl.semantics import create_text_encoder
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.text import locate_text_encoder
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.pretrained import ZeroShotModel

__all__ = [
    "Measured",
    "Plan",
    "discard_prepared",
    "measure_split",
    "open_encoder_cache",
    "open_output",
    "prepare_source",
    "run_pipeline",
    "source_store",
]


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
    _check_sides(plan)
    check_extra(plan)
    open_encoder_cache(plan)
    work = open_output(plan, resume=resume)
    store = source_store(plan, work, reporter)
    seconds["convert"] = time.monotonic() - started
    clips, elsewhere = prepare_source(store, plan, work, reporter)
    done = measure_split(plan, store, clips, work, reporter, seconds, elsewhere)
    seconds = done.result["seconds"]
    seconds["total"] = round(time.monotonic() - started, 2)
    _write_outputs(plan, done.task, done.runs, done.codebook, done.result)
    discard_prepared(work)
    return done.result


@dataclass(frozen=True)
class Measured:
    """One split, trained and measured.

    Attributes
    ----------
    task, runs, codebook : what was trained on, what came of each seed, the text
    result : content of ``result.json``
    """

    task: TaskData
    runs: Sequence[SeedRun]
    codebook: Codebook
    result: dict[str, Any]


def measure_split(
    plan: Plan,
    store: ClipStore | FeatureStore,
    clips: PreparedClips | PreparedFeatures,
    work: Path,
    reporter: Reporter,
    seconds: dict[str, float],
    elsewhere: ExtraClasses | None = None,
) -> Measured:
    """Run all seeds of a plan on clips that are ready; nothing but `work` is written to.

    Parameters
    ----------
    plan : what to do
    store, clips : from :func:`source_store` and :func:`prepare_source`
    work : folder for finished encoders and checkpoints
    seconds : wall time of earlier stages, told in the result
    elsewhere : which of `clips` come from elsewhere, from :func:`prepare_source`
    """
    seconds = dict(seconds)
    protocol = store.protocol(plan.protocol or None)
    indices = split_indices(store, plan.split, protocol, unseen=plan.unseen_clips)
    mark = time.monotonic()
    codebook = describe_classes(plan, reporter)
    seconds["text"] = time.monotonic() - mark
    task = TaskData.create(clips, plan.split, indices, codebook)
    extra_books: tuple[Codebook, ...] = ()
    if elsewhere is not None:
        extra_books = describe_extra(plan, elsewhere, reporter)
        task = task.with_extra(elsewhere, [text_table(book) for book in extra_books])
    config = with_measured_baseline(plan.config, task)
    with reporter.bar(plan_units(task, config, plan.seeds)) as advance:
        runs = run_experiment(
            task,
            config,
            plan.seeds,
            work=work,
            cache=open_encoder_cache(plan),
            advance=advance,
        )
    seconds["train and evaluate"] = sum(run.seconds for run in runs)
    context = ResultContext(
        plan.dataset,
        store,
        codebook,
        protocol.name,
        config,
        plan.command,
        seconds,
        plan.unseen_clips,
        plan.descriptions,
        extra_books,
    )
    return Measured(task, runs, codebook, build_result(task, runs, context))


def discard_prepared(work: Path) -> None:
    """Remove prepared clips, which are as large as the dataset and made again within minutes."""
    for path in work.glob("prepared-*.npy"):
        # A mapped file may refuse to go.
        with contextlib.suppress(OSError):
            path.unlink()


def open_encoder_cache(plan: Plan) -> EncoderCache | None:
    """The shared folder of trained encoders that `plan` names, if it names one."""
    return EncoderCache(plan.encoder_cache) if plan.encoder_cache is not None else None


def prepare_source(
    store: ClipStore | FeatureStore, plan: Plan, work: Path, reporter: Reporter
) -> tuple[PreparedClips | PreparedFeatures, ExtraClasses | None]:
    """Clips of one form, mapped from a file in `work`, or the features as they are.

    With ``plan.extra`` clips from elsewhere stand behind the dataset's own, and the second value
    tells which.
    """
    if isinstance(store, FeatureStore):
        if plan.extra:
            raise ConfigError("--extra needs clips to learn from (--data), not features")
        return store.prepared(), None
    with reporter.count("preparing clips") as progress:
        clips = prepare_clips(store, frames=plan.config.frames, cache=work, progress=progress)
    return gather_extra(clips, plan, work, reporter) if plan.extra else (clips, None)


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


def _check_sides(plan: Plan) -> None:
    """Refuse at once what could only fail after the reading of all files."""
    for side, names in (("seen", plan.split.seen), ("unseen", plan.split.unseen)):
        if plan.descriptions.best is not None and len(names) < 2:
            raise ConfigError(
                "--best-descriptions tells classes apart: expected at least two "
                f"{side} classes in split {plan.split.id!r}, got {len(names)}"
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
        gamma=entry.calibration.gamma,
        persons=clips.keypoints.shape[1],
        text_encoder=locate_text_encoder(plan.text_encoder),
        text_encoder_id=codebook.encoder_id,
        descriptions=plan.descriptions,
        about={
            "dataset": plan.dataset.name,
            "split": plan.split.id,
            "split_hash": plan.split.hash,
            "codebook_hash": codebook.hash,
            "seed": first.seed,
            "selection": plan.config.selection,
            # Gamma holds for the run's own names: the lead depends on which names compete.
            "relative_gamma": entry.calibration.relative_gamma,
            "lead": entry.calibration.lead,
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
        f"- text: {result['text']['choice']['summary']}",
        f"- selection rule: {result['selection']['rule']}; this model is seed {first['seed']}",
        f"- ZSL top-1 of this seed {100 * first['zsl']['top1']:.1f} %{mark}, mean of all seeds "
        f"{100 * mean['zsl.top1']:.1f} %{mark} (chance {100 * result['chance']['zsl']:.1f} %)",
        f"- unseen classes it was tested on: {', '.join(result['split']['unseen'])}",
        "",
        "Load it with `infocpl.training.pretrained.ZeroShotModel.from_pretrained(folder)` or name",
        'clips with `infocpl predict FILE --model DIR --labels "one action, another action"`.',
        "",
    ]
    if extra := result["extra"]:
        told = f"{extra['clips']} clips of {len(extra['classes'])} classes of {extra['source']}"
        lines.insert(3, f"- learned besides: {told}")
    if mark:
        lines += ["† chosen on the unseen test clips: an upper bound, not a measurement", ""]
    return "\n".join(lines)
