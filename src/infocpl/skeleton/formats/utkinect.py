"""UTKinect-Action3D recordings in text (Kinect v1, 20 joints, metres, y up).

Every row of ``joints_sXX_eYY.txt`` is a frame: its number in the colour video, then 20 x (x, y, z)
in the order of layout kinect20. Numbers rise by two to ten and may repeat, with other coordinates;
every row is kept, in file order. A recording holds ten actions one after the other, see
:mod:`infocpl.skeleton.formats.utkinect_clips`. Dataset: Xia, Chen and Aggarwal, "View invariant
human action recognition using histograms of 3D joints", CVPR Workshops 2012.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.kinect_v1 import check_one_kinect_person
from infocpl.skeleton.formats.limits import MAX_FRAMES, check_coordinates
from infocpl.skeleton.formats.number_rows import parse_rows, read_lines
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["make_clip", "read_recording", "read_utkinect", "write_utkinect"]

FPS = 15.0
_JOINTS = 20
_COLUMNS = ("frame number", *(f"joint {j} {axis}" for j in range(1, _JOINTS + 1) for axis in "xyz"))


def read_utkinect(path: str | Path) -> SkeletonSequence:
    r"""Read one UTKinect recording with everything between its actions, too.

    Returns
    -------
    SkeletonSequence : (1, T, 20, 3) metres on layout kinect20, 15 frames a second (what is left of
        the Kinect's thirty); frames in which all coordinates are zero count as absent

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, a row is not a frame number that does not fall
        and 60 finite numbers, or no frame shows anybody

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "joints_s01_e01.txt"
    ...     _ = path.write_text("190 " + "0.5 " * 60 + "\n" + "192 " + "0.6 " * 60)
    ...     read_utkinect(path).keypoints.shape
    (1, 2, 20, 3)
    """
    path = Path(path)
    _, points = read_recording(path)
    if not points.any():
        raise SkeletonFormatError(path, "rows", "a person in some frame", "zeros only")
    return make_clip(points, str(path))


def make_clip(points: NDArray[np.float64], source: str) -> SkeletonSequence:
    """A clip of (T, 20, 3) coordinates."""
    layout = create_layout("kinect20")
    return SkeletonSequence(points[None].astype(np.float32), layout, fps=FPS, source=source)


def read_recording(path: Path) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Frame numbers (T,) and coordinates (T, 20, 3) of a recording; zeros are looked at elsewhere.

    Raises
    ------
    SkeletonFormatError : as :func:`read_utkinect`
    """
    table = parse_rows(path, read_lines(path, MAX_FRAMES), _COLUMNS, 1)
    numbers = table[:, 0]
    whole = (numbers == np.floor(numbers)) & (numbers >= 0) & (numbers < 1e9)
    falls = np.diff(numbers, prepend=numbers[:1]) < 0
    wrong = np.flatnonzero(~whole | falls)
    if len(wrong):
        at = int(wrong[0])
        expected = "a whole number not below the one before"
        raise SkeletonFormatError(
            path, "frame number", expected, f"{numbers[at]:g}", f"line {at + 1}"
        )
    points = table[:, 1:].reshape(-1, _JOINTS, 3)
    check_coordinates(points, path, ("line", "joint", "coordinate"), start=1)
    return numbers.astype(np.int64), points


def write_utkinect(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as a UTKinect recording, whole or not at all.

    Frames are numbered 0, 2, 4, ... Nine digits are written, so reading returns the coordinates
    exactly; confidence and frame rate are not part of the format.

    Raises
    ------
    LayoutError : if the clip is not of one person on layout kinect20 in metres
    SkeletonFormatError : if it has more frames than a reader accepts, or nobody in it

    Examples
    --------
    See :func:`read_utkinect`.
    """
    path = Path(path)
    check_one_kinect_person(path, clip, "UTKinect")
    row = "%d" + " %.9g" * (_JOINTS * 3) + "\n"
    frames = clip.keypoints[0].reshape(clip.frames, -1).astype(np.float64).tolist()
    text = "".join(row % (2 * number, *frame) for number, frame in enumerate(frames))
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")


def _sniff(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0].split()
    return len(first) == len(_COLUMNS) and first[0].isdigit()


register_format(
    SkeletonFormat(
        name="utkinect",
        title="UTKinect recording in text, Kinect v1",
        layout="kinect20",
        suffixes=(".txt",),
        read=read_utkinect,
        write=write_utkinect,
        sniff=_sniff,
    )
)
