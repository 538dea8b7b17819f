"""What a person sees while work goes on."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from infocpl.apps import progress
from infocpl.apps.progress import Reporter


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every report becomes a line, whatever the clock says."""
    monkeypatch.setattr(progress, "_LINE_EVERY", 0.0)


def test_messages_go_to_standard_error(capsys):
    Reporter().say("reading [bold]everything[/bold]")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "reading [bold]everything[/bold]\n")


def test_a_long_message_stays_on_one_line(capsys):
    Reporter().say("x" * 500)
    assert capsys.readouterr().err == "x" * 500 + "\n"


def test_lines_tell_share_time_left_and_note(capsys, eager):
    with Reporter().bar(4.0) as advance:
        for step in range(1, 5):
            advance(1.0, f"step {step}")
    lines = capsys.readouterr().err.splitlines()
    shares = [re.fullmatch(r"\[ *(\d+)%, .* left\] step (\d)", line).groups() for line in lines]
    assert shares == [("25", "1"), ("50", "2"), ("75", "3"), ("100", "4")]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is set by hand."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_work_of_an_earlier_run_does_not_shorten_the_time_left(capsys, eager, clock):
    """Half of the work is there at once; the rest goes at one unit a second."""
    with Reporter().bar(2000.0) as advance:
        clock[0] += 5
        advance(1000.0, "finished earlier")
        for _ in range(600):
            clock[0] += 1
            advance(1.0, "work")
    assert capsys.readouterr().err.splitlines()[-1] == "[ 80%, 6 min 40 s left] work"


def test_the_time_left_follows_the_speed_of_the_last_minutes(capsys, eager, clock):
    with Reporter().bar(1000.0) as advance:
        for seconds in [1] * 400 + [3] * 200:
            clock[0] += seconds
            advance(1.0, "work")
    assert capsys.readouterr().err.splitlines()[-1] == "[ 60%, 20 min 0 s left] work"


def test_steps_longer_than_the_span_of_speed_are_told_by_the_last_of_them(capsys, eager, clock):
    with Reporter().bar(4.0) as advance:
        for _ in range(2):
            clock[0] += 900
            advance(1.0, "long")
    assert capsys.readouterr().err.splitlines()[-1] == "[ 50%, 30 min 0 s left] long"


def test_more_work_than_planned_is_never_more_than_all(capsys, eager):
    with Reporter().bar(1.0) as advance:
        advance(5.0, "over")
    assert capsys.readouterr().err == "[100%, 0 s left] over\n"


def test_no_work_planned_is_no_division_by_zero(capsys, eager):
    with Reporter().bar(0.0) as advance:
        advance(0.0, "nothing")
        advance(1.0, "something")
    assert capsys.readouterr().err == "[100%, 0 s left] something\n"


def test_a_log_is_not_flooded(capsys):
    with Reporter().bar(10_000.0) as advance:
        for _ in range(10_000):
            advance(1.0, "step")
    assert len(capsys.readouterr().err.splitlines()) <= 1


def test_counting_adds_up_to_the_whole(capsys, eager):
    with Reporter().count("reading") as report:
        for number in range(1, 6):
            report(number, 5)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("] ")[1] for line in lines] == [f"reading: {n}/5" for n in range(1, 6)]
    assert lines[-1].startswith("[100%")


def test_quiet_is_quiet(capsys, eager):
    reporter = Reporter(quiet=True)
    reporter.say("hello")
    with reporter.bar(1.0) as advance:
        advance(1.0, "done")
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_ends_clean():
    reporter = Reporter()
    screen = io.StringIO()
    reporter.console = Console(file=screen, force_terminal=True, width=100)
    with reporter.bar(2.0) as advance:
        advance(1.0, "half [of] it")
        advance(1.0, "all of it")
    assert "all of it" in screen.getvalue()


def test_an_error_inside_the_work_is_not_swallowed(eager):
    with pytest.raises(ZeroDivisionError), Reporter().bar(1.0) as advance:
        advance(1 / 0, "never")


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (3725, "62 min 5 s")]
)
def test_time_is_told_as_a_person_would(seconds, said):
    assert progress._span(seconds) == said
