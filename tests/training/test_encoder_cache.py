"""Encoders that several runs share: taken only where training would have given the same bits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from infocpl.errors import ConfigError
from infocpl.training import encoder_cache
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.config import FitConfig
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.loop import EpochReport
from infocpl.training.stages import EncoderConfig, TrainedEncoder, train_encoder

CLASSES = ("walk", "sit", "jump")
CONFIG = EncoderConfig(fit=FitConfig(epochs=2, batch_size=4, lr=1e-3, warmup=0))


def some_clips() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(9, 1, 8, 20, 3)).astype(np.float32), np.arange(9) % 3


def train(
    cache: EncoderCache | None, work: Path | None = None, **change: object
) -> tuple[TrainedEncoder, int]:
    """An encoder, and how many epochs were trained for it."""
    clips, labels = some_clips()
    asked = {
        "clips": clips, "labels": labels, "classes": CLASSES, "config": CONFIG,
        "layout": "kinect20", "seed": 0,
    } | change  # fmt: skip
    reports: list[EpochReport] = []
    trained = train_encoder(**asked, work=work, cache=cache, on_epoch=reports.append)
    return trained, len(reports)


def weights(trained: TrainedEncoder) -> dict[str, torch.Tensor]:
    return trained.module.state_dict()


def same_bits(one: TrainedEncoder, other: TrainedEncoder) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.fixture
def cache(tmp_path: Path) -> EncoderCache:
    return EncoderCache(tmp_path / "shared")


def test_another_run_takes_the_encoder_with_the_bits_that_training_gives(cache, tmp_path):
    plain, _ = train(None)
    first, epochs = train(cache, tmp_path)
    assert epochs == 2
    second, epochs = train(cache)
    assert epochs == 0
    assert same_bits(plain, first)
    assert same_bits(plain, second)
    assert second.training_classes == CLASSES
    assert not second.module.training


@pytest.mark.parametrize("change", ["clips", "labels", "classes", "seed", "config"])
def test_an_encoder_of_another_training_is_not_taken(cache, change):
    clips, labels = some_clips()
    other = {
        "clips": clips + np.float32(1e-6),
        "labels": labels[::-1].copy(),
        "classes": ("walk", "sit", "run"),
        "seed": 1,
        "config": dataclasses.replace(CONFIG, smoothing=0.2),
    }
    train(cache)
    assert train(cache, **{change: other[change]})[1] == 2


@pytest.mark.parametrize(
    "fact", ["infocpl", "recipe", "torch", "instructions", "threads", "processes"]
)
def test_an_encoder_of_another_environment_is_not_taken(cache, monkeypatch, fact):
    """Other versions or threads give other last bits: a run must not depend on who ran before."""
    train(cache)
    facts = encoder_cache.environment() | {fact: "another"}
    monkeypatch.setattr(encoder_cache, "environment", lambda: facts)
    assert train(cache)[1] == 2


def test_members_are_shared_one_by_one(cache):
    alone, _ = train(cache)
    pair, epochs = train(cache, config=dataclasses.replace(CONFIG, members=2))
    assert epochs == 2
    assert all(
        torch.equal(value, weights(pair)[f"members.0.{name}"])
        for name, value in weights(alone).items()
    )
    assert pair.training_classes == CLASSES


@pytest.mark.parametrize("place", ["shared", "work"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "foreign"])
def test_a_damaged_encoder_is_trained_again_with_a_word(tmp_path, place, damage):
    folder = tmp_path / place
    folder.mkdir()

    def again() -> tuple[TrainedEncoder, int]:
        return train(EncoderCache(folder)) if place == "shared" else train(None, folder)

    first, _ = again()
    (path,) = folder.glob("encoder-*.safetensors")
    content = path.read_bytes()
    if damage == "flipped":
        middle = len(content) // 2
        content = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    path.write_bytes(
        {"flipped": content, "cut": content[:-5], "empty": b"", "foreign": b"{}"}[damage]
    )
    with pytest.warns(RuntimeWarning, match="cannot be used"):
        second, epochs = again()
    assert epochs == 2
    assert same_bits(first, second)
    assert again()[1] == 0


def test_the_classes_are_those_written_beside_the_weights_and_not_those_hoped_for(cache):
    """Or an encoder that has met an unseen class could pass for one that has not."""
    train(cache)
    (path,) = cache.folder.glob("encoder-*.safetensors")
    tensors, meta = load_tensors(path)
    save_tensors(path, tensors, meta | {"training_classes": [*CLASSES, "hop"]})
    assert train(cache)[0].training_classes == (*CLASSES, "hop")


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "shared").write_text("")
    with pytest.raises(ConfigError, match="is a file"):
        EncoderCache(tmp_path / "shared")
