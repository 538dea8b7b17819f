"""What a depth sensor makes of moving bodies: view, distance, jitter, guesses, lost frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.synthetic.kinematics import rotation

__all__ = ["CAMERA_YAWS", "View", "create_view", "observe"]

Array = NDArray[np.float64]

CAMERA_YAWS = {1: (-15.0, 15.0), 2: (-45.0, -15.0), 3: (15.0, 45.0)}
"""Degrees by which people face past the sensor, for each camera number in a file name."""

_LAYOUT = create_layout("ntu25")
_NEAREST = 1.3
# Joints at the ends of limbs are small in the depth image, hence noisier.
_LOOSE = np.ones(len(_LAYOUT))
for _joint in ("hand", "hand_tip", "thumb", "foot", "wrist", "ankle"):
    for _side in ("left", "right"):
        _LOOSE[_LAYOUT.index(f"{_side}_{_joint}")] = 1.35 if _joint in ("wrist", "ankle") else 1.8
_ENDS = np.flatnonzero(_LOOSE > 1.0)


@dataclass(frozen=True)
class View:
    """Where the sensor stands.

    Attributes
    ----------
    camera : number in file names, a key of :data:`CAMERA_YAWS`
    yaw : degrees by which the people are turned to the left, as the sensor sees them
    distance : metres from the sensor to the middle of the action
    aside : metres by which that middle is off the sensor's axis
    height : metres of the sensor above the floor
    tilt : degrees by which the sensor looks down
    """

    camera: int = 1
    yaw: float = 0.0
    distance: float = 3.0
    aside: float = 0.0
    height: float = 1.0
    tilt: float = 0.0


def create_view(rng: np.random.Generator) -> View:
    """A random place for the sensor: up to 45 degrees aside, 2.2 to 3.9 m away."""
    camera = int(rng.integers(1, 4))
    height = float(rng.uniform(0.8, 1.8))
    return View(
        camera=camera,
        yaw=float(rng.uniform(*CAMERA_YAWS[camera])),
        distance=float(rng.uniform(2.2, 3.9)),
        aside=float(rng.uniform(-0.35, 0.35)),
        height=height,
        tilt=(height - 1.0) * 12.0 + float(rng.uniform(-3.0, 3.0)),
    )


def look(joints: Array, view: View) -> Array:
    """World to sensor coordinates, without noise.

    Parameters
    ----------
    joints : (M, T, 25, 3) metres, floor at y = 0
    view : place of the sensor

    Returns
    -------
    (M, T, 25, 3) metres from the sensor: x to its left, y up, z ahead; people who faced -z look
    at the sensor, apart from the yaw
    """
    low, high = joints[:, :, 0].min(axis=(0, 1)), joints[:, :, 0].max(axis=(0, 1))
    middle = 0.5 * (low + high) * (1.0, 0.0, 1.0)
    turned = (joints - middle) @ rotation("y", view.yaw)[0].T
    # Whoever walks towards the sensor must not walk through it.
    distance = max(view.distance, _NEAREST - float(turned[:, :, :, 2].min()))
    turned += (view.aside, -view.height, distance)
    result: Array = turned @ rotation("x", -view.tilt)[0].T
    return result


def observe(
    joints: Array, view: View, rng: np.random.Generator, *, noise: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Look at bodies through a noisy sensor.

    Jitter is about a centimetre at three metres, grows with the square of the distance like the
    depth error of a Kinect (Khoshelham and Elberink, 2012), and has a short memory because the
    sensor smooths. Now and then a limb end is a guess (confidence 0.5, several centimetres off)
    for some frames, and rarely a body is lost for up to three.

    Parameters
    ----------
    joints : (M, T, 25, 3) metres, floor at y = 0
    view : place of the sensor
    rng : source of all noise
    noise : factor on all of it; 0 gives exact positions, full confidence, and no lost frames

    Returns
    -------
    keypoints (M, T, 25, 3) float32 metres, and confidence (M, T, 25) float32 in {0, 0.5, 1}
    """
    seen = look(joints, view)
    persons, frames = seen.shape[:2]
    confidence = np.ones(seen.shape[:3], dtype=np.float32)
    if noise > 0.0:
        memory = 0.6
        white = rng.standard_normal(seen.shape) * np.sqrt(1.0 - memory**2)
        jitter = lfilter([1.0], [1.0, -memory], white, axis=1)
        scale = 0.007 * noise * (np.abs(seen[..., 2:3]) / 3.0) ** 2 * _LOOSE[:, None]
        seen = seen + jitter * scale
        for person in range(persons):
            for _ in range(rng.poisson(1.2 * noise)):
                _guess(seen[person], confidence[person], rng, noise)
        for person in range(persons):
            if frames > 8 and rng.random() < min(0.9, 0.12 * noise):
                start, length = int(rng.integers(1, frames - 4)), int(rng.integers(1, 4))
                seen[person, start : start + length] = 0.0
                confidence[person, start : start + length] = 0.0
    return seen.astype(np.float32), confidence


def _guess(
    seen: Array, confidence: NDArray[np.float32], rng: np.random.Generator, by: float
) -> None:
    """Put one limb end off its place for some frames, in place."""
    joint = int(rng.choice(_ENDS))
    length = int(rng.integers(3, 11))
    start = int(rng.integers(0, max(1, len(seen) - length)))
    burst = slice(start, start + length)
    seen[burst, joint] += rng.normal(scale=0.035 * by, size=3)
    confidence[burst, joint] = 0.5
