"""Looking into files and stores: facts against independent counts, pictures that are pictures."""

from __future__ import annotations

import json
import re
import struct
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from infocpl.apps.dataset_files import find_files
from infocpl.apps.inspection import ClipView, Overview, inspect_clip, inspect_path
from infocpl.apps.picture import draw_clip
from infocpl.apps.report.clip_page import write_clip_page
from infocpl.data import ClipInfo, EncoderNote, create_dataset, write_features
from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats import (
    FeaturePart,
    read_skeleton,
    write_feature_folder,
    write_openpose,
    write_pyskl,
)
from infocpl.skeleton.layout import create_layout, list_layouts
from infocpl.skeleton.quality import find_problems
from infocpl.skeleton.sequence import SkeletonSequence


@pytest.fixture
def clip(rng) -> SkeletonSequence:
    """Two noisy persons, one of whom leaves."""
    points = rng.normal(size=(2, 40, 25, 3))
    points[1, 30:] = 0.0
    return SkeletonSequence(points, create_layout("ntu25"), source="noise")


def test_a_file_is_shown_with_its_facts(wave: Path):
    view = inspect_path(wave)
    assert isinstance(view, ClipView)
    facts = dict(view.facts)
    assert facts["layout"] == "ntu25 (25 joints, 3-D)"
    assert facts["frames"].startswith(f"{view.clip.frames} (")
    assert facts["units"] == "m"


def test_facts_agree_with_plain_counting(clip):
    facts = dict(inspect_clip(clip, "noise").facts)
    assert facts["frames"] == "40 (1.33 s at 30 frames a second)"
    assert facts["persons"] == "2 (there in 100%, 75% of the frames)"
    there = clip.keypoints[clip.present]
    assert facts["coordinates"].startswith(
        f"x {there[..., 0].min():.2f} to {there[..., 0].max():.2f}"
    )


def test_a_store_is_summed_up_and_its_clips_are_counted(small_store):
    view = inspect_path(small_store.folder)
    assert isinstance(view, Overview)
    facts = dict(view.facts)
    assert facts["store"].startswith(f"{len(small_store)} clips of synthetic")
    assert facts["subjects"] == "4 (1 to 9)"
    assert facts["protocols"] == "xsub"
    assert dict(view.counts) == dict.fromkeys(small_store.classes, 4)
    expected = [{p.kind for p in find_problems(clip)} for clip in small_store]
    for kind, number, example in view.problems:
        assert number == sum(kind in found for found in expected)
        name = example.split(":")[0]
        assert kind in expected[small_store.names.index(name)]
    assert {kind for kind, _, _ in view.problems} == set().union(*expected)


def test_progress_counts_every_clip(small_store):
    calls: list[tuple[int, int]] = []
    inspect_path(small_store.folder, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(n, len(small_store)) for n in range(1, len(small_store) + 1)]


@pytest.mark.parametrize("by", ["name", "number"])
def test_one_clip_of_a_store_is_found_by_name_and_by_number(small_store, by: str):
    name = small_store.names[7]
    view = inspect_path(small_store.folder, clip=name if by == "name" else "7")
    assert view.title == name
    assert np.array_equal(view.clip.keypoints, small_store[7].keypoints)
    assert dict(view.facts)["class"] == small_store.classes[small_store.labels[7]]


@pytest.mark.parametrize("wanted", ["nobody", "236", "-1"])
def test_a_clip_that_is_not_there_is_answered_with_a_name_that_is(small_store, wanted: str):
    with pytest.raises(ConfigError, match=rf"'{small_store.names[0]}'.* 0 to 235, got '{wanted}'"):
        inspect_path(small_store.folder, clip=wanted)


def test_a_file_of_many_clips_is_summed_up_with_its_bad_ones(tmp_path: Path, clip, wave: Path):
    path = tmp_path / "many.pkl"
    good = inspect_path(wave).clip
    good = SkeletonSequence(good.keypoints, good.layout)
    write_pyskl(path, [good, clip], [3, 5], ["good", "noise"], {"a_train": [0], "a_val": [1]})
    view = inspect_path(path)
    facts = dict(view.facts)
    assert facts["file"] == "2 clips, layout ntu25, 30 frames a second"
    assert (facts["split a_train"], facts["split a_val"]) == ("1 clips", "1 clips")
    assert ("jumps", 1) in {(kind, number) for kind, number, _ in view.problems}
    assert inspect_path(path, clip="noise").title == "noise"


