"""What clip stores and feature stores have in common: a signed manifest and plain mapped arrays.

A store is a folder. ``manifest.json`` names its format, its version and the SHA-256 of every other
file, and carries a checksum of itself; columns of facts are one JSON file, arrays are ``.npy``
files that are mapped, never parsed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
from numpy.typing import NDArray

from infocpl.data.protocol import Protocol
from infocpl.errors import DataError, OutputExistsError, StoreError
from infocpl.files import canonical_hash, read_json, sha256_file

__all__ = [
    "HEADER_BYTES",
    "MANIFEST",
    "StoreKind",
    "check_columns",
    "flush",
    "manifest_bytes",
    "map_array",
    "npy_header",
    "open_parts",
    "protocols_from_manifest",
    "protocols_to_manifest",
    "read_manifest",
    "refuse_foreign",
    "verify_files",
    "write_manifest",
]

MANIFEST = "manifest.json"
HEADER_BYTES = 128
_BLOCK = 1 << 22


@dataclass(frozen=True)
class StoreKind:
    """One kind of store.

    Attributes
    ----------
    format, version : what its manifest must say
    title : for messages ("clip store")
    columns : name of the file with the columns of facts
    arrays : names of the array files
    """

    format: str
    version: int
    title: str
    columns: str
    arrays: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Every file but the manifest."""
        return (self.columns, *self.arrays)


def npy_header(descr: str, shape: tuple[int, ...]) -> bytes:
    """Header of a .npy file, format 1.0, of a length that does not depend on the shape."""
    fields = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"
    text = fields.ljust(HEADER_BYTES - 11) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode("latin1")


