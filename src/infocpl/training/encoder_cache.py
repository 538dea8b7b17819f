"""Trained encoders that several runs share, so that the same one is never trained twice."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from torch import Tensor

from infocpl.errors import CheckpointError, ConfigError
from infocpl.files import canonical_hash
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.environment import environment
from infocpl.training.feature_cache import FeatureCache

__all__ = ["EncoderCache", "read_finished"]


class EncoderCache:
    """A folder of finished encoders, keyed by everything that decides their weights.

    The key holds the training clips, their labels and class names, the configuration, the seed and
    the layout (the `identity` that :func:`.encoder_stage.train_encoder` computes) and the
    :func:`.environment.environment`: an encoder found here has the bits that training it would
    have given. Several processes may use one folder at once; files are whole or absent, and a
    damaged one counts as absent, with a warning.

    Parameters
    ----------
    folder : made if it is not there

    Attributes
    ----------
    features : cache of the features those encoders gave, in a folder inside

    Raises
    ------
    ConfigError : if `folder` is a file

    Examples
    --------
    >>> import tempfile, torch
    >>> with tempfile.TemporaryDirectory() as place:
    ...     cache = EncoderCache(Path(place))
    ...     cache.keep("identity", {"w": torch.ones(2)}, ["walk"])
    ...     tensors, classes = cache.find("identity")
    ...     tensors["w"].tolist(), classes, cache.find("another identity")
    ([1.0, 1.0], ('walk',), None)
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise ConfigError(f"encoder cache: expected a folder, {self.folder} is a file")
        self.folder.mkdir(parents=True, exist_ok=True)
        self.features = FeatureCache(self.folder / "features")

    def path(self, identity: str) -> Path:
        """Where the encoder with this identity is, or would be, on this machine."""
        key = canonical_hash({"identity": identity, "environment": environment()})
        return self.folder / f"encoder-{key[:32]}.safetensors"

    def find(self, identity: str) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
        """Weights of an encoder and the classes it was trained on, if it is here."""
        return read_finished(self.path(identity))

    def keep(self, identity: str, tensors: dict[str, Tensor], classes: list[str]) -> None:
        """Store the weights of an encoder that was trained on `classes`."""
        meta: dict[str, Any] = {
            "training_classes": classes,
            "identity": identity,
            "environment": environment(),
        }
        save_tensors(self.path(identity), tensors, meta)


def read_finished(path: Path) -> tuple[dict[str, Tensor], tuple[str, ...]] | None:
    """Weights in `path` and the classes they were trained on; None if missing or damaged.

    A finished encoder can be trained again: a damaged one is reported, and not an end.
    """
    if not path.is_file():
        return None
    try:
        tensors, meta = load_tensors(path)
        return tensors, tuple(meta["training_classes"])
    except (CheckpointError, KeyError, TypeError) as error:
        warnings.warn(
            f"the encoder in {path} cannot be used ({error}); it is trained again",
            RuntimeWarning,
            stacklevel=3,
        )
        return None
