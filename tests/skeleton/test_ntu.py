from __future__ import annotations

import re
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import ntu_name, parse_ntu_name, read_ntu, write_ntu
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence


def read_slowly(path: Path) -> dict[int, dict[int, np.ndarray]]:
    """The format in the plainest words: tracking id -> frame -> (25, 12) numbers."""
    tokens = iter(path.read_text().split())
    bodies: dict[int, dict[int, np.ndarray]] = {}
    for frame in range(int(next(tokens))):
        for _ in range(int(next(tokens))):
            body = int(next(tokens))
            for _ in range(9):
                next(tokens)
            rows = [[float(next(tokens)) for _ in range(12)] for _ in range(int(next(tokens)))]
            bodies.setdefault(body, {})[frame] = np.array(rows)
    assert next(tokens, None) is None
    return bodies


def standing(seed: int, energy: float = 0.0, frames: int = 1) -> np.ndarray:
    """Bodies about four times as tall as wide; (frames, 25, 3)."""
    rng = np.random.default_rng(seed)
    body = rng.uniform((-0.2, -0.8, 2.9), (0.2, 0.8, 3.1), size=(25, 3))
    return body + energy * rng.normal(size=(frames, 1, 3))


# --- real files -------------------------------------------------------------------------------


def test_every_real_sample_equals_a_token_by_token_reading(real_data: Path) -> None:
    files = sorted((real_data / "ntu_samples").glob("*.skeleton"))
    assert len(files) == 10
    for path in files:
        clip, bodies = read_ntu(path), read_slowly(path)
        assert clip.persons == len(bodies)
        assert (clip.layout.name, clip.fps, clip.units) == ("ntu25", 30.0, "m")
        unmatched = list(bodies.values())
        for person in range(clip.persons):
            expected = next(
                body
                for body in unmatched
                if np.array_equal(
                    np.float32(body[min(body)][:, :3]), clip.keypoints[person, min(body)]
                )
            )
            for frame, rows in expected.items():
                np.testing.assert_array_equal(
                    clip.keypoints[person, frame], np.float32(rows[:, :3])
                )
                np.testing.assert_array_equal(clip.confidence[person, frame], rows[:, 11] / 2)


def test_the_two_person_sample_has_two_bodies_in_every_frame(real_data: Path) -> None:
    clip = read_ntu(real_data / "ntu_samples" / "S001C003P008R002A058.skeleton")
    assert clip.persons == 2
    assert clip.present.all()


def test_persons_who_face_the_sensor_have_the_left_shoulder_at_smaller_x(real_data: Path) -> None:
    clip = read_ntu(real_data / "ntu_samples" / "S001C001P001R001A001.skeleton")
    left, right = (clip.layout.index(f"{side}_shoulder") for side in ("left", "right"))
    assert (clip.keypoints[0, :, left, 0] < clip.keypoints[0, :, right, 0]).all()
    assert (clip.keypoints[0, :, clip.layout.index("head"), 1] > 0.3).all()


def test_real_samples_survive_writing_and_reading_bit_for_bit(
    real_data: Path, tmp_path: Path
) -> None:
    for path in (real_data / "ntu_samples").glob("*.skeleton"):
        clip = read_ntu(path)
        write_ntu(tmp_path / path.name, clip)
        again = read_ntu(tmp_path / path.name)
        np.testing.assert_array_equal(again.keypoints, clip.keypoints)
        np.testing.assert_array_equal(again.confidence, clip.confidence)


def test_an_ordinary_clip_is_read_in_a_few_milliseconds(make_clip, tmp_path) -> None:
    write_ntu(tmp_path / "a.skeleton", make_clip(frames=80))
    times = []
    for _ in range(9):
        start = time.perf_counter()
        read_ntu(tmp_path / "a.skeleton")
        times.append(time.perf_counter() - start)
    # About 3 ms are normal; the bound leaves room for a busy machine.
    assert min(times) < 0.015


# --- writing and reading back -----------------------------------------------------------------

