"""What the speed benchmarks share: a stopwatch, counted arithmetic, the rate of this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from infocpl.products import linear


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each; whatever else the machine does meets all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repeats):
        for name, run in work.items():
            times[name].append(seconds(run))
    return {name: median(values) for name, values in times.items()}


def product_rate(dtype: torch.dtype = torch.float32, size: int = 1536) -> float:
    """Operations a second of (size x size) matrix products: the best of torch's libraries."""
    a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
    best = min(seconds(work) for _ in range(8) for work in (lambda: a @ b, lambda: linear(a, b)))
    return 2 * size**3 / best


def operations(work: Callable[[], object]) -> int:
    """Operations of the matrix products and convolutions of one call, counted as they happen."""
    aten = torch.ops.aten
    # torch counts these by itself where they do not run in oneDNN.
    mapping: dict[Any, Callable[..., int]] = {
        aten.mkldnn_linear: lambda x, w, *_, **__: 2 * math.prod(x) * w[0],
        aten.mkldnn_linear_backward: lambda x, g, _, mask, **__: (
            2 * math.prod(x) * g[-1] * (mask[0] + mask[1])
        ),
    }
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        work()
    return int(counter.get_total_flops())
