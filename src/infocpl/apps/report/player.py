"""Clips for the page: checked, reduced to whole numbers, and safe inside a script element."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from infocpl.errors import DataError

__all__ = [
    "clip_cards",
    "clip_payload",
    "need",
    "number",
    "optional",
    "percent",
    "script_json",
]

MAX_FRAMES = 300
"""Longer clips are thinned evenly, so that a page with a dozen clips stays below a few MB."""

STEPS = 2000
"""Coordinates are stored as whole numbers, this many to the extent of the movement."""

_WORDS = {str: "text", dict: "an object", list: "a list", bool: "true or false", int: "a number"}
_ACCEPTED: dict[type, Any] = {dict: Mapping, list: (list, tuple)}


def need(data: Any, key: str, kind: type, where: str) -> Any:
    """Return ``data[key]`` if it is there and of the right kind.

    Parameters
    ----------
    data : a JSON object
    key : the entry asked for
    kind : ``str``, ``dict``, ``list``, ``bool`` or ``int`` (which stands for any finite number)
    where : where `data` stands, for the message

    Raises
    ------
    DataError : names the place, what was expected and what was found

    Examples
    --------
    >>> need({"seeds": [0, 1]}, "seeds", list, "result")
    [0, 1]
    """
    if not isinstance(data, Mapping):
        raise DataError(f"{where}: expected an object, got {_show(data)}")
    if key not in data:
        raise DataError(f"{where}.{key}: expected {_WORDS[kind]}, but the key is missing")
    value = data[key]
    accepted = _ACCEPTED.get(kind, kind)
    fits = number(value) is not None if kind is int else isinstance(value, accepted)
    if not fits:
        raise DataError(f"{where}.{key}: expected {_WORDS[kind]}, got {_show(value)}")
    return value


def number(value: Any) -> float | None:
    """Return `value` as a finite float, or None if it is anything else.

    Examples
    --------
    >>> number(2), number(True), number("2"), number(float("nan"))
    (2.0, None, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def optional(data: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    """Like :func:`need`, but an absent or null entry is an empty one."""
    if data.get(key) is None:
        return kind()
    return need(data, key, kind, where)


def percent(value: Any) -> str:
    """Return a share as per cent with one decimal, and anything that is no number as a dash.

    Examples
    --------
    >>> percent(0.6), percent(None)
    ('60.0', '–')
    """
    found = number(value)
    return "–" if found is None else f"{100 * found:.1f}"


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def script_json(value: Any) -> Markup:
    r"""JSON that may stand inside ``<script type="application/json">`` whatever it holds.

    Every character that could end the element or start a comment is written as an escape, which
    a JSON reader turns back into the same character.

    Examples
    --------
    >>> print(script_json("</script>"))
    "\u003c/script\u003e"
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - nothing that HTML could read is left in the text


def clip_payload(clip: Mapping[str, Any], where: str = "clip") -> dict[str, Any]:
    """Reduce one clip to what the canvas player draws.

    Coordinates become whole numbers of ``step`` (in units of the clip) from ``origin``, which lies
    on the floor below the middle of the movement. Clips above :data:`MAX_FRAMES` frames keep
    every n-th frame and play at the same speed.

    Parameters
    ----------
    clip : one entry of the `clips` of :func:`~infocpl.apps.report.write_report`; keypoints
        (M, T, V, 3), y up; a person whose joints are all exactly zero in a frame is absent there
    where : where the clip stands, for messages

    Returns
    -------
    dict with ``shape`` (M, T, V), ``points`` (M*T*V*3 whole numbers), ``present`` (for every
    person a text of T times 0 or 1), ``origin``, ``step``, ``height`` and ``radius`` (in steps),
    ``fps``, ``every``, ``bones``, ``sides`` (for every joint "left", "right" or "middle"),
    ``head`` (the joint drawn as a head, or None), ``name`` and ``label``

    Raises
    ------
    DataError : names the clip and the field

    Examples
    --------
    >>> clip = {"name": "a", "true": "wave", "fps": 10, "bones": [[1, 0]], "parts": {},
    ...         "keypoints": [[[[0.0, 1.0, 2.0], [0.0, 1.5, 2.0]]]]}
    >>> clip_payload(clip)["shape"]
    [1, 1, 2]
    """
    points = _keypoints(clip, where)
    persons, frames, joints, _ = points.shape
    fps = need(clip, "fps", int, where)
    if fps <= 0:
        raise DataError(f"{where}.fps: expected a number above 0, got {fps}")
    every = -(-frames // MAX_FRAMES)
    points = points[:, ::every]
    present = (points != 0).any(axis=(2, 3))
    origin, extent, radius, height = _box(points, present)
    step = extent / STEPS
    bones = _bones(clip, joints, where)
    whole = np.rint((points - origin) / step).astype(np.int64)
    whole[~present] = 0
    return {
        "name": need(clip, "name", str, where),
        "label": need(clip, "true", str, where),
        "shape": [persons, points.shape[1], joints],
        "points": whole.ravel().tolist(),
        "present": ["".join("1" if seen else "0" for seen in row) for row in present],
        "origin": [float(value) for value in origin],
        "step": step,
        "radius": round(radius / step),
        "height": round(height / step),
        "fps": float(fps) / every,
        "every": every,
        "bones": bones,
        "sides": _sides(clip, joints, where),
        "head": _head(clip, bones),
    }


def _keypoints(clip: Mapping[str, Any], where: str) -> NDArray[np.float64]:
    raw = need({"keypoints": _as_list(clip, where)}, "keypoints", list, where)
    expected = f"{where}.keypoints: expected numbers of shape (M, T, V, 3), none of them 0"
    try:
        points = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{expected}; got a ragged list or something not a number") from None
    if points.ndim != 4 or 0 in points.shape or points.shape[-1] != 3:
        raise DataError(f"{expected}; got shape {points.shape}")
    # The upper bound keeps differences and whole numbers of steps inside their types.
    if not (np.isfinite(points).all() and np.abs(points).max() < 1e12):
        raise DataError(f"{where}.keypoints: expected finite numbers below 1e12")
    return points


def _as_list(clip: Mapping[str, Any], where: str) -> Any:
    if not isinstance(clip, Mapping):
        raise DataError(f"{where}: expected an object, got {_show(clip)}")
    if "keypoints" not in clip:
        raise DataError(f"{where}.keypoints: expected a list, but the key is missing")
    value = clip["keypoints"]
    return value.tolist() if isinstance(value, np.ndarray) else value


def _box(
    points: NDArray[np.float64], present: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float, float, float]:
    """Origin on the floor, largest extent, horizontal radius and height of the movement."""
    bodies = points[present]
    if bodies.size == 0:
        return np.zeros(3), 1.0, 1.0, 1.0
    # Percentiles, because a sensor now and then throws one joint metres away.
    low, high = np.percentile(bodies.reshape(-1, 3), [1, 99], axis=0)
    floor = np.percentile(bodies[:, :, 1].min(axis=1), 10)
    origin = np.array([(low[0] + high[0]) / 2, floor, (low[2] + high[2]) / 2])
    height = float(high[1] - floor)
    radius = float(np.hypot(high[0] - low[0], high[2] - low[2]) / 2)
    extent = max(height, 2 * radius, float(np.ptp(bodies)) * 1e-6)
    return origin, extent if extent > 0 else 1.0, radius, height


def _bones(clip: Mapping[str, Any], joints: int, where: str) -> list[list[int]]:
    bones = []
    for place, bone in enumerate(need(clip, "bones", list, where)):
        pair = list(bone) if isinstance(bone, (list, tuple)) else []
        if len(pair) != 2 or not all(_is_joint(joint, joints) for joint in pair):
            raise DataError(
                f"{where}.bones[{place}]: expected two joint numbers from 0 to {joints - 1}, "
                f"got {_show(bone)}"
            )
        bones.append([int(joint) for joint in pair])
    return bones


def _sides(clip: Mapping[str, Any], joints: int, where: str) -> list[str]:
    sides = ["middle"] * joints
    parts = need(clip, "parts", dict, where)
    for part in parts:
        for joint in need(parts, part, list, f"{where}.parts"):
            if not _is_joint(joint, joints):
                raise DataError(
                    f"{where}.parts.{part}: expected joint numbers from 0 to {joints - 1}, "
                    f"got {_show(joint)}"
                )
            side = str(part).partition("_")[0]
            sides[joint] = side if side in ("left", "right") else "middle"
    return sides


def _head(clip: Mapping[str, Any], bones: list[list[int]]) -> int | None:
    """Return the one joint of the head where a bone ends; several make a face without circle."""
    ends = [joint for bone in bones for joint in bone]
    tips = [joint for joint in clip["parts"].get("head", ()) if ends.count(joint) == 1]
    return int(tips[0]) if len(tips) == 1 else None


def _is_joint(value: Any, joints: int) -> bool:
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return whole and 0 <= value < joints


def clip_cards(clips: Sequence[Mapping[str, Any]], scores: int = 5) -> list[dict[str, Any]]:
    """Check what is written beside every player: labels, best scores, believed descriptions.

    Parameters
    ----------
    clips : the `clips` of :func:`~infocpl.apps.report.write_report`
    scores : how many of the best scores to keep

    Raises
    ------
    DataError : names the clip and the field

    Examples
    --------
    >>> clip = {"name": "a", "true": "wave", "predicted": "throw", "correct": False,
    ...         "scores": {"throw": 0.75, "wave": 0.25}}
    >>> [(row["label"], row["percent"]) for row in clip_cards([clip])[0]["scores"]]
    [('throw', '75.0'), ('wave', '25.0')]
    """
    cards = []
    for place, clip in enumerate(clips):
        where = f"clips[{place}]"
        table = need(clip, "scores", dict, where)
        pairs = [(label, need(table, label, int, f"{where}.scores")) for label in table]
        pairs.sort(key=lambda pair: -pair[1])
        truth = need(clip, "true", str, where)
        cards.append(
            {
                "name": need(clip, "name", str, where),
                "true": truth,
                "predicted": need(clip, "predicted", str, where),
                "correct": need(clip, "correct", bool, where),
                "scores": [
                    {
                        "label": label,
                        "percent": f"{100 * value:.1f}",
                        "width": f"{100 * min(max(value, 0.0), 1.0):.2f}",
                        "true": label == truth,
                    }
                    for label, value in pairs[:scores]
                ],
                "hidden": max(0, len(pairs) - scores),
                "heads": _heads(clip.get("heads"), f"{where}.heads"),
            }
        )
    return cards


def _heads(heads: Any, where: str) -> list[dict[str, Any]]:
    if heads is None:
        return []
    if not isinstance(heads, (list, tuple)):
        raise DataError(f"{where}: expected a list, got {_show(heads)}")
    shown = []
    for place, head in enumerate(heads):
        here = f"{where}[{place}]"
        rows = []
        for line, row in enumerate(need(head, "believed", list, here)):
            at = f"{here}.believed[{line}]"
            weight = float(need(row, "weight", int, at))
            rows.append(
                {
                    "text": need(row, "text", str, at),
                    "granularity": need(row, "granularity", str, at),
                    "weight": weight,
                }
            )
        rows.sort(key=lambda row: -row["weight"])
        largest = max((row["weight"] for row in rows), default=0.0)
        for row in rows:
            share = row["weight"] / largest if largest > 0 else 0.0
            row["width"] = f"{100 * min(max(share, 0.0), 1.0):.2f}"
        shown.append({"k": int(need(head, "k", int, here)), "believed": rows})
    return shown
