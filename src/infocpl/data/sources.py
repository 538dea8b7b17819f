"""Where the clips of a conversion come from: a folder of files, or one file of many clips.

Both are a numbered row of items. An item is read in any process from a small picklable
:class:`Job`, and nothing but its number has to be sent for it.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.data.dataset import Dataset
from infocpl.data.protocol import ClipInfo
from infocpl.errors import ConfigError, DataError, InfoCPLError, SkeletonFormatError
from infocpl.files import canonical_hash, sha256_file
from infocpl.skeleton.formats import (
    SkeletonCollection,
    get_collection_format,
    get_format,
    is_collection,
    list_collection_formats,
    list_formats,
    open_collection,
)
from infocpl.skeleton.layout import Layout, create_layout, list_layouts
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["ClipSource", "CollectionSource", "FolderSource", "Job", "Outcome", "open_source"]

Outcome = tuple[SkeletonSequence, str] | InfoCPLError
"""A clip with the SHA-256 of its file ("" if it shares it with others), or why there is none."""

Job = Callable[[], Iterator[Outcome]]
"""What reads a few items, in any process."""


class ClipSource(ABC):
    """N items that may become clips, in a fixed order.

    Attributes
    ----------
    path : what the user named
    format : name of the file format
    layout : of every clip
    batch : how many items one task of a reading process should have
    """

    path: Path
    format: str
    layout: Layout
    batch: int

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def info(self, item: int) -> ClipInfo:
        """Name and facts of an item, before it is read."""

    @abstractmethod
    def place(self, item: int) -> str:
        """The item in words, without the place where this copy of the data lies."""

    @abstractmethod
    def stamp(self, item: int) -> tuple[int, int]:
        """Size and modification time of the item's file."""

    @abstractmethod
    def job(self, start: int, stop: int) -> Job:
        """What reads items `start` to `stop` - 1, in this or another process."""

    def verify(self) -> None:
        """Compare the source with the checksums it carries, if it carries any."""
        return None

    def facts(self) -> dict[str, Any]:
        """What the manifest should say about the source."""
        return {"format": self.format}


@dataclass(frozen=True)
class _ReadFiles:
    """Read a few files of one clip each."""

    paths: tuple[Path, ...]
    read: Callable[[Path], SkeletonSequence]

    def __call__(self) -> Iterator[Outcome]:
        for path in self.paths:
            try:
                yield self.read(path), sha256_file(path)
            except InfoCPLError as error:
                yield error
            except OSError as error:
                reason = error.strerror or str(error)
                yield SkeletonFormatError(path, "file", "a readable file", reason)


class FolderSource(ClipSource):
    """Files of one clip each, found by the dataset's pattern."""

    batch = 8  # files a task: enough to hide the cost of handing it over

    def __init__(self, dataset: Dataset, path: Path, format: str) -> None:
        self.path = path
        self.format = format
        self.dataset = dataset
        self._read = get_format(format).read
        known = get_format(format).layout
        self.layout = create_layout(known if known in list_layouts() else dataset.layout)
        found = dataset.file_names(path)
        if dataset.missing:
            self._files = [
                file for file in found if dataset.parse(path / file).name not in dataset.missing
            ]
        else:
            self._files = found
        self._missing = len(found) - len(self._files)
        if not self._files:
            raise DataError(f"{path}: all {len(found)} clips found are known to have no skeleton")

    def __len__(self) -> int:
        return len(self._files)

    def info(self, item: int) -> ClipInfo:
        """See :meth:`ClipSource.info`."""
        return self.dataset.parse(self.path / self._files[item])

    def place(self, item: int) -> str:
        """See :meth:`ClipSource.place`."""
        return self._files[item]

    def stamp(self, item: int) -> tuple[int, int]:
        """See :meth:`ClipSource.stamp`; a file that is gone has one of its own."""
        try:
            found = (self.path / self._files[item]).stat()
        except OSError:
            return (-1, -1)
        return (found.st_size, found.st_mtime_ns)

    def job(self, start: int, stop: int) -> Job:
        """See :meth:`ClipSource.job`."""
        return _ReadFiles(tuple(self.path / file for file in self._files[start:stop]), self._read)

    def facts(self) -> dict[str, Any]:
        """See :meth:`ClipSource.facts`."""
        found = len(self) + self._missing
        return {"format": self.format, "found": found, "missing": self._missing}


