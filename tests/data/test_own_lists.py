"""Lists of the user's own: missing clips, class names, who trains, with the forms they come in."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from infocpl.data import convert_dataset, create_dataset, find_dataset, load_dataset
from infocpl.data.own_lists import (
    find_protocols,
    with_classes,
    with_missing,
    with_training_list,
)
from infocpl.errors import DataError
from infocpl.files import sha256_file

UTD, PKU, PKU2, NTU = map(create_dataset, ("utd-mhad", "pku-mmd", "pku-mmd-2", "ntu60"))
RECORDINGS = """Training videos:
0002-L, 0002-M, 0002-R, 0003-L, 0003-M, 0003-R,
Validation videos:
0291-L, 0291-M, 0291-R,
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_missing_clips_are_added_to_those_of_the_catalogue(tmp_path: Path):
    path = write(tmp_path / "bad.txt", "S001C001P001R001A001\n\n  S001C001P001R001A002.skeleton \n")
    dataset = with_missing(NTU, path)
    added = {"S001C001P001R001A001", "S001C001P001R001A002"}
    assert dataset.missing == NTU.missing | added


def test_clips_the_user_calls_missing_are_not_converted(tmp_path: Path, utd_folder: Path):
    path = write(tmp_path / "bad.txt", "a1_s1_t1_skeleton\na2_s1_t1_skeleton.mat\n")
    store = convert_dataset(with_missing(UTD, path), utd_folder, tmp_path / "store")
    assert (len(store), store.manifest["provenance"]["missing"]) == (38, 2)


def test_classes_are_renamed_in_their_order(tmp_path: Path):
    names = [f"my class {number}" for number in range(27)]
    dataset = with_classes(UTD, write(tmp_path / "names.txt", "\n".join(names)))
    assert dataset.classes == tuple(names)
    with pytest.raises(DataError, match=r"names.txt: expected 27 class names, .* got 2"):
        with_classes(UTD, write(tmp_path / "names.txt", "a\nb\n"))
    with pytest.raises(DataError, match="expected 2 or more different names"):
        with_classes(UTD, write(tmp_path / "names.txt", "a\n" * 27))


@pytest.mark.parametrize("text", ["1 3 5 7", "7,5\n3,1", "\ufeff1\n3\n5\n7\n", "1; 3; 5; 7; 7"])
def test_a_list_of_ids_makes_a_protocol(tmp_path: Path, text: str):
    dataset = with_training_list(UTD, "xsub", write(tmp_path / "train.txt", text))
    assert dataset.protocol("xsub").train == (1, 3, 5, 7)
    assert dataset.protocol("xsub").field == "subject"
    assert dataset.default_protocol == "xsub-75"


@pytest.mark.parametrize(
    ("name", "field"), [("xview", "camera"), ("xset", "setup"), ("replication", "replication")]
)
def test_the_name_of_a_new_protocol_tells_what_it_divides_by(tmp_path: Path, name, field):
    dataset = with_training_list(UTD, name, write(tmp_path / "train.txt", "2"))
    assert (dataset.protocol(name).field, dataset.protocol(name).train) == (field, (2,))


def test_the_list_of_a_store_travels_with_it(tmp_path: Path, utd_folder: Path):
    dataset = with_training_list(UTD, "xsub", write(tmp_path / "train.txt", "2, 4"))
    store = convert_dataset(dataset, utd_folder, tmp_path / "store")
    assert store.protocol("xsub").train == (2, 4)
    assert store.protocol("xsub").notes == "from the list train.txt"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("xsub", "one, two", "expected whole numbers, the subject ids that train, .* got 'one'"),
        ("xsub", "1 2 -3", "got '-3'"),
        ("xsub", "1 2 \u0663", "expected whole numbers"),
        ("xsub", "9" * 10, "got '9999999999'"),
        ("xsub", "", "expected at least one line"),
        ("xmoon", "1", "protocol 'xmoon': expected a protocol of UTD-MHAD, one of xsub"),
    ],
)
def test_a_malformed_list_says_what_was_expected(tmp_path: Path, name, text, words):
    with pytest.raises(DataError, match=words):
        with_training_list(UTD, name, write(tmp_path / "train.txt", text))


