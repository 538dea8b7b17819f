"""Thousands of damaged files for every reader: one kind of error, soon, and never NaN.

The seeds are written here. Mutations are drawn from a generator with a fixed seed, so a failure
repeats; its message gives the number of the mutant.
"""

from __future__ import annotations

import io
import json
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats import get_format, write_ntu
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

MUTANTS = 5_000
TOKENS = [
    b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1e999", b"-1e308", b"1e38", b"9" * 20,
    b"-1", b"0", b"1", b"2", b"25", b"1000000000", b"", b"x", b"null", b"true", b"[]", b"{}",
    b'"1"', b"1_000", b"0x10", b"\xff\xfe", b"\x00", b"\n", b"\r", b",", b" ", b"1.5.2", b"--3",
    b"1e", b"\xd9\xa3",
]  # fmt: skip


def ntu_seed(folder: Path) -> bytes:
    points = np.random.default_rng(0).normal(size=(2, 2, 25, 3))
    points[1, 1] = 0
    write_ntu(folder / "seed.skeleton", SkeletonSequence(points, create_layout("ntu25")))
    return (folder / "seed.skeleton").read_bytes()


def nw_ucla_seed(_: Path) -> bytes:
    points = np.random.default_rng(0).normal(size=(3, 20, 3)).round(6)
    record = {"file_name": "a01_s01_e00_v01", "skeletons": points.tolist(), "label": 1}
    return json.dumps(record).encode()


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


def mutate_bytes(data: bytes, rng: random.Random) -> bytes:
    a, b = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    kind = rng.randrange(9)
    if kind == 0:
        return data[:a]
    if kind == 1:
        return data[:a] + data[b:]
    if kind == 2:
        return data[:b] + data[a:b] + data[b:]
    if kind == 3:
        return data[:a] + rng.randbytes(rng.randrange(1, 64)) + data[a:]
    if kind == 4:
        return rng.randbytes(rng.randrange(0, 300))
    if kind == 5:
        return data[:a] + rng.choice(TOKENS) + data[a:]
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        at = rng.randrange(len(changed))
        # Bit flips, extreme bytes and random ones, in the places where headers stand too.
        at = at if rng.random() < 0.5 else at % min(len(changed), 220)
        changed[at] = rng.choice(
            (changed[at] ^ (1 << rng.randrange(8)), 0, 255, 127, rng.randrange(256))
        )
    return bytes(changed)


def mutate_text(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.25:
        return mutate_bytes(data, rng)
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(7)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(at, lines[other])
    elif kind == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 3:
        lines = lines[:at]
    else:
        mark = b"," if lines[at].count(b",") > lines[at].count(b" ") else b" "
        tokens = lines[at].split(mark)
        for _ in range(rng.choice((1, 1, 1, 3))):
            token = rng.randrange(len(tokens))
            if kind == 4:
                tokens[token] = rng.choice(TOKENS)
            elif kind == 5:
                tokens.insert(token, tokens[rng.randrange(len(tokens))])
            elif len(tokens) > 1:
                del tokens[token]
        lines[at] = mark.join(tokens)
    return b"\n".join(lines)


def mutate_inside(data: bytes, rng: random.Random) -> bytes:
    """Damage what lies under the compression and compress it again, sizes in order."""
    inner = mutate_bytes(zlib.decompress(data[136:]), rng)
    packed = zlib.compress(inner)
    return data[:132] + len(packed).to_bytes(4, "little") + packed


CASES = {
    "ntu": ("ntu", ntu_seed, mutate_text),
    "nw-ucla": ("nw-ucla", nw_ucla_seed, mutate_text),
    "sbu": ("sbu", sbu_seed, mutate_text),
    "mat plain": ("utd-mhad", mat_seed(False), mutate_bytes),
    "mat compressed": ("utd-mhad", mat_seed(True), mutate_bytes),
    "mat under the compression": ("utd-mhad", mat_seed(True), mutate_inside),
}


@pytest.mark.fuzz
@pytest.mark.parametrize(("name", "make_seed", "mutate"), CASES.values(), ids=CASES.keys())
def test_damaged_files_are_refused_in_one_way_and_soon(
    tmp_path: Path, name, make_seed, mutate
) -> None:
    read = get_format(name).read
    seed = make_seed(tmp_path)
    path = tmp_path / "mutant"
    path.write_bytes(seed)
    expected = read(path)
    rng = random.Random(20240601)
    outcome: Counter[str] = Counter()
    slowest = (0.0, -1)
    for number in range(MUTANTS):
        data = mutate(seed, rng)
        for _ in range(rng.choice((0, 0, 1, 3))):
            data = mutate(data, rng) if data and mutate is not mutate_inside else data
        path.write_bytes(data)
        start = time.perf_counter()
        clip = message = None
        try:
            clip = read(path)
        except SkeletonFormatError as error:
            message = str(error)
        except Exception as error:
            pytest.fail(f"mutant {number} of {name}: {type(error).__name__}: {error}")
        elapsed = time.perf_counter() - start
        if clip is None:
            outcome["refused"] += 1
            assert str(path) in message, f"mutant {number}: the message names no file"
            assert len(message) < 600, f"mutant {number}: the message has no end"
        else:
            outcome["accepted"] += 1
            assert np.isfinite(clip.keypoints).all(), f"mutant {number}"
            assert clip.layout == expected.layout
        slowest = max(slowest, (elapsed, number))
    print(f"{name}: {dict(outcome)}, slowest {1000 * slowest[0]:.1f} ms (mutant {slowest[1]})")
    # Most damage must be noticed; that nothing is would mean the mutator does nothing.
    assert outcome["refused"] > 0.3 * MUTANTS, outcome
    assert slowest[0] < 0.5, f"mutant {slowest[1]} took {slowest[0]:.3f} s"
