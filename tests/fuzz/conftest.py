"""Ways to damage files, and the loop that feeds damaged files to a reader."""

from __future__ import annotations

import contextlib
import io
import random
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import SkeletonFormatError

MUTANTS = 5_000
SLOWEST = 0.05
"""Seconds of processor time a damaged file may cost."""

TOKENS = [
    b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1e999", b"-1e308", b"1e38", b"9" * 20,
    b"-1", b"0", b"1", b"2", b"25", b"1000000000", b"", b"x", b"null", b"true", b"[]", b"{}",
    b'"1"', b"1_000", b"0x10", b"\xff\xfe", b"\x00", b"\n", b"\r", b",", b" ", b"1.5.2", b"--3",
    b"1e", b"\xd9\xa3",
]  # fmt: skip

Mutate = Callable[[bytes, random.Random], bytes]


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


def mutate_inside_mat(data: bytes, rng: random.Random) -> bytes:
    """Damage what lies under the compression and compress it again, sizes in order."""
    inner = mutate_bytes(zlib.decompress(data[136:]), rng)
    packed = zlib.compress(inner)
    return data[:132] + len(packed).to_bytes(4, "little") + packed


def mutate_inside_npz(data: bytes, rng: random.Random) -> bytes:
    """Damage one array of an archive and pack it again, sizes and checksums in order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w") as target:
        chosen = rng.choice(source.namelist())
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, mutate_bytes(content, rng) if name == chosen else content)
    return packed.getvalue()


MUTATORS: dict[str, Mutate] = {
    "bytes": mutate_bytes,
    "text": mutate_text,
    "inside mat": mutate_inside_mat,
    "inside npz": mutate_inside_npz,
}


def cost(read: Callable[[Path], Iterable[np.ndarray]], path: Path) -> float:
    """Seconds of processor time that reading takes."""
    start = time.process_time()
    with contextlib.suppress(SkeletonFormatError):
        list(read(path))
    return time.process_time() - start


@pytest.fixture
def hammer(tmp_path: Path) -> Callable[..., Counter[str]]:
    """Feed thousands of damaged files to a reader: one kind of error, soon, and never NaN.

    `read` takes the path of the damaged file and gives the arrays it accepts; `way` names how the
    seed is damaged, or is a function that does it. Mutations are drawn with a fixed seed, so a
    failure repeats; its message gives the number of the mutant.
    """

    def run(
        read: Callable[[Path], Iterable[np.ndarray]],
        seed: bytes,
        way: str | Mutate,
        *,
        path: Path = tmp_path / "mutant",
        mutants: int = MUTANTS,
    ) -> Counter[str]:
        mutate = MUTATORS[way] if isinstance(way, str) else way
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(seed)
        assert list(read(path)), "the seed itself is not read"
        rng = random.Random(20240601)
        outcome: Counter[str] = Counter()
        slowest = (0.0, -1)
        for number in range(mutants):
            data = mutate(seed, rng)
            for _ in range(rng.choice((0, 0, 1, 3))):
                data = mutate(data, rng) if data and not str(way).startswith("inside") else data
            # A new file each time: some file systems flush one that is cut and written again.
            path.unlink()
            path.write_bytes(data)
            start = time.process_time()
            refused = None
            try:
                arrays = list(read(path))
            except SkeletonFormatError as error:
                refused = error
            except Exception as error:
                pytest.fail(f"mutant {number}: {type(error).__name__}: {error}")
            elapsed = time.process_time() - start
            if elapsed > SLOWEST:
                # Garbage may have been collected just then; a file that costs much does so again.
                elapsed = min(elapsed, *(cost(read, path) for _ in range(3)))
            if refused is None:
                outcome["accepted"] += 1
                assert all(np.isfinite(array).all() for array in arrays), f"mutant {number}"
            else:
                outcome["refused"] += 1
                message = str(refused)
                assert str(tmp_path) in message, f"mutant {number}: the message names no file"
                assert len(message) < 700, f"mutant {number}: the message has no end"
                said = (refused.field, refused.expected, refused.got)
                assert all(said), f"mutant {number}: {message}"
            slowest = max(slowest, (elapsed, number))
        print(f"{dict(outcome)}, slowest {1000 * slowest[0]:.1f} ms (mutant {slowest[1]})")
        # Most damage must be noticed; that nothing is would mean the mutator does nothing.
        assert outcome["refused"] > 0.3 * mutants, outcome
        assert slowest[0] < SLOWEST, f"mutant {slowest[1]} took {slowest[0]:.3f} s"
        return outcome

    return run
