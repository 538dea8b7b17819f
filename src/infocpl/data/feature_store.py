"""Precomputed features on disk: rows of numbers with labels, facts, splits and hashes, like clips.

A feature store is a folder with three files::

    manifest.json   format version, dataset, classes, protocols, encoder note, SHA-256 of the others
    rows.json       one list per column: name, label, subject, ..., part
    features.npy    float32 (N, D)

What the encoder behind the features learned from cannot be seen in them. The manifest carries what
the user or the publisher declares, and every result made with it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import orjson
from numpy.typing import ArrayLike, NDArray

from infocpl.data.feature_files import Rows
from infocpl.data.labelled import FACTS, LabelledStore, row_indices
from infocpl.data.manifest import (
    StoreKind,
    check_columns,
    flush,
    map_array,
    npy_header,
    protocols_to_manifest,
    refuse_foreign,
    write_manifest,
)
from infocpl.data.protocol import ClipInfo, Protocol
from infocpl.errors import DataError, StoreError
from infocpl.files import atomic_folder

__all__ = ["FEATURES", "EncoderNote", "FeatureStore", "PreparedFeatures", "write_features"]

FEATURES = StoreKind("infocpl-features", 1, "feature store", "rows.json", ("features.npy",))
DECLARERS = ("user", "publisher")
_MOST_DIMENSIONS = 1 << 16


@dataclass(frozen=True)
class EncoderNote:
    """What is known about the encoder that made the features, on somebody's word.

    Attributes
    ----------
    name : for people, for example ``"Shift-GCN, four streams (SynSE release)"``
    training_classes : classes it was trained on; None if nobody declares them
    declared_by : ``"user"`` or ``"publisher"``
    note : anything else worth knowing

    Raises
    ------
    DataError : if the name is empty or `declared_by` is something else
    """

    name: str
    training_classes: tuple[str, ...] | None = None
    declared_by: str = "user"
    note: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise DataError("encoder note: name: expected a text, got an empty one")
        if self.declared_by not in DECLARERS:
            raise DataError(
                f"encoder note: declared_by: expected one of {', '.join(DECLARERS)}, "
                f"got {self.declared_by!r}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        classes = None if self.training_classes is None else list(self.training_classes)
        return {**vars(self), "training_classes": classes}


@dataclass(frozen=True, eq=False)
class PreparedFeatures:
    """Features in the place of prepared clips (:class:`~infocpl.data.loading.PreparedClips`).

    Attributes
    ----------
    features : (N, D) float32, finite; may be a mapped file
    labels, names, subjects, classes : as for clips
    encoder : where they come from
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    subjects: NDArray[np.int64]
    classes: tuple[str, ...]
    encoder: EncoderNote

    def __len__(self) -> int:
        return len(self.features)

    def subset(self, indices: ArrayLike) -> PreparedFeatures:
        """The rows at `indices`, in that order, as copies; :class:`DataError` if one is no row."""
        chosen = row_indices(indices, len(self))
        return PreparedFeatures(
            features=self.features[chosen],
            labels=self.labels[chosen],
            names=tuple(self.names[i] for i in chosen),
            subjects=self.subjects[chosen],
            classes=self.classes,
            encoder=self.encoder,
        )


class FeatureStore(LabelledStore):
    """Read-only features on disk; open one with :meth:`~.LabelledStore.open`.

    Attributes
    ----------
    folder, manifest, dataset, classes, hash, labels, protocols : see :class:`.LabelledStore`
    features : (N, D) float32, mapped
    encoder : where they come from

    Examples
    --------
    >>> import tempfile
    >>> infos = [ClipInfo("a", label=1, part=1), ClipInfo("b", label=0, part=2)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = write_features(
    ...         f"{folder}/toy", "toy", ("walk", "run"), np.eye(2, 3), infos,
    ...         EncoderNote("three numbers"))
    ...     store.verify()
    ...     store.features.shape, store.protocol("file").train, store.encoder.name
    ((2, 3), (1,), 'three numbers')
    """

    kind: ClassVar[StoreKind] = FEATURES

    def __init__(self, folder: Path, manifest: dict[str, Any], columns: dict[str, Any]) -> None:
        rows, dim = int(manifest["counts"]["rows"]), int(manifest["counts"]["dim"])
        check_columns(columns, FACTS, rows, FEATURES.columns)
        super().__init__(folder, manifest, columns)
        self._check_labels(FEATURES.columns)
        self.features = map_array(folder / "features.npy", "<f4", (rows, dim))
        note = dict(manifest["encoder"])
        classes = note.pop("training_classes")
        self.encoder = EncoderNote(
            training_classes=None if classes is None else tuple(classes), **note
        )

    def __repr__(self) -> str:
        return f"FeatureStore({str(self.folder)!r}, dataset={self.dataset!r}, rows={len(self)})"

    def prepared(self) -> PreparedFeatures:
        """The features as an experiment takes them; they stay mapped."""
        return PreparedFeatures(
            self.features,
            self.labels,
            self.names,
            self.column("subject"),
            self.classes,
            self.encoder,
        )


