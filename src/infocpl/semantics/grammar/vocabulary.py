"""The vocabulary: actions, things, places of the body and small words, read from data files.

The files lie in ``data/`` and are part of the package; what they may hold is checked when they
are read, so that a wrong edit is told with its file and field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from infocpl.data.yaml_files import read_yaml
from infocpl.errors import SemanticsError
from infocpl.semantics.grammar.frames import FIELDS, GENERIC_LIMBS, TAKES, Frame, make_frame
from infocpl.semantics.traits import TRAIT_VALUES

__all__ = ["BodyPlace", "Meaning", "Thing", "Vocabulary", "Way", "load_vocabulary"]

_TRAIT_OF = {"start": "posture_start", "end": "posture_end", "to_person": "relation"}
_LISTS = ("moving", "directions", "planes", "heights", "arms", "contact", "takes")
_FREE = ("family", "does", "begin", "finish", "why", "thing", "tool", "general")


@dataclass(frozen=True)
class Thing:
    """Something an action is done with or to.

    Attributes
    ----------
    phrase : how a sentence calls it ("a ball")
    kinds : what an action may ask for, its own name first
    place : the height it stands at if it is not held, else empty
    action : what a name means that holds this word and no action
    """

    name: str
    phrase: str
    kinds: tuple[str, ...]
    place: str = ""
    action: str = ""


@dataclass(frozen=True)
class BodyPlace:
    """A place of the body: the part it belongs to, and where a hand goes that reaches it."""

    name: str
    group: str
    contact: str
    height: str
    directions: tuple[str, ...]


@dataclass(frozen=True)
class Way:
    """A direction that a name may add to an action."""

    name: str
    directions: tuple[str, ...] = ()
    planes: tuple[str, ...] = ()
    path: str = ""
    height: str = ""
    cyclic: bool = False


@dataclass(frozen=True)
class Meaning:
    """One way to read one or more words: `kind` says what they are, `value` which one."""

    kind: str
    value: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Vocabulary:
    """Everything the grammar knows, by key, and an index by first word.

    `titles` and `synonyms` are the words for an action that may be shown, `verbs` those that begin
    what a person does.
    """

    frames: Mapping[str, Frame]
    titles: Mapping[str, str]
    synonyms: Mapping[str, tuple[str, ...]]
    things: Mapping[str, Thing]
    body: Mapping[str, BodyPlace]
    ways: Mapping[str, Way]
    manners: Mapping[str, Mapping[str, str]]
    irregular: Mapping[str, str]
    index: Mapping[str, tuple[Meaning, ...]]
    words: frozenset[str]
    verbs: frozenset[str]

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of all actions."""
        return tuple(self.frames)


@cache
def load_vocabulary() -> Vocabulary:
    """Read the vocabulary of the package, once a process.

    Raises
    ------
    SemanticsError : if a data file of the package is damaged; file, field and value

    Examples
    --------
    >>> vocabulary = load_vocabulary()
    >>> len(vocabulary.actions) >= 400, vocabulary.frames["kick"].moving
    (True, ('leg', 'torso'))
    """
    folder = resources.files("infocpl.semantics.grammar") / "data"
    families = read_yaml(folder / "families.yaml", SemanticsError).data
    for name, record in families.items():
        check_record(f"families.yaml: {name}", record)
    records: dict[str, Mapping[str, Any]] = {}
    files = [item for item in (folder / "actions").iterdir() if item.name.endswith(".yaml")]
    for file in sorted(files, key=lambda item: item.name):
        for name, record in read_yaml(file, SemanticsError).data.items():
            place = f"{file.name}: {name}"
            if name in records:
                raise SemanticsError(f"{place}: expected each action once, got it again")
            check_record(place, record, families)
            records[name] = record
    things = dict(_things(read_yaml(folder / "objects.yaml", SemanticsError).data))
    words = read_yaml(folder / "words.yaml", SemanticsError).data
    meanings = [*_action_words(records), *_thing_words(folder), *_other_words(words)]
    index: dict[str, list[Meaning]] = {}
    for meaning in dict.fromkeys(meanings):
        index.setdefault(meaning.words[0], []).append(meaning)
    frames = {name: make_frame(name, record, families) for name, record in records.items()}
    return Vocabulary(
        frames=frames,
        titles={name: _phrases(name, record)[0] for name, record in records.items()},
        synonyms={name: _synonyms(name, record) for name, record in records.items()},
        things=things,
        body={name: _body_place(name, record) for name, record in words["body"].items()},
        ways={name: _way(name, record) for name, record in words["ways"].items()},
        manners=words["manners"],
        irregular=words["irregular"],
        index={first: tuple(found) for first, found in index.items()},
        words=frozenset(word for meaning in meanings for word in meaning.words),
        verbs=frozenset(_verbs(frames)),
    )


