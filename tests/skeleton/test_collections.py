"""Files of many clips: what is written comes back, and what does not fit together is refused."""

from __future__ import annotations

import io
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import (
    SkeletonCollection,
    get_collection_format,
    is_collection,
    list_collection_formats,
    open_aimclr,
    open_collection,
    open_ctrgcn,
    open_pyskl,
    register_collection_format,
    write_aimclr,
    write_ctrgcn,
    write_pyskl,
)
from infocpl.skeleton.formats.padded import pad_clip, unpad_clip
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

LAYOUT = create_layout("ntu25")
SETTINGS = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(a: SkeletonSequence, b: SkeletonSequence) -> bool:
    return (
        a.layout == b.layout
        and (a.units, a.fps) == (b.units, b.fps)
        and np.array_equal(a.keypoints, b.keypoints)
        and np.array_equal(a.confidence, b.confidence)
    )


def clip_of(points: np.ndarray, **facts: Any) -> SkeletonSequence:
    return SkeletonSequence(np.asarray(points, np.float32), LAYOUT, **facts)


coordinates = st.floats(-1e6, 1e6, width=32)
bodies = hnp.arrays(np.float32, (25, 3), elements=coordinates).filter(lambda body: body.any())


@st.composite
def plain_clips(draw, persons: int = 2, frames: int = 5) -> SkeletonSequence:
    """Clips as padded formats can hold them: someone in the last frame, nobody never there."""
    shape = (draw(st.integers(1, persons)), draw(st.integers(1, frames)))
    body = draw(bodies)
    shifts = draw(hnp.arrays(np.float32, (*shape, 1, 1), elements=st.floats(-9, 9, width=16)))
    there = draw(hnp.arrays(bool, shape))
    there[:, 0] = there[0, -1] = True
    points = np.clip(body + shifts, -1e6, 1e6)
    points[..., 0, 0] = 1.0  # no body becomes all zero by a shift
    return clip_of(points * there[..., None, None])


@st.composite
def free_clips(draw) -> SkeletonSequence:
    """Clips with persons who are never there and any confidence."""
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 4)), 25)
    confidence = draw(hnp.arrays(np.float32, shape, elements=st.floats(0, 1, width=16)))
    confidence[0, 0, 0] = 1.0
    points = draw(hnp.arrays(np.float32, (*shape, 3), elements=coordinates))
    points *= (confidence.max(axis=2) > 0)[..., None, None]
    return clip_of(points, confidence=confidence)


def named(clips: list[Any]) -> list[str]:
    return [f"S001C001P001R001A{i:03d}" for i in range(1, len(clips) + 1)]


# --- round trips ------------------------------------------------------------------------------


@SETTINGS
@given(st.lists(free_clips(), min_size=1, max_size=3), st.integers(2, 5), st.data())
def test_pyskl_gives_back_every_clip_label_name_and_split(tmp_path, clips, protocol, data) -> None:
    labels = data.draw(st.lists(st.integers(0, 119), min_size=len(clips), max_size=len(clips)))
    split = sorted(data.draw(st.sets(st.sampled_from(range(len(clips))))))
    path = tmp_path / "a.pkl"
    write_pyskl(path, clips, labels, named(clips), {"xsub_val": split}, protocol=protocol)
    with open_collection(path) as found:
        assert found.names == tuple(named(clips))
        assert found.labels.tolist() == labels
        assert {name: where.tolist() for name, where in found.splits.items()} == {"xsub_val": split}
        assert found.notes == ()
        assert all(map(same, found, clips))
        assert same(found.read(len(clips) - 1), clips[-1])


@SETTINGS
@given(
    st.lists(plain_clips(), min_size=1, max_size=3), st.lists(plain_clips(), max_size=2),
    st.booleans(),
)  # fmt: skip
def test_ctrgcn_gives_back_every_clip_and_label(tmp_path, train, test, compress) -> None:
    path = tmp_path / "a.npz"
    parts = {"train": (train, range(len(train))), "test": (iter(test), [3] * len(test))}
    write_ctrgcn(path, parts, classes=7, frames=6, compress=compress)
    with open_collection(path) as found:
        found.verify()
        assert found.classes == 7
        assert found.labels.tolist() == [*range(len(train)), *[3] * len(test)]
        assert found.splits["test"].tolist() == list(range(len(train), len(train) + len(test)))
        assert found.names[0] == "train/000000"
        assert all(map(same, found, [*train, *test]))
        assert same(found.read(0), train[0])


