"""Options of ``infocpl study``. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from infocpl.apps.cli.run_options import RunOptions

__all__ = ["Study"]


@dataclass(frozen=True, kw_only=True)
class Study(RunOptions):
    """The same table on many random splits: how much it depends on which classes are unseen.

    Splits are random:0:K, random:1:K, ... and none is left out; one seed each.

    Example: infocpl study --dataset utd-mhad --data stores/utd --count 20 --unseen 5 --out study
    """

    count: int = 20
    """Number of splits."""
    unseen: int = 5
    """Unseen classes of each split."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.study import run_study_command

        return run_study_command(self, typed)
