"""A model that asks for measures: trained beside its heads, saved, loaded, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from infocpl.alignment.measured_fit import fit_measured
from infocpl.errors import CheckpointError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.measures import MEASURES, measure_clips
from infocpl.training.pretrained import FORMAT_VERSION, ZeroShotModel

FACTS = {"text_encoder": "trigrams", "text_encoder_id": "trigrams"}


@pytest.fixture(scope="module")
def model(train_small_model, small_task) -> ZeroShotModel:
    return train_small_model(small_task.text, measured=True, **FACTS)


@pytest.fixture(scope="module")
def plain(train_small_model, small_task) -> ZeroShotModel:
    """The same without measures."""
    return train_small_model(small_task.text, **FACTS)


@pytest.fixture
def saved(model, tmp_path) -> Path:
    model.save_pretrained(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture(scope="module")
def text(small_task):
    return small_task.text.subset(small_task.split.unseen)


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in config.items() if v is not None}))


def test_the_heads_are_trained_as_if_nothing_were_measured(model, plain, small_task, text):
    clips = small_task.clips.keypoints
    features = model.encode(clips)
    assert plain.aligner.measured is None
    assert torch.equal(features[:, : -len(MEASURES)], plain.encode(clips))
    assert torch.equal(model.aligner.own_scores(features, text), plain.scores(features, text))
    assert not torch.allclose(model.scores(features, text), plain.scores(features, text))


def test_measures_are_those_of_the_clips_and_weigh_as_configured(model, small_task):
    clips = small_task.clips.keypoints[small_task.train]
    measures = torch.from_numpy(measure_clips(clips, create_layout("ntu25")))
    features = model.encode(clips)
    assert torch.equal(features[:, -len(MEASURES) :], measures)
    seen = small_task.text.subset(small_task.split.seen)
    labels = torch.from_numpy(small_task.rows(small_task.train, small_task.split.seen))
    assert torch.equal(model.aligner.measured.mean, fit_measured(measures, labels, seen).mean)
    # Few clips: the gain was found on all of them.
    own = model.aligner.own_scores(features, seen).double().numpy()
    agreement = model.aligner.measured.scores(features, seen).double().numpy()
    ratio = np.sqrt(agreement.var(axis=1).mean() / own.var(axis=1).mean())
    assert ratio == pytest.approx(2.0, rel=1e-4)


def test_a_reloaded_model_gives_the_same_scores_for_the_same_clips(model, saved, small_task, text):
    loaded = ZeroShotModel.from_pretrained(saved)
    clips = small_task.clips.keypoints
    expected = model.scores(model.encode(clips), text)
    assert torch.equal(loaded.scores(loaded.encode(clips), text), expected)
    torch.testing.assert_close(
        loaded.compile(text).scores(loaded.encode(clips)), expected, rtol=0, atol=1e-5
    )
    for name, value in vars(model.aligner.measured).items():
        assert torch.equal(getattr(loaded.aligner.measured, name), value)


def test_a_clip_is_scored_alone_as_among_others(model, small_task, text):
    clips = small_task.clips.keypoints[:6]
    together = model.scores(model.encode(clips), text)
    alone = torch.cat([model.scores(model.encode(clips[i : i + 1]), text) for i in range(6)])
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "measures", [[], list(MEASURES[:-1]), list(reversed(MEASURES))], ids=["none", "fewer", "order"]
)
def test_a_model_that_asks_for_other_measures_is_refused_in_one_sentence(saved, measures):
    change_config(saved, measures=measures, infocpl_version="0.0.9")
    with pytest.raises(CheckpointError) as caught:
        ZeroShotModel.from_pretrained(saved)
    message = str(caught.value)
    assert str(saved) in message
    assert f"the model asks for {len(measures)} measures of a clip" in message
    assert message.endswith("train it again, or use the infocpl that wrote it (0.0.9)")
    assert "\n" not in message


def test_a_model_from_before_measures_loads_without_them(plain, tmp_path, small_task, text):
    plain.save_pretrained(tmp_path / "old")
    config = json.loads((tmp_path / "old" / "config.json").read_text())
    assert (config["format_version"], config["measures"]) == (FORMAT_VERSION, [])
    change_config(tmp_path / "old", format_version=3, measures=None)
    assert "measures" not in json.loads((tmp_path / "old" / "config.json").read_text())
    loaded = ZeroShotModel.from_pretrained(tmp_path / "old")
    assert loaded.aligner.measured is None
    clips = small_task.clips.keypoints[:5]
    found, expected = loaded.encode(clips), plain.encode(clips)
    assert torch.equal(found, expected)
    assert torch.equal(loaded.scores(found, text), plain.scores(expected, text))


def test_a_model_saved_again_is_the_same(saved, tmp_path):
    ZeroShotModel.from_pretrained(saved).save_pretrained(tmp_path / "again")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


def test_a_clip_that_is_no_number_gets_no_score_and_costs_the_others_nothing(
    model, small_task, text
):
    clips = small_task.clips.keypoints[:3].copy()
    expected = model.scores(model.encode(clips), text)
    clips[1, 0, 3, 4, 0] = np.nan
    scores = model.scores(model.encode(clips), text)
    assert not torch.isfinite(scores[1]).any()
    torch.testing.assert_close(scores[[0, 2]], expected[[0, 2]])
