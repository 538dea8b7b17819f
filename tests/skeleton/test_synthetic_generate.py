"""Subjects, sensor, clips and files of the synthetic dataset."""

from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from infocpl.errors import DataError, LabelError, OutputExistsError
from infocpl.skeleton.formats.ntu import parse_ntu_name, read_ntu
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.synthetic import (
    create_subject,
    generate_clip,
    generate_dataset,
    get_action,
    list_actions,
)
from infocpl.skeleton.synthetic.generate import move_bodies
from infocpl.skeleton.synthetic.sensor import CAMERA_YAWS, View, create_view, look, observe

LAYOUT = create_layout("ntu25")
PACKAGE = Path(__file__).resolve().parents[2] / "src" / "infocpl"


def test_a_clip_depends_on_its_arguments_only() -> None:
    first = generate_clip("bow", 3, 2, seed=5)
    np.random.default_rng(1).random(100)
    generate_clip("jump up", 1)
    again = generate_clip(get_action("bow"), 3, 2, seed=5)
    np.testing.assert_array_equal(first.keypoints, again.keypoints)
    np.testing.assert_array_equal(first.confidence, again.confidence)
    assert first.source == again.source


def test_another_subject_replication_or_seed_is_another_clip() -> None:
    base = generate_clip("bow", 3, 1, seed=0)
    for other in (
        generate_clip("bow", 4, 1, seed=0),
        generate_clip("bow", 3, 2, seed=0),
        generate_clip("bow", 3, 1, seed=1),
    ):
        same = other.keypoints.shape == base.keypoints.shape
        assert not (same and np.allclose(other.keypoints, base.keypoints, atol=0.01))


@pytest.mark.parametrize("action", list_actions(), ids=lambda action: action.name)
def test_every_action_gives_a_plausible_clip(action) -> None:
    clip = generate_clip(action, subject=action.id % 12 + 1)
    assert clip.layout.name == "ntu25"
    assert clip.persons == action.persons
    assert 50 <= clip.frames <= 110
    assert (clip.fps, clip.units) == (30.0, "m")
    assert set(np.unique(clip.confidence)) <= {0.0, 0.5, 1.0}
    depth = clip.keypoints[..., 2][clip.confidence > 0]
    assert 0.8 < depth.min() < depth.max() < 7.0
    assert not clip.keypoints[clip.confidence == 0].any()


def test_subjects_differ_in_stature_and_habits_and_some_are_left_handed() -> None:
    people = [create_subject(number) for number in range(1, 13)]
    heights = np.array([person.body.height for person in people])
    assert np.diff(np.sort(heights)).min() > 0.005
    assert heights.min() >= 1.5
    assert heights.max() <= 1.92
    assert np.ptp(heights) > 0.3
    assert [p.number for p in people if p.style.handed == "left"] == [6, 12]
    assert len({person.tempo for person in people}) == 12
    assert len({person.style.amplitude for person in people}) == 12


def test_bones_keep_their_length_without_noise() -> None:
    clip = generate_clip("do jumping jacks", 2, noise=0.0)
    parents = LAYOUT.parent_index()
    bones = np.linalg.norm(clip.keypoints[0] - clip.keypoints[0][:, parents], axis=2)
    assert np.ptp(bones, axis=0).max() < 1e-5
    body = create_subject(2).body
    assert bones[0, LAYOUT.index("left_knee")] == pytest.approx(body.length("left_knee"), abs=1e-5)


def test_noise_is_about_a_centimetre_and_grows_with_distance(rng: np.random.Generator) -> None:
    still = np.zeros((1, 2000, 25, 3))
    still[..., 1] = np.linspace(0.2, 1.6, 25)

    def spread(metres: float) -> float:
        keypoints, confidence = observe(still, View(distance=metres), rng)
        sure = (confidence[0] == 1.0).all(axis=1)
        return float(keypoints[0, sure].std(axis=0).mean())

    near, middle, far = spread(2.0), spread(3.0), spread(4.0)
    assert 0.004 < middle < 0.015
    assert near < middle < far
    assert far / near == pytest.approx(4.0, rel=0.35)