def map_array(path: Path, descr: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Map an array after comparing its header with the one it must have.

    The header is known from the manifest, so nothing in the file is ever parsed: a damaged one
    cannot reach numpy's header parser, which answers with errors of many kinds.

    Raises
    ------
    ValueError : if the file is not the array that was expected
    """
    header = npy_header(descr, shape)
    with path.open("rb") as file:
        if file.read(len(header)) != header:
            raise ValueError(f"{path.name}: expected an array of {np.dtype(descr).name} {shape}")
    return np.memmap(path, descr, mode="r", offset=len(header), shape=shape)


def manifest_bytes(manifest: dict[str, Any]) -> bytes:
    """The one way a manifest is written, so that any other bytes are known as changed."""
    whole = {**manifest, "checksum": canonical_hash(manifest)}
    return (json.dumps(whole, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def write_manifest(folder: Path, kind: StoreKind, facts: dict[str, Any]) -> None:
    """Hash the files of a store that is complete otherwise, and write its manifest."""
    files = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": sha256_file(folder / name),
        }
        for name in kind.files
    }
    manifest = {"format": kind.format, "format_version": kind.version, **facts, "files": files}
    with (folder / MANIFEST).open("wb") as file:
        file.write(manifest_bytes(manifest))
        flush(file)


def flush(file: BinaryIO) -> None:
    """Bring what was written to the disk, not only to the operating system."""
    file.flush()
    os.fsync(file.fileno())


def read_manifest(folder: Path, kind: StoreKind) -> tuple[dict[str, Any], bytes]:
    """Read and check manifest.json; return it without its checksum, and its bytes.

    Raises
    ------
    StoreError : if there is none, or it is damaged, of another kind or of another version
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise StoreError(f"{folder}: expected a {kind.title}, got no {MANIFEST} in it")
    try:
        raw = path.read_bytes()
        manifest = read_json(path)
    except (OSError, DataError, RecursionError) as error:
        raise StoreError(f"{path}: expected the manifest of a {kind.title}: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != kind.format:
        found = manifest.get("format") if isinstance(manifest, dict) else None
        got = repr(found) if isinstance(found, str) else "another kind of file"
        raise StoreError(f"{path}: format: expected {kind.format!r} (a {kind.title}), got {got}")
    version = manifest.get("format_version")
    if not isinstance(version, int) or version != kind.version:
        raise StoreError(
            f"{path}: format_version: expected {kind.version}, got {version!r}; the store is "
            "of another version of infocpl: use that, or convert the dataset again"
        )
    checksum = manifest.pop("checksum", None)
    if checksum != canonical_hash(manifest):
        raise StoreError(f"{path}: checksum: expected {canonical_hash(manifest)}, got {checksum!r}")
    return manifest, raw


def open_parts(folder: Path, kind: StoreKind) -> tuple[dict[str, Any], Any]:
    """Manifest and columns of a store whose files all have the length the manifest says.

    Raises
    ------
    StoreError : see :func:`read_manifest`; for a file of another length, or damaged columns
    FileNotFoundError : for a missing file
    """
    manifest, _ = read_manifest(folder, kind)
    for name in kind.files:
        expected = manifest["files"][name]["bytes"]
        found = (folder / name).stat().st_size
        if found != expected:
            raise StoreError(f"{folder / name}: expected {expected} bytes, got {found}")
    try:
        return manifest, orjson.loads((folder / kind.columns).read_bytes())
    except orjson.JSONDecodeError as error:
        raise StoreError(f"{folder / kind.columns}: the store is damaged: {error}") from error


def check_columns(columns: Any, wanted: Sequence[str], count: int, where: str) -> None:
    """Refuse columns that are missing or not of one length; ValueError says which."""
    for key in wanted:
        if len(columns[key]) != count:
            raise ValueError(f"{where}: {key}: expected {count} values, got {len(columns[key])}")


def verify_files(
    folder: Path,
    kind: StoreKind,
    known_hash: str,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Recompute every hash of a store.

    Parameters
    ----------
    known_hash : hash of the manifest when the store was opened
    progress : called with bytes read so far and all bytes

    Raises
    ------
    StoreError : names the first file that differs, what was expected and what was found
    """
    manifest, raw = read_manifest(folder, kind)
    if raw != manifest_bytes(manifest):
        raise StoreError(f"{folder / MANIFEST}: its bytes were changed")
    if canonical_hash(manifest) != known_hash:
        raise StoreError(f"{folder / MANIFEST}: changed since the store was opened")
    total = sum(manifest["files"][name]["bytes"] for name in kind.files)
    done = 0

    def count(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None and total:
            progress(min(done, total), total)

    for name in kind.files:
        expected = manifest["files"][name]["sha256"]
        try:
            found = sha256_file(folder / name, count)
        except OSError as error:
            raise StoreError(f"{folder / name}: cannot be read: {error}") from error
        if found != expected:
            raise StoreError(f"{folder / name}: expected SHA-256 {expected}, got {found}")


def refuse_foreign(folder: Path, kind: StoreKind) -> None:
    """Allow overwriting of a store or an empty folder, never of somebody's other files.

    Raises
    ------
    OutputExistsError : if `folder` is a file, or holds anything but the files of such a store
    """
    if folder.is_dir():
        names = {item.name for item in folder.iterdir()}
        if not names or (MANIFEST in names and names <= {MANIFEST, *kind.files}):
            return
    raise OutputExistsError(f"{folder} is not a {kind.title} and will not be overwritten")


def protocols_to_manifest(protocols: Mapping[str, Protocol], default: str) -> dict[str, Any]:
    """The protocols of a dataset as a store carries them, so that it needs no catalogue."""
    return {
        "protocols": {
            name: {"field": item.field, "train": list(item.train), "notes": item.notes}
            for name, item in protocols.items()
        },
        "default_protocol": default if default in protocols else next(iter(protocols), ""),
    }


def protocols_from_manifest(manifest: dict[str, Any]) -> dict[str, Protocol]:
    """The inverse of :func:`protocols_to_manifest`."""
    return {
        name: Protocol(name, item["field"], tuple(item["train"]), item["notes"])
        for name, item in manifest["protocols"].items()
    }
