"""Options that ``run`` and ``study`` share become one configuration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import tyro

from infocpl.apps.cli.commands import Run
from infocpl.apps.cli.study_command import Study
from infocpl.apps.cli.train import create_config, plan_options
from infocpl.data import create_dataset
from infocpl.errors import ConfigError
from infocpl.evaluation.variants import VARIANTS, uses_measures


@pytest.fixture
def options() -> Study:
    return Study(dataset="synthetic", out=Path("out"), data=Path("data"), preset="tiny")


def test_all_stands_for_every_variant_that_differs(options):
    asked = dataclasses.replace(options, variants=("all",), with_oracle=True)
    config = create_config(asked, create_dataset("synthetic"))
    assert config.variants == tuple(name for name in VARIANTS if not VARIANTS[name].preset)
    assert config.with_oracle
    paper = dataclasses.replace(asked, preset="paper/ntu60")
    assert "random-start" not in create_config(paper, create_dataset("synthetic")).variants


def test_features_have_no_parts_to_hide_and_nothing_to_measure(options):
    given = dataclasses.replace(options, data=None, features=Path("store"))
    dataset = create_dataset("synthetic")
    every = create_config(dataclasses.replace(given, variants=("all",)), dataset)
    measures = {"no-measures", "measures-only", "ridge-measures"}
    assert set(VARIANTS) - set(every.variants) == {"with-margin", "long-random", *measures}
    for name in ("with-margin", *sorted(measures)):
        with pytest.raises(ConfigError, match=f"{name} looks at clips and needs --data"):
            create_config(dataclasses.replace(given, variants=(name,)), dataset)


def test_without_measures_nothing_is_measured_in_any_row(options):
    dataset = create_dataset("synthetic")
    assert create_config(options, dataset).alignment.measured_weight > 0
    without = dataclasses.replace(options, measures=False, variants=("one-head",))
    config = create_config(without, dataset)
    assert not any(uses_measures(method, config.alignment) for method in config.methods)
    with pytest.raises(ConfigError, match="measured traits are switched off"):
        create_config(dataclasses.replace(without, variants=("measures-only",)), dataset)


def test_an_unknown_variant_is_named(options):
    asked = dataclasses.replace(options, variants=("two-heads",))
    with pytest.raises(ConfigError, match="unknown variant 'two-heads'"):
        create_config(asked, create_dataset("synthetic"))


@pytest.mark.parametrize("command", [Run, Study])
@pytest.mark.parametrize(
    ("typed", "sources"),
    [
        ("", ()),
        ("--extra synthetic", ("synthetic",)),
        ("--extra synthetic stores/a stores/b", ("synthetic", "stores/a", "stores/b")),
        ("--extra stores/b --extra synthetic stores/a", ("stores/b", "synthetic", "stores/a")),
    ],
)
def test_extra_sources_are_taken_in_the_order_they_were_typed_in(command, typed, sources):
    words = ["--dataset", "utd-mhad", "--data", "data", "--out", "out", *typed.split()]
    words += ["--split", "purls/22-5"] if command is Run else []
    asked = tyro.cli(command, args=[*words, "--threads", "1"])
    assert plan_options(asked, create_dataset("utd-mhad"), "")["extra"] == sources
    assert asked.threads == 1


def test_extra_without_a_source_is_refused_rather_than_ignored(options):
    with pytest.raises(ConfigError, match="--extra: expected `synthetic` or stores"):
        plan_options(dataclasses.replace(options, extra=((),)), create_dataset("utd-mhad"), "")
