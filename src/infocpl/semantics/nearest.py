"""Entries nearest in meaning to a name, and a description mixed from what they have in common.

The last resort for a name that neither a lexicon nor the grammar knows: of the actions whose names
mean something similar, it is assumed to look like most of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.grammar.entries import compose_scene
from infocpl.semantics.grammar.frames import Frame
from infocpl.semantics.grammar.reading import Reading
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.labels import label_key
from infocpl.semantics.lexicon import Lexicon, list_lexicons, load_lexicon
from infocpl.semantics.text import TextEncoder
from infocpl.semantics.traits import TRAIT_LISTS, TRAIT_VALUES, Traits

__all__ = ["MIXTURE", "SIMILAR", "Neighbour", "find_neighbours", "mix_entry"]

MIXTURE = "nearest"
"""Dataset of entries that were mixed from their neighbours."""

SIMILAR = 0.45
"""Cosine below which two names have too little in common for one to describe the other."""

_COUNT = 3
# A neighbour this much less similar than the nearest one has no say.
_CLOSE = 0.15
_PLAIN = str.maketrans({"/": " or ", "(": " ", ")": " ", "_": " "})


@dataclass(frozen=True)
class Neighbour:
    """An entry and the cosine of its name with the name in question."""

    entry: LexiconEntry
    similarity: float


def find_neighbours(
    name: str,
    encoder: TextEncoder,
    *,
    lexicons: Sequence[Lexicon] = (),
    cache: EmbeddingCache | None = None,
) -> tuple[Neighbour, ...]:
    """Up to three entries whose names mean most nearly the same as `name`, the nearest first.

    Parameters
    ----------
    name : an action
    encoder : text encoder
    lexicons : asked besides the shipped ones
    cache : where embeddings are kept; there are some hundred names to embed (default: nowhere)

    Returns
    -------
    neighbours with a cosine of at least :data:`SIMILAR`, none of them much farther away than the
    nearest; empty if there is none
    """
    entries: dict[str, LexiconEntry] = {}
    for lexicon in (*lexicons, *map(load_lexicon, list_lexicons())):
        for entry in lexicon.entries:
            entries.setdefault(label_key(entry.name), entry)
    found = list(entries.values())
    vectors = cached_encode(encoder, [name, *(entry.name for entry in found)], cache)
    cosines = vectors[1:] @ vectors[0]
    order = np.argsort(-cosines, kind="stable")[:_COUNT]
    least = max(SIMILAR, float(cosines[order[0]]) - _CLOSE)
    return tuple(
        Neighbour(found[int(place)], round(float(cosines[place]), 3))
        for place in order
        if cosines[place] >= least
    )


def mix_entry(
    name: str,
    neighbours: Sequence[Neighbour],
    *,
    reading: Reading | None = None,
    taken: Sequence[str] = (),
) -> LexiconEntry:
    """An entry for `name` with the traits that most of its neighbours have.

    Each neighbour votes with its similarity. What the grammar did read in the name is kept where it
    stands on its own feet: a left or right side. The sentences are composed from the traits; those
    about the whole say which actions it is taken to resemble.

    Parameters
    ----------
    name : an action
    neighbours : at least one, as :func:`find_neighbours` gives them
    reading : what the grammar made of the name
    taken : names that its aliases must not repeat
    """
    traits = _vote(neighbours)
    side = _read_side(reading)
    names = [_plain(item.entry.name) for item in neighbours]
    does = [f"moves much as in the action called {names[0]}"]
    if len(names) > 1:
        does.append(f"moves somewhat as in the action called {names[1]}")
    frame = Frame(
        key="",
        moving=_generic(traits.moving),
        directions=traits.directions,
        path=traits.path,
        planes=traits.planes,
        side=traits.side,
        speed=traits.speed,
        amplitude=traits.amplitude,
        repetition=traits.repetition,
        symmetry=traits.symmetry,
        heights=traits.heights,
        arms=traits.arms,
        start=traits.posture_start,
        end=traits.posture_end,
        locomotion=traits.locomotion,
        contact=traits.contact,
        persons=traits.persons,
        relation=traits.relation,
        begin="gets ready for it and looks ahead",
        finish="comes to rest",
        why=f"reach what one reaches by the action called {names[0]}",
    )
    acts = side if side and traits.side in ("left", "right", "either") else traits.side
    scene = Scene(name=name, frame=frame, side=acts, does=tuple(does))
    return compose_scene(scene, dataset=MIXTURE, taken=taken)


def _vote(neighbours: Sequence[Neighbour]) -> Traits:
    """For each trait the words with more than half of the votes, or the best ones."""
    values: dict[str, Any] = {}
    whole = sum(item.similarity for item in neighbours)
    for name in TRAIT_VALUES:
        votes: Counter[str] = Counter()
        for item in neighbours:
            value = getattr(item.entry.traits, name)
            for word in value if name in TRAIT_LISTS else (value,):
                votes[word] += item.similarity  # type: ignore[assignment]
        if name not in TRAIT_LISTS:
            values[name] = votes.most_common(1)[0][0]
            continue
        nearest = getattr(neighbours[0].entry.traits, name)
        ordered = [*nearest, *(word for word in votes if word not in nearest)]
        kept = tuple(word for word in ordered if votes[word] > whole / 2)
        values[name] = kept or nearest
        if "none" in values[name]:
            values[name] = tuple(w for w in values[name] if w != "none") or ("none",)
    return Traits(**values)


def _generic(moving: tuple[str, ...]) -> tuple[str, ...]:
    """Body parts as the limbs of a frame: both arms are ``arms``, one is ``arm``."""
    limbs: list[str] = []
    for part in moving:
        _, _, limb = part.partition("_")
        if not limb:
            limbs.append(part)
        elif {f"left_{limb}", f"right_{limb}"} <= set(moving):
            limbs.append(f"{limb}s")
        else:
            limbs.append(limb)
    return tuple(dict.fromkeys(limbs))


def _read_side(reading: Reading | None) -> str:
    words = [] if reading is None else [word for word in reading.words if word.kind == "side"]
    return next((word.meaning for word in words if word.meaning in ("left", "right")), "")


def _plain(name: str) -> str:
    """A class name as it may stand in a sentence."""
    kept = "".join(c for c in name.translate(_PLAIN) if c.isascii() and (c.isalnum() or c in " '-"))
    return " ".join(kept.split()[:8]).casefold()