@SETTINGS
@given(st.lists(plain_clips(), min_size=1, max_size=3), plain_clips())
def test_aimclr_gives_back_every_clip_label_and_name(tmp_path, train, val) -> None:
    labels = [5 - i for i in range(len(train))]
    write_aimclr(tmp_path / "xsub", "train", iter(train), labels, named(train), frames=5)
    write_aimclr(tmp_path / "xsub", "val", [val], [9], ["other"], frames=7)
    with open_collection(tmp_path / "xsub") as found:
        assert found.names == (*named(train), "other")
        assert found.labels.tolist() == [*labels, 9]
        assert {name: len(where) for name, where in found.splits.items()} == {
            "train": len(train), "val": 1
        }  # fmt: skip
        assert all(map(same, found, [*train, val]))
        assert len(found.files) == 4
    with open_collection(tmp_path / "xsub" / "val_position.npy") as one:
        assert one.names == ("other",)
        assert same(one.read(0), val)


@pytest.mark.parametrize("layout", ["coco17", "openpose18", "halpe26"])
def test_pyskl_keeps_pixels_and_turns_them_upright(tmp_path, layout) -> None:
    shape = create_layout(layout)
    rng = np.random.default_rng(0)
    pixels = rng.uniform((0, 0), (1920, 1080), size=(2, 3, len(shape), 2))
    score = rng.uniform(0.1, 1.2, size=pixels.shape[:3])
    pixels[1, 2], score[1, 2] = 0, 0
    item = {"frame_dir": "a", "label": 1, "total_frames": 3, "img_shape": (1080, 1920)}
    item |= {"keypoint": pixels.astype("f2"), "keypoint_score": score.astype("f2")}
    (tmp_path / "a.pkl").write_bytes(pickle.dumps([item]))
    with open_collection(tmp_path / "a.pkl") as found:
        clip = found.read(0)
    assert (clip.layout.name, clip.units) == (layout, "px")
    np.testing.assert_array_equal(clip.keypoints, -pixels.astype("f2").astype("f4"))
    np.testing.assert_array_equal(clip.confidence, np.clip(score.astype("f2"), 0, 1))
    assert clip.present.tolist() == [[True] * 3, [True, True, False]]
    write_pyskl(tmp_path / "b.pkl", [clip], [1], ["a"], {})
    with open_collection(tmp_path / "b.pkl") as again:
        assert same(again.read(0), clip)


def test_float16_rounds_metres_to_millimetres(tmp_path, make_clip) -> None:
    clip = make_clip(persons=2)
    write_pyskl(tmp_path / "a.pkl", [clip], [0], ["a"], {}, dtype="float16")
    with open_pyskl(tmp_path / "a.pkl") as found:
        np.testing.assert_allclose(found.read(0).keypoints, clip.keypoints, atol=2e-3)


def test_frames_without_anybody_at_the_end_are_padding_and_others_are_not(make_clip) -> None:
    clip = make_clip(persons=1, frames=6)
    points = clip.keypoints.copy()
    points[:, [0, 3]] = 0
    padded = pad_clip(clip_of(points), 2, 9)
    assert padded.shape == (2, 9, 25, 3)
    again = unpad_clip(padded, LAYOUT, fps=30.0, source="a")
    np.testing.assert_array_equal(again.keypoints, points)
    assert again.present[0].tolist() == [False, True, True, False, True, True]


