"""Choosing among candidates: by folds alone, told with its evidence, and trained only once."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from infocpl.data import create_dataset
from infocpl.errors import ConfigError
from infocpl.evaluation.choice import settle
from infocpl.evaluation.choosing import (
    CANDIDATES,
    choose_on_folds,
    further_rows,
    tell_chosen,
)
from infocpl.evaluation.config import create_preset
from infocpl.evaluation.experiment import plan_units, run_experiment
from infocpl.evaluation.result import ResultContext, build_result
from infocpl.evaluation.runs import ALIGNMENT_COST
from infocpl.evaluation.study import summarise_splits
from infocpl.evaluation.trial import Candidate, Trial
from infocpl.evaluation.variants import METHODS, VARIANTS, alignment_of
from infocpl.training.stages import AlignmentConfig

CHOOSE = ("one-head", "long-random", "ridge", "no-inverse")

NO_TRAITS = AlignmentConfig(trait_weight=0.0, measured_weight=0.0)


@pytest.fixture(scope="module")
def config(small_config):
    return dataclasses.replace(
        small_config,
        variants=("no-inverse",),
        choose=CHOOSE,
        with_oracle=True,
        transductive=True,
    )


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("choosing")


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def runs(small_task, config, work, told):
    def advance(units, note):
        told.append((units, note))

    return run_experiment(small_task, config, (0, 1, 2), work=work, advance=advance)


@pytest.fixture(scope="module")
def result(small_task, small_store, small_codebook, config, runs):
    context = ResultContext(
        dataset=create_dataset("synthetic"),
        store=small_store,
        codebook=small_codebook,
        protocol="xsub",
        config=config,
        command="infocpl run",
        seconds={},
    )
    # As a reader gets it.
    return json.loads(json.dumps(build_result(small_task, runs, context), allow_nan=False))


def plain_score(evidence) -> tuple[float, float]:
    """The rule again, in loops: best smoothed mean over folds, the last of equal ones."""
    tables = [fold.get("measured", {"0": fold["accuracy"]}) for fold in evidence]
    weights = sorted(tables[0], key=float)
    keys = sorted(tables[0][weights[0]], key=float)

    def mean(row: int, column: int) -> float:
        row = min(max(row, 0), len(weights) - 1)
        column = min(max(column, 0), len(keys) - 1)
        return sum(table[weights[row]][keys[column]] for table in tables) / len(tables)

    best, found = -1.0, None
    for row in range(len(weights)):
        for column in range(len(keys)):
            value = sum(
                share * other * mean(row + up, column + right)
                for up, share in ((-1, 0.25), (0, 0.5), (1, 0.25))
                for right, other in ((-1, 0.25), (0, 0.5), (1, 0.25))
            )
            # Accuracies are written with six digits; equal ones may have come apart by as much.
            if value >= best - 1e-6:
                best, found = max(value, best), keys[column]
    return best, float(found)


def test_candidates_that_are_no_row_yet_become_rows(result, runs):
    expected = (*METHODS, "no-inverse", "one-head", "long-random", "chosen")
    assert tuple(result["methods"]) == tuple(runs[0].methods) == expected


def test_what_is_chosen_is_the_best_of_the_evidence(result):
    for seed in result["selection"]["details"]:
        assert list(seed["chosen"]["scores"]) == ["infocpl", *CHOOSE]
        plain = {}
        for name, score in seed["chosen"]["scores"].items():
            choice = seed["methods"][name]
            plain[name], candidate = plain_score(choice["evidence"])
            assert score == pytest.approx(plain[name], abs=2e-6)
            assert candidate in (choice["epoch"], choice["alpha"])
        first = next(n for n, score in plain.items() if score >= max(plain.values()) - 2e-6)
        assert seed["chosen"]["candidate"] == first


def test_the_row_is_seed_by_seed_that_of_its_candidate(result):
    row = result["methods"]["chosen"]
    names = [seed["chosen"]["candidate"] for seed in result["selection"]["details"]]
    for place, name in enumerate(names):
        own = row["per_seed"][place]
        taken = result["methods"][name]["per_seed"][place]
        assert own["selected"].pop("candidate") == name
        assert own == taken
        peeked = result["methods"][name]["oracle"]["per_seed"][place]
        assert row["oracle"]["per_seed"][place] == peeked
        together = result["methods"][name]["transductive"]["per_seed"][place]
        assert row["transductive"]["per_seed"][place] == together
    each = [
        result["methods"][name]["per_seed"][place]["zsl"]["top1"]
        for place, name in enumerate(names)
    ]
    assert row["mean"]["zsl.top1"] == pytest.approx(np.mean(each))
    assert row["sd"]["zsl.top1"] == pytest.approx(np.std(each, ddof=1))
    assert row["title"] == "InfoCPL, chosen on folds"


def test_nothing_is_trained_for_it(runs, told):
    for run in runs:
        assert run.methods["chosen"] is run.methods[run.chosen.candidate]
    assert not [note for _, note in told if "chosen" in note]


def test_how_often_each_was_taken_is_said(result):
    names = [seed["chosen"]["candidate"] for seed in result["selection"]["details"]]
    said = result["selection"]["chosen"]
    assert said["among"] == ["infocpl", *CHOOSE]
    assert said["summary"].startswith("chosen: ")
    for name in set(names):
        assert f"{name} in {names.count(name)}" in said["summary"]


def test_the_fields_that_come_with_a_choice_are_described(result):
    document = (Path(__file__).resolve().parents[2] / "docs" / "result.md").read_text("utf-8")
    spans = {part for span in re.findall(r"`([^`]+)`", document) for part in span.split(".")}
    seed = result["selection"]["details"][0]
    own = {"chosen", *result["selection"]["chosen"], *seed["chosen"]}
    own |= set(result["methods"]["chosen"]["per_seed"][0]["selected"])
    assert own == {"chosen", "among", "summary", "candidate", "scores", "epoch", "alpha"}
    assert own <= spans
    assert set(VARIANTS) <= spans


def test_candidates_leave_the_other_rows_as_they_were_to_the_last_bit(runs, small_runs):
    for run, plain in zip(runs, small_runs, strict=False):
        for method in METHODS:
            assert run.methods[method].choice == plain.methods[method].choice
            np.testing.assert_array_equal(run.methods[method].scores, plain.methods[method].scores)


def test_unseen_clips_have_no_say(small_task, small_config, work, runs):
    """With the unseen clips in other classes, the very same is chosen, on the same scores."""
    labels = small_task.clips.labels.copy()
    labels[small_task.unseen_test] = np.roll(labels[small_task.unseen_test], 5)
    spoilt = dataclasses.replace(
        small_task, clips=dataclasses.replace(small_task.clips, labels=labels)
    )
    config = dataclasses.replace(small_config, choose=CHOOSE)
    (run,) = run_experiment(spoilt, config, (0,), work=work)
    assert run.chosen == runs[0].chosen
    assert run.methods["chosen"].zsl.top1 != runs[0].methods["chosen"].zsl.top1


def test_a_candidate_of_other_epochs_is_chosen_among_its_own(runs):
    tried = {
        name: [float(e) for e in runs[0].methods[name].choice.evidence[0]["accuracy"]]
        for name in ("infocpl", "long-random")
    }
    assert tried == {"infocpl": [1, 2, 3, 4], "long-random": list(range(4, 41, 4))}


def test_progress_ends_where_it_was_planned_to_end(small_task, config, told):
    assert sum(units for units, _ in told) == pytest.approx(
        plan_units(small_task, config, (0, 1, 2))
    )


def test_progress_counts_every_candidate_by_its_own_epochs(small_task, small_config):
    def planned(**changes):
        changed = dataclasses.replace(small_config, folds=1, **changes)
        return plan_units(small_task, changed, (0,))

    short = planned(choose=("one-head",)) - planned()
    long = planned(choose=("one-head", "long-random")) - planned(choose=("one-head",))
    assert long == pytest.approx(short * 40 / small_config.alignment.fit.epochs)
    assert short > ALIGNMENT_COST * len(small_task.train) * small_config.alignment.fit.epochs
    assert planned(choose=("ridge",)) == planned()


def test_a_tie_goes_to_the_earlier_named_and_infocpl_is_named_first():
    assert choose_on_folds({"infocpl": 0.5, "ridge": 0.5, "one-head": 0.5}).candidate == "infocpl"
    assert choose_on_folds({"infocpl": 0.4, "ridge": 0.5, "one-head": 0.5}).candidate == "ridge"
    assert choose_on_folds({"infocpl": 0.4, "one-head": 0.5, "ridge": 0.5}).candidate == "one-head"
    # What comes of adding the same numbers in another order is no difference.
    assert choose_on_folds({"infocpl": 0.1 + 0.2, "ridge": 0.3}).candidate == "infocpl"
    assert choose_on_folds({"infocpl": 0.3, "ridge": 0.1 + 0.2}).candidate == "infocpl"


def test_a_score_is_smoothed_so_that_a_lone_peak_does_not_win():
    peak = settle(
        "infocpl",
        [{Candidate(1): Trial(0.2), Candidate(2): Trial(0.9), Candidate(3): Trial(0.2)}],
        [("a",)],
    )
    plateau = settle(
        "infocpl",
        [{Candidate(1): Trial(0.6), Candidate(2): Trial(0.6), Candidate(3): Trial(0.6)}],
        [("a",)],
    )
    assert (peak.epoch, peak.score) == (2, pytest.approx((0.2 + 1.8 + 0.2) / 4))
    assert plateau.score == pytest.approx(0.6)
    both = {"infocpl": peak.score, "one-head": plateau.score}
    assert choose_on_folds(both).candidate == "one-head"


def test_counts_are_told_from_the_most_frequent_on():
    names = ["infocpl", "one-head", "one-head", "infocpl", "one-head"]
    assert tell_chosen(names) == "chosen: one-head in 3 of 5 seeds, infocpl in 2"


def test_every_candidate_is_a_method_that_can_be_trained():
    assert set(CANDIDATES) == {"ridge", *VARIANTS} - {"names-only"}
    assert further_rows((), ("ridge",)) == ()


def test_the_long_preset_starts_at_random_and_keeps_its_shape():
    base = AlignmentConfig()
    preset = alignment_of("long-random", base)
    assert (preset.start, preset.fit.epochs, preset.fit.lr) == ("random", 40, 1e-3)
    same = dataclasses.replace(preset, start=base.start, sampling=base.sampling, fit=base.fit)
    assert same == base


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"choose": ("one-head",), "selection": "oracle"}, "selection 'oracle' does not do"),
        ({"choose": ("two-heads",)}, "unknown candidate 'two-heads'; known: ridge, "),
        ({"choose": ("ridge", "one-head", "ridge")}, "candidates must differ"),
        ({"choose": ("ridge-names",)}, "'ridge-names' is a row to compare with"),
        ({"choose": ("names-only",)}, "'names-only' is a row to compare with"),
        ({"choose": ()}, "at least one candidate"),
        ({"choose": ("infocpl", "ridge")}, "'infocpl' is always among the candidates"),
        ({"choose": ("no-traits",), "alignment": NO_TRAITS}, "is the same"),
    ],
    ids=[
        "oracle selection",
        "an unknown name",
        "a name twice",
        "names for ridge",
        "names only",
        "no candidates",
        "infocpl itself",
        "a candidate equal to infocpl",
    ],
)
def test_candidates_that_make_no_sense_are_refused(changes, told):
    with pytest.raises(ConfigError, match=told):
        dataclasses.replace(create_preset("tiny"), **changes)


def test_a_study_says_what_every_split_chose(result):
    study = summarise_splits([result, result])
    names = [seed["chosen"]["candidate"] for seed in result["selection"]["details"]]
    assert [split["chosen"] for split in study["splits"]] == [names, names]
    assert study["chosen"] == tell_chosen(names * 2, "training")
    assert study["methods"]["chosen"]["title"] == "InfoCPL, chosen on folds"
