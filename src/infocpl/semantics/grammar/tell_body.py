"""Sentences about the whole action: what it is, its phases, and the motion description."""

from __future__ import annotations

from infocpl.semantics.grammar.english import article, join_words
from infocpl.semantics.grammar.names import kind_of_movement
from infocpl.semantics.grammar.phrases import (
    HEIGHTS,
    OFTEN,
    PATH_VERBS,
    POSTURES,
    SPEEDS,
)
from infocpl.semantics.grammar.voice import Voice
from infocpl.semantics.grammar.writer import Writer, fit

__all__ = ["tell_definition", "tell_gist", "tell_motion", "tell_phases"]

_GISTS = 3


def tell_definition(voice: Voice, writer: Writer) -> tuple[str, ...]:
    """Two sentences: what a person does, and what can be seen of it."""
    scene, traits = voice.scene, voice.traits
    does = voice.fill(scene.does[0])
    manner = f"{scene.manner} " if scene.manner else ""
    posture = "" if traits.posture_start == "standing" else f"{POSTURES[traits.posture_start]}, "
    # Where the action itself says how often, it is not said again.
    said = any(word in does for word in ("again", "in turn", "several", "after the other"))
    often = "" if said or traits.repetition == "once" else f", {OFTEN[traits.repetition]}"
    first = writer.pick(
        "definition",
        (
            fit(f"{posture}a person {manner}{does}", [often], 30),
            fit(f"someone {manner}{does}", [often], 30),
            f"a person {does} in one single action",
        ),
    )
    kind = f"{kind_of_movement(voice)} {HEIGHTS[traits.heights[0]]}"
    change = _posture_change(voice)
    second = []
    if len(scene.does) > 1:
        second.append(f"then or with it the person {voice.fill(scene.does[1])}")
    second += [
        fit(
            f"what one sees is {article(kind)} {kind}",
            [change, f" when someone wants{voice.aim}"],
            30,
        ),
        fit(
            f"it looks like {article(kind)} {kind}",
            [change, f", made {OFTEN[traits.repetition]}"],
            30,
        ),
    ]
    return first, writer.pick("definition", second)


def tell_gist(voice: Voice, writer: Writer) -> tuple[str, ...]:
    """Short clauses of what tells the action from others: what is done, and what for."""
    traits, lead = voice.traits, voice.lead
    clauses = voice.clauses
    way = f"{lead} {lead.verb(PATH_VERBS[traits.path])}{voice.ways}"
    return writer.upto(
        "gist",
        (2, _GISTS),
        (
            *(f"the person {clause}" for clause in clauses[:2]),
            f"the person wants{voice.aim}",
            fit(way, [voice.with_thing, f" {HEIGHTS[traits.heights[0]]}"], 14),
            f"someone {clauses[0]} {SPEEDS[traits.speed]}",
            f"the whole effort serves{voice.aim}",
            f"{lead} {lead.verb('help')}{voice.aim}",
        ),
    )


def _posture_change(voice: Voice) -> str:
    start, end = voice.traits.posture_start, voice.traits.posture_end
    return "" if start == end else f", from {POSTURES[start]} to {POSTURES[end]}"


def tell_phases(voice: Voice, writer: Writer) -> dict[str, str]:
    """Start, middle and end."""
    traits = voice.traits
    posture = POSTURES[traits.posture_start]
    begin, finish = voice.begin, voice.finish
    lead = voice.lead
    middle = f"{lead} {lead.verb(PATH_VERBS[traits.path])}{voice.ways}"
    extras = [
        f" {HEIGHTS[traits.heights[-1]]}",
        voice.during(middle, len(voice.clauses) - 1) if len(voice.clauses) > 1 else "",
        f", {SPEEDS[traits.speed]}",
    ]
    end = POSTURES[traits.posture_end]
    same = traits.posture_start == traits.posture_end
    rest = "until all is at rest where it began" if same else f"and remains {end} for a while"
    return {
        "start": writer.pick(
            "phases",
            (
                f"{posture}, the person {begin}",
                f"to begin, the person {begin}",
                f"the action starts with a person who is {posture}",
            ),
        ),
        "middle": writer.pick(
            "phases",
            (
                fit(middle, extras, 24),
                f"then {middle}",
                f"in the middle {lead} {lead.verb('do')} most of the work, {SPEEDS[traits.speed]}",
            ),
        ),
        "end": writer.pick(
            "phases",
            (
                f"the person {finish}, {rest}",
                f"the person {finish}",
                f"at last one {finish}",
                f"in the end the person is {end}",
            ),
        ),
    }


def tell_motion(voice: Voice, writer: Writer) -> str:
    """One long sentence: the motion description."""
    scene, traits = voice.scene, voice.traits
    posture = POSTURES[traits.posture_start]
    does = ", then ".join(voice.fill(text) for text in scene.does)
    full = f"{posture}, the person {voice.begin}, {does}, and {voice.finish}"
    short = f"{posture}, the person {does}"
    extras = [
        f", {OFTEN[traits.repetition]} and {SPEEDS[traits.speed]}",
        f", while {resting(voice)}",
    ]
    lead, where = voice.lead, HEIGHTS[traits.heights[0]]
    seen = f"{lead} {lead.verb(PATH_VERBS[traits.path])}{voice.ways} {where}"
    plain = f"{posture} at the start, the person gets ready, then {seen}"
    ending = f", and in the end the person is {POSTURES[traits.posture_end]} and at rest"
    return writer.pick(
        "motion",
        (
            fit(full, extras, 50),
            fit(short, [*extras, f" {where}"], 50),
            fit(plain, [*extras, ending], 50),
        ),
    )


def resting(voice: Voice) -> str:
    """What does not move, as a clause: "the legs and the head stay still"."""
    moving = voice.traits.moving
    still = []
    for limb in ("arm", "leg"):
        count = sum(part.endswith(limb) for part in moving)
        if count == 0:
            still.append(f"the {limb}s")
        elif count == 1:
            still.append(f"the other {limb}")
    still += [
        f"the {'trunk' if part == 'torso' else part}"
        for part in ("torso", "head")
        if part not in moving
    ]
    if not still:
        return "the whole body takes part"
    verb = "stay" if len(still) > 1 or still[0].endswith("s") else "stays"
    return f"{join_words(still)} {verb} still"
