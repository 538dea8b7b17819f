"""Folders of precomputed features."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats import (
    FeaturePart,
    is_feature_folder,
    read_feature_folder,
    write_feature_folder,
)

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@st.composite
def folders(draw) -> dict[str, FeaturePart]:
    """Train with classes 0 to 4, unseen parts with 5 to 9, the others with any."""
    dim = draw(st.integers(1, 5))
    parts = {}
    others = draw(st.sets(st.sampled_from(["val", "ztest", "gtest", "test"])))
    for name in ("train", *sorted(others)):
        rows = draw(st.integers(1, 4))
        low, high = {"train": (0, 4), "ztest": (5, 9), "test": (5, 9)}.get(name, (0, 9))
        features = draw(hnp.arrays(np.float32, (rows, dim), elements=finite))
        labels = draw(hnp.arrays(np.int64, rows, elements=st.integers(low, high)))
        scores = draw(st.none() | hnp.arrays(np.float32, (rows, 10), elements=finite))
        parts[name] = FeaturePart(features, labels, scores)
    return parts


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(folders())
def test_every_part_comes_back_as_it_was_written(tmp_path_factory, parts) -> None:
    folder = tmp_path_factory.mktemp("features")
    write_feature_folder(folder, parts)
    assert is_feature_folder(folder)
    found = read_feature_folder(folder, classes=10)
    assert found.parts.keys() == parts.keys()
    for name, part in parts.items():
        again = found.parts[name]
        np.testing.assert_array_equal(again.features, part.features)
        np.testing.assert_array_equal(again.labels, part.labels)
        assert (again.scores is None) == (part.scores is None)
        if part.scores is not None:
            np.testing.assert_array_equal(again.scores, part.scores)
        assert len(again) == len(part.labels)
    assert found.seen == tuple(sorted(set(parts["train"].labels.tolist())))
    unseen = {
        int(label) for name in ("ztest", "test") if name in parts for label in parts[name].labels
    }
    assert found.unseen == tuple(sorted(unseen))
    assert all(file.exists() for file in found.files)


ROWS = np.arange(12.0).reshape(3, 4)
GOOD = {
    "train": ROWS, "train_label": np.array([0, 1, 2]),
    "ztest": ROWS[:2], "z_label": np.array([3, 4]),
    "gtest": ROWS[:1], "g_label": np.array([4]), "gtest_out": np.zeros((1, 60)),
}  # fmt: skip


def bad(array: np.ndarray, value: float, *place: int) -> np.ndarray:
    array = array.astype(float)
    array[place] = value
    return array


REFUSALS = {
    "no train": ({"train": None}, "train.npy: file: .*nothing at this path"),
    "no labels": ({"train_label": None}, "train_label.npy: file: .*nothing at this path"),
    "labels without rows": ({"ztest": None}, "ztest.npy: file: .*nothing at this path"),
    "a row": ({"train": ROWS[0]}, r"train.npy: shape: expected \(rows, .*got \(4,\)"),
    "whole numbers": ({"train": ROWS.astype(int)}, "train.npy: shape: .*int64"),
    "no columns": ({"train": ROWS[:, :0]}, "train.npy: shape"),
    "no rows": ({"train": ROWS[:0], "train_label": np.zeros(0, int)}, "rows: expected 1 to"),
    "NaN": ({"ztest": bad(ROWS[:2], np.nan, 1, 3)}, "ztest.npy, row 1, column 3: value: .*nan"),
    "infinite": ({"train": bad(ROWS, -np.inf, 0, 0)}, "train.npy, row 0, column 0: .*-inf"),
    "other columns": ({"ztest": ROWS[:2, :3]}, "ztest.npy: columns: expected 4, .*got 3"),
    "a label too few": ({"train_label": np.array([0, 1])}, r"labels: expected \(3,\) whole"),
    "a table of labels": ({"train_label": np.zeros((3, 2), int)}, r"got \(3, 2\) of int64"),
    "truth values": ({"train_label": np.array([True] * 3)}, "got .* of bool"),
    "a negative label": ({"train_label": np.array([0, -1, 2])}, "row 1: label: .*got -1"),
    "a label that is no class": ({"z_label": np.array([3, 60])}, "from 0 to 59, got 60"),
    "half a label": ({"train_label": np.array([0, 0.5, 1])}, "row 1: label: .*got 0.5"),
    "no label": ({"train_label": np.array([0, np.nan, 1])}, "row 1: label: .*got nan"),
    "an unseen class that was seen": (
        {"z_label": np.array([3, 1])}, r"z_label.npy, row 1: label: .*train_label.npy, got 1"
    ),
    "scores of other rows": ({"gtest_out": ROWS[:2]}, r"gtest_out.npy: shape: expected \(1, "),
    "NaN in scores": ({"gtest_out": bad(np.zeros((1, 60)), np.nan, 0, 2)}, "gtest_out.npy, row 0"),
    "scores of other classes": (
        {"gtest_out": ROWS[:1, :3]}, "gtest_out.npy: columns: expected 60, got 3"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_folder_that_does_not_fit_together_is_refused(tmp_path, change, words) -> None:
    for name, array in (GOOD | change).items():
        if array is not None:
            np.save(tmp_path / f"{name}.npy", array)
    with pytest.raises(SkeletonFormatError, match=words):
        read_feature_folder(tmp_path, classes=60)


@pytest.mark.parametrize("labels", [np.array([[0], [1], [2]]), np.array([0.0, 1.0, 2.0])])
def test_labels_may_be_a_column_or_floating_point(tmp_path, labels) -> None:
    np.save(tmp_path / "train.npy", ROWS)
    np.save(tmp_path / "train_label.npy", labels)
    assert read_feature_folder(tmp_path).parts["train"].labels.tolist() == [0, 1, 2]


def test_features_stay_in_their_file(tmp_path) -> None:
    write_feature_folder(tmp_path, {"train": FeaturePart(ROWS, np.array([0, 1, 2]))})
    assert isinstance(read_feature_folder(tmp_path).parts["train"].features, np.memmap)


def test_other_parts_and_unequal_rows_are_not_written(tmp_path) -> None:
    part = FeaturePart(ROWS, np.array([0, 1, 2]))
    short = FeaturePart(ROWS, np.array([0, 1]))
    scored = FeaturePart(ROWS, np.array([0, 1, 2]), ROWS[:1])
    for parts, words in (
        ({"train": part, "query": part}, "parts must be of train, val, .*query"),
        ({"ztest": part}, "with train; got ztest"),
        ({"train": short}, r"numbers of rows differ: \[2, 3\]"),
        ({"train": scored}, r"numbers of rows differ: \[1, 3\]"),
    ):
        with pytest.raises(ConfigError, match=words):
            write_feature_folder(tmp_path / "out", parts)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["no/such", "x" * 300, "a\0b"])
def test_a_folder_that_is_none_is_refused(path) -> None:
    assert not is_feature_folder(path)
    with pytest.raises(SkeletonFormatError, match=r"train\.npy: file"):
        read_feature_folder(path)
