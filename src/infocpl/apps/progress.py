"""What a person sees while work goes on: a bar with the time left, or plain lines in a log."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

__all__ = ["EMBEDDING", "Reporter"]

EMBEDDING = "embedding descriptions"
"""What is said wherever sentences are turned into vectors."""

_LINE_EVERY = 15.0  # seconds between lines where there is no terminal
# The time left is told by the speed of so many seconds: an average since the start would go on
# counting work that an earlier run had done, and long enough for several kinds of work to be in it.
_SPEED_OVER = 300.0
_SAMPLE_EVERY = 1.0  # seconds between the moments that speed is measured from


class Reporter:
    """Progress and messages on standard error; results go to standard output.

    Parameters
    ----------
    quiet : say nothing
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.console = Console(stderr=True, quiet=quiet, highlight=False)

    def say(self, text: str) -> None:
        """One line about what happens now."""
        self.console.print(text, markup=False, soft_wrap=True)

    @contextlib.contextmanager
    def bar(self, total: float) -> Iterator[Callable[[float, str], None]]:
        """Yield a function to call with finished work and a note.

        Parameters
        ----------
        total : all work, in any unit
        """
        if not self.console.is_terminal or self.quiet:
            yield self._lines(total)
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(
            *columns,
            console=self.console,
            transient=True,
            speed_estimate_period=_SPEED_OVER,
        ) as progress:
            task = progress.add_task("starting", total=total)
            yield lambda units, note: progress.update(task, advance=units, description=note)

    @contextlib.contextmanager
    def count(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function to call with (items done, items in all).

        Parameters
        ----------
        what : what is being counted, for the note
        """
        done = 0.0
        with self.bar(1.0) as advance:

            def report(number: int, total: int) -> None:
                nonlocal done
                advance(number / total - done, f"{what}: {number}/{total}")
                done = number / total

            yield report

    def _lines(self, total: float) -> Callable[[float, str], None]:
        last = time.monotonic()
        done = 0.0
        moments = deque([(last, done)])

        def advance(units: float, note: str) -> None:
            nonlocal done, last
            done += units
            now = time.monotonic()
            if now - moments[-1][0] >= _SAMPLE_EVERY:
                moments.append((now, done))
            while len(moments) > 1 and now - moments[1][0] >= _SPEED_OVER:
                moments.popleft()
            since, before = moments[0]
            if now - last < _LINE_EVERY or done <= before:
                return
            last = now
            left = (now - since) * max(total - done, 0) / (done - before)
            share = min(done / total, 1.0) if total else 1.0
            self.say(f"[{share:4.0%}, {_span(left)} left] {note}")

        return advance


def _span(seconds: float) -> str:
    """Minutes and seconds, as a person says them.

    Examples
    --------
    >>> _span(75), _span(9)
    ('1 min 15 s', '9 s')
    """
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
