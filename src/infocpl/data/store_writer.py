"""Writing of clip stores: one clip after the other, in bounded memory, whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import orjson

from infocpl.data.manifest import (
    HEADER_BYTES,
    flush,
    npy_header,
    protocols_to_manifest,
    refuse_foreign,
    write_manifest,
)
from infocpl.data.protocol import ClipInfo, Protocol
from infocpl.data.store import CLIPS, COLUMNS
from infocpl.errors import OutputExistsError, StoreError
from infocpl.files import atomic_folder
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["StoreWriter"]


class StoreWriter:
    """Write a clip store; use it as a context manager.

    The folder appears under its name when the block ends well. An exception inside the block,
    Ctrl-C among them, leaves nothing behind; a killed process leaves at most a folder whose name
    begins with ``.partial-``.

    Parameters
    ----------
    folder : the store to be
    dataset, layout, classes : what every clip belongs to
    provenance : JSON-able facts about the making, kept in the manifest; what its lists gain
        while the store is open is kept too
    protocols, default_protocol : divisions of the dataset, which the store carries with it
    overwrite : replace a store that is there already (and nothing but a store)

    Raises
    ------
    OutputExistsError : if `folder` exists and `overwrite` is false, or if it is not a store
    StoreError : if a clip does not fit, is named twice, or if none was written

    Examples
    --------
    See :class:`infocpl.data.store.ClipStore`.
    """

    def __init__(
        self,
        folder: str | Path,
        dataset: str,
        layout: Layout,
        classes: Sequence[str],
        *,
        provenance: dict[str, Any] | None = None,
        protocols: Mapping[str, Protocol] | None = None,
        default_protocol: str = "",
        overwrite: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.dataset = dataset
        self.layout = layout
        self.classes = tuple(classes)
        self.provenance = dict(provenance or {})
        self.protocols = dict(protocols or {})
        self.default_protocol = default_protocol
        self.overwrite = overwrite
        self._stack = ExitStack()
        self._columns: dict[str, list[Any]] = {key: [] for key in COLUMNS}
        self._names: set[str] = set()
        self._rows = 0
        self._recording: tuple[float, str] | None = None
        self._files: dict[str, BinaryIO] = {}

    def __len__(self) -> int:
        return len(self._names)

    def __enter__(self) -> Self:
        if self.overwrite and self.folder.exists():
            refuse_foreign(self.folder, CLIPS)
        self._place = self._stack.enter_context(
            atomic_folder(self.folder, overwrite=self.overwrite)
        )
        self._open_arrays()
        return self

    def _open_arrays(self) -> None:
        for name in CLIPS.arrays:
            # Entered after the folder, so that files are closed before it is renamed or removed.
            file = self._stack.enter_context((self._place / name).open("w+b"))
            file.write(b"\0" * HEADER_BYTES)
            self._files[name] = file

    def append(self, clip: SkeletonSequence, info: ClipInfo, sha256: str = "") -> None:
        """Write one clip.

        Parameters
        ----------
        clip : (M, T, V, C) in the store's layout, with the frame rate and units of the others
        info : its name and facts
        sha256 : hash of the file it came from
        """
        self._check(clip, info)
        keypoints = clip.keypoints.reshape(-1, len(self.layout), self.layout.dims)
        confidence = clip.confidence.reshape(-1, len(self.layout))
        # The smallest confidence above zero stays above zero: zero means absent.
        levels = np.where(confidence > 0, np.maximum(np.rint(confidence * 255.0), 1.0), 0.0)
        self._write("keypoints.npy", keypoints.astype("<f4", copy=False).tobytes())
        self._write("confidence.npy", levels.astype(np.uint8).tobytes())
        values = {
            **vars(info),
            "persons": clip.persons,
            "frames": clip.frames,
            "offset": self._rows,
            "sha256": sha256,
        }
        for key in COLUMNS:
            self._columns[key].append(values[key])
        self._names.add(info.name)
        self._rows += clip.persons * clip.frames

    def _write(self, name: str, data: bytes) -> None:
        self._files[name].write(data)

    def _check(self, clip: SkeletonSequence, info: ClipInfo) -> None:
        if info.name in self._names:
            raise StoreError(f"{self.folder}: clip {info.name!r} was written already")
        if not 0 <= info.label < len(self.classes):
            raise StoreError(
                f"{self.folder}: clip {info.name!r}: label: expected 0 to "
                f"{len(self.classes) - 1}, got {info.label}"
            )
        if clip.layout.name != self.layout.name:
            raise StoreError(
                f"{self.folder}: clip {info.name!r}: layout: expected {self.layout.name!r}, "
                f"got {clip.layout.name!r}"
            )
        recording = (float(clip.fps), clip.units)
        self._recording = self._recording or recording
        if recording != self._recording:
            raise StoreError(
                f"{self.folder}: clip {info.name!r}: frame rate and units: expected "
                f"{self._recording}, got {recording}"
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        if kind is not None:
            return self._stack.__exit__(kind, error, trace)
        try:
            with self._stack:
                self._finish()
        except OSError as problem:
            reason = problem.strerror or problem
            raise StoreError(f"{self.folder} cannot be written: {reason}") from problem
        return None

    def _finish(self) -> None:
        if self._recording is None:
            raise StoreError(f"{self.folder}: a store needs at least one clip, got none")
        if self.folder.exists() and not self.overwrite:
            raise OutputExistsError(f"{self.folder} was made by another process meanwhile")
        joints, dims = len(self.layout), self.layout.dims
        shapes = {
            "keypoints.npy": ("<f4", (self._rows, joints, dims)),
            "confidence.npy": ("|u1", (self._rows, joints)),
        }
        for name, file in self._files.items():
            file.seek(0)
            file.write(npy_header(*shapes[name]))
            flush(file)
        with (self._place / CLIPS.columns).open("wb") as file:
            file.write(orjson.dumps(self._columns))
            flush(file)
        fps, units = self._recording
        facts = {
            "dataset": self.dataset,
            "layout": self.layout.name,
            "fps": fps,
            "units": units,
            "classes": list(self.classes),
            **protocols_to_manifest(self.protocols, self.default_protocol),
            "counts": {"clips": len(self), "rows": self._rows},
            "provenance": self.provenance,
        }
        write_manifest(self._place, CLIPS, facts)
