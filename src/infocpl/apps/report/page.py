"""The report page: check a result, put it in words and tables, write one HTML file."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from infocpl.apps.report.figures import drawn_methods, method_confusions, method_curves
from infocpl.apps.report.player import (
    clip_cards,
    clip_payload,
    need,
    number,
    optional,
    percent,
    script_json,
)
from infocpl.errors import ConfigError, DataError
from infocpl.files import atomic_path

__all__ = ["SCHEMA", "render_report", "write_report"]

SCHEMA = "infocpl-result/1"

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


def write_report(result: Mapping[str, Any], clips: Sequence[Mapping[str, Any]], path: Path) -> Path:
    """Write one self-contained HTML page about a run; it opens from disk without a network.

    Parameters
    ----------
    result : content of ``result.json`` (schema ``infocpl-result/1``). Required are ``dataset``,
        ``split``, ``features``, ``text``, ``selection``, ``seeds`` and at least one method with
        ``mean["zsl.top1"]``; what else is missing is left out of the page
    clips : for every player ``name``, ``true``, ``predicted``, ``correct``, ``scores``
        (label to probability), ``fps``, ``bones``, ``parts``, ``keypoints`` (M, T, V, 3), and
        optionally ``heads`` (what each head believed)
    path : the HTML file; written whole or not at all, replaced if it exists

    Returns
    -------
    Path of the file that was written

    Raises
    ------
    DataError : if the result or a clip lacks a key or holds a wrong value, which it names
    ConfigError : if `path` is a folder or cannot be written

    Examples
    --------
    >>> import tempfile
    >>> result = {
    ...     "schema": "infocpl-result/1", "seeds": [0], "selection": {"rule": "pseudo-unseen"},
    ...     "dataset": {"name": "toy"}, "features": {"encoder": "stgcn"},
    ...     "text": {"encoder": "minilm"},
    ...     "split": {"id": "s", "family": "f", "seen": ["wave"], "unseen": ["bow", "nod"]},
    ...     "methods": {"ridge": {"title": "Ridge", "mean": {"zsl.top1": 0.75}}},
    ... }
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = write_report(result, [], Path(folder) / "report.html")
    ...     "75.0" in page.read_text(encoding="utf-8")
    True
    """
    return write_page(Path(path), render_report(result, clips))


def write_page(path: Path, text: str) -> Path:
    """Write an HTML page whole or not at all.

    Raises
    ------
    ConfigError : if `path` is a folder or cannot be written
    """
    if path.is_dir():
        raise ConfigError(f"{path}: expected the name of an HTML file, got a folder")
    # Lone surrogates can come out of JSON, but not go into UTF-8.
    data = text.encode("utf-8", "replace")
    try:
        with atomic_path(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}") from error
    return path


def render_report(result: Mapping[str, Any], clips: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of :func:`write_report` as text.

    Raises
    ------
    DataError : if the result or a clip lacks a key or holds a wrong value, which it names
    """
    _check(result)
    oracle = result["selection"]["rule"] == "oracle"
    return render_template(
        "report.html",
        result=result,
        oracle=oracle,
        mark="†" if oracle else "",
        leaked=_leaked(result),
        summary=_summary(result),
        differences=difference_rows(result),
        columns=COLUMNS,
        rows=_rows(result, oracle=oracle),
        caption=_caption(result),
        few=len(result["split"]["unseen"]) <= 5,
        warnings=_warnings(result),
        recall=_recall(result),
        titles=_titles(result),
        undrawn=len(result["methods"]) - len(drawn_methods(result)),
        confusions=method_confusions(result),
        curve=method_curves(result),
        gate=method_curves(result, "gate_curve", "gate"),
        seeds=_per_seed(result),
        selection=_selection(result),
        facts=_facts(result),
        cards=clip_cards(clips),
        payload=script_json([clip_payload(c, f"clips[{i}]") for i, c in enumerate(clips)]),
    )


