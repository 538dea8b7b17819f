"""Writing of clip stores: one clip after the other, in bounded memory, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
import orjson

from infocpl.data.dataset import ClipInfo
from infocpl.data.store import (
    COLUMNS,
    FILES,
    FORMAT,
    FORMAT_VERSION,
    HEADER_BYTES,
    manifest_bytes,
    npy_header,
)
from infocpl.errors import OutputExistsError, StoreError
from infocpl.files import atomic_folder, sha256_file
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
        overwrite: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self.dataset = dataset
        self.layout = layout
        self.classes = tuple(classes)
        self.provenance = dict(provenance or {})
        self.overwrite = overwrite
        self._stack = ExitStack()
        self._columns: dict[str, list[Any]] = {key: [] for key in COLUMNS}
        self._names: set[str] = set()
        self._rows = 0
        self._recording: tuple[float, str] | None = None

    def __len__(self) -> int:
        return len(self._names)

    def __enter__(self) -> StoreWriter:
        if self.overwrite and self.folder.exists():
            _refuse_foreign(self.folder)
        self._temporary = self._stack.enter_context(
            atomic_folder(self.folder, overwrite=self.overwrite)
        )
        self._files: dict[str, BinaryIO] = {}
        for name in ("keypoints.npy", "confidence.npy"):
            # Entered after the folder, so that files are closed before it is renamed or removed.
            file = self._stack.enter_context((self._temporary / name).open("wb"))
            file.write(b"\0" * HEADER_BYTES)
            self._files[name] = file
        return self

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
        self._files["keypoints.npy"].write(keypoints.astype("<f4", copy=False).tobytes())
        self._files["confidence.npy"].write(levels.astype(np.uint8).tobytes())
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
            _flush(file)
        with (self._temporary / "clips.json").open("wb") as file:
            file.write(orjson.dumps(self._columns))
            _flush(file)
        fps, units = self._recording
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "dataset": self.dataset,
            "layout": self.layout.name,
            "fps": fps,
            "units": units,
            "classes": list(self.classes),
            "counts": {"clips": len(self), "rows": self._rows},
            "files": {
                name: {
                    "bytes": (self._temporary / name).stat().st_size,
                    "sha256": sha256_file(self._temporary / name),
                }
                for name in FILES
            },
            "provenance": self.provenance,
        }
        with (self._temporary / "manifest.json").open("wb") as file:
            file.write(manifest_bytes(manifest))
            _flush(file)


def _flush(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _refuse_foreign(folder: Path) -> None:
    """Allow overwriting of a store or an empty folder, never of somebody's other files."""
    if folder.is_dir():
        names = {item.name for item in folder.iterdir()}
        if not names or ("manifest.json" in names and names <= {"manifest.json", *FILES}):
            return
    raise OutputExistsError(f"{folder} is not a clip store and will not be overwritten")
