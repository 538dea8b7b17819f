"""Whole datasets as ``.npz``, the way CTR-GCN and most graph networks after it store NTU RGB+D.

``x_train`` and ``x_test`` are (N, T, 150): for each frame 2 persons x 25 joints x (x, y, z), padded
with zeros at the end and for an absent second person; ``y_train`` and ``y_test`` are one-hot
(N, classes) or class numbers (N). Coordinates are metres; CTR-GCN's own files have their origin at
the first person's spine in the first frame. There are no names. Layout of the file: Chen et al.,
"Channel-wise topology refinement graph convolution", ICCV 2021, after SGN (CVPR 2020).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    register_collection_format,
)
from infocpl.skeleton.formats.limits import MAX_CLASSES, MAX_CLIPS, MAX_FRAMES, sniff_head
from infocpl.skeleton.formats.npy import write_npy_header
from infocpl.skeleton.formats.npz import NpzArray, NpzFile
from infocpl.skeleton.formats.padded import pad_clip, require_ntu25, unpad_clip
from infocpl.skeleton.formats.zip_directory import is_zip
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["CtrgcnCollection", "open_ctrgcn", "write_ctrgcn"]

FPS = 30.0
_PERSONS, _JOINTS, _COORDS = 2, 25, 3
_WIDTH = _PERSONS * _JOINTS * _COORDS


class CtrgcnCollection(SkeletonCollection):
    """A CTR-GCN archive, opened by :func:`open_ctrgcn`."""

    def __init__(self, path: Path, file: NpzFile) -> None:
        self._file = file
        self._parts: list[NpzArray] = []
        names: list[str] = []
        labels: list[NDArray[np.int64]] = []
        splits: dict[str, NDArray[np.int64]] = {}
        classes: set[int] = set()
        starts: list[int] = []
        for part in [name[2:] for name in file.arrays if name.startswith("x_")]:
            x, y = _find(path, file, part)
            size = x.header.shape[0]
            numbers, width = _labels(path, y, size)
            classes.update([width] if width else [])
            starts.append(len(names))
            splits[part] = np.arange(len(names), len(names) + size)
            names += [f"{part}/{i:06d}" for i in range(size)]
            labels.append(numbers)
            self._parts.append(x)
        if not self._parts:
            got = ", ".join(file.arrays)
            raise SkeletonFormatError(path, "arrays", "x_train and y_train, or x_test", got)
        if len(classes) > 1:
            got = " and ".join(map(str, sorted(classes)))
            raise SkeletonFormatError(path, "classes", "the same number in all parts", got)
        self._starts = np.array(starts)
        super().__init__(
            path,
            create_layout("ntu25"),
            names,
            np.concatenate(labels),
            classes=classes.pop() if classes else None,
            splits=splits,
            fps=FPS,
        )

    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index`: (M, T, 25, 3), its padding taken off.

        See :meth:`SkeletonCollection.read`.
        """
        index = self._position(index)
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        row = index - int(self._starts[part])
        frames = self._parts[part].rows(row, row + 1)[0]
        points = frames.reshape(-1, _PERSONS, _JOINTS, _COORDS).transpose(1, 0, 2, 3)
        return unpad_clip(points, self.layout, fps=FPS, source=self._source(index))

    def verify(self) -> None:
        """Compare every array with its checksum in the archive."""
        for array in self._file.arrays.values():
            array.verify()

    def close(self) -> None:
        """Unmap the archive."""
        self._file.close()


def open_ctrgcn(path: str | Path) -> CtrgcnCollection:
    """Open an archive of ``x_<part>`` and ``y_<part>`` arrays.

    Returns
    -------
    CtrgcnCollection : parts are its splits (``"train"``, ``"test"``), names are
        ``"train/000000"`` and so on

    Raises
    ------
    SkeletonFormatError : if the archive is damaged or too large for its size
        (:class:`~infocpl.skeleton.formats.npz.NpzFile`), an array is missing or has another shape,
        or labels are neither one-hot nor whole numbers

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "NTU60_CS.npz"
    ...     x, y = np.ones((4, 9, 150), np.float32), np.eye(60)[[3, 0, 59, 3]]
    ...     np.savez(path, x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    ...     with open_ctrgcn(path) as clips:
    ...         len(clips), clips.labels.tolist(), clips.read(4).keypoints.shape
    (5, [3, 0, 59, 3, 3], (2, 9, 25, 3))
    """
    path = Path(path)
    file = NpzFile(path)
    try:
        return CtrgcnCollection(path, file)
    except BaseException:
        file.close()
        raise


