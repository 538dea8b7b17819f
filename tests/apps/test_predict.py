"""Naming clips: the same answer however one asks, and no answer where there is none."""

from __future__ import annotations

import dataclasses
import json
import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from infocpl.apps.predict import Prediction, Predictor, predict_files, read_labels
from infocpl.data.loading import prepare_clip
from infocpl.errors import (
    InfoCPLError,
    LabelError,
    LayoutError,
    SemanticsError,
    SkeletonFormatError,
)
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import LabelSet, compose, describe, write_described
from infocpl.skeleton.formats import (
    read_ntu,
    read_skeleton,
    write_bvh,
    write_coco_json,
    write_mediapipe,
    write_npz,
    write_ntu,
    write_utd_mhad,
)
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.measures import MEASURES
from infocpl.skeleton.synthetic.files import film, map_person
from infocpl.training.pretrained import ZeroShotModel

LABELS = (
    "wave the left hand",
    "sit down",
    "kick forward with the left leg",
    "raise the right arm forward",
    "nod the head",
)


@pytest.fixture(scope="module")
def model(model_folder) -> ZeroShotModel:
    return ZeroShotModel.from_pretrained(model_folder)


@pytest.fixture(scope="module")
def predictor(model) -> Predictor:
    return Predictor(model, LabelSet(LABELS))


def test_shares_are_a_softmax_of_the_scores_over_the_label_set(predictor, model, wave):
    found = predictor.predict(wave)
    ready = prepare_clip(read_ntu(wave), frames=12, layout="ntu25", persons=1)
    scores = model.scores(model.encode(ready[None]), text_table(predictor.codebook))[0].numpy()
    heads = len(model.aligner.model.config.k_series)
    voices = heads * (1 + float(model.aligner.measured.weight))
    expected = dict(zip(LABELS, softmax(scores.astype(float) / voices), strict=True))
    assert dict(found.ranked) == pytest.approx(expected)
    assert sum(share for _, share in found.ranked) == pytest.approx(1)
    values = [share for _, share in found.ranked]
    assert values == sorted(values, reverse=True)


def test_what_is_measured_has_its_say(predictor, model, wave):
    """The heads' own scores and those of measured traits add up to what is told."""
    ready = prepare_clip(read_ntu(wave), frames=12, layout="ntu25", persons=1)
    features, text = model.encode(ready[None]), text_table(predictor.codebook)
    own = model.aligner.own_scores(features, text)[0].numpy().astype(float)
    agreement = model.aligner.measured.scores(features, text)[0].numpy().astype(float)
    voices = model.aligner.voices
    expected = dict(zip(LABELS, softmax((own + agreement) / voices), strict=True))
    assert dict(predictor.predict(wave).ranked) == pytest.approx(expected, rel=1e-4)
    assert np.ptp(agreement) > 0.1


@pytest.mark.parametrize("seed", range(3))
def test_labels_in_any_order_give_the_same_ranking(predictor, model, wave, seed):
    shuffled = random.Random(seed).sample(LABELS, len(LABELS))
    found = Predictor(model, LabelSet(tuple(shuffled))).predict(wave)
    expected = predictor.predict(wave)
    assert [name for name, _ in found.ranked] == [name for name, _ in expected.ranked]
    assert dict(found.ranked) == pytest.approx(dict(expected.ranked), rel=1e-4)


def test_what_was_read_is_told(predictor, wave):
    found, clip = predictor.predict(wave), read_ntu(wave)
    assert (found.path, found.persons) == (str(wave), clip.persons)
    assert (found.frames, found.layout) == (clip.frames, "ntu25")


def test_heads_tell_which_descriptions_of_the_best_name_they_believed(predictor, model, wave):
    found = predictor.predict(wave)
    best = found.ranked[0][0]
    texts = {row.text: row.granularity for row in predictor.codebook.rows[LABELS.index(best)]}
    assert [head["k"] for head in found.heads] == list(model.aligner.model.config.k_series)
    for head in found.heads:
        believed = head["believed"]
        assert 1 <= len(believed) <= min(5, head["k"])
        assert all(texts[item["text"]] == item["granularity"] for item in believed)
        weights = [item["weight"] for item in believed]
        assert weights == sorted(weights, reverse=True)
        assert sum(weights) <= 1 + 1e-3


