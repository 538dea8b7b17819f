"""How the words around an action change it: limbs, sides, directions, things, postures, numbers."""

from __future__ import annotations

from infocpl.semantics.grammar.frames import Frame
from infocpl.semantics.grammar.roles import LimbUse, Parsed
from infocpl.semantics.grammar.scene import side_of
from infocpl.semantics.grammar.vocabulary import BodyPlace, Vocabulary, Way

__all__ = ["apply_words", "posture_level"]

_VERTICAL = ("up", "down")
_LEVELS = {"lying": 0, "sitting": 1, "kneeling": 1, "crouching": 1, "bent": 2, "standing": 3}
_POSTURE_FAMILIES = ("sit", "rise", "lie")
_SEATS = {"sitting": ("seat",), "lying": ("bed", "floor")}


def posture_level(posture: str) -> int:
    """How high the body is in a posture: 0 lying to 3 standing."""
    return _LEVELS[posture]


def apply_words(
    frame: Frame, parsed: Parsed, vocabulary: Vocabulary, used: frozenset[str]
) -> tuple[Frame, str]:
    """The frame as the name's other words make it, and the side that acts.

    Parameters
    ----------
    frame : the action, already in its variant for things and limbs
    parsed : the name
    vocabulary : for manners
    used : places of the body that chose the variant and say nothing more about it
    """
    for limb in parsed.limbs:
        frame = _apply_limb(frame, limb, limb.place.name in used)
    frame = _apply_number(frame, parsed)
    side = _side(frame, parsed)
    for way in parsed.ways:
        frame = _apply_way(frame, way)
    if parsed.heights:
        heights = dict.fromkeys((*parsed.heights, *frame.heights[1:]))
        frame = frame.change(heights=tuple(heights))
    for manner in parsed.manners:
        record = vocabulary.manners[manner]
        changes = {key: record[key] for key in ("speed", "amplitude") if key in record}
        frame = frame.change(**changes)
    frame = _apply_times(frame, parsed)
    frame = _apply_posture(frame, parsed)
    frame = _apply_things(frame, parsed)
    return _apply_persons(frame, parsed), side


def _apply_limb(frame: Frame, limb: LimbUse, used: bool) -> Frame:
    place, group = limb.place, limb.place.group
    if limb.role == "without":
        return _without(frame, group)
    if limb.role == "beside":
        height = "overhead" if place.name in ("head", "hair") else place.height
        return frame.change(heights=(height, *(h for h in frame.heights[1:] if h != height)))
    reaches = limb.role in ("object", "goal") or (limb.role == "mover" and not _leads(frame, group))
    if reaches and "target" in frame.takes and not used:
        return _reach(frame, place)
    if limb.role == "goal":
        height = place.height
        return frame.change(heights=(*(h for h in frame.heights if h != height), height))
    if group not in ("arm", "leg") or not ("limb" in frame.takes or used):
        return frame
    return _lead_with(frame, limb)


def _leads(frame: Frame, group: str) -> bool:
    return frame.lead == group


def _without(frame: Frame, group: str) -> Frame:
    moving = tuple(limb for limb in frame.moving if limb.rstrip("s") != group)
    if not moving:
        return frame
    changes = {"arms": ("none",)} if group == "arm" else {}
    side = frame.side or side_of(frame)
    return frame.change(moving=moving, symmetry=frame.symmetry, side=side, **changes)


def _reach(frame: Frame, place: BodyPlace) -> Frame:
    """The hand goes to a place of the body."""
    moving = list(frame.moving)
    if place.height == "floor" and "torso" not in moving:
        moving += ["torso", "head"]
    sideways = tuple(word for word in frame.directions if word not in (*_VERTICAL, "inward"))
    cyclic = frame.path == "oscillation"
    directions = (*place.directions, *(sideways if cyclic else ()))
    if cyclic and not {"up", "down"} & set(directions):
        directions += tuple(word for word in frame.directions if word in _VERTICAL)
    kept = tuple(word for word in frame.contact if word in ("object", "other_person"))
    return frame.change(
        moving=tuple(moving),
        side=frame.side,
        symmetry=frame.symmetry,
        directions=tuple(dict.fromkeys(directions)),
        heights=(place.height,),
        contact=(place.contact, *kept),
    )


def _lead_with(frame: Frame, limb: LimbUse) -> Frame:
    """The named limb acts: one or both, in place of the one that usually does."""
    group = limb.place.group
    single = limb.role in ("tool", "object") and not limb.both
    lead = frame.moving[0]
    if lead.rstrip("s") == group:
        wanted = f"{group}s" if limb.both else group if single else lead
    else:
        wanted = f"{group}s" if limb.both or (lead.endswith("s") and not single) else group
        if lead.rstrip("s") not in ("arm", "leg"):
            return frame
    return _set_lead(frame, wanted)


