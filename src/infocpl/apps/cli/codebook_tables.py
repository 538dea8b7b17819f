"""Tables of ``infocpl codebook`` and ``infocpl ablate`` on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from infocpl.apps.cli.tables import create_console
from infocpl.apps.report.codebook_page import quality_notes, quality_rows
from infocpl.evaluation.ablation import ABLATION_METHODS
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.traits import TRAIT_DIMENSIONS

__all__ = [
    "class_facts",
    "print_ablation",
    "print_book_difference",
    "print_class",
    "print_class_difference",
    "print_classes",
    "print_quality",
]


def class_facts(book: Codebook, name: str, granularities: Sequence[str]) -> dict[str, Any]:
    """All that a codebook says of a class, as plain JSON values."""
    c = book.labels.index(name)
    wanted = tuple(granularities)
    return {
        "class": name,
        "source": book.sources[c],
        "motion": book.motion_texts[c],
        "traits": [
            dimension.replace(".", " ") if "." in dimension else f"{dimension} {value:.2g}"
            for dimension, value in zip(TRAIT_DIMENSIONS, book.traits[c], strict=True)
            if value > 0
        ],
        "rows": [
            {
                "granularity": row.granularity,
                "key": row.key,
                "weight": round(float(book.weights[c, k]), 4),
                "text": row.text,
            }
            for k, row in enumerate(book.rows[c])
            if not wanted or row.granularity in wanted
        ],
    }


def print_classes(book: Codebook, folder: Path) -> None:
    """One line a class."""
    console = create_console()
    table = Table()
    table.add_column("class")
    table.add_column("source")
    table.add_column("descriptions", justify="right")
    table.add_column("motion description", overflow="fold")
    for c, name in enumerate(book.labels):
        motion = escape(book.motion_texts[c])
        table.add_row(escape(name), book.sources[c], str(len(book.rows[c])), motion)
    weighed = "" if book.temperature is None else f", weighed at {book.temperature:g}"
    console.print(
        f"{folder}: {len(book)} classes, {book.encoder_id}, {book.dim} numbers a row{weighed}",
        markup=False,
        soft_wrap=True,
    )
    console.print(table)


def print_class(facts: Mapping[str, Any]) -> None:
    """Rows of a class from :func:`class_facts`."""
    console = create_console()
    console.print(f"{facts['class']} ({facts['source']})", markup=False, soft_wrap=True)
    console.print(f"motion: {facts['motion']}", markup=False, soft_wrap=True)
    if facts["traits"]:
        console.print(f"traits: {', '.join(facts['traits'])}", markup=False, soft_wrap=True)
    table = Table()
    table.add_column("kind")
    table.add_column("key", overflow="fold", max_width=28)
    table.add_column("weight", justify="right")
    table.add_column("sentence", overflow="fold")
    for row in facts["rows"]:
        table.add_row(
            row["granularity"], escape(row["key"]), f"{row['weight']:.2f}", escape(row["text"])
        )
    console.print(table)


def print_class_difference(found: Mapping[str, Any]) -> None:
    """What :func:`infocpl.semantics.compare.compare_classes` found."""
    console = create_console()
    one, other = found["classes"]

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    say(
        f"{one} and {other}: cosine {found['cosine']:.3f}, {found['cosine_centred']:.3f} once "
        "what all classes share is removed"
    )
    if found["traits"] is not None:
        say(f"only {one}: {', '.join(found['traits']['first']) or 'nothing'}")
        say(f"only {other}: {', '.join(found['traits']['second']) or 'nothing'}")
    say(f"sentences of both ({len(found['shared'])}):")
    for text in found["shared"]:
        say(f"  {text}")
    say("closest sentences of their own:")
    for pair in found["closest"]:
        say(f"  {pair['cosine']:.3f}  {pair['first']}")
        say(f"         {pair['second']}")


def print_book_difference(found: Mapping[str, Any]) -> None:
    """What :func:`infocpl.semantics.compare.compare_books` found."""
    console = create_console()
    if found["hashes"][0] == found["hashes"][1]:
        console.print("the same names, texts, traits and text encoder")
        return
    if found["encoders"][0] != found["encoders"][1]:
        text = f"text encoders differ: {' and '.join(found['encoders'])}"
        console.print(text, markup=False, soft_wrap=True)
    for key, which in (("only_first", "first"), ("only_second", "second")):
        if found[key]:
            text = f"only in the {which}: {', '.join(found[key])}"
            console.print(text, markup=False, soft_wrap=True)
    table = Table()
    table.add_column("class")
    for title in ("first", "second", "shared", "motion", "cosine"):
        table.add_column(title, justify="right")
    for row in found["classes"]:
        first, second = row["descriptions"]
        cosine = "" if row["cosine"] is None else f"{row['cosine']:.3f}"
        motion = "same" if row["motion"] else "differs"
        table.add_row(
            escape(row["name"]), str(first), str(second), str(row["shared"]), motion, cosine
        )
    console.print(table)


def print_quality(
    quality: Mapping[str, Any], agreement: Mapping[str, Any] | None, report: Path | None
) -> None:
    """The quality table, its notes, what is wrong, and where the report lies."""
    console = create_console()
    sentences = quality["sentences"]
    table = Table(
        title=f"{len(quality['classes'])} classes, {sentences['least']} to {sentences['most']} "
        "descriptions each: back to its class (percent)",
        title_justify="left",
    )
    table.add_column("held out")
    for title in ("by class mean", "by nearest row", "rows"):
        table.add_column(title, justify="right")
    for row in quality_rows(quality):
        table.add_row(row["title"], row["by_mean"], row["by_row"], row["rows"])
    console.print(table)
    for note in quality_notes(quality, agreement):
        console.print(note, markup=False, soft_wrap=True)
    if quality["name_only"]:
        text = f"only the name is known of {', '.join(quality['name_only'])}"
        console.print(text, markup=False, soft_wrap=True)
    for pair in quality["repeats"]:
        for text in (f"{pair['cosine']:.3f} in {pair['class']}:", pair["first"], pair["second"]):
            console.print(text, markup=False, soft_wrap=True)
    if report is not None:
        console.print(f"report: {report.resolve()}", markup=False, soft_wrap=True)


def print_ablation(result: Mapping[str, Any], out: Path) -> None:
    """A row for every way of describing, a column for every method."""
    console = create_console()
    encoders = dict.fromkeys(row["text_encoder"] for row in result["rows"])
    held = dict.fromkeys(len(fold["held_out"]) for fold in result["folds"])
    table = Table(
        title=f"{result['split']['id']}: accuracy among {', '.join(map(str, held))} pseudo-unseen "
        f"of {len(result['seen'])} seen classes (percent)",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("descriptions")
    if len(encoders) > 1:
        table.add_column("text encoder")
    table.add_column("a class", justify="right")
    for method in ABLATION_METHODS:
        table.add_column({"ridge": "Ridge", "infocpl": "InfoCPL"}[method], justify="right")
        table.add_column("gain", justify="right")
    for row in result["rows"]:
        cells = [row["title"]]
        cells += [row["text_encoder"]] if len(encoders) > 1 else []
        cells.append(f"{row['descriptions']:.0f}")
        for method in ABLATION_METHODS:
            cells += [_accuracy(row[method], ""), _accuracy(row[method]["gain"], "+")]
        table.add_row(*map(escape, cells))
    table.caption = "\n".join(
        [
            f"chance {100 * result['chance']:.1f}; seeds {', '.join(map(str, result['seeds']))}, "
            f"{len(result['folds'])} folds, mean ± sd over seeds",
            f"gain: difference to {result['reference']['title']!r} within a seed",
            "no clip and no text of an unseen class was used",
        ]
    )
    console.print(table)
    console.print(f"result: {out / 'ablation.json'}", markup=False, soft_wrap=True)


def _accuracy(found: Mapping[str, Any], sign: str) -> str:
    spread = "" if found["sd"] is None else f" ± {100 * found['sd']:.1f}"
    return f"{100 * found['mean']:{sign}.1f}{spread}"
