"""Thousands of damaged files for every reader of many clips or of features."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from infocpl.skeleton.formats import (
    FeaturePart,
    PkuInterval,
    SkeletonCollection,
    open_aimclr,
    open_ctrgcn,
    open_pku_mmd,
    open_pyskl,
    read_feature_folder,
    write_ctrgcn,
    write_feature_folder,
    write_pku_labels,
    write_pku_mmd,
    write_pyskl,
)
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

LAYOUT = create_layout("ntu25")


def tiny_clip(seed: int, frames: int = 2) -> SkeletonSequence:
    points = np.random.default_rng(seed).normal(size=(1, frames, 25, 3))
    return SkeletonSequence(points.astype(np.float32), LAYOUT)


def read_all(clips: SkeletonCollection) -> Iterator[np.ndarray]:
    with clips:
        clips.verify()
        for clip in clips:
            yield clip.keypoints
            yield clip.confidence


def pyskl_seed(protocol: int) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        path = folder / "seed.pkl"
        clips = [tiny_clip(0), tiny_clip(1)]
        splits = {"xsub_train": [0], "xsub_val": [1]}
        write_pyskl(path, clips, [3, 0], ["a", "b"], splits, dtype="float16", protocol=protocol)
        return path.read_bytes()

    return make


def ctrgcn_seed(compress: bool) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        parts = {"train": ([tiny_clip(0)], [1]), "test": ([tiny_clip(1)], [0])}
        write_ctrgcn(folder / "seed.npz", parts, classes=2, frames=2, compress=compress)
        return (folder / "seed.npz").read_bytes()

    return make


# At least 5,000 mutants for every reader, in all its cases together.
SINGLE_FILES = {
    "pyskl, protocol 2": (pyskl_seed(2), open_pyskl, 2_000),
    "pyskl, protocol 4": (pyskl_seed(4), open_pyskl, 2_000),
    "pyskl, protocol 5": (pyskl_seed(5), open_pyskl, 2_000),
    "ctrgcn": (ctrgcn_seed(False), open_ctrgcn, 2_500),
    "ctrgcn, deflated": (ctrgcn_seed(True), open_ctrgcn, 2_500),
}


@pytest.mark.fuzz
@pytest.mark.parametrize(
    ("make_seed", "open_file", "mutants"), SINGLE_FILES.values(), ids=SINGLE_FILES.keys()
)
def test_damaged_collections_are_refused_in_one_way_and_soon(
    tmp_path, hammer, make_seed, open_file, mutants
) -> None:
    hammer(lambda path: read_all(open_file(path)), make_seed(tmp_path), "bytes", mutants=mutants)


def mutate_ends(data: bytes, rng: random.Random) -> bytes:
    """Damage the instructions and names of a pickle, not the numbers between them."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 4))):
        at = rng.randrange(260) if rng.random() < 0.7 else -1 - rng.randrange(120)
        code = rng.choice(
            b"()]}.NKMJGXCBUT\x8c\x8a\x8d\x8e\x96\x93\x94\x95\x80aesutqrhjcRb01\x85\x86"
        )
        changed[at] = rng.choice((code, rng.randrange(256)))
    return bytes(changed)


@pytest.mark.fuzz
def test_pickles_of_wrong_instructions_are_refused_in_one_way_and_soon(tmp_path, hammer) -> None:
    seed = pyskl_seed(4)(tmp_path)
    hammer(lambda path: read_all(open_pyskl(path)), seed, mutate_ends, mutants=2_500)


# --- formats of several files -----------------------------------------------------------------


def aimclr_folder_of_arrays(folder: Path) -> None:
    points = np.random.default_rng(0).normal(size=(2, 3, 2, 25, 1)).astype(np.float32)
    folder.mkdir()
    np.save(folder / "val_position.npy", points)
    np.save(folder / "val_label.npy", np.array([[1], [0]]))


def aimclr_folder(folder: Path) -> None:
    aimclr_folder_of_arrays(folder)
    (folder / "val_label.npy").unlink()
    (folder / "val_label.pkl").write_bytes(pickle.dumps((["a", "b"], [1, 0]), protocol=2))


def features_folder(folder: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    scores = rows[:2, :4]
    write_feature_folder(
        folder,
        {
            "train": FeaturePart(rows, np.array([0, 1, 2])),
            "ztest": FeaturePart(rows[:2], np.array([3, 3]), scores),
        },
    )


def pku_folder(folder: Path) -> None:
    write_pku_mmd(folder / "a" / "0002-L.txt", tiny_clip(0, frames=5))
    write_pku_labels(folder / "b" / "0002-L.txt", [PkuInterval(3, 1, 2), PkuInterval(51, 4, 5, 1)])
    (folder / "cross-subject.txt").write_text(
        "Training videos:\n0002-L, 0003-M\nValidation videos:\n0004-R\n"
    )


def read_features(folder: Path) -> Iterator[np.ndarray]:
    for part in read_feature_folder(folder, classes=4).parts.values():
        yield part.features
        yield part.labels
        if part.scores is not None:
            yield part.scores


def read_aimclr(folder: Path) -> Iterator[np.ndarray]:
    return read_all(open_aimclr(folder))


def read_pku(folder: Path) -> Iterator[np.ndarray]:
    return read_all(open_pku_mmd(folder))


SEVERAL_FILES = {
    "aimclr array": (aimclr_folder, read_aimclr, "val_position.npy", "bytes", 2_000),
    "aimclr label pickle": (aimclr_folder, read_aimclr, "val_label.pkl", "bytes", 2_000),
    "aimclr label array": (aimclr_folder_of_arrays, read_aimclr, "val_label.npy", "bytes", 1_000),
    "feature rows": (features_folder, read_features, "ztest.npy", "bytes", 2_500),
    "feature labels": (features_folder, read_features, "z_label.npy", "bytes", 2_500),
    "pku labels": (pku_folder, read_pku, "b/0002-L.txt", "text", 2_500),
    "pku split": (pku_folder, read_pku, "cross-subject.txt", "text", 2_500),
}


@pytest.mark.fuzz
@pytest.mark.parametrize(
    ("make", "read", "damaged", "way", "mutants"), SEVERAL_FILES.values(), ids=SEVERAL_FILES.keys()
)
def test_one_damaged_file_of_several_is_refused_in_one_way_and_soon(
    tmp_path, hammer, make, read, damaged, way, mutants
) -> None:
    folder = tmp_path / "folder"
    make(folder)
    path = folder / damaged
    hammer(lambda _: read(folder), path.read_bytes(), way, path=path, mutants=mutants)
