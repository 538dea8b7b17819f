"""The loop: the same bits whether a run was interrupted or not, and clear refusals."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from infocpl.encoders.augment import AugmentConfig
from infocpl.encoders.layers import ByteDropout
from infocpl.encoders.registry import create_encoder
from infocpl.errors import CheckpointError, ConfigError
from infocpl.training import loop
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.config import FitConfig
from infocpl.training.loop import EpochReport, Task, fit
from infocpl.training.tasks import EncoderTask


class Line(Task):
    """A noisy regression: dropout, batch statistics and noise on the input."""

    def __init__(self, clips: int = 23) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(
            nn.Linear(5, 16), nn.BatchNorm1d(16), nn.ReLU(), ByteDropout(0.5), nn.Linear(16, 1)
        )
        self.x = torch.randn(clips, 5)
        self.y = self.x.sum(1, keepdim=True)
        self.seen: list[tuple[int, list[int]]] = []

    def forward(self, index: Tensor, epoch: int) -> dict[str, Tensor]:
        self.seen.append((epoch, index.tolist()))
        x = self.x[index] + 0.1 * torch.randn(len(index), 5)
        out = self.net(x)
        return {"fit": (out - self.y[index]).pow(2).mean(), "size": 1e-3 * out.pow(2).mean()}


def network_task(seed: int = 0) -> EncoderTask:
    """A real encoder with channels-last weights, dropout and augmentation."""
    torch.manual_seed(seed)
    encoder = create_encoder("stgcn", "kinect20", channels=(8, 12), strides=(2, 1), dropout=0.3)
    clips = torch.randn(14, 2, 10, 20, 3)
    return EncoderTask(encoder, clips, torch.arange(14) % 3, 3, AugmentConfig())


class Interrupted(Exception):  # noqa: N818
    """Stands for whatever ends a process."""


def run(task: Task, clips: int, config: FitConfig, **more) -> tuple[dict[str, Tensor], list]:
    """Final weights and the reports of all epochs."""
    reports: list[EpochReport] = []
    stop_at = more.pop("stop_at", None)

    def note(report: EpochReport) -> None:
        reports.append(report)
        if report.epoch == stop_at:
            raise Interrupted

    fit(task, clips, config, on_epoch=note, **more)
    return {name: value.clone() for name, value in task.state_dict().items()}, reports


def same_bits(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


CONFIG = FitConfig(epochs=7, batch_size=6, lr=3e-3, weight_decay=0.05, warmup=2, checkpoint_every=2)


@pytest.mark.parametrize("stop_at", [1, 2, 3, 6])
@pytest.mark.parametrize("make", [Line, network_task], ids=["line", "encoder"])
def test_a_resumed_run_equals_the_uninterrupted_one_to_the_bit(
    tmp_path: Path, make, stop_at: int
) -> None:
    clips = 23 if make is Line else 14
    whole, reports = run(make(), clips, CONFIG, seed=5)
    state = tmp_path / "state.safetensors"
    with pytest.raises(Interrupted):
        run(make(), clips, CONFIG, seed=5, checkpoint=state, stop_at=stop_at)
    torch.manual_seed(1234)  # a new process does not inherit the generator
    resumed, later = run(make(), clips, CONFIG, seed=5, checkpoint=state)
    assert same_bits(whole, resumed)
    assert later == reports[stop_at - stop_at % 2 :]


def test_resuming_twice_in_bfloat16_is_exact_too(tmp_path: Path) -> None:
    config = FitConfig(epochs=5, batch_size=7, lr=1e-3, precision="bf16", checkpoint_every=1)
    whole, _ = run(network_task(), 14, config, seed=1)
    state = tmp_path / "state.safetensors"
    for stop_at in (2, 4):
        with pytest.raises(Interrupted):
            run(network_task(), 14, config, seed=1, checkpoint=state, stop_at=stop_at)
    resumed, _ = run(network_task(), 14, config, seed=1, checkpoint=state)
    assert same_bits(whole, resumed)


def test_the_state_holds_the_optimiser_and_not_the_weights_alone(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    run(Line(), 23, CONFIG, seed=0, checkpoint=state, stop_after=2)
    tensors, meta = load_tensors(state)
    assert meta["epoch"] == 2
    moments = [name for name in tensors if name.endswith(("exp_avg", "exp_avg_sq", "step"))]
    assert len(moments) == 3 * len(list(Line().parameters()))


def test_a_finished_run_is_returned_without_another_step(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    first, _ = run(Line(), 23, CONFIG, seed=0, checkpoint=state)
    task = Line()
    again, reports = run(task, 23, CONFIG, seed=0, checkpoint=state)
    assert same_bits(first, again)
    assert reports == []
    assert task.seen == []
    assert not task.training


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not() -> None:
    first, reports = run(Line(), 23, CONFIG, seed=3)
    torch.manual_seed(777)
    second, again = run(Line(), 23, CONFIG, seed=3)
    other, _ = run(Line(), 23, CONFIG, seed=4)
    assert same_bits(first, second)
    assert reports == again
    assert not same_bits(first, other)


def test_a_listener_that_draws_random_numbers_changes_nothing() -> None:
    quiet, _ = run(Line(), 23, CONFIG, seed=3)
    noisy = Line()
    fit(noisy, 23, CONFIG, seed=3, on_epoch=lambda _: torch.randn(100))
    assert same_bits(quiet, dict(noisy.state_dict()))


@pytest.mark.parametrize(("native", "taken"), [(True, "bf16"), (False, "fp32")])
def test_automatic_precision_is_bf16_where_the_processor_has_it_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, native: bool, taken: str
) -> None:
    monkeypatch.setattr(loop, "native_bf16", lambda: native)
    found = {
        name: run(network_task(), 14, FitConfig(epochs=1, batch_size=7, precision=name), seed=0)[0]
        for name in ("auto", "bf16", "fp32")
    }
    assert same_bits(found["auto"], found[taken])
    assert not same_bits(found["bf16"], found["fp32"])


def test_two_precisions_may_follow_each_other_in_one_process() -> None:
    results = [
        run(network_task(), 14, FitConfig(epochs=1, batch_size=7, precision=p, warmup=0), seed=0)
        for p in ("fp32", "bf16", "auto", "fp32")
    ]
    assert same_bits(results[0][0], results[3][0])
    losses = [reports[0].losses["classification_loss"] for _, reports in results]
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_every_epoch_shows_every_clip_once_in_an_order_of_its_own() -> None:
    task = Line()
    run(task, 23, CONFIG, seed=0)
    orders = []
    for epoch in range(CONFIG.epochs):
        batches = [index for number, index in task.seen if number == epoch]
        sizes = [len(batch) for batch in batches]
        assert len(batches) == 4  # 23 clips by 6
        assert max(sizes) - min(sizes) <= 1
        orders.append([i for batch in batches for i in batch])
        assert sorted(orders[-1]) == list(range(23))
    assert len({tuple(order) for order in orders}) == CONFIG.epochs


def test_training_equals_adamw_with_a_plain_schedule_written_out() -> None:
    class Exact(Task):
        """No randomness but the order, which is that of one whole batch."""

        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.net = nn.Linear(3, 1).double()
            self.x = torch.randn(8, 3).double()

        def forward(self, index: Tensor, epoch: int) -> dict[str, Tensor]:
            return {"loss": (self.net(self.x[index.sort().values]) - 1).pow(2).mean()}

    config = FitConfig(epochs=6, batch_size=8, lr=0.05, weight_decay=0.1, warmup=2)
    ours, plain = Exact(), Exact()
    fit(ours, 8, config, seed=0)
    weights = list(plain.parameters())
    first = [torch.zeros_like(p) for p in weights]
    second = [torch.zeros_like(p) for p in weights]
    cosine = [math.cos(math.pi * (step + 1) / 4) for step in range(4)]
    rates = [0.025, 0.05, *(0.05 * (1 + c) / 2 for c in cosine)]
    for step, rate in enumerate(rates, start=1):
        plain.zero_grad()
        sum(plain(torch.arange(8), 0).values()).backward()
        with torch.no_grad():
            for p, m, v in zip(weights, first, second, strict=True):
                p.mul_(1 - rate * 0.1)
                m.mul_(0.9).add_(0.1 * p.grad)
                v.mul_(0.999).add_(0.001 * p.grad**2)
                p.sub_(rate * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)).sqrt() + 1e-8))
    for mine, theirs in zip(ours.parameters(), weights, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-7)


def test_reported_losses_are_means_over_the_batches_of_an_epoch() -> None:
    class Constant(Task):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))
            self.calls = 0

        def forward(self, index: Tensor, epoch: int) -> dict[str, Tensor]:
            self.calls += 1
            return {"a": self.weight.sum() * 0 + self.calls, "b": self.weight.sum() * 0 + 1}

    _, reports = run(Constant(), 9, FitConfig(epochs=2, batch_size=3), seed=0)
    assert [report.losses for report in reports] == [{"a": 2.0, "b": 1.0}, {"a": 5.0, "b": 1.0}]
    assert [(report.epoch, report.epochs) for report in reports] == [(1, 2), (2, 2)]


class Silent(Line):
    """Has nothing to learn from a batch without clip 0."""

    def forward(self, index: Tensor, epoch: int) -> dict[str, Tensor]:
        return super().forward(index, epoch) if 0 in index.tolist() and epoch else {}


def test_a_batch_that_teaches_nothing_is_skipped() -> None:
    task = Silent()
    before = task.net[0].weight.detach().clone()
    _, reports = run(task, 23, FitConfig(epochs=1, batch_size=6, lr=0.1, warmup=0), seed=0)
    assert torch.equal(task.net[0].weight, before)
    assert reports[0].losses == {}
    _, reports = run(Silent(), 23, FitConfig(epochs=2, batch_size=6, lr=0.1, warmup=0), seed=0)
    assert set(reports[1].losses) == {"fit", "size"}


def test_training_is_switched_on_for_steps_and_off_for_listeners() -> None:
    modes: list[bool] = []

    class Watched(Line):
        def forward(self, index: Tensor, epoch: int) -> dict[str, Tensor]:
            modes.append(self.net.training)
            return super().forward(index, epoch)

    task = Watched()
    fit(task, 23, CONFIG, seed=0, on_epoch=lambda _: modes.append(not task.net.training))
    assert all(modes)
    assert not task.training


def test_stopping_after_an_epoch_follows_the_schedule_of_the_whole_run() -> None:
    _, reports = run(Line(), 23, CONFIG, seed=0)
    stopped, first = run(Line(), 23, CONFIG, seed=0, stop_after=3)
    assert first == reports[:3]
    task = Line()
    with pytest.raises(Interrupted):
        run(task, 23, CONFIG, seed=0, stop_at=3)
    assert same_bits(stopped, dict(task.state_dict()))


def test_stopping_later_than_the_end_is_the_end() -> None:
    _, reports = run(Line(), 23, CONFIG, seed=0, stop_after=99)
    assert len(reports) == CONFIG.epochs


def test_a_state_past_the_stop_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    run(Line(), 23, CONFIG, seed=0, checkpoint=state)
    with pytest.raises(CheckpointError, match="finished epoch 7; it cannot stop after 3"):
        fit(Line(), 23, CONFIG, seed=0, checkpoint=state, stop_after=3)


@pytest.mark.parametrize(
    ("config", "seed", "clips"),
    [(FitConfig(epochs=8, batch_size=6), 0, 23), (CONFIG, 1, 23), (CONFIG, 0, 22)],
    ids=["configuration", "seed", "number of clips"],
)
def test_the_state_of_another_training_is_refused(
    tmp_path: Path, config: FitConfig, seed: int, clips: int
) -> None:
    state = tmp_path / "state.safetensors"
    run(Line(), 23, CONFIG, seed=0, checkpoint=state, stop_after=1)
    with pytest.raises(CheckpointError, match="another configuration, seed or number of clips"):
        fit(Line(), clips, config, seed=seed, checkpoint=state)


def test_the_state_of_another_model_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    run(Line(), 14, CONFIG, seed=0, checkpoint=state, stop_after=1)
    with pytest.raises(CheckpointError, match="does not fit this model"):
        fit(network_task(), 14, CONFIG, seed=0, checkpoint=state)


def test_a_file_that_is_no_training_state_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "state.safetensors"
    save_tensors(state, dict(Line().state_dict()), {"training_classes": ["walk"]})
    with pytest.raises(CheckpointError):
        fit(Line(), 23, CONFIG, seed=0, checkpoint=state)


@pytest.mark.parametrize("clips", [0, 1])
def test_too_few_clips_are_refused(clips: int) -> None:
    with pytest.raises(ConfigError, match=f"at least 2 clips, got {clips}"):
        fit(Line(), clips, CONFIG, seed=0)


def test_a_loss_that_is_not_finite_ends_the_run_before_the_weights_do() -> None:
    task = Line()
    task.y[3] = float("inf")
    with pytest.raises(ConfigError, match=r"not finite in epoch 1; lower the learning rate"):
        fit(task, 23, CONFIG, seed=0)
    assert all(bool(torch.isfinite(p).all()) for p in task.parameters())


def test_a_task_without_a_loss_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match="Task must define forward"):
        Task()(torch.arange(2), 0)
