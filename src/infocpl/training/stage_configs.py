"""Configurations of the two stages: which encoder is trained and how, and how InfoCPL is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from infocpl.alignment.fusion import GATES
from infocpl.alignment.infocpl_config import default_k_series
from infocpl.encoders.augment import AugmentConfig
from infocpl.errors import ConfigError
from infocpl.training.config import FitConfig
from infocpl.training.tasks import LossSampling

__all__ = ["HEADS", "AlignmentConfig", "EncoderConfig"]

HEADS = ("series", "largest", "smallest")


@dataclass(frozen=True)
class EncoderConfig:
    """Which encoder is trained, and how.

    Attributes
    ----------
    name : one of :func:`infocpl.encoders.registry.list_encoders`
    fit : optimisation
    augment : variation of the training clips
    smoothing : of the labels
    members : encoders trained apart, from seeds of their own, whose features are concatenated
    text_weight : share of a second loss that aligns features with the text of the seen classes
        while the encoder is trained (joint training); 0 trains it on labels alone and freezes it,
        as the paper does
    """

    name: str = "stgcn-small"
    fit: FitConfig = field(
        default_factory=lambda: FitConfig(
            epochs=20, batch_size=32, lr=3e-3, weight_decay=0.02, warmup=4, precision="auto"
        )
    )
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    smoothing: float = 0.1
    members: int = 1
    text_weight: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.text_weight) and self.text_weight >= 0):
            raise ConfigError(f"text_weight must be a number >= 0, got {self.text_weight}")
        if self.members < 1:
            raise ConfigError(f"an encoder needs at least 1 member, got {self.members}")


@dataclass(frozen=True)
class AlignmentConfig:
    """How InfoCPL is shaped and trained.

    Attributes
    ----------
    max_k : upper bound of the k-series 1, 5, 10, ...
    heads : one for each k of the ``"series"``, or a single one: the ``"largest"`` or the
        ``"smallest"`` k of it
    hidden : widths of the scorer
    motion : use the motion description
    standard_features : give every feature zero mean and unit variance on the training clips; the
        paper projects features as they come
    centre_text : remove the mean text of the seen classes
    trait_weight : length of a class's traits beside each of its sentences (of length one), 0 to
        leave traits out as the paper does; needs `centre_text`
    measured_weight : spread of the scores of measured traits (:mod:`infocpl.alignment.measured`) in
        units of the spread of the heads' fused scores, both on training clips; 0 leaves them out as
        the paper does
    gate : how heads are weighed, see :class:`infocpl.alignment.infocpl.InfoCPLConfig`
    start : ``"random"`` weights as in the paper, or ``"matching"``
        (:func:`infocpl.alignment.initialise.start_matching`)
    sampling : negatives, attention inverse, feature noise
    fit : optimisation
    """

    max_k: int = 30
    heads: str = "series"
    hidden: tuple[int, int] = (256, 128)
    motion: bool = True
    standard_features: bool = True
    centre_text: bool = True
    trait_weight: float = 0.7
    measured_weight: float = 2.0
    gate: str = "none"
    start: str = "matching"
    sampling: LossSampling = field(
        default_factory=lambda: LossSampling(inverse_epochs=1, noise=1.0)
    )
    fit: FitConfig = field(
        default_factory=lambda: FitConfig(epochs=6, batch_size=64, lr=3e-4, warmup=1)
    )

    def __post_init__(self) -> None:
        if self.gate not in GATES:
            raise ConfigError(f"unknown gate {self.gate!r}; known: {', '.join(GATES)}")
        if self.heads not in HEADS:
            raise ConfigError(f"heads must be one of {', '.join(HEADS)}, got {self.heads!r}")
        if self.start not in ("random", "matching"):
            raise ConfigError(f"start must be 'random' or 'matching', got {self.start!r}")
        if not (math.isfinite(self.trait_weight) and self.trait_weight >= 0):
            raise ConfigError(f"trait_weight must be a number >= 0, got {self.trait_weight}")
        if not (math.isfinite(self.measured_weight) and self.measured_weight >= 0):
            raise ConfigError(f"measured_weight must be a number >= 0, got {self.measured_weight}")
        if self.trait_weight and not self.centre_text:
            raise ConfigError("trait_weight needs centre_text: traits stand beside centred text")

    def k_series(self, rows: int) -> tuple[int, ...]:
        """Descriptions believed by each head where a class has `rows` at the most.

        Examples
        --------
        >>> AlignmentConfig(max_k=30).k_series(rows=12)
        (1, 5, 10)
        >>> AlignmentConfig(max_k=30, heads="largest").k_series(rows=12)
        (10,)
        """
        series = tuple(k for k in default_k_series(self.max_k) if k <= rows)
        return {"series": series, "largest": series[-1:], "smallest": series[:1]}[self.heads]
