from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from infocpl.errors import LayoutError
from infocpl.skeleton import layout_map
from infocpl.skeleton.formats import read_skeleton
from infocpl.skeleton.layout import create_layout, layout_from_dict, list_layouts
from infocpl.skeleton.layout_map import create_layout_map

PAIRS = list(product(list_layouts(), list_layouts()))
KINECTS = [("ntu25", "kinect20"), ("kinect20", "ntu25")]

ARM = {
    "name": "arm",
    "joints": ["left_shoulder", "left_elbow", "left_wrist", "left_claw", "left_nail"],
    "bones": [
        ["left_elbow", "left_shoulder"],
        ["left_wrist", "left_elbow"],
        ["left_claw", "left_wrist"],
        ["left_nail", "left_claw"],
    ],
    "symmetry": [],
    "parts": {"left_arm": ["left_shoulder", "left_elbow", "left_wrist", "left_claw", "left_nail"]},
    "center": "left_shoulder",
}


@pytest.mark.parametrize(("source", "target"), KINECTS)
def test_the_two_kinects_map_onto_each_other_without_missing_joints(source, target) -> None:
    chart = create_layout_map(create_layout(source), create_layout(target))
    assert {entry.how for entry in chart.entries} <= {"copied", "derived"}


@pytest.mark.parametrize(("source", "target"), KINECTS)
def test_there_and_back_is_the_identity_on_shared_joints(make_clip, source, target) -> None:
    a, b = create_layout(source), create_layout(target)
    clip = make_clip(source, persons=2)
    again = create_layout_map(b, a).apply(create_layout_map(a, b).apply(clip))
    shared = [a.index(joint) for joint in a.joints if joint in b.joints]
    assert len(shared) == 20
    np.testing.assert_array_equal(again.keypoints[:, :, shared], clip.keypoints[:, :, shared])
    np.testing.assert_array_equal(again.confidence[:, :, shared], clip.confidence[:, :, shared])


@pytest.mark.parametrize("name", list_layouts())
def test_a_map_onto_the_same_layout_copies_everything(name, rng) -> None:
    layout = create_layout(name)
    chart = create_layout_map(layout, layout)
    assert {entry.how for entry in chart.entries} == {"copied"}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_joint_equals_the_plain_mean_of_its_sources(make_clip, source, target) -> None:
    a, b = create_layout(source), create_layout(target)
    chart = create_layout_map(a, b, allow_missing=True)
    clip = make_clip(source, persons=2, frames=3)
    result = chart.apply(clip)
    assert result.layout is b
    both = min(a.dims, b.dims)
    assert not result.keypoints[..., both:].any()
    for row, entry in zip(chart.table(), chart.entries, strict=True):
        at = b.index(row["joint"])
        if row["how"] == "missing":
            assert row["from"] == ""
            assert row["note"] == f"stands at {entry.fill} with confidence 0"
            assert not result.confidence[:, :, at].any()
            expected = result.keypoints[:, :, b.index(entry.fill)]
            np.testing.assert_array_equal(result.keypoints[:, :, at], expected)
            continue
        total = sum(clip.keypoints[:, :, a.index(joint)] for joint in row["from"].split(", "))
        expected = (total / len(row["from"].split(", ")))[..., :both]
        np.testing.assert_allclose(result.keypoints[:, :, at, :both], expected, atol=1e-6)
        assert (row["how"] == "copied") == (row["joint"] in a.joints) == (row["note"] == "")


@pytest.mark.parametrize("target", ["ntu25", "kinect20"])
@pytest.mark.parametrize("source", list_layouts())
def test_every_layout_reaches_the_two_kinects_and_says_how(source, target) -> None:
    a, b = create_layout(source), create_layout(target)
    chart = create_layout_map(a, b, allow_missing=True)
    assert {entry.how for entry in chart.entries} <= {"copied", "derived"}
    lines = chart.report().splitlines()
    assert lines[0] == f"{a.summary} -> {b.summary}"
    assert ("depth: missing, 0 everywhere" in lines) == (a.dims == 2) == (chart.depth == "missing")
    assert lines[-1] == "missing: nothing"
    for joint in b.joints:
        assert sum(f" {joint}" in line for line in lines[1:]) >= 1


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_flat_layout_is_not_mapped_onto_a_spatial_one_unless_asked_for(source, target) -> None:
    a, b = create_layout(source), create_layout(target)
    if a.dims >= b.dims:
        assert create_layout_map(a, b, allow_missing=True).depth in ("copied", "dropped", "none")
        return
    summary = (
        rf"{source} \({len(a)} joints, 2-D\) does not map onto {target} \({len(b)} joints, 3-D"
    )
    with pytest.raises(LayoutError, match=summary):
        create_layout_map(a, b)