float32 = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keypoints=st.integers(1, 4).flatmap(
        lambda t: hnp.arrays(np.float32, (1, t, 25, 3), elements=float32)
    ),
    states=hnp.arrays(np.int8, (4, 25), elements=st.integers(0, 2)),
)
def test_reading_what_was_written_gives_the_same_float32(tmp_path, keypoints, states) -> None:
    confidence = states[None, : keypoints.shape[1]] / np.float32(2)
    confidence[0, 0, 0] = 1
    absent = confidence.max(axis=2) == 0
    keypoints[absent] = 0
    clip = SkeletonSequence(keypoints, create_layout("ntu25"), confidence=confidence)
    write_ntu(tmp_path / "a.skeleton", clip)
    again = read_ntu(tmp_path / "a.skeleton")
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)


@pytest.mark.parametrize("seed", range(5))
def test_two_persons_come_back_whatever_their_order(make_clip, tmp_path, seed) -> None:
    clip = make_clip(persons=2, seed=seed)
    write_ntu(tmp_path / "a.skeleton", clip)
    once = read_ntu(tmp_path / "a.skeleton")
    assert any(np.array_equal(once.keypoints, clip.keypoints[order]) for order in ([0, 1], [1, 0]))
    write_ntu(tmp_path / "b.skeleton", once)
    np.testing.assert_array_equal(read_ntu(tmp_path / "b.skeleton").keypoints, once.keypoints)


def test_an_absent_person_is_absent_from_the_frame(make_clip, tmp_path) -> None:
    clip = make_clip(persons=2, frames=10)
    keypoints, confidence = clip.keypoints.copy(), clip.confidence.copy()
    keypoints[1, 3:] = 0
    confidence[1, 3:] = 0
    path = tmp_path / "a.skeleton"
    write_ntu(path, clip.with_keypoints(keypoints, confidence=confidence))
    bodies = read_slowly(path)
    assert sorted(len(body) for body in bodies.values()) == [3, 10]
    again = read_ntu(path)
    np.testing.assert_array_equal(again.present[1], [True] * 3 + [False] * 7)
    np.testing.assert_array_equal(again.keypoints, keypoints)


