"""The two losses that are trained, against their definitions."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import sample_negatives
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.encoders.augment import AugmentConfig, augment_clips
from infocpl.encoders.registry import create_encoder
from infocpl.errors import ConfigError
from infocpl.training.tasks import AlignmentTask, EncoderTask, LossSampling

STILL = AugmentConfig(yaw=0, tilt=0, scale=0, noise=0, crop=0, warp=0)


def encoder_task(augment: AugmentConfig = STILL, smoothing: float = 0.0) -> EncoderTask:
    torch.manual_seed(0)
    encoder = create_encoder("stgcn", "kinect20", channels=(8,), strides=(1,), dropout=0.0)
    return EncoderTask(
        encoder, torch.randn(9, 1, 8, 20, 3), torch.arange(9) % 4, 4, augment, smoothing
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_classification_loss_is_cross_entropy_over_the_classifier(smoothing: float) -> None:
    task = encoder_task(smoothing=smoothing).eval()
    index = torch.tensor([7, 1, 4])
    found = task(index, 0)["classification_loss"]
    features = task.encoder(task._clips[index])
    logits = features @ task.classifier.weight.t() + task.classifier.bias
    chosen = torch.full((3, 4), smoothing / 4)
    chosen[torch.arange(3), index % 4] += 1 - smoothing
    expected = -(chosen * (logits - logits.logsumexp(1, keepdim=True))).sum(1).mean()
    torch.testing.assert_close(found, expected)


def test_clips_are_augmented_afresh_at_every_step() -> None:
    task = encoder_task(AugmentConfig()).eval()
    index = torch.arange(9)
    torch.manual_seed(3)
    first, second = task(index, 0), task(index, 0)
    assert not torch.equal(first["classification_loss"], second["classification_loss"])
    torch.manual_seed(3)
    features = task.encoder(augment_clips(task._clips, AugmentConfig()))
    expected = nn.functional.cross_entropy(task.classifier(features), index % 4)
    torch.testing.assert_close(first["classification_loss"], expected)


def test_training_clips_are_not_part_of_the_state() -> None:
    names = set(encoder_task().state_dict())
    assert all(name.startswith(("encoder.", "classifier.")) for name in names)


def alignment_task(
    sampling: LossSampling, *, gate: str = "none", masked: torch.Tensor | None = None
) -> AlignmentTask:
    torch.manual_seed(0)
    shape = InfoCPLConfig(visual_dim=6, text_dim=8, k_series=(1, 3), hidden=(10, 5), gate=gate)
    model = InfoCPL(shape)
    rows = nn.functional.normalize(torch.randn(4, 5, 8), dim=2)
    text = TextTable(
        ("a", "b", "c", "d"), rows, torch.ones(4, 5, dtype=torch.bool), rows[:, 0], rows[:, 1]
    )
    labels = torch.arange(12) % 4
    return AlignmentTask(model, torch.randn(12, 6), labels, text, sampling, masked)


@pytest.mark.parametrize("epoch", [0, 2, 3, 9])
def test_the_alignment_loss_is_the_mean_over_heads_inverse_in_the_first_epochs(epoch: int) -> None:
    task = alignment_task(LossSampling(negatives=4, inverse_epochs=3))
    index = torch.tensor([0, 5, 2, 7, 11, 8])
    torch.manual_seed(8)
    found = task(index, epoch)["alignment_loss"]
    torch.manual_seed(8)
    labels = index % 4
    drawn = sample_negatives(labels, 4, 2)
    losses = [
        task.model.head_losses(
            task._features[index], labels, task._held.table(), drawn, inverse=inverse
        ).mean()
        for inverse in (True, False)
    ]
    assert not torch.equal(losses[0], losses[1])
    torch.testing.assert_close(found, losses[0] if epoch < 3 else losses[1])


def test_a_batch_of_one_class_teaches_nothing() -> None:
    assert alignment_task(LossSampling())(torch.tensor([0, 4, 8]), 0) == {}


def test_feature_noise_varies_the_loss_and_its_absence_does_not() -> None:
    index = torch.arange(12)
    for noise, equal in ((0.0, True), (0.3, False)):
        task = alignment_task(LossSampling(negatives=8, noise=noise, inverse_epochs=0))
        # Twelve clips, three of a class: asking for all nine others leaves nothing to draw.
        task.sampling = LossSampling(negatives=9, noise=noise, inverse_epochs=0)
        losses = [float(task(index, 0)["alignment_loss"].detach()) for _ in range(2)]
        assert (losses[0] == pytest.approx(losses[1], abs=1e-6)) is equal


def test_features_and_text_receive_no_gradient() -> None:
    task = alignment_task(LossSampling())
    task(torch.arange(12), 0)["alignment_loss"].backward()
    assert task._features.grad is None
    assert task._held.table().descriptions.grad is None
    assert all(p.grad is not None for p in task.model.parameters())


def test_margin_and_gate_are_off_unless_switched_on() -> None:
    index = torch.arange(12)
    assert set(alignment_task(LossSampling())(index, 0)) == {"alignment_loss"}
    with_margin = alignment_task(LossSampling(margin_weight=0.5), masked=torch.randn(12, 6))
    assert set(with_margin(index, 0)) == {"alignment_loss", "margin_loss"}
    with_gate = alignment_task(LossSampling(), gate="visual")
    assert set(with_gate(index, 0)) == {"alignment_loss", "gate_loss"}


@pytest.mark.parametrize("epoch", [0, 5])
def test_the_margin_loss_is_weighed_and_compares_each_clip_with_its_own_masked_version(
    epoch: int,
) -> None:
    masked = torch.randn(12, 6, generator=torch.Generator().manual_seed(3))
    sampling = LossSampling(margin=0.4, margin_weight=0.5, inverse_epochs=3)
    task = alignment_task(sampling, masked=masked)
    index = torch.tensor([4, 1, 11, 6])
    found = task(index, epoch)["margin_loss"]
    expected = task.model.margin_losses(
        task._features[index], masked[index], index % 4, task._held.table(), 0.4, inverse=epoch < 3
    )
    torch.testing.assert_close(found, 0.5 * expected.mean())


@pytest.mark.parametrize("masked", [None, torch.zeros(11, 6)], ids=["none", "too few"])
def test_a_margin_without_masked_clips_is_refused(masked: torch.Tensor | None) -> None:
    with pytest.raises(ConfigError, match="features of the same clips, masked"):
        alignment_task(LossSampling(margin_weight=0.5), masked=masked)


# --- devices --------------------------------------------------------------------------------------


def gated_task() -> AlignmentTask:
    """A task with everything that can be switched on."""
    sampling = LossSampling(text_negatives=2, noise=0.1, margin_weight=0.5, inverse_epochs=1)
    return alignment_task(sampling, gate="visual+text", masked=torch.randn(12, 6))


def tensors_of(module: nn.Module) -> list[torch.Tensor]:
    """All tensors that a module can reach, in attributes and in records they hold."""
    found = [*module.parameters(), *module.buffers()]
    for part in module.modules():
        for value in vars(part).values():
            if isinstance(value, torch.Tensor):
                found.append(value)
            elif isinstance(value, TextTable) and part._table is value:
                found += [v for v in vars(value).values() if isinstance(v, torch.Tensor)]
    return found


def test_everything_an_alignment_looks_at_goes_to_the_device_of_its_task() -> None:
    task = gated_task()
    assert len(tensors_of(task)) > 15
    task.to("meta")
    assert {tensor.device.type for tensor in tensors_of(task)} == {"meta"}


def test_of_an_encoders_data_all_but_the_clips_goes_to_the_device_of_its_task() -> None:
    text = nn.functional.normalize(torch.randn(4, 6), dim=1)
    encoder = create_encoder("stgcn", "kinect20", channels=(8,), strides=(1,), dropout=0.0)
    task = EncoderTask(
        encoder, torch.randn(9, 1, 8, 20, 3), torch.arange(9) % 4, 4, STILL, 0.0, text, 0.5
    )
    task.to("meta")
    on_processor = [tensor for tensor in tensors_of(task) if tensor.device.type == "cpu"]
    assert len(on_processor) == 1
    assert on_processor[0] is task._clips


def test_a_task_that_was_moved_computes_with_what_was_moved() -> None:
    """Another precision is the other place there is without an accelerator."""
    task, moved = gated_task(), gated_task()
    moved.load_state_dict(task.state_dict())
    for name, value in task.named_buffers():
        moved.get_buffer(name).copy_(value)
    moved.double()
    index = torch.arange(12)
    # Noise is drawn in the precision at hand: without it, both compute the same.
    task.sampling = moved.sampling = dataclasses.replace(task.sampling, noise=0.0)
    torch.manual_seed(1)
    expected = task(index, 0)
    torch.manual_seed(1)
    found = moved(index, 0)
    assert found.keys() == expected.keys() == {"alignment_loss", "margin_loss", "gate_loss"}
    for name, value in found.items():
        assert value.dtype == torch.float64
        torch.testing.assert_close(value.float(), expected[name], rtol=1e-4, atol=1e-5)


def test_text_is_looked_through_once_a_move_and_not_at_every_step() -> None:
    task = gated_task().double()
    assert task._held.table() is task._held.table()


def test_data_is_no_part_of_what_a_checkpoint_holds() -> None:
    task = gated_task()
    assert {name.split(".")[0] for name in task.state_dict()} == {"model"}
    assert task.state_dict().keys() == {f"model.{name}" for name in task.model.state_dict()}
