from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import DataError, OutputExistsError
from infocpl.files import (
    atomic_folder,
    atomic_path,
    canonical_hash,
    read_json,
    remove_stale,
    sha256_file,
    write_json,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class StopError(Exception):
    """Raised by the tests inside a block."""


def write_half_and_stop(path: Path) -> None:
    path.write_text("half")
    raise StopError


# --- atomic files and folders -----------------------------------------------------------------


def test_a_file_appears_whole_when_the_block_ends(tmp_path) -> None:
    target = tmp_path / "new" / "a.txt"
    with atomic_path(target) as temporary:
        assert temporary.parent == target.parent
        temporary.write_text("hello")
        assert not target.exists()
    assert target.read_text() == "hello"
    assert list(target.parent.iterdir()) == [target]


def test_a_failing_block_leaves_the_old_file_and_nothing_else(tmp_path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(StopError), atomic_path(target) as temporary:
        write_half_and_stop(temporary)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_written_files_follow_the_umask(tmp_path) -> None:
    old = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "a.txt") as temporary:
            temporary.write_text("")
    finally:
        os.umask(old)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_killed_writer_leaves_the_old_file_or_the_new_one(tmp_path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("0" * 100_000)
    program = (
        "import sys; from pathlib import Path; from infocpl.files import atomic_path\n"
        "print('ready', flush=True)\n"
        "for i in range(10**9):\n"
        "    with atomic_path(Path(sys.argv[1])) as path: path.write_text(str(i % 10) * 100_000)\n"
    )
    for attempt in range(5):
        command = [sys.executable, "-c", program, str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(0.003 * attempt + 0.01)
            writer.send_signal(signal.SIGKILL)
        text = target.read_text()
        assert len(text) == 100_000
        assert len(set(text)) == 1
    remove_stale(tmp_path)
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_appears_whole_when_the_block_ends(tmp_path) -> None:
    target = tmp_path / "out"
    with atomic_folder(target) as temporary:
        (temporary / "a").write_text("1")
        assert not target.exists()
    assert [item.name for item in target.iterdir()] == ["a"]
    assert list(tmp_path.iterdir()) == [target]


def test_an_existing_folder_is_kept_unless_overwritten(tmp_path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("1")
    with pytest.raises(OutputExistsError, match="out exists already"), atomic_folder(target):
        pytest.fail("the block must not run")
    with atomic_folder(target, overwrite=True) as temporary:
        (temporary / "new").write_text("2")
    assert [item.name for item in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failing_block_leaves_the_old_folder(tmp_path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old").write_text("1")
    with pytest.raises(StopError), atomic_folder(target, overwrite=True) as temporary:
        write_half_and_stop(temporary / "half")
    assert [item.name for item in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_only_leftovers_are_removed(tmp_path) -> None:
    (tmp_path / ".partial-a.txt-x1").write_text("")
    (tmp_path / ".partial-out-x2").mkdir()
    (tmp_path / ".partial-out-x2" / "deep").write_text("")
    (tmp_path / "kept.txt").write_text("")
    assert remove_stale(tmp_path) == 2
    assert [item.name for item in tmp_path.iterdir()] == ["kept.txt"]
    assert remove_stale(tmp_path) == 0
    assert remove_stale(tmp_path / "missing") == 0


# --- hashes and JSON --------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_the_hash_of_a_file_is_the_hash_of_its_bytes(tmp_path, size) -> None:
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert sha256_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@given(st.dictionaries(st.text(), values))
def test_the_hash_of_a_value_does_not_depend_on_key_order(value) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_hash(turned) == canonical_hash(value)
    assert canonical_hash(json.loads(json.dumps(value))) == canonical_hash(value)


def test_different_values_have_different_hashes() -> None:
    several = [{}, [], None, 0, 0.5, "", "0", {"a": 1}, {"a": 2}, {"b": 1}, [1, 2], [2, 1]]
    assert len({canonical_hash(value) for value in several}) == len(several)


@given(values)
def test_json_comes_back_as_it_was_written(tmp_path_factory, value) -> None:
    path = tmp_path_factory.getbasetemp() / "value.json"
    write_json(path, value)
    assert read_json(path) == value
    assert path.read_text(encoding="utf-8").endswith("\n")


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": {1, 2}}])
def test_what_is_no_json_is_not_written(tmp_path, value) -> None:
    with pytest.raises((ValueError, TypeError)):
        write_json(tmp_path / "a.json", value)
    assert list(tmp_path.iterdir()) == []


def test_broken_json_is_refused_with_path_and_line(tmp_path) -> None:
    path: Path = tmp_path / "a.json"
    with pytest.raises(DataError, match=r"a\.json does not exist"):
        read_json(path)
    path.write_text('{\n "a": 1,\n}')
    with pytest.raises(DataError, match=r"a\.json, line 3: expected JSON"):
        read_json(path)
    path.write_bytes(b"\xff")
    with pytest.raises(DataError, match=r"a\.json cannot be read"):
        read_json(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_json(tmp_path)
