"""One frozen record a command: its options and their help. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from infocpl.apps.cli.run_options import RunOptions

__all__ = ["Convert", "Demo", "Evaluate", "ImportWeights", "Info", "Predict", "Run"]


@dataclass(frozen=True)
class Demo:
    """Train on generated actions, recognise unseen ones from text, write a report.

    Needs no data and no network, and takes some minutes on two cores.

    Example: infocpl demo --out runs/demo
    """

    out: Path = Path("runs/demo")
    """Output folder; must be new or empty unless --resume or --overwrite is given."""
    split: str = "demo/51-8"
    """Which actions are unseen (see `infocpl info --dataset synthetic`)."""
    subjects: int = 12
    """How many generated people perform the actions (12 are needed for train and test sides)."""
    seed: int = 0
    """Seed of data and training."""
    resume: bool = False
    """Continue a killed run in the same folder."""
    overwrite: bool = False
    """Remove what an earlier demo left in the folder."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.train import run_demo

        return run_demo(self, typed)


@dataclass(frozen=True)
class Convert:
    """Check a dataset's original files and turn them into a fast clip store.

    A conversion that was killed goes on where it ended when the same command is given again.
    Published features become a feature store; say then what their encoder was trained on.

    Example: infocpl convert --dataset utd-mhad --data raw/utd --out stores/utd
    """

    dataset: str
    """Name of the dataset (see `infocpl info`), or a YAML file of your own."""
    data: Path
    """Folder with the original files; or a file or folder that holds many clips, or features."""
    out: Path
    """The store to write."""
    format: str | None = None
    """File format, if neither the dataset's nor to be recognised (see `infocpl info`)."""
    division: str = ""
    """Which of its own training and test sets a file of many clips is divided by."""
    workers: int = 1
    """Processes that read files."""
    on_error: Literal["stop", "skip"] = "stop"
    """`skip` leaves unreadable clips out and lists them in the manifest, instead of stopping."""
    overwrite: bool = False
    """Replace an existing store."""
    missing: Path | None = None
    """Your list of clips without a usable skeleton, a name a line; added to the known ones."""
    classes: Path | None = None
    """Your names of the classes, one a line in the order of their numbers."""
    train: tuple[str, ...] = ()
    """Who trains, as PROTOCOL=FILE: a list of ids, or PKU-MMD's list of recordings."""
    trained_on: str | None = None
    """For features: split whose seen classes their encoder was trained on, `all`, or `unknown`."""
    encoder: str = ""
    """For features: the encoder that made them, in words."""
    declared_by: Literal["user", "publisher"] = "user"
    """For features: who says what their encoder was trained on."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.data import run_convert

        return run_convert(self)


@dataclass(frozen=True, kw_only=True)
class Run(RunOptions):
    """From raw files to a zero-shot benchmark table: convert, train, select, evaluate, report.

    Example: infocpl run --dataset utd-mhad --data raw/utd --split purls/22-5 --seeds 3 --out out
    """

    split: str
    """family/name, random:SEED:K, or a YAML file with `unseen: [names]`."""
    seeds: int = 3
    """Independent repetitions; tables show mean and standard deviation over them."""
    selection: Literal["pseudo-unseen", "oracle"] = "pseudo-unseen"
    """What chooses epoch and calibration. `oracle` looks at the unseen test clips, as published
    work does, and is marked wherever its numbers appear."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.train import run_run

        return run_run(self, typed)


@dataclass(frozen=True)
class Evaluate:
    """Measure a trained model on the unseen classes of a dataset and split.

    Example: infocpl evaluate --model out/model --dataset utd-mhad --data raw/utd --split purls/22-5
    """

    model: Path
    """Model folder written by `infocpl run`."""
    dataset: str
    """Name of the dataset."""
    data: Path
    """Folder with the original files, or a store."""
    split: str
    """Split whose unseen classes are tested."""
    lexicon: tuple[str, ...] = ()
    """Your own lexicons, asked before the shipped ones: YAML files."""
    out: Path | None = None
    """File for the numbers as JSON (must not exist)."""
    text_encoder: str | None = None
    """Where the model's text encoder lies now, if not where it was during training."""
    feature_cache: Path | None = None
    """Folder where features of clips are kept, so that the same model encodes them once (default:
    in the user's cache, which INFOCPL_CACHE names)."""
    json: bool = False
    """Print JSON instead of tables."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.use import run_evaluate

        return run_evaluate(self)


@dataclass(frozen=True)
class Predict:
    """Rank action names for skeleton files.

    Example: infocpl predict clip.skeleton --model out/model --labels "drink water, hand waving"
    """

    files: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Skeleton files in any readable format."""
    model: Path
    """Model folder written by `infocpl run` or `infocpl demo`."""
    labels: str
    """Action names divided by commas, or a file with a name a line."""
    lexicon: tuple[str, ...] = ()
    """Your own lexicons, asked before the shipped ones: YAML files (see `infocpl describe`)."""
    format: str | None = None
    """File format, if it cannot be told from the file."""
    text_encoder: str | None = None
    """Where the model's text encoder lies now, if not where it was during training."""
    top: int = 5
    """Names to show for each file."""
    explain: bool = False
    """Show which descriptions each head believed."""
    json: bool = False
    """Print JSON instead of tables."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.use import run_predict

        return run_predict(self)


@dataclass(frozen=True)
class ImportWeights:
    """Turn an aligner trained with the authors' program into a folder infocpl loads.

    The file, a state dict or a whole module, is read without running anything in it.

    Example: infocpl import-weights checkpoint.pt --out authors
    """

    file: Annotated[Path, tyro.conf.Positional]
    """File of `torch.save` with weights named proj.0.weight, global_D.0.l0.weight, ..."""
    out: Path
    """The folder to write."""
    k_series: tuple[int, ...] = ()
    """Descriptions believed by each head (default: 1 5 10 ..., as many as there are heads)."""
    motion: bool = True
    """Whether the weights were trained with the motion description, as the paper does."""
    ignore: tuple[str, ...] = ()
    """Beginnings of names in the file that may be left out, such as `encoder.`."""
    overwrite: bool = False
    """Replace an existing folder."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.use import run_import_weights

        return run_import_weights(self)


@dataclass(frozen=True)
class Info:
    """Show versions and everything that has a name: datasets, splits, encoders, formats.

    Example: infocpl info --dataset ntu60
    """

    dataset: str | None = None
    """Show this dataset's classes, protocols and splits."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.data import run_info

        return run_info(self)
