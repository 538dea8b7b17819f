"""What all text encoders with weights in a local folder have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.text.folders import RUN_ERRORS, folder_id
from infocpl.semantics.text.protocol import check_texts
from infocpl.semantics.text.splitting import encode_whole

__all__ = ["LocalEncoder"]


class LocalEncoder(ABC):
    """A model in a folder: named by its files, loaded at the first :meth:`encode`.

    Parameters
    ----------
    folder : folder of the model
    weights : its weight files
    name : how the id begins; the rest of it are hashes of weights and settings
    device : torch device; the processor gives the same vectors on every machine alike
    """

    def __init__(self, folder: Path, weights: Sequence[Path], name: str, device: str) -> None:
        self.folder = folder
        self.device = device
        self._weights = weights
        self._name = name
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.folder)!r})"

    @cached_property
    def id(self) -> str:
        """Name, first 12 hex digits of the weights' SHA-256, and 8 of the settings'."""
        return folder_id(self._name, self.folder, self._weights)

    @property
    @abstractmethod
    def dim(self) -> int:
        """Length D of a vector."""

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) for n texts, float32, of length one.

        A text longer than the model reads is not cut off: see :mod:`.splitting`.

        Raises
        ------
        SemanticsError : if a text is empty or has more than 100,000 characters, or the model
            cannot be loaded
        """
        texts = check_texts(texts)
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            limit, prompt = self._limits()
            try:
                return encode_whole(texts, self._encode, self._count, limit, prompt=prompt)
            except RUN_ERRORS as error:
                raise SemanticsError(
                    f"{self.folder}: the model fails at a text: {error}"
                ) from error

    @abstractmethod
    def _limits(self) -> tuple[int | None, str]:
        """Most tokens the model reads (None: any number), and what it puts before every text."""

    @abstractmethod
    def _encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) of length one for n texts within the limit."""

    @abstractmethod
    def _count(self, texts: list[str]) -> list[int]:
        """How many tokens each text takes, marks of begin and end and the prompt included."""
