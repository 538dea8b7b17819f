"""Vectors made elsewhere, in a ``.npy`` file, with a file of labels that says what each row is.

A row without a name is worth nothing: published programs read such files by row order alone, and
a label list in another order then gives wrong numbers without a word. Here a row is found by its
text, and a ``.npy`` file without labels is refused.
"""

from __future__ import annotations

import difflib
import tokenize
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.files import atomic_path, canonical_hash, sha256_file, write_json
from infocpl.semantics.labels import label_key
from infocpl.semantics.text.precomputed_labels import find_labels, read_labels
from infocpl.semantics.text.protocol import check_texts, shorten

__all__ = ["PrecomputedEncoder", "save_precomputed"]

_MAX_BYTES = 2**28
_LEAST = 1e-12
_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# What numpy raises at a header that is none; it parses it as Python text.
_HEADER_ERRORS = (
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    OverflowError,
    EOFError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


class PrecomputedEncoder:
    """Looks vectors up by text, in a ``.npy`` file with its labels beside it.

    Texts are compared without regard to case and spacing. Rows are scaled to length one.

    Parameters
    ----------
    path : ``.npy`` file of finite numbers, shape (n, D)
    labels : n texts, one a row (default: ``NAME.labels.json`` or ``NAME.labels.txt`` beside
        ``NAME.npy``); see :mod:`.precomputed_labels` for its form

    Raises
    ------
    SemanticsError : if there are no labels, or the two files do not fit each other or their forms

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "clip.npy"
    ...     save_precomputed(path, ["sit down", "jump"], np.array([[0.0, 2.0], [3.0, 4.0]]))
    ...     PrecomputedEncoder(path).encode(["Jump"]).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """

    def __init__(self, path: str | Path, labels: str | Path | None = None) -> None:
        self.path = Path(path).absolute()
        self.labels_path = find_labels(self.path) if labels is None else Path(labels)
        self._vectors = _read_vectors(self.path)
        self._rows, digest = read_labels(self.labels_path)
        if len(self._rows) != len(self._vectors):
            raise SemanticsError(
                f"{self.labels_path}: expected {len(self._vectors)} rows, as {self.path} has, "
                f"got {len(self._rows)}"
            )
        if digest and digest != self._digest:
            raise SemanticsError(
                f"{self.path}: expected SHA-256 {digest}, as {self.labels_path} says, got "
                f"{self._digest}: the labels belong to other vectors"
            )
        self._positions = {label_key(row.text): i for i, row in enumerate(self._rows)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.path)!r})"

    @cached_property
    def _digest(self) -> str:
        return sha256_file(self.path)

    @cached_property
    def id(self) -> str:
        """``precomputed``, 12 hex digits of the SHA-256 of the vectors, and 8 of the texts'."""
        texts = canonical_hash([row.text for row in self._rows])
        return f"precomputed:{self._digest[:12]}:{texts[:8]}"

    @property
    def dim(self) -> int:
        """Length D of a vector."""
        return int(self._vectors.shape[1])

    def encode(self, texts: list[str]) -> NDArray[np.float32]:
        """Rows (n, D) for n texts, float32, of length one.

        Raises
        ------
        SemanticsError : if a text has no row; nothing is made up for it
        """
        texts = check_texts(texts)
        missing = [text for text in texts if label_key(text) not in self._positions]
        if missing:
            others = f" (nor {len(missing) - 1} other texts)" if len(missing) > 1 else ""
            raise SemanticsError(
                f"{self.labels_path}: expected a row with the text {shorten(missing[0])}{others}, "
                f"got {len(self._rows)} rows without it{self._hint(missing[0])}"
            )
        rows = [self._positions[label_key(text)] for text in texts]
        return self._vectors[np.asarray(rows, dtype=np.intp)]

    def _hint(self, text: str) -> str:
        key = label_key(text)
        named = [row.text for row in self._rows if row.name and label_key(row.name) == key]
        if named:
            return f"; {len(named)} rows have it as a name, with texts such as {shorten(named[0])}"
        near = difflib.get_close_matches(key, list(self._positions)[:2_000], n=1)
        return f"; nearest is {shorten(self._rows[self._positions[near[0]]].text)}" if near else ""


def save_precomputed(path: str | Path, texts: list[str], vectors: NDArray[np.floating]) -> None:
    """Write vectors and their texts so that :class:`PrecomputedEncoder` reads them.

    Parameters
    ----------
    path : ``NAME.npy``; ``NAME.labels.json`` is written beside it, with the hash of the vectors
    texts : n texts, distinct
    vectors : (n, D)

    Raises
    ------
    SemanticsError : if the texts repeat, or do not fit the vectors
    """
    path = Path(path)
    texts, vectors = check_texts(texts), np.asarray(vectors, dtype=np.float32)
    if path.suffix != ".npy":
        raise SemanticsError(f"{path}: expected a file name that ends in .npy")
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise SemanticsError(
            f"{path}: expected finite vectors of shape ({len(texts)}, D), got {vectors.shape}"
        )
    if len({label_key(text) for text in texts}) != len(texts):
        raise SemanticsError(f"{path}: expected distinct texts, got some of them twice")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, vectors, allow_pickle=False)
    write_json(path.with_suffix(".labels.json"), {"sha256": sha256_file(path), "rows": texts})


def _read_vectors(path: Path) -> NDArray[np.float32]:
    """(n, D) float32 of length one; memory is used only after header and size have been checked."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _check_header(file, size, path)
            file.seek(0)
            rows = np.load(file, allow_pickle=False)
    except OSError as error:
        raise SemanticsError(f"{path} cannot be read: {error.strerror or error}") from error
    with np.errstate(invalid="ignore"):  # some NaN are meant to make a noise here
        rows = np.asarray(rows, dtype=np.float64)
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        raise SemanticsError(
            f"{path}, row {int(np.argmin(finite)) + 1}: expected finite numbers, got NaN or "
            "infinity"
        )
    largest = np.abs(rows).max(axis=1, keepdims=True)
    if not (largest > _LEAST).all():
        bad = int(np.argmin(largest))
        raise SemanticsError(
            f"{path}, row {bad + 1}: expected a vector that can be scaled to length one, got "
            f"numbers of at most {largest[bad, 0]:g}"
        )
    rows = rows / largest  # else the square of a huge number would be infinite
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.ascontiguousarray(rows / lengths, dtype=np.float32)


def _check_header(file: IO[bytes], size: int, path: Path) -> None:
    try:
        version = np.lib.format.read_magic(file)
        if version not in _READERS:
            raise SemanticsError(f"{path}: expected .npy version 1 or 2, got {version}")
        shape, _, dtype = _READERS[version](file)
    except _HEADER_ERRORS as error:
        raise SemanticsError(f"{path}: expected a .npy file: {error}") from error
    if dtype.kind != "f" or dtype.itemsize > 8:
        raise SemanticsError(
            f"{path}: expected float16, float32 or float64, got {dtype}"
            f"{' (which could run code when opened)' if dtype.hasobject else ''}"
        )
    if len(shape) != 2 or min(shape) < 1:
        raise SemanticsError(f"{path}: expected shape (n, D), got {shape}")
    expected = file.tell() + shape[0] * shape[1] * dtype.itemsize
    if expected != size:
        raise SemanticsError(
            f"{path}: shape {shape} of {dtype}: expected {expected} bytes, got {size}"
        )
    if expected > _MAX_BYTES:
        raise SemanticsError(f"{path}: expected at most {_MAX_BYTES} bytes, got {expected}")
