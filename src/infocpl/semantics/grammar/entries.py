"""Full lexicon entries of readings: every sentence composed from what the grammar understood."""

from __future__ import annotations

from collections.abc import Iterable

from infocpl.errors import SemanticsError
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.grammar.contrasts import tell_contrasts
from infocpl.semantics.grammar.names import tell_aliases
from infocpl.semantics.grammar.reading import Reading
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.grammar.tell_body import (
    tell_definition,
    tell_gist,
    tell_motion,
    tell_phases,
)
from infocpl.semantics.grammar.tell_details import tell_details, tell_sensor
from infocpl.semantics.grammar.tell_parts import tell_parts
from infocpl.semantics.grammar.tell_traits import tell_attributes, tell_objects, tell_purpose
from infocpl.semantics.grammar.voice import Voice
from infocpl.semantics.grammar.writer import Writer

__all__ = ["GRAMMAR", "compose_entry", "compose_scene"]

GRAMMAR = "grammar"
"""Dataset of entries that the grammar composed."""


def compose_entry(reading: Reading, *, taken: Iterable[str] = ()) -> LexiconEntry:
    """The entry of a name that the grammar has read.

    Parameters
    ----------
    reading : what was understood
    taken : names and aliases of other entries that its aliases must not repeat

    Raises
    ------
    SemanticsError : if the reading holds no action

    Examples
    --------
    >>> from infocpl.semantics.grammar.reading import read_name
    >>> entry = compose_entry(read_name("side kick"))
    >>> entry.dataset, entry.traits.moving[0]
    ('grammar', 'right_leg')
    """
    if reading.scene is None:
        raise SemanticsError(
            f"{reading.name!r} cannot be described: no action was recognised in it "
            f"({reading.explain()})"
        )
    return compose_scene(reading.scene, dataset=GRAMMAR, taken=taken)


def compose_scene(scene: Scene, *, dataset: str, taken: Iterable[str] = ()) -> LexiconEntry:
    """The entry of a scene, checked like one that was read from a file."""
    voice, writer = Voice(scene), Writer()
    # The sentences that say most come first, so that they get their first choice of words.
    definition = tell_definition(voice, writer)
    motion = tell_motion(voice, writer)
    phases = tell_phases(voice, writer)
    parts = tell_parts(voice, writer)
    attributes = tell_attributes(voice, writer)
    data = {
        "name": scene.name,
        "aliases": list(tell_aliases(voice, taken)),
        "definition": list(definition),
        "parts": parts,
        "phases": phases,
        "motion": motion,
        "attributes": attributes,
        "objects": tell_objects(voice, writer),
        "purpose": tell_purpose(voice, writer),
        "sensor": list(tell_sensor(voice, writer)),
        "details": list(tell_details(voice, writer)),
        "contrast": [
            {"from": item.other, "how": item.how} for item in tell_contrasts(voice, writer)
        ],
        "traits": scene.traits.to_dict(),
        # Last: these may repeat in short what others say at length, and not the other way round.
        "gist": list(tell_gist(voice, writer)),
    }
    return LexiconEntry.from_dict(data, dataset, place=f"motion grammar, {scene.name!r}")
