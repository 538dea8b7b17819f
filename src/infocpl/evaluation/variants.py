"""The rows of a table: InfoCPL, the baselines, and InfoCPL without (or with) each of its parts.

A variant differs from InfoCPL in one thing, a preset in several that belong together. Each gets the
very same encoder features and folds, is selected by the same rule on its own fold results, and is
trained from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch

from infocpl.alignment.base import TextTable
from infocpl.errors import ConfigError
from infocpl.evaluation.task_data import TaskData
from infocpl.training.stages import AlignmentConfig

__all__ = [
    "CHOSEN",
    "MEASURES_ONLY",
    "METHODS",
    "NEED_CLIPS",
    "VARIANTS",
    "Variant",
    "alignment_of",
    "check_variants",
    "describe_for",
    "is_ridge",
    "kind_of",
    "list_methods",
    "method_title",
    "possible_variants",
    "uses_fusion",
    "uses_margin",
    "uses_measures",
]

METHODS = {
    "infocpl": "InfoCPL",
    "ridge": "Ridge, all descriptions",
    "ridge-names": "Ridge, class names only",
}
"""Every table shows the method beside the plainest baselines a sceptic would run."""

CHOSEN = "chosen"
"""The row that holds, seed by seed, the candidate that the folds chose (:mod:`.choosing`)."""

MEASURES_ONLY = "measures-only"
"""The row of measured traits alone (:func:`.config.with_measured_baseline`)."""

NEED_CLIPS = ("with-margin", "no-measures", MEASURES_ONLY, "ridge-measures")
"""Variants that need clips or differ from InfoCPL only where there are clips."""

_MARGIN_WEIGHT = 0.5  # where the authors' program offers the margin loss


def _same_text(text: TextTable) -> TextTable:
    return text


def _same(config: AlignmentConfig) -> AlignmentConfig:
    return config


def _setting(**changes: object) -> Callable[[AlignmentConfig], AlignmentConfig]:
    return lambda config: replace(config, **changes)  # type: ignore[arg-type]


def _sampling(**changes: object) -> Callable[[AlignmentConfig], AlignmentConfig]:
    def change(config: AlignmentConfig) -> AlignmentConfig:
        return replace(config, sampling=replace(config.sampling, **changes))  # type: ignore[arg-type]

    return change


@dataclass(frozen=True)
class Variant:
    """InfoCPL with one thing changed, or another preset of it.

    Attributes
    ----------
    name : how the command line and ``result.json`` call it
    title : how tables call it
    change : of the way it is shaped and trained
    text : of the text it gets
    fusion : weigh its heads by weights fitted on the scores of pseudo-unseen classes
    preset : another way to train the whole rather than one thing changed: a candidate to choose
        among, which says nothing about a part and is left out where all variants are asked for
    kind : of aligner: ``"ridge"`` is the ridge map with measured traits beside it, ``"measures"``
        measured traits alone, of which nothing is learned but their zero and unit
    """

    name: str
    title: str
    change: Callable[[AlignmentConfig], AlignmentConfig] = _same
    text: Callable[[TextTable], TextTable] = _same_text
    fusion: bool = False
    preset: bool = False
    kind: Literal["infocpl", "ridge", "measures"] = "infocpl"


def _names_only(text: TextTable) -> TextTable:
    """One description a class, its bare name; no motion description, no traits."""
    return TextTable(
        text.labels,
        text.names.unsqueeze(1),
        torch.ones(len(text.labels), 1, dtype=torch.bool),
        text.names,
        text.names,
    )


def _without_motion(text: TextTable) -> TextTable:
    """The class name where the motion description was: ridge starts look at that row as well."""
    return replace(text, motion=text.names)


def _long_random(config: AlignmentConfig) -> AlignmentConfig:
    """As the paper starts, with the rate and epochs that a few hundred clips want of it."""
    fit = replace(config.fit, epochs=40, lr=1e-3, warmup=15.0)
    sampling = replace(config.sampling, inverse_epochs=15)
    return replace(config, start="random", sampling=sampling, fit=fit)


_LIST = (
    Variant(
        "names-only",
        "InfoCPL, class names only",
        _setting(motion=False, trait_weight=0.0, measured_weight=0.0),
        _names_only,
    ),
    Variant("no-traits", "InfoCPL without traits", _setting(trait_weight=0.0, measured_weight=0.0)),
    Variant("no-measures", "InfoCPL without measured traits", _setting(measured_weight=0.0)),
    Variant(MEASURES_ONLY, "Measured traits alone", kind="measures"),
    Variant("ridge-measures", "Ridge with measured traits", kind="ridge"),
    Variant("no-motion", "InfoCPL without motion row", _setting(motion=False), _without_motion),
    Variant("one-head", "InfoCPL, one head, largest k", _setting(heads="largest")),
    Variant("one-head-1", "InfoCPL, one head, k = 1", _setting(heads="smallest")),
    Variant("no-inverse", "InfoCPL without attention inverse", _sampling(inverse_epochs=0)),
    Variant(
        "no-sampling",
        "InfoCPL without loss sampling",
        _sampling(dense=True, text_negatives=0),
    ),
    Variant("random-start", "InfoCPL from random weights", _setting(start="random")),
    Variant("with-margin", "InfoCPL with margin loss", _sampling(margin_weight=_MARGIN_WEIGHT)),
    Variant("with-gate", "InfoCPL with head gate", _setting(gate="visual+text")),
    Variant("fitted-fusion", "InfoCPL, fitted head weights", fusion=True),
    Variant("long-random", "InfoCPL from random weights, 40 epochs", _long_random, preset=True),
)

VARIANTS = {variant.name: variant for variant in _LIST}
"""Every known variant by its name."""


def list_methods(variants: Sequence[str]) -> tuple[str, ...]:
    """Names of the methods of an experiment, in the order of its tables.

    Examples
    --------
    >>> list_methods(["one-head"])
    ('infocpl', 'ridge', 'ridge-names', 'one-head')
    """
    return (*METHODS, *variants)


def method_title(method: str) -> str:
    """Name for people."""
    if method == CHOSEN:
        return "InfoCPL, chosen on folds"
    return METHODS[method] if method in METHODS else VARIANTS[method].title


def is_ridge(method: str) -> bool:
    """Whether a method has penalties rather than epochs to choose from."""
    return kind_of(method) == "ridge"


def kind_of(method: str) -> str:
    """Kind of aligner, see :class:`Variant`.

    Examples
    --------
    >>> kind_of("ridge"), kind_of("measures-only"), kind_of("one-head")
    ('ridge', 'measures', 'infocpl')
    """
    if method in METHODS:
        return "infocpl" if method == "infocpl" else "ridge"
    return VARIANTS[method].kind


def alignment_of(method: str, config: AlignmentConfig) -> AlignmentConfig:
    """How a method is shaped and trained, given how InfoCPL is.

    Examples
    --------
    >>> alignment_of("one-head", AlignmentConfig(max_k=30)).k_series(rows=100)
    (25,)
    """
    return VARIANTS[method].change(config) if method in VARIANTS else config


def describe_for(method: str, task: TaskData) -> TaskData:
    """The task with the text that a method gets."""
    return replace(task, text=VARIANTS[method].text(task.text)) if method in VARIANTS else task


def uses_fusion(method: str) -> bool:
    """Whether weights of heads are fitted on folds."""
    return method in VARIANTS and VARIANTS[method].fusion


def uses_margin(methods: Sequence[str], config: AlignmentConfig) -> bool:
    """Whether any method needs features of clips with parts hidden."""
    return any(alignment_of(m, config).sampling.margin_weight for m in methods)


def uses_measures(method: str, config: AlignmentConfig) -> bool:
    """Whether a method compares measured traits with described ones.

    Examples
    --------
    >>> [uses_measures(name, AlignmentConfig()) for name in ("infocpl", "ridge", "no-measures")]
    [True, False, False]
    """
    plain = method in METHODS and method != "infocpl"
    return not plain and alignment_of(method, config).measured_weight > 0


def check_variants(variants: Sequence[str], config: AlignmentConfig, selection: str) -> None:
    """Refuse what is unknown, stands twice, cannot be done, or would change nothing.

    Raises
    ------
    ConfigError : names the variant
    """
    if len(set(variants)) < len(variants):
        raise ConfigError(f"variants must differ, got {', '.join(variants)}")
    for name in variants:
        if name not in VARIANTS:
            raise ConfigError(f"unknown variant {name!r}; known: {', '.join(VARIANTS)}")
        if reason := _obstacle(VARIANTS[name], config, selection):
            raise ConfigError(f"variant {name!r}: {reason}")


def possible_variants(
    config: AlignmentConfig, selection: str, *, clips: bool = True
) -> tuple[str, ...]:
    """Variants that change one thing of InfoCPL as it is configured and can be trained.

    Parameters
    ----------
    config : of InfoCPL
    selection : rule; fitted weights of heads need folds
    clips : whether there are clips rather than precomputed features: their parts can be hidden for
        the margin loss, and traits be measured on them

    Examples
    --------
    >>> plain = AlignmentConfig(trait_weight=0.0, measured_weight=0.0)
    >>> "no-traits" in possible_variants(plain, "pseudo-unseen")
    False
    """
    return tuple(
        name
        for name, variant in VARIANTS.items()
        if not (variant.preset or _obstacle(variant, config, selection))
        and (clips or name not in NEED_CLIPS)
    )


def _obstacle(variant: Variant, config: AlignmentConfig, selection: str) -> str:
    """Why a variant makes no sense here; nothing if it does."""
    if variant.fusion:
        if selection != "pseudo-unseen":
            return "head weights are fitted on pseudo-unseen classes, which this selection lacks"
        return "heads are weighed by a gate already" if config.gate != "none" else ""
    if variant.kind != "infocpl":
        return "" if config.measured_weight else "measured traits are switched off"
    if variant.text is _same_text and variant.change(config) == config:
        return "InfoCPL as it is configured here is the same"
    return ""
