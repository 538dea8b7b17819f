"""Text embeddings kept on disk, so that a text is encoded once per set of weights."""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SemanticsError
from infocpl.semantics.cache_folder import default_cache_folder
from infocpl.semantics.text import TextEncoder
from infocpl.semantics.text.protocol import check_texts

__all__ = ["EmbeddingCache", "cached_encode"]

_APPLICATION_ID = 0x1F0C9101
_VERSION = 1
_CHUNK = 500
_BATCH = 512
_TABLE = """
CREATE TABLE IF NOT EXISTS embeddings (
  encoder TEXT NOT NULL, text_hash BLOB NOT NULL, vector BLOB NOT NULL, digest BLOB NOT NULL,
  PRIMARY KEY (encoder, text_hash)
) WITHOUT ROWID
"""


class EmbeddingCache:
    """An SQLite file of vectors, keyed by encoder id and text.

    Several processes may use one file at once: each call opens its own connection, writes in one
    transaction, and waits for others. A damaged file is set aside and begun anew, with a warning;
    a single damaged vector counts as absent.

    Parameters
    ----------
    path : the file (default: ``embeddings.sqlite3`` in :func:`default_cache_folder`)
    timeout : seconds to wait for another process

    Raises
    ------
    SemanticsError : from any method, if the file cannot be used or belongs to another program

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = EmbeddingCache(Path(folder) / "cache.sqlite3")
    ...     cache.put("encoder", {"jump": np.ones(2, dtype=np.float32)})
    ...     list(cache.get("encoder", ["jump", "run"]))
    ['jump']
    """

    def __init__(self, path: str | Path | None = None, *, timeout: float = 60.0) -> None:
        self.path = (
            Path(path) if path is not None else default_cache_folder() / "embeddings.sqlite3"
        )
        self.timeout = timeout

    def get(self, encoder_id: str, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors (D,) of those among `texts` that are stored."""
        by_hash = {_text_hash(text): text for text in texts}
        found: dict[str, NDArray[np.float32]] = {}
        keys = list(by_hash)
        with self._connect() as connection:
            for first in range(0, len(keys), _CHUNK):
                part = keys[first : first + _CHUNK]
                marks = ",".join("?" * len(part))
                # Only question marks are put into the statement, never a value.
                query = (
                    "SELECT text_hash, vector, digest FROM embeddings "  # noqa: S608
                    f"WHERE encoder = ? AND text_hash IN ({marks})"
                )
                for key, vector, digest in connection.execute(query, (encoder_id, *part)):
                    row = _decode(vector, digest)
                    if row is not None:
                        found[by_hash[key]] = row
        return found

    def put(self, encoder_id: str, rows: Mapping[str, NDArray[np.float32]]) -> None:
        """Store a vector (D,) for each text; all of them or, at a crash, none."""
        values = []
        for text, row in rows.items():
            vector = np.ascontiguousarray(row, dtype="<f4")
            if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
                raise SemanticsError(
                    f"embedding of {text[:60]!r}: expected finite numbers of shape (D,), got "
                    f"shape {vector.shape}"
                )
            data = vector.tobytes()
            values.append((encoder_id, _text_hash(text), data, _digest(data)))
        with self._connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?, ?)", values)
            connection.execute("COMMIT")

    def __len__(self) -> int:
        with self._connect() as connection:
            return int(connection.execute("SELECT COUNT(*) FROM embeddings").fetchone()[0])

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(self._open()) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise SemanticsError(
                f"text cache {self.path} cannot be used: {error}; INFOCPL_CACHE names another "
                "folder for it"
            ) from error
        except sqlite3.DatabaseError as error:
            # Found while reading rows: this call fails, and the next one begins a new file.
            self._set_aside(error)
            raise SemanticsError(
                f"text cache {self.path} was damaged: {error}; try again"
            ) from error
        except OSError as error:
            raise SemanticsError(
                f"text cache {self.path} cannot be used: {error.strerror or error}; INFOCPL_CACHE "
                "names another folder for it"
            ) from error

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self._open_checked()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return self._open_checked()

    def _open_checked(self) -> sqlite3.Connection:
        # No write-ahead log: it needs shared memory, which network folders lack, and the
        # transactions here are short.
        connection = sqlite3.connect(self.path, timeout=self.timeout, isolation_level=None)
        try:
            kind, version = _read_marks(connection)
            if (kind, version) != (_APPLICATION_ID, _VERSION):
                connection.execute("BEGIN IMMEDIATE")
                # Another process may have made the table while this one waited.
                kind, version = _read_marks(connection)
                tables = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
                if kind != _APPLICATION_ID and tables:
                    raise SemanticsError(
                        f"text cache {self.path}: expected a cache of infocpl, got the database "
                        "of another program"
                    )
                if kind == _APPLICATION_ID and version > _VERSION:
                    raise SemanticsError(
                        f"text cache {self.path}: expected version {_VERSION}, got {version}; "
                        "it was written by a newer infocpl"
                    )
                connection.execute(_TABLE)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {_VERSION}")
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_aside(self, error: sqlite3.Error) -> None:
        damaged = self.path.with_name(f"{self.path.name}.damaged-{time.time_ns()}")
        with contextlib.suppress(FileNotFoundError):  # another process was quicker
            self.path.replace(damaged)
            # A rollback journal left over would be played back into the new file.
            journal = self.path.with_name(self.path.name + "-journal")
            journal.unlink(missing_ok=True)
            warnings.warn(
                f"text cache {self.path} is damaged ({error}); it was moved to {damaged.name} "
                "and is begun anew",
                RuntimeWarning,
                stacklevel=2,
            )


def cached_encode(
    encoder: TextEncoder,
    texts: Sequence[str],
    cache: EmbeddingCache | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Vectors (n, D) of n texts; only texts that `cache` lacks are encoded, each once.

    With all texts cached the encoder's weights are never loaded. Texts are encoded in batches, the
    longest first, and each batch is stored at once: whoever stops the work loses one batch.

    Parameters
    ----------
    encoder : text encoder with vectors of length D
    texts : n texts
    cache : where vectors are kept (default: nowhere)
    progress : called after each batch with the number of texts encoded, and of all to encode

    Raises
    ------
    SemanticsError : if a text is empty or too long, the cache cannot be used, or the encoder
        returns anything but finite unit rows of its own length D
    """
    distinct = list(dict.fromkeys(check_texts(texts)))
    known = cache.get(encoder.id, distinct) if cache is not None else {}
    known = {text: row for text, row in known.items() if row.shape == (encoder.dim,)}
    # The longest first: like lengths share a batch, and time left is rather over-estimated.
    missing = sorted((text for text in distinct if text not in known), key=len, reverse=True)
    for first in range(0, len(missing), _BATCH):
        batch = missing[first : first + _BATCH]
        rows = np.asarray(encoder.encode(batch), dtype=np.float32)
        _check_rows(rows, (len(batch), encoder.dim), encoder.id)
        fresh = dict(zip(batch, rows, strict=True))
        if cache is not None:
            cache.put(encoder.id, fresh)
        known |= fresh
        if progress is not None:
            progress(first + len(batch), len(missing))
    if not texts:
        return np.zeros((0, encoder.dim), dtype=np.float32)
    return np.stack([known[text] for text in texts])


def _check_rows(rows: NDArray[np.float32], shape: tuple[int, int], encoder_id: str) -> None:
    if rows.shape != shape:
        raise SemanticsError(f"text encoder {encoder_id}: expected shape {shape}, got {rows.shape}")
    norms = np.linalg.norm(rows, axis=1)
    # A comparison with NaN is false, so this refuses non-finite rows as well.
    if not bool(np.all(np.abs(norms - 1) < 1e-3)):
        raise SemanticsError(f"text encoder {encoder_id}: expected finite rows of length one")


def _read_marks(connection: sqlite3.Connection) -> tuple[int, int]:
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    return int(kind), int(connection.execute("PRAGMA user_version").fetchone()[0])


def _text_hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:8]


def _decode(vector: object, digest: object) -> NDArray[np.float32] | None:
    """The stored vector, or None when its bytes are not the ones that were written."""
    if not isinstance(vector, bytes) or not vector or _digest(vector) != digest:
        return None
    return np.frombuffer(vector, dtype="<f4").astype(np.float32)
