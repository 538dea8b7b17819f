"""Tensors and their description in one safetensors file that is whole or absent."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from infocpl.errors import CheckpointError
from infocpl.files import atomic_path

__all__ = ["FORMAT_VERSION", "load_tensors", "save_tensors"]

FORMAT_VERSION = 1


def save_tensors(path: Path, tensors: dict[str, Tensor], meta: dict[str, Any]) -> None:
    """Write `tensors` and the JSON value `meta` to `path`, atomically and with a content hash.

    Parameters
    ----------
    path : target file
    tensors : names to tensors
    meta : anything JSON can hold

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.safetensors"
    ...     save_tensors(path, {"w": torch.ones(2)}, {"epoch": 3})
    ...     tensors, meta = load_tensors(path)
    >>> tensors["w"].tolist(), meta["epoch"]
    ([1.0, 1.0], 3)
    """
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(meta, sort_keys=True, allow_nan=False)
    header = {
        "format_version": str(FORMAT_VERSION),
        "meta": text,
        "sha256": _digest(ready, text),
    }
    with atomic_path(Path(path)) as temporary:
        # save_file() would make a temporary file of its own, which a killed writer leaves behind.
        temporary.write_bytes(_sorted_header(save(ready, metadata=header)))


def _sorted_header(content: bytes) -> bytes:
    """The same safetensors file with its header in order.

    safetensors writes metadata in an order of chance; equal content shall be equal bytes.
    """
    size = int.from_bytes(content[:8], "little")
    text = json.dumps(json.loads(content[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    # The format wants the data to begin at a multiple of eight bytes.
    header = text.encode() + b" " * (-len(text) % 8)
    return b"".join((len(header).to_bytes(8, "little"), header, memoryview(content)[8 + size :]))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what :func:`save_tensors` wrote.

    Raises
    ------
    CheckpointError : if the file is missing, damaged (safetensors itself notices no flipped
        bit; the hash does), foreign, or of a newer format version
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"{path} does not exist")
    try:
        with safe_open(str(path), framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file: {error}") from error
    version = header.get("format_version", "")
    if not (version.isascii() and version.isdigit()) or "meta" not in header:
        raise CheckpointError(f"{path} was not written by infocpl (no format version in it)")
    if not 1 <= int(version) <= FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {version}; this infocpl reads 1 to {FORMAT_VERSION}"
        )
    if header.get("sha256") != _digest(tensors, header["meta"]):
        raise CheckpointError(f"{path} is damaged: its content does not match its hash")
    meta: dict[str, Any] = json.loads(header["meta"])
    return tensors, meta


def _digest(tensors: dict[str, Tensor], meta: str) -> str:
    digest = hashlib.sha256(meta.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
