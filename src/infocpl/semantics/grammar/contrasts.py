"""Which known actions look most like a scene, and what tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from infocpl.semantics.entry_reader import Contrast
from infocpl.semantics.grammar.english import join_words
from infocpl.semantics.grammar.frames import Frame
from infocpl.semantics.grammar.phrases import CONTACTS, HEIGHTS, OFTEN, PATHS, POSTURES, SPEEDS
from infocpl.semantics.grammar.scene import Scene, side_of
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.grammar.voice import Voice, way_phrase
from infocpl.semantics.grammar.writer import Writer, sentence
from infocpl.semantics.labels import label_key
from infocpl.semantics.traits import Traits, trait_vector

__all__ = ["tell_contrasts"]

_WANTED = 3
_SIDES = {
    "symmetric": "both sides work alike",
    "alternating": "the sides take turns",
    "one_sided": "one side alone works",
    "asymmetric": "each side has its own task",
}
_LOOKED_AT = 40


@cache
def _known() -> tuple[tuple[Scene, ...], NDArray[np.float32]]:
    """Every action of the vocabulary as a scene, and their (N, T) traits."""
    vocabulary = load_vocabulary()
    scenes = tuple(
        _plain(frame, vocabulary.titles[key])
        for key, frame in vocabulary.frames.items()
        if not frame.general
    )
    return scenes, np.stack([trait_vector(scene.traits) for scene in scenes])


def _plain(frame: Frame, title: str) -> Scene:
    return Scene(name=title, frame=frame, side=side_of(frame), does=(frame.does,), title=title)


def tell_contrasts(voice: Voice, writer: Writer) -> tuple[Contrast, ...]:
    """Three actions that look alike, nearest first, each with what is different."""
    scenes, vectors = _known()
    own = trait_vector(voice.traits)
    # The same family first: what is done alike is mistaken more easily than what shares traits.
    distance = np.square(vectors - own).sum(axis=1)
    distance += [scene.frame.family != voice.scene.frame.family for scene in scenes]
    found: list[Contrast] = []
    said: set[str] = set()
    for place in np.argsort(distance, kind="stable")[:_LOOKED_AT]:
        other = scenes[int(place)]
        same = other.frame.key == voice.scene.frame.key
        if same or label_key(other.name) == label_key(voice.scene.name):
            continue
        # What told the last action apart is told of the next one only if nothing else does.
        told = sorted(_differences(voice, other), key=lambda text: text in said)
        texts = map(sentence, _joined(told, other.name))
        how = next((text for text in texts if writer.take("contrast", text)), "")
        if how:
            found.append(Contrast(other.name, how))
            said |= {text for text in told if text.casefold() in how.casefold()}
        if len(found) == _WANTED:
            break
    return tuple(found)


def _joined(told: list[str], other: str) -> Iterator[str]:
    """Two differences in one sentence where they fit, the most visible ones first."""
    for first, second in combinations(told[:5], 2):
        yield f"{first}, and {second}, unlike in the action called {other}"
        yield f"{first}, and {second}"
    for one in told:
        yield f"{one}, unlike in the action called {other}"


def _differences(voice: Voice, other: Scene) -> Iterator[str]:
    """What is different, the most visible difference first."""
    mine, theirs = voice.traits, other.traits
    yield from _of_people_and_posture(voice, other)
    yield from _of_way(voice, other)
    if mine.repetition != theirs.repetition:
        yield f"it is done {OFTEN[mine.repetition]} and not {OFTEN[theirs.repetition]}"
    if mine.contact != theirs.contact:
        yield from _contacts(mine, theirs)
    if mine.speed != theirs.speed:
        yield f"it is done {SPEEDS[mine.speed]}, not {SPEEDS[theirs.speed]}"
    if mine.symmetry != theirs.symmetry:
        yield _SIDES[mine.symmetry]
    thing = voice.scene.tool or voice.scene.thing
    if thing and thing not in (other.frame.tool, other.frame.thing):
        yield f"{thing} is involved"
    yield f"the person {voice.fill(voice.scene.does[0])}"


def _of_people_and_posture(voice: Voice, other: Scene) -> Iterator[str]:
    mine, theirs = voice.traits, other.traits
    lead, rival = voice.lead_limb, Voice(other).lead_limb
    if mine.persons != theirs.persons:
        yield "two people take part" if mine.persons == "two" else "one person acts alone"
    if _group(mine) != _group(theirs):
        yield f"{lead} {lead.verb('lead')} instead of {rival}"
    start, end = mine.posture_start, mine.posture_end
    if (start, end) != (theirs.posture_start, theirs.posture_end):
        kept = f"the person stays {POSTURES[start]}"
        yield kept if start == end else f"it goes from {POSTURES[start]} to {POSTURES[end]}"
    if mine.locomotion != theirs.locomotion:
        rests = mine.locomotion == "none"
        yield "the feet stay on the spot" if rests else f"the person is {mine.locomotion} meanwhile"


def _of_way(voice: Voice, other: Scene) -> Iterator[str]:
    mine, theirs, lead = voice.traits, other.traits, voice.lead_limb
    way, foreign = way_phrase(mine.directions), way_phrase(theirs.directions)
    if way and way != foreign:
        yield f"{lead} {lead.verb('go')} {way}" + (f" rather than {foreign}" if foreign else "")
    if mine.heights[0] != theirs.heights[0]:
        yield f"the work is done {HEIGHTS[mine.heights[0]]} and not {HEIGHTS[theirs.heights[0]]}"
    if mine.path != theirs.path:
        yield f"the path is {PATHS[mine.path]}, not {PATHS[theirs.path]}"


def _contacts(mine: Traits, theirs: Traits) -> Iterator[str]:
    touched = [CONTACTS[word] for word in mine.contact if word != "none"]
    if touched:
        yield f"{join_words(touched)} {'are' if len(touched) > 1 else 'is'} touched"
    elif theirs.contact != ("none",):
        yield "nothing is touched"


def _group(traits: Traits) -> str:
    return traits.moving[0].split("_")[-1]
