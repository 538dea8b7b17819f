"""Which skeleton encoders there are, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from infocpl.encoders.stgcn import STGCN, STGCNConfig
from infocpl.errors import ConfigError

__all__ = ["create_encoder", "encoder_config", "list_encoders"]

_CONFIGS: dict[str, Callable[[str], STGCNConfig]] = {
    # The paper's network to the letter: one stream, absent persons as zero bodies.
    "stgcn": lambda layout: STGCNConfig(layout=layout),
    # The same network on three stacked streams, absent persons left out.
    "stgcn-mixed": lambda layout: STGCNConfig(
        layout=layout, streams=("joint", "bone", "motion"), skip_absent=True
    ),
    # A quarter of the arithmetic, for demonstrations and tests on two cores.
    "stgcn-small": lambda layout: STGCNConfig(
        layout=layout,
        streams=("joint", "bone", "motion"),
        channels=(32, 32, 64, 64, 128),
        strides=(2, 1, 2, 1, 2),
        dropout=0.25,
        skip_absent=True,
    ),
}


def list_encoders() -> list[str]:
    """Names that :func:`create_encoder` knows, sorted."""
    return sorted(_CONFIGS)


def encoder_config(name: str, layout: str) -> STGCNConfig:
    """Configuration of the encoder called `name` on `layout`.

    Raises
    ------
    ConfigError : if the name is unknown

    Examples
    --------
    >>> encoder_config("stgcn", "ntu25").channels[-1]
    256
    """
    if name not in _CONFIGS:
        raise ConfigError(f"unknown encoder {name!r}; known: {', '.join(list_encoders())}")
    return _CONFIGS[name](layout)


def create_encoder(name: str, layout: str, **changes: Any) -> nn.Module:
    """Create an untrained encoder by name, for clips of `layout`.

    Parameters
    ----------
    name : one of :func:`list_encoders`
    layout : joint layout of the clips
    **changes : fields of the configuration to replace

    Examples
    --------
    >>> create_encoder("stgcn-small", "kinect20").dim
    128
    """
    config = encoder_config(name, layout)
    try:
        values = {**vars(config), **changes}
        return STGCN(STGCNConfig(**values))
    except TypeError as error:
        raise ConfigError(f"encoder {name!r}: {error}") from error