def test_confidence_is_rounded_to_the_three_tracking_states(make_clip, tmp_path) -> None:
    clip = make_clip(frames=1)
    confidence = np.full((1, 1, 25), 1.0, np.float32)
    confidence[0, 0, :4] = (0.0, 0.01, 0.74, 0.75)
    path = tmp_path / "a.skeleton"
    write_ntu(path, clip.with_keypoints(clip.keypoints, confidence=confidence))
    assert read_ntu(path).confidence[0, 0, :5].tolist() == [0.0, 0.5, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("layout", ["kinect20", "sbu15"])
def test_another_layout_is_not_written(make_clip, tmp_path, layout) -> None:
    with pytest.raises(LayoutError, match=layout):
        write_ntu(tmp_path / "a.skeleton", make_clip(layout))


def test_what_no_reader_would_accept_is_not_written(make_clip, tmp_path) -> None:
    clip, path = make_clip(), tmp_path / "a.skeleton"
    nobody = clip.with_keypoints(0 * clip.keypoints, confidence=0 * clip.confidence)
    far = clip.with_keypoints(clip.keypoints * np.float32(1e7))
    long = SkeletonSequence(np.ones((1, 10_001, 25, 3)), clip.layout)
    crowd = SkeletonSequence(np.ones((17, 1, 25, 3)), clip.layout)
    for bad, words in (
        (nobody, "a person in some frame"),
        (far, "coordinate"),
        (long, "frames: expected at most 10000, got 10001"),
        (crowd, "persons: expected at most 16, got 17"),
    ):
        with pytest.raises(SkeletonFormatError, match=words):
            write_ntu(path, bad)
    with pytest.raises(LayoutError, match="normalised"):
        write_ntu(path, SkeletonSequence(clip.keypoints, clip.layout, units="normalised"))
    assert list(tmp_path.iterdir()) == []


def test_a_person_may_be_written_under_several_tracking_numbers(make_clip, tmp_path) -> None:
    clip, path = make_clip(frames=6), tmp_path / "a.skeleton"
    write_ntu(path, clip, ids=np.array([[1, 1, 1, 4, 4, 9]]))
    assert [len(body) for body in read_slowly(path).values()] == [3, 2, 1]
    np.testing.assert_array_equal(read_ntu(path).keypoints, clip.keypoints)
    for ids in (np.ones((1, 5), int), np.zeros((1, 6), int), np.full((1, 6), 2**33)):
        with pytest.raises(ConfigError, match="ids must be"):
            write_ntu(path, clip, ids=ids)


# --- who is kept, and in which order ----------------------------------------------------------


def test_empty_frames_and_changing_ids_are_read_as_they_are(ntu_text, save) -> None:
    one, two = standing(1)[0], standing(2)[0]
    text = ntu_text([{}, {7: (one, 2)}, {}, {9: (two, 1)}, {7: (one, 2)}])
    clip = read_ntu(save(text))
    assert clip.present.tolist() == [
        [False, True, False, False, True],
        [False, False, False, True, False],
    ]
    np.testing.assert_array_equal(clip.keypoints[0, 1], np.float32(one))
    np.testing.assert_array_equal(clip.confidence[1, 3], 0.5)
    assert not clip.keypoints[:, 0].any()


def test_ids_that_differ_beyond_double_precision_stay_apart(ntu_text, save) -> None:
    first, second = 72057594037944734, 72057594037944735
    assert float(first) == float(second)
    text = ntu_text([{first: (standing(1)[0], 2), second: (standing(2)[0], 2)}])
    assert read_ntu(save(text)).persons == 2


def test_the_two_most_energetic_plausible_bodies_are_kept(ntu_text, save) -> None:
    calm, lively, wild = (standing(i, energy, 20) for i, energy in ((1, 0.01), (2, 0.1), (3, 0.5)))
    table = standing(4, 2.0, 20) @ np.diag([10.0, 0.2, 1.0])
    text = ntu_text(
        [
            {i: (body[t], 2) for i, body in enumerate((calm, table, wild, lively), start=5)}
            for t in range(20)
        ]
    )
    clip = read_ntu(save(text))
    np.testing.assert_array_equal(clip.keypoints, np.float32([wild, lively]))
    single = read_ntu(save(text), max_persons=1)
    np.testing.assert_array_equal(single.keypoints, np.float32([wild]))
    three = read_ntu(save(text), max_persons=4)
    np.testing.assert_array_equal(three.keypoints, np.float32([wild, lively, calm]))
    everyone = read_ntu(save(text), max_persons=4, select=False)
    np.testing.assert_array_equal(everyone.keypoints, np.float32([calm, table, wild, lively]))
    with pytest.raises(SkeletonFormatError, match=r"tracking ids: expected at most 2 .*got 4"):
        read_ntu(save(text), select=False)


def test_a_person_who_was_lost_and_found_under_another_number_is_one_person(ntu_text, save) -> None:
    body = standing(1, 0.02, 30)
    ids = [7] * 12 + [None] * 3 + [9] * 15
    frames = [{} if i is None else {i: (body[t], 2)} for t, i in enumerate(ids)]
    path = save(ntu_text(frames))
    clip = read_ntu(path)
    assert clip.persons == 1
    assert np.flatnonzero(~clip.present[0]).tolist() == [12, 13, 14]
    seen = np.array([i is not None for i in ids])
    np.testing.assert_array_equal(clip.keypoints[0, seen], np.float32(body[seen]))
    assert read_ntu(path, select=False).present.sum(axis=1).tolist() == [12, 15]


def test_a_body_on_the_other_side_of_the_room_is_somebody_else(ntu_text, save) -> None:
    body = standing(1, 0.02, 30)
    there = body + np.array([4.0, 0.0, 0.0])
    frames = [{7: (body[t], 2)} if t < 15 else {9: (there[t], 2)} for t in range(30)]
    assert read_ntu(save(ntu_text(frames))).present.sum(axis=1).tolist() == [15, 15]


def test_a_file_of_very_many_tracking_ids_is_refused_before_they_are_compared(save) -> None:
    joint = "0 0 1 0 0 0 0 0 0 0 0 2\n" * 25
    frames = "".join(f"1\n{i} 0 0 0 0 0 0 0 0 2\n25\n{joint}" for i in range(257))
    with pytest.raises(SkeletonFormatError, match=r"tracking ids: .* at most 256 .*got 257"):
        read_ntu(save(f"257\n{frames}"))


def test_a_body_without_any_tracked_joint_counts_as_absent(ntu_text, save) -> None:
    body = standing(1)[0]
    clip = read_ntu(save(ntu_text([{5: (body, 0)}, {5: (body, 2)}])))
    assert clip.present.tolist() == [[False, True]]
    assert not clip.keypoints[0, 0].any()
    with pytest.raises(SkeletonFormatError, match="tracked or inferred"):
        read_ntu(save(ntu_text([{5: (body, 0)}])))


@pytest.mark.parametrize("number", [0, -1, 17])
def test_max_persons_out_of_range_is_refused(save, number) -> None:
    with pytest.raises(ConfigError, match="between 1 and 16"):
        read_ntu(save(""), max_persons=number)


# --- white space ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n \n",
        lambda text: text.replace("277.4 ", "277.4  "),
        lambda text: text.replace("277.4 ", "277.4\t"),
        lambda text: text.replace(" 2\n", " 2 \n"),
        lambda text: text.replace(" 277.4", " +.2774E+03"),
    ],
    ids=[
        "CRLF", "no final line end", "blank lines at the end", "two blanks", "a tab",
        "a trailing blank", "another way to write a number",
    ],
)  # fmt: skip
def test_harmless_differences_change_nothing(ntu_text, save, change) -> None:
    text = ntu_text([{5: (body, 2)} for body in standing(1, 0.1, 3)])
    plain = read_ntu(save(text, "plain.skeleton"))
    assert change(text) != text
    changed = read_ntu(save(change(text), "changed.skeleton"))
    np.testing.assert_array_equal(changed.keypoints, plain.keypoints)


