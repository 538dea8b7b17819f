"""A trained zero-shot model as a folder: config, weights, labels and a card, no code to pick."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infocpl import __version__
from infocpl.alignment.base import TextCentre, TextTable
from infocpl.alignment.compiled import CompiledLabels
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.measured import MeasuredTraits
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.encoders.augment import AugmentConfig
from infocpl.encoders.ensemble import create_members
from infocpl.errors import CheckpointError, DataError, InfoCPLError
from infocpl.files import atomic_folder, read_json, write_json
from infocpl.semantics.description_choice import DescriptionChoice
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.measures import MEASURES, measure_clips
from infocpl.training.checkpoint import load_tensors, save_tensors
from infocpl.training.config import FitConfig, from_dict, to_dict
from infocpl.training.feature_cache import FeatureCache, encode_clips
from infocpl.training.stages import EncoderConfig, TrainedEncoder

__all__ = ["FORMAT_VERSION", "ZeroShotModel"]

FORMAT_VERSION = 5
"""2: traits beside the text; 3: a choice of descriptions; 4: measured traits; 5: their errors."""


@dataclass(frozen=True)
class ZeroShotModel:
    """An encoder and an aligner that name clips by the text of any label set.

    Attributes
    ----------
    encoder : skeleton encoder with the names of its training classes
    aligner : InfoCPL with its statistics
    gamma : calibration to subtract from seen classes when they compete with the unseen classes of
        the run the model comes from. It is a share of the model's lead on training clips (``about``
        holds both numbers), and the lead depends on which names compete: for other names it is
        no more than a first guess
    persons : bodies a clip is cut or filled to
    text_encoder : name or place of the text encoder the aligner was trained with
    text_encoder_id : identity of its weights
    descriptions : which descriptions the aligner was trained with; any other label set is described
        the same way
    about : dataset, split and result the model comes from
    """

    encoder: TrainedEncoder
    aligner: StandardInfoCPL
    gamma: float
    persons: int
    text_encoder: str
    text_encoder_id: str
    descriptions: DescriptionChoice = field(default_factory=DescriptionChoice)
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def seen(self) -> tuple[str, ...]:
        """Names of the classes the encoder was trained on."""
        return self.encoder.training_classes

    def encode(self, clips: NDArray[np.float32], *, cache: FeatureCache | None = None) -> Tensor:
        """Features of prepared clips.

        Parameters
        ----------
        clips : (N, M, T, V, C)
        cache : where features of the encoder are kept

        Returns
        -------
        (N, D), or (N, D + Q) with what is measured behind it, if the aligner asks for that
        """
        features = encode_clips(self.encoder.module, clips, cache=cache)
        if self.aligner.measured is None:
            return features
        measures = measure_clips(clips, create_layout(self.encoder.layout))
        return torch.cat([features, torch.from_numpy(measures)], dim=1)

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """Features from :meth:`encode` to (N, C) scores, higher is better."""
        return self.aligner.scores(features, text)

    def compile(self, text: TextTable) -> CompiledLabels:
        """Label set prepared once, for scoring many clips with the same numbers but faster."""
        return CompiledLabels(self.aligner, text)

    def save_pretrained(
        self, folder: Path, *, card: str = "", labels: Sequence[str] = (), overwrite: bool = False
    ) -> None:
        """Write the model to `folder`, whole or not at all.

        Parameters
        ----------
        folder : target
        card : text of its README.md
        labels : unseen classes it was evaluated on, for the reader's information
        """
        model = self.aligner.model
        tensors = {f"encoder.{k}": v for k, v in self.encoder.module.state_dict().items()}
        tensors |= {f"aligner.{k}": v for k, v in model.state_dict().items()}
        tensors["feature_mean"] = self.aligner.feature_mean
        tensors["feature_scale"] = self.aligner.feature_scale
        if (centre := self.aligner.centre) is not None:
            tensors |= {f"centre.{name}": value for name, value in vars(centre).items()}
        if (measured := self.aligner.measured) is not None:
            tensors |= {f"measured.{name}": value for name, value in vars(measured).items()}
        config = {
            "format_version": FORMAT_VERSION,
            "infocpl_version": __version__,
            "encoder": to_dict(self.encoder.config),
            "layout": self.encoder.layout,
            "frames": self.encoder.frames,
            "persons": self.persons,
            "aligner": to_dict(model.config),
            "measures": list(MEASURES) if measured is not None else [],
            "gamma": self.gamma,
            "text_encoder": self.text_encoder,
            "text_encoder_id": self.text_encoder_id,
            "descriptions": to_dict(self.descriptions),
            "about": self.about,
        }
        with atomic_folder(Path(folder), overwrite=overwrite) as temporary:
            write_json(temporary / "config.json", config)
            write_json(temporary / "labels.json", {"seen": list(self.seen), "unseen": list(labels)})
            save_tensors(temporary / "model.safetensors", tensors, {})
            if card:
                (temporary / "README.md").write_text(card, encoding="utf-8")

    @classmethod
    def from_pretrained(cls, folder: Path) -> ZeroShotModel:
        """Load what :meth:`save_pretrained` wrote.

        Raises
        ------
        CheckpointError : if the folder is missing, incomplete, damaged or of a newer version
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise CheckpointError(f"{folder} is not a model folder (no such folder)")
        try:
            config = read_json(folder / "config.json")
            _refuse_aligner(folder, config)
            labels = read_json(folder / "labels.json")
        except DataError as error:
            raise CheckpointError(f"{folder} is not a model folder: {error}") from error
        if not isinstance(config, dict) or "format_version" not in config:
            raise CheckpointError(f"{folder / 'config.json'}: no format_version in it")
        version = config["format_version"]
        if not isinstance(version, int) or not 1 <= version <= FORMAT_VERSION:
            raise CheckpointError(
                f"{folder} has format version {version!r}; this infocpl reads 1 to {FORMAT_VERSION}"
            )
        tensors, _ = load_tensors(folder / "model.safetensors")
        try:
            return _build(config, labels, tensors)
        except (KeyError, TypeError, ValueError, RuntimeError, InfoCPLError) as error:
            raise CheckpointError(f"{folder}: config and weights do not fit: {error}") from error


