"""The part of a result that says what was chosen, on which evidence (``selection``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from infocpl.data.feature_store import EncoderNote
from infocpl.evaluation.choosing import tell_chosen
from infocpl.evaluation.config import ExperimentConfig
from infocpl.evaluation.experiment import MethodRun, SeedRun
from infocpl.evaluation.gate import CUES
from infocpl.evaluation.variants import CHOSEN

__all__ = ["tell_selection"]


def tell_selection(runs: Sequence[SeedRun], config: ExperimentConfig) -> dict[str, Any]:
    """Rule, folds, and for every seed what was chosen for every method.

    Parameters
    ----------
    runs : one entry a seed
    config : of the experiment

    Returns
    -------
    plain JSON values, described in ``docs/result.md``
    """
    return {
        "rule": config.selection,
        "oracle": config.selection == "oracle",
        "folds": config.folds if config.selection == "pseudo-unseen" else 0,
        **_chosen(runs, config),
        "details": [_choices(run) for run in runs],
        **_caveat(runs[0], config),
    }


def _chosen(runs: Sequence[SeedRun], config: ExperimentConfig) -> dict[str, Any]:
    """Among what the folds chose, and how often each was taken."""
    names = [run.chosen.candidate for run in runs if run.chosen is not None]
    if not names:
        return {}
    return {"chosen": {"among": list(config.candidates), "summary": tell_chosen(names)}}


def _caveat(run: SeedRun, config: ExperimentConfig) -> dict[str, str]:
    if not isinstance(run.encoder, EncoderNote) or config.selection != "pseudo-unseen":
        return {}
    return {
        "caveat": "the encoder of the precomputed features knew the classes that played the unseen "
        "ones, so selection saw them better separated than unseen classes are"
    }


def _choices(run: SeedRun) -> dict[str, Any]:
    return {
        "seed": run.seed,
        **({} if run.chosen is None else {"chosen": asdict(run.chosen)}),
        "methods": {
            method: {
                "epoch": entry.choice.epoch,
                "alpha": entry.choice.alpha,
                "measured_weight": entry.choice.measured,
                "gamma": entry.calibration.gamma,
                "gamma_rule": entry.calibration.rule,
                "relative_gamma": entry.calibration.relative_gamma,
                "raw_gamma": entry.choice.gamma,
                "lead": entry.calibration.lead,
                "gate": _gate(entry),
                "evidence": list(entry.choice.evidence),
                "fusion": None if entry.choice.fusion is None else list(entry.choice.fusion),
            }
            for method, entry in run.methods.items()
            # What folds chose among methods is the run of one of them, told above.
            if method != CHOSEN
        },
    }


def _gate(entry: MethodRun) -> dict[str, Any] | None:
    gate = entry.choice.gate
    if gate is None:
        return None
    weights = dict(zip(CUES, gate.weights, strict=True))
    return {"weights": weights, "bias": gate.bias, "threshold": gate.threshold}
