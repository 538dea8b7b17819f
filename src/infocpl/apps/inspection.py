"""What is in a skeleton file, a store or a dataset's folder, in facts and problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.apps.dataset_files import DatasetFiles, explain_folder, find_files
from infocpl.data import ClipStore, FeatureStore, is_store, open_store
from infocpl.data.dataset import Dataset
from infocpl.errors import ConfigError, InfoCPLError, SkeletonFormatError
from infocpl.skeleton.formats import (
    SkeletonCollection,
    is_collection,
    list_collection_formats,
    open_collection,
    read_skeleton,
)
from infocpl.skeleton.formats.limits import is_folder
from infocpl.skeleton.quality import Problem, find_problems
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["ClipView", "Overview", "inspect_clip", "inspect_path", "look_at_features"]

Facts = list[tuple[str, str]]


@dataclass(frozen=True)
class ClipView:
    """One clip with what was found in it."""

    title: str
    clip: SkeletonSequence
    facts: Facts
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Overview:
    """Many clips, or features, with what was found in them.

    Attributes
    ----------
    title : what was opened
    facts : name and value
    problems : kind of problem, number of clips with it, and an example
    shown : the clip for a picture; None for features
    """

    title: str
    facts: Facts
    problems: tuple[tuple[str, int, str], ...] = ()
    shown: ClipView | None = None
    counts: tuple[tuple[str, int], ...] = field(default=())


def inspect_clip(clip: SkeletonSequence, title: str, more: Facts | None = None) -> ClipView:
    """Look at one clip.

    Examples
    --------
    >>> from infocpl.skeleton.layout import create_layout
    >>> view = inspect_clip(SkeletonSequence(np.ones((1, 9, 25, 3)), create_layout("ntu25")), "a")
    >>> dict(view.facts)["frames"]
    '9 (0.30 s at 30 frames a second)'
    """
    seconds = clip.frames / clip.fps
    present = clip.present
    shares = ", ".join(f"{row.mean():.0%}" for row in present)
    known = clip.confidence[present]
    points = clip.keypoints[present]
    facts: Facts = [
        ("layout", f"{clip.layout.name} ({len(clip.layout)} joints, {clip.layout.dims}-D)"),
        ("frames", f"{clip.frames} ({seconds:.2f} s at {clip.fps:g} frames a second)"),
        ("persons", f"{clip.persons} (there in {shares} of the frames)"),
        ("units", clip.units),
    ]
    if len(points):
        low, high = points.reshape(-1, clip.layout.dims).min(0), points.max(axis=(0, 1))
        spans = ", ".join(
            f"{axis} {a:.2f} to {b:.2f}" for axis, a, b in zip("xyz", low, high, strict=False)
        )
        facts.append(("coordinates", spans))
        lost, sure = float((known == 0).mean()), float((known >= 0.999).mean())
        facts.append(("confidence", f"full for {sure:.0%} of the joints, none for {lost:.0%}"))
    return ClipView(title, clip, [*(more or []), *facts], tuple(find_problems(clip)))


def inspect_path(
    path: Path,
    *,
    clip: str | None = None,
    format: str | None = None,
    dataset: Dataset | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ClipView | Overview:
    """Look at whatever lies at `path`.

    Parameters
    ----------
    path : a skeleton file, a file of many clips, a store, or a folder with the original files of a
        dataset
    clip : name or number of the one clip to look at, where there are many
    format : file format, if it cannot be told from the file
    dataset : whose original files these are, if that cannot be told from their names
    progress : called with clips looked at and all clips

    Raises
    ------
    InfoCPLError : if nothing readable is there, or there is no such clip
    """
    if is_store(path):
        if dataset is not None:
            raise ConfigError(f"{path} is a store, which knows its dataset; leave --dataset out")
        return _look_into_store(open_store(path), clip, progress)
    many = format in list_collection_formats() or (format is None and is_collection(path))
    if dataset is None and many:
        with open_collection(path, format) as clips:
            if clip is not None:
                number = _number(clip, clips.names, path)
                return inspect_clip(clips.read(number), clips.names[number])
            return _look_at_collection(clips, progress)
    folder = is_folder(path)
    if dataset is not None or (folder and format is None):
        files = find_files(path, dataset, format)
        if files is not None:
            return _look_at_files(files, clip, progress)
    if clip is not None:
        raise ConfigError(f"{path} holds one clip; --clip is for stores and files of many clips")
    try:
        return inspect_clip(read_skeleton(path, format), path.name)
    except SkeletonFormatError as error:
        if folder and format is None:
            raise explain_folder(path, error) from error
        raise


def _number(wanted: str, names: Sequence[str], path: Path) -> int:
    if wanted in names:
        return names.index(wanted)
    if wanted.isdigit() and int(wanted) < len(names):
        return int(wanted)
    raise ConfigError(
        f"{path}: expected the name of a clip (such as {names[0]!r}) or a number from 0 to "
        f"{len(names) - 1}, got {wanted!r}"
    )


def _clip_facts(store: ClipStore, number: int) -> Facts:
    record = store.records[number]
    facts = [("dataset", store.dataset), ("class", store.classes[record.label])]
    for name in ("subject", "camera", "setup", "replication", "part"):
        if getattr(record, name) >= 0:
            facts.append((name, str(getattr(record, name))))
    return facts


def _look_into_store(
    store: ClipStore | FeatureStore,
    clip: str | None,
    progress: Callable[[int, int], None] | None,
) -> ClipView | Overview:
    if isinstance(store, FeatureStore):
        if clip is not None:
            raise ConfigError(f"{store.folder} holds features, in which there is no clip to show")
        return look_at_features(store)
    if clip is not None:
        number = _number(clip, store.names, store.folder)
        return inspect_clip(store[number], store.names[number], _clip_facts(store, number))
    return _look_at_store(store, progress)


def _look_at_store(store: ClipStore, progress: Callable[[int, int], None] | None) -> Overview:
    made = store.manifest["provenance"]
    facts: Facts = [
        ("store", f"{len(store)} clips of {store.dataset}, format version {store.kind.version}"),
        ("layout", f"{store.layout.name}, {store.manifest['fps']:g} frames a second, "
            f"{store.manifest['units']}"),
        ("frames", _spread(store.column("frames"))),
        ("persons", _spread(store.column("persons"))),
        ("classes", f"{len(set(store.labels.tolist()))} of {len(store.classes)} have clips"),
    ]  # fmt: skip
    for name in ("subject", "camera", "setup", "part"):
        values = set(store.column(name).tolist()) - {-1}
        if values:
            facts.append((f"{name}s", f"{len(values)} ({min(values)} to {max(values)})"))
    facts.append(("protocols", ", ".join(store.usable_protocols()) or "none"))
    if made:
        left_out = len(made.get("skipped", []))
        facts.append(
            ("made from", f"{made.get('format', '?')} files, {made.get('missing', 0)} known as "
             f"missing, {left_out} left out")
        )  # fmt: skip
    facts.append(("hash", store.hash))
    clips = ((store.names[i], store[i]) for i in range(len(store)))
    problems, shown = _look_at_all(clips, len(store), progress)
    counts = np.bincount(store.labels, minlength=len(store.classes))
    table = tuple((name, int(n)) for name, n in zip(store.classes, counts, strict=True))
    return Overview(str(store.folder), facts, problems, shown, table)


def _look_at_collection(
    clips: SkeletonCollection, progress: Callable[[int, int], None] | None
) -> Overview:
    known = clips.labels[clips.labels >= 0]
    facts: Facts = [
        ("file", f"{len(clips)} clips, layout {clips.layout.name}, {clips.fps:g} frames a second"),
        ("classes", f"{len(set(known.tolist()))} occur, of {clips.classes or 'unknown'}"),
    ]
    for name, positions in clips.splits.items():
        facts.append((f"split {name}", f"{len(positions)} clips"))
    facts += [("note", note) for note in clips.notes]

    def read() -> Iterable[tuple[str, SkeletonSequence | InfoCPLError]]:
        for number, name in enumerate(clips.names):
            try:
                yield name, clips.read(number)
            except InfoCPLError as error:
                yield name, error

    problems, shown = _look_at_all(read(), len(clips), progress)
    return Overview(str(clips.path), facts, problems, shown)


def _look_at_files(
    files: DatasetFiles, clip: str | None, progress: Callable[[int, int], None] | None
) -> ClipView | Overview:
    if clip is not None:
        number = _number(clip, files.names, files.path)
        return inspect_clip(files.read(number), files.names[number], files.clip_facts(number))
    chosen = files.sample()

    def read() -> Iterable[tuple[str, SkeletonSequence | InfoCPLError]]:
        for number in chosen:
            try:
                yield files.names[number], files.read(number)
            except InfoCPLError as error:
                yield files.names[number], error

    problems, shown = _look_at_all(read(), len(chosen), progress)
    return Overview(str(files.path), files.facts(), problems, shown, files.counts())


def _look_at_all(
    clips: Iterable[tuple[str, SkeletonSequence | InfoCPLError]],
    total: int,
    progress: Callable[[int, int], None] | None,
) -> tuple[tuple[tuple[str, int, str], ...], ClipView | None]:
    """Count problems over all clips, of which one is in memory at a time."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    shown: ClipView | None = None
    for done, (name, clip) in enumerate(clips, start=1):
        if isinstance(clip, InfoCPLError):
            found = [Problem("unreadable", str(clip))]
        else:
            found = find_problems(clip)
            shown = shown or inspect_clip(clip, name)
        for problem in {item.kind: item for item in found}.values():
            counts[problem.kind] += 1
            examples.setdefault(problem.kind, f"{name}: {problem.text}")
        if progress is not None:
            progress(done, total)
    rows = tuple((kind, number, examples[kind]) for kind, number in counts.most_common())
    return rows, shown


