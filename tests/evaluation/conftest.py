"""Experiments on the small task, run once for every test that looks at them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.experiment import SeedRun, run_experiment
from infocpl.evaluation.task_data import TaskData

SEEDS = (0, 1)


@pytest.fixture(scope="session")
def small_runs(
    small_task: TaskData, small_config: ExperimentConfig, tmp_path_factory: pytest.TempPathFactory
) -> list[SeedRun]:
    """Two seeds of the small experiment, with intermediate files as in a real run."""
    work: Path = tmp_path_factory.mktemp("work")
    return run_experiment(small_task, small_config, SEEDS, work=work)


def learned(run: SeedRun) -> dict[str, torch.Tensor]:
    """Every trained number of a seed, by name."""
    found = {f"encoder.{k}": v for k, v in run.encoder.module.state_dict().items()}
    found["features.train"] = run.features.train
    found["features.seen_test"] = run.features.seen_test
    for method, entry in run.methods.items():
        aligner = entry.aligner
        if method == "infocpl":
            found |= {f"infocpl.{k}": v for k, v in aligner.model.state_dict().items()}
            found |= {f"centre.{k}": v for k, v in vars(aligner.centre).items()}
        else:
            found[f"{method}.weight"] = aligner.weight
            found |= {f"{method}.centre.{k}": v for k, v in vars(aligner.centre).items()}
    return found


@pytest.fixture(name="learned", scope="session")
def _learned():
    return learned


def assert_same_learning(one: SeedRun, other: SeedRun) -> None:
    """Bit for bit the same choices and the same trained numbers."""
    for method in one.methods:
        assert one.methods[method].choice == other.methods[method].choice
    first, second = learned(one), learned(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value.numpy(), second[name].numpy(), err_msg=name)


@pytest.fixture(name="assert_same_learning", scope="session")
def _assert_same_learning():
    return assert_same_learning
