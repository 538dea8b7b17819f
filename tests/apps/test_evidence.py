"""Clips for the report: right and wrong ones, of many classes, with what each head believed."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from infocpl.apps.evidence import _choose, believed_descriptions, report_clips, shares
from infocpl.evaluation.experiment import SeedRun, run_experiment
from infocpl.skeleton.layout import create_layout


@pytest.fixture(scope="module")
def run(small_task, small_config) -> SeedRun:
    (run,) = run_experiment(small_task, dataclasses.replace(small_config, folds=1), (0,))
    return run


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=8), st.integers(1, 9))
def test_shares_are_a_softmax_of_the_mean_over_heads(scores, heads):
    found = shares(np.array(scores), heads)
    np.testing.assert_allclose(found, softmax(np.array(scores) / heads), atol=1e-12)
    assert found.sum() == pytest.approx(1)


def test_shares_of_many_clips_sum_to_one_each():
    found = shares(np.random.default_rng(0).normal(size=(5, 7)) * 1e3, 3)
    np.testing.assert_allclose(found.sum(axis=1), np.ones(5))


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_clips_are_half_right_half_wrong_and_of_many_classes(seed, count):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 40)
    hits = (rng.random(40) < 0.5).astype(float)
    picked = _choose(hits, labels, count)
    assert len(set(picked)) == len(picked)
    for value in (1.0, 0.0):
        some = [index for index in picked if hits[index] == value]
        pool = np.flatnonzero(hits == value)
        assert len(some) == min(count // 2, len(pool))
        classes = {int(labels[index]) for index in some}
        assert len(classes) == min(len(some), len(set(labels[pool].tolist())))


def test_without_a_right_answer_only_wrong_ones_are_shown():
    picked = _choose(np.zeros(6), np.array([0, 0, 0, 1, 1, 2]), 6)
    assert sorted(picked) == [0, 3, 5]


def test_beliefs_are_sentences_of_the_class_asked_for(small_task, small_codebook, run):
    aligner = run.methods["infocpl"].aligner
    text = small_task.text.subset(small_task.split.unseen)
    for label in small_task.split.unseen:
        feature = run.features.unseen_test[0]
        heads = believed_descriptions(aligner, feature, text, small_codebook, label, most=3)
        known = {row.text for row in small_codebook.rows[small_codebook.labels.index(label)]}
        for head in heads:
            assert 1 <= len(head["believed"]) <= 3
            assert {item["text"] for item in head["believed"]} <= known


def test_a_head_that_believes_one_description_believes_the_nearest(small_task, small_codebook, run):
    """k = 1: the row with the highest attention gets all of it."""
    aligner = run.methods["infocpl"].aligner
    text = small_task.text.subset(small_task.split.unseen)
    feature = run.features.unseen_test[2]
    first = believed_descriptions(aligner, feature, text, small_codebook, text.labels[1])[0]
    assert first["k"] == 1
    (item,) = first["believed"]
    assert item["weight"] == 1.0
    ready = aligner.text(text)
    head = next(iter(aligner.model.granularity_heads()))
    with torch.no_grad():
        z = head.project(aligner.features(feature[None]))[0]
    products = (ready.descriptions[1] @ z)[ready.mask[1]]
    best = small_codebook.rows[small_codebook.labels.index(text.labels[1])][int(products.argmax())]
    assert item["text"] == best.text


def test_report_clips_agree_with_the_run(small_task, small_codebook, run):
    clips = report_clips(small_task, run, small_codebook, count=6)
    entry = run.methods["infocpl"]
    unseen = small_task.split.unseen
    assert 3 <= len(clips) <= 6
    for clip in clips:
        where = small_task.clips.names.index(clip["name"])
        row = small_task.unseen_test.tolist().index(where)
        assert clip["true"] == small_task.clips.classes[small_task.clips.labels[where]]
        assert clip["predicted"] == unseen[int(entry.scores[row].argmax())]
        assert clip["correct"] == (clip["true"] == clip["predicted"])
        assert clip["correct"] == bool(entry.zsl.hits[row])
        assert max(clip["scores"], key=clip["scores"].get) == clip["predicted"]
        assert sum(clip["scores"].values()) == pytest.approx(1)
        np.testing.assert_allclose(clip["keypoints"], small_task.clips.keypoints[where], atol=6e-4)
        layout = create_layout("ntu25")
        assert len(clip["bones"]) == len(layout.bones)
        assert set(np.ravel(clip["bones"])) <= set(range(25))
    json.dumps(clips, allow_nan=False)


def test_an_absent_second_person_is_not_drawn(small_task, small_codebook, run):
    keypoints = np.concatenate([small_task.clips.keypoints] * 2, axis=1)
    keypoints[:, 1] = 0
    clips = dataclasses.replace(small_task.clips, keypoints=keypoints)
    task = dataclasses.replace(small_task, clips=clips)
    for clip in report_clips(task, run, small_codebook):
        assert np.shape(clip["keypoints"])[0] == 1
