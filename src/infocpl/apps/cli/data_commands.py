"""Options of the commands about data: one frozen record each. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

__all__ = ["Inspect", "Splits", "SplitsCheck", "SplitsList", "SplitsShow", "Verify"]


@dataclass(frozen=True)
class Verify:
    """Recompute every hash of a store: finds any changed byte.

    Example: infocpl verify stores/utd
    """

    store: Annotated[Path, tyro.conf.Positional]
    """A store of clips or of features."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.stores import run_verify

        return run_verify(self)


@dataclass(frozen=True)
class Inspect:
    """Show what is in a skeleton file, a store or a dataset's folder, and what looks wrong in it.

    Example: infocpl inspect clip.skeleton --out clip.html
    """

    path: Annotated[Path, tyro.conf.Positional]
    """A skeleton file, a file of many clips, a store, or a folder with the original files of a
    dataset."""
    clip: str | None = None
    """Where there are many clips: name or number of the one clip to look at."""
    format: str | None = None
    """File format, if it cannot be told from the file."""
    dataset: str | None = None
    """Whose files a folder holds, if that cannot be told from their names: a name (see `infocpl
    info`), or a YAML file of your own."""
    out: Path | None = None
    """Picture of the clip: .png or .svg for key frames, .html for an animation."""
    overwrite: bool = False
    """Replace an existing picture."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.inspecting import run_inspect

        return run_inspect(self)


@dataclass(frozen=True)
class SplitsList:
    """List the published splits of a dataset, or of all of them."""

    dataset: str | None = None
    """Name of the dataset (see `infocpl info`); default: all."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.splits import run_list

        return run_list(self)


@dataclass(frozen=True)
class SplitsShow:
    """Show the classes of a split, and where it comes from."""

    split: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SPLIT")]
    """family/name, random:SEED:K, or a YAML file with `unseen: [names]`."""
    dataset: str
    """Name of the dataset, or a YAML file of your own."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.splits import run_show

        return run_show(self)


@dataclass(frozen=True)
class SplitsCheck:
    """Check a split: sides disjoint, names known, counts; and its clips in a store."""

    split: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SPLIT")]
    """family/name, random:SEED:K, or a YAML file with `unseen: [names]`."""
    dataset: str
    """Name of the dataset, or a YAML file of your own."""
    data: Path | None = None
    """A store, whose clips of each class are counted on each side."""
    protocol: str | None = None
    """Which seen clips train and which test (default: the store's)."""

    def execute(self) -> int:
        """Run the command."""
        from infocpl.apps.cli.splits import run_check

        return run_check(self)


SplitsCommand = (
    Annotated[SplitsList, tyro.conf.subcommand("list", prefix_name=False)]
    | Annotated[SplitsShow, tyro.conf.subcommand("show", prefix_name=False)]
    | Annotated[SplitsCheck, tyro.conf.subcommand("check", prefix_name=False)]
)


@dataclass(frozen=True)
class Splits:
    """Published divisions into seen and unseen classes: list, show, check.

    Example: infocpl splits check synse/55-5 --dataset ntu60 --data stores/ntu60
    """

    command: SplitsCommand
    """What to do."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        return self.command.execute()
