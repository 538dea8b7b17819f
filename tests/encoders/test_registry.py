"""Every encoder on every layout keeps the promises of an encoder."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from infocpl.encoders.registry import create_encoder, encoder_config, list_encoders
from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.training.checkpoint import load_tensors, save_tensors

EVERYWHERE = [(name, layout) for name in list_encoders() for layout in list_layouts()]
# What does not depend on the joints is looked at on one spatial and one flat layout.
TWO_KINDS = [(name, layout) for name in list_encoders() for layout in ("ntu25", "coco17")]


def clips(layout: str, persons: int = 2, frames: int = 16, batch: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = create_layout(layout)
    return torch.randn(batch, persons, frames, len(shape), shape.dims, generator=generator)


def build(name: str, layout: str) -> nn.Module:
    torch.manual_seed(0)
    return create_encoder(name, layout)


@pytest.mark.parametrize(("name", "layout"), EVERYWHERE)
@pytest.mark.parametrize(("persons", "frames"), [(1, 1), (2, 6)])
@torch.no_grad()
def test_every_encoder_turns_clips_of_every_layout_into_finite_features(
    name: str, layout: str, persons: int, frames: int
) -> None:
    encoder = build(name, layout)
    x = clips(layout, persons, frames)
    for training in (True, False):
        features = encoder.train(training)(x)
        assert features.shape == (3, encoder.dim)
        assert features.dtype == torch.float32
        assert bool(torch.isfinite(features).all())


@pytest.mark.parametrize(("name", "layout"), TWO_KINDS)
def test_every_parameter_gets_a_gradient(name: str, layout: str) -> None:
    encoder = build(name, layout).train()
    with torch.no_grad():
        # Some parameters start at zero and silence others until the first step.
        for parameter in encoder.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    features = encoder(clips(layout, persons=1, frames=4))
    weight = torch.randn(features.shape, generator=torch.Generator().manual_seed(1))
    (features * weight).sum().backward()
    for parameter_name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert bool(torch.isfinite(parameter.grad).all()), parameter_name
        assert bool((parameter.grad != 0).any()), parameter_name


@pytest.mark.parametrize(("name", "layout"), TWO_KINDS)
@torch.no_grad()
def test_saved_and_loaded_weights_give_the_same_features_to_the_bit(
    name: str, layout: str, tmp_path: Path
) -> None:
    encoder = build(name, layout)
    x = clips(layout, persons=1, frames=3)
    encoder.train()(x)  # running statistics that are not the initial ones
    save_tensors(tmp_path / "encoder.safetensors", encoder.state_dict(), {})
    torch.manual_seed(99)
    other = create_encoder(name, layout)
    assert not torch.equal(other.eval()(x), encoder.eval()(x))
    other.load_state_dict(load_tensors(tmp_path / "encoder.safetensors")[0])
    assert torch.equal(other.eval()(x), encoder.eval()(x))


@pytest.mark.parametrize("name", list_encoders())
@torch.no_grad()
def test_long_clips_are_encoded_as_they_come(name: str) -> None:
    encoder = build(name, "kinect20").eval()
    x = clips("kinect20", persons=1, frames=300, batch=1)
    features = encoder(x)
    assert features.shape == (1, encoder.dim)
    assert bool(torch.isfinite(features).all())
    # Nothing is cut: the last frames count.
    x[:, :, -20:] += 1
    assert not torch.allclose(encoder(x), features)


@pytest.mark.parametrize("name", list_encoders())
@torch.no_grad()
def test_the_features_of_a_clip_do_not_depend_on_its_batch(name: str) -> None:
    encoder = build(name, "ntu25").eval()
    x = clips("ntu25", batch=4, frames=9)
    x[::2, 1] = 0
    together = encoder(x)
    alone = torch.cat([encoder(clip.unsqueeze(0)) for clip in x])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", list_encoders())
def test_bfloat16_autocast_stays_close_to_float32(name: str) -> None:
    encoder = build(name, "ntu25").eval()
    x = clips("ntu25")
    exact = encoder(x)
    with torch.autocast("cpu", torch.bfloat16):
        coarse = encoder(x)
    scale = float(exact.detach().abs().max())
    torch.testing.assert_close(coarse.float(), exact, rtol=0, atol=0.05 * scale)


@pytest.mark.parametrize("name", list_encoders())
def test_the_same_seed_builds_the_same_network(name: str) -> None:
    first, second = build(name, "ntu25").state_dict(), build(name, "ntu25").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)
    torch.manual_seed(1)
    third = create_encoder(name, "ntu25").state_dict()
    assert any(not torch.equal(first[key], third[key]) for key in first)


@pytest.mark.parametrize("name", ["stgcn", "shift-gcn", "ctrgcn"])
def test_the_published_networks_give_256_features_of_one_stream(name: str) -> None:
    config = encoder_config(name, "ntu25")
    assert config.channels[-1] == 256
    assert len(config.channels) == 10
    assert config.streams == ("joint",)
    assert [i + 1 for i, stride in enumerate(config.strides) if stride == 2] == [5, 8]


@pytest.mark.parametrize("family", ["stgcn", "shift-gcn", "ctrgcn"])
def test_small_networks_have_a_fraction_of_the_weights_and_three_streams(family: str) -> None:
    def weights(name: str) -> int:
        return sum(p.numel() for p in create_encoder(name, "ntu25").parameters())

    if family != "stgcn":  # the paper's ST-GCN is small itself
        assert 3 * weights(f"{family}-small") < weights(family)
    config = encoder_config(f"{family}-small", "ntu25")
    assert config.streams == ("joint", "bone", "motion")
    assert config.skip_absent


@pytest.mark.parametrize("name", list_encoders())
def test_an_absent_person_is_left_out_exactly_where_the_config_says_so(name: str) -> None:
    encoder = build(name, "kinect20").eval()
    alone = clips("kinect20", persons=1, frames=6)
    padded = encoder(torch.cat([alone, torch.zeros_like(alone)], dim=1))
    same = torch.allclose(padded, encoder(alone), rtol=0, atol=1e-5)
    assert same == encoder_config(name, "kinect20").skip_absent


def test_the_default_encoder_has_the_channels_and_strides_of_the_paper() -> None:
    config = encoder_config("stgcn", "ntu25")
    assert config.channels == (16,) * 4 + (32,) * 3 + (64,) * 2 + (256,)
    assert config.streams == ("joint",)
    assert config.kernel == 9
    assert not config.skip_absent


def test_fields_may_be_changed_by_name() -> None:
    encoder = create_encoder("stgcn", "ntu25", channels=(4, 6), strides=(1, 2))
    assert encoder.dim == 6
    assert len(encoder.blocks) == 2


@pytest.mark.parametrize("call", [create_encoder, encoder_config])
def test_an_unknown_encoder_is_refused_with_the_known_names(call) -> None:
    with pytest.raises(ConfigError, match=r"encoder 'resnet'; known: ctrgcn, .*stgcn-mixed"):
        call("resnet", "ntu25")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"depth": 3}, "encoder 'stgcn': .*depth"),
        ({"streams": ("speed",)}, "unknown stream 'speed'"),
        ({"dropout": 1.0}, "dropout must be"),
        ({"channels": 7}, "encoder 'stgcn'"),
    ],
    ids=["unknown field", "unknown stream", "total dropout", "a number for a list"],
)
def test_a_change_that_makes_no_sense_is_refused(changes: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        create_encoder("stgcn", "ntu25", **changes)


def test_an_unknown_layout_is_refused_with_the_known_names() -> None:
    with pytest.raises(LayoutError, match=r"unknown layout 'dog17'; known: .*ntu25"):
        create_encoder("stgcn", "dog17")
