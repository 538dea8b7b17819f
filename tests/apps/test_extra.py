"""Clips of others beside a dataset's own: all that is asked for, in its form, and nothing else."""

from __future__ import annotations

import dataclasses
from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml

from infocpl.apps.describing import describe_classes, describe_extra
from infocpl.apps.extra import check_extra, gather_extra
from infocpl.apps.plan import Plan
from infocpl.apps.progress import Reporter
from infocpl.data import (
    ClipStore,
    EncoderNote,
    PreparedClips,
    StoreWriter,
    create_dataset,
    load_split,
    write_features,
)
from infocpl.data.loading import prepare_clip
from infocpl.data.protocol import ClipInfo
from infocpl.errors import ConfigError, DataError
from infocpl.evaluation.config import create_preset
from infocpl.semantics import DescriptionChoice, load_lexicon
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def plan(tmp_path_factory) -> Plan:
    place = tmp_path_factory.mktemp("extra")
    dataset = create_dataset("utd-mhad")
    return Plan(
        dataset=dataset,
        split=load_split(dataset, "purls/22-5"),
        protocol="",
        source=place / "none",
        out=place / "out",
        config=create_preset("tiny"),
        seeds=(0,),
        descriptions=DescriptionChoice(("definition",)),
        extra=("synthetic",),
        extra_clips=2,
    )


@pytest.fixture(scope="module")
def own(plan) -> PreparedClips:
    classes = plan.dataset.classes
    count = len(classes)
    rng = np.random.default_rng(0)
    return PreparedClips(
        rng.standard_normal((count, 1, plan.config.frames, 20, 3)).astype(np.float32),
        np.arange(count),
        tuple(f"clip {number}" for number in range(count)),
        np.ones(count, dtype=np.int64),
        "kinect20",
        classes,
    )


@pytest.fixture(scope="module")
def gathered(plan, own, tmp_path_factory):
    work: Path = tmp_path_factory.mktemp("work")
    return (*gather_extra(own, plan, work, QUIET), work)


def test_every_action_of_one_person_is_there_as_often_as_asked(gathered):
    clips, elsewhere, _ = gathered
    alone = {
        f"synthetic: {entry.name}"
        for entry in load_lexicon("synthetic").entries
        if entry.traits.persons == "one"
    }
    found = Counter(clips.classes[label] for label in clips.labels[elsewhere.rows])
    assert found == dict.fromkeys(alone, 2)
    assert set(elsewhere.names) == alone


def test_the_own_clips_stand_first_and_unchanged(gathered, own):
    clips, _, _ = gathered
    assert np.array_equal(clips.keypoints[: len(own)], own.keypoints)
    assert clips.names[: len(own)] == own.names
    assert np.isfinite(clips.keypoints).all()


def test_a_second_call_takes_the_same_clips_without_generating_them(gathered, own, plan):
    first, _, work = gathered
    before = {path: path.stat().st_mtime_ns for path in (work / "extra-store").rglob("*")}
    second, _ = gather_extra(own, plan, work, QUIET)
    assert np.array_equal(first.keypoints, second.keypoints)
    assert {path: path.stat().st_mtime_ns for path in (work / "extra-store").rglob("*")} == before


def test_what_shows_an_unseen_class_is_left_out_of_its_split(gathered, plan):
    _, elsewhere, _ = gathered
    left_out = set(elsewhere.names) - set(elsewhere.allowed(("squat", "jogging")))
    assert left_out == {
        "synthetic: squat down",
        "synthetic: stand up from a squat",
        "synthetic: jog in place",
    }


def test_extra_classes_are_described_from_their_own_lexicon(gathered, plan):
    _, elsewhere, _ = gathered
    (book,) = describe_extra(plan, elsewhere, QUIET)
    assert tuple(f"synthetic: {name}" for name in book.labels.names) == elsewhere.names
    assert set(book.sources) == {"lexicon synthetic"}


