"""One InfoCPL training step: scoring the sampled pairs against scoring all B x C pairs.

    python benchmarks/alignment_step.py

Same weights, same negatives, same loss. A step is forward, backward and Adam; the two take turns
and the ratio of their median times is the number to quote. Arithmetic is counted and set against
the rate of a large matrix product measured in the same run. Peak memory is that of a fresh process
that does two steps (in the second one the optimizer's state is there as well) and nothing else.
"""

from __future__ import annotations

import argparse
import copy
import resource
import subprocess
import sys
from collections.abc import Callable

import torch
from machine import operations, product_rate, take_turns
from reference import dense_losses
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import sample_negatives
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series

BATCH, CLASSES, DESCRIPTIONS, TEXT_DIM, VISUAL_DIM, NEGATIVES = 128, 55, 100, 768, 256, 8

Problem = tuple[InfoCPL, Tensor, Tensor, TextTable, Tensor]
Losses = Callable[[InfoCPL, Tensor, Tensor, TextTable, Tensor], Tensor]


def sampled_losses(
    model: InfoCPL, features: Tensor, labels: Tensor, text: TextTable, negatives: Tensor
) -> Tensor:
    return model.head_losses(features, labels, text, negatives)


FORMULATIONS: dict[str, Losses] = {"dense": dense_losses, "sampled": sampled_losses}


def problem() -> Problem:
    """Paper-size model and random data: NTU-60 with 55 seen classes, 12 heads."""
    torch.manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(CLASSES, DESCRIPTIONS + 2, TEXT_DIM), dim=2)
    text = TextTable(
        tuple(f"class {i}" for i in range(CLASSES)),
        rows[:, :DESCRIPTIONS].contiguous(),
        torch.ones(CLASSES, DESCRIPTIONS, dtype=torch.bool),
        rows[:, -2],
        rows[:, -1],
    )
    series = default_k_series(60)
    model = InfoCPL(InfoCPLConfig(VISUAL_DIM, TEXT_DIM, series))
    labels = torch.randint(0, CLASSES, (BATCH,))
    negatives = sample_negatives(labels, NEGATIVES, len(series))
    return model, torch.randn(BATCH, VISUAL_DIM), labels, text, negatives


def training_step(losses: Losses, case: Problem) -> Callable[[], float]:
    model, *data = case
    model = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5)

    def step() -> float:
        optimizer.zero_grad()
        loss = losses(model, *data).mean()
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def peak_memory(name: str) -> float:
    """MiB of a fresh process after two steps, less what it held before the step."""
    command = [sys.executable, __file__, "--memory-of", name]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def report_memory(name: str) -> None:
    step = training_step(FORMULATIONS[name], problem())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    step()
    step()
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 2**20 if sys.platform == "darwin" else 2**10
    print((after - before) / unit)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--memory-of", choices=sorted(FORMULATIONS), help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        report_memory(options.memory_of)
        return

    # Before this process grows: a child inherits the peak of the memory it was forked from.
    memory = {name: peak_memory(name) for name in FORMULATIONS}
    case = problem()
    steps = {name: training_step(losses, case) for name, losses in FORMULATIONS.items()}
    loss = {name: step() for name, step in steps.items()}  # warms up as well
    if abs(loss["dense"] - loss["sampled"]) > 1e-5 * abs(loss["dense"]):
        raise SystemExit(f"the losses differ: {loss}; nothing was timed")
    work = {name: operations(step) for name, step in steps.items()}
    peak = product_rate()
    middle = take_turns(dict(steps), options.repeats)
    print(
        f"batch {BATCH}, {CLASSES} classes, {DESCRIPTIONS} descriptions of {TEXT_DIM} numbers, "
        f"{len(default_k_series(60))} heads; {torch.get_num_threads()} threads"
    )
    print(
        f"{'':10}{'loss':>12}{'s a step':>12}{'GFLOP':>10}{'of matrix product':>20}{'peak MiB':>12}"
    )
    for name in steps:
        share = work[name] / middle[name] / peak
        print(
            f"{name:<10}{loss[name]:>12.6f}{middle[name]:>12.2f}{work[name] / 1e9:>10.0f}"
            f"{share:>20.1%}{memory[name]:>12.0f}"
        )
    print(
        f"matrix product: {peak / 1e9:.0f} GFLOP/s; "
        f"ratio of medians {middle['dense'] / middle['sampled']:.2f}, "
        f"of peak memory {memory['dense'] / memory['sampled']:.2f}"
    )


if __name__ == "__main__":
    main()
