"""File names to facts, and folders to clips."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.data import ClipInfo, Protocol, create_dataset
from infocpl.errors import DataError

three = st.integers(min_value=0, max_value=999)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


@given(setup=three, camera=three, person=three, run=three, action=st.integers(1, 120))
def test_every_fact_of_an_ntu_name_is_read(setup, camera, person, run, action):
    name = f"S{setup:03}C{camera:03}P{person:03}R{run:03}A{action:03}"
    info = create_dataset("ntu120").parse(f"/data/nturgb+d/{name}.skeleton")
    assert info == ClipInfo(name, action - 1, person, camera, setup, run)


@given(action=st.integers(1, 27), subject=st.integers(1, 8), trial=st.integers(1, 4))
def test_every_fact_of_a_utd_name_is_read(action: int, subject: int, trial: int):
    name = f"a{action}_s{subject}_t{trial}_skeleton"
    info = create_dataset("utd-mhad").parse(f"{name}.mat")
    assert info == ClipInfo(name, action - 1, subject, replication=trial)


@pytest.mark.parametrize(("file_id", "label"), [(1, 0), (6, 5), (8, 6), (9, 7), (11, 8), (12, 9)])
def test_ucla_ids_with_gaps_become_labels_without(file_id: int, label: int):
    info = create_dataset("nw-ucla").parse(f"a{file_id:02}_s03_e04_v02.json")
    assert (info.label, info.subject, info.replication, info.camera) == (label, 3, 4, 2)


def test_an_sbu_clip_is_named_by_its_folders_and_its_subject_is_the_pair():
    info = create_dataset("sbu").parse("sbu/s03s06/08/002/skeleton_pos.txt")
    assert info == ClipInfo("s03s06/08/002", 7, subject=306, replication=2)


@pytest.mark.parametrize(
    ("dataset", "path"),
    [
        ("ntu60", "S001C001P001R001A001.txt"),
        ("ntu60", "S01C001P001R001A001.skeleton"),
        ("ntu60", "xS001C001P001R001A001.skeleton"),
        ("utd-mhad", "a1_s1_t1_inertial.mat"),
        ("sbu", "skeleton_pos.txt"),
        ("nw-ucla", ""),
        ("pku-mmd", "0002-L.txt"),
    ],
)
def test_another_name_is_refused_with_an_example(dataset: str, path: str):
    with pytest.raises(DataError, match="expected a file name"):
        create_dataset(dataset).parse(path)


def test_an_action_of_the_larger_dataset_is_refused_by_the_smaller():
    with pytest.raises(DataError, match="action id of dataset 'ntu60' \\(1 to 60\\)"):
        create_dataset("ntu60").parse("S018C001P001R001A061.skeleton")
    assert create_dataset("ntu120").parse("S018C001P001R001A061.skeleton").label == 60


def test_clips_are_found_at_any_depth_in_the_order_of_their_paths(tmp_path: Path):
    touch(
        tmp_path,
        "b/S001C001P001R001A002.skeleton",
        "a/deep/er/S001C001P001R001A001.skeleton",
        "S001C001P001R001A061.skeleton",
        "notes.txt",
    )
    found = create_dataset("ntu60").files(tmp_path)
    assert [path.name[-13:-9] for path in found] == ["A001", "A002"]
    assert found == sorted(found)
    assert len(create_dataset("ntu120").files(tmp_path)) == 3


def test_sbu_clips_are_found_when_the_folder_given_is_one_pair(tmp_path: Path):
    touch(tmp_path, "s01s02/01/001/skeleton_pos.txt", "s01s02/02/001/skeleton_pos.txt")
    assert len(create_dataset("sbu").files(tmp_path / "s01s02")) == 2
    assert len(create_dataset("sbu").files(str(tmp_path))) == 2


@pytest.mark.parametrize(
    ("folder", "dataset", "count"),
    [("utd_mhad", "utd-mhad", 861), ("nw_ucla", "nw-ucla", 1484), ("sbu", "sbu", 282)],
)
def test_real_folders_hold_the_documented_number_of_clips(
    real_data: Path, folder: str, dataset: str, count: int
):
    assert len(create_dataset(dataset).files(real_data / folder)) == count


def test_a_missing_folder_and_a_file_are_told_apart(tmp_path: Path):
    with pytest.raises(DataError, match="expected a folder with UTD-MHAD clips, got nothing"):
        create_dataset("utd-mhad").files(tmp_path / "none")
    touch(tmp_path, "a1_s1_t1_skeleton.mat")
    with pytest.raises(DataError, match="expected a folder with UTD-MHAD clips, got a file"):
        create_dataset("utd-mhad").files(tmp_path / "a1_s1_t1_skeleton.mat")


def test_a_folder_without_clips_says_what_was_expected_and_what_is_there(tmp_path: Path):
    with pytest.raises(DataError, match=r"names like a01_s01_e00_v01.json, got no files"):
        create_dataset("nw-ucla").files(tmp_path)
    touch(tmp_path, "z.json", "b/c.json")
    with pytest.raises(DataError, match=r"got 2 other files, such as b/c.json"):
        create_dataset("nw-ucla").files(tmp_path)


def test_a_dataset_that_cannot_be_found_by_name_says_so(tmp_path: Path):
    touch(tmp_path, "0002-L.txt")
    with pytest.raises(DataError, match="cannot be found by file name"):
        create_dataset("pku-mmd").files(tmp_path)


def test_one_clip_in_two_places_is_refused_with_both(tmp_path: Path):
    touch(tmp_path, "a/a1_s1_t1_skeleton.mat", "b/a1_s1_t1_skeleton.mat")
    with pytest.raises(DataError, match="each clip once, got 'a1_s1_t1_skeleton' as") as caught:
        create_dataset("utd-mhad").files(tmp_path)
    assert os.path.join("b", "a1_s1_t1_skeleton.mat") in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_opened_is_not_passed_over(tmp_path: Path):
    touch(tmp_path, "a/a1_s1_t1_skeleton.mat", "b/a2_s1_t1_skeleton.mat")
    (tmp_path / "b").chmod(0)
    with pytest.raises(DataError, match="cannot be read"):
        create_dataset("utd-mhad").files(tmp_path)
    (tmp_path / "b").chmod(0o755)


@pytest.mark.parametrize("field", ["subject", "camera", "setup", "replication"])
def test_a_protocol_divides_by_its_field_alone(field: str):
    protocol = Protocol("p", field, (3,))
    others = dict.fromkeys({"subject", "camera", "setup", "replication"} - {field}, 3)
    assert protocol.is_train(ClipInfo("x", 0, **{field: 3}))
    assert not protocol.is_train(ClipInfo("x", 0, **others))


@pytest.mark.parametrize(
    ("field", "train"), [("label", (1,)), ("subject", ()), ("subject", (1, 1))]
)
def test_a_protocol_without_meaning_is_refused(field: str, train: tuple[int, ...]):
    with pytest.raises(DataError, match="protocol 'p'"):
        Protocol("p", field, train)
