"""OpenPose, COCO/Halpe and MediaPipe JSON: forms, axes, round trips, refusals."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import ConfigError, LayoutError, OutputExistsError, SkeletonFormatError
from infocpl.skeleton.formats import (
    read_coco_json,
    read_mediapipe,
    read_openpose,
    read_skeleton,
    write_coco_json,
    write_mediapipe,
    write_openpose,
)
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic import generate_clip
from infocpl.skeleton.synthetic.files import film

quick = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
COCO = create_layout("coco17")


@st.composite
def clips(draw, layouts: list[str], persons: int = 3, units: str = "px") -> SkeletonSequence:
    """Persons who come and go, some joints not seen, everyone mostly there, two metres apart."""
    layout = create_layout(draw(st.sampled_from(layouts)))
    frames, count = draw(st.integers(1, 6)), draw(st.integers(1, persons))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    points = rng.normal(size=(count, 1, len(layout), layout.dims)) * 40
    points = points + rng.normal(size=(count, frames, len(layout), layout.dims))
    points[..., 0] += 2000 * np.arange(1, count + 1)[:, None, None]
    confidence = rng.uniform(0.1, 1.0, points.shape[:3])
    confidence[rng.random(confidence.shape) < 0.2] = 0
    confidence[..., 0] = 0.5
    absent = rng.random((count, frames)) < 0.3
    absent[:, : frames // 2 + 1] = False
    absent[0] = False
    confidence[absent] = 0
    points[absent] = 0
    return SkeletonSequence(
        points.astype(np.float32),
        layout,
        confidence=confidence.astype(np.float32),
        units=units,
    )


def same(again: SkeletonSequence, clip: SkeletonSequence) -> None:
    assert again.layout == clip.layout
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)


def steady(clip: SkeletonSequence) -> bool:
    total = clip.confidence.sum(axis=(1, 2))
    return bool((total >= 0.5 * total.max()).all())


OPENPOSE = ["openpose18", "openpose25", "openpose18-3d", "openpose25-3d"]


@quick
@given(clip=clips(OPENPOSE), per_frame=st.booleans())
def test_openpose_files_are_read_back_exactly(tmp_path, clip, per_frame) -> None:
    path = tmp_path / "clip"
    write_openpose(path, clip, per_frame=per_frame)
    try:
        again = read_openpose(path, max_persons=16)
        if steady(clip):
            same(again, clip)
        assert again.units == ("px" if clip.layout.dims == 2 else "normalised")
    finally:
        shutil.rmtree(path) if per_frame else path.unlink()


@quick
@given(clip=clips(["coco17", "halpe26"]))
def test_coco_files_are_read_back_exactly(tmp_path, clip) -> None:
    write_coco_json(tmp_path / "a.json", clip)
    again = read_coco_json(tmp_path / "a.json", max_persons=16)
    if steady(clip):
        same(again, clip)
    assert again.units == "px"


@quick
@given(clip=clips(["mediapipe33"], units="m"), fps=st.sampled_from([12.5, 30.0]))
def test_landmark_files_are_read_back_exactly(tmp_path, clip, fps) -> None:
    clip = replace(clip, fps=fps)
    write_mediapipe(tmp_path / "a.json", clip)
    again = read_mediapipe(tmp_path / "a.json", max_persons=16)
    assert (again.units, again.fps) == ("m", fps)
    if steady(clip):
        same(again, clip)


# --- axes -------------------------------------------------------------------------------------


def test_a_person_before_the_camera_stands_upright_with_the_left_shoulder_at_the_smaller_x(
    tmp_path,
) -> None:
    """Written from scratch in image axes: x right, y down; who faces the camera is mirrored."""
    person = np.zeros((17, 3))
    person[:, 2] = 0.9
    place = {"nose": (640, 100), "left_shoulder": (700, 200), "right_shoulder": (580, 200)}
    place |= {"left_hip": (670, 400), "right_hip": (610, 400)}
    for joint, (x, y) in place.items():
        person[COCO.index(joint), :2] = x, y
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"image_id": 0, "keypoints": person.ravel().tolist()}]))
    points = read_skeleton(path).keypoints[0, 0]
    assert points[COCO.index("nose"), 1] > points[COCO.index("left_hip"), 1]
    assert points[COCO.index("left_shoulder"), 0] < points[COCO.index("right_shoulder"), 0]


def test_a_filmed_action_has_the_same_sides_as_the_bodies_before_the_camera() -> None:
    clip = generate_clip("wave the left hand", 1, noise=0)
    flat = film(clip, "coco17")
    for frame in (0, clip.frames // 2):
        for side in ("left", "right"):
            joint = f"{side}_wrist"
            x, y, z = clip.keypoints[0, frame, clip.layout.index(joint)].astype(float)
            expected = 1000 * np.array([x, y]) / z - (960, 540)
            found = flat.keypoints[0, frame, COCO.index(joint)]
            np.testing.assert_allclose(found, expected, atol=0.1)


# --- OpenPose ------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [read_openpose, read_coco_json, read_mediapipe])
@pytest.mark.parametrize("persons", [0, 17])
def test_a_number_of_persons_out_of_range_is_refused(read, persons) -> None:
    with pytest.raises(ConfigError, match="max_persons must lie between 1 and 16"):
        read("a.json", max_persons=persons)


BODY = [float(i % 7 + 3) for i in range(75)]


def frame(*bodies, key: str = "pose_keypoints_2d", **more) -> dict:
    return {"version": 1.3, "people": [{key: body, **more} for body in bodies]}


def test_frames_of_a_folder_come_in_the_order_of_their_numbers(tmp_path) -> None:
    for number in (10, 9, 100):
        name = tmp_path / "take2" / f"take2_{number}_keypoints.json"
        name.parent.mkdir(exist_ok=True)
        name.write_text(json.dumps(frame([float(number)] * 3 + BODY[3:])))
    (tmp_path / "take2" / "notes.txt").write_text("not a frame")
    clip = read_skeleton(tmp_path / "take2")
    assert clip.layout.name == "openpose25"
    assert clip.keypoints[0, :, 0, 0].tolist() == [-9.0, -10.0, -100.0]


def test_a_single_frame_and_the_first_form_of_the_key_are_read(save) -> None:
    assert read_openpose(save(json.dumps(frame(BODY)), "a.json")).frames == 1
    old = frame(BODY[:54], key="pose_keypoints")
    assert read_openpose(save(json.dumps([old]), "a.json")).layout.name == "openpose18"


def test_three_dimensions_are_taken_where_everyone_has_them(save) -> None:
    spatial = [float(i % 5 + 1) for i in range(100)]
    both = frame(BODY, pose_keypoints_3d=spatial)
    path = save(json.dumps([both, both]), "a.json")
    assert read_openpose(path).layout.summary == "openpose25-3d (25 joints, 3-D)"
    assert read_openpose(path, dims=2).layout.name == "openpose25"
    path = save(json.dumps([both, frame(BODY, pose_keypoints_3d=[])]), "a.json")
    assert read_openpose(path).layout.name == "openpose25"
    with pytest.raises(SkeletonFormatError, match="frame 1: person: expected pose_keypoints_3d"):
        read_openpose(path, dims=3)


def test_coordinates_scaled_to_one_are_not_called_pixels(save) -> None:
    path = save(json.dumps([frame([0.5] * 75)]), "a.json")
    assert read_openpose(path).units == "normalised"


def test_confidence_above_one_is_one(save) -> None:
    body = BODY.copy()
    body[2] = 1.07
    clip = read_openpose(save(json.dumps([frame(body)]), "a.json"))
    assert clip.confidence.max() == 1.0


OPENPOSE_REFUSALS = {
    "not JSON": ("[", "line 1: content: expected JSON"),
    "deep": ("[" * 50_000, "content: expected JSON"),
    "deep objects": ('{"people":' * 5_000, "content: expected JSON"),
    "too many values": ("[" + "0," * 4_000_001 + "0]", "at most 4,000,000 values"),
    "a number": ("7", "frame 0: frame: .*list 'people', got a number"),
    "no frames": ("[]", "frames: expected 1 to 10,000, got 0"),
    "too many frames": ("[" + "0," * 10_000 + "0]", "frames: .*got 10,001"),
    "a frame of other keys": ('[{"a": 1}]', "frame 0: frame: .*got the keys 'a'"),
    "people are no list": ('{"people": {}}', "frame 0: frame: expected an object with a list"),
    "a person is a number": (json.dumps({"people": [1]}), "frame 0: person: expected an object"),
    "nobody": ('[{"people": []}, {"people": []}]', "a person in some frame, got nobody"),
    "24 joints": (json.dumps(frame(BODY[:72])), "expected 54 or 75 numbers, got 72"),
    "joints that change": (json.dumps([frame(BODY), frame(BODY[:54])]), "frame 1: .*75 num"),
    "a person without joints": (json.dumps([frame(BODY), frame([])]), "frame 1: person: expected"),
    "a word": (json.dumps(frame([*BODY[:74], "x"])), "frame 0: pose_keypoints_2d: .*got 'x'"),
    "true": (json.dumps(frame([*BODY[:74], True])), "pose_keypoints_2d: .*numbers, got 'True'"),
    "no list": (json.dumps(frame("abc")), "pose_keypoints_2d: expected a list of numbers"),
    "NaN": (json.dumps(frame([*BODY[:74], float("nan")])), "content: expected JSON"),
    "too large": (json.dumps(frame([1e7, *BODY[1:]])), "coordinate: .*got 1e\\+07"),
    "confidence below 0": (json.dumps(frame([1, 1, -1, *BODY[3:]])), "frame 0: confidence of j"),
    "no confidence at all": (json.dumps(frame([1, 1, 0] * 25)), "a joint seen in some frame"),
    "a crowd": (json.dumps(frame(*[BODY] * 101)), "frame 0: people: expected at most 100, got 101"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), OPENPOSE_REFUSALS.values(), ids=OPENPOSE_REFUSALS)
def test_a_broken_openpose_file_is_refused_with_the_place(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_openpose(save(text, "clip.json"))


def test_a_folder_is_refused_with_the_file_that_is_wrong(tmp_path) -> None:
    good = json.dumps(frame(BODY))
    (tmp_path / "a_000_keypoints.json").write_text(good)
    (tmp_path / "b_000_keypoints.json").write_text(good)
    with pytest.raises(SkeletonFormatError, match="every frame number once, got 'a_000_keypoints"):
        read_openpose(tmp_path)
    (tmp_path / "b_000_keypoints.json").rename(tmp_path / "a_keypoints.json")
    with pytest.raises(SkeletonFormatError, match=r"a frame number, got 'a_keypoints\.json'"):
        read_openpose(tmp_path)
    (tmp_path / "a_keypoints.json").rename(tmp_path / "a_001_keypoints.json")
    assert read_openpose(tmp_path).frames == 2
    (tmp_path / "a_001_keypoints.json").write_text("{")
    with pytest.raises(SkeletonFormatError, match=r"a_001_keypoints\.json, line 1: content"):
        read_openpose(tmp_path)
    (tmp_path / "a_001_keypoints.json").write_text("")
    with pytest.raises(SkeletonFormatError, match=r"a_001_keypoints.json: file: .*an empty file"):
        read_openpose(tmp_path)


def test_a_folder_of_frames_is_written_whole_or_not_at_all(make_clip, tmp_path) -> None:
    clip = make_clip("openpose25", frames=3)
    write_openpose(tmp_path / "take", clip, per_frame=True)
    assert sorted(file.name for file in (tmp_path / "take").iterdir()) == [
        f"take_{i:012d}_keypoints.json" for i in range(3)
    ]
    with pytest.raises(OutputExistsError):
        write_openpose(tmp_path / "take", clip, per_frame=True)
    with pytest.raises(LayoutError, match=r"'openpose25'; this clip has layout ntu25 \(25"):
        write_openpose(tmp_path / "b.json", make_clip("ntu25"))


# --- COCO and Halpe ---------------------------------------------------------------------------

FLAT = [float(i % 9 + 1) for i in range(51)]


def entry(image, keypoints=None, **more) -> dict:
    return {"image_id": image, "category_id": 1, "keypoints": keypoints or FLAT, **more}


@pytest.mark.parametrize(
    ("images", "present"),
    [
        (["3.jpg", "5.jpg"], [True, False, True]),
        ([7, 8], [True, True]),
        (["take2_frame_000010.png", "take2_frame_000011.png"], [True, True]),
        (["video/12.jpg", "video/10.jpg"], [True, False, True]),
    ],
    ids=["AlphaPose", "numbers", "long names", "any order"],
)
def test_the_number_of_an_image_is_the_number_of_its_frame(save, images, present) -> None:
    path = save(json.dumps([entry(image) for image in images]), "a.json")
    assert read_coco_json(path).present.tolist() == [present]


@pytest.mark.parametrize(
    ("count", "layout"), [(17, "coco17"), (26, "halpe26"), (133, "coco17"), (136, "halpe26")]
)
def test_the_body_of_whole_body_results_is_taken(save, count, layout) -> None:
    numbers = [float(i) for i in range(1, 3 * count + 1)]
    clip = read_coco_json(save(json.dumps([entry(0, numbers)]), "a.json"))
    assert clip.layout.name == layout
    expected = np.array(numbers).reshape(-1, 3)[: len(clip.layout), :2]
    np.testing.assert_array_equal(clip.keypoints[0, 0], -expected)


@pytest.mark.parametrize("key", ["idx", "track_id"])
@pytest.mark.parametrize("shape", [int, float, lambda number: [float(number)]])
def test_persons_are_told_apart_by_the_number_of_a_tracker(save, key, shape) -> None:
    other = [x + 500 for x in FLAT]
    entries = [
        entry(0, **{key: shape(4)}),
        entry(0, other, **{key: shape(2)}),
        entry(1, **{key: shape(2)}),
        entry(1, other, **{key: shape(4)}),
    ]
    clip = read_coco_json(save(json.dumps(entries), "a.json"))
    assert clip.keypoints[:, :, 0, 0].tolist() == [[-501.0, -1.0], [-1.0, -501.0]]


COCO_REFUSALS = {
    "an object": ('{"a": 1}', "content: expected a list of results, got an object"),
    "nothing": ("[]", "content: expected a list of results, got a list of 0"),
    "an entry is a number": ("[1]", "entry 1: result: .*got a number"),
    "no keypoints": (json.dumps([entry(0), {"image_id": 1}]), "entry 2: result: .*'image_id'"),
    "18 joints": (json.dumps([entry(0, FLAT + [1.0] * 3)]), "expected 51 or 78 or .*got 54"),
    "numbers that do not divide": (json.dumps([entry(0, FLAT[:50])]), "entry 1: keypoints"),
    "joints that change": (json.dumps([entry(0), entry(1, [1.0] * 78)]), "entry 2: .*got halpe26"),
    "a word": (json.dumps([entry(0, [*FLAT[:50], "x"])]), "entry 1: keypoints: .*got 'x'"),
    "null": (json.dumps([entry(0, [*FLAT[:50], None])]), "entry 1: keypoints: .*got 'None'"),
    "an image without number": (json.dumps([entry("a.jpg")]), "entry 1: image_id: .*'a.jpg'"),
    "a negative image": (json.dumps([entry(-1)]), "entry 1: image_id: .*'-1'"),
    "images far apart": (json.dumps([entry(0), entry(10_000)]), "image_id: .*got 0 to 10000"),
    "too large": (json.dumps([entry(0, [2e6, *FLAT[1:]])]), "joint 0, coordinate 0: coordinate"),
    "deep": ("[" * 50_000, "content: expected JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), COCO_REFUSALS.values(), ids=COCO_REFUSALS)
def test_a_broken_coco_file_is_refused_with_the_entry(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_coco_json(save(text, "clip.json"))


def test_coco_files_hold_no_other_layout_and_not_nobody(make_clip, tmp_path) -> None:
    with pytest.raises(LayoutError, match="'halpe26'; this clip has layout ntu25"):
        write_coco_json(tmp_path / "a.json", make_clip("ntu25"))
    clip = make_clip("coco17")
    nobody = replace(clip, keypoints=clip.keypoints * 0, confidence=np.zeros_like(clip.confidence))
    with pytest.raises(SkeletonFormatError, match="a person in some frame, got none"):
        write_coco_json(tmp_path / "a.json", nobody)
    assert list(tmp_path.iterdir()) == []


# --- MediaPipe --------------------------------------------------------------------------------

DICTS = [{"x": i / 50, "y": 0.5, "z": -0.1, "visibility": 0.75} for i in range(33)]
LISTS = [[i / 50, 0.5, -0.1, 0.75] for i in range(33)]
EXPECTED = [[-i / 50, -0.5, -0.1] for i in range(33)]
FORMS = {
    "Tasks, one list for each person": ([{"pose_world_landmarks": [DICTS]}], "m"),
    "Tasks, image": ([{"pose_landmarks": [DICTS]}], "normalised"),
    "first solution, one person": ([{"pose_world_landmarks": DICTS}], "m"),
    "the web": ([{"landmarks": [DICTS], "worldLandmarks": [DICTS]}], "m"),
    "lists for landmarks": ([{"pose_landmarks": LISTS}], "normalised"),
    "bare lists": ([LISTS], "normalised"),
    "bare lists for persons": ([[DICTS]], "normalised"),
    "with facts": ({"fps": 25, "frames": [{"pose_world_landmarks": [DICTS]}]}, "m"),
    "nobody at first": ([{"pose_world_landmarks": []}, {"pose_world_landmarks": [DICTS]}], "m"),
    "null at first": ([None, {}, {"landmarks": None}, {"landmarks": DICTS}], "normalised"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "units"), FORMS.values(), ids=FORMS)
def test_landmarks_are_read_in_every_form_they_are_saved_in(save, value, units) -> None:
    clip = read_mediapipe(save(json.dumps(value), "a.json"))
    assert (clip.layout.name, clip.units) == ("mediapipe33", units)
    assert clip.fps == (25.0 if isinstance(value, dict) else 30.0)
    assert clip.present[0].tolist() == [False] * (clip.frames - 1) + [True]
    np.testing.assert_allclose(clip.keypoints[0, -1], EXPECTED, atol=1e-7)
    np.testing.assert_allclose(clip.confidence[0, -1], 0.75)


def test_fractions_of_an_image_of_known_size_become_pixels(save) -> None:
    value = {"width": 640, "height": 480, "frames": [{"pose_landmarks": [DICTS]}]}
    clip = read_mediapipe(save(json.dumps(value), "a.json"))
    assert clip.units == "px"
    np.testing.assert_allclose(clip.keypoints[0, 0, 10], [-128, -240, -64], rtol=1e-6)
    world = {**value, "frames": [{"pose_world_landmarks": [DICTS]}]}
    assert read_mediapipe(save(json.dumps(world), "a.json")).units == "m"


def test_landmarks_without_visibility_are_seen(save) -> None:
    value = [[row[:3] for row in LISTS]]
    assert read_mediapipe(save(json.dumps(value), "a.json")).confidence.min() == 1.0
    assert read_mediapipe(save(json.dumps(value), "a.json"), fps=15).fps == 15.0


MEDIAPIPE_REFUSALS = {
    "a number": ("7", "frames: expected a list of 1 to 10,000 frames, got a number"),
    "no frames": ('{"fps": 30}', "frames: .*got null"),
    "a frame is a number": ("[7]", "frame 0: landmarks: expected a list of landm.*a number"),
    "other keys": ('[{"hand": []}]', "frame 0: frame: expected landmarks, .*'hand'"),
    "32 landmarks": (json.dumps([DICTS[:32]]), "frame 0: landmarks: expected a list of 33"),
    "no z": (json.dumps([[{"x": 1, "y": 2}] * 33]), "frame 0: landmark 0: expected x, y and z"),
    "two numbers": (json.dumps([[[1, 2]] * 33]), "landmark 0: expected x, y, z and visibility"),
    "six numbers": (json.dumps([[[1, 2, 3, 1, 1, 1]] * 33]), "landmark 0: .*got 6 numbers"),
    "a word": (json.dumps([[[1, 2, "x"]] * 33]), "landmark 0: expected numbers, got 'x'"),
    "visibility is null": (json.dumps([[[1, 2, 3, None]] * 33]), "expected numbers, got 'None'"),
    "nobody": ('[{"pose_landmarks": []}]', "a person in some frame, got nobody"),
    "fps of a word": (json.dumps({"fps": "x", "frames": [LISTS]}), "fps: expected a number .*'x'"),
    "no fps": (json.dumps({"fps": 0, "frames": [LISTS]}), "fps: expected a number .*got '0'"),
    "a wide image": (json.dumps({"width": 1e9, "frames": [LISTS]}), "width: expected a number"),
    "visibility below 0": (json.dumps([[[1, 2, 3, -1]] * 33]), "frame 0: confidence of joint 0"),
    "world and image": (
        json.dumps([{"pose_world_landmarks": [DICTS]}, {"pose_landmarks": [DICTS]}]),
        "frame 1: frame: expected world landmarks, got the keys 'pose_landmarks'",
    ),
    "deep": ("[" * 50_000, "content: expected JSON"),
    "nested": ("[" * 900 + "]" * 900, "frame 0: landmarks: expected a list of 33"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), MEDIAPIPE_REFUSALS.values(), ids=MEDIAPIPE_REFUSALS)
def test_a_broken_landmark_file_is_refused_with_the_place(save, text, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        read_mediapipe(save(text, "clip.json"))


def test_landmark_files_hold_no_other_layout_and_no_pixels(make_clip, tmp_path) -> None:
    for bad in (make_clip("ntu25"), replace(make_clip("mediapipe33"), units="px")):
        with pytest.raises(LayoutError, match=r"this clip has layout .* in units '(m|px)'"):
            write_mediapipe(tmp_path / "a.json", bad)
    assert list(tmp_path.iterdir()) == []
