"""Whole datasets as ``.npy`` with a label file beside, the way ST-GCN, AimCLR and SMIE store them.

``<part>_position.npy`` (AimCLR, SMIE), ``<part>_data_joint.npy`` (2s-AGCN) or ``<part>_data.npy``
(ST-GCN) is (N, 3, T, 25, M), float, padded with zeros; ``<part>_label.pkl`` holds (names, labels),
``<part>_label.npy`` labels only. Coordinates are metres; AimCLR's position files are relative to
each person's own upper spine, turned so that the shoulders lie along x, and resampled to 50 frames.
Layout of the files: Yan et al., AAAI 2018; Guo et al., AAAI 2022.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    register_collection_format,
)
from infocpl.skeleton.formats.limits import (
    MAX_BODIES,
    MAX_CLASSES,
    MAX_CLIPS,
    MAX_FILE_BYTES,
    MAX_FRAMES,
    is_folder,
    path_exists,
    show,
    sniff_head,
)
from infocpl.skeleton.formats.npy import MAGIC, map_npy, write_npy_header
from infocpl.skeleton.formats.padded import pad_clip, require_ntu25, unpad_clip
from infocpl.skeleton.formats.pickles import LazyArray, PickleFile
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["AimclrCollection", "open_aimclr", "write_aimclr"]

FPS = 30.0
_JOINTS, _COORDS = 25, 3
_ENDINGS = ("_position.npy", "_data_joint.npy", "_data.npy")
"""In the order of preference, where a folder has several for one part."""


@dataclass(frozen=True, eq=False)
class _Part:
    name: str
    files: tuple[Path, Path]
    points: NDArray[Any]
    names: list[str]
    labels: NDArray[np.int64]


class AimclrCollection(SkeletonCollection):
    """Arrays with their label files, opened by :func:`open_aimclr`."""

    def __init__(self, path: Path, parts: Sequence[_Part]) -> None:
        sizes = [len(part.labels) for part in parts]
        self._starts = np.cumsum([0, *sizes])
        self._points = [part.points for part in parts]
        names = [name for part in parts for name in part.names]
        if len(set(names)) < len(names):  # one clip may be in several parts
            names = [f"{part.name}/{name}" for part in parts for name in part.names]
        super().__init__(
            path,
            create_layout("ntu25"),
            names,
            np.concatenate([part.labels for part in parts]),
            files=[file for part in parts for file in part.files],
            splits={
                part.name: np.arange(self._starts[i], self._starts[i + 1])
                for i, part in enumerate(parts)
            },
            fps=FPS,
        )

    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index`: (M, T, 25, 3), its padding taken off.

        See :meth:`SkeletonCollection.read`.
        """
        index = self._position(index)
        part = int(np.searchsorted(self._starts, index, side="right")) - 1
        points = self._points[part][index - int(self._starts[part])]
        return unpad_clip(
            points.transpose(3, 1, 2, 0), self.layout, fps=FPS, source=self._source(index)
        )

    def close(self) -> None:
        """Give the memory maps back."""
        self._points = []


def open_aimclr(path: str | Path) -> AimclrCollection:
    """Open one array with its label file, or a folder of them.

    Parameters
    ----------
    path : ``<part>_position.npy`` (or one of the other endings), or the folder that holds the
        parts, such as ``train`` and ``val``

    Returns
    -------
    AimclrCollection : parts are its splits; names are those of the label pickle without
        ``.skeleton``, or ``"train/000000"`` and so on where labels are an array

    Raises
    ------
    SkeletonFormatError : if an array or its label file is missing, damaged, of another shape, or
        they have different numbers of clips

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "val_position.npy", np.ones((2, 3, 50, 25, 2), np.float32))
    ...     _ = (Path(folder) / "val_label.pkl").write_bytes(pickle.dumps((["a", "b"], [4, 0])))
    ...     clips = open_aimclr(folder)
    ...     clips.names, clips.labels.tolist(), clips.read(1).keypoints.shape
    (('a', 'b'), [4, 0], (2, 50, 25, 3))
    """
    path = Path(path)
    files = _find_parts(path)
    if not files:
        expected = f"an array named <part>{_ENDINGS[0]} or a folder of them"
        raise SkeletonFormatError(path, "file", expected, "none")
    return AimclrCollection(path, [_open_part(name, file) for name, file in files.items()])


def _find_parts(path: Path) -> dict[str, Path]:
    """Part to array file, in alphabetical order."""
    try:
        candidates = sorted(path.iterdir()) if is_folder(path) else [path]
    except OSError as error:
        raise SkeletonFormatError(path, "folder", "a readable folder", str(error)) from error
    found: dict[str, Path] = {}
    for ending in _ENDINGS:
        for file in candidates:
            part = file.name.removesuffix(ending)
            if part and part != file.name:
                found.setdefault(part, file)
    return dict(sorted(found.items()))


def _open_part(name: str, path: Path) -> _Part:
    points = map_npy(path)
    shape = points.shape
    good = len(shape) == 5 and (shape[1], shape[3]) == (_COORDS, _JOINTS)
    if not (good and 1 <= shape[2] <= MAX_FRAMES and 1 <= shape[4] <= MAX_BODIES):
        expected = f"(clips, {_COORDS}, frames, {_JOINTS}, persons)"
        raise SkeletonFormatError(path, "shape", expected, str(shape))
    if points.dtype.kind != "f" or not 1 <= shape[0] <= MAX_CLIPS:
        got = f"{shape[0]} of {points.dtype.name}"
        expected = f"1 to {MAX_CLIPS} clips of floating point numbers"
        raise SkeletonFormatError(path, "array", expected, got)
    pickled, plain = (path.with_name(f"{name}_label{ending}") for ending in (".pkl", ".npy"))
    if path_exists(pickled):
        names, labels = _read_pickle(pickled)
        label_file = pickled
    elif path_exists(plain):
        labels = _read_array(plain)
        names, label_file = [f"{name}/{i:06d}" for i in range(len(labels))], plain
    else:
        expected = f"{pickled.name} or {plain.name} beside it"
        raise SkeletonFormatError(path, "labels", expected, "neither")
    if len(labels) != shape[0]:
        got = f"{len(labels)}"
        raise SkeletonFormatError(label_file, "labels", f"{shape[0]}, one a clip", got)
    return _Part(name, (path, label_file), points, names, labels)


