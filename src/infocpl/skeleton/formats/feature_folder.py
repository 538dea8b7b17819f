"""Folders of precomputed features, the way SynSE and most zero-shot work after it exchange them.

A folder belongs to one encoder and one split of classes. Each part is an array of rows (N, D) with
a file of 0-based labels beside it, and sometimes the scores (N, classes) of a classifier of seen
classes: ``train.npy`` (seen classes, training side), ``ztest.npy`` (unseen classes, test side),
``gtest.npy`` (all classes, test side); in the folders for the gate ``val.npy`` (seen classes, held
out) and ``ztest.npy`` (pseudo-unseen classes). SMIE's folders call the unseen part ``test.npy``.
Dimensions are 256 for Shift-GCN, 384 for MS-G3D, 2048 for VA-CNN. Layout of the folder: Gupta et
al., "Syntactically guided generative embeddings", ICIP 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import MAX_CLASSES, MAX_CLIPS, path_exists, sniff_head
from infocpl.skeleton.formats.npy import MAGIC, check_finite, map_npy

__all__ = [
    "FeatureFolder",
    "FeaturePart",
    "is_feature_folder",
    "read_feature_folder",
    "write_feature_folder",
]

_MAX_DIM = 65_536
_FILES = {
    "train": ("train.npy", "train_label.npy", "train_out.npy"),
    "val": ("val.npy", "val_label.npy", "val_out.npy"),
    "ztest": ("ztest.npy", "z_label.npy", "ztest_out.npy"),
    "gtest": ("gtest.npy", "g_label.npy", "gtest_out.npy"),
    "test": ("test.npy", "test_label.npy", "test_out.npy"),
}
"""Part to its files: features, labels, scores (which may be missing)."""

_UNSEEN = ("ztest", "test")


@dataclass(frozen=True, eq=False)
class FeaturePart:
    """One part of a folder.

    Attributes
    ----------
    features : (N, D) float, finite; mapped, read-only
    labels : (N) int64, 0-based class of each row
    scores : (N, classes) float, finite, of a classifier of seen classes; None if there are none
    """

    features: NDArray[Any]
    labels: NDArray[np.int64]
    scores: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class FeatureFolder:
    """What :func:`read_feature_folder` found.

    Attributes
    ----------
    path : the folder
    parts : name (``"train"``, ``"val"``, ``"ztest"``, ``"gtest"``, ``"test"``) to part
    dim : D of all parts
    files : all files that belong to it, for hashing
    seen, unseen : rising class numbers of the rows of ``train``, and of ``ztest`` or ``test``
    """

    path: Path
    parts: Mapping[str, FeaturePart]
    dim: int
    files: tuple[Path, ...]
    seen: tuple[int, ...] = field(init=False)
    unseen: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        unseen = [self.parts[name].labels for name in _UNSEEN if name in self.parts]
        for name, labels in (
            ("seen", self.parts["train"].labels),
            ("unseen", np.concatenate([np.zeros(0, np.int64), *unseen])),
        ):
            object.__setattr__(self, name, tuple(np.unique(labels).tolist()))


def read_feature_folder(path: str | Path, *, classes: int | None = None) -> FeatureFolder:
    """Read a folder of features; every number in it is looked at once, none is kept in memory.

    Parameters
    ----------
    path : the folder; it needs ``train.npy`` and may have any of the other parts
    classes : number of classes of the dataset, if labels and scores are to be held against it

    Raises
    ------
    SkeletonFormatError : if a file is missing or damaged, arrays have unequal numbers of rows or
        columns, a number is not finite, a label is no class, or a class of ``ztest`` or ``test``
        occurs in ``train``, where it would not be unseen (path, row)

    Examples
    --------
    >>> import tempfile
    >>> rows = np.random.default_rng(0).normal(size=(6, 256))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_feature_folder(folder, {
    ...         "train": FeaturePart(rows, np.array([0, 1, 2, 0, 1, 2])),
    ...         "ztest": FeaturePart(rows[:2], np.array([4, 5]))})
    ...     found = read_feature_folder(folder)
    ...     sorted(found.parts), found.dim, found.seen, found.unseen
    (['train', 'ztest'], 256, (0, 1, 2), (4, 5))
    """
    path = Path(path)
    parts: dict[str, FeaturePart] = {}
    files: list[Path] = []
    for name, (features, labels, scores) in _FILES.items():
        here = path_exists(path / features) or path_exists(path / labels)
        if not here and name != "train":
            continue
        parts[name] = _read_part(path / features, path / labels, path / scores, classes)
        files += [path / file for file in (features, labels)]
        files += [path / scores] if parts[name].scores is not None else []
    dim = parts["train"].features.shape[1]
    for name, part in parts.items():
        if part.features.shape[1] != dim:
            expected, got = f"{dim}, as in train.npy", str(part.features.shape[1])
            raise SkeletonFormatError(path / _FILES[name][0], "columns", expected, got)
    found = FeatureFolder(path, parts, dim, tuple(files))
    both = sorted(set(found.seen) & set(found.unseen))
    if both:
        name = next(name for name in _UNSEEN if name in parts and both[0] in parts[name].labels)
        row = int(np.flatnonzero(parts[name].labels == both[0])[0])
        raise SkeletonFormatError(
            path / _FILES[name][1],
            "label",
            "a class that does not occur in train_label.npy",
            str(both[0]),
            f"row {row}",
        )
    return found


def _read_part(features: Path, labels: Path, scores: Path, classes: int | None) -> FeaturePart:
    rows = map_npy(features)
    if rows.ndim != 2 or rows.dtype.kind != "f" or not 1 <= rows.shape[-1] <= _MAX_DIM:
        expected = f"(rows, 1 to {_MAX_DIM}) of floating point numbers"
        raise SkeletonFormatError(features, "shape", expected, f"{rows.shape} of {rows.dtype.name}")
    if not 1 <= len(rows) <= MAX_CLIPS:
        raise SkeletonFormatError(features, "rows", f"1 to {MAX_CLIPS:,}", f"{len(rows):,}")
    check_finite(rows, features, ("row", "column"))
    given = map_npy(scores) if path_exists(scores) else None
    if given is not None:
        if given.ndim != 2 or given.dtype.kind != "f" or len(given) != len(rows):
            expected = f"({len(rows)}, classes) of floating point numbers"
            raise SkeletonFormatError(
                scores, "shape", expected, f"{given.shape} of {given.dtype.name}"
            )
        if classes is not None and given.shape[1] != classes:
            raise SkeletonFormatError(scores, "columns", str(classes), str(given.shape[1]))
        check_finite(given, scores, ("row", "column"))
    return FeaturePart(rows, _read_labels(labels, len(rows), classes), given)


def _read_labels(path: Path, size: int, classes: int | None) -> NDArray[np.int64]:
    """Labels (N) or (N, 1), whole numbers of any type: some releases store them as floats."""
    found = map_npy(path)
    if found.shape not in ((size,), (size, 1)) or found.dtype.kind not in "iuf":
        got = f"{found.shape} of {found.dtype.name}"
        raise SkeletonFormatError(path, "labels", f"({size},) whole numbers", got)
    values = np.asarray(found).reshape(size)
    most = MAX_CLASSES if classes is None else classes
    # Written so that NaN fails the comparison too.
    good = (values >= 0) & (values < most) & (values == np.floor(values))
    if not good.all():
        row = int(np.argmin(good))
        expected = f"a whole number from 0 to {most - 1}"
        raise SkeletonFormatError(path, "label", expected, f"{values[row]:g}", f"row {row}")
    return values.astype(np.int64)


def write_feature_folder(path: str | Path, parts: Mapping[str, FeaturePart]) -> None:
    """Write a folder of features, each file whole or not at all.

    Parameters
    ----------
    path : the folder; made if it does not exist
    parts : any of the parts that :func:`read_feature_folder` knows, ``train`` among them

    Raises
    ------
    ConfigError : if a part is unknown or ``train`` missing, or numbers of rows differ

    Examples
    --------
    See :func:`read_feature_folder`.
    """
    unknown = set(parts) - set(_FILES)
    if unknown or "train" not in parts:
        known = ", ".join(_FILES)
        raise ConfigError(f"parts must be of {known}, with train; got {', '.join(sorted(parts))}")
    for name, part in parts.items():
        sizes = {len(part.features), len(part.labels)}
        sizes |= {len(part.scores)} if part.scores is not None else set()
        if len(sizes) > 1:
            raise ConfigError(f"part {name}: numbers of rows differ: {sorted(sizes)}")
    for name, part in parts.items():
        for file, array in zip(
            _FILES[name], (part.features, part.labels, part.scores), strict=True
        ):
            if array is not None:
                with atomic_path(Path(path) / file) as temporary, temporary.open("wb") as out:
                    np.save(out, array, allow_pickle=False)


def is_feature_folder(path: str | Path) -> bool:
    """Whether a folder holds ``train.npy`` and ``train_label.npy``; never raises.

    Examples
    --------
    >>> is_feature_folder("no/such/folder")
    False
    """
    return all(sniff_head(Path(path) / file, 6) == MAGIC for file in _FILES["train"][:2])
