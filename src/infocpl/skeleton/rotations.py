"""Rotations about the axes of a right-handed frame, for all frames of a clip at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from infocpl.errors import DataError

__all__ = ["euler_rotation", "rotation"]

Array = NDArray[np.float64]


def rotation(axis: str, degrees: ArrayLike) -> Array:
    """Right-handed rotations about ``"x"``, ``"y"`` or ``"z"``: (T,) degrees to (T, 3, 3).

    Examples
    --------
    >>> rotation("z", [90.0])[0].dot([1.0, 0.0, 0.0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    angle = np.radians(np.atleast_1d(np.asarray(degrees, dtype=np.float64)))
    if axis not in ("x", "y", "z"):
        raise DataError(f"axis: expected x, y or z, got {axis!r}")
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.zeros((len(angle), 3, 3))
    matrix[:, [0, 1, 2], [0, 1, 2]] = 1.0
    matrix[:, first, first] = matrix[:, second, second] = np.cos(angle)
    matrix[:, second, first] = np.sin(angle)
    matrix[:, first, second] = -matrix[:, second, first]
    return matrix


def euler_rotation(axes: Sequence[str], degrees: ArrayLike) -> Array:
    """Product of rotations about `axes`, the last one applied first.

    Parameters
    ----------
    axes : K of ``"x"``, ``"y"`` and ``"z"``, in any order; none for the identity
    degrees : (T, K) angles

    Returns
    -------
    (T, 3, 3) matrices R(axes[0]) R(axes[1]) ... for column vectors

    Examples
    --------
    >>> turn = euler_rotation("zx", [[90.0, 90.0]])[0]
    >>> turn.round().astype(int).tolist()
    [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    """
    angles = np.asarray(degrees, dtype=np.float64)
    result: Array = np.broadcast_to(np.eye(3), (len(angles), 3, 3))
    for at, axis in enumerate(axes):
        result = result @ rotation(axis, angles[:, at])
    return result
