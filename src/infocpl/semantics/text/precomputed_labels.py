"""The labels of precomputed vectors: what each row of a ``.npy`` file is the vector of.

``NAME.labels.txt``: a row a line, in UTF-8: a text, or a class name, a tab, and the sentence that
was embedded. Empty lines and lines that begin with ``#`` are left out.

``NAME.labels.json``: a list with, for each row, a text, or ``{"name": ..., "sentence": ...}``; or
``{"sha256": ..., "rows": [...]}`` with the hash of the ``.npy`` file the rows belong to.

The text of a row is its sentence, and where it has none its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from infocpl.errors import SemanticsError
from infocpl.semantics.labels import label_key
from infocpl.semantics.text.folders import read_json
from infocpl.semantics.text.protocol import MAX_CHARACTERS, shorten

__all__ = ["LabelledRow", "find_labels", "read_labels"]

_MAX_BYTES = 2**27
_SUFFIXES = (".labels.json", ".labels.txt")


class LabelledRow(NamedTuple):
    """What a vector belongs to: the text it was made from, and the class, if that is said."""

    text: str
    name: str = ""


def find_labels(path: Path) -> Path:
    """The label file beside the vectors in `path`.

    Raises
    ------
    SemanticsError : if there is none, or two
    """
    if not path.is_file():
        raise SemanticsError(f"{path}: no such file of vectors")
    found = [c for c in (path.with_suffix(suffix) for suffix in _SUFFIXES) if c.is_file()]
    if not found:
        raise SemanticsError(
            f"{path}: expected {path.with_suffix(_SUFFIXES[1]).name} beside it, a text a row, got "
            "none: the order of rows alone does not say which vector belongs to which text"
        )
    if len(found) > 1:
        raise SemanticsError(
            f"{path}: expected one file of labels beside it, got {found[0].name} and "
            f"{found[1].name}"
        )
    return found[0]


def read_labels(path: Path) -> tuple[list[LabelledRow], str]:
    """Rows in their order, all with distinct texts, and the hash of their vectors ("" if unsaid).

    Raises
    ------
    SemanticsError : file, line or row, and what is wrong
    """
    try:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise SemanticsError(f"{path}: expected at most {_MAX_BYTES} bytes, got {size}")
        digest = ""
        if path.suffix == ".json":
            items, digest = _json_rows(path)
        else:
            items = list(_text_rows(path))
    except UnicodeDecodeError as error:
        raise SemanticsError(f"{path}, byte {error.start}: expected UTF-8 text") from None
    except OSError as error:
        raise SemanticsError(f"{path} cannot be read: {error.strerror or error}") from error
    if not items:
        raise SemanticsError(f"{path}: expected a text a row, got none at all")
    first: dict[str, str] = {}
    for place, row in items:
        if not row.text.strip() or len(row.text) > MAX_CHARACTERS:
            raise SemanticsError(
                f"{path}, {place}: expected 1 to {MAX_CHARACTERS} characters, got {len(row.text)}"
            )
        try:
            row.text.encode("utf-8")
        except UnicodeEncodeError:
            raise SemanticsError(
                f"{path}, {place}: expected Unicode text, got {row.text!r}"
            ) from None
        key = label_key(row.text)
        if key in first:
            raise SemanticsError(
                f"{path}, {place}: {shorten(row.text)} repeats {first[key]}; a text has one vector"
            )
        first[key] = place
    return [row for _, row in items], digest


def _text_rows(path: Path) -> Iterator[tuple[str, LabelledRow]]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fields = [field.strip() for field in line.split("\t")]
        if len(fields) > 2 or not all(fields):
            raise SemanticsError(
                f"{path}, line {number}: expected a text, or a name, a tab and a sentence, got "
                f"{shorten(line)}"
            )
        yield f"line {number}", LabelledRow(fields[-1], fields[0] if len(fields) > 1 else "")


def _json_rows(path: Path) -> tuple[list[tuple[str, LabelledRow]], str]:
    record, digest = read_json(path), ""
    if isinstance(record, dict):
        digest, record = record.get("sha256", ""), record.get("rows")
        if not isinstance(digest, str):
            raise SemanticsError(f"{path}: sha256: expected text, got {digest!r}")
    if not isinstance(record, list):
        raise SemanticsError(f"{path}: expected a list of rows, got {type(record).__name__}")
    return [
        (f"row {number}", _json_row(item, f"{path}, row {number}"))
        for number, item in enumerate(record, start=1)
    ], digest


def _json_row(item: Any, place: str) -> LabelledRow:
    fields = {"name": item} if isinstance(item, str) else item
    fits = isinstance(fields, dict) and "name" in fields and fields.keys() <= {"name", "sentence"}
    if not fits or not all(isinstance(value, str) for value in fields.values()):
        raise SemanticsError(
            f"{place}: expected a text, or texts called name and sentence, got {shorten(str(item))}"
        )
    sentence = fields.get("sentence")
    return (
        LabelledRow(fields["name"]) if sentence is None else LabelledRow(sentence, fields["name"])
    )
