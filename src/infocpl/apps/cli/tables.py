"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from infocpl.apps.predict import Prediction
    from infocpl.semantics import Described

__all__ = ["create_console", "print_described", "print_predictions", "print_result"]

_COLUMNS = (
    ("ZSL top-1", "zsl.top1"),
    ("top-5", "zsl.top5"),
    ("class mean", "zsl.per_class_mean"),
    ("S", "gzsl.seen"),
    ("U", "gzsl.unseen"),
    ("H", "gzsl.harmonic"),
    ("AUSUC", "gzsl.ausuc"),
)


def create_console() -> Console:
    """A console that folds tables to a terminal, and not to a pipe."""
    console = Console(highlight=False)
    if not console.is_terminal:
        # A log or a pipe has no width; a table must not be folded for it.
        console = Console(highlight=False, width=140)
    return console


def print_result(result: dict[str, Any], out: Path) -> None:
    """The table of methods, its conditions, and where the report lies."""
    console = create_console()
    oracle = result["selection"]["oracle"]
    mark = " †" if oracle else ""
    table = Table(title=_title(result), title_justify="left", caption_justify="left")
    table.add_column("method")
    for title, _ in _COLUMNS:
        table.add_column(title, justify="right")
    for method in result["methods"].values():
        cells = [_cell(method["mean"].get(key), method["sd"].get(key), mark) for _, key in _COLUMNS]
        table.add_row(method["title"], *cells)
        if peeked := method.get("oracle"):
            cells = [_cell(peeked["mean"].get(key), None, " †") for _, key in _COLUMNS]
            table.add_row("  chosen on test clips", *cells, style="dim")
        if together := method.get("transductive"):
            spread = together["sd"]
            cells = [_cell(together["mean"].get(k), spread.get(k), " ‡") for _, k in _COLUMNS]
            table.add_row("  all clips named together", *cells, style="dim")
    table.add_row("chance", f"{100 * result['chance']['zsl']:.1f}", *[""] * (len(_COLUMNS) - 1))
    for row in result["published"]:
        table.add_row(
            f"{row['method']} (published)", f"{100 * row['top1']:.1f}", *[""] * (len(_COLUMNS) - 1)
        )
    table.caption = _caption(result)
    console.print(table)
    if any("gate.harmonic" in method["mean"] for method in result["methods"].values()):
        console.print(_gate_table(result))
    if all("paired" in method for method in result["methods"].values()):
        console.print(_differences(result))
    console.print(f"result: {out / 'result.json'}", soft_wrap=True)
    if (out / "model").is_dir():
        console.print(f"model:  {out / 'model'}", soft_wrap=True)
    console.print(f"report: {(out / 'report.html').resolve()}", soft_wrap=True)


def _gate_table(result: dict[str, Any]) -> Table:
    """S, U and H where a gate decides between seen and unseen, instead of gamma."""
    table = Table(title="behind a seen/unseen gate instead of gamma", title_justify="left")
    table.add_column("method")
    columns = [(title, key.replace("gzsl", "gate")) for title, key in _COLUMNS if "gzsl" in key]
    for title, _ in columns:
        table.add_column(title, justify="right")
    for method in result["methods"].values():
        cells = [_cell(method["mean"].get(key), method["sd"].get(key), "") for _, key in columns]
        table.add_row(method["title"], *cells)
    return table


def _differences(result: dict[str, Any]) -> Table:
    """What is sure of the first column: intervals, and how far the reference is ahead."""
    methods = result["methods"]
    table = Table(
        title="ZSL top-1: 95 % intervals by unseen class and clip (percent)",
        title_justify="left",
        caption="bootstrap, 2000 draws; differences are paired: same clips, features and seeds",
        caption_justify="left",
    )
    table.add_column("method")
    table.add_column("top-1, interval", justify="right")
    table.add_column(f"{methods['infocpl']['title']} minus it, interval", justify="right")
    for method in methods.values():
        span = method["interval"]["zsl.top1.class and clip"]
        cells = [_span(method["mean"]["zsl.top1"], span, signed=False)]
        if paired := method["paired"]:
            cells.append(_span(paired["zsl.top1"]["mean"], paired["zsl.top1"], signed=True))
        table.add_row(method["title"], *cells)
    return table


