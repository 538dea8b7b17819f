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

__all__ = ["ExtraClasses", "join_clips"]

_CHUNK = 1024  # clips copied at a time


@dataclass(frozen=True)
class ExtraClasses:
    """Which rows of joined clips come from elsewhere, and when their classes may not be used.

    Attributes
    ----------
    source : the dataset they come from
    names : their class names, as :attr:`PreparedClips.classes` calls them (``"source: name"``)
    rows : of their clips
    excluded : class of the own dataset to those of `names` that would show it
    """

    source: str
    names: tuple[str, ...]
    rows: NDArray[np.int64]
    excluded: Mapping[str, frozenset[str]]

    def allowed(self, unseen: Sequence[str]) -> tuple[str, ...]:
        """Names that may be learned while `unseen` are."""
        forbidden = frozenset().union(*(self.excluded[name] for name in unseen))
        return tuple(name for name in self.names if name not in forbidden)


def join_clips(
    own: PreparedClips,
    other: PreparedClips,
    source: str,
    excluded: Mapping[str, frozenset[str]],
    *,
    file: Path | None = None,
) -> tuple[PreparedClips, ExtraClasses]:
    """Put clips of another dataset behind a dataset's own.

    Parameters
    ----------
    own : N clips
    other : M clips in the same form (frames, persons, layout)
    source : name of their dataset, which stands before their class names: names may repeat
    excluded : own class to names of `other` that may not be learned while it is unseen
    file : where the joined clips are written and mapped from; None joins them in memory

    Returns
    -------
    N + M clips, and what is extra among them

    Raises
    ------
    DataError : if the two differ in form
    """
    if own.layout != other.layout or own.keypoints.shape[1:] != other.keypoints.shape[1:]:
        raise DataError(
            f"extra clips: expected {own.keypoints.shape[1:]} on layout {own.layout!r}, got "
            f"{other.keypoints.shape[1:]} on {other.layout!r}"
        )
    names = tuple(f"{source}: {name}" for name in other.classes)
    joined = PreparedClips(
        keypoints=_stack(own.keypoints, other.keypoints, file),
        labels=np.concatenate([own.labels, other.labels + len(own.classes)]),
        names=(*own.names, *(f"{source}: {name}" for name in other.names)),
        # Official subject ids divide the own clips only.
        subjects=np.concatenate([own.subjects, np.full(len(other), -1)]),
        layout=own.layout,
        classes=(*own.classes, *names),
    )
    told = {
        name: frozenset(f"{source}: {other}" for other in found) for name, found in excluded.items()
    }
    rows = np.arange(len(own), len(joined), dtype=np.int64)
    return joined, ExtraClasses(source, names, rows, told)


def _stack(
    first: NDArray[np.float32], second: NDArray[np.float32], file: Path | None
) -> NDArray[np.float32]:
    if file is None:
        return np.concatenate([first, second])
    shape = (len(first) + len(second), *first.shape[1:])
    with atomic_path(file) as temporary:
        target = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.float32, shape=shape)
        for start in range(0, len(first), _CHUNK):
            target[start : min(start + _CHUNK, len(first))] = first[start : start + _CHUNK]
        target[len(first) :] = second
        target.flush()
        del target
    mapped: NDArray[np.float32] = np.load(file, mmap_mode="r")
    return mapped
