from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton import transforms
from infocpl.skeleton.formats import read_skeleton
from infocpl.skeleton.layout import Layout, create_layout, list_layouts
from infocpl.skeleton.sequence import SkeletonSequence

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
THREE_D = [name for name in list_layouts() if create_layout(name).dims == 3]


def hide(clip: SkeletonSequence, person: int, frames) -> SkeletonSequence:
    keypoints, confidence = clip.keypoints.copy(), clip.confidence.copy()
    keypoints[person, frames] = 0
    confidence[person, frames] = 0
    return clip.with_keypoints(keypoints, confidence=confidence)


def turn(clip: SkeletonSequence, angle: float) -> SkeletonSequence:
    """Turn about the vertical with complex numbers: x + iz times e^(i angle)."""
    points = clip.keypoints.astype(np.float64)
    plane = (points[..., 0] + 1j * points[..., 2]) * np.exp(1j * angle)
    points[..., 0], points[..., 2] = plane.real, plane.imag
    return clip.with_keypoints(points)


def distances(clip: SkeletonSequence) -> np.ndarray:
    """All distances between joints of all persons, frame by frame: what rigid moves keep."""
    points = clip.keypoints.astype(np.float64).transpose(1, 0, 2, 3)
    points = points.reshape(clip.frames, -1, clip.layout.dims)
    return np.linalg.norm(points[:, :, None] - points[:, None], axis=-1)


# --- normalise --------------------------------------------------------------------------------


@quick
@given(
    seed=st.integers(0, 999),
    angle=st.floats(-7, 7),
    size=st.floats(0.2, 5),
    shift=st.tuples(*[st.floats(-20, 20)] * 3),
    persons=st.integers(1, 3),
    layout=st.sampled_from(THREE_D),
)
def test_normalise_does_not_see_place_direction_and_size(
    make_clip, seed, angle, size, shift, persons, layout
) -> None:
    clip = make_clip(layout, persons=persons, seed=seed)
    moved = turn(clip, angle)
    moved = moved.with_keypoints(moved.keypoints * np.float32(size) + np.float32(shift))
    a, b = transforms.normalise(clip), transforms.normalise(moved)
    np.testing.assert_allclose(a.keypoints, b.keypoints, atol=2e-3)


@quick
@given(seed=st.integers(0, 999), frames=st.integers(1, 70), target=st.integers(1, 60))
def test_normalise_twice_is_normalise_once(make_clip, seed, frames, target) -> None:
    clip = hide(make_clip(persons=2, frames=frames, seed=seed), 1, slice(0, frames, 3))
    once = transforms.normalise(clip, target)
    twice = transforms.normalise(once, target)
    assert once.frames == target
    np.testing.assert_allclose(twice.keypoints, once.keypoints, atol=1e-5)
    np.testing.assert_array_equal(twice.confidence, once.confidence)
    assert twice.units == once.units == "normalised"


def test_normalise_puts_the_first_person_upright_at_the_origin_facing_the_sensor(make_clip) -> None:
    clip = transforms.normalise(turn(make_clip(persons=2), 2.0))
    index = clip.layout.index
    first = clip.keypoints[0, 0]
    np.testing.assert_allclose(first[index("pelvis")], 0, atol=1e-6)
    assert first[index("left_shoulder"), 0] < first[index("right_shoulder"), 0]
    torso = clip.keypoints[0][:, [index("left_shoulder"), index("right_shoulder")]].mean(
        axis=1
    ) - clip.keypoints[0][:, [index("left_hip"), index("right_hip")]].mean(axis=1)
    assert np.median(np.linalg.norm(torso, axis=-1)) == pytest.approx(1, abs=1e-5)


def test_real_clips_of_every_format_normalise(real_data) -> None:
    paths = [
        *sorted((real_data / "ntu_samples").glob("*.skeleton")),
        *sorted((real_data / "nw_ucla").glob("*.json"))[::150],
        *sorted((real_data / "utd_mhad").glob("*.mat"))[::100],
        *sorted((real_data / "sbu").rglob("skeleton_pos.txt"))[::40],
    ]
    for path in paths:
        clip = transforms.normalise(read_skeleton(path))
        assert clip.frames == 50
        # A person two metres tall has a torso of half a metre; two persons stand some metres apart.
        assert 0.5 < np.abs(clip.keypoints).max() < 20, path


# --- center, face_forward, scale --------------------------------------------------------------


def test_center_keeps_locomotion_and_absence(make_clip) -> None:
    clip = hide(make_clip(persons=2, frames=6), 0, [0, 1])
    moved = transforms.center(clip)
    pelvis = clip.layout.index("pelvis")
    np.testing.assert_array_equal(moved.keypoints[0, 2, pelvis], 0)
    assert not moved.keypoints[0, :2].any()
    shift = clip.keypoints[0, 2, pelvis]
    np.testing.assert_allclose(moved.keypoints[1], clip.keypoints[1] - shift, atol=1e-6)


