"""A store writer that a kill at any moment cannot rob of finished work.

What is written goes to ``.unfinished-NAME`` beside the store to be: the growing arrays in
``store/``, and ``journal``, one line for each batch of clips with their facts and the SHA-256 of
the bytes they added to each array. A later run with the same identity reads the journal back,
believes a line only if its bytes are there and its source files have not changed, cuts everything
after it, and goes on; the finished store is the same to the byte. The folder is locked while a
process works in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import orjson

from infocpl.data.manifest import HEADER_BYTES, refuse_foreign
from infocpl.data.store import CLIPS, COLUMNS
from infocpl.data.store_writer import StoreWriter
from infocpl.errors import OutputExistsError
from infocpl.files import exclusive_lock, sync_folder

__all__ = ["ResumableWriter", "unfinished_folder"]

Stamp = tuple[int, int]
"""Size and modification time of a source file, by which a changed one is noticed."""

_DIGEST = 64
_BLOCK = 1 << 22


class ResumableWriter(StoreWriter):
    """A :class:`.StoreWriter` that continues where a killed one of the same `identity` ended.

    Parameters
    ----------
    identity : hash of everything that decides the content of the store
    stamp : stamp of the source of item number i, now
    others : see :class:`.StoreWriter`

    Attributes
    ----------
    done : how many items (clips written or skipped) are dealt with already

    Raises
    ------
    OutputExistsError : if another process writes the same store, and as for any writer
    """

    def __init__(
        self, *arguments: Any, identity: str, stamp: Callable[[int], Stamp], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.identity = identity
        self.done = 0
        self._stamp = stamp
        self._digests = {name: hashlib.sha256() for name in CLIPS.arrays}
        self._first = 0  # clips, items and skipped ones of earlier journal lines
        self._noted = 0

    def __enter__(self) -> Self:
        work = self._stack.enter_context(
            unfinished_folder(self.folder, overwrite=self.overwrite, worth=lambda: self.done > 0)
        )
        self._place = work / "store"
        journal = work / "journal"
        kept = self._restore(journal)
        if not kept:
            shutil.rmtree(self._place, ignore_errors=True)
            self._place.mkdir()
            self._open_arrays()
            kept = _line({"identity": self.identity})
            journal.write_bytes(kept)
        # Unbuffered: what was journalled is with the operating system when commit() returns.
        self._journal: BinaryIO = self._stack.enter_context(journal.open("r+b", buffering=0))
        self._journal.truncate(len(kept))
        self._journal.seek(len(kept))
        return self

    def _write(self, name: str, data: bytes) -> None:
        super()._write(name, data)
        self._digests[name].update(data)

    def commit(self, done: int) -> None:
        """Note that the first `done` items are dealt with; a kill after this costs none of them."""
        skipped: list[Any] = self.provenance["skipped"]
        for file in self._files.values():
            file.flush()
        record = {
            "done": done,
            "stamps": [self._stamp(item) for item in range(self.done, done)],
            "columns": {key: self._columns[key][self._first :] for key in COLUMNS},
            "skipped": skipped[self._noted :],
            "rows": self._rows,
            "recording": self._recording,
            "sha256": {name: digest.hexdigest() for name, digest in self._digests.items()},
        }
        self._journal.write(_line(record))
        self._next_line(done)

    def _next_line(self, done: int) -> None:
        self.done, self._first = done, len(self._names)
        self._noted = len(self.provenance["skipped"])
        self._digests = {name: hashlib.sha256() for name in CLIPS.arrays}

    def _restore(self, journal: Path) -> bytes:
        """Take over the work of an earlier run; return the part of its journal that holds."""
        try:
            lines = journal.read_bytes().splitlines(keepends=True)
            files: dict[str, BinaryIO] = {
                name: self._stack.enter_context((self._place / name).open("r+b"))
                for name in CLIPS.arrays
            }
        except FileNotFoundError:
            return b""
        if not lines or lines[0] != _line({"identity": self.identity}):
            for file in files.values():
                file.close()
            return b""
        kept = lines[0]
        self._files = files
        for file in files.values():
            file.seek(HEADER_BYTES)
        for line in lines[1:]:
            record = _record(line)
            if record is None or not self._holds(record):
                break
            self._take_over(record)
            kept += line
        for name, file in files.items():
            end = HEADER_BYTES + self._rows * self._row_bytes(name)
            file.truncate(end)
            file.seek(end)
        return kept

    def _holds(self, record: dict[str, Any]) -> bool:
        """Whether the sources and the bytes of a journal line are still what they were."""
        stamps = [list(self._stamp(item)) for item in range(self.done, record["done"])]
        if stamps != record["stamps"]:
            return False
        for name, file in self._files.items():
            size = (record["rows"] - self._rows) * self._row_bytes(name)
            if _digest(file, size) != record["sha256"][name]:
                return False
        return True

    def _take_over(self, record: dict[str, Any]) -> None:
        for key in COLUMNS:
            self._columns[key] += record["columns"][key]
        self._names.update(record["columns"]["name"])
        self.provenance["skipped"] += record["skipped"]
        self._rows = record["rows"]
        if record["recording"] is not None:
            self._recording = (record["recording"][0], record["recording"][1])
        self._next_line(record["done"])

    def _row_bytes(self, name: str) -> int:
        joints = len(self.layout)
        return joints if name == "confidence.npy" else 4 * joints * self.layout.dims


def _line(record: dict[str, Any]) -> bytes:
    """A journal line: the SHA-256 of its JSON, and the JSON, so that a torn line is known."""
    text = orjson.dumps(record)
    return hashlib.sha256(text).hexdigest().encode() + text + b"\n"


def _record(line: bytes) -> dict[str, Any] | None:
    text = line[_DIGEST:-1]
    if hashlib.sha256(text).hexdigest().encode() != line[:_DIGEST] or not line.endswith(b"\n"):
        return None
    found: dict[str, Any] = orjson.loads(text)
    return found


def _digest(file: BinaryIO, size: int) -> str:
    """SHA-256 of the next `size` bytes; of what is there, if there are fewer."""
    digest = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


@contextlib.contextmanager
def unfinished_folder(
    target: Path, *, overwrite: bool, worth: Callable[[], bool]
) -> Iterator[Path]:
    """Yield ``.unfinished-NAME`` beside `target`, locked; its ``store`` becomes `target`.

    After an error the folder is removed. After Ctrl-C it stays if `worth` says that it holds
    finished work; after a kill it stays anyhow.

    Raises
    ------
    OutputExistsError : if `target` exists and `overwrite` is false, or is not a clip store, or
        another process works in the folder
    """
    _check_target(target, overwrite)
    work = target.with_name(f".unfinished-{target.name}")
    keep = False
    with exclusive_lock(work / "lock"):
        try:
            yield work
            # Looked at again: in the meantime another program may have put something there.
            _check_target(target, overwrite)
            if target.exists():
                target.rename(work / "replaced")
            (work / "store").rename(target)
            sync_folder(target.parent)
        except (KeyboardInterrupt, SystemExit):
            keep = worth()
            raise
        finally:
            if not keep:
                # The lock is still held, so nobody else can have begun to work here.
                shutil.rmtree(work, ignore_errors=True)


def _check_target(target: Path, overwrite: bool) -> None:
    if not target.exists():
        return
    if not overwrite:
        raise OutputExistsError(f"{target} exists already; choose another place or overwrite it")
    refuse_foreign(target, CLIPS)