@dataclass(frozen=True)
class _ReadPositions:
    """Read a few clips of a file of many; each process opens the file once."""

    path: Path
    format: str
    positions: Sequence[int]

    def __call__(self) -> Iterator[Outcome]:
        clips = _opened(self.path, self.format)
        for position in self.positions:
            try:
                yield clips.read(position), ""
            except InfoCPLError as error:
                yield error
            except OSError as error:
                reason = error.strerror or str(error)
                yield SkeletonFormatError(self.path, "file", "a readable file", reason)


_last: tuple[Path, str, SkeletonCollection] | None = None


def _opened(path: Path, format: str) -> SkeletonCollection:
    global _last
    if _last is None or _last[:2] != (path, format):
        _last = (path, format, open_collection(path, format))
    return _last[2]


class CollectionSource(ClipSource):
    """Clips that lie together in one file, or in a few that belong together.

    Parameters
    ----------
    dataset : whose classes the file's labels number
    path, format : of the file
    division : which of the file's own divisions into training and test sets ``part``; "" takes
        the only one there is

    Raises
    ------
    SkeletonFormatError : if the file is damaged
    DataError : if a label or a name does not fit the dataset
    ConfigError : if the file has no such division, or several of which one must be chosen
    """

    batch = 64  # so that a process meets most clips of a long recording after opening it

    def __init__(self, dataset: Dataset, path: Path, format: str, division: str = "") -> None:
        self.path = path
        self.format = format
        clips = _opened(path, format)
        if clips.classes is not None and clips.classes != len(dataset.classes):
            raise DataError(
                f"{path}: classes: expected {len(dataset.classes)}, those of {dataset.title}, "
                f"got {clips.classes}"
            )
        self.layout = clips.layout
        self._files = clips.files
        self._notes = clips.notes
        rows = zip(clips.names, clips.labels, strict=True)
        found = [dataset.describe(name, int(label)) for name, label in rows]
        if format == dataset.format:
            self._check_names(dataset, clips.names)
        official = any(dataset.facts(name) is not None for name in clips.names)
        parts = _parts(clips, division, official=official)
        self._items = [at for at, info in enumerate(found) if info.name not in dataset.missing]
        self._infos = [replace(found[at], part=int(parts[at])) for at in self._items]
        self._missing = len(found) - len(self._items)
        # One stamp for all: the clips of a file do not change one by one.
        facts = [file.stat() for file in self._files]
        self._stamp = (sum(f.st_size for f in facts), max(f.st_mtime_ns for f in facts))
        if not self._items:
            raise DataError(f"{path}: all {len(found)} clips in it are known to have no skeleton")

    def _check_names(self, dataset: Dataset, names: Sequence[str]) -> None:
        """In the dataset's own files every recording has a name of the dataset's."""
        strange = [name for name in names if dataset.facts(name) is None]
        if strange:
            raise DataError(
                f"{self.path}: expected recordings of {dataset.title} with names like "
                f"{Path(dataset.example).stem}, got {strange[0]!r}"
            )

    def __len__(self) -> int:
        return len(self._items)

    def info(self, item: int) -> ClipInfo:
        """See :meth:`ClipSource.info`."""
        return self._infos[item]

    def place(self, item: int) -> str:
        """See :meth:`ClipSource.place`."""
        return f"{self.path.name}#{self._infos[item].name}"

    def stamp(self, item: int) -> tuple[int, int]:
        """See :meth:`ClipSource.stamp`; that of all the files together."""
        return self._stamp

    def job(self, start: int, stop: int) -> Job:
        """See :meth:`ClipSource.job`."""
        return _ReadPositions(self.path, self.format, self._items[start:stop])

    def verify(self) -> None:
        """See :meth:`ClipSource.verify`."""
        _opened(self.path, self.format).verify()

    def facts(self) -> dict[str, Any]:
        """See :meth:`ClipSource.facts`."""
        root = self.path if self.path.is_dir() else self.path.parent
        names = {file: os.path.relpath(file, root) for file in self._files}
        hashes = {Path(name).as_posix(): sha256_file(file) for file, name in names.items()}
        return {
            "format": self.format,
            "found": len(self) + self._missing,
            "missing": self._missing,
            "files": {"count": len(hashes), "sha256": canonical_hash(hashes)},
            "notes": list(self._notes),
        }


