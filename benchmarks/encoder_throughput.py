"""The package's ST-GCN against the textbook arrangement of the same network, in one run.

    python benchmarks/encoder_throughput.py

Both networks hold the same weights and are first checked to give the same features. Then they
take turns, so that whatever else the machine does meets both alike; the ratio of their median
times is the number to quote. Arithmetic is counted, not estimated, and set against the rate of
a large matrix product measured in the same run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from machine import operations, product_rate, take_turns
from reference import TextbookSTGCN
from torch import Tensor, nn

from infocpl.encoders.registry import encoder_config
from infocpl.encoders.stgcn import STGCN

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


def training_step(network: nn.Module, clips: Tensor, dtype: torch.dtype) -> Callable[[], None]:
    """Forward, backward and AdamW on a classifier of 55 classes."""
    classifier = nn.Linear(256, 55)
    labels = torch.arange(len(clips)) % 55
    optimizer = torch.optim.AdamW([*network.parameters(), *classifier.parameters()], lr=1e-4)

    def step() -> None:
        network.train()
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            logits = classifier(network(clips))
        optimizer.zero_grad()
        nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()

    return step


def inference(network: nn.Module, clips: Tensor, dtype: torch.dtype) -> Callable[[], None]:
    def run() -> None:
        network.eval()
        with torch.no_grad(), torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            network(clips)

    return run


def largest_difference(ours: STGCN, textbook: TextbookSTGCN, clips: Tensor) -> float:
    with torch.no_grad():
        return float((ours.eval()(clips) - textbook.eval()(clips)).abs().max())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--batch", type=int, default=8, help="clips a step")
    parser.add_argument("--frames", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    torch.manual_seed(0)
    config = encoder_config("stgcn", "ntu25")
    ours = STGCN(config)
    textbook = TextbookSTGCN(config).copy_from(ours)
    clips = torch.randn(options.batch, 2, options.frames, 25, 3)
    difference = largest_difference(ours, textbook, clips)
    if difference > 1e-5:
        raise SystemExit(f"the networks differ by {difference:.1e}; nothing was timed")
    print(
        f"{options.batch} clips of 2 persons, {options.frames} frames, 25 joints; "
        f"{torch.get_num_threads()} threads; largest difference of features {difference:.1e}"
    )
    print(
        f"{'':16}{'textbook':>10}{'infocpl':>10}{'ratio of':>10}{'infocpl':>10}"
        f"{'textbook':>10}{'of matrix':>11}\n"
        f"{'':16}{'clips/s':>10}{'clips/s':>10}{'medians':>10}{'GFLOP/s':>10}"
        f"{'GFLOP/s':>10}{'product':>11}"
    )
    for name, dtype in PRECISIONS.items():
        peak = product_rate(dtype)
        for title, make in (("training step", training_step), ("inference", inference)):
            slow, fast = make(textbook, clips, dtype), make(ours, clips, dtype)
            work = {"slow": operations(slow), "fast": operations(fast)}  # warms up as well
            middle = take_turns({"slow": slow, "fast": fast}, options.repeats)
            rate = {key: work[key] / middle[key] for key in work}
            print(
                f"{name + ' ' + title:<18}{options.batch / middle['slow']:>8.1f}"
                f"{options.batch / middle['fast']:>10.1f}{middle['slow'] / middle['fast']:>10.2f}"
                f"{rate['fast'] / 1e9:>10.1f}{rate['slow'] / 1e9:>10.1f}"
                f"{rate['fast'] / peak:>11.1%}"
            )
        print(f"{name} matrix product: {peak / 1e9:.1f} GFLOP/s")


if __name__ == "__main__":
    main()
