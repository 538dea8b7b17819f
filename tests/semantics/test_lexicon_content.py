"""The shipped lexicons as prose: complete, distinct, and about their own class."""

from __future__ import annotations

import re

import numpy as np
import pytest

from infocpl.data import create_dataset
from infocpl.semantics import (
    EmbeddingCache,
    TextEncoder,
    build_codebook,
    compose,
    list_lexicons,
    load_lexicon,
    mirror_text,
)
from infocpl.semantics.labels import label_key

LEXICONS = list_lexicons()
# Entries that another lexicon refers to are looked at once.
ENTRIES = list(
    {entry.hash: entry for name in LEXICONS for entry in load_lexicon(name).entries}.values()
)
LIMBS = {
    "head": r"head|chin|face|gaze|eyes|neck",
    "torso": r"torso|trunk|back|chest|upper body|body|spine|shoulders|hips",
    "arm": r"arms?|hands?|fists?|palms?|wrists?|elbows?|forearms?|fingers?|upper arms?|shoulders?",
    "leg": r"legs?|foot|feet|knees?|thighs?|ankles?|heels?|hips?",
}


def test_every_dataset_of_the_catalogue_has_its_lexicon() -> None:
    assert LEXICONS == ["ntu120", "ntu60", "nw-ucla", "pku-mmd", "sbu", "synthetic", "utd-mhad"]


@pytest.mark.parametrize("name", LEXICONS)
def test_a_lexicon_holds_the_classes_of_its_dataset_in_their_order(name: str) -> None:
    assert load_lexicon(name).names == create_dataset(name).classes


@pytest.mark.parametrize("name", LEXICONS)
def test_every_class_has_a_hundred_distinct_sentences_and_a_motion_description(name: str) -> None:
    for entry in load_lexicon(name).entries:
        rows = compose(entry)
        texts = [label_key(row.text) for row in rows if row.granularity != "motion"]
        assert len(set(texts)) == len(texts) >= 100, entry.name
        assert len({row.granularity for row in rows}) >= 20, entry.name
        assert rows[-1].granularity == "motion"
        assert rows[-1].text.casefold() not in texts


def test_the_class_name_pads_no_sentence() -> None:
    for entry in ENTRIES:
        name = label_key(re.sub(r"\(.*\)", "", entry.name))
        if " " not in name:
            continue  # one word such as "throw" is the plain word for the movement as well
        repeats = [row for row in compose(entry) if name in label_key(row.text)]
        assert len(repeats) <= len(compose(entry)) / 5, (entry.name, len(repeats))


@pytest.mark.parametrize("field", ["definition", "phases", "motion", "sensor", "details"])
def test_what_tells_classes_apart_is_never_told_in_the_same_words(field: str) -> None:
    for name in LEXICONS:
        told = [str(getattr(entry, field)) for entry in load_lexicon(name).entries]
        assert len(set(told)) == len(told), (name, field)


@pytest.mark.parametrize("name", LEXICONS)
def test_no_two_classes_share_the_most_of_their_sentences(name: str) -> None:
    texts = [{row.text for row in compose(entry)} for entry in load_lexicon(name).entries]
    for place, one in enumerate(texts):
        for other in texts[place + 1 :]:
            assert len(one & other) <= 0.3 * min(len(one), len(other))


@pytest.mark.parametrize("name", LEXICONS)
def test_traits_tell_most_pairs_of_classes_apart(name: str) -> None:
    rows = [str(entry.traits.to_dict()) for entry in load_lexicon(name).entries]
    assert len(set(rows)) >= 0.9 * len(rows)


def test_the_same_kinematics_are_put_in_the_same_words() -> None:
    """Shared sentences are what a class without training clips is told by."""
    for name in LEXICONS:
        entries = load_lexicon(name).entries
        for attribute in ("posture", "locomotion"):
            told = [entry.attributes[attribute] for entry in entries]
            assert len(set(told)) < len(told), (name, attribute)


def test_a_part_sentence_speaks_of_its_part() -> None:
    for entry in ENTRIES:
        for part, text in entry.parts.items():
            limb = part.rpartition("_")[2]
            assert re.search(rf"\b({LIMBS[limb]})\b", text, re.IGNORECASE), (entry.name, text)


