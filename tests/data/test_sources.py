"""Conversion of files that hold many clips: the same store as from single files, no guessing."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from infocpl.data import ClipStore, convert_dataset, create_dataset, create_split, split_indices
from infocpl.data.sources import open_source
from infocpl.errors import ConfigError, DataError, SkeletonFormatError
from infocpl.skeleton.formats import ntu_name, write_aimclr, write_ctrgcn, write_ntu, write_pyskl
from infocpl.skeleton.formats.pku_mmd import PkuInterval, write_pku_labels, write_pku_mmd
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.performances import PkuScript, perform_pku

NTU = create_dataset("ntu60")
SCRIPTS = {2: (3, 34, 1, 10), 3: (12, 14, 18, 21), 4: (8, 5, 34, 51)}
SUBJECTS = (1, 2, 3, 4, 6, 7)  # 1, 2 and 4 train


@pytest.fixture
def clips(make_clip) -> dict[str, SkeletonSequence]:
    """Official name to clip: five actions by six people, the last action by two persons."""
    found = {}
    for action in (1, 2, 3, 50, 60):
        for subject in SUBJECTS:
            name = ntu_name(setup=2, camera=3, subject=subject, replication=1, action=action)
            clip = make_clip(
                subject * 100 + action, persons=1 + (action > 49), frames=5, layout="ntu25"
            )
            # Presence only: what all of these formats can say of a joint.
            found[name] = SkeletonSequence(clip.keypoints, clip.layout)
    return found


@pytest.fixture
def pickled(tmp_path: Path, clips) -> Path:
    """The clips as a PYSKL pickle with two divisions, as the published ones have."""
    path = tmp_path / "ntu60_3danno.pkl"
    names = list(clips)
    subjects = [NTU.facts(name).subject for name in names]
    train = [i for i, subject in enumerate(subjects) if subject in (1, 2, 4)]
    splits = {"xsub_train": train, "xsub_val": sorted(set(range(len(names))) - set(train))}
    splits |= {"xview_train": list(range(len(names))), "xview_val": []}
    labels = [NTU.facts(name).label for name in names]
    write_pyskl(path, list(clips.values()), labels, names, splits)
    return path


def as_table(store: ClipStore) -> dict[str, tuple]:
    return {
        record.name: (
            record.label,
            record.subject,
            record.camera,
            record.setup,
            clip.keypoints.sum(),
        )
        for record, clip in zip(store.records, store, strict=True)
    }


def test_a_pickle_of_all_clips_and_single_files_make_the_same_clips(
    tmp_path: Path, clips, pickled: Path
):
    (tmp_path / "single").mkdir()
    for name, clip in clips.items():
        write_ntu(tmp_path / "single" / f"{name}.skeleton", clip)
    single = convert_dataset(NTU, tmp_path / "single", tmp_path / "one")
    many = convert_dataset(NTU, pickled, tmp_path / "many")
    assert as_table(single).keys() == as_table(many).keys()
    for name, facts in as_table(single).items():
        found = as_table(many)[name]
        assert found[:4] == facts[:4]
        # The reader of single files orders persons by energy; their sum is the same.
        assert found[4] == pytest.approx(facts[4], rel=1e-5)
    assert many.default_protocol == "xsub"
    split = create_split("ntu60", NTU.classes, NTU.classes[49:])
    for protocol in ("xsub", "xview"):
        parts = [split_indices(store, split, protocol) for store in (single, many)]
        for side in ("train", "seen_test", "unseen_test"):
            names = [
                {store.names[i] for i in getattr(part, side)}
                for store, part in zip((single, many), parts, strict=True)
            ]
            assert names[0] == names[1]


@pytest.mark.integration
def test_two_processes_read_a_file_of_many_clips_to_the_same_store(tmp_path: Path, pickled: Path):
    one = convert_dataset(NTU, pickled, tmp_path / "one")
    two = convert_dataset(NTU, pickled, tmp_path / "two", workers=2)
    assert one.hash == two.hash
    provenance = one.manifest["provenance"]
    assert (provenance["format"], provenance["found"]) == ("pyskl", 30)
    assert provenance["files"]["count"] == 1


def test_arrays_without_names_are_divided_as_their_file_says(tmp_path: Path, clips):
    path = tmp_path / "NTU60_CS.npz"
    parts = {}
    for part, chosen in (("train", SUBJECTS[:4]), ("test", SUBJECTS[4:])):
        names = [name for name in clips if NTU.facts(name).subject in chosen]
        parts[part] = ([clips[n] for n in names], [NTU.facts(n).label for n in names])
    write_ctrgcn(path, parts, classes=60, frames=20)
    store = convert_dataset(NTU, path, tmp_path / "store")
    assert store.default_protocol == "file"
    assert np.bincount(store.column("part")).tolist() == [0, 20, 10]
    found = split_indices(store, create_split("ntu60", NTU.classes, [NTU.classes[0]]))
    assert (len(found.train), len(found.seen_test), len(found.unseen_test)) == (16, 8, 6)
    with pytest.raises(
        DataError, match=r"'xsub' divides by subject, which is not recorded .* file"
    ):
        store.protocol("xsub")


def test_single_files_make_no_division_of_their_own(tmp_path: Path, utd_folder: Path):
    store = convert_dataset(create_dataset("utd-mhad"), utd_folder, tmp_path / "store")
    assert store.default_protocol == "xsub-75"
    with pytest.raises(DataError, match="made no division; usable: xsub, xsub-75"):
        store.protocol("file")
    with pytest.raises(ConfigError, match="one clip each make no divisions; got 'xsub'"):
        convert_dataset(create_dataset("utd-mhad"), utd_folder, tmp_path / "other", division="xsub")


def test_a_folder_of_arrays_is_recognised(tmp_path: Path, clips):
    names = list(clips)
    labels = [NTU.facts(name).label for name in names]
    write_aimclr(tmp_path / "arrays", "train", list(clips.values()), labels, names, frames=8)
    store = convert_dataset(NTU, tmp_path / "arrays", tmp_path / "store")
    assert store.names == tuple(names)
    assert set(store.column("subject")) == set(SUBJECTS)


def test_several_divisions_without_official_names_must_be_chosen_from(tmp_path: Path, clips):
    path = tmp_path / "mine.pkl"
    names = [f"recording {number}" for number in range(6)]
    splits = {"a_train": [0, 1, 2], "a_val": [3, 4, 5], "b_train": [5], "b_val": [0, 1]}
    write_pyskl(path, list(clips.values())[:6], [0, 1, 2, 3, 4, 5], names, splits)
    with pytest.raises(ConfigError, match="several ways; choose a division: a, b"):
        convert_dataset(NTU, path, tmp_path / "store")
    with pytest.raises(ConfigError, match="division: expected one of a, b, got 'c'"):
        convert_dataset(NTU, path, tmp_path / "store", division="c")
    for division, sides in (("a", [1, 1, 1, 2, 2, 2]), ("b", [2, 2, 2, 2, 2, 1])):
        store = convert_dataset(NTU, path, tmp_path / division, division=division)
        assert store.column("part").tolist() == sides


def test_a_label_that_differs_from_the_name_is_refused(tmp_path: Path, clips):
    path = tmp_path / "wrong.pkl"
    names = list(clips)[:2]
    write_pyskl(path, list(clips.values())[:2], [0, 7], names, {})
    with pytest.raises(DataError, match=r"label: expected 0, as its name says, got 7"):
        convert_dataset(NTU, path, tmp_path / "store")


def test_labels_of_another_dataset_are_refused(tmp_path: Path, clips):
    path = tmp_path / "wrong.pkl"
    write_pyskl(path, list(clips.values())[:2], [0, 60], ["a", "b"], {})
    with pytest.raises(DataError, match=r"'b': label: expected 0 to 59, .*NTU RGB\+D, got 60"):
        convert_dataset(NTU, path, tmp_path / "store")
    path = tmp_path / "wrong.npz"
    write_ctrgcn(path, {"train": (list(clips.values())[:2], [0, 1])}, classes=51)
    with pytest.raises(DataError, match=r"classes: expected 60, those of NTU RGB.D, got 51"):
        convert_dataset(NTU, path, tmp_path / "store")


def test_clips_known_as_missing_are_left_out_and_counted(tmp_path: Path, clips):
    path = tmp_path / "all.pkl"
    missing = min(NTU.missing)
    names = [*list(clips)[:3], missing]
    labels = [NTU.facts(name).label for name in names]
    write_pyskl(path, list(clips.values())[:4], labels, names, {})
    store = convert_dataset(NTU, path, tmp_path / "store")
    assert missing not in store.names
    provenance = store.manifest["provenance"]
    assert (provenance["found"], provenance["missing"], len(store)) == (4, 1, 3)


def test_a_bad_clip_in_a_file_of_many_is_named_or_left_out(tmp_path: Path, pickled: Path):
    content = pickle.loads(pickled.read_bytes())
    name = content["annotations"][7]["frame_dir"]
    content["annotations"][7]["keypoint"][0, 2, 3, 1] = np.nan
    pickled.write_bytes(pickle.dumps(content))
    with pytest.raises(SkeletonFormatError, match=name):
        convert_dataset(NTU, pickled, tmp_path / "store")
    assert not (tmp_path / "store").exists()
    store = convert_dataset(NTU, pickled, tmp_path / "store", on_error="skip")
    (left_out,) = store.manifest["provenance"]["skipped"]
    assert left_out["file"] == f"ntu60_3danno.pkl#{name}"
    assert "nan" in left_out["reason"]
    assert str(tmp_path) not in left_out["reason"]
    assert len(store) == 29


def test_an_unknown_format_is_answered_with_the_known_ones(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"unknown format 'vhs'; .*ntu.*; many clips .*pyskl"):
        open_source(NTU, tmp_path, "vhs")


def test_a_file_that_is_no_collection_is_refused_by_what_was_expected(tmp_path: Path):
    path = tmp_path / "holiday.zip"
    path.write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match=r"expected a folder with NTU RGB.D clips, got a file"):
        convert_dataset(NTU, path, tmp_path / "store")


@pytest.fixture(scope="module")
def pku(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three PKU-MMD recordings by two views, their labels, and the list of who trains."""
    folder = tmp_path_factory.mktemp("pku")
    for place in ("Skeleton", "Label", "Split"):
        (folder / place).mkdir()
    sides: dict[str, list[str]] = {"Training": [], "Validation": []}
    for number in SCRIPTS:
        recordings, intervals = perform_pku(PkuScript(number, SCRIPTS[number]), views="LM")
        for view, clip in recordings.items():
            name = f"{number:04}-{view}"
            sides["Validation" if number == 4 else "Training"].append(name)
            write_pku_mmd(folder / "Skeleton" / f"{name}.txt", clip)
            rows = [PkuInterval(*interval, confidence=2) for interval in intervals]
            write_pku_labels(folder / "Label" / f"{name}.txt", rows)
    lines = [f"{side} videos:\n{', '.join(names)}\n" for side, names in sides.items()]
    (folder / "Split" / "cross-subject.txt").write_text("".join(lines))
    return folder