def test_what_is_no_text_file_is_refused(tmp_path: Path):
    (tmp_path / "train.txt").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "train.txt", tmp_path, tmp_path / "none.txt"):
        with pytest.raises(DataError, match="expected a text file"):
            with_missing(UTD, path)
    with (tmp_path / "train.txt").open("wb") as file:
        file.truncate(1 << 23)
    with pytest.raises(DataError, match="expected at most 4,194,304 bytes"):
        with_missing(UTD, tmp_path / "train.txt")


@pytest.mark.parametrize("name", ["cross-subject.txt", "cross_subject.txt"])
def test_the_lists_of_pku_mmd_are_found_beside_the_data(tmp_path: Path, name: str):
    (tmp_path / "Split").mkdir()
    path = write(tmp_path / "Split" / name, RECORDINGS)
    dataset, lists = find_protocols(PKU, tmp_path)
    assert dataset.protocol("xsub").train == (2, 3)
    assert dataset.protocol("xsub").field == "setup"
    assert lists == {"xsub": {name: sha256_file(path)}}
    # The other part's list is of another name.
    assert find_protocols(PKU2, tmp_path)[1] == {}
    assert dataset.protocol("xview").train == (2, 3)


def test_the_lists_of_part_two_are_read_as_well(tmp_path: Path):
    write(
        tmp_path / "cross_view_v2.txt",
        "Training videos:\nA01N01-M, A01N01-R\nValidation videos:\nA01N01-L\n",
    )
    dataset, lists = find_protocols(PKU2, tmp_path)
    assert (dataset.protocol("xview").field, dataset.protocol("xview").train) == ("camera", (2, 3))
    assert list(lists) == ["xview"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (RECORDINGS.replace("0291-L", "0002-L"), "expected every setup on one side, got setup 2"),
        (RECORDINGS.replace("0291-L", "intro"), "names of recordings of PKU-MMD .*, got 'intro'"),
        ("Training videos:\n,\nValidation videos:\n0291-L\n", "got no recording that trains"),
        ("Training videos:\n0002-L\n", "expected whole numbers"),
    ],
)
def test_a_damaged_list_of_recordings_is_refused(tmp_path: Path, text: str, words: str):
    write(tmp_path / "cross-subject.txt", text)
    with pytest.raises(DataError, match=words):
        find_protocols(PKU, tmp_path)


def test_the_user_s_own_list_comes_before_one_beside_the_data(tmp_path: Path):
    write(tmp_path / "cross-subject.txt", RECORDINGS)
    mine = with_training_list(PKU, "xsub", write(tmp_path / "mine.txt", "291"))
    dataset, lists = find_protocols(mine, tmp_path)
    assert dataset.protocol("xsub").train == (291,)
    assert lists == {}


def test_a_dataset_of_ones_own_may_build_on_one_of_the_catalogue(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "base": "utd-mhad",
                "title": "UTD-MHAD, cleaned",
                "missing_clips": ["a1_s1_t1_skeleton"],
                "protocols": {"leave-8-out": {"field": "subject", "train": [1, 2, 3, 4, 5, 6, 7]}},
            }
        )
    )
    dataset = find_dataset(str(path))
    assert dataset.title == "UTD-MHAD, cleaned"
    assert (dataset.name, dataset.classes) == (UTD.name, UTD.classes)
    assert dataset.missing == {"a1_s1_t1_skeleton"}
    assert list(dataset.protocols) == ["xsub", "xsub-75", "leave-8-out"]
    path.write_text("base: kitchen\n")
    with pytest.raises(DataError, match=r"base: expected one of .*utd-mhad.*, got 'kitchen'"):
        load_dataset(path)
