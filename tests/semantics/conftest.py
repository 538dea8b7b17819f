"""A real sentence encoder for the session, and a small second one that keeps count."""

from __future__ import annotations

import copy
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
    "trajectory",
    "speed",
    "periodicity",
    "symmetry",
    "posture",
    "locomotion",
    "direction",
    "persons",
)


def make_class(name: str) -> dict[str, Any]:
    """A complete class of a lexicon file, every sentence of its own."""
    return {
        "name": name,
        "aliases": [f"{name} quickly"],
        "definition": f"{name} is an action.",
        "parts": {part: f"The {part.replace('_', ' ')} does {name}." for part in PARTS},
        "phases": {phase: f"The {phase} of {name}." for phase in PHASES},
        "motion": f"The body moves as in {name}.",
        "attributes": {key: f"The {key} of {name} is plain." for key in ATTRIBUTES},
        "purpose": f"People like {name}.",
        "sensor": f"Joints move in {name}.",
        "contrast": [{"from": "rest", "how": f"In {name} something moves."}],
    }


_LEXICON = {
    "format": "infocpl-lexicon/1",
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
