"""Embedding the codebook of NTU RGB+D 120: 120 classes of 100 descriptions and a motion row.

    python benchmarks/text_encoding.py

The 12,120 sentences are made up, all different, of the length of real descriptions. They are
embedded by a process with an empty cache and then by a second one that finds all of them in it;
each reports its own seconds and its own peak memory, so that neither sees the other's. On a
machine with other work, processor time says more than the clock.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CLASSES, ROWS = 120, 101
SUBJECTS = ("A person", "Somebody", "The actor", "One person in front of the sensor")
PARTS = ("right arm", "left arm", "right hand", "left hand", "right leg", "left leg", "head")
DEEDS = (
    "is raised forward to the height of the shoulder",
    "swings from side to side",
    "moves towards the mouth and stays there",
    "bends and stretches again",
    "describes a small circle beside the body",
    "is pushed away from the chest",
)
MANNERS = ("slowly", "in one quick move", "several times", "with little effort", "and then rests")
REST = (
    "while the legs stand still",
    "while the trunk leans forward",
    "and the other arm hangs down",
    "and the whole body turns to the side",
    "before the person sits down",
    "as if something heavy were carried",
)
ENDS = (".", ", seen from the front.", ", seen from the side.")


def sentences(count: int) -> list[str]:
    parts = itertools.product(SUBJECTS, PARTS, DEEDS, MANNERS, REST, ENDS)
    made = [
        f"{who}: the {part} {deed} {how} {rest}{end}" for who, part, deed, how, rest, end in parts
    ]
    if len(set(made)) < count:
        raise SystemExit(f"only {len(set(made))} different sentences can be made up")
    # Evenly spread, so that fewer sentences are of the same mixture.
    return [made[i * len(made) // count] for i in range(count)]


def measure(encoder_name: str, count: int, threads: int, cache_file: str) -> None:
    """Embed in this process and print what it took, as JSON."""
    import resource

    from infocpl.semantics import EmbeddingCache, cached_encode, create_text_encoder

    texts = sentences(count)
    started = time.perf_counter()
    encoder = create_text_encoder(encoder_name)
    cache = EmbeddingCache(cache_file)
    load = 0.0
    if len(cache) == 0:
        import torch

        torch.set_num_threads(threads)
        encoder.encode(["warm up"])  # loads the weights
        load = time.perf_counter() - started
    rows = cached_encode(encoder, texts, cache)
    total = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "processor": used.ru_utime + used.ru_stime,
        "shape": rows.shape,
        "load": load,
        "total": total,
        "torch": "torch" in sys.modules,
        "peak": used.ru_maxrss / 1024,
    }
    print(json.dumps(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoder", default="minilm", help="a name or a place of a text encoder")
    parser.add_argument("--sentences", type=int, default=CLASSES * ROWS)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.encoder, options.sentences, options.threads, options.measure)
        return
    words = [len(text.split()) for text in sentences(options.sentences)]
    print(
        f"{options.sentences} sentences of {sum(words) / len(words):.1f} words, text encoder "
        f"{options.encoder}, {options.threads} threads"
    )
    with tempfile.TemporaryDirectory(prefix="infocpl-") as folder:
        cache = Path(folder) / "embeddings.sqlite3"
        command = [sys.executable, __file__, "--encoder", options.encoder, "--measure", str(cache)]
        command += ["--sentences", str(options.sentences), "--threads", str(options.threads)]
        environment = os.environ | {"OMP_NUM_THREADS": str(options.threads)}
        for state in ("cold", "cached"):
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=environment)
            if done.returncode:
                raise SystemExit(done.returncode)
            told = json.loads(done.stdout)
            work = told["total"] - told["load"]
            print(
                f"{state:>7}: {told['total']:6.1f} s ({told['load']:.1f} s of it loading, "
                f"{options.sentences / work:,.0f} sentences/s; "
                f"{told['processor']:.1f} s of processor time), peak memory {told['peak']:,.0f} MiB"
                f", shape {tuple(told['shape'])}, torch {'used' if told['torch'] else 'unused'}"
            )
        print(f"  cache: {cache.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
