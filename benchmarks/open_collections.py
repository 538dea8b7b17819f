"""Files of many clips, opened lazily, against loading them whole: time and memory.

    python benchmarks/open_collections.py [--clips 3000]

A dataset of generated clips is written as PYSKL pickle and as CTR-GCN archive. For each, a fresh
process opens it and reads every clip; another one loads it whole the usual way (``pickle.load``,
``numpy.load``). Times are those of the processor; memory is what the process holds itself, above
its imports (pages of a mapped file can be given back at any time and do not count). Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from infocpl.skeleton.formats import write_ctrgcn, write_pyskl
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

MEASURE = """
import pickle, sys, time
import numpy as np
from infocpl.skeleton.formats import open_collection

def memory():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("RssAnon"))

kind, path = sys.argv[1:]
before, start = memory(), time.process_time()
frames, most = 0, 0.0
if kind == "lazily":
    with open_collection(path) as clips:
        opened = time.process_time() - start
        for number, clip in enumerate(clips):
            frames += clip.frames
            if number % 50 == 0:
                most = max(most, memory())
elif path.endswith(".pkl"):
    with open(path, "rb") as file:
        annotations = pickle.load(file)["annotations"]
    opened, most = time.process_time() - start, memory()
    frames = sum(item["total_frames"] for item in annotations)
else:
    with np.load(path) as archive:
        arrays = [archive[name] for name in ("x_train", "x_test")]
    opened, most = time.process_time() - start, memory()
    frames = sum(int(np.any(array, axis=2).sum()) for array in arrays)
print(f"{opened:.2f} s to open, {time.process_time() - start:.2f} s in all, "
      f"{most - before:.0f} MB, {frames} frames")
"""


def make_clip(number: int) -> SkeletonSequence:
    rng = np.random.default_rng(number)
    points = rng.normal(size=(1 + number % 2, int(rng.integers(50, 110)), 25, 3))
    return SkeletonSequence(points.astype(np.float32), create_layout("ntu25"))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=3000)
    count = parser.parse_args().clips
    labels = [number % 60 for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        pickled, archive = Path(folder) / "ntu.pkl", Path(folder) / "ntu.npz"
        names = [f"{number:06d}" for number in range(count)]
        write_pyskl(pickled, [make_clip(number) for number in range(count)], labels, names, {})
        half = count // 2
        parts = {
            "train": (map(make_clip, range(half)), labels[:half]),
            "test": (map(make_clip, range(half, count)), labels[half:]),
        }
        write_ctrgcn(archive, parts, classes=60)
        for path in (pickled, archive):
            print(f"{path.suffix} of {count:,} clips, {path.stat().st_size / 2**20:.0f} MB")
            for kind in ("lazily", "whole"):
                command = [sys.executable, "-c", MEASURE, kind, str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                print(f"  {kind}: {done.stdout.strip()}")


if __name__ == "__main__":
    main()
