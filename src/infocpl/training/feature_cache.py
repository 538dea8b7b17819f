"""Features of clips, and a folder that keeps them so that no clip is encoded twice."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from infocpl.data.loading import ClipRows
from infocpl.errors import CheckpointError
from infocpl.files import canonical_hash
from infocpl.semantics.cache_folder import default_cache_folder
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.environment import environment, is_main_process

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FeatureCache", "encode_clips", "weights_hash"]

_BLOCK = 512  # clips in an entry, and in memory; a multiple of the usual batch


class FeatureCache:
    """Features on disk, keyed by the weights of the encoder and the coordinates of the clips.

    Clips are taken as the encoder meets them, after mapping, normalising and resampling: whatever
    changes a coordinate changes the key, and nothing can be out of date. They are stored in blocks
    of 512: a killed encoding loses one block. Several processes may use one folder; an entry is
    whole or absent, and a damaged one is computed again.

    Parameters
    ----------
    folder : made when something is stored (default: ``features`` in the user's cache folder, which
        INFOCPL_CACHE names)

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.encoders.registry import create_encoder
    >>> module, clips = create_encoder("stgcn-small", "ntu25"), np.ones((2, 1, 8, 25, 3), "f4")
    >>> with tempfile.TemporaryDirectory() as place:
    ...     cache = FeatureCache(Path(place))
    ...     first = encode_clips(module, clips, cache=cache)
    ...     again = encode_clips(module, clips, cache=cache)
    ...     torch.equal(first, again), len(list(Path(place).iterdir()))
    (True, 1)
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_cache_folder() / "features"

    def find(self, key: str, clips: int) -> Tensor | None:
        """The (`clips`, D) features under `key`, or None if missing, damaged or of another form."""
        with contextlib.suppress(CheckpointError):
            tensors, meta = load_tensors(self._path(key))
            features = tensors.get("features")
            if meta.get("key") == key and features is not None and len(features) == clips:
                return features
        return None

    def keep(self, key: str, features: Tensor) -> None:
        """Store features (N, D) under `key`; a folder that cannot be written is only reported."""
        try:
            save_tensors(self._path(key), {"features": features}, {"key": key})
        except OSError as error:
            warnings.warn(
                f"features are not kept: {self.folder} cannot be written ({error.strerror})",
                RuntimeWarning,
                stacklevel=3,
            )

    def _path(self, key: str) -> Path:
        return self.folder / f"features-{key[:40]}.safetensors"


@torch.no_grad()
def encode_clips(
    module: nn.Module,
    clips: NDArray[np.float32] | ClipRows,
    *,
    batch_size: int = 128,
    cache: FeatureCache | None = None,
) -> Tensor:
    """Features of clips, in evaluation mode.

    Parameters
    ----------
    module : encoder, (N, M, T, V, C) -> (N, D)
    clips : (N, M, T, V, C), N >= 1; rows of a mapped array stay on disk but for a block of them
    batch_size : clips encoded at a time
    cache : where features are looked up and kept (default: nowhere)

    Returns
    -------
    (N, D) float32 on the processor; with a cache the same bits as without
    """
    module.eval()
    if cache is None:
        return torch.cat([*_batches(module, clips, batch_size)])
    weights = weights_hash(module)
    parts = []
    size = batch_size * max(1, _BLOCK // batch_size)
    for start in range(0, len(clips), size):
        block = np.ascontiguousarray(clips[start : start + size])
        key = canonical_hash(
            {
                "weights": weights,
                "clips": hashlib.sha256(block.tobytes()).hexdigest(),
                "shape": [str(block.dtype), *block.shape],
                "batch_size": batch_size,
                "environment": environment(),
            }
        )
        found = cache.find(key, len(block))
        if found is None:
            found = torch.cat([*_batches(module, block, batch_size)])
            if is_main_process():
                cache.keep(key, found)
        parts.append(found)
    return torch.cat(parts)


def _batches(
    module: nn.Module, clips: NDArray[np.float32] | ClipRows, batch_size: int
) -> Iterator[Tensor]:
    device = next(module.parameters()).device
    for start in range(0, len(clips), batch_size):
        batch = torch.from_numpy(np.ascontiguousarray(clips[start : start + batch_size]))
        yield module(batch.to(device)).float().cpu()


def weights_hash(module: nn.Module) -> str:
    """SHA-256 of a module's weights, statistics and shape: equal hashes encode equally.

    Examples
    --------
    >>> weights_hash(nn.Linear(2, 2)) == weights_hash(nn.Linear(2, 2))
    False
    """
    digest = hashlib.sha256(f"{type(module).__qualname__}|{getattr(module, 'config', '')}".encode())
    for name, value in module.state_dict().items():
        digest.update(f"|{name}|{value.dtype}|{tuple(value.shape)}|".encode())
        digest.update(value.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
