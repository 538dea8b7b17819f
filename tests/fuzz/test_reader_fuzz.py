"""Thousands of damaged files for every reader of one clip: one kind of error, soon, never NaN."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from infocpl.skeleton.formats import get_format, write_ntu, write_pku_mmd
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence


def ntu_seed(folder: Path) -> bytes:
    points = np.random.default_rng(0).normal(size=(2, 2, 25, 3))
    points[1, 1] = 0
    write_ntu(folder / "seed.skeleton", SkeletonSequence(points, create_layout("ntu25")))
    return (folder / "seed.skeleton").read_bytes()


def nw_ucla_seed(_: Path) -> bytes:
    points = np.random.default_rng(0).normal(size=(3, 20, 3)).round(6)
    record = {"file_name": "a01_s01_e00_v01", "skeletons": points.tolist(), "label": 1}
    return json.dumps(record).encode()


def pku_mmd_seed(folder: Path) -> bytes:
    points = np.random.default_rng(0).normal(size=(2, 3, 25, 3)).round(3)
    points[1, 1] = 0
    write_pku_mmd(folder / "seed.txt", SkeletonSequence(points, create_layout("ntu25")))
    return (folder / "seed.txt").read_bytes()


def sbu_seed(_: Path) -> bytes:
    rows = np.random.default_rng(0).uniform(size=(4, 90)).round(5)
    return b"".join(
        f"{180 + i},{','.join(map(str, row))}\r\n".encode() for i, row in enumerate(rows.tolist())
    )


def mat_seed(compress: bool) -> Callable[[Path], bytes]:
    def make(_: Path) -> bytes:
        file = io.BytesIO()
        points = np.random.default_rng(0).normal(size=(20, 3, 2))
        scipy.io.savemat(file, {"d_skel": points}, do_compression=compress)
        return file.getvalue()

    return make


CASES = {
    "ntu": ("ntu", ntu_seed, "text"),
    "nw-ucla": ("nw-ucla", nw_ucla_seed, "text"),
    "sbu": ("sbu", sbu_seed, "text"),
    "pku-mmd": ("pku-mmd", pku_mmd_seed, "text"),
    "mat plain": ("utd-mhad", mat_seed(False), "bytes"),
    "mat compressed": ("utd-mhad", mat_seed(True), "bytes"),
    "mat under the compression": ("utd-mhad", mat_seed(True), "inside mat"),
}


@pytest.mark.fuzz
@pytest.mark.parametrize(("name", "make_seed", "way"), CASES.values(), ids=CASES.keys())
def test_damaged_files_are_refused_in_one_way_and_soon(
    tmp_path: Path, hammer, name, make_seed, way
) -> None:
    item = get_format(name)

    def read(path: Path) -> list[np.ndarray]:
        clip = item.read(path)
        assert clip.layout.name == item.layout
        return [clip.keypoints, clip.confidence]

    hammer(read, make_seed(tmp_path), way)
