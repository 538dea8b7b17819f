"""The vocabulary: complete, without contradictions, and refused where it is wrong."""

from __future__ import annotations

import re
from collections import defaultdict

import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics.grammar.frames import GENERIC_LIMBS, TAKES, Frame
from infocpl.semantics.grammar.scene import Scene, side_of
from infocpl.semantics.grammar.vocabulary import check_record, load_vocabulary

VOCABULARY = load_vocabulary()
GAPS = {"hand", "arm", "foot", "leg", "thing", "partner", "way"}


def all_frames() -> list[tuple[str, Frame]]:
    """Every action and every variant of one."""
    found = []
    for key, frame in VOCABULARY.frames.items():
        found.append((key, frame))
        found += [(f"{key} with {name}", variant) for name, variant in frame.variants.items()]
    return found


def test_it_holds_several_hundred_actions_and_things():
    assert len(VOCABULARY.actions) >= 400
    assert len(VOCABULARY.things) >= 200
    assert len(VOCABULARY.words) >= 2000


def test_every_action_in_every_variant_has_traits():
    for place, frame in all_frames():
        scene = Scene(place, frame, side_of(frame), (frame.does,))
        assert scene.traits.moving, place
        assert set(frame.moving) <= set(GENERIC_LIMBS), place
        assert set(frame.takes) <= set(TAKES), place


def test_every_action_says_what_a_person_does_with_known_gaps_only():
    for place, frame in all_frames():
        for text in (frame.does, frame.begin, frame.finish):
            assert re.fullmatch(r"[a-z][A-Za-z0-9 ,'\-{}]+", text), f"{place}: {text}"
            assert set(re.findall(r"\{(\w+)\}", text)) <= GAPS, f"{place}: {text}"
        assert 5 <= len(frame.does.split()) <= 22, f"{place}: {frame.does}"
        first = frame.does.split()[0].rstrip(",")
        assert first.endswith("s"), f"{place}: expected a verb in the third person: {frame.does}"


def test_every_action_has_a_purpose_or_leaves_it_to_its_thing():
    for key, frame in VOCABULARY.frames.items():
        assert frame.why, key


def test_what_a_variant_asks_for_exists():
    kinds = {kind for thing in VOCABULARY.things.values() for kind in thing.kinds}
    places = {name for place in VOCABULARY.body.values() for name in (place.name, place.group)}
    others = {"person", "child", "thing", "way"}
    for key, frame in VOCABULARY.frames.items():
        for selector in frame.variants:
            assert selector in kinds | places | others, f"{key}: with {selector}"


def test_no_phrase_means_two_actions_or_two_things():
    meant = defaultdict(set)
    for meanings in VOCABULARY.index.values():
        for meaning in meanings:
            if meaning.kind in ("action", "thing", "body"):
                meant[meaning.kind, meaning.words].add(meaning.value)
    doubled = {phrase: values for phrase, values in meant.items() if len(values) > 1}
    assert not doubled


def test_actions_that_things_stand_for_exist():
    for thing in VOCABULARY.things.values():
        assert not thing.action or thing.action in VOCABULARY.frames, thing.name


def test_the_titles_of_actions_can_stand_in_sentences():
    for key, title in VOCABULARY.titles.items():
        assert re.fullmatch(r"[a-z' ]+", title), f"{key}: {title}"


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"family": "nowhere"}, "family: expected one of .*, got 'nowhere'"),
        ({"family": "walk", "colour": "red"}, "expected only .*, got 'colour'"),
        ({"family": "walk", "speed": "rapid"}, "speed: expected one of slow, .*, got 'rapid'"),
        ({"family": "walk", "speed": ["fast"]}, "speed: expected a word, got "),
        ({"family": "walk", "moving": "legs"}, "moving: expected a list, got 'legs'"),
        ({"family": "walk", "moving": ["wing"]}, "moving: expected one of arm, .*, got 'wing'"),
        ({"family": "walk", "words": ["go", 7]}, "words: expected a list of texts"),
        ({"family": "walk", "with": {"dog": {"pace": "slow"}}}, "with dog: expected only"),
        ({"family": "walk", "with": {"dog": {"family": "fly"}}}, "with dog: family: expected"),
    ],
    ids=["family", "field", "word", "list for word", "word for list", "limb", "words", "with", "f"],
)
def test_a_wrong_record_is_refused_with_place_and_field(record, message):
    with pytest.raises(SemanticsError, match=f"moves.yaml: stroll.*{message}"):
        check_record("moves.yaml: stroll", record, {"walk": {}})
