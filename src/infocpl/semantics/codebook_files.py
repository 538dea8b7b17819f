"""A codebook on disk: vectors in safetensors, texts and a checksum in JSON beside them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save

from infocpl.errors import DataError, LabelError, SemanticsError
from infocpl.files import atomic_folder, read_json, sha256_file, write_json
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.prompts import GRANULARITIES, Description
from infocpl.semantics.traits import TRAIT_DIMENSIONS

__all__ = ["CODEBOOK_FORMAT", "load_codebook", "save_codebook"]

CODEBOOK_FORMAT = "infocpl-codebook/2"
_TENSORS = ("descriptions", "mask", "weights", "motion", "names", "traits", "has_traits")
_FIELDS = ("format", "hash", "sha256", "encoder_id", "lexicon_hash")


def save_codebook(codebook: Codebook, folder: Path, *, overwrite: bool = False) -> None:
    """Write `codebook` to `folder`; see :meth:`Codebook.save`."""
    with atomic_folder(folder, overwrite=overwrite) as temporary:
        tensors = {name: np.ascontiguousarray(getattr(codebook, name)) for name in _TENSORS}
        # save_file would leave the file readable by its owner alone.
        (temporary / "codebook.safetensors").write_bytes(save(tensors))
        classes = [
            {
                "name": name,
                "source": source,
                "motion": motion,
                "rows": [[row.granularity, row.key, row.text, row.source] for row in rows],
            }
            for name, source, motion, rows in zip(
                codebook.labels, codebook.sources, codebook.motion_texts, codebook.rows, strict=True
            )
        ]
        record = {
            "format": CODEBOOK_FORMAT,
            "hash": codebook.hash,
            "sha256": sha256_file(temporary / "codebook.safetensors"),
            "encoder_id": codebook.encoder_id,
            "lexicon_hash": codebook.lexicon_hash,
            "temperature": codebook.temperature,
            "traits": list(TRAIT_DIMENSIONS),
            "classes": classes,
        }
        write_json(temporary / "codebook.json", record)


def load_codebook(folder: Path) -> Codebook:
    """Read a codebook from `folder`; see :meth:`Codebook.load`."""
    path = folder / "codebook.json"
    try:
        record = read_json(path)
    except DataError as error:
        raise SemanticsError(str(error)) from error
    _check_record(record, path)
    tensors = _read_tensors(folder / "codebook.safetensors", record["sha256"])
    classes = record["classes"]
    try:
        codebook = Codebook(
            labels=LabelSet(tuple(item["name"] for item in classes)),
            rows=tuple(tuple(Description(*row) for row in item["rows"]) for item in classes),
            motion_texts=tuple(item["motion"] for item in classes),
            sources=tuple(item["source"] for item in classes),
            encoder_id=record["encoder_id"],
            lexicon_hash=record["lexicon_hash"],
            temperature=record["temperature"],
            **tensors,
        )
    except (SemanticsError, LabelError) as error:
        raise SemanticsError(f"{path}: {error}") from error
    if codebook.hash != record["hash"]:
        raise SemanticsError(f"{path}: expected texts with hash {record['hash']}, got others")
    return codebook


def _read_tensors(path: Path, expected: str) -> dict[str, Any]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SemanticsError(f"{path} cannot be read: {error.strerror}") from error
    got = hashlib.sha256(data).hexdigest()
    if got != expected:
        raise SemanticsError(f"{path} is damaged: expected SHA-256 {expected}, got {got}")
    try:
        tensors = load_tensors(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise SemanticsError(f"{path}: expected safetensors: {error}") from error
    if sorted(tensors) != sorted(_TENSORS):
        raise SemanticsError(f"{path}: expected {', '.join(_TENSORS)}, got {', '.join(tensors)}")
    return tensors


def _check_record(record: Any, path: Path) -> None:
    if not isinstance(record, dict) or record.get("format") != CODEBOOK_FORMAT:
        got = record.get("format") if isinstance(record, dict) else type(record).__name__
        raise SemanticsError(f"{path}: format: expected {CODEBOOK_FORMAT}, got {got!r}")
    for key in _FIELDS:
        if not isinstance(record.get(key), str):
            raise SemanticsError(f"{path}: {key}: expected text, got {record.get(key)!r}")
    temperature = record.get("temperature", "nothing")
    if temperature is not None and not isinstance(temperature, float):
        raise SemanticsError(f"{path}: temperature: expected a number or null, got {temperature!r}")
    if record.get("traits") != list(TRAIT_DIMENSIONS):
        raise SemanticsError(
            f"{path}: traits: expected the {len(TRAIT_DIMENSIONS)} of this version, got others; "
            "build the codebook anew"
        )
    classes = record.get("classes")
    if not isinstance(classes, list) or not classes:
        raise SemanticsError(f"{path}: classes: expected a list of at least one class")
    for number, item in enumerate(classes, start=1):
        if not isinstance(item, dict):
            raise SemanticsError(f"{path}, class {number}: expected fields, got {item!r}")
        for key in ("name", "source", "motion"):
            if not isinstance(item.get(key), str):
                raise SemanticsError(f"{path}, class {number}: {key}: expected text")
        rows = item.get("rows")
        if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
            raise SemanticsError(
                f"{path}, class {number}: rows: expected lists of granularity, key, text, source"
            )


def _is_row(row: Any) -> bool:
    fits = isinstance(row, list) and len(row) == 4 and all(isinstance(item, str) for item in row)
    return fits and row[0] in GRANULARITIES
