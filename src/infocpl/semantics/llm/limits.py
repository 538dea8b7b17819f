"""How often and how much a model may be asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from infocpl.errors import ConfigError, LanguageModelError

__all__ = ["Budget", "BudgetError", "RateLimit"]


class BudgetError(LanguageModelError):
    """The budget is spent; what was answered before is kept."""


@dataclass
class Budget:
    """At most so many requests and tokens; counts what was used.

    Attributes
    ----------
    requests : most requests, repairs and repetitions among them
    tokens : most tokens of questions and answers together; None for no limit. The last answer may
        go beyond it, since its length is not known before.
    used_requests, used_tokens : spent so far
    """

    requests: int
    tokens: int | None = None
    used_requests: int = 0
    used_tokens: int = 0

    def __post_init__(self) -> None:
        for name in ("requests", "tokens"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"budget of {name}: expected at least 1, got {value}")

    def begin(self, tokens: int) -> None:
        """Take one request whose question is about `tokens` long.

        Raises
        ------
        BudgetError : if it does not fit into what is left; nothing is taken then
        """
        if self.used_requests >= self.requests:
            raise BudgetError(f"the budget of {self.requests} requests is spent")
        if self.tokens is not None and self.used_tokens + tokens > self.tokens:
            raise BudgetError(
                f"the budget of {self.tokens} tokens is spent ({self.used_tokens} used, the next "
                f"question has about {tokens})"
            )
        self.used_requests += 1

    def end(self, tokens: int) -> None:
        """Add the tokens of a finished request."""
        self.used_tokens += tokens


class RateLimit:
    """Spaces requests evenly over time.

    Parameters
    ----------
    per_minute : most requests a minute
    clock, sleep : for programs that keep their own time

    Examples
    --------
    >>> waits = []
    >>> limit = RateLimit(30, clock=lambda: 100.0, sleep=waits.append)
    >>> for _ in range(3):
    ...     limit.wait()
    >>> waits
    [2.0, 4.0]
    """

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 < per_minute < float("inf"):
            raise ConfigError(f"requests a minute: expected a positive number, got {per_minute}")
        self.interval = 60.0 / per_minute
        self._clock, self._sleep = clock, sleep
        self._next = 0.0

    def wait(self) -> None:
        """Wait until the next request may start."""
        now = self._clock()
        if now < self._next:
            self._sleep(self._next - now)
        self._next = max(now, self._next) + self.interval
