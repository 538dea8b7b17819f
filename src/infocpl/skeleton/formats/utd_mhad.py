"""UTD-MHAD skeleton files (Kinect v1, 20 joints, metres, y up): MATLAB 5, variable ``d_skel``.

``d_skel`` is (20, 3, T). The file counts joints from the head; this reader reorders them to layout
kinect20. Dataset: Chen, Jafari and Kehtarnavaz, "UTD-MHAD", ICIP 2015.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.kinect_v1 import check_one_kinect_person
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates, read_bounded
from infocpl.skeleton.formats.mat5 import is_mat5, read_mat5_array
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_utd_mhad", "write_utd_mhad"]

FPS = 30.0
_VARIABLE = "d_skel"
_JOINTS = 20
_FILE_ORDER = (
    "head", "upper_spine", "spine", "pelvis",
    "left_shoulder", "left_elbow", "left_wrist", "left_hand",
    "right_shoulder", "right_elbow", "right_wrist", "right_hand",
    "left_hip", "left_knee", "left_ankle", "left_foot",
    "right_hip", "right_knee", "right_ankle", "right_foot",
)  # fmt: skip


def read_utd_mhad(path: str | Path) -> SkeletonSequence:
    """Read one UTD-MHAD clip.

    Returns
    -------
    SkeletonSequence : (1, T, 20, 3) metres on layout kinect20, 30 frames a second; frames in
        which all coordinates are zero count as absent

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, not a MATLAB 5 file, inflates beyond the
        size limit, or lacks a finite real ``d_skel`` of shape (20, 3, T)

    Examples
    --------
    >>> import scipy.io, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a1_s1_t1_skeleton.mat"
    ...     scipy.io.savemat(path, {"d_skel": np.ones((20, 3, 7))}, do_compression=True)
    ...     read_utd_mhad(path).keypoints.shape
    (1, 7, 20, 3)
    """
    path = Path(path)
    values = read_mat5_array(path, read_bounded(path), _VARIABLE)
    # MATLAB drops a last axis of length 1: one frame is (20, 3).
    shape = values.shape if values.ndim != 2 else (*values.shape, 1)
    if len(shape) != 3 or shape[:2] != (_JOINTS, 3) or not 1 <= shape[2] <= MAX_FRAMES:
        raise SkeletonFormatError(
            path,
            f"{_VARIABLE} shape",
            f"({_JOINTS}, 3, T), T from 1 to {MAX_FRAMES}",
            str(values.shape),
        )
    frames = values.reshape(shape).transpose(2, 0, 1)
    check_coordinates(frames, path, ("frame", "joint", "coordinate"), start=1)
    if not frames.any():
        raise SkeletonFormatError(path, _VARIABLE, "a person in some frame", "zeros only")
    layout = create_layout("kinect20")
    order = [_FILE_ORDER.index(joint) for joint in layout.joints]
    return SkeletonSequence(
        frames[None, :, order].astype(np.float32), layout, fps=FPS, source=str(path)
    )


def write_utd_mhad(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as a UTD-MHAD file, whole or not at all; reading returns the numbers exactly.

    Raises
    ------
    LayoutError : if the clip is not of one person on layout kinect20 in metres
    SkeletonFormatError : if it has more frames than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_utd_mhad`.
    """
    from scipy.io import savemat  # half a second that readers need not wait for

    path = Path(path)
    check_one_kinect_person(path, clip, "UTD-MHAD")
    order = [clip.layout.index(joint) for joint in _FILE_ORDER]
    frames = clip.keypoints[0][:, order].astype(np.float64)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        savemat(file, {_VARIABLE: frames.transpose(1, 2, 0)}, do_compression=True)


register_format(
    SkeletonFormat(
        name="utd-mhad",
        title="UTD-MHAD MATLAB 5 file with d_skel, Kinect v1",
        layout="kinect20",
        suffixes=(".mat",),
        read=read_utd_mhad,
        write=write_utd_mhad,
        sniff=is_mat5,
    )
)
