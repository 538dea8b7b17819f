"""NTU RGB+D ``.skeleton`` files (Kinect v2, 25 joints, metres, y up).

A file is text: the number of frames; for each frame the number of bodies; for each body a line of
ten numbers (tracking id first), the joint count 25, and 25 lines of twelve numbers: x, y, z, depth
pixel (2), colour pixel (2), orientation (4), tracking state. Bodies enter and leave, ids change,
frames may be empty. Format: Shahroudy et al., "NTU RGB+D", CVPR 2016, and Liu et al., 2020.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.bodies import BodyTrack, choose_bodies, join_tracks
from infocpl.skeleton.formats.limits import (
    MAX_BODIES,
    MAX_FRAMES,
    check_coordinates,
    show,
)
from infocpl.skeleton.formats.ntu_text import JOINTS, NtuTable, read_table
from infocpl.skeleton.formats.padded import require_ntu25
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["format_ntu", "ntu_name", "parse_ntu_name", "read_ntu", "write_ntu"]

FPS = 30.0
_STATE_CONFIDENCE = np.array([0.0, 0.5, 1.0])
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_NAME_FIELDS = ("setup", "camera", "subject", "replication", "action")
# A person who is lost and found gets a new number; real clips have a handful.
_MAX_TRACKS = 256
# The Kinect numbers bodies from 2**56 upwards.
_FIRST_ID = 72057594037927936


def read_ntu(path: str | Path, *, max_persons: int = 2, select: bool = True) -> SkeletonSequence:
    """Read one NTU RGB+D clip.

    Bodies are collected by tracking id. Then, unless `select` is false, tracks of one person who
    was lost and found are joined (:func:`~infocpl.skeleton.bodies.join_tracks`), and of the persons
    the plausible and most energetic ones are kept, main actor first
    (:func:`~infocpl.skeleton.bodies.choose_bodies`, the usual rules for this dataset).

    Parameters
    ----------
    path : a ``.skeleton`` file
    max_persons : most persons to keep (1 to 16)
    select : false gives every tracking id as a person of its own, in order of appearance, and
        refuses a file with more than `max_persons` of them

    Returns
    -------
    SkeletonSequence : (M, T, 25, 3) metres on layout ntu25, 1 <= M <= max_persons, 30 frames a
        second; confidence 0, 0.5, 1 for joints not tracked, inferred, tracked. A body none of
        whose joints is tracked or inferred in a frame counts as absent there.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable or breaks the format anywhere (path, line,
        field), or holds no body at all
    ConfigError : if `max_persons` is out of range

    Examples
    --------
    >>> import tempfile
    >>> layout = create_layout("ntu25")
    >>> clip = SkeletonSequence(np.ones((1, 4, 25, 3)), layout)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_ntu(Path(folder) / "a.skeleton", clip)
    ...     read_ntu(Path(folder) / "a.skeleton").keypoints.shape
    (1, 4, 25, 3)
    """
    if not 1 <= max_persons <= MAX_BODIES:
        raise ConfigError(f"max_persons must lie between 1 and {MAX_BODIES}, got {max_persons}")
    path = Path(path)
    table = read_table(path)
    tracks = _tracks(path, table)
    if select:
        persons = join_tracks(tracks)
        persons = [persons[i] for i in choose_bodies([p.keypoints for p in persons], max_persons)]
    elif len(tracks) > max_persons:
        raise SkeletonFormatError(
            path, "tracking ids", f"at most {max_persons} in the file", str(len(tracks))
        )
    else:
        persons = tracks
    keypoints = np.zeros((len(persons), table.frames, JOINTS, 3), dtype=np.float32)
    confidence = np.zeros((len(persons), table.frames, JOINTS), dtype=np.float32)
    for number, person in enumerate(persons):
        keypoints[number, person.frames] = person.keypoints
        confidence[number, person.frames] = person.confidence
    return SkeletonSequence(
        keypoints, create_layout("ntu25"), confidence=confidence, fps=FPS, source=str(path)
    )


def _tracks(path: Path, table: NtuTable) -> list[BodyTrack]:
    """One track for each tracking id, in order of appearance, without frames of nothing."""
    confidence = _STATE_CONFIDENCE[table.numbers[..., -1].astype(np.intp)]
    tracked: NDArray[np.bool_] = np.any(confidence > 0, axis=1)
    rows: dict[int, list[int]] = {}
    for row, (_, body) in enumerate(table.owners):
        if tracked[row]:
            rows.setdefault(body, []).append(row)
    if not rows:
        raise SkeletonFormatError(
            path, "tracking state", "a tracked or inferred joint", "none in the whole file"
        )
    if len(rows) > _MAX_TRACKS:
        raise SkeletonFormatError(
            path, "tracking ids", f"at most {_MAX_TRACKS} in the file", str(len(rows))
        )
    times = np.array([frame for frame, _ in table.owners], dtype=np.intp)
    coords = table.numbers[..., :3]
    return [BodyTrack(times[index], coords[index], confidence[index]) for index in rows.values()]


def write_ntu(
    path: str | Path, clip: SkeletonSequence, *, ids: NDArray[np.integer] | None = None
) -> None:
    """Write a clip as an NTU RGB+D file, whole or not at all; see :func:`format_ntu`.

    Raises
    ------
    ConfigError, LayoutError, SkeletonFormatError : as :func:`format_ntu`

    Examples
    --------
    See :func:`read_ntu`.
    """
    text = format_ntu(clip, ids=ids, path=path)
    with atomic_path(Path(path)) as temporary:
        temporary.write_text(text, encoding="ascii", newline="\n")


def format_ntu(
    clip: SkeletonSequence, *, ids: NDArray[np.integer] | None = None, path: str | Path = "clip"
) -> str:
    """The text of an NTU RGB+D file.

    Coordinates get nine digits, enough for float32, so reading returns them exactly; persons
    appear only in the frames where they are present. Confidence is rounded to the three tracking
    states (0; below 0.75; from 0.75). Pixels and orientations, which a clip does not have, are
    zero; the frame rate is not part of the format.

    Parameters
    ----------
    clip : on layout ntu25, in metres
    ids : (M, T) tracking number of each person in each frame, from 1, for files in which a person
        is lost and found under another one; None gives every person one number
    path : named in messages only

    Raises
    ------
    ConfigError : if `ids` has another shape, or is not from 1 to 2**32
    LayoutError : if the clip is not on layout ntu25 or not in metres
    SkeletonFormatError : if the clip has more frames or persons than a reader accepts, too large
        coordinates, or no person at all
    """
    require_ntu25(clip, "NTU files")
    for field, limit, got in (
        ("frames", MAX_FRAMES, clip.frames),
        ("persons", MAX_BODIES, clip.persons),
    ):
        if got > limit:
            raise SkeletonFormatError(path, field, f"at most {limit}", str(got))
    check_coordinates(
        clip.keypoints.astype(np.float64), path, ("person", "frame", "joint", "coordinate")
    )
    if ids is None:
        ids = np.repeat(np.arange(1, clip.persons + 1)[:, None], clip.frames, axis=1)
    if ids.shape != clip.present.shape or not ((ids >= 1) & (ids <= 2**32)).all():
        raise ConfigError(f"ids must be {clip.present.shape} numbers from 1 to 2**32")
    present = clip.present
    if not present.any():
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")
    states = np.where(clip.confidence > 0, np.where(clip.confidence >= 0.75, 2, 1), 0)
    values = np.concatenate([clip.keypoints.astype(np.float64), states[..., None]], axis=-1)
    body_text = f"{JOINTS}\n" + "%.9g %.9g %.9g 0 0 0 0 0 0 0 0 %d\n" * JOINTS
    parts = [f"{clip.frames}\n"]
    for frame in range(clip.frames):
        persons = np.flatnonzero(present[:, frame]).tolist()
        parts.append(f"{len(persons)}\n")
        for person in persons:
            parts.append(f"{_FIRST_ID + int(ids[person, frame])} 0 0 0 0 0 0 0 0 2\n")
            parts.append(body_text % tuple(values[person, frame].ravel().tolist()))
    return "".join(parts)


def parse_ntu_name(name: str | Path) -> dict[str, int]:
    """Take setup, camera, subject, replication and action out of a name.

    Raises
    ------
    SkeletonFormatError : if `name` does not start with ``SsssCcccPpppRrrrAaaa``

    Examples
    --------
    >>> parse_ntu_name("S001C002P003R002A058.skeleton")
    {'setup': 1, 'camera': 2, 'subject': 3, 'replication': 2, 'action': 58}
    """
    stem = Path(name).name.split(".")[0]
    found = _NAME.fullmatch(stem.removesuffix("_skeleton"))
    if not found:
        raise SkeletonFormatError(name, "file name", "SsssCcccPpppRrrrAaaa", show(stem))
    return dict(zip(_NAME_FIELDS, map(int, found.groups()), strict=True))


def ntu_name(*, setup: int, camera: int, subject: int, replication: int, action: int) -> str:
    """Compose an official name, without suffix; the inverse of :func:`parse_ntu_name`.

    Raises
    ------
    ConfigError : if a number does not fit into three digits

    Examples
    --------
    >>> ntu_name(setup=1, camera=2, subject=3, replication=2, action=58)
    'S001C002P003R002A058'
    """
    numbers = (setup, camera, subject, replication, action)
    for field, number in zip(_NAME_FIELDS, numbers, strict=True):
        if not 0 <= number <= 999:
            raise ConfigError(f"NTU file name: {field} must lie between 0 and 999, got {number}")
    return "".join(f"{letter}{n:03d}" for letter, n in zip("SCPRA", numbers, strict=True))


_FIRST_LINES = re.compile(rb"\s*\d{1,5}[ \t]*\r?\n[ \t]*\d{1,2}[ \t]*\r?\n")

register_format(
    SkeletonFormat(
        name="ntu",
        title="NTU RGB+D text, Kinect v2",
        layout="ntu25",
        suffixes=(".skeleton",),
        read=read_ntu,
        write=write_ntu,
        sniff=lambda head: _FIRST_LINES.match(head) is not None,
    )
)
