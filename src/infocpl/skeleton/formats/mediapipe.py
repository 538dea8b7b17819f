"""MediaPipe Pose landmarks (33) in JSON: world landmarks in metres, or landmarks of the image.

MediaPipe gives results to a program, not to a file, so everyone saves them in a form of their own.
These are read: a list of frames, or an object with ``frames`` and, if known, ``fps``, ``width`` and
``height``. A frame is an object with ``pose_world_landmarks`` or ``pose_landmarks`` (or the names
of the web version, ``worldLandmarks`` and ``landmarks``), or these landmarks themselves; they are
33, or a list of 33 for each person; a landmark is ``{"x", "y", "z", "visibility"}`` or such a list.
In all of them y points down. Documentation: Google, "Pose landmark detection guide".
"""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.files import atomic_path
from infocpl.skeleton.formats.json_safe import check_numbers, describe_kind, load_json
from infocpl.skeleton.formats.limits import MAX_FRAMES, show
from infocpl.skeleton.formats.people import (
    Detection,
    assemble_people,
    check_max_persons,
    written_people,
)
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_mediapipe", "write_mediapipe"]

FPS = 30.0
_JOINTS = 33
_WORLD = ("pose_world_landmarks", "worldLandmarks", "world_landmarks")
_IMAGE = ("pose_landmarks", "poseLandmarks", "landmarks")
_MAX_PIXELS = 100_000


def read_mediapipe(
    path: str | Path, *, fps: float | None = None, max_persons: int = 2
) -> SkeletonSequence:
    """Read one clip of landmarks.

    World landmarks are taken where the first frame with a person has them. They have their origin
    between the hips in every frame, so walking is on the spot. Landmarks of the image are fractions
    of its width and height, and depth is in the scale of the width; where the file gives ``width``
    and ``height`` they become pixels, otherwise a body is as distorted as the image is not square.

    Parameters
    ----------
    path : a ``.json`` file
    fps : frames a second; None takes what the file says, or 30
    max_persons : most persons to keep (1 to 16)

    Returns
    -------
    SkeletonSequence : (M, T, 33, 3) on layout mediapipe33, y up; units "m" for world landmarks,
        "px" or "normalised" for those of the image; confidence is the visibility, 1 where the file
        gives none

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, not JSON of this form, or shows nobody
    ConfigError : if `max_persons` is out of range

    Examples
    --------
    >>> import json, tempfile
    >>> landmark = {"x": 0.25, "y": 0.5, "z": -0.1, "visibility": 0.9}
    >>> frames = [{"pose_world_landmarks": [landmark] * 33}, {"pose_world_landmarks": []}]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "landmarks.json"
    ...     _ = path.write_text(json.dumps({"fps": 25, "frames": frames}))
    ...     clip = read_mediapipe(path)
    >>> clip.keypoints.shape, clip.fps, clip.units, clip.keypoints[0, 0, 0].round(2).tolist()
    ((1, 2, 33, 3), 25.0, 'm', [-0.25, -0.5, -0.10000000149011612])
    """
    path = Path(path)
    check_max_persons(max_persons)
    value = load_json(path)
    facts = value if isinstance(value, dict) else {}
    frames = facts.get("frames") if facts else value
    if not isinstance(frames, list) or not 1 <= len(frames) <= MAX_FRAMES:
        raise SkeletonFormatError(
            path, "frames", f"a list of 1 to {MAX_FRAMES:,} frames", describe_kind(frames)
        )
    world = _is_world(frames)
    people = [_people(path, frame, world, number) for number, frame in enumerate(frames)]
    layout = create_layout("mediapipe33")
    keypoints, confidence = assemble_people(path, people, layout, max_persons)
    width, height = (_positive(path, facts, key, _MAX_PIXELS) for key in ("width", "height"))
    pixels = not world and width is not None and height is not None
    if pixels:
        keypoints = keypoints * np.array([width, height, width], dtype=np.float32)
    return SkeletonSequence(
        keypoints,
        layout,
        confidence=confidence,
        fps=fps or _positive(path, facts, "fps", 100_000) or FPS,
        units="m" if world else "px" if pixels else "normalised",
        source=str(path),
    )


def _positive(path: Path, facts: dict[str, Any], key: str, most: float) -> float | None:
    value = facts.get(key)
    if value is None:
        return None
    if type(value) not in (int, float) or not 1e-3 <= value <= most:
        raise SkeletonFormatError(path, key, f"a number from 0.001 to {most:,}", show(value))
    return float(value)


