"""The ablation: seen classes only, one encoder a fold, and numbers that can be played by hand."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.data import SplitIndices
from infocpl.errors import ConfigError, SplitLeakageError
from infocpl.evaluation.ablation import (
    ABLATION_METHODS,
    DEFAULT_ROWS,
    AblationRow,
    ablation_units,
    cross_selected,
    run_ablation,
    seen_task,
)
from infocpl.evaluation.runs import learn_features
from infocpl.evaluation.selection import fold_seed, try_candidates
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import DescriptionChoice
from infocpl.semantics.compounds import COMPOUNDS

ROWS = (
    AblationRow("name", DescriptionChoice(("name",), count=1, motion=False)),
    AblationRow("few", DescriptionChoice(count=6)),
    AblationRow("weighed", DescriptionChoice(("definition", "part"), temperature=0.3)),
)


@pytest.fixture(scope="module")
def seen_book(small_codebook, small_task):
    return small_codebook.subset(small_task.split.seen)


@pytest.fixture(scope="module")
def cut(small_task, seen_book):
    """The small task, cut down to training clips."""
    indices = SplitIndices(small_task.train, small_task.seen_test, small_task.unseen_test)
    return seen_task(small_task.clips, small_task.split, indices, seen_book)


@pytest.fixture(scope="module")
def played(cut, seen_book, small_config):
    """Two seeds of two folds of three rows, and what was told on the way."""
    told: list[tuple[float, str]] = []
    result = run_ablation(
        cut,
        {"trigrams": seen_book},
        small_config,
        (0, 1),
        rows=ROWS,
        advance=lambda units, note: told.append((units, note)),
    )
    return result, told


def test_nothing_but_training_clips_of_seen_classes_is_in_the_task(cut, small_task):
    assert len(cut.clips) == len(cut.train) == len(small_task.train)
    np.testing.assert_array_equal(cut.clips.keypoints, small_task.clips.keypoints[small_task.train])
    assert {cut.clips.classes[i] for i in cut.clips.labels} <= set(small_task.split.seen)
    assert len(cut.seen_test) == len(cut.unseen_test) == 0
    assert set(cut.text.labels) == set(small_task.split.seen)


def test_text_of_an_unseen_class_is_refused(small_task, small_codebook, cut, small_config):
    indices = SplitIndices(small_task.train, small_task.seen_test, small_task.unseen_test)
    name = small_task.split.unseen[0]
    with pytest.raises(SplitLeakageError, match=f"text of unseen classes: .*{name}"):
        seen_task(small_task.clips, small_task.split, indices, small_codebook)
    with pytest.raises(SplitLeakageError, match=f"text of unseen classes: .*{name}"):
        run_ablation(cut, {"all": small_codebook}, small_config, (0,))


def test_a_task_with_test_clips_is_refused(small_task, seen_book, small_config):
    with pytest.raises(SplitLeakageError, match="the task has test clips"):
        run_ablation(small_task, {"trigrams": seen_book}, small_config, (0,))


@pytest.mark.parametrize("missing", ["seeds", "rows", "codebooks"])
def test_an_ablation_of_nothing_is_refused(cut, seen_book, small_config, missing):
    asked = {"seeds": (0,), "rows": ROWS, "codebooks": {"trigrams": seen_book}}
    asked[missing] = type(asked[missing])()
    with pytest.raises(ConfigError, match="at least one seed, one row and one text encoder"):
        run_ablation(cut, asked["codebooks"], small_config, asked["seeds"], rows=asked["rows"])


def test_held_out_classes_are_seen_ones_and_the_same_for_every_row(played, cut):
    result, _ = played
    assert [fold["seed"] for fold in result["folds"]] == [0, 0, 1, 1]
    for fold in result["folds"]:
        assert set(fold["held_out"]) < set(cut.split.seen)
    assert result["chance"] == pytest.approx(
        np.mean([1 / len(fold["held_out"]) for fold in result["folds"]])
    )
    assert [row["title"] for row in result["rows"]] == [row.title for row in ROWS]
    for row in result["rows"]:
        assert all(len(row[method]["per_fold"]) == 4 for method in ABLATION_METHODS)


def test_each_fold_learns_features_once_and_all_rows_share_them(played):
    _, told = played
    assert sum("encoder 1/" in note for _, note in told) == 4


def test_work_done_is_the_work_announced(played, cut, small_config):
    _, told = played
    expected = ablation_units(cut, small_config, (0, 1), len(ROWS))
    assert sum(units for units, _ in told) == pytest.approx(expected)


@pytest.mark.parametrize("place", range(len(ROWS)))
def test_a_row_is_what_playing_it_by_hand_gives(played, cut, seen_book, small_config, place):
    result, _ = played
    number = fold_seed(1, 0)
    inner = cut.pseudo(cut.pseudo_count(), number)
    quiet = {"advance": lambda units, note: None, "note": ""}
    features = learn_features(inner, small_config, seed=number, work=None, **quiet)
    book = ROWS[place].choice.apply(seen_book)
    described = dataclasses.replace(inner, text=text_table(book))
    # Sentences are judged without the measured traits, which no sentence changes.
    alignment = dataclasses.replace(small_config.alignment, measured_weight=0.0)
    config = dataclasses.replace(small_config, alignment=alignment)
    for method in ABLATION_METHODS:
        tried = try_candidates(method, described, features, config, number, quiet["advance"], "")
        expected = {f"{key.step:g}": round(value[0], 6) for key, value in tried.items()}
        assert result["rows"][place][method]["candidates"][2] == expected


def test_means_are_over_seeds_of_the_folds_of_each(played):
    result, _ = played
    for row in result["rows"]:
        for method in ABLATION_METHODS:
            found = row[method]
            seeds = [np.mean(found["per_fold"][:2]), np.mean(found["per_fold"][2:])]
            assert found["per_seed"] == pytest.approx(seeds)
            assert found["mean"] == pytest.approx(np.mean(seeds))
            assert found["sd"] == pytest.approx(np.std(seeds, ddof=1))


def test_gains_are_differences_within_a_seed(played):
    result, _ = played
    assert result["reference"] == {"title": "name", "text_encoder": "trigrams"}
    first = result["rows"][0]
    for row in result["rows"]:
        for method in ABLATION_METHODS:
            gains = np.subtract(row[method]["per_seed"], first[method]["per_seed"])
            assert row[method]["gain"]["mean"] == pytest.approx(gains.mean())
            assert row[method]["gain"]["sd"] == pytest.approx(gains.std(ddof=1))


def test_rows_are_compared_with_the_one_that_has_everything(cut, seen_book, small_config):
    one = dataclasses.replace(small_config, folds=1)
    rows = (ROWS[1], AblationRow("all"))
    result = run_ablation(cut, {"trigrams": seen_book}, one, (0,), rows=rows)
    assert result["reference"]["title"] == "all"
    assert result["rows"][1]["ridge"]["gain"] == {"mean": 0.0, "sd": None}


def test_the_result_is_plain_json(played):
    result, _ = played
    assert json.loads(json.dumps(result, allow_nan=False)) == result


def test_one_seed_has_no_spread(cut, seen_book, small_config):
    one = dataclasses.replace(small_config, folds=1)
    result = run_ablation(cut, {"trigrams": seen_book}, one, (3,), rows=ROWS[:1])
    assert result["rows"][0]["ridge"]["sd"] is None
    assert len(result["rows"][0]["ridge"]["per_fold"]) == 1


@given(st.integers(1, 5).flatmap(lambda n: st.lists(
    st.fixed_dictionaries({k: st.integers(0, 4).map(float) for k in (0.1, 1, 7)}),
    min_size=n, max_size=n,
)))  # fmt: skip
def test_a_fold_is_judged_at_the_choice_of_the_others(tried):
    found = cross_selected(tried)
    for place, fold in enumerate(tried):
        others = [other for i, other in enumerate(tried) if i != place]
        if not others:
            assert found[place] == fold[7]
            continue
        totals = {key: sum(other[key] for other in others) for key in fold}
        best = max(key for key, total in totals.items() if total == max(totals.values()))
        assert found[place] == fold[best]


def test_the_default_rows_ask_what_each_kind_and_number_is_worth(seen_book):
    titles = [row.title for row in DEFAULT_ROWS]
    assert len(set(titles)) == len(titles)
    for count in (1, 5, 20, 50, 100):
        (row,) = (row for row in DEFAULT_ROWS if row.title == f"K = {count}")
        assert (row.choice.apply(seen_book).mask.sum(axis=1) == count).all()
    steps = [set(row.choice.kinds) for row in DEFAULT_ROWS[1:6]]
    assert all(small <= large for small, large in pairwise(steps))
    assert not set().union(*steps) & set(COMPOUNDS)
    books = {row.title: row.choice.apply(seen_book).hash for row in DEFAULT_ROWS}
    assert len(set(books.values())) == len(books)
