"""From a clip store to arrays: clips in one form, in memory or in a mapped file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl import __version__
from infocpl.data.labelled import row_indices
from infocpl.data.manifest import HEADER_BYTES, map_array, npy_header
from infocpl.data.store import ClipStore
from infocpl.errors import DataError
from infocpl.files import atomic_path, canonical_hash
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.measures import measure_clips
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.transforms import normalise

__all__ = [
    "ClipRows",
    "PreparedClips",
    "prepare_clip",
    "prepare_clips",
]

MAX_PERSONS = 2


class ClipRows:
    """Some rows of an array of clips, copied to memory only when they are asked for.

    Stands in for ``array[rows]`` where that copy would be as large as a training set.

    Parameters
    ----------
    array : (N, M, T, V, C), which may lie in a mapped file
    rows : (R,) whole numbers

    Examples
    --------
    >>> rows = ClipRows(np.arange(24.0).reshape(4, 1, 2, 3, 1), np.array([3, 1]))
    >>> rows.shape, rows[np.array([1])].ravel().tolist()
    ((2, 1, 2, 3, 1), [6.0, 7.0, 8.0, 9.0, 10.0, 11.0])
    """

    def __init__(self, array: NDArray[np.float32], rows: NDArray[np.integer]) -> None:
        self.array = array
        self.rows = np.asarray(rows, dtype=np.int64)

    @property
    def shape(self) -> tuple[int, ...]:
        """(R, M, T, V, C)."""
        return (len(self.rows), *self.array.shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: slice | NDArray[np.integer]) -> NDArray[np.float32]:
        """The clips at `index` among the rows, in memory."""
        return np.asarray(self.array[self.rows[index]])


@dataclass(frozen=True, eq=False)
class PreparedClips:
    """Clips of one length, place, direction and size, ready for an encoder.

    Attributes
    ----------
    keypoints : (N, M, T, V, C) float32, finite; absent persons are zero. May be a mapped file,
        see :func:`prepare_clips`
    labels : (N,) int64 class numbers
    names : N clip names
    subjects : (N,) int64 official subject ids (-1 where unknown)
    layout : name of the layout of the V axis
    classes : class names that the labels number

    Raises
    ------
    DataError : if lengths, values or labels do not fit together

    Examples
    --------
    >>> clips = PreparedClips(
    ...     np.zeros((2, 1, 4, 25, 3), np.float32), np.array([0, 1]), ("a", "b"),
    ...     np.array([1, 1]), "ntu25", ("walk", "run"))
    >>> len(clips), clips.subset([1]).names
    (2, ('b',))
    """

    keypoints: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    subjects: NDArray[np.int64]
    layout: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.keypoints.ndim != 5:
            raise DataError(f"keypoints: expected (N, M, T, V, C), got {self.keypoints.shape}")
        count = len(self.keypoints)
        for name in ("labels", "names", "subjects"):
            if len(getattr(self, name)) != count:
                raise DataError(f"{name}: expected {count} values, got {len(getattr(self, name))}")
        if count and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise DataError(f"labels: expected 0 to {len(self.classes) - 1}")
        joints = len(create_layout(self.layout))
        if self.keypoints.shape[3] != joints:
            raise DataError(
                f"keypoints: layout {self.layout!r} has {joints} joints, "
                f"got {self.keypoints.shape[3]}"
            )

    def __len__(self) -> int:
        return len(self.keypoints)

    @cached_property
    def measures(self) -> NDArray[np.float32]:
        """(N, Q) of :func:`infocpl.skeleton.measures.measure_clips`, taken once for all folds."""
        return measure_clips(self.keypoints, create_layout(self.layout))

    def rows(self, indices: NDArray[np.integer]) -> ClipRows:
        """The clips at `indices` without copying them now."""
        return ClipRows(self.keypoints, indices)

    def subset(self, indices: ArrayLike) -> PreparedClips:
        """Return the clips at whole-number `indices`, in that order, as copies.

        Raises
        ------
        DataError : if an index is not a whole number from 0 to N - 1
        """
        chosen = row_indices(indices, len(self))
        return PreparedClips(
            keypoints=self.keypoints[chosen],
            labels=self.labels[chosen],
            names=tuple(self.names[i] for i in chosen),
            subjects=self.subjects[chosen],
            layout=self.layout,
            classes=self.classes,
        )


def prepare_clip(
    clip: SkeletonSequence, *, frames: int, layout: str, persons: int
) -> NDArray[np.float32]:
    """Bring one clip to the form an encoder expects.

    Parameters
    ----------
    clip : on any layout that can be mapped to `layout`
    frames, layout, persons : the form; missing persons are zero, further ones are left out

    Returns
    -------
    (M, T, V, C) float32

    Raises
    ------
    LayoutError : if the clip's layout cannot be mapped
    """
    target = create_layout(layout)
    if clip.layout.name != layout:
        clip = create_layout_map(clip.layout, target).apply(clip)
    found = normalise(clip, frames=frames).keypoints[:persons]
    ready = np.zeros((persons, frames, len(target), target.dims), np.float32)
    ready[: len(found)] = found
    return ready


def prepare_clips(
    store: ClipStore,
    *,
    frames: int = 50,
    layout: str | None = None,
    persons: int | None = None,
    rows: NDArray[np.integer] | None = None,
    cache: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> PreparedClips:
    """Bring clips of a store to one form.

    A clip is first mapped to `layout`, so that the centre and the torso of that layout define
    the normal form, and then normalised (:func:`~infocpl.skeleton.transforms.normalise`).

    Parameters
    ----------
    store : N clips
    frames : T of the result
    layout : name of the layout wanted; None keeps the store's
    persons : M of the result; None takes the most that a clip of the store has, at most two.
        Further persons are left out, absent ones are zero.
    rows : which clips, in this order; None for all
    cache : folder for the prepared clips. They are written there once and mapped, not loaded:
        memory stays bounded whatever N is, and a second call returns at once.
    progress : called with the number of clips done and N

    Raises
    ------
    DataError : if `frames` or `persons` is below 1
    LayoutError : if the store's layout cannot be mapped to `layout`
    """
    if persons is None:
        persons = min(MAX_PERSONS, int(store.column("persons").max()))
    if frames < 1 or persons < 1:
        raise DataError(f"frames and persons: expected 1 or more, got {frames} and {persons}")
    target = create_layout(layout) if layout is not None else store.layout
    chosen = np.arange(len(store)) if rows is None else np.asarray(rows, dtype=np.int64)
    shape = (len(chosen), persons, frames, len(target), target.dims)

    def fill(number: int) -> NDArray[np.float32]:
        clip = store[int(chosen[number])]
        ready = prepare_clip(clip, frames=frames, layout=target.name, persons=persons)
        if progress is not None:
            progress(number + 1, len(chosen))
        return ready

    if cache is None:
        keypoints = np.zeros(shape, np.float32)
        for number in range(len(chosen)):
            keypoints[number] = fill(number)
    else:
        form = [store.hash, __version__, target.name, list(shape), chosen.tolist()]
        path = cache / f"prepared-{canonical_hash(form)[:16]}.npy"
        keypoints = _cached(path, shape, fill)
    return PreparedClips(
        keypoints=keypoints,
        labels=store.labels[chosen],
        names=store.names if rows is None else tuple(store.names[i] for i in chosen),
        subjects=store.column("subject")[chosen],
        layout=target.name,
        classes=store.classes,
    )


def _cached(
    path: Path, shape: tuple[int, ...], fill: Callable[[int], NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Map the array in `path`; write it first, row by row, if it is not there whole."""
    size = HEADER_BYTES + 4 * int(np.prod(shape))
    if not path.is_file() or path.stat().st_size != size:
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            file.write(npy_header("<f4", shape))
            for number in range(shape[0]):
                file.write(fill(number).astype("<f4", copy=False).tobytes())
    try:
        return map_array(path, "<f4", shape)
    except ValueError as error:
        raise DataError(f"{path}: {error}; remove the file to prepare the clips anew") from error
