"""Two processes with half of each batch give the losses of one process with all of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from infocpl.training.checkpoint import load_tensors

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).parent / "launched" / "fit_twice.py"
TASKS = ("stgcn-small", "shift-gcn-small", "ctrgcn-small", "alignment")


def start(processes: int, folder: Path) -> Path:
    """Run the script plainly, or as ``accelerate launch`` does on one machine without a GPU."""
    folder.mkdir()
    launch = [
        # Named for GPUs, it starts processes where there are none as well; --cpu starts only one.
        *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_machines", "1"),
        *("--num_processes", str(processes), "--mixed_precision", "no", "--dynamo_backend", "no"),
        *("--num_cpu_threads_per_process", "1", "--main_process_port", "0"),
    ]
    command = [sys.executable, *(launch if processes > 1 else ()), str(SCRIPT), str(folder)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    # Or every comparison would be one of a process with itself.
    assert (folder / f"{processes} processes").exists()
    return folder


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return start(1, tmp_path_factory.mktemp("one") / "out")


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return start(2, tmp_path_factory.mktemp("two") / "out")


@pytest.mark.parametrize("name", TASKS)
def test_losses_are_those_of_one_process(alone: Path, together: Path, name: str) -> None:
    """23 clips in 3 batches of 8, 8 and 7: parts of unequal size are among them."""
    expected = json.loads((alone / f"{name}.json").read_text(encoding="utf-8"))
    found = json.loads((together / f"{name}.json").read_text(encoding="utf-8"))
    assert len(expected) == 3
    for one, other in zip(expected, found, strict=True):
        assert other == pytest.approx(one, abs=1e-5)
    # Training went somewhere: equal losses are no accident of standing still.
    assert expected[0] != pytest.approx(expected[-1], abs=1e-3)


@pytest.mark.parametrize("name", TASKS)
def test_weights_and_batch_statistics_are_those_of_one_process(
    alone: Path, together: Path, name: str
) -> None:
    expected, _ = load_tensors(alone / f"{name}.safetensors")
    found, _ = load_tensors(together / f"{name}.safetensors")
    assert expected.keys() == found.keys()
    for key, value in expected.items():
        if "running" in key:
            torch.testing.assert_close(found[key], value, rtol=1e-4, atol=1e-4, msg=key)
    # Adam turns a gradient of nearly zero into a whole step: single weights may differ by one.
    flat = torch.cat([(found[k] - v).abs().flatten().float() for k, v in expected.items()])
    assert float(flat.quantile(0.99)) < 1e-4


def test_there_were_two_processes_and_one_writes(together: Path) -> None:
    assert len(list(together.iterdir())) == 3 * len(TASKS) + 1
