"""The datasets the package knows: facts restated from their papers, kept as data files."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from infocpl.data.dataset import Dataset, PublishedResult
from infocpl.data.protocol import ALIASES, ClipInfo, Protocol, ProtocolFile
from infocpl.data.yaml_files import YamlFile, read_yaml
from infocpl.errors import DataError

__all__ = [
    "ClipInfo",
    "Dataset",
    "Protocol",
    "PublishedResult",
    "create_dataset",
    "find_dataset",
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
    "codes",
    "missing",
    "missing_clips",
    "published",
    "unverified",
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
    dataset = _dataset_from_yaml(_with_base(read_yaml(_folder() / f"{name}.yaml", DataError)))
    if dataset.name != name:
        raise DataError(f"{name}.yaml: name: expected {name!r}, got {dataset.name!r}")
    return dataset


def load_dataset(path: str | Path) -> Dataset:
    """Load a dataset of your own from a YAML file of the catalogue's form.

    The file needs ``name, title, layout, format, file_pattern, classes`` and either
    ``first_action_id`` (ids count up from it) or ``class_ids``; ``protocols`` and
    ``default_protocol`` if a seen test set is wanted. See :class:`Dataset` for their meaning.
    With ``base: NAME`` it only needs what differs from that dataset of the catalogue: its keys
    replace those of the base, its protocols are added to them.

    Raises
    ------
    DataError : names the file, the field, what was expected and what was found
    """
    return _dataset_from_yaml(_with_base(read_yaml(Path(path), DataError)))


def find_dataset(name: str) -> Dataset:
    """Return a dataset by its name in the catalogue, or from a file ending in .yaml or .yml.

    Examples
    --------
    >>> find_dataset("utd-mhad").title
    'UTD-MHAD'
    """
    return load_dataset(name) if name.endswith((".yaml", ".yml")) else create_dataset(name)


def _with_base(file: YamlFile) -> YamlFile:
    """Fill in from the dataset of the catalogue that a file builds on, if it names one."""
    if "base" not in file.data:
        return file
    base = file.text("base")
    if base not in list_datasets():
        raise file.fail("base", f"one of {', '.join(list_datasets())}", base)
    data = dict(read_yaml(_folder() / f"{base}.yaml", DataError).data)
    protocols = {**data.get("protocols", {}), **file.child("protocols", {}).data}
    data |= {key: value for key, value in file.data.items() if key != "base"}
    return YamlFile({**data, "protocols": protocols}, file.where, file.error)


def _dataset_from_yaml(file: YamlFile) -> Dataset:
    file.only(*_KEYS)
    classes = file.texts("classes")
    if "class_ids" in file.data:
        class_ids = file.numbers("class_ids")
    else:
        first = int(file.get("first_action_id", int, "a whole number"))
        class_ids = tuple(range(first, first + len(classes)))
    codes = file.child("codes", {})
    try:
        protocols, protocol_files = _protocols(file.child("protocols", {}))
        return Dataset(
            name=file.text("name"),
            title=file.text("title"),
            layout=file.text("layout"),
            format=file.text("format"),
            classes=classes,
            class_ids=class_ids,
            file_pattern=file.text("file_pattern", ""),
            example=file.text("example", ""),
            protocols=protocols,
            default_protocol=file.text("default_protocol", ""),
            protocol_files=protocol_files,
            codes={str(group): codes.texts(str(group)) for group in codes.data},
            missing=_missing(file),
            published=tuple(_published(row) for row in file.children("published")),
            unverified=file.texts("unverified", []),
            notes=file.text("notes", ""),
            source=file.text("source", ""),
        )
    except DataError as error:
        message = str(error)
        # The record checks itself without knowing its file; the reader needs both.
        raise (
            error if message.startswith(file.where) else DataError(f"{file.where}: {message}")
        ) from None


def _protocols(node: YamlFile) -> tuple[dict[str, Protocol], dict[str, ProtocolFile]]:
    """Protocols with their ids, and those whose ids are in a file of the user's copy; or both."""
    found: dict[str, Protocol] = {}
    files: dict[str, ProtocolFile] = {}
    for name in map(str, node.data):
        entry = node.child(name)
        entry.only("field", "train", "file", "notes")
        field = entry.text("field")
        field = ALIASES.get(field, field)
        notes = entry.text("notes", "")
        if "file" in entry.data:
            files[name] = ProtocolFile(field, entry.text("file"), notes)
        if "train" in entry.data or "file" not in entry.data:
            found[name] = Protocol(name, field, entry.numbers("train"), notes)
    return found, files


def _published(row: YamlFile) -> PublishedResult:
    row.only("split", "method", "top1", "source")
    top1 = float(row.get("top1", float, "a fraction between 0 and 1"))
    if not 0.0 <= top1 <= 1.0:
        raise row.fail("top1", "a fraction between 0 and 1", top1)
    return PublishedResult(row.text("split"), row.text("method"), top1, row.text("source"))


def _missing(file: YamlFile) -> frozenset[str]:
    """Names of the clips without a usable skeleton: lists of the catalogue, and single names."""
    found = set(file.texts("missing_clips", []))
    wanted = file.texts("missing", [])
    if wanted:
        lists = json.loads((_folder() / "missing.json").read_text(encoding="utf-8"))
        for position, name in enumerate(wanted):
            if name not in lists:
                raise file.fail(f"missing[{position}]", f"one of {', '.join(lists)}", name)
            found.update(lists[name])
    return frozenset(found)
