"""Opening a store without knowing which kind it is."""

from __future__ import annotations

from pathlib import Path

from infocpl.data.feature_store import FeatureStore
from infocpl.data.manifest import MANIFEST
from infocpl.data.store import ClipStore
from infocpl.errors import DataError, StoreError
from infocpl.files import read_json

__all__ = ["is_store", "open_store"]


def is_store(folder: str | Path) -> bool:
    """Whether a folder has a manifest, as stores of both kinds have.

    Examples
    --------
    >>> is_store("no/such/folder")
    False
    """
    return (Path(folder) / MANIFEST).is_file()


def open_store(folder: str | Path) -> ClipStore | FeatureStore:
    """Open a clip store or a feature store, whichever lies in `folder`.

    Raises
    ------
    StoreError : if it is neither, or damaged
    """
    path = Path(folder) / MANIFEST
    if not path.is_file():
        raise StoreError(f"{folder}: expected a clip store or a feature store, got no {MANIFEST}")
    try:
        manifest = read_json(path)
    except (DataError, RecursionError) as error:
        raise StoreError(f"{path}: expected the manifest of a store: {error}") from error
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if found == FeatureStore.kind.format:
        return FeatureStore.open(folder)
    return ClipStore.open(folder)
