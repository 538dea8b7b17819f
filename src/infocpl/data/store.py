"""Clips in memory-mapped arrays: opened in milliseconds, read at random, checked by hash.

A store is a folder with four files::

    manifest.json    format version, dataset, layout, units, counts, SHA-256 of the other files
    clips.json       one list per column: name, label, subject, ..., offset, sha256
    keypoints.npy    float32 (R, V, C); a clip of M persons and T frames takes M * T rows
    confidence.npy   uint8 (R, V), 255 for full confidence
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, SupportsIndex

import numpy as np

from infocpl.data.labelled import FACTS, LabelledStore
from infocpl.data.manifest import StoreKind, check_columns, map_array
from infocpl.data.protocol import ClipInfo
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["CLIPS", "COLUMNS", "ClipRecord", "ClipStore"]

CLIPS = StoreKind(
    "infocpl-clips", 2, "clip store", "clips.json", ("confidence.npy", "keypoints.npy")
)
COLUMNS = (*FACTS, "persons", "frames", "offset", "sha256")


@dataclass(frozen=True)
class ClipRecord(ClipInfo):
    """A clip of a store: what its file name said, its size, and where it lies.

    Attributes
    ----------
    persons, frames : M and T
    offset : first of its M * T rows
    sha256 : hash of the file it was read from
    """

    persons: int = 1
    frames: int = 1
    offset: int = 0
    sha256: str = ""


class ClipStore(LabelledStore):
    """A read-only sequence of clips on disk; open one with :meth:`~.LabelledStore.open`.

    Attributes
    ----------
    folder : where it lies
    manifest : content of manifest.json
    dataset, classes, hash, labels, protocols : see :class:`.labelled.LabelledStore`
    layout : joint layout of every clip

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from infocpl.data.protocol import ClipInfo
    >>> from infocpl.data.store_writer import StoreWriter
    >>> layout = create_layout("ntu25")
    >>> clip = SkeletonSequence(np.ones((1, 4, 25, 3)), layout)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with StoreWriter(f"{folder}/toy", "toy", layout, ("walk", "run")) as writer:
    ...         writer.append(clip, ClipInfo("first", label=1, subject=7))
    ...     store = ClipStore.open(f"{folder}/toy")
    ...     store.verify()
    ...     len(store), store[0].frames, store.records[0].subject, store.labels.tolist()
    (1, 4, 7, [1])
    """

    kind: ClassVar[StoreKind] = CLIPS

    def __init__(self, folder: Path, manifest: dict[str, Any], columns: dict[str, Any]) -> None:
        check_columns(columns, COLUMNS, int(manifest["counts"]["clips"]), "clips.json")
        super().__init__(folder, manifest, columns)
        self.layout: Layout = create_layout(manifest["layout"])
        self._offsets = self.column("offset")
        self._persons = self.column("persons")
        self._frames = self.column("frames")
        rows, joints = int(manifest["counts"]["rows"]), len(self.layout)
        shape = (rows, joints, self.layout.dims)
        self._keypoints = map_array(folder / "keypoints.npy", "<f4", shape)
        self._confidence = map_array(folder / "confidence.npy", "|u1", (rows, joints))
        self._check_rows(rows)

    def __getitem__(self, index: SupportsIndex) -> SkeletonSequence:
        """Read one clip, (M, T, V, C), as a copy in memory."""
        position = range(len(self))[index]
        persons, frames = int(self._persons[position]), int(self._frames[position])
        start = int(self._offsets[position])
        rows = slice(start, start + persons * frames)
        keypoints = np.array(self._keypoints[rows])
        confidence = self._confidence[rows].astype(np.float32) / np.float32(255.0)
        return SkeletonSequence(
            keypoints=keypoints.reshape(persons, frames, *keypoints.shape[1:]),
            layout=self.layout,
            confidence=confidence.reshape(persons, frames, -1),
            fps=float(self.manifest["fps"]),
            units=str(self.manifest["units"]),
            source=f"{self.dataset}/{self._columns['name'][position]}",
        )

    def __repr__(self) -> str:
        return f"ClipStore({str(self.folder)!r}, dataset={self.dataset!r}, clips={len(self)})"

    @cached_property
    def records(self) -> tuple[ClipRecord, ...]:
        """One record a clip, in order; built when first asked for."""
        rows = zip(*(self._columns[key] for key in COLUMNS), strict=True)
        return tuple(ClipRecord(**dict(zip(COLUMNS, row, strict=True))) for row in rows)

    def _check_rows(self, rows: int) -> None:
        """Check, for all clips at once, that every record points inside the arrays."""
        self._check_labels("clips.json")
        if self._persons.min() < 1 or self._frames.min() < 1:
            raise ValueError("clips.json: expected clips of at least one person and one frame")
        ends = np.cumsum(self._persons * self._frames)
        starts = np.concatenate(([0], ends[:-1]))
        if not np.array_equal(starts, self._offsets) or ends[-1] != rows:
            raise ValueError("clips.json: expected clips that fill the arrays without gaps")
