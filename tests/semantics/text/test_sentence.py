"""Sentence encoders: real weights, offline, nothing cut off."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file
from infocpl.semantics import TextEncoder, create_text_encoder
from infocpl.semantics.text import SentenceEncoder

SENTENCES = ["A person waves.", "jump", "Somebody sits down slowly on a wooden chair by the wall."]


@pytest.fixture(scope="module")
def weights() -> Path:
    encoder = create_text_encoder("minilm")
    assert isinstance(encoder, SentenceEncoder)
    return encoder.folder


@pytest.fixture
def model_folder(weights: Path, copy_of) -> Path:
    """A folder of MiniLM, free to be spoilt."""
    return copy_of(weights, "model")


def count_tokens(encoder: TextEncoder, text: str) -> int:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(encoder.folder, local_files_only=True)
    return len(tokenizer(text, truncation=False)["input_ids"])


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


def test_a_text_longer_than_the_model_reads_is_the_mean_of_its_sentences(
    minilm: TextEncoder,
) -> None:
    first = "The person walks forward slowly, " * 30 + "then stops."
    second = "The right arm waves from side to side, " * 20 + "then hangs down."
    rows = minilm.encode([f"{first} {second}", first, second])
    counts = np.array([count_tokens(minilm, first), count_tokens(minilm, second)])
    assert max(counts) <= 256 < sum(counts) - 2
    mean = counts @ rows[1:].astype(float)
    np.testing.assert_allclose(rows[0], mean / np.linalg.norm(mean), atol=1e-5)


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
    assert encoder.id.split(":")[0] == "sentence-transformers"
    assert encoder.id.split(":")[1:] == minilm.id.split(":")[1:]
    np.testing.assert_array_equal(encoder.encode(SENTENCES), minilm.encode(SENTENCES))


def test_another_pooling_is_another_id(model_folder: Path, put) -> None:
    before = SentenceEncoder(model_folder).id
    path = model_folder / "1_Pooling" / "config.json"
    settings = json.loads(path.read_text())
    settings["pooling_mode_mean_tokens"] = False
    settings["pooling_mode_cls_token"] = True
    put(path, json.dumps(settings))
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
        pytest.param(
            '[{"type": "sentence_transformers.models.Router", "path": ""}]',
            "a model with several routes",
            id="several routes",
        ),
    ],
)
def test_a_module_list_that_cannot_be_trusted_is_refused_unopened(
    model_folder: Path, put, content: str, message: str
) -> None:
    put(model_folder / "modules.json", content)
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(model_folder)


def test_damaged_weights_are_one_clear_error(model_folder: Path, put) -> None:
    put(model_folder / "model.safetensors", "not weights")
    with pytest.raises(SemanticsError, match="the model cannot be loaded"):
        create_text_encoder(model_folder).encode(["jump"])


@pytest.mark.parametrize(
    ("settings", "dim"),
    [
        pytest.param({"pooling_mode_cls_token": True}, 32, id="one way, old settings"),
        pytest.param({"pooling_mode": "max"}, 32, id="one way, new settings"),
        pytest.param(
            {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True},
            64,
            id="two ways, old settings",
        ),
        pytest.param({"pooling_mode": ["cls", "mean"]}, 64, id="two ways, new settings"),
    ],
)
def test_the_length_of_a_vector_is_known_whatever_the_pooling(
    sentence_folder: Path, copy_of, put, settings: dict[str, object], dim: int
) -> None:
    folder = copy_of(sentence_folder)
    key = "embedding_dimension" if "pooling_mode" in settings else "word_embedding_dimension"
    put(folder / "1_Pooling" / "config.json", {key: 32, **settings})
    encoder = SentenceEncoder(folder)
    assert encoder.dim == dim
    assert encoder.encode(["the arm"]).shape == (1, dim)


def test_the_name_of_the_folder_is_no_part_of_the_id(sentence_folder: Path, copy_of) -> None:
    one, other = copy_of(sentence_folder, "one"), copy_of(sentence_folder, "other")
    assert (
        SentenceEncoder(one).id == SentenceEncoder(other).id == SentenceEncoder(sentence_folder).id
    )
    (other / ".cache").mkdir()
    (other / ".cache" / "download.json").write_text("{}")
    assert SentenceEncoder(other).id == SentenceEncoder(one).id


def test_other_weights_are_another_id(tmp_path: Path, sentence_folder: Path, make_sentence_model):
    other = SentenceEncoder(make_sentence_model(tmp_path / "tiny", seed=1))
    ours = SentenceEncoder(sentence_folder)
    assert other.id.split(":")[1] != ours.id.split(":")[1]
    assert other.id.split(":")[2] == ours.id.split(":")[2]


def test_edited_weights_are_noticed_by_a_new_encoder(tmp_path: Path, make_sentence_model) -> None:
    folder = make_sentence_model(tmp_path / "tiny")
    before = SentenceEncoder(folder).id
    make_sentence_model(folder, seed=5)
    assert SentenceEncoder(folder).id != before


def test_another_vocabulary_is_another_id(sentence_folder: Path, copy_of, put) -> None:
    folder = copy_of(sentence_folder)
    lines = (sentence_folder / "vocab.txt").read_text().splitlines()
    put(folder / "vocab.txt", "\n".join([*lines[:-2], lines[-1], lines[-2]]) + "\n")
    assert SentenceEncoder(folder).id != SentenceEncoder(sentence_folder).id


def test_without_a_vocabulary_a_folder_is_refused(sentence_folder: Path, copy_of) -> None:
    folder = copy_of(sentence_folder)
    (folder / "vocab.txt").unlink()
    with pytest.raises(SemanticsError, match=r"vocabulary in tokenizer\.json, vocab\.txt"):
        create_text_encoder(folder)


def test_a_model_of_sixteen_tokens_reads_long_texts_by_sentences(sentence_folder: Path) -> None:
    encoder = SentenceEncoder(sentence_folder)
    assert encoder.dim == 32
    first = "the person raises the arm and the person sits down."
    second = "the person walks slowly!"
    parts = encoder.encode([first, second]).astype(float)
    counts = [count_tokens(encoder, text) for text in (first, second)]
    assert max(counts) <= 16 < sum(counts) - 2
    mean = counts @ parts
    found = encoder.encode(["the arm", f"{first} {second}", "the person"])[1]
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean), atol=1e-5)


def test_the_prompt_of_a_model_takes_part_in_the_limit(sentence_folder: Path, copy_of, put) -> None:
    folder = copy_of(sentence_folder)
    prompts = {"prompts": {"own": "the person and "}, "default_prompt_name": "own"}
    put(folder / "config_sentence_transformers.json", prompts)
    led, plain = SentenceEncoder(folder), SentenceEncoder(sentence_folder)
    assert led.id != plain.id
    short = plain.encode(["the person and sits down"])
    np.testing.assert_allclose(led.encode(["sits down"]), short, atol=1e-5)
    # 14 words fit into 16 tokens, but not behind a prompt of three words.
    text = "the arm and " * 4 + "sits down"
    first = "the arm " * 1 + "and the arm and the arm and the arm"
    assert count_tokens(plain, text) == 16
    parts = led.encode([first, "and sits down"]).astype(float)
    mean = (count_tokens(plain, first) + 3) * parts[0] + (5 + 3) * parts[1]
    np.testing.assert_allclose(led.encode([text])[0], mean / np.linalg.norm(mean), atol=1e-5)


def add_dense(folder: Path, put, *, seed: int, file: str = "model.safetensors") -> None:
    from safetensors.torch import save_file
    from torch import Generator, randn

    generator = Generator().manual_seed(seed)
    settings = {"in_features": 32, "out_features": 8, "bias": True}
    settings["activation_function"] = "torch.nn.modules.linear.Identity"
    put(folder / "2_Dense" / "config.json", settings)
    tensors = {"linear.weight": randn(8, 32, generator=generator), "linear.bias": randn(8)}
    save_file(tensors, folder / "2_Dense" / file, metadata={"format": "pt"})
    modules = json.loads((folder / "modules.json").read_text())
    modules[2] |= {"path": "2_Dense", "type": "sentence_transformers.models.Dense"}
    put(folder / "modules.json", modules)


def test_the_weights_of_later_layers_count_too(sentence_folder: Path, copy_of, put) -> None:
    folders = [copy_of(sentence_folder, str(seed)) for seed in (0, 1)]
    for seed, folder in enumerate(folders):
        add_dense(folder, put, seed=seed)
    one, other = map(SentenceEncoder, folders)
    assert one.dim == other.dim == 8
    assert np.abs(one.encode(["the arm"]) - other.encode(["the arm"])).max() > 1e-3
    assert one.id != other.id


def test_pickled_weights_of_later_layers_are_refused(sentence_folder: Path, copy_of, put) -> None:
    folder = copy_of(sentence_folder)
    add_dense(folder, put, seed=0, file="pytorch_model.bin")
    with pytest.raises(SemanticsError, match=r"pytorch_model\.bin: expected the weights of Dense"):
        create_text_encoder(folder)


def test_weights_in_several_files_are_one_model(sentence_folder: Path, copy_of, put) -> None:
    from safetensors.torch import load_file, save_file

    folder = copy_of(sentence_folder)
    tensors = load_file(sentence_folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    where = {name: f"model-0000{1 + i % 2}-of-00002.safetensors" for i, name in enumerate(names)}
    for file in set(where.values()):
        part = {name: tensors[name] for name in names if where[name] == file}
        save_file(part, folder / file, metadata={"format": "pt"})
    put(folder / "model.safetensors.index.json", {"metadata": {}, "weight_map": where})
    encoder, whole = SentenceEncoder(folder), SentenceEncoder(sentence_folder)
    np.testing.assert_array_equal(encoder.encode(["the arm"]), whole.encode(["the arm"]))
    (folder / where[names[1]]).unlink()
    with pytest.raises(SemanticsError, match="expected weights in model-00002-of-00002"):
        SentenceEncoder(folder)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        pytest.param({"weight_map": {}}, "weight_map: expected the files", id="empty"),
        pytest.param([], "weight_map: expected the files", id="a list"),
        pytest.param({"weight_map": {"a": "../a.safetensors"}}, "beside it", id="outside"),
        pytest.param({"weight_map": {"a": "a.bin"}}, "a .safetensors file", id="a pickle"),
    ],
)
def test_an_index_that_cannot_be_trusted_is_refused(
    sentence_folder: Path, copy_of, put, index, message: str
) -> None:
    folder = copy_of(sentence_folder)
    (folder / "model.safetensors").unlink()
    put(folder / "model.safetensors.index.json", index)
    with pytest.raises(SemanticsError, match=message):
        SentenceEncoder(folder)
