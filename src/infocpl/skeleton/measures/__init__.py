"""What a skeleton shows of its traits without any training: measures of a clip.

A lexicon says of an action that the right arm moves, in a circle, at head height, and that the
body stands. Much of that can be read off a skeleton by plain geometry. Each measure bears the name
of the trait it speaks for (:data:`infocpl.semantics.traits.TRAIT_DIMENSIONS`) and grows with it;
zero and unit mean nothing until training clips give them one (:mod:`infocpl.alignment.measured`).

The definitions follow from what the words mean, and were revised by how well each agrees with the
known traits of generated actions (docs/measures.md says when, and what was looked at besides).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import Layout
from infocpl.skeleton.measures.body import SIDES, Body
from infocpl.skeleton.measures.hand import measure_arms, measure_places
from infocpl.skeleton.measures.limbs import measure_limbs, measure_postures
from infocpl.skeleton.measures.movement import measure_directions, measure_paths
from infocpl.skeleton.measures.pair import measure_pair

__all__ = ["MEASURES", "measure_clips"]

Floats = NDArray[np.float64]

_LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
# Sensors that see no wrist see a hand, and so on.
_STAND_INS = {"wrist": "hand", "ankle": "foot", "head": "nose"}
_CHUNK = 512  # clips measured at a time


class Clips(Protocol):
    """An array of clips, or rows of one that are copied to memory when they are asked for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, M, T, V, C)."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: slice, /) -> NDArray[Any]: ...


def measure_clips(keypoints: Clips, layout: Layout) -> NDArray[np.float32]:
    """Measure clips.

    Parameters
    ----------
    keypoints : (N, M, T, V, C) normalised clips (:func:`infocpl.skeleton.transforms.normalise`),
        T >= 2; of two persons the one who moves more is looked at. Flat clips have no depth: C is
        2, and what is measured along it is the same for all
    layout : of the V axis

    Returns
    -------
    (N, Q) float32, columns as :data:`MEASURES`; finite for finite clips, NaN for any other

    Raises
    ------
    LayoutError : if the layout lacks a joint that is needed, or the clips do not fit it

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> still = np.zeros((1, 1, 8, 25, 3))
    >>> measure_clips(still, create_layout("ntu25")).shape == (1, len(MEASURES))
    True
    """
    joints = _find_joints(layout)
    if joints is None:
        raise LayoutError(
            f"layout {layout.summary}: measures need shoulders, elbows, wrists, hips, knees, "
            f"ankles and a head; it has {', '.join(layout.joints)}"
        )
    shape = keypoints.shape
    if len(shape) != 5 or shape[2] < 2 or shape[3:] != (len(layout), layout.dims):
        raise LayoutError(
            f"clips to measure: expected (N, M, T >= 2, {len(layout)}, {layout.dims}) for layout "
            f"{layout.name!r}, got {shape}"
        )
    parts = [np.zeros((0, len(MEASURES)), dtype=np.float32)]
    for start in range(0, len(keypoints), _CHUNK):
        block = np.asarray(keypoints[start : start + _CHUNK], dtype=np.float64)
        block = np.pad(block, [(0, 0)] * 4 + [(0, 3 - layout.dims)])
        finite = np.isfinite(np.abs(block).max(axis=(1, 2, 3, 4)))
        # One clip that is no number must not cost the others theirs.
        table = _measure(np.where(finite[:, None, None, None, None], block, 0.0), joints)
        parts.append(np.where(finite[:, None], table, np.float32(np.nan)))
    return np.concatenate(parts)


def _find_joints(layout: Layout) -> dict[str, int] | None:
    """Position of every joint that is needed; None if one is missing without a stand-in."""
    found = {}
    for name in ("head", *(f"{side}_{limb}" for side in SIDES for limb in _LIMBS)):
        kind = name.rpartition("_")[2]
        other = name.removesuffix(kind) + _STAND_INS.get(kind, kind)
        known = next((joint for joint in (name, other) if joint in layout.joints), None)
        if known is None:
            return None
        found[name] = layout.index(known)
    return found


def _measure(block: Floats, joints: dict[str, int]) -> NDArray[np.float32]:
    order = list(joints.values())
    picked = block[:, :, :, order]
    present = np.abs(picked).max(axis=(3, 4)) > 0
    moved = np.linalg.norm(np.diff(picked, axis=2), axis=-1).sum(axis=(2, 3))
    # Whoever comes and goes seems to jump; that is no movement.
    moved *= present.all(axis=2)
    lead = moved.argmax(axis=1)
    rows = np.arange(len(block))
    found = _alone(Body(picked[rows, lead], list(joints)))
    found |= measure_pair(picked, present, lead, list(joints))
    table = np.stack([found[name] for name in MEASURES], axis=1)
    return table.astype(np.float32)


def _alone(body: Body) -> dict[str, Floats]:
    parts = (
        measure_limbs,
        measure_directions,
        measure_paths,
        measure_arms,
        measure_places,
        measure_postures,
    )
    return {name: values for part in parts for name, values in part(body).items()}


def _list_measures() -> tuple[str, ...]:
    names = ["head", *(f"{side}_{limb}" for side in SIDES for limb in _LIMBS)]
    alone = _alone(Body(np.zeros((1, 2, len(names), 3)), names))
    nobody = np.zeros((1, 1, 2, len(names), 3))
    absent = np.zeros((1, 1, 2), dtype=bool)
    return (*alone, *measure_pair(nobody, absent, np.zeros(1, dtype=np.intp), names))


MEASURES = _list_measures()
"""Traits that are measured, in the order of the columns."""
