"""Published feature files: arrays of training and test features with labels, opened lazily.

Two forms are in use: a folder of arrays (SynSE and what builds on it, see
:mod:`infocpl.skeleton.formats.feature_folder`), and one ``.npz`` with ``train_data``,
``gzsl_data``, ``zsl_data`` and their ``_label`` (Flora). For features of your own: an ``.npz``
with ``features`` (N, D), ``labels`` (N) and, if known, ``subject``, ``camera``, ``setup``,
``replication``, ``part`` (1 training, 2 test).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infocpl.data.protocol import FIELDS, ClipInfo
from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.feature_folder import is_feature_folder, read_feature_folder
from infocpl.skeleton.formats.limits import MAX_CLASSES, MAX_CLIPS
from infocpl.skeleton.formats.npz import NpzArray, NpzFile

__all__ = ["FeatureTable", "Rows", "is_feature_file", "open_features"]

_ARCHIVE = {"train_data": "train_label", "gzsl_data": "gzsl_label", "zsl_data": "zsl_label"}
_ARCHIVE_PARTS = ("train", "gtest", "ztest")
_FEW = 4096


class Rows(Protocol):
    """(N, D) numbers of which a few rows are read at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, D)."""

    def __getitem__(self, index: slice) -> NDArray[Any]:
        """Rows in memory."""


class _ArchiveRows:
    def __init__(self, array: NpzArray) -> None:
        self._array = array
        self.shape = array.header.shape

    def __getitem__(self, index: slice) -> NDArray[Any]:
        start, stop, _ = index.indices(self.shape[0])
        return self._array.rows(start, stop)


class _Stacked:
    """Arrays one below the other."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self._parts = parts
        self._ends = np.cumsum([part.shape[0] for part in parts]).tolist()
        self.shape = (self._ends[-1], parts[0].shape[1])

    def __getitem__(self, index: slice) -> NDArray[Any]:
        start, stop, _ = index.indices(self.shape[0])
        found, first = [], 0
        for part, end in zip(self._parts, self._ends, strict=True):
            low, high = max(start, first), min(stop, end)
            if low < high:
                found.append(part[low - first : high - first])
            first = end
        return np.concatenate(found)


@dataclass(frozen=True)
class FeatureTable:
    """Features with labels and facts, not yet in memory.

    Attributes
    ----------
    path : what was opened
    features : (N, D)
    infos : name (made up from part and position), label and facts of each row
    files : every file that belongs to it, for hashing
    notes : what is odd and does not prevent its use, one sentence each
    """

    path: Path
    features: Rows
    infos: tuple[ClipInfo, ...]
    files: tuple[Path, ...]
    notes: tuple[str, ...]


def is_feature_file(path: str | Path) -> bool:
    """Whether a folder or an archive holds features in one of the known forms; never raises.

    Examples
    --------
    >>> is_feature_file("no/such/folder")
    False
    """
    path = Path(path)
    try:
        if path.is_dir():
            return is_feature_folder(path)
        if path.suffix != ".npz" or not path.is_file():
            return False
        with NpzFile(path) as file:
            found = set(file.arrays)
            return {"features", "labels"} <= found or {"train_data", "train_label"} <= found
    except (OSError, SkeletonFormatError, ValueError):
        return False


def open_features(path: str | Path) -> FeatureTable:
    """Open published features, or features of your own, in one of the known forms.

    Raises
    ------
    SkeletonFormatError : if an array is missing, damaged, of another shape or not of numbers, or a
        label is no class number
    """
    path = Path(path)
    if path.is_dir():
        return _open_folder(path)
    file = NpzFile(path)  # stays open as long as its rows are used
    for array in file.arrays.values():
        array.verify()
    arrays = file.arrays
    if "features" in arrays:
        return _own(path, arrays)
    parts: dict[str, tuple[Rows, NDArray[Any]]] = {}
    for (data, label), part in zip(_ARCHIVE.items(), _ARCHIVE_PARTS, strict=True):
        if data in arrays:
            if label not in arrays:
                raise SkeletonFormatError(path, "arrays", f"{label} beside {data}", "none")
            values = arrays[label]
            numbers = values.rows(0, _length(path, label, values.header.shape))
            parts[part] = (_ArchiveRows(arrays[data]), numbers)
    return _table(path, parts, (path,), lambda part: str(path))


def _open_folder(path: Path) -> FeatureTable:
    found = read_feature_folder(path)
    parts: dict[str, tuple[Rows, NDArray[Any]]] = {}
    for name, part in found.parts.items():
        # SMIE's folders call the features of unseen classes "test".
        parts["ztest" if name == "test" else name] = (part.features, part.labels)
    files = tuple(file for file in found.files if not file.name.endswith("_out.npy"))
    return _table(path, parts, files, lambda part: str(path / f"{part}.npy"))


