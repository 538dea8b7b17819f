"""Features are computed once for each set of weights and clips, and never wrongly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from infocpl.data.loading import ClipRows
from infocpl.encoders.ensemble import create_members
from infocpl.encoders.registry import create_encoder
from infocpl.training import feature_cache
from infocpl.training.feature_cache import FeatureCache, encode_clips, weights_hash


class Counted(torch.nn.Module):
    """An encoder that tells how many clips it has met."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(6, 4)
        self.met = 0

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        self.met += len(clips)
        return self.linear(clips.flatten(1))


@pytest.fixture
def encoder() -> Counted:
    torch.manual_seed(0)
    return Counted()


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path)


def some_clips(count: int = 9) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, 1, 1, 2, 3)).astype(np.float32)


def test_the_second_time_nothing_is_encoded_and_the_bits_are_the_same(encoder, cache):
    plain = encode_clips(encoder, some_clips())
    assert torch.equal(encode_clips(encoder, some_clips(), cache=cache), plain)
    assert encoder.met == 18
    assert torch.equal(encode_clips(encoder, some_clips(), cache=cache), plain)
    assert encoder.met == 18


def test_rows_of_an_array_are_the_clips_they_stand_for(encoder, cache):
    rows = ClipRows(some_clips()[::-1].copy(), np.arange(9)[::-1])
    first = encode_clips(encoder, some_clips(), cache=cache)
    assert torch.equal(encode_clips(encoder, rows, cache=cache), first)
    assert encoder.met == 9


@pytest.mark.parametrize("change", ["weights", "clips", "order", "frames", "batch", "threads"])
def test_whatever_decides_a_feature_decides_the_key(encoder, cache, monkeypatch, change):
    clips, options = some_clips(), {}
    encode_clips(encoder, clips, cache=cache)
    if change == "weights":
        with torch.no_grad():
            encoder.linear.bias[0] += 1e-6
    elif change == "clips":
        clips = clips + np.float32(1e-6)
    elif change == "order":
        clips = clips[::-1]
    elif change == "frames":
        # The same bytes in another form.
        clips = clips.reshape(9, 1, 2, 1, 3)
    elif change == "batch":
        options = {"batch_size": 4}
    else:
        facts = feature_cache.environment() | {"threads": -1}
        monkeypatch.setattr(feature_cache, "environment", lambda: facts)
    expected = encode_clips(encoder, clips, **options)
    met = encoder.met
    assert torch.equal(encode_clips(encoder, clips, cache=cache, **options), expected)
    assert encoder.met == met + 9


def test_batch_statistics_are_part_of_the_weights():
    encoder = create_encoder("stgcn-small", "kinect20")
    before = weights_hash(encoder)
    encoder.input_norm.running_mean += 1
    assert weights_hash(encoder) != before


def test_encoders_of_another_shape_have_another_hash():
    """An option without a weight of its own still decides the features."""
    encoder = create_encoder("stgcn-small", "kinect20")
    other = create_encoder("stgcn-small", "kinect20")
    other.load_state_dict(encoder.state_dict())
    assert weights_hash(encoder) == weights_hash(other)
    other.config = "another"
    assert weights_hash(encoder) != weights_hash(other)
    pair = create_members("stgcn-small", "kinect20", 2)
    pair.members[0].load_state_dict(encoder.state_dict())
    assert weights_hash(pair) not in (weights_hash(encoder), weights_hash(pair.members[1]))


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "shape", "exchanged"])
def test_a_damaged_entry_is_computed_again_and_mended(encoder, cache, damage):
    plain = encode_clips(encoder, some_clips(), cache=cache)
    (path,) = cache.folder.iterdir()
    content = path.read_bytes()
    if damage == "flipped":
        path.write_bytes(content[:-3] + bytes([content[-3] ^ 16]) + content[-2:])
    elif damage == "cut":
        path.write_bytes(content[:-1])
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "shape":
        key = feature_cache.load_tensors(path)[1]["key"]
        cache.keep(key, plain[:4])
    else:
        encode_clips(encoder, some_clips() + 1, cache=cache)
        (other,) = set(cache.folder.iterdir()) - {path}
        path.write_bytes(other.read_bytes())
    met = encoder.met
    assert torch.equal(encode_clips(encoder, some_clips(), cache=cache), plain)
    assert encoder.met == met + 9
    assert torch.equal(encode_clips(encoder, some_clips(), cache=cache), plain)
    assert encoder.met == met + 9


def test_a_killed_encoding_loses_one_block(encoder, cache, monkeypatch):
    monkeypatch.setattr(feature_cache, "_BLOCK", 8)
    clips = some_clips(30)
    plain = encode_clips(encoder, clips, batch_size=4)

    def die(key: str, features: torch.Tensor) -> None:
        if encoder.met >= 30 + 24:
            raise KeyboardInterrupt
        FeatureCache.keep(cache, key, features)

    monkeypatch.setattr(cache, "keep", die)
    with pytest.raises(KeyboardInterrupt):
        encode_clips(encoder, clips, batch_size=4, cache=cache)
    monkeypatch.undo()
    monkeypatch.setattr(feature_cache, "_BLOCK", 8)
    met = encoder.met
    assert torch.equal(encode_clips(encoder, clips, batch_size=4, cache=cache), plain)
    assert encoder.met == met + 30 - 16


def test_the_folder_is_the_one_the_user_named(monkeypatch, tmp_path):
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path / "mine"))
    assert FeatureCache().folder == tmp_path / "mine" / "features"


def test_a_folder_that_cannot_be_written_costs_a_warning_and_no_feature(encoder, tmp_path):
    (tmp_path / "features").write_text("in the way")
    cache = FeatureCache(tmp_path / "features")
    plain = encode_clips(encoder, some_clips())
    with pytest.warns(RuntimeWarning, match="features are not kept"):
        found = encode_clips(encoder, some_clips(), cache=cache)
    assert torch.equal(found, plain)