@pytest.mark.parametrize(
    ("persons", "frames", "words"), [(1, 9, "persons: .*1, got 2"), (2, 5, "frames: .*5, got 6")]
)
def test_a_clip_that_does_not_fit_is_not_cut(make_clip, persons, frames, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        pad_clip(make_clip(persons=2, frames=6), persons, frames)


# --- lazily -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["pyskl", "ctrgcn", "aimclr"])
def test_opening_and_reading_takes_the_memory_of_one_clip(tmp_path, make_clip, kind) -> None:
    clips, frames = [make_clip(persons=2, frames=200, seed=i) for i in range(40)], 200
    labels = [0] * 40
    if kind == "pyskl":
        path = tmp_path / "a.pkl"
        write_pyskl(path, clips, labels, named(clips), {})
    elif kind == "ctrgcn":
        path = tmp_path / "a.npz"
        write_ctrgcn(path, {"train": (clips, labels)}, classes=2, frames=frames)
    else:
        path = tmp_path
        write_aimclr(path, "train", clips, labels, named(clips), frames=frames)
    one = clips[0].keypoints.nbytes
    tracemalloc.start()
    with open_collection(path) as found:
        opened = tracemalloc.get_traced_memory()[1]
        assert sum(clip.frames for clip in found) == 40 * frames
        read = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert opened < 3 * one
    assert read < 10 * one < 40 * one


# --- the interface ----------------------------------------------------------------------------


class Made(SkeletonCollection):
    """Clips that are in memory."""

    def __init__(self, names=("a", "b"), labels=(0, 1), **facts: Any) -> None:
        super().__init__(Path("made"), LAYOUT, names, np.array(labels), **facts)

    def read(self, index: int) -> SkeletonSequence:
        index = self._position(index)
        return clip_of(np.full((1, 2, 25, 3), index + 1.0), source=self._source(index))


def test_a_collection_is_iterated_in_order_and_closed_by_its_block() -> None:
    with Made() as clips:
        assert [clip.source for clip in clips] == ["made#a", "made#b"]
        assert len(clips) == 2
        assert clips.files == (Path("made"),)
        clips.verify()


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_clip_beyond_either_end(index) -> None:
    with pytest.raises(IndexError, match=f"made: clip {index} of 2"):
        Made().read(index)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"names": (), "labels": ()}, "clips: expected 1 to 2,000,000 clips, got 0"),
        ({"labels": (0,)}, "labels: expected one for each of 2 clips"),
        ({"labels": (0, -2)}, "clip 1: label: .* got -2"),
        ({"labels": (7, 0), "classes": 7}, "clip 0: label: expected a whole number from 0 to 6"),
        ({"names": ("a", "a")}, "clip 1: name: expected every name once, got 'a' again"),
    ],
    ids=["no clips", "a label too few", "a negative label", "a label too large", "a name twice"],
)
def test_a_collection_whose_facts_do_not_fit_is_refused(facts, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        Made(**facts)


def test_the_formats_of_many_clips_are_known_by_name() -> None:
    assert {"aimclr", "ctrgcn", "pku-mmd", "pyskl"} <= set(list_collection_formats())
    with pytest.raises(ConfigError, match=r"'hdf5'; known: aimclr, ctrgcn"):
        get_collection_format("hdf5")
    with pytest.raises(ConfigError, match="registered already"):
        register_collection_format(get_collection_format("pyskl"))
    same_one = get_collection_format("pyskl")
    assert register_collection_format(same_one, overwrite=True) is same_one


def test_what_is_no_collection_is_told_what_there_is(save, tmp_path) -> None:
    for path in (save("hello", "a.pkl"), save(b"\x80\x04N.", "b.pkl"), tmp_path):
        assert not is_collection(path)
        with pytest.raises(SkeletonFormatError, match=r"one of aimclr \(.*; ctrgcn \(.*got none"):
            open_collection(path)
    for path in ("no/such/file", "x" * 300, "a\0b"):
        assert not is_collection(path)
        with pytest.raises(SkeletonFormatError, match="a file or folder, got nothing"):
            open_collection(path)


@pytest.mark.parametrize("name", ["aimclr", "ctrgcn", "pku-mmd", "pyskl"])
def test_every_format_refuses_what_is_no_file_of_it(name, tmp_path, save) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for path in (tmp_path / "no", empty, save(b"", "e"), save(b"x" * 99, "x"), Path("x" * 300)):
        with pytest.raises(SkeletonFormatError):
            open_collection(path, format=name)


# --- refusals ---------------------------------------------------------------------------------

POINTS = np.ones((1, 2, 25, 3), "f2")


def note(**change: Any) -> dict[str, Any]:
    return {"frame_dir": "a", "label": 1, "total_frames": 2, "keypoint": POINTS} | change


FLAT = {"keypoint": np.ones((1, 2, 17, 2)), "keypoint_score": np.ones((1, 2, 17))}
PYSKL_REFUSALS = {
    "a number": (5, "content: expected annotations .*got int"),
    "no annotations": ({"split": {}}, "content: .*got NoneType"),
    "an empty list": ([], "annotations: expected at least one, got none"),
    "a split that is a list": ({"annotations": [note()], "split": []}, "content: "),
    "an annotation that is a list": ([[1]], "annotation 0: annotation: expected a dict, got list"),
    "no name": ([note(frame_dir=None)], "annotation 0: frame_dir: .*got NoneType"),
    "an empty name": ([note(frame_dir="")], "frame_dir: .*got ''"),
    "a label in words": ([note(label="run")], "label: expected a whole number .*got str"),
    "a label that is a truth value": ([note(label=True)], "label: .*got bool"),
    "a negative label": ([note(label=-2)], "label: .*got '-2'"),
    "a huge label": ([note(label=10_000)], "label: .*from 0 to 9999"),
    "keypoints that are a list": ([note(keypoint=[1])], "keypoint: expected an array of 4 axes"),
    "keypoints elsewhere": ([{"frame_dir": "a", "raw_file": "b"}], r"another file \(raw_file\)"),
    "three axes": ([note(keypoint=POINTS[0])], r"4 axes, got shape \(2, 25, 3\)"),
    "whole numbers": ([note(keypoint=POINTS.astype(int))], "floating point numbers"),
    "no frames": ([note(keypoint=POINTS[:, :0])], "1 to 10000 frames"),
    "too many frames": ([note(keypoint=np.ones((1, 10_001, 1, 1), "f2"))], "1 to 10000 frames"),
    "an unknown layout": ([note(keypoint=POINTS[:, :, :24])], "got 24 in 3-D; name the layout"),
    "two layouts": (
        [note(), note(frame_dir="b", keypoint=POINTS[:, :, :20])],
        "one layout for all clips",
    ),
    "a score of another shape": (
        [note(keypoint_score=np.ones((1, 2, 24)))],
        r"keypoint_score shape: expected \(1, 2, 25\)",
    ),
    "pixels without an image": ([note(**FLAT)], "img_shape: expected .*got NoneType"),
    "an image of nothing": ([note(**FLAT, img_shape=(0, 5))], "img_shape"),
    "a name twice": ([note(), note()], "name: expected every name once"),
    "a split of numbers": ({"annotations": [note()], "split": {"x": [1]}}, "names of clips"),
    "a split that is text": ({"annotations": [note()], "split": {"x": "a"}}, "names to lists"),
}


@pytest.mark.parametrize(("value", "words"), PYSKL_REFUSALS.values(), ids=PYSKL_REFUSALS.keys())
def test_a_pyskl_file_of_other_content_is_refused_with_the_place(save, value, words) -> None:
    path = save(pickle.dumps(value), "a.pkl")
    with pytest.raises(SkeletonFormatError, match=words) as caught:
        open_pyskl(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"keypoint": POINTS * np.float16("nan")},
            "person 0, frame 0, joint 0, coordinate 0: .*nan",
        ),
        ({"keypoint": POINTS.astype("f4") * 1e7}, "within 1e.06"),
        ({"keypoint": 0 * POINTS}, "a person in some frame, got nobody"),
        ({"keypoint_score": np.full((1, 2, 25), np.inf)}, "joint 0: score: .*got inf"),
        ({"keypoint_score": np.zeros((1, 2, 25))}, "a person in some frame, got nobody"),
    ],
    ids=["NaN", "far away", "zeros", "an infinite score", "no score"],
)
def test_one_bad_pyskl_clip_does_not_prevent_the_next(save, change, words) -> None:
    path = save(pickle.dumps([note(**change), note(frame_dir="b")]), "a.pkl")
    with open_pyskl(path) as found:
        with pytest.raises(SkeletonFormatError, match=words) as caught:
            found.read(0)
        assert caught.value.path == f"{path}#a"
        assert found.read(1).frames == 2


