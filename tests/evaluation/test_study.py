"""Figures over many splits, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from infocpl.errors import ConfigError
from infocpl.evaluation.study import summarise_splits


def result(place: int, **top1: float) -> dict:
    return {
        "split": {"id": f"random/{place}-2", "hash": str(place), "unseen": ["a", "b"]},
        "protocol": {"unseen_clips": 9},
        "chance": {"zsl": 0.5},
        "methods": {
            name: {"title": name.upper(), "mean": {"zsl.top1": value}}
            for name, value in top1.items()
        },
    }


def test_figures_over_splits_are_those_of_numpy():
    ours, ridge = [0.5, 0.7, 0.4, 0.9], [0.6, 0.5, 0.4, 0.2]
    pairs = zip(ours, ridge, strict=True)
    told = summarise_splits([result(i, infocpl=a, ridge=b) for i, (a, b) in enumerate(pairs)])
    for name, values in (("infocpl", ours), ("ridge", ridge)):
        found = told["methods"][name]["top1"]
        assert found["mean"] == pytest.approx(np.mean(values))
        assert found["sd"] == pytest.approx(np.std(values, ddof=1))
        assert found["quartiles"] == pytest.approx(np.percentile(values, [25, 50, 75]).tolist())
        assert (found["least"], found["most"]) == (min(values), max(values))
        assert [split["top1"][name] for split in told["splits"]] == values
    behind = told["methods"]["ridge"]["behind"]
    assert behind["wins"] == 2  # a draw is no win
    assert behind["mean"] == pytest.approx(np.mean(np.subtract(ours, ridge)))
    assert told["methods"]["infocpl"]["behind"] is None


def test_a_single_split_has_no_spread():
    told = summarise_splits([result(0, infocpl=0.5)])
    assert told["methods"]["infocpl"]["top1"]["sd"] is None


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ([], "at least one split"),
        ([result(0, infocpl=0.5), result(1, infocpl=0.5, ridge=0.4)], "same methods"),
    ],
    ids=["no split", "different methods"],
)
def test_splits_that_do_not_go_together_are_refused(results, message):
    with pytest.raises(ConfigError, match=message):
        summarise_splits(results)
