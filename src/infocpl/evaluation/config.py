"""Everything that decides an experiment, in one frozen record, and named presets of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from infocpl.errors import ConfigError
from infocpl.training.config import FitConfig
from infocpl.training.stages import AlignmentConfig, EncoderConfig

__all__ = ["SELECTION_RULES", "ExperimentConfig", "create_preset", "list_presets"]

SELECTION_RULES = ("pseudo-unseen", "oracle")


@dataclass(frozen=True)
class ExperimentConfig:
    """How encoders and aligners are trained, selected and calibrated.

    Attributes
    ----------
    frames : frames every clip is resampled to
    encoder, alignment : training of the two stages
    alphas : ridge penalties among which selection chooses
    selection : ``"pseudo-unseen"`` chooses epoch, penalty and gamma on classes held out of the
        seen ones; ``"oracle"`` chooses them on the unseen test clips, as published work does,
        and marks every number it touches
    folds : how many times seen classes are held out, a seed
    """

    frames: int = 50
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    alphas: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    selection: str = "pseudo-unseen"
    folds: int = 3

    def __post_init__(self) -> None:
        if self.selection not in SELECTION_RULES:
            raise ConfigError(
                f"unknown selection rule {self.selection!r}; known: {', '.join(SELECTION_RULES)}"
            )
        if self.folds < 1 or self.frames < 2 or not self.alphas:
            raise ConfigError("folds must be >= 1, frames >= 2, and alphas not empty")


def _fast() -> ExperimentConfig:
    base = ExperimentConfig(folds=1)
    encoder = replace(base.encoder, fit=replace(base.encoder.fit, epochs=12, warmup=1))
    return replace(base, encoder=encoder)


def _tiny() -> ExperimentConfig:
    base = _fast()
    encoder = replace(base.encoder, fit=replace(base.encoder.fit, epochs=2))
    alignment = replace(
        base.alignment, hidden=(32, 16), fit=FitConfig(epochs=4, batch_size=64, lr=1e-3, warmup=1)
    )
    return replace(base, encoder=encoder, alignment=alignment)


_PRESETS = {"default": ExperimentConfig, "fast": _fast, "tiny": _tiny}


def list_presets() -> list[str]:
    """Names that :func:`create_preset` knows, sorted."""
    return sorted(_PRESETS)


def create_preset(name: str) -> ExperimentConfig:
    """Return a preset: ``default``, ``fast`` (the demo's) or ``tiny`` (to try a pipeline out).

    Examples
    --------
    >>> create_preset("fast").folds
    1
    """
    if name not in _PRESETS:
        raise ConfigError(f"unknown preset {name!r}; known: {', '.join(list_presets())}")
    return _PRESETS[name]()
