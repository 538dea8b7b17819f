"""Clips, stores and folders of recorded files, made by the tests themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from infocpl.data import ClipInfo, ClipStore, StoreWriter, convert_dataset, create_dataset
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence


def make_clip(seed: int, *, persons: int = 1, frames: int = 5, layout: str = "kinect20"):
    """A clip of random joints around a standing body; the same for the same arguments."""
    rng = np.random.default_rng([seed, persons, frames])
    joints = create_layout(layout)
    keypoints = rng.normal(0.0, 0.3, (persons, frames, len(joints), 3))
    keypoints[..., 2] += 3.0
    confidence = rng.integers(1, 256, keypoints.shape[:3]) / 255.0
    return SkeletonSequence(keypoints, joints, confidence=confidence, source=f"seed {seed}")


@pytest.fixture(name="make_clip")
def _make_clip() -> Callable[..., SkeletonSequence]:
    return make_clip


@pytest.fixture
def make_store(tmp_path: Path) -> Callable[..., ClipStore]:
    """Write a store of one clip for each info given, all of UTD-MHAD unless told otherwise."""

    def build(infos, *, dataset="utd-mhad", layout="kinect20", persons=(1,), name="store"):
        known = create_dataset(dataset)
        target = tmp_path / name
        with StoreWriter(target, dataset, create_layout(layout), known.classes) as writer:
            for index, info in enumerate(infos):
                clip = make_clip(
                    index,
                    persons=persons[index % len(persons)],
                    frames=3 + index % 4,
                    layout=layout,
                )
                writer.append(clip, info, sha256=f"{index:064x}")
        return ClipStore.open(target)

    return build


@pytest.fixture
def utd_infos() -> list[ClipInfo]:
    """Two trials of every class by every subject: 27 x 8 x 2."""
    return [
        ClipInfo(f"a{label + 1}_s{subject}_t{trial}_skeleton", label, subject, replication=trial)
        for label in range(27)
        for subject in range(1, 9)
        for trial in (1, 2)
    ]


@pytest.fixture
def utd_folder(tmp_path: Path) -> Path:
    """Forty small files in UTD-MHAD's form, in sub-folders, with other files beside them."""
    folder = tmp_path / "recorded"
    for action in range(1, 11):
        place = folder / f"part{action % 2}"
        place.mkdir(parents=True, exist_ok=True)
        for subject in range(1, 5):
            rng = np.random.default_rng([action, subject])
            skeleton = rng.normal(0.0, 0.4, (20, 3, 6 + action))
            skeleton[:, 2] += 3.0
            savemat(place / f"a{action}_s{subject}_t1_skeleton.mat", {"d_skel": skeleton})
    (folder / "readme.txt").write_text("not a clip")
    (folder / "a1_s1_t1_color.avi").write_bytes(b"not a clip either")
    return folder


@pytest.fixture(scope="session")
def utd_store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    target = tmp_path_factory.mktemp("stores") / "utd-mhad"
    return convert_dataset(create_dataset("utd-mhad"), real_data / "utd_mhad", target)


@pytest.fixture(scope="session")
def ucla_store(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ClipStore:
    target = tmp_path_factory.mktemp("stores") / "nw-ucla"
    return convert_dataset(create_dataset("nw-ucla"), real_data / "nw_ucla", target)
