"""Train an encoder and an aligner under whatever launched this, and write what came out.

Usage: fit_twice.py FOLDER. Not a test: ``test_processes.py`` launches it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from infocpl.alignment.base import TextTable
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.encoders.augment import AugmentConfig
from infocpl.encoders.registry import create_encoder
from infocpl.training.checkpoint import save_tensors
from infocpl.training.config import FitConfig
from infocpl.training.environment import is_main_process
from infocpl.training.loop import EpochReport, Task, fit
from infocpl.training.tasks import AlignmentTask, EncoderTask, LossSampling

CLIPS = 23
ENCODERS = ("stgcn-small", "shift-gcn-small", "ctrgcn-small")
LABELS = torch.arange(CLIPS) % 4


def encoder_task(name: str) -> Task:
    """Two persons, the second often absent: shares of a batch differ in bodies too."""
    torch.manual_seed(0)
    clips = torch.randn(CLIPS, 2, 8, 20, 3)
    clips[::3, 1] = 0
    clips[: CLIPS // 2, 1] = 0
    encoder = create_encoder(name, "kinect20")
    # In float64, or Adam would turn rounding of gradients near zero into steps of full length.
    return EncoderTask(encoder, clips.double(), LABELS, 4, AugmentConfig()).double()


def alignment_task() -> Task:
    torch.manual_seed(1)
    rows = torch.nn.functional.normalize(torch.randn(4, 8, 12), dim=2)
    mask = torch.ones(4, 7, dtype=torch.bool)
    text = TextTable(tuple("abcd"), rows[:, :7], mask, rows[:, 7], rows[:, 7])
    shape = InfoCPLConfig(10, 12, (1, 5), hidden=(16, 8), gate="visual")
    sampling = LossSampling(
        negatives=3, text_negatives=2, inverse_epochs=1, noise=0.5, margin_weight=0.5
    )
    features = torch.randn(CLIPS, 10)
    masked = features + torch.randn(CLIPS, 10)
    return AlignmentTask(InfoCPL(shape), features, LABELS, text, sampling, masked)


def main(folder: Path) -> None:
    config = FitConfig(epochs=3, batch_size=7, lr=1e-3, warmup=1, weight_decay=0.01)
    tasks = {
        name: encoder_task(name) for name in ("stgcn-small", "shift-gcn-small", "ctrgcn-small")
    }
    for name, task in (*tasks.items(), ("alignment", alignment_task())):
        reports: list[EpochReport] = []
        state = folder / f"{name}.state.safetensors"
        fit(task, CLIPS, config, seed=3, checkpoint=state, on_epoch=reports.append)
        if is_main_process():
            together = torch.distributed.is_initialized()
            processes = torch.distributed.get_world_size() if together else 1
            # Proof that there were as many as were asked for.
            (folder / f"{processes} processes").touch()
            losses = [report.losses for report in reports]
            (folder / f"{name}.json").write_text(json.dumps(losses), encoding="utf-8")
            save_tensors(folder / f"{name}.safetensors", dict(task.state_dict()), {})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
