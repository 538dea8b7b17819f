"""The shipped lexicons as prose: complete, distinct, and about their own class."""

from __future__ import annotations

import re

import pytest

from infocpl.semantics import LexiconEntry, compose, list_lexicons, load_lexicon

SIZES = {"utd-mhad": 27, "nw-ucla": 10}
ENTRIES = [entry for name in SIZES for entry in load_lexicon(name).entries]
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.dataset}: {e.name}")


def sentences(entry: LexiconEntry) -> list[str]:
    return [
        entry.definition,
        entry.motion,
        entry.purpose,
        entry.sensor,
        *entry.parts.values(),
        *entry.phases.values(),
        *entry.attributes.values(),
        *(item.how for item in entry.contrast),
    ]


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_each_dataset_has_an_entry_a_class(name: str, size: int) -> None:
    lexicon = load_lexicon(name)
    assert len(lexicon) == size
    assert all(label == label.lower().strip() for label in lexicon.names)


@every_entry
def test_every_sentence_begins_large_and_ends_with_a_stop(entry: LexiconEntry) -> None:
    for text in sentences(entry):
        assert re.fullmatch(r"[A-Z].*[^\s.]\.", text), text
        assert len(text.split()) >= 4, text


@every_entry
def test_an_entry_gives_at_least_twenty_distinct_descriptions(entry: LexiconEntry) -> None:
    texts = [row.text.casefold() for row in compose(entry)]
    assert len(texts) >= 20
    assert len(set(texts)) == len(texts)


@every_entry
def test_a_part_sentence_names_its_part_and_not_only_another_side(entry: LexiconEntry) -> None:
    for part, text in entry.parts.items():
        assert part.replace("_", " ") in text.casefold(), (part, text)


@every_entry
def test_contrasts_are_drawn_to_other_classes_of_the_same_dataset(entry: LexiconEntry) -> None:
    names = load_lexicon(entry.dataset).names
    for item in entry.contrast:
        assert item.other in names
        assert item.other != entry.name


@every_entry
def test_no_description_but_a_contrast_speaks_of_another_class(entry: LexiconEntry) -> None:
    others = [name for name in load_lexicon(entry.dataset).names if name not in entry.name]
    others = [name for name in others if name != "walking"]  # also a plain word
    for row in compose(entry):
        if row.granularity in ("name", "contrast"):
            continue
        for other in others:
            assert not re.search(rf"\b{re.escape(other)}\b", row.text.casefold()), (other, row.text)


@pytest.mark.parametrize("dataset", SIZES)
@pytest.mark.parametrize("field", ["definition", "motion", "purpose", "sensor"])
def test_sentences_that_tell_classes_apart_are_never_shared(dataset: str, field: str) -> None:
    texts = [getattr(entry, field) for entry in load_lexicon(dataset).entries]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("dataset", SIZES)
def test_trajectory_and_direction_tell_more_than_half_of_all_pairs_apart(dataset: str) -> None:
    entries = load_lexicon(dataset).entries
    trajectories = {entry.attributes["trajectory"] for entry in entries}
    assert len(trajectories) == len(entries)
    middles = {entry.phases["middle"] for entry in entries}
    assert len(middles) >= len(entries) - 1


@pytest.mark.parametrize("dataset", SIZES)
def test_the_same_kinematics_are_put_in_the_same_words(dataset: str) -> None:
    """Shared sentences are what a class without training clips is told by."""
    entries = load_lexicon(dataset).entries
    for attribute in ("periodicity", "posture", "locomotion", "symmetry"):
        texts = [entry.attributes[attribute] for entry in entries]
        assert len(set(texts)) < len(texts), attribute


@pytest.mark.parametrize(
    ("dataset", "one", "other"),
    [
        ("utd-mhad", "sit to stand", "stand to sit"),
        ("nw-ucla", "stand up", "sit down"),
        ("nw-ucla", "doffing", "donning"),
        ("utd-mhad", "draw circle (clockwise)", "draw circle (counter clockwise)"),
        ("utd-mhad", "right arm swipe to the left", "right arm swipe to the right"),
    ],
)
def test_actions_that_run_backward_differ_in_every_phase_but_at_most_one(
    dataset: str, one: str, other: str
) -> None:
    lexicon = load_lexicon(dataset)
    first, second = lexicon[one].phases, lexicon[other].phases
    assert sum(first[phase] != second[phase] for phase in first) >= 2


def test_right_handed_classes_leave_the_left_arm_out_of_their_motion() -> None:
    lexicon = load_lexicon("utd-mhad")
    for name in ("right hand wave", "draw x", "draw triangle", "knock on door", "hand catch"):
        assert "right" in lexicon[name].motion
        assert "left arm" not in lexicon[name].motion
        assert "still" in lexicon[name].parts["left_arm"]


@pytest.mark.parametrize("name", list_lexicons())
def test_every_shipped_lexicon_composes_without_a_repeated_sentence(name: str) -> None:
    for entry in load_lexicon(name).entries:
        texts = [row.text.casefold() for row in compose(entry)]
        assert len(set(texts)) == len(texts)
