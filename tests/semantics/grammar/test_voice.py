"""How a scene is spoken of."""

from __future__ import annotations

import pytest

from infocpl.semantics.grammar.reading import read_name
from infocpl.semantics.grammar.voice import Voice, main_directions, way_phrase


def voice(name: str) -> Voice:
    return Voice(read_name(name).scene)


def test_the_way_leaves_out_the_backswing_and_the_way_back():
    assert main_directions(("up", "backward", "forward", "down")) == ["up", "forward"]
    assert way_phrase(("outward", "up", "down")) == "out to the side and up"
    assert way_phrase(("left", "right")) == "from side to side"
    assert way_phrase(()) == ""


@pytest.mark.parametrize(
    ("name", "first", "again"),
    [
        ("wave the left hand", "the left hand", "the left hand"),
        ("wave", "one hand", "that hand"),
        ("wave both hands", "both hands", "the hands"),
    ],
)
def test_hands_are_named_by_side_and_number(name, first, again):
    assert voice(name).limb("hand").text == first
    assert voice(name).limb("hand", again=True).text == again


def test_gaps_are_filled_and_known_things_are_spoken_of_as_known():
    spoken = voice("throw a snowball to a friend")
    text = spoken.fill(
        "holds {thing} in {hand}, moves {hand} {way} and lets {thing} go to {partner}"
    )
    assert text == (
        "holds a snowball in one hand, moves that hand up and forward and lets the snowball go to "
        "another person"
    )


def test_what_leads_is_spoken_of():
    assert voice("kick with the left leg").lead.text == "the left foot"
    assert voice("clap").lead.text == "both hands"
    assert voice("nod").lead.text == "the head"
    assert voice("bow").lead.text == "the trunk"


def test_without_a_thing_nothing_is_taken_up_or_put_down():
    spoken = voice("blow a kiss")
    assert not read_name("blow a kiss").scene.thing
    assert "thing" not in spoken.begin + spoken.finish