def _span(mean: float, interval: dict[str, Any], *, signed: bool) -> str:
    sign = "+" if signed else ""
    low, high = 100 * interval["low"], 100 * interval["high"]
    return f"{100 * mean:{sign}.1f} ({low:{sign}.1f} to {high:{sign}.1f})"


def _title(result: dict[str, Any]) -> str:
    split = result["split"]
    return (
        f"{result['dataset']['title']}, split {split['id']}: {len(split['seen'])} seen, "
        f"{len(split['unseen'])} unseen classes (percent)"
    )


def _caption(result: dict[str, Any]) -> str:
    rule = result["selection"]["rule"]
    count = result["features"].get("measures")
    measured = f" and {count} measures" if count else ""
    lines = [
        f"split family {result['split']['family']}; features {result['features']['encoder']} "
        f"({result['features']['dim']}-d){measured}, protocol {result['protocol']['name']}",
        f"text {result['text']['encoder']} ({result['text']['dim']}-d), "
        f"{result['text']['descriptions']:.0f} descriptions a class",
        f"selection {rule}; seeds {', '.join(map(str, result['seeds']))}; mean ± sd over seeds",
    ]
    if chosen := result["selection"].get("chosen"):
        lines.append(f"{chosen['summary']}; among {', '.join(chosen['among'])}, on folds alone")
    choice = result["text"].get("choice", {})  # older results have none
    if any(choice.get(name) is not None for name in ("count", "best", "temperature")):
        lines.append(choice["summary"])
    if extra := result.get("extra"):
        lines.append(
            f"learned besides: {extra['clips']} clips of {len(extra['classes'])} classes of "
            f"{extra['source']}; {len(extra['left_out'])} left out that would show an unseen class"
        )
    if any(m.get("oracle") for m in result["methods"].values()):
        lines.append(
            "† chosen on the unseen test clips, as published work does: an upper bound; the "
            "honest numbers above it do not use them"
        )
    if any(m.get("transductive") for m in result["methods"].values()):
        lines.append("‡ transductive: scores refined on all unlabelled unseen clips together")
    if result["selection"]["oracle"]:
        lines.append("† chosen on the unseen test clips: an upper bound, not a measurement")
    if warning := result["features"].get("warning"):
        lines.append(warning)
    if caveat := result["selection"].get("caveat"):
        lines.append(caveat)
    if result["published"]:
        lines.append("published rows use other features, text and selection rules")
    return "\n".join(lines)


def _cell(mean: float | None, sd: float | None, mark: str) -> str:
    if mean is None:
        return ""
    spread = f" ± {100 * sd:.1f}" if sd is not None else ""
    return f"{100 * mean:.1f}{spread}{mark}"


def print_predictions(found: Sequence[Prediction], *, top: int, explain: bool) -> None:
    """Ranked names a file, and the reasons if wanted."""
    console = create_console()
    for prediction in found:
        people = "person" if prediction.persons == 1 else "persons"
        # Not as the title of the table, which would fold a path to the table's width.
        console.print(
            f"{prediction.path} ({prediction.layout}, {prediction.frames} frames, "
            f"{prediction.persons} {people})",
            markup=False,
            soft_wrap=True,
        )
        table = Table()
        table.add_column("rank", justify="right")
        table.add_column("name")
        table.add_column("share", justify="right")
        table.add_column("described by")
        for rank, (name, share) in enumerate(prediction.ranked[:top], start=1):
            source = escape(prediction.sources[name])
            table.add_row(str(rank), escape(name), f"{100 * share:.1f} %", source)
        console.print(table)
        if explain:
            for head in prediction.heads:
                best = head["believed"][0]
                console.print(
                    f"  head k={head['k']}: {best['text']} ({best['granularity']}, "
                    f"weight {best['weight']:.2f})",
                    markup=False,
                    soft_wrap=True,
                )
            if prediction.traits:
                told = ", ".join(f"{t['name']} {t['agreement']:+.2f}" for t in prediction.traits)
                console.print(f"  measured traits that agree: {told}", soft_wrap=True)


def print_described(described: Sequence[Described]) -> None:
    """What each name was taken for, how sure that is, and how its words were read."""
    table = Table()
    table.add_column("name")
    table.add_column("described by")
    table.add_column("read as", overflow="fold")
    for item in described:
        read = item.reading.explain() if item.reading is not None else "known to a lexicon"
        table.add_row(escape(item.name), escape(item.source), escape(read))
    create_console().print(table)
