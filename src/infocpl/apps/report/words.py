"""A result in words: its first sentence, its conditions, its warnings, where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infocpl.apps.report.player import need, number, optional, percent

__all__ = [
    "chance_of",
    "condition_words",
    "leaked_classes",
    "plain",
    "provenance_facts",
    "summary_words",
    "warning_sentences",
]


def plain(value: Any) -> str:
    """Any JSON value as one line of words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {plain(entry)}" for key, entry in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        return ", ".join(plain(entry) for entry in value) or "–"
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _main(result: Mapping[str, Any]) -> Mapping[str, Any]:
    first: Mapping[str, Any] = next(iter(result["methods"].values()))
    return first


def chance_of(result: Mapping[str, Any]) -> float | None:
    """Accuracy of guessing, if the result says it."""
    return number(optional(result, "chance", dict, "result").get("zsl"))


def leaked_classes(result: Mapping[str, Any]) -> list[str]:
    """Unseen classes on which the skeleton encoder was trained; there must be none."""
    trained = optional(result["features"], "training_classes", list, "result.features")
    return [name for name in result["split"]["unseen"] if name in trained]


def warning_sentences(result: Mapping[str, Any]) -> list[str]:
    """What is only declared of precomputed features, and what that does to selection."""
    found = (result["features"].get("warning"), result["selection"].get("caveat"))
    return [plain(sentence) for sentence in found if sentence]


def summary_words(result: Mapping[str, Any]) -> dict[str, str]:
    """The pieces of the first sentence of the page."""
    dataset, method = result["dataset"], _main(result)
    return {
        "dataset": str(dataset.get("title") or dataset["name"]),
        "method": method["title"],
        "top1": percent(method["mean"]["zsl.top1"]),
        "harmonic": percent(method["mean"].get("gzsl.harmonic")),
        "chance": percent(chance_of(result)),
        "unseen": str(len(result["split"]["unseen"])),
        "seen": str(len(result["split"]["seen"])),
        "runs": "one seed" if len(result["seeds"]) == 1 else f"{len(result['seeds'])} seeds",
    }


def condition_words(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The conditions without which the numbers of the table mean nothing."""
    features, text, split = result["features"], result["text"], result["split"]
    streams = optional(features, "streams", list, "result.features")
    protocol = optional(result, "protocol", dict, "result").get("name")
    pieces = [
        ("Split family", f"{split['family']} ({split['id']})"),
        ("Protocol", plain(protocol) if protocol else ""),
        ("Features", features["encoder"] + (f" ({', '.join(map(str, streams))})" * bool(streams))),
        ("Measured traits", _measured(features.get("measures"))),
        ("Text encoder", text["encoder"]),
        ("Text", plain(optional(text, "choice", dict, "result.text").get("summary") or "")),
        ("Learned besides", _besides(result.get("extra"))),
        ("Selection", result["selection"]["rule"]),
        ("On folds", _chosen(result)),
        ("Seeds", plain(result["seeds"])),
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


def _scores(result: Mapping[str, Any]) -> dict[str, str]:
    """For every seed what was chosen among candidates, and what each was worth on its folds."""
    told = {}
    details = optional(result["selection"], "details", list, "result.selection")
    for place, seed in enumerate(details):
        where = f"result.selection.details[{place}]"
        if chosen := optional(seed, "chosen", dict, where):
            scores = need(chosen, "scores", dict, f"{where}.chosen")
            each = ", ".join(f"{name} {percent(score)}" for name, score in scores.items())
            told[f"seed {plain(seed.get('seed'))}"] = f"{chosen.get('candidate')} of {each}"
    return told


def _measured(count: Any) -> str:
    return f"{count} measures of geometry" if count else ""


def _besides(extra: Mapping[str, Any] | None) -> str:
    """Extra training classes, without which the rows would be other ones."""
    if not extra:
        return ""
    return f"{extra['clips']} clips of {len(extra['classes'])} classes of {extra['source']}"


def provenance_facts(result: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
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
            facts.append((title, [(str(k).replace("_", " "), plain(v)) for k, v in shown]))
    return facts
