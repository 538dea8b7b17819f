"""Frozen training configurations, saved as JSON beside whatever was trained with them."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, TypeVar

from infocpl.errors import ConfigError

__all__ = ["FitConfig", "decisive", "from_dict", "to_dict"]

T = TypeVar("T")


@dataclass(frozen=True)
class FitConfig:
    """How the loop runs, whatever it trains.

    Attributes
    ----------
    epochs : passes over the training clips
    batch_size : clips a step
    lr : peak learning rate
    weight_decay : decoupled (AdamW); 0 gives plain Adam
    warmup : epochs in which the learning rate rises linearly from 0, before a cosine to 0
    precision : ``"fp32"``, ``"bf16"``, or ``"auto"`` (bf16 where the processor multiplies it
        natively, else fp32). On such a CPU, one thread, a step of ``stgcn-small`` took 83 instead
        of 180 ms, ``stgcn`` 222 instead of 411, the small Shift-GCN and CTR-GCN four fifths;
        elsewhere bf16 is emulated and slower. Another precision gives other bits: to repeat a
        training on other machines, name one
    checkpoint_every : epochs between checkpoints; decides what a kill costs, and no number
    """

    epochs: int = 100
    batch_size: int = 128
    lr: float = 1e-5
    weight_decay: float = 0.0
    warmup: float = 15.0
    precision: str = "fp32"
    checkpoint_every: int = 1

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ConfigError(f"lr must be a positive number, got {self.lr}")
        for name in ("weight_decay", "warmup"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"{name} must be a number >= 0, got {value}")
        if self.precision not in ("fp32", "bf16", "auto"):
            raise ConfigError(f"precision must be fp32, bf16 or auto, got {self.precision!r}")

    def rate(self, progress: float) -> float:
        """Learning rate after `progress` epochs (a fraction counts): warm-up, then cosine.

        Examples
        --------
        >>> schedule = FitConfig(epochs=10, lr=1.0, warmup=2)
        >>> [round(schedule.rate(p), 3) for p in (0, 1, 2, 6, 10)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        if progress < self.warmup:
            return self.lr * progress / self.warmup
        span = self.epochs - self.warmup
        # A warm-up as long as the training (or longer) ends at its peak.
        share = min((progress - self.warmup) / span, 1.0) if span > 0 else 0.0
        return self.lr * 0.5 * (1 + math.cos(math.pi * share))


def decisive(config: Any) -> dict[str, Any]:
    """The values of a (nested) configuration that decide what is trained.

    Examples
    --------
    >>> decisive(FitConfig(checkpoint_every=1)) == decisive(FitConfig(checkpoint_every=5))
    True
    """
    plain = to_dict(config)
    if not plain.get("text_weight"):
        plain.pop("text_weight", None)  # an encoder that is not aligned is what it always was
    for part in (plain, plain.get("fit", {})):
        part.pop("checkpoint_every", None)
    return plain


def to_dict(config: Any) -> dict[str, Any]:
    """Return a (nested) configuration dataclass as plain JSON values."""
    return {field.name: _plain(getattr(config, field.name)) for field in dataclasses.fields(config)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return to_dict(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def from_dict(kind: type[T], data: dict[str, Any]) -> T:
    """Rebuild a flat configuration dataclass; unknown fields are refused by name.

    Examples
    --------
    >>> from_dict(FitConfig, to_dict(FitConfig(epochs=3))).epochs
    3
    """
    known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(data) - known)
    if unknown:
        raise ConfigError(
            f"{kind.__name__} has no field {', '.join(unknown)}; fields: {', '.join(sorted(known))}"
        )
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ConfigError(f"{kind.__name__}: {error}") from error
