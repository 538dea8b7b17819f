"""Tasks and the pseudo tasks inside them: nothing of the test side may slip in."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from infocpl.alignment.base import TextTable
from infocpl.data import PreparedClips, Split
from infocpl.data.extra import OtherClips, join_clips
from infocpl.errors import SplitLeakageError
from infocpl.evaluation.task_data import TaskData, text_table

CLASSES = tuple(f"class {number}" for number in range(12))


@pytest.fixture(scope="module")
def task() -> TaskData:
    """Twelve classes by five people; the last three classes are unseen, person 5 tests."""
    labels, subjects = (grid.ravel() for grid in np.meshgrid(np.arange(12), [1, 2, 3, 4, 5]))
    clips = PreparedClips(
        np.zeros((60, 1, 2, 20, 3), np.float32),
        labels,
        tuple(f"clip {number}" for number in range(60)),
        subjects,
        "kinect20",
        CLASSES,
    )
    split = Split("toy", "own", "9-3", seen=CLASSES[:9], unseen=CLASSES[9:])
    seen = labels < 9
    return TaskData(
        clips,
        split,
        np.flatnonzero(seen & (subjects < 5)),
        np.flatnonzero(seen & (subjects == 5)),
        np.flatnonzero(~seen),
        text=None,
    )


def names_of(task: TaskData, clips: np.ndarray) -> set[str]:
    return {task.clips.classes[label] for label in task.clips.labels[clips]}


@given(seed=st.integers(0, 2**31), count=st.integers(1, 8))
def test_a_pseudo_task_holds_no_unseen_class_and_no_test_clip(task, seed, count):
    inner = task.pseudo(count, seed)
    every = np.concatenate([inner.train, inner.seen_test, inner.unseen_test])
    assert set(every.tolist()) == set(task.train.tolist())
    assert len(every) == len(set(every.tolist()))
    assert not names_of(task, every) & set(task.split.unseen)
    assert not {*inner.split.seen, *inner.split.unseen} & set(task.split.unseen)
    assert names_of(task, inner.train) == set(inner.split.seen)
    assert names_of(task, inner.unseen_test) == set(inner.split.unseen)
    assert len(inner.split.unseen) == count


@given(seed=st.integers(0, 2**31))
def test_one_training_person_moves_to_the_seen_test_of_a_pseudo_task(task, seed):
    inner = task.pseudo(3, seed)
    testers = set(task.clips.subjects[inner.seen_test].tolist())
    assert len(testers) == 1
    assert testers < {1, 2, 3, 4}
    assert not testers & set(task.clips.subjects[inner.train].tolist())
    assert len(inner.seen_test) == 6


@given(seed=st.integers(0, 1000))
def test_with_two_people_a_share_of_the_clips_moves_instead(task, seed):
    few = dataclasses.replace(
        task, train=task.train[np.isin(task.clips.subjects[task.train], [1, 2])]
    )
    inner = few.pseudo(2, seed)
    assert names_of(task, inner.train) == set(inner.split.seen)
    assert len(inner.train) + len(inner.seen_test) == 14


def test_a_class_known_from_one_person_only_stays_in_training(task):
    """Whoever is drawn to test, nobody can learn a class without a clip."""
    labels, subjects = task.clips.labels[task.train], task.clips.subjects[task.train]
    lonely = dataclasses.replace(task, train=task.train[(labels > 0) | (subjects == 2)])
    for seed in range(40):
        inner = lonely.pseudo(2, seed)
        assert names_of(task, inner.train) == set(inner.split.seen)


def test_pseudo_tasks_repeat_by_seed_and_differ_between_seeds(task):
    first, again = task.pseudo(3, 7), task.pseudo(3, 7)
    assert first.split == again.split
    assert first.train.tolist() == again.train.tolist()
    assert len({task.pseudo(3, seed).split.unseen for seed in range(20)}) > 10


@pytest.mark.parametrize(
    ("seen", "unseen", "count"),
    [(55, 5, 5), (48, 12, 10), (22, 5, 4), (18, 9, 6), (8, 2, 2), (4, 6, 2), (5, 1, 2), (3, 9, 2)],
)
def test_pseudo_tasks_hold_out_the_share_of_the_task_itself(task, seen, unseen, count):
    names = tuple(f"n{number}" for number in range(seen + unseen))
    split = Split("toy", "own", "x", seen=names[:seen], unseen=names[seen:])
    other = dataclasses.replace(task, train=task.train[:0], unseen_test=task.unseen_test[:0])
    object.__setattr__(other, "split", split)
    assert other.pseudo_count() == count


def test_a_training_clip_of_an_unseen_class_is_a_leak(task):
    with pytest.raises(SplitLeakageError, match="training clips of unseen classes: class 9"):
        dataclasses.replace(task, train=np.append(task.train, task.unseen_test[0]))


@pytest.mark.parametrize("side", ["seen_test", "unseen_test"])
def test_a_clip_on_both_sides_is_a_leak(task, side):
    with pytest.raises(SplitLeakageError, match="for training and for testing"):
        dataclasses.replace(task, **{side: np.append(getattr(task, side), task.train[0])})


def test_rows_number_clips_by_the_names_asked_for(task):
    backwards = tuple(reversed(task.split.unseen))
    rows = task.rows(task.unseen_test, backwards)
    for row, clip in zip(rows, task.unseen_test, strict=True):
        assert backwards[row] == task.clips.classes[task.clips.labels[clip]]
    assert rows.dtype == np.int64


def test_the_text_table_is_the_codebook_row_by_row(small_codebook):
    table = text_table(small_codebook)
    assert table.labels == small_codebook.labels.names
    for name in ("descriptions", "mask", "motion", "names"):
        np.testing.assert_array_equal(getattr(table, name).numpy(), getattr(small_codebook, name))


def test_a_weighed_codebook_gives_a_weighed_table(small_codebook):
    assert text_table(small_codebook).weights is None
    weighed = small_codebook.weigh(0.25)
    np.testing.assert_array_equal(text_table(weighed).weights.numpy(), weighed.weights)


def text_of(names: tuple[str, ...], count: int, seed: int) -> TextTable:
    rows = torch.randn(len(names), count + 2, 5, generator=torch.Generator().manual_seed(seed))
    return TextTable(
        names, rows[:, 2:], torch.ones(len(names), count, dtype=torch.bool), rows[:, 0], rows[:, 1]
    )


@pytest.fixture(scope="module")
def wider(task) -> TaskData:
    """The task with clips of six classes of another dataset; number i shows class i and i + 6."""
    names = tuple(f"other {number}" for number in range(6))
    labels = np.repeat(np.arange(6), 2)
    other = PreparedClips(
        np.ones((12, 1, 2, 20, 3), np.float32), labels, ("x",) * 12, labels, "kinect20", names
    )
    excluded = {name: frozenset({names[number % 6]}) for number, name in enumerate(CLASSES)}
    clips, elsewhere = join_clips(task.clips, [OtherClips("other", other, excluded)])
    whole = dataclasses.replace(task, clips=clips, text=text_of(CLASSES, 3, 0))
    return whole.with_extra(elsewhere, [text_of(names, 4, 1)])


SHOWS = {
    "one": {0: [0, 6], 1: [1], 2: [], 3: [9, 10]},
    "two": {0: [2], 1: [3, 11], 2: [5], 3: [], 4: [7]},
}
"""What each class of two other datasets shows, by number."""


@pytest.fixture(scope="module")
def widest(task) -> TaskData:
    """The task with clips of two other datasets, which call their classes alike."""
    others, texts = [], []
    for place, (source, shows) in enumerate(SHOWS.items()):
        names = tuple(f"other {number}" for number in shows)
        labels = np.repeat(np.arange(len(names)), 2)
        clips = PreparedClips(
            np.full((len(labels), 1, 2, 20, 3), place, np.float32),
            labels,
            ("x",) * len(labels),
            labels,
            "kinect20",
            names,
        )
        excluded = {
            name: frozenset(f"other {other}" for other, shown in shows.items() if number in shown)
            for number, name in enumerate(CLASSES)
        }
        others.append(OtherClips(source, clips, excluded))
        texts.append(text_of(names, 3 + place, 1 + place))
    joined, elsewhere = join_clips(task.clips, others)
    whole = dataclasses.replace(task, clips=joined, text=text_of(CLASSES, 3, 0))
    return whole.with_extra(elsewhere, texts)


def harmless(unseen: set[str]) -> tuple[str, ...]:
    """Classes of either dataset that show none of `unseen`, found without the code under test."""
    hidden = {CLASSES.index(name) for name in unseen}
    return tuple(
        f"{source}: other {number}"
        for source, shows in SHOWS.items()
        for number, shown in shows.items()
        if not hidden & set(shown)
    )


def test_a_class_of_neither_source_is_learned_if_it_shows_an_unseen_one(widest):
    assert widest.extra_classes == harmless(set(widest.split.unseen))
    assert names_of(widest, widest.extra) == set(widest.extra_classes)


@given(seed=st.integers(0, 2**31), count=st.integers(1, 8))
def test_nor_while_it_shows_one_that_plays_unseen(widest, seed, count):
    inner = widest.pseudo(count, seed)
    assert inner.extra_classes == harmless({*inner.split.unseen, *widest.split.unseen})
    assert names_of(inner, inner.extra) == set(inner.extra_classes)


def test_texts_of_several_sources_keep_their_rows_though_names_repeat(widest):
    one, two = text_of(tuple("abcd"), 3, 1), text_of(tuple("abcde"), 4, 2)
    some = widest.text.subset(("two: other 3", "one: other 3"))
    assert torch.equal(some.descriptions[0], two.descriptions[3])
    assert torch.equal(some.descriptions[1, :3], one.descriptions[3])
    assert some.mask.sum(1).tolist() == [4, 3]
    assert torch.equal(some.motion, torch.stack([two.motion[3], one.motion[3]]))


def test_extra_clips_are_learned_and_never_tested(wider):
    # Unseen classes 9, 10 and 11 are shown by others 3, 4 and 5.
    assert wider.extra_classes == ("other: other 0", "other: other 1", "other: other 2")
    assert names_of(wider, wider.extra) == set(wider.extra_classes)
    tested = {*wider.seen_test.tolist(), *wider.unseen_test.tolist()}
    assert not tested & set(wider.learned.tolist())
    assert wider.learned_classes == (*wider.split.seen, *wider.extra_classes)


@given(seed=st.integers(0, 2**31), count=st.integers(1, 8))
def test_a_pseudo_task_leaves_out_what_shows_any_unseen_class_of_either_kind(wider, seed, count):
    inner = wider.pseudo(count, seed)
    unseen = {*inner.split.unseen, *wider.split.unseen}
    shown = {f"other: other {CLASSES.index(name) % 6}" for name in unseen}
    assert set(inner.extra_classes) == {f"other: other {n}" for n in range(6)} - shown
    assert names_of(inner, inner.extra) == set(inner.extra_classes)


def test_extra_text_stands_behind_the_own_and_keeps_its_rows(wider):
    own, other = text_of(CLASSES, 3, 0), text_of(tuple("abcdef"), 4, 1)
    some = wider.text.subset(("class 2", "other: other 5"))
    assert torch.equal(some.descriptions[0, :3], own.descriptions[2])
    assert not some.mask[0, 3]
    assert torch.equal(some.descriptions[1], other.descriptions[5])
    assert torch.equal(some.motion[1], other.motion[5])


def test_an_extra_class_that_shows_an_unseen_one_is_a_leak(wider):
    with pytest.raises(SplitLeakageError, match="other: other 3"):
        dataclasses.replace(wider, extra_classes=("other: other 3",))
