"""OpenPose JSON: 18 (COCO) or 25 (BODY_25) joints in the image, or lifted to three dimensions.

OpenPose writes one file for each frame, ``{"people": [{"pose_keypoints_2d": [x, y, c, ...]}]}``,
where c is the confidence and an unseen joint is three zeros. A clip is a folder of such files, or
one file with a list of such objects. Tools that write the same form, such as AlphaPose, are read
too. Documentation: OpenPose, "Output"; Cao et al., "OpenPose", TPAMI 2019.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from infocpl.errors import LayoutError, SkeletonFormatError
from infocpl.files import atomic_folder, atomic_path
from infocpl.skeleton.formats.json_safe import (
    MAX_JSON_BYTES,
    check_numbers,
    describe_kind,
    load_json,
    parse_json,
)
from infocpl.skeleton.formats.limits import MAX_FRAMES, is_folder, read_bounded, show
from infocpl.skeleton.formats.people import (
    Detection,
    assemble_people,
    check_max_persons,
    written_people,
)
from infocpl.skeleton.formats.registry import SkeletonFormat, register_format
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_openpose", "write_openpose"]

FPS = 30.0
_KEYS = ("pose_keypoints_2d", "pose_keypoints_3d", "pose_keypoints")
_LAYOUTS = {18: "openpose18", 25: "openpose25"}


def read_openpose(
    path: str | Path, *, fps: float = FPS, max_persons: int = 2, dims: int | None = None
) -> SkeletonSequence:
    """Read one clip from a folder of frames or from a file with a list of frames.

    Files of a folder are put in order by the last number in their names. Which person is which is
    found out as in :func:`~infocpl.skeleton.formats.people.assemble_people`.

    Parameters
    ----------
    path : a folder, or a ``.json`` file
    fps : frames a second, which the format does not say
    max_persons : most persons to keep (1 to 16)
    dims : 2 or 3; None takes three dimensions where every person has them

    Returns
    -------
    SkeletonSequence : (M, T, V, C) on layout openpose18 or openpose25, y up; units "px", or
        "normalised" if no coordinate is beyond 1 (``--keypoint_scale``) or there are three
        dimensions, whose unit depends on how the cameras were calibrated

    Raises
    ------
    SkeletonFormatError : if a file is unreadable, not JSON of this form, holds other than 18 or 25
        joints, or shows nobody
    ConfigError : if `max_persons` is out of range

    Examples
    --------
    >>> import json, tempfile
    >>> person = {"pose_keypoints_2d": [300.0, 200.0, 0.9] * 25}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for number in range(3):
    ...         name = f"clip_{number:012d}_keypoints.json"
    ...         _ = (Path(folder) / name).write_text(json.dumps({"people": [person]}))
    ...     clip = read_openpose(folder)
    >>> clip.keypoints.shape, clip.units, clip.keypoints[0, 0, 0].tolist()
    ((1, 3, 25, 2), 'px', [-300.0, -200.0])
    """
    path = Path(path)
    check_max_persons(max_persons)
    people = [list(_people(file, frame, where)) for file, frame, where in _frames(path)]
    layout = _layout(path, people, dims)
    width = layout.dims + 1
    key = _KEYS[1] if layout.dims == 3 else _KEYS[0]
    frames = []
    for number, persons in enumerate(people):
        found = []
        for person, lists in persons:
            if key not in lists:
                got = ", ".join(lists) or "no coordinates"
                raise SkeletonFormatError(path, "person", key, got, f"frame {number}")
            if len(lists[key]) != width * len(layout):
                raise SkeletonFormatError(
                    path,
                    key,
                    f"{width * len(layout)} numbers, as in other frames",
                    f"{len(lists[key])}",
                    f"frame {number}",
                )
            table = np.array(lists[key], dtype=np.float64).reshape(-1, width)
            found.append(Detection(table[:, :-1], table[:, -1], person))
        frames.append(found)
    keypoints, confidence = assemble_people(path, frames, layout, max_persons)
    pixels = layout.dims == 2 and bool(np.abs(keypoints).max() > 1.0)
    return SkeletonSequence(
        keypoints,
        layout,
        confidence=confidence,
        fps=fps,
        units="px" if pixels else "normalised",
        source=str(path),
    )


def _frames(path: Path) -> Iterator[tuple[Path, Any, str]]:
    """The JSON value of every frame, the file it stands in, and its place there."""
    if is_folder(path):
        budget = MAX_JSON_BYTES
        for file in frame_files(path):
            content = read_bounded(file, max_bytes=budget)
            budget = max(budget - len(content), 1)
            yield file, parse_json(file, content), ""
        return
    value = load_json(path)
    frames = value if isinstance(value, list) else [value]
    if not 1 <= len(frames) <= MAX_FRAMES:
        raise SkeletonFormatError(path, "frames", f"1 to {MAX_FRAMES:,}", f"{len(frames):,}")
    for number, frame in enumerate(frames):
        yield path, frame, f"frame {number}"


def frame_files(folder: Path) -> list[Path]:
    """The JSON files of a folder, in order of the last number in their names.

    Raises
    ------
    SkeletonFormatError : if there are none, too many, or two of the same number
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() == ".json"]
    if not 1 <= len(files) <= MAX_FRAMES:
        raise SkeletonFormatError(
            folder, "frames", f"1 to {MAX_FRAMES:,} JSON files", f"{len(files):,}"
        )
    numbered: dict[int, Path] = {}
    for file in sorted(files):
        digits = re.findall(r"\d{1,18}", file.stem.removesuffix("_keypoints"))
        if not digits and len(files) > 1:
            raise SkeletonFormatError(folder, "file name", "a frame number", show(file.name))
        number = int(digits[-1]) if digits else 0
        if number in numbered:
            got = f"{show(numbered[number].name)} and {show(file.name)}"
            raise SkeletonFormatError(folder, "file names", "every frame number once", got)
        numbered[number] = file
    return [numbered[number] for number in sorted(numbered)]