def look_at_features(store: FeatureStore) -> Overview:
    """Facts and problems of a feature store; rows are looked at a few at a time."""
    rows, dim = store.features.shape
    note = store.encoder
    said = note.training_classes
    facts: Facts = [
        ("store", f"{rows} features of {dim} numbers, {store.dataset}"),
        ("encoder", note.name),
        (
            "trained on",
            "nobody says"
            if said is None
            else f"{len(said)} classes, declared by the {note.declared_by}; cannot be proved",
        ),
        ("classes", f"{len(set(store.labels.tolist()))} of {len(store.classes)} have features"),
        ("protocols", ", ".join(store.usable_protocols()) or "none"),
    ]
    sizes = _row_norms(store.features)
    facts.append(("length of a row", f"{sizes.min():.3g} to {sizes.max():.3g}"))
    facts.append(("hash", store.hash))
    zero = np.flatnonzero(sizes == 0)
    problems = []
    if len(zero):
        problems.append(("zero rows", len(zero), f"{store.names[zero[0]]}: nothing but zeros"))
    counts = np.bincount(store.labels, minlength=len(store.classes))
    table = tuple((name, int(n)) for name, n in zip(store.classes, counts, strict=True))
    return Overview(str(store.folder), facts, tuple(problems), None, table)


def _row_norms(features: NDArray[np.float32]) -> NDArray[np.float64]:
    few = max(1, (1 << 22) // features.shape[1])
    blocks = (features[start : start + few] for start in range(0, len(features), few))
    return np.concatenate([np.linalg.norm(block.astype(np.float64), axis=1) for block in blocks])


def _spread(values: NDArray[np.int64]) -> str:
    low, high = int(values.min()), int(values.max())
    return str(low) if low == high else f"{low} to {high}, median {np.median(values):g}"
