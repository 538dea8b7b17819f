"""Clips of other datasets, or of the generator, to learn from besides: ``run --extra``."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from infocpl.apps.plan import Plan
from infocpl.apps.progress import Reporter
from infocpl.data import (
    ClipStore,
    convert_dataset,
    create_dataset,
    is_store,
    open_store,
    prepare_clips,
)
from infocpl.data.extra import ExtraClasses, OtherClips, join_clips
from infocpl.data.feature_store import FeatureStore
from infocpl.data.loading import PreparedClips
from infocpl.data.same_meaning import load_same_meaning
from infocpl.errors import ConfigError
from infocpl.semantics import load_lexicon
from infocpl.skeleton.synthetic import generate_dataset

__all__ = ["SYNTHETIC", "check_extra", "gather_extra"]

SYNTHETIC = "synthetic"
"""The generator's clips, which need no files."""

_NESTED = {"ntu60", "ntu120"}  # every recording of the first is one of the second
_DRAW = 0  # seed of which clips of a larger store are taken


def check_extra(plan: Plan) -> None:
    """Refuse at once what could only fail after the reading of all files.

    Raises
    ------
    ConfigError : if an extra source is no store of clips, is the dataset itself or another source
        once more or within it, or if the dataset is given as features
    StoreError : if its store is damaged
    DataError : if no list says which of its classes would show an unseen one
    """
    if not plan.extra:
        return
    if plan.extra_clips < 2:
        raise ConfigError(f"--extra-clips must be at least 2, got {plan.extra_clips}")
    if is_store(plan.source) and isinstance(open_store(plan.source), FeatureStore):
        raise ConfigError(f"--extra needs clips to learn from; {plan.source} holds features")
    same, seen = load_same_meaning(), dict[str, str]()
    for source in plan.extra:
        dataset, classes = _look_at(source)
        if dataset == plan.dataset.name:
            raise ConfigError(f"--extra {source}: these are clips of {dataset!r} itself")
        if dataset in seen:
            raise ConfigError(
                f"--extra {source}: expected each dataset once, got {dataset!r} already from "
                f"{seen[dataset]}"
            )
        seen[dataset] = source
        if seen.keys() >= _NESTED:
            raise ConfigError(
                f"--extra {source}: expected one of 'ntu60' and 'ntu120', which holds all clips of "
                "the first, got both"
            )
        same.check_names(dataset, classes)
        same.exclusions(plan.dataset.name, plan.dataset.classes, dataset)


def gather_extra(
    clips: PreparedClips, plan: Plan, work: Path, reporter: Reporter
) -> tuple[PreparedClips, ExtraClasses]:
    """Put the extra clips that `plan` asks for behind a dataset's own, one source after another.

    At the most ``plan.extra_clips`` of each class are taken, drawn evenly; which ones does not
    depend on the other sources. Where clips hold one person, classes of two people are left out.

    Raises
    ------
    ConfigError : if no class of a source is left
    """
    others = [_gather(clips, source, plan, work, reporter) for source in plan.extra]
    return join_clips(clips, others, file=work / "prepared-with-extra.npy")


def _gather(
    clips: PreparedClips, source: str, plan: Plan, work: Path, reporter: Reporter
) -> OtherClips:
    """The clips that are taken from one source, mapped from a file in `work`."""
    store = _open(source, plan, work, reporter)
    persons = clips.keypoints.shape[1]
    lexicon = {entry.name: entry for entry in load_lexicon(store.dataset).entries}
    rng = np.random.default_rng(_DRAW)
    rows: list[int] = []
    names: list[str] = []
    for number, name in enumerate(store.classes):
        alone = lexicon[name].traits.persons == "one" if name in lexicon else True
        found = np.flatnonzero(store.labels == number)
        if len(found) and (alone or persons > 1):
            names.append(name)
            rows.extend(sorted(rng.permutation(found)[: plan.extra_clips].tolist()))
    if not names:
        raise ConfigError(
            f"--extra {source}: every class of {store.dataset!r} needs two people, and clips of "
            f"{plan.dataset.name!r} hold one"
        )
    with reporter.count(f"preparing clips of {store.dataset}") as progress:
        other = prepare_clips(
            store,
            frames=plan.config.frames,
            layout=clips.layout,
            persons=persons,
            rows=np.array(rows),
            cache=work,
            progress=progress,
        )
    numbers = [names.index(other.classes[label]) for label in other.labels]
    taken = PreparedClips(
        other.keypoints,
        np.array(numbers, dtype=np.int64),
        other.names,
        other.subjects,
        other.layout,
        tuple(names),
    )
    excluded = load_same_meaning().exclusions(
        plan.dataset.name, plan.dataset.classes, store.dataset
    )
    return OtherClips(store.dataset, taken, excluded, store.hash)


def _look_at(source: str) -> tuple[str, tuple[str, ...]]:
    """Name and classes of the dataset of one source."""
    if source == SYNTHETIC:
        return SYNTHETIC, create_dataset(SYNTHETIC).classes
    path = Path(source)
    # An empty name would be the folder that the command was started in.
    if not source or not is_store(path):
        found = "no such folder"
        if source and path.exists():
            found = "a folder without manifest.json" if path.is_dir() else "a file"
        raise ConfigError(
            f"--extra {source or repr(source)}: expected {SYNTHETIC!r} or a store written by "
            f"`infocpl convert`, got {found}"
        )
    store = open_store(path)
    if isinstance(store, FeatureStore):
        raise ConfigError(f"--extra {source}: expected clips, got a store of features")
    return store.dataset, store.classes


def _open(source: str, plan: Plan, work: Path, reporter: Reporter) -> ClipStore:
    """The store of extra clips; the generator's is written to `work` first."""
    if source != SYNTHETIC:
        return ClipStore.open(Path(source))
    folder = work / "extra-store"
    if folder.is_dir():
        return ClipStore.open(folder)
    files = work / "extra-files"
    with reporter.count("generating extra clips") as progress:
        generate_dataset(
            files, subjects=plan.extra_clips, replications=1, overwrite=True, progress=progress
        )
    with reporter.count("reading extra clips") as progress:
        store = convert_dataset(create_dataset(SYNTHETIC), files, folder, progress=progress)
    shutil.rmtree(files)
    return store