@pytest.mark.integration
def test_pku_mmd_is_cut_along_its_labels_and_divided_by_its_own_list(tmp_path: Path, pku: Path):
    dataset = create_dataset("pku-mmd")
    store = convert_dataset(dataset, pku, tmp_path / "store", workers=2)
    store.verify()
    assert len(store) == 3 * 2 * 4
    assert (store.dataset, store.default_protocol) == ("pku-mmd", "xsub")
    assert store.protocol("xsub").train == (2, 3)
    assert list(store.manifest["provenance"]["lists"]) == ["xsub"]
    expected = []
    for number in SCRIPTS:
        _, intervals = perform_pku(PkuScript(number, SCRIPTS[number]), views="L")
        for camera in (1, 2):
            expected += [(number, camera, action - 1, b - a + 1) for action, a, b in intervals]
    found = zip(
        *(store.column(key).tolist() for key in ("setup", "camera", "label", "frames")),
        strict=True,
    )
    assert list(found) == expected
    one = convert_dataset(dataset, pku, tmp_path / "one")
    assert one.hash == store.hash


def test_recordings_of_the_other_part_are_refused_by_name(tmp_path: Path, pku: Path):
    with pytest.raises(
        DataError, match=r"part II with names like A01N01-L, got '0002-L_i001_a\d\d'"
    ):
        convert_dataset(create_dataset("pku-mmd-2"), pku, tmp_path / "store")


def test_a_changed_file_of_many_clips_is_not_taken_for_the_same(tmp_path: Path, pickled: Path):
    """Work of an interrupted conversion is only continued while the file is what it was."""
    one = open_source(NTU, pickled).stamp(0)
    pickled.write_bytes(pickled.read_bytes() + b"\n")
    assert open_source(NTU, pickled).stamp(0) != one
