"""The report page: a result, its figures and clips as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from infocpl.apps.report.check import check_result
from infocpl.apps.report.confusions import method_confusions
from infocpl.apps.report.curves import method_curves
from infocpl.apps.report.player import clip_cards, clip_payload, script_json
from infocpl.apps.report.rows import (
    COLUMNS,
    difference_rows,
    method_rows,
    recall_rows,
    seed_rows,
    selection_rows,
)
from infocpl.apps.report.series import drawn_methods, series_key, series_mark
from infocpl.apps.report.template import render_template, write_page
from infocpl.apps.report.words import (
    condition_words,
    leaked_classes,
    provenance_facts,
    summary_words,
    warning_sentences,
)

__all__ = ["render_report", "write_report"]

_LEVEL = 5  # methods whose recalls lie on one line; marks of more would cover each other


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


def render_report(result: Mapping[str, Any], clips: Sequence[Mapping[str, Any]]) -> str:
    """Return the page of :func:`write_report` as text.

    Raises
    ------
    DataError : if the result or a clip lacks a key or holds a wrong value, which it names
    """
    check_result(result)
    drawn = drawn_methods(result)
    confusions = method_confusions(result)
    matrices = sum(bool(method.get("confusion")) for method in result["methods"].values())
    oracle = result["selection"]["rule"] == "oracle"
    return render_template(
        "report.html",
        result=result,
        oracle=oracle,
        mark="†" if oracle else "",
        leaked=leaked_classes(result),
        summary=summary_words(result),
        differences=difference_rows(result),
        columns=COLUMNS,
        rows=method_rows(result, oracle=oracle),
        caption=condition_words(result),
        few=len(result["split"]["unseen"]) <= 5,
        warnings=warning_sentences(result),
        recall=recall_rows(result),
        drawn=[method["title"] for method in drawn.values()],
        undrawn=len(result["methods"]) - len(drawn),
        lanes=len(drawn) - 1 if len(drawn) > _LEVEL else 0,
        series_key=series_key,
        series_sign=series_mark,
        confusions=confusions,
        unmatched=matrices - len(confusions),
        curve=method_curves(result),
        gate=method_curves(result, "gate_curve", "gate"),
        seeds=seed_rows(result),
        selection=selection_rows(result),
        facts=provenance_facts(result),
        cards=clip_cards(clips),
        payload=script_json([clip_payload(c, f"clips[{i}]") for i, c in enumerate(clips)]),
    )
