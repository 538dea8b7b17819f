"""Lists from the user's copy of a dataset, where the catalogue cannot or need not know better.

Class names, names of clips without a usable skeleton, and who trains: each may be given in a small
text file. PKU-MMD ships the last kind itself (``cross_subject.txt``); it is found beside the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infocpl.data.dataset import Dataset
from infocpl.data.protocol import FIELDS, Protocol
from infocpl.data.walk import walk_files
from infocpl.errors import DataError
from infocpl.files import sha256_file

__all__ = [
    "find_protocols",
    "with_classes",
    "with_missing",
    "with_training_list",
]

_MAX_BYTES = 1 << 22
_USUAL_FIELDS = {"xsub": "subject", "xview": "camera", "xset": "setup"}


def with_missing(dataset: Dataset, path: str | Path) -> Dataset:
    """Also count as missing the clips named in a text file, one a line.

    Raises
    ------
    DataError : if the file cannot be read or names nothing
    """
    names = _lines(Path(path))
    # Lists name files as often as clips.
    stems = {name.rsplit("/", 1)[-1].rsplit(".", 1)[0] if "." in name else name for name in names}
    return replace(dataset, missing=dataset.missing | stems)


def with_classes(dataset: Dataset, path: str | Path) -> Dataset:
    """Call the classes by the names in a text file, one a line in the order of the class numbers.

    Raises
    ------
    DataError : if the file cannot be read or has another number of names
    """
    names = _lines(Path(path))
    if len(names) != len(dataset.classes):
        raise DataError(
            f"{path}: expected {len(dataset.classes)} class names, one a line, got {len(names)}"
        )
    return replace(dataset, classes=tuple(names))


def with_training_list(dataset: Dataset, name: str, path: str | Path) -> Dataset:
    """Add or replace a protocol by a list of who trains.

    Parameters
    ----------
    name : of the protocol; one that the catalogue knows divides by its field, ``xsub`` by subject,
        ``xview`` by camera and ``xset`` by setup, and one of the fields by itself
    path : a text file with ids separated by blanks, commas or lines; or, for recordings, the four
        lines of PKU-MMD: a heading, names that train, a heading, names that test

    Raises
    ------
    DataError : if the file cannot be read, is not of this form, or the protocol cannot be told
    """
    known = dataset.protocols.get(name) or dataset.protocol_files.get(name)
    field = known.field if known is not None else _USUAL_FIELDS.get(name, name)
    if field not in FIELDS:
        raise DataError(
            f"protocol {name!r}: expected a protocol of {dataset.title}, one of "
            f"{', '.join(_USUAL_FIELDS)}, or one of the fields {', '.join(FIELDS)}"
        )
    train = _training_ids(dataset, [Path(path)], field)
    found = Protocol(name, field, train, f"from the list {Path(path).name}")
    return replace(
        dataset,
        protocols={**dataset.protocols, name: found},
        default_protocol=dataset.default_protocol or name,
        # The user's list comes before one that may lie beside the data.
        protocol_files={k: v for k, v in dataset.protocol_files.items() if k != name},
    )


def find_protocols(dataset: Dataset, source: Path) -> tuple[Dataset, dict[str, Any]]:
    """Read the protocols whose lists ship with the dataset from the files below `source`.

    Returns
    -------
    the dataset with the protocols that were found, and for each of them name and SHA-256 of the
    lists

    Raises
    ------
    DataError : if such a list is damaged
    """
    if not dataset.protocol_files or not source.is_dir():
        return dataset, {}
    files = sorted(walk_files(source))
    protocols = dict(dataset.protocols)
    lists: dict[str, Any] = {}
    for name, item in dataset.protocol_files.items():
        found = [path for path in files if re.fullmatch(item.pattern, path.name)]
        if found:
            train = _training_ids(dataset, found, item.field)
            protocols[name] = Protocol(name, item.field, train, item.notes)
            lists[name] = {path.name: sha256_file(path) for path in found}
    return replace(dataset, protocols=protocols), lists


def _training_ids(dataset: Dataset, paths: Sequence[Path], field: str) -> tuple[int, ...]:
    train: set[int] = set()
    for path in paths:
        lines = _lines(path)
        if len(lines) == 4 and lines[0].endswith(":") and lines[2].endswith(":"):
            train |= _ids_of_recordings(dataset, path, lines, field)
            continue
        words = [word for line in lines for word in re.split(r"[\s,;]+", line) if word]
        for word in words:
            if not word.isascii() or not word.isdigit() or len(word) > 9:
                raise DataError(
                    f"{path}: expected whole numbers, the {field} ids that train, or "
                    f"the four lines of a list of recordings, got {word[:40]!r}"
                )
            train.add(int(word))
    return tuple(sorted(train))


def _ids_of_recordings(dataset: Dataset, path: Path, lines: list[str], field: str) -> set[int]:
    """Ids of the recordings that train, which must tell them from those that test."""
    sides = []
    for line in (lines[1], lines[3]):
        names = [word for word in re.split(r"[\s,]+", line) if word]
        found = [dataset.facts(name) for name in names]
        for name, info in zip(names, found, strict=True):
            if info is None:
                raise DataError(
                    f"{path}: expected names of recordings of {dataset.title}, got {name[:40]!r}"
                )
        sides.append({getattr(info, field) for info in found})
    both = sides[0] & sides[1]
    if both or not sides[0]:
        got = f"{field} {min(both)} on both" if both else "no recording that trains"
        raise DataError(f"{path}: expected every {field} on one side, got {got}")
    return sides[0]


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: expected at most {_MAX_BYTES:,} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path}: expected a text file, got: {reason}") from error
    found = [line.strip() for line in text.splitlines() if line.strip()]
    if not found:
        raise DataError(f"{path}: expected at least one line, got an empty file")
    return found
