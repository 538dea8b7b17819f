"""How fast the readers of single clips are, against the plainest reading of the same files.

    python benchmarks/file_readers.py

A file of one action in every format is generated. The plainest reading splits text into words and
converts those that are numbers (`float`), parses JSON (`orjson`), and of other files takes the
bytes; it checks nothing and makes no clip. Reader and plain reading take turns, and the ratio of
their median times is the number to quote.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import orjson

from infocpl.skeleton.formats import get_format
from infocpl.skeleton.synthetic.files import generate_file, list_generated_formats


def read_plainly(path: Path) -> Callable[[], object]:
    """The plainest reading of this file."""
    if path.suffix == ".json":
        return lambda: orjson.loads(path.read_bytes())
    if path.suffix in (".npz", ".mat"):
        return path.read_bytes

    def convert() -> list[float]:
        words = path.read_bytes().replace(b",", b" ").split()
        return [float(word) for word in words if word[:1] in b"-0123456789"]

    return convert


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=30)
    repeats = parser.parse_args().repeats
    print(
        f"{'format':<13} {'KB':>6} {'ms a clip':>10} {'clips a second':>15} {'plain reading':>13}"
    )
    with tempfile.TemporaryDirectory() as folder:
        for name in list_generated_formats():
            item = get_format(name)
            path = Path(folder) / f"{name}{item.suffixes[0]}"
            clip = generate_file(name, path)
            plainly = read_plainly(path)
            read = partial(item.read, path)
            pairs = [(milliseconds(read), milliseconds(plainly)) for _ in range(repeats)]
            took, floor = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
            size = path.stat().st_size / 1000
            print(
                f"{name:<13} {size:>6.0f} {took:>10.2f} {1000 / took:>15.0f} {took / floor:>12.1f}x"
                f"   ({clip.frames} frames)"
            )


if __name__ == "__main__":
    main()
