"""The people who perform the synthetic actions: build, habits, and how these vary each time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from infocpl.errors import DataError
from infocpl.skeleton.synthetic.body import Body, create_body
from infocpl.skeleton.synthetic.timing import Style

__all__ = ["Subject", "create_subject", "vary_style"]

MAX_SUBJECTS = 998  # three digits in a file name, and an even number of partners
_LEFT_HANDED_EVERY = 6
_LOWEST, _TALLEST = 1.50, 1.92


@dataclass(frozen=True, eq=False)
class Subject:
    """One person.

    Attributes
    ----------
    number : from 1
    body : bones
    style : habits, from which every performance varies a little
    tempo : factor on how long an action takes (above 1 is slow)
    """

    number: int
    body: Body
    style: Style
    tempo: float


def create_subject(number: int, seed: int = 0) -> Subject:
    """The person with this number; the same for every call with the same arguments.

    Statures are spread evenly from 1.50 to 1.92 m by a low-discrepancy sequence, so that a
    handful of subjects already covers short and tall; every sixth subject is left-handed.

    Examples
    --------
    >>> create_subject(6).style.handed, create_subject(7).style.handed
    ('left', 'right')
    """
    if not 1 <= number <= MAX_SUBJECTS:
        raise DataError(f"subject: expected 1 to {MAX_SUBJECTS}, got {number}")
    if seed < 0:
        raise DataError(f"seed: expected a whole number >= 0, got {seed}")
    rng = np.random.default_rng([seed, 101, number])
    golden = (number * 0.6180339887498949) % 1.0
    height = _LOWEST + (_TALLEST - _LOWEST) * golden
    body = create_body(
        height,
        arms=float(rng.uniform(0.94, 1.06)),
        legs=float(rng.uniform(0.95, 1.05)),
        shoulders=float(rng.uniform(0.88, 1.14)),
    )
    style = Style(
        amplitude=float(rng.uniform(0.90, 1.08)),
        frequency=float(rng.uniform(0.86, 1.18)),
        onset=float(rng.uniform(0.05, 0.14)),
        finish=float(rng.uniform(0.88, 0.96)),
        repeats=int(rng.integers(2, 4)),
        handed="left" if number % _LEFT_HANDED_EVERY == 0 else "right",
        sway=float(rng.uniform(0.5, 2.2)),
        elbow=float(rng.uniform(8.0, 26.0)),
        spread=float(rng.uniform(4.0, 10.0)),
    )
    return Subject(number, body, style, float(rng.uniform(0.88, 1.16)))


def vary_style(style: Style, rng: np.random.Generator) -> Style:
    """The same habits on another day: a little more or less of everything."""
    return replace(
        style,
        amplitude=style.amplitude * float(rng.uniform(0.95, 1.05)),
        frequency=style.frequency * float(rng.uniform(0.94, 1.06)),
        onset=style.onset * float(rng.uniform(0.4, 1.6)),
        finish=min(1.0, style.finish + float(rng.uniform(-0.05, 0.04))),
        repeats=max(2, style.repeats + int(rng.integers(-1, 2))),
        elbow=style.elbow + float(rng.uniform(-3.0, 3.0)),
        seed=int(rng.integers(2**31)),
    )