# --- refusals ---------------------------------------------------------------------------------


def edit(line: int, pattern: str, by: str):
    """An edit of one line (counted from 1) of a file."""

    def change(text: str) -> str:
        lines = text.split("\n")
        lines[line - 1] = re.sub(pattern, by, lines[line - 1], count=1)
        return "\n".join(lines)

    return change


# Lines of the file: 1 frame count; 2 body count, 3 body, 4 joint count, 5 to 29 joints; 30 ...
REFUSALS = {
    "frame count is a word": (edit(1, ".*", "two"), "line 1: frame count"),
    "frame count is zero": (edit(1, ".*", "0"), "line 1: frame count.*from 1 to 10000"),
    "frame count is huge": (edit(1, ".*", "10001"), "line 1: frame count"),
    "frame count is negative": (edit(1, ".*", "-2"), "line 1: frame count"),
    "frame count is too small": (edit(1, ".*", "1"), "line 30: end of file: .* frame 1, got '1'"),
    "frame count is too large": (edit(1, ".*", "3"), "line 57: body count: .*end of the file"),
    "body count is huge": (edit(2, ".*", "17"), "line 2: body count"),
    "body count is missing": (edit(2, ".*", ""), "line 2: body count"),
    "body count is too large": (edit(30, "1", "2"), "line 57: body: .*end of the file"),
    "body line is short": (edit(3, " 2$", ""), "line 3: body: expected 10 numbers"),
    "body line is long": (edit(3, "$", " 7"), "line 3: body: expected 10 numbers"),
    "tracking id is not whole": (edit(3, r"^\S+", "7.5"), "line 3: tracking id"),
    "lean is not a number": (edit(3, "0.02", "nan"), "line 3: body: .*got 'nan'"),
    "joint count is 24": (edit(4, "25", "24"), "line 4: joint count: expected 25, got '24'"),
    "x is NaN": (edit(7, r"^\S+", "NaN"), "line 7: joint 3 x: .*got 'NaN'"),
    "y is infinite": (edit(8, r"(\S+) \S+", r"\1 -inf"), "line 8: joint 4 y"),
    "a number overflows": (edit(8, r"^\S+", "1e999"), "line 8: joint 4 x"),
    "x is on the moon": (edit(9, r"^\S+", "3.8e8"), "line 9: joint 5 x: expected metres"),
    "orientation is a word": (edit(29, " 0.9 ", " w "), "line 29: joint 25 orientation y: .*'w'"),
    "a number has an underscore": (edit(9, "277.4", "2_77"), "line 9: joint 5 depth x"),
    "a truth value": (edit(9, "277.4", "true"), "line 9: joint 5 depth x"),
    "two numbers joined by a comma": (edit(9, " 277.4", ",277.4"), "line 9: joint 5"),
    "joint line is short": (edit(10, " 2$", ""), "line 10: joint 6: expected 12 numbers"),
    "joint line is long": (edit(10, "$", " 2"), "line 10: joint 6: expected 12 numbers"),
    "tracking state is 3": (edit(11, "2$", "3"), "line 11: joint 7 tracking state: .*got 3"),
    "tracking state is 1.5": (edit(11, "2$", "1.5"), "line 11: joint 7 tracking state"),
    "something follows": (lambda text: text + "hello\n", "line 58: end of file: .*'hello'"),
    "a line is gone": (
        lambda text: re.sub(r"\n[^\n]*2\n1\n", "\n1\n", text), "line 30: body count"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_broken_file_is_refused_with_its_line(ntu_text, save, change, message) -> None:
    text = ntu_text([{5: (body, 2)} for body in standing(1, 0.1, 2)])
    path = save(change(text))
    with pytest.raises(SkeletonFormatError, match=message) as caught:
        read_ntu(path)
    assert caught.value.path == str(path)


def test_a_line_with_one_number_less_is_not_made_up_by_one_with_more(ntu_text, save) -> None:
    text = ntu_text([{5: (standing(1)[0], 2)}])
    moved = edit(11, "$", " 2")(edit(10, " 2$", "")(text))
    with pytest.raises(SkeletonFormatError, match="line 10: joint 6: expected 12"):
        read_ntu(save(moved))
    hidden = edit(11, " 277.4", "\t277.4")(edit(11, "$", " 2")(edit(10, " 2$", "")(text)))
    with pytest.raises(SkeletonFormatError, match="line 10: joint 6: expected 12"):
        read_ntu(save(hidden))


def test_a_truncated_file_names_the_line_it_ends_on(ntu_text, save) -> None:
    lines = ntu_text([{5: (body, 2)} for body in standing(1, 0.1, 2)]).split("\n")[:-1]
    for length in range(1, len(lines)):
        with pytest.raises(SkeletonFormatError, match=f", line {length}: .*end of the file"):
            read_ntu(save("\n".join(lines[:length])))


def test_one_id_twice_in_a_frame_is_refused(ntu_text, save) -> None:
    text = ntu_text([{5: (standing(1)[0], 2), 6: (standing(2)[0], 2)}]).replace("\n6 ", "\n5 ")
    with pytest.raises(SkeletonFormatError, match=r"line 30: tracking id: .*got 5 again"):
        read_ntu(save(text))


def test_a_clip_without_any_body_is_refused(save) -> None:
    with pytest.raises(SkeletonFormatError, match=r"bodies: .*none in 3 frames"):
        read_ntu(save("3\n0\n0\n0\n"))


def test_far_too_many_lines_are_refused_before_they_are_split(save) -> None:
    with pytest.raises(SkeletonFormatError, match="lines: expected at most 434 for 1 frames"):
        read_ntu(save("1\n" * 100_000))


# --- names ------------------------------------------------------------------------------------


@given(st.tuples(*[st.integers(0, 999)] * 5))
def test_names_survive_composing_and_parsing(numbers) -> None:
    fields = ("setup", "camera", "subject", "replication", "action")
    parts = dict(zip(fields, numbers, strict=True))
    name = ntu_name(**parts)
    assert len(name) == 20
    assert parse_ntu_name(name) == parts
    assert parse_ntu_name(Path("folder") / f"{name}.skeleton") == parts


@pytest.mark.parametrize(
    "name", ["", "clip", "S001C001P001R001", "S01C001P001R001A001", "xS001C001P001R001A001"]
)
def test_other_names_are_refused(name) -> None:
    with pytest.raises(SkeletonFormatError, match="SsssCcccPpppRrrrAaaa"):
        parse_ntu_name(name)


def test_numbers_of_four_digits_make_no_name() -> None:
    with pytest.raises(ConfigError, match="subject must lie between 0 and 999, got 1000"):
        ntu_name(setup=1, camera=1, subject=1000, replication=1, action=1)
