"""The strict NTU RGB+D reader against a plain line-by-line parser, in one run.

    python benchmarks/ntu_reader.py [--clips 60] [--frames 80] [--folder FILES]

Both read the same generated files of one person (or the ``.skeleton`` files in a folder) and are
first checked to find the same numbers. Then they take turns, file by file, on one core. Times are
those of the processor, so what else the machine does counts for little, and it meets both alike;
the ratio is the number to quote. The plain parser checks nothing and selects no bodies.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

from infocpl.skeleton.formats import read_ntu, write_ntu
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

DATASETS = {"NTU RGB+D 60": 56_880, "NTU RGB+D 120": 114_480}


def read_plainly(path: Path) -> dict[int, tuple[list[int], np.ndarray]]:
    """Tracking id to frames and joints (F, 25, 3), the way most published code reads them."""
    bodies: dict[int, tuple[list[int], list[list[list[float]]]]] = {}
    with path.open() as file:
        for frame in range(int(file.readline())):
            for _ in range(int(file.readline())):
                body = int(file.readline().split()[0])
                joints = []
                for _ in range(int(file.readline())):
                    joints.append([float(token) for token in file.readline().split()][:3])
                frames, points = bodies.setdefault(body, ([], []))
                frames.append(frame)
                points.append(joints)
    return {body: (frames, np.array(points)) for body, (frames, points) in bodies.items()}


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def write_files(folder: Path, clips: int, frames: int) -> None:
    """One person of `frames` frames a file, all columns filled like a sensor's."""
    rng = np.random.default_rng(0)
    for number in range(clips):
        steps = rng.normal(scale=0.02, size=(1, frames, 25, 3)).cumsum(axis=1)
        points = rng.uniform((-0.3, -0.8, 2.5), (0.3, 0.8, 3.5), size=(1, 1, 25, 3)) + steps
        path = folder / f"{number:04d}.skeleton"
        write_ntu(path, SkeletonSequence(points.astype(np.float32), create_layout("ntu25")))
        row = " 277.419 191.8218 1036.233 519.1677 -0.2059419 0.0534990 0.9692109 -0.1239193 "
        path.write_text(path.read_text().replace(" 0 0 0 0 0 0 0 0 ", row))


def check(path: Path) -> int:
    """Compare both readings of a file; returns its number of frames."""
    clip, bodies = read_ntu(path, max_persons=16, select=False), read_plainly(path)
    if clip.persons != len(bodies):
        raise SystemExit(f"{path}: {clip.persons} persons, but {len(bodies)} read plainly")
    for points, (frames, expected) in zip(clip.keypoints, bodies.values(), strict=True):
        if not np.array_equal(points[frames], expected.astype(np.float32)):
            raise SystemExit(f"{path}: both readings differ")
    return clip.frames


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=60)
    parser.add_argument("--frames", type=int, default=80)
    parser.add_argument("--folder", type=Path, help="read these .skeleton files instead")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        if args.folder is None:
            write_files(folder, args.clips, args.frames)
        files = sorted(folder.glob("*.skeleton"))
        frames = [check(path) for path in files]
        ours, plain = [], []
        for _ in range(args.rounds):
            for path in files:
                ours.append(seconds(lambda path=path: read_ntu(path)))
                plain.append(seconds(lambda path=path: read_plainly(path)))
        size = sum(path.stat().st_size for path in files) / len(files)
    print(f"{len(files)} files of {np.mean(frames):.0f} frames and {size / 1000:.0f} kB on average")
    for name, times in (("strict reader", ours), ("plain parser", plain)):
        print(
            f"  {name}: median {1000 * median(times):.2f} ms, {len(times) / sum(times):.0f} clips/s"
        )
    ratio = median(b / a for a, b in zip(ours, plain, strict=True))
    print(f"  plain / strict: {ratio:.2f} (median of {len(ours)} pairs)")
    for name, count in DATASETS.items():
        minutes = count * sum(ours) / len(ours) / 60
        print(f"  {name}, {count:,} clips like these on one core: {minutes:.1f} min")


if __name__ == "__main__":
    main()
