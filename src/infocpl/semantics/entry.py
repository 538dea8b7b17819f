"""One action in words: the fields of a lexicon entry, and what each of them must be.

The rules are those of the format ``infocpl-lexicon/2`` (see :mod:`.lexicon`). They hold for
whatever an entry comes from: a file, a program that writes entries, an edited description.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.labels import MAX_NAME_LENGTH
from infocpl.semantics.traits import Traits
from infocpl.skeleton.layout import PART_NAMES

__all__ = [
    "ALIKE",
    "ATTRIBUTE_NAMES",
    "COUNTS",
    "PHASE_NAMES",
    "WORD_LIMITS",
    "Contrast",
    "LexiconEntry",
    "line_of",
    "read_fields",
    "word_set",
]

PHASE_NAMES = ("start", "middle", "end")
"""Phases of an action, in the order of time."""

ATTRIBUTE_NAMES = (
    *("trajectory", "direction", "plane", "speed", "amplitude", "periodicity", "symmetry"),
    *("posture", "locomotion", "contact", "persons"),
)
"""What the attribute sentences of an entry speak of."""

_GROUPS = {"parts": PART_NAMES, "phases": PHASE_NAMES, "attributes": ATTRIBUTE_NAMES}
COUNTS = {
    "aliases": (4, 6),
    "gist": (2, 4),
    "definition": (2, 2),
    "sensor": (3, 3),
    "details": (10, 10),
    "contrast": (3, 3),
}
"""Fewest and most items of a field that is a list."""

_LISTS = ("gist", "definition", "sensor", "details")
_TEXTS = ("motion", "objects", "purpose")
_FIELDS = (
    *("name", "aliases", "gist", "definition", "parts", "phases", "motion", "attributes"),
    *("objects", "purpose", "sensor", "details", "contrast", "traits"),
)
# Files from before there were gists stay readable; their sentences stand alone.
_OPTIONAL = ("gist",)
WORD_LIMITS = {
    "gist": (4, 14),
    "definition": (8, 30),
    "parts": (5, 24),
    "phases": (5, 24),
    "motion": (20, 50),
    "attributes": (5, 24),
    "objects": (4, 24),
    "purpose": (5, 24),
    "sensor": (8, 24),
    "details": (8, 24),
    "contrast": (8, 24),
}
"""Fewest and most words of a sentence, by field."""
_MAX_TEXT = 400
_SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,'\-]*\.")
_WORD = re.compile(r"[a-z]+")
ALIKE = 0.8
"""Two sentences that share more of their words than this say the same thing."""


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
    definition : two sentences
    parts : body part (:data:`~infocpl.skeleton.layout.PART_NAMES`) to sentence
    phases : :data:`PHASE_NAMES` to sentence
    motion : one long sentence, the motion description
    attributes : :data:`ATTRIBUTE_NAMES` to sentence
    objects, purpose : what is handled, and why
    sensor : three sentences about what a skeleton shows
    details : ten further sentences
    contrast : three actions it may be taken for
    traits : the same in a controlled vocabulary
    gist : two to four short sentences, each of which tells the action from others by itself and
        reads well after "while" (none: :mod:`.prompts` lets all sentences stand alone)
    """

    name: str
    aliases: tuple[str, ...]
    dataset: str
    definition: tuple[str, ...]
    parts: Mapping[str, str] = field(hash=False)
    phases: Mapping[str, str] = field(hash=False)
    motion: str
    attributes: Mapping[str, str] = field(hash=False)
    objects: str
    purpose: str
    sensor: tuple[str, ...]
    details: tuple[str, ...]
    contrast: tuple[Contrast, ...]
    traits: Traits
    gist: tuple[str, ...] = ()

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any], dataset: str, *, place: str = "entry"
    ) -> LexiconEntry:
        """Check an entry in the form of the file, and build it.

        Parameters
        ----------
        data : fields as :meth:`to_dict` gives them
        dataset : the lexicon it belongs to
        place : how an error message begins, such as the file and the number of the class

        Raises
        ------
        SemanticsError : place, field, what was expected and what was found; also for a sentence
            that repeats another one nearly word for word
        """
        wanted = tuple(key for key in _FIELDS if key in data or key not in _OPTIONAL)
        return cls(dataset=dataset, **read_fields(data, wanted, place=place))

    def to_dict(self) -> dict[str, Any]:
        """The entry in the form of the file."""
        return {
            "name": self.name,
            "aliases": list(self.aliases),
            **({"gist": list(self.gist)} if self.gist else {}),
            "definition": list(self.definition),
            "parts": dict(self.parts),
            "phases": dict(self.phases),
            "motion": self.motion,
            "attributes": dict(self.attributes),
            "objects": self.objects,
            "purpose": self.purpose,
            "sensor": list(self.sensor),
            "details": list(self.details),
            "contrast": [{"from": item.other, "how": item.how} for item in self.contrast],
            "traits": self.traits.to_dict(),
        }

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of the content; the same in every lexicon that holds it."""
        return canonical_hash(self.to_dict())


def read_fields(
    data: Mapping[str, Any], wanted: Sequence[str] = _FIELDS, *, place: str = "entry"
) -> dict[str, Any]:
    """Check some fields of an entry in the form of the file, and nothing but them.

    Parameters
    ----------
    data : exactly the fields in `wanted`
    wanted : fields of the format (default: all)
    place : how an error message begins

    Returns
    -------
    the fields as :class:`LexiconEntry` takes them

    Raises
    ------
    SemanticsError : see :meth:`LexiconEntry.from_dict`
    """
    reader = _Reader(place)
    reader.keys(data, wanted, data)
    read: dict[str, Any] = {}
    for key in wanted:
        if key in _LISTS:
            read[key] = tuple(reader.sentences(data, key))
        elif key in _GROUPS:
            read[key] = dict(reader.group(data, key))
        elif key in _TEXTS:
            read[key] = reader.sentence(data, key, key)
    readers: dict[str, Callable[[], Any]] = {
        "name": lambda: reader.name(data, "name", "name"),
        "aliases": lambda: tuple(reader.aliases(data)),
        "contrast": lambda: tuple(reader.contrasts(data)),
        "traits": lambda: reader.traits(data),
    }
    read |= {key: read_key() for key, read_key in readers.items() if key in wanted}
    reader.refuse_repeats()
    return read


class _Reader:
    """Reads fields of one entry and remembers its sentences, to find repeats."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.told: list[tuple[str, str, frozenset[str]]] = []

    def fail(self, holder: Any, key: Any, label: str, expected: str, got: str) -> SemanticsError:
        line = line_of(holder, key)
        place = f"{self.place}, line {line}" if line else self.place
        return SemanticsError(f"{place}: {label}: expected {expected}, got {got}")

    def keys(self, value: Any, expected: Sequence[str], holder: Any, label: str = "entry") -> None:
        if not isinstance(value, Mapping):
            raise self.fail(holder, label, label, f"the fields {', '.join(expected)}", _kind(value))
        missing = [key for key in expected if key not in value]
        if missing:
            raise self.fail(holder, label, label, f"the field {missing[0]!r}", "none")
        surplus = [key for key in value if key not in expected]
        if surplus:
            raise self.fail(
                value, surplus[0], label, f"only {', '.join(expected)}", f"field {surplus[0]!r}"
            )

    def sentence(self, holder: Any, key: Any, label: str, rule: str = "") -> str:
        """One sentence under its field's rule; `rule` names the field where `label` does not."""
        value = holder[key]
        if not isinstance(value, str):
            raise self.fail(holder, key, label, "a sentence", _kind(value))
        text = " ".join(value.split())
        if len(text) > _MAX_TEXT:
            raise self.fail(holder, key, label, f"at most {_MAX_TEXT} characters", str(len(text)))
        if not _SENTENCE.fullmatch(text):
            raise self.fail(
                holder,
                key,
                label,
                "one sentence of letters, digits, commas, hyphens and apostrophes, from a capital "
                "to a full stop",
                repr(text[:60]),
            )
        fewest, most = WORD_LIMITS[rule or label]
        count = text.count(" ") + 1
        if not fewest <= count <= most:
            raise self.fail(holder, key, label, f"{fewest} to {most} words", str(count))
        self.told.append((label, text, word_set(text)))
        return text

    def items(self, data: Any, key: str, what: str) -> list[Any]:
        value = data[key]
        fewest, most = COUNTS[key]
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self.fail(data, key, key, f"a list of {count} {what}", _kind(value))
        return value

    def sentences(self, data: Any, key: str) -> Iterator[str]:
        rows = self.items(data, key, "sentences")
        for position in range(len(rows)):
            yield self.sentence(rows, position, f"{key} {position + 1}", key)

    def group(self, data: Any, key: str) -> Iterator[tuple[str, str]]:
        self.keys(data[key], _GROUPS[key], data, key)
        for name in _GROUPS[key]:
            yield name, self.sentence(data[key], name, f"{key}.{name}", key)

    def name(self, holder: Any, key: Any, label: str) -> str:
        value = holder[key]
        if not isinstance(value, str):
            raise self.fail(holder, key, label, "text", _kind(value))
        text = " ".join(value.split())
        if not 1 <= len(text) <= MAX_NAME_LENGTH:
            raise self.fail(
                holder, key, label, f"1 to {MAX_NAME_LENGTH} characters", str(len(text))
            )
        return text

    def aliases(self, data: Any) -> Iterator[str]:
        rows = self.items(data, "aliases", "names")
        for position in range(len(rows)):
            yield self.name(rows, position, f"alias {position + 1}")

    def contrasts(self, data: Any) -> Iterator[Contrast]:
        rows = self.items(data, "contrast", "actions")
        for position, pair in enumerate(rows):
            label = f"contrast {position + 1}"
            self.keys(pair, ("from", "how"), rows, label)
            other = self.name(pair, "from", f"{label}: from")
            yield Contrast(other, self.sentence(pair, "how", label, "contrast"))

    def traits(self, data: Any) -> Traits:
        value = data["traits"]
        if not isinstance(value, Mapping):
            raise self.fail(data, "traits", "traits", "fields", _kind(value))
        try:
            return Traits.from_dict(value)
        except SemanticsError as error:
            trait = str(error).partition(":")[0].removeprefix("traits.")
            line = line_of(value, trait) or line_of(data, "traits")
            place = f"{self.place}, line {line}" if line else self.place
            raise SemanticsError(f"{place}: {error}") from None

    def refuse_repeats(self) -> None:
        # Only sentences with nearly as many words can be nearly the same: sorted by their number
        # the search ends early, which keeps loading fast.
        order = sorted(self.told, key=lambda item: len(item[2]))
        for place, (label, text, words) in enumerate(order):
            for other, _, more in order[place + 1 :]:
                if len(words) <= ALIKE * len(more):
                    break
                if len(words & more) > ALIKE * len(words | more):
                    raise SemanticsError(
                        f"{self.place}: {label}: expected a sentence of its own, got nearly the "
                        f"words of {other}: {text!r}"
                    )


def word_set(text: str) -> frozenset[str]:
    """The different words of a sentence, by which repeats are found (see :data:`ALIKE`)."""
    return frozenset(_WORD.findall(text.lower()))


def line_of(holder: Any, key: Any) -> int:
    """Line of the file where `key` of `holder` stands; 0 where that is not known."""
    lines = getattr(holder, "lines", None)
    if isinstance(lines, Mapping):
        return int(lines.get(key, 0))
    if isinstance(lines, list) and isinstance(key, int):
        return int(lines[key])
    return 0


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, Mapping):
        return f"fields {', '.join(map(str, value))}"[:80] if value else "no fields"
    return "nothing" if value is None else repr(value)[:60]
