"""Presets and their bounds."""

from __future__ import annotations

import dataclasses
import json

import pytest

from infocpl.alignment.infocpl import default_k_series
from infocpl.encoders.registry import encoder_config
from infocpl.errors import ConfigError
from infocpl.evaluation.config import ExperimentConfig, create_preset, list_presets
from infocpl.training.config import to_dict


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_is_honest_and_can_be_written_down(name):
    config = create_preset(name)
    assert config.selection == "pseudo-unseen"
    assert json.loads(json.dumps(to_dict(config)))["folds"] == config.folds


def test_an_unknown_preset_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown preset 'huge'; known: default, fast, .*tiny"):
        create_preset("huge")


@pytest.mark.parametrize(
    "change",
    [{"folds": 0}, {"frames": 1}, {"alphas": ()}, {"selection": "test-set"}],
    ids=lambda change: next(iter(change)),
)
def test_a_value_out_of_range_is_refused(change):
    with pytest.raises(ConfigError):
        dataclasses.replace(ExperimentConfig(), **change)


# What the paper and the authors' program state, figure by figure.
PUBLISHED_ALIGNMENT = {
    "heads": "series",
    "hidden": (1024, 512),
    "motion": True,
    "standard_features": False,
    "centre_text": False,
    "trait_weight": 0.0,
    "measured_weight": 0.0,
    "gate": "none",
    "start": "random",
    "sampling": {
        "negatives": 8,
        "dense": False,
        "text_negatives": 0,
        "inverse_epochs": 15,
        "noise": 0.0,
        "margin": 0.3,
        "margin_weight": 0.0,
    },
    "fit": {
        "epochs": 100,
        "batch_size": 128,
        "lr": 0.00001,
        "weight_decay": 0.0,
        "warmup": 15.0,
        "precision": "fp32",
    },
}
PUBLISHED_ENCODER = {
    "name": "stgcn",
    "smoothing": 0.0,
    "fit": {"epochs": 150, "batch_size": 128, "lr": 0.005, "weight_decay": 0.0, "warmup": 0.0},
    "augment": {"yaw": 0, "tilt": 0, "scale": 0, "noise": 0, "crop": 0, "warp": 0},
}
PUBLISHED_SERIES = {
    "paper/ntu60": (1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55),
    "paper/ntu120": (1, 5, 10, 15, 20),
    "paper/pkummd": (1, 5, 10),
}


def same(found: object, expected: dict[str, object]) -> None:
    for name, value in expected.items():
        if isinstance(value, dict):
            same(getattr(found, name), value)
        else:
            assert getattr(found, name) == value, name


@pytest.mark.parametrize("name", PUBLISHED_SERIES)
def test_a_paper_preset_states_every_published_value(name):
    config = create_preset(name)
    assert config.frames == 50
    same(config.alignment, PUBLISHED_ALIGNMENT)
    same(config.encoder, PUBLISHED_ENCODER)
    assert default_k_series(config.alignment.max_k) == PUBLISHED_SERIES[name]


@pytest.mark.parametrize("name", PUBLISHED_SERIES)
def test_no_field_of_the_published_alignment_is_left_to_our_defaults(name):
    """A field added later must be decided for the paper's presets too."""
    alignment = create_preset(name).alignment
    stated = {*PUBLISHED_ALIGNMENT, "max_k"}
    assert {field.name for field in dataclasses.fields(alignment)} == stated
    sampling = {field.name for field in dataclasses.fields(alignment.sampling)}
    assert sampling == set(PUBLISHED_ALIGNMENT["sampling"])


def test_the_published_schedule_warms_up_over_15_epochs_and_ends_at_zero():
    fit = create_preset("paper/ntu60").alignment.fit
    assert fit.rate(0) == 0
    assert fit.rate(7.5) == pytest.approx(5e-6)
    assert fit.rate(15) == pytest.approx(1e-5)
    assert fit.rate(57.5) == pytest.approx(5e-6)
    assert fit.rate(100) == pytest.approx(0, abs=1e-15)


def test_the_paper_presets_build_the_published_network():
    network = encoder_config(create_preset("paper/ntu60").encoder.name, "ntu25")
    assert network.channels == (16, 16, 16, 16, 32, 32, 32, 64, 64, 256)
    assert network.strides == (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    assert (network.kernel, network.dropout, network.streams) == (9, 0.5, ("joint",))


def test_presets_differ_in_work_in_the_order_of_their_names_meaning():
    epochs = [create_preset(name).encoder.fit.epochs for name in ("tiny", "fast", "default")]
    assert epochs == sorted(set(epochs))
