"""Codebooks made of class names: look up, describe, embed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.codebook_checks import pad_rows
from infocpl.semantics.describing import Described, describe_all
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import Lexicon, load_lexicon
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

__all__ = ["build_codebook", "embed_described"]


def build_codebook(
    labels: LabelSet | Sequence[str],
    encoder: TextEncoder,
    *,
    lexicon: str | Path | Lexicon | None = None,
    lexicons: Sequence[str | Path | Lexicon] = (),
    dataset: str = "",
    grammar: bool = True,
    granularities: Sequence[str] = GRANULARITIES,
    count: int | None = None,
    cache: EmbeddingCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Codebook:
    """Describe every class and embed the descriptions.

    Parameters
    ----------
    labels : C class names
    encoder : text encoder with vectors of length D
    lexicon : the only place to look names up: a lexicon, its name or its file (default: all
        shipped ones, then the motion grammar)
    lexicons : your own, asked before the shipped ones
    dataset : which of the shipped lexicons is asked first, since two datasets may mean different
        movements by one name (without effect where `lexicon` is given)
    grammar : whether names outside all lexicons are described by the motion grammar where it
        understands them well enough (see :func:`.describing.describe`)
    granularities : kinds of description among the K rows; the motion row is always there.
        Classes that nothing more is known of get name rows and are marked ``"name only"``.
    count : descriptions a class at the most, see :func:`.prompts.draw_balanced` (default: all)
    cache : where embeddings are kept (default: nowhere)
    progress : called with the number of sentences embedded, and of all that the cache lacks

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
    if lexicon is not None:
        only = _load(lexicon)
        described = tuple(_look_up(name, only) for name in labels)
    else:
        own = tuple(map(_load, lexicons))
        described = describe_all(labels, lexicons=own, dataset=dataset, grammar=grammar)
    return embed_described(
        described, encoder, granularities=kinds, count=count, cache=cache, progress=progress
    )


def embed_described(
    described: Sequence[Described],
    encoder: TextEncoder,
    *,
    granularities: Sequence[str] = GRANULARITIES,
    count: int | None = None,
    cache: EmbeddingCache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Codebook:
    """The codebook of names that are described already; see :func:`build_codebook`."""
    kinds = tuple(kind for kind in check_granularities(granularities) if kind != "motion")
    labels = LabelSet(tuple(item.name for item in described))
    entries = [item.entry for item in described]
    rows, motions = [], []
    for item, entry in zip(described, entries, strict=True):
        told = compose(entry, kinds, source=item.source) if entry else describe_name(item.name)
        # The last template speaks of movement; nothing better is known of a bare name.
        motions.append(motion_description(entry) if entry else told[-1].text)
        rows.append(tuple(told if count is None else draw_balanced(told, count)))
    texts = [row.text for class_rows in rows for row in class_rows]
    vectors = cached_encode(encoder, [*texts, *motions, *labels], cache, progress=progress)
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
        sources=tuple(item.source for item in described),
        encoder_id=encoder.id,
        lexicon_hash=canonical_hash([entry.hash if entry else None for entry in entries]),
    )


def _load(lexicon: str | Path | Lexicon) -> Lexicon:
    return lexicon if isinstance(lexicon, Lexicon) else load_lexicon(lexicon)


def _look_up(name: str, lexicon: Lexicon) -> Described:
    entry = lexicon.get(name)
    if entry is None:
        return Described(name, None, NAME_ONLY, 0.0)
    return Described(name, entry, f"lexicon {entry.dataset}", 1.0)
