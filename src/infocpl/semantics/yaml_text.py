"""YAML of lexicons: plain mappings, lists and texts, read fast, each knowing its line.

A lexicon needs a small part of YAML only. Its text is read from the parser's events, so that
anchors, aliases, tags, repeated keys and bottomless nesting are refused where they stand, nothing
but texts is ever built, and a later check can name the line of a field.
"""

from __future__ import annotations

from typing import Any

import yaml

from infocpl.errors import SemanticsError

__all__ = ["LinedDict", "LinedList", "dump_yaml", "parse_yaml"]

_MAX_DEPTH = 16
_WIDTH = 110
# The compiled parser is fifty times faster; both give the same events.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_STR = "tag:yaml.org,2002:str"


class LinedDict(dict[str, Any]):
    """Mapping of a file; `lines` gives the line of each key."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, int] = {}


class LinedList(list[Any]):
    """List of a file; `lines` gives the line of each item."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[int] = []


class _Builder:
    """Puts events together; a stack instead of recursion, so that no file can exhaust it."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.root: Any = None
        self.open: list[LinedDict | LinedList] = []
        self.keys: list[str | None] = []
        self.documents = 0

    def fail(self, line: int, got: str) -> SemanticsError:
        return SemanticsError(f"{self.place}, line {line}: expected YAML, got: {got}")

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            self.check(event, line)
            self.put(_value(event), line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self.check(event, line)
            node = LinedDict() if isinstance(event, yaml.MappingStartEvent) else LinedList()
            self.put(node, line)
            self.open.append(node)
            self.keys.append(None)
            if len(self.open) > _MAX_DEPTH:
                raise self.fail(line, f"more than {_MAX_DEPTH} levels")
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()
            self.keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise self.fail(line, "aliases are refused")
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.fail(line, "a second document")

    def check(self, event: Any, line: int) -> None:
        if event.anchor is not None:
            raise self.fail(line, f"anchor {event.anchor!r}; anchors are refused")
        # A quoted text carries the tag "!" of plain text.
        if event.tag not in (None, "!", _STR):
            raise self.fail(line, f"tag {event.tag!r}; tags are refused")

    def put(self, value: Any, line: int) -> None:
        if not self.open:
            self.root = value
            return
        holder = self.open[-1]
        if isinstance(holder, LinedList):
            holder.append(value)
            holder.lines.append(line)
            return
        key = self.keys[-1]
        if key is not None:
            holder[key] = value
            self.keys[-1] = None
            return
        if not isinstance(value, str):
            raise self.fail(line, "a key that is no text")
        if value in holder.lines:
            raise self.fail(line, f"{value!r} stands twice")
        holder.lines[value] = line
        self.keys[-1] = value


def _value(event: yaml.ScalarEvent) -> Any:
    """The text, or what YAML takes an unquoted number, date or truth value for."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    for tag, pattern in yaml.SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return _Plain(tag, text) if not tag.endswith(":null") else None
    return text or None


class _Plain:
    """A scalar that YAML takes for something else than text."""

    def __init__(self, tag: str, text: str) -> None:
        self.kind = tag.rpartition(":")[2]
        self.text = text

    def __repr__(self) -> str:
        return f"{self.text} ({self.kind}; quote it if it is text)"


def parse_yaml(text: str, place: str) -> Any:
    """Mappings, lists and texts of a YAML text; mappings and lists know their lines.

    Parameters
    ----------
    text : one document
    place : how an error begins, usually the file

    Raises
    ------
    SemanticsError : place, line, and what is no plain YAML there
    """
    builder = _Builder(place)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SemanticsError(f"{place}{line}: expected YAML, got: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SemanticsError(f"{place}: expected YAML, got: {error}") from None
    return builder.root


def dump_yaml(value: Any) -> str:
    """`value` as YAML in block style, keys in their order."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return text