def test_looking_without_noise_is_a_rigid_motion(rng: np.random.Generator) -> None:
    joints = rng.normal(size=(2, 6, 25, 3))
    seen = look(joints, View(yaw=33.0, distance=3.0, height=1.2, tilt=8.0))

    def gaps(points: np.ndarray) -> np.ndarray:
        flat = points.reshape(-1, 3)
        return np.linalg.norm(flat[:, None] - flat[None], axis=2)

    np.testing.assert_allclose(gaps(seen), gaps(joints), atol=1e-9)
    frame = np.linalg.lstsq(
        (joints - joints.mean(axis=(0, 1, 2))).reshape(-1, 3),
        (seen - seen.mean(axis=(0, 1, 2))).reshape(-1, 3),
        rcond=None,
    )[0]
    assert np.linalg.det(frame) == pytest.approx(1.0)  # turned, not mirrored


def test_a_sensor_that_looks_down_sees_far_points_higher() -> None:
    joints = np.zeros((1, 1, 25, 3))
    joints[..., 1] = 1.0
    level = look(joints, View(distance=3.0, height=1.0, tilt=0.0))
    down = look(joints, View(distance=3.0, height=1.0, tilt=10.0))
    assert level[0, 0, 0, 1] == pytest.approx(0.0)
    assert down[0, 0, 0, 1] == pytest.approx(3.0 * np.sin(np.radians(10.0)))


def test_views_cover_the_promised_range_and_match_their_camera(rng: np.random.Generator) -> None:
    views = [create_view(rng) for _ in range(500)]
    for view in views:
        low, high = CAMERA_YAWS[view.camera]
        assert low <= view.yaw <= high
        assert 2.0 <= view.distance <= 4.0
    yaws = [view.yaw for view in views]
    assert min(yaws) < -40
    assert max(yaws) > 40


def test_guessed_joints_and_lost_frames_do_happen_and_stay_rare() -> None:
    clips = [generate_clip("wave both hands", n, r) for n in range(1, 13) for r in range(1, 9)]
    lost = [not clip.present.all() for clip in clips]
    guessed = [(clip.confidence == 0.5).any() for clip in clips]
    assert 0.02 < np.mean(lost) < 0.3
    assert 0.4 < np.mean(guessed) < 0.95
    assert all(clip.present[:, 0].all() for clip in clips)


def test_partners_stay_together_so_a_split_by_pairs_parts_no_couple() -> None:
    first, second = (
        generate_clip("hug each other", 5, noise=0),
        generate_clip("hug each other", 6, noise=0),
    )

    def thighs(clip) -> np.ndarray:
        knee, hip = LAYOUT.index("left_knee"), LAYOUT.index("left_hip")
        return np.linalg.norm(clip.keypoints[:, 0, knee] - clip.keypoints[:, 0, hip], axis=1)

    np.testing.assert_allclose(thighs(first), thighs(second)[::-1], atol=1e-5)


def test_walking_never_leads_through_the_sensor() -> None:
    joints = move_bodies(
        get_action("walk forward"), [create_subject(1)], np.random.default_rng(0), 80
    )
    joints[..., 2] *= 4.0
    assert look(joints, View(distance=1.0))[..., 2].min() >= 1.3 - 1e-9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("bow", 0, 1), "subject: expected 1 to 998, got 0"),
        (("bow", 1, 0), "replication: expected 1 to 998, got 0"),
        (("bow", 1, 1, -1), "seed: expected a whole number >= 0, got -1"),
    ],
)
def test_a_number_out_of_range_is_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(DataError, match=message):
        generate_clip(*arguments)


def test_negative_noise_and_unknown_actions_are_refused() -> None:
    with pytest.raises(DataError, match="noise: expected a number >= 0"):
        generate_clip("bow", 1, noise=-1.0)
    with pytest.raises(DataError, match="noise: expected a number >= 0"):
        generate_clip("bow", 1, noise=float("nan"))
    with pytest.raises(LabelError, match="unknown synthetic action 60000"):
        generate_clip(60000, 1)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "synthetic"
    calls: list[tuple[int, int]] = []
    count = generate_dataset(
        folder, subjects=2, replications=1, progress=lambda done, total: calls.append((done, total))
    )
    total = 2 * len(list_actions())
    assert count == total
    assert calls == [(done, total) for done in range(1, total + 1)]
    return folder


