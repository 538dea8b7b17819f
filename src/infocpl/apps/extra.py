"""Clips of another dataset, or of the generator, to learn from besides: ``run --extra``."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from infocpl.apps.plan import Plan
from infocpl.apps.progress import EMBEDDING, Reporter
from infocpl.data import ClipStore, convert_dataset, create_dataset, open_store, prepare_clips
from infocpl.data.extra import ExtraClasses, join_clips
from infocpl.data.feature_store import FeatureStore
from infocpl.data.loading import PreparedClips
from infocpl.data.same_meaning import load_same_meaning
from infocpl.errors import ConfigError
from infocpl.semantics import EmbeddingCache, build_codebook, create_text_encoder, load_lexicon
from infocpl.semantics.codebook import Codebook
from infocpl.skeleton.synthetic import generate_dataset

__all__ = ["SYNTHETIC", "check_extra", "describe_extra", "gather_extra"]

SYNTHETIC = "synthetic"
"""The generator's clips, which need no files."""

_DRAW = 0  # seed of which clips of a larger store are taken


def check_extra(plan: Plan) -> None:
    """Refuse at once what could only fail after the reading of all files.

    Raises
    ------
    ConfigError : if the extra source is no store of clips, or is the dataset itself
    DataError : if no list says which of its classes would show an unseen one
    """
    if not plan.extra:
        return
    if plan.extra_clips < 2:
        raise ConfigError(f"--extra-clips must be at least 2, got {plan.extra_clips}")
    source = SYNTHETIC
    if plan.extra != SYNTHETIC:
        store = open_store(Path(plan.extra))
        if isinstance(store, FeatureStore):
            raise ConfigError(f"--extra needs clips; {plan.extra} holds features")
        source = store.dataset
    if source == plan.dataset.name:
        raise ConfigError(f"--extra {plan.extra}: these are clips of {source!r} itself")
    load_same_meaning().exclusions(plan.dataset.name, plan.dataset.classes, source)


def gather_extra(
    clips: PreparedClips, plan: Plan, work: Path, reporter: Reporter
) -> tuple[PreparedClips, ExtraClasses]:
    """Put the extra clips that `plan` asks for behind a dataset's own.

    At the most ``plan.extra_clips`` of each class are taken, drawn evenly. Where clips hold one
    person, classes of two people are left out.
    """
    store = _open(plan, work, reporter)
    persons = clips.keypoints.shape[1]
    lexicon = {entry.name: entry for entry in load_lexicon(store.dataset).entries}
    rng, rows, names = np.random.default_rng(_DRAW), [], []
    for number, name in enumerate(store.classes):
        alone = lexicon[name].traits.persons == "one" if name in lexicon else True
        found = np.flatnonzero(store.labels == number)
        if len(found) and (alone or persons > 1):
            names.append(name)
            rows.extend(sorted(rng.permutation(found)[: plan.extra_clips]))
    with reporter.count("preparing extra clips") as progress:
        other = prepare_clips(
            store,
            frames=plan.config.frames,
            layout=clips.layout,
            persons=persons,
            rows=np.array(rows),
            progress=progress,
        )
    numbers = [names.index(other.classes[label]) for label in other.labels]
    other = PreparedClips(
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
    return join_clips(clips, other, store.dataset, excluded, file=work / "prepared-with-extra.npy")


def describe_extra(plan: Plan, elsewhere: ExtraClasses, reporter: Reporter) -> Codebook:
    """The codebook of the extra classes, made like the dataset's own."""
    choice = plan.descriptions
    start = len(f"{elsewhere.source}: ")
    with reporter.count(EMBEDDING) as progress:
        book = build_codebook(
            [name[start:] for name in elsewhere.names],
            create_text_encoder(plan.text_encoder),
            dataset=elsewhere.source,
            granularities=choice.kinds,
            count=choice.count,
            cache=EmbeddingCache(),
            progress=progress,
        )
    return choice.apply(book)


def _open(plan: Plan, work: Path, reporter: Reporter) -> ClipStore:
    """The store of extra clips; the generator's is written to `work` first."""
    if plan.extra != SYNTHETIC:
        return ClipStore.open(Path(plan.extra))
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