def write_store(folder: Path, dataset: str, layout: str, classes: tuple[str, ...]) -> ClipStore:
    """Three random clips of every class, of 8 to 10 frames."""
    rng, joints = np.random.default_rng(5), create_layout(layout)
    with StoreWriter(folder, dataset, joints, classes) as writer:
        for number in range(3 * len(classes)):
            keypoints = rng.standard_normal((1, 8 + number % 3, len(joints), 3))
            info = ClipInfo(f"clip {number}", label=number // 3, subject=1)
            writer.append(SkeletonSequence(keypoints, joints), info)
    return ClipStore.open(folder)


@pytest.fixture(scope="module")
def stores(tmp_path_factory) -> dict[str, ClipStore]:
    """Stores on two layouts; one of them has a class of two people."""
    place = tmp_path_factory.mktemp("stores")
    return {
        "nw-ucla": write_store(
            place / "nw", "nw-ucla", "kinect20", create_dataset("nw-ucla").classes
        ),
        "ntu60": write_store(
            place / "ntu",
            "ntu60",
            "ntu25",
            (*create_dataset("ntu60").classes[:6], "kicking other person"),
        ),
    }


@pytest.fixture(scope="module")
def three(plan, stores) -> Plan:
    """The plan with two stores and generated clips between them."""
    folders = {name: str(store.folder) for name, store in stores.items()}
    return dataclasses.replace(plan, extra=(folders["nw-ucla"], "synthetic", folders["ntu60"]))


@pytest.fixture(scope="module")
def of_three(three, own, tmp_path_factory):
    work: Path = tmp_path_factory.mktemp("work of three")
    return (*gather_extra(own, three, work, QUIET), work)


def test_several_sources_stand_in_the_order_they_were_named_in(of_three, own):
    clips, elsewhere, _ = of_three
    assert [source.name for source in elsewhere.sources] == ["nw-ucla", "synthetic", "ntu60"]
    assert elsewhere.rows.tolist() == list(range(len(own), len(clips)))
    assert np.array_equal(clips.keypoints[: len(own)], own.keypoints)
    # Two of every class of one person, and none of the class of two.
    for source in elsewhere.sources:
        found = Counter(clips.classes[label] for label in clips.labels[source.rows])
        assert found == dict.fromkeys(source.names, 2)
    assert elsewhere.sources[0].classes == create_dataset("nw-ucla").classes
    assert elsewhere.sources[2].classes == create_dataset("ntu60").classes[:6]


def test_every_clip_of_a_store_is_prepared_as_it_would_be_alone(of_three, stores, plan):
    clips, elsewhere, _ = of_three
    for source in elsewhere.sources:
        if source.name == "synthetic":
            continue
        store = stores[source.name]
        assert source.store_hash == store.hash
        for row in source.rows:
            number = store.names.index(clips.names[row].removeprefix(f"{source.name}: "))
            called = f"{source.name}: {store.classes[store.labels[number]]}"
            assert clips.classes[clips.labels[row]] == called
            alone = prepare_clip(
                store[number], frames=plan.config.frames, layout="kinect20", persons=1
            )
            assert np.array_equal(clips.keypoints[row], alone)


def test_which_clips_of_a_source_are_taken_does_not_depend_on_the_others(of_three, gathered):
    alone, only, _ = gathered
    clips, elsewhere, _ = of_three
    rows = elsewhere.sources[1].rows
    assert np.array_equal(clips.keypoints[rows], alone.keypoints[only.rows])
    assert [clips.names[row] for row in rows] == [alone.names[row] for row in only.rows]


def test_a_class_of_any_source_that_shows_an_unseen_one_is_left_out(of_three, plan):
    _, elsewhere, _ = of_three
    groups = yaml.safe_load(
        (resources.files("infocpl.data") / "same_meaning.yaml").read_text("utf-8")
    )["groups"]
    for unseen in [(name,) for name in plan.dataset.classes] + [plan.split.unseen]:
        shown = {
            f"{owner}: {name}"
            for group in groups
            if set(unseen) & set(group.get("utd-mhad", ()))
            for owner, names in group.items()
            for name in names
        }
        allowed = elsewhere.allowed(unseen)
        assert set(allowed) == set(elsewhere.names) - shown, unseen
    for name in ("nw-ucla: walk around", "synthetic: walk forward"):
        assert name not in elsewhere.allowed(("walking",))


def test_every_source_is_described_from_the_lexicon_of_its_dataset(of_three, three):
    _, elsewhere, _ = of_three
    books = describe_extra(three, elsewhere, QUIET)
    for source, book in zip(elsewhere.sources, books, strict=True):
        assert book.labels.names == source.classes
        assert set(book.sources) == {f"lexicon {source.name}"}


def test_extra_classes_are_described_like_the_own_ones(three, own, of_three):
    _, elsewhere, _ = of_three
    choice = DescriptionChoice(("definition", "part"), count=3)
    asked = dataclasses.replace(three, descriptions=choice)
    books = (describe_classes(asked, QUIET), *describe_extra(asked, elsewhere, QUIET))
    assert books[0].labels.names == (*three.split.seen, *three.split.unseen)
    for book in books:
        assert book.mask.sum(axis=1).tolist() == [3] * len(book)
        assert {row.granularity for rows in book.rows for row in rows} == {"definition", "part"}


def test_a_source_of_which_nothing_fits_is_named(plan, own, tmp_path):
    folder = tmp_path / "sbu"
    write_store(folder, "sbu", "sbu15", create_dataset("sbu").classes)
    asked = dataclasses.replace(plan, extra=(str(folder),))
    with pytest.raises(ConfigError, match=f"{folder}: every class of 'sbu' needs two people"):
        gather_extra(own, asked, tmp_path, QUIET)


# --- what is refused before any work ------------------------------------------------------------


def test_sources_that_differ_are_accepted(three):
    check_extra(three)


def refused(plan: Plan, *extra: object, words: str, error: type[Exception] = ConfigError) -> None:
    with pytest.raises(error, match=words):
        check_extra(dataclasses.replace(plan, extra=tuple(map(str, extra))))


def test_a_dataset_and_a_larger_one_that_holds_it_are_one_too_many(plan, tmp_path):
    """Every clip of the first 60 classes would be learned twice."""
    folders = []
    for name in ("ntu120", "ntu60"):
        folders.append(tmp_path / name)
        write_store(folders[-1], name, "ntu25", create_dataset(name).classes)
    words = f"--extra {folders[1]}: expected one of 'ntu60' and 'ntu120', .* got both"
    refused(plan, *folders, words=words)
    check_extra(dataclasses.replace(plan, extra=(str(folders[0]),)))


def test_two_stores_of_one_dataset_are_one_too_many(plan, stores, tmp_path):
    first = stores["nw-ucla"].folder
    again = write_store(tmp_path / "again", "nw-ucla", "kinect20", stores["nw-ucla"].classes).folder
    words = f"--extra {again}: expected each dataset once, got 'nw-ucla' already from {first}"
    refused(plan, first, "synthetic", again, words=words)
    refused(plan, first, first, words="'nw-ucla' already from")
    refused(plan, "synthetic", "synthetic", words="'synthetic' already from synthetic")


def test_a_store_of_generated_clips_is_the_generator_once_more(plan, small_store):
    refused(plan, small_store.folder, "synthetic", words="'synthetic' already from")


def test_the_dataset_itself_is_refused_wherever_it_stands(three, stores):
    other = create_dataset("nw-ucla")
    asked = dataclasses.replace(three, dataset=other)
    folder = stores["nw-ucla"].folder
    refused(asked, "synthetic", folder, words=f"--extra {folder}: these are clips of 'nw-ucla' it")


def test_related_datasets_are_refused_wherever_they_stand(three):
    asked = dataclasses.replace(three, dataset=create_dataset("ntu120"))
    refused(
        asked, *three.extra, words="'ntu60' mean the same as those of 'ntu120'", error=DataError
    )


def test_a_store_with_renamed_classes_is_refused(plan, tmp_path):
    write_store(tmp_path / "own", "nw-ucla", "kinect20", ("stroll",))
    refused(plan, "synthetic", tmp_path / "own", words="'stroll'", error=DataError)


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "no such folder"), ("folder", "a folder without manifest.json"), ("file", "a file")],
)
def test_what_is_no_store_is_said_to_be_none(plan, tmp_path, content, found):
    place = tmp_path / "place"
    if content == "folder":
        place.mkdir()
    elif content == "file":
        place.write_text("clips")
    refused(plan, "synthetic", place, words=f"--extra {place}: expected .* got {found}")


@pytest.fixture(scope="module")
def features(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("features") / "store"
    classes = create_dataset("nw-ucla").classes
    rows = np.ones((len(classes), 4), np.float32)
    infos = [ClipInfo(f"clip {n}", label=n, subject=1) for n in range(len(classes))]
    write_features(folder, "nw-ucla", classes, rows, infos, EncoderNote("some encoder"))
    return folder


def test_features_are_no_clips(plan, features):
    refused(plan, "synthetic", features, words="expected clips, got a store of features")


def test_nor_can_clips_be_learned_besides_features(plan, features):
    given = dataclasses.replace(plan, dataset=create_dataset("nw-ucla"), source=features)
    refused(given, "synthetic", words="--extra needs clips to learn from")
