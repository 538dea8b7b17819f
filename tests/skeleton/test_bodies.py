"""Joining and choosing of tracked bodies, against the rules written as plain loops."""

from __future__ import annotations

import math
from statistics import fmean, pvariance

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.skeleton.bodies import (
    BodyTrack,
    choose_bodies,
    is_plausible,
    join_tracks,
    motion_energy,
    wide_share,
)


def body(seed: int, *, energy: float = 0.0, frames: int = 20, x: float = 0.0) -> np.ndarray:
    """An upright figure that shifts about as a whole; (frames, 25, 3)."""
    rng = np.random.default_rng(seed)
    figure = rng.uniform((-0.2, -0.8, 2.9), (0.2, 0.8, 3.1), size=(25, 3)) + np.array([x, 0, 0])
    return figure + energy * rng.normal(size=(frames, 1, 3))


def table(seed: int, *, frames: int = 20) -> np.ndarray:
    return body(seed, energy=2.0, frames=frames) @ np.diag([10.0, 0.2, 1.0])


def track(points: np.ndarray, first: int = 0) -> BodyTrack:
    frames = np.arange(first, first + len(points))
    return BodyTrack(frames, points, np.ones(points.shape[:2]))


# --- the rules as loops -----------------------------------------------------------------------


def energy_by_loop(points: np.ndarray) -> float:
    frames, joints, axes = points.shape
    return math.fsum(
        pvariance([float(points[t, v, c]) for t in range(frames)])
        for v in range(joints)
        for c in range(axes)
    )


def wide_by_loop(points: np.ndarray) -> float:
    wide = 0
    for figure in points:
        xs, ys = [float(p[0]) for p in figure], [float(p[1]) for p in figure]
        wide += max(xs) - min(xs) > 0.8 * (max(ys) - min(ys))
    return wide / len(points)


def choose_by_loop(bodies: list[np.ndarray], most: int) -> list[int]:
    if len(bodies) == 1:
        return [0]
    left = [i for i, b in enumerate(bodies) if len(b) > 11 and wide_by_loop(b) < 0.69754]
    left = left or list(range(len(bodies)))
    kept: list[int] = []
    while left and len(kept) < most:
        best = max(left, key=lambda i: (energy_by_loop(bodies[i]), -i))
        left.remove(best)
        kept.append(best)
    longest = max(len(bodies[i]) for i in kept)
    steady = [i for i in kept if len(bodies[i]) >= 0.9 * longest]
    return steady + [i for i in kept if i not in steady]


def join_by_loop(tracks: list[BodyTrack]) -> list[list[int]]:
    """Frames of the joined persons."""
    people: list[list[BodyTrack]] = []
    for one in sorted(tracks, key=lambda t: t.frames[0]):
        best, nearest = math.inf, None
        for person in people:
            last = person[-1]
            if last.frames[-1] >= one.frames[0]:
                continue
            a = [fmean(float(p[c]) for p in last.keypoints[-1]) for c in range(3)]
            b = [fmean(float(p[c]) for p in one.keypoints[0]) for c in range(3)]
            if math.dist(a, b) < best:
                best, nearest = math.dist(a, b), person
        gap = math.inf if nearest is None else int(one.frames[0] - nearest[-1].frames[-1])
        if nearest is not None and best <= 0.5 + 0.1 * gap:
            nearest.append(one)
        else:
            people.append([one])
    return [[int(t) for part in person for t in part.frames] for person in people]


tracks = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 20), st.integers(0, 6), st.integers(0, 99)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(tracks)
def test_joining_equals_the_rule_as_a_loop(drawn) -> None:
    parts = [
        track(body(seed, energy=0.05, frames=length, x=0.4 * x), first)
        for first, length, x, seed in drawn
    ]
    joined = join_tracks(parts)
    assert [person.frames.tolist() for person in joined] == join_by_loop(parts)
    for person in joined:
        assert (np.diff(person.frames) > 0).all()
        assert person.keypoints.shape == (len(person), 25, 3)
        assert person.confidence.shape == (len(person), 25)
    assert sum(len(person) for person in joined) == sum(len(part) for part in parts)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(5, 25), st.integers(1, 6), st.integers(0, 99)),
        min_size=1,
        max_size=5,
    ),
    st.integers(1, 4),
)
def test_choosing_equals_the_rule_as_a_loop(drawn, most) -> None:
    bodies = [
        table(seed, frames=frames) if wide else body(seed, energy=0.1 * e, frames=frames)
        for wide, frames, e, seed in drawn
    ]
    assert choose_bodies(bodies, most) == choose_by_loop(bodies, most)


@pytest.mark.parametrize("seed", range(4))
def test_energy_and_wide_share_equal_their_loops(seed) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(scale=(0.9, 1.0, 1.0), size=(17, 25, 3))
    assert motion_energy(points) == pytest.approx(energy_by_loop(points), rel=1e-12)
    assert wide_share(points) == wide_by_loop(points)


# --- what the rules mean ----------------------------------------------------------------------


def test_energy_does_not_know_where_a_body_is_or_how_tall() -> None:
    calm = body(1, energy=0.1)
    assert motion_energy(calm + 5.0) == pytest.approx(motion_energy(calm))
    tall = calm + (calm[:1] - calm[:1].mean(axis=1))
    assert motion_energy(tall) == pytest.approx(motion_energy(calm))


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (body(1, frames=12), True),
        (body(1, frames=11), False),
        (table(1), False),
        (np.concatenate([body(1, frames=7), table(2, frames=16)]), True),
        (np.concatenate([body(1, frames=6), table(2, frames=14)]), False),
    ],
    ids=["twelve frames", "eleven frames", "a table", "wide in 69.6 %", "wide in 70 %"],
)
def test_a_person_is_long_in_view_and_mostly_upright(points, expected) -> None:
    assert is_plausible(points) is expected


def test_a_table_is_no_person_however_it_shakes() -> None:
    assert choose_bodies([table(1), body(2), table(3)], 3) == [1]


def test_when_nobody_is_plausible_everyone_may_stay() -> None:
    assert choose_bodies([table(1, frames=5), body(2, frames=5)], 2) == [0, 1]


def test_a_passer_by_never_becomes_the_main_actor() -> None:
    actor, passer_by = body(1, energy=0.05, frames=60), body(2, energy=1.0, frames=20)
    assert choose_bodies([passer_by, actor], 2) == [1, 0]


def test_of_two_steady_bodies_the_more_energetic_comes_first() -> None:
    calm, lively = body(1, energy=0.05, frames=40), body(2, energy=1.0, frames=38)
    assert choose_bodies([calm, lively], 2) == [1, 0]


def test_a_short_absence_allows_a_short_way_and_a_long_one_a_longer() -> None:
    here = body(1, frames=10)
    for gap, way, persons in ((1, 0.55, 1), (1, 0.65, 2), (20, 2.4, 1), (20, 2.6, 2)):
        there = track(body(1, frames=10, x=way), 9 + gap)
        assert len(join_tracks([track(here), there])) == persons, (gap, way)


def test_whoever_comes_back_is_the_nearer_of_two_who_left() -> None:
    left, right = track(body(1, frames=5)), track(body(1, frames=5, x=0.5))
    back = track(body(1, frames=5, x=0.45), 6)
    frames = [person.frames.tolist() for person in join_tracks([left, right, back])]
    assert frames == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]]


def test_two_at_one_time_are_never_one() -> None:
    assert len(join_tracks([track(body(1)), track(body(1), 19)])) == 2
