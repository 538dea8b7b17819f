"""What holds for every format of single clips, over the whole registry."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import ConfigError, LayoutError, SkeletonFormatError
from infocpl.skeleton.formats import get_format, list_formats, read_skeleton
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.files import generate_file, list_generated_formats

GENERATED = list_generated_formats()
EXACT = sorted(set(GENERATED) - {"bvh", "hdm05", "sbu"})


@pytest.fixture(scope="session")
def examples(tmp_path_factory) -> dict[str, tuple[Path, SkeletonSequence]]:
    """A generated file of every format, and the clip it was made of."""
    folder = tmp_path_factory.mktemp("examples")
    made = {}
    for name in GENERATED:
        path = folder / f"{name}{get_format(name).suffixes[0]}"
        made[name] = (path, generate_file(name, path, "kick forward with the left leg", noise=0))
    return made


def test_every_format_can_be_generated() -> None:
    assert list_formats() == GENERATED
    with pytest.raises(ConfigError, match=r"'ply' can be generated; known: bvh, coco-json"):
        generate_file("ply", "a.ply")


@pytest.mark.parametrize("name", list_formats())
def test_every_format_says_what_it_is(name) -> None:
    item = get_format(name)
    assert item.name == name
    assert item.title
    assert item.suffixes
    assert item.layout is None or item.layout in list_layouts()


def test_the_page_on_pose_files_lists_every_format_with_its_layout() -> None:
    page = (Path(__file__).parents[2] / "docs" / "pose_files.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    named = {row.split("`")[1]: row for row in rows}
    assert sorted(named) == list_formats()
    for name, row in named.items():
        assert (get_format(name).layout or "") in row
        assert ("yes" in row.split("|")[-2]) == (get_format(name).write is not None)


@pytest.mark.parametrize("name", EXACT)
def test_a_generated_file_is_read_back_exactly(examples, name) -> None:
    path, clip = examples[name]
    again = get_format(name).read(path)
    assert again.layout is clip.layout
    assert again.units == clip.units
    assert again.source == str(path)
    np.testing.assert_array_equal(again.keypoints, clip.keypoints)
    np.testing.assert_array_equal(again.confidence, clip.confidence)


@pytest.mark.parametrize(("name", "within"), [("bvh", 1e-5), ("hdm05", 2e-3), ("sbu", 1e-6)])
def test_a_generated_file_is_read_back_nearly(examples, name, within) -> None:
    path, clip = examples[name]
    again = get_format(name).read(path)
    shared = [joint for joint in again.layout.joints if joint in clip.layout.joints]
    assert len(shared) >= 15
    found, expected = (
        c.keypoints[0][:, [c.layout.index(joint) for joint in shared]] for c in (again, clip)
    )
    np.testing.assert_allclose(found, expected, atol=within)
    assert again.units == "m"


@pytest.mark.parametrize("suffix", ["its own", ".dat", ""], ids=["own suffix", "odd", "none"])
@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_file_is_recognised_by_content_alone(examples, tmp_path, name, suffix) -> None:
    path, _ = examples[name]
    asked = get_format(name).read(path)
    if suffix != "its own":
        link = tmp_path / f"clip{suffix}"
        os.symlink(path, link)
        if name == "hdm05":
            os.symlink(path.with_suffix(".asf"), tmp_path / "actor.asf")
        path = link
    found = read_skeleton(path)
    assert found.layout == asked.layout
    np.testing.assert_array_equal(found.keypoints, asked.keypoints)


@pytest.mark.parametrize("name", list_formats())
def test_no_reader_takes_a_file_of_another_format(examples, name) -> None:
    for other, (path, _) in examples.items():
        if other != name:
            with pytest.raises(SkeletonFormatError):
                get_format(name).read(path)


@pytest.mark.parametrize("name", list_formats())
def test_every_reader_refuses_what_is_no_file(tmp_path, name) -> None:
    read = get_format(name).read
    for path, words in (
        (tmp_path / "missing.skeleton", "nothing at this path"),
        (Path("/dev/null"), "neither a file nor a folder"),
        (tmp_path / ("x" * 300), "file: expected a readable file"),
        (tmp_path / "a\0b", "file: expected a readable file"),
    ):
        with pytest.raises(SkeletonFormatError, match=words):
            read(path)
    with pytest.raises(SkeletonFormatError, match=r"a folder|JSON files, got 0"):
        read(tmp_path)


@pytest.mark.parametrize("name", list_formats())
@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"\n\n", b"\0" * 999, b"\xff" * 999, b"1", b"[", b"{}", b"[[]]", b"null", b"PK"],
)
def test_every_reader_refuses_near_nothing(save, examples, name, content) -> None:
    path = save(content, "clip.dat")
    if name == "hdm05":
        os.symlink(examples["hdm05"][0].with_suffix(".asf"), path.with_suffix(".asf"))
    with pytest.raises(SkeletonFormatError) as caught:
        get_format(name).read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", list_formats())
def test_a_file_of_gigabytes_is_refused_without_being_read(tmp_path, name, examples) -> None:
    path = tmp_path / f"large{get_format(name).suffixes[0]}"
    if name == "hdm05":
        os.symlink(examples["hdm05"][0].with_suffix(".asf"), path.with_suffix(".asf"))
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)
    # An archive is not read whole but by its directory, and this one has none.
    with pytest.raises(SkeletonFormatError, match=r"at most .* bytes|no directory at its end"):
        get_format(name).read(path)


WRITERS = [name for name in list_formats() if get_format(name).write is not None]


def test_every_format_is_written_but_motion_capture_by_angles() -> None:
    assert set(list_formats()) - set(WRITERS) == {"hdm05"}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_refuses_what_its_format_cannot_hold_and_leaves_nothing(
    tmp_path, name
) -> None:
    write = get_format(name).write
    path = tmp_path / "clip"
    ones = SkeletonSequence(np.ones((1, 3, 15, 2)), create_layout("sbu15-2d"), units="px")
    nobody = np.zeros((1, 3, 15), np.float32)
    bad = [ones.with_keypoints(ones.keypoints * 0, confidence=nobody)]
    if get_format(name).layout is not None or name in ("openpose", "coco-json", "bvh"):
        bad.append(ones)
    else:
        assert write(path, ones) is None
        path.unlink()
    for clip in bad:
        with pytest.raises((LayoutError, SkeletonFormatError)):
            write(path, clip)
    assert list(tmp_path.iterdir()) == []
