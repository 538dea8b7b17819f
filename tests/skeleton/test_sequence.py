from __future__ import annotations

import numpy as np
import pytest

from infocpl.errors import LayoutError
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

NTU = create_layout("ntu25")


def test_a_clip_knows_its_sizes_and_holds_float32() -> None:
    clip = SkeletonSequence(np.ones((2, 4, 25, 3), dtype=np.float64), NTU)
    assert (clip.persons, clip.frames) == (2, 4)
    assert clip.keypoints.dtype == clip.confidence.dtype == np.float32
    assert (clip.fps, clip.units, clip.source) == (30.0, "m", "")


def test_without_confidence_a_person_of_zeros_counts_as_absent() -> None:
    keypoints = np.zeros((2, 3, 25, 3))
    keypoints[0, 1, 7, 2] = -1
    clip = SkeletonSequence(keypoints, NTU)
    assert clip.present.tolist() == [[False, True, False], [False] * 3]
    assert (clip.confidence[0, 1] == 1).all()


def test_one_trusted_joint_makes_a_person_present() -> None:
    confidence = np.zeros((1, 2, 25))
    confidence[0, 1, 24] = 0.1
    clip = SkeletonSequence(np.ones((1, 2, 25, 3)), NTU, confidence=confidence)
    assert clip.present.tolist() == [[False, True]]


ONES = np.ones((1, 2, 25, 3))
REFUSALS = {
    "three axes": ({"keypoints": ONES[0]}, r"must be \(M, T, V, C\).*got \(2, 25, 3\)"),
    "no person": ({"keypoints": ONES[:0]}, "none of them 0"),
    "no frame": ({"keypoints": ONES[:, :0]}, "none of them 0"),
    "another layout": (
        {"layout": create_layout("kinect20")},
        "25 joints in 3-D; layout 'kinect20' has 20 joints in 3-D",
    ),
    "two dimensions": ({"keypoints": ONES[..., :2]}, "25 joints in 2-D; layout 'ntu25'"),
    "NaN": ({"keypoints": ONES * np.nan}, "NaN or infinite"),
    "infinite": ({"keypoints": ONES * np.inf}, "NaN or infinite"),
    "confidence of another shape": (
        {"confidence": np.ones((1, 2, 24))},
        r"= \(1, 2, 25\), got \(1, 2, 24\)",
    ),
    "negative confidence": ({"confidence": -np.ones((1, 2, 25))}, "from 0 to 1"),
    "confidence NaN": ({"confidence": np.full((1, 2, 25), np.nan)}, "finite"),
    "fps of zero": ({"fps": 0.0}, "fps must be a positive number, got 0"),
    "fps NaN": ({"fps": float("nan")}, "fps must be a positive number"),
    "unknown units": ({"units": "cm"}, "one of m, px, normalised, got 'cm'"),
}


@pytest.mark.parametrize(("change", "words"), REFUSALS.values(), ids=REFUSALS)
def test_a_clip_that_does_not_fit_together_is_refused_and_named(change, words) -> None:
    fields = {"keypoints": ONES, "layout": NTU, "source": "a.skeleton"} | change
    with pytest.raises(LayoutError, match=f"clip 'a.skeleton': .*{words}"):
        SkeletonSequence(**fields)


def test_other_coordinates_keep_everything_else() -> None:
    clip = SkeletonSequence(ONES, NTU, fps=15.0, units="normalised", source="here")
    other = clip.with_keypoints(2 * ONES)
    np.testing.assert_array_equal(other.keypoints, 2)
    assert (other.fps, other.units, other.source) == (15.0, "normalised", "here")
    np.testing.assert_array_equal(other.confidence, clip.confidence)
    np.testing.assert_array_equal(clip.keypoints, 1)
    with pytest.raises(LayoutError, match="confidence must be"):
        clip.with_keypoints(ONES[:, :1])
    with pytest.raises(AttributeError):
        clip.fps = 3.0  # type: ignore[misc]
