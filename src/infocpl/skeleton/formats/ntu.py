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

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.limits import (
    MAX_BODIES,
    MAX_FRAMES,
    check_coordinates,
    show,
)
from infocpl.skeleton.formats.ntu_text import JOINTS, NtuTable, read_table
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["ntu_name", "parse_ntu_name", "read_ntu", "write_ntu"]

FPS = 30.0
_STATE_CONFIDENCE = np.array([0.0, 0.5, 1.0])
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_NAME_FIELDS = ("setup", "camera", "subject", "replication", "action")
# A standing person is about three to five times as tall as wide, a sitting one about twice;
# tracked chairs, tables and screens are wider than tall or thin as a pole.
_PLAUSIBLE_RATIO = (0.1, 1.0)
_STEADY = 0.9
# The Kinect numbers bodies from 2**56 upwards.
_FIRST_ID = 72057594037927936


def read_ntu(path: str | Path, *, max_persons: int = 2) -> SkeletonSequence:
    """Read one NTU RGB+D clip.

    Bodies are collected by tracking id. If there are more than `max_persons`, the most energetic
    plausible ones stay: energy is the sum over joints of the variance of the coordinates, and a
    body is plausible if the median over its frames of width (the larger of the x and z extents)
    to height (y extent) lies between 0.1 and 1; implausible bodies are used only when there are
    too few plausible ones. Persons are ordered by energy, those tracked in at least nine tenths
    as many frames as the longest one first, so person 0 is the steadiest main actor.

    Parameters
    ----------
    path : a ``.skeleton`` file
    max_persons : most persons to keep (1 to 16)

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
    return _assemble(path, read_table(path), max_persons)


def _assemble(path: Path, table: NtuTable, max_persons: int) -> SkeletonSequence:
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
    coords = table.numbers[..., :3]
    chosen = choose_bodies([coords[index] for index in rows.values()], max_persons)
    ids = list(rows)
    keypoints = np.zeros((len(chosen), table.frames, JOINTS, 3), dtype=np.float32)
    weights = np.zeros((len(chosen), table.frames, JOINTS), dtype=np.float32)
    for person, number in enumerate(chosen):
        index = rows[ids[number]]
        times = [table.owners[row][0] for row in index]
        keypoints[person, times] = coords[index]
        weights[person, times] = confidence[index]
    return SkeletonSequence(
        keypoints, create_layout("ntu25"), confidence=weights, fps=FPS, source=str(path)
    )


def choose_bodies(bodies: list[NDArray[np.float64]], max_persons: int) -> list[int]:
    """Choose and order bodies as :func:`read_ntu` describes.

    Parameters
    ----------
    bodies : for each body its coordinates in the frames where it was tracked, (F, V, 3)

    Returns
    -------
    list of int : at most `max_persons` positions in `bodies`, main actor first

    Examples
    --------
    >>> still, moving = np.ones((9, 25, 3)), np.arange(9 * 75.0).reshape(9, 25, 3)
    >>> choose_bodies([still, moving], 2), choose_bodies([moving[:2], still], 2)
    ([1, 0], [1, 0])
    """
    if len(bodies) == 1:
        return [0]
    energy = [float(body.var(axis=0).sum()) for body in bodies]
    order = sorted(range(len(bodies)), key=lambda i: -energy[i])
    if len(order) > max_persons:
        order = sorted(order, key=lambda i: not _plausible(bodies[i]))[:max_persons]
    longest = max(len(bodies[i]) for i in order)
    # sorted() is stable: energy decides within steady and within passing bodies.
    order.sort(key=lambda i: -energy[i])
    return sorted(order, key=lambda i: len(bodies[i]) < _STEADY * longest)


def _plausible(body: NDArray[np.float64]) -> bool:
    extent = np.ptp(body, axis=1)
    height = np.maximum(extent[:, 1], 1e-9)
    ratio = float(np.median(np.maximum(extent[:, 0], extent[:, 2]) / height))
    return _PLAUSIBLE_RATIO[0] <= ratio <= _PLAUSIBLE_RATIO[1]


def write_ntu(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as an NTU RGB+D file, whole or not at all.

    Coordinates get nine digits, enough for float32, so reading returns them exactly; persons get
    ids that do not change and appear only in the frames where they are present. Confidence is
    rounded to the three tracking states (0; below 0.75; from 0.75). Pixels and orientations,
    which a clip does not have, are zero; the frame rate is not part of the format.

    Raises
    ------
    LayoutError : if the clip is not on layout ntu25 or not in metres
    SkeletonFormatError : if the clip has more frames or persons than a reader accepts, too large
        coordinates, or no person at all

    Examples
    --------
    See :func:`read_ntu`.
    """
    path = Path(path)
    if clip.layout.name != "ntu25" or clip.units != "m":
        raise LayoutError(
            f"NTU files hold layout 'ntu25' in metres; this clip has layout "
            f"{clip.layout.name!r} in units {clip.units!r}; map or scale it first"
        )
    for field, limit, got in (
        ("frames", MAX_FRAMES, clip.frames),
        ("persons", MAX_BODIES, clip.persons),
    ):
        if got > limit:
            raise SkeletonFormatError(path, field, f"at most {limit}", str(got))
    check_coordinates(
        clip.keypoints.astype(np.float64), path, ("person", "frame", "joint", "coordinate")
    )
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
            parts.append(f"{_FIRST_ID + person + 1} 0 0 0 0 0 0 0 0 2\n")
            parts.append(body_text % tuple(values[person, frame].ravel().tolist()))
    with atomic_path(path) as temporary:
        temporary.write_text("".join(parts), encoding="ascii", newline="\n")


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