def test_the_reasons_name_measured_traits_from_the_strongest_on(predictor, wave):
    found = predictor.predict(wave).traits
    assert 1 <= len(found) <= 5
    assert all(item["name"] in MEASURES for item in found)
    agreement = [item["agreement"] for item in found]
    assert agreement == sorted(agreement, reverse=True)


def test_a_prediction_is_plain_json(predictor, wave):
    told = predictor.predict(wave).to_dict()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert set(told) == {field.name for field in dataclasses.fields(Prediction)}


def test_a_model_of_25_joints_names_a_clip_of_20(predictor, model, wave, tmp_path):
    path = tmp_path / "a1_s1_t1_skeleton.mat"
    write_utd_mhad(path, map_person(read_ntu(wave), "kinect20"))
    found = predictor.predict(path)
    assert found.layout == "kinect20"
    clip = read_skeleton(path)
    mapped = create_layout_map(clip.layout, create_layout("ntu25")).apply(clip)
    ready = prepare_clip(mapped, frames=12, layout="ntu25", persons=1)
    scores = model.scores(model.encode(ready[None]), text_table(predictor.codebook))[0]
    assert found.ranked[0][0] == LABELS[int(scores.argmax())]


@pytest.mark.parametrize("name", ["clip.bvh", "clip.json", "clip.npz"])
def test_a_model_of_25_joints_names_clips_of_other_skeletons(predictor, wave, tmp_path, name):
    write, layout = {
        "clip.bvh": (write_bvh, "smpl24"),
        "clip.json": (write_mediapipe, "mediapipe33"),
        "clip.npz": (write_npz, "hdm05_31"),
    }[name]
    write(tmp_path / name, map_person(read_ntu(wave), layout))
    found = predictor.predict(tmp_path / name)
    assert (found.layout, found.persons) == (layout, 1)
    assert sum(share for _, share in found.ranked) == pytest.approx(1)


def test_a_flat_clip_is_refused_by_a_model_of_three_dimensions(predictor, wave, tmp_path):
    path = tmp_path / "alphapose-results.json"
    write_coco_json(path, film(read_ntu(wave), "coco17"))
    message = (
        f"{path}: this clip has layout coco17 (17 joints, 2-D); the encoder was trained on ntu25 "
        "(25 joints, 3-D): "
    )
    with pytest.raises(LayoutError, match=re.escape(message) + ".*it has no depth"):
        predictor.predict(path)


def test_bad_files_do_not_cost_the_good_ones_their_answers(predictor, wave, tmp_path):
    cut = tmp_path / "cut.skeleton"
    cut.write_bytes(wave.read_bytes()[:3000])
    (tmp_path / "empty.skeleton").write_bytes(b"")
    paths = [cut, wave, tmp_path / "empty.skeleton", tmp_path / "missing.skeleton", wave]
    done, failed = predict_files(predictor, paths)
    assert [item.path for item in done] == [str(wave), str(wave)]
    assert done[0] == done[1] == predictor.predict(wave)
    assert [Path(error.path).name for error in failed] == [
        "cut.skeleton",
        "empty.skeleton",
        "missing.skeleton",
    ]


def test_a_coordinate_that_is_no_number_is_refused_with_its_line(predictor, wave, tmp_path):
    lines = wave.read_text().splitlines()
    place = next(i for i, line in enumerate(lines) if len(line.split()) == 12)
    lines[place] = " ".join(["nan", *lines[place].split()[1:]])
    spoilt = tmp_path / "nan.skeleton"
    spoilt.write_text("\n".join(lines))
    with pytest.raises(SkeletonFormatError, match=f"line {place + 1}"):
        predictor.predict(spoilt)


def test_a_model_that_gives_no_finite_score_gives_no_answer(model, wave):
    aligner = type(model.aligner)(
        model.aligner.model,
        torch.full_like(model.aligner.feature_mean, torch.nan),
        model.aligner.feature_scale,
        model.aligner.centre,
    )
    broken = Predictor(dataclasses.replace(model, aligner=aligner), LabelSet(LABELS))
    with pytest.raises(InfoCPLError, match="no finite score"):
        broken.predict(wave)


