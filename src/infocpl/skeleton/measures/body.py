"""One person's joints over time, turned to face one way, and what is often asked of them."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from infocpl.skeleton.measures.signals import extent, path_length, smooth

__all__ = ["SIDES", "STILL", "TINY", "Body", "distance", "face_forward"]

Floats = NDArray[np.float64]

SIDES = ("left", "right")
TINY = 1e-6
STILL = 0.3
"""Torso lengths of path that noise alone gives; keeps logarithms of rest apart."""


class Body:
    """Joints (N, T, 3) of one person a clip, turned to face -z, and what is often asked of them."""

    def __init__(self, clips: Floats, names: list[str]) -> None:
        self._clips = smooth(face_forward(clips, names))
        self._names = names
        self.frames = clips.shape[1]
        self.ends = max(1, self.frames // 8)

    def __getitem__(self, name: str) -> Floats:
        joint: Floats = self._clips[:, :, self._names.index(name)]
        return joint

    @cached_property
    def neck(self) -> Floats:
        """Middle of the shoulders."""
        return (self["left_shoulder"] + self["right_shoulder"]) / 2

    @cached_property
    def pelvis(self) -> Floats:
        """Middle of the hips."""
        return (self["left_hip"] + self["right_hip"]) / 2

    @cached_property
    def arm_path(self) -> dict[str, Floats]:
        """(N,) way of each wrist about the neck."""
        return {side: path_length(self[f"{side}_wrist"] - self.neck) for side in SIDES}

    @cached_property
    def leg_path(self) -> dict[str, Floats]:
        """(N,) way of each knee and ankle about the pelvis."""
        joints = ("knee", "ankle")
        return {
            side: np.sum(
                [path_length(self[f"{side}_{joint}"] - self.pelvis) for joint in joints], axis=0
            )
            for side in SIDES
        }

    @cached_property
    def strides(self) -> Floats:
        """(N,) how far both knees go up and forward about the pelvis."""
        knees = [extent(self[f"{side}_knee"] - self.pelvis)[:, 1:] for side in SIDES]
        strides: Floats = np.sum(knees, axis=(0, 2))
        return strides

    @cached_property
    def arms(self) -> Floats:
        """(N,) way of both wrists."""
        return self.arm_path["left"] + self.arm_path["right"]

    @cached_property
    def arm_share(self) -> Floats:
        """(N,) of all movement, between 0 and 1."""
        legs = self.leg_path["left"] + self.leg_path["right"] + path_length(self.pelvis)
        share: Floats = self.arms / (self.arms + legs + TINY)
        return share

    @cached_property
    def both_arms(self) -> Floats:
        """(N,) 1 where both wrists move as far, 0 where one rests."""
        left, right = self.arm_path["left"], self.arm_path["right"]
        share: Floats = np.minimum(left, right) / (np.maximum(left, right) + TINY)
        return share

    @cached_property
    def rightness(self) -> Floats:
        """(N,) 1 where only the right arm moves, -1 where only the left does."""
        difference = self.arm_path["right"] - self.arm_path["left"]
        share: Floats = difference / (self.arms + TINY)
        return share

    def working(self, joint: str) -> Floats:
        """(N, T, 3) a joint of the arm that moves further."""
        right = (self.rightness >= 0)[:, None, None]
        found: Floats = np.where(right, self[f"right_{joint}"], self[f"left_{joint}"])
        return found

    @cached_property
    def hand(self) -> Floats:
        """(N, T, 3) working wrist about the neck."""
        return self.working("wrist") - self.neck

    @cached_property
    def movers(self) -> list[Floats]:
        """(N, T, 3) tracks of what may lead a movement: hands, feet, the upper and lower trunk.

        Each is seen from what carries it (hands from the neck, feet and neck from the pelvis, the
        pelvis from the height of the ankles), so that nothing seems to move because the body gets
        about.
        """
        hands = [self[f"{side}_wrist"] - self.neck for side in SIDES]
        feet = [self[f"{side}_ankle"] - self.pelvis for side in SIDES]
        height = self.height[..., None] * np.array([0.0, 1.0, 0.0])
        return [*hands, *feet, self.neck - self.pelvis, height]

    @cached_property
    def spans(self) -> Floats:
        """(P, N) size of the space that each of the P :attr:`movers` goes through."""
        spans: Floats = np.stack([np.linalg.norm(extent(lead), axis=1) for lead in self.movers])
        return spans

    @cached_property
    def hands_apart(self) -> Floats:
        """(N, T) distance of the wrists."""
        return distance(self["left_wrist"], self["right_wrist"])

    @cached_property
    def height(self) -> Floats:
        """(N, T) of the pelvis above the ankles."""
        ankles = (self["left_ankle"] + self["right_ankle"])[..., 1] / 2
        height: Floats = self.pelvis[..., 1] - ankles
        return height

    def at_start(self, signal: Floats) -> Floats:
        """(N,) mean over the first frames of (N, T)."""
        mean: Floats = signal[:, : self.ends].mean(axis=1)
        return mean

    def at_end(self, signal: Floats) -> Floats:
        """(N,) mean over the last frames of (N, T)."""
        mean: Floats = signal[:, -self.ends :].mean(axis=1)
        return mean


def face_forward(clips: Floats, names: list[str]) -> Floats:
    """Turn each body about the vertical until its right hip and shoulder lie on +x."""
    first = clips[:, : max(1, clips.shape[1] // 10)]
    across = np.mean(
        [
            first[:, :, names.index(f"right_{joint}")] - first[:, :, names.index(f"left_{joint}")]
            for joint in ("hip", "shoulder")
        ],
        axis=(0, 2),
    )
    length = np.hypot(across[:, 0], across[:, 2])
    known = length > TINY
    safe = np.where(known, length, 1.0)
    cosine = np.where(known, across[:, 0] / safe, 1.0)[:, None, None]
    sine = np.where(known, across[:, 2] / safe, 0.0)[:, None, None]
    x, y, z = clips[..., 0], clips[..., 1], clips[..., 2]
    return np.stack([cosine * x + sine * z, y, cosine * z - sine * x], axis=-1)


def distance(a: Floats, b: Floats) -> Floats:
    """(...,) between points (..., 3)."""
    distance: Floats = np.linalg.norm(a - b, axis=-1)
    return distance
