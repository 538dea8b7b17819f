"""A trained model on disk, small clips to name, and the command line inside the process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from infocpl.apps.cli import main
from infocpl.evaluation.task_data import text_table
from infocpl.semantics import DescriptionChoice, EmbeddingCache, build_codebook, create_text_encoder
from infocpl.training.pretrained import ZeroShotModel


@pytest.fixture(scope="session")
def model_folder(
    train_small_model: Callable[..., ZeroShotModel],
    small_task,
    text_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A model of eight synthetic actions, with the packaged text encoder and measured traits."""
    encoder = create_text_encoder("minilm")
    # Few kinds of description: embedding all of them would take longer than the training.
    kinds = ("definition", "phase", "objects")
    codebook = build_codebook(
        small_task.split.seen, encoder, granularities=kinds, cache=EmbeddingCache()
    )
    model = train_small_model(
        text_table(codebook),
        measured=True,
        text_encoder="minilm",
        text_encoder_id=encoder.id,
        descriptions=DescriptionChoice(kinds),
    )
    folder = tmp_path_factory.mktemp("model") / "model"
    model.save_pretrained(folder, labels=small_task.split.unseen)
    return folder


@pytest.fixture(scope="session")
def wave(synthetic_files: Path) -> Path:
    """Person 9 waves the left hand."""
    return next(synthetic_files.glob("S001C001P009R001A010.skeleton"))


@pytest.fixture
def moved_encoder_model(model_folder: Path, tmp_path: Path) -> Path:
    """The model, as if its text encoder had lain in a folder that is gone."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    config = json.loads((folder / "config.json").read_text())
    config["text_encoder"] = str(tmp_path / "gone")
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def error_lines(self) -> list[str]:
        return self.err.splitlines()


@pytest.fixture
def infocpl(
    capsys: pytest.CaptureFixture[str], text_cache: Path, one_thread: None
) -> Callable[..., Told]:
    """Run a command in this process; a usage error counts as its exit code."""

    def run(*arguments: object) -> Told:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return Told(code, said.out, said.err)

    return run
