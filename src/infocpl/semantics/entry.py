"""One action in words: the fields of a lexicon entry.

The rules for each field are those of the format ``infocpl-lexicon/2`` (see :mod:`.lexicon` and
:mod:`.entry_reader`). They hold for whatever an entry comes from: a file, a program that writes
entries, an edited description.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from infocpl.files import canonical_hash
from infocpl.semantics.entry_reader import FIELDS, GROUPS, LISTS, OPTIONAL, TEXTS, Contrast, Reader
from infocpl.semantics.traits import Traits

__all__ = ["LexiconEntry", "read_fields"]


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
        wanted = tuple(key for key in FIELDS if key in data or key not in OPTIONAL)
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
    data: Mapping[str, Any], wanted: Sequence[str] = FIELDS, *, place: str = "entry"
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
    reader = Reader(place)
    reader.keys(data, wanted, data)
    read: dict[str, Any] = {}
    for key in wanted:
        if key in LISTS:
            read[key] = tuple(reader.sentences(data, key))
        elif key in GROUPS:
            read[key] = dict(reader.group(data, key))
        elif key in TEXTS:
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
