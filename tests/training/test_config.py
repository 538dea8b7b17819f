"""Training configurations: the schedule, refusals, and the way through JSON."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.encoders.stgcn import STGCNConfig
from infocpl.errors import ConfigError
from infocpl.training.config import FitConfig, from_dict, to_dict
from infocpl.training.stages import AlignmentConfig, EncoderConfig


@given(
    epochs=st.integers(1, 300),
    warmup=st.floats(0, 100),
    lr=st.floats(1e-6, 1.0),
    share=st.floats(0, 1),
)
def test_the_rate_is_a_ramp_and_then_half_a_cosine(
    epochs: int, warmup: float, lr: float, share: float
) -> None:
    config = FitConfig(epochs=epochs, warmup=warmup, lr=lr)
    progress = share * epochs
    if progress < warmup:
        expected = lr * progress / warmup
    elif epochs > warmup:
        expected = lr * math.cos(math.pi / 2 * (progress - warmup) / (epochs - warmup)) ** 2
    else:  # the last moment of a warm-up as long as the training
        return
    assert config.rate(progress) == pytest.approx(expected, rel=1e-9, abs=1e-9 * lr)


@given(epochs=st.integers(2, 100), warmup=st.floats(0, 50))
def test_the_rate_is_never_negative_nor_above_its_peak(epochs: int, warmup: float) -> None:
    config = FitConfig(epochs=epochs, warmup=warmup, lr=0.5)
    rates = [config.rate(epochs * step / 50) for step in range(51)]
    assert all(0 <= rate <= 0.5 + 1e-12 for rate in rates)
    if warmup < epochs:
        assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_without_warm_up_training_starts_at_the_peak() -> None:
    assert FitConfig(warmup=0, lr=0.25).rate(0) == 0.25


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("checkpoint_every", -1),
        ("lr", 0.0),
        ("lr", -1e-3),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("weight_decay", -0.1),
        ("weight_decay", float("nan")),
        ("warmup", -1.0),
        ("warmup", float("nan")),
        ("precision", "fp8"),
    ],
)
def test_an_impossible_value_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=field):
        FitConfig(**{field: value})


@pytest.mark.parametrize(
    "config",
    [FitConfig(epochs=7, precision="bf16"), STGCNConfig(streams=("joint", "bone"))],
    ids=["fit", "encoder"],
)
def test_a_flat_configuration_survives_json(config: object) -> None:
    text = json.dumps(to_dict(config))
    assert from_dict(type(config), json.loads(text)) == config


@pytest.mark.parametrize("config", [EncoderConfig(), AlignmentConfig()], ids=["encoder", "align"])
def test_a_nested_configuration_becomes_plain_json_with_every_field(config: object) -> None:
    found = json.loads(json.dumps(to_dict(config), allow_nan=False))
    assert set(found) == {field.name for field in dataclasses.fields(config)}
    assert found["fit"] == to_dict(config.fit)


def test_an_unknown_field_is_named_beside_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"FitConfig has no field learning_rate; fields: .*lr"):
        from_dict(FitConfig, {"learning_rate": 0.1})


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="FitConfig"):
        from_dict(FitConfig, {"epochs": "many"})


def test_a_configuration_cannot_be_changed_in_place() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        FitConfig().epochs = 3
