"""A synthetic action as a file of any format of single clips, for tests, demos and first tries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from infocpl.errors import ConfigError
from infocpl.files import atomic_folder
from infocpl.skeleton.formats.acclaim import write_amc
from infocpl.skeleton.formats.acclaim_skeleton import write_asf
from infocpl.skeleton.formats.bvh_text import write_bvh_motion
from infocpl.skeleton.formats.registry import get_format
from infocpl.skeleton.formats.utkinect import write_utkinect
from infocpl.skeleton.formats.utkinect_clips import UTKINECT_ACTIONS
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.generate import generate_clip
from infocpl.skeleton.synthetic.mocap import capture_acclaim, capture_bvh

__all__ = ["film", "generate_file", "generate_utkinect", "list_generated_formats", "map_person"]

_LAYOUTS = {
    "coco-json": "coco17", "csv": "ntu25", "mediapipe": "mediapipe33", "msr-action3d": "kinect20",
    "npz": "smpl24", "ntu": "ntu25", "nw-ucla": "kinect20", "openpose": "openpose25",
    "pku-mmd": "ntu25", "sbu": "sbu15", "utd-mhad": "kinect20", "utkinect": "kinect20",
}  # fmt: skip
"""Layout in which a clip is written in each format that takes positions."""

_FOCUS, _IMAGE = 1000.0, (960.0, 540.0)
_GAP = 12


def list_generated_formats() -> list[str]:
    """Names of the formats :func:`generate_file` writes, sorted."""
    return sorted([*_LAYOUTS, "bvh", "hdm05"])


def generate_file(
    format: str,
    path: str | Path,
    action: str | int = "wave the right hand",
    subject: int = 1,
    *,
    seed: int = 0,
    noise: float = 1.0,
) -> SkeletonSequence:
    """Write a synthetic action in a format of somebody else.

    Parameters
    ----------
    format : one of :func:`list_generated_formats`
    path : the file to write; for ``"hdm05"`` a ``.amc`` file, which gets its skeleton beside it
    action, subject, seed, noise : see :func:`~infocpl.skeleton.synthetic.generate_clip`

    Returns
    -------
    SkeletonSequence : what was written, of one person on the layout of the format; motion capture
        formats hold it as far as bones keep their length (``noise=0``)

    Raises
    ------
    ConfigError : if `format` is not one of these
    LabelError, DataError : if there is no such action or subject

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats import read_skeleton
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clip = generate_file("openpose", Path(folder) / "wave.json")
    ...     again = read_skeleton(Path(folder) / "wave.json")
    >>> again.layout.name, again.units, bool(np.array_equal(again.keypoints, clip.keypoints))
    ('openpose25', 'px', True)
    """
    path = Path(path)
    if format not in list_generated_formats():
        known = ", ".join(list_generated_formats())
        raise ConfigError(f"no file of format {format!r} can be generated; known: {known}")
    body = map_person(generate_clip(action, subject, seed=seed, noise=noise), "ntu25")
    if format == "bvh":
        points = body.keypoints[0].astype(np.float64)
        write_bvh_motion(path, capture_bvh(points, body.fps))
        return body
    if format == "hdm05":
        body = map_person(body, "hdm05_31")
        skeleton, motion = capture_acclaim(body.keypoints[0].astype(np.float64))
        write_asf(path.with_suffix(".asf"), skeleton)
        write_amc(path, motion)
        return body
    layout = create_layout(_LAYOUTS[format])
    clip = film(body, layout.name) if layout.dims == 2 else map_person(body, layout.name)
    write: Callable[[Path, SkeletonSequence], None] | None = get_format(format).write
    if write is not None:
        write(path, clip)
    return clip


def map_person(clip: SkeletonSequence, layout: str) -> SkeletonSequence:
    """The first person of a clip in the frames in which it is present, on another layout.

    Joints that the clip lacks stand at their parent; they get full confidence, as every estimator
    and every motion capture system gives its joints one.
    """
    present = np.flatnonzero(clip.present[0])
    alone = replace(
        clip,
        keypoints=clip.keypoints[:1, present],
        confidence=clip.confidence[:1, present],
    )
    target = create_layout(layout)
    if alone.layout != target:
        alone = create_layout_map(alone.layout, target, allow_missing=True).apply(alone)
    return replace(alone, confidence=np.ones_like(alone.confidence))


def film(clip: SkeletonSequence, layout: str) -> SkeletonSequence:
    """What a camera at the origin that looks along +z sees of a clip before it.

    Parameters
    ----------
    clip : (M, T, V, 3) metres, everyone in front of the camera
    layout : name of a flat layout

    Returns
    -------
    SkeletonSequence : (M, T, V', 2) pixels of an image of full HD, y up; see
        :data:`~infocpl.skeleton.formats.people.HALF_TURN` for the axes
    """
    spatial = map_person(clip, f"{layout}-3d")
    points = spatial.keypoints.astype(np.float64)
    flat = _FOCUS * points[..., :2] / np.maximum(points[..., 2:], 0.1) - np.array(_IMAGE)
    return replace(
        spatial, keypoints=flat.astype(np.float32), layout=create_layout(layout), units="px"
    )


def generate_utkinect(
    folder: str | Path, *, subjects: int = 2, repetitions: int = 2, seed: int = 0
) -> None:
    """Write a UTKinect folder: recordings of ten actions each, and ``actionLabel.txt``.

    Frames between actions stand still. In the last recording the fifth action was not performed, as
    in one of the original ones.

    Parameters
    ----------
    folder : where to; must not exist
    subjects, repetitions : how many people, and how many recordings of each
    seed : see :func:`~infocpl.skeleton.synthetic.generate_clip`

    Raises
    ------
    OutputExistsError : if `folder` exists

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats import open_collection
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate_utkinect(Path(folder) / "utk", subjects=1, repetitions=1)
    ...     clips = open_collection(Path(folder) / "utk")
    ...     len(clips), clips.names[0], clips.notes
    (9, 's01_e01_walk', ('s01_e01: carry was not performed (NaN NaN)',))
    """
    labels: list[str] = []
    with atomic_folder(Path(folder)) as partial:
        for subject in range(1, subjects + 1):
            for repetition in range(1, repetitions + 1):
                name = f"s{subject:02d}_e{repetition:02d}"
                labels.append(name)
                parts: list[np.ndarray] = []
                start = 0
                last = (subject, repetition) == (subjects, repetitions)
                for number, action in enumerate(UTKINECT_ACTIONS):
                    if last and number == 4:
                        labels.append(f"{action}:  NaN NaN")
                        continue
                    clip = generate_clip(number + 1, subject, repetition, seed)
                    points = map_person(clip, "kinect20").keypoints[0, ::2]
                    labels.append(f"{action}: {2 * start} {2 * (start + len(points) - 1)}")
                    parts += [points, np.repeat(points[-1:], _GAP, axis=0)]
                    start += len(points) + _GAP
                recording = np.concatenate(parts)[None]
                clip = SkeletonSequence(recording, create_layout("kinect20"), source=name)
                write_utkinect(partial / f"joints_{name}.txt", clip)
        (partial / "actionLabel.txt").write_text("\n".join(labels) + "\n", encoding="ascii")
