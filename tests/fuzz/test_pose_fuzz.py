"""Thousands of damaged files for the readers of poses and motion capture; see the loop beside."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infocpl.skeleton.formats import get_format
from infocpl.skeleton.formats.acclaim import (
    AcclaimMotion,
    joint_positions,
    read_amc,
    write_amc,
)
from infocpl.skeleton.formats.acclaim_skeleton import (
    AcclaimBone,
    AcclaimSkeleton,
    read_asf,
    write_asf,
)
from infocpl.skeleton.formats.bvh_text import BvhJoint, BvhMotion, write_bvh_motion
from infocpl.skeleton.formats.utkinect_clips import read_utkinect_labels
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

FIXED = np.random.default_rng(0)
XYZ = ("Xposition", "Yposition", "Zposition")


def written(name: str, layout: str, persons: int = 1, **change) -> Callable[[Path], bytes]:
    """A file of two frames by the writer of a format."""

    def make(folder: Path) -> bytes:
        shape = create_layout(layout)
        points = FIXED.uniform(0.1, 2.0, size=(persons, 2, len(shape), shape.dims)).round(2)
        write = get_format(name).write
        assert write is not None
        write(folder / "seed", SkeletonSequence(points, shape, **change))
        return (folder / "seed").read_bytes()

    return make


def bvh_seed(folder: Path) -> bytes:
    joints = (
        BvhJoint("Hips", -1, (0.0, 90.0, 0.0), (*XYZ, "Zrotation", "Xrotation", "Yrotation")),
        BvhJoint("Spine", 0, (0.0, 20.0, 0.0), ("Yrotation", "Zrotation", "Xrotation")),
        BvhJoint("SpineEnd", 1, (0.0, 20.0, 1.0), end=True),
        BvhJoint("LeftUpLeg", 0, (8.0, 0.0, 0.0), ("Xrotation",)),
    )
    values = FIXED.normal(scale=30.0, size=(3, 10)).round(2)
    write_bvh_motion(folder / "seed", BvhMotion(joints, 1 / 30, values))
    return (folder / "seed").read_bytes()


def acclaim_seed(folder: Path) -> None:
    """A skeleton of four bones, actor.asf, and two frames of its motion, actor.amc."""
    bones = (
        AcclaimBone("lhipjoint", (0.6, -0.7, 0.2), 2.5, (0.0, 0.0, 0.0)),
        AcclaimBone("lfemur", (0.3, -0.9, 0.0), 7.3, (0.0, 0.0, 20.0), "XYZ", ("rx", "ry", "rz")),
        AcclaimBone("ltibia", (0.3, -0.9, 0.0), 7.0, (0.0, 0.0, 20.0), "ZYX", ("rx",)),
        AcclaimBone("lowerback", (0.0, 1.0, 0.0), 2.2, (0.0, 10.0, 0.0), "XYZ", ("rx", "rz")),
    )
    parents = {"lhipjoint": "root", "lfemur": "lhipjoint", "ltibia": "lfemur", "lowerback": "root"}
    order = ("TX", "TY", "TZ", "RX", "RY", "RZ")
    zero = (0.0, 0.0, 0.0)
    write_asf(folder / "actor.asf", AcclaimSkeleton(0.45, order, "XYZ", zero, zero, bones, parents))
    widths = {"root": 6, "lfemur": 3, "ltibia": 1, "lowerback": 2}
    values = {name: FIXED.normal(size=(2, width)).round(3) for name, width in widths.items()}
    write_amc(folder / "actor.amc", AcclaimMotion(values))


def labels_seed(_: Path) -> bytes:
    return b"s01_e01\nwalk: 0 4\ncarry:  NaN NaN\nsitDown: 6 8 \ns01_e02\nwalk: 10 12\n"


def frames_of_landmarks(_: Path) -> bytes:
    """Landmarks as lists, two people in a frame, and a frame of nobody."""
    person = FIXED.uniform(size=(33, 4)).round(2).tolist()
    return json.dumps([{"landmarks": [person, person]}, {"landmarks": []}]).encode()


def read_clip(name: str) -> Callable[[Path], list[np.ndarray]]:
    item = get_format(name)

    def read(path: Path) -> list[np.ndarray]:
        clip = item.read(path)
        return [clip.keypoints, clip.confidence]

    return read


# At least 5,000 mutants for every reader, in all its cases together.
CASES = {
    "msr-action3d": (read_clip("msr-action3d"), written("msr-action3d", "kinect20"), "text", 5_000),
    "utkinect": (read_clip("utkinect"), written("utkinect", "kinect20"), "text", 5_000),
    "bvh": (read_clip("bvh"), bvh_seed, "text", 2_500),
    "bvh of positions": (read_clip("bvh"), written("bvh", "sbu15"), "text", 2_500),
    "openpose": (read_clip("openpose"), written("openpose", "openpose18", 2), "text", 5_000),
    "coco-json": (read_clip("coco-json"), written("coco-json", "coco17", 2), "text", 5_000),
    "mediapipe": (read_clip("mediapipe"), written("mediapipe", "mediapipe33"), "text", 2_500),
    "mediapipe lists": (read_clip("mediapipe"), frames_of_landmarks, "text", 2_500),
    "csv": (read_clip("csv"), written("csv", "sbu15", 2), "text", 5_000),
    "npz": (read_clip("npz"), written("npz", "coco17"), "bytes", 2_500),
    "npz under the compression": (read_clip("npz"), written("npz", "coco17"), "inside npz", 2_500),
}


@pytest.mark.fuzz
@pytest.mark.parametrize(("read", "make_seed", "way", "mutants"), CASES.values(), ids=CASES)
def test_damaged_poses_are_refused_in_one_way_and_soon(
    tmp_path: Path, hammer, read, make_seed, way, mutants
) -> None:
    hammer(read, make_seed(tmp_path), way, mutants=mutants)


@pytest.mark.fuzz
@pytest.mark.parametrize("part", ["amc", "asf"])
def test_damaged_motion_capture_is_refused_in_one_way_and_soon(tmp_path, hammer, part) -> None:
    acclaim_seed(tmp_path)
    sound = read_asf(tmp_path / "actor.asf")

    def read(path: Path) -> list[np.ndarray]:
        skeleton = read_asf(path) if part == "asf" else sound
        motion = read_amc(path if part == "amc" else tmp_path / "actor.amc", skeleton)
        return [joint_positions(skeleton, motion)]

    hammer(read, (tmp_path / f"actor.{part}").read_bytes(), "text")


@pytest.mark.fuzz
def test_damaged_labels_are_refused_in_one_way_and_soon(tmp_path, hammer) -> None:
    def read(path: Path) -> list[np.ndarray]:
        return [np.array([item.start or 0, item.end or 0]) for item in read_utkinect_labels(path)]

    hammer(read, labels_seed(tmp_path), "text")
