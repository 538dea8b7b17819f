"""Models of sentence-transformers in a local folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.text.folders import LOAD_ERRORS, offline_hub, read_json, read_modules
from infocpl.semantics.text.local import LocalEncoder
from infocpl.semantics.text.protocol import MAX_CHARACTERS

__all__ = ["SentenceEncoder"]

_BATCH = 64
_DIM_KEYS = ("word_embedding_dimension", "embedding_dimension")


class SentenceEncoder(LocalEncoder):
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
        path = Path(folder).absolute()
        self._modules, weights = read_modules(path)
        super().__init__(path, weights, name, device)

    @cached_property
    def dim(self) -> int:
        """Length D of a vector; read from the pooling settings where those decide it."""
        kinds = [module["type"].rsplit(".", 1)[-1] for module in self._modules]
        if set(kinds) <= {"Transformer", "Pooling", "Normalize"} and "Pooling" in kinds:
            folder = self.folder / self._modules[kinds.index("Pooling")]["path"]
            dim = _pooled_dim(read_json(folder / "config.json"))
            if dim is not None:
                return dim
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

    def _limits(self) -> tuple[int | None, str]:
        model = self._model
        limit = model.max_seq_length
        if limit is not None and limit > 10 * MAX_CHARACTERS:
            limit = None  # an astronomical number is how tokenizers write "any"
        return limit, str((model.prompts or {}).get(model.default_prompt_name) or "")

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
        prompt = self._limits()[1]
        asked = [prompt + text for text in texts]
        tokens = self._model.tokenizer(asked, truncation=False, verbose=False)["input_ids"]
        return [len(row) for row in tokens]


def _pooled_dim(settings: Any) -> int | None:
    """Length of a vector pooled in one way; several ways side by side are the library's to add."""
    if not isinstance(settings, dict):
        return None
    flags = [key for key, value in settings.items() if key.startswith("pooling_mode_") and value]
    if len(flags) > 1 or not isinstance(settings.get("pooling_mode", ""), str):
        return None
    return next((settings[key] for key in _DIM_KEYS if isinstance(settings.get(key), int)), None)
