"""Clips of other datasets that are learned from and never tested on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.data.loading import PreparedClips
from infocpl.errors import DataError
from infocpl.files import atomic_path

__all__ = ["ExtraClasses", "ExtraSource", "OtherClips", "join_clips"]

_CHUNK = 1024  # clips copied at a time


@dataclass(frozen=True)
class OtherClips:
    """Clips of another dataset in the form of a dataset's own, and which of them may show what.

    Attributes
    ----------
    source : name of their dataset
    clips : M clips, which may lie in a mapped file
    excluded : own class to names of ``clips.classes`` that may not be learned while it is unseen
    store_hash : of the store that they come from
    """

    source: str
    clips: PreparedClips
    excluded: Mapping[str, frozenset[str]]
    store_hash: str = ""


@dataclass(frozen=True)
class ExtraSource:
    """What came from one other dataset.

    Attributes
    ----------
    name : of the dataset
    classes : as that dataset calls them
    rows : (M,) of its clips among the joined ones
    store_hash : of the store that they come from
    """

    name: str
    classes: tuple[str, ...]
    rows: NDArray[np.int64]
    store_hash: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The classes as joined clips call them (``"dataset: class"``): names may repeat.

        Examples
        --------
        >>> ExtraSource("synthetic", ("bow",), np.arange(3)).names
        ('synthetic: bow',)
        """
        return tuple(f"{self.name}: {name}" for name in self.classes)


@dataclass(frozen=True)
class ExtraClasses:
    """Which rows of joined clips come from elsewhere, and when their classes may not be used.

    Attributes
    ----------
    sources : one a dataset, in the order in which their clips stand
    excluded : class of the own dataset to those of `names`, of whichever source, that would show it
    """

    sources: tuple[ExtraSource, ...]
    excluded: Mapping[str, frozenset[str]]

    @property
    def names(self) -> tuple[str, ...]:
        """Class names of all sources, as :attr:`PreparedClips.classes` calls them."""
        return tuple(name for source in self.sources for name in source.names)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the clips of all sources."""
        return np.concatenate([source.rows for source in self.sources])

    def allowed(self, unseen: Sequence[str]) -> tuple[str, ...]:
        """Names that may be learned while `unseen` are."""
        forbidden = frozenset().union(*(self.excluded[name] for name in unseen))
        return tuple(name for name in self.names if name not in forbidden)


def join_clips(
    own: PreparedClips, others: Sequence[OtherClips], *, file: Path | None = None
) -> tuple[PreparedClips, ExtraClasses]:
    """Put clips of other datasets behind a dataset's own, one dataset after another.

    Parameters
    ----------
    own : N clips
    others : at least one dataset's clips in the same form (frames, persons, layout), M together
    file : where the joined clips are written and mapped from, a bounded number at a time; None
        joins them in memory

    Returns
    -------
    N + M clips, and what is extra among them

    Raises
    ------
    DataError : if they differ in form, two are of one dataset, or nothing is said of which classes
        show one of `own`
    """
    for other in others:
        form = (own.layout, own.keypoints.shape[1:])
        if form != (other.clips.layout, other.clips.keypoints.shape[1:]):
            raise DataError(
                f"extra clips of {other.source}: expected {form[1]} on layout {form[0]!r}, got "
                f"{other.clips.keypoints.shape[1:]} on {other.clips.layout!r}"
            )
        if silent := [name for name in own.classes if name not in other.excluded]:
            raise DataError(
                f"extra clips of {other.source}: nothing says which classes show {silent[0]!r}"
            )
    known = [other.source for other in others]
    if len(set(known)) < len(known):
        raise DataError(f"extra clips: expected each dataset once, got {', '.join(known)}")
    labels, names, subjects = [own.labels], list(own.names), [own.subjects]
    classes, start, sources = list(own.classes), len(own), []
    for other in others:
        clips = other.clips
        rows = np.arange(start, start + len(clips), dtype=np.int64)
        source = ExtraSource(other.source, clips.classes, rows, other.store_hash)
        labels.append(clips.labels + len(classes))
        names += [f"{other.source}: {name}" for name in clips.names]
        # Official subject ids divide the own clips only.
        subjects.append(np.full(len(clips), -1))
        classes += source.names
        start += len(clips)
        sources.append(source)
    joined = PreparedClips(
        keypoints=_stack([own.keypoints, *(other.clips.keypoints for other in others)], file),
        labels=np.concatenate(labels),
        names=tuple(names),
        subjects=np.concatenate(subjects),
        layout=own.layout,
        classes=tuple(classes),
    )
    excluded = {
        name: frozenset(
            f"{other.source}: {shown}" for other in others for shown in other.excluded[name]
        )
        for name in own.classes
    }
    return joined, ExtraClasses(tuple(sources), excluded)


def _stack(parts: Sequence[NDArray[np.float32]], file: Path | None) -> NDArray[np.float32]:
    if file is None:
        return np.concatenate(parts)
    shape = (sum(map(len, parts)), *parts[0].shape[1:])
    with atomic_path(file) as temporary:
        target = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        place = 0
        for part in parts:
            for start in range(0, len(part), _CHUNK):
                chunk = part[start : start + _CHUNK]
                target[place : place + len(chunk)] = chunk
                place += len(chunk)
        target.flush()
        del target
    mapped: NDArray[np.float32] = np.load(file, mmap_mode="r")
    return mapped
