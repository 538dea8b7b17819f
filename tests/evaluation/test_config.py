"""Presets and their bounds."""

from __future__ import annotations

import dataclasses
import json

import pytest

from infocpl.errors import ConfigError
from infocpl.evaluation.config import ExperimentConfig, create_preset, list_presets
from infocpl.training.config import to_dict


@pytest.mark.parametrize("name", list_presets())
def test_every_preset_is_honest_and_can_be_written_down(name):
    config = create_preset(name)
    assert config.selection == "pseudo-unseen"
    assert json.loads(json.dumps(to_dict(config)))["folds"] == config.folds


def test_an_unknown_preset_is_answered_with_the_known_ones():
    with pytest.raises(ConfigError, match=r"unknown preset 'huge'; known: default, fast, tiny"):
        create_preset("huge")


@pytest.mark.parametrize(
    "change",
    [{"folds": 0}, {"frames": 1}, {"alphas": ()}, {"selection": "test-set"}],
    ids=lambda change: next(iter(change)),
)
def test_a_value_out_of_range_is_refused(change):
    with pytest.raises(ConfigError):
        dataclasses.replace(ExperimentConfig(), **change)


def test_presets_differ_in_work_in_the_order_of_their_names_meaning():
    epochs = [create_preset(name).encoder.fit.epochs for name in ("tiny", "fast", "default")]
    assert epochs == sorted(set(epochs))
