"""The semantic codebook: for every class K description vectors and a motion vector.

InfoCPL, arXiv 2406.00639: L has shape (C, K+1, D), the motion description last, every row of
length one. Classes may have different numbers of descriptions; `mask` says which rows count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.cache import EmbeddingCache, cached_encode
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import Lexicon, LexiconEntry, find_entry, load_lexicon
from infocpl.semantics.prompts import (
    GRANULARITIES,
    NAME_ONLY,
    Description,
    check_granularities,
    compose,
    describe_name,
    motion_description,
)
from infocpl.semantics.text import TextEncoder

__all__ = ["Codebook", "build_codebook"]

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Codebook:
    """Descriptions of C classes as text and as vectors of length D.

    Attributes
    ----------
    labels : the C class names, in the order of the rows
    descriptions : (C, K, D) float32, rows of length one; rows beyond a class's own are zero
    mask : (C, K) bool, true where a row of `descriptions` counts
    motion : (C, D) float32, the motion description
    names : (C, D) float32, the bare class name (the baseline without any description)
    rows : for each class its descriptions, in the order of `descriptions`
    motion_texts : for each class the text behind `motion`
    sources : for each class ``"lexicon <dataset>"`` or ``"name only"``
    encoder_id : the text encoder's weights
    lexicon_hash : hash of the lexicon entries used

    Raises
    ------
    SemanticsError : if the fields do not fit each other
    """

    labels: LabelSet
    descriptions: Array
    mask: NDArray[np.bool_]
    motion: Array
    names: Array
    rows: tuple[tuple[Description, ...], ...]
    motion_texts: tuple[str, ...]
    sources: tuple[str, ...]
    encoder_id: str
    lexicon_hash: str

    def __post_init__(self) -> None:
        _check_shapes(self)
        _check_values(self)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def dim(self) -> int:
        """Length D of a vector."""
        return int(self.motion.shape[1])

    @property
    def tensor(self) -> Array:
        """(C, K+1, D): the descriptions, then the motion row, as in the paper."""
        return np.concatenate([self.descriptions, self.motion[:, None]], axis=1)

    @cached_property
    def hash(self) -> str:
        """Hex SHA-256 of names, texts, encoder and lexicon.

        Vectors are left out: their last bits depend on which texts shared a batch.
        """
        return canonical_hash(
            {
                "labels": list(self.labels.names),
                "rows": [[[r.granularity, r.key, r.text] for r in rows] for rows in self.rows],
                "motion": list(self.motion_texts),
                "sources": list(self.sources),
                "encoder": self.encoder_id,
                "lexicon": self.lexicon_hash,
            }
        )

    def mean_text(self, granularities: Sequence[str] | None = None) -> Array:
        """One vector (C, D) a class: the mean of its rows, scaled to length one.

        Parameters
        ----------
        granularities : which rows to average, ``"motion"`` being the motion row (default: all
            rows and the motion row). A class known by name only contributes its name rows.

        Raises
        ------
        SemanticsError : if a granularity is unknown or a class has no row of the kind
        """
        wanted = check_granularities(GRANULARITIES if granularities is None else granularities)
        keep = self._keep(wanted)
        total = np.einsum("ckd,ck->cd", self.descriptions, keep.astype(np.float32))
        count = keep.sum(axis=1).astype(np.float32)
        if "motion" in wanted:
            total, count = total + self.motion, count + 1
        self._check_count(count, wanted)
        mean = total / count[:, None]
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), dtype=np.float32)

    def select_granularities(self, granularities: Sequence[str]) -> Codebook:
        """The codebook with descriptions of these granularities only; the motion row stays.

        Raises
        ------
        SemanticsError : if a granularity is unknown or a class would have no description left
        """
        wanted = check_granularities(granularities)
        keep = self._keep(wanted)
        self._check_count(keep.sum(axis=1), wanted)
        return self._take(range(len(self)), lambda c: np.flatnonzero(keep[c]))

    def subset(self, names: Iterable[str]) -> Codebook:
        """The codebook of the classes called `names`, in that order.

        Raises
        ------
        LabelError : if a name is unknown or stands twice
        """
        wanted = self.labels.subset(names)
        positions = [self.labels.index(name) for name in wanted]
        return self._take(positions, lambda c: np.flatnonzero(self.mask[c]))

    def save(self, folder: str | Path, *, overwrite: bool = False) -> None:
        """Save as ``codebook.safetensors`` and ``codebook.json`` in `folder`, whole or not at all.

        Raises
        ------
        OutputExistsError : if `folder` exists and `overwrite` is false
        """
        from infocpl.semantics.codebook_files import save_codebook

        save_codebook(self, Path(folder), overwrite=overwrite)

    @classmethod
    def load(cls, folder: str | Path) -> Codebook:
        """Load what :meth:`save` wrote.

        Raises
        ------
        SemanticsError : if a file is missing, malformed, or not the one its hash speaks of
        """
        from infocpl.semantics.codebook_files import load_codebook

        return load_codebook(Path(folder))

    def _keep(self, wanted: Sequence[str]) -> NDArray[np.bool_]:
        """(C, K): which rows are of the wanted granularities."""
        keep = np.zeros_like(self.mask)
        for c, rows in enumerate(self.rows):
            # Without a lexicon entry there are name rows only; dropping them would leave nothing.
            named = self.sources[c] == NAME_ONLY
            keep[c, : len(rows)] = [named or row.granularity in wanted for row in rows]
        return keep

    def _check_count(self, count: NDArray[np.generic], wanted: Sequence[str]) -> None:
        empty = np.flatnonzero(np.asarray(count) == 0)
        if empty.size:
            raise SemanticsError(
                f"class {self.labels[int(empty[0])]!r} has no description of granularity "
                f"{', '.join(wanted)}"
            )

    def _take(self, classes: Iterable[int], rows: Callable[[int], NDArray[np.intp]]) -> Codebook:
        order = list(classes)
        chosen = [rows(c) for c in order]
        descriptions, mask = _pad(
            [self.descriptions[c, index] for c, index in zip(order, chosen, strict=True)]
        )
        return Codebook(
            labels=LabelSet(tuple(self.labels[c] for c in order)),
            descriptions=descriptions,
            mask=mask,
            motion=self.motion[order],
            names=self.names[order],
            rows=tuple(
                tuple(self.rows[c][int(k)] for k in index)
                for c, index in zip(order, chosen, strict=True)
            ),
            motion_texts=tuple(self.motion_texts[c] for c in order),
            sources=tuple(self.sources[c] for c in order),
            encoder_id=self.encoder_id,
            lexicon_hash=self.lexicon_hash,
        )


def build_codebook(
    labels: LabelSet | Sequence[str],
    encoder: TextEncoder,
    *,
    lexicon: str | Path | Lexicon | None = None,
    granularities: Sequence[str] = GRANULARITIES,
    cache: EmbeddingCache | None = None,
) -> Codebook:
    """Describe every class and embed the descriptions.

    Parameters
    ----------
    labels : C class names
    encoder : text encoder with vectors of length D
    lexicon : where to look names up: a lexicon, its name or its file (default: all shipped ones)
    granularities : kinds of description among the K rows; the motion row is always there.
        Classes without a lexicon entry get name rows and are marked ``"name only"``.
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
    entries = [_look_up(name, lexicon) for name in labels]
    rows, motions = [], []
    for name, entry in zip(labels, entries, strict=True):
        rows.append(tuple(compose(entry, kinds) if entry else describe_name(name)))
        # The last template speaks of movement; nothing better is known of a bare name.
        motions.append(motion_description(entry) if entry else rows[-1][-1].text)
    texts = [row.text for class_rows in rows for row in class_rows]
    vectors = cached_encode(encoder, [*texts, *motions, *labels], cache)
    ends = np.cumsum([len(class_rows) for class_rows in rows])
    descriptions, mask = _pad(np.split(vectors[: len(texts)], ends[:-1]))
    return Codebook(
        labels=labels,
        descriptions=descriptions,
        mask=mask,
        motion=vectors[len(texts) : len(texts) + len(labels)],
        names=vectors[len(texts) + len(labels) :],
        rows=tuple(rows),
        motion_texts=tuple(motions),
        sources=tuple(f"lexicon {entry.dataset}" if entry else NAME_ONLY for entry in entries),
        encoder_id=encoder.id,
        lexicon_hash=canonical_hash([entry.hash if entry else None for entry in entries]),
    )


