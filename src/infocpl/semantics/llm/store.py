"""Answers kept on disk, so that no question is paid for twice and killed work goes on."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from infocpl.errors import DataError, LanguageModelError
from infocpl.files import canonical_hash, read_json, write_json
from infocpl.semantics.cache_folder import default_cache_folder

__all__ = ["AnswerStore"]

_FORMAT = "infocpl-answer/1"


class AnswerStore:
    """One small JSON file for every answer that was good, named by the hash of its question.

    The question is the endpoint, the model and the whole text that was sent; no key is part of it.
    A file that is damaged, or whose content does not belong to its question, counts as absent.

    Parameters
    ----------
    folder : where (default: ``answers`` in the cache folder of the package)

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = AnswerStore(folder)
    ...     store.put("server model", "question", {"purpose": "Someone does it for fun."})
    ...     store.get("server model", "question"), store.get("server model", "another")
    ({'purpose': 'Someone does it for fun.'}, None)
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_cache_folder() / "answers"

    def get(self, client_id: str, question: str) -> dict[str, Any] | None:
        """The answer to a question, or None."""
        path = self._path(client_id, question)
        if not path.is_file():
            return None
        try:
            record = read_json(path)
        except DataError:
            return None
        fields = record.get("fields") if isinstance(record, dict) else None
        if not isinstance(fields, dict) or record.get("format") != _FORMAT:
            return None
        return fields if record.get("hash") == canonical_hash(fields) else None

    def put(self, client_id: str, question: str, fields: dict[str, Any]) -> None:
        """Keep an answer, whole or not at all.

        Raises
        ------
        LanguageModelError : if the folder cannot be written
        """
        record = {"format": _FORMAT, "model": client_id, "hash": canonical_hash(fields)}
        try:
            write_json(self._path(client_id, question), {**record, "fields": fields})
        except OSError as error:
            raise LanguageModelError(
                f"answers cannot be kept in {self.folder}: {error.strerror}; INFOCPL_CACHE names "
                "another folder for them"
            ) from error

    def _path(self, client_id: str, question: str) -> Path:
        key = hashlib.sha256(f"{client_id}\n{question}".encode()).hexdigest()
        return self.folder / key[:2] / f"{key}.json"
