"""Killed conversions: nothing finished is lost, and the store is the same to the byte."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy.io import loadmat, savemat

from infocpl.data import ClipStore, convert_dataset, create_dataset
from infocpl.data.convert import _COMMIT
from infocpl.data.resume import unfinished_folder
from infocpl.errors import OutputExistsError
from infocpl.files import exclusive_lock

UTD = create_dataset("utd-mhad")

SCRIPT = """
import sys
from infocpl.data import convert_dataset, create_dataset
from infocpl.errors import InfoCPLError

if __name__ == "__main__":
    source, out, workers, on_error = sys.argv[1:]
    try:
        convert_dataset(
            create_dataset("utd-mhad"), source, out, workers=int(workers), on_error=on_error,
            progress=lambda done, total: print(done, flush=True),
        )
    except InfoCPLError as error:
        print(type(error).__name__, error, flush=True)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """432 small files in UTD-MHAD's form; two of them cannot be read."""
    folder = tmp_path_factory.mktemp("recorded")
    rng = random.Random(3)
    for action in range(1, 28):
        values = [[[rng.gauss(0, 0.4) for _ in range(6)] for _ in range(3)] for _ in range(20)]
        savemat(folder / f"a{action}_s1_t1_skeleton.mat", {"d_skel": values})
        content = (folder / f"a{action}_s1_t1_skeleton.mat").read_bytes()
        for subject in range(1, 9):
            for trial in (1, 2):
                (folder / f"a{action}_s{subject}_t{trial}_skeleton.mat").write_bytes(content)
    for name in ("a14_s3_t1", "a20_s1_t2"):
        path = folder / f"{name}_skeleton.mat"
        path.write_bytes(path.read_bytes()[:200])
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the store that an uninterrupted conversion makes."""
    out = tmp_path_factory.mktemp("whole") / "store"
    convert_dataset(UTD, folder, out, on_error="skip")
    return contents(out)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Conversion:
    """A conversion in a process of its own, which says after every clip how far it is."""

    def __init__(self, place: Path, source: Path, out: Path, workers: int = 1, rule: str = "skip"):
        script = place / "convert.py"
        script.write_text(SCRIPT)
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(source), str(out), str(workers), rule],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def counts(self) -> Iterator[int]:
        for line in self.process.stdout:
            if line.split()[0].isdigit():
                yield int(line.split()[0])

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate(timeout=20)


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 2])
def test_a_conversion_killed_at_random_moments_ends_with_the_same_bytes(
    tmp_path: Path, folder: Path, whole: dict[str, bytes], workers: int
):
    out = tmp_path / "out" / "store"
    seed = random.randrange(10**6)
    rng = random.Random(seed)
    reached = 0
    for _ in range(3):
        conversion = Conversion(tmp_path, folder, out, workers)
        first = last = next(conversion.counts())
        # What was finished before the last kill is not read again, but for a part of a batch.
        assert first > reached - _COMMIT, seed
        limit = rng.randrange(first, 400)
        for last in conversion.counts():
            if last >= limit:
                break
        time.sleep(rng.random() / 500)
        conversion.kill()
        reached = max(reached, last)
        assert not out.exists() or contents(out) == whole, seed
        if out.exists():
            return  # it was faster than the kill
    assert [item.name for item in out.parent.iterdir()] == [".unfinished-store"]
    calls: list[int] = []
    store = convert_dataset(
        UTD, folder, out, on_error="skip", progress=lambda done, total: calls.append(done)
    )
    assert calls[0] > reached - _COMMIT
    assert calls[-1] == 432
    assert contents(out) == whole, seed
    store.verify()
    assert [item.name for item in out.parent.iterdir()] == ["store"]


def stop_at(number: int):
    def progress(done: int, total: int) -> None:
        if done == number:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def interrupted(tmp_path: Path, folder: Path) -> Path:
    """A conversion that Ctrl-C ended after 300 of 432 clips; the store it was to make."""
    out = tmp_path / "out" / "store"
    with pytest.raises(KeyboardInterrupt):
        convert_dataset(UTD, folder, out, on_error="skip", progress=stop_at(300))
    return out


def resumed_from(source: Path, out: Path, **options: object) -> int:
    """Finish a conversion; return at which clip it began."""
    calls: list[int] = []
    options = {"on_error": "skip", **options}
    convert_dataset(UTD, source, out, progress=lambda done, _: calls.append(done), **options)
    return calls[0]


def test_finished_batches_survive_ctrl_c(interrupted: Path, folder: Path, whole):
    assert resumed_from(folder, interrupted) == 300 - 300 % _COMMIT
    assert contents(interrupted) == whole


@pytest.mark.parametrize("where", ["journal", "store/keypoints.npy", "store/confidence.npy"])
@pytest.mark.parametrize("change", ["cut", "flip", "longer", "gone"])
def test_work_that_was_damaged_meanwhile_is_done_again(
    interrupted: Path, folder: Path, whole, where: str, change: str
):
    path = interrupted.with_name(".unfinished-store") / where
    raw = bytearray(path.read_bytes())
    if change == "flip":
        raw[len(raw) // 2] ^= 4
    path.write_bytes({"cut": raw[:-1000], "longer": raw + b"x" * 999}.get(change, raw))
    if change == "gone":
        path.unlink()
    begun = resumed_from(folder, interrupted)
    assert begun <= 300
    if change == "longer":
        assert begun == 300 - 300 % _COMMIT
    assert contents(interrupted) == whole


def test_clips_whose_files_changed_meanwhile_are_read_again(
    tmp_path: Path, folder: Path, interrupted: Path
):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    out = tmp_path / "elsewhere" / "store"
    with pytest.raises(KeyboardInterrupt):
        convert_dataset(UTD, copy, out, on_error="skip", progress=stop_at(300))
    changed = sorted(copy.iterdir())[100]
    longer = loadmat(changed)["d_skel"][:, :, [0, 0, 1, 2, 3, 4, 5]]
    savemat(changed, {"d_skel": longer})
    assert resumed_from(copy, out) == 64  # the batch before the changed file
    names = list(ClipStore.open(out).names)
    assert ClipStore.open(out)[names.index(changed.stem)].frames == 7


def test_another_conversion_does_not_take_over_the_work(
    tmp_path: Path, interrupted: Path, folder: Path, whole
):
    """Strict where the first was lenient: what the first skipped must stop this one."""
    with pytest.raises(Exception, match="a14_s3_t1"):
        convert_dataset(UTD, folder, interrupted)
    assert list(interrupted.parent.iterdir()) == []


def test_an_error_leaves_nothing_behind(tmp_path: Path, folder: Path):
    with pytest.raises(Exception, match="a14_s3_t1_skeleton"):
        convert_dataset(UTD, folder, tmp_path / "out" / "store")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.integration
def test_of_two_converters_at_once_one_makes_the_store_and_one_says_why_not(
    tmp_path: Path, folder: Path, whole: dict[str, bytes]
):
    out = tmp_path / "out" / "store"
    both = [Conversion(tmp_path, folder, out) for _ in range(2)]
    said = [conversion.process.communicate(timeout=60)[0].split("\n") for conversion in both]
    errors = [lines[-2] for lines in said if not lines[-2].isdigit()]
    assert len(errors) == 1
    assert errors[0].startswith("OutputExistsError")
    assert "in use by another process" in errors[0] or "exists already" in errors[0]
    assert contents(out) == whole
    assert [item.name for item in out.parent.iterdir()] == ["store"]


def test_a_store_is_replaced_only_when_the_new_one_is_complete(
    tmp_path: Path, folder: Path, whole: dict[str, bytes]
):
    out = tmp_path / "store"
    convert_dataset(UTD, folder, out, on_error="skip")
    with pytest.raises(KeyboardInterrupt):
        convert_dataset(UTD, folder, out, on_error="skip", overwrite=True, progress=stop_at(200))
    assert contents(out) == whole
    assert resumed_from(folder, out, overwrite=True) == 192
    assert contents(out) == whole
    assert [item.name for item in tmp_path.iterdir()] == ["store"]


def test_the_lock_is_held_by_one_at_a_time_and_ends_with_its_block(tmp_path: Path):
    with (
        exclusive_lock(tmp_path / "deep" / "lock"),
        pytest.raises(OutputExistsError, match="in use by another process"),
        exclusive_lock(tmp_path / "deep" / "lock"),
    ):
        pass
    with exclusive_lock(tmp_path / "deep" / "lock"):
        pass


def test_a_folder_that_is_no_store_is_never_replaced(tmp_path: Path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")
    with (
        pytest.raises(OutputExistsError, match="not a clip store"),
        unfinished_folder(tmp_path / "thesis", overwrite=True, worth=lambda: True),
    ):
        pass
    assert (tmp_path / "thesis" / "chapter").read_text() == "years of work"