@pytest.mark.parametrize("name", list_layouts())
def test_the_image_of_a_spatial_layout_keeps_what_is_seen_from_the_front(make_clip, name) -> None:
    flat, spatial = create_layout(f"{name}-2d"), create_layout(f"{name}-3d")
    clip = make_clip(spatial.name, persons=2)
    result = create_layout_map(spatial, flat).apply(clip)
    np.testing.assert_array_equal(result.keypoints, clip.keypoints[..., :2])
    np.testing.assert_array_equal(result.confidence, clip.confidence)


def test_the_derivations_name_only_joints_that_some_layout_has() -> None:
    known = {joint for name in list_layouts() for joint in create_layout(name).joints}
    table = layout_map._derivations()
    assert set(table) <= known
    for joint, candidates in table.items():
        for candidate in candidates:
            assert set(candidate) <= known - {joint}
            # What stands in for a left joint is never to the right alone.
            sides = {part.split("_")[0] for part in candidate} & {"left", "right"}
            assert sides in (set(), {"left", "right"}, {joint.split("_")[0]})


def test_the_first_candidate_that_is_there_is_taken() -> None:
    chart = create_layout_map(create_layout("kinect20"), create_layout("ntu25"))
    rows = {row["joint"]: (row["how"], row["from"]) for row in chart.table()}
    assert rows["neck"] == ("derived", "upper_spine, head")
    assert rows["left_hand_tip"] == ("derived", "left_hand")
    assert rows["pelvis"] == ("copied", "pelvis")


def test_a_derived_joint_is_as_certain_as_its_least_certain_source(make_clip) -> None:
    clip = make_clip("kinect20", frames=1)
    confidence = clip.confidence.copy()
    confidence[..., clip.layout.index("head")] = 0.25
    clip = clip.with_keypoints(clip.keypoints, confidence=confidence)
    result = create_layout_map(clip.layout, create_layout("ntu25")).apply(clip)
    assert result.confidence[0, 0, result.layout.index("neck")] == 0.25


def test_missing_joints_are_an_error_that_names_them_unless_allowed(make_clip) -> None:
    arm = layout_from_dict(ARM)
    with pytest.raises(
        LayoutError, match=r"ntu25 .* onto arm .*it lacks left_claw, left_nail; pass"
    ):
        create_layout_map(create_layout("ntu25"), arm)
    clip = make_clip(persons=2)
    result = create_layout_map(clip.layout, arm, allow_missing=True).apply(clip)
    wrist = clip.keypoints[:, :, clip.layout.index("left_wrist")]
    for joint in ("left_wrist", "left_claw", "left_nail"):
        np.testing.assert_array_equal(result.keypoints[:, :, arm.index(joint)], wrist)
    assert result.confidence[0, 0].tolist() == [1, 1, 1, 0, 0]


def test_a_missing_centre_is_never_allowed() -> None:
    arm = layout_from_dict(ARM)
    with pytest.raises(LayoutError, match="nothing that could stand for 'pelvis'"):
        create_layout_map(arm, create_layout("ntu25"), allow_missing=True)


def test_the_depth_of_a_flat_clip_is_zero_if_that_is_asked_for(make_clip) -> None:
    clip = make_clip("coco17", persons=2)
    result = create_layout_map(clip.layout, create_layout("ntu25"), allow_missing=True).apply(clip)
    assert result.layout.dims == 3
    assert not result.keypoints[..., 2].any()
    assert result.keypoints[..., :2].any()
    with pytest.raises(LayoutError, match="it has no depth; pass allow_missing=True"):
        create_layout_map(clip.layout, create_layout("ntu25"))


def test_a_clip_on_another_layout_is_refused(make_clip) -> None:
    chart = create_layout_map(create_layout("ntu25"), create_layout("kinect20"))
    with pytest.raises(LayoutError, match=r"takes layout 'ntu25'; .*'kinect20' \(20 joints\)"):
        chart.apply(make_clip("kinect20"))


def test_absent_persons_stay_absent_and_zero(make_clip) -> None:
    clip = make_clip("kinect20", persons=2)
    keypoints, confidence = clip.keypoints.copy(), clip.confidence.copy()
    keypoints[1, 4:] = 0
    confidence[1, 4:] = 0
    clip = clip.with_keypoints(keypoints, confidence=confidence)
    result = create_layout_map(clip.layout, create_layout("ntu25")).apply(clip)
    np.testing.assert_array_equal(result.present, clip.present)
    assert not result.keypoints[1, 4:].any()


def test_a_real_ucla_clip_becomes_a_plausible_ntu_body(real_data) -> None:
    clip = read_skeleton(real_data / "nw_ucla" / "a01_s01_e00_v01.json")
    result = create_layout_map(clip.layout, create_layout("ntu25")).apply(clip)
    at = {joint: result.keypoints[0, 0, i] for i, joint in enumerate(result.layout.joints)}
    assert at["head"][1] > at["neck"][1] > at["upper_spine"][1] > at["pelvis"][1]
    assert (result.fps, result.units, result.source) == (clip.fps, clip.units, clip.source)