def _own(path: Path, arrays: dict[str, NpzArray]) -> FeatureTable:
    features = _ArchiveRows(arrays["features"])
    rows = _check_rows(str(path), features)
    if "labels" not in arrays:
        raise SkeletonFormatError(path, "arrays", "labels beside features", ", ".join(arrays))
    columns: dict[str, NDArray[np.int64]] = {}
    for key in ("labels", *FIELDS):
        if key in arrays:
            values = arrays[key].rows(0, _length(path, key, arrays[key].header.shape))
            columns[key] = _whole(str(path), key, values, rows, 0 if key == "labels" else -1)
    labels = columns.pop("labels")
    infos = tuple(
        ClipInfo(f"{row:06d}", int(labels[row]), **{k: int(v[row]) for k, v in columns.items()})
        for row in range(rows)
    )
    return FeatureTable(path, features, infos, (path,), ())


def _table(
    path: Path,
    parts: dict[str, tuple[Rows, NDArray[Any]]],
    files: tuple[Path, ...],
    place: Callable[[str], str],
) -> FeatureTable:
    if "train" not in parts or len(parts) < 2:
        expected = "training features, and those of the whole test set or of its unseen classes"
        raise SkeletonFormatError(path, "parts", expected, ", ".join(parts) or "none")
    labels = {}
    for part, (rows, numbers) in parts.items():
        count = _check_rows(place(part), rows)
        if rows.shape[1] != parts["train"][0].shape[1]:
            expected = f"{parts['train'][0].shape[1]} numbers a row, as in training"
            raise SkeletonFormatError(place(part), "shape", expected, f"{rows.shape}")
        labels[part] = _whole(place(part), "labels", numbers, count, 0)
    used = list(parts)
    notes: list[str] = []
    if {"gtest", "ztest"} <= set(used) and _contained(path, parts):
        # The unseen clips of the test set, once more; the same clip must not be counted twice.
        used.remove("ztest")
        notes.append("the features of unseen classes are part of the whole test set")
    infos = tuple(
        ClipInfo(f"{part}/{row:06d}", int(label), part=1 if part == "train" else 2)
        for part in used
        for row, label in enumerate(labels[part])
    )
    return FeatureTable(
        path, _Stacked([parts[part][0] for part in used]), infos, files, tuple(notes)
    )


def _contained(path: Path, parts: dict[str, tuple[Rows, NDArray[Any]]]) -> bool:
    """Whether the rows of ztest are rows of gtest; it must be all of them or none."""
    whole = _row_hashes(parts["gtest"][0])
    unseen = _row_hashes(parts["ztest"][0])
    shared = len(unseen & whole)
    if shared not in (0, len(unseen)):
        expected = "all features of unseen classes in the whole test set, or none"
        raise SkeletonFormatError(path, "parts", expected, f"{shared} of {len(unseen)}")
    return shared > 0


def _row_hashes(rows: Rows) -> set[bytes]:
    found: set[bytes] = set()
    for start in range(0, rows.shape[0], _FEW):
        block = np.ascontiguousarray(rows[start : start + _FEW], dtype="<f4")
        found.update(hashlib.blake2b(row.tobytes(), digest_size=16).digest() for row in block)
    return found


def _check_rows(place: str, rows: Rows) -> int:
    if len(rows.shape) != 2 or not 1 <= rows.shape[0] <= MAX_CLIPS or rows.shape[1] < 1:
        raise SkeletonFormatError(place, "shape", "(N, D) features", f"{tuple(rows.shape)}")
    return int(rows.shape[0])


def _length(path: Path, name: str, shape: tuple[int, ...]) -> int:
    if len(shape) not in (1, 2) or not 1 <= shape[0] <= MAX_CLIPS:
        raise SkeletonFormatError(path, name, "one number for each row", f"shape {shape}")
    return shape[0]


def _whole(
    place: str, name: str, values: NDArray[Any], rows: int, lowest: int
) -> NDArray[np.int64]:
    """Whole numbers from `lowest`, one a row."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim == 2 and numbers.shape[1] == 1:
        numbers = numbers[:, 0]
    if numbers.shape != (rows,):
        raise SkeletonFormatError(place, name, f"one for each of {rows} rows", f"{numbers.shape}")
    most = MAX_CLASSES if name == "labels" else 10**9
    good = (numbers >= lowest) & (numbers < most) & (numbers == np.floor(numbers))
    if not good.all():
        at = int(np.argmin(good))
        expected = f"a whole number from {lowest} to {most - 1}"
        raise SkeletonFormatError(place, name, expected, f"{numbers[at]:g}", f"row {at}")
    return numbers.astype(np.int64)
