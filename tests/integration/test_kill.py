"""A run that is killed again and again gives the bits of one that nobody touched."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infocpl.files import sha256_file

pytestmark = pytest.mark.integration

SEED = 240600639
MOMENTS = ("encoder", "alignment", "encoder", "between", "alignment", "outputs")
"""Where the kills fall, in the order of a run: an encoder for selection, a final one, files."""


@pytest.fixture(scope="module")
def arguments(synthetic_files: Path) -> tuple[str, ...]:
    return (
        *("run", "--dataset", "synthetic", "--data", str(synthetic_files)),
        *("--split", "demo/51-8", "--seeds", "1", "--preset", "tiny", "--epochs", "4"),
        *("--threads", "1", "--granularities", "definition", "part"),
    )


@pytest.fixture(scope="module")
def untouched(arguments, run_infocpl, tmp_path_factory) -> tuple[Path, float]:
    """A run that nobody touched, and the seconds it took."""
    out = tmp_path_factory.mktemp("untouched") / "out"
    began = time.monotonic()
    told = run_infocpl(*arguments, "--out", out)
    assert told.returncode == 0, told.stderr
    return out, time.monotonic() - began


def finished(out: Path) -> list[Path]:
    found = out.glob("work/encoder-*.safetensors")
    return sorted(path for path in found if ".state." not in path.name)


def states(out: Path) -> dict[str, int]:
    """Checkpoints of unfinished encoders, and when they were written."""
    found = {}
    for path in out.glob("work/encoder-*.state.safetensors"):
        try:
            found[path.name] = path.stat().st_mtime_ns
        except FileNotFoundError:  # finished between the two calls
            continue
    return found


def features(out: Path) -> int:
    return len(list(out.glob("work/features/features-*.safetensors")))


def reached(moment: str, out: Path) -> Callable[[], bool]:
    """Whether a run has come to a moment that it had not come to when this was called."""
    encoders, written = len(finished(out)), states(out)
    if moment == "encoder":
        return lambda: states(out) not in ({}, written)
    if moment == "between":
        return lambda: len(finished(out)) > encoders
    if moment == "alignment":
        # Clips of the three sides are encoded by each encoder.
        whole = 3 * max(1, encoders)
        return lambda: features(out) >= whole
    return lambda: (out / "codebook").exists() or (out / "model").exists()


def kill_at(process: Any, ready: Callable[[], bool], delay: float) -> None:
    end = time.monotonic() + 300
    while not ready():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256_file(path) for path in files}


def test_a_second_process_with_the_same_seed_gives_the_same_bits(
    arguments, untouched, run_infocpl, tmp_path
):
    told = run_infocpl(*arguments, "--out", tmp_path / "again")
    assert told.returncode == 0, told.stderr
    assert timeless(tmp_path / "again") == timeless(untouched[0])
    for folder in ("model", "codebook", "work"):
        assert contents(tmp_path / "again" / folder) == contents(untouched[0] / folder), folder


def timeless(out: Path) -> dict[str, Any]:
    """The result without the fields that tell when and how long."""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return {
        key: value for key, value in result.items() if key not in ("created", "seconds", "command")
    }


def test_killed_at_six_moments_a_run_still_ends_with_the_same_bits(
    arguments, untouched, start_infocpl, run_infocpl, tmp_path
):
    (whole, _), killed = untouched, tmp_path / "killed"
    draw = random.Random(SEED)
    for number, moment in enumerate(MOMENTS):
        again = ("--resume",) if number else ()
        process = start_infocpl(*arguments, "--out", killed, *again)
        kill_at(process, reached(moment, killed), draw.uniform(0, 0.1))
        assert process.returncode == -signal.SIGKILL, moment
        assert not (killed / "result.json").exists(), moment
        if moment == "alignment":
            # Encoder finished, clips encoded, nothing begun that comes after.
            assert states(killed) == {}
            assert features(killed) == 3 * len(finished(killed))
            assert not (killed / "codebook").exists()
    told = run_infocpl(*arguments, "--out", killed, "--resume")
    assert told.returncode == 0, told.stderr
    assert timeless(killed) == timeless(whole)
    for folder in ("model", "codebook", "work/features"):
        assert contents(killed / folder) == contents(whole / folder), folder
        assert contents(whole / folder), folder
    assert contents(killed / "work").keys() == contents(whole / "work").keys()
    for one, other in zip(finished(killed), finished(whole), strict=True):
        assert one.read_bytes() == other.read_bytes()
    assert not list(killed.rglob(".partial-*"))


def test_killed_at_moments_of_chance_a_run_still_ends_with_the_same_numbers(
    arguments, untouched, start_infocpl, run_infocpl, tmp_path
):
    """Whatever was going on then: reading, embedding, training, scoring or writing."""
    whole, lasted = untouched
    draw = random.Random(SEED)
    # Where the machine is faster now than it was, a run may end before it is killed: begin anew.
    for attempt in range(8):
        out, kills = tmp_path / f"out-{attempt}", 0
        for _ in range(3):
            again = ("--resume",) if (out / "run.json").exists() else ()
            process = start_infocpl(*arguments, "--out", out, *again)
            try:
                process.communicate(timeout=draw.uniform(0.2, 0.8) * lasted)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate(timeout=60)
                kills += 1
            if (out / "result.json").exists():
                break
        if kills:
            break
        lasted /= 2
    assert kills
    if not (out / "result.json").exists():
        again = ("--resume",) if (out / "run.json").exists() else ()
        told = run_infocpl(*arguments, "--out", out, *again)
        assert told.returncode == 0, told.stderr
    assert timeless(out) == timeless(whole)
    assert contents(out / "model") == contents(whole / "model")