@quick
@given(seed=st.integers(0, 99), angle=st.floats(-7, 7))
def test_face_forward_is_a_rotation_on_the_spot(make_clip, seed, angle) -> None:
    clip = turn(make_clip(persons=2, seed=seed), angle)
    faced = transforms.face_forward(clip)
    pelvis = clip.layout.index("pelvis")
    np.testing.assert_allclose(distances(faced), distances(clip), atol=1e-4)
    np.testing.assert_allclose(faced.keypoints[..., 1], clip.keypoints[..., 1], atol=1e-5)
    np.testing.assert_allclose(
        faced.keypoints[0, 0, pelvis], clip.keypoints[0, 0, pelvis], atol=1e-5
    )
    start = faced.keypoints[0, :5].astype(np.float64)
    names = [
        (faced.layout.index(f"left_{name}"), faced.layout.index(f"right_{name}"))
        for name in ("hip", "shoulder")
    ]
    across = sum(start[:, right] - start[:, left] for left, right in names).mean(axis=0)
    assert across[0] > 0
    assert abs(across[2]) < 1e-3 * across[0]


def test_scale_measures_the_torso_with_a_median_that_bad_frames_cannot_move(make_clip) -> None:
    clip = make_clip(frames=21)
    wild = clip.keypoints.copy()
    wild[0, ::4] *= 50
    plain, disturbed = (
        transforms.scale(item).keypoints[0, 1] for item in (clip, clip.with_keypoints(wild))
    )
    np.testing.assert_allclose(plain, disturbed, rtol=0.1)


@pytest.mark.parametrize("function", [transforms.face_forward, transforms.scale])
@pytest.mark.parametrize("point", [0.0, 3.0], ids=["at the origin", "elsewhere"])
def test_a_body_shrunk_to_a_point_is_left_alone(function, point) -> None:
    layout = create_layout("ntu25")
    keypoints = np.full((1, 4, 25, 3), point)
    clip = SkeletonSequence(keypoints, layout, confidence=np.ones((1, 4, 25)))
    assert function(clip) is clip


def test_a_person_with_shoulders_one_above_the_other_keeps_its_direction() -> None:
    layout = create_layout("ntu25")
    keypoints = np.zeros((1, 2, 25, 3))
    for joint in ("right_shoulder", "right_hip"):
        keypoints[0, :, layout.index(joint), 1] = 1
    clip = SkeletonSequence(keypoints, layout)
    assert transforms.face_forward(clip) is clip


@pytest.mark.parametrize(
    "function", [transforms.center, transforms.face_forward, transforms.scale, transforms.fill_gaps]
)
def test_a_clip_without_any_person_stays_what_it_is(function) -> None:
    clip = SkeletonSequence(np.zeros((2, 3, 25, 3)), create_layout("ntu25"))
    result = function(clip)
    assert not result.keypoints.any()
    assert not result.present.any()


def test_a_layout_without_hips_and_shoulders_is_refused_by_name() -> None:
    stick = Layout("stick", ("a", "b"), (("b", "a"),), (), {"torso": ("a", "b")}, "a")
    clip = SkeletonSequence(np.arange(12.0).reshape(1, 2, 2, 3), stick)
    with pytest.raises(LayoutError, match="'stick' names neither"):
        transforms.face_forward(clip)
    with pytest.raises(LayoutError, match="'stick' does not name"):
        transforms.scale(clip)


# --- resample, fill_gaps ----------------------------------------------------------------------


@quick
@given(
    seed=st.integers(0, 99), frames=st.integers(1, 40), target=st.integers(1, 90),
    persons=st.integers(1, 2),
)  # fmt: skip
def test_resample_equals_numpy_interp_on_every_coordinate(
    make_clip, seed, frames, target, persons
) -> None:
    clip = make_clip(persons=persons, frames=frames, seed=seed)
    new = transforms.resample(clip, target)
    times = np.linspace(0, frames - 1, target)
    for m in range(persons):
        for v in (0, 7, 24):
            for c in range(3):
                expected = np.interp(times, np.arange(frames), clip.keypoints[m, :, v, c])
                np.testing.assert_allclose(new.keypoints[m, :, v, c], expected, atol=1e-5)
    assert (new.confidence == 1).all()


@quick
@given(present=st.lists(st.booleans(), min_size=2, max_size=12), target=st.integers(1, 30))
def test_resample_never_blends_a_pose_with_an_absence(make_clip, present, target) -> None:
    clip = make_clip(frames=len(present))
    far = clip.with_keypoints(clip.keypoints + 100)
    new = transforms.resample(hide(far, 0, ~np.array(present)), target)
    for frame, time in enumerate(np.linspace(0, len(present) - 1, target)):
        here = new.keypoints[0, frame]
        low, high = int(time), min(int(time) + 1, len(present) - 1)
        nearest = low if time - low <= 0.5 else high
        expected = present[low] and present[high] if time != low else present[low]
        expected = expected or present[nearest]
        assert bool(new.present[0, frame]) == expected
        assert (np.abs(here).max(axis=1) > 90).all() if expected else not here.any()


