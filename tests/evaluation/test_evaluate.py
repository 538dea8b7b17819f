"""A saved model measured on a store: the same numbers as in its run, and no leak."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from infocpl.data import Split
from infocpl.errors import DataError, SemanticsError, SplitLeakageError
from infocpl.evaluation.evaluate import describe_for, evaluate_model
from infocpl.semantics import DescriptionChoice, EmbeddingCache, create_text_encoder
from infocpl.semantics.prompts import GRANULARITIES
from infocpl.training.feature_cache import FeatureCache
from infocpl.training.pretrained import ZeroShotModel


@pytest.fixture(scope="module")
def model(train_small_model, small_task) -> ZeroShotModel:
    """A model that says it was trained with the packaged text encoder."""
    return train_small_model(
        small_task.text,
        text_encoder="minilm",
        text_encoder_id=create_text_encoder("minilm").id,
    )


@pytest.fixture(scope="module")
def loaded(trained_run) -> ZeroShotModel:
    return ZeroShotModel.from_pretrained(trained_run.out / "model")


@pytest.fixture(scope="module")
def demo_split(trained_run) -> Split:
    told = json.loads((trained_run.out / "result.json").read_text())["split"]
    family, name = told["id"].split("/")
    return Split("synthetic", family, name, seen=told["seen"], unseen=told["unseen"])


@pytest.mark.integration
def test_a_saved_model_gives_the_numbers_of_its_run(loaded, small_store, demo_split, trained_run):
    found = evaluate_model(loaded, small_store, demo_split)
    told = json.loads((trained_run.out / "result.json").read_text())
    first = told["methods"]["infocpl"]["per_seed"][0]["zsl"]
    assert found["zsl"] == pytest.approx(first)
    assert found["split"]["hash"] == told["split"]["hash"]
    assert found["clips"] == told["protocol"]["unseen_clips"]
    assert found["model"]["training_classes"] == told["split"]["seen"]
    assert found["chance"] == told["chance"]["zsl"]
    weighted = [found["per_class"][name] for name in demo_split.unseen]
    assert np.mean(weighted) == pytest.approx(found["zsl"]["per_class_mean"])
    json.dumps(found, allow_nan=False)


def test_a_model_that_has_seen_an_unseen_class_is_refused(model, small_store, small_task):
    seen = small_task.split.seen
    split = Split("synthetic", "own", "leak", seen=seen[2:], unseen=(*seen[:2],))
    with pytest.raises(SplitLeakageError, match=f"the model was trained .* {seen[0]}, {seen[1]}"):
        evaluate_model(model, small_store, split)


def test_a_store_of_another_dataset_is_refused(model, small_store):
    split = Split("utd-mhad", "own", "x", seen=("bowling",), unseen=("catch",))
    with pytest.raises(DataError, match="utd-mhad"):
        evaluate_model(model, small_store, split)


def test_another_text_encoder_than_in_training_is_refused(model):
    foreign = dataclasses.replace(model, text_encoder_id="minilm of another year")
    with pytest.raises(SemanticsError, match=r"another year.*mean something else"):
        describe_for(foreign, ("walk", "run"))


def test_a_text_encoder_that_has_moved_is_asked_for_and_taken(model, text_cache, tmp_path):
    moved = dataclasses.replace(model, text_encoder=str(tmp_path / "gone"))
    with pytest.raises(SemanticsError, match=r"gone, which cannot be used here .*--text-encoder"):
        describe_for(moved, ("walk", "run"))
    found = describe_for(moved, ("walk", "run"), text_encoder="minilm")
    assert found.hash == describe_for(model, ("walk", "run")).hash


@pytest.mark.parametrize(
    "choice", [{"count": 4}, {"best": 4}, {"temperature": 0.4}, {"motion": False}], ids=str
)
def test_any_labels_are_described_as_the_training_classes_were(model, text_cache, choice):
    """The choice is made among the labels at hand, in whatever order they come."""
    labels = ("wave the left hand", "sit down", "walk forward", "juggling")
    chosen = DescriptionChoice(("definition", "part", "name"), **choice)
    plain = dataclasses.replace(model, descriptions=DescriptionChoice(chosen.granularities))
    picky = dataclasses.replace(model, descriptions=chosen)
    expected = chosen.apply(describe_for(plain, labels))
    found = describe_for(picky, labels)
    assert found.hash == expected.hash != describe_for(plain, labels).hash
    turned = describe_for(picky, labels[::-1])
    assert turned.rows == expected.rows[::-1]
    assert turned.motion_texts == expected.motion_texts[::-1]
    assert turned.temperature == chosen.temperature


def test_a_lone_label_cannot_be_told_apart(model, text_cache):
    picky = dataclasses.replace(model, descriptions=DescriptionChoice(("definition",), best=2))
    with pytest.raises(SemanticsError, match="at least two classes, got 1"):
        describe_for(picky, ("walk",))


def test_progress_is_told_while_sentences_are_embedded(model, text_cache, tmp_path):
    short = dataclasses.replace(model, descriptions=DescriptionChoice(("definition",)))
    cache, steps = EmbeddingCache(tmp_path / "new.sqlite3"), []
    for _ in range(2):
        book = describe_for(
            short,
            ("walk forward", "sit down"),
            cache=cache,
            progress=lambda *step: steps.append(step),
        )
    texts = {row.text for rows in book.rows for row in rows}
    total = len(texts | set(book.motion_texts) | set(book.labels))
    assert steps == [(total, total)]  # the second time everything is known


def test_text_is_composed_of_the_kinds_the_model_was_trained_with(model, text_cache):
    cache = EmbeddingCache()
    assert cache.path.parent == text_cache
    labels = ("wave the left hand", "sit down")
    short = dataclasses.replace(model, descriptions=DescriptionChoice(("definition", "part")))
    rows = describe_for(short, labels, cache=cache).rows
    assert {row.granularity for of_class in rows for row in of_class} == {"definition", "part"}
    every = describe_for(model, labels, cache=cache).rows
    kinds = {row.granularity for of_class in every for row in of_class}
    assert kinds == set(GRANULARITIES) - {"motion"}


def test_the_second_time_no_clip_is_encoded_and_the_numbers_are_the_same(
    loaded, small_store, demo_split, monkeypatch, tmp_path
):
    plain = evaluate_model(loaded, small_store, demo_split)
    kept = FeatureCache(tmp_path / "features")
    assert evaluate_model(loaded, small_store, demo_split, features=kept) == plain
    network = type(loaded.encoder.module)
    monkeypatch.setattr(network, "forward", lambda self, clips: pytest.fail("a clip is encoded"))
    assert evaluate_model(loaded, small_store, demo_split, features=kept) == plain
