"""PKU-MMD as clips: recordings cut along their label files.

Recordings stay untrimmed on disk and available (:meth:`PkuMmdCollection.whole`); a clip is cut when
it is asked for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    register_collection_format,
)
from infocpl.skeleton.formats.limits import is_folder, read_bounded, show, sniff_head
from infocpl.skeleton.formats.pku_mmd import (
    CLASSES,
    FPS,
    PkuInterval,
    read_pku_labels,
    read_pku_mmd,
)
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["OVERHANG", "PkuMmdCollection", "PkuRecording", "open_pku_mmd"]

OVERHANG = 30
"""Frames by which an interval may go on after its recording ends; it is cut there."""

_NAME = re.compile(r"(?:\d{4}|A\d{2}N\d{2})-[LMR]")
_SUFFIXES = (".txt", ".skeleton", ".label")
_MAX_FILES = 100_000
_LONG = 200  # bytes: more than any row of a label file, less than any row of 150 numbers
_SPLIT = re.compile(r"cross[-_](subject|view).*\.txt", re.IGNORECASE)
_PROTOCOLS = {"subject": "xsub", "view": "xview"}
_PARTS = (("train", "train"), ("val", "valid"))  # no more of the second word: it is misspelt


@dataclass(frozen=True)
class PkuRecording:
    """One untrimmed recording.

    Attributes
    ----------
    name : official name, such as ``"0002-L"`` (part I) or ``"A10N08-L"`` (part II); the letter is
        the view: left, middle, right
    skeleton, labels : its two files
    intervals : what the label file says
    """

    name: str
    skeleton: Path
    labels: Path
    intervals: tuple[PkuInterval, ...]


class PkuMmdCollection(SkeletonCollection):
    """Recordings and their intervals, opened by :func:`open_pku_mmd`.

    Attributes
    ----------
    recordings : by name
    intervals : for each clip the recording's position and the interval
    """

    def __init__(
        self,
        path: Path,
        recordings: Sequence[PkuRecording],
        split_files: Iterable[Path] = (),
        notes: Iterable[str] = (),
    ) -> None:
        self.recordings = tuple(recordings)
        self.intervals = [
            (number, interval)
            for number, recording in enumerate(recordings)
            for interval in recording.intervals
        ]
        self._last: tuple[int, SkeletonSequence] | None = None
        split_files = sorted(split_files)
        notes = [*notes, *_overlaps(recordings)]
        splits: dict[str, NDArray[np.int64]] = {}
        for file in split_files:
            splits |= self._read_split(file, notes)
        super().__init__(
            path,
            create_layout("ntu25"),
            [
                f"{recording.name}_i{place:03d}_a{interval.action:02d}"
                for recording in recordings
                for place, interval in enumerate(recording.intervals, start=1)
            ],
            np.array([interval.action - 1 for _, interval in self.intervals], dtype=np.int64),
            files=[
                *(file for item in recordings for file in (item.skeleton, item.labels)),
                *split_files,
            ],
            classes=CLASSES,
            splits=splits,
            fps=FPS,
            notes=notes,
        )

    def _read_split(self, file: Path, notes: list[str]) -> dict[str, NDArray[np.int64]]:
        found = _SPLIT.fullmatch(file.name)
        protocol = _PROTOCOLS[found[1].lower()] if found else file.stem
        known = {recording.name for recording in self.recordings}
        splits = {}
        for part, names in _split_lists(file).items():
            missing = len(names - known)
            if missing:
                notes.append(f"{file.name} names {missing} {part} recordings that are not here")
            member = [self.recordings[number].name in names for number, _ in self.intervals]
            splits[f"{protocol}_{part}"] = np.flatnonzero(member).astype(np.int64)
        return splits

    def whole(self, recording: int) -> SkeletonSequence:
        """Return a recording untrimmed; the last one stays in memory.

        Raises
        ------
        SkeletonFormatError : see :func:`~infocpl.skeleton.formats.pku_mmd.read_pku_mmd`
        IndexError : if there is no such recording
        """
        if not 0 <= recording < len(self.recordings):
            raise IndexError(f"{self.path}: recording {recording} of {len(self.recordings)}")
        if self._last is None or self._last[0] != recording:
            self._last = (recording, read_pku_mmd(self.recordings[recording].skeleton))
        return self._last[1]

    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index`: the frames of its interval, and the persons seen in them.

        An interval that ends at most :data:`OVERHANG` frames after its recording is cut there; one
        that goes on longer is refused. See :meth:`SkeletonCollection.read`.
        """
        index = self._position(index)
        number, interval = self.intervals[index]
        whole, recording = self.whole(number), self.recordings[number]
        if interval.start > whole.frames or interval.end > whole.frames + OVERHANG:
            line = recording.intervals.index(interval) + 1
            expected = f"an interval within the {whole.frames} frames of {recording.skeleton.name}"
            got = f"{interval.start} to {interval.end}"
            raise SkeletonFormatError(recording.labels, "frames", expected, got, f"line {line}")
        frames = slice(interval.start - 1, interval.end)
        there = whole.present[:, frames].any(axis=1)
        if not there.any():
            source, got = self._source(index), "nobody"
            raise SkeletonFormatError(source, "clip", "a person in some frame", got)
        return SkeletonSequence(
            whole.keypoints[there, frames],
            self.layout,
            confidence=whole.confidence[there, frames],
            fps=FPS,
            source=self._source(index),
        )

    def close(self) -> None:
        """Forget the recording in memory."""
        self._last = None


