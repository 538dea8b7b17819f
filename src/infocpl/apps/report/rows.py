"""The rows of the report's tables: methods, classes, seeds, what was selected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infocpl.apps.report.player import need, number, optional, percent
from infocpl.apps.report.series import drawn_methods
from infocpl.apps.report.words import chance_of, plain

__all__ = [
    "COLUMNS",
    "difference_rows",
    "method_rows",
    "recall_rows",
    "seed_rows",
    "selection_rows",
]

COLUMNS = (
    ("zsl.top1", "Top-1", "top1"),
    ("zsl.top5", "Top-5", "top5"),
    ("zsl.per_class_mean", "Class mean", "per_class_mean"),
    ("gzsl.seen", "S", "seen"),
    ("gzsl.unseen", "U", "unseen"),
    ("gzsl.harmonic", "H", "harmonic"),
    ("gzsl.ausuc", "AUSUC", "ausuc"),
)
"""Key in ``mean`` and ``sd``, heading, key in a published row."""


def method_rows(result: Mapping[str, Any], *, oracle: bool) -> list[dict[str, Any]]:
    """Rows of the table of methods: own methods, oracle variants, published, chance."""
    methods, drawn = result["methods"], list(drawn_methods(result))
    best = {key: _best([m["mean"].get(key) for m in methods.values()]) for key, _, _ in COLUMNS}
    rows: list[dict[str, Any]] = []
    for name, method in methods.items():
        mean, where = method["mean"], f"result.methods.{name}"
        sd = optional(method, "sd", dict, where)
        spans = optional(method, "interval", dict, where)
        cells = []
        for key, _, _ in COLUMNS:
            found = number(mean.get(key))
            top = found is not None and found == best[key]
            span = _interval(spans.get(key), f"{where}.interval.{key}")
            cells.append(_cell(found, sd.get(key), best=top, mark=oracle, interval=span))
        # The colour is the one that the figures draw the method in.
        series = drawn.index(name) if name in drawn else None
        rows.append(_row("method", method["title"], "", cells) | {"series": series})
        peeked = optional(method, "oracle", dict, where)
        if peeked:
            upper = need(peeked, "mean", dict, f"{where}.oracle")
            cells = [_cell(upper.get(key), mark=True) for key, _, _ in COLUMNS]
            rows.append(_row("oracle", method["title"], "", cells))
        together = optional(method, "transductive", dict, where)
        if together:
            found = need(together, "mean", dict, f"{where}.transductive")
            spread = optional(together, "sd", dict, f"{where}.transductive")
            cells = [_cell(found.get(key), spread.get(key)) for key, _, _ in COLUMNS]
            rows.append(_row("transductive", method["title"], "", cells))
    for place, entry in enumerate(optional(result, "published", list, "result")):
        where = f"result.published[{place}]"
        need(entry, "top1", int, where)
        cells = [_cell(entry.get(short)) for _, _, short in COLUMNS]
        title = need(entry, "method", str, where)
        rows.append(_row("published", title, plain(entry.get("source")), cells))
    chance = chance_of(result)
    if chance is not None:
        cells = [_cell(chance if key == "zsl.top1" else None) for key, _, _ in COLUMNS]
        rows.append(_row("chance", "Chance", "a name drawn at random", cells))
    return rows


def _best(values: list[Any]) -> float | None:
    """Return the largest number, or None where there is nothing to choose between."""
    found = {value for value in map(number, values) if value is not None}
    return max(found) if len(found) > 1 else None


def _row(kind: str, title: str, note: str, cells: list[dict[str, Any]]) -> dict[str, Any]:
    return {"kind": kind, "title": title, "note": note, "cells": cells}


def _cell(
    value: Any,
    sd: Any = None,
    *,
    best: bool = False,
    mark: bool = False,
    interval: dict[str, str] | None = None,
) -> dict[str, Any]:
    found = number(value)
    return {
        "text": percent(found),
        "sd": "" if number(sd) is None or found is None else percent(sd),
        "best": best,
        "mark": "†" if mark and found is not None else "",
        "interval": interval,
    }


def _interval(value: Any, where: str) -> dict[str, str] | None:
    if value is None:
        return None
    low, high = need(value, "low", int, where), need(value, "high", int, where)
    return {"low": percent(low), "high": percent(high), "by": plain(value.get("by", "clip"))}


def difference_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """How far a reference is ahead of each method in top-1, in percent with an interval.

    Raises
    ------
    DataError : names the method and what is wrong
    """
    rows = []
    for name, method in result["methods"].items():
        where = f"result.methods.{name}.paired"
        paired = optional(method, "paired", dict, f"result.methods.{name}")
        if not paired:
            continue
        found = need(paired, "zsl.top1", dict, where)
        reference = need(paired, "reference", str, where)
        values = {
            key: f"{100 * need(found, key, int, f'{where}.zsl.top1'):+.1f}"
            for key in ("mean", "low", "high")
        }
        titles = result["methods"].get(reference, {})
        rows.append(
            {"title": method["title"], "reference": titles.get("title", reference), **values}
        )
    return rows


def recall_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For every class the recall of each method; the first method gives bar and order."""
    rows: dict[str, dict[str, Any]] = {}
    for place, (name, method) in enumerate(drawn_methods(result).items()):
        where = f"result.methods.{name}.per_class"
        table = optional(method, "per_class", dict, f"result.methods.{name}")
        for label in table:
            entry = need(table, label, dict, where)
            # A class without clips has no recall; it stands last and without a bar.
            known = "recall" not in entry or entry["recall"] is not None
            recall = float(need(entry, "recall", int, f"{where}.{label}")) if known else None
            row = rows.setdefault(label, {"label": label, "clips": None, "methods": []})
            row["clips"] = row["clips"] or entry.get("clips")
            row["methods"].append(
                {
                    "title": method["title"],
                    "series": place,
                    "first": place == 0,
                    "percent": percent(recall),
                    "width": f"{100 * min(max(recall or 0.0, 0.0), 1.0):.2f}",
                    "value": -1.0 if recall is None else recall,
                }
            )
    return sorted(rows.values(), key=lambda row: (-row["methods"][0]["value"], row["label"]))