def test_features_are_described_with_what_is_only_declared(tmp_path: Path):
    rows = np.eye(3, 4)
    rows[2] = 0.0
    infos = [ClipInfo(name, label) for label, name in enumerate("abc")]
    note = EncoderNote("Shift-GCN", ("x", "y"), "publisher")
    store = write_features(tmp_path / "store", "toy", ("x", "y", "z"), rows, infos, note)
    view = inspect_path(store.folder)
    facts = dict(view.facts)
    assert facts["trained on"] == "2 classes, declared by the publisher; cannot be proved"
    assert facts["length of a row"] == "0 to 1"
    assert view.problems == (("zero rows", 1, "c: nothing but zeros"),)
    with pytest.raises(ConfigError, match="holds features"):
        inspect_path(store.folder, clip="0")


def test_what_cannot_be_read_says_so_as_readers_do(tmp_path: Path, wave: Path):
    (tmp_path / "bad.skeleton").write_text("3\nx\n")
    with pytest.raises(SkeletonFormatError, match=r"bad.skeleton, line 2: .*expected .*, got"):
        inspect_path(tmp_path / "bad.skeleton")
    with pytest.raises(ConfigError, match="--clip is for stores"):
        inspect_path(wave, clip="3")


# --- folders of original files --------------------------------------------------------------------


def test_a_folder_of_original_files_is_recognised_and_counted(synthetic_files: Path):
    view = inspect_path(synthetic_files, dataset=create_dataset("synthetic"))
    assert isinstance(view, Overview)
    facts = dict(view.facts)
    files = [path.stem for path in synthetic_files.glob("*.skeleton")]
    assert facts["dataset"] == f"Synthetic actions (synthetic): {len(files)} clips, format ntu"
    assert facts["subjects"] == "4 (1 to 9)"
    assert facts["to use them"].startswith("infocpl convert --dataset synthetic --data ")
    assert dict(view.counts) == dict.fromkeys(create_dataset("synthetic").classes, 4)
    problems = [{p.kind for p in find_problems(read_skeleton(synthetic_files / f"{name}.skeleton"))}
                for name in files]  # fmt: skip
    for kind, number, _ in view.problems:
        assert number == sum(kind in found for found in problems)


@pytest.mark.parametrize(
    ("name", "expected", "also"),
    [
        ("a24_s3_t2_skeleton.mat", "utd-mhad", None),
        ("a01_s01_e00_v01.json", "nw-ucla", None),
        ("s01s02/01/001/skeleton_pos.txt", "sbu", None),
        ("S001C001P001R001A058.skeleton", "ntu60", "ntu120, synthetic; choose"),
        ("S018C001P041R001A119.skeleton", "ntu120", None),
        ("deep/er/a01_s01_e01_skeleton3D.txt", "msr-action3d", None),
    ],
)
def test_a_dataset_is_known_by_the_names_of_its_files(tmp_path: Path, name, expected, also):
    """Also where every file is damaged: names are known before anything is read."""
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("damaged")
    (tmp_path / "readme.txt").write_text("not a clip")
    view = inspect_path(tmp_path)
    facts = dict(view.facts)
    assert f"({expected}): 1 clips" in facts["dataset"]
    assert (facts.get("file names also fit") or "None").startswith(also or "None")
    ((kind, number, example),) = view.problems
    assert (kind, number) == ("unreadable", 1)
    assert path.name in example
    assert view.shown is None
    with pytest.raises(SkeletonFormatError, match=path.name):
        inspect_path(tmp_path, clip="0")


@pytest.mark.parametrize("by", ["name", "number"])
def test_one_clip_of_a_folder_is_found_by_name_and_by_number(synthetic_files, by):
    names = sorted(path.stem for path in synthetic_files.glob("*.skeleton"))
    dataset = create_dataset("synthetic")
    view = inspect_path(synthetic_files, clip=names[9] if by == "name" else "9", dataset=dataset)
    assert view.title == names[9]
    read = read_skeleton(synthetic_files / f"{names[9]}.skeleton")
    assert np.array_equal(view.clip.keypoints, read.keypoints)
    facts = dict(view.facts)
    assert facts["class"] == dataset.classes[dataset.class_ids.index(int(names[9][-3:]))]
    assert facts["subject"] == str(int(names[9][9:12]))


def test_a_large_folder_is_looked_at_in_part_and_says_so(synthetic_files, monkeypatch):
    monkeypatch.setattr("infocpl.apps.dataset_files._MOST", 5)
    files = find_files(synthetic_files)
    assert files is not None
    assert files.sample(5) == [0, 59, 118, 176, 235]
    assert files.sample(236) == list(range(236))
    assert dict(files.facts())["looked at"].startswith("5 clips, evenly drawn")