def _people(path: Path, frame: Any, where: str) -> Iterator[tuple[int, dict[str, list[float]]]]:
    """Number and lists of coordinates of every person in a frame."""
    if not isinstance(frame, dict) or not isinstance(frame.get("people"), list):
        got = describe_kind(frame)
        if isinstance(frame, dict):
            got = f"the keys {show(', '.join(frame))}"
        raise SkeletonFormatError(path, "frame", "an object with a list 'people'", got, where)
    for person in frame["people"]:
        if not isinstance(person, dict):
            raise SkeletonFormatError(path, "person", "an object", describe_kind(person), where)
        lists = {
            key: check_numbers(path, person[key], None, key, where)
            for key in _KEYS
            if person.get(key)
        }
        if _KEYS[2] in lists:  # the name in the first versions
            lists.setdefault(_KEYS[0], lists[_KEYS[2]])
        yield _number(person.get("person_id")), lists


def _number(value: Any) -> int:
    """The number a tracker gave, which stands in a list of one; -1 if there is none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if type(value) is int and 0 <= value < 2**31 else -1


def _layout(
    path: Path, people: list[list[tuple[int, dict[str, list[float]]]]], dims: int | None
) -> Layout:
    """The layout of the first person found."""
    everyone = [lists for persons in people for _, lists in persons]
    if not everyone:
        raise SkeletonFormatError(path, "people", "a person in some frame", "nobody")
    if dims is None:
        dims = 3 if all(_KEYS[1] in lists for lists in everyone) else 2
    key = _KEYS[1] if dims == 3 else _KEYS[0]
    count = len(next((lists[key] for lists in everyone if key in lists), []))
    joints, rest = divmod(count, dims + 1)
    if rest or joints not in _LAYOUTS:
        expected = " or ".join(str(joints * (dims + 1)) for joints in _LAYOUTS)
        raise SkeletonFormatError(path, key, f"{expected} numbers", f"{count}")
    return create_layout(f"{_LAYOUTS[joints]}-{dims}d")


def write_openpose(path: str | Path, clip: SkeletonSequence, *, per_frame: bool = False) -> None:
    """Write a clip as OpenPose JSON, whole or not at all.

    Parameters
    ----------
    path : the file, or the folder if `per_frame`
    clip : on layout openpose18 or openpose25, in two or three dimensions
    per_frame : write a new folder with a file for each frame, as OpenPose does

    Raises
    ------
    LayoutError : if the clip is on another layout
    OutputExistsError : if the folder exists

    Examples
    --------
    See :func:`read_openpose`; coordinates, confidence and persons are read back as they were.
    """
    path = Path(path)
    layout = clip.layout
    if layout.name.removesuffix("-3d") not in _LAYOUTS.values():
        raise LayoutError(
            f"OpenPose files hold layout 'openpose18' or 'openpose25'; this clip has layout "
            f"{layout.summary}; map it first"
        )
    key = _KEYS[1] if layout.dims == 3 else _KEYS[0]
    frames = [
        {
            "version": 1.3,
            "people": [
                {"person_id": [person], key: table.ravel().tolist()} for person, table in people
            ],
        }
        for people in written_people(clip.keypoints, clip.confidence)
    ]
    if not per_frame:
        with atomic_path(path) as temporary:
            temporary.write_bytes(orjson.dumps(frames))
        return
    with atomic_folder(path) as folder:
        for number, frame in enumerate(frames):
            name = f"{path.name}_{number:012d}_keypoints.json"
            (folder / name).write_bytes(orjson.dumps(frame))


register_format(
    SkeletonFormat(
        name="openpose",
        title="OpenPose JSON, a folder of frames or a list of them, 18 or 25 joints",
        layout=None,
        suffixes=(".json",),
        read=read_openpose,
        write=write_openpose,
        sniff=lambda head: head.lstrip()[:1] in (b"{", b"[") and b'"people"' in head,
        frame_suffix=".json",
    )
)
