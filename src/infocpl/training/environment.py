"""What decides, beside the arguments, the last bits of a computation."""

from __future__ import annotations

import os
import platform
from typing import Any

import torch

from infocpl import __version__
from infocpl.training.loop import native_bf16

__all__ = ["RECIPE", "environment", "is_main_process"]

RECIPE = 2
"""Raised whenever equal arguments begin to give other weights or features than before."""


def environment() -> dict[str, Any]:
    """Facts that must be equal for equal arguments to give equal bits.

    Returns
    -------
    plain JSON values: versions, processor and its instructions, device, threads, processes

    Examples
    --------
    >>> environment()["threads"] == torch.get_num_threads()
    True
    """
    cuda = torch.cuda.is_available()
    return {
        "infocpl": __version__,
        "recipe": RECIPE,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "bf16": native_bf16(),
        "threads": torch.get_num_threads(),
        "processes": int(os.environ.get("WORLD_SIZE", "1")),
    }


def is_main_process() -> bool:
    """True in the one process that writes files and speaks, of those started together.

    Examples
    --------
    >>> is_main_process()
    True
    """
    return os.environ.get("RANK", "0") == "0"