def _read_pickle(path: Path) -> tuple[list[str], NDArray[np.int64]]:
    with PickleFile(path, max_bytes=MAX_FILE_BYTES) as file:
        value = file.value
        if type(value) not in (tuple, list) or len(value) != 2 or type(value[0]) is not list:
            got = type(value).__name__
            raise SkeletonFormatError(path, "content", "a pair of names and labels", got)
        names, labels = value
        if isinstance(labels, LazyArray):
            labels = _numbers(path, file.array(labels))
    if type(labels) not in (list, np.ndarray) or len(labels) != len(names):
        raise SkeletonFormatError(path, "labels", f"{len(names)}, one a name", "others")
    for position, (name, label) in enumerate(zip(names, labels, strict=True)):
        if type(name) is not str or not name:
            got = show(name) if type(name) is str else type(name).__name__
            raise SkeletonFormatError(path, "name", "text", got, f"clip {position}")
        if type(label) not in (int, np.int64) or not 0 <= label < MAX_CLASSES:
            got = show(label) if type(label) in (int, np.int64) else type(label).__name__
            expected = f"a whole number from 0 to {MAX_CLASSES - 1}"
            raise SkeletonFormatError(path, "label", expected, got, f"clip {position}")
    return [name.removesuffix(".skeleton") for name in names], np.array(labels, dtype=np.int64)


def _read_array(path: Path) -> NDArray[np.int64]:
    labels = map_npy(path)
    if labels.nbytes > MAX_FILE_BYTES:
        expected = f"at most {MAX_FILE_BYTES:,} bytes"
        raise SkeletonFormatError(path, "file size", expected, f"{labels.nbytes:,}")
    return _numbers(path, np.asarray(labels))


def _numbers(path: Path, labels: NDArray[Any]) -> NDArray[np.int64]:
    """Labels (N) out of an integer array (N) or (N, 1)."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        got = f"{labels.shape} of {labels.dtype.name}"
        raise SkeletonFormatError(path, "labels", "(clips,) of whole numbers", got)
    wrong = np.flatnonzero((labels < 0) | (labels >= MAX_CLASSES))
    if len(wrong):
        expected, got = f"a whole number from 0 to {MAX_CLASSES - 1}", str(labels[wrong[0]])
        raise SkeletonFormatError(path, "label", expected, got, f"clip {wrong[0]}")
    return labels.astype(np.int64)


def write_aimclr(
    folder: str | Path,
    part: str,
    clips: Iterable[SkeletonSequence],
    labels: Sequence[int],
    names: Sequence[str],
    *,
    frames: int = 50,
    persons: int = 2,
) -> None:
    """Write ``<part>_position.npy`` and ``<part>_label.pkl``, clip by clip.

    Frames at the end in which nobody is present, and confidence beyond presence, are not part of
    the format and do not come back. Coordinates are written as they are.

    Parameters
    ----------
    folder : where to; made if it does not exist
    part : usually ``"train"`` or ``"val"``
    clips : may be made one at a time
    labels, names : one for each clip
    frames, persons : T and M of every clip after padding

    Raises
    ------
    LayoutError : if a clip is not on layout ntu25 in metres
    SkeletonFormatError : if a clip has more persons or frames than `persons`, `frames`
    ConfigError : if numbers of clips, labels and names differ

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.ones((1, 9, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_aimclr(folder, "val", [clip], [7], ["S001C001P001R001A008"])
    ...     open_aimclr(folder).read(0).keypoints.shape
    (1, 9, 25, 3)
    """
    if len(labels) != len(names):
        raise ConfigError(f"{part}: {len(labels)} labels, but {len(names)} names")
    folder = Path(folder)
    shape = (len(names), _COORDS, frames, _JOINTS, persons)
    with atomic_path(folder / f"{part}_position.npy") as temporary, temporary.open("wb") as file:
        write_npy_header(file, shape, np.dtype("<f4"))
        written = 0
        for clip in clips:
            require_ntu25(clip, "AimCLR arrays")
            points = pad_clip(clip, persons, frames).transpose(3, 1, 2, 0)
            file.write(points.astype("<f4").tobytes())
            written += 1
        if written != len(names):
            raise ConfigError(f"{part}: {written} clips, but {len(names)} names")
    with atomic_path(folder / f"{part}_label.pkl") as temporary:
        temporary.write_bytes(pickle.dumps((list(names), [int(i) for i in labels]), protocol=4))


def _sniff(path: Path) -> bool:
    """An array of one of the usual names with labels beside it, or a folder that holds one."""
    try:
        parts = _find_parts(path)
        return any(
            sniff_head(file).startswith(MAGIC)
            and any(path_exists(file.with_name(f"{part}_label{e}")) for e in (".pkl", ".npy"))
            for part, file in parts.items()
        )
    except SkeletonFormatError:
        return False


register_collection_format(
    CollectionFormat(
        name="aimclr",
        title="ST-GCN, AimCLR or SMIE npy with labels beside, a file or a folder",
        open=open_aimclr,
        sniff=_sniff,
    )
)
