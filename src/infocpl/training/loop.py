"""The one training loop: any task, any device, resumable to the bit.

Randomness is a function of (seed, epoch) alone: every epoch reseeds the generator and draws its
own order, so a run that is killed and resumed repeats the uninterrupted run exactly.

Where several processes are launched, each draws what one process would draw for the whole batch,
and works on its part of it: losses are those of one process, up to rounding.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from torch import Tensor, nn

from infocpl.errors import CheckpointError, ConfigError
from infocpl.files import canonical_hash
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.config import FitConfig, decisive

__all__ = ["EpochReport", "Task", "fit"]

_log = logging.getLogger(__name__)


class Task(nn.Module):
    """A model with its loss: clip indices in, named losses out.

    ``forward(index, epoch, part)`` returns a dictionary of scalar losses whose sum is minimised, or
    an empty dictionary when the batch teaches nothing and must be skipped.
    """

    def forward(self, index: Tensor, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """Mean losses of the clips at `index` (B,), of which this process answers for `part`.

        Whatever is random must be drawn for all of `index`. Where there is one process, `part` is
        not given.
        """
        raise NotImplementedError(f"{type(self).__name__} must define forward")


@dataclass(frozen=True)
class EpochReport:
    """What one epoch did: its number (from 1), how many there are, and mean losses."""

    epoch: int
    epochs: int
    losses: dict[str, float]


def native_bf16() -> bool:
    """True where bfloat16 products run natively (a GPU, or a CPU with such instructions)."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(supported()) if supported is not None else False


def fit(
    task: Task,
    clips: int,
    config: FitConfig,
    *,
    seed: int,
    checkpoint: Path | None = None,
    stop_after: int | None = None,
    on_epoch: Callable[[EpochReport], None] | None = None,
) -> Task:
    """Train `task` on clips 0 .. `clips` - 1 and return it in evaluation mode.

    Parameters
    ----------
    task : model and loss
    clips : number of training clips, >= 2
    config : epochs, batch size, schedule, precision
    seed : of the order of clips and of everything random inside the task
    checkpoint : file for the training state; if it exists, training goes on from it
    stop_after : end after this many epochs of the schedule (default: all of them)
    on_epoch : called after every epoch; may read the task (it is in evaluation mode then)

    Raises
    ------
    CheckpointError : if `checkpoint` belongs to another configuration, seed or data size, or is
        past `stop_after` already
    ConfigError : if there is nothing to train on, or the loss stops being finite
    """
    if clips < 2:
        raise ConfigError(f"training needs at least 2 clips, got {clips}")
    precision = config.precision
    if precision == "auto":
        precision = "bf16" if native_bf16() else "fp32"
    # Precision is chosen a training, not a process: accelerate's own switch cannot change twice.
    # Statistics of batches are equal in all processes already and need not be sent.
    accelerator = Accelerator(
        # Without this, processes started on a machine without a GPU do not find each other.
        cpu=not torch.cuda.is_available(),
        mixed_precision="no",
        kwargs_handlers=[DistributedDataParallelKwargs(broadcast_buffers=False)],
    )
    processes = accelerator.num_processes
    if clips // _batch_count(clips, config.batch_size) < processes:
        raise ConfigError(
            f"a batch of {config.batch_size} of {clips} clips cannot be shared by {processes} "
            "processes"
        )
    half = torch.autocast(
        accelerator.device.type, dtype=torch.bfloat16, enabled=precision == "bf16"
    )
    optimizer = torch.optim.AdamW(
        [p for p in task.parameters() if p.requires_grad],
        lr=config.lr,
        weight_decay=config.weight_decay,
    )
    identity = canonical_hash({"config": decisive(config), "seed": seed, "clips": clips})
    last = config.epochs if stop_after is None else min(stop_after, config.epochs)
    start = 0
    if checkpoint is not None and checkpoint.is_file():
        start = _restore(checkpoint, task, optimizer, identity, last)
    model, engine = accelerator.prepare(task, optimizer)
    for epoch in range(start, last):
        model.train()
        totals: dict[str, float] = {}
        steps = 0
        batches = list(_batches(clips, config.batch_size, seed, epoch))
        for number, batch in enumerate(batches):
            rate = config.rate(epoch + (number + 1) / len(batches))
            for group in engine.param_groups:
                group["lr"] = rate
            with half:
                part, weight = _share(len(batch), accelerator)
                losses: dict[str, Tensor] = model(
                    batch.to(accelerator.device), epoch, *((part,) if processes > 1 else ())
                )
            if not losses:
                continue
            engine.zero_grad()
            # Gradients are averaged over processes, whose parts may be of unequal size.
            total = _finite_sum(losses, epoch, config)
            accelerator.backward(total * (weight * processes) if processes > 1 else total)
            engine.step()
            steps += 1
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + float(value.detach()) * weight
        task.eval()
        done = epoch + 1
        due = done % config.checkpoint_every == 0 or done == last
        if checkpoint is not None and due and accelerator.is_main_process:
            _save(checkpoint, task, optimizer, done, identity)
        if on_epoch is not None:
            means = {name: value / steps for name, value in _added(totals, accelerator).items()}
            on_epoch(EpochReport(done, config.epochs, means))
    return task.eval()


