"""What ``run`` and ``study`` have in common: data in, how to train, which rows to show."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import tyro

if TYPE_CHECKING:
    from infocpl.semantics import DescriptionChoice

__all__ = ["DescriptionOptions", "RunOptions", "choose_descriptions"]


class DescriptionOptions(Protocol):
    """Options of every command that may choose among descriptions."""

    @property
    def granularities(self) -> tuple[str, ...]:
        """Kinds; empty for all."""

    @property
    def descriptions(self) -> int | None:
        """How many a class at the most."""

    @property
    def best_descriptions(self) -> int | None:
        """How many of the best a class."""

    @property
    def weigh(self) -> float | None:
        """Temperature of the weighing."""


def choose_descriptions(options: DescriptionOptions) -> DescriptionChoice:
    """Which descriptions the options ask for."""
    from infocpl.semantics import DescriptionChoice

    return DescriptionChoice(
        options.granularities, options.descriptions, options.best_descriptions, options.weigh
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of every command that trains and measures."""

    dataset: str
    """Name of the dataset (see `infocpl info`), or a YAML file of your own."""
    out: Path
    """Output folder; must be new or empty unless --resume is given."""
    data: Path | None = None
    """Folder with the original files, or a store written by `infocpl convert`."""
    features: Path | None = None
    """A store of precomputed features in the place of --data: no encoder is trained."""
    protocol: str | None = None
    """Which seen clips train and which test (default: the dataset's); `file` takes the division of
    a file of many clips as it is."""
    unseen_clips: Literal["all", "test"] = "all"
    """Clips of unseen classes that test: all, or those of the protocol's test side, as in SynSE."""
    preset: str = "default"
    """Training preset: default, fast, tiny, or a published one: paper/ntu60, paper/ntu120,
    paper/pkummd."""
    encoder: str | None = None
    """Skeleton encoder instead of the preset's (see `infocpl info`)."""
    members: int | None = None
    """Encoders trained apart whose features are put together; each costs the time of one."""
    joint: float | None = None
    """Also align the encoder with the text of the seen classes while it is trained: weight of that
    loss, such as 1 (default: the encoder learns labels alone and is frozen then)."""
    epochs: int | None = None
    """Encoder epochs instead of the preset's."""
    folds: int | None = None
    """How often seen classes are held out for selection, a seed."""
    variants: tuple[str, ...] = ()
    """Further rows: InfoCPL with one thing changed, on the same features and folds. Names such as
    `one-head no-inverse` (`infocpl info` lists them), or `all`."""
    choose: tuple[str, ...] | None = None
    """A further row that is, seed by seed, the best on the folds of InfoCPL and these candidates:
    variants (`long-random` is another preset) and `ridge`. Unseen clips have no say."""
    measures: bool = True
    """Compare traits measured on the skeleton with those the text tells; --no-measures leaves
    InfoCPL and all its variants without, as in the paper."""
    with_oracle: bool = False
    """Show beside every number what choosing on the unseen test clips would have shown (†)."""
    transductive: bool = False
    """Show, in rows of their own, what naming all unseen clips together gives: scores refined on
    the unlabelled test clips (‡)."""
    text_encoder: str = "minilm"
    """Text encoder: a name (see `infocpl info`), a folder with a sentence-transformers or CLIP
    model, or a .npy file of vectors with its labels beside it."""
    granularities: tuple[str, ...] = ()
    """Kinds of description to use (default: all)."""
    descriptions: int | None = None
    """Descriptions a class at the most, drawn evenly from the kinds (default: all)."""
    best_descriptions: int | None = None
    """Instead: descriptions a class at the most, those that tell the classes apart best. Only
    text is looked at."""
    weigh: float | None = None
    """Weigh descriptions by how much they tell the classes apart; a temperature such as 1, smaller
    for more uneven weights."""
    lexicon: tuple[str, ...] = ()
    """Your own lexicons, asked before the shipped ones: YAML files."""
    threads: int | None = None
    """Processor threads; results are bitwise equal only for equal threads."""
    workers: int = 1
    """Processes that read original files."""
    encoder_cache: Path | None = None
    """Folder of trained skeleton encoders that several runs and ablations share: one with the same
    clips, classes, settings and seed is not trained again."""
    extra: Annotated[tuple[tuple[str, ...], ...], tyro.conf.UseAppendAction] = ()
    """Learn from clips of other classes as well, which makes another row of it: `synthetic`, stores
    of other datasets, or several of them. Classes that mean the same as an unseen one are left
    out."""
    extra_clips: int = 6
    """Extra clips of each class, at the most."""
    resume: bool = False
    """Continue a killed run in the same folder."""