def _find(path: Path, file: NpzFile, part: str) -> tuple[NpzArray, NpzArray]:
    """The two arrays of a part, their headers checked."""
    x, y = file.arrays[f"x_{part}"], file.arrays.get(f"y_{part}")
    shape = x.header.shape
    if len(shape) != 3 or shape[2] != _WIDTH or not 1 <= shape[1] <= MAX_FRAMES:
        expected = f"(clips, 1 to {MAX_FRAMES} frames, {_WIDTH})"
        raise SkeletonFormatError(path, f"x_{part} shape", expected, str(shape))
    if shape[0] > MAX_CLIPS:
        raise SkeletonFormatError(path, f"x_{part} shape", f"at most {MAX_CLIPS}", str(shape))
    if x.header.dtype.kind != "f":
        got = x.header.dtype.name
        raise SkeletonFormatError(path, f"x_{part} type", "floating point numbers", got)
    if y is None:
        raise SkeletonFormatError(path, "arrays", f"y_{part} beside x_{part}", "none")
    if len(y.header.shape) not in (1, 2) or y.header.shape[0] != shape[0]:
        expected = f"({shape[0]}, classes) or ({shape[0]},)"
        raise SkeletonFormatError(path, f"y_{part} shape", expected, str(y.header.shape))
    if len(y.header.shape) == 1 and y.header.dtype.kind == "b":
        raise SkeletonFormatError(path, f"y_{part} type", "class numbers", y.header.dtype.name)
    return x, y


def _labels(path: Path, y: NpzArray, size: int) -> tuple[NDArray[np.int64], int]:
    """Class numbers, and the number of classes if the file says it (else 0)."""
    width = y.header.shape[1] if len(y.header.shape) == 2 else 0
    if width > MAX_CLASSES or (len(y.header.shape) == 2 and not width):
        raise SkeletonFormatError(path, f"{y.name} shape", f"1 to {MAX_CLASSES}", str(width))
    step = max(1, (1 << 20) // max(1, width))
    found = [np.zeros(0, np.int64)]
    for start in range(0, size, step):
        block = y.rows(start, min(size, start + step))
        if width:
            good = ((block == 0) | (block == 1)).all(axis=1) & ((block == 1).sum(axis=1) == 1)
            numbers = block.argmax(axis=1)
        else:
            good = (block >= 0) & (block < MAX_CLASSES) & (block == np.floor(block))
            numbers = np.where(good, block, 0).astype(np.int64)
        if not good.all():
            row = int(np.argmin(good))
            expected = "one 1 and zeros" if width else f"a whole number from 0 to {MAX_CLASSES - 1}"
            got = "another row" if width else f"{block[row]:g}"
            raise SkeletonFormatError(path, y.name, expected, got, f"row {start + row}")
        found.append(numbers.astype(np.int64))
    return np.concatenate(found), width


def write_ctrgcn(
    path: str | Path,
    parts: Mapping[str, tuple[Iterable[SkeletonSequence], Sequence[int]]],
    *,
    classes: int,
    frames: int = 300,
    compress: bool = False,
) -> None:
    """Write an archive, clip by clip, whole or not at all.

    Frames at the end in which nobody is present, and confidence beyond presence, are not part of
    the format and do not come back.

    Parameters
    ----------
    path : the ``.npz`` file
    parts : part (usually ``"train"`` and ``"test"``) to its clips, which may be made one at a
        time, and the class of each
    classes : width of the one-hot labels
    frames : T of every clip after padding
    compress : deflate the arrays; CTR-GCN does not

    Raises
    ------
    LayoutError : if a clip is not on layout ntu25 in metres
    SkeletonFormatError : if a clip has more than two persons or `frames` frames
    ConfigError : if a part has another number of clips than labels, or a label is out of range

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.ones((1, 9, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.npz"
    ...     write_ctrgcn(path, {"train": ([clip], [2]), "test": ([clip], [0])}, classes=5)
    ...     open_ctrgcn(path).labels.tolist()
    [2, 0]
    """
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with atomic_path(Path(path)) as temporary, zipfile.ZipFile(temporary, "w", method) as archive:
        for part, (clips, labels) in parts.items():
            numbers = np.asarray(labels, dtype=np.int64)
            if ((numbers < 0) | (numbers >= classes)).any():
                raise ConfigError(f"{part}: labels must lie between 0 and {classes - 1}")
            one_hot = np.zeros((len(numbers), classes))
            one_hot[np.arange(len(numbers)), numbers] = 1.0
            with archive.open(f"x_{part}.npy", "w", force_zip64=True) as file:
                write_npy_header(file, (len(numbers), frames, _WIDTH), np.dtype("<f4"))
                written = 0
                for clip in clips:
                    require_ntu25(clip, "CTR-GCN archives")
                    points = pad_clip(clip, _PERSONS, frames).transpose(1, 0, 2, 3)
                    file.write(points.reshape(frames, _WIDTH).astype("<f4").tobytes())
                    written += 1
            if written != len(numbers):
                raise ConfigError(f"{part}: {written} clips, but {len(numbers)} labels")
            with archive.open(f"y_{part}.npy", "w") as file:
                write_npy_header(file, one_hot.shape, np.dtype("<f8"))
                file.write(one_hot.astype("<f8").tobytes())


def _sniff(path: Path) -> bool:
    """A zip whose first array, named in its first bytes, is ``x_<part>`` or ``y_<part>``."""
    head = sniff_head(path)
    return is_zip(head) and head[30:32] in (b"x_", b"y_") and head[34:80].find(b".npy") >= 0


register_collection_format(
    CollectionFormat(
        name="ctrgcn",
        title="CTR-GCN npz, x_train and y_train, x_test and y_test",
        open=open_ctrgcn,
        sniff=_sniff,
    )
)
