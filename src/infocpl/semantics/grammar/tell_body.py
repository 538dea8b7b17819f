"""Sentences about the whole action, its phases, and what every part of the body does."""

from __future__ import annotations

from collections.abc import Iterator

from infocpl.semantics.grammar.names import kind_of_movement
from infocpl.semantics.grammar.phrases import (
    ARM_VERBS,
    HEIGHTS,
    OFTEN,
    PATH_VERBS,
    POSTURES,
    SPEEDS,
)
from infocpl.semantics.grammar.voice import (
    DIRECTIONS,
    NounPhrase,
    Voice,
    article,
    join_words,
    main_directions,
)
from infocpl.semantics.grammar.writer import Writer, fit
from infocpl.skeleton.layout import PART_NAMES

__all__ = ["tell_definition", "tell_motion", "tell_parts", "tell_phases"]

_REST = {
    "standing": ("stays still and carries the weight", "rests as well, the foot flat on the floor"),
    "sitting": ("rests bent before the seat", "stays bent as well, the foot on the floor"),
    "lying": ("lies still on the ground", "rests in the same way beside it"),
    "kneeling": ("stays bent with the knee on the ground", "supports the body in the same way"),
    "crouching": ("stays deeply bent", "is bent as well and bears its share"),
    "bent": ("stays firm under the bent trunk", "stands beside it without a step"),
}
_HANGS = {
    "standing": ("hangs still beside the body", "is just as quiet and hangs loosely down"),
    "sitting": ("rests quietly in the lap", "lies on the thigh without moving"),
    "lying": ("lies quietly beside the body", "rests on the ground on its own side"),
    "kneeling": ("stays quiet at the side", "does not move either and hangs down"),
    "crouching": ("stays quiet before the body", "is kept near the knee and rests"),
    "bent": ("hangs quietly towards the ground", "is let down loosely and does not work"),
}
_GAITS = {
    "walking": "swings forward and takes the weight in turn with the other",
    "running": "drives off the ground and swings through with a bent knee",
    "jumping": "bends, pushes off the ground and cushions the landing",
    "hopping": "bounces off the ground or is held up bent",
    "stepping": "lifts, steps and takes the weight",
    "turning": "takes small turning steps",
}


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


def _ways(voice: Voice) -> str:
    """Where it goes, with the way back: " forward and up", or nothing."""
    words = [DIRECTIONS[word] for word in voice.traits.directions[:4]]
    if voice.traits.path == "circle":
        words = [word.removeprefix("round ") for word in words]
    return f" {join_words(words)}" if words else ""


def _posture_change(voice: Voice) -> str:
    start, end = voice.traits.posture_start, voice.traits.posture_end
    return "" if start == end else f", from {POSTURES[start]} to {POSTURES[end]}"


def tell_parts(voice: Voice, writer: Writer) -> dict[str, str]:
    """One sentence for every part of the body."""
    told = {}
    for number, part in enumerate(PART_NAMES):
        # A part that rests does so in every action: what goes on meanwhile makes it this one.
        moves = part in voice.traits.moving
        texts = (
            fit(base, [voice.aim if moves else voice.during(base, number)], 24)
            for base in _part(voice, part)
        )
        told[part] = writer.pick("parts", texts)
    return told


def _part(voice: Voice, part: str) -> Iterator[str]:
    moves = part in voice.traits.moving
    if part == "head":
        yield from _head(voice, moves)
    elif part == "torso":
        yield from _torso(voice, moves)
    elif part.endswith("arm"):
        yield from _arm(voice, part, moves)
    else:
        yield from _leg(voice, part, moves)
    name = part.replace("_", " ")
    yield f"the {name} {'takes its share in' if moves else 'has no share in'} what is done here"
    yield f"as for the {name}, it {'is moved' if moves else 'is kept quiet'} from start to end"


def _head(voice: Voice, moves: bool) -> Iterator[str]:
    traits = voice.traits
    goal = "at the working hand" if traits.moving[0].endswith("arm") else "ahead"
    if traits.persons == "two":
        goal = "at the other person"
    if traits.moving[0] == "head":
        yield f"the head does the work and carries the face {_first_way(voice)}"
        yield f"the head {NounPhrase('it').verb(PATH_VERBS[traits.path])}{_ways(voice)} on the neck"
    elif moves and "face" in traits.contact:
        yield "the head bends a little towards the hand that comes to the face"
        yield "the head meets the hand at the face with a small nod"
    elif moves and traits.posture_start != traits.posture_end:
        yield f"the head travels {_vertical(voice)} with the trunk and keeps looking ahead"
    elif moves:
        yield f"the head follows the trunk and looks {goal}"
        yield "the head moves along with the upper body"
    elif traits.heights[0] in ("floor", "knee"):
        low = "to the ground" if goal == "ahead" else goal
        yield f"the head is lowered a little, looks {low} and else keeps still"
        yield "the head looks down to where the work is done and keeps still"
    else:
        yield f"the head stays still and looks {goal}"
        yield f"the head keeps upright above the shoulders, turned {goal}"


def _vertical(voice: Voice) -> str:
    return "up" if "up" in voice.traits.directions[:1] else "down"


def _torso(voice: Voice, moves: bool) -> Iterator[str]:
    traits = voice.traits
    lead = voice.lead_limb
    if traits.moving[0] == "torso":
        yield f"the trunk leads from the hips and carries the shoulders {_first_way(voice)}"
        yield f"the trunk does the main work, {OFTEN[traits.repetition]}"
    elif moves and traits.locomotion != "none":
        yield f"the trunk is carried along while {voice_travel(voice)}, leaning into the movement"
    elif moves and traits.posture_start == traits.posture_end == "bent":
        yield f"the trunk stays bent and moves a little with {lead}"
    elif moves:
        yield f"the trunk leans and turns a little with {lead}, going {_first_way(voice)}"
        yield f"the trunk gives way to {lead} and adds its swing"
    else:
        yield f"the trunk stays quiet and gives {lead} a firm base from below"
        yield f"the trunk keeps its place while {lead} {lead.verb('work')}"