def render_template(name: str, **values: Any) -> str:
    """Fill in a page template; player and style become part of it."""
    folder = resources.files(__package__) / "templates"
    script = (folder / "player.js").read_text(encoding="utf-8")
    style = (folder / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(lambda part: (folder / part).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name).render(
        **values,
        # Our own files; the page's security policy lets no other script run.
        script=Markup(script),  # noqa: S704
        style=Markup(style),  # noqa: S704
        script_hash=f"sha256-{digest}",
    )


def _check(result: Mapping[str, Any]) -> None:
    schema = need(result, "schema", str, "result")
    if schema != SCHEMA:
        raise DataError(f"result.schema: expected {SCHEMA!r}, got {schema!r}")
    for section, key in (
        ("dataset", "name"),
        ("split", "id"),
        ("split", "family"),
        ("features", "encoder"),
        ("text", "encoder"),
        ("selection", "rule"),
    ):
        need(need(result, section, dict, "result"), key, str, f"result.{section}")
    for key in ("seen", "unseen"):
        names = need(result["split"], key, list, "result.split")
        if not all(isinstance(name, str) for name in names):
            raise DataError(f"result.split.{key}: expected class names, got {names!r:.60}")
    need(result, "seeds", list, "result")
    methods = need(result, "methods", dict, "result")
    if not methods:
        raise DataError("result.methods: expected at least one method, got none")
    for name in methods:
        where = f"result.methods.{name}"
        method = need(methods, name, dict, "result.methods")
        need(method, "title", str, where)
        need(need(method, "mean", dict, where), "zsl.top1", int, f"{where}.mean")
        for table in ("mean", "sd"):
            for key, value in optional(method, table, dict, where).items():
                if value is not None and number(value) is None:
                    raise DataError(f"{where}.{table}.{key}: expected a number, got {value!r:.60}")
    for key in ("chance", "protocol", "environment", "seconds"):
        optional(result, key, dict, "result")
    optional(result["text"], "sources", dict, "result.text")


def _plain(value: Any) -> str:
    """Any JSON value as one line of words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(entry)}" for key, entry in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(entry) for entry in value) or "–"
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _main(result: Mapping[str, Any]) -> Mapping[str, Any]:
    first: Mapping[str, Any] = next(iter(result["methods"].values()))
    return first


def _chance(result: Mapping[str, Any]) -> float | None:
    return number(optional(result, "chance", dict, "result").get("zsl"))


def _leaked(result: Mapping[str, Any]) -> list[str]:
    """Unseen classes on which the skeleton encoder was trained; there must be none."""
    trained = optional(result["features"], "training_classes", list, "result.features")
    return [name for name in result["split"]["unseen"] if name in trained]


def _warnings(result: Mapping[str, Any]) -> list[str]:
    """What is only declared of precomputed features, and what that does to selection."""
    found = (result["features"].get("warning"), result["selection"].get("caveat"))
    return [_plain(sentence) for sentence in found if sentence]


def _summary(result: Mapping[str, Any]) -> dict[str, str]:
    """The pieces of the first sentence of the page."""
    dataset, method = result["dataset"], _main(result)
    return {
        "dataset": str(dataset.get("title") or dataset["name"]),
        "method": method["title"],
        "top1": percent(method["mean"]["zsl.top1"]),
        "harmonic": percent(method["mean"].get("gzsl.harmonic")),
        "chance": percent(_chance(result)),
        "unseen": str(len(result["split"]["unseen"])),
        "seen": str(len(result["split"]["seen"])),
        "runs": "one seed" if len(result["seeds"]) == 1 else f"{len(result['seeds'])} seeds",
    }


def _caption(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The conditions without which the numbers of the table mean nothing."""
    features, text, split = result["features"], result["text"], result["split"]
    streams = optional(features, "streams", list, "result.features")
    protocol = optional(result, "protocol", dict, "result").get("name")
    pieces = [
        ("Split family", f"{split['family']} ({split['id']})"),
        ("Protocol", _plain(protocol) if protocol else ""),
        ("Features", features["encoder"] + (f" ({', '.join(map(str, streams))})" * bool(streams))),
        ("Text encoder", text["encoder"]),
        ("Text", _plain(optional(text, "choice", dict, "result.text").get("summary") or "")),
        ("Learned besides", _besides(result.get("extra"))),
        ("Selection", result["selection"]["rule"]),
        ("On folds", _chosen(result)),
        ("Seeds", _plain(result["seeds"])),
    ]
    return [(name, value) for name, value in pieces if value]


def _chosen(result: Mapping[str, Any]) -> str:
    """How often which candidate was taken, and among which."""
    told = optional(result["selection"], "chosen", dict, "result.selection")
    if not told:
        return ""
    where = "result.selection.chosen"
    among = ", ".join(map(str, need(told, "among", list, where)))
    return f"{need(told, 'summary', str, where)}; among {among}"


def _besides(extra: Mapping[str, Any] | None) -> str:
    """Extra training classes, without which the rows would be other ones."""
    if not extra:
        return ""
    return f"{extra['clips']} clips of {len(extra['classes'])} classes of {extra['source']}"


def _rows(result: Mapping[str, Any], *, oracle: bool) -> list[dict[str, Any]]:
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
        rows.append(_row("published", title, _plain(entry.get("source")), cells))
    chance = _chance(result)
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
    return {"low": percent(low), "high": percent(high), "by": _plain(value.get("by", "clip"))}


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


def _titles(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    methods = drawn_methods(result).values()
    return [{"title": m["title"], "series": i} for i, m in enumerate(methods)]


def _recall(result: Mapping[str, Any]) -> list[dict[str, Any]]:
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


def _per_seed(result: Mapping[str, Any]) -> list[dict[str, Any]]:
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
                    "seed": _plain(run.get("seed")),
                    "cells": [percent(value) for value in values],
                    "gate": percent(groups["gate"].get("harmonic")),
                    "gamma": _plain(groups["gzsl"].get("gamma")),
                    "relative": _plain(groups["gzsl"].get("relative_gamma")),
                    "lead": _plain(groups["gzsl"].get("lead")),
                    "selected": _plain(groups["selected"]),
                }
            )
    return rows


