"""Files that are whole or absent: atomic writes, hashes, output folders."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from infocpl.errors import DataError, OutputExistsError

__all__ = [
    "atomic_folder",
    "atomic_path",
    "canonical_hash",
    "exclusive_lock",
    "read_json",
    "remove_stale",
    "sha256_file",
    "sync_folder",
    "write_json",
]

_STALE = ".partial-"
_BLOCK = 1 << 22


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that replaces it when the block ends well.

    A crash at any moment leaves either the old file or the new one, never a mixture; an
    exception inside the block leaves the old file alone.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f"{_STALE}{target.name}-", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        # mkstemp makes files private; an ordinary file follows the user's umask.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(target: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Yield a temporary folder that becomes `target` when the block ends well.

    Raises
    ------
    OutputExistsError : if `target` exists and `overwrite` is false
    """
    target = Path(target)
    if target.exists() and not overwrite:
        raise OutputExistsError(f"{target} exists already; choose another place or overwrite it")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{_STALE}{target.name}-", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists() and not overwrite:
            # Another writer finished first; what it wrote is not ours to replace.
            raise OutputExistsError(f"{target} appeared meanwhile; nothing was replaced")
        if target.exists():
            # Two renames, so that a reader sees the old folder or the new one.
            aside = temporary.with_name(temporary.name + "-old")
            target.rename(aside)
            temporary.rename(target)
            shutil.rmtree(aside)
        else:
            temporary.rename(target)
        sync_folder(target.parent)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


@contextlib.contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold a lock that one process has at a time, and that ends with the process however it ends.

    The folder of `path` is made if need be; whoever holds the lock may remove it.

    Raises
    ------
    OutputExistsError : at once, if another process holds it
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # removed with its folder by its last holder
            continue
        try:
            if not _try_lock(handle):
                raise OutputExistsError(f"{path.parent} is in use by another process")
            # Its last holder may have removed the file between our opening and our locking it:
            # then a third process could lock a new one.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.stat(path)):
                    yield
                    return
        finally:
            os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def sync_folder(folder: Path) -> None:
    """Make a rename durable; file systems without folder handles are left as they are."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_stale(folder: Path) -> int:
    """Remove what killed writers left in `folder`; return how many entries went.

    Call it only where no other process can be writing.
    """
    stale = list(folder.glob(f"{_STALE}*")) if folder.is_dir() else []
    for item in stale:
        if item.is_dir():
            shutil.rmtree(item)
        else:
            item.unlink(missing_ok=True)
    return len(stale)


def sha256_file(path: Path, count: Callable[[int], None] | None = None) -> str:
    """Hex SHA-256 of a file, read in blocks; `count` is called with the size of each."""
    with Path(path).open("rb") as file:
        if count is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha256()
        while block := file.read(_BLOCK):
            digest.update(block)
            count(len(block))
        return digest.hexdigest()


def canonical_hash(value: Any) -> str:
    """Hex SHA-256 of a JSON value that does not depend on key order or spacing.

    Examples
    --------
    >>> canonical_hash({"a": 1, "b": 2}) == canonical_hash({"b": 2, "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def write_json(path: Path, value: Any) -> None:
    """Write `value` as readable JSON, whole or not at all; NaN is refused."""
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file; :class:`DataError` says where it is missing or broken."""
    path = Path(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise DataError(
            f"{path}, line {error.lineno}: expected JSON, got something else ({error.msg})"
        ) from error
