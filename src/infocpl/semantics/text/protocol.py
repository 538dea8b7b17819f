"""What every text encoder promises, and what it may be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError

__all__ = ["MAX_CHARACTERS", "TextEncoder", "check_texts", "shorten"]

MAX_CHARACTERS = 100_000
"""Most characters a text may have; a description has a few hundred."""


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


def check_texts(texts: Sequence[object]) -> list[str]:
    """`texts` as a list, each of them a sentence.

    Raises
    ------
    SemanticsError : which text is empty, too long, or no text at all

    Examples
    --------
    >>> check_texts(["jump", " "])
    Traceback (most recent call last):
    infocpl.errors.SemanticsError: text 2: expected a sentence, got ' '
    """
    checked: list[str] = []
    for position, text in enumerate(texts, start=1):
        if not isinstance(text, str) or not text.strip():
            raise SemanticsError(f"text {position}: expected a sentence, got {text!r}")
        if len(text) > MAX_CHARACTERS:
            raise SemanticsError(
                f"text {position}: expected at most {MAX_CHARACTERS} characters, got {len(text)} "
                f"({shorten(text)})"
            )
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise SemanticsError(
                f"text {position}, character {error.start + 1}: expected Unicode text, got half "
                f"of a surrogate pair ({shorten(text)})"
            ) from None
        checked.append(text)
    return checked


def shorten(text: str) -> str:
    """`text` in quotes, cut to what a message has room for.

    Examples
    --------
    >>> shorten("jump " * 100)
    "'jump jump jump jump jump jump jump jump jump jump jump jump ...'"
    """
    return repr(text if len(text) <= 63 else text[:60] + "...")