def _set_lead(frame: Frame, wanted: str) -> Frame:
    if frame.moving[0] == wanted:
        return frame
    group = wanted.rstrip("s")
    rest = tuple(limb for limb in frame.moving[1:] if limb.rstrip("s") != group)
    return frame.change(moving=(wanted, *rest))


def _apply_number(frame: Frame, parsed: Parsed) -> Frame:
    """One or both limbs, where the name counts them or names a side."""
    lead = frame.moving[0].rstrip("s")
    if lead not in ("arm", "leg"):
        return frame
    count = parsed.hands if lead == "arm" else parsed.feet
    if not count and "limb" in frame.takes:
        if parsed.side in ("left", "right", "either"):
            count = "one"
        elif parsed.side in ("both", "alternating"):
            count = "both"
    if count:
        frame = _set_lead(frame, lead if count == "one" else f"{lead}s")
    if parsed.side == "alternating" and frame.moving[0].endswith("s"):
        often = "few" if frame.repetition == "once" else frame.repetition
        frame = frame.change(symmetry="alternating", repetition=often)
    return frame


def _side(frame: Frame, parsed: Parsed) -> str:
    side = side_of(frame)
    if parsed.side in ("left", "right") and side == "either":
        return parsed.side
    return side


def _apply_way(frame: Frame, way: Way) -> Frame:
    if way.height:
        kept = tuple(h for h in frame.heights if h == "head" != way.height)
        frame = frame.change(heights=(way.height, *kept))
    if "way" not in frame.takes or not way.directions:
        return frame
    if way.cyclic:
        often = "few" if frame.repetition == "once" else frame.repetition
        path = frame.path if frame.path in ("swing", "oscillation") else way.path
        return frame.change(directions=way.directions, path=path, repetition=often)
    if way.path:
        return frame.change(directions=way.directions, path=way.path)
    vertical = tuple(word for word in frame.directions if word in _VERTICAL)
    if set(way.directions) <= set(_VERTICAL):
        only = len(vertical) == len(frame.directions)
        rest = vertical if only and len(vertical) > 1 else ()
    else:
        rest = vertical
    directions = tuple(dict.fromkeys((*way.directions, *rest)))
    return frame.change(directions=directions, planes=way.planes)


def _apply_times(frame: Frame, parsed: Parsed) -> Frame:
    if parsed.times:
        return frame.change(repetition=parsed.times)
    if any(act.plural for act in parsed.acts) and frame.repetition == "once":
        return frame.change(repetition="few")
    return frame


def _apply_posture(frame: Frame, parsed: Parsed) -> Frame:
    if frame.family in _POSTURE_FAMILIES:
        start = _start(parsed)
        if not start or start == frame.end:
            return frame
        rising = _LEVELS[start] < _LEVELS[frame.end]
        directions = ("up", "forward") if rising else ("down", *frame.directions[1:])
        if rising == (_LEVELS[frame.start] < _LEVELS[frame.end]):
            directions = frame.directions
        return frame.change(start=start, directions=directions)
    if not parsed.postures or frame.locomotion in ("walking", "running"):
        return frame
    posture = parsed.postures[-1]
    if frame.start == frame.end or frame.end == posture:
        return frame.change(start=posture, end=posture)
    return frame


def _start(parsed: Parsed) -> str:
    """Posture that a change of posture begins in, if the name says it."""
    if parsed.postures:
        return parsed.postures[0]
    for posture, kinds in _SEATS.items():
        if any(use.role == "place" and set(kinds) & set(use.thing.kinds) for use in parsed.things):
            return posture
    return ""


def _apply_things(frame: Frame, parsed: Parsed) -> Frame:
    handled = [use for use in parsed.things if use.role in ("object", "tool") and use.thing.phrase]
    if not handled or "thing" not in frame.takes or "object" in frame.contact:
        return frame
    kept = tuple(word for word in frame.contact if word != "none")
    return frame.change(contact=(*kept, "object"))


def _apply_persons(frame: Frame, parsed: Parsed) -> Frame:
    if not (parsed.two_persons or parsed.other_person) or frame.persons == "two":
        return frame
    if not parsed.other_person:
        return frame.change(persons="two", relation="face")
    relation = frame.to_person or "face"
    contact = frame.contact
    if relation in ("touch", "strike"):
        contact = ("other_person", *(word for word in contact if word == "object"))
    return frame.change(persons="two", relation=relation, contact=contact)