def test_oddities_of_a_pyskl_file_are_noted(save) -> None:
    value = {
        "annotations": [note(), None, note(frame_dir="b", total_frames=7), note(frame_dir="c")],
        "split": {"train": ["a", "a", "gone", "c"]},
    }
    with open_pyskl(save(pickle.dumps(value), "a.pkl")) as found:
        assert found.names == ("a", "b", "c")
        assert found.splits["train"].tolist() == [0, 2]
        assert found.notes == (
            "1 annotations are None and were passed over",
            "total_frames of 1 clips is not the number of frames they have",
            "split train names 2 clips twice or that are not in the file",
        )


def test_a_layout_may_be_named_and_must_fit(save) -> None:
    path = save(pickle.dumps([note(keypoint=POINTS[:, :, :20])]), "a.pkl")
    with open_pyskl(path, layout="kinect20") as found:
        assert found.layout.name == "kinect20"
    with pytest.raises(SkeletonFormatError, match=r"joints: expected sbu15 .*got 20 in 3-D"):
        open_pyskl(path, layout="sbu15")
    with pytest.raises(LayoutError, match="unknown layout 'ntu26'"):
        open_pyskl(path, layout="ntu26")


X = np.ones((2, 3, 150), "f4")
Y = np.eye(4)[[1, 3]]
CTRGCN_REFUSALS = {
    "no x": ({"a": X}, "x_train and y_train, or x_test, got a"),
    "no y": ({"x_train": X}, "y_train beside x_train, got none"),
    "another width": ({"x_train": X[:, :, :75], "y_train": Y}, r"x_train shape: .*150\)"),
    "no frames": ({"x_train": X[:, :0], "y_train": Y}, "x_train shape"),
    "whole numbers": ({"x_train": X.astype(int), "y_train": Y}, "x_train type"),
    "a label too few": ({"x_train": X, "y_train": Y[:1]}, "y_train shape"),
    "labels of three axes": ({"x_train": X, "y_train": Y[:, :, None]}, "y_train shape"),
    "no classes": ({"x_train": X, "y_train": Y[:, :0]}, "y_train shape"),
    "truth values": ({"x_train": X, "y_train": np.array([True, False])}, "class numbers, got bool"),
    "two ones": ({"x_train": X, "y_train": Y + Y[::-1]}, "y_train: expected one 1 and zeros"),
    "no one": ({"x_train": X, "y_train": 0 * Y}, "row 0: y_train"),
    "half a one": ({"x_train": X, "y_train": Y / 2}, "row 0: y_train"),
    "NaN": ({"x_train": X, "y_train": Y * np.nan}, "row 0: y_train"),
    "a fraction": ({"x_train": X, "y_train": np.array([0.5, 1])}, "whole number .*got 0.5"),
    "a negative class": ({"x_train": X, "y_train": np.array([0, -1])}, "row 1: y_train.*got -1"),
    "two numbers of classes": (
        {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y[:, 1:]}, "in all parts, got 3 and 4"
    ),
    "objects": ({"x_train": X, "y_train": np.array([1, None])}, "may run code"),
    "nothing": ({"x_train": X[:0], "y_train": Y[:0]}, "1 to 2,000,000 clips, got 0"),
}  # fmt: skip


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(("arrays", "words"), CTRGCN_REFUSALS.values(), ids=CTRGCN_REFUSALS.keys())
def test_a_ctrgcn_archive_of_other_content_is_refused(save, arrays, words) -> None:
    path = save(npz(**arrays), "a.npz")
    with pytest.raises(SkeletonFormatError, match=words) as caught:
        open_ctrgcn(path)
    assert caught.value.path == str(path)


