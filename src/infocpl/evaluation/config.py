"""Everything that decides an experiment, in one frozen record, and named presets of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from infocpl.data.feature_store import PreparedFeatures
from infocpl.encoders.augment import AugmentConfig
from infocpl.errors import ConfigError
from infocpl.evaluation.choosing import candidates_of, check_candidates, further_rows
from infocpl.evaluation.task_data import TaskData
from infocpl.evaluation.variants import CHOSEN, MEASURES_ONLY, check_variants, list_methods
from infocpl.training.config import FitConfig
from infocpl.training.stages import AlignmentConfig, EncoderConfig
from infocpl.training.tasks import LossSampling

__all__ = [
    "SELECTION_RULES",
    "ExperimentConfig",
    "create_preset",
    "list_presets",
    "with_measured_baseline",
]

SELECTION_RULES = ("pseudo-unseen", "oracle")


@dataclass(frozen=True)
class ExperimentConfig:
    """How encoders and aligners are trained, selected and calibrated.

    Attributes
    ----------
    frames : frames every clip is resampled to
    encoder, alignment : training of the two stages
    alphas : ridge penalties among which selection chooses
    measured_weights : of measured traits, among which selection chooses for methods that use them
    selection : ``"pseudo-unseen"`` chooses epoch, penalty and gamma on classes held out of the
        seen ones; ``"oracle"`` chooses them on the unseen test clips, as published work does,
        and marks every number it touches
    folds : how many times seen classes are held out, a seed
    variants : further rows beside InfoCPL, names of :data:`.variants.VARIANTS`
    choose : names of :data:`.choosing.CANDIDATES` among which, and InfoCPL, folds choose once a
        seed, for a row of its own; None for no such row
    transductive : tell for every method, in a row of its own, what refining its scores on the
        unlabelled unseen clips together gives (:mod:`.transductive`)
    with_oracle : tell for every method, beside its honest number and never in its place, what
        choosing on the unseen test clips would have shown
    """

    frames: int = 50
    encoder: EncoderConfig = field(default_factory=lambda: EncoderConfig(members=2))
    alignment: AlignmentConfig = field(default_factory=AlignmentConfig)
    alphas: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
    measured_weights: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
    selection: str = "pseudo-unseen"
    folds: int = 3
    variants: tuple[str, ...] = ()
    with_oracle: bool = False
    transductive: bool = False
    choose: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.selection not in SELECTION_RULES:
            raise ConfigError(
                f"unknown selection rule {self.selection!r}; known: {', '.join(SELECTION_RULES)}"
            )
        if self.folds < 1 or self.frames < 2 or not self.alphas:
            raise ConfigError("folds must be >= 1, frames >= 2, and alphas not empty")
        if not self.measured_weights or not all(
            math.isfinite(weight) and weight >= 0 for weight in self.measured_weights
        ):
            raise ConfigError("measured_weights must be numbers >= 0, at least one")
        check_variants(self.variants, self.alignment, self.selection)
        check_candidates(self.choose, self.alignment, self.selection)

    @property
    def methods(self) -> tuple[str, ...]:
        """Everything that is trained, in the order of the tables."""
        return list_methods(further_rows(self.variants, self.choose or ()))

    @property
    def rows(self) -> tuple[str, ...]:
        """Rows of the tables: the methods, and the one that folds choose among them."""
        return self.methods if self.choose is None else (*self.methods, CHOSEN)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Methods among which folds choose; none without a row for it."""
        return () if self.choose is None else candidates_of(self.choose)


def with_measured_baseline(config: ExperimentConfig, task: TaskData) -> ExperimentConfig:
    """The experiment with measured traits alone as a row, wherever InfoCPL uses them.

    A reader must see what they give without anything learned. They need clips, and seen classes
    whose traits are known, whichever of them a fold holds out.
    """
    seen = task.text.subset(task.split.seen).traits
    known = seen is not None and bool(seen.any(1).all())
    clips = not isinstance(task.clips, PreparedFeatures)
    if not (config.alignment.measured_weight and clips and known):
        return config
    if MEASURES_ONLY in config.methods:
        return config
    return replace(config, variants=(MEASURES_ONLY, *config.variants))


def _fast() -> ExperimentConfig:
    base = ExperimentConfig(folds=1)
    fit = replace(base.encoder.fit, epochs=12, warmup=1)
    encoder = replace(base.encoder, fit=fit, members=1)
    return replace(base, encoder=encoder)


def _tiny() -> ExperimentConfig:
    base = _fast()
    encoder = replace(base.encoder, fit=replace(base.encoder.fit, epochs=2))
    alignment = replace(
        base.alignment, hidden=(32, 16), fit=FitConfig(epochs=4, batch_size=64, lr=1e-3, warmup=1)
    )
    return replace(base, encoder=encoder, alignment=alignment)


def _paper(max_k: int) -> ExperimentConfig:
    """The published configuration (arXiv 2406.00639, section IV-B, and the authors' program).

    Published of the encoder's training are Adam, its rate, epochs and batch (those of SMIE, whose
    encoder it is). Not published: its schedule, which is the loop's cosine here, without warm-up;
    augmentation and label smoothing, of which there are none here. The rule by which an epoch is
    chosen stays ours: the published one is ``selection="oracle"``. Heads that would believe more
    descriptions than the codebook has (100 a class in the paper) are left out in training.
    """
    encoder = EncoderConfig(
        name="stgcn",
        fit=FitConfig(epochs=150, batch_size=128, lr=5e-3, weight_decay=0.0, warmup=0.0),
        augment=AugmentConfig(yaw=0.0, tilt=0.0, scale=0.0, noise=0.0, crop=0.0, warp=0.0),
        smoothing=0.0,
    )
    alignment = AlignmentConfig(
        max_k=max_k,
        heads="series",
        hidden=(1024, 512),
        motion=True,
        standard_features=False,
        centre_text=False,
        trait_weight=0.0,
        measured_weight=0.0,
        start="random",
        gate="none",
        sampling=LossSampling(
            negatives=8,
            dense=False,
            text_negatives=0,
            inverse_epochs=15,
            noise=0.0,
            margin=0.3,
            margin_weight=0.0,
        ),
        fit=FitConfig(epochs=100, batch_size=128, lr=1e-5, weight_decay=0.0, warmup=15.0),
    )
    return ExperimentConfig(frames=50, encoder=encoder, alignment=alignment)


_PRESETS: dict[str, Callable[[], ExperimentConfig]] = {
    "default": ExperimentConfig,
    "fast": _fast,
    "tiny": _tiny,
    "paper/ntu60": partial(_paper, 60),
    "paper/ntu120": partial(_paper, 25),
    "paper/pkummd": partial(_paper, 15),
}


def list_presets() -> list[str]:
    """Names that :func:`create_preset` knows, sorted."""
    return sorted(_PRESETS)


def create_preset(name: str) -> ExperimentConfig:
    """Return a preset.

    ``default``, ``fast`` (the demo's) and ``tiny`` (to try a pipeline out) are ours;
    ``paper/ntu60``, ``paper/ntu120`` and ``paper/pkummd`` are the published configurations, for
    datasets of that size: on a few hundred clips their learning rate leaves InfoCPL untrained.

    Examples
    --------
    >>> create_preset("fast").folds
    1
    >>> create_preset("paper/ntu120").alignment.max_k
    25
    """
    if name not in _PRESETS:
        raise ConfigError(f"unknown preset {name!r}; known: {', '.join(list_presets())}")
    return _PRESETS[name]()
