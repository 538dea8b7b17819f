"""Maps between joint layouts, made from joint names alone.

Joints that mean the same place carry the same name in every layout, so they are copied. A joint
that the source lacks may be derived as the mean of joints it has: the target layout may list the
candidates, and ``derivations.json`` does so for every joint name. Otherwise it is missing, which is
an error unless asked for. The same holds for depth where a flat layout is mapped onto a spatial
one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["JointEntry", "LayoutMap", "create_layout_map"]


@dataclass(frozen=True)
class JointEntry:
    """Where one joint of the target comes from.

    Attributes
    ----------
    joint : joint of the target layout
    how : ``"copied"``, ``"derived"`` or ``"missing"``
    sources : joints of the source layout (one if copied, their mean if derived, none if missing)
    fill : joint of the target at which a missing one stands; "" if it is not missing
    """

    joint: str
    how: Literal["copied", "derived", "missing"]
    sources: tuple[str, ...]
    fill: str = ""

    @property
    def note(self) -> str:
        """How the joint is obtained, in words; "" for a copied one.

        Examples
        --------
        >>> JointEntry("left_hand", "derived", ("left_wrist",)).note
        'stands at left_wrist'
        """
        if self.how == "missing":
            return f"stands at {self.fill} with confidence 0"
        if self.how == "copied":
            return ""
        one = len(self.sources) == 1
        return ("stands at " if one else "mean of ") + ", ".join(self.sources)


@dataclass(frozen=True)
class LayoutMap:
    """A map from one layout to another; make it with :func:`create_layout_map`.

    Attributes
    ----------
    source, target : the two layouts
    entries : one :class:`JointEntry` for each target joint, in the target's order
    """

    source: Layout
    target: Layout
    entries: tuple[JointEntry, ...]

    @property
    def depth(self) -> Literal["copied", "missing", "dropped", "none"]:
        """What becomes of the third coordinate; a missing one is zero everywhere."""
        if self.target.dims == 3:
            return "copied" if self.source.dims == 3 else "missing"
        return "dropped" if self.source.dims == 3 else "none"

    def apply(self, clip: SkeletonSequence) -> SkeletonSequence:
        """Return `clip` on the target layout.

        Copied joints keep coordinates and confidence. A derived joint is the mean of its sources
        with the lowest of their confidences. A missing joint stands at its parent with zero
        confidence. Absent persons stay absent. A missing depth is zero.

        Parameters
        ----------
        clip : (M, T, V, C) on the source layout

        Returns
        -------
        SkeletonSequence : (M, T, V', C') on the target layout

        Raises
        ------
        LayoutError : if the clip is on another layout than the source
        """
        if clip.layout != self.source:
            raise LayoutError(
                f"this map takes layout {self.source.name!r}; clip {clip.source!r} has layout "
                f"{clip.layout.name!r} ({len(clip.layout)} joints)"
            )
        shape = (clip.persons, clip.frames, len(self.target))
        dims = min(self.source.dims, self.target.dims)
        keypoints = np.zeros((*shape, self.target.dims), dtype=np.float32)
        confidence = np.zeros(shape, dtype=np.float32)
        for at, entry in enumerate(self.entries):
            if entry.how != "missing":
                index = [self.source.index(joint) for joint in entry.sources]
                keypoints[:, :, at, :dims] = clip.keypoints[:, :, index, :dims].mean(axis=2)
                confidence[:, :, at] = clip.confidence[:, :, index].min(axis=2)
        for at, entry in enumerate(self.entries):
            if entry.how == "missing":
                keypoints[:, :, at] = keypoints[:, :, self.target.index(entry.fill)]
        # Where no copied or derived joint is trusted the person is absent, and absent means zero.
        keypoints[confidence.max(axis=2) == 0] = 0
        return clip.with_keypoints(keypoints, confidence=confidence, layout=self.target)

    def table(self) -> list[dict[str, str]]:
        """Rows for people: target joint, how it is obtained, from which source joints, in words.

        Examples
        --------
        >>> from infocpl.skeleton.layout import create_layout
        >>> chart = create_layout_map(create_layout("kinect20"), create_layout("ntu25")).table()
        >>> chart[2]["joint"], chart[2]["how"], chart[2]["note"]
        ('neck', 'derived', 'mean of upper_spine, head')
        """
        return [
            {
                "joint": entry.joint,
                "how": entry.how,
                "from": ", ".join(entry.sources),
                "note": entry.note,
            }
            for entry in self.entries
        ]

    def report(self) -> str:
        """The whole map in a few lines of text.

        Examples
        --------
        >>> from infocpl.skeleton.layout import create_layout
        >>> flat, spatial = create_layout("openpose18"), create_layout("sbu15")
        >>> print(create_layout_map(flat, spatial, allow_missing=True).report())
        openpose18 (18 joints, 2-D) -> sbu15 (15 joints, 3-D)
        depth: missing, 0 everywhere
        copied: neck, left_shoulder, left_elbow, right_shoulder, right_elbow, left_hip, \
