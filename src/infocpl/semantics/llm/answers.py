"""Answers of a model: read as JSON, their typography tidied, checked against the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from infocpl.errors import LanguageModelError, SemanticsError
from infocpl.semantics.entry import read_fields
from infocpl.semantics.llm.prompting import Group

__all__ = ["check_answer", "read_answer"]

_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_DASHES = re.compile(r"\s*[–—]\s*|\s*[;:]\s*")
_DROPPED = re.compile(r"[\"“”„()\[\]*_`]")
_APOSTROPHES = re.compile(r"[’‘´]")
_NAMES = ("aliases", "from", "name")


def read_answer(text: str, group: Group) -> dict[str, Any]:
    """The JSON object in an answer, with the fields of `group` and nothing else.

    What a model thought aloud, code fences and words around the object are passed over; quotation
    marks, brackets, dashes and the like are put right, and a missing full stop is added.

    Raises
    ------
    LanguageModelError : if there is no object, or a field is missing
    """
    plain = _THOUGHT.sub("", text)
    decoder = json.JSONDecoder()
    found: Any = None
    for match in re.finditer(r"\{", plain):
        try:
            found, _ = decoder.raw_decode(plain, match.start())
        except (ValueError, RecursionError):
            continue
        break
    if not isinstance(found, dict):
        raise LanguageModelError("it holds no JSON object")
    missing = [field for field in group.fields if field not in found]
    if missing:
        raise LanguageModelError(f"the key {missing[0]!r} is missing")
    return {field: _tidy(found[field], field) for field in group.fields}


def check_answer(
    fields: Mapping[str, Any], earlier: Mapping[str, Any], group: Group, name: str
) -> None:
    """Refuse an answer that breaks the lexicon format, alone or together with earlier ones.

    Raises
    ------
    LanguageModelError : what breaks which rule
    """
    together = {**earlier, **fields}
    try:
        read_fields(together, tuple(together), place="it")
    except SemanticsError as error:
        raise LanguageModelError(str(error).removeprefix("it: ")) from None
    if "aliases" in fields and name.casefold() in (alias.casefold() for alias in fields["aliases"]):
        raise LanguageModelError("aliases: expected other names than the action's own")


def _tidy(value: Any, field: str) -> Any:
    """Sentences with the typography of the format; names, numbers and traits as they are."""
    if field == "traits":
        return value
    if isinstance(value, dict):
        return {key: _tidy(item, "name" if key == "from" else field) for key, item in value.items()}
    if isinstance(value, list):
        return [_tidy(item, field) for item in value]
    if not isinstance(value, str):
        return value
    if field in _NAMES:
        return " ".join(value.split())
    text = _APOSTROPHES.sub("'", value.strip())
    text = _DROPPED.sub("", _DASHES.sub(", ", text.rstrip(".;:! ")))
    text = " ".join(text.split()).rstrip(", ")
    return f"{text[:1].upper()}{text[1:]}." if text else text
