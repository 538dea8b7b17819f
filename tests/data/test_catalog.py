"""The catalogue against the facts beside the real data, and its refusals."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from infocpl.data import Dataset, create_dataset, list_datasets, list_splits, load_dataset
from infocpl.errors import DataError
from infocpl.skeleton.formats import get_format, list_collection_formats, list_formats
from infocpl.skeleton.layout import list_layouts

OURS = [
    "hdm05",
    "msr-action3d",
    "ntu120",
    "ntu60",
    "nw-ucla",
    "pku-mmd",
    "pku-mmd-2",
    "sbu",
    "utd-mhad",
    "utkinect",
]
MANY_CLIPS_A_FILE = ("pku-mmd", "pku-mmd-2", "utkinect")

MINIMAL = {
    "name": "mine",
    "title": "My recordings",
    "layout": "kinect20",
    "format": "nw-ucla",
    "file_pattern": r"(?P<subject>p\d+)_(?P<action>\d+)\.json",
    "first_action_id": 1,
    "classes": ["wave", "walk"],
    "protocols": {"half": {"field": "subject", "train": [1, 2]}},
    "default_protocol": "half",
}


def facts(folder: Path) -> str:
    return (folder / "README.md").read_text(encoding="utf-8")


def write(path: Path, data: object) -> Path:
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def plain(name: str) -> str:
    return name.strip().lower().replace("\u2019", "'")


def test_the_catalogue_lists_every_dataset_of_the_package():
    assert set(OURS) <= set(list_datasets())
    assert list_datasets() == sorted(list_datasets())


@pytest.mark.parametrize("name", list_datasets())
def test_every_dataset_names_a_known_layout_that_its_format_delivers(name: str):
    dataset = create_dataset(name)
    assert dataset.layout in list_layouts()
    if name in MANY_CLIPS_A_FILE:
        assert dataset.format in list_collection_formats()
    else:
        assert dataset.format in list_formats()
        assert get_format(dataset.format).layout == dataset.layout


@pytest.mark.parametrize("name", list_datasets())
def test_every_dataset_recognises_its_own_example(name: str):
    dataset = create_dataset(name)
    if name in MANY_CLIPS_A_FILE:
        info = dataset.describe(Path(dataset.example).stem, 0)
        assert max(info.subject, info.setup) > 0
        return
    info = dataset.parse(f"some/where/{dataset.example}")
    first = 7 if name == "hdm05" else 0  # its example is a real sample file, of the eighth class
    assert (info.label, info.replication >= 0, info.subject > 0) == (first, True, True)


@pytest.mark.parametrize("name", list_datasets())
def test_class_names_are_trimmed_lower_case_and_different(name: str):
    classes = create_dataset(name).classes
    assert list(classes) == [" ".join(item.split()) for item in classes]
    assert len({item.casefold() for item in classes}) == len(classes)
    if name in OURS:
        assert all(item == item.lower() and item.isascii() for item in classes)


@pytest.mark.parametrize("name", list_datasets())
def test_the_default_protocol_is_one_of_the_protocols(name: str):
    dataset = create_dataset(name)
    if name.startswith("pku"):
        # Only the lists in the user's copy know which subject is in which recording.
        assert dataset.default_protocol in dataset.protocol_files
        with pytest.raises(DataError, match="read from a list that ships with the data"):
            dataset.protocol()
    elif dataset.protocols:
        assert dataset.protocol() is dataset.protocols[dataset.default_protocol]
    else:
        with pytest.raises(DataError, match="it has: none"):
            dataset.protocol("xsub")


@pytest.mark.parametrize("name", list_datasets())
def test_published_results_are_fractions_of_splits_we_have(name: str):
    dataset = create_dataset(name)
    for row in dataset.published:
        assert row.split in list_splits(dataset)
        assert 0.0 < row.top1 < 1.0
        assert row.method
        assert row.source


def test_ntu_class_names_are_the_official_ones(real_data: Path):
    lines = (real_data / "catalog" / "ntu120_names.txt").read_text(encoding="utf-8").splitlines()
    official = [plain(line) for line in lines if line.strip()]
    assert list(create_dataset("ntu120").classes) == official
    assert list(create_dataset("ntu60").classes) == official[:60]


def test_pku_class_names_are_the_official_ones(real_data: Path):
    with (real_data / "catalog" / "pkummd51_names.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["idx"]))
    assert list(create_dataset("pku-mmd").classes) == [plain(row["label"]) for row in rows]


def test_utd_and_ucla_class_names_are_the_official_ones(real_data: Path):
    text = " ".join(facts(real_data).split())
    utd = re.search(r"UTD-MHAD class names, id 1 to 27: (.*?)\. NW-UCLA", text)[1].split("; ")
    ucla = re.search(r"a12 in this order: (.*?)\. Kinect", text)[1].split("; ")
    assert list(create_dataset("utd-mhad").classes) == utd
    assert list(create_dataset("nw-ucla").classes) == ucla


def test_ntu_protocols_are_the_official_ones(real_data: Path):
    official = json.loads((real_data / "catalog" / "protocols.json").read_text())
    small, large = create_dataset("ntu60"), create_dataset("ntu120")
    assert list(small.protocol("xsub").train) == official["ntu60"]["xsub_train_subjects"]
    assert list(small.protocol("xview").train) == official["ntu60"]["xview_train_cameras"]
    assert list(large.protocol("xsub").train) == official["ntu120"]["xsub_train_subjects"]
    assert list(large.protocol("xset").train) == official["ntu120"]["xset_train_setups"]
    assert small.protocol("xview").field == "camera"
    assert large.protocol("xset").field == "setup"


@pytest.mark.parametrize(("name", "count"), [("ntu60", 302), ("ntu120", 535)])
def test_the_missing_samples_are_the_official_ones(real_data: Path, name: str, count: int):
    official = (real_data / "catalog" / f"{name}_missing.txt").read_text().split()
    assert create_dataset(name).missing == set(official)
    assert len(create_dataset(name).missing) == count


@pytest.mark.parametrize(
    ("name", "protocol", "ids"),
    [
        ("utd-mhad", "xsub", (1, 3, 5, 7)),
        ("utd-mhad", "xsub-75", (1, 2, 3, 4, 5, 6)),
        ("nw-ucla", "xview", (1, 2)),
        ("nw-ucla", "xsub", (1, 2, 3, 4, 5, 6, 7, 8)),
    ],
)
def test_the_small_datasets_divide_as_documented(name: str, protocol: str, ids: tuple[int, ...]):
    assert create_dataset(name).protocol(protocol).train == ids


def test_the_view_protocol_of_ucla_warns_of_near_duplicates():
    assert "duplicates" in create_dataset("nw-ucla").protocol("xview").notes
    assert create_dataset("nw-ucla").default_protocol == "xsub"


def test_the_sbu_protocol_divides_the_21_pairs(real_data: Path):
    protocol = create_dataset("sbu").protocol()
    pairs = {
        create_dataset("sbu").parse(path).subject
        for path in (real_data / "sbu").glob("*/*/*/*.txt")
    }
    assert len(pairs) == 21
    assert set(protocol.train) < pairs
    assert len(pairs - set(protocol.train)) == 5


def test_published_rows_are_the_printed_ones(real_data: Path):
    printed = {
        (split, cells[0].strip()): float(cell)
        for line in facts(real_data).splitlines()
        if line.startswith("| ")
        and (cells := line.strip("| ").split("|"))[0].strip() != "method"
        and len(cells) == 6
        and re.fullmatch(r"\s*[\d.]+\s*", cells[1])
        for split, cell in zip(("8-2", "5-5", "22-5", "18-9", "14-13"), cells[1:], strict=True)
    }
    ours = {
        (row.split.removeprefix("purls/"), row.method): row.top1 * 100
        for name in ("nw-ucla", "utd-mhad")
        for row in create_dataset(name).published
    }
    assert len(ours) == 20
    for key, value in ours.items():
        assert value == pytest.approx(printed[key], abs=1e-9)


def test_an_unknown_dataset_is_answered_with_the_known_ones():
    with pytest.raises(DataError, match=r"unknown dataset 'ntu61'; known: .*ntu60.*utd-mhad"):
        create_dataset("ntu61")


def test_an_unknown_protocol_is_answered_with_the_known_ones():
    with pytest.raises(DataError, match="no protocol 'xset'; it has: xsub, xview"):
        create_dataset("ntu60").protocol("xset")


def test_an_unknown_class_is_refused():
    assert create_dataset("utd-mhad").label("squat") == 26
    with pytest.raises(DataError, match="no class 'sqaut'"):
        create_dataset("utd-mhad").label("sqaut")


def test_datasets_can_be_used_as_keys():
    ours = {create_dataset(name): name for name in list_datasets()}
    assert ours[create_dataset("sbu")] == "sbu"


def test_a_dataset_of_ones_own_is_loaded_from_a_file(tmp_path: Path):
    dataset = load_dataset(write(tmp_path / "mine.yaml", MINIMAL))
    assert isinstance(dataset, Dataset)
    info = dataset.parse("p12_2.json")
    assert (info.name, info.label, info.subject, info.camera) == ("p12_2", 1, 12, -1)
    assert dataset.protocol().train == (1, 2)


def test_class_ids_need_not_be_consecutive(tmp_path: Path):
    data = {key: value for key, value in MINIMAL.items() if key != "first_action_id"}
    dataset = load_dataset(write(tmp_path / "mine.yaml", {**data, "class_ids": [7, 3]}))
    assert dataset.parse("p1_3.json").label == 1
    with pytest.raises(DataError, match=r"expected an action id .*3 to 7"):
        dataset.parse("p1_4.json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": None}, "name: expected a text, got nothing there"),
        ({"title": 5}, "title: expected a text, got 5"),
        ({"heading": "x"}, "heading: expected one of the keys name, title"),
        ({"classes": "wave"}, "classes: expected a list of texts, got 'wave'"),
        ({"classes": ["wave", 3]}, r"classes\[1\]: expected a text, got 3"),
        ({"classes": ["wave", "Wave "]}, "expected 2 or more different names"),
        ({"classes": ["wave"]}, "expected 2 or more different names"),
        ({"class_ids": [1]}, "class_ids: expected 2 different numbers"),
        ({"class_ids": [1, 1]}, "class_ids: expected 2 different numbers"),
        ({"class_ids": [1, True]}, r"class_ids\[1\]: expected a whole number, got True"),
        ({"first_action_id": "1"}, "first_action_id: expected a whole number, got '1'"),
        ({"file_pattern": "("}, "is not a regular expression"),
        ({"file_pattern": r"x\d+"}, "expected a group 'action'"),
        (
            {"file_pattern": r"(?P<action>\d)(?P<colour>\d)"},
            "only known groups, got action, colour",
        ),
        ({"default_protocol": "xsub"}, "default_protocol: expected one of half, got 'xsub'"),
        ({"protocols": []}, r"protocols: expected a mapping, got \[\]"),
        ({"protocols": {"half": 1}}, "protocols.half: expected a mapping, got 1"),
        (
            {"protocols": {"half": {"field": "weather", "train": [1]}}},
            "field must be one of subject, camera, setup, replication, part, got 'weather'",
        ),
        ({"protocols": {"half": {"field": "subject", "train": []}}}, "a list of different ids"),
        (
            {"protocols": {"half": {"field": "subject", "train": ["one"]}}},
            r"protocols.half.train\[0\]: expected a whole number, got 'one'",
        ),
        (
            {"protocols": {"half": {"field": "subject", "train": [1], "test": [2]}}},
            "protocols.half.test: expected one of the keys field, train, file, notes",
        ),
        ({"missing": ["setups_1"]}, r"missing\[0\]: expected one of setups_1_to_17"),
        ({"published": [3]}, r"published\[0\]: expected a mapping, got 3"),
        (
            {"published": [{"split": "a/1", "method": "m", "top1": 57.5, "source": "s"}]},
            r"published\[0\].top1: expected a fraction between 0 and 1, got 57.5",
        ),
    ],
)
def test_a_malformed_catalogue_names_file_field_and_what_stands_there(
    tmp_path: Path, change: dict[str, object], words: str
):
    path = write(tmp_path / "mine.yaml", {**MINIMAL, **change})
    with pytest.raises(DataError, match=words) as caught:
        load_dataset(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"classes: [a, b\nname: x", r"line 2: expected YAML"),
        (b"- a\n- b\n", "expected a mapping of keys to values, got list"),
        (b"", "expected a mapping of keys to values, got NoneType"),
        (b"\xff\xfe\x00name", "expected YAML"),
        (b"name: !!python/object/apply:os.getcwd []", "expected YAML"),
        (b"x: " + b"a" * (1 << 20), "expected at most 1048576 bytes"),
    ],
    ids=["open bracket", "a list", "empty", "not text", "a tag that runs code", "too large"],
)
def test_what_is_not_a_plain_yaml_mapping_is_refused(tmp_path: Path, content: bytes, words: str):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=words) as caught:
        load_dataset(path)
    assert str(path) in str(caught.value)


def test_a_catalogue_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"mine.yaml does not exist"):
        load_dataset(tmp_path / "mine.yaml")
    with pytest.raises(DataError, match="cannot be read"):
        load_dataset(tmp_path)
