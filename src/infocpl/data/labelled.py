"""What every store of labelled things offers, be they clips or precomputed features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl.data.catalog import create_dataset, list_datasets
from infocpl.data.manifest import StoreKind, open_parts, protocols_from_manifest, verify_files
from infocpl.data.protocol import Protocol
from infocpl.errors import DataError, LayoutError, StoreError
from infocpl.files import canonical_hash

__all__ = ["FACTS", "FILE_PROTOCOL", "LabelledStore", "row_indices"]

FACTS = ("name", "label", "subject", "camera", "setup", "replication", "part")
"""Columns that every store has."""

_DAMAGE = (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError)

FILE_PROTOCOL = "file"
"""Name of the protocol that takes training and test side as the converted file gave them."""


class LabelledStore:
    """Facts, classes and protocols of N labelled things on disk.

    Attributes
    ----------
    folder : where the store lies
    manifest : content of manifest.json
    dataset, classes : name of the dataset and its class names
    hash : SHA-256 over the manifest, and with it over every byte of the store
    labels : (N,) int64 class numbers
    protocols : protocol name to protocol; those the store was made with, or the catalogue's
    default_protocol : name of the one to use unless told otherwise ("" if there is none)
    """

    kind: ClassVar[StoreKind]

    def __init__(self, folder: Path, manifest: dict[str, Any], columns: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = manifest
        self.dataset: str = manifest["dataset"]
        self.classes: tuple[str, ...] = tuple(manifest["classes"])
        self.hash = canonical_hash(manifest)
        self._columns = columns
        self.labels = self.column("label")
        self.protocols: Mapping[str, Protocol] = protocols_from_manifest(manifest)
        self.default_protocol: str = manifest["default_protocol"]
        if not self.protocols and self.dataset in list_datasets():
            known = create_dataset(self.dataset)
            self.protocols, self.default_protocol = known.protocols, known.default_protocol
        self._default_to_what_is_recorded()

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """Open the store in `folder` without reading its arrays.

        Raises
        ------
        StoreError : if the folder is not such a store, is of another format version, or if a file
            is missing or not as long as the manifest says (for changed bytes see :meth:`verify`)
        """
        folder = Path(folder)
        try:
            return cls(folder, *open_parts(folder, cls.kind))
        except FileNotFoundError as error:
            raise StoreError(f"{error.filename}: expected a file, got nothing there") from None
        except StoreError:
            raise
        except (*_DAMAGE, DataError, LayoutError) as error:
            raise StoreError(f"{folder}: the store is damaged: {error}") from error

    def _default_to_what_is_recorded(self) -> None:
        usable = self.usable_protocols()
        if usable and self.default_protocol not in usable:
            self.default_protocol = FILE_PROTOCOL if FILE_PROTOCOL in usable else usable[0]

    def _records(self, field: str) -> bool:
        column = self.column(field)
        return bool(len(column)) and int(column.max()) >= 0

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the things stored, in order."""
        return tuple(self._columns["name"])

    def column(self, name: str) -> NDArray[np.int64]:
        """One numeric fact of all things stored, (N,): ``subject``, ``camera``, ..."""
        if name in ("name", "sha256") or name not in self._columns:
            raise StoreError(f"a store has no numeric column {name!r}")
        return np.asarray(self._columns[name], dtype=np.int64)

    def usable_protocols(self) -> list[str]:
        """Names of the protocols that divide by something the store records."""
        found = [name for name, item in self.protocols.items() if self._records(item.field)]
        return [*found, FILE_PROTOCOL] if self._records("part") else found

    def protocol(self, name: str | None = None) -> Protocol:
        """The protocol called `name`, the default one for None.

        ``"file"`` stands for the division that the converted file itself made.

        Raises
        ------
        DataError : if there is no such protocol, or the store does not record what it divides by
        """
        name = self.default_protocol if name is None else name
        known = self.usable_protocols()
        if name in known:
            return self.protocols.get(name) or Protocol(FILE_PROTOCOL, "part", (1,))
        usable = f"usable: {', '.join(known) or 'none'}"
        if name in self.protocols:
            field = self.protocols[name].field
            raise DataError(
                f"{self.folder}: protocol {name!r} divides by {field}, which is not recorded for "
                f"these clips; {usable}"
            )
        if name == FILE_PROTOCOL:
            raise DataError(f"{self.folder}: the converted files made no division; {usable}")
        raise DataError(f"dataset {self.dataset!r} has no protocol {name!r}; {usable}")

    def verify(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Recompute every hash; :class:`StoreError` names the first file that differs.

        Parameters
        ----------
        progress : called with bytes read so far and all bytes
        """
        verify_files(self.folder, self.kind, self.hash, progress)

    def _check_labels(self, where: str) -> None:
        if len(self.labels) == 0:
            raise ValueError(f"{where}: expected at least one entry, got none")
        if self.labels.min() < 0 or self.labels.max() >= len(self.classes):
            raise ValueError(f"{where}: expected labels below {len(self.classes)}")


def row_indices(indices: ArrayLike, count: int) -> NDArray[np.integer]:
    """`indices` as whole numbers from 0 to `count` - 1.

    Raises
    ------
    DataError : if one of them is something else

    Examples
    --------
    >>> row_indices([2, 0], 3)
    array([2, 0])
    """
    chosen = np.asarray(indices)
    if chosen.size == 0:
        chosen = chosen.astype(np.int64)
    # A mask of ones and zeros would be taken as clips 1 and 0 without a word.
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise DataError(
            f"indices: expected a list of whole numbers, got {chosen.dtype.name} {chosen.shape}"
        )
    if chosen.size and not 0 <= chosen.min() <= chosen.max() < count:
        raise DataError(f"indices: expected 0 to {count - 1}, got {chosen.min()} to {chosen.max()}")
    return chosen