def check_record(
    place: str, record: Mapping[str, Any], families: Mapping[str, Any] | None = None
) -> None:
    """Refuse fields and values that no frame can have.

    Raises
    ------
    SemanticsError : place, field, what was expected and what was found
    """
    family = record.get("family")
    if families is not None and family not in families:
        raise SemanticsError(
            f"{place}: family: expected one of {', '.join(families)}, got {family!r}"
        )
    for name, value in record.items():
        if name == "with":
            for selector, changes in value.items():
                where = f"{place}: with {selector}"
                check_record(where, changes, families if "family" in changes else None)
        elif name == "words":
            _texts(f"{place}: words", value)
        elif name not in FIELDS:
            raise SemanticsError(f"{place}: expected only {', '.join(FIELDS)}, got {name!r}")
        elif name not in _FREE:
            _check_value(f"{place}: {name}", name, value)


def _check_value(place: str, name: str, value: Any) -> None:
    generic = {"moving": GENERIC_LIMBS, "takes": TAKES}
    known = generic[name] if name in generic else TRAIT_VALUES[_TRAIT_OF.get(name, name)]
    several = name in _LISTS
    if several != isinstance(value, list):
        raise SemanticsError(
            f"{place}: expected {'a list' if several else 'a word'}, got {value!r}"
        )
    for word in value if several else [value]:
        if word not in known:
            raise SemanticsError(f"{place}: expected one of {', '.join(known)}, got {word!r}")


def _texts(place: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise SemanticsError(f"{place}: expected a list of texts, got {value!r}")
    return value


def _verbs(frames: Mapping[str, Frame]) -> Iterator[str]:
    for frame in frames.values():
        for told in (frame, *frame.variants.values()):
            for text in (told.does, told.begin, told.finish):
                yield text.split()[0].rstrip(",")


def _split(phrase: str) -> tuple[str, ...]:
    return tuple(phrase.replace("-", " ").split())


def _action_words(records: Mapping[str, Mapping[str, Any]]) -> Iterator[Meaning]:
    for key, record in records.items():
        for phrase in _phrases(key, record):
            yield Meaning("action", key, _split(phrase))


def _phrases(key: str, record: Mapping[str, Any]) -> list[str]:
    return record.get("words") or [key.replace("_", " ")]


def _synonyms(key: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    """What the action is called: its title and single words; other phrases are for reading only."""
    first, *rest = _phrases(key, record)
    return (first, *(phrase for phrase in rest if " " not in phrase))


def _things(groups: Mapping[str, Any]) -> Iterator[tuple[str, Thing]]:
    for group in groups.values():
        for name, record in group["things"].items():
            kinds = record.get("kinds", group["kinds"])
            article = "an" if name[0] in "aeiou" else "a"
            thing = Thing(
                name=name,
                phrase=record.get("thing", f"{article} {name}"),
                kinds=tuple(dict.fromkeys((name, *kinds))),
                place=record.get("place", ""),
                action=record.get("action", ""),
            )
            yield name, thing


def _thing_words(folder: Any) -> Iterator[Meaning]:
    groups = read_yaml(folder / "objects.yaml", SemanticsError).data
    for title, group in groups.items():
        for name, record in group["things"].items():
            for phrase in _texts(f"objects.yaml: {title}: {name}: words", record["words"]):
                yield Meaning("thing", name, _split(phrase))


def _body_place(name: str, record: Mapping[str, Any]) -> BodyPlace:
    return BodyPlace(
        name, record["group"], record["contact"], record["height"], tuple(record["directions"])
    )


def _way(name: str, record: Mapping[str, Any]) -> Way:
    return Way(
        name=name,
        directions=tuple(record.get("directions", ())),
        planes=tuple(record.get("planes", ())),
        path=record.get("path", ""),
        height=record.get("height", ""),
        cyclic=record.get("cyclic", False),
    )


# Sections of words.yaml in which a value has a list of words, and the kind each gives.
_LISTED = {
    "hands": "hands",
    "feet": "feet",
    "sides": "side",
    "heights": "height",
    "times": "times",
    "postures": "posture",
    "persons": "person",
}


def _other_words(data: Mapping[str, Any]) -> Iterator[Meaning]:
    for section, kind in (("body", "body"), ("ways", "way"), ("manners", "manner")):
        for value, record in data[section].items():
            for phrase in _texts(f"words.yaml: {section}: {value}", record["words"]):
                yield Meaning(kind, value, _split(phrase))
    for section, kind in _LISTED.items():
        for value, phrases in data[section].items():
            for phrase in _texts(f"words.yaml: {section}: {value}", phrases):
                yield Meaning(kind, value, _split(phrase))
    for section, kind in (("negations", "negation"), ("empty", "empty")):
        for phrase in _texts(f"words.yaml: {section}", data[section]):
            yield Meaning(kind, phrase, _split(phrase))
