"""What each field of a lexicon entry must be, and the reader that checks it.

The rules are those of the format ``infocpl-lexicon/2`` (see :mod:`.lexicon`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infocpl.errors import SemanticsError
from infocpl.semantics.labels import MAX_NAME_LENGTH
from infocpl.semantics.traits import Traits
from infocpl.skeleton.layout import PART_NAMES

__all__ = [
    "ALIKE",
    "ATTRIBUTE_NAMES",
    "COUNTS",
    "FIELDS",
    "GROUPS",
    "LISTS",
    "OPTIONAL",
    "PHASE_NAMES",
    "TEXTS",
    "WORD_LIMITS",
    "Contrast",
    "Reader",
    "line_of",
    "word_set",
]

PHASE_NAMES = ("start", "middle", "end")
"""Phases of an action, in the order of time."""

ATTRIBUTE_NAMES = (
    *("trajectory", "direction", "plane", "speed", "amplitude", "periodicity", "symmetry"),
    *("posture", "locomotion", "contact", "persons"),
)
"""What the attribute sentences of an entry speak of."""

GROUPS = {"parts": PART_NAMES, "phases": PHASE_NAMES, "attributes": ATTRIBUTE_NAMES}
COUNTS = {
    "aliases": (4, 6),
    "gist": (2, 4),
    "definition": (2, 2),
    "sensor": (3, 3),
    "details": (10, 10),
    "contrast": (3, 3),
}
"""Fewest and most items of a field that is a list."""

LISTS = ("gist", "definition", "sensor", "details")
TEXTS = ("motion", "objects", "purpose")
FIELDS = (
    *("name", "aliases", "gist", "definition", "parts", "phases", "motion", "attributes"),
    *("objects", "purpose", "sensor", "details", "contrast", "traits"),
)
# Files from before there were gists stay readable; their sentences stand alone.
OPTIONAL = ("gist",)
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


class Reader:
    """Reads fields of one entry and remembers its sentences, to find repeats."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.told: list[tuple[str, str, frozenset[str]]] = []

    def fail(self, holder: Any, key: Any, label: str, expected: str, got: str) -> SemanticsError:
        """The error that says where, what was expected and what was found."""
        line = line_of(holder, key)
        place = f"{self.place}, line {line}" if line else self.place
        return SemanticsError(f"{place}: {label}: expected {expected}, got {got}")

    def keys(self, value: Any, expected: Sequence[str], holder: Any, label: str = "entry") -> None:
        """Refuse a value that does not hold exactly the expected fields."""
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
        """The list in a field, of as many items as :data:`COUNTS` allows."""
        value = data[key]
        fewest, most = COUNTS[key]
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self.fail(data, key, key, f"a list of {count} {what}", _kind(value))
        return value

    def sentences(self, data: Any, key: str) -> Iterator[str]:
        """The sentences of a field that is a list."""
        rows = self.items(data, key, "sentences")
        for position in range(len(rows)):
            yield self.sentence(rows, position, f"{key} {position + 1}", key)

    def group(self, data: Any, key: str) -> Iterator[tuple[str, str]]:
        """The (name, sentence) pairs of a field in :data:`GROUPS`."""
        self.keys(data[key], GROUPS[key], data, key)
        for name in GROUPS[key]:
            yield name, self.sentence(data[key], name, f"{key}.{name}", key)

    def name(self, holder: Any, key: Any, label: str) -> str:
        """What an action is called."""
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
        """What else it is called."""
        rows = self.items(data, "aliases", "names")
        for position in range(len(rows)):
            yield self.name(rows, position, f"alias {position + 1}")

    def contrasts(self, data: Any) -> Iterator[Contrast]:
        """The actions it may be taken for."""
        rows = self.items(data, "contrast", "actions")
        for position, pair in enumerate(rows):
            label = f"contrast {position + 1}"
            self.keys(pair, ("from", "how"), rows, label)
            other = self.name(pair, "from", f"{label}: from")
            yield Contrast(other, self.sentence(pair, "how", label, "contrast"))

    def traits(self, data: Any) -> Traits:
        """Its traits; an error names the line of the trait."""
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
        """Refuse a sentence that says nearly what another one read so far does."""
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
