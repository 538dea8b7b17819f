"""Sentences about one property each: trajectory, direction, speed ... and things and purpose."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from infocpl.semantics.entry_reader import ATTRIBUTE_NAMES
from infocpl.semantics.grammar.english import definite, join_words
from infocpl.semantics.grammar.phrases import (
    AMPLITUDES,
    CONTACTS,
    HEIGHTS,
    PATHS,
    PLANES,
    POSTURES,
    RELATIONS,
    TRAVEL,
)
from infocpl.semantics.grammar.voice import DIRECTIONS, Voice
from infocpl.semantics.grammar.writer import Writer, fit

__all__ = ["tell_attributes", "tell_objects", "tell_purpose"]

_TOWARDS = {
    "up": "away from the floor",
    "down": "towards the floor",
    "forward": "to where the chest points",
    "backward": "to where the back points",
    "left": "as the person sees it",
    "right": "as the person sees it",
    "inward": "towards the midline of the body",
    "outward": "away from the midline of the body",
    "clockwise": "as the person sees it",
    "counterclockwise": "as the person sees it",
    "towards_face": "until the distance is small",
    "towards_torso": "until the elbow is close to the ribs",
}
_SPEED = {
    "slow": "is slow and even from the start to the end",
    "moderate": "is neither slow nor hurried, an everyday pace that others can follow",
    "fast": "is quick, so that each stroke takes less than a second",
    "explosive": "is as fast as one can, with one short peak of speed",
}
_REPEATED = {
    "once": "is done once, with a clear start and a clear end",
    "few": "is repeated a few times in an even rhythm",
    "continuous": "goes on and on in a steady rhythm without a pause",
}
_SIDE = {
    "symmetric": "both sides do the same at the same time",
    "alternating": "left and right take turns",
    "one_sided": "one side only works",
    "asymmetric": "the two sides do different things",
}


def tell_attributes(voice: Voice, writer: Writer) -> dict[str, str]:
    """One sentence for every attribute of the lexicon format."""
    tellers = {
        "trajectory": _trajectory,
        "direction": _direction,
        "plane": _plane,
        "speed": _speed,
        "amplitude": _amplitude,
        "periodicity": _periodicity,
        "symmetry": _symmetry,
        "posture": _posture,
        "locomotion": _locomotion,
        "contact": _contact,
        "persons": _persons,
    }
    told = {}
    for name in ATTRIBUTE_NAMES:
        texts = chain(tellers[name](voice), _plainly(voice, name))
        told[name] = writer.pick(
            "attributes",
            (fit(text, [_circumstance(voice, name, text)], 24) for text in texts),
        )
    return told


# Sentences that are told in one breath must not both say the same of what goes on: which of the
# circumstances each gets where several things are done, and where only one is.
_TURNS = {
    "trajectory": (0, 0),
    "plane": (1, 2),
    "speed": (2, 3),
    "amplitude": (3, 2),
    "periodicity": (1, 3),
    "symmetry": (2, 1),
    "posture": (0, 0),
    "locomotion": (3, 3),
    "contact": (1, 2),
    "persons": (1, 0),
}


def _circumstance(voice: Voice, name: str, base: str) -> str:
    """What makes a sentence about one property a sentence about this action."""
    if name == "direction":
        return voice.aim
    number = _TURNS[name][len(voice.clauses) == 1]
    if name in ("posture", "persons"):
        return voice.doing(number)
    if name == "trajectory" and voice.with_thing:
        return voice.with_thing
    if name == "contact" and voice.with_thing and "object" in voice.traits.contact:
        return ""
    return voice.during(base, number)


def _plainly(voice: Voice, name: str) -> Iterator[str]:
    """What is left to say where all better ways to say it have been used."""
    traits = voice.traits
    value = {
        "trajectory": (traits.path,),
        "direction": traits.directions,
        "plane": traits.planes,
        "speed": (traits.speed,),
        "amplitude": (traits.amplitude,),
        "periodicity": (traits.repetition,),
        "symmetry": (traits.symmetry,),
        "posture": (traits.posture_start, traits.posture_end),
        "locomotion": (traits.locomotion,),
        "contact": traits.contact,
        "persons": (traits.persons,),
    }[name]
    words = join_words([word.replace("_", " ") for word in dict.fromkeys(value)]) or "none"
    yield f"as to its {name}, this action is of the kind {words}"


def _trajectory(voice: Voice) -> Iterator[str]:
    traits, lead = voice.traits, voice.lead
    heights = traits.heights
    path = PATHS[traits.path]
    if traits.path == "still":
        where = HEIGHTS[heights[0]]
        yield f"{lead} {lead.verb('draw')} no path and {lead.verb('keep')} to one point {where}"
    elif len(heights) > 1:
        yield (
            f"{lead} {lead.verb('draw')} {path} that runs from {_level(heights[0])} to "
            f"{_level(heights[-1])}"
        )
    else:
        yield f"{lead} {lead.verb('draw')} {path} {HEIGHTS[heights[0]]}"
    yield f"the path of {lead} is {path}"


def _level(height: str) -> str:
    return {
        "overhead": "over the head",
        "head": "head height",
        "chest": "chest height",
        "waist": "hip height",
        "knee": "knee height",
        "floor": "the floor",
    }[height]


def _direction(voice: Voice) -> Iterator[str]:
    words = [DIRECTIONS[word] for word in voice.traits.directions]
    if not words:
        lead = voice.lead_limb
        yield f"no direction stands out, since {lead} hardly {lead.verb('move')}"
        return
    if len(words) == 1:
        towards = _TOWARDS[voice.traits.directions[0]]
        yield f"the movement goes {words[0]}, {towards}, and nowhere else"
    elif voice.traits.repetition == "once":
        yield f"the movement goes first {words[0]} and then {join_words(words[1:5])}"
    else:
        yield f"the movement goes {join_words(words[:5])} in turn"
    yield f"what moves goes {join_words(words[:5])}, seen from the person"


def _plane(voice: Voice) -> Iterator[str]:
    planes = voice.traits.planes
    if not planes:
        yield "nothing moves far enough to lie in any plane"
    elif len(planes) == 1:
        yield f"the movement lies in the {PLANES[planes[0]]}"
    else:
        names = join_words(list(planes))
        yield f"the movement crosses the {names} planes"
    yield f"the work of {voice.lead_limb} is done in its usual plane"


def _speed(voice: Voice) -> Iterator[str]:
    lead = voice.lead_limb
    yield f"the movement of {lead}{voice.with_thing} {_SPEED[voice.traits.speed]}"
    yield f"how {lead} {lead.verb('move')} {_SPEED[voice.traits.speed]}"


def _amplitude(voice: Voice) -> Iterator[str]:
    traits, lead = voice.traits, voice.lead
    where = HEIGHTS[traits.heights[0]]
    if traits.path == "still":
        yield f"{lead} {lead.verb('stay')} within a hand's breadth, {where}"
    yield f"measured from end to end, {lead} {lead.verb('travel')} {AMPLITUDES[traits.amplitude]}"
    yield f"the way of {lead} is of {traits.amplitude} size, {where}"


def _periodicity(voice: Voice) -> Iterator[str]:
    lead = voice.lead_limb
    yield f"the movement {_REPEATED[voice.traits.repetition]}"
    yield f"what {lead} {lead.verb('do')} {_REPEATED[voice.traits.repetition]}"


def _symmetry(voice: Voice) -> Iterator[str]:
    traits, lead = voice.traits, voice.lead_limb
    base = _SIDE[traits.symmetry]
    if traits.symmetry == "one_sided":
        which = f"{lead}" if traits.side != "either" else "whichever the person likes"
        limb = traits.moving[0].partition("_")[2] or "limb"
        yield f"{base}, {which}, and the {limb} of the other side takes no part"
    elif lead.plural:
        yield f"{lead} {lead.verb('work')}, and {base}"
    else:
        yield f"{base} while {lead} {lead.verb('lead')}"
    yield f"{base} in this movement of {lead}"


def _posture(voice: Voice) -> Iterator[str]:
    start, end = voice.traits.posture_start, voice.traits.posture_end
    if start == end:
        yield f"the person stays {POSTURES[start]} all the time"
        yield f"the posture, {POSTURES[start]}, is kept from beginning to end"
    else:
        yield f"the person changes from {POSTURES[start]} to {POSTURES[end]}"


def _locomotion(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    travel = TRAVEL[traits.locomotion]
    if traits.locomotion == "none" and traits.posture_start in ("lying", "kneeling", "sitting"):
        yield "the body as a whole does not leave its place"
    yield travel
    yield (
        f"{travel}, which carries the body"
        if traits.locomotion != "none"
        else f"{travel} all along"
    )


def _contact(voice: Voice) -> Iterator[str]:
    traits, lead = voice.traits, voice.lead
    if traits.contact == ("none",):
        way = f"{lead.verb('move')} freely through the air"
        yield f"{lead} {lead.verb('touch')} nothing on {lead.possessive} way and {way}"
        return
    told = [
        definite(voice.thing()) if word == "object" and voice.scene.frame.takes else CONTACTS[word]
        for word in traits.contact
    ]
    if traits.contact == ("ground",):
        posture = POSTURES[traits.posture_start]
        yield f"only the ground is touched, by what carries the body, {posture}"
    come = lead.verb("come")
    yield f"at some moment of the action {lead} {come} into touch with {join_words(told)}"
    yield f"there is contact with {join_words(told)} during the movement"


def _persons(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    if traits.persons == "two":
        yield f"two people take part, {RELATIONS[traits.relation]}"
    else:
        yield f"one person alone does it, {POSTURES[traits.posture_start]}"
        yield "a single person does all of it without a partner"


def tell_objects(voice: Voice, writer: Writer) -> str:
    """What is handled, or that nothing is."""
    scene = voice.scene
    hand = voice.limb("hand")
    candidates = []
    if scene.tool and scene.thing and scene.tool != scene.thing:
        candidates.append(f"{scene.tool} is used on {definite(scene.thing)}, held in {hand}")
    if scene.tool:
        candidates.append(f"{scene.tool} is held in {hand} and used as the tool")
    if scene.thing:
        moving = any(limb.startswith("arm") for limb in scene.frame.moving)
        held = f"is handled with {hand}" if moving else "takes part in the action"
        candidates.append(f"{scene.thing} {held} and may be invisible to the sensor")
    if voice.traits.persons == "two":
        candidates.append("no object is needed, only the two people")
    if "object" in voice.traits.contact:
        candidates.append(f"a support or a thing is touched, {HEIGHTS[voice.traits.heights[0]]}")
    candidates += [
        f"the hands are empty, and {voice.lead_limb} {voice.lead_limb.verb('need')} no object",
        "nothing is held, and the hands stay empty",
    ]
    return writer.pick("objects", candidates)


def tell_purpose(voice: Voice, writer: Writer) -> str:
    """What a person does it for."""
    why = voice.fill(voice.scene.frame.why)
    return writer.pick(
        "purpose",
        (
            f"the reason behind it is that somebody wants to {why}",
            f"the aim of it all is to {why}",
        ),
    )
