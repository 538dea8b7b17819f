"""Which skeleton encoders there are, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from infocpl.encoders.ctrgcn import CTRGCN, CTRGCNConfig
from infocpl.encoders.network import NetworkConfig, SkeletonNetwork
from infocpl.encoders.shift_gcn import ShiftGCN, ShiftGCNConfig
from infocpl.encoders.stgcn import STGCN, STGCNConfig
from infocpl.errors import ConfigError

__all__ = ["create_encoder", "encoder_config", "list_encoders"]

# A config names its family; the family builds the network from it.
_FAMILIES: dict[type[NetworkConfig], Callable[[Any], SkeletonNetwork]] = {
    STGCNConfig: STGCN,
    ShiftGCNConfig: ShiftGCN,
    CTRGCNConfig: CTRGCN,
}

_ALL_STREAMS = ("joint", "bone", "motion")
# A small network, for demonstrations, small data and two cores.
_SMALL: dict[str, Any] = {
    "streams": _ALL_STREAMS,
    "channels": (32, 32, 64, 64, 128),
    "strides": (2, 1, 2, 1, 2),
    "dropout": 0.25,
    "skip_absent": True,
}

_CONFIGS: dict[str, NetworkConfig] = {
    # The paper's network to the letter: one stream, absent persons as zero bodies.
    "stgcn": STGCNConfig(),
    # The same network on three stacked streams, absent persons left out.
    "stgcn-mixed": STGCNConfig(streams=_ALL_STREAMS, skip_absent=True),
    "stgcn-small": STGCNConfig(**_SMALL),
    # One stream of the network whose four-stream features the SynSE protocol uses.
    "shift-gcn": ShiftGCNConfig(),
    "shift-gcn-small": ShiftGCNConfig(**_SMALL),
    "ctrgcn": CTRGCNConfig(),
    "ctrgcn-small": CTRGCNConfig(**_SMALL),
}


def list_encoders() -> list[str]:
    """Names that :func:`create_encoder` knows, sorted."""
    return sorted(_CONFIGS)


def encoder_config(name: str, layout: str) -> NetworkConfig:
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
    return dataclasses.replace(_CONFIGS[name], layout=layout)


def create_encoder(name: str, layout: str, **changes: Any) -> SkeletonNetwork:
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
        config = dataclasses.replace(config, **changes)
        return _FAMILIES[type(config)](config)
    except TypeError as error:
        raise ConfigError(f"encoder {name!r}: {error}") from error
