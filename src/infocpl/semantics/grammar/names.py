"""Other names for a scene: synonyms, and what it is in plain words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from infocpl.semantics.grammar.english import gerund
from infocpl.semantics.grammar.phrases import HEIGHTS
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.grammar.voice import Voice, way_phrase
from infocpl.semantics.labels import label_key

__all__ = ["kind_of_movement", "tell_aliases"]

_FEWEST, _MOST = 4, 6
_LONGEST = 9
_CLAUSE = re.compile(r",| and | while | with | until | so that ")
# Words that a name cannot end with.
_LOOSE = frozenset(
    ("a", "an", "the", "and", "or", "of", "in", "on", "at", "to", "with", "its", "one", "both")
)
_PATH_NOUNS = {
    "still": "still hold",
    "line": "straight movement",
    "arc": "curved movement",
    "circle": "circling movement",
    "zigzag": "zigzag movement",
    "swing": "swinging movement",
    "oscillation": "movement to and fro",
    "mixed": "winding movement",
}


def tell_aliases(voice: Voice, taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Four to six names besides the one the scene has.

    Parameters
    ----------
    voice : the scene
    taken : names that others have already, which an alias must not repeat
    """
    used = {label_key(name) for name in (*taken, voice.scene.name)}
    found: list[str] = []
    for alias in _candidates(voice):
        key = label_key(alias)
        if key not in used:
            used.add(key)
            found.append(alias)
        if len(found) == _MOST:
            break
    number = 1
    while len(found) < _FEWEST:
        alias = f"{_shape(voice)}, variant {number}"
        if label_key(alias) not in used:
            found.append(alias)
        number += 1
    return tuple(found)


def _candidates(voice: Voice) -> Iterator[str]:
    scene = voice.scene
    for text in scene.does:
        yield _short(gerund(voice.fill(text)))
    yield from _synonyms(voice)
    yield _shape(voice)
    yield f"{_shape(voice)} {HEIGHTS[voice.traits.heights[0]]}"
    yield f"movement to {scene.frame.why}"
    yield f"{voice.lead_limb} moving to {scene.frame.why}"


def _short(phrase: str) -> str:
    """The first clause of a phrase, or as much of it as makes a name."""
    clause = _CLAUSE.split(phrase)[0]
    if len(clause.split()) < 3:
        clause = phrase
    words = clause.split()[:_LONGEST]
    while len(words) > 2 and words[-1].rstrip(",") in _LOOSE:
        words.pop()
    return " ".join(words).rstrip(",")


def _synonyms(voice: Voice) -> Iterator[str]:
    """Other words of the vocabulary for the action, if the name is of it and nothing else."""
    scene, vocabulary = voice.scene, load_vocabulary()
    plain = vocabulary.frames.get(scene.frame.key)
    if plain is None or plain.does not in scene.does:
        return
    side = f" with {voice.limb('arm' if scene.frame.moves('arm') else 'leg')}"
    for phrase in vocabulary.synonyms[scene.frame.key][:3]:
        yield phrase + (side if scene.side in ("left", "right") else "")


def _shape(voice: Voice) -> str:
    """What it looks like, as a noun: "fast curved movement of the left arm up"."""
    return f"{kind_of_movement(voice)} {way_phrase(voice.traits.directions)}".strip()


def kind_of_movement(voice: Voice) -> str:
    """The same without its directions."""
    traits = voice.traits
    speed = "" if traits.speed == "moderate" else f"{traits.speed} "
    return f"{speed}{_PATH_NOUNS[traits.path]} of {voice.lead_limb}"
