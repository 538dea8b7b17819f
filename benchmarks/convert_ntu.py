"""Conversion of an NTU-sized folder: clips a second, peak memory, and batches from the store.

    python benchmarks/convert_ntu.py --clips 10000 --workers 2

Files with the official names are generated first (synthetic people, the two-person classes
included). Then they are converted by a process of its own, once a tenth of them and once all, so
that the memory of both tells what a clip more costs. In the end random batches are read from the
store and from the original files in turn; the ratio of their median times is the number to quote.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np

from infocpl.data import ClipStore, convert_dataset, create_dataset, prepare_clips
from infocpl.skeleton.formats import read_skeleton, write_ntu
from infocpl.skeleton.synthetic.performances import NtuRecording, list_ntu_recordings

SIZES = {"NTU RGB+D 60": 56_880, "NTU RGB+D 120": 114_480}
_UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def write_some(job: tuple[Path, list[NtuRecording]]) -> int:
    folder, recordings = job
    for recording in recordings:
        write_ntu(folder / f"{recording.name}.skeleton", recording.perform())
    return len(recordings)


def generate(folder: Path, clips: int, workers: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    have = {path.stem for path in folder.iterdir()}
    recordings = [
        item for item in list_ntu_recordings(subjects=60)[:clips] if item.name not in have
    ]
    jobs = [(folder, recordings[start : start + 50]) for start in range(0, len(recordings), 50)]
    context = multiprocessing.get_context("spawn")
    started, done = time.monotonic(), 0
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for number in pool.map(write_some, jobs):
            done += number
            left = (time.monotonic() - started) * (len(recordings) / done - 1)
            print(f"\rgenerated {done}/{len(recordings)}, {left:.0f} s left ", end="", flush=True)
    print()


def convert(source: Path, out: Path, workers: int, queue: multiprocessing.Queue) -> None:
    """Run in a process of its own, whose memory is that of the conversion alone."""
    started = time.monotonic()
    store = convert_dataset(create_dataset("ntu60"), source, out, workers=workers)
    seconds = time.monotonic() - started
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _UNIT if workers > 1 else 0
    queue.put((len(store), seconds, own, largest))


def measure(source: Path, out: Path, workers: int) -> tuple[int, float, int, int]:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=convert, args=(source, out, workers, queue))
    process.start()
    found = queue.get()
    process.join()
    return found


def some_of(source: Path, target: Path, count: int) -> Path:
    target.mkdir()
    for path in sorted(source.iterdir())[:count]:
        (target / path.name).symlink_to(path)
    return target


def compare_batches(store: ClipStore, source: Path, cache: Path, size: int, repeats: int) -> None:
    rng = np.random.default_rng(0)
    started = time.monotonic()
    prepared = prepare_clips(store, cache=cache)
    print(f"prepared for training: {len(store) / (time.monotonic() - started):.0f} clips/s")
    times: dict[str, list[float]] = {"files": [], "store": [], "prepared": []}
    for _ in range(repeats):
        batch = rng.integers(0, len(store), size)
        for kind in times:
            started = time.perf_counter()
            if kind == "files":
                for index in batch:
                    read_skeleton(source / f"{store.names[index]}.skeleton", "ntu")
            elif kind == "store":
                for index in batch:
                    store[index]
            else:
                prepared.rows(batch)[np.arange(size)]
            times[kind].append(time.perf_counter() - started)
    middle = {kind: median(values) for kind, values in times.items()}
    print(f"batches of {size} clips a second, medians of {repeats} in turn:")
    for kind, seconds in middle.items():
        ratio = middle["files"] / seconds
        print(f"  {kind:<9}{1 / seconds:>10.1f}{ratio:>9.1f} times the original files")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--folder", type=Path, help="keep files here (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="infocpl-") as temporary:
        place = options.folder or Path(temporary)
        source = place / "nturgb+d_skeletons"
        generate(source, options.clips, options.workers)
        size = sum(path.stat().st_size for path in source.iterdir())
        print(f"{options.clips} files, {size / 1e9:.2f} GB; {options.workers} reading processes")
        few = some_of(source, Path(temporary) / "few", max(64, options.clips // 10))
        rows = []
        for name, folder in (("few", few), ("all", source)):
            out = Path(temporary) / f"store-{name}"
            clips, seconds, own, largest = measure(folder, out, options.workers)
            rows.append((clips, seconds, own + options.workers * largest))
            readers = f" and {options.workers} x {largest / 1e6:.0f} MB" if largest else ""
            print(
                f"{clips:>7} clips: {seconds:7.1f} s, {clips / seconds:6.0f} clips/s; peak memory "
                f"{own / 1e6:.0f} MB{readers}"
            )
        (few_clips, _, few_memory), (clips, seconds, memory) = rows
        more = max(memory - few_memory, 0) / max(clips - few_clips, 1)
        print(f"a clip more costs {more / 1e3:.2f} kB of memory")
        for name, number in SIZES.items():
            print(
                f"projected to {name} ({number:,}): {number * seconds / clips / 60:.1f} min, "
                f"{(memory + more * (number - clips)) / 1e6:.0f} MB"
            )
        out = Path(temporary) / "store-all"
        started = time.perf_counter()
        store = ClipStore.open(out)
        print(f"opened in {1e3 * (time.perf_counter() - started):.1f} ms")
        started = time.perf_counter()
        store.verify()
        stored = sum(path.stat().st_size for path in out.iterdir())
        rate = stored / (time.perf_counter() - started)
        print(f"store {stored / 1e6:.0f} MB ({stored / size:.0%} of the files), verified at "
              f"{rate / 1e6:.0f} MB/s")  # fmt: skip
        compare_batches(store, source, Path(temporary), options.batch, options.repeats)
        if options.folder is None:
            shutil.rmtree(source)


if __name__ == "__main__":
    main()
