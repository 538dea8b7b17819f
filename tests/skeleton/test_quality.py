"""What looks wrong in a clip: planted faults are found, real clips of a good sensor pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.skeleton.formats import read_skeleton
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.skeleton.quality import FROZEN, JUMP, SHORT, find_problems, frame_speed
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic import generate_clip

LAYOUT = create_layout("ntu25")


@pytest.fixture(scope="module")
def clean() -> SkeletonSequence:
    """A person who waves, as an exact sensor would see it."""
    clip = generate_clip("wave the right hand", subject=1, noise=0.0)
    return SkeletonSequence(clip.keypoints, LAYOUT, fps=clip.fps)


def changed(clip: SkeletonSequence, change, *, confidence=None) -> SkeletonSequence:
    points = clip.keypoints.copy()
    change(points)
    return SkeletonSequence(
        points,
        clip.layout,
        confidence=clip.confidence if confidence is None else confidence,
        fps=clip.fps,
        units=clip.units,
    )


def kinds(clip: SkeletonSequence) -> set[str]:
    return {problem.kind for problem in find_problems(clip)}


def test_a_clean_clip_has_no_problems(clean):
    assert find_problems(clean) == []


def test_empty_frames_are_counted_and_the_first_is_named(clean):
    confidence = clean.confidence.copy()
    confidence[0, [11, 20, 21]] = 0.0
    (problem,) = find_problems(changed(clean, lambda points: None, confidence=confidence))
    assert problem.text == f"nobody in 3 of {clean.frames} frames, first in frame 11"
    assert problem.frames == (11, 20, 21)


def test_a_clip_without_anybody_says_only_that(clean):
    nobody = changed(clean, lambda p: None, confidence=np.zeros_like(clean.confidence))
    assert [problem.kind for problem in find_problems(nobody)] == ["nobody"]


def test_a_jump_is_found_where_it_is(clean):
    def jump(points):
        points[0, 30, LAYOUT.index("left_hand"), 0] += 3.0

    (problem,) = [p for p in find_problems(changed(clean, jump)) if p.kind == "jumps"]
    assert problem.frames == (29, 30)
    assert "2 jumps of a joint" in problem.text


def test_a_slower_recording_may_move_further_in_a_frame(clean):
    def lean(points):
        points[0, 30:, :, 0] += 0.8

    moved = changed(clean, lean)
    assert kinds(moved) == set()
    assert "jumps" in kinds(SkeletonSequence(moved.keypoints, LAYOUT, fps=120.0))


def test_a_frozen_sensor_is_found(clean):
    def freeze(points):
        points[0, 20 : 20 + FROZEN] = points[0, 20]

    (problem,) = find_problems(changed(clean, freeze))
    assert problem.text == f"nothing moves from frame 20 to {20 + FROZEN - 1}"

    def shorter(points):
        points[0, 20 : 20 + FROZEN - 1] = points[0, 20]

    assert find_problems(changed(clean, shorter)) == []


def test_joints_without_confidence_are_named(clean):
    confidence = clean.confidence.copy()
    confidence[0, ::2, [LAYOUT.index("left_hand"), LAYOUT.index("head")]] = 0.0
    (problem,) = find_problems(changed(clean, lambda points: None, confidence=confidence))
    assert problem.kind == "missing joints"
    share = np.ceil(clean.frames / 2) / clean.frames
    assert f"left_hand ({share:.0%})" in problem.text
    assert f"head ({share:.0%})" in problem.text


def test_a_bone_that_grows_and_shrinks_is_named(clean):
    child, parent = LAYOUT.index("left_knee"), LAYOUT.index("left_hip")

    def stretch(points):
        bone = points[0, :, child] - points[0, :, parent]
        factor = np.where(np.arange(len(bone)) % 20 < 10, 1.0, 2.5)[:, None]
        points[0, :, child] = points[0, :, parent] + factor * bone

    texts = [p.text for p in find_problems(changed(clean, stretch)) if p.kind == "unsteady bones"]
    assert len(texts) == 1
    assert "left_hip to left_knee" in texts[0]


def test_an_arm_twice_as_long_as_the_other_is_named(clean):
    child, parent = LAYOUT.index("right_wrist"), LAYOUT.index("right_elbow")

    def lengthen(points):
        points[0, :, child] += points[0, :, child] - points[0, :, parent]

    (problem,) = [p for p in find_problems(changed(clean, lengthen)) if p.kind == "unequal sides"]
    assert "right_elbow to right_wrist" in problem.text


@pytest.mark.parametrize("factor", [1000.0, 0.01])
def test_a_body_of_another_unit_is_suspected(clean, factor: float):
    (problem,) = find_problems(changed(clean, lambda points: points.__imul__(factor)))
    assert problem.kind == "body size"
    assert "other units than metres?" in problem.text
    other = SkeletonSequence(clean.keypoints * factor, LAYOUT, fps=clean.fps, units="normalised")
    assert find_problems(other) == []


def test_a_second_person_who_only_passes_is_mentioned_by_number(clean):
    points = np.concatenate((clean.keypoints, clean.keypoints + 1.0))
    confidence = np.concatenate((clean.confidence, clean.confidence))
    confidence[1, 10:] = 0.0
    clip = SkeletonSequence(points, LAYOUT, confidence=confidence, fps=clean.fps)
    (problem,) = find_problems(clip)
    assert problem.kind == "passing person"
    assert problem.text.startswith("person 1 is there in ")


def test_a_very_short_clip_says_so(clean):
    short = SkeletonSequence(clean.keypoints[:, : SHORT - 1], LAYOUT)
    assert "short" in kinds(short)
    assert kinds(SkeletonSequence(clean.keypoints[:, :1], LAYOUT)) == {"short"}


def test_speed_is_that_of_the_fastest_joint_by_a_plain_loop(clean):
    speed = frame_speed(clean, 0)
    heights = [np.ptp(frame, axis=0).max() for frame in clean.keypoints[0].astype(float)]
    height = float(np.median(heights))
    for frame in range(clean.frames - 1):
        fastest = max(
            np.linalg.norm(
                clean.keypoints[0, frame + 1, joint].astype(float)
                - clean.keypoints[0, frame, joint]
            )
            for joint in range(25)
        )
        assert speed[frame] == pytest.approx(fastest * clean.fps / height, rel=1e-5)
    assert speed[-1] == 0.0
    assert speed.max() < JUMP


@given(
    points=hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 12), st.just(15), st.just(3)),
        elements=st.floats(-1e6, 1e6, width=32),
    ),
    seed=st.integers(0, 99),
)
def test_no_clip_is_too_strange_to_look_at(points, seed):
    rng = np.random.default_rng(seed)
    confidence = rng.integers(0, 3, points.shape[:3]) / 2.0
    clip = SkeletonSequence(points, create_layout("sbu15"), confidence=confidence)
    for problem in find_problems(clip):
        assert problem.text
        assert all(0 <= frame < clip.frames for frame in problem.frames)


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_can_be_looked_at(name: str, rng):
    layout = create_layout(name)
    clip = SkeletonSequence(rng.normal(size=(1, 30, len(layout), layout.dims)), layout)
    assert "jumps" in kinds(clip)


def test_most_real_clips_of_a_good_recording_have_no_problem(real_data: Path):
    files = sorted((real_data / "utd_mhad").glob("*.mat"))[::20]
    wrong = [path.name for path in files if find_problems(read_skeleton(path))]
    assert len(wrong) <= 0.05 * len(files), wrong
