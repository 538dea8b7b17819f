"""What every part of the body does, one sentence each."""

from __future__ import annotations

from collections.abc import Iterator

from infocpl.semantics.grammar.english import NounPhrase, join_words
from infocpl.semantics.grammar.phrases import ARM_VERBS, HEIGHTS, OFTEN, PATH_VERBS, SPEEDS
from infocpl.semantics.grammar.voice import DIRECTIONS, Voice, main_directions
from infocpl.semantics.grammar.writer import Writer, fit
from infocpl.skeleton.layout import PART_NAMES

__all__ = ["tell_parts"]

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
        yield f"the head {NounPhrase('it').verb(PATH_VERBS[traits.path])}{voice.ways} on the neck"
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
        yield f"{name} works from the hip and {verb}{voice.ways}"
    elif traits.posture_start == "lying":
        yield f"{name} helps with its own strokes or by pressing on the ground"
        yield f"{name} adds its part from hip and knee"
    else:
        yield f"{name} bends and straightens to help, its foot on the floor"
        yield f"{name} gives way a little at the knee and pushes back"
