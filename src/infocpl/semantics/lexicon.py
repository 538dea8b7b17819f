"""Lexicons: what is known about the actions of a dataset in words.

A lexicon is one YAML file in ``lexicon/`` (format ``infocpl-lexicon/2``), written from the class
names of a dataset and general knowledge of movement. :mod:`.entry` says what an entry must hold,
:mod:`.prompts` makes sentences of it. A class that another shipped lexicon describes already is
one line there: ``same_as: ntu60 / drink water``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from infocpl.errors import SemanticsError
from infocpl.files import atomic_path, canonical_hash
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.entry_reader import line_of
from infocpl.semantics.labels import MAX_NAME_LENGTH, label_key
from infocpl.semantics.yaml_text import dump_yaml, parse_yaml

__all__ = ["LEXICON_FORMAT", "Lexicon", "find_entry", "list_lexicons", "load_lexicon"]

LEXICON_FORMAT = "infocpl-lexicon/2"
_OLDER = "infocpl-lexicon/1"
_MAX_FILE_BYTES = 8 * 2**20
_FIELDS = ("format", "dataset", "classes")


@dataclass(frozen=True)
class Lexicon:
    """Entries of one dataset, found by name or alias without regard to case.

    Examples
    --------
    >>> lexicon = load_lexicon("utd-mhad")
    >>> len(lexicon), lexicon["Right Hand Wave"].name
    (27, 'right hand wave')
    """

    dataset: str
    entries: tuple[LexiconEntry, ...]

    def __post_init__(self) -> None:
        taken: dict[str, str] = {}
        for entry in self.entries:
            for name in (entry.name, *entry.aliases):
                key = label_key(name)
                if key in taken:
                    raise SemanticsError(
                        f"lexicon {self.dataset!r}, class {entry.name!r}: expected each name and "
                        f"alias once, got {name!r} again (first in class {taken[key]!r})"
                    )
                taken[key] = entry.name

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in the order of the file."""
        return tuple(entry.name for entry in self.entries)

    @cached_property
    def _by_key(self) -> dict[str, LexiconEntry]:
        return {
            label_key(name): entry
            for entry in self.entries
            for name in (*entry.aliases, entry.name)
        }

    def get(self, name: str) -> LexiconEntry | None:
        """Entry called `name` (or known by that alias), or None."""
        return self._by_key.get(label_key(name))

    def __getitem__(self, name: str) -> LexiconEntry:
        entry = self.get(name)
        if entry is None:
            near = difflib.get_close_matches(label_key(name), self._by_key, n=3)
            hint = f"; did you mean {', '.join(near)}" if near else ""
            raise SemanticsError(f"lexicon {self.dataset!r} has no class {name!r}{hint}")
        return entry

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of dataset name and content, whatever the layout of the file."""
        return canonical_hash(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The lexicon in the form of the file, every entry written out."""
        return {
            "format": LEXICON_FORMAT,
            "dataset": self.dataset,
            "classes": [entry.to_dict() for entry in self.entries],
        }

    def to_yaml(self) -> str:
        """The text of a lexicon file that :func:`load_lexicon` reads as this lexicon."""
        return dump_yaml(self.to_dict())

    def write(self, path: str | Path) -> None:
        """Write the lexicon as a YAML file to read, edit and load again, whole or not at all.

        Raises
        ------
        SemanticsError : if the file cannot be written
        """
        try:
            with atomic_path(Path(path)) as temporary:
                temporary.write_text(self.to_yaml(), encoding="utf-8")
        except OSError as error:
            raise SemanticsError(f"{path} cannot be written: {error.strerror}") from error


def list_lexicons() -> list[str]:
    """Dataset names of the lexicons that ship with the package, sorted.

    Examples
    --------
    >>> "nw-ucla" in list_lexicons()
    True
    """
    folder = resources.files("infocpl.semantics") / "lexicon"
    found = [item.name for item in folder.iterdir() if item.name.endswith(".yaml")]
    return sorted(name.removesuffix(".yaml").replace("_", "-") for name in found)


def load_lexicon(source: str | Path) -> Lexicon:
    """Load a lexicon by dataset name, or from a YAML file.

    Parameters
    ----------
    source : a name from :func:`list_lexicons`, or a path (a text that ends in ``.yaml`` or
        ``.yml``, or any :class:`~pathlib.Path`)

    Raises
    ------
    SemanticsError : the name is unknown, or the file breaks the format; the message gives file,
        class, line, field, what was expected and what was found
    """
    if isinstance(source, Path) or source.endswith((".yaml", ".yml")):
        return _read_file(Path(source))
    return _load_shipped(source.replace("_", "-").casefold())


@cache
def _load_shipped(name: str) -> Lexicon:
    if name not in list_lexicons():
        raise SemanticsError(f"unknown lexicon {name!r}; known: {', '.join(list_lexicons())}")
    file = resources.files("infocpl.semantics") / "lexicon" / f"{name.replace('-', '_')}.yaml"
    return _parse(file.read_text(encoding="utf-8"), file.name)


