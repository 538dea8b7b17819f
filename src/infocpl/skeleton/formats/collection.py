"""Files that hold many clips: one interface for all, and the function that opens the right one.

Most benchmarks are passed around as one file for the whole dataset (PYSKL pickles, CTR-GCN npz) or
as a few that belong together (AimCLR arrays with label pickles, untrimmed PKU-MMD sequences with
label files). Such a file is opened, not read: names, labels and splits are known at once, and a
clip costs memory only while it is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_CLASSES, MAX_CLIPS, path_exists, show
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = [
    "CollectionFormat",
    "SkeletonCollection",
    "get_collection_format",
    "is_collection",
    "list_collection_formats",
    "open_collection",
    "register_collection_format",
]


class SkeletonCollection(ABC):
    """Many clips in one place, opened lazily; a context manager.

    Opening checks everything that can be checked without the coordinates: sizes, shapes, number
    types, names, labels, splits. Coordinates are checked clip by clip in :meth:`read`. To convert a
    collection::

        with open_collection(path) as clips:
            clips.verify()                        # checksums, where the format has any
            for i, name in enumerate(clips.names):
                try:
                    clip = clips.read(i)          # rising order is the fast order
                except SkeletonFormatError: ...   # this clip only; the next one can be read
                ...                               # clips.labels[i], clips.splits["xsub_train"]

    A collection is not to be shared between processes; let each open its own and read a range of
    positions.

    Attributes
    ----------
    path : what was opened, a file or a folder
    files : every file that belongs to it, for hashing
    layout, fps, units : of every clip (:class:`SkeletonSequence`)
    names : (N) different names in file order; official ones (``"S001C001P001R001A001"``) where the
        format holds them, otherwise made up from part and position (``"train/000012"``)
    labels : (N) int64, 0-based class of each clip, -1 where the file does not say
    classes : number of classes, where the file says it; None otherwise
    splits : name of a split to the rising positions of its clips, int64; empty where the format
        has no splits. Splits may overlap (``"xsub_train"``, ``"xview_train"``).
    notes : what is odd about the file and does not prevent its use, one sentence each

    Raises
    ------
    SkeletonFormatError : if these do not fit together
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        names: Sequence[str],
        labels: NDArray[np.int64],
        *,
        files: Sequence[Path] = (),
        classes: int | None = None,
        splits: Mapping[str, NDArray[np.int64]] | None = None,
        fps: float = 30.0,
        units: str = "m",
        notes: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.files = tuple(files) or (path,)
        self.layout = layout
        self.names = tuple(names)
        self.labels = np.asarray(labels, dtype=np.int64)
        self.classes = classes
        self.splits: dict[str, NDArray[np.int64]] = dict(splits or {})
        self.fps = fps
        self.units = units
        self.notes = tuple(notes)
        self._check()

    def _check(self) -> None:
        if not 1 <= len(self) <= MAX_CLIPS:
            raise SkeletonFormatError(
                self.path, "clips", f"1 to {MAX_CLIPS:,} clips", f"{len(self):,}"
            )
        if self.labels.shape != (len(self),):
            raise SkeletonFormatError(
                self.path, "labels", f"one for each of {len(self)} clips", str(self.labels.shape)
            )
        most = MAX_CLASSES if self.classes is None else self.classes
        wrong = np.flatnonzero((self.labels < -1) | (self.labels >= most))
        if len(wrong):
            raise SkeletonFormatError(
                self.path,
                "label",
                f"a whole number from 0 to {most - 1}",
                str(self.labels[wrong[0]]),
                f"clip {wrong[0]}",
            )
        seen: set[str] = set()
        for position, name in enumerate(self.names):
            if name in seen:
                raise SkeletonFormatError(
                    self.path, "name", "every name once", f"{show(name)} again", f"clip {position}"
                )
            seen.add(name)

    def __len__(self) -> int:
        return len(self.names)

    @abstractmethod
    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index` (0-based); its source is ``"<file>#<name>"``.

        Any order is allowed; rising order is the fast one. An error concerns this clip alone.

        Raises
        ------
        SkeletonFormatError : if the clip is damaged, holds NaN or infinite numbers, or nobody
        IndexError : if there is no such clip
        """

    def __iter__(self) -> Iterator[SkeletonSequence]:
        """Read all clips in order, one at a time; the first bad one ends it."""
        for index in range(len(self)):
            yield self.read(index)

    def verify(self) -> None:
        """Compare the content with the checksums inside the file, where the format has any.

        Raises
        ------
        SkeletonFormatError : if a checksum does not fit
        """
        return None

    def close(self) -> None:
        """Give back files and memory maps; closing twice is harmless."""
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _position(self, index: int) -> int:
        """Refuse positions that do not exist, negative ones among them."""
        if not 0 <= index < len(self):
            raise IndexError(f"{self.path}: clip {index} of {len(self)}")
        return int(index)

    def _source(self, index: int) -> str:
        return f"{self.path}#{self.names[index]}"


@dataclass(frozen=True)
class CollectionFormat:
    """One format of files that hold many clips.

    Attributes
    ----------
    name : registry name, for example ``"pyskl"``
    title : one line for people
    open : path to collection; raises :class:`SkeletonFormatError` for everything that is wrong
    sniff : whether a path (a file, or a folder for formats of several files) looks like this
        format; looks at names and first bytes only and never raises
    """

    name: str
    title: str
    open: Callable[[Path], SkeletonCollection]
    sniff: Callable[[Path], bool]


_FORMATS: dict[str, CollectionFormat] = {}


def register_collection_format(
    format: CollectionFormat, *, overwrite: bool = False
) -> CollectionFormat:
    """Make `format` known under its name and return it.

    Raises
    ------
    ConfigError : if the name is taken and `overwrite` is false
    """
    if format.name in _FORMATS and not overwrite:
        raise ConfigError(
            f"a collection format {format.name!r} is registered already; pass overwrite=True"
        )
    _FORMATS[format.name] = format
    return format


def list_collection_formats() -> list[str]:
    """Names of all registered collection formats, sorted."""
    return sorted(_FORMATS)


def get_collection_format(name: str) -> CollectionFormat:
    """Return the format called `name`; :class:`ConfigError` names the known ones."""
    try:
        return _FORMATS[name]
    except KeyError:
        raise ConfigError(
            f"unknown collection format {name!r}; known: {', '.join(list_collection_formats())}"
        ) from None


def open_collection(path: str | Path, format: str | None = None) -> SkeletonCollection:
    """Open a file or folder that holds many clips.

    Parameters
    ----------
    path : the file or folder
    format : name of its format; None recognises it by name and first bytes

    Raises
    ------
    SkeletonFormatError : if nothing is there, no or several formats fit, or the content is not what
        its format promises
    ConfigError : if `format` is not a registered name

    Examples
    --------
    >>> open_collection("no/such/file.pkl")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: no/such/file.pkl: file: expected a file or folder, \
got nothing at this path
    """
    path = Path(path)
    if format is not None:
        return get_collection_format(format).open(path)
    if not path_exists(path):
        raise SkeletonFormatError(path, "file", "a file or folder", "nothing at this path")
    found = [name for name in list_collection_formats() if _FORMATS[name].sniff(path)]
    if len(found) == 1:
        return _FORMATS[found[0]].open(path)
    if found:
        got = f"{', '.join(found)}; name the format"
        raise SkeletonFormatError(path, "format", "one collection format to fit", got)
    known = "; ".join(f"{name} ({_FORMATS[name].title})" for name in list_collection_formats())
    raise SkeletonFormatError(path, "format", f"one of {known}", "none of these")


def is_collection(path: str | Path) -> bool:
    """Whether some collection format recognises `path`; never raises.

    Examples
    --------
    >>> is_collection("no/such/file.pkl")
    False
    """
    path = Path(path)
    return path_exists(path) and any(format.sniff(path) for format in _FORMATS.values())
