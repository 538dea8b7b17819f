"""NW-UCLA skeleton files (Kinect v1, 20 joints, metres, y up) in their usual JSON form.

One object a clip: ``{"file_name": str, "skeletons": [T][20][3], "label": int}``; joints come in
the order of layout kinect20. Other keys are ignored. Dataset: Wang et al., "Cross-view action
modeling, learning and recognition", CVPR 2014.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.json_safe import check_numbers, describe_kind, load_json
from infocpl.skeleton.formats.kinect_v1 import check_one_kinect_person
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates, show
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_nw_ucla", "write_nw_ucla"]

FPS = 30.0
_JOINTS, _COORDS = 20, 3


def read_nw_ucla(path: str | Path) -> SkeletonSequence:
    """Read one NW-UCLA clip; clips of one frame are valid.

    Returns
    -------
    SkeletonSequence : (1, T, 20, 3) metres on layout kinect20, 30 frames a second; frames in
        which all coordinates are zero count as absent

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, not JSON, or ``skeletons`` is not a
        T x 20 x 3 list of finite numbers; the message names frame and joint, counted from 1

    Examples
    --------
    >>> import json, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a01_s01_e00_v01.json"
    ...     clip = {"file_name": path.stem, "skeletons": [[[0.1, 0.2, 3.0]] * 20], "label": 1}
    ...     _ = path.write_text(json.dumps(clip))
    ...     read_nw_ucla(path).keypoints.shape
    (1, 1, 20, 3)
    """
    path = Path(path)
    record = load_json(path)
    if not isinstance(record, dict) or "skeletons" not in record:
        got = (
            f"the keys {show(', '.join(record))}"
            if isinstance(record, dict)
            else describe_kind(record)
        )
        raise SkeletonFormatError(path, "content", "an object with the key 'skeletons'", got)
    frames = record["skeletons"]
    if not isinstance(frames, list) or not 1 <= len(frames) <= MAX_FRAMES:
        raise SkeletonFormatError(
            path, "skeletons", f"a list of 1 to {MAX_FRAMES} frames", describe_kind(frames)
        )
    numbers: list[float] = []
    for index, frame in enumerate(frames):
        _collect(path, frame, index + 1, numbers)
    keypoints = np.array(numbers, dtype=np.float64).reshape(len(frames), _JOINTS, _COORDS)
    check_coordinates(keypoints, path, ("frame", "joint", "coordinate"), start=1)
    if not keypoints.any():
        raise SkeletonFormatError(path, "skeletons", "a person in some frame", "zeros only")
    return SkeletonSequence(
        keypoints[None].astype(np.float32), create_layout("kinect20"), fps=FPS, source=str(path)
    )


def _collect(path: Path, frame: Any, number: int, numbers: list[float]) -> None:
    """Append the 60 numbers of one frame, having looked at every one of them."""
    where = f"frame {number}"
    if not isinstance(frame, list) or len(frame) != _JOINTS:
        raise SkeletonFormatError(
            path, "frame", f"a list of {_JOINTS} joints", describe_kind(frame), where
        )
    for joint, point in enumerate(frame):
        numbers.extend(check_numbers(path, point, _COORDS, f"joint {joint + 1}", where))


def write_nw_ucla(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as NW-UCLA JSON, whole or not at all; reading returns the coordinates exactly.

    The label is the number after the ``a`` with which the file's name begins, 0 without one.

    Raises
    ------
    LayoutError : if the clip is not of one person on layout kinect20 in metres
    SkeletonFormatError : if it has more frames than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_nw_ucla`.
    """
    path = Path(path)
    check_one_kinect_person(path, clip, "NW-UCLA")
    digits = re.match(r"a(\d{1,9})", path.stem)
    record = {
        "file_name": path.stem,
        "skeletons": clip.keypoints[0].astype(np.float64).tolist(),
        "label": int(digits[1]) if digits else 0,
    }
    with atomic_path(path) as temporary:
        temporary.write_bytes(orjson.dumps(record))


register_format(
    SkeletonFormat(
        name="nw-ucla",
        title="NW-UCLA JSON, Kinect v1",
        layout="kinect20",
        suffixes=(".json",),
        read=read_nw_ucla,
        write=write_nw_ucla,
        sniff=lambda head: head.lstrip().startswith(b"{") and b'"skeletons"' in head,
    )
)
