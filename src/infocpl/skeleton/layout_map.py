"""Maps between joint layouts, made from joint names alone.

Joints that mean the same place carry the same name in every layout, so they are copied. A joint
that the source lacks may be derived as the mean of joints it has (the target layout lists the
candidates); otherwise it is missing, which is an error unless asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """

    joint: str
    how: Literal["copied", "derived", "missing"]
    sources: tuple[str, ...]


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

    def apply(self, clip: SkeletonSequence) -> SkeletonSequence:
        """Return `clip` on the target layout.

        Copied joints keep coordinates and confidence. A derived joint is the mean of its sources
        with the lowest of their confidences. A missing joint stands at its parent with zero
        confidence. Absent persons stay absent.

        Parameters
        ----------
        clip : (M, T, V, C) on the source layout

        Returns
        -------
        SkeletonSequence : (M, T, V', C) on the target layout

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
        keypoints = np.zeros((*shape, self.target.dims), dtype=np.float32)
        confidence = np.zeros(shape, dtype=np.float32)
        missing: list[str] = []
        for at, entry in enumerate(self.entries):
            if entry.how == "missing":
                missing.append(entry.joint)
                continue
            index = [self.source.index(joint) for joint in entry.sources]
            keypoints[:, :, at] = clip.keypoints[:, :, index].mean(axis=2)
            confidence[:, :, at] = clip.confidence[:, :, index].min(axis=2)
        parent = dict(self.target.bones)
        for joint in missing:
            ancestor = joint
            # The centre is never missing, so the walk up the tree ends.
            while ancestor in missing:
                ancestor = parent[ancestor]
            keypoints[:, :, self.target.index(joint)] = keypoints[:, :, self.target.index(ancestor)]
        # Where no copied or derived joint is trusted the person is absent, and absent means zero.
        keypoints[confidence.max(axis=2) == 0] = 0
        return clip.with_keypoints(keypoints, confidence=confidence, layout=self.target)

    def table(self) -> list[dict[str, str]]:
        """Rows for people: target joint, how it is obtained, and from which source joints.

        Examples
        --------
        >>> from infocpl.skeleton.layout import create_layout
        >>> chart = create_layout_map(create_layout("kinect20"), create_layout("ntu25")).table()
        >>> chart[2]
        {'joint': 'neck', 'how': 'derived', 'from': 'upper_spine, head'}
        """
        return [
            {"joint": entry.joint, "how": entry.how, "from": ", ".join(entry.sources)}
            for entry in self.entries
        ]


def create_layout_map(source: Layout, target: Layout, *, allow_missing: bool = False) -> LayoutMap:
    """Make the map from `source` to `target`.

    Parameters
    ----------
    source, target : layouts of the same number of dimensions
    allow_missing : fill joints that can be neither copied nor derived (see
        :meth:`LayoutMap.apply`) instead of refusing

    Returns
    -------
    LayoutMap : one entry for each joint of `target`

    Raises
    ------
    LayoutError : if dimensions differ, if the target's centre is missing, or if any other joint
        is missing and `allow_missing` is false

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> chart = create_layout_map(create_layout("ntu25"), create_layout("kinect20"))
    >>> {entry.how for entry in chart.entries}
    {'copied'}
    """
    if source.dims != target.dims:
        raise LayoutError(
            f"layout {source.name!r} is {source.dims}-D and {target.name!r} is {target.dims}-D; "
            "there is no map between them"
        )
    known = set(source.joints)
    entries = tuple(_find(joint, known, target) for joint in target.joints)
    missing = [entry.joint for entry in entries if entry.how == "missing"]
    if target.center in missing:
        raise LayoutError(
            f"layout {source.name!r} has nothing that could stand for {target.center!r}, the "
            f"centre of layout {target.name!r}"
        )
    if missing and not allow_missing:
        raise LayoutError(
            f"layout {source.name!r} lacks joints of layout {target.name!r}: "
            f"{', '.join(missing)}; pass allow_missing=True to fill them with zero confidence"
        )
    return LayoutMap(source, target, entries)


def _find(joint: str, known: set[str], target: Layout) -> JointEntry:
    if joint in known:
        return JointEntry(joint, "copied", (joint,))
    for candidate in target.derive.get(joint, ()):
        if known.issuperset(candidate):
            return JointEntry(joint, "derived", candidate)
    return JointEntry(joint, "missing", ())
