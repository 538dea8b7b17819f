"""``infocpl run`` and ``infocpl demo``."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infocpl.apps.cli.commands import Demo, Run
from infocpl.apps.cli.run_options import RunOptions, choose_descriptions
from infocpl.apps.cli.tables import print_result
from infocpl.data.dataset import Dataset
from infocpl.data.splits import Split
from infocpl.errors import ConfigError, OutputExistsError

if TYPE_CHECKING:
    from infocpl.evaluation.config import ExperimentConfig

__all__ = [
    "check_source",
    "create_config",
    "plan_options",
    "run_demo",
    "run_run",
    "set_threads",
]


def run_run(options: Run, typed: str) -> int:
    """Check everything that can be checked without work, then work."""
    if options.seeds < 1:
        raise ConfigError(f"--seeds must be at least 1, got {options.seeds}")
    from infocpl.data import find_dataset, load_split

    # Descriptions that cannot be are refused before anything is read.
    choose_descriptions(options)
    dataset = find_dataset(options.dataset)
    split = load_split(dataset, options.split)
    source = check_source(options, dataset, split)
    config = create_config(options, dataset, selection=options.selection)
    from infocpl.apps.pipeline import Plan, run_pipeline
    from infocpl.apps.progress import Reporter

    set_threads(options.threads)
    shared = plan_options(options, dataset, typed)
    plan = Plan(
        split=split,
        source=source,
        config=config,
        seeds=tuple(range(options.seeds)),
        **shared,
    )
    result = run_pipeline(plan, Reporter(), resume=options.resume)
    print_result(result, options.out)
    return 0


def plan_options(options: RunOptions, dataset: Dataset, typed: str) -> dict[str, Any]:
    """Fields of a plan that ``run`` and ``study`` read off the same options.

    Raises
    ------
    ConfigError, SemanticsError : if descriptions, lexicons or extra sources cannot be what was
        asked for
    """
    from infocpl.semantics import load_lexicon

    if () in options.extra:
        raise ConfigError("--extra: expected `synthetic` or stores of other datasets, got nothing")
    return {
        "dataset": dataset,
        "protocol": options.protocol or "",
        "out": options.out,
        "text_encoder": options.text_encoder,
        "descriptions": choose_descriptions(options),
        "lexicons": tuple(map(load_lexicon, options.lexicon)),
        "command": typed,
        "unseen_clips": options.unseen_clips,
        "workers": options.workers,
        "encoder_cache": options.encoder_cache,
        "extra": tuple(source for group in options.extra for source in group),
        "extra_clips": options.extra_clips,
    }


def create_config(
    options: RunOptions, dataset: Dataset, *, selection: str = "pseudo-unseen"
) -> ExperimentConfig:
    """The preset with what was asked for on top.

    Raises
    ------
    ConfigError : if an encoder, a variant or a number does not exist or does not fit
    """
    from infocpl.encoders.registry import encoder_config
    from infocpl.evaluation.config import create_preset
    from infocpl.evaluation.variants import NEED_CLIPS, possible_variants

    config = create_preset(options.preset)
    encoder = config.encoder
    if options.encoder is not None:
        encoder_config(options.encoder, dataset.layout)
        encoder = dataclasses.replace(encoder, name=options.encoder)
    if options.epochs is not None:
        encoder = dataclasses.replace(
            encoder, fit=dataclasses.replace(encoder.fit, epochs=options.epochs)
        )
    if options.joint is not None:
        encoder = dataclasses.replace(encoder, text_weight=options.joint)
    if options.members is not None:
        encoder = dataclasses.replace(encoder, members=options.members)
    if not options.measures:
        alignment = dataclasses.replace(config.alignment, measured_weight=0.0)
        config = dataclasses.replace(config, alignment=alignment)
    variants = options.variants
    if "all" in variants:
        clips = options.features is None
        variants = possible_variants(config.alignment, selection, clips=clips)
    elif options.features is not None:
        for option, names in (("variants", variants), ("choose", options.choose or ())):
            for name in NEED_CLIPS:
                if name in names:
                    raise ConfigError(f"--{option} {name} looks at clips and needs --data")
    return dataclasses.replace(
        config,
        encoder=encoder,
        selection=selection,
        folds=config.folds if options.folds is None else options.folds,
        variants=variants,
        choose=options.choose,
        with_oracle=options.with_oracle,
        transductive=options.transductive,
    )


def set_threads(threads: int | None) -> None:
    """Processor threads of everything that follows; None for as many as there are."""
    if threads is not None:
        import torch

        torch.set_num_threads(threads)


def check_source(options: RunOptions, dataset: Dataset, split: Split) -> Path:
    """A clear word about missing files and protocols before anything is written."""
    from infocpl.data import FeatureStore, is_store, open_store
    from infocpl.data.labelled import FILE_PROTOCOL
    from infocpl.data.sources import open_source
    from infocpl.training.stages import forbid_classes

    if (options.data is None) == (options.features is None):
        raise ConfigError("run needs --data or --features, and not both")
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"--threads must be at least 1, got {options.threads}")
    if options.workers < 1:
        raise ConfigError(f"--workers must be at least 1, got {options.workers}")
    if options.features is not None:
        store = FeatureStore.open(options.features)
        store.protocol(options.protocol)
        declared = store.encoder.training_classes or ()
        forbid_classes(declared, split.unseen, "encoder of the precomputed features")
        return options.features
    source = Path(options.data or "")
    if is_store(source):
        clips = open_store(source)
        if isinstance(clips, FeatureStore):
            raise ConfigError(f"{source} holds features, not clips: give it with --features")
        clips.protocol(options.protocol)
        return source
    if options.protocol not in (None, FILE_PROTOCOL, *dataset.protocol_files):
        dataset.protocol(options.protocol)
    open_source(dataset, source)
    return source


def run_demo(options: Demo, typed: str) -> int:
    """Generate actions as real NTU files, then do what ``run`` does."""
    if options.subjects < 9:
        raise ConfigError(
            f"--subjects must be at least 9 (the first 8 train, the others test), "
            f"got {options.subjects}"
        )
    from infocpl.data import create_dataset, load_split

    dataset = create_dataset("synthetic")
    split = load_split(dataset, options.split)
    if options.overwrite:
        _clear(options.out)
    from infocpl.apps.pipeline import Plan, open_output, run_pipeline
    from infocpl.apps.progress import Reporter
    from infocpl.evaluation.config import create_preset
    from infocpl.skeleton.synthetic import generate_dataset

    plan = Plan(
        dataset=dataset,
        split=split,
        protocol="",
        source=options.out / "work" / "skeletons",
        out=options.out,
        config=create_preset("fast"),
        seeds=(options.seed,),
        command=typed,
    )
    reporter = Reporter()
    open_output(plan, resume=options.resume)
    if not plan.source.is_dir():
        with reporter.count("generating actions") as progress:
            generate_dataset(
                plan.source, subjects=options.subjects, seed=options.seed, progress=progress
            )
    result = run_pipeline(plan, reporter, resume=True)
    print_result(result, options.out)
    return 0


def _clear(out: Path) -> None:
    """Remove an earlier demo, and nothing that is not one."""
    if not out.exists():
        return
    if not out.is_dir() or (any(out.iterdir()) and not (out / "run.json").is_file()):
        raise OutputExistsError(f"{out} does not hold an infocpl run; nothing was removed")
    shutil.rmtree(out)
