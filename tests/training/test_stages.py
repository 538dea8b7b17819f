"""The stages of a run: honest, resumable, and able to name what they never saw."""

from __future__ import annotations

import dataclasses
import inspect
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from infocpl.alignment.base import TextTable
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.data.loading import ClipRows
from infocpl.encoders.augment import AugmentConfig
from infocpl.encoders.registry import create_encoder
from infocpl.errors import ConfigError, SplitLeakageError
from infocpl.training.config import FitConfig
from infocpl.training.loop import EpochReport
from infocpl.training.stages import (
    AlignmentConfig,
    EncoderConfig,
    encode_clips,
    forbid_classes,
    train_encoder,
    train_infocpl,
)
from infocpl.training.tasks import LossSampling

CLASSES = ("raise", "lower", "turn")
CONFIG = EncoderConfig(
    fit=FitConfig(epochs=3, batch_size=8, lr=3e-3, warmup=1, checkpoint_every=1),
    augment=AugmentConfig(),
)


def moving_clips(seed: int = 0, each: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Clips of three made-up movements: all joints rise, sink, or circle about the vertical."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), each)
    base = generator.normal(size=(len(labels), 2, 1, 20, 3)) * 0.5
    clips = np.repeat(base, 12, axis=2)
    t = np.linspace(0, 1, 12)[None, :, None]
    for clip, label in zip(clips, labels, strict=True):
        if label == 2:
            x, z = clip[..., 0].copy(), clip[..., 2].copy()
            clip[..., 0], clip[..., 2] = (
                x * np.cos(3 * t) + z * np.sin(3 * t),
                z * np.cos(3 * t) - x * np.sin(3 * t),
            )
        else:
            clip[..., 1] += (1 - 2 * label) * 2 * t
    clips[:, 1] = 0
    return clips.astype(np.float32), labels


def weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same_bits(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_forbidden_classes_are_named_in_their_order() -> None:
    forbid_classes(["walk", "sit"], ["jump"], "encoder")
    forbid_classes([], ["jump"], "encoder")
    with pytest.raises(SplitLeakageError, match=r"the aligner was trained on .*: jump, walk$"):
        forbid_classes(["walk", "sit", "jump"], ["jump", "run", "walk"], "aligner")


def test_a_class_without_clips_is_refused_by_name() -> None:
    clips, labels = moving_clips()
    with pytest.raises(SplitLeakageError, match="no training clip for jump, run"):
        train_encoder(clips, labels, (*CLASSES, "jump", "run"), CONFIG, layout="kinect20", seed=0)


def test_an_encoder_learns_to_tell_its_training_classes_apart() -> None:
    clips, labels = moving_clips()
    config = dataclasses.replace(CONFIG, fit=dataclasses.replace(CONFIG.fit, epochs=12))
    reports: list[EpochReport] = []
    trained = train_encoder(
        clips, labels, CLASSES, config, layout="kinect20", seed=0, on_epoch=reports.append
    )
    assert trained.training_classes == CLASSES
    assert (trained.layout, trained.frames) == ("kinect20", 12)
    assert len(reports) == 12
    assert (
        reports[-1].losses["classification_loss"] < 0.8 * reports[0].losses["classification_loss"]
    )
    known = encode_clips(trained.module, clips)
    centres = torch.stack([known[torch.from_numpy(labels) == c].mean(0) for c in range(3)])
    fresh, truth = moving_clips(seed=1)
    guess = torch.cdist(encode_clips(trained.module, fresh), centres).argmin(1).numpy()
    assert float((guess == truth).mean()) > 0.8


def test_a_second_call_returns_the_same_weights_without_training(tmp_path: Path) -> None:
    clips, labels = moving_clips()
    arguments = (clips, labels, CLASSES, CONFIG)
    first = train_encoder(*arguments, layout="kinect20", seed=0, work=tmp_path)
    calls: list[EpochReport] = []
    second = train_encoder(
        *arguments, layout="kinect20", seed=0, work=tmp_path, on_epoch=calls.append
    )
    assert calls == []
    assert same_bits(weights(first.module), weights(second.module))
    assert not second.module.training
    assert [path.name.startswith("encoder-") for path in tmp_path.iterdir()] == [True]


def test_rows_of_a_file_train_the_same_encoder_as_arrays_in_memory(tmp_path: Path) -> None:
    clips, labels = moving_clips()
    np.save(tmp_path / "clips.npy", clips)
    rows = ClipRows(np.load(tmp_path / "clips.npy", mmap_mode="r"), np.arange(len(clips)))
    work = tmp_path / "work"
    work.mkdir()
    options = {"layout": "kinect20", "seed": 0}
    one = train_encoder(clips, labels, CLASSES, CONFIG, **options)
    two = train_encoder(rows, labels, CLASSES, CONFIG, **options, work=work)
    assert same_bits(weights(one.module), weights(two.module))
    assert torch.equal(encode_clips(two.module, rows), encode_clips(one.module, clips))
    # The same clips are known again in whatever form they come.
    calls: list[EpochReport] = []
    train_encoder(clips, labels, CLASSES, CONFIG, **options, work=work, on_epoch=calls.append)
    assert calls == []


def test_an_interrupted_encoder_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    clips, labels = moving_clips()
    arguments = (clips, labels, CLASSES, CONFIG)
    whole = train_encoder(*arguments, layout="kinect20", seed=0)

    def stop(report: EpochReport) -> None:
        if report.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_encoder(*arguments, layout="kinect20", seed=0, work=tmp_path, on_epoch=stop)
    calls: list[EpochReport] = []
    resumed = train_encoder(
        *arguments, layout="kinect20", seed=0, work=tmp_path, on_epoch=calls.append
    )
    assert [report.epoch for report in calls] == [3]
    assert same_bits(weights(whole.module), weights(resumed.module))


@pytest.mark.parametrize("change", ["clips", "labels", "classes", "seed", "configuration"])
def test_weights_of_another_training_are_not_taken_from_the_work_folder(
    tmp_path: Path, change: str
) -> None:
    clips, labels = moving_clips()
    train_encoder(clips, labels, CLASSES, CONFIG, layout="kinect20", seed=0, work=tmp_path)
    classes, config, seed = CLASSES, CONFIG, 0
    if change == "clips":
        clips = clips + np.float32(0.001)
    elif change == "labels":
        labels = labels[::-1].copy()
    elif change == "classes":
        classes = ("up", "down", "round")
    elif change == "seed":
        seed = 1
    else:
        config = dataclasses.replace(CONFIG, smoothing=0.2)
    calls: list[EpochReport] = []
    train_encoder(
        clips,
        labels,
        classes,
        config,
        layout="kinect20",
        seed=seed,
        work=tmp_path,
        on_epoch=calls.append,
    )
    assert len(calls) == 3


def test_the_same_seed_trains_the_same_encoder() -> None:
    clips, labels = moving_clips()
    trained = [
        weights(train_encoder(clips, labels, CLASSES, CONFIG, layout="kinect20", seed=s).module)
        for s in (0, 0, 1)
    ]
    assert same_bits(trained[0], trained[1])
    assert not same_bits(trained[0], trained[2])


def test_members_are_trained_apart_and_the_first_is_the_encoder_alone(tmp_path: Path) -> None:
    clips, labels = moving_clips()
    seen: list[tuple[int, int]] = []

    def watch(epoch: EpochReport) -> None:
        seen.append((epoch.epoch, epoch.epochs))

    def train(members: int, work: Path | None = None) -> torch.nn.Module:
        config = dataclasses.replace(CONFIG, members=members)
        return train_encoder(
            clips, labels, CLASSES, config, layout="kinect20", seed=3, work=work,
            on_epoch=watch,
        ).module  # fmt: skip

    alone = train(1)
    seen.clear()
    pair = train(2, tmp_path)
    total = 2 * CONFIG.fit.epochs
    assert seen == [(number, total) for number in range(1, total + 1)]
    first, second = pair.members
    assert same_bits(weights(first), weights(alone))
    assert not same_bits(weights(second), weights(alone))
    # A second call finds both members finished.
    seen.clear()
    assert same_bits(weights(train(2, tmp_path)), weights(pair))
    assert seen == []


def test_features_do_not_depend_on_how_clips_are_batched() -> None:
    torch.manual_seed(0)
    encoder = create_encoder("stgcn-small", "kinect20").train()
    clips, _ = moving_clips()
    together = encode_clips(encoder, clips)
    assert together.shape == (24, 128)
    assert not together.requires_grad
    for size in (1, 5, 24):
        apart = encode_clips(encoder, clips, batch_size=size)
        torch.testing.assert_close(apart, together, rtol=0, atol=1e-5)
    torch.testing.assert_close(encode_clips(encoder, clips[::-1]), together.flip(0))


SEEN, UNSEEN, CLIPS, DIM = 12, 4, 12, 24


def generated_problem(seed: int) -> tuple[torch.Tensor, torch.Tensor, TextTable]:
    """Sixteen classes whose clips are a linear image of what their text means, plus noise.

    A class is a point in a space of meaning of 3 dimensions; descriptions and clips are noisy
    linear views of it, so what was learned about twelve classes holds for the other four.
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    classes = SEEN + UNSEEN
    meaning = torch.nn.functional.normalize(draw(classes, 3), dim=1)
    to_text, to_features = draw(3, DIM), draw(3, 20)
    rows = meaning[:, None] @ to_text + 0.3 * draw(classes, 7, DIM)
    rows = torch.nn.functional.normalize(rows, dim=2)
    labels = torch.arange(classes).repeat_interleave(CLIPS)
    features = meaning[labels] @ to_features + 0.2 * draw(len(labels), 20)
    names = tuple(f"class {i}" for i in range(classes))
    mask = torch.ones(classes, 6, dtype=torch.bool)
    return features, labels, TextTable(names, rows[:, :6], mask, rows[:, 6], rows[:, 6])


@cache
def zero_shot_accuracy(seed: int, *, shuffled: bool = False) -> float:
    features, labels, text = generated_problem(seed)
    seen = text.subset(text.labels[:SEEN])
    unseen = text.subset(text.labels[SEEN:])
    known = labels < SEEN
    truth = labels[known]
    if shuffled:
        order = torch.randperm(SEEN, generator=torch.Generator().manual_seed(seed))
        truth = order[truth]
    config = AlignmentConfig(
        max_k=6,
        hidden=(64, 32),
        sampling=LossSampling(negatives=8, inverse_epochs=3),
        fit=FitConfig(epochs=40, batch_size=48, lr=2e-3, warmup=3),
    )
    model = train_infocpl(features[known], truth, seen, config, seed=seed)
    guess = model.scores(features[~known], unseen).argmax(1)
    return float((guess == labels[~known] - SEEN).float().mean())


def test_classes_that_were_never_seen_are_named_far_better_than_by_chance() -> None:
    found = [zero_shot_accuracy(seed) for seed in range(5)]
    assert float(np.mean(found)) > 0.8, found  # chance is 0.25


def test_with_the_texts_of_seen_classes_mixed_up_nothing_is_left_of_it() -> None:
    honest = np.mean([zero_shot_accuracy(seed) for seed in range(5)])
    mixed = np.mean([zero_shot_accuracy(seed, shuffled=True) for seed in range(5)])
    assert mixed < honest - 0.25, (honest, mixed)


QUICK = AlignmentConfig(
    max_k=100,
    hidden=(16, 8),
    fit=FitConfig(epochs=3, batch_size=32, lr=1e-3, warmup=1),
)


def seen_problem() -> tuple[torch.Tensor, torch.Tensor, TextTable]:
    features, labels, text = generated_problem(0)
    known = labels < SEEN
    return features[known], labels[known], text.subset(text.labels[:SEEN])


def test_training_is_offered_no_way_to_receive_unseen_text_or_clips() -> None:
    names = list(inspect.signature(train_infocpl).parameters)
    # `masked` holds the same training clips with parts hidden, `measures` their geometry.
    expected = ["features", "labels", "seen", "config", "seed", "stop_after", "on_epoch"]
    assert names == [*expected, "masked", "measures"]


def test_all_statistics_come_from_the_seen_clips_and_texts() -> None:
    features, labels, seen = seen_problem()
    model = train_infocpl(features, labels, seen, QUICK, seed=0)
    torch.testing.assert_close(model.feature_mean, features.mean(0))
    torch.testing.assert_close(model.feature_scale, features.std(0, unbiased=False))
    torch.testing.assert_close(model.centre.motion, seen.motion.mean(0))


def test_no_head_believes_more_descriptions_than_a_class_has() -> None:
    features, labels, seen = seen_problem()
    model = train_infocpl(features, labels, seen, QUICK, seed=0)
    assert model.model.config.k_series == (1, 5)


def test_listeners_meet_a_usable_model_after_every_epoch() -> None:
    features, labels, seen = seen_problem()
    met: list[tuple[int, torch.Tensor]] = []

    def listen(report: EpochReport, model: StandardInfoCPL) -> None:
        met.append((report.epoch, model.scores(features, seen)))

    model = train_infocpl(features, labels, seen, QUICK, seed=0, on_epoch=listen)
    assert [epoch for epoch, _ in met] == [1, 2, 3]
    assert torch.equal(met[-1][1], model.scores(features, seen))
    assert not torch.equal(met[0][1], met[1][1])
    stopped = train_infocpl(features, labels, seen, QUICK, seed=0, stop_after=2)
    assert torch.equal(stopped.scores(features, seen), met[1][1])


def test_features_can_be_aligned_as_they_come() -> None:
    features, labels, seen = seen_problem()
    raw = dataclasses.replace(QUICK, standard_features=False, start="random")
    model = train_infocpl(features, labels, seen, raw, seed=0)
    assert torch.equal(model.features(features), features)
    direct = model.model.scores(features, model.text(seen))
    assert torch.equal(model.scores(features, seen), direct)


@pytest.mark.parametrize("gate", ["static", "visual", "visual+text"])
def test_a_gate_is_trained_beside_the_heads(gate: str) -> None:
    features, labels, seen = seen_problem()
    plain = train_infocpl(features, labels, seen, QUICK, seed=0)
    gated = train_infocpl(features, labels, seen, dataclasses.replace(QUICK, gate=gate), seed=0)
    assert plain.model.gate is None
    assert all(bool((p != 0).any()) for p in gated.model.gate.parameters())
    with pytest.raises(ConfigError, match="unknown gate"):
        dataclasses.replace(QUICK, gate="golden")


def test_masked_clips_change_what_is_learned_when_the_margin_is_on() -> None:
    features, labels, seen = seen_problem()
    masked = features + torch.randn(features.shape, generator=torch.Generator().manual_seed(1))
    on = dataclasses.replace(QUICK, sampling=dataclasses.replace(QUICK.sampling, margin_weight=0.5))
    plain = train_infocpl(features, labels, seen, QUICK, seed=0)
    margin = train_infocpl(features, labels, seen, on, seed=0, masked=masked)
    assert not torch.equal(plain.scores(features, seen), margin.scores(features, seen))
    with pytest.raises(ConfigError, match="masked"):
        train_infocpl(features, labels, seen, on, seed=0)


def test_text_is_centred_unless_told_otherwise() -> None:
    features, labels, seen = seen_problem()
    plain = dataclasses.replace(QUICK, centre_text=False, trait_weight=0.0)
    assert train_infocpl(features, labels, seen, QUICK, seed=0).centre is not None
    assert train_infocpl(features, labels, seen, plain, seed=0).centre is None


def test_traits_without_centred_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="trait_weight needs centre_text"):
        dataclasses.replace(QUICK, centre_text=False, trait_weight=0.5)
    with pytest.raises(ConfigError, match="trait_weight must be a number >= 0"):
        dataclasses.replace(QUICK, trait_weight=-1.0)


def text_rows() -> torch.Tensor:
    """Texts of raise and lower that are nearly one, and one of turn that is the contrary."""
    return torch.nn.functional.normalize(
        torch.tensor([[1.0, 0.2, 0.0], [1.0, -0.2, 0.0], [-1.0, 0.0, 0.2]]), dim=1
    )


def nearness(module: torch.nn.Module) -> float:
    """Distance of raise and lower over that of raise and turn, between class means."""
    clips, labels = moving_clips(seed=1)
    features = encode_clips(module, clips)
    raised, lowered, turned = (features[torch.from_numpy(labels) == c].mean(0) for c in range(3))
    return float((raised - lowered).norm() / (raised - turned).norm())


def test_classes_of_like_text_come_to_lie_near_each_other_in_joint_training() -> None:
    clips, labels = moving_clips()
    config = dataclasses.replace(CONFIG, fit=dataclasses.replace(CONFIG.fit, epochs=8))
    told: list[EpochReport] = []
    options = {"layout": "kinect20", "seed": 0}
    alone = train_encoder(clips, labels, CLASSES, config, **options)
    joint = train_encoder(
        clips,
        labels,
        CLASSES,
        dataclasses.replace(config, text_weight=3.0),
        **options,
        text=text_rows(),
        on_epoch=told.append,
    )
    assert told[-1].losses["text_loss"] < told[0].losses["text_loss"]
    assert nearness(joint.module) < nearness(alone.module)


def test_the_text_decides_which_finished_encoder_is_taken(tmp_path: Path) -> None:
    clips, labels = moving_clips()
    config = dataclasses.replace(CONFIG, text_weight=1.0, fit=FitConfig(epochs=1, batch_size=8))
    options = {"layout": "kinect20", "seed": 0, "work": tmp_path}
    one = train_encoder(clips, labels, CLASSES, config, **options, text=text_rows())
    again = train_encoder(clips, labels, CLASSES, config, **options, text=text_rows())
    other = train_encoder(clips, labels, CLASSES, config, **options, text=text_rows().flip(0))
    assert same_bits(weights(one.module), weights(again.module))
    assert not same_bits(weights(one.module), weights(other.module))


@pytest.mark.parametrize("text", [None, torch.ones(2, 6)], ids=["none", "two rows"])
def test_aligning_without_the_text_of_every_class_is_refused(text: torch.Tensor | None) -> None:
    clips, labels = moving_clips()
    config = dataclasses.replace(CONFIG, text_weight=1.0)
    with pytest.raises(ConfigError, match="text of its 3 classes"):
        train_encoder(clips, labels, CLASSES, config, layout="kinect20", seed=0, text=text)