def _is_world(frames: list[Any]) -> bool:
    """Whether the first frame that holds anything holds world landmarks."""
    for frame in frames:
        if isinstance(frame, dict):
            for keys, answer in ((_WORLD, True), (_IMAGE, False)):
                if any(frame.get(key) for key in keys):
                    return answer
        elif frame:
            return False
    return False


def _people(path: Path, frame: Any, world: bool, number: int) -> list[Detection]:
    where = f"frame {number}"
    found = frame
    if isinstance(frame, dict):
        keys = [key for key in (_WORLD if world else _IMAGE) if key in frame]
        found = frame[keys[0]] if keys else None
        if not keys and frame:
            expected = "world landmarks" if world else "landmarks"
            got = f"the keys {show(', '.join(frame))}"
            raise SkeletonFormatError(path, "frame", expected, got, where)
    if not found:  # null, or an empty list: nobody was found
        return []
    if not isinstance(found, list):
        expected = "a list of landmarks"
        raise SkeletonFormatError(path, "landmarks", expected, describe_kind(found), where)
    first = found[0]
    alone = isinstance(first, dict) or (
        isinstance(first, list) and bool(first) and not isinstance(first[0], (dict, list))
    )
    return [_detection(path, person, where) for person in ([found] if alone else found)]


def _detection(path: Path, person: Any, where: str) -> Detection:
    if not isinstance(person, list) or len(person) != _JOINTS:
        expected = f"a list of {_JOINTS}"
        raise SkeletonFormatError(path, "landmarks", expected, describe_kind(person), where)
    rows = _plain_rows(person)
    if rows is None:
        rows = [_landmark(path, one, f"landmark {at}", where) for at, one in enumerate(person)]
    values = np.array(rows, dtype=np.float64)
    return Detection(values[:, :3], values[:, 3])


def _plain_rows(person: list[Any]) -> list[Any] | None:
    """The usual form, objects with all four numbers, in one go; None if anything is unusual."""
    try:
        rows = [(one["x"], one["y"], one["z"], one["visibility"]) for one in person]
    except (KeyError, TypeError):
        return None
    return rows if {int, float}.issuperset(map(type, chain.from_iterable(rows))) else None


def _landmark(path: Path, landmark: Any, field: str, where: str) -> tuple[float, ...]:
    """x, y, z and visibility of a landmark in any form."""
    if isinstance(landmark, dict):
        if not {"x", "y", "z"} <= set(landmark):
            got = f"the keys {show(', '.join(landmark))}"
            raise SkeletonFormatError(path, field, "x, y and z", got, where)
        seen = landmark.get("visibility")
        landmark = [landmark[key] for key in "xyz"] + ([] if seen is None else [seen])
    numbers = check_numbers(path, landmark, None, field, where)
    if not 3 <= len(numbers) <= 5:  # a fifth one is the presence
        expected = "x, y, z and visibility"
        raise SkeletonFormatError(path, field, expected, f"{len(numbers)} numbers", where)
    return (*numbers[:3], numbers[3] if len(numbers) > 3 else 1.0)


def write_mediapipe(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip of landmarks, whole or not at all: world landmarks if it is in metres.

    The form is ``{"fps": ..., "frames": [{"pose_world_landmarks": [[{"x", ...}, ...], ...]}]}``
    with a list of 33 for each person.

    Raises
    ------
    LayoutError : if the clip is not on layout mediapipe33, or in pixels

    Examples
    --------
    See :func:`read_mediapipe`; coordinates and confidence are read back as they were, persons as
    far as they can be told apart.
    """
    path = Path(path)
    if clip.layout.name != "mediapipe33" or clip.units == "px":
        raise LayoutError(
            f"landmark files hold layout 'mediapipe33' in metres or fractions of the image; this "
            f"clip has layout {clip.layout.summary} in units {clip.units!r}; map or scale it first"
        )
    key = _WORLD[0] if clip.units == "m" else _IMAGE[0]
    names = ("x", "y", "z", "visibility")
    frames = [
        {key: [[dict(zip(names, row, strict=True)) for row in t.tolist()] for _, t in people]}
        for people in written_people(clip.keypoints, clip.confidence)
    ]
    with atomic_path(path) as temporary:
        temporary.write_bytes(orjson.dumps({"fps": clip.fps, "frames": frames}))


register_format(
    SkeletonFormat(
        name="mediapipe",
        title="MediaPipe Pose landmarks in JSON, 33 joints",
        layout="mediapipe33",
        suffixes=(".json",),
        read=read_mediapipe,
        write=write_mediapipe,
        sniff=lambda head: (
            head.lstrip()[:1] in (b"{", b"[")
            and any(f'"{key}"'.encode() in head for key in (*_WORLD, *_IMAGE, "visibility"))
        ),
    )
)
