"""Conversion: same result on one core and two, honest about what is left out, whole or absent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from infocpl.data import ClipInfo, ClipStore, StoreWriter, convert_dataset, create_dataset
from infocpl.errors import ConfigError, DataError, OutputExistsError, SkeletonFormatError
from infocpl.files import sha256_file
from infocpl.skeleton.formats import read_skeleton, write_ntu

UTD = create_dataset("utd-mhad")

SCRIPT = """
import multiprocessing, sys, time
from infocpl.data import convert_dataset, create_dataset

def progress(done, total):
    if done == 20:
        print("half", *(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)

if __name__ == "__main__":
    source, out, workers = sys.argv[1:]
    convert_dataset(
        create_dataset("utd-mhad"), source, out, workers=int(workers), progress=progress
    )
"""


def start_conversion(tmp_path: Path, source: Path, out: Path, workers: int):
    """Start a conversion that stops at clip 20; return the process and its workers' ids."""
    script = tmp_path / "convert_slowly.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), str(source), str(out), str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    word, *children = process.stdout.readline().split()
    assert word == "half"
    return process, [int(child) for child in children]


def is_running(pid: int) -> bool:
    """Whether a process runs; one that ended but was not collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(pids: list[int], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, f"still running: {list(filter(is_running, pids))}"
        time.sleep(0.05)


def damage(folder: Path, name: str) -> Path:
    (path,) = folder.rglob(name)
    path.write_bytes(path.read_bytes()[:150])
    return path


def test_every_clip_is_there_with_its_facts_in_the_order_of_paths(tmp_path: Path, utd_folder: Path):
    store = convert_dataset(UTD, utd_folder, tmp_path / "store")
    store.verify()
    paths = sorted(utd_folder.rglob("*.mat"))
    assert len(store) == len(paths) == 40
    for record, clip, path in zip(store.records, store, paths, strict=True):
        assert vars(UTD.parse(path)).items() <= vars(record).items()
        assert record.sha256 == sha256_file(path)
        expected = read_skeleton(path, "utd-mhad")
        assert np.array_equal(clip.keypoints, expected.keypoints)
        assert np.array_equal(clip.confidence, expected.confidence)
        assert record.frames == loadmat(path)["d_skel"].shape[2]
    assert (store.dataset, store.layout.name, store.classes) == (
        "utd-mhad",
        "kinect20",
        UTD.classes,
    )
    assert store.manifest["provenance"] == {
        "format": "utd-mhad",
        "found": 40,
        "missing": 0,
        "skipped": [],
        "lists": {},
    }


def test_two_processes_make_the_same_store_as_one(tmp_path: Path, utd_folder: Path):
    one = convert_dataset(UTD, utd_folder, tmp_path / "one")
    two = convert_dataset(UTD, utd_folder, tmp_path / "two", workers=2)
    assert one.hash == two.hash


def test_the_same_files_in_another_place_make_the_same_store(tmp_path: Path, utd_folder: Path):
    damage(utd_folder, "a3_s2_t1_skeleton.mat")
    one = convert_dataset(UTD, utd_folder, tmp_path / "one", on_error="skip")
    moved = utd_folder.rename(tmp_path / "elsewhere")
    two = convert_dataset(UTD, moved, tmp_path / "two", on_error="skip")
    assert one.hash == two.hash


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_counts_every_file_once(tmp_path: Path, utd_folder: Path, workers: int):
    calls: list[tuple[int, int]] = []
    convert_dataset(
        UTD,
        utd_folder,
        tmp_path / "store",
        workers=workers,
        progress=lambda done, total: calls.append((done, total)),
    )
    assert calls == [(number, 40) for number in range(1, 41)]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_bad_file_in_order_stops_the_conversion(
    tmp_path: Path, utd_folder: Path, workers: int
):
    bad = [damage(utd_folder, f"a{number}_s3_t1_skeleton.mat") for number in (9, 2, 5)]
    with pytest.raises(SkeletonFormatError) as caught:
        convert_dataset(UTD, utd_folder, tmp_path / "out" / "store", workers=workers)
    assert caught.value.path == str(min(bad))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_files_can_be_left_out_and_are_listed_with_the_reason(
    tmp_path: Path, utd_folder: Path, workers: int
):
    bad = [damage(utd_folder, f"a{number}_s3_t1_skeleton.mat") for number in (9, 2)]
    store = convert_dataset(UTD, utd_folder, tmp_path / "store", workers=workers, on_error="skip")
    skipped = store.manifest["provenance"]["skipped"]
    assert [row["file"] for row in skipped] == sorted(
        path.relative_to(utd_folder).as_posix() for path in bad
    )
    assert all("expected" in row["reason"] and "got" in row["reason"] for row in skipped)
    assert not any(str(tmp_path) in row["reason"] for row in skipped)
    assert len(store) == 38
    assert {path.stem for path in bad}.isdisjoint(store.names)
    store.verify()


def test_a_folder_of_bad_files_only_is_an_error_even_when_skipping(tmp_path: Path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a1_s1_t1_skeleton.mat").write_bytes(b"MATLAB 5.0 no more")
    with pytest.raises(DataError, match="none of the 1 clips could be read; the first, a1_s1_t1"):
        convert_dataset(UTD, tmp_path / "in", tmp_path / "out" / "store", on_error="skip")
    assert list((tmp_path / "out").iterdir()) == []


def test_clips_known_as_missing_are_counted_and_never_read(tmp_path: Path, make_clip):
    dataset = create_dataset("ntu60")
    folder = tmp_path / "nturgb+d"
    folder.mkdir()
    for action in (1, 2):
        clip = make_clip(action, frames=4, layout="ntu25")
        write_ntu(folder / f"S001C001P001R001A{action:03}.skeleton", clip)
    (folder / f"{min(dataset.missing)}.skeleton").write_text("not a skeleton at all")
    (folder / "S018C001P008R001A061.skeleton").write_text("of the larger dataset")
    store = convert_dataset(dataset, folder, tmp_path / "store")
    assert store.names == ("S001C001P001R001A001", "S001C001P001R001A002")
    provenance = store.manifest["provenance"]
    assert (provenance["found"], provenance["missing"]) == (3, 1)


def test_a_folder_of_missing_clips_only_is_an_error(tmp_path: Path):
    dataset = create_dataset("ntu60")
    (tmp_path / f"{min(dataset.missing)}.skeleton").write_text("0")
    with pytest.raises(DataError, match="all 1 clips found are known to have no skeleton"):
        convert_dataset(dataset, tmp_path, tmp_path / "store")


def test_a_dataset_whose_format_cannot_be_read_says_so(tmp_path: Path):
    tapes = replace(UTD, format="vhs")
    with pytest.raises(DataError, match=r"'vhs' cannot be converted \(formats that can: bvh,"):
        convert_dataset(tapes, tmp_path, tmp_path / "store")


def test_a_folder_without_clips_makes_no_store(tmp_path: Path):
    (tmp_path / "in").mkdir()
    with pytest.raises(DataError, match="got no files"):
        convert_dataset(UTD, tmp_path / "in", tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_an_existing_store_is_kept_or_replaced_as_asked(tmp_path: Path, utd_folder: Path):
    first = convert_dataset(UTD, utd_folder, tmp_path / "store")
    next(utd_folder.rglob("a1_s1*.mat")).unlink()
    with pytest.raises(OutputExistsError, match="exists already"):
        convert_dataset(UTD, utd_folder, tmp_path / "store")
    first.verify()
    assert len(convert_dataset(UTD, utd_folder, tmp_path / "store", overwrite=True)) == 39


def test_the_recorded_files_are_never_replaced_by_the_store(utd_folder: Path):
    with pytest.raises(OutputExistsError, match="not a clip store"):
        convert_dataset(UTD, utd_folder, utd_folder, overwrite=True)
    assert len(list(utd_folder.rglob("*.mat"))) == 40


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "workers: expected a whole number of 1 or more, got 0"),
        ({"on_error": "ignore"}, "on_error: expected 'raise' or 'skip', got 'ignore'"),
    ],
)
def test_an_option_without_meaning_is_refused(tmp_path: Path, utd_folder: Path, options, words):
    with pytest.raises(ConfigError, match=words):
        convert_dataset(UTD, utd_folder, tmp_path / "store", **options)


def test_an_exception_from_progress_ends_the_workers_and_leaves_nothing(
    tmp_path: Path, utd_folder: Path
):
    def stop(done: int, total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_dataset(UTD, utd_folder, tmp_path / "out" / "store", workers=2, progress=stop)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_conversion_leaves_no_store_and_no_process_and_a_second_run_works(
    tmp_path: Path, utd_folder: Path, workers: int
):
    out = tmp_path / "out" / "store"
    process, children = start_conversion(tmp_path, utd_folder, out, workers)
    assert len(children) == (0 if workers == 1 else 2)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    wait_until_gone(children)
    assert [item.name for item in out.parent.iterdir()] == [".unfinished-store"]
    store = convert_dataset(UTD, utd_folder, out)
    store.verify()
    assert len(store) == 40
    assert [item.name for item in out.parent.iterdir()] == ["store"]


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_before_the_first_batch_leaves_nothing_at_all(
    tmp_path: Path, utd_folder: Path, workers: int
):
    out = tmp_path / "out" / "store"
    process, children = start_conversion(tmp_path, utd_folder, out, workers)
    # A terminal signals the whole group; the workers leave it to the main process.
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    wait_until_gone(children)
    assert process.returncode != 0
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1
    assert list(out.parent.iterdir()) == []


@pytest.mark.integration
def test_a_worker_that_dies_is_reported_in_one_sentence(tmp_path: Path, utd_folder: Path):
    def kill_workers(done: int, total: int) -> None:
        for child in multiprocessing.active_children():
            os.kill(child.pid, signal.SIGKILL)
        wait_until_gone([child.pid for child in multiprocessing.active_children()])

    # Enough files that some are still to be read when the first one has been.
    for number in range(5, 25):
        for path in sorted(utd_folder.rglob("a*_s1_t1_skeleton.mat")):
            path.with_name(path.name.replace("_s1_", f"_s{number}_")).write_bytes(path.read_bytes())
    with pytest.raises(DataError, match="a reading process ended abruptly: try workers=1"):
        convert_dataset(
            UTD, utd_folder, tmp_path / "out" / "store", workers=2, progress=kill_workers
        )
    assert list((tmp_path / "out").iterdir()) == []


def test_the_real_utd_mhad_converts_whole(utd_store: ClipStore):
    assert len(utd_store) == 861
    assert utd_store.manifest["provenance"]["skipped"] == []
    frames = utd_store.column("frames")
    assert (frames.min(), frames.max()) == (41, 125)
    assert set(utd_store.column("subject")) == set(range(1, 9))
    assert np.bincount(utd_store.labels).tolist() == [
        31 if label in (7, 22, 26) else 32 for label in range(27)
    ]


def test_the_real_nw_ucla_converts_whole(ucla_store: ClipStore):
    assert len(ucla_store) == 1484
    assert (ucla_store.column("frames") == 1).sum() == 2
    assert set(ucla_store.column("camera")) == {1, 2, 3}
    assert set(ucla_store.column("subject")) == set(range(1, 11))
    assert set(ucla_store.labels) == set(range(10))


def test_real_clips_are_read_as_they_lie_in_the_files(real_data: Path, utd_store: ClipStore, rng):
    for index in rng.integers(0, len(utd_store), 25):
        record = utd_store.records[index]
        path = real_data / "utd_mhad" / f"{record.name}.mat"
        assert record.sha256 == sha256_file(path)
        raw = loadmat(path)["d_skel"].transpose(2, 0, 1).astype(np.float32)
        clip = utd_store[index].keypoints[0]
        # The joints are in another order; as a set of points a frame they are the same up to
        # the turn of the axes, which keeps distances from the mean.
        raw_spread = np.sort(np.linalg.norm(raw - raw.mean(1, keepdims=True), axis=2), axis=1)
        spread = np.sort(np.linalg.norm(clip - clip.mean(1, keepdims=True), axis=2), axis=1)
        np.testing.assert_allclose(spread, raw_spread, atol=1e-4)


def test_the_real_sbu_and_ntu_samples_convert(real_data: Path, tmp_path: Path):
    sbu = convert_dataset(create_dataset("sbu"), real_data / "sbu", tmp_path / "sbu")
    assert len(sbu) == 282
    assert set(sbu.column("persons")) == {2}
    assert len(set(sbu.column("subject"))) == 21
    ntu = convert_dataset(create_dataset("ntu60"), real_data / "ntu_samples", tmp_path / "ntu")
    assert len(ntu) == 10
    assert ntu.column("persons")[list(ntu.names).index("S001C003P008R002A058")] == 2


@pytest.mark.parametrize(
    ("name", "folder", "clips", "missing"),
    [
        # One of the three MSR clips holds zeros only; one UTKinect recording has ten actions.
        ("msr-action3d", "msr_action3d", 2, 1),
        ("utkinect", "utkinect", 10, 0),
        ("hdm05", "hdm05", 2, 0),
    ],
)
def test_the_samples_of_the_smaller_datasets_convert(
    real_data: Path, tmp_path: Path, name: str, folder: str, clips: int, missing: int
):
    dataset = create_dataset(name)
    source = real_data / "format_samples" / folder
    store = convert_dataset(dataset, source, tmp_path / "store")
    store.verify()
    assert (len(store), store.manifest["provenance"]["missing"]) == (clips, missing)
    assert store.column("subject").tolist() == [1] * clips
    assert store.default_protocol == "xsub"
    if name == "utkinect":
        assert sorted(store.labels) == list(range(10))
    if name == "hdm05":
        assert [store.classes[label] for label in store.labels] == [
            "put something on the floor with the right hand",
            "squat (once)",
        ]
        assert store.manifest["fps"] == 120.0


def test_the_store_of_a_conversion_and_one_written_by_hand_are_the_same(
    tmp_path: Path, utd_folder: Path
):
    store = convert_dataset(UTD, utd_folder, tmp_path / "store")
    provenance = {"format": "utd-mhad", "found": 40, "missing": 0, "skipped": [], "lists": {}}
    with StoreWriter(
        tmp_path / "hand",
        "utd-mhad",
        store.layout,
        UTD.classes,
        provenance=provenance,
        protocols=UTD.protocols,
        default_protocol=UTD.default_protocol,
    ) as writer:
        for path in sorted(utd_folder.rglob("*.mat")):
            number, subject, trial = (int(part[1:]) for part in path.stem.split("_")[:3])
            info = ClipInfo(path.stem, number - 1, subject, replication=trial)
            writer.append(read_skeleton(path, "utd-mhad"), info, sha256=sha256_file(path))
    assert ClipStore.open(tmp_path / "hand").hash == store.hash
