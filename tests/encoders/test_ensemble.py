"""Ensembles: the members' features side by side, and nothing else."""

from __future__ import annotations

import pytest
import torch

from infocpl.encoders.ensemble import EncoderEnsemble, create_members
from infocpl.encoders.registry import create_encoder
from infocpl.errors import ConfigError
from infocpl.training.checkpoint import load_tensors, save_tensors


def clips() -> torch.Tensor:
    return torch.randn(3, 2, 12, 20, 3, generator=torch.Generator().manual_seed(0))


def test_features_are_those_of_the_members_in_their_order() -> None:
    torch.manual_seed(1)
    members = [create_encoder("stgcn-small", "kinect20").eval() for _ in range(3)]
    together = EncoderEnsemble(members)
    features = together(clips())
    assert features.shape == (3, together.dim) == (3, 3 * 128)
    for number, member in enumerate(members):
        own = features[:, 128 * number : 128 * (number + 1)]
        assert torch.equal(own, member(clips()))


def test_one_member_is_the_encoder_itself() -> None:
    torch.manual_seed(2)
    alone = create_members("stgcn-small", "kinect20", 1)
    assert not isinstance(alone, EncoderEnsemble)
    assert alone.dim == 128


def test_saved_and_loaded_weights_give_the_same_features_to_the_bit(tmp_path) -> None:
    torch.manual_seed(3)
    first = create_members("stgcn-small", "kinect20", 2).eval()
    save_tensors(tmp_path / "pair.safetensors", first.state_dict(), {})
    second = create_members("stgcn-small", "kinect20", 2).eval()
    assert not torch.equal(first(clips()), second(clips()))
    second.load_state_dict(load_tensors(tmp_path / "pair.safetensors")[0])
    assert torch.equal(first(clips()), second(clips()))


def test_an_ensemble_of_one_and_an_encoder_without_members_are_refused() -> None:
    with pytest.raises(ConfigError, match="at least 2 members, got 1"):
        EncoderEnsemble([create_encoder("stgcn-small", "kinect20")])
    with pytest.raises(ConfigError, match="at least 1 member, got 0"):
        create_members("stgcn-small", "kinect20", 0)
