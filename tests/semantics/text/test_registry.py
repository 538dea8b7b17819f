"""Text encoders by name, folder and file; a model's own one is found again or asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics import (
    TextEncoder,
    create_text_encoder,
    list_text_encoders,
    register_text_encoder,
)
from infocpl.semantics.text import (
    ClipEncoder,
    PrecomputedEncoder,
    SentenceEncoder,
    locate_text_encoder,
    registry,
    restore_text_encoder,
    save_precomputed,
)
from infocpl.semantics.text.protocol import check_texts


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    save_precomputed(tmp_path / "own.npy", ["jump", "run"], np.eye(2))
    return tmp_path / "own.npy"


def test_each_source_gives_its_kind_of_encoder(
    sentence_folder: Path, clip_folder: Path, vectors: Path
) -> None:
    kinds = {
        "minilm": SentenceEncoder,
        str(sentence_folder): SentenceEncoder,
        str(clip_folder): ClipEncoder,
        str(vectors): PrecomputedEncoder,
    }
    for source, kind in kinds.items():
        encoder = create_text_encoder(source)
        assert type(encoder) is kind
        assert isinstance(encoder, TextEncoder)
        assert repr(encoder).startswith(kind.__name__)
        if source != "minilm":
            assert create_text_encoder(Path(source)).id == encoder.id


def test_every_kind_refuses_a_text_that_is_no_sentence(
    minilm: TextEncoder, sentence_folder: Path, clip_folder: Path, vectors: Path
) -> None:
    for encoder in (minilm, *map(create_text_encoder, (sentence_folder, clip_folder, vectors))):
        assert encoder.encode([]).shape == (0, encoder.dim)
        for bad, message in (
            ("", "text 2: expected a sentence, got ''"),
            ("\ud800", "text 2, character 1: expected Unicode text"),
            ("jump " * 20_001, r"text 2: expected at most 100000 characters, got 100005 \('jump"),
        ):
            with pytest.raises(SemanticsError, match=message):
                encoder.encode(["jump", bad])


def test_texts_are_checked_and_kept_as_they_are() -> None:
    assert check_texts(("a", " b ")) == ["a", " b "]
    with pytest.raises(SemanticsError, match="text 1: expected a sentence, got 3"):
        check_texts([3])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match=r"modules\.json, or a CLIP model .*got neither"):
        create_text_encoder(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(SemanticsError, match="a model of type None"):
        create_text_encoder(tmp_path)
    with pytest.raises(SemanticsError, match=r"with modules\.json, got none"):
        SentenceEncoder(tmp_path)


def test_an_unknown_encoder_gets_the_known_ones_listed() -> None:
    with pytest.raises(
        SemanticsError, match=r"'clip-xxl': expected one of minilm, mpnet, a folder"
    ):
        create_text_encoder("clip-xxl")


def test_a_registered_encoder_is_listed_and_created(
    letters: TextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_FACTORIES", dict(registry._FACTORIES))
    register_text_encoder("letters", lambda: letters)
    assert "letters" in list_text_encoders()
    assert create_text_encoder("letters") is letters
    assert locate_text_encoder("letters") == "letters"
    with pytest.raises(SemanticsError, match="'letters' is registered already"):
        register_text_encoder("letters", lambda: letters)


def test_what_is_written_down_is_found_from_another_folder(
    sentence_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(sentence_folder.parent)
    encoder = create_text_encoder("tiny")
    written = locate_text_encoder("tiny")
    monkeypatch.chdir(tmp_path)
    assert restore_text_encoder(written, encoder.id).id == encoder.id
    assert locate_text_encoder("minilm") == "minilm"


def test_a_moved_folder_is_asked_for_and_taken(sentence_folder: Path, copy_of) -> None:
    known = create_text_encoder(sentence_folder).id
    gone = str(sentence_folder.parent / "gone")
    with pytest.raises(
        SemanticsError, match=f"{known} from {gone}, .*pass that place .*--text-enc"
    ):
        restore_text_encoder(gone, known)
    moved = copy_of(sentence_folder, "renamed")
    assert restore_text_encoder(gone, known, given=moved).id == known


def test_other_weights_in_the_same_place_are_refused(
    sentence_folder: Path, tmp_path: Path, make_sentence_model
) -> None:
    known = create_text_encoder(sentence_folder).id
    other = make_sentence_model(tmp_path / "tiny", seed=9)
    for source, given in ((other, None), (sentence_folder, other)):
        with pytest.raises(SemanticsError, match=f"{known}; the one here .*mean something else"):
            restore_text_encoder(str(source), known, given=given)
    with pytest.raises(SemanticsError, match="unknown text encoder 'nowhere'"):
        restore_text_encoder(str(sentence_folder), known, given="nowhere")


def test_a_copy_of_a_named_model_is_the_same_encoder(minilm: TextEncoder, copy_of) -> None:
    copy = copy_of(minilm.folder)
    assert create_text_encoder(copy).id != minilm.id
    assert restore_text_encoder(str(copy), minilm.id).encode(["jump"]).shape == (1, 384)
    assert restore_text_encoder("minilm", create_text_encoder(copy).id).id == minilm.id
    with pytest.raises(SemanticsError, match="mean something else"):
        restore_text_encoder("minilm", "minilm of another year")


def test_importing_and_asking_for_id_and_dim_loads_no_torch(clip_folder: Path) -> None:
    code = (
        "import sys, infocpl.semantics as s\n"
        "for source in ('minilm', sys.argv[1]):\n"
        "    e = s.create_text_encoder(source); e.id, e.dim\n"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(clip_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_encoding_is_silent_and_needs_no_network(whole_clip_folder: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise OSError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import infocpl.semantics as s\n"
        "for source in ('minilm', sys.argv[1]):\n"
        "    s.create_text_encoder(source).encode(['jump'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-c", code, str(whole_clip_folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
