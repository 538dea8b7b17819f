"""The text tower of CLIP against the library called by hand; nothing is cut at token 77."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file
from infocpl.semantics.text import ClipEncoder, create_text_encoder

TEXTS = ["jump", "The person raises one arm, then the other.", "umbrella", "sit down and stand up"]


def by_hand(folder: Path, text: str) -> np.ndarray:
    """Vector of one text, padded to the full 77 tokens as CLIP was trained."""
    import torch
    from transformers import CLIPTextModelWithProjection, CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    model = CLIPTextModelWithProjection.from_pretrained(folder, local_files_only=True).eval()
    tokens = tokenizer(text, padding="max_length", max_length=77, return_tensors="pt")
    assert tokens["input_ids"].shape == (1, 77)
    with torch.inference_mode():
        row = model(**tokens).text_embeds[0].numpy().astype(np.float64)
    return row / np.linalg.norm(row)


def test_the_vectors_are_those_of_a_plain_call(clip_folder: Path) -> None:
    rows = ClipEncoder(clip_folder).encode(TEXTS)
    assert rows.dtype == np.float32
    assert rows.shape == (4, 16)
    for text, row in zip(TEXTS, rows, strict=True):
        assert_allclose(row, by_hand(clip_folder, text), atol=1e-5)


def test_a_row_does_not_depend_on_the_other_texts(clip_folder: Path) -> None:
    encoder = ClipEncoder(clip_folder)
    many = [f"{text} {n}" for n in range(40) for text in TEXTS]
    together = encoder.encode(many)
    for position in (0, 63, 64, 159):
        assert_allclose(encoder.encode([many[position]])[0], together[position], atol=1e-5)


def test_of_a_whole_model_the_text_half_is_taken(whole_clip_folder: Path) -> None:
    import torch
    from transformers import CLIPModel, CLIPTokenizer

    encoder = create_text_encoder(whole_clip_folder)
    assert isinstance(encoder, ClipEncoder)
    tokenizer = CLIPTokenizer.from_pretrained(whole_clip_folder, local_files_only=True)
    model = CLIPModel.from_pretrained(whole_clip_folder, local_files_only=True).eval()
    with torch.inference_mode():
        found = model.get_text_features(**tokenizer("jump", return_tensors="pt"))
    row = getattr(found, "pooler_output", found)[0].numpy()
    assert_allclose(encoder.encode(["jump"])[0], row / np.linalg.norm(row), atol=1e-5)


FIRST = "the person raises one arm, bends one knee and looks up. the person sits down."
SECOND = "then the left leg kicks forward, and the right leg kicks backward."
LONG = f"{FIRST} {SECOND}"


def test_a_long_text_is_the_weighted_mean_of_its_parts(clip_folder: Path) -> None:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(clip_folder, local_files_only=True)
    first, second, both = (len(tokenizer(t)["input_ids"]) for t in (FIRST, SECOND, LONG))
    assert max(first, second) <= 77 < both
    mean = first * by_hand(clip_folder, FIRST) + second * by_hand(clip_folder, SECOND)
    expected = mean / np.linalg.norm(mean)
    assert_allclose(ClipEncoder(clip_folder).encode([LONG])[0], expected, atol=1e-5)


def test_the_end_of_a_long_text_counts(clip_folder: Path) -> None:
    encoder = ClipEncoder(clip_folder)
    one, other = encoder.encode([LONG + "the end is up", LONG + "umbrellas fall"])
    assert np.abs(one - other).max() > 1e-3


def test_the_longest_text_that_fits_is_read_in_one_piece(clip_folder: Path) -> None:
    from transformers import CLIPTokenizer

    tokenizer = CLIPTokenizer.from_pretrained(clip_folder, local_files_only=True)
    text = "the " * 74 + "x"
    assert len(tokenizer(text)["input_ids"]) == 77
    encoder = ClipEncoder(clip_folder)
    assert_allclose(encoder.encode([text])[0], by_hand(clip_folder, text), atol=1e-5)
    over = encoder.encode([f"the {text}"])[0]
    assert np.isfinite(over).all()
    assert np.linalg.norm(over) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("text", ["é" * 60, "跳" * 40, "👍" * 30], ids=["accents", "han", "emoji"])
def test_letters_of_several_bytes_are_counted_as_their_tokens(clip_folder: Path, text: str) -> None:
    encoder = ClipEncoder(clip_folder)
    row, other = encoder.encode([text, text + "z"])
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
    assert np.abs(row - other).max() > 1e-5


def test_weights_in_half_precision_give_nearly_the_same(clip_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = {k: v.half() for k, v in load_file(clip_folder / "model.safetensors").items()}
    for path in clip_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    half = ClipEncoder(tmp_path)
    assert half.id != ClipEncoder(clip_folder).id
    assert_allclose(half.encode(TEXTS), ClipEncoder(clip_folder).encode(TEXTS), atol=2e-2)


def test_length_and_identity_come_from_the_files_alone(clip_folder: Path, copy_of) -> None:
    encoder = ClipEncoder(clip_folder)
    assert encoder.dim == 16
    kind, weights, settings = encoder.id.split(":")
    assert (kind, len(settings)) == ("clip", 8)
    assert weights == sha256_file(clip_folder / "model.safetensors")[:12]
    assert ClipEncoder(copy_of(clip_folder, "elsewhere")).id == encoder.id


@pytest.mark.parametrize("name", ["merges.txt", "vocab.json", "config.json"])
def test_another_tokenizer_or_setting_is_another_id(clip_folder: Path, copy_of, put, name) -> None:
    folder = copy_of(clip_folder)
    put(folder / name, (clip_folder / name).read_text() + "\n")
    assert ClipEncoder(folder).id != ClipEncoder(clip_folder).id


def test_another_kind_of_model_is_refused(clip_folder: Path, copy_of, put) -> None:
    folder = copy_of(clip_folder)
    config = json.loads((clip_folder / "config.json").read_text())
    put(folder / "config.json", config | {"model_type": "gpt2"})
    with pytest.raises(SemanticsError, match=r"config\.json: model_type: expected clip .*'gpt2'"):
        ClipEncoder(folder)
    with pytest.raises(SemanticsError, match="got a model of type 'gpt2', which does not say how"):
        create_text_encoder(folder)


def test_pickled_weights_are_refused_unopened(clip_folder: Path, copy_of, put) -> None:
    folder = copy_of(clip_folder)
    (folder / "model.safetensors").unlink()
    put(folder / "pytorch_model.bin", b"cos\nsystem\n(S'touch /tmp/owned'\ntR.")
    with pytest.raises(SemanticsError, match=r"model\.safetensors, got none .*can run code"):
        create_text_encoder(folder)


def test_a_tower_without_projection_is_refused_not_drawn_at_random(
    clip_folder: Path, copy_of
) -> None:
    from safetensors.torch import load_file, save_file

    folder = copy_of(clip_folder)
    tensors = load_file(clip_folder / "model.safetensors")
    del tensors["text_projection.weight"]
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SemanticsError, match=r"got weights without text_projection\.weight"):
        ClipEncoder(folder).encode(["jump"])


def test_missing_weights_are_named_not_drawn_at_random(clip_folder: Path, copy_of) -> None:
    from safetensors.torch import load_file, save_file

    folder = copy_of(clip_folder)
    tensors = load_file(clip_folder / "model.safetensors")
    gone = next(name for name in tensors if "layers.1.mlp.fc1.weight" in name)
    del tensors[gone]
    (folder / "model.safetensors").unlink()
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(SemanticsError, match=r"none for .*fc1\.weight \(1 missing\)"):
        ClipEncoder(folder).encode(["jump"])


def test_damaged_weights_are_one_clear_error(clip_folder: Path, copy_of, put) -> None:
    folder = copy_of(clip_folder)
    put(folder / "model.safetensors", "not weights")
    with pytest.raises(SemanticsError, match=r"model\.safetensors: expected safetensors"):
        _ = ClipEncoder(folder).dim


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        pytest.param(("vocab.json", "merges.txt"), "vocabulary in tokenizer.json", id="both"),
        pytest.param(("merges.txt",), "the model cannot be loaded", id="merges"),
        pytest.param(("vocab.json",), "the model cannot be loaded", id="vocabulary"),
    ],
)
def test_without_its_vocabulary_a_model_knows_no_word_and_is_refused(
    clip_folder: Path, copy_of, gone: tuple[str, ...], message: str
) -> None:
    folder = copy_of(clip_folder)
    for name in gone:
        (folder / name).unlink()
    with pytest.raises(SemanticsError, match=message):
        ClipEncoder(folder).encode(["jump"])


def test_a_tokenizer_of_another_model_is_one_clear_error(clip_folder: Path, copy_of, put) -> None:
    folder = copy_of(clip_folder)
    words = json.loads((clip_folder / "vocab.json").read_text())
    put(folder / "vocab.json", {word: 7 * number for word, number in words.items()})
    with pytest.raises(SemanticsError, match="the model fails at a text"):
        ClipEncoder(folder).encode(["jump"])
