"""What is known about actions in words: lexicon files, checked field by field.

A lexicon is one YAML file in ``lexicon/`` (format ``infocpl-lexicon/1``), written from the class
names of a dataset and general knowledge of movement. :mod:`.prompts` makes sentences of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.labels import MAX_NAME_LENGTH, label_key
from infocpl.skeleton.layout import PART_NAMES

__all__ = [
    "ATTRIBUTE_NAMES",
    "LEXICON_FORMAT",
    "PHASE_NAMES",
    "Contrast",
    "Lexicon",
    "LexiconEntry",
    "find_entry",
    "list_lexicons",
    "load_lexicon",
]

LEXICON_FORMAT = "infocpl-lexicon/1"
PHASE_NAMES = ("start", "middle", "end")
ATTRIBUTE_NAMES = (
    "trajectory",
    "speed",
    "periodicity",
    "symmetry",
    "posture",
    "locomotion",
    "direction",
    "persons",
)

_TEXTS = ("definition", "motion", "purpose", "sensor")
_GROUPS = {"parts": PART_NAMES, "phases": PHASE_NAMES, "attributes": ATTRIBUTE_NAMES}
_FIELDS = ("name", "aliases", *_TEXTS, *_GROUPS, "contrast")
_MAX_FILE_BYTES = 8 * 2**20
_MAX_TEXT = 1_000


@dataclass(frozen=True)
class Contrast:
    """How an action differs from another one, named by `other`."""

    other: str
    how: str


@dataclass(frozen=True)
class LexiconEntry:
    """One action in words.

    Attributes
    ----------
    name, aliases : what the action is called; `name` is the dataset's class name
    dataset : the lexicon it stands in
    definition, motion, purpose, sensor : sentences; `sensor` says what a skeleton shows of it
    parts : body part (:data:`~infocpl.skeleton.layout.PART_NAMES`) to sentence
    phases : ``start``, ``middle``, ``end`` to sentence
    attributes : :data:`ATTRIBUTE_NAMES` to sentence
    contrast : one to three actions it may be taken for
    """

    name: str
    aliases: tuple[str, ...]
    dataset: str
    definition: str
    parts: Mapping[str, str] = field(hash=False)
    phases: Mapping[str, str] = field(hash=False)
    motion: str
    attributes: Mapping[str, str] = field(hash=False)
    purpose: str
    sensor: str
    contrast: tuple[Contrast, ...]

    def to_dict(self) -> dict[str, Any]:
        """The entry in the form of the file."""
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            **{key: getattr(self, key) for key in _TEXTS},
            **{key: dict(getattr(self, key)) for key in _GROUPS},
            "contrast": [{"from": item.other, "how": item.how} for item in self.contrast],
        }

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of the content; the same in every lexicon that holds it."""
        return canonical_hash(self.to_dict())


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
        content = [entry.to_dict() for entry in self.entries]
        return canonical_hash({"dataset": self.dataset, "classes": content})


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
        class, field, what was expected and what was found
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


def find_entry(name: str) -> tuple[LexiconEntry, Lexicon] | None:
    """Look `name` up in every shipped lexicon; class names come before aliases.

    Lexicons are asked in the order of :func:`list_lexicons`, so that the answer is always the
    same when two datasets share a class name.

    Examples
    --------
    >>> entry, lexicon = find_entry("Donning")
    >>> entry.name, lexicon.dataset
    ('donning', 'nw-ucla')
    """
    lexicons = [load_lexicon(item) for item in list_lexicons()]
    by_alias: tuple[LexiconEntry, Lexicon] | None = None
    for lexicon in lexicons:
        entry = lexicon.get(name)
        if entry is not None and label_key(entry.name) == label_key(name):
            return entry, lexicon
        if entry is not None and by_alias is None:
            by_alias = entry, lexicon
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


