"""``infocpl ablate``: one command from files to the table, resumable, and blind to unseen clips."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

ROWS = ("class name", "+ definition")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ablation") / "out"


def arguments(data: Path, out: Path, *more: object) -> tuple[object, ...]:
    return (
        *("ablate", "--dataset", "synthetic", "--data", data, "--split", "demo/51-8"),
        *("--preset", "tiny", "--epochs", 1, "--seeds", 2, "--out", out, "--rows", *ROWS, *more),
    )


@pytest.fixture
def ablated(infocpl, small_store, place: Path) -> tuple[Path, str]:
    """One ablation of two rows and two seeds, done once, and what it printed."""
    note = place.parent / "printed.txt"
    if not place.exists():
        told = infocpl(*arguments(small_store.folder, place))
        assert told.code == 0, told.err
        note.write_text(told.out, encoding="utf-8")
    return place, note.read_text(encoding="utf-8")


def test_the_help_shows_an_example(infocpl):
    told = infocpl("ablate", "--help")
    assert told.code == 0
    assert "infocpl ablate" in re.sub(r"[│\s]+", " ", told.out).split("Example:", 1)[1]


def test_the_table_shows_what_the_file_holds(ablated):
    out, printed = ablated
    result = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    assert [row["title"] for row in result["rows"]] == list(ROWS)
    for row in result["rows"]:
        (line,) = (line for line in printed.splitlines() if line.startswith(f"│ {row['title']} "))
        for method in ("ridge", "infocpl"):
            for found, sign in ((row[method], ""), (row[method]["gain"], "+")):
                assert f"{100 * found['mean']:{sign}.1f} ± {100 * found['sd']:.1f}" in line
    assert "no clip and no text of an unseen class was used" in printed
    assert result["command"].startswith("infocpl ablate --dataset synthetic")


def test_only_seen_classes_play_the_unseen_ones(ablated):
    result = json.loads((ablated[0] / "ablation.json").read_text(encoding="utf-8"))
    assert len(result["seen"]) == 51
    for fold in result["folds"]:
        assert set(fold["held_out"]) < set(result["seen"])
    assert result["seeds"] == [0, 1]


def test_clips_of_unseen_classes_and_test_people_change_nothing(
    infocpl, ablated, synthetic_files: Path, wave: Path, tmp_path: Path
):
    """The proof that they are never looked at: all of them show something else."""
    from infocpl.data import create_dataset, load_split

    dataset = create_dataset("synthetic")
    unseen = {
        dataset.class_ids[dataset.classes.index(name)]
        for name in load_split(dataset, "demo/51-8").unseen
    }
    files = tmp_path / "files"
    files.mkdir()
    spoilt = 0
    for path in synthetic_files.iterdir():
        subject, action = (int(n) for n in re.findall(r"[PA](\d{3})", path.name))
        blind = action in unseen or subject not in dataset.protocol(None).train
        shutil.copy(wave if blind else path, files / path.name)
        spoilt += blind
    assert 0 < spoilt < len(list(files.iterdir()))
    told = infocpl(*arguments(files, tmp_path / "out"))
    assert told.code == 0, told.err
    found, expected = (
        json.loads((out / "ablation.json").read_text(encoding="utf-8"))
        for out in (tmp_path / "out", ablated[0])
    )
    assert found["rows"] == expected["rows"]
    assert found["folds"] == expected["folds"]


def test_a_finished_ablation_is_repeated_only_to_be_resumed(infocpl, ablated, small_store):
    out, _ = ablated
    before = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    told = infocpl(*arguments(small_store.folder, out))
    assert told.code == 1
    assert "--resume" in told.err
    told = infocpl(*arguments(small_store.folder, out, "--resume"))
    assert told.code == 0, told.err
    again = json.loads((out / "ablation.json").read_text(encoding="utf-8"))
    assert again["rows"] == before["rows"]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"--seeds": 0}, "--seeds"),
        ({"--threads": 0}, "--threads"),
        ({"--rows": "everything"}, "'everything'"),
        ({"--preset": "huge"}, "huge"),
        ({"--split": "demo/1-1"}, "demo"),
        ({"--dataset": "kitchen"}, "kitchen"),
        ({"--data": "no/such/data"}, "no/such/data"),
        ({"--text-encoders": "word2vec"}, "word2vec"),
        ({"--folds": 0}, "folds"),
    ],
    ids=str,
)
def test_a_wrong_option_is_one_line_and_writes_nothing(
    infocpl, small_store, tmp_path: Path, changes, word
):
    options = {
        "--dataset": "synthetic",
        "--data": small_store.folder,
        "--split": "demo/51-8",
        "--out": tmp_path / "out",
        **changes,
    }
    told = infocpl("ablate", *(item for pair in options.items() for item in pair))
    assert told.code == 1, told
    (line,) = told.error_lines
    assert line.startswith("infocpl: error: ")
    assert word in line
    assert list(tmp_path.iterdir()) == []