def test_names_without_an_entry_are_known_as_such(model, wave):
    predictor = Predictor(model, LabelSet(("sit down", "gloop five quonks", "zorb")))
    assert predictor.name_only == ("gloop five quonks", "zorb")
    assert not predictor.composed
    found = predictor.predict(wave)
    assert {name for name, _ in found.ranked} == {"sit down", "gloop five quonks", "zorb"}
    assert np.isfinite([share for _, share in found.ranked]).all()


def test_names_that_the_grammar_understands_are_described_and_say_so(model, wave):
    predictor = Predictor(model, LabelSet(("sit down", "juggle five torches", "zorb")))
    assert predictor.composed == {"juggle five torches": "grammar (confidence 1.00)"}
    assert predictor.name_only == ("zorb",)
    found = predictor.predict(wave)
    assert found.sources == {
        "sit down": predictor.codebook.sources[0],
        "juggle five torches": "grammar (confidence 1.00)",
        "zorb": "name only",
    }
    kinds = list(model.descriptions.kinds)
    told = compose(describe("juggle five torches").entry, kinds)
    assert [row.text for row in predictor.codebook.rows[1]] == [row.text for row in told]


def test_a_lexicon_of_ones_own_comes_before_all_others(model, tmp_path):
    described = describe("juggle five torches")
    own = write_described([dataclasses.replace(described, name="sit down")], tmp_path / "own.yaml")
    predictor = Predictor(model, LabelSet(("sit down", "zorb")), lexicons=[own])
    assert predictor.sources == {"sit down": "lexicon described", "zorb": "name only"}
    assert predictor.codebook.motion_texts[0] == described.entry.motion


def test_a_clip_without_any_named_entry_is_explained_by_its_names(model, wave):
    found = Predictor(model, LabelSet(("zorb", "gloop"))).predict(wave)
    assert found.heads
    for head in found.heads:
        assert {item["granularity"] for item in head["believed"]} == {"name"}


def test_another_text_encoder_is_refused(model):
    foreign = dataclasses.replace(model, text_encoder_id="another")
    with pytest.raises(SemanticsError, match="another"):
        Predictor(foreign, LabelSet(LABELS))


def test_more_people_than_the_model_knows_are_left_out(predictor, synthetic_files, tmp_path):
    pair = read_ntu(next(path for path in synthetic_files.glob("*P001*") if two_people(path)))
    alone = dataclasses.replace(pair, keypoints=pair.keypoints[:1], confidence=pair.confidence[:1])
    for name, clip in (("pair", pair), ("alone", alone)):
        write_ntu(tmp_path / f"{name}.skeleton", clip)
    found = predictor.predict(tmp_path / "pair.skeleton")
    expected = predictor.predict(tmp_path / "alone.skeleton")
    assert (found.persons, expected.persons) == (2, 1)
    assert dict(found.ranked) == pytest.approx(dict(expected.ranked), rel=1e-3)


def two_people(path: Path) -> bool:
    return read_ntu(path).persons == 2


def test_labels_are_read_from_a_list_or_from_a_file(tmp_path):
    assert read_labels("sit down,  nod the head").names == ("sit down", "nod the head")
    path = tmp_path / "names.txt"
    path.write_text("# my names\nsit down\n\nstep over, then turn\n")
    assert read_labels(str(path)).names == ("sit down", "step over, then turn")


@pytest.mark.parametrize("count", [20, 60, 3000])
def test_a_list_of_names_may_be_longer_than_any_path(count):
    names = tuple(f"do the thing with number {number}" for number in range(count))
    assert read_labels(", ".join(names)).names == names


@pytest.mark.parametrize("text", ["", " , ", "sit down,Sit  DOWN", "a\0b,c", "x" * 600 + ",y"])
def test_a_list_of_names_that_is_none_is_refused(text):
    with pytest.raises(LabelError):
        read_labels(text)
