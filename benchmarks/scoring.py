"""Scoring clips against a fixed label set: dense, as the model does it, and compiled labels.

    python benchmarks/scoring.py

64 clips, 60 labels, a paper-size aligner of random weights. All three give the same scores; they
take turns and the ratios of their median times are the numbers to quote.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import torch
from machine import take_turns
from reference import dense_scores
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.alignment.compiled import CompiledLabels
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series
from infocpl.alignment.standard import StandardInfoCPL

CLIPS, LABELS, DESCRIPTIONS, TEXT_DIM, VISUAL_DIM = 64, 60, 100, 768, 256


def problem() -> tuple[StandardInfoCPL, Tensor, TextTable]:
    torch.manual_seed(0)
    rows = torch.nn.functional.normalize(torch.randn(LABELS, DESCRIPTIONS + 2, TEXT_DIM), dim=2)
    text = TextTable(
        tuple(f"class {i}" for i in range(LABELS)),
        rows[:, :DESCRIPTIONS].contiguous(),
        torch.ones(LABELS, DESCRIPTIONS, dtype=torch.bool),
        rows[:, -2],
        rows[:, -1],
    )
    model = InfoCPL(InfoCPLConfig(VISUAL_DIM, TEXT_DIM, default_k_series(60)))
    aligner = StandardInfoCPL(model, torch.zeros(VISUAL_DIM), torch.ones(VISUAL_DIM), None)
    return aligner, torch.randn(CLIPS, VISUAL_DIM), text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    aligner, clips, text = problem()
    compiled = CompiledLabels(aligner, text)
    work: dict[str, Callable[[], Tensor]] = {
        "dense": lambda: dense_scores(aligner.model, clips, text),
        "model": lambda: aligner.scores(clips, text),
        "compiled": lambda: compiled.scores(clips),
    }
    found = {name: run() for name, run in work.items()}
    apart = max(float((scores - found["dense"]).abs().max()) for scores in found.values())
    if apart > 1e-5:
        raise SystemExit(f"the scores differ by {apart:.1e}; nothing was timed")
    middle = take_turns(dict(work), options.repeats)
    once = take_turns({"compiling": lambda: CompiledLabels(aligner, text)}, 2)["compiling"]
    print(
        f"{CLIPS} clips, {LABELS} labels of {DESCRIPTIONS} descriptions, "
        f"{len(default_k_series(60))} heads; {torch.get_num_threads()} threads; "
        f"largest difference {apart:.1e}; compiling takes {once:.2f} s once"
    )
    print(f"{'':12}{'ms':>8}{'times as fast as dense':>26}")
    for name, value in middle.items():
        print(f"{name:<12}{value * 1e3:>8.0f}{middle['dense'] / value:>26.2f}")


if __name__ == "__main__":
    main()
