"""From people found frame by frame to persons: who is who, who stays, joints not seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.people import Detection, assemble_people
from infocpl.skeleton.layout import create_layout

COCO = create_layout("coco17")


def people(*places: tuple[float, float] | None, scores: float = 1.0, ids: bool = False):
    """Detections of the COCO body, one at each place; None leaves one out."""
    body = np.random.default_rng(0).normal(scale=30, size=(17, 2))
    return [
        Detection(body + place, np.full(17, scores), at if ids else -1)
        for at, place in enumerate(places)
        if place is not None
    ]


def order_of(frames, max_persons: int = 2) -> list[list[float | None]]:
    """For each person the rough x of the body in every frame, None where absent."""
    points, confidence = assemble_people(Path("a"), frames, COCO, max_persons)
    return [
        [
            round(-float(p.mean(axis=0)[0]), -2) if c.any() else None
            for p, c in zip(a, b, strict=True)
        ]
        for a, b in zip(points, confidence, strict=True)
    ]


def test_persons_are_followed_whatever_their_order_in_the_file() -> None:
    frames = [people((100, 0), (500, 0)), people((510, 0), (110, 0)), people((90, 0), (490, 0))]
    assert order_of(frames) == [[100, 100, 100], [500, 500, 500]]


def test_persons_who_cross_are_told_apart_by_where_they_were() -> None:
    left, right = [100, 200, 300, 400, 500], [500, 400, 300, 200, 100]
    frames = [people((a, 0), (b, 400)) for a, b in zip(left, right, strict=True)]
    assert order_of([frame[:: (-1) ** i] for i, frame in enumerate(frames)]) == [left, right]


def test_a_person_lost_for_some_frames_is_found_again() -> None:
    here, gone = people((100, 0), (500, 0)), people(None, (500, 0))
    assert order_of([here, gone, gone, here]) == [[100, None, None, 100], [500] * 4]


def test_a_person_lost_for_more_than_a_second_is_another_one() -> None:
    here, gone = people((100, 0), (500, 0)), people(None, (500, 0))
    found = order_of([here, *[gone] * 31, here], max_persons=3)
    assert len(found) == 3
    assert found[0] == [500] * 33  # the steadiest first


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.sampled_from([0, 60, -60, 400, None]), max_size=12))
def test_a_person_is_followed_alike_alone_and_in_company(steps) -> None:
    x, alone, company = 0, [], []
    for step in [0, *steps]:
        x += step or 0
        here = None if step is None else (x, 0)
        alone.append(people(here))
        company.append(people(here, (x, 9000)))

    def parts(frames) -> set[tuple[int, ...]]:
        """The frames of every person found who is not far below."""
        points, confidence = assemble_people(Path("a"), frames, COCO, 16)
        return {
            tuple(np.flatnonzero(weight.any(axis=1)))
            for place, weight in zip(points, confidence, strict=True)
            if place[..., 1].min() > -4000
        }

    assert parts(alone) == parts(company)


def test_the_numbers_of_a_tracker_decide_where_everyone_has_one() -> None:
    frames = [people((100, 0), (500, 0), ids=True), people((500, 0), (100, 0), ids=True)]
    assert order_of(frames) == [[100, 500], [500, 100]]
    doubled = [[replace(one, person=0) for one in frame] for frame in frames]
    assert order_of(doubled) == [[100, 100], [500, 500]]


def test_the_most_seen_persons_stay() -> None:
    frames = [people((100, 0), (500, 0), (900, 0), ids=True) for _ in range(4)]
    frames[0] = frames[0][1:]
    faint = [[f[0], replace(f[1], scores=f[1].scores * 0.2), *f[2:]] for f in frames[1:]]
    assert order_of([frames[0], *faint]) == [[None, 100, 100, 100], [900] * 4]


def test_somebody_who_passes_comes_after_the_one_who_acts() -> None:
    passing = people((100, 0), (500, 0), ids=True)
    acting = people(None, (500, 0), ids=True)
    assert order_of([passing, acting, acting]) == [[500] * 3, [100, None, None]]


def test_unseen_joints_stand_at_the_nearest_seen_one_with_no_confidence() -> None:
    one = people((100, 0))[0]
    points, scores = one.points.copy(), one.scores.copy()
    for joint in ("left_wrist", "left_elbow", "right_knee", "right_ankle"):
        points[COCO.index(joint)] = scores[COCO.index(joint)] = 0
    found, confidence = assemble_people(Path("a"), [[Detection(points, scores)]], COCO, 1)
    at = {joint: found[0, 0, COCO.index(joint)].tolist() for joint in COCO.joints}
    assert at["left_wrist"] == at["left_elbow"] == at["left_shoulder"] != [0, 0]
    assert at["right_ankle"] == at["right_knee"] == at["right_hip"]
    assert confidence[0, 0].sum() == 13


def test_a_person_of_whom_nothing_is_seen_is_nobody() -> None:
    empty = Detection(np.zeros((17, 2)), np.zeros(17))
    assert order_of([[*people((100, 0)), empty], [empty]]) == [[100, None]]
    with pytest.raises(SkeletonFormatError, match="a joint seen in some frame"):
        assemble_people(Path("a"), [[empty]], COCO, 2)