def test_class_numbers_will_do_for_one_hot_rows(save) -> None:
    for labels in (np.array([2, 59]), np.array([2.0, 59.0], "f4")):
        with open_ctrgcn(save(npz(x_test=X, y_test=labels), "a.npz")) as found:
            assert (found.labels.tolist(), found.classes) == ([2, 59], None)


def test_one_bad_ctrgcn_clip_does_not_prevent_the_next(save) -> None:
    bad = np.repeat(X, 2, axis=0)
    bad[0, 1, 80], bad[1] = np.inf, 0
    path = save(npz(x_test=bad, y_test=np.arange(4)), "a.npz")
    with open_ctrgcn(path) as found:
        with pytest.raises(SkeletonFormatError, match="person 1, frame 1, joint 1, coordinate 2"):
            found.read(0)
        with pytest.raises(SkeletonFormatError, match="a person in some frame, got zeros only"):
            found.read(1)
        assert found.read(2).persons == 2


def aimclr(folder: Path, points: Any = None, labels: Any = (["a", "b"], [1, 0])) -> Path:
    points = np.ones((2, 3, 4, 25, 2), "f4") if points is None else points
    np.save(folder / "train_position.npy", points)
    if isinstance(labels, np.ndarray):
        np.save(folder / "train_label.npy", labels)
    elif labels is not None:
        (folder / "train_label.pkl").write_bytes(pickle.dumps(labels))
    return folder


