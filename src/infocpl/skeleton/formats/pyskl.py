"""PYSKL and MMAction2 skeleton pickles: a whole dataset with its splits in one file.

The pickle is ``{"split": {name: [frame_dir, ...]}, "annotations": [...]}``, or the list of
annotations alone; an annotation is a dict of ``frame_dir`` (the clip's name), ``label``,
``keypoint`` (M, T, V, C), ``total_frames``, and for image coordinates ``keypoint_score`` (M, T, V)
and ``img_shape`` (height, width). It is read without being unpickled
(:mod:`infocpl.skeleton.formats.pickles`). Format: Duan et al., "PYSKL", ACM Multimedia 2022.

Three-dimensional coordinates are taken as metres, y up. Of pixels both axes are turned round, so
that y points up and left stays left, as for every reader of image coordinates in this package.
"""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    register_collection_format,
)
from infocpl.skeleton.formats.limits import check_coordinates, sniff_head
from infocpl.skeleton.formats.npy import widen
from infocpl.skeleton.formats.people import HALF_TURN
from infocpl.skeleton.formats.pickles import PickleFile, is_pickle
from infocpl.skeleton.formats.pyskl_content import Annotation, read_annotations, read_splits
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["PysklCollection", "open_pyskl", "write_pyskl"]

FPS = 30.0
_LAYOUTS = {(25, 3): "ntu25", (17, 2): "coco17", (18, 2): "openpose18", (26, 2): "halpe26"}


