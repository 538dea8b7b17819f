"""Sentences about joints: what a skeleton shows, and details of how the body does it."""

from __future__ import annotations

from collections.abc import Iterator

from infocpl.semantics.grammar.english import definite
from infocpl.semantics.grammar.phrases import CONTACTS, HEIGHTS, POSTURES
from infocpl.semantics.grammar.voice import DIRECTIONS, Voice, main_directions
from infocpl.semantics.grammar.writer import Writer, fit

__all__ = ["tell_details", "tell_sensor"]

_COORDINATE = {
    "up": "height",
    "down": "height",
    "forward": "forward coordinate",
    "backward": "forward coordinate",
    "left": "sideways coordinate",
    "right": "sideways coordinate",
    "inward": "distance from the midline of the body",
    "outward": "distance from the midline of the body",
    "clockwise": "angle around the midpoint",
    "counterclockwise": "angle around the midpoint",
    "towards_face": "distance from the head",
    "towards_torso": "distance from the chest",
}
_CURVE = {
    "once": "shows one single rise and fall",
    "few": "shows a few equal waves",
    "continuous": "shows an unbroken row of equal waves",
}
_PEAK = {
    "slow": "no frame stands out as fast",
    "moderate": "its speed stays middling",
    "fast": "its speed has clear peaks",
    "explosive": "its speed has one sharp peak",
}


def tell_sensor(voice: Voice, writer: Writer) -> tuple[str, ...]:
    """Three sentences about joints as a sensor delivers them."""
    texts = (
        fit(text, [voice.during(text, number)], 24) for number, text in enumerate(_sensor(voice))
    )
    return writer.several("sensor", 3, texts)


