"""A result is looked through once, before anything of it is drawn or told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infocpl.apps.report.player import need, number, optional
from infocpl.errors import DataError

__all__ = ["SCHEMA", "check_result"]

SCHEMA = "infocpl-result/1"


def check_result(result: Mapping[str, Any]) -> None:
    """Raise :class:`DataError` that names the key which is missing or wrong.

    Parameters
    ----------
    result : content of ``result.json``

    Examples
    --------
    >>> check_result({"schema": "infocpl-result/0"})
    Traceback (most recent call last):
    infocpl.errors.DataError: result.schema: expected 'infocpl-result/1', got 'infocpl-result/0'
    """
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
