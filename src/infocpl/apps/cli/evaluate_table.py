"""The tables of ``infocpl evaluate`` on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from infocpl.apps.cli.tables import create_console
from infocpl.data import Dataset, Split
from infocpl.training.pretrained import ZeroShotModel

__all__ = ["print_measured"]

_COLUMNS = (("ZSL top-1", "top1"), ("top-5", "top5"), ("class mean", "per_class_mean"))


def print_measured(
    numbers: Mapping[str, Any], model: ZeroShotModel, dataset: Dataset, split: Split
) -> None:
    """Accuracy of a model, under what conditions, and the recall of every unseen class.

    Parameters
    ----------
    numbers : from :func:`infocpl.evaluation.evaluate.evaluate_model`
    model, dataset, split : what it measured
    """
    console = create_console()
    # Numbers of a model that was chosen on test clips stay marked, wherever they are measured.
    mark = " †" if model.about.get("selection") == "oracle" else ""
    # Not as title and caption, which would be folded to the width of a narrow table.
    console.print(
        f"{dataset.title}, split {split.id}: {len(split.unseen)} unseen classes, "
        f"{numbers['clips']} clips (percent)",
        markup=False,
        soft_wrap=True,
    )
    table = Table()
    table.add_column("method")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    table.add_row("InfoCPL", *(_percent(numbers["zsl"][key]) + mark for _, key in _COLUMNS))
    chance = [_percent(numbers["chance"]), *[""] * (len(_COLUMNS) - 1)]
    table.add_row("chance", *chance)
    console.print(table)
    for line in _conditions(model, split, str(numbers["text_encoder"])):
        console.print(line, markup=False, soft_wrap=True)
    classes = Table()
    classes.add_column("unseen class")
    classes.add_column("recall", justify="right")
    for name, recall in numbers["per_class"].items():
        shown = "no clips" if recall is None else _percent(recall) + mark
        classes.add_row(escape(name), shown)
    console.print(classes)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _conditions(model: ZeroShotModel, split: Split, text: str) -> list[str]:
    """What the numbers mean nothing without."""
    about, encoder = model.about, model.encoder
    members = f" x {encoder.config.members}" if encoder.config.members > 1 else ""
    trained = f"{len(model.seen)} classes"
    if about:
        trained += f" of {about['dataset']}, split {about['split']}, seed {about['seed']}"
    measured = " and measured traits" if model.aligner.measured is not None else ""
    lines = [
        f"split family {split.family}; features {encoder.config.name}{members}{measured} on "
        f"{encoder.layout}, {encoder.frames} frames",
        f"text {text}; {model.descriptions.summary}",
        f"model trained on {trained}; its selection: {about.get('selection', 'not known')}",
        "nothing was trained or chosen here; only unseen names compete (S, U, H: infocpl run)",
    ]
    if about.get("selection") == "oracle":
        lines.append("† the model was chosen on unseen test clips: an upper bound")
    return lines