def seed_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each seed of each method measured and chose."""
    rows = []
    for name, method in result["methods"].items():
        where = f"result.methods.{name}"
        for place, run in enumerate(optional(method, "per_seed", list, where)):
            at = f"{where}.per_seed[{place}]"
            groups = {
                key: optional(run, key, dict, at) for key in ("zsl", "gzsl", "gate", "selected")
            }
            values = [groups[key.split(".")[0]].get(key.split(".")[1]) for key, _, _ in COLUMNS]
            rows.append(
                {
                    "title": method["title"],
                    "seed": plain(run.get("seed")),
                    "cells": [percent(value) for value in values],
                    "gate": percent(groups["gate"].get("harmonic")),
                    "gamma": plain(groups["gzsl"].get("gamma")),
                    "relative": plain(groups["gzsl"].get("relative_gamma")),
                    "lead": plain(groups["gzsl"].get("lead")),
                    "selected": plain(groups["selected"]),
                }
            )
    return rows


def selection_rows(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What selection held out and chose: a row for every seed, method and fold."""
    rows = []
    for place, seed in enumerate(
        optional(result["selection"], "details", list, "result.selection")
    ):
        where = f"result.selection.details[{place}]"
        for name, choice in optional(seed, "methods", dict, where).items():
            at = f"{where}.methods.{name}"
            for fold, trial in enumerate(optional(choice, "evidence", list, at)):
                tried = optional(trial, "accuracy", dict, f"{at}.evidence[{fold}]")
                rows.append(
                    {
                        "title": _title(result, name),
                        "seed": plain(seed.get("seed")),
                        "fold": str(fold + 1),
                        "held": ", ".join(map(str, trial.get("held_out", []))),
                        "chosen": f"epoch {choice['epoch']}"
                        if choice.get("epoch")
                        else f"penalty {choice.get('alpha', 0):g}",
                        "gamma": plain(trial.get("gamma")),
                        "lead": plain(trial.get("lead")),
                        "tried": [(str(key), percent(value)) for key, value in tried.items()],
                    }
                )
    return rows


def _title(result: Mapping[str, Any], method: str) -> str:
    return str(result["methods"].get(method, {}).get("title", method))