def _refuse_aligner(folder: Path, config: Any) -> None:
    if isinstance(config, dict) and config.get("kind") == "infocpl-aligner":
        raise CheckpointError(
            f"{folder} holds imported weights of an aligner without an encoder; "
            "infocpl.training.authors.load_aligner loads it"
        )


def _build(
    config: dict[str, Any], labels: dict[str, Any], tensors: dict[str, Tensor]
) -> ZeroShotModel:
    stored = dict(config["encoder"])
    encoder_config = EncoderConfig(
        name=stored["name"],
        fit=from_dict(FitConfig, stored["fit"]),
        augment=from_dict(AugmentConfig, stored["augment"]),
        smoothing=stored["smoothing"],
        members=int(stored.get("members", 1)),
    )
    module = create_members(encoder_config.name, config["layout"], encoder_config.members)
    module.load_state_dict(_under(tensors, "encoder."))
    aligner = InfoCPL(from_dict(InfoCPLConfig, config["aligner"]))
    aligner.load_state_dict(_under(tensors, "aligner."))
    centre, measured = _under(tensors, "centre."), _under(tensors, "measured.")
    if measured and tuple(config["measures"]) != MEASURES:
        raise CheckpointError(
            f"the model asks for {len(config['measures'])} measures of a clip that this infocpl "
            f"takes otherwise ({len(MEASURES)}); train it again, or use the infocpl that wrote "
            f"it ({config['infocpl_version']})"
        )
    return ZeroShotModel(
        encoder=TrainedEncoder(
            module.eval(),
            encoder_config,
            str(config["layout"]),
            int(config["frames"]),
            tuple(labels["seen"]),
        ),
        aligner=StandardInfoCPL(
            aligner,
            tensors["feature_mean"],
            tensors["feature_scale"],
            TextCentre(**centre) if centre else None,
            MeasuredTraits(**measured) if measured else None,
        ),
        gamma=float(config["gamma"]),
        persons=int(config["persons"]),
        text_encoder=str(config["text_encoder"]),
        text_encoder_id=str(config["text_encoder_id"]),
        descriptions=_descriptions(config),
        about=dict(config["about"]),
    )


def _descriptions(config: dict[str, Any]) -> DescriptionChoice:
    """Before version 3 there were kinds to choose, and nothing else."""
    if config["format_version"] < 3:
        return DescriptionChoice(tuple(config["granularities"]))
    return from_dict(DescriptionChoice, config["descriptions"])


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