def _selection(result: Mapping[str, Any]) -> list[dict[str, Any]]:
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
                        "seed": _plain(seed.get("seed")),
                        "fold": str(fold + 1),
                        "held": ", ".join(map(str, trial.get("held_out", []))),
                        "chosen": f"epoch {choice['epoch']}"
                        if choice.get("epoch")
                        else f"penalty {choice.get('alpha', 0):g}",
                        "gamma": _plain(trial.get("gamma")),
                        "lead": _plain(trial.get("lead")),
                        "tried": [(str(key), percent(value)) for key, value in tried.items()],
                    }
                )
    return rows


def _scores(result: Mapping[str, Any]) -> dict[str, str]:
    """For every seed what was chosen among candidates, and what each was worth on its folds."""
    told = {}
    details = optional(result["selection"], "details", list, "result.selection")
    for place, seed in enumerate(details):
        where = f"result.selection.details[{place}]"
        if chosen := optional(seed, "chosen", dict, where):
            scores = need(chosen, "scores", dict, f"{where}.chosen")
            each = ", ".join(f"{name} {percent(score)}" for name, score in scores.items())
            told[f"seed {_plain(seed.get('seed'))}"] = f"{chosen.get('candidate')} of {each}"
    return told


def _title(result: Mapping[str, Any], method: str) -> str:
    return str(result["methods"].get(method, {}).get("title", method))


def _facts(result: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Where everything came from: heading, then name and value; long lists are elsewhere."""
    long_lists = ("seen", "unseen", "training_classes", "sources", "details", "chosen")
    text = {k: v for k, v in result["text"].items() if k != "choice"}  # the caption says it
    groups: list[tuple[str, Mapping[str, Any]]] = [
        ("Run", {key: result.get(key) for key in ("infocpl_version", "created", "seeds")}),
        ("Dataset", result["dataset"]),
        ("Split", result["split"]),
        ("Protocol", optional(result, "protocol", dict, "result")),
        ("Skeleton features", result["features"]),
        ("Text", text),
        ("Selection", result["selection"]),
        ("Candidates on folds", _scores(result)),
        ("Environment", optional(result, "environment", dict, "result")),
        ("Seconds", optional(result, "seconds", dict, "result")),
    ]
    facts = []
    for title, group in groups:
        shown = [(k, v) for k, v in group.items() if v is not None and k not in long_lists]
        if shown:
            facts.append((title, [(str(k).replace("_", " "), _plain(v)) for k, v in shown]))
    return facts
