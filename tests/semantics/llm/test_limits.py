"""Budget and rate, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import LanguageModelError
from infocpl.semantics.llm import Budget, BudgetError, RateLimit


class Clock:
    """Time that passes only when somebody sleeps or works."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.starts: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


@given(
    st.lists(st.floats(0, 10), min_size=1, max_size=30),
    st.sampled_from([1, 6, 60, 600]),
)
def test_two_requests_are_never_closer_than_the_rate_allows(works, per_minute):
    clock = Clock()
    limit = RateLimit(per_minute, clock=clock.time, sleep=clock.sleep)
    for work in works:
        limit.wait()
        clock.starts.append(clock.now)
        clock.now += work
    gaps = [b - a for a, b in zip(clock.starts, clock.starts[1:], strict=False)]
    assert all(gap >= 60 / per_minute - 1e-6 for gap in gaps)
    # Nobody waits longer than needed.
    for gap, work in zip(gaps, works, strict=False):
        assert gap <= max(60 / per_minute, work) + 1e-6


def test_the_first_request_starts_at_once():
    clock = Clock()
    RateLimit(1, clock=clock.time, sleep=clock.sleep).wait()
    assert clock.now == 1000.0


@given(st.integers(1, 20), st.integers(0, 40))
def test_as_many_requests_as_the_budget_holds(most, tries):
    budget = Budget(most)
    done = 0
    for _ in range(tries):
        try:
            budget.begin(10)
            done += 1
        except BudgetError:
            break
    assert done == budget.used_requests == min(most, tries)


def test_a_question_that_does_not_fit_takes_nothing():
    budget = Budget(10, tokens=100)
    budget.begin(60)
    budget.end(60)
    with pytest.raises(BudgetError, match="next question has about 41"):
        budget.begin(41)
    assert (budget.used_requests, budget.used_tokens) == (1, 60)
    budget.begin(40)
    assert budget.used_requests == 2


def test_a_spent_budget_is_an_error_of_language_models():
    with pytest.raises(LanguageModelError):
        Budget(1, tokens=1).begin(2)
