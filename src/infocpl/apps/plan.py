"""What a run needs to know before it starts, and the folder that it works in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from infocpl.data import Split
from infocpl.data.dataset import Dataset
from infocpl.errors import ConfigError, OutputExistsError
from infocpl.evaluation.config import ExperimentConfig
from infocpl.files import canonical_hash, read_json, remove_stale, write_json
from infocpl.semantics import DescriptionChoice
from infocpl.semantics.lexicon import Lexicon
from infocpl.semantics.text import locate_text_encoder
from infocpl.training.config import to_dict
from infocpl.training.environment import environment

__all__ = ["Plan", "open_output"]


@dataclass(frozen=True)
class Plan:
    """Everything a run needs to know before it starts.

    Attributes
    ----------
    dataset, split : what is trained and tested on
    protocol : name of the protocol; "" for the default of the store
    source : folder with the dataset's original files, or a converted store of clips or features
    out : output folder
    config : how to train and select
    seeds : independent repetitions
    text_encoder : name, folder or file
    descriptions : which descriptions of each class are used, and how they are weighed
    lexicons : the user's own, asked before the shipped ones
    command : what the user typed
    unseen_clips : ``"all"`` clips of unseen classes, or those of the protocol's ``"test"`` side
    workers : processes that read original files
    encoder_cache : folder of trained encoders and their features that several runs share; None
        keeps them in the output folder only
    extra : each ``"synthetic"`` or the store of another dataset, whose clips are learned from
        besides
    extra_clips : of each of their classes, at the most
    """

    dataset: Dataset
    split: Split
    protocol: str
    source: Path
    out: Path
    config: ExperimentConfig
    seeds: tuple[int, ...]
    text_encoder: str = "minilm"
    descriptions: DescriptionChoice = field(default_factory=DescriptionChoice)
    lexicons: tuple[Lexicon, ...] = ()
    command: str = ""
    unseen_clips: Literal["all", "test"] = "all"
    workers: int = 1
    encoder_cache: Path | None = None
    extra: tuple[str, ...] = ()
    extra_clips: int = 6

    def identity(self) -> dict[str, Any]:
        """What must be equal for one run to continue another."""
        chosen = to_dict(self.descriptions)
        kinds = chosen.pop("granularities")
        config = to_dict(self.config)
        if self.config.choose is None:
            # Left out like the fields below: such runs were there before there was a choice.
            del config["choose"]
        plain = self.descriptions == DescriptionChoice(self.descriptions.granularities)
        return {
            "dataset": self.dataset.name,
            "source": str(self.source.resolve()),
            "split": self.split.hash,
            "protocol": self.protocol,
            "unseen_clips": self.unseen_clips,
            "config": config,
            "seeds": list(self.seeds),
            "text_encoder": locate_text_encoder(self.text_encoder),
            "granularities": kinds,
            "lexicons": [lexicon.hash for lexicon in self.lexicons],
            # Left out otherwise: runs begun before there was anything to choose can go on.
            **({} if plain else {"descriptions": chosen}),
            **self._extra_identity(),
        }

    def _extra_identity(self) -> dict[str, Any]:
        if not self.extra:
            return {}
        # One stands alone: runs begun before there could be several can go on. Their order counts,
        # because clips are learned from in that order.
        sources = self.extra[0] if len(self.extra) == 1 else list(self.extra)
        return {"extra": sources, "extra_clips": self.extra_clips}


def open_output(plan: Plan, *, resume: bool) -> Path:
    """Create the output folder, or check that it belongs to this very run.

    Returns
    -------
    the folder for intermediate work inside it

    Raises
    ------
    OutputExistsError : if it holds something and `resume` is false
    ConfigError : if it holds another run, or several processes were started for one run
    """
    if (processes := environment()["processes"]) > 1:
        raise ConfigError(
            f"started as {processes} processes, which would write the same files; start one "
            "(several may share a training: infocpl.training.loop.fit)"
        )
    out, record = plan.out, plan.out / "run.json"
    if out.exists() and not out.is_dir():
        raise OutputExistsError(f"{out} is a file; --out needs a folder")
    if out.is_dir() and any(out.iterdir()):
        if not resume:
            raise OutputExistsError(
                f"{out} is not empty; choose another --out, or continue with --resume"
            )
        if not record.is_file():
            raise ConfigError(f"{out} holds no infocpl run (no run.json); nothing to resume")
        found = read_json(record)
        owner = found.get("hash") if isinstance(found, dict) else None
        if owner != canonical_hash(plan.identity()):
            raise ConfigError(
                f"{out} holds a run with other settings; use the same ones to resume it, or "
                "choose another --out"
            )
    # First of all: without its record a killed run could not be continued.
    write_json(record, {"hash": canonical_hash(plan.identity()), **plan.identity()})
    work = out / "work"
    work.mkdir(exist_ok=True)
    remove_stale(out)
    remove_stale(work)
    remove_stale(work / "features")
    return work
