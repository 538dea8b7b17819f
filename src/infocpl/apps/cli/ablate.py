"""``infocpl ablate``: what descriptions are worth, judged on seen classes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from infocpl.apps.cli.codebook_commands import Ablate
from infocpl.errors import ConfigError

if TYPE_CHECKING:
    from infocpl.apps.ablation import AblationPlan

__all__ = ["run_ablate"]


def run_ablate(options: Ablate, typed: str) -> int:
    """Check everything that can be checked without work, then work."""
    if options.seeds < 1:
        raise ConfigError(f"--seeds must be at least 1, got {options.seeds}")
    if options.threads is not None and options.threads < 1:
        raise ConfigError(f"--threads must be at least 1, got {options.threads}")
    if not options.text_encoders:
        raise ConfigError("--text-encoders needs at least one text encoder")
    plan = _plan(options, typed)
    if not (options.data / "manifest.json").is_file():
        # A clear word about missing files before anything is written.
        plan.dataset.files(options.data)
    from infocpl.apps.ablation import ablate
    from infocpl.apps.cli.codebook_tables import print_ablation
    from infocpl.apps.progress import Reporter

    if options.threads is not None:
        import torch

        torch.set_num_threads(options.threads)
    result = ablate(plan, Reporter(), resume=options.resume)
    print_ablation(result, options.out)
    return 0


def _plan(options: Ablate, typed: str) -> AblationPlan:
    from infocpl.apps.ablation import AblationPlan
    from infocpl.data import create_dataset, load_split
    from infocpl.evaluation.ablation import DEFAULT_ROWS
    from infocpl.evaluation.config import create_preset

    known = {row.title: row for row in DEFAULT_ROWS}
    unknown = [title for title in options.rows if title not in known]
    if unknown:
        raise ConfigError(f"--rows: expected some of {', '.join(known)}, got {unknown[0]!r}")
    dataset = create_dataset(options.dataset)
    split = load_split(dataset, options.split)
    config = create_preset(options.preset)
    if options.epochs is not None:
        fit = dataclasses.replace(config.encoder.fit, epochs=options.epochs)
        config = dataclasses.replace(config, encoder=dataclasses.replace(config.encoder, fit=fit))
    if options.folds is not None:
        config = dataclasses.replace(config, folds=options.folds)
    return AblationPlan(
        dataset=dataset,
        split=split,
        protocol=dataset.protocol(options.protocol).name,
        source=options.data,
        out=options.out,
        config=config,
        seeds=tuple(range(options.seeds)),
        command=typed,
        encoder_cache=options.encoder_cache,
        text_encoders=tuple(dict.fromkeys(options.text_encoders)),
        rows=tuple(row for title, row in known.items() if title in (options.rows or known)),
    )
