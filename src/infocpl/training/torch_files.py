"""Weights out of files of ``torch.save``, state dict or whole module, without running them.

Since torch 1.6 such a file is a zip archive: a pickle ``data.pkl`` that describes the objects, and
one member with the bytes of each storage. The pickle is followed by
:func:`infocpl.training.torch_pickle.follow_pickle`; tensors are cut out of the storages.
Older files go through ``torch.load(weights_only=True)``, which reads state dicts only.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from infocpl.errors import CheckpointError
from infocpl.training.torch_pickle import MAX_PICKLE_BYTES, Made, Name, Stored, follow_pickle

__all__ = ["read_torch_tensors"]

_MAX_FILE_BYTES = 4 * 1024**3
_MAX_SHARING = 8
_MAX_DEPTH, _MAX_MODULES, _MAX_AXES = 64, 100_000, 8
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}
_PARAMETER = ("_rebuild_parameter", "_rebuild_parameter_with_state")


def read_torch_tensors(path: str | Path) -> dict[str, Tensor]:
    """Tensors of a state dict or of a whole module, named as in its state dict.

    Parameters
    ----------
    path : written by ``torch.save``; a state dict may lie under ``state_dict``,
        ``model_state_dict``, ``model`` or ``net``. The classes of a whole module need not exist

    Raises
    ------
    CheckpointError : if the file is missing, damaged, too large, or holds something else

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     torch.save(torch.nn.Linear(2, 1), Path(folder) / "whole.pt")
    ...     sorted(read_torch_tensors(Path(folder) / "whole.pt"))
    ['bias', 'weight']
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise CheckpointError(f"{path} is not a file")
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise CheckpointError(f"{path} has more than {_MAX_FILE_BYTES:,} bytes")
        if not zipfile.is_zipfile(path):
            return _named(_legacy(path), path)
        with _Archive(path, size) as archive:
            pickle = archive.read("data.pkl", MAX_PICKLE_BYTES)
            found = follow_pickle(pickle, f"{path}, data.pkl")
            return {name: archive.tensor(name, made) for name, made in _entries(found, path)}
    # zipfile: BadZipFile for damage, NotImplementedError and RuntimeError for odd members.
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error