def _sensor(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    lead = traits.moving[0]
    joint = {"arm": "wrist", "leg": "ankle", "head": "head", "torso": "spine"}[lead.split("_")[-1]]
    side = traits.side if traits.side in ("left", "right") else ""
    name = f"the {side} {joint}".replace("  ", " ")
    first = traits.directions[0] if traits.directions else ""
    if first:
        yield f"measured at {name} joint, the {_COORDINATE[first]} {_CURVE[traits.repetition]}"
    # Where the whole body goes says more than what its joints do among themselves.
    travels = traits.locomotion != "none" or traits.posture_start != traits.posture_end
    if travels:
        yield from _root(voice)
    yield from _distances(voice, name)
    yield from _angles(voice, side)
    if not travels:
        yield from _root(voice)
    yield f"{name} joint is found {HEIGHTS[traits.heights[0]]}, and {_PEAK[traits.speed]}"
    if len(traits.heights) > 1:
        yield (
            f"between its extremes {name} joint passes from {HEIGHTS[traits.heights[0]]} to "
            f"{HEIGHTS[traits.heights[-1]]}"
        )
    if len(traits.directions) > 1:
        other = DIRECTIONS[traits.directions[1]]
        yield f"after going {DIRECTIONS[first]} {name} joint goes {other}, {_PEAK[traits.speed]}"
    yield f"all joints apart from those near {name} keep their places relative to the hips"
    yield f"the largest displacement of all joints is that of {name}"
    yield f"smoothed over time, {name} draws the same figure in every good recording of it"


def _distances(voice: Voice, name: str) -> Iterator[str]:
    traits = voice.traits
    if traits.persons == "two":
        change = {
            "approach": "shrinks steadily",
            "depart": "grows steadily",
            "touch": "falls to almost nothing between the hands and the other body",
            "strike": "closes in a flash and opens again",
        }.get(traits.relation, "hardly changes")
        yield f"the distance between the two skeletons {change}"
    for word in traits.contact:
        if word in ("face", "head"):
            yield f"the distance between {name} and the head falls to a few centimetres"
        elif word == "own_hand":
            yield "the distance between the two wrists falls almost to zero"
        elif word == "own_leg":
            yield f"the distance between {name} and a knee or ankle becomes very small"
        elif word == "torso":
            yield f"{name} joint lies close to the spine or the shoulders for a while"
    if traits.symmetry == "alternating":
        yield "left and right joints swing in opposite phase, one up while the other is down"
    elif traits.symmetry == "symmetric" and voice.lead.plural:
        yield "left and right joints follow mirror curves at the same times"


def _angles(voice: Voice, side: str) -> Iterator[str]:
    traits = voice.traits
    arms, legs = set(traits.arms), [part for part in traits.moving if part.endswith("leg")]
    which = f"the {side} " if side else "the "
    if {"bend", "straighten"} <= arms:
        yield f"{which}elbow angle closes and opens again during the movement"
    elif "bend" in arms:
        yield f"{which}elbow angle becomes clearly smaller than a straight arm's"
    elif "straighten" in arms:
        yield f"{which}elbow angle opens to nearly straight at the far end"
    if legs and traits.locomotion in ("walking", "running", "stepping"):
        yield "the two ankles pass each other in turn while the hips travel"
    elif legs and traits.posture_start != traits.posture_end:
        yield "both knee angles change by about a right angle together with the hips"
    elif legs:
        yield f"{which}hip and knee angles change while the ankle leaves its place or bears weight"
    if "torso" in traits.moving:
        yield "the line from the hips to the neck tilts or turns visibly"


def _root(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    if traits.locomotion in ("walking", "running", "stepping"):
        yield "the hip joint travels over the ground in the course of the clip"
    elif traits.locomotion in ("jumping", "hopping"):
        yield "the hip joint goes up and comes down again with both or one ankle in the air"
    elif traits.posture_start != traits.posture_end:
        yield "the height of the hip joint is not the same at the end as at the start"
    else:
        yield "the hip joint hardly leaves its place in any direction"


def tell_details(voice: Voice, writer: Writer) -> tuple[str, ...]:
    """Ten further sentences."""
    texts = (
        fit(text, [voice.during(text, number)], 24) for number, text in enumerate(_details(voice))
    )
    return writer.several("details", 10, texts)


def _details(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    group = traits.moving[0].split("_")[-1]
    yield from _of_things(voice)
    if group == "arm":
        yield from _of_arms(voice)
    elif group == "leg":
        yield from _of_legs(voice)
    elif group == "torso":
        yield from _of_trunk(voice)
    else:
        yield from _of_head(voice)
    yield from _of_time(voice)
    yield from _of_body(voice)
    yield from _anyhow(voice)


def _of_things(voice: Voice) -> Iterator[str]:
    scene, traits = voice.scene, voice.traits
    hand = voice.limb("hand")
    if scene.tool:
        yield f"the grip on {definite(scene.tool)} stays firm, so that {hand} and tool move as one"
    elif scene.thing and "object" in traits.contact:
        thing = definite(scene.thing)
        yield f"the fingers close around {thing} or rest on it while {hand} {hand.verb('work')}"
        yield f"the eyes go to {thing} before {hand} {hand.verb('get')} there"
    if traits.persons == "two":
        yield "the other person stands within reach and may react with a small movement"
        near = "apart" if traits.relation == "depart" else "close"
        yield f"both people turn their fronts so that they end up {near}"
    for word in traits.contact:
        if word in ("face", "head", "torso", "own_leg", "own_arm", "own_hand"):
            yield f"the way ends where {voice.lead} {voice.lead.verb('meet')} {CONTACTS[word]}"


def _of_arms(voice: Voice) -> Iterator[str]:
    traits, arm, elbow = voice.traits, voice.limb("arm"), voice.limb("elbow")
    height = HEIGHTS[traits.heights[0]]
    first = _first(voice)
    shoulder, forearm = voice.limb("shoulder"), voice.limb("forearm")
    hand = voice.limb("hand", again=True)
    start = f"{shoulder} {shoulder.verb('start')} the movement"
    yield f"{start} and {hand} {hand.verb('end')} it, {height}"
    if "bend" in traits.arms:
        yield f"{elbow} {elbow.verb('be')} bent most when the hand is nearest to the body"
    if "straighten" in traits.arms:
        yield f"{elbow} {elbow.verb('be')} straight when the hand is farthest {first}"
    if "raise" in traits.arms or "reach" in traits.arms:
        yield f"the upper part of {arm} leaves the side of the ribs and points {first}"
    if "rotate" in traits.arms:
        roll = forearm.verb("roll")
        yield f"{forearm} {roll} about the long axis while the elbow stays nearly in place"
    if "swing" in traits.arms:
        yield f"{arm} {arm.verb('swing')} freely from the shoulder and the elbow follows loosely"
    if traits.amplitude == "small":
        yield "only wrist and fingers move visibly, and the shoulder is almost quiet"
    elif traits.amplitude == "large":
        yield f"{shoulder} {shoulder.verb('open')} wide, and the trunk may give way to it"
    palm = voice.limb("palm")
    yield f"{palm} {palm.verb('face')} the way the hand goes or what it touches"
    if traits.posture_start != "lying":
        yield "hips and knees hardly bend, and both soles keep their place on the floor"
    yield "the shoulders stay level or lift a little on the side that works"


def _of_legs(voice: Voice) -> Iterator[str]:
    traits, foot, knee = voice.traits, voice.limb("foot"), voice.limb("knee")
    first = _first(voice)
    yield f"the hip starts the movement and {foot} {foot.verb('end')} it, going {first}"
    if traits.path in ("swing", "arc"):
        yield f"{knee} {knee.verb('be')} bent at first and nearly straight at the far point"
    if traits.locomotion in ("walking", "running", "stepping"):
        yield "the heel or the ball of the foot lands first and the knee gives way softly"
        yield "the opposite arm and leg tend to swing together"
    elif traits.locomotion in ("jumping", "hopping"):
        yield "the ankles stretch at the take off, and knees and hips bend at the landing"
    elif not foot.plural:
        yield "the whole weight rests on the other foot, and the arms may spread for balance"
    yield f"thigh and shin change their angle while {foot} {foot.verb('go')} {first}"
    yield f"the toes point the way {foot} {foot.verb('go')}, {HEIGHTS[traits.heights[0]]}"
    yield "the pelvis tips a little to make room for the leg"
    yield "the hands take no leading part and keep near the body"


def _of_trunk(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    first = _first(voice)
    yield f"the hips are the hinge, and the shoulders travel farthest, {first}"
    yield "the spine bends or turns as a whole rather than at one place"
    yield f"the neck goes on in the line of the back while the trunk goes {first}"
    if traits.posture_start != traits.posture_end:
        yield "the knees and the hips share the work and change their angles together"
        yield "for a moment the weight lies over the front of the feet"
    yield "the feet are the fixed point of the movement and carry all the weight"
    yield "the arms hang, hold on or balance, and follow the shoulders"


def _of_head(voice: Voice) -> Iterator[str]:
    first = _first(voice)
    yield f"the neck does all the work and carries the face {first}"
    yield "the shoulders stay level and do not follow the head"
    yield "the nose points where the head goes, and the chin moves most"
    yield "arms and legs stay as quiet as in someone who waits"
    yield "the way of the head is a few centimetres long and easily overlooked"
    yield "the upper back stays upright, and just the top of the spine bends"


def _first(voice: Voice) -> str:
    words = main_directions(voice.traits.directions)
    return DIRECTIONS[words[0]] if words else "hardly anywhere"


def _of_time(voice: Voice) -> Iterator[str]:
    traits, lead = voice.traits, voice.lead
    if traits.repetition == "once":
        yield f"{lead} {lead.verb('need')} about one or two seconds from rest to rest"
    elif traits.repetition == "few":
        yield f"between two strokes {lead} {lead.verb('come')} to a short stop"
    else:
        flow = lead.verb("flow")
        yield f"there is no rest between the strokes, so {lead} {flow} from one into the next"
    verb = lead.verb
    yield {
        "slow": f"one could count to three while {lead} {verb('go')} {lead.possessive} way",
        "moderate": f"{lead} {verb('speed')} up gently and {verb('slow')} down gently",
        "fast": f"{lead} {verb('start')} quickly and {verb('be')} stopped with little delay",
        "explosive": f"a calm preparation comes before the burst in which {lead} {verb('go')} off",
    }[traits.speed]


def _of_body(voice: Voice) -> Iterator[str]:
    traits = voice.traits
    yield {
        "standing": "the weight is shared by both feet unless one of them is needed elsewhere",
        "sitting": "the seat carries the weight, and the thighs stay level",
        "lying": "the back, the belly or one side lies on the ground and bears the weight",
        "kneeling": "knees and shins bear the weight on the ground",
        "crouching": "the hips stay low behind the heels and the knees stay deeply bent",
        "bent": "the hips are bent all the time and the back is nearly level",
    }[traits.posture_start]
    if traits.amplitude == "small":
        yield "the movement is so small that a coarse sensor may miss a part of it"
    if traits.locomotion == "none":
        yield "a circle of one step around the person is enough room"
    else:
        yield f"the whole body changes its place, since the person is {traits.locomotion}"
    if traits.symmetry == "one_sided" and traits.side == "either":
        yield "most people use the right side, left-handed people often the left"
    if traits.symmetry == "asymmetric":
        yield "one side leads and the other one steadies or follows"


def _anyhow(voice: Voice) -> Iterator[str]:
    traits, limb = voice.traits, voice.lead_limb
    often = {"once": "one go", "few": "a handful of goes", "continuous": "many goes"}[
        traits.repetition
    ]
    yield f"some people do it with a wide way of {limb}, others with a small one"
    yield f"the effort lies in the muscles that move {limb} {_first(voice)}"
    yield f"seen from the front and from the side, {limb} {limb.verb('be')} what the eye follows"
    posture = POSTURES[traits.posture_end]
    yield f"after {often} the body is in the posture in which it ends, {posture}"
    yield "breathing goes on quietly, and the face shows attention rather than strain"
    yield f"a tired person makes the way of {limb} shorter and the pauses longer"
    yield "older people do it more slowly and keep closer to a support"
    yield f"without {limb} nothing of the action would be left to see"
    yield "a beginner looks at the working part, a practised person looks ahead"
