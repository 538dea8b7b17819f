"""COCO-17 and Halpe-26 results in JSON, as AlphaPose, MMPose and COCO's own tools write them.

A file is a list with an object for each person in each image: ``image_id`` (a number, or a name
such as ``"12.jpg"``), ``keypoints`` [x, y, c, ...] where c is the confidence, ``score``, and with a
tracker ``idx`` or ``track_id``. Of whole-body results (133 or 136 joints) the body is taken.
Documentation: COCO, "Results format"; AlphaPose, "Output format"; Fang et al., TPAMI 2022.
"""

from __future__ import annotations

import re
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
from infocpl.skeleton.layout import Layout, create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["read_coco_json", "write_coco_json"]

FPS = 30.0
_LAYOUTS = {17: "coco17", 26: "halpe26", 133: "coco17", 136: "halpe26"}


def read_coco_json(path: str | Path, *, fps: float = FPS, max_persons: int = 2) -> SkeletonSequence:
    """Read one clip from a list of results.

    The number in ``image_id`` is the number of the frame: images between the first and the last
    one in which nobody was found, and which are not in the list, are frames without persons. Which
    person is which is found out as in
    :func:`~infocpl.skeleton.formats.people.assemble_people`.

    Parameters
    ----------
    path : a ``.json`` file
    fps : frames a second, which the format does not say
    max_persons : most persons to keep (1 to 16)

    Returns
    -------
    SkeletonSequence : (M, T, V, 2) on layout coco17 or halpe26, y up, units "px"; confidence above
        1, which some estimators give, is 1

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, not JSON of this form, or holds joints other
        than those of COCO and Halpe; the message names the entry, counted from 1
    ConfigError : if `max_persons` is out of range

    Examples
    --------
    >>> import json, tempfile
    >>> found = [{"image_id": f"{i}.jpg", "keypoints": [9.0, 5.0, 0.9] * 17} for i in (4, 6)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "alphapose-results.json"
    ...     _ = path.write_text(json.dumps(found))
    ...     clip = read_coco_json(path)
    >>> clip.layout.name, clip.frames, clip.present.tolist()
    ('coco17', 3, [[True, False, True]])
    """
    path = Path(path)
    check_max_persons(max_persons)
    entries = load_json(path)
    if not isinstance(entries, list) or not entries:
        expected = "a list of results"
        raise SkeletonFormatError(path, "content", expected, describe_kind(entries))
    layout = _layout(path, entries[0], "entry 1")
    images: list[Any] = []
    found: list[Detection] = []
    for number, entry in enumerate(entries, start=1):
        where = f"entry {number}"
        other = _layout(path, entry, where)
        if other != layout:
            expected = f"layout {layout.name}, as before"
            raise SkeletonFormatError(path, "keypoints", expected, other.name, where)
        table = np.array(entry["keypoints"], dtype=np.float64).reshape(-1, 3)[: len(layout)]
        images.append(entry["image_id"])
        found.append(Detection(table[:, :2], table[:, 2], _person(entry)))
    frames: list[list[Detection]] = []
    for at, one in zip(_times(path, images), found, strict=True):
        frames.extend([] for _ in range(at + 1 - len(frames)))
        frames[at].append(one)
    keypoints, confidence = assemble_people(path, frames, layout, max_persons)
    return SkeletonSequence(
        keypoints, layout, confidence=confidence, fps=fps, units="px", source=str(path)
    )


def _layout(path: Path, entry: Any, where: str) -> Layout:
    """The layout of one entry, whose numbers are then known to be some."""
    if not isinstance(entry, dict) or not {"image_id", "keypoints"} <= set(entry):
        got = describe_kind(entry)
        if isinstance(entry, dict):
            got = f"the keys {show(', '.join(entry))}"
        expected = "an object with 'image_id' and 'keypoints'"
        raise SkeletonFormatError(path, "result", expected, got, where)
    count = len(check_numbers(path, entry["keypoints"], None, "keypoints", where))
    joints, rest = divmod(count, 3)
    if rest or joints not in _LAYOUTS:
        expected = " or ".join(str(3 * joints) for joints in _LAYOUTS) + " numbers"
        raise SkeletonFormatError(path, "keypoints", expected, f"{count}", where)
    return create_layout(_LAYOUTS[joints])


def _person(entry: dict[str, Any]) -> int:
    """The number a tracker gave, which may be a float or stand in a list; -1 if there is none."""
    value = entry.get("idx", entry.get("track_id"))
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**31 else -1


def _times(path: Path, images: list[Any]) -> list[int]:
    """For every entry the number of its frame, from 0."""
    numbers = []
    for entry, image in enumerate(images, start=1):
        digits = re.findall(r"\d{1,18}", Path(image).stem) if isinstance(image, str) else None
        if type(image) is int and image >= 0:
            numbers.append(image)
        elif digits:
            numbers.append(int(digits[-1]))
        else:
            expected = "a frame number, or a name that holds one"
            raise SkeletonFormatError(path, "image_id", expected, show(image), f"entry {entry}")
    first, last = min(numbers), max(numbers)
    if last - first >= MAX_FRAMES:
        expected = f"at most {MAX_FRAMES:,} from the first to the last image"
        raise SkeletonFormatError(path, "image_id", expected, f"{first} to {last}")
    return [number - first for number in numbers]


def write_coco_json(path: str | Path, clip: SkeletonSequence) -> None:
    """Write a clip as a list of results, whole or not at all.

    Frames are numbered from 0; persons get their number as ``idx``. Frames without persons are not
    in the list, so those at the beginning and at the end are lost.

    Raises
    ------
    LayoutError : if the clip is not on layout coco17 or halpe26
    SkeletonFormatError : if nobody is in the clip

    Examples
    --------
    See :func:`read_coco_json`; coordinates, confidence and persons are read back as they were.
    """
    path = Path(path)
    if clip.layout.name not in ("coco17", "halpe26"):
        raise LayoutError(
            f"these files hold layout 'coco17' or 'halpe26'; this clip has layout "
            f"{clip.layout.summary}; map it first"
        )
    frames = written_people(clip.keypoints, clip.confidence)
    entries = [
        {
            "image_id": time,
            "category_id": 1,
            "keypoints": table.ravel().tolist(),
            "score": float(table[:, -1].mean()),
            "idx": person,
        }
        for time, people in enumerate(frames)
        for person, table in people
    ]
    if not entries:
        raise SkeletonFormatError(path, "persons", "a person in some frame", "none")
    with atomic_path(path) as temporary:
        temporary.write_bytes(orjson.dumps(entries))


register_format(
    SkeletonFormat(
        name="coco-json",
        title="COCO-17 or Halpe-26 results in JSON (AlphaPose and others)",
        layout=None,
        suffixes=(".json",),
        read=read_coco_json,
        write=write_coco_json,
        sniff=lambda head: (
            head.lstrip()[:1] == b"[" and b'"keypoints"' in head and b'"image_id"' in head
        ),
    )
)
