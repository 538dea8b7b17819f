"""What an action may be taken for, and what it is called besides."""

from __future__ import annotations

import pytest

from infocpl.semantics.grammar.contrasts import tell_contrasts
from infocpl.semantics.grammar.names import kind_of_movement, tell_aliases
from infocpl.semantics.grammar.reading import read_name
from infocpl.semantics.grammar.vocabulary import load_vocabulary
from infocpl.semantics.grammar.voice import Voice
from infocpl.semantics.grammar.writer import Writer
from infocpl.semantics.labels import label_key


def voice(name: str) -> Voice:
    return Voice(read_name(name).scene)


def contrasts(name: str) -> dict[str, str]:
    return {item.other: item.how for item in tell_contrasts(voice(name), Writer())}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("side kick", "kick"),
        ("put on a hat", "take off"),
        ("front crawl", "back stroke"),
        ("nod", "shake head"),
        ("sit down", "stand up"),
        ("clap", "pat a cake"),
        ("jog", "sprint"),
    ],
)
def test_actions_of_the_same_kind_are_the_ones_it_is_taken_for(name, other):
    vocabulary = load_vocabulary()
    titles = {title: key for key, title in vocabulary.titles.items()}
    families = {vocabulary.frames[titles[item]].family for item in contrasts(name)}
    assert read_name(name).scene.frame.family in families
    known = set(titles)
    assert set(contrasts(name)) <= known
    assert other in known or other in contrasts(name)


def test_the_difference_is_a_real_one():
    how = contrasts("side kick")["kick"]
    assert "out to the side and up rather than forward and up" in how
    how = contrasts("jog")["sprint"] if "sprint" in contrasts("jog") else contrasts("jog")["run"]
    assert "rather" in how or "not" in how or "unlike" in how


def test_contrasts_of_one_entry_are_told_by_different_features():
    for name in ("side kick", "front crawl", "hammer", "lift a box"):
        told = list(contrasts(name).values())
        assert len(set(told)) == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("kick", "fast swinging movement of one leg"),
        ("wave both hands", "fast movement to and fro of both arms"),
        ("circle the left arm", "circling movement of the left arm"),
        ("plank", "slow still hold of the trunk"),
        ("sit down slowly", "slow curved movement of the trunk"),
    ],
)
def test_the_kind_of_movement_is_said_in_a_few_words(name, kind):
    assert kind_of_movement(voice(name)) == kind


def test_aliases_are_four_to_six_and_all_different():
    for name in ("kick", "tie shoelaces", "arm wrestling", "stand on one leg", "meditate"):
        aliases = tell_aliases(voice(name))
        keys = {label_key(alias) for alias in (*aliases, name)}
        assert 4 <= len(aliases) <= 6
        assert len(keys) == len(aliases) + 1


def test_synonyms_carry_the_side_of_the_name():
    aliases = tell_aliases(voice("kick with the left leg"))
    assert "boot with the left leg" in aliases


def test_an_alias_ends_with_a_word_that_can_end_it():
    for name in ("javelin throw", "tie shoelaces", "play the cello", "long jump", "put on a hat"):
        for alias in tell_aliases(voice(name)):
            assert alias.split()[-1] not in ("and", "the", "a", "with", "of", "in", "to"), alias


def test_when_all_good_names_are_taken_there_still_are_some():
    plain = voice("kick")
    taken = []
    for _ in range(4):
        aliases = tell_aliases(plain, taken)
        assert 4 <= len(aliases) <= 6
        assert not {label_key(a) for a in aliases} & {label_key(t) for t in taken}
        taken += aliases
