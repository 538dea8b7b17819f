"""Clips on their way to the canvas: whole numbers, safe JSON, refusals that name the field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.apps.report.player import (
    MAX_FRAMES,
    STEPS,
    clip_cards,
    clip_payload,
    need,
    number,
    optional,
    percent,
    script_json,
)
from infocpl.errors import DataError
from infocpl.skeleton.layout import create_layout, list_layouts


def make_clip(points: Any, **changes: Any) -> dict[str, Any]:
    """A chain of joints; the odd ones belong to the left arm, joint 0 to the torso."""
    joints = len(points[0][0])
    clip: dict[str, Any] = {
        "name": "clip",
        "true": "wave",
        "predicted": "wave",
        "correct": True,
        "scores": {"wave": 0.7, "bow": 0.2, "nod": 0.1},
        "layout": "chain",
        "bones": [[j, j - 1] for j in range(1, joints)],
        "parts": {
            "torso": [0],
            "left_arm": list(range(1, joints, 2)),
            "right_leg": list(range(2, joints, 2)),
        },
        "fps": 30,
        "keypoints": points,
    }
    return clip | changes


def decode(payload: dict[str, Any]) -> np.ndarray:
    points = np.array(payload["points"], dtype=float).reshape(*payload["shape"], 3)
    return points * payload["step"] + np.array(payload["origin"])


@settings(max_examples=60, deadline=None)
@given(
    scale=st.floats(1e-3, 1e4),
    shift=st.floats(-50, 50),
    persons=st.integers(1, 2),
    frames=st.integers(1, 9),
    seed=st.integers(0, 2**16),
)
def test_coordinates_come_back_within_half_a_step_in_any_unit(
    scale: float, shift: float, persons: int, frames: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    points = scale * (rng.normal(size=(persons, frames, 5, 3)) + shift)
    payload = json.loads(script_json(clip_payload(make_clip(points.tolist()))))
    assert payload["shape"] == [persons, frames, 5]
    error = np.abs(decode(payload) - points).max()
    assert error <= payload["step"] * 0.5 + scale * 1e-9
    # The resolution follows the movement, not the unit.
    assert payload["step"] <= np.ptp(points.reshape(-1, 3), axis=0).max() * 2 / STEPS


def test_the_origin_lies_on_the_floor_below_the_middle(rng: np.random.Generator) -> None:
    points = rng.uniform([2, 0.5, 4], [3, 2.0, 5], size=(1, 400, 20, 3))
    points[:, :, 0, 1] = 0.5
    payload = clip_payload(make_clip(points[:, :200].tolist()))
    np.testing.assert_allclose(payload["origin"], [2.5, 0.5, 4.5], atol=0.05)


def test_one_thrown_joint_does_not_shrink_the_person(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 1.8, size=(1, 60, 20, 3))
    calm = clip_payload(make_clip(points.tolist()))
    points[0, 30, 4] = 400.0
    wild = clip_payload(make_clip(points.tolist()))
    assert abs(wild["height"] * wild["step"] - calm["height"] * calm["step"]) < 0.1
    assert abs(wild["radius"] * wild["step"] - calm["radius"] * calm["step"]) < 0.1


def test_an_absent_person_is_marked_and_does_not_move_the_floor() -> None:
    points = np.full((2, 4, 3, 3), 5.0)
    points[:, :, :, 1] += np.arange(3)
    points[1, 1:3] = 0.0
    payload = clip_payload(make_clip(points.tolist()))
    assert payload["present"] == ["1111", "1001"]
    assert payload["origin"][1] == pytest.approx(5.0)
    whole = np.array(payload["points"]).reshape(2, 4, 3, 3)
    assert (whole[1, 1:3] == 0).all()


def test_a_clip_without_anyone_is_still_a_clip() -> None:
    payload = clip_payload(make_clip(np.zeros((1, 3, 2, 3)).tolist()))
    assert payload["present"] == ["000"]
    assert set(payload["points"]) == {0}


def test_a_single_point_that_never_moves_has_a_step() -> None:
    payload = clip_payload(make_clip(np.ones((1, 3, 1, 3)).tolist()))
    assert payload["step"] > 0
    np.testing.assert_allclose(decode(payload), 1.0)


@pytest.mark.parametrize("frames", [MAX_FRAMES, MAX_FRAMES + 1, 3 * MAX_FRAMES + 7])
def test_long_clips_are_thinned_but_last_as_long(frames: int, rng: np.random.Generator) -> None:
    points = rng.normal(size=(1, frames, 2, 3))
    payload = clip_payload(make_clip(points.tolist()))
    kept = payload["shape"][1]
    assert kept <= MAX_FRAMES
    assert kept == len(range(0, frames, payload["every"]))
    assert abs(kept / payload["fps"] - frames / 30) < payload["every"] / 30
    np.testing.assert_allclose(decode(payload), points[:, :: payload["every"]], atol=0.01)


def test_a_numpy_array_is_as_good_as_a_list(rng: np.random.Generator) -> None:
    points = rng.normal(size=(1, 4, 3, 3))
    assert clip_payload(make_clip(points)) == clip_payload(make_clip(points.tolist()))


def test_sides_follow_the_names_of_the_parts(rng: np.random.Generator) -> None:
    payload = clip_payload(make_clip(rng.normal(size=(1, 2, 5, 3)).tolist()))
    assert payload["sides"] == ["middle", "left", "right", "left", "right"]


@pytest.mark.parametrize("name", ["kinect20", "ntu25", "sbu15"])
def test_the_head_is_the_joint_where_the_chain_ends(name: str, rng: np.random.Generator) -> None:
    assert name in list_layouts()
    layout = create_layout(name)
    clip = make_clip(
        rng.normal(size=(1, 2, len(layout), 3)).tolist(),
        bones=[[layout.index(a), layout.index(b)] for a, b in layout.bones],
        parts={part: layout.part_index(part) for part in layout.parts},
    )
    payload = clip_payload(clip)
    assert payload["head"] == layout.index("head")
    for joint, side in zip(layout.joints, payload["sides"], strict=True):
        prefix = joint.split("_")[0]
        assert side == (prefix if prefix in ("left", "right") else "middle")


def test_a_face_of_several_joints_gets_no_circle(rng: np.random.Generator) -> None:
    points = rng.normal(size=(1, 2, 4, 3)).tolist()
    clip = make_clip(points, bones=[[1, 0], [2, 0], [3, 0]], parts={"head": [1, 2, 3]})
    assert clip_payload(clip)["head"] is None


GOOD = np.ones((1, 2, 3, 3)).tolist()
FAULTS = {
    "no object": ([1], "clip: expected an object"),
    "no keypoints": ({k: v for k, v in make_clip(GOOD).items() if k != "keypoints"}, "keypoints"),
    "null keypoints": (make_clip(GOOD, keypoints=None), "keypoints"),
    "ragged": (make_clip(GOOD, keypoints=[[[[1, 2, 3]], [[1, 2]]]]), "keypoints.*ragged"),
    "text": (make_clip(GOOD, keypoints=[[[["x", 2, 3]]]]), "keypoints"),
    "flat": (make_clip(GOOD, keypoints=[1, 2, 3]), r"keypoints.*shape \(3,\)"),
    "empty": (make_clip(GOOD, keypoints=[[]]), "keypoints"),
    "two coordinates": (make_clip(GOOD, keypoints=[[[[1, 2]]]]), r"\(1, 1, 1, 2\)"),
    "NaN": (make_clip(GOOD, keypoints=[[[[1, 2, float("nan")]]]]), "finite"),
    "infinite": (make_clip(GOOD, keypoints=[[[[1, 2, float("inf")]]]]), "finite"),
    "enormous": (make_clip(GOOD, keypoints=[[[[1, 2, 1e300]]]]), "finite"),
    "no rate": (make_clip(GOOD, fps=0), "fps.*above 0"),
    "rate in words": (make_clip(GOOD, fps="30"), "fps"),
    "true as rate": (make_clip(GOOD, fps=True), "fps"),
    "bone too far": (make_clip(GOOD, bones=[[0, 1], [2, 3]]), r"bones\[1\].*from 0 to 2"),
    "negative bone": (make_clip(GOOD, bones=[[-1, 1]]), r"bones\[0\]"),
    "bone of three": (make_clip(GOOD, bones=[[0, 1, 2]]), r"bones\[0\]"),
    "bone of numbers": (make_clip(GOOD, bones=[1]), r"bones\[0\]"),
    "bone with fraction": (make_clip(GOOD, bones=[[0, 1.0]]), r"bones\[0\]"),
    "part too far": (make_clip(GOOD, parts={"torso": [3]}), "parts.torso"),
    "part no list": (make_clip(GOOD, parts={"torso": 1}), "parts.torso"),
    "name no text": (make_clip(GOOD, name=3), "clip.name"),
}


@pytest.mark.parametrize(("clip", "message"), FAULTS.values(), ids=FAULTS.keys())
def test_a_faulty_clip_is_refused_by_field(clip: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        clip_payload(clip)


# --- what stands beside the player --------------------------------------------------------------


def test_scores_are_sorted_cut_and_counted() -> None:
    scores = {f"c{i}": i / 100 for i in range(9)}
    card = clip_cards([make_clip(GOOD, scores=scores, true="c7")])[0]
    assert [row["label"] for row in card["scores"]] == ["c8", "c7", "c6", "c5", "c4"]
    assert [row["percent"] for row in card["scores"]] == ["8.0", "7.0", "6.0", "5.0", "4.0"]
    assert [row["true"] for row in card["scores"]] == [False, True, False, False, False]
    assert card["hidden"] == 4


def test_bars_never_leave_their_track() -> None:
    rows = clip_cards([make_clip(GOOD, scores={"a": 1.7, "b": -0.2})])[0]["scores"]
    assert [row["width"] for row in rows] == ["100.00", "0.00"]


def test_believed_descriptions_are_sorted_and_scaled_to_the_largest() -> None:
    believed = [
        {"text": text, "granularity": "part", "weight": weight}
        for text, weight in (("low", 0.1), ("high", 0.4), ("middle", 0.2))
    ]
    card = clip_cards([make_clip(GOOD, heads=[{"k": 3, "believed": believed}])])[0]
    rows = card["heads"][0]["believed"]
    assert [row["text"] for row in rows] == ["high", "middle", "low"]
    assert [float(row["width"]) for row in rows] == [100.0, 50.0, 25.0]
    assert "width" not in believed[0]


@pytest.mark.parametrize("heads", [None, []], ids=["null", "empty"])
def test_a_clip_may_have_no_heads(heads: Any) -> None:
    assert clip_cards([make_clip(GOOD, heads=heads)])[0]["heads"] == []
    assert clip_cards([make_clip(GOOD)])[0]["heads"] == []


CARD_FAULTS = {
    "score in words": ({"scores": {"a": "x"}}, r"clips\[1\].scores.a"),
    "score NaN": ({"scores": {"a": float("nan")}}, r"clips\[1\].scores.a"),
    "correct as number": ({"correct": 1}, r"clips\[1\].correct"),
    "predicted null": ({"predicted": None}, r"clips\[1\].predicted"),
    "heads no list": ({"heads": {"k": 1}}, r"clips\[1\].heads"),
    "head without k": ({"heads": [{"believed": []}]}, r"clips\[1\].heads\[0\].k"),
    "head without rows": ({"heads": [{"k": 1}]}, r"clips\[1\].heads\[0\].believed"),
    "row without weight": (
        {"heads": [{"k": 1, "believed": [{"text": "a", "granularity": "b"}]}]},
        r"clips\[1\].heads\[0\].believed\[0\].weight",
    ),
}


@pytest.mark.parametrize(("change", "message"), CARD_FAULTS.values(), ids=CARD_FAULTS.keys())
def test_a_faulty_card_is_refused_by_clip_and_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        clip_cards([make_clip(GOOD), make_clip(GOOD, **change)])


# --- small helpers ------------------------------------------------------------------------------


@given(
    st.recursive(
        st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_script_json_reads_back_and_holds_nothing_html_could_read(value: Any) -> None:
    text = str(script_json(value))
    assert json.loads(text) == value
    assert not set("<>&'\u2028\u2029") & set(text)
    assert text.isascii()


def test_script_json_refuses_numbers_that_are_none() -> None:
    with pytest.raises(ValueError, match="JSON"):
        script_json(float("inf"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (0.25, 0.25), (True, None), ("1", None), (None, None), (float("inf"), None)],
    ids=repr,
)
def test_only_finite_numbers_are_numbers(value: Any, expected: float | None) -> None:
    assert number(value) == expected


def test_a_whole_number_too_large_for_a_float_is_no_number() -> None:
    assert number(10**400) is None
    assert percent(10**400) == "–"


def test_need_shortens_what_it_found() -> None:
    with pytest.raises(DataError) as caught:
        need({"a": "x" * 5000}, "a", list, "result")
    assert str(caught.value).startswith("result.a: expected a list, got 'xxx")
    assert len(str(caught.value)) < 120


def test_optional_entries_may_be_absent_or_null_but_not_wrong() -> None:
    assert optional({}, "a", dict, "result") == {}
    assert optional({"a": None}, "a", list, "result") == []
    with pytest.raises(DataError, match=r"result\.a: expected an object, got 3"):
        optional({"a": 3}, "a", dict, "result")
