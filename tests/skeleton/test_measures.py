"""Measures of generated clips: what must not matter does not, and words rank clips as they say."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import spearmanr

from infocpl.data.loading import ClipRows, prepare_clip
from infocpl.errors import LayoutError
from infocpl.semantics.lexicon import load_lexicon
from infocpl.semantics.traits import TRAIT_DIMENSIONS, trait_vector
from infocpl.skeleton import measures
from infocpl.skeleton.layout import create_layout, layout_from_dict, list_layouts
from infocpl.skeleton.layout_map import create_layout_map
from infocpl.skeleton.measures import MEASURES, measure_clips
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic import generate_clip, list_actions
from infocpl.skeleton.transforms import flip

NTU = create_layout("ntu25")

ACTIONS = (
    "wave the left hand",
    "circle the right arm",
    "throw a ball overhand",
    "kick sideways with the left leg",
    "lean to the right",
    "sit down",
    "walk forward",
    "turn around",
    "do jumping jacks",
    "push the other person",
    "two people walk apart",
)


def prepared(clip: SkeletonSequence, persons: int = 2, layout: str = "ntu25") -> NDArray:
    return prepare_clip(clip, frames=40, layout=layout, persons=persons)


@pytest.fixture(scope="module")
def performed() -> list[SkeletonSequence]:
    return [generate_clip(name, subject) for name in ACTIONS for subject in (1, 4)]


@pytest.fixture(scope="module")
def clips(performed) -> NDArray:
    """(22, 2, 40, 25, 3), the last four of two persons."""
    return np.stack([prepared(clip) for clip in performed])


@pytest.fixture(scope="module")
def measured(clips) -> NDArray:
    return measure_clips(clips, NTU)


def same(found: NDArray, expected: NDArray) -> None:
    """Equal to what rounding single-precision coordinates allows."""
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=2e-4)


def mirrored_name(name: str) -> str:
    kind, _, word = name.partition(".")
    other = {"left": "right", "clockwise": "counterclockwise"}
    other |= {value: key for key, value in other.items()}
    for one, two in other.items():
        if word == one or word.startswith(f"{one}_"):
            return f"{kind}.{two}{word.removeprefix(one)}"
    return name


def test_every_measure_bears_the_name_of_a_trait_and_stands_once():
    assert set(MEASURES) <= set(TRAIT_DIMENSIONS)
    assert len(set(MEASURES)) == len(MEASURES)


def test_a_mirror_exchanges_left_and_right_and_leaves_the_rest(performed, measured):
    names = [mirrored_name(name) for name in MEASURES]
    exchanged = {name for name, other in zip(MEASURES, names, strict=True) if name != other}
    assert {
        *("moving.left_arm", "moving.right_arm", "moving.left_leg", "moving.right_leg"),
        *("side.left", "side.right", "directions.left", "directions.right"),
        *("directions.clockwise", "directions.counterclockwise"),
    } == exchanged
    mirrored = np.stack([prepared(flip(clip)) for clip in performed])
    found = measure_clips(mirrored, NTU)
    same(found, measured[:, [MEASURES.index(name) for name in names]])
    # Were both sides alike in these clips the lines above would prove nothing.
    for name in exchanged:
        column = MEASURES.index(name)
        assert np.abs(found[:, column] - measured[:, column]).max() > 0.1


def move(clips: NDArray, turn: float = 0.0, shift: tuple[float, ...] = (0, 0, 0)) -> NDArray:
    """Turn clips about the vertical and shift them; who is absent stays so."""
    angle = np.deg2rad(turn)
    matrix = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    present = np.abs(clips).max(axis=(3, 4), keepdims=True) > 0
    return np.where(present, clips.astype(float) @ matrix.T + np.array(shift), 0.0)


@pytest.mark.parametrize("turn", [37.0, 180.0, -120.0])
def test_turning_a_clip_about_the_vertical_changes_nothing(clips, measured, turn):
    same(measure_clips(move(clips, turn=turn), NTU), measured)


def test_moving_a_clip_changes_nothing(clips, measured):
    same(measure_clips(move(clips, shift=(3.0, -0.7, 5.0)), NTU), measured)


def test_exchanging_the_two_persons_changes_nothing(clips, measured):
    same(measure_clips(clips[:, ::-1], NTU), measured)


def test_an_absent_second_person_is_like_none(clips):
    alone = clips[:-4]
    assert not alone[:, 1].any()
    np.testing.assert_array_equal(measure_clips(alone, NTU), measure_clips(alone[:, :1], NTU))


def test_rows_of_a_file_are_measured_like_an_array(clips, measured):
    rows = np.array([20, 3, 3, 7])
    np.testing.assert_array_equal(measure_clips(ClipRows(clips, rows), NTU), measured[rows])


def test_clips_are_measured_the_same_in_several_chunks(clips, measured, monkeypatch):
    monkeypatch.setattr(measures, "_CHUNK", 6)
    rows = np.array([0, 20, 3, 3, 19, 7, 21, 1, 8, 18])
    np.testing.assert_array_equal(measure_clips(ClipRows(clips, rows), NTU), measured[rows])


def test_more_clips_than_a_chunk_holds_are_all_measured(clips, measured):
    rows = (np.arange(measures._CHUNK + 5) + 12) % len(clips)
    found = measure_clips(ClipRows(clips[:, :, ::4], rows), NTU)
    expected = measure_clips(clips[:, :, ::4], NTU)
    np.testing.assert_array_equal(found, expected[rows])
    assert not np.array_equal(expected, measured)


def test_a_clip_is_measured_alone_as_among_others(clips, measured):
    found = np.concatenate([measure_clips(clips[i : i + 1], NTU) for i in range(len(clips))])
    same(found, measured)


def test_no_clips_have_no_measures():
    assert measure_clips(np.zeros((0, 1, 4, 25, 3)), NTU).shape == (0, len(MEASURES))


def test_a_clip_that_is_no_number_costs_the_others_nothing(clips, measured):
    spoilt = clips.copy()
    spoilt[3, 0, 5, 2, 1] = np.nan
    found = measure_clips(spoilt, NTU)
    assert np.isnan(found[3]).all()
    others = np.arange(len(clips)) != 3
    np.testing.assert_array_equal(found[others], measured[others])


def mapped(clip: SkeletonSequence, layout: str) -> NDArray:
    target = create_layout(layout)
    if layout != clip.layout.name:
        clip = create_layout_map(clip.layout, target, allow_missing=True).apply(clip)
    return prepared(clip, persons=1, layout=layout)


@pytest.mark.parametrize("layout", list_layouts())
def test_every_layout_can_be_measured_flat_ones_without_depth(performed, layout):
    shape = create_layout(layout)
    clips = np.stack([mapped(clip, layout) for clip in performed[:18]])
    assert clips.shape[-1] == shape.dims
    found = measure_clips(clips, shape)
    assert found.shape == (18, len(MEASURES))
    assert np.isfinite(found).all()
    # The left hand waves in the first two clips, the right arm goes round in the next.
    side = found[:, MEASURES.index("side.right")]
    assert side[:2].max() < side[2:4].min()
    if shape.dims == 2:
        assert not found[:, MEASURES.index("directions.backward")].any()


def test_a_flat_clip_is_measured_as_one_whose_depth_is_zero(clips):
    flat = dataclasses.replace(NTU, name="flat25", dims=2)
    pressed = clips * np.array([1, 1, 0])
    np.testing.assert_array_equal(measure_clips(clips[..., :2], flat), measure_clips(pressed, NTU))


def test_one_performance_gives_like_measures_through_both_sensors(performed):
    parts = [mapped(clip, "kinect20") for clip in performed[:18]]
    found = measure_clips(np.stack(parts), create_layout("kinect20"))
    expected = measure_clips(np.stack([mapped(clip, "ntu25") for clip in performed[:18]]), NTU)
    for column, name in enumerate(MEASURES):
        one, other = found[:, column], expected[:, column]
        if other.std() > 1e-6:
            assert np.corrcoef(one, other)[0, 1] > 0.9, name


def test_a_layout_without_wrists_is_refused_in_one_sentence():
    joints = ["hips", "left_shoulder", "right_shoulder", "left_hip", "right_hip", "head"]
    layout = layout_from_dict(
        {
            "name": "doll",
            "joints": joints,
            "bones": [[joint, "hips"] for joint in joints[1:]],
            "symmetry": [["left_shoulder", "right_shoulder"], ["left_hip", "right_hip"]],
            "parts": {"torso": joints},
            "center": "hips",
        }
    )
    with pytest.raises(LayoutError) as caught:
        measure_clips(np.zeros((1, 1, 4, 6, 3)), layout)
    message = str(caught.value)
    assert message.startswith("layout doll (6 joints, 3-D): measures need shoulders, elbows, wrist")
    assert "it has hips, left_shoulder" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "shape",
    [(1, 4, 25, 3), (1, 1, 1, 25, 3), (1, 1, 4, 20, 3), (1, 1, 4, 25, 2), (1, 1, 4, 25, 4)],
    ids=["no persons", "one frame", "other joints", "flat", "too many coordinates"],
)
def test_clips_of_another_shape_are_refused_in_one_sentence(shape):
    with pytest.raises(LayoutError) as caught:
        measure_clips(np.zeros(shape), NTU)
    message = str(caught.value)
    assert "expected (N, M, T >= 2, 25, 3) for layout 'ntu25'" in message
    assert message.endswith(f"got {shape}")


RANKS = (
    ("moving.right_arm", "wave the right hand", "wave the left hand"),
    ("moving.left_arm", "wave the left hand", "wave the right hand"),
    ("moving.left_leg", "kick forward with the left leg", "kick forward with the right leg"),
    ("side.right", "kick forward with the right leg", "kick forward with the left leg"),
    ("side.left", "wave the left hand", "wave both hands"),
    ("side.both", "wave both hands", "wave the right hand"),
    ("symmetry.symmetric", "clap the hands", "wave the right hand"),
    ("symmetry.alternating", "march in place", "jump up"),
    ("posture_end.sitting", "sit down", "stand up from a chair"),
    ("posture_start.sitting", "stand up from a chair", "sit down"),
    ("posture_end.crouching", "squat down", "stand up from a squat"),
    ("directions.up", "stand up from a chair", "sit down"),
    ("locomotion.jumping", "jump up", "squat down"),
    ("locomotion.walking", "walk forward", "nod the head"),
    ("locomotion.turning", "turn around", "bow"),
    ("path.circle", "circle the right arm", "raise the right arm forward"),
    ("directions.forward", "raise the right arm forward", "raise the right arm sideways"),
    ("directions.outward", "raise both arms sideways", "raise both arms forward"),
    ("heights.overhead", "raise both arms overhead", "raise both arms forward"),
    ("heights.floor", "bend down and touch the floor", "nod the head"),
    ("contact.own_hand", "clap the hands", "wave both hands"),
    ("repetition", "swing the right arm back and forth", "raise the right arm forward"),
    ("path.swing", "swing the left arm back and forth", "raise the left arm forward"),
    ("arms.shake", "wave the right hand", "punch forward with the right arm"),
    ("arms.shake", "wave both hands", "jog in place"),
    ("directions.forward", "kick forward with the left leg", "kick backward with the left leg"),
    ("directions.backward", "walk backward", "walk forward"),
    ("directions.left", "kick sideways with the left leg", "kick sideways with the right leg"),
    ("directions.right", "step sideways to the right", "step sideways to the left"),
    ("heights.knee", "lift the right knee", "wave the right hand"),
    ("posture_end.kneeling", "kneel down on one knee", "squat down"),
    ("locomotion.hopping", "hop on one leg", "step sideways to the left"),
    ("planes.sagittal", "kick forward with the right leg", "kick sideways with the right leg"),
    ("amplitude", "do jumping jacks", "nod the head"),
    ("speed", "throw a ball overhand", "lean to the left"),
    ("relation.approach", "two people walk towards each other", "two people walk apart"),
    ("relation.depart", "two people walk apart", "hug each other"),
    ("persons", "hug each other", "clap the hands"),
)


@pytest.mark.parametrize(
    ("name", "more", "less"), RANKS, ids=[f"{name}: {more}" for name, more, _ in RANKS]
)
def test_a_measure_is_larger_where_the_word_fits(name, more, less):
    """For every one of four people, whoever does the other action."""
    actions = [generate_clip(action, person) for action in (more, less) for person in (1, 3, 5, 8)]
    found = measure_clips(np.stack([prepared(clip) for clip in actions]), NTU)
    column = found[:, MEASURES.index(name)]
    assert column[:4].min() > column[4:].max()


def test_measures_of_limbs_sides_and_postures_agree_with_the_lexicon_over_all_actions():
    actions = list_actions()
    clips = [prepared(generate_clip(action, person)) for action in actions for person in (2, 7)]
    means = measure_clips(np.stack(clips), NTU).reshape(len(actions), 2, -1).mean(axis=1)
    entries = {entry.name: entry for entry in load_lexicon("synthetic").entries}
    traits = np.stack([trait_vector(entries[action.name].traits) for action in actions])
    judged = 0
    for column, name in enumerate(MEASURES):
        told = traits[:, TRAIT_DIMENSIONS.index(name)]
        kind = name.partition(".")[0]
        if kind not in ("moving", "side", "posture_start", "posture_end") or (told > 0).sum() < 3:
            continue
        judged += 1
        assert spearmanr(means[:, column], told).statistic > 0.3, name
    assert judged >= 10


def test_a_smaller_person_is_measured_alike_once_normalised(performed, measured):
    """Sizes go with the torso; nothing else of them may be left."""
    small = [
        dataclasses.replace(clip, keypoints=clip.keypoints * np.float32(0.7)) for clip in performed
    ]
    same(measure_clips(np.stack([prepared(clip) for clip in small]), NTU), measured)
