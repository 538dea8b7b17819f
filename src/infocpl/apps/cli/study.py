"""``infocpl study``: one table over many random splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.table import Table

from infocpl.apps.cli.study_command import Study
from infocpl.apps.cli.tables import create_console
from infocpl.apps.cli.train import (
    check_source,
    create_config,
    plan_options,
    set_threads,
)

__all__ = ["print_study", "run_study_command"]


def run_study_command(options: Study, typed: str) -> int:
    """Check everything that can be checked without work, then work."""
    from infocpl.apps.progress import Reporter
    from infocpl.apps.study import StudyPlan, random_splits, run_study
    from infocpl.data import find_dataset

    dataset = find_dataset(options.dataset)
    splits = random_splits(dataset, options.count, options.unseen)
    # Features whose encoder knew a class that any split calls unseen are refused at once.
    for split in splits:
        source = check_source(options, dataset, split)
    config = create_config(options, dataset)
    set_threads(options.threads)
    plan = StudyPlan(
        split=splits[0],
        splits=splits,
        source=source,
        config=config,
        seeds=(0,),
        **plan_options(options, dataset, typed),
    )
    print_study(run_study(plan, Reporter(), resume=options.resume), options.out)
    return 0


def print_study(study: dict[str, Any], out: Path) -> None:
    """Figures of every method over all splits."""
    console = create_console()
    methods = study["methods"]
    reference = methods[study["reference"]]["title"]
    splits = study["splits"]
    table = Table(
        title=f"{study['dataset']['title']}: ZSL top-1 on {len(splits)} random splits, "
        f"{len(splits[0]['unseen'])} unseen classes each (percent)",
        title_justify="left",
        caption=f"chance {100 * splits[0]['chance']:.1f}; mean ± sd over splits; "
        f"selection {study['selection']}" + (f"\n{study['chosen']}" if "chosen" in study else ""),
        caption_justify="left",
    )
    table.add_column("method")
    for title in ("mean", "quartiles", "range", f"{reference} minus it", "splits ahead"):
        table.add_column(title, justify="right")
    for method in methods.values():
        found, behind = method["top1"], method["behind"]
        cells = [
            _mean(found, ""),
            " / ".join(f"{100 * value:.1f}" for value in found["quartiles"]),
            f"{100 * found['least']:.1f} to {100 * found['most']:.1f}",
        ]
        if behind is not None:
            cells += [_mean(behind, "+"), f"{behind['wins']} of {len(splits)}"]
        table.add_row(method["title"], *cells)
    console.print(table)
    console.print(f"study:  {out / 'study.json'}", soft_wrap=True)
    console.print(f"page:   {(out / 'study.html').resolve()}", soft_wrap=True)


def _mean(figures: dict[str, Any], sign: str) -> str:
    spread = "" if figures["sd"] is None else f" ± {100 * figures['sd']:.1f}"
    return f"{100 * figures['mean']:{sign}.1f}{spread}"
