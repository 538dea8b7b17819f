"""Runs that share encoders: the same numbers as alone, and no way round the split."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from infocpl.data import SplitIndices
from infocpl.errors import SplitLeakageError
from infocpl.evaluation import runs
from infocpl.evaluation.ablation import AblationRow, run_ablation, seen_task
from infocpl.evaluation.experiment import run_experiment
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.encoder_cache import EncoderCache
from infocpl.training.loop import EpochReport


@pytest.fixture
def cache(tmp_path: Path) -> EncoderCache:
    return EncoderCache(tmp_path / "shared")


@pytest.fixture
def trained(monkeypatch) -> list[EpochReport]:
    """Every epoch that an encoder is trained for, from now on."""
    epochs: list[EpochReport] = []
    original = runs.train_encoder

    def watched(*arguments, on_epoch, **options):
        def listen(report: EpochReport) -> None:
            epochs.append(report)
            on_epoch(report)

        return original(*arguments, on_epoch=listen, **options)

    monkeypatch.setattr(runs, "train_encoder", watched)
    return epochs


def test_a_second_run_with_another_alignment_trains_and_encodes_nothing(
    small_task,
    small_config,
    small_runs,
    assert_same_learning,
    cache,
    trained,
    tmp_path,
    monkeypatch,
):
    (first,) = run_experiment(small_task, small_config, (0,), work=tmp_path, cache=cache)
    assert_same_learning(first, small_runs[0])
    assert trained
    trained.clear()
    other = dataclasses.replace(
        small_config, alignment=dataclasses.replace(small_config.alignment, max_k=5)
    )
    (alone,) = run_experiment(small_task, other, (0,))
    assert trained
    trained.clear()
    network = type(first.encoder.module)
    monkeypatch.setattr(network, "forward", lambda self, clips: pytest.fail("a clip is encoded"))
    (second,) = run_experiment(small_task, other, (0,), cache=cache)
    assert trained == []
    assert_same_learning(second, alone)


def test_an_ablation_takes_the_encoders_that_a_run_selected_with(
    small_task, small_config, small_codebook, cache, trained
):
    run_experiment(small_task, small_config, (0,), cache=cache)
    trained.clear()
    indices = SplitIndices(small_task.train, small_task.seen_test, small_task.unseen_test)
    book = small_codebook.subset(small_task.split.seen)
    cut = seen_task(small_task.clips, small_task.split, indices, book)
    rows = (AblationRow("name", DescriptionChoice(("name",), count=1, motion=False)),)
    shared = run_ablation(cut, {"trigrams": book}, small_config, (0,), rows=rows, cache=cache)
    assert trained == []
    assert shared == run_ablation(cut, {"trigrams": book}, small_config, (0,), rows=rows)


def test_a_stored_encoder_that_has_met_an_unseen_class_is_refused(small_task, small_config, cache):
    run_experiment(small_task, small_config, (0,), cache=cache)
    for path in cache.folder.glob("encoder-*.safetensors"):
        tensors, meta = load_tensors(path)
        classes = [*meta["training_classes"], small_task.split.unseen[1]]
        save_tensors(path, tensors, meta | {"training_classes": classes})
    oracle = dataclasses.replace(small_config, selection="oracle")
    with pytest.raises(SplitLeakageError, match=rf"encoder .*: {small_task.split.unseen[1]}$"):
        run_experiment(small_task, oracle, (0,), cache=cache)


def test_a_resumed_run_does_not_encode_again(
    small_task, small_config, small_runs, assert_same_learning, tmp_path, monkeypatch
):
    (first,) = run_experiment(small_task, small_config, (0,), work=tmp_path)
    network = type(first.encoder.module)
    monkeypatch.setattr(network, "forward", lambda self, clips: pytest.fail("a clip is encoded"))
    (second,) = run_experiment(small_task, small_config, (0,), work=tmp_path)
    assert_same_learning(first, small_runs[0])
    assert_same_learning(second, small_runs[0])
