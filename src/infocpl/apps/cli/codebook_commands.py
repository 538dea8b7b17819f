"""Options of the commands about descriptions: a frozen record each. Nothing heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

__all__ = [
    "Ablate",
    "Codebook",
    "CodebookBuild",
    "CodebookCheck",
    "CodebookCompare",
    "CodebookShow",
]


@dataclass(frozen=True)
class CodebookBuild:
    """Describe every class, embed the descriptions, save them as a folder.

    Example: infocpl codebook build --dataset utd-mhad --out books/utd
    """

    out: Path
    """The folder to write."""
    labels: str | None = None
    """Action names divided by commas, or a file with a name a line."""
    dataset: str | None = None
    """All classes of a dataset; with --labels: whose lexicon is asked first."""
    lexicon: tuple[str, ...] = ()
    """Lexicons to ask before the others: YAML files of your own, or names (see `infocpl info`)."""
    text_encoder: str = "minilm"
    """Text encoder: a name (see `infocpl info`) or a sentence-transformers folder."""
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
    overwrite: bool = False
    """Replace an existing codebook."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.codebook import run_build

        return run_build(self)


@dataclass(frozen=True)
class CodebookShow:
    """Show the classes of a codebook, or all that is said of one of them.

    Example: infocpl codebook show books/utd "draw x"
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """A codebook written by `infocpl codebook build` or `infocpl run`."""
    name: Annotated[str | None, tyro.conf.Positional] = None
    """A class (default: a table of all classes)."""
    granularities: tuple[str, ...] = ()
    """Kinds of description to show (default: all)."""
    json: bool = False
    """Print JSON instead of a table."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.codebook import run_show

        return run_show(self)


@dataclass(frozen=True)
class CodebookCompare:
    """Compare two codebooks, or two classes of one.

    Example: infocpl codebook compare books/utd --classes "draw x" "draw triangle"
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """A codebook."""
    other: Annotated[Path | None, tyro.conf.Positional] = None
    """Another codebook."""
    classes: tuple[str, str] | None = None
    """Two classes of the first codebook."""
    json: bool = False
    """Print JSON instead of tables."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.codebook import run_compare

        return run_compare(self)


@dataclass(frozen=True)
class CodebookCheck:
    """Measure how good descriptions are, without a clip of an unseen class.

    Exit code 1 with --strict if two sentences of a class say the same, or only its name is known.

    Example: infocpl codebook check books/utd --out utd.html
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """A codebook."""
    out: Path | None = None
    """Report with a map of the classes: one HTML file."""
    limit: float = 0.98
    """Cosine above which two sentences of a class count as one."""
    model: Path | None = None
    """A trained model: do its seen classes that move alike read alike? Needs --data."""
    data: Path | None = None
    """A store with clips of the model's seen classes."""
    strict: bool = False
    """End with exit code 1 where something is wrong."""
    json: bool = False
    """Print JSON instead of a table."""
    overwrite: bool = False
    """Replace an existing report."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.codebook import run_check

        return run_check(self)


CodebookCommand = (
    Annotated[CodebookBuild, tyro.conf.subcommand("build", prefix_name=False)]
    | Annotated[CodebookShow, tyro.conf.subcommand("show", prefix_name=False)]
    | Annotated[CodebookCompare, tyro.conf.subcommand("compare", prefix_name=False)]
    | Annotated[CodebookCheck, tyro.conf.subcommand("check", prefix_name=False)]
)


@dataclass(frozen=True)
class Codebook:
    """Descriptions of actions as vectors: build, show, compare, check.

    Example: infocpl codebook build --labels "side kick, high five" --out books/mine
    """

    command: CodebookCommand
    """What to do."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        return self.command.execute()


@dataclass(frozen=True)
class Ablate:
    """What is each kind and number of descriptions worth? Judged on seen classes only.

    Seen classes are held out in turn; clips and text of the unseen ones are never loaded.

    Example: infocpl ablate --dataset utd-mhad --data raw/utd --split purls/22-5 --seeds 3 --out ab
    """

    dataset: str
    """Name of the dataset (see `infocpl info`)."""
    data: Path
    """Folder with the original files, or a store written by `infocpl convert`."""
    split: str
    """family/name, random:SEED:K, or a YAML file with `unseen: [names]`."""
    out: Path
    """Output folder; must be new or empty unless --resume is given."""
    seeds: int = 3
    """Independent repetitions; the table shows mean and standard deviation over them."""
    folds: int | None = None
    """How often seen classes are held out, a seed."""
    protocol: str | None = None
    """Which seen clips train (default: the dataset's)."""
    preset: str = "default"
    """Training preset: default, fast, tiny."""
    epochs: int | None = None
    """Encoder epochs instead of the preset's."""
    text_encoders: tuple[str, ...] = ("minilm",)
    """Text encoders to compare: names (see `infocpl info`) or sentence-transformers folders."""
    rows: tuple[str, ...] = ()
    """Rows of the table by title, such as "all" or "K = 20" (default: all rows)."""
    threads: int | None = None
    """Processor threads; results are bitwise equal only for equal threads."""
    encoder_cache: Path | None = None
    """Folder of trained skeleton encoders that several runs and ablations share: one with the same
    clips, classes, settings and seed is not trained again."""
    resume: bool = False
    """Continue a killed ablation in the same folder."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.ablate import run_ablate

        return run_ablate(self, typed)