def find_entry(name: str, *, first: str = "") -> tuple[LexiconEntry, Lexicon] | None:
    """Look `name` up in every shipped lexicon; class names come before aliases.

    Parameters
    ----------
    name : an action
    first : dataset whose lexicon is asked before the others, if it has one. The others follow
        in the order of :func:`list_lexicons`, so that the answer is always the same when two
        datasets share a class name.

    Examples
    --------
    >>> entry, lexicon = find_entry("Donning")
    >>> entry.name, lexicon.dataset
    ('donning', 'nw-ucla')
    """
    known = list_lexicons()
    order = sorted(known, key=lambda item: item != first)
    by_alias: tuple[LexiconEntry, Lexicon] | None = None
    for lexicon in map(load_lexicon, order):
        entry = lexicon.get(name)
        if entry is None:
            continue
        if label_key(entry.name) == label_key(name):
            return entry, lexicon
        by_alias = by_alias or (entry, lexicon)
    return by_alias


def _read_file(path: Path) -> Lexicon:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise SemanticsError(f"{path}: expected at most {_MAX_FILE_BYTES} bytes, got {size}")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SemanticsError(f"{path}: no such lexicon file") from None
    except UnicodeDecodeError as error:
        raise SemanticsError(f"{path}, byte {error.start}: expected UTF-8 text") from None
    except OSError as error:
        raise SemanticsError(f"{path} cannot be read: {error.strerror}") from error
    return _parse(text, str(path))


def _parse(text: str, place: str) -> Lexicon:
    data = parse_yaml(text, place)
    if not isinstance(data, Mapping):
        raise _bad(place, "file", f"the fields {', '.join(_FIELDS)}", data)
    # Before anything else: a file of the older format has other fields as well.
    found = data.get("format")
    if found != LEXICON_FORMAT:
        hint = ""
        if found == _OLDER:
            hint = "; version 1 had fewer sentences and no traits, so its entries must be rewritten"
        raise SemanticsError(f"{place}: format: expected {LEXICON_FORMAT}, got {found!r}{hint}")
    missing = [key for key in _FIELDS if key not in data]
    if missing:
        raise SemanticsError(f"{place}: expected the field {missing[0]!r}, got none")
    surplus = [key for key in data if key not in _FIELDS]
    if surplus:
        raise SemanticsError(
            f"{place}, line {line_of(data, surplus[0])}: expected only {', '.join(_FIELDS)}, got "
            f"the field {surplus[0]!r}"
        )
    dataset, classes = data["dataset"], data["classes"]
    if not isinstance(dataset, str) or not 1 <= len(dataset) <= MAX_NAME_LENGTH:
        raise _bad(place, "dataset", f"a text of 1 to {MAX_NAME_LENGTH} characters", dataset)
    if not isinstance(classes, list) or not classes:
        raise _bad(place, "classes", "a list of at least one class", classes)
    entries = [_parse_entry(item, dataset, place, n) for n, item in enumerate(classes, start=1)]
    try:
        return Lexicon(dataset, tuple(entries))
    except SemanticsError as error:
        raise SemanticsError(f"{place}: {error}") from None


def _parse_entry(item: Any, dataset: str, place: str, number: int) -> LexiconEntry:
    where = f"{place}, class {number}"
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        where += f" ({item['name'][:60]})"
    if isinstance(item, Mapping) and "same_as" in item:
        return _refer(item, dataset, where)
    return LexiconEntry.from_dict(item, dataset, place=where)


def _refer(item: Mapping[str, Any], dataset: str, where: str) -> LexiconEntry:
    """The entry of another shipped lexicon under this lexicon's name for it."""
    name, target = item.get("name"), item["same_as"]
    if set(item) != {"name", "same_as"} or not isinstance(name, str) or not name.strip():
        raise SemanticsError(
            f"{where}: expected a name beside same_as and nothing else, got the fields "
            f"{', '.join(item)}"
        )
    source, _, other = target.partition(" / ") if isinstance(target, str) else ("", "", "")
    if not source or not other:
        raise SemanticsError(f"{where}: same_as: expected 'dataset / class name', got {target!r}")
    try:
        entry = load_lexicon(source)[other]
    except SemanticsError as error:
        raise SemanticsError(f"{where}: same_as: {error}") from None
    name = " ".join(name.split())
    # The name it has there stays a way to find it here.
    others = [alias for alias in entry.aliases if label_key(alias) != label_key(name)]
    if label_key(entry.name) != label_key(name):
        others = [entry.name, *others]
    return replace(entry, name=name, aliases=tuple(others[:6]), dataset=dataset)


def _bad(place: str, name: str, expected: str, got: Any) -> SemanticsError:
    shown = f"a list of {len(got)}" if isinstance(got, list) else repr(got)[:60]
    return SemanticsError(
        f"{place}: {name}: expected {expected}, got {'nothing' if got is None else shown}"
    )
