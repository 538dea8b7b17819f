"""MSR-Action3D skeleton text (20 joints, metres, y up).

Every row is a joint: x, y, z and a confidence; 20 rows are a frame. The first joints are the two
shoulders, the left one first: subjects were asked to use the right arm, and it is the other one
that moves in a "high arm wave". With x growing to the person's right the axes are those of a clip.
Neck, spine, pelvis and feet, which the tracker works out from the others, often have confidence 0
and good coordinates. The dataset holds clips of zeros only, such as ``a13_s09_e02``, in which the
tracker found nobody; they are refused. Dataset: Li, Zhang and Liu, "Action recognition based on a
bag of 3D points", CVPR Workshops 2010.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.kinect_v1 import check_one_kinect_person
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates
from infocpl.skeleton.formats.number_rows import parse_rows, read_lines
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_msr_action3d", "write_msr_action3d"]

FPS = 15.0
_JOINTS = 20
_COLUMNS = ("x", "y", "z", "confidence")
_FILE_ORDER = (
    "left_shoulder", "right_shoulder", "upper_spine", "spine", "left_hip", "right_hip", "pelvis",
    "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hand", "right_hand",
    "left_knee", "right_knee", "left_ankle", "right_ankle", "left_foot", "right_foot", "head",
)  # fmt: skip


def read_msr_action3d(path: str | Path) -> SkeletonSequence:
    r"""Read one MSR-Action3D clip.

    Returns
    -------
    SkeletonSequence : (1, T, 20, 3) metres on layout kinect20, 15 frames a second; frames in which
        every coordinate or every confidence is zero count as absent

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, a row is not four finite numbers, rows are left
        over after the last frame, a confidence is not from 0 to 1, or no frame shows anybody

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a01_s01_e01_skeleton3D.txt"
    ...     _ = path.write_text("0.1 0.2 2.5 1.0\n" * 40)
    ...     read_msr_action3d(path).keypoints.shape
    (1, 2, 20, 3)
    """
    path = Path(path)
    lines = read_lines(path, MAX_FRAMES * _JOINTS)
    if len(lines) % _JOINTS:
        expected = f"{_JOINTS} for every frame"
        raise SkeletonFormatError(path, "rows", expected, f"{len(lines)}")
    table = parse_rows(path, lines, _COLUMNS, 1)
    check_coordinates(table[:, :3], path, ("line", "coordinate"), start=1)
    wrong = np.flatnonzero((table[:, 3] < 0) | (table[:, 3] > 1))
    if len(wrong):
        got = f"{table[wrong[0], 3]:g}"
        raise SkeletonFormatError(
            path, "confidence", "a number from 0 to 1", got, f"line {wrong[0] + 1}"
        )
    layout = create_layout("kinect20")
    order = [_FILE_ORDER.index(joint) for joint in layout.joints]
    frames = table.reshape(-1, _JOINTS, 4)[:, order]
    present = np.any(frames[..., :3] != 0, axis=(1, 2)) & np.any(frames[..., 3] > 0, axis=1)
    if not present.any():
        raise SkeletonFormatError(path, "rows", "a person in some frame", "zeros only")
    frames = (frames * present[:, None, None])[None].astype(np.float32)
    return SkeletonSequence(
        frames[..., :3], layout, confidence=frames[..., 3], fps=FPS, source=str(path)
    )


def write_msr_action3d(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as MSR-Action3D text, whole or not at all.

    Nine digits are written, enough for float32, so reading returns the clip exactly; the frame rate
    is not part of the format.

    Raises
    ------
    LayoutError : if the clip is not of one person on layout kinect20 in metres
    SkeletonFormatError : if it has more frames than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_msr_action3d`.
    """
    path = Path(path)
    check_one_kinect_person(path, clip, "MSR-Action3D")
    order = [clip.layout.index(joint) for joint in _FILE_ORDER]
    table = np.concatenate([clip.keypoints[0], clip.confidence[0][..., None]], axis=-1)
    rows = table[:, order].astype(np.float64).ravel().tolist()
    text = "%.9g %.9g %.9g %.9g\n" * (clip.frames * _JOINTS) % tuple(rows)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")


def _sniff(head: bytes) -> bool:
    """Whether the first row is four numbers and nothing else."""
    first = head.split(b"\n", 1)[0]
    return len(first.split()) == 4 and not first.strip().translate(None, b"0123456789+-.eE \t")


register_format(
    SkeletonFormat(
        name="msr-action3d",
        title="MSR-Action3D text, 20 rows a frame",
        layout="kinect20",
        suffixes=(".txt",),
        read=read_msr_action3d,
        write=write_msr_action3d,
        sniff=_sniff,
    )
)