left_knee, right_hip, right_knee
        derived: head (mean of left_ear, right_ear), spine (mean of left_hip, right_hip, \
left_shoulder, right_shoulder), left_hand (stands at left_wrist), right_hand (stands at \
right_wrist), left_foot (stands at left_ankle), right_foot (stands at right_ankle)
        missing: nothing
        """
        lines = [f"{self.source.summary} -> {self.target.summary}"]
        depth = {
            "missing": "missing, 0 everywhere",
            "dropped": "dropped, the body is seen from the front",
        }
        if self.depth in depth:
            lines.append(f"depth: {depth[self.depth]}")
        for how in ("copied", "derived", "missing"):
            joints = [
                f"{entry.joint} ({entry.note})" if entry.note else entry.joint
                for entry in self.entries
                if entry.how == how
            ]
            lines.append(f"{how}: {', '.join(joints) or 'nothing'}")
        return "\n".join(lines)


def create_layout_map(source: Layout, target: Layout, *, allow_missing: bool = False) -> LayoutMap:
    """Make the map from `source` to `target`.

    From three dimensions to two, depth is dropped: a y-up body is then seen from the front.

    Parameters
    ----------
    source, target : any two layouts
    allow_missing : fill joints that can be neither copied nor derived, and the depth of a flat
        layout (see :meth:`LayoutMap.apply`), instead of refusing

    Returns
    -------
    LayoutMap : one entry for each joint of `target`

    Raises
    ------
    LayoutError : if the target's centre is missing, or if depth or any other joint is missing and
        `allow_missing` is false

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> chart = create_layout_map(create_layout("ntu25"), create_layout("kinect20"))
    >>> {entry.how for entry in chart.entries}
    {'copied'}
    >>> create_layout_map(create_layout("coco17"), create_layout("ntu25"))
    Traceback (most recent call last):
    infocpl.errors.LayoutError: layout coco17 (17 joints, 2-D) does not map onto ntu25 \
(25 joints, 3-D): it has no depth; pass allow_missing=True to set it to zero
    """
    found = {joint: _find(joint, source, target) for joint in target.joints}
    missing = [joint for joint, sources in found.items() if not sources]
    problem = f"layout {source.summary} does not map onto {target.summary}: "
    if target.center in missing:
        raise LayoutError(
            f"{problem}it has nothing that could stand for {target.center!r}, the target's centre"
        )
    if missing and not allow_missing:
        raise LayoutError(
            f"{problem}it lacks {', '.join(missing)}; pass allow_missing=True to fill them with "
            "zero confidence"
        )
    if source.dims < target.dims and not allow_missing:
        raise LayoutError(f"{problem}it has no depth; pass allow_missing=True to set it to zero")
    parent = dict(target.bones)
    entries = []
    for joint, sources in found.items():
        if sources:
            how: Literal["copied", "derived"] = "copied" if sources == (joint,) else "derived"
            entries.append(JointEntry(joint, how, sources))
            continue
        ancestor = parent[joint]
        # The centre is never missing, so the walk up the tree ends.
        while ancestor in missing:
            ancestor = parent[ancestor]
        entries.append(JointEntry(joint, "missing", (), ancestor))
    return LayoutMap(source, target, tuple(entries))


def _find(joint: str, source: Layout, target: Layout) -> tuple[str, ...]:
    """The joints of the source that give `joint`; none if it is missing."""
    for candidate in ((joint,), *target.derive.get(joint, ()), *_derivations().get(joint, ())):
        if set(candidate) <= set(source.joints):
            return candidate
    return ()


@cache
def _derivations() -> dict[str, tuple[tuple[str, ...], ...]]:
    """Candidates that hold for every layout, SIDE replaced by left and right."""
    text = (resources.files("infocpl.skeleton") / "derivations.json").read_text(encoding="utf-8")
    table: dict[str, tuple[tuple[str, ...], ...]] = {}
    for side in ("left", "right"):
        for joint, candidates in json.loads(text.replace("SIDE", side))["candidates"].items():
            table[joint] = tuple(tuple(candidate) for candidate in candidates)
    return table