FIVE = np.ones((2, 3, 4, 25, 2), "f4")
AIMCLR_REFUSALS = {
    "four axes": ({"points": FIVE[0]}, r"shape: expected \(clips, 3, frames, 25, persons\)"),
    "other joints": ({"points": FIVE[:, :, :, :20]}, "shape"),
    "too many persons": ({"points": np.ones((1, 3, 1, 25, 17), "f4")}, "shape"),
    "whole numbers": ({"points": FIVE.astype(int)}, "floating point numbers"),
    "no labels": ({"labels": None}, "train_label.pkl or train_label.npy beside it, got neither"),
    "a label too few": ({"labels": (["a"], [1])}, "labels: expected 2, one a clip, got 1"),
    "names and no labels": ({"labels": ["a", "b"]}, "a pair of names and labels"),
    "unequal lists": ({"labels": (["a", "b"], [1])}, "2, one a name"),
    "names that are numbers": (
        {"labels": ([1, 2], [1, 0])},
        "clip 0: name: expected text, got int",
    ),
    "labels in words": ({"labels": (["a", "b"], [1, "x"])}, "clip 1: label: .*got str"),
    "a negative label": ({"labels": (["a", "b"], [1, -1])}, "clip 1: label: .*got '-1'"),
    "a table of labels": ({"labels": np.zeros((2, 2), int)}, r"whole numbers, got \(2, 2\)"),
    "fractions": ({"labels": np.zeros(2)}, "whole numbers, got .* of float64"),
    "a huge label": ({"labels": np.array([0, 10_000])}, "clip 1: label: .*got 10000"),
    "a name twice": ({"labels": (["a", "a"], [1, 0])}, "every name once"),
}


@pytest.mark.parametrize(("change", "words"), AIMCLR_REFUSALS.values(), ids=AIMCLR_REFUSALS.keys())
def test_aimclr_arrays_of_other_content_are_refused(tmp_path, change, words) -> None:
    with pytest.raises(SkeletonFormatError, match=words):
        open_aimclr(aimclr(tmp_path, **change))


@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_labels_beside_an_array_may_be_an_array_inside_a_pickle_or_not(tmp_path, dtype) -> None:
    labels = np.array([7, 3], dtype)
    for given_labels in (labels, labels[:, None], (["a.skeleton", "b"], labels)):
        for old in tmp_path.iterdir():
            old.unlink()
        with open_aimclr(aimclr(tmp_path, labels=given_labels)) as found:
            assert found.labels.tolist() == [7, 3]
            named = isinstance(given_labels, tuple)
            assert found.names == (("a", "b") if named else ("train/000000", "train/000001"))


def test_parts_that_share_a_clip_keep_their_names_apart(tmp_path) -> None:
    for part in ("seen_test", "unseen"):
        np.save(tmp_path / f"{part}_data.npy", FIVE)
        (tmp_path / f"{part}_label.pkl").write_bytes(pickle.dumps((["a", "b"], [1, 0])))
    with open_collection(tmp_path) as found:
        assert found.names == ("seen_test/a", "seen_test/b", "unseen/a", "unseen/b")


def test_position_is_preferred_to_the_other_arrays_of_a_part(tmp_path) -> None:
    np.save(aimclr(tmp_path) / "train_data.npy", 2 * FIVE)
    np.save(tmp_path / "train_data_joint.npy", 3 * FIVE)
    with open_aimclr(tmp_path) as found:
        assert found.read(0).keypoints.max() == 1
    with open_aimclr(tmp_path / "train_data_joint.npy") as found:
        assert found.read(0).keypoints.max() == 3


# --- what is not written ----------------------------------------------------------------------


def test_writers_refuse_what_their_format_does_not_hold(tmp_path, make_clip) -> None:
    clip, other = make_clip(), make_clip("kinect20")
    scaled = SkeletonSequence(clip.keypoints, clip.layout, units="normalised")
    path = tmp_path / "a"
    for bad in (other, scaled):
        with pytest.raises(LayoutError, match="CTR-GCN archives hold layout 'ntu25' in metres"):
            write_ctrgcn(path, {"train": ([bad], [0])}, classes=2)
        with pytest.raises(LayoutError, match="AimCLR arrays hold"):
            write_aimclr(tmp_path, "train", [bad], [0], ["a"])
        with pytest.raises(LayoutError, match="PYSKL files hold one layout"):
            write_pyskl(path, [clip, bad], [0, 0], ["a", "b"], {})
    for call in (
        lambda: write_ctrgcn(path, {"train": ([clip], [0, 1])}, classes=2),
        lambda: write_ctrgcn(path, {"train": ([clip], [2])}, classes=2),
        lambda: write_aimclr(tmp_path, "train", [clip], [0], ["a", "b"]),
        lambda: write_aimclr(tmp_path, "train", [clip], [0, 0], ["a", "b"]),
        lambda: write_pyskl(path, [clip], [0, 1], ["a"], {}),
        lambda: write_pyskl(path, [clip], [0], ["a"], {}, protocol=1),
    ):
        with pytest.raises(ConfigError):
            call()
    assert list(tmp_path.iterdir()) == []
