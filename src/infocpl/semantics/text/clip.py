"""The text tower of CLIP, through transformers, from a local folder."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from infocpl.errors import SemanticsError
from infocpl.semantics.text.folders import (
    LOAD_ERRORS,
    check_vocabulary,
    find_weights,
    offline_hub,
    read_json,
)
from infocpl.semantics.text.local import LocalEncoder

__all__ = ["CLIP_TYPES", "ClipEncoder"]

CLIP_TYPES = ("clip", "clip_text_model")
"""Values of ``model_type`` in the config.json of a folder that :class:`ClipEncoder` reads."""

_BATCH = 64
_PROJECTION = "text_projection.weight"


class ClipEncoder(LocalEncoder):
    """Text tower of CLIP with its projection (``CLIPTextModelWithProjection``).

    Reads the folder of a whole CLIP model (its image half is left alone) or of the text tower
    saved by itself. `id` and `dim` are read from the files; the weights are loaded at the first
    :meth:`encode`. Nothing is downloaded, and only safetensors weights are opened.

    CLIP reads 77 tokens (about 55 words). A longer text is not cut off: see :mod:`.splitting`.

    Parameters
    ----------
    folder : folder with ``config.json``, ``model.safetensors`` and the tokenizer's files
    name : how the id begins; the rest of it are hashes of weights and settings
    device : torch device; the processor gives the same vectors on every machine alike

    Raises
    ------
    SemanticsError : if the folder is not such a model
    """

    def __init__(self, folder: str | Path, *, name: str = "clip", device: str = "cpu") -> None:
        path = Path(folder).absolute()
        config = read_json(path / "config.json")
        kind = config.get("model_type") if isinstance(config, dict) else None
        if kind not in CLIP_TYPES:
            raise SemanticsError(
                f"{path / 'config.json'}: model_type: expected {' or '.join(CLIP_TYPES)}, "
                f"got {kind!r}"
            )
        check_vocabulary(path)
        super().__init__(path, find_weights(path), name, device)

    @cached_property
    def dim(self) -> int:
        """Length D of a vector: the rows of the text projection, read from the weights."""
        for path in self._weights:
            try:
                with safe_open(str(path), framework="np") as tensors:
                    if _PROJECTION in tensors.keys():  # noqa: SIM118 - it is no mapping
                        return int(tensors.get_slice(_PROJECTION).get_shape()[0])
            except (OSError, SafetensorError) as error:
                raise SemanticsError(f"{path}: expected safetensors: {error}") from error
        raise SemanticsError(
            f"{self.folder}: expected a CLIP text tower with its projection, got weights without "
            f"{_PROJECTION}"
        )

    @cached_property
    def _tower(self) -> tuple[Any, Any, int]:
        """Tokenizer, model, and the most tokens they read."""
        _ = self.dim  # Without a projection the library would draw one at random.
        # Quiet, because of the weights of the image half, which are none of ours.
        with offline_hub(quiet=True):
            from transformers import AutoTokenizer, CLIPTextModelWithProjection

            try:
                tokenizer = AutoTokenizer.from_pretrained(
                    str(self.folder), local_files_only=True, trust_remote_code=False
                )
                loaded: Any = CLIPTextModelWithProjection.from_pretrained(
                    str(self.folder),
                    local_files_only=True,
                    use_safetensors=True,
                    output_loading_info=True,
                )
            except LOAD_ERRORS as error:
                raise SemanticsError(
                    f"{self.folder}: the model cannot be loaded: {error}"
                ) from error
        model, info = loaded
        if missing := sorted(info["missing_keys"]):
            raise SemanticsError(
                f"{self.folder}: expected all weights of a CLIP text tower, got none for "
                f"{missing[0]} ({len(missing)} missing)"
            )
        limit = min(model.config.max_position_embeddings, tokenizer.model_max_length)
        # Weights kept in half precision are still computed with in single precision.
        return tokenizer, model.float().eval().to(self.device), int(limit)

    def _limits(self) -> tuple[int, str]:
        return self._tower[2], ""

    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        tokenizer, model, _ = self._tower
        rows = np.empty((len(texts), self.dim), dtype=np.float32)
        # Neighbours of like length, so that a batch holds little padding.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            tokens = tokenizer([texts[i] for i in batch], padding=True, return_tensors="pt")
            with torch.inference_mode():
                vectors = model(**tokens.to(self.device)).text_embeds
                rows[batch] = torch.nn.functional.normalize(vectors, dim=-1).cpu().numpy()
        return rows

    def _count(self, texts: list[str]) -> list[int]:
        tokens = self._tower[0](texts, truncation=False, verbose=False)["input_ids"]
        return [len(row) for row in tokens]