def test_frames_of_one_clip_stay_one_clip(tmp_path: Path, clip):
    layout = create_layout("openpose25")
    points = np.random.default_rng(0).uniform(0.1, 1, size=(1, 6, 25, 2))
    write_openpose(tmp_path / "frames", SkeletonSequence(points, layout, units="px"))
    view = inspect_path(tmp_path / "frames")
    assert isinstance(view, ClipView)
    assert view.clip.frames == 6
    with pytest.raises(ConfigError, match="holds one clip"):
        inspect_path(tmp_path / "frames", clip="0")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ["there is no file in this folder"]),
        ([".hidden"], ["there is no file in this folder"]),
        (["walk.bvh", "run.bvh"], ["got 2 other files", "such as .*run.bvh", "--dataset"]),
        (["clip1.json", "clip2.json"], ["taken for one clip", "such as .*clip1.json"]),
        (["sub/a.csv"], ["got 1 other files", "such as .*a.csv"]),
    ],
    ids=["empty", "hidden", "motion files", "json clips", "below"],
)  # fmt: skip
def test_a_folder_of_something_else_is_answered_with_what_to_do(tmp_path: Path, names, words):
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises(ConfigError) as caught:
        inspect_path(tmp_path)
    for word in words:
        assert re.search(word, str(caught.value)), str(caught.value)


def test_features_as_published_are_answered_with_the_way_to_a_store(tmp_path: Path):
    labels = np.array([0, 1])
    part = FeaturePart(np.ones((2, 3), dtype=np.float32), labels)
    write_feature_folder(tmp_path / "features", {"train": part})
    with pytest.raises(ConfigError, match=r"holds features: .*infocpl convert .*--trained-on"):
        inspect_path(tmp_path / "features")


def test_a_store_knows_its_dataset(small_store):
    with pytest.raises(ConfigError, match="leave --dataset out"):
        inspect_path(small_store.folder, dataset=create_dataset("synthetic"))


# --- pictures -------------------------------------------------------------------------------------


def png_size(path: Path) -> tuple[int, int]:
    raw = path.read_bytes()
    assert raw[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", raw[16:24])


def test_a_png_has_a_size_and_more_than_one_colour(tmp_path: Path, clip):
    path = draw_clip(clip, tmp_path / "clip.png", problems=find_problems(clip))
    width, height = png_size(path)
    assert width > height > 300
    assert [item.name for item in tmp_path.iterdir()] == ["clip.png"]
    blank = draw_clip(
        SkeletonSequence(clip.keypoints, clip.layout, confidence=np.zeros((2, 40, 25))),
        tmp_path / "blank.png",
    )
    assert len(path.read_bytes()) > 1.5 * len(blank.read_bytes())


def test_an_svg_is_well_formed_and_holds_the_title_as_text(tmp_path: Path, clip):
    title = "a <clip> & $x^2$ \u2603"
    path = draw_clip(clip, tmp_path / "clip.svg", title=title)
    root = ElementTree.parse(path).getroot()
    texts = ["".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert title in texts
    assert "frame 0, 0.00 s" in texts
    again = draw_clip(clip, tmp_path / "again.svg", title=title)
    assert path.read_bytes() == again.read_bytes()


@pytest.mark.parametrize("name", list_layouts())
def test_every_layout_can_be_drawn(tmp_path: Path, name: str, rng):
    layout = create_layout(name)
    clip = SkeletonSequence(rng.normal(size=(1, 9, len(layout), layout.dims)), layout)
    write_clip_page(clip, tmp_path / "clip.html", title=name)
    # A single frame takes the same path as many and an eighth of the time.
    png_size(draw_clip(SkeletonSequence(clip.keypoints[:, :1], layout), tmp_path / "one.png"))
    assert payload(tmp_path / "clip.html")["shape"] == [1, 9, len(layout)]


def payload(path: Path) -> dict:
    text = path.read_text(encoding="utf-8")
    raw = re.search(r'<script type="application/json" id="clips-data">(.*?)</script>', text)[1]
    (clip,) = json.loads(raw)
    return clip


def test_the_animation_holds_the_coordinates_and_the_problems(tmp_path: Path, clip):
    problems = find_problems(clip)
    path = write_clip_page(
        clip,
        tmp_path / "clip.html",
        title="<b>noise</b>",
        facts=[("a", "1 < 2")],
        problems=problems,
    )
    shown = payload(path)
    points = np.array(shown["points"]).reshape(2, 40, 25, 3) * shown["step"] + shown["origin"]
    there = clip.present
    np.testing.assert_allclose(points[there], clip.keypoints[there], atol=shown["step"])
    assert shown["present"] == ["1" * 40, "1" * 30 + "0" * 10]
    text = path.read_text(encoding="utf-8")
    assert "<b>noise</b>" not in text
    assert "1 &lt; 2" in text
    for problem in problems:
        assert problem.text.replace("'", "&#39;") in text
    assert not re.search(r'(?:src|href)="(?!#)', text)


@pytest.mark.parametrize("name", ["clip.gif", "clip", "clip.svg/x.png"])
def test_a_place_that_cannot_hold_a_picture_is_refused(tmp_path: Path, clip, name: str):
    (tmp_path / "clip.svg").write_text("")
    with pytest.raises(ConfigError, match="clip"):
        draw_clip(clip, tmp_path / name)