def write_features(
    folder: str | Path,
    dataset: str,
    classes: Sequence[str],
    features: Rows,
    infos: Iterable[ClipInfo],
    encoder: EncoderNote,
    *,
    protocols: Mapping[str, Protocol] | None = None,
    default_protocol: str = "",
    provenance: dict[str, Any] | None = None,
    overwrite: bool = False,
) -> FeatureStore:
    """Write a feature store, whole or not at all, and open it.

    Parameters
    ----------
    folder : the store to be
    dataset, classes : what the labels number
    features : (N, D) finite numbers, kept as float32; an array, or what hands out blocks of rows
    infos : name, label and facts of each row
    encoder : where the features come from
    protocols, default_protocol : divisions of the dataset, which the store carries with it
    provenance : JSON-able facts about the making
    overwrite : replace a feature store that is there already

    Raises
    ------
    OutputExistsError : if `folder` exists and `overwrite` is false, or if it is not such a store
    StoreError : if the rows do not fit together, or a number is not finite (which row is said)
    """
    folder = Path(folder)
    rows = list(infos)
    _check(folder, features, rows, len(classes))
    if overwrite and folder.exists():
        refuse_foreign(folder, FEATURES)
    with atomic_folder(folder, overwrite=overwrite) as place:
        with (place / "features.npy").open("wb") as file:
            file.write(npy_header("<f4", features.shape))
            for start, block in _blocks(features):
                bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
                if len(bad):
                    raise StoreError(
                        f"{folder}: row {start + bad[0]} ({rows[start + bad[0]].name!r}): "
                        "features: expected finite numbers within float32, got NaN or infinity"
                    )
                file.write(block.tobytes())
            flush(file)
        with (place / FEATURES.columns).open("wb") as file:
            columns = {key: [getattr(row, key) for row in rows] for key in FACTS}
            file.write(orjson.dumps(columns))
            flush(file)
        facts = {
            "dataset": dataset,
            "classes": list(classes),
            **protocols_to_manifest(protocols or {}, default_protocol),
            "counts": {"rows": len(rows), "dim": int(features.shape[1])},
            "encoder": encoder.to_dict(),
            "provenance": dict(provenance or {}),
        }
        write_manifest(place, FEATURES, facts)
    return FeatureStore.open(folder)


def _blocks(features: Rows) -> Iterable[tuple[int, NDArray[np.float32]]]:
    few = max(1, (1 << 22) // features.shape[1])
    for start in range(0, features.shape[0], few):
        with np.errstate(over="ignore"):
            yield start, np.ascontiguousarray(features[start : start + few], dtype="<f4")


def _check(folder: Path, features: Rows, rows: Sequence[ClipInfo], classes: int) -> None:
    shape = features.shape
    if len(shape) != 2 or shape[0] < 1 or not 1 <= shape[1] <= _MOST_DIMENSIONS:
        raise StoreError(f"{folder}: features: expected (N, D), got {shape}")
    if len(rows) != shape[0]:
        raise StoreError(f"{folder}: expected {shape[0]} names and labels, got {len(rows)}")
    names = {row.name for row in rows}
    if len(names) != len(rows):
        raise StoreError(f"{folder}: expected different names, got {len(rows) - len(names)} twice")
    for row in rows:
        if not 0 <= row.label < classes:
            raise StoreError(
                f"{folder}: {row.name!r}: label: expected 0 to {classes - 1}, got {row.label}"
            )