class _StrictLoader(yaml.SafeLoader):
    """YAML without repeated keys (the last would win unseen) and without anchors."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases are refused", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                mark = node.value[position][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} stands twice", mark)
        return super().construct_mapping(node, deep)


def _parse(text: str, place: str) -> Lexicon:
    try:
        # The loader derives from SafeLoader, which builds plain values only.
        data = yaml.load(text, Loader=_StrictLoader)  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SemanticsError(f"{place}{line}: expected YAML, got: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SemanticsError(f"{place}: expected YAML, got: {error}") from None
    except RecursionError:
        raise SemanticsError(f"{place}: expected YAML, got too deep a nesting") from None
    _check_keys(data, ("format", "dataset", "classes"), place)
    if data["format"] != LEXICON_FORMAT:
        raise _bad(place, "format", LEXICON_FORMAT, data["format"])
    dataset = _check_text(data["dataset"], f"{place}: dataset", MAX_NAME_LENGTH)
    classes = data["classes"]
    if not isinstance(classes, list) or not classes:
        raise _bad(place, "classes", "a list of at least one class", classes)
    entries = [_parse_entry(item, dataset, place, n) for n, item in enumerate(classes, start=1)]
    return Lexicon(dataset, tuple(entries))


def _parse_entry(item: Any, dataset: str, place: str, number: int) -> LexiconEntry:
    where = f"{place}, class {number}"
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        where += f" ({item['name'][:60]})"
    _check_keys(item, _FIELDS, where)
    aliases, contrast = item["aliases"], item["contrast"]
    if not isinstance(aliases, list):
        raise _bad(where, "aliases", "a list of names", aliases)
    if not isinstance(contrast, list) or not 1 <= len(contrast) <= 3:
        raise _bad(where, "contrast", "a list of 1 to 3 actions", contrast)
    pairs = []
    for position, pair in enumerate(contrast, start=1):
        spot = f"{where}: contrast {position}"
        _check_keys(pair, ("from", "how"), spot)
        other = _check_text(pair["from"], f"{spot}: from", MAX_NAME_LENGTH)
        pairs.append(Contrast(other, _check_text(pair["how"], f"{spot}: how")))
    texts = {key: _check_text(item[key], f"{where}: {key}") for key in _TEXTS}
    groups: dict[str, dict[str, str]] = {}
    for group, names in _GROUPS.items():
        _check_keys(item[group], names, f"{where}: {group}")
        groups[group] = {
            name: _check_text(item[group][name], f"{where}: {group}.{name}") for name in names
        }
    return LexiconEntry(
        name=_check_text(item["name"], f"{where}: name", MAX_NAME_LENGTH),
        aliases=tuple(
            _check_text(alias, f"{where}: alias {position}", MAX_NAME_LENGTH)
            for position, alias in enumerate(aliases, start=1)
        ),
        dataset=dataset,
        definition=texts["definition"],
        parts=groups["parts"],
        phases=groups["phases"],
        motion=texts["motion"],
        attributes=groups["attributes"],
        purpose=texts["purpose"],
        sensor=texts["sensor"],
        contrast=tuple(pairs),
    )


def _check_keys(value: Any, expected: tuple[str, ...], where: str) -> None:
    if not isinstance(value, dict):
        raise SemanticsError(
            f"{where}: expected the fields {', '.join(expected)}, got {_kind(value)}"
        )
    missing = [key for key in expected if key not in value]
    if missing:
        raise SemanticsError(f"{where}: expected the field {missing[0]!r}, got none")
    surplus = [key for key in value if key not in expected]
    if surplus:
        raise SemanticsError(
            f"{where}: expected only {', '.join(expected)}, got the field {surplus[0]!r}"
        )


def _check_text(value: Any, where: str, longest: int = _MAX_TEXT) -> str:
    if not isinstance(value, str):
        raise SemanticsError(f"{where}: expected text, got {_kind(value)}")
    text = " ".join(value.split())
    if not 1 <= len(text) <= longest:
        raise SemanticsError(f"{where}: expected 1 to {longest} characters, got {len(text)}")
    return text


def _bad(where: str, name: str, expected: str, got: Any) -> SemanticsError:
    return SemanticsError(f"{where}: {name}: expected {expected}, got {_kind(got)}")


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"fields {', '.join(map(str, value))}" if value else "no fields"
    return "nothing" if value is None else repr(value)[:60]
