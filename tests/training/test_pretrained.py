"""A saved model is the same model; a damaged one is refused in one sentence."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from infocpl.alignment.infocpl import InfoCPL
from infocpl.errors import CheckpointError, OutputExistsError
from infocpl.semantics import DescriptionChoice
from infocpl.training.pretrained import FORMAT_VERSION, ZeroShotModel


@pytest.fixture(scope="module")
def model(train_small_model, small_task) -> ZeroShotModel:
    return train_small_model(
        small_task.text,
        text_encoder="trigrams",
        text_encoder_id="trigrams",
        descriptions=DescriptionChoice(("definition",), best=4, temperature=0.5),
        about={"dataset": "synthetic", "seed": 0},
    )


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "model"
    model.save_pretrained(folder, card="# a card\n", labels=("wave the left hand",))
    return folder


@pytest.fixture
def copy(saved: Path, tmp_path: Path) -> Path:
    """A saved model that a test may spoil."""
    return Path(shutil.copytree(saved, tmp_path / "model"))


def test_a_loaded_model_gives_the_same_scores_bit_for_bit(model, saved, small_task):
    loaded = ZeroShotModel.from_pretrained(saved)
    clips = small_task.clips.keypoints
    before, after = model.encode(clips), loaded.encode(clips)
    assert torch.equal(before, after)
    text = small_task.text.subset(small_task.split.unseen)
    assert torch.equal(model.scores(before, text), loaded.scores(after, text))
    assert torch.isfinite(after).all()


def test_everything_else_about_a_model_survives_too(model, saved):
    loaded = ZeroShotModel.from_pretrained(saved)
    for name in ("gamma", "persons", "text_encoder", "text_encoder_id", "descriptions", "about"):
        assert getattr(loaded, name) == getattr(model, name)
    assert loaded.seen == model.seen
    for name in ("config", "layout", "frames", "training_classes"):
        assert getattr(loaded.encoder, name) == getattr(model.encoder, name)
    assert loaded.aligner.model.config == model.aligner.model.config


def test_a_model_without_centred_text_stays_one(model, small_task, tmp_path):
    narrow = dataclasses.replace(
        model.aligner.model.config, text_dim=small_task.text.motion.shape[1]
    )
    plain = dataclasses.replace(
        model,
        aligner=type(model.aligner)(
            InfoCPL(narrow), model.aligner.feature_mean, model.aligner.feature_scale, None
        ),
    )
    plain.save_pretrained(tmp_path / "plain")
    loaded = ZeroShotModel.from_pretrained(tmp_path / "plain")
    assert loaded.aligner.centre is None
    features = model.encode(small_task.clips.keypoints[:4])
    assert torch.equal(
        plain.scores(features, small_task.text), loaded.scores(features, small_task.text)
    )


@pytest.mark.parametrize("gate", ["static", "visual+text", "none"])
def test_the_weighing_of_heads_is_saved_with_the_model(model, small_task, tmp_path, gate):
    shape = dataclasses.replace(model.aligner.model.config, gate=gate)
    aligner = InfoCPL(shape)
    if aligner.gate is None:
        heads = len(shape.k_series)
        aligner.set_fusion(tuple(float(i + 1) for i in range(heads)))
    else:
        for parameter in aligner.gate.parameters():
            parameter.data.normal_()
    kind, old = type(model.aligner), model.aligner
    weighed = dataclasses.replace(
        model, aligner=kind(aligner, old.feature_mean, old.feature_scale, old.centre)
    )
    weighed.save_pretrained(tmp_path / "weighed")
    loaded = ZeroShotModel.from_pretrained(tmp_path / "weighed")
    features = model.encode(small_task.clips.keypoints[:4])
    expected = weighed.scores(features, small_task.text)
    assert torch.equal(loaded.scores(features, small_task.text), expected)
    plain = InfoCPL(model.aligner.model.config)
    plain.load_state_dict({k: v for k, v in aligner.state_dict().items() if k.startswith("heads.")})
    unweighed = kind(plain, old.feature_mean, old.feature_scale, old.centre)
    assert not torch.allclose(unweighed.scores(features, small_task.text), expected)


def test_a_loaded_model_can_be_saved_again_as_the_same_model(saved, tmp_path):
    again = tmp_path / "again"
    ZeroShotModel.from_pretrained(saved).save_pretrained(
        again, card="# a card\n", labels=("wave the left hand",)
    )
    for name in ("config.json", "labels.json", "README.md"):
        assert (again / name).read_bytes() == (saved / name).read_bytes()
    assert_same_weights(again, saved)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("kinds", [[], ["definition", "part"]], ids=["all", "some"])
def test_a_model_from_before_the_choice_of_descriptions_is_described_as_it_was(
    copy, version, kinds
):
    drop_a_field(copy, "descriptions")
    change_config(copy, format_version=version, granularities=kinds)
    loaded = ZeroShotModel.from_pretrained(copy)
    assert loaded.descriptions == DescriptionChoice(tuple(kinds))
    loaded.save_pretrained(copy, overwrite=True)
    assert ZeroShotModel.from_pretrained(copy).descriptions == loaded.descriptions


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = (load_file(folder / "model.safetensors") for folder in (one, other))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_folder_holds_plain_files_and_no_code(saved):
    assert {item.name for item in saved.iterdir()} == {
        "config.json",
        "labels.json",
        "model.safetensors",
        "README.md",
    }
    labels = json.loads((saved / "labels.json").read_text())
    assert labels["unseen"] == ["wave the left hand"]
    assert not set(labels["seen"]) & set(labels["unseen"])


def test_an_existing_folder_is_replaced_only_when_asked(model, saved, copy):
    with pytest.raises(OutputExistsError):
        model.save_pretrained(copy)
    assert (copy / "README.md").read_text() == "# a card\n"
    model.save_pretrained(copy, overwrite=True)
    assert not (copy / "README.md").exists()
    assert_same_weights(copy, saved)


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, **changes}))


def flip_a_bit(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(bytes(content))


def cut_the_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:5000])


def drop_a_field(folder: Path, name: str = "persons") -> None:
    config = json.loads((folder / "config.json").read_text())
    del config[name]
    (folder / "config.json").write_text(json.dumps(config))


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing folder": (shutil.rmtree, "no such folder"),
    "no config": (lambda f: (f / "config.json").unlink(), "not a model folder"),
    "no labels": (lambda f: (f / "labels.json").unlink(), "not a model folder"),
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "does not exist"),
    "config is text": (lambda f: (f / "config.json").write_text("{oops"), "expected JSON"),
    "config is binary": (lambda f: (f / "config.json").write_bytes(b"\xff\x00"), "config.json"),
    "config is a list": (lambda f: (f / "config.json").write_text("[]"), "format_version"),
    "config of another program": (
        lambda f: (f / "config.json").write_text('{"model_type": "bert"}'),
        "format_version",
    ),
    "labels are a list": (lambda f: (f / "labels.json").write_text("[1]"), "do not fit"),
    "a field is missing": (drop_a_field, "persons"),
    "newer version": (
        lambda f: change_config(f, format_version=FORMAT_VERSION + 1),
        f"format version {FORMAT_VERSION + 1}",
    ),
    "version in words": (lambda f: change_config(f, format_version="new"), "'new'"),
    "another layout": (lambda f: change_config(f, layout="kinect20"), "do not fit"),
    "unknown layout": (lambda f: change_config(f, layout="octopus8"), "octopus8"),
    "unknown aligner field": (lambda f: change_config(f, aligner={"magic": 1}), "magic"),
    "no choice of descriptions": (lambda f: drop_a_field(f, "descriptions"), "descriptions"),
    "descriptions of both ways": (
        lambda f: change_config(f, descriptions={"count": 3, "best": 3}),
        "got both: 3 and 3",
    ),
    "half a description": (lambda f: change_config(f, descriptions={"count": 2.5}), "got 2.5"),
    "a truth for a number": (lambda f: change_config(f, descriptions={"best": True}), "got True"),
    "a temperature in words": (
        lambda f: change_config(f, descriptions={"temperature": "warm"}),
        "got 'warm'",
    ),
    "an unknown kind": (lambda f: change_config(f, descriptions={"granularities": ["x"]}), "'x'"),
    "gamma in words": (lambda f: change_config(f, gamma="much"), "much"),
    "encoder in words": (lambda f: change_config(f, encoder="stgcn"), "do not fit"),
    "about in words": (lambda f: change_config(f, about="me"), "do not fit"),
    "flipped bit": (flip_a_bit, "damaged"),
    "truncated weights": (cut_the_weights, "not a readable safetensors"),
    "empty weights": (lambda f: (f / "model.safetensors").write_bytes(b""), "not a readable"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_folder_is_refused_in_one_sentence_that_names_it(copy, case):
    spoil, word = SPOILT[case]
    spoil(copy)
    with pytest.raises(CheckpointError) as caught:
        ZeroShotModel.from_pretrained(copy)
    message = str(caught.value)
    assert word in message
    assert str(copy) in message


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "model").write_text("not a folder")
    with pytest.raises(CheckpointError, match="not a model folder"):
        ZeroShotModel.from_pretrained(tmp_path / "model")


def test_weights_that_are_no_numbers_reach_no_ranking(model, small_task):
    """NaN in, NaN out: nothing on the way may turn it into a confident score."""
    clips = small_task.clips.keypoints[:2].copy()
    clips[1, 0, 3, 4, 0] = np.nan
    scores = model.scores(model.encode(clips), small_task.text)
    assert torch.isfinite(scores[0]).all()
    assert not torch.isfinite(scores[1]).any()
