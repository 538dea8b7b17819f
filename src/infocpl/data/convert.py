"""From recorded files to a clip store, on one core or several, resumable after a kill."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

from infocpl.data.dataset import Dataset
from infocpl.data.own_lists import find_protocols
from infocpl.data.resume import ResumableWriter
from infocpl.data.sources import ClipSource, Job, Outcome, open_source
from infocpl.data.store import CLIPS, ClipStore
from infocpl.errors import ConfigError, DataError, InfoCPLError, SkeletonFormatError
from infocpl.files import canonical_hash

__all__ = ["convert_dataset"]

_COMMIT = 64  # items between two entries of the journal that makes conversion resumable


def convert_dataset(
    dataset: Dataset,
    source: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    division: str = "",
    workers: int = 1,
    overwrite: bool = False,
    on_error: Literal["raise", "skip"] = "raise",
    progress: Callable[[int, int], None] | None = None,
) -> ClipStore:
    """Read every clip of a dataset and write them to a clip store.

    The result does not depend on `workers`: clips are written in the order of their paths, and
    only a bounded number of them is in memory at a time. The store appears when it is complete. A
    conversion that was killed or interrupted is continued by the same call, to the same bytes;
    until then its work lies in ``.unfinished-NAME`` beside the store. An error leaves nothing.

    Parameters
    ----------
    dataset : what the files are (:func:`~infocpl.data.catalog.create_dataset`)
    source : folder with the recorded files, at any depth; or a file, or folder, that holds many
        clips (:func:`~infocpl.skeleton.formats.open_collection`)
    out : the store to be
    format : file format, if neither the dataset's nor to be recognised
    division : which of its own training and test sets a file of many clips is divided by (protocol
        ``file``); "" for the only one
    workers : processes that read; with more than one, a script needs the usual
        ``if __name__ == "__main__":`` around its own code
    overwrite : replace a store that is there already
    on_error : ``"raise"`` stops at the first clip that cannot be read; ``"skip"`` leaves such
        clips out and lists them, with the reason, in the manifest under ``provenance.skipped``
    progress : called with the number of clips done and the number of all clips

    Returns
    -------
    ClipStore : opened; ``manifest["provenance"]`` counts the clips found, missing and skipped

    Raises
    ------
    SkeletonFormatError : for the first bad clip in order, whatever the number of workers
    DataError : if there are no clips of the dataset, its format cannot be read, or none of the
        files could be
    OutputExistsError : if `out` exists and is not to be overwritten, or is not a store, or if
        another process is just writing it
    ConfigError : if an option has no meaning

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
    clips = open_source(dataset, Path(source), format, division)
    dataset, lists = find_protocols(dataset, Path(source))
    clips.verify()
    skipped: list[dict[str, str]] = []
    writer = ResumableWriter(
        Path(out),
        dataset.name,
        clips.layout,
        dataset.classes,
        provenance={"format": clips.format, "skipped": skipped, "lists": lists},
        protocols=dataset.protocols,
        default_protocol=dataset.default_protocol,
        overwrite=overwrite,
        identity=_identity(dataset, clips, on_error, lists),
        stamp=clips.stamp,
    )
    with writer:
        total, done = len(clips), writer.done
        if done and progress is not None:
            progress(done, total)
        # Closed before the writer leaves, so that no worker outlives a failed conversion.
        with closing(_read_all(clips, done, workers)) as outcomes:
            for item, outcome in enumerate(outcomes, start=done):
                if not isinstance(outcome, InfoCPLError):
                    writer.append(outcome[0], clips.info(item), outcome[1])
                elif on_error == "raise":
                    raise outcome
                else:
                    writer.provenance["skipped"].append(_skipped(clips, item, outcome))
                if (item + 1) % _COMMIT == 0:
                    writer.commit(item + 1)
                if progress is not None:
                    progress(item + 1, total)
        if not len(writer):
            first = writer.provenance["skipped"][0]
            raise DataError(
                f"{source}: none of the {total} clips could be read; "
                f"the first, {first['file']}: {first['reason']}"
            )
        writer.provenance.update(clips.facts())
    return ClipStore.open(out)


def _identity(dataset: Dataset, clips: ClipSource, on_error: str, lists: dict[str, Any]) -> str:
    """Hash of what decides the content of the store, but for the content of the source files."""
    return canonical_hash(
        {
            "store": [CLIPS.format, CLIPS.version],
            "dataset": [dataset.name, list(dataset.classes), dataset.default_protocol],
            "protocols": {k: [v.field, list(v.train)] for k, v in dataset.protocols.items()},
            "format": [clips.format, clips.layout.name],
            "items": canonical_hash([clips.place(item) for item in range(len(clips))]),
            "on_error": on_error,
            "lists": lists,
        }
    )


def _skipped(clips: ClipSource, item: int, error: InfoCPLError) -> dict[str, str]:
    """Say which clip was left out and why, without the place where this copy lies."""
    if isinstance(error, SkeletonFormatError):
        place = f"{error.where}: " if error.where else ""
        reason = f"{place}{error.field}: expected {error.expected}, got {error.got}"
    else:
        reason = str(error)
    root = clips.path if clips.path.is_dir() else clips.path.parent
    return {"file": clips.place(item), "reason": reason.replace(f"{root}{os.sep}", "")}


def _do(job: Job) -> list[Outcome]:
    return list(job())


def _read_all(clips: ClipSource, start: int, workers: int) -> Generator[Outcome, None, None]:
    """Outcomes of items `start` and after in order, with at most a few jobs under way."""
    if workers == 1:
        for first in range(start, len(clips), clips.batch):
            yield from clips.job(first, min(first + clips.batch, len(clips)))()
        return
    # A fresh interpreter: a forked one would inherit locks held by other threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    waiting: deque[Future[list[Outcome]]] = deque()
    try:
        for first in range(start, len(clips), clips.batch):
            job = clips.job(first, min(first + clips.batch, len(clips)))
            with _interrupts_held():
                waiting.append(pool.submit(_do, job))
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
