"""Small models with random weights, written the way real ones are, so that loading is real."""

from __future__ import annotations

import json
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_LETTERS = string.ascii_lowercase + string.digits + ".,;:!?'-"
_WORDS = ("the", "person", "jumps", "walks", "slowly", "arm", "raises", "sits", "down", "and")


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_sentence_model(folder: Path, *, limit: int = 16, seed: int = 0) -> Path:
    """A sentence-transformers folder: BERT of one layer, mean pooling, 32 numbers a text."""
    import torch
    from transformers import BertConfig, BertModel

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *_WORDS]
    words += [f"##{letter}" for letter in _LETTERS]
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "BertTokenizer", "model_max_length": limit},
    )
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": limit})
    write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True},
    )
    prefix = "sentence_transformers.models"
    parts = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"{prefix}.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    write_json(folder / "modules.json", modules)
    return folder


def _byte_letters() -> list[str]:
    """The letters that byte-level tokenizers write the 256 bytes with."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {byte: chr(byte) for byte in printable}
    letters |= {byte: chr(256 + n) for n, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


_MERGES = (("t", "h"), ("th", "e</w>"), ("a", "n"), ("an", "d</w>"), ("u", "m"), ("j", "um"))
CLIP_LIMIT = 77


def write_clip_tokenizer(folder: Path) -> dict[str, int]:
    """vocab.json, merges.txt and settings of a CLIP tokenizer with six merges."""
    letters = _byte_letters()
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, _MERGES)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    write_json(folder / "vocab.json", vocabulary)
    merges = ["#version: 0.2", *map(" ".join, _MERGES)]
    (folder / "merges.txt").write_text("\n".join(merges) + "\n", encoding="utf-8")
    marks = dict.fromkeys(("eos_token", "unk_token", "pad_token"), "<|endoftext|>")
    settings = {"tokenizer_class": "CLIPTokenizer", "model_max_length": CLIP_LIMIT, **marks}
    write_json(folder / "tokenizer_config.json", settings | {"bos_token": "<|startoftext|>"})
    return vocabulary


def clip_text_settings(vocabulary: dict[str, int]) -> dict[str, Any]:
    return {
        "vocab_size": len(vocabulary),
        "hidden_size": 32,
        "intermediate_size": 40,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": CLIP_LIMIT,
        "projection_dim": 16,
        "bos_token_id": vocabulary["<|startoftext|>"],
        "eos_token_id": vocabulary["<|endoftext|>"],
        "pad_token_id": vocabulary["<|endoftext|>"],
    }


@pytest.fixture(scope="session")
def sentence_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers model that reads 16 tokens; not to be changed."""
    return write_sentence_model(tmp_path_factory.mktemp("sentence") / "tiny")


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The text tower of a CLIP model; not to be changed."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    folder = tmp_path_factory.mktemp("clip") / "tower"
    settings = clip_text_settings(write_clip_tokenizer(folder))
    torch.manual_seed(1)
    CLIPTextModelWithProjection(CLIPTextConfig(**settings)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def whole_clip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP model with both halves; not to be changed."""
    import torch
    from transformers import CLIPConfig, CLIPModel

    folder = tmp_path_factory.mktemp("clip") / "whole"
    text = clip_text_settings(write_clip_tokenizer(folder))
    vision = {"hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 1}
    vision |= {"num_attention_heads": 4, "image_size": 16, "patch_size": 8}
    torch.manual_seed(2)
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)
    CLIPModel(config).save_pretrained(folder)
    return folder


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Path], Path]:
    """Make a folder of links to the files of a model, free to be spoilt."""

    def copy(source: Path, name: str = "copy") -> Path:
        for path in source.rglob("*"):
            if path.is_file():
                link = tmp_path / name / path.relative_to(source)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
        return tmp_path / name

    return copy


@pytest.fixture(scope="session")
def put() -> Callable[[Path, Any], None]:
    """Write a file, text, bytes or JSON, in the place of a link."""

    def write(path: Path, content: Any) -> None:
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


@pytest.fixture(scope="session")
def make_sentence_model() -> Callable[..., Path]:
    return write_sentence_model
