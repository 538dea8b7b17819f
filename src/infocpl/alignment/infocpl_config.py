"""Shape of InfoCPL: how many heads, how wide, how they are weighed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from infocpl.alignment.fusion import GATES
from infocpl.errors import ConfigError

__all__ = ["InfoCPLConfig", "default_k_series"]


def default_k_series(max_k: int) -> tuple[int, ...]:
    """The paper's series 1, 5, 10, 15, ... of description counts below `max_k`.

    Examples
    --------
    >>> default_k_series(25), len(default_k_series(60))
    ((1, 5, 10, 15, 20), 12)
    """
    if max_k < 1:
        raise ConfigError(f"max_k must be at least 1, got {max_k}")
    return (1, *range(5, max_k, 5))


@dataclass(frozen=True)
class InfoCPLConfig:
    """Shape of the aligner; defaults are the paper's for NTU-60.

    Attributes
    ----------
    visual_dim, text_dim : Dv and Dt
    k_series : descriptions believed by each head; one head each
    hidden : widths of the scorer's two hidden layers
    motion : add the motion description to the mixed semantics
    temperature : divides softplus(score) in the loss
    gate : how heads are weighed: ``"none"`` (equally, as published), or by a learned gate:
        ``"static"``, ``"visual"``, ``"visual+text"``
    fusion : fixed weights of the heads, from :func:`infocpl.alignment.fusion.fit_fusion`
    """

    visual_dim: int
    text_dim: int
    k_series: tuple[int, ...] = default_k_series(60)
    hidden: tuple[int, int] = (1024, 512)
    motion: bool = True
    temperature: float = 1.0
    gate: str = "none"
    fusion: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        self._check_fusion()
        if not self.k_series or min(self.k_series) < 1:
            raise ConfigError(f"k_series needs counts of at least 1, got {self.k_series}")
        if self.temperature <= 0:
            raise ConfigError(f"temperature must be positive, got {self.temperature}")
        if min(self.visual_dim, self.text_dim, *self.hidden) < 1:
            raise ConfigError("visual_dim, text_dim and hidden must all be at least 1")

    def _check_fusion(self) -> None:
        if self.gate not in GATES:
            raise ConfigError(f"unknown gate {self.gate!r}; known: {', '.join(GATES)}")
        if self.fusion is None:
            return
        if self.gate != "none":
            raise ConfigError("heads are weighed by a gate or by fixed fusion weights, not by both")
        good = all(math.isfinite(weight) and weight >= 0 for weight in self.fusion)
        if len(self.fusion) != len(self.k_series) or not good or not any(self.fusion):
            raise ConfigError(
                f"fusion needs {len(self.k_series)} weights of at least 0, not all 0, "
                f"got {self.fusion}"
            )
