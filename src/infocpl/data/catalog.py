"""The datasets the package knows: facts restated from their papers, kept as data files."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from infocpl.data.dataset import ALIASES, ClipInfo, Dataset, Protocol, PublishedResult
from infocpl.data.yaml_files import YamlFile, read_yaml
from infocpl.errors import DataError

__all__ = [
    "ClipInfo",
    "Dataset",
    "Protocol",
    "PublishedResult",
    "create_dataset",
    "list_datasets",
    "load_dataset",
]

_KEYS = (
    "name",
    "title",
    "layout",
    "format",
    "file_pattern",
    "example",
    "first_action_id",
    "class_ids",
    "classes",
    "protocols",
    "default_protocol",
    "missing",
    "published",
    "notes",
    "source",
)


def _folder() -> Traversable:
    return resources.files("infocpl.data") / "catalogs"


def list_datasets() -> list[str]:
    """Names of all datasets in the catalogue, sorted.

    Examples
    --------
    >>> "ntu60" in list_datasets() and "utd-mhad" in list_datasets()
    True
    """
    names = (item.name for item in _folder().iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


@cache
def create_dataset(name: str) -> Dataset:
    """Return the dataset called `name`; :class:`DataError` names the known ones.

    Examples
    --------
    >>> dataset = create_dataset("nw-ucla")
    >>> len(dataset.classes), dataset.classes[6], dataset.class_ids[6], dataset.default_protocol
    (10, 'donning', 8, 'xsub')
    """
    if name not in list_datasets():
        raise DataError(f"unknown dataset {name!r}; known: {', '.join(list_datasets())}")
    dataset = _dataset_from_yaml(read_yaml(_folder() / f"{name}.yaml", DataError))
    if dataset.name != name:
        raise DataError(f"{name}.yaml: name: expected {name!r}, got {dataset.name!r}")
    return dataset


def load_dataset(path: str | Path) -> Dataset:
    """Load a dataset of your own from a YAML file of the catalogue's form.

    The file needs ``name, title, layout, format, file_pattern, classes`` and either
    ``first_action_id`` (ids count up from it) or ``class_ids``; ``protocols`` and
    ``default_protocol`` if a seen test set is wanted. See :class:`Dataset` for their meaning.

    Raises
    ------
    DataError : names the file, the field, what was expected and what was found
    """
    return _dataset_from_yaml(read_yaml(Path(path), DataError))


def _dataset_from_yaml(file: YamlFile) -> Dataset:
    file.only(*_KEYS)
    classes = file.texts("classes")
    if "class_ids" in file.data:
        class_ids = file.numbers("class_ids")
    else:
        first = int(file.get("first_action_id", int, "a whole number"))
        class_ids = tuple(range(first, first + len(classes)))
    try:
        return Dataset(
            name=file.text("name"),
            title=file.text("title"),
            layout=file.text("layout"),
            format=file.text("format"),
            classes=classes,
            class_ids=class_ids,
            file_pattern=file.text("file_pattern", ""),
            example=file.text("example", ""),
            protocols=_protocols(file.child("protocols", {})),
            default_protocol=file.text("default_protocol", ""),
            missing=_missing(file),
            published=tuple(_published(row) for row in file.children("published")),
            notes=file.text("notes", ""),
            source=file.text("source", ""),
        )
    except DataError as error:
        message = str(error)
        # The record checks itself without knowing its file; the reader needs both.
        raise (
            error if message.startswith(file.where) else DataError(f"{file.where}: {message}")
        ) from None


def _protocols(node: YamlFile) -> dict[str, Protocol]:
    found = {}
    for name in node.data:
        entry = node.child(name)
        entry.only("field", "train", "notes")
        field = entry.text("field")
        found[str(name)] = Protocol(
            name=str(name),
            field=ALIASES.get(field, field),
            train=entry.numbers("train"),
            notes=entry.text("notes", ""),
        )
    return found


def _published(row: YamlFile) -> PublishedResult:
    row.only("split", "method", "top1", "source")
    top1 = float(row.get("top1", float, "a fraction between 0 and 1"))
    if not 0.0 <= top1 <= 1.0:
        raise row.fail("top1", "a fraction between 0 and 1", top1)
    return PublishedResult(row.text("split"), row.text("method"), top1, row.text("source"))


def _missing(file: YamlFile) -> frozenset[str]:
    """Names of the clips without a usable skeleton, from the lists the catalogue refers to."""
    wanted = file.texts("missing", [])
    if not wanted:
        return frozenset()
    lists = json.loads((_folder() / "missing.json").read_text(encoding="utf-8"))
    for position, name in enumerate(wanted):
        if name not in lists:
            raise file.fail(f"missing[{position}]", f"one of {', '.join(lists)}", name)
    return frozenset(clip for name in wanted for clip in lists[name])
