"""A real sentence encoder for the session, and a small second one that keeps count."""

from __future__ import annotations

import copy
import random
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from infocpl.semantics import EmbeddingCache, TextEncoder, create_text_encoder


class LetterEncoder:
    """Text encoder by letter counts: small, exact, and it remembers what it was asked."""

    def __init__(self, name: str = "letters", dim: int = 27) -> None:
        self.id = name
        self.dim = dim
        self.asked: list[str] = []

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        self.asked += texts
        rows = np.ones((len(texts), self.dim))
        for row, text in zip(rows, texts, strict=True):
            for letter in text.casefold():
                row[ord(letter) % self.dim] += 1
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.astype(np.float32)


class WordEncoder:
    """Names that share words are near: one number a word, hashed; exact and without weights."""

    id = "words"
    dim = 4096

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        rows = np.full((len(texts), self.dim), 1e-4)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().split():
                row[zlib.crc32(word.encode()) % self.dim] += 1
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def words() -> WordEncoder:
    return WordEncoder()


@pytest.fixture
def letters() -> LetterEncoder:
    return LetterEncoder()


@pytest.fixture(scope="session")
def minilm() -> TextEncoder:
    return create_text_encoder("minilm")


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingCache:
    """One cache a session, so that no sentence is embedded twice."""
    return EmbeddingCache(tmp_path_factory.mktemp("texts") / "embeddings.sqlite3")


PARTS = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg")
PHASES = ("start", "middle", "end")
ATTRIBUTES = (
    *("trajectory", "direction", "plane", "speed", "amplitude", "periodicity", "symmetry"),
    *("posture", "locomotion", "contact", "persons"),
)
TRAITS: dict[str, Any] = {
    "moving": ["right_arm", "torso"],
    "side": "right",
    "directions": ["down", "forward"],
    "path": "arc",
    "planes": ["sagittal"],
    "speed": "moderate",
    "amplitude": "medium",
    "repetition": "few",
    "symmetry": "one_sided",
    "heights": ["waist", "floor"],
    "arms": ["push", "pull"],
    "posture_start": "standing",
    "posture_end": "bent",
    "locomotion": "none",
    "contact": ["object", "ground"],
    "persons": "one",
    "relation": "none",
}
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


_GARDEN = """
oak elm ash yew fir bay fig pea rye oat hop ivy moss fern reed rush sedge clover
nettle thistle poppy daisy aster lily iris rose tulip crocus violet pansy lupin
barley wheat maize millet bean leek onion garlic chard kale beet turnip radish
carrot parsnip celery fennel dill parsley basil thyme sage mint chive borage
apple pear plum cherry peach quince medlar mulberry hazel walnut almond chestnut
"""
WORDS = _GARDEN.split()


def make_class(name: str) -> dict[str, Any]:
    """A complete class of a lexicon file, every sentence of its own."""

    def about(thing: str) -> str:
        drawn = random.Random(f"{name} {thing}").sample(WORDS, 8)
        return f"The {thing} {' '.join(drawn)}."

    return {
        "name": name,
        "aliases": [f"{name} {how}" for how in ("quickly", "slowly", "calmly", "again")],
        "definition": [
            f"One person does {name} in the garden with a long tool.",
            f"Earth and leaves are moved about by {name} on a fine day.",
        ],
        "parts": {part: about(part.replace("_", " ")) for part in PARTS},
        "phases": {phase: about(phase) for phase in PHASES},
        "motion": (
            f"The right hand goes down and forward in {name}, then back and up again, several "
            "times at an even pace, while the feet stay planted on the spot."
        ),
        "attributes": {key: about(key) for key in ATTRIBUTES},
        "objects": about("tool"),
        "purpose": about("purpose"),
        "sensor": [about(f"wrist {number}") for number in NUMBERS[:3]],
        "details": [about(f"detail {number}") for number in NUMBERS],
        "contrast": [
            {"from": f"action {number}", "how": about(f"contrast {number}")}
            for number in NUMBERS[:3]
        ],
        "traits": copy.deepcopy(TRAITS),
    }


_LEXICON = {
    "format": "infocpl-lexicon/2",
    "dataset": "garden",
    "classes": [make_class("dig"), make_class("rake")],
}


@pytest.fixture
def lexicon_data() -> dict[str, Any]:
    """A correct lexicon file as data, free to be spoilt."""
    return copy.deepcopy(_LEXICON)


@pytest.fixture
def lexicon_file(tmp_path: Path, lexicon_data: dict[str, Any]) -> Path:
    path = tmp_path / "garden.yaml"
    path.write_text(yaml.safe_dump(lexicon_data), encoding="utf-8")
    return path