def voice_travel(voice: Voice) -> str:
    """What the feet do to carry the body, as a clause."""
    return {
        "walking": "the person walks",
        "running": "the person runs",
        "jumping": "the body leaves the ground",
        "hopping": "one foot bounces",
        "stepping": "the feet step",
        "turning": "the feet turn on the spot",
        "none": "the feet stay",
    }[voice.traits.locomotion]


def _first_way(voice: Voice) -> str:
    words = main_directions(voice.traits.directions)
    return DIRECTIONS[words[0]] if words else "hardly visibly"


def _arm(voice: Voice, part: str, moves: bool) -> Iterator[str]:
    traits = voice.traits
    name = f"the {part.replace('_', ' ')}"
    side, other = part.split("_")[0], "right" if part.startswith("left") else "left"
    either = traits.side == "either" and traits.moving[0].endswith("arm")
    height = HEIGHTS[traits.heights[0]]
    chain = arm_chain(voice)
    second = moves and f"{other}_arm" in traits.moving and side == "right"
    if second and traits.symmetry == "alternating":
        yield f"{name} takes its turn after the left one and does the same on its own side"
        yield f"{name} answers the left one, always half a turn later"
    elif second and traits.symmetry == "symmetric":
        yield f"{name} does the same as a mirror image at the same moment"
        yield f"{name} works like a reflection of the left one"
    elif second:
        yield f"{name} does its own part {height} while the left one holds or guides"
        yield f"{name} takes the other half of the work, near its partner"
    elif moves and either:
        yield f"{name}, or the left one by choice, {chain} {height}"
        yield f"{name}, in left-handed people the left one, {chain}"
    elif moves:
        yield f"{name} {chain} {height}"
        yield f"{name} {chain} {SPEEDS[traits.speed]}"
    elif "hold" in traits.arms and traits.moving[0].endswith("leg"):
        how = "steady" if side == "left" else "in place likewise, bent at the elbow,"
        yield f"{name} is held {how} {height}"
        yield f"{name} keeps its hold {height} without moving by itself"
    elif either:
        yield f"{name} rests, unless it is chosen to act, and {_HANGS[traits.posture_start][0]}"
    else:
        yield f"{name} {_HANGS[traits.posture_start][side == 'right']}"
        yield f"{name} takes no part and stays loose and quiet"
        yield f"{name} keeps out of the action on its side"


def arm_chain(voice: Voice) -> str:
    """What an arm does, one thing after the other: "rises, bends and strikes"."""
    one = NounPhrase("it")
    told = [ARM_VERBS[word] for word in voice.traits.arms if word != "none"]
    verbs = [one.verb(word).replace("their", "its") for word in told[:4]]
    return join_words(verbs) or one.verb(PATH_VERBS[voice.traits.path])


def _leg(voice: Voice, part: str, moves: bool) -> Iterator[str]:
    traits = voice.traits
    name = f"the {part.replace('_', ' ')}"
    second = part.startswith("right")
    other = "left_leg" in traits.moving and second and moves
    if not moves:
        rest = _REST[traits.posture_start][1 if second else 0]
        if traits.side == "either" and traits.moving[0].endswith("leg"):
            yield f"{name} carries the weight, or acts itself if the person chooses it"
        yield f"{name} {rest}"
        yield f"{name} is not used and keeps its place {'too' if second else 'throughout'}"
        return
    alternating = traits.symmetry == "alternating"
    if traits.locomotion != "none":
        when = "half a step later" if alternating else "at the same time"
        yield f"{name} does so too, {when}" if other else f"{name} {_GAITS[traits.locomotion]}"
        yield f"{name} works {'in turn' if other else 'first'} to carry the body"
    if traits.posture_start != traits.posture_end:
        bends = "bends at hip and knee and lets the body down"
        verb = "straightens at knee and hip" if _vertical(voice) == "up" else bends
        yield f"{name} {verb}" if not other else f"{name} shares this work and the weight evenly"
        yield f"{name} takes part in the change of posture{' likewise' if other else ''}"
    if other:
        same = (
            "in turn with the left one" if traits.symmetry == "alternating" else "together with it"
        )
        yield f"{name} makes the same movement {same}"
        yield f"{name} follows the example of the left one on its own side"
    elif traits.moving[0].endswith("leg"):
        either = ", or the left one by choice," if traits.side == "either" else ""
        verb = NounPhrase("it").verb(PATH_VERBS[traits.path])
        yield f"{name}{either} leaves its place, {verb} and comes back, led from the hip"
        yield f"{name} works from the hip and {verb}{_ways(voice)}"
    elif traits.posture_start == "lying":
        yield f"{name} helps with its own strokes or by pressing on the ground"
        yield f"{name} adds its part from hip and knee"
    else:
        yield f"{name} bends and straightens to help, its foot on the floor"
        yield f"{name} gives way a little at the knee and pushes back"


def tell_phases(voice: Voice, writer: Writer) -> dict[str, str]:
    """Start, middle and end."""
    traits = voice.traits
    posture = POSTURES[traits.posture_start]
    begin, finish = voice.begin, voice.finish
    lead = voice.lead
    middle = f"{lead} {lead.verb(PATH_VERBS[traits.path])}{_ways(voice)}"
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
    seen = f"{lead} {lead.verb(PATH_VERBS[traits.path])}{_ways(voice)} {where}"
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
