"""Model folders: what lies in them, read without running any of it, and what names it exactly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file

__all__ = [
    "LOAD_ERRORS",
    "RUN_ERRORS",
    "check_vocabulary",
    "find_weights",
    "folder_id",
    "hash_weights",
    "offline_hub",
    "read_json",
    "read_modules",
]

LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError)
"""What model libraries raise at files they cannot use."""

RUN_ERRORS = (IndexError, RuntimeError, TypeError, ValueError)
"""What they raise at a text, where files that can be loaded do not fit each other."""

# Read by tokenizers that come without a tokenizer.json.
_VOCABULARIES = (
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
    "vocab.txt",
)
_NESTED = ("Router", "Asym")


def find_weights(folder: Path) -> list[Path]:
    """Weight files of one model: ``model.safetensors``, or the pieces that its index names.

    Raises
    ------
    SemanticsError : if there are none, or some are missing
    """
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        return [single]
    if not index.is_file():
        raise SemanticsError(
            f"{folder}: expected weights in model.safetensors, got none (other weight files can "
            "run code when opened; convert them first)"
        )
    record = read_json(index)
    names = record.get("weight_map") if isinstance(record, dict) else None
    if not isinstance(names, dict) or not names:
        raise SemanticsError(f"{index}: weight_map: expected the files of the weights")
    files = sorted({str(name) for name in names.values()})
    for name in files:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise SemanticsError(f"{index}: expected a .safetensors file beside it, got {name!r}")
        if not (folder / name).is_file():
            raise SemanticsError(f"{folder}: expected weights in {name}, got none")
    return [folder / name for name in files]


def read_modules(folder: Path) -> tuple[list[dict[str, str]], list[Path]]:
    """Parts of a sentence-transformers model, each with ``type`` and ``path``, and their weights.

    Raises
    ------
    SemanticsError : if the list is malformed, names foreign code or places outside the folder, or
        if any part has weights in files that can run code
    """
    path = folder / "modules.json"
    if not path.is_file():
        raise SemanticsError(
            f"{folder}: expected a sentence-transformers folder with modules.json, got none"
        )
    modules = read_json(path)
    if not isinstance(modules, list) or not modules:
        raise SemanticsError(f"{path}: expected a list of modules")
    for position, module in enumerate(modules, start=1):
        _check_module(module, f"{path}, module {position}")
    weights = find_weights(folder / modules[0]["path"])
    if modules[0]["type"].endswith(".Transformer"):
        check_vocabulary(folder / modules[0]["path"])
    for module in modules[1:]:
        weights += _module_weights(folder / module["path"], module["type"])
    return modules, list(dict.fromkeys(weights))


def check_vocabulary(folder: Path) -> None:
    """Refuse a folder without a vocabulary: its tokenizer would take every word for unknown.

    Raises
    ------
    SemanticsError : what was expected
    """
    names = ("tokenizer.json", "vocab.json", *_VOCABULARIES)
    if not any((folder / name).is_file() for name in names):
        raise SemanticsError(
            f"{folder}: expected the tokenizer's vocabulary in tokenizer.json, vocab.txt or "
            "vocab.json, got none"
        )


def _check_module(module: Any, place: str) -> None:
    kind = module.get("type") if isinstance(module, dict) else None
    path = module.get("path") if isinstance(module, dict) else None
    if not isinstance(kind, str) or not isinstance(path, str):
        raise SemanticsError(f"{place}: expected fields type and path")
    # A type is imported by its name; another package's class could run anything.
    if not kind.startswith("sentence_transformers."):
        raise SemanticsError(f"{place}: expected a module of sentence_transformers, got {kind!r}")
    if kind.rsplit(".", 1)[-1] in _NESTED:
        raise SemanticsError(f"{place}: a model with several routes ({kind}) cannot be used")
    if Path(path).is_absolute() or ".." in Path(path).parts:
        raise SemanticsError(f"{place}: expected a path inside the folder, got {path!r}")


def _module_weights(folder: Path, kind: str) -> list[Path]:
    weights = sorted(folder.glob("*.safetensors"))
    pickled = sorted(folder.glob("*.bin"))
    if pickled and not weights:
        raise SemanticsError(
            f"{pickled[0]}: expected the weights of {kind.rsplit('.', 1)[-1]} in "
            "model.safetensors (other weight files can run code when opened; convert them first)"
        )
    return weights


def folder_id(kind: str, folder: Path, weights: Sequence[Path]) -> str:
    """`kind`, first 12 hex digits of the weights' SHA-256, and 8 of the settings'.

    The settings count because tokenizer, pooling and normalisation change the vectors too. Where
    the folder lies does not count, nor what it is called.

    Raises
    ------
    SemanticsError : if a file cannot be read
    """
    try:
        return f"{kind}:{_hash_all(folder, weights)[:12]}:{_hash_settings(folder)[:8]}"
    except OSError as error:
        raise SemanticsError(
            f"{error.filename or folder} cannot be read: {error.strerror or error}"
        ) from error


def _hash_all(folder: Path, weights: Sequence[Path]) -> str:
    digests = [hash_weights(path) for path in weights]
    if len(digests) == 1:
        return digests[0]
    names = [path.relative_to(folder).as_posix() for path in weights]
    lines = [f"{name}\n{digest}\n" for name, digest in zip(names, digests, strict=True)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _hash_settings(folder: Path) -> str:
    settings = hashlib.sha256()
    for path in _settings(folder):
        settings.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        settings.update(path.read_bytes())
    return settings.hexdigest()


def _settings(folder: Path) -> list[Path]:
    files = sorted(folder.rglob("*.json"))
    files += sorted(
        path
        for name in _VOCABULARIES
        for path in folder.rglob(name)
        if not (path.parent / "tokenizer.json").is_file()
    )
    # Version control and download tools keep their own notes in hidden folders.
    return [
        path
        for path in files
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def hash_weights(path: Path) -> str:
    """Hex SHA-256 of a large file, computed once as long as the file does not change."""
    stat = path.stat()
    return _hash(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=32)
def _hash(path: Path, size: int, changed: int) -> str:
    """Size and time of change are part of the key, so edits are noticed."""
    return sha256_file(path)


@contextlib.contextmanager
def offline_hub(*, quiet: bool = False) -> Iterator[None]:
    """Load models with transformers without network and progress bars.

    Parameters
    ----------
    quiet : also without warnings about weights a folder has besides the ones in use
    """
    # The hub client reads this when it is first imported; set later it has no effect, and
    # `local_files_only` of the loaders then still keeps the network out.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from transformers.utils import logging as hub_logging
    except ImportError as error:
        raise SemanticsError(f"text encoders need transformers: {error}") from error
    bars, verbosity = hub_logging.is_progress_bar_enabled(), hub_logging.get_verbosity()
    hub_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if quiet:
        hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        hub_logging.set_verbosity(verbosity)
        if bars:
            hub_logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def read_json(path: Path) -> Any:
    """Content of a JSON file of a model; :class:`SemanticsError` if it is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SemanticsError(f"{path}: expected JSON: {error}") from error
