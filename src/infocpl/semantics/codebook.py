"""The semantic codebook: for every class K description vectors and a motion vector.

InfoCPL, arXiv 2406.00639: L has shape (C, K+1, D), the motion description last, every row of
length one. Classes may have different numbers of descriptions; `mask` says which rows count and
`weights` how much. :mod:`.build` makes codebooks, :mod:`.codebook_files` saves them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.files import canonical_hash
from infocpl.semantics.codebook_checks import check_codebook, pad_rows
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.prompts import (
    GRANULARITIES,
    NAME_ONLY,
    Description,
    check_granularities,
    draw_balanced,
)
from infocpl.semantics.traits import TRAIT_DIMENSIONS
from infocpl.semantics.weighting import best_rows, group_margins, row_weights

__all__ = ["Codebook"]

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Codebook:
    """Descriptions of C classes as text and as vectors of length D.

    Attributes
    ----------
    labels : the C class names, in the order of the rows
    descriptions : (C, K, D) float32, rows of length one; rows beyond a class's own are zero
    mask : (C, K) bool, true where a row of `descriptions` counts
    weights : (C, K) float32, how much a row counts: of mean one over the rows of a class, zero
        where no row is
    motion : (C, D) float32, the motion description
    names : (C, D) float32, the bare class name (the baseline without any description)
    traits : (C, T) float32, see :func:`.traits.trait_vector`; zero where nothing is known
    has_traits : (C,) bool, true where traits are known
    rows : for each class its descriptions, in the order of `descriptions`
    motion_texts : for each class the text behind `motion`
    sources : for each class where its words come from: ``"lexicon <dataset>"``,
        ``"grammar (confidence ...)"``, ``"name only"``, see :class:`.describing.Described`
    encoder_id : the text encoder's weights
    lexicon_hash : hash of the lexicon entries used
    temperature : of the weighing that `weights` come from (see :meth:`weigh`); None where every
        row counts the same. Parts of the codebook are weighed anew, among their own classes.

    Raises
    ------
    SemanticsError : if the fields do not fit each other
    """

    labels: LabelSet
    descriptions: Array
    mask: NDArray[np.bool_]
    weights: Array
    motion: Array
    names: Array
    traits: Array
    has_traits: NDArray[np.bool_]
    rows: tuple[tuple[Description, ...], ...]
    motion_texts: tuple[str, ...]
    sources: tuple[str, ...]
    encoder_id: str
    lexicon_hash: str
    temperature: float | None = None

    def __post_init__(self) -> None:
        check_codebook(self)

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
        """Hex SHA-256 of names, texts, traits, temperature, encoder and lexicon.

        Vectors are left out: their last bits depend on which texts shared a batch.
        """
        return canonical_hash(
            {
                "labels": list(self.labels.names),
                "rows": [[[r.granularity, r.key, r.text] for r in rows] for rows in self.rows],
                "motion": list(self.motion_texts),
                "sources": list(self.sources),
                "traits": [TRAIT_DIMENSIONS, self.traits.tolist(), self.has_traits.tolist()],
                "temperature": self.temperature,
                "encoder": self.encoder_id,
                "lexicon": self.lexicon_hash,
            }
        )

    def mean_text(self, granularities: Sequence[str] | None = None) -> Array:
        """One vector (C, D) a class: the weighted mean of its rows, scaled to length one.

        Parameters
        ----------
        granularities : which rows to average, ``"motion"`` being the motion row (default: all
            rows and the motion row, whose weight is one). A class known by name only
            contributes its name rows.

        Raises
        ------
        SemanticsError : if a granularity is unknown or a class has no row of the kind
        """
        wanted = check_granularities(GRANULARITIES if granularities is None else granularities)
        weights = self._keep(wanted) * self.weights
        total = np.einsum("ckd,ck->cd", self.descriptions, weights)
        count = weights.sum(axis=1)
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

    def select_balanced(self, count: int) -> Codebook:
        """The codebook with at most `count` descriptions a class, see :func:`.draw_balanced`.

        Raises
        ------
        SemanticsError : if `count` is not at least 1
        """
        chosen = []
        for rows in self.rows:
            drawn = {id(row) for row in draw_balanced(rows, count)}
            chosen.append(np.array([k for k, row in enumerate(rows) if id(row) in drawn]))
        return self._take(range(len(self)), lambda c: chosen[c])

    def margins(self, within: Sequence[Sequence[str]] = ()) -> NDArray[np.float64]:
        """(C, K): how much nearer each row is to its own class than to any other one.

        See :func:`.weighting.row_margins`.

        Parameters
        ----------
        within : names of each group of classes that are compared with each other only; every
            class in one of them (default: all are compared)

        Raises
        ------
        SemanticsError : if there is only one class, or a group of one, or a class in no group
        LabelError : if a name is unknown
        """
        groups = [[self.labels.index(name) for name in names] for names in within]
        return group_margins(self.descriptions, self.mask, groups or [range(len(self))])

    def weigh(self, temperature: float = 1.0) -> Codebook:
        """The codebook with weights by how much a row tells its class from the others here.

        Only text enters, so classes without training clips may be among the labels.

        Parameters
        ----------
        temperature : see :func:`.weighting.row_weights`

        Raises
        ------
        SemanticsError : if there is only one class, or `temperature` is not positive
        """
        weights = row_weights(self.margins(), self.mask, temperature)
        return replace(self, weights=weights, temperature=temperature)

    def select_discriminative(
        self, count: int, *, within: Sequence[Sequence[str]] = ()
    ) -> Codebook:
        """The codebook with the `count` rows of each class that tell it best from the others.

        Parameters
        ----------
        count : rows a class at the most
        within : see :meth:`margins`

        Raises
        ------
        SemanticsError : as for :meth:`margins`, or if `count` is not at least 1
        """
        keep = best_rows(self.margins(within), self.mask, count)
        return self._take(range(len(self)), lambda c: np.flatnonzero(keep[c]))

    def without_motion(self) -> Codebook:
        """The codebook with the class name in place of the motion description."""
        return replace(self, motion=self.names, motion_texts=tuple(self.labels.names))

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
        pairs = list(zip(order, chosen, strict=True))
        descriptions, mask = pad_rows([self.descriptions[c, index] for c, index in pairs])
        part = Codebook(
            labels=LabelSet(tuple(self.labels[c] for c in order)),
            descriptions=descriptions,
            mask=mask,
            weights=mask.astype(np.float32),
            motion=self.motion[order],
            names=self.names[order],
            traits=self.traits[order],
            has_traits=self.has_traits[order],
            rows=tuple(tuple(self.rows[c][int(k)] for k in index) for c, index in pairs),
            motion_texts=tuple(self.motion_texts[c] for c in order),
            sources=tuple(self.sources[c] for c in order),
            encoder_id=self.encoder_id,
            lexicon_hash=self.lexicon_hash,
        )
        if self.temperature is None:
            return part
        # A class alone has nothing to be told from; what is taken of it later is weighed again.
        alone = len(part) < 2
        return (
            replace(part, temperature=self.temperature) if alone else part.weigh(self.temperature)
        )
