"""Options that take several values, given more than once."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args, get_origin, get_type_hints

__all__ = ["join_repeated", "options_of_several"]


def options_of_several(commands: Any) -> frozenset[str]:
    """Names of the options that take any number of values and would keep the last ones only.

    Parameters
    ----------
    commands : union of (annotated) dataclasses, or of such unions as fields of them
    """
    found = set()
    for command in _dataclasses(commands):
        for name, kind in get_type_hints(command).items():
            found |= {f"--{name.replace('_', '-')}" for part in _parts(kind) if _several(part)}
    return frozenset(found)


def join_repeated(arguments: Sequence[str], several: Collection[str]) -> list[str]:
    """The arguments with all values of a repeated option behind its first occurrence.

    Parameters
    ----------
    arguments : of the command line
    several : options that take several values

    Examples
    --------
    >>> join_repeated(["run", "--lexicon", "a", "--seeds", "3", "--lexicon=b"], {"--lexicon"})
    ['run', '--lexicon', 'a', 'b', '--seeds', '3']
    >>> join_repeated(["run", "--seeds", "3", "--seeds", "5"], {"--lexicon"})
    ['run', '--seeds', '3', '--seeds', '5']
    """
    groups: list[list[str]] = [[]]
    for position, argument in enumerate(arguments):
        if argument == "--":
            groups.append(list(arguments[position:]))
            break
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            split = name.replace("_", "-") in several and equals
            groups.append([name, value] if split else [argument])
        else:
            groups[-1].append(argument)
    first: dict[str, list[str]] = {}
    kept = []
    for group in groups:
        name = group[0].replace("_", "-") if group else ""
        if name in several and name in first:
            first[name].extend(group[1:])
            continue
        first[name] = group
        kept.append(group)
    return [argument for group in kept for argument in group]


def _dataclasses(commands: Any) -> Iterator[type]:
    """Every dataclass among the parts of a type, and those that their fields hold."""
    for part in _parts(commands):
        if dataclasses.is_dataclass(part) and isinstance(part, type):
            yield part
            for kind in get_type_hints(part).values():
                yield from _dataclasses(kind)


def _parts(kind: Any) -> Iterator[Any]:
    """A type, or the members of a union, without their annotations."""
    origin = get_origin(kind)
    if origin is None or origin is tuple or not get_args(kind):
        yield kind
        return
    for part in get_args(kind):
        yield from _parts(part)


def _several(kind: Any) -> bool:
    """Whether a type is a tuple of any length of plain values."""
    inside = get_args(kind)
    return get_origin(kind) is tuple and inside[1:] == (...,) and get_origin(inside[0]) is None
