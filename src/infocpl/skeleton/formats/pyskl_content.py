"""What a PYSKL pickle says about its clips, checked before any coordinate is read.

Used by :mod:`infocpl.skeleton.formats.pyskl`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_CLASSES, MAX_FILE_BYTES, MAX_FRAMES, show
from infocpl.skeleton.formats.pickles import LazyArray

__all__ = ["Annotation", "read_annotations", "read_splits"]

_MAX_PERSONS = 64
_MAX_PIXELS = 100_000


@dataclass(frozen=True, eq=False)
class Annotation:
    """One clip: its name, its class (-1 unknown), and where its numbers are.

    `image` is (height, width) in pixels, for clips in 2-D only; `total_frames` what the file calls
    the number of frames.
    """

    name: str
    label: int
    keypoint: LazyArray
    score: LazyArray | None
    image: tuple[int, int] | None
    total_frames: object


def read_annotations(
    path: Path, value: Any, notes: list[str]
) -> tuple[list[Annotation], dict[Any, Any]]:
    """Annotations and split lists out of the value of a pickle, each annotation checked.

    Raises
    ------
    SkeletonFormatError : names the annotation and the field
    """
    lists: Any = {}
    if type(value) is dict:
        value, lists = value.get("annotations"), value.get("split", {})
    if type(value) is not list or type(lists) is not dict:
        expected = "annotations (a list) and split (a dict)"
        raise SkeletonFormatError(path, "content", expected, type(value).__name__)
    annotations = []
    for position, item in enumerate(value):
        # PYSKL's own NTU script leaves None where a recording has no body.
        if item is not None:
            annotations.append(_annotation(path, item, f"annotation {position}"))
    empty = len(value) - len(annotations)
    if empty:
        notes.append(f"{empty} annotations are None and were passed over")
    return annotations, lists


def _annotation(path: Path, item: Any, where: str) -> Annotation:
    if type(item) is not dict:
        raise SkeletonFormatError(path, "annotation", "a dict", type(item).__name__, where)
    name, label, keypoint = item.get("frame_dir"), item.get("label", -1), item.get("keypoint")
    if type(name) is not str or not 0 < len(name) <= 512:
        got = show(name) if type(name) is str else type(name).__name__
        raise SkeletonFormatError(path, "frame_dir", "a text of 1 to 512 letters", got, where)
    if type(label) is not int or not -1 <= label < MAX_CLASSES:
        got = show(label) if type(label) is int else type(label).__name__
        expected = f"a whole number from 0 to {MAX_CLASSES - 1}"
        raise SkeletonFormatError(path, "label", expected, got, where)
    if keypoint is None and "raw_file" in item:
        got = "the name of another file (raw_file)"
        raise SkeletonFormatError(path, "keypoint", "an array in this file", got, where)
    keypoint = _array(path, "keypoint", keypoint, 4, where)
    shape = keypoint.shape
    if not (1 <= shape[0] <= _MAX_PERSONS and 1 <= shape[1] <= MAX_FRAMES and 0 not in shape):
        expected = f"1 to {_MAX_PERSONS} persons, 1 to {MAX_FRAMES} frames, joints, coordinates"
        raise SkeletonFormatError(path, "keypoint shape", expected, str(shape), where)
    score = item.get("keypoint_score")
    if score is not None:
        found = _array(path, "keypoint_score", score, 3, where).shape
        if found != shape[:3]:
            raise SkeletonFormatError(
                path, "keypoint_score shape", str(shape[:3]), str(found), where
            )
    image = item.get("img_shape") if shape[3] == 2 else None
    if shape[3] == 2 and not _is_image(image):
        got = show(image) if type(image) in (int, str) else type(image).__name__
        raise SkeletonFormatError(path, "img_shape", "(height, width) in pixels", got, where)
    return Annotation(name, label, keypoint, score, image, item.get("total_frames", shape[1]))


def _array(path: Path, field: str, value: Any, axes: int, where: str) -> LazyArray:
    if not isinstance(value, LazyArray) or len(value.shape) != axes:
        got = f"shape {value.shape}" if isinstance(value, LazyArray) else type(value).__name__
        raise SkeletonFormatError(path, field, f"an array of {axes} axes", got, where)
    if value.dtype.kind != "f" or 8 * math.prod(value.shape) > MAX_FILE_BYTES:
        expected = f"floating point numbers, at most {MAX_FILE_BYTES // 8:,}"
        got = f"{value.shape} of {value.dtype.name}"
        raise SkeletonFormatError(path, field, expected, got, where)
    return value


def _is_image(image: Any) -> bool:
    return (
        type(image) is tuple
        and len(image) == 2
        and all(type(size) is int and 1 <= size <= _MAX_PIXELS for size in image)
    )


def read_splits(
    path: Path, lists: dict[Any, Any], names: list[str], notes: list[str]
) -> dict[str, NDArray[np.int64]]:
    """Rising positions of the clips of each split; what cannot be found is noted.

    Raises
    ------
    SkeletonFormatError : if a split is not a list of names
    """
    places = {name: position for position, name in enumerate(names)}
    splits = {}
    for split, members in lists.items():
        if type(split) is not str or type(members) is not list:
            raise SkeletonFormatError(path, "split", "names to lists", type(members).__name__)
        if not all(type(name) is str for name in members):
            raise SkeletonFormatError(path, f"split {show(split)}", "names of clips", "others")
        known = {places[name] for name in members if name in places}
        if len(known) < len(members):
            more = len(members) - len(known)
            notes.append(f"split {split} names {more} clips twice or that are not in the file")
        splits[split] = np.array(sorted(known), dtype=np.int64)
    return splits
