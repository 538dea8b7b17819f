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


def timeless(out: Path) -> dict[str, Any]:
    """The result without the fields that tell when and how long."""
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    return {
        key: value for key, value in result.items() if key not in ("created", "seconds", "command")
    }


def test_killed_at_six_moments_a_run_still_ends_with_the_same_bits(
    arguments, start_infocpl, run_infocpl, tmp_path
):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    told = run_infocpl(*arguments, "--out", whole)
    assert told.returncode == 0, told.stderr
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


@pytest.mark.parametrize("number", range(2))
def test_killed_at_moments_of_chance_a_run_still_ends_with_the_same_numbers(
    arguments, start_infocpl, run_infocpl, tmp_path_factory, tmp_path, number
):
    """Whatever was going on then: reading, embedding, training, scoring or writing."""
    whole = tmp_path_factory.getbasetemp() / "kill-whole"
    if not (whole / "result.json").exists():
        began = time.monotonic()
        told = run_infocpl(*arguments, "--out", whole)
        assert told.returncode == 0, told.stderr
        (whole / "seconds").write_text(str(time.monotonic() - began), encoding="utf-8")
    lasted = float((whole / "seconds").read_text(encoding="utf-8"))
    draw = random.Random(SEED + number)
    out, kills = tmp_path / "out", 0
    for _ in range(3):
        again = ("--resume",) if (out / "run.json").exists() else ()
        process = start_infocpl(*arguments, "--out", out, *again)
        wait = draw.uniform(0.2, 1.0) * lasted
        try:
            process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
    assert kills
    if not (out / "result.json").exists():
        again = ("--resume",) if (out / "run.json").exists() else ()
        told = run_infocpl(*arguments, "--out", out, *again)
        assert told.returncode == 0, told.stderr
    assert timeless(out) == timeless(whole)
    assert contents(out / "model") == contents(whole / "model")