def _finite_sum(losses: dict[str, Tensor], epoch: int, config: FitConfig) -> Tensor:
    total = torch.stack([value.float() for value in losses.values()]).sum()
    if not bool(torch.isfinite(total)):
        raise ConfigError(
            f"the loss is not finite in epoch {epoch + 1}; lower the learning rate "
            f"({config.lr}) or check the clips"
        )
    return total


def _batches(clips: int, size: int, seed: int, epoch: int) -> Iterator[Tensor]:
    torch.manual_seed(_mix(seed, epoch))
    order = torch.randperm(clips, generator=torch.Generator().manual_seed(_mix(seed, epoch) + 1))
    # Equal batches: a last batch of one clip would break batch statistics.
    return iter(torch.tensor_split(order, _batch_count(clips, size)))


def _batch_count(clips: int, size: int) -> int:
    return max(1, round(clips / size))


def _mix(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch * 9_973) % (2**62)


def _share(batch: int, accelerator: Accelerator) -> tuple[slice, float]:
    """Clips of a batch that belong to this process, and their share of it.

    Parts are consecutive: the encoders' shared layers rely on that.
    """
    rank, processes = accelerator.process_index, accelerator.num_processes
    start, stop = batch * rank // processes, batch * (rank + 1) // processes
    return slice(start, stop), (stop - start) / batch


def _added(totals: dict[str, float], accelerator: Accelerator) -> dict[str, float]:
    """Sums over processes of what each has added up."""
    if accelerator.num_processes == 1:
        return totals
    names = sorted(totals)
    values = torch.tensor([totals[name] for name in names], dtype=torch.float64)
    sums = accelerator.reduce(values.to(accelerator.device), reduction="sum")
    return dict(zip(names, sums.tolist(), strict=True))


def _save(
    path: Path, task: Task, optimizer: torch.optim.Optimizer, epoch: int, identity: str
) -> None:
    tensors = {f"task.{name}": value for name, value in task.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        for name, value in state.items():
            tensors[f"optimizer.{index}.{name}"] = torch.as_tensor(value)
    save_tensors(path, tensors, {"epoch": epoch, "identity": identity})


def _restore(
    path: Path, task: Task, optimizer: torch.optim.Optimizer, identity: str, last: int
) -> int:
    tensors, meta = load_tensors(path)
    if meta.get("identity") != identity:
        raise CheckpointError(
            f"{path} was written with another configuration, seed or number of clips; "
            f"remove it to train anew"
        )
    done = int(meta["epoch"])
    if done > last:
        raise CheckpointError(f"{path} has finished epoch {done}; it cannot stop after {last}")
    weights = {k.removeprefix("task."): v for k, v in tensors.items() if k.startswith("task.")}
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    try:
        task.load_state_dict(weights)
        optimizer.load_state_dict(
            {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        )
    except (RuntimeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} does not fit this model: {error}") from error
    _log.info("resumed after epoch %d from %s", done, path)
    return done
