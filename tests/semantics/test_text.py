"""The text encoder: real weights, offline, nothing cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file
from infocpl.semantics import (
    TextEncoder,
    create_text_encoder,
    list_text_encoders,
    register_text_encoder,
)
from infocpl.semantics.text import SentenceEncoder

SENTENCES = ["A person waves.", "jump", "Somebody sits down slowly on a wooden chair by the wall."]


@pytest.fixture(scope="module")
def weights() -> Path:
    encoder = create_text_encoder("minilm")
    assert isinstance(encoder, SentenceEncoder)
    return encoder.folder


@pytest.fixture
def model_folder(tmp_path: Path, weights: Path) -> Path:
    """A folder of the same model: links to the files, free to be spoilt."""
    folder = tmp_path / "model"
    for path in weights.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(weights)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    return folder


def replace(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, encoding="utf-8")


def test_rows_are_float32_of_length_one(minilm: TextEncoder) -> None:
    rows = minilm.encode(SENTENCES)
    assert rows.shape == (3, minilm.dim) == (3, 384)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_row_does_not_depend_on_the_other_texts(minilm: TextEncoder) -> None:
    together = minilm.encode(SENTENCES)
    for row, text in zip(together, SENTENCES, strict=True):
        np.testing.assert_allclose(minilm.encode([text])[0], row, atol=1e-5)
    np.testing.assert_allclose(minilm.encode(SENTENCES[::-1])[::-1], together, atol=1e-5)


def test_the_vectors_equal_mean_pooling_done_by_hand(minilm: TextEncoder, weights: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
    model = AutoModel.from_pretrained(weights, local_files_only=True).eval()
    for text, row in zip(SENTENCES, minilm.encode(SENTENCES), strict=True):
        with torch.inference_mode():
            states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        mean = states.mean(dim=0).numpy()
        np.testing.assert_allclose(row, mean / np.linalg.norm(mean), atol=1e-5)


def test_similar_sentences_lie_nearer_than_unrelated_ones(minilm: TextEncoder) -> None:
    wave, greet, chair = minilm.encode(
        ["waving a hand", "greeting with the hand", "a wooden chair"]
    )
    assert wave @ greet > wave @ chair + 0.1


def test_no_text_gives_no_row(minilm: TextEncoder) -> None:
    assert minilm.encode([]).shape == (0, 384)


@pytest.mark.parametrize("text", ["", "  \n", 3], ids=["empty", "blank", "a number"])
def test_a_text_that_is_no_sentence_is_refused(minilm: TextEncoder, text: str) -> None:
    with pytest.raises(SemanticsError, match="text 2: expected a sentence"):
        minilm.encode(["fine", text])


def test_a_text_longer_than_the_model_reads_is_refused_not_cut(minilm: TextEncoder) -> None:
    with pytest.raises(SemanticsError, match=r"'jump jump.*at most 256 tokens .*got 257"):
        minilm.encode(["jump " * 255])


def test_the_longest_text_that_fits_is_read_to_its_end(minilm: TextEncoder) -> None:
    base = "jump " * 253
    one, other = minilm.encode([base + "run", base + "chair"])
    assert np.abs(one - other).max() > 1e-4


def test_the_id_names_package_version_and_weights(minilm: TextEncoder, weights: Path) -> None:
    digest = sha256_file(weights / "model.safetensors")[:12]
    assert minilm.id.startswith(f"all-minilm-l6-v2@0.1.0:{digest}:")
    assert create_text_encoder("minilm").id == minilm.id


def test_a_folder_is_an_encoder_with_the_same_vectors(
    minilm: TextEncoder, model_folder: Path
) -> None:
    encoder = create_text_encoder(model_folder)
    assert encoder.id.split(":")[0] == "model"
    assert encoder.id.split(":")[1] == minilm.id.split(":")[1]
    np.testing.assert_array_equal(encoder.encode(SENTENCES), minilm.encode(SENTENCES))


def test_another_pooling_is_another_id(model_folder: Path) -> None:
    before = SentenceEncoder(model_folder).id
    path = model_folder / "1_Pooling" / "config.json"
    settings = json.loads(path.read_text())
    settings["pooling_mode_mean_tokens"] = False
    settings["pooling_mode_cls_token"] = True
    replace(path, json.dumps(settings))
    assert SentenceEncoder(model_folder).id != before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("[", "expected JSON", id="no JSON"),
        pytest.param("[]", "expected a list of modules", id="no module"),
        pytest.param('[{"type": 1, "path": ""}]', "module 1: expected fields", id="a number"),
        pytest.param(
            '[{"type": "os.system", "path": ""}]',
            "module 1: expected a module of sentence_transformers, got 'os.system'",
            id="a foreign class",
        ),
        pytest.param(
            '[{"type": "sentence_transformers.models.Transformer", "path": "../x"}]',
            "module 1: expected a path inside the folder",
            id="a path outside",
        ),
        pytest.param(
            '[{"type": "sentence_transformers.models.Transformer", "path": "sub"}]',
            "expected weights in model.safetensors, got none",
            id="weights elsewhere",
        ),
    ],
)
def test_a_module_list_that_cannot_be_trusted_is_refused_unopened(
    model_folder: Path, content: str, message: str
) -> None:
    replace(model_folder / "modules.json", content)
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(model_folder)


def test_damaged_weights_are_one_clear_error(model_folder: Path) -> None:
    replace(model_folder / "model.safetensors", "not weights")
    with pytest.raises(SemanticsError, match="the model cannot be loaded"):
        create_text_encoder(model_folder).encode(["jump"])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match=r"with modules\.json, got none"):
        create_text_encoder(tmp_path)


def test_an_unknown_encoder_gets_the_known_ones_listed() -> None:
    with pytest.raises(SemanticsError, match=r"'clip-xxl': expected one of .*minilm"):
        create_text_encoder("clip-xxl")


def test_a_registered_encoder_is_listed_and_created(
    letters: TextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from infocpl.semantics import text

    monkeypatch.setattr(text, "_FACTORIES", dict(text._FACTORIES))
    register_text_encoder("letters", lambda: letters)
    assert "letters" in list_text_encoders()
    assert create_text_encoder("letters") is letters
    with pytest.raises(SemanticsError, match="'letters' is registered already"):
        register_text_encoder("letters", lambda: letters)


def test_importing_and_asking_for_id_and_dim_loads_no_torch() -> None:
    code = (
        "import sys, infocpl.semantics as s\n"
        "e = s.create_text_encoder('minilm'); e.id, e.dim\n"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_encoding_is_silent_and_needs_no_network() -> None:
    code = (
        "import socket\n"
        "def refuse(*a, **k): raise OSError('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import infocpl.semantics as s\n"
        "s.create_text_encoder('minilm').encode(['jump'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == ""
    assert done.stderr == ""
