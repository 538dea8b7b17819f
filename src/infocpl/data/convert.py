"""From a folder of recorded files to a clip store, on one core or several."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from infocpl.data.dataset import Dataset
from infocpl.data.store import ClipStore
from infocpl.data.store_writer import StoreWriter
from infocpl.errors import ConfigError, DataError, InfoCPLError, SkeletonFormatError
from infocpl.files import sha256_file
from infocpl.skeleton.formats import get_format, list_formats
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["convert_dataset"]

Reader = Callable[[Path], SkeletonSequence]
Outcome = tuple[SkeletonSequence, str] | InfoCPLError

_CHUNK = 8  # files a task: enough to hide the cost of handing it over


def convert_dataset(
    dataset: Dataset,
    source: str | Path,
    out: str | Path,
    *,
    workers: int = 1,
    overwrite: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    progress: Callable[[int, int], None] | None = None,
) -> ClipStore:
    """Read every clip of a dataset and write them to a clip store.

    The result does not depend on `workers`: clips are written in the order of their paths, and
    only a bounded number of them is in memory at a time. The store appears when it is complete;
    Ctrl-C or an error leaves nothing, a killed process at most a ``.partial-`` folder beside it.

    Parameters
    ----------
    dataset : what the files are (:func:`~infocpl.data.catalog.create_dataset`)
    source : folder with the recorded files, at any depth
    out : the store to be
    workers : processes that read; with more than one, a script needs the usual
        ``if __name__ == "__main__":`` around its own code
    overwrite : replace a store that is there already
    on_error : ``"raise"`` stops at the first file that cannot be read; ``"skip"`` leaves such
        files out and lists them, with the reason, in the manifest under ``provenance.skipped``
    progress : called with the number of files done and the number of all files

    Returns
    -------
    ClipStore : opened; ``manifest["provenance"]`` counts the clips found, missing and skipped

    Raises
    ------
    SkeletonFormatError : for the first bad file in order, whatever the number of workers
    DataError : if there are no clips of the dataset, its format cannot be read, or none of the
        files could be
    OutputExistsError : if `out` exists and is not to be overwritten, or is not a store
    ConfigError : if `workers` or `on_error` has no meaning

    Examples
    --------
    >>> from infocpl.data.catalog import create_dataset
    >>> convert_dataset(create_dataset("utd-mhad"), "no/such/folder", "store")
    Traceback (most recent call last):
    infocpl.errors.DataError: no/such/folder: expected a folder with UTD-MHAD clips, \
got nothing at this path
    """
    if workers < 1:
        raise ConfigError(f"workers: expected a whole number of 1 or more, got {workers}")
    if on_error not in ("raise", "skip"):
        raise ConfigError(f"on_error: expected 'raise' or 'skip', got {on_error!r}")
    read = _reader(dataset)
    source, out = Path(source), Path(out)
    files = dataset.files(source)
    infos = {path: dataset.parse(path) for path in files}
    usable = [path for path in files if infos[path].name not in dataset.missing]
    if not usable:
        raise DataError(f"{source}: all {len(files)} clips found are known to have no skeleton")
    skipped: list[dict[str, str]] = []
    provenance = {
        "format": dataset.format,
        "found": len(files),
        "missing": len(files) - len(usable),
        "skipped": skipped,
    }
    writer = StoreWriter(
        out,
        dataset.name,
        create_layout(dataset.layout),
        dataset.classes,
        provenance=provenance,
        overwrite=overwrite,
    )
    # Closed before the writer leaves, so that no worker outlives a failed conversion.
    with writer, closing(_read_all(usable, read, workers)) as outcomes:
        for done, (path, outcome) in enumerate(zip(usable, outcomes, strict=True), start=1):
            if not isinstance(outcome, InfoCPLError):
                writer.append(outcome[0], infos[path], outcome[1])
            elif on_error == "raise":
                raise outcome
            else:
                skipped.append(_skipped(path, source, outcome))
            if progress is not None:
                progress(done, len(usable))
        if not len(writer):
            first = skipped[0]
            raise DataError(
                f"{source}: none of the {len(usable)} clips could be read; "
                f"the first, {first['file']}: {first['reason']}"
            )
    return ClipStore.open(out)


def _reader(dataset: Dataset) -> Reader:
    if dataset.format not in list_formats():
        raise DataError(
            f"dataset {dataset.name!r}: files of format {dataset.format!r} cannot be converted "
            f"(formats that can: {', '.join(list_formats())}); only its class names and splits "
            "are available"
        )
    return get_format(dataset.format).read


def _skipped(path: Path, source: Path, error: InfoCPLError) -> dict[str, str]:
    """Say which file was left out and why, without the place where this copy lies."""
    file = path.relative_to(source).as_posix()
    if isinstance(error, SkeletonFormatError):
        place = f"{error.where}: " if error.where else ""
        reason = f"{place}{error.field}: expected {error.expected}, got {error.got}"
    else:
        reason = str(error).replace(str(path), file)
    return {"file": file, "reason": reason}


def _read_one(path: Path, read: Reader) -> Outcome:
    """Read one file; an error for the user is returned, so that its place in order is kept."""
    try:
        return read(path), sha256_file(path)
    except InfoCPLError as error:
        return error
    except OSError as error:
        return SkeletonFormatError(path, "file", "a readable file", error.strerror or str(error))


def _read_chunk(paths: Sequence[Path], read: Reader) -> list[Outcome]:
    return [_read_one(path, read) for path in paths]


def _read_all(paths: Sequence[Path], read: Reader, workers: int) -> Generator[Outcome, None, None]:
    """Outcomes in the order of `paths`, with at most a few chunks under way."""
    if workers == 1:
        for path in paths:
            yield _read_one(path, read)
        return
    # A fresh interpreter: a forked one would inherit locks held by other threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    waiting: deque[Future[list[Outcome]]] = deque()
    try:
        for start in range(0, len(paths), _CHUNK):
            with _interrupts_held():
                waiting.append(pool.submit(_read_chunk, paths[start : start + _CHUNK], read))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError(
            "a reading process ended abruptly: try workers=1, and in a script call the "
            "conversion under if __name__ == '__main__'"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back while workers may be started, which inherit that it is held back.

    Without it a worker that is still importing when the user interrupts would print a traceback
    of its own; the main process is interrupted as soon as the block ends.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker() -> None:
    """Let Ctrl-C be the main process's business, and end with it even if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def leave() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=leave, daemon=True).start()
