"""JSON read without trusting it: bounded in bytes and in values, numbers looked at one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import read_bounded, show

__all__ = ["MAX_JSON_BYTES", "check_numbers", "describe_kind", "load_json", "parse_json"]

MAX_JSON_BYTES = 32 * 1024 * 1024
"""Largest JSON file that is read; parsed values take many times their text."""

_MAX_VALUES = 4_000_000
_NUMBERS = frozenset((int, float))


def load_json(path: Path) -> Any:
    """Return the value in a JSON file.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, larger than :data:`MAX_JSON_BYTES`, of more
        than four million values, nested a thousand times, or not JSON (NaN is not)
    """
    return parse_json(path, read_bounded(path, max_bytes=MAX_JSON_BYTES))


def parse_json(path: Path, content: bytes) -> Any:
    """Return the value that `content` holds; `path` is named in messages only.

    Raises
    ------
    SkeletonFormatError : as :func:`load_json`

    Examples
    --------
    >>> parse_json(Path("a.json"), b"[1, 2")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: a.json, line 1: content: expected JSON, got \
'unexpected end of data'
    """
    # Every value but the first follows one of these; so many objects would fill the memory.
    values = sum(content.count(mark) for mark in (b",", b"[", b"{"))
    if values > _MAX_VALUES:
        raise SkeletonFormatError(path, "content", f"at most {_MAX_VALUES:,} values", f"{values:,}")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise SkeletonFormatError(
            path, "content", "JSON", show(error.msg, 80), f"line {error.lineno}"
        ) from error


def check_numbers(path: Path, value: Any, count: int | None, field: str, where: str) -> list[float]:
    """Return `value` if it is a JSON list of numbers; how large they are is not looked at.

    Parameters
    ----------
    path, field, where : named in messages
    value : what should be such a list
    count : its length; None for any

    Raises
    ------
    SkeletonFormatError : if it is no list, of another length, or an entry is no number; true and
        false are no numbers

    Examples
    --------
    >>> check_numbers(Path("a.json"), [1, True], 2, "joint 3", "frame 1")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: a.json, frame 1: joint 3: expected numbers, got 'True'
    """
    if not isinstance(value, list) or (count is not None and len(value) != count):
        expected = "a list of numbers" if count is None else f"a list of {count} numbers"
        raise SkeletonFormatError(path, field, expected, describe_kind(value), where)
    # type() and not isinstance(): true is no coordinate.
    if not _NUMBERS.issuperset(map(type, value)):
        wrong = next(item for item in value if type(item) not in _NUMBERS)
        raise SkeletonFormatError(path, field, "numbers", show(wrong), where)
    return value


def describe_kind(value: Any) -> str:
    """What a JSON value is, in words.

    Examples
    --------
    >>> describe_kind([1, 2]), describe_kind(True), describe_kind(None), describe_kind(1.5)
    ('a list of 2', 'true or false', 'null', 'a number')
    """
    names = {dict: "an object", str: "a string", bool: "true or false", type(None): "null"}
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return names.get(type(value), "a number")
