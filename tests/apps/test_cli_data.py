"""The commands about data: convert with the user's own lists, verify, inspect, splits, features."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from infocpl.data import ClipStore, FeatureStore, create_dataset, list_splits, load_split
from infocpl.skeleton.formats import read_skeleton, write_pyskl
from infocpl.skeleton.formats.pku_mmd import PkuInterval, write_pku_labels, write_pku_mmd


def refused(told, *words: str) -> None:
    """Exit 1 with exactly one line on standard error, no traceback, and the words in it."""
    assert told.code == 1, told
    assert len(told.error_lines) == 1, told.err
    assert told.error_lines[0].startswith("infocpl: error: ")
    for word in words:
        assert word in told.error_lines[0]


@pytest.fixture
def few(synthetic_files: Path, tmp_path: Path) -> Path:
    """Eight files of two actions by four people."""
    folder = tmp_path / "few"
    folder.mkdir()
    for path in sorted(synthetic_files.glob("*A00[12].skeleton")):
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


# --- convert --------------------------------------------------------------------------------------


def test_convert_takes_the_user_s_own_lists(infocpl, few, tmp_path):
    (tmp_path / "missing.txt").write_text("S001C001P001R001A001\n")
    (tmp_path / "train.txt").write_text("2 3\n")
    names = [f"action number {n}" for n in range(1, 60)]
    (tmp_path / "names.txt").write_text("\n".join(names))
    told = infocpl(
        "convert", "--dataset", "synthetic", "--data", few, "--out", tmp_path / "store",
        "--missing", tmp_path / "missing.txt", "--classes", tmp_path / "names.txt",
        "--train", f"xsub={tmp_path / 'train.txt'}",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "7 clips" in told.out
    assert "known as missing: 1" in told.out
    store = ClipStore.open(tmp_path / "store")
    assert store.protocol().train == (2, 3)
    assert store.classes == tuple(names)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (("--train", "xsub"), ["--train", "PROTOCOL=FILE"]),
        (("--train", "xsub=no.txt"), ["no.txt"]),
        (("--missing", "no.txt"), ["no.txt"]),
        (("--classes", "no.txt"), ["no.txt"]),
        (("--format", "vhs"), ["vhs", "ntu"]),
        (("--division", "x"), ["divisions", "x"]),
        (("--dataset", "no.yaml"), ["no.yaml"]),
    ],
)
def test_a_bad_list_or_format_is_one_line_and_writes_nothing(infocpl, few, tmp_path, option, words):
    options = {"--dataset": "synthetic", "--data": few, "--out": tmp_path / "store"}
    options[option[0]] = option[1]
    arguments = [item for pair in options.items() for item in pair]
    refused(infocpl("convert", *arguments), *words)
    assert not (tmp_path / "store").exists()


def test_convert_says_which_lists_it_did_not_find(infocpl, wave, tmp_path):
    for place in ("skeleton", "label"):
        (tmp_path / "pku" / place).mkdir(parents=True)
    clip = read_skeleton(wave)
    write_pku_mmd(tmp_path / "pku" / "skeleton" / "0002-L.txt", clip)
    rows = [PkuInterval(action=3, start=1, end=20, confidence=2)]
    write_pku_labels(tmp_path / "pku" / "label" / "0002-L.txt", rows)
    arguments = ("convert", "--dataset", "pku-mmd", "--data", tmp_path / "pku")
    told = infocpl(*arguments, "--out", tmp_path / "store")
    assert told.code == 0, told.err
    assert "1 clips of PKU-MMD part I" in told.out
    assert (
        "note: no list for protocol 'xsub' was found; give one with --train xsub=FILE" in told.out
    )


def test_a_file_of_many_clips_becomes_a_store(infocpl, few, tmp_path):
    paths = sorted(few.iterdir())
    clips = [read_skeleton(path) for path in paths]
    path = tmp_path / "all.pkl"
    write_pyskl(path, clips, [int(p.stem[-3:]) - 1 for p in paths], [p.stem for p in paths], {})
    arguments = ("convert", "--dataset", "synthetic", "--data", path, "--out", tmp_path / "store")
    told = infocpl(*arguments)
    assert told.code == 0, told.err
    assert "8 clips" in told.out
    assert ClipStore.open(tmp_path / "store").names == tuple(p.stem for p in paths)


# --- verify ---------------------------------------------------------------------------------------


def test_verify_names_the_file_with_a_changed_byte(infocpl, few, tmp_path, rng):
    store = tmp_path / "store"
    infocpl("convert", "--dataset", "synthetic", "--data", few, "--out", store)
    told = infocpl("verify", store)
    assert told.code == 0
    assert re.search(r"clip store, 8 entries of synthetic, [\d.]+ MB, unchanged", told.out)
    assert ClipStore.open(store).hash in told.out
    for path in sorted(store.iterdir()):
        size = path.stat().st_size
        for position in [0, size - 1, *rng.integers(0, size, 6).tolist()]:
            with path.open("rb+") as file:
                file.seek(position)
                (byte,) = file.read(1)
                file.seek(position)
                file.write(bytes([byte ^ 16]))
            refused(infocpl("verify", store), path.name)
            with path.open("rb+") as file:
                file.seek(position)
                file.write(bytes([byte]))
    assert infocpl("verify", store).code == 0


def test_verify_of_something_else_is_one_line(infocpl, tmp_path):
    refused(infocpl("verify", tmp_path), str(tmp_path), "expected a clip store")


# --- inspect --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["png", "svg", "html"])
def test_inspect_prints_facts_and_draws(infocpl, wave, tmp_path, ending):
    out = tmp_path / f"clip.{ending}"
    told = infocpl("inspect", wave, "--out", out)
    assert told.code == 0, told.err
    assert "layout: ntu25 (25 joints, 3-D)" in told.out
    assert f"picture of {wave.name}: {out}" in told.out
    assert out.stat().st_size > 5000
    refused(infocpl("inspect", wave, "--out", out), str(out), "--overwrite")
    assert infocpl("inspect", wave, "--out", out, "--overwrite").code == 0


def test_inspect_sums_a_store_up(infocpl, small_store):
    told = infocpl("inspect", small_store.folder)
    assert told.code == 0
    assert f"store: {len(small_store)} clips of synthetic" in told.out
    assert all(name in told.out for name in small_store.classes)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["no/such.skeleton"], ["no/such.skeleton", "expected", "got"]),
        (["{wave}", "--out", "clip.gif"], ["clip.gif", ".png"]),
        (["{wave}", "--clip", "3"], ["--clip"]),
        (["{wave}", "--format", "vhs"], ["vhs", "ntu"]),
    ],
)
def test_what_cannot_be_inspected_is_one_line(infocpl, wave, arguments, words):
    refused(infocpl("inspect", *(a.format(wave=wave) for a in arguments)), *words)


# --- splits ---------------------------------------------------------------------------------------


def test_splits_list_names_every_published_split(infocpl):
    told = infocpl("splits", "list", "--dataset", "ntu60")
    assert told.code == 0
    lines = told.out.splitlines()
    dataset = create_dataset("ntu60")
    assert [line.split()[1] for line in lines] == list_splits(dataset)
    assert "55 seen, 5 unseen" in lines[0]
    everything = infocpl("splits", "list").out.splitlines()
    assert set(lines) < set(everything)
    assert "random:SEED:K" in infocpl("splits", "list", "--dataset", "sbu").out


def test_splits_show_lists_both_sides(infocpl):
    told = infocpl("splits", "show", "purls/22-5", "--dataset", "utd-mhad")
    split = load_split(create_dataset("utd-mhad"), "purls/22-5")
    unseen, seen = told.out.split("seen:\n")[-2:]
    for name in split.seen:
        assert re.search(rf"^ +\d+  {re.escape(name)}$", seen, re.MULTILINE)
    assert all(name in unseen for name in split.unseen)
    assert split.hash in told.out


def test_splits_check_counts_the_clips_of_a_store(infocpl, small_store):
    told = infocpl(
        "splits", "check", "demo/51-8", "--dataset", "synthetic", "--data", small_store.folder
    )
    assert told.code == 0, told.out
    assert "51 seen and 8 unseen classes, none on both sides" in told.out
    # Three of four people train.
    assert "153 clips train, 51 test seen and 32 unseen classes" in told.out
    rows = re.findall(r"^(.+?)  +(seen|unseen) +(\d+) +(\d+) +(\d+)$", told.out, re.MULTILINE)
    assert len(rows) == 59
    for name, side, *counts in rows:
        assert name in small_store.classes
        assert list(map(int, counts)) == ([3, 1, 0] if side == "seen" else [0, 0, 4])


def test_splits_check_finds_what_is_wrong(infocpl, few, tmp_path):
    store = tmp_path / "store"
    infocpl("convert", "--dataset", "synthetic", "--data", few, "--out", store)
    (tmp_path / "mine.yaml").write_text("unseen: [raise the left arm forward]\n")
    arguments = ("splits", "check", tmp_path / "mine.yaml", "--dataset", "synthetic")
    assert infocpl(*arguments).code == 0
    told = infocpl(*arguments, "--data", store)
    assert told.code == 1
    assert re.search(r"WRONG: seen classes without a training clip: raise both arms", told.out)
    assert told.err == ""
    (tmp_path / "mine.yaml").write_text("unseen: [fly]\n")
    refused(infocpl(*arguments), "mine.yaml", "fly")


def test_splits_without_a_word_is_a_usage_error(infocpl):
    assert infocpl("splits").code == 2
    assert infocpl("splits", "merge").code == 2


# --- features -------------------------------------------------------------------------------------


@pytest.fixture
def published(tmp_path: Path, rng) -> Path:
    """Features of a made-up encoder for every synthetic class, divided as SynSE's are."""
    dataset = create_dataset("synthetic")
    split = load_split(dataset, "demo/51-8")
    centres = rng.normal(size=(59, 6))
    folder = tmp_path / "published"
    folder.mkdir()
    for part, stem, names, each in (
        ("train", "train_label", split.seen, 4),
        ("gtest", "g_label", dataset.classes, 2),
        ("ztest", "z_label", split.unseen, 2),
    ):
        labels = np.repeat([dataset.label(name) for name in names], each)
        noise = np.random.default_rng(5).normal(size=(59 * 4, 6))[labels * 4 // 4]
        rows = centres[labels] + 0.1 * noise + 0.01 * (np.arange(len(labels)) % each)[:, None]
        np.save(folder / f"{part}.npy", rows.astype(np.float32))
        np.save(folder / f"{stem}.npy", labels)
    return folder


def test_features_need_a_word_about_their_encoder(infocpl, published, tmp_path):
    arguments = ("convert", "--dataset", "synthetic", "--data", published)
    refused(infocpl(*arguments, "--out", tmp_path / "store"), "--trained-on", "holds features")
    assert not (tmp_path / "store").exists()
    refused(
        infocpl(*arguments, "--out", tmp_path / "store", "--trained-on", "demo/7-7"), "demo/7-7"
    )


@pytest.mark.integration
def test_published_features_run_from_files_to_a_table(infocpl, published, tmp_path):
    store, out = tmp_path / "store", tmp_path / "out"
    told = infocpl(
        "convert", "--dataset", "synthetic", "--data", published, "--out", store,
        "--trained-on", "demo/51-8", "--encoder", "Shift-GCN", "--declared-by", "publisher",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert "encoder: Shift-GCN; trained on: demo/51-8 (publisher)" in told.out
    assert infocpl("verify", store).code == 0
    assert "declared by the publisher" in infocpl("inspect", store).out
    told = infocpl(
        "run", "--dataset", "synthetic", "--features", store, "--split", "demo/51-8",
        "--preset", "tiny", "--seeds", 1, "--threads", 1, "--unseen-clips", "test",
        "--granularities", "definition", "--out", out,
    )  # fmt: skip
    assert told.code == 0, told.err
    result = json.loads((out / "result.json").read_text())
    assert result["features"]["encoder"] == "Shift-GCN"
    assert result["dataset"]["store_hash"] == FeatureStore.open(store).hash
    assert result["protocol"] == {
        "name": "file",
        "train_clips": 204,
        "seen_test_clips": 102,
        "unseen_clips": 16,
        "unseen_from": "test",
    }
    # Table, page and record say what cannot be proved; there is no model to name files with.
    page = (out / "report.html").read_text()
    for words in ("cannot be proved", "knew the classes that played the unseen ones"):
        assert words in " ".join(told.out.replace("│", " ").split())
        assert words in page
    assert not (out / "model").exists()
    assert "model:" not in told.out
    leaky = ("--split", "random:1:5", "--preset", "tiny", "--out", tmp_path / "leaky")
    told = infocpl("run", "--dataset", "synthetic", "--features", store, *leaky, "--seeds", 1)
    refused(told, "encoder of the precomputed features was trained on unseen classes")
    assert not (tmp_path / "leaky").exists()


def test_stores_of_the_wrong_kind_are_refused_by_run(infocpl, small_store, published, tmp_path):
    features = tmp_path / "features"
    arguments = ("convert", "--dataset", "synthetic", "--data", published, "--out", features)
    infocpl(*arguments, "--trained-on", "unknown")
    run = ("run", "--dataset", "synthetic", "--split", "demo/51-8", "--out", tmp_path / "out")
    refused(infocpl(*run, "--data", features), "holds features", "--features")
    refused(infocpl(*run, "--features", small_store.folder), "expected 'infocpl-features'")
    refused(infocpl(*run, "--features", features, "--protocol", "xsub"), "not recorded", "file")
    refused(infocpl(*run), "--data or --features")
    assert not (tmp_path / "out").exists()
