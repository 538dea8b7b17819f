"""Codebooks made of class names: look up, describe, embed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.codebook_checks import pad_rows
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import Lexicon, find_entry, load_lexicon
from infocpl.semantics.prompts import (
    GRANULARITIES,
    NAME_ONLY,
    check_granularities,
    compose,
    describe_name,
    draw_balanced,
    motion_description,
)
from infocpl.semantics.text import TextEncoder
from infocpl.semantics.traits import TRAIT_DIMENSIONS, trait_vector

__all__ = ["build_codebook"]


def build_codebook(
    labels: LabelSet | Sequence[str],
    encoder: TextEncoder,
    *,
    lexicon: str | Path | Lexicon | None = None,
    dataset: str = "",
    granularities: Sequence[str] = GRANULARITIES,
    count: int | None = None,
    cache: EmbeddingCache | None = None,
) -> Codebook:
    """Describe every class and embed the descriptions.

    Parameters
    ----------
    labels : C class names
    encoder : text encoder with vectors of length D
    lexicon : where to look names up: a lexicon, its name or its file (default: all shipped ones)
    dataset : which of the shipped lexicons is asked first, since two datasets may mean different
        movements by one name (without effect where `lexicon` is given)
    granularities : kinds of description among the K rows; the motion row is always there.
        Classes without a lexicon entry get name rows and are marked ``"name only"``.
    count : descriptions a class at the most, see :func:`.prompts.draw_balanced` (default: all)
    cache : where embeddings are kept (default: nowhere)

    Raises
    ------
    LabelError : if the names break the rules of :class:`LabelSet`
    SemanticsError : if the lexicon or a granularity is unknown, or only ``"motion"`` is given

    Examples
    --------
    >>> class Lengths:  # any object of this form will do; create_text_encoder gives a real one
    ...     id, dim = "lengths", 2
    ...     def encode(self, texts):
    ...         angles = np.array([len(text) for text in texts])
    ...         return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    >>> codebook = build_codebook(["sit down", "juggling"], Lengths(), lexicon="nw-ucla")
    >>> codebook.sources, codebook.tensor.shape[2]
    (('lexicon nw-ucla', 'name only'), 2)
    """
    labels = labels if isinstance(labels, LabelSet) else LabelSet(tuple(labels))
    kinds = tuple(kind for kind in check_granularities(granularities) if kind != "motion")
    if not kinds:
        raise SemanticsError("granularities: expected at least one besides 'motion', got none")
    if isinstance(lexicon, str | Path):
        lexicon = load_lexicon(lexicon)
    entries = [_look_up(name, lexicon, dataset) for name in labels]
    rows, motions = [], []
    for name, entry in zip(labels, entries, strict=True):
        described = compose(entry, kinds) if entry else describe_name(name)
        # The last template speaks of movement; nothing better is known of a bare name.
        motions.append(motion_description(entry) if entry else described[-1].text)
        rows.append(tuple(described if count is None else draw_balanced(described, count)))
    texts = [row.text for class_rows in rows for row in class_rows]
    vectors = cached_encode(encoder, [*texts, *motions, *labels], cache)
    ends = np.cumsum([len(class_rows) for class_rows in rows])
    descriptions, mask = pad_rows(np.split(vectors[: len(texts)], ends[:-1]))
    traits = np.zeros((len(labels), len(TRAIT_DIMENSIONS)), dtype=np.float32)
    for c, entry in enumerate(entries):
        if entry is not None:
            traits[c] = trait_vector(entry.traits)
    return Codebook(
        labels=labels,
        descriptions=descriptions,
        mask=mask,
        weights=mask.astype(np.float32),
        motion=vectors[len(texts) : len(texts) + len(labels)],
        names=vectors[len(texts) + len(labels) :],
        traits=traits,
        has_traits=np.array([entry is not None for entry in entries]),
        rows=tuple(rows),
        motion_texts=tuple(motions),
        sources=tuple(f"lexicon {entry.dataset}" if entry else NAME_ONLY for entry in entries),
        encoder_id=encoder.id,
        lexicon_hash=canonical_hash([entry.hash if entry else None for entry in entries]),
    )


def _look_up(name: str, lexicon: Lexicon | None, dataset: str) -> LexiconEntry | None:
    if lexicon is not None:
        return lexicon.get(name)
    found = find_entry(name, first=dataset)
    return found[0] if found else None
