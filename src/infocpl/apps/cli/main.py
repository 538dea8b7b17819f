"""Parse the command line, run one command, turn every user error into one line.

Exit codes: 0 done, 1 user error (one line on standard error), 2 usage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import tyro

from infocpl import __version__
from infocpl.apps.cli.arguments import join_repeated, options_of_several
from infocpl.apps.cli.codebook_commands import Ablate, Codebook
from infocpl.apps.cli.commands import Convert, Demo, Evaluate, ImportWeights, Info, Predict, Run
from infocpl.apps.cli.data_commands import Inspect, Splits, Verify
from infocpl.apps.cli.describe_command import Describe
from infocpl.apps.cli.study_command import Study
from infocpl.errors import InfoCPLError

__all__ = ["main"]

Command = (
    Annotated[Demo, tyro.conf.subcommand("demo", prefix_name=False)]
    | Annotated[Convert, tyro.conf.subcommand("convert", prefix_name=False)]
    | Annotated[Verify, tyro.conf.subcommand("verify", prefix_name=False)]
    | Annotated[Inspect, tyro.conf.subcommand("inspect", prefix_name=False)]
    | Annotated[Splits, tyro.conf.subcommand("splits", prefix_name=False)]
    | Annotated[Run, tyro.conf.subcommand("run", prefix_name=False)]
    | Annotated[Study, tyro.conf.subcommand("study", prefix_name=False)]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate", prefix_name=False)]
    | Annotated[Predict, tyro.conf.subcommand("predict", prefix_name=False)]
    | Annotated[ImportWeights, tyro.conf.subcommand("import-weights", prefix_name=False)]
    | Annotated[Describe, tyro.conf.subcommand("describe", prefix_name=False)]
    | Annotated[Codebook, tyro.conf.subcommand("codebook", prefix_name=False)]
    | Annotated[Ablate, tyro.conf.subcommand("ablate", prefix_name=False)]
    | Annotated[Info, tyro.conf.subcommand("info", prefix_name=False)]
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code.

    Parameters
    ----------
    argv : arguments without the program's name; default those of the process
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Nothing is ever fetched: models come from packages or folders.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if arguments == ["--version"]:
        print(__version__)
        return 0
    try:
        try:
            return _execute(arguments)
        finally:
            # Here and not when the process ends, so that a reader who has gone is noticed.
            sys.stdout.flush()
    except InfoCPLError as error:
        print(f"infocpl: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("infocpl: interrupted; finished work was kept", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (a pager, head) has gone; that is not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        # A full disk or a missing permission is the user's to mend, not a bug to be traced.
        place = f"{error.filename}: " if error.filename else ""
        print(f"infocpl: error: {place}{error.strerror or error}", file=sys.stderr)
        return 1


def _execute(arguments: list[str]) -> int:
    """Read the arguments and do what they say; help and wrong ones end with ``SystemExit``."""
    arguments = join_repeated(arguments, options_of_several(Command))
    command = tyro.cli(
        Command,
        prog="infocpl",
        description="Name human actions in skeleton sequences from text alone.",
        args=arguments or ["--help"],
        config=(tyro.conf.OmitSubcommandPrefixes,),
    )
    return int(command.execute(" ".join(["infocpl", *arguments])))
