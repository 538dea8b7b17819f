"""Clips in memory-mapped arrays: opened in milliseconds, read at random, checked by hash.

A store is a folder with four files::

    manifest.json    format version, dataset, layout, units, counts, SHA-256 of the other files
    clips.json       one list per column: name, label, subject, ..., offset, sha256
    keypoints.npy    float32 (R, V, C); a clip of M persons and T frames takes M * T rows
    confidence.npy   uint8 (R, V), 255 for full confidence
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np
import orjson
from numpy.typing import NDArray

from infocpl.data.dataset import ClipInfo
from infocpl.errors import DataError, LayoutError, StoreError
from infocpl.files import canonical_hash, read_json, sha256_file
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["FORMAT", "FORMAT_VERSION", "ClipRecord", "ClipStore"]

FORMAT = "infocpl-clips"
FORMAT_VERSION = 1
HEADER_BYTES = 128
FILES = ("clips.json", "confidence.npy", "keypoints.npy")
COLUMNS = (
    "name",
    "label",
    "subject",
    "camera",
    "setup",
    "replication",
    "persons",
    "frames",
    "offset",
    "sha256",
)


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


class ClipStore:
    """A read-only sequence of clips on disk; open one with :meth:`open`.

    Attributes
    ----------
    folder : where it lies
    manifest : content of manifest.json
    dataset, classes : name of the dataset and its class names
    layout : joint layout of every clip
    hash : SHA-256 over the manifest, and with it over every byte of the store
    labels : (N,) int64 class numbers

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from infocpl.data.dataset import ClipInfo
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

    def __init__(self, folder: Path, manifest: dict[str, Any], columns: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.dataset: str = manifest["dataset"]
        self.classes: tuple[str, ...] = tuple(manifest["classes"])
        self.layout: Layout = create_layout(manifest["layout"])
        self.hash = canonical_hash(manifest)
        self._columns = columns
        self._offsets = self.column("offset")
        self._persons = self.column("persons")
        self._frames = self.column("frames")
        self.labels = self.column("label")
        self._keypoints = self._map("keypoints.npy", "<f4", (len(self.layout), self.layout.dims))
        self._confidence = self._map("confidence.npy", "|u1", (len(self.layout),))
        self._check_columns()

    @classmethod
    def open(cls, folder: str | Path) -> ClipStore:
        """Open the store in `folder` without reading its arrays.

        Raises
        ------
        StoreError : if the folder is not a store, is of a newer format version, or if a file is
            missing or not as long as the manifest says (for changed bytes see :meth:`verify`)
        """
        folder = Path(folder)
        manifest, _ = _read_manifest(folder)
        try:
            for name in FILES:
                expected = manifest["files"][name]["bytes"]
                found = (folder / name).stat().st_size
                if found != expected:
                    raise StoreError(f"{folder / name}: expected {expected} bytes, got {found}")
            return cls(folder, manifest, orjson.loads((folder / "clips.json").read_bytes()))
        except FileNotFoundError as error:
            raise StoreError(f"{error.filename}: expected a file, got nothing there") from None
        except (OSError, ValueError, KeyError, TypeError, OverflowError, LayoutError) as error:
            raise StoreError(f"{folder}: the store is damaged: {error}") from error

    def __len__(self) -> int:
        return len(self._offsets)

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

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the clips, in order."""
        return tuple(self._columns["name"])

    def column(self, name: str) -> NDArray[np.int64]:
        """One numeric fact of all clips, (N,): ``subject``, ``camera``, ``frames``, ..."""
        if name not in COLUMNS or name in ("name", "sha256"):
            raise StoreError(f"a store has no numeric column {name!r}")
        return np.asarray(self._columns[name], dtype=np.int64)

    def verify(self) -> None:
        """Recompute every hash; :class:`StoreError` names the first file that differs."""
        manifest, raw = _read_manifest(self.folder)
        if raw != manifest_bytes(manifest):
            raise StoreError(f"{self.folder / 'manifest.json'}: its bytes were changed")
        if canonical_hash(manifest) != self.hash:
            raise StoreError(f"{self.folder / 'manifest.json'}: changed since the store was opened")
        for name in FILES:
            expected = manifest["files"][name]["sha256"]
            try:
                found = sha256_file(self.folder / name)
            except OSError as error:
                raise StoreError(f"{self.folder / name}: cannot be read: {error}") from error
            if found != expected:
                raise StoreError(f"{self.folder / name}: expected SHA-256 {expected}, got {found}")

    def _map(self, name: str, descr: str, tail: tuple[int, ...]) -> NDArray[Any]:
        """Map an array after comparing its header with the one it must have.

        The header is known from the manifest, so nothing in the file is ever parsed: a damaged
        one cannot reach numpy's header parser, which answers with errors of many kinds.
        """
        shape = (int(self.manifest["counts"]["rows"]), *tail)
        header = npy_header(descr, shape)
        with (self.folder / name).open("rb") as file:
            if file.read(len(header)) != header:
                raise ValueError(f"{name}: expected an array of {np.dtype(descr).name} {shape}")
        return np.memmap(self.folder / name, descr, mode="r", offset=len(header), shape=shape)

    def _check_columns(self) -> None:
        """Check, for all clips at once, that every record points inside the arrays."""
        count = int(self.manifest["counts"]["clips"])
        for key in COLUMNS:
            if len(self._columns[key]) != count:
                raise ValueError(
                    f"clips.json: {key}: expected {count} values, got {len(self._columns[key])}"
                )
        if count == 0 or self._persons.min() < 1 or self._frames.min() < 1:
            raise ValueError("clips.json: expected clips of at least one person and one frame")
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise ValueError(f"clips.json: expected labels below {len(self.classes)}")
        ends = np.cumsum(self._persons * self._frames)
        starts = np.concatenate(([0], ends[:-1]))
        if not np.array_equal(starts, self._offsets) or ends[-1] != self.manifest["counts"]["rows"]:
            raise ValueError("clips.json: expected clips that fill the arrays without gaps")


def npy_header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Header of a .npy file, format 1.0, of a length that does not depend on the shape."""
    fields = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text = fields.ljust(HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin1")


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The one way a manifest is written, so that any other bytes are known as changed."""
    whole = {**manifest, "checksum": canonical_hash(manifest)}
    return (json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _read_manifest(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Read and check manifest.json; return it without its checksum, and its bytes."""
    path = folder / "manifest.json"
    if not path.is_file():
        raise StoreError(f"{folder}: expected a clip store, got no manifest.json in it")
    try:
        raw = path.read_bytes()
        manifest = read_json(path)
    except (OSError, DataError, RecursionError) as error:
        raise StoreError(f"{path}: expected the manifest of a clip store: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise StoreError(f"{path}: format: expected {FORMAT!r}, got another kind of file")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version != FORMAT_VERSION:
        raise StoreError(
            f"{path}: format_version: expected {FORMAT_VERSION}, got {version!r}; the store is "
            "of another version of infocpl: use that, or convert the dataset again"
        )
    checksum = manifest.pop("checksum", None)
    if checksum != canonical_hash(manifest):
        raise StoreError(f"{path}: checksum: expected {canonical_hash(manifest)}, got {checksum!r}")
    return manifest, raw