def open_pku_mmd(path: str | Path, labels: str | Path | None = None) -> PkuMmdCollection:
    """Open PKU-MMD, or one recording of it, as clips.

    Parameters
    ----------
    path : folder of the dataset, in which skeleton and label files lie at any depth and are told
        apart by their content; or one skeleton file
    labels : label file of the one skeleton file

    Returns
    -------
    PkuMmdCollection : clips by recording and interval, named like ``"0002-L_i003_a34"`` (third
        interval, action 34). Splits ``xsub_train``, ``xsub_val``, ``xview_train`` and ``xview_val``
        come from the dataset's own ``cross-subject*.txt`` and ``cross-view*.txt``, if they are in
        the folder. Recordings without labels and intervals that overlap are noted.

    Raises
    ------
    SkeletonFormatError : if there is no recording with labels, a recording is there twice, or a
        label or split file is damaged. Skeleton files are read later, when a clip is asked for.

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats.pku_mmd import write_pku_labels, write_pku_mmd
    >>> recording = SkeletonSequence(np.ones((2, 90, 25, 3)), create_layout("ntu25"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_pku_mmd(Path(folder) / "skeleton" / "0002-L.txt", recording)
    ...     write_pku_labels(Path(folder) / "label" / "0002-L.txt", [PkuInterval(34, 11, 50)])
    ...     clips = open_pku_mmd(folder)
    ...     clips.names, clips.labels.tolist(), clips.read(0).frames
    (('0002-L_i001_a34',), [33], 40)
    """
    path = Path(path)
    if labels is not None:
        intervals = tuple(read_pku_labels(labels))
        return PkuMmdCollection(path, [PkuRecording(path.stem, path, Path(labels), intervals)])
    if not is_folder(path):
        raise SkeletonFormatError(path, "folder", "one of PKU-MMD, or a label file too", "none")
    skeletons, label_files, split_files = _find(path)
    both = [name for name in skeletons if name in label_files]
    if not both:
        got = f"{len(skeletons)} skeleton and {len(label_files)} label files of different names"
        raise SkeletonFormatError(path, "recordings", "skeleton files with their label files", got)
    notes = []
    for what, other in (("label", len(skeletons)), ("skeleton", len(label_files))):
        if other > len(both):
            notes.append(f"{other - len(both)} recordings have no {what} file and were passed over")
    recordings = [
        PkuRecording(
            name, skeletons[name], label_files[name], tuple(read_pku_labels(label_files[name]))
        )
        for name in both
    ]
    return PkuMmdCollection(path, recordings, split_files, notes)


def _find(folder: Path) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
    """Skeleton and label files by recording, and split files, below a folder."""
    skeletons: dict[str, Path] = {}
    labels: dict[str, Path] = {}
    splits: list[Path] = []
    for path in _files(folder):
        if _SPLIT.fullmatch(path.name):
            splits.append(path)
        elif path.suffix in _SUFFIXES and _NAME.fullmatch(path.stem):
            first = sniff_head(path).split(b"\n", 1)[0]
            # By its look only: what is wrong with a damaged file its reader can say.
            found = labels if b"," in first else skeletons if len(first) > _LONG else None
            if found is None:
                continue
            if path.stem in found:
                raise SkeletonFormatError(
                    path, "recording", "each name once", f"{found[path.stem]} too"
                )
            found[path.stem] = path
    return skeletons, labels, splits


def _files(folder: Path) -> list[Path]:
    files: list[Path] = []
    for place, _, names in os.walk(folder):
        files += [Path(place, name) for name in names]
        if len(files) > _MAX_FILES:
            raise SkeletonFormatError(folder, "files", f"at most {_MAX_FILES:,}", "more")
    return sorted(files)


def _split_lists(path: Path) -> dict[str, set[str]]:
    """Names of the recordings of each part: a line that says which part, then lines of names."""
    lists: dict[str, set[str]] = {}
    part = ""
    for number, line in enumerate(read_bounded(path).decode("utf-8", "replace").split("\n"), 1):
        where = f"line {number}"
        if "video" in line.lower():
            part = next((p for p, word in _PARTS if word in line.lower()), "")
            if not part or part in lists:
                expected = "training or validation videos, each once"
                raise SkeletonFormatError(path, "part", expected, show(line.strip()), where)
            lists[part] = set()
            continue
        for name in filter(None, (token.strip() for token in line.split(","))):
            if not part or not _NAME.fullmatch(name):
                expected = "names of recordings below a line that says which"
                raise SkeletonFormatError(path, "name", expected, show(name), where)
            lists[part].add(name)
    return lists


def _overlaps(recordings: Iterable[PkuRecording]) -> list[str]:
    """Note how many intervals begin before another one of their recording has ended."""
    count = 0
    for recording in recordings:
        end = 0
        for interval in sorted(recording.intervals, key=lambda i: (i.start, i.end)):
            count += interval.start <= end
            end = max(end, interval.end)
    return [f"{count} intervals overlap an earlier one"] if count else []


def _sniff(path: Path) -> bool:
    """A folder with a skeleton and a label file of one recording."""
    if not is_folder(path):
        return False
    try:
        skeletons, labels, _ = _find(path)
    except SkeletonFormatError:
        return False
    return not skeletons.keys().isdisjoint(labels)


register_collection_format(
    CollectionFormat(
        name="pku-mmd",
        title="folder of PKU-MMD recordings and label files",
        open=open_pku_mmd,
        sniff=_sniff,
    )
)
