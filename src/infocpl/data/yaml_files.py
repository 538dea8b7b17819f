"""Checked reading of the small YAML files that hold catalogues and splits."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import yaml

from infocpl.errors import InfoCPLError

__all__ = ["YamlFile", "read_yaml"]

_MAX_BYTES = 1 << 20
# The compiled loader is ten times faster; both build plain Python values only.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlFile:
    """A mapping read from YAML whose fields are asked for by name and type.

    Every question that the file cannot answer raises `error` with the file, the field, what was
    expected and what was found.

    Examples
    --------
    >>> from infocpl.errors import DataError
    >>> node = YamlFile({"name": "sbu", "ids": [1, 2]}, "sbu.yaml", DataError)
    >>> node.text("name"), node.numbers("ids")
    ('sbu', (1, 2))
    >>> node.texts("ids")
    Traceback (most recent call last):
    infocpl.errors.DataError: sbu.yaml: ids[0]: expected a text, got 1
    """

    def __init__(
        self, data: Mapping[str, Any], where: str, error: type[InfoCPLError], prefix: str = ""
    ) -> None:
        self.data = data
        self.where = where
        self.error = error
        self.prefix = prefix

    def fail(self, field: str, expected: str, got: object) -> InfoCPLError:
        """Build the error for a field; the caller raises it."""
        shown = got if isinstance(got, str) and got.startswith("nothing") else repr(got)
        return self.error(f"{self.where}: {self.prefix}{field}: expected {expected}, got {shown}")

    def only(self, *known: str) -> None:
        """Refuse keys other than `known`: a misspelt key would be ignored silently."""
        for key in self.data:
            if key not in known:
                raise self.fail(str(key), f"one of the keys {', '.join(known)}", key)

    def get(self, key: str, kind: type, words: str, default: Any = None) -> Any:
        """Value of `key` if it is of type `kind`; `default` (unless None) when absent."""
        value = self.data.get(key, default)
        if value is None:
            raise self.fail(key, words, "nothing there")
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.fail(key, words, value)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text; must not be blank unless a default is given."""
        value = str(self.get(key, str, "a text", default)).strip()
        if not value and default is None:
            raise self.fail(key, "a text", value)
        return value

    def texts(self, key: str, default: list[str] | None = None) -> tuple[str, ...]:
        """A list of texts, trimmed."""
        items = self.get(key, list, "a list of texts", default)
        for position, item in enumerate(items):
            if not isinstance(item, str) or not item.strip():
                raise self.fail(f"{key}[{position}]", "a text", item)
        return tuple(item.strip() for item in items)

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers."""
        items = self.get(key, list, "a list of whole numbers")
        for position, item in enumerate(items):
            if not isinstance(item, int) or isinstance(item, bool):
                raise self.fail(f"{key}[{position}]", "a whole number", item)
        return tuple(items)

    def child(self, key: str, default: dict[str, Any] | None = None) -> YamlFile:
        """A nested mapping, itself asked by name."""
        value = self.get(key, dict, "a mapping", default)
        return YamlFile(value, self.where, self.error, f"{self.prefix}{key}.")

    def children(self, key: str) -> list[YamlFile]:
        """A list of mappings; empty when the key is absent."""
        items = self.get(key, list, "a list of mappings", [])
        found = []
        for position, item in enumerate(items):
            if not isinstance(item, dict):
                raise self.fail(f"{key}[{position}]", "a mapping", item)
            found.append(YamlFile(item, self.where, self.error, f"{self.prefix}{key}[{position}]."))
        return found


def read_yaml(source: Path | Traversable, error: type[InfoCPLError]) -> YamlFile:
    """Read a YAML file that must hold a mapping; raise `error` if it does not.

    Only plain values are built (no tags that construct objects), and files above 1 MiB are
    refused.
    """
    where = str(source) if isinstance(source, Path) else source.name
    try:
        raw = source.read_bytes()
    except FileNotFoundError:
        raise error(f"{where} does not exist") from None
    except OSError as problem:
        raise error(f"{where} cannot be read: {problem.strerror or problem}") from problem
    if len(raw) > _MAX_BYTES:
        raise error(f"{where}: expected at most {_MAX_BYTES} bytes, got {len(raw)}")
    try:
        data = yaml.load(raw.decode("utf-8"), Loader=_Loader)  # noqa: S506 (a safe loader)
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as problem:
        mark = getattr(problem, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        reason = getattr(problem, "problem", None) or str(problem)
        raise error(f"{where}{line}: expected YAML, got something else ({reason})") from problem
    if not isinstance(data, dict):
        raise error(f"{where}: expected a mapping of keys to values, got {type(data).__name__}")
    return YamlFile(data, where, error)