def test_a_limb_sentence_names_its_own_side_first_if_any() -> None:
    for entry in ENTRIES:
        for part, text in entry.parts.items():
            side = part.partition("_")[0]
            told = re.findall(r"\b(left|right)\b (?!angle)", text.casefold())
            if side in ("left", "right") and told:
                assert side in told, (entry.name, part, text)


def test_one_sided_actions_move_a_limb_of_their_side() -> None:
    for entry in ENTRIES:
        side = entry.traits.side
        if side in ("left", "right"):
            limbs = {f"{side}_arm", f"{side}_leg"}
            assert limbs & set(entry.traits.moving), (entry.dataset, entry.name)


def test_actions_of_two_persons_say_so_in_words_and_traits() -> None:
    for entry in ENTRIES:
        said = re.search(
            r"\b(two|other|second|both persons)\b", entry.attributes["persons"].lower()
        )
        assert (said is not None) == (entry.traits.persons == "two"), (entry.dataset, entry.name)


def test_no_action_is_contrasted_with_itself_or_twice_with_another() -> None:
    for entry in ENTRIES:
        others = [label_key(item.other) for item in entry.contrast]
        assert label_key(entry.name) not in others
        assert len(set(others)) == 3


@pytest.mark.parametrize("name", [name for name in LEXICONS if name != "pku-mmd"])
def test_contrasts_are_drawn_to_classes_of_the_same_dataset(name: str) -> None:
    """PKU-MMD takes nearly all entries over from NTU RGB+D, whose classes they speak of."""
    names = load_lexicon(name).names
    for entry in load_lexicon(name).entries:
        assert {item.other for item in entry.contrast} <= set(names), entry.name


@pytest.mark.parametrize(
    ("dataset", "one", "other"),
    [
        ("utd-mhad", "sit to stand", "stand to sit"),
        ("nw-ucla", "stand up", "sit down"),
        ("nw-ucla", "doffing", "donning"),
        ("ntu60", "wear jacket", "take off jacket"),
        ("ntu60", "wear a shoe", "take off a shoe"),
        ("ntu60", "wear on glasses", "take off glasses"),
        ("ntu60", "put on a hat/cap", "take off a hat/cap"),
        ("ntu60", "sitting down", "standing up (from sitting position)"),
        ("ntu120", "put on headphone", "take off headphone"),
        ("ntu120", "put on bag", "take off bag"),
        ("sbu", "approaching", "departing"),
        ("utd-mhad", "right arm swipe to the left", "right arm swipe to the right"),
    ],
)
def test_actions_that_run_backward_differ_in_every_phase(
    dataset: str, one: str, other: str
) -> None:
    lexicon = load_lexicon(dataset)
    first, second = lexicon[one].phases, lexicon[other].phases
    assert all(first[phase] != second[phase] for phase in first)


def test_mirrored_synthetic_actions_have_mirrored_traits() -> None:
    lexicon = load_lexicon("synthetic")
    pairs = 0
    for entry in lexicon.entries:
        partner = lexicon.get(mirror_text(entry.name))
        if partner is None or partner is entry or partner.name != mirror_text(entry.name):
            continue
        pairs += 1
        sides = {entry.traits.side, partner.traits.side}
        assert sides in ({"left", "right"}, {"both"}, {"none"}), (entry.name, sides)
    assert pairs >= 20


SAMPLE = ("drink water", "kicking other person")


def test_sentences_of_a_class_are_distinct_to_the_default_encoder(
    minilm: TextEncoder, shared_cache: EmbeddingCache
) -> None:
    """A few classes; ``benchmarks/lexicon_quality.py`` looks at all of them."""
    book = build_codebook(SAMPLE, minilm, dataset="ntu60", cache=shared_cache)
    for c, rows in enumerate(book.rows):
        vectors = book.descriptions[c, : len(rows)]
        for i, j in zip(*np.nonzero(np.triu(vectors @ vectors.T, 1) > 0.98), strict=True):
            one, other = rows[i].text, rows[j].text
            assert mirror_text(one) == other, (book.labels[c], one, other)
