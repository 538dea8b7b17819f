"""Texts longer than a model reads: divided where a reader would pause, and averaged.

Tokenizers cut such texts off without a word. Here a text is divided at the ends of sentences,
then of clauses, then of words, as far as needed; its vector is the mean of the vectors of its
parts, each counted by its tokens, scaled to length one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.text.protocol import shorten

__all__ = ["encode_whole", "split_text"]

_BREAKS = (
    # Sentences. The marks of Chinese and Japanese are not followed by a space.
    re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+"),
    # Clauses.
    re.compile(
        r"(?<=[,;:])\s+|(?<=[，；：、])|\s+(?=[-–—]\s)"
        r"|\s+(?=(?:and|or|but|while|whereas|then|before|after|until|so|because|which)\s)"
    ),
    re.compile(r"\s+"),
)
# Tokens that no character of the text stands for: begin, end, a leading space.
_SPARE = 8


def split_text(text: str, fits: Callable[[str], bool]) -> list[str]:
    """Consecutive parts of `text`, none cut off, each of which `fits`.

    Breaks are taken at the ends of sentences where these suffice, else of clauses, else of words;
    only a single word that is too long by itself is divided inside. White space at breaks is
    dropped, everything else stays in place. Parts are filled from the left.

    Parameters
    ----------
    text : any text
    fits : whether a model reads the given text to its end

    Raises
    ------
    SemanticsError : if not even a single character fits

    Examples
    --------
    >>> split_text("Bend the knees. Jump up, land softly.", lambda part: len(part) <= 16)
    ['Bend the knees.', 'Jump up,', 'land softly.']
    """
    return [text] if fits(text) else list(_parts(text, 0, fits))


def _parts(text: str, level: int, fits: Callable[[str], bool]) -> Iterator[str]:
    if level == len(_BREAKS):
        yield from _halves(text, fits)
        return
    start, end = 0, 0  # of the part that is being filled
    for first, last in _segments(text, _BREAKS[level]):
        if end > start and fits(text[start:last]):
            end = last
            continue
        if end > start:
            yield text[start:end]
        start, end = first, last
        if not fits(text[first:last]):
            yield from _parts(text[first:last], level + 1, fits)
            start = end
    if end > start:
        yield text[start:end]


def _segments(text: str, breaks: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Begin and end of what lies between the breaks, white space at either end left out."""
    begin = 0
    for position, following in [*((m.start(), m.end()) for m in breaks.finditer(text)), (-1, -1)]:
        end = len(text) if position < 0 else position
        piece = text[begin:end]
        if piece.strip():
            first = begin + len(piece) - len(piece.lstrip())
            yield first, first + len(piece.strip())
        begin = following


def _halves(word: str, fits: Callable[[str], bool]) -> Iterator[str]:
    if fits(word):
        yield word
        return
    if len(word) == 1:
        raise SemanticsError(f"the text encoder has no room for the single character {word!r}")
    middle = len(word) // 2
    yield from _halves(word[:middle], fits)
    yield from _halves(word[middle:], fits)


def encode_whole(
    texts: list[str],
    encode: Callable[[list[str]], NDArray[np.float32]],
    count: Callable[[list[str]], Sequence[int]],
    limit: float | None,
    *,
    prompt: str = "",
) -> NDArray[np.float32]:
    """Rows (n, D) of length one for n texts of any length.

    Parameters
    ----------
    texts : n texts
    encode : m texts within the limit to rows (m, D) of length one
    count : how many tokens each of the given texts takes, marks of begin and end included
    limit : most tokens that `encode` reads (None: any number)
    prompt : what `encode` puts before every text

    Raises
    ------
    SemanticsError : if a text cannot be divided so that its parts fit
    """
    groups = [[text] for text in texts]
    if limit is not None:
        # An ASCII character gives one token at most, so that short texts need no counting.
        room = limit - _SPARE - len(prompt)
        doubtful = [i for i, text in enumerate(texts) if not text.isascii() or len(text) > room]
        counts = count([texts[i] for i in doubtful]) if doubtful else []
        for i, tokens in zip(doubtful, counts, strict=True):
            if tokens > limit:
                groups[i] = split_text(texts[i], lambda part: count([part])[0] <= limit)
    flat = [part for group in groups for part in group]
    rows = encode(flat)
    if len(flat) == len(texts):
        return rows
    merged = np.empty((len(texts), rows.shape[1]), dtype=np.float32)
    first = 0
    for i, group in enumerate(groups):
        own = rows[first : first + len(group)]
        first += len(group)
        merged[i] = own[0] if len(group) == 1 else _mean(own, count(group), texts[i])
    return merged


def _mean(rows: NDArray[np.float32], tokens: Sequence[int], text: str) -> NDArray[np.float64]:
    mean = np.average(rows.astype(np.float64), axis=0, weights=np.asarray(tokens, dtype=float))
    length = float(np.linalg.norm(mean))
    if not length > 1e-6:
        raise SemanticsError(f"text {shorten(text)}: the vectors of its parts cancel each other")
    return np.asarray(mean / length)
