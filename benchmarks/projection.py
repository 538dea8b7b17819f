"""How long the paper's alignment of NTU-60 (55/5) takes: projected from measured steps.

    python benchmarks/projection.py

33,000 clips, batches of 128, 100 epochs. On this machine: the median of a few training steps of
``alignment_step.py`` times their number. On one GPU, on paper: the operations counted in a step
over an assumed rate; nothing was measured there.
"""

from __future__ import annotations

import argparse

import torch
from alignment_step import BATCH, problem, sampled_losses, training_step
from machine import operations, product_rate, take_turns

CLIPS, EPOCHS = 33_000, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument(
        "--gpu-teraflops",
        type=float,
        default=19.5,
        help="peak rate of the GPU in single precision (19.5: NVIDIA A100, without TF32)",
    )
    parser.add_argument("--gpu-share", type=float, default=0.4, help="share of it assumed reached")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    step = training_step(sampled_losses, problem())
    count = operations(step)  # warms up as well
    taken = take_turns({"step": step}, options.repeats)["step"]
    steps = EPOCHS * round(CLIPS / BATCH)
    total = steps * count
    rate = options.gpu_teraflops * 1e12 * options.gpu_share
    print(f"{CLIPS:,} clips, {EPOCHS} epochs: {steps:,} steps of {count / 1e9:.0f} GFLOP")
    print(
        f"this machine, {torch.get_num_threads()} thread(s): {taken:.2f} s a step, "
        f"{count / taken / product_rate():.0%} of its matrix product: "
        f"{steps * taken / 3600:.1f} h"
    )
    print(
        f"one GPU on paper: {total / 1e15:.1f} PFLOP at {options.gpu_share:.0%} of "
        f"{options.gpu_teraflops:g} TFLOP/s: {total / rate / 60:.0f} min"
    )


if __name__ == "__main__":
    main()