def _parts(clips: SkeletonCollection, wanted: str, *, official: bool) -> NDArray[np.int64]:
    """Training (1) or not (2) for each clip by one of the file's divisions; -1 without one."""
    sides = np.full(len(clips), -1, dtype=np.int64)
    divisions = {
        name.removesuffix("train").strip("_-/ ") or "train": positions
        for name, positions in clips.splits.items()
        if name.endswith("train")
    }
    if wanted and wanted not in divisions:
        raise ConfigError(
            f"{clips.path}: division: expected one of {', '.join(divisions) or '(none there)'}, "
            f"got {wanted!r}"
        )
    if not wanted and len(divisions) > 1 and not official:
        raise ConfigError(
            f"{clips.path} divides its clips in several ways; choose a division: "
            f"{', '.join(divisions)}"
        )
    if wanted or len(divisions) == 1:
        sides[:] = 2
        sides[divisions[wanted or next(iter(divisions))]] = 1
    # Otherwise the dataset's own protocols divide by what the official names say.
    return sides


def open_source(
    dataset: Dataset, path: Path, format: str | None = None, division: str = ""
) -> ClipSource:
    """Find out what lies at `path`: a folder of files, or a file (or folder) of many clips.

    Parameters
    ----------
    dataset : whose clips are wanted
    path : what the user named
    format : name of a file format of either kind; None takes the dataset's, or recognises a file
        of many clips by its content
    division : see :class:`CollectionSource`

    Raises
    ------
    ConfigError : if `format` is unknown
    DataError : if nothing fits; the error of the kind that was expected
    """
    single, many = list_formats(), list_collection_formats()
    if format is not None and format not in (*single, *many):
        raise ConfigError(
            f"unknown format {format!r}; one clip a file: {', '.join(single)}; many clips a file: "
            f"{', '.join(many) or 'none'}"
        )
    chosen = format or (dataset.format if path.is_dir() else "")
    if chosen in many:
        return CollectionSource(dataset, path, chosen, division)
    if not chosen and is_collection(path):
        return CollectionSource(dataset, path, _recognise(path), division)
    chosen = chosen or dataset.format
    if chosen not in single:
        raise DataError(
            f"dataset {dataset.name!r}: files of format {chosen!r} cannot be converted (formats "
            f"that can: {', '.join((*single, *many))}); only its class names and splits are "
            "available"
        )
    try:
        source = FolderSource(dataset, path, chosen)
    except DataError:
        # A folder may also hold one of the array formats, whose parts are recognised by name.
        if format is None and is_collection(path):
            return CollectionSource(dataset, path, _recognise(path), division)
        raise
    if division:
        raise ConfigError(f"{path}: files of one clip each make no divisions; got {division!r}")
    return source


def _recognise(path: Path) -> str:
    known = list_collection_formats()
    fitting = [name for name in known if get_collection_format(name).sniff(path)]
    if len(fitting) != 1:
        open_collection(path)  # says which ones fit
    return fitting[0]