def test_resample_keeps_the_duration_and_the_ends(make_clip) -> None:
    clip = make_clip(frames=31)
    new = transforms.resample(clip, 61)
    assert (new.frames - 1) / new.fps == pytest.approx((clip.frames - 1) / clip.fps)
    np.testing.assert_array_equal(new.keypoints[:, [0, -1]], clip.keypoints[:, [0, -1]])
    assert transforms.resample(clip, 31) is clip


@pytest.mark.parametrize("frames", [0, -3])
def test_resample_to_no_frames_is_refused(make_clip, frames) -> None:
    with pytest.raises(ConfigError, match=f"at least 1, got {frames}"):
        transforms.resample(make_clip(), frames)


@quick
@given(present=st.lists(st.booleans(), min_size=1, max_size=15).filter(any))
def test_fill_gaps_interpolates_inside_and_holds_outside(make_clip, present) -> None:
    clip = make_clip(persons=2, frames=len(present))
    known = np.flatnonzero(present)
    filled = transforms.fill_gaps(hide(clip, 0, ~np.array(present)))
    # numpy.interp holds the end values, too.
    for v, c in ((0, 0), (9, 1), (24, 2)):
        expected = np.interp(np.arange(len(present)), known, clip.keypoints[0, known, v, c])
        np.testing.assert_allclose(filled.keypoints[0, :, v, c], expected, atol=1e-6)
    assert filled.present.all()
    np.testing.assert_array_equal(filled.confidence[0, :, 0], np.where(present, 1.0, 0.5))
    np.testing.assert_array_equal(filled.keypoints[1], clip.keypoints[1])


# --- flip, bones, motion ----------------------------------------------------------------------


@pytest.mark.parametrize("layout", THREE_D)
def test_flip_twice_is_the_identity_and_flip_once_is_not(make_clip, layout) -> None:
    clip = hide(make_clip(layout, persons=2), 1, [0, 3])
    once = transforms.flip(clip)
    again = transforms.flip(once)
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)
    assert not np.array_equal(once.keypoints, clip.keypoints)
    left, right = clip.layout.index("left_elbow"), clip.layout.index("right_elbow")
    np.testing.assert_array_equal(once.keypoints[..., left, 0], -clip.keypoints[..., right, 0])
    np.testing.assert_array_equal(once.keypoints[..., left, 1:], clip.keypoints[..., right, 1:])


def test_a_flipped_person_still_faces_the_sensor(make_clip) -> None:
    clip = transforms.flip(transforms.face_forward(make_clip()))
    left, right = clip.layout.index("left_hip"), clip.layout.index("right_hip")
    assert (clip.keypoints[0, :, left, 0] < clip.keypoints[0, :, right, 0]).all()


@pytest.mark.parametrize("layout", list_layouts())
def test_bones_added_up_along_the_tree_give_the_joints_back(layout, rng) -> None:
    shape = create_layout(layout)
    points = rng.normal(size=(2, 3, len(shape), shape.dims))
    vectors = transforms.bones(points, shape)
    parent = dict(shape.bones)
    for joint in shape.joints:
        total, at = points[..., shape.index(shape.center), :].copy(), joint
        while at != shape.center:
            total += vectors[..., shape.index(at), :]
            at = parent[at]
        np.testing.assert_allclose(total, points[..., shape.index(joint), :], atol=1e-12)
    assert not vectors[..., shape.index(shape.center), :].any()


def test_motion_added_up_gives_the_frames_back(rng) -> None:
    points = rng.normal(size=(2, 5, 25, 3)).astype(np.float32)
    steps = transforms.motion(points)
    assert steps.dtype == np.float32
    assert not steps[:, -1].any()
    rebuilt = points[:, :1] + np.cumsum(steps, axis=1)
    np.testing.assert_allclose(rebuilt[:, :-1], points[:, 1:], atol=1e-5)
    assert not transforms.motion(points[:, :1]).any()


def test_arrays_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(LayoutError, match="V = 25"):
        transforms.bones(np.zeros((4, 20, 3)), create_layout("ntu25"))
    with pytest.raises(LayoutError, match="V = 25"):
        transforms.bones(np.zeros(25), create_layout("ntu25"))
    with pytest.raises(LayoutError, match="T, V, C"):
        transforms.motion(np.zeros((25, 3)))


@pytest.mark.parametrize(
    "function",
    [
        transforms.center, transforms.face_forward, transforms.scale, transforms.flip,
        transforms.fill_gaps, transforms.normalise, lambda clip: transforms.resample(clip, 5),
    ],
)  # fmt: skip
def test_no_transform_changes_the_clip_it_is_given(make_clip, function) -> None:
    clip = hide(make_clip(persons=2), 0, [2, 3])
    before = clip.keypoints.copy(), clip.confidence.copy()
    function(clip)
    np.testing.assert_array_equal(clip.keypoints, before[0])
    np.testing.assert_array_equal(clip.confidence, before[1])