def _legacy(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # on damaged bytes torch raises whatever its reader met
        reason = str(error).split("\n", maxsplit=1)[0][:120]
        raise CheckpointError(
            f"{path} is neither a file of torch.save since torch 1.6 nor an older state dict "
            f"({reason})"
        ) from error


def _named(found: Any, path: Path) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    if not isinstance(found, dict):
        raise CheckpointError(f"{path} holds neither a state dict nor a module")
    tensors = {k: v.detach() for k, v in found.items() if isinstance(v, Tensor)}
    if not tensors:
        raise CheckpointError(f"{path} holds no tensor under a name")
    return {str(name): tensor for name, tensor in tensors.items()}


def _entries(found: Any, path: Path) -> Iterator[tuple[str, Made]]:
    """Name and note of each tensor of a state dict or module."""
    items = _mapping(found)
    for wrapper in _WRAPPERS:
        inner = items.get(wrapper)
        if _module_state(inner) or _mapping(inner):
            found, items = inner, _mapping(inner)
            break
    if _module_state(found):
        entries = list(_walk(found, path))
    else:
        entries = [(name, made) for name, made in items.items() if _is_tensor(made)]
    if not entries:
        raise CheckpointError(f"{path} holds neither a state dict nor a module with weights")
    yield from entries


def _walk(root: Made, path: Path) -> Iterator[tuple[str, Made]]:
    """Parameters and buffers of a module and its children, as a state dict names them."""
    waiting = [("", root, 0)]
    seen = 0
    while waiting:
        prefix, module, depth = waiting.pop()
        seen += 1
        # A module may be its own grandchild in a hostile file.
        if depth > _MAX_DEPTH or seen > _MAX_MODULES:
            raise CheckpointError(f"{path}: modules nested without end")
        state = _module_state(module)
        for kind in ("_parameters", "_buffers"):
            for name, made in _mapping(state.get(kind)).items():
                if _is_tensor(made):
                    yield prefix + name, made
        children = _mapping(state.get("_modules"))
        waiting += [(f"{prefix}{n}.", c, depth + 1) for n, c in children.items() if type(c) is Made]


def _mapping(node: Any) -> dict[str, Any]:
    """Entries of a dict or an OrderedDict; none of anything else."""
    if isinstance(node, Made):
        return node.items
    return node if isinstance(node, dict) else {}


def _module_state(node: Any) -> dict[str, Any]:
    """Attributes of a module; none of anything else."""
    state = node.state if isinstance(node, Made) else None
    return state if isinstance(state, dict) and "_modules" in state else {}


def _is_tensor(node: Any) -> bool:
    return (
        isinstance(node, Made)
        and isinstance(node.what, Name)
        and node.what.module == "torch._utils"
        and node.what.name in ("_rebuild_tensor_v2", *_PARAMETER)
    )


class _Archive:
    """Members of the zip archive, every size checked against the file."""

    def __init__(self, path: Path, size: int) -> None:
        self.path, self.size = path, size
        self._zip = zipfile.ZipFile(path)
        names = [n for n in self._zip.namelist() if n.count("/") == 1 and n.endswith("/data.pkl")]
        if len(names) != 1:
            self._zip.close()
            raise CheckpointError(f"{path} was not written by torch.save: no data.pkl in it")
        self._root = names[0].removesuffix("data.pkl")
        self._storages: dict[str, tuple[torch.dtype, int, bytearray]] = {}
        self._cut = 0

    def __enter__(self) -> _Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, name: str, most: int) -> bytes:
        try:
            info = self._zip.getinfo(self._root + name)
        except KeyError:
            raise CheckpointError(f"{self.path} has no member {name}") from None
        # torch stores members as they are; one that inflates could fill the memory.
        if info.compress_type != zipfile.ZIP_STORED or info.file_size > min(self.size, most):
            raise CheckpointError(f"{self.path}, {name}: compressed, or larger than the file")
        return self._zip.read(info)

    def tensor(self, name: str, made: Made) -> Tensor:
        """Cut a tensor out of its storage.

        Raises
        ------
        CheckpointError : if it reaches beyond its storage, or is of an unusual kind
        """
        while made.what.name in _PARAMETER:
            inner = made.arguments[0] if type(made.arguments) is tuple and made.arguments else None
            if not isinstance(inner, Made) or not _is_tensor(inner):
                raise self.fail(name, "a parameter without a tensor")
            made = inner
        arguments = made.arguments
        if type(arguments) is not tuple or len(arguments) < 4:
            raise self.fail(name, "a tensor without storage, offset, size and stride")
        stored, offset, shape, stride = arguments[:4]
        numbers = (offset, *shape, *stride) if type(shape) is type(stride) is tuple else (None,)
        if not all(type(n) is int and 0 <= n < 2**40 for n in numbers):
            raise self.fail(name, "offset, size or stride that are no counts")
        if len(shape) != len(stride) or len(shape) > _MAX_AXES:
            raise self.fail(name, f"{len(shape)} sizes and {len(stride)} strides")
        dtype, count, content = self.storage(name, stored)
        last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
        elements = math.prod(shape)
        if elements > count or (elements and last >= count):
            raise self.fail(name, f"size {shape} does not fit into a storage of {count}")
        # Tied weights share a storage; a million names for one would fill the memory.
        self._cut += elements * dtype.itemsize
        if self._cut > _MAX_SHARING * self.size:
            raise self.fail(name, f"more than {_MAX_SHARING} times the file's bytes so far")
        if not elements:
            return torch.zeros(shape, dtype=dtype)
        flat = torch.frombuffer(content, dtype=dtype, count=count)
        return flat.as_strided(shape, stride, offset).clone()

    def storage(self, name: str, stored: Any) -> tuple[torch.dtype, int, bytearray]:
        place = stored.place if isinstance(stored, Stored) else None
        if type(place) is not tuple or len(place) != 5 or type(place[2]) is not str:
            raise self.fail(name, "no reference to a storage")
        _, kind, key, _, count = place
        shown = kind.name[:60] if isinstance(kind, Name) else type(kind).__name__
        dtype = _DTYPES.get(shown)
        if dtype is None or type(count) is not int:
            raise self.fail(name, f"a storage of kind {shown}")
        if key not in self._storages:
            content = bytearray(self.read(f"data/{key}", _MAX_FILE_BYTES))
            self._storages[key] = (dtype, count, content)
        known, size, content = self._storages[key]
        if (known, size) != (dtype, count) or not 0 <= count * dtype.itemsize <= len(content):
            raise self.fail(name, f"{count} numbers in a storage of {len(content):,} bytes")
        return known, size, content

    def fail(self, name: str, what: str) -> CheckpointError:
        return CheckpointError(f"{self.path}: tensor {name[:80]!r}: {what}")