class PysklCollection(SkeletonCollection):
    """A PYSKL pickle, opened by :func:`open_pyskl`."""

    def __init__(self, path: Path, file: PickleFile, layout: str | None) -> None:
        self._file = file
        notes: list[str] = []
        annotations, lists = read_annotations(path, file.value, notes)
        file.value = None
        self._clips = annotations
        chosen = _layout(path, annotations, layout)
        names = [clip.name for clip in annotations]
        other = sum(clip.total_frames != clip.keypoint.shape[1] for clip in annotations)
        if other:
            notes.append(f"total_frames of {other} clips is not the number of frames they have")
        super().__init__(
            path,
            chosen,
            names,
            np.array([clip.label for clip in annotations], dtype=np.int64),
            splits=read_splits(path, lists, names, notes),
            fps=FPS,
            units="m" if chosen.dims == 3 else "px",
            notes=notes,
        )

    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index`: (M, T, V, C) as stored, no person and no frame removed.

        See :meth:`SkeletonCollection.read`.
        """
        index = self._position(index)
        clip, source = self._clips[index], self._source(index)
        points = widen(self._file.array(clip.keypoint))
        check_coordinates(points, source, ("person", "frame", "joint", "coordinate"))
        if clip.score is None:
            seen = np.any(points != 0, axis=(2, 3), keepdims=True)[..., 0]
            confidence = np.broadcast_to(seen, points.shape[:3]).astype(np.float32)
        else:
            confidence = _confidence(widen(self._file.array(clip.score)), source)
        present = confidence.max(axis=2, keepdims=True)[..., None] > 0
        if not present.any():
            raise SkeletonFormatError(source, "keypoint", "a person in some frame", "nobody")
        if self.layout.dims == 2:
            points = points * HALF_TURN[:2] + 0.0  # no negative zeros
        return SkeletonSequence(
            (points * present).astype(np.float32),
            self.layout,
            confidence=confidence,
            fps=FPS,
            units=self.units,
            source=source,
        )

    def close(self) -> None:
        """Unmap the file."""
        self._file.close()


def _confidence(score: NDArray[np.float64], source: str) -> NDArray[np.float32]:
    """Scores within [0, 1]; heat maps give a little more and a little less."""
    check_coordinates(score, source, ("person", "frame", "joint"), field="score")
    confidence = np.clip(score, 0.0, 1.0).astype(np.float32)
    # The smallest score must not become an absence.
    return np.where((score > 0) & (confidence == 0), np.float32(1e-30), confidence)


def open_pyskl(path: str | Path, *, layout: str | None = None) -> PysklCollection:
    """Open a PYSKL or MMAction2 skeleton pickle.

    Parameters
    ----------
    path : the ``.pkl`` file
    layout : of all clips; None takes ntu25 for 25 joints in 3-D, coco17, openpose18 or halpe26 for
        17, 18 or 26 in 2-D

    Returns
    -------
    PysklCollection : splits and names as in the file; a clip keeps all its persons and frames

    Raises
    ------
    SkeletonFormatError : if the file is damaged, wants to run anything, or its content is not as
        described above (clip, field)
    LayoutError : if `layout` is unknown

    Examples
    --------
    >>> import tempfile
    >>> clip = SkeletonSequence(np.ones((1, 9, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.pkl"
    ...     write_pyskl(path, [clip], [7], ["S001C001P001R001A008"], {"xsub_train": [0]})
    ...     with open_pyskl(path) as clips:
    ...         clips.names, clips.splits["xsub_train"].tolist(), clips.read(0).frames
    (('S001C001P001R001A008',), [0], 9)
    """
    path = Path(path)
    if layout is not None:
        create_layout(layout)
    file = PickleFile(path)
    try:
        return PysklCollection(path, file, layout)
    except BaseException:
        file.close()
        raise


def _layout(path: Path, annotations: list[Annotation], name: str | None) -> Layout:
    shapes = Counter(clip.keypoint.shape[2:] for clip in annotations)
    if len(shapes) > 1:
        got = ", ".join(f"{v} joints in {c}-D ({n} clips)" for (v, c), n in shapes.most_common(4))
        raise SkeletonFormatError(path, "keypoint", "one layout for all clips", got)
    if not shapes:
        raise SkeletonFormatError(path, "annotations", "at least one", "none")
    ((joints, dims),) = shapes
    name = _LAYOUTS.get((joints, dims), "") if name is None else name
    if not name:
        known = ", ".join(f"{v} in {c}-D" for v, c in _LAYOUTS)
        got = f"{joints} in {dims}-D; name the layout"
        raise SkeletonFormatError(path, "joints", f"one of {known}", got)
    layout = create_layout(name)
    if (len(layout), layout.dims) != (joints, dims):
        raise SkeletonFormatError(path, "joints", layout.summary, f"{joints} in {dims}-D")
    return layout


def write_pyskl(
    path: str | Path,
    clips: Sequence[SkeletonSequence],
    labels: Sequence[int],
    names: Sequence[str],
    splits: Mapping[str, Sequence[int]],
    *,
    dtype: Literal["float16", "float32", "float64"] = "float32",
    image: tuple[int, int] = (1080, 1920),
    protocol: int = 4,
) -> None:
    """Write a PYSKL pickle, whole or not at all.

    Parameters
    ----------
    path : the ``.pkl`` file
    clips : on one layout, 3-D in metres or 2-D in pixels
    labels, names : one for each clip
    splits : name to positions in `clips`
    dtype : of coordinates and scores. PYSKL's own files hold float16, which rounds metres to
        millimetres; float32 loses nothing in 3-D
    image : (height, width) in pixels that 2-D clips were seen in
    protocol : of the pickle, 2 to 5

    Raises
    ------
    ConfigError : if numbers of clips, labels and names differ, or `protocol` is out of range
    LayoutError : if clips have several layouts, or other units than metres or pixels

    Examples
    --------
    See :func:`open_pyskl`.
    """
    if not len(clips) == len(labels) == len(names):
        raise ConfigError(f"{len(clips)} clips, {len(labels)} labels, {len(names)} names")
    if not 2 <= protocol <= 5:
        raise ConfigError(f"protocol must lie between 2 and 5, got {protocol}")
    for clip in clips:
        if clip.layout != clips[0].layout or clip.units != {3: "m", 2: "px"}[clip.layout.dims]:
            raise LayoutError(
                f"PYSKL files hold one layout, 3-D in metres or 2-D in pixels; got "
                f"{clip.layout.summary} in {clip.units!r} beside {clips[0].layout.summary}"
            )
    annotations = [
        _describe(clip, int(label), str(name), dtype, image)
        for clip, label, name in zip(clips, labels, names, strict=True)
    ]
    lists = {split: [str(names[i]) for i in members] for split, members in splits.items()}
    with atomic_path(Path(path)) as temporary, temporary.open("wb") as file:
        pickle.dump({"split": lists, "annotations": annotations}, file, protocol=protocol)


def _describe(
    clip: SkeletonSequence, label: int, name: str, dtype: str, image: tuple[int, int]
) -> dict[str, Any]:
    points = clip.keypoints.astype(np.float64)
    item: dict[str, Any] = {"frame_dir": name, "label": label, "total_frames": clip.frames}
    if clip.layout.dims == 2:
        points = points * HALF_TURN[:2] + 0.0
        item |= {"img_shape": image, "original_shape": image}
    default = np.broadcast_to(np.any(points != 0, axis=(2, 3))[..., None], clip.confidence.shape)
    if clip.layout.dims == 2 or not np.array_equal(clip.confidence, default):
        item["keypoint_score"] = clip.confidence.astype(dtype)
    return item | {"keypoint": points.astype(dtype)}


def _sniff(path: Path) -> bool:
    head = sniff_head(path)
    first = head[:64]
    return is_pickle(head) and (
        b"split" in first or b"annotations" in first or b"frame_dir" in head
    )


register_collection_format(
    CollectionFormat(
        name="pyskl",
        title="PYSKL or MMAction2 pickle, split and annotations",
        open=open_pyskl,
        sniff=_sniff,
    )
)