def test_files_are_named_like_ntu_and_there_is_one_for_each_clip(dataset: Path) -> None:
    names = [path.name for path in dataset.iterdir()]
    assert len(names) == len(set(names)) == 2 * len(list_actions())
    fields = [parse_ntu_name(name) for name in names]
    assert {field["action"] for field in fields} == {a.id for a in list_actions()}
    assert {field["subject"] for field in fields} == {1, 2}
    assert {field["camera"] for field in fields} == {1, 2, 3}


def test_files_read_back_equal(dataset: Path) -> None:
    for path in sorted(dataset.iterdir()):
        field = parse_ntu_name(path.name)
        made = generate_clip(field["action"], field["subject"], field["replication"])
        read = read_ntu(path)
        assert read.keypoints.shape == made.keypoints.shape
        # The reader puts the person who moves more first.
        orders = [[0], [0]] if made.persons == 1 else [[0, 1], [1, 0]]
        assert any(
            np.array_equal(read.keypoints, made.keypoints[order])
            and np.array_equal(read.confidence, made.confidence[order])
            for order in orders
        ), path.name


def test_a_dataset_is_never_half_written(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generate_dataset(tmp_path / "half", subjects=1, replications=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept_unless_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "mine.txt").write_text("mine")
    with pytest.raises(OutputExistsError, match="exists already"):
        generate_dataset(tmp_path / "kept", subjects=1, replications=1)
    assert (tmp_path / "kept" / "mine.txt").read_text() == "mine"
    count = generate_dataset(tmp_path / "kept", subjects=1, replications=1, overwrite=True)
    assert len(list((tmp_path / "kept").glob("*.skeleton"))) == count
    assert not (tmp_path / "kept" / "mine.txt").exists()


def test_a_dataset_without_subjects_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="subjects: expected 1 to 998, got 0"):
        generate_dataset(tmp_path / "new", subjects=0)


def test_clips_are_made_fast() -> None:
    generate_clip("bow", 1)
    started = time.perf_counter()
    for action in list_actions():
        generate_clip(action, 1)
    # About 400 a second on one core; the margin is for a busy machine.
    assert len(list_actions()) / (time.perf_counter() - started) > 60


def load(path: str) -> dict:
    return yaml.safe_load((PACKAGE / path).read_text(encoding="utf-8"))


def test_the_catalogue_lists_the_actions_in_order_and_matches_the_files(dataset: Path) -> None:
    catalogue = load("data/catalogs/synthetic.yaml")
    assert catalogue["classes"] == [action.name for action in list_actions()]
    pattern = re.compile(catalogue["file_pattern"])
    for path in dataset.iterdir():
        found = pattern.fullmatch(path.name)
        assert found
        assert {k: int(v) for k, v in found.groupdict().items()} == parse_ntu_name(path.name)


def test_splits_leave_out_known_actions_whose_family_stays() -> None:
    splits = load("data/split_lists/synthetic.yaml")["families"]["demo"]["splits"]
    names = {action.name: action for action in list_actions()}
    for key, split in splits.items():
        seen, unseen = (int(part) for part in key.split("-"))
        assert len(set(split["unseen"])) == unseen
        assert seen + unseen == len(names)
        left = [action.family for name, action in names.items() if name not in split["unseen"]]
        for name in split["unseen"]:
            assert names[name].family in left, name


def test_the_lexicon_describes_every_action_and_no_other() -> None:
    lexicon = load("semantics/lexicon/synthetic.yaml")
    assert [entry["name"] for entry in lexicon["classes"]] == [a.name for a in list_actions()]
    names = {action.name for action in list_actions()}
    for entry in lexicon["classes"]:
        assert {row["from"] for row in entry["contrast"]} <= names - {entry["name"]}
        person = get_action(entry["name"]).persons
        assert ("two" in entry["attributes"]["persons"].lower()) == (person == 2)