def _look_up(name: str, lexicon: Lexicon | None) -> LexiconEntry | None:
    if lexicon is not None:
        return lexicon.get(name)
    found = find_entry(name)
    return found[0] if found else None


def _pad(groups: Sequence[Array]) -> tuple[Array, NDArray[np.bool_]]:
    """Stack (K_c, D) groups to (C, K, D) with zeros, and the (C, K) mask of real rows."""
    longest = max(len(group) for group in groups)
    stacked = np.zeros((len(groups), longest, groups[0].shape[1]), dtype=np.float32)
    mask = np.zeros((len(groups), longest), dtype=np.bool_)
    for c, group in enumerate(groups):
        stacked[c, : len(group)] = group
        mask[c, : len(group)] = True
    return stacked, mask


def _check_shapes(book: Codebook) -> None:
    classes = len(book.labels)
    if book.descriptions.ndim != 3 or not book.descriptions.size:
        raise SemanticsError(
            f"codebook: descriptions: expected shape (C, K, D), got {book.descriptions.shape}"
        )
    _, longest, dim = book.descriptions.shape
    for name, array, shape, dtype in (
        ("descriptions", book.descriptions, (classes, longest, dim), np.float32),
        ("mask", book.mask, (classes, longest), np.bool_),
        ("motion", book.motion, (classes, dim), np.float32),
        ("names", book.names, (classes, dim), np.float32),
    ):
        if array.shape != shape or array.dtype != dtype:
            raise SemanticsError(
                f"codebook: {name}: expected {np.dtype(dtype)} of shape {shape}, got "
                f"{array.dtype} of shape {array.shape}"
            )
    for name, count in (
        ("rows", len(book.rows)),
        ("motion_texts", len(book.motion_texts)),
        ("sources", len(book.sources)),
    ):
        if count != classes:
            raise SemanticsError(f"codebook: {name}: expected {classes} classes, got {count}")


def _check_values(book: Codebook) -> None:
    for c, rows in enumerate(book.rows):
        expected = np.arange(book.mask.shape[1]) < len(rows)
        if not rows or len(rows) > book.mask.shape[1] or not np.array_equal(book.mask[c], expected):
            raise SemanticsError(
                f"codebook, class {book.labels[c]!r}: expected a mask of its {len(rows)} "
                f"descriptions, got {int(book.mask[c].sum())} marked"
            )
    for name, vectors in (
        ("descriptions", book.descriptions[book.mask]),
        ("motion", book.motion),
        ("names", book.names),
    ):
        # A comparison with NaN is false, so this refuses non-finite rows as well.
        if not bool(np.all(np.abs(np.linalg.norm(vectors, axis=-1) - 1) < 1e-3)):
            raise SemanticsError(f"codebook: {name}: expected finite rows of length one")
    if book.descriptions[~book.mask].any():
        raise SemanticsError("codebook: descriptions: expected zeros in rows the mask leaves out")
