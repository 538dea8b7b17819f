"""Models of sentence-transformers in a local folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.text.folders import (
    LOAD_ERRORS,
    RUN_ERRORS,
    folder_id,
    offline_hub,
    read_json,
    read_modules,
)
from infocpl.semantics.text.protocol import MAX_CHARACTERS, check_texts
from infocpl.semantics.text.splitting import encode_whole

__all__ = ["SentenceEncoder"]

_BATCH = 64
_DIM_KEYS = ("word_embedding_dimension", "embedding_dimension")


class SentenceEncoder:
    """A sentence-transformers model in a local folder.

    `id` and `dim` are read from the files; the weights are loaded at the first :meth:`encode`.
    Nothing is downloaded, and only safetensors weights are opened.

    Parameters
    ----------
    folder : folder with ``modules.json`` and ``model.safetensors``
    name : how the id begins; the rest of it are hashes of weights and settings
    device : torch device; the processor gives the same vectors on every machine alike

    Raises
    ------
    SemanticsError : if the folder is not such a model
    """

    def __init__(
        self, folder: str | Path, *, name: str = "sentence-transformers", device: str = "cpu"
    ) -> None:
        self.folder = Path(folder).absolute()
        self.device = device
        self._modules, self._weights = read_modules(self.folder)
        self._name = name
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    @cached_property
    def id(self) -> str:
        """Name, first 12 hex digits of the weights' SHA-256, and 8 of the settings'."""
        return folder_id(self._name, self.folder, self._weights)

    @cached_property
    def dim(self) -> int:
        """Length D of a vector; read from the pooling settings where those decide it."""
        kinds = [module["type"].rsplit(".", 1)[-1] for module in self._modules]
        if set(kinds) <= {"Transformer", "Pooling", "Normalize"} and "Pooling" in kinds:
            folder = self.folder / self._modules[kinds.index("Pooling")]["path"]
            settings = read_json(folder / "config.json")
            for key in _DIM_KEYS:
                if isinstance(settings.get(key), int):
                    return int(settings[key])
        return int(self._model.get_embedding_dimension())

    @cached_property
    def _model(self) -> Any:
        with offline_hub():
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise SemanticsError(
                    f"text encoder {self._name!r} needs sentence-transformers: {error}"
                ) from error
            try:
                model = SentenceTransformer(
                    str(self.folder),
                    device=self.device,
                    local_files_only=True,
                    trust_remote_code=False,
                    model_kwargs={"use_safetensors": True},
                )
            except LOAD_ERRORS as error:
                raise SemanticsError(
                    f"{self.folder}: the model cannot be loaded: {error}"
                ) from error
        # Weights kept in half precision are still computed with in single precision.
        return model.float()

    @property
    def _prompt(self) -> str:
        """What the model puts before every text."""
        return str((self._model.prompts or {}).get(self._model.default_prompt_name) or "")

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) for n texts, float32, of length one.

        A text longer than the model reads is not cut off: see :mod:`.splitting`.

        Raises
        ------
        SemanticsError : if a text is empty or has more than 100,000 characters
        """
        texts = check_texts(texts)
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            model = self._model
            limit = model.max_seq_length
            if limit is not None and limit > 10 * MAX_CHARACTERS:
                limit = None
            try:
                return encode_whole(texts, self._encode, self._count, limit, prompt=self._prompt)
            except RUN_ERRORS as error:
                raise SemanticsError(
                    f"{self.folder}: the model fails at a text: {error}"
                ) from error

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        # Sorts by length itself, so that a batch holds little padding.
        rows = self._model.encode(
            texts,
            batch_size=_BATCH,
            show_progress_bar=False,
            convert_to_numpy=True,
            normalize_embeddings=True,
        )
        return np.ascontiguousarray(rows, dtype=np.float32)

    def _count(self, texts: list[str]) -> list[int]:
        asked = [self._prompt + text for text in texts]
        tokens = self._model.tokenizer(asked, truncation=False, verbose=False)["input_ids"]
        return [len(row) for row in tokens]
