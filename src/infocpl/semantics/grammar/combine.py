"""From a parsed name to a scene: which actions it holds, in which variant, and how they join."""

from __future__ import annotations

from dataclasses import dataclass

from infocpl.semantics.grammar.english import definite
from infocpl.semantics.grammar.frames import Frame
from infocpl.semantics.grammar.modify import apply_words, posture_level
from infocpl.semantics.grammar.roles import Act, Parsed
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.grammar.vocabulary import Vocabulary
from infocpl.semantics.traits import TRAIT_VALUES

__all__ = ["Understood", "understand"]

_SURE, _IMPLIED, _LIMB_ONLY, _GENERAL, _NOTHING = 1.0, 0.8, 0.65, 0.5, 0.0
_STILL = {
    "standing": "stand_still",
    "sitting": "sit_still",
    "lying": "lie_still",
    "kneeling": "kneel",
    "crouching": "crouch",
    "bent": "bend_over",
}
_MOST_ACTS = 3
_LONGEST_THING = 30


@dataclass(frozen=True)
class Understood:
    """A scene, how sure its action is, and the words of the body and things that chose it."""

    scene: Scene
    sureness: float


def understand(name: str, parsed: Parsed, vocabulary: Vocabulary) -> Understood | None:
    """What a parsed name describes; None where it holds no action at all."""
    acts, sureness = _acts(parsed, vocabulary)
    if not acts:
        return None
    frames = []
    used: set[str] = set()
    for act in acts:
        frame, selector = _variant(vocabulary.frames[act.key], parsed)
        used |= _places_behind(selector, parsed)
        frames.append(frame)
    frame, does = _join(frames, acts)
    if sureness == _SURE and frame.general:
        sureness = _GENERAL
    frame, side = apply_words(frame, parsed, vocabulary, frozenset(used))
    thing, tool = _things(frame, parsed)
    title = vocabulary.titles[acts[0].key]
    if not frame.why:
        frame = frame.change(why=f"{title} {definite(thing)}" if thing else title)
    adverbs = [vocabulary.manners[manner].get("adverb", "") for manner in parsed.manners]
    scene = Scene(
        name=name,
        frame=frame,
        side=side,
        does=does,
        thing=thing,
        tool=tool,
        manner=next((adverb for adverb in adverbs if adverb), ""),
        title=title,
    )
    return Understood(scene, sureness)


def _acts(parsed: Parsed, vocabulary: Vocabulary) -> tuple[list[Act], float]:
    """The actions that count, and how sure it is that the name means them."""
    if parsed.acts:
        return _heads(parsed.acts, vocabulary)[:_MOST_ACTS], _SURE
    movers = [limb for limb in parsed.limbs if limb.role in ("mover", "object", "tool")]
    goals = [limb for limb in parsed.limbs if limb.role == "goal"]
    if movers and goals:
        keys = {"arm": "touch", "leg": "knee_raise", "head": "look_down", "torso": "bend_over"}
        return [Act(keys[movers[0].place.group])], _IMPLIED
    for use in parsed.things:
        if use.thing.action:
            return [Act(use.thing.action)], _IMPLIED
    if movers and parsed.ways:
        return [Act("move_limb")], _LIMB_ONLY
    if parsed.postures:
        return [Act(_STILL[parsed.postures[-1]])], _IMPLIED
    return [], _NOTHING


def _heads(acts: list[Act], vocabulary: Vocabulary) -> list[Act]:
    """Leave out actions that only colour the one beside them ("swimming" in "butterfly swimming").

    Of actions side by side the last one counts ("jump squat"), unless it is a general one.
    """
    groups: list[list[Act]] = []
    for act in acts:
        if act.link or not groups:
            groups.append([act])
        else:
            groups[-1].append(act)
    heads = []
    for group in groups:
        sure = [act for act in group if not vocabulary.frames[act.key].general] or group[-1:]
        longest = max(act.words for act in sure)
        best = [act for act in sure if act.words == longest]
        head = best[-1]
        heads.append(Act(head.key, group[0].link, any(act.plural for act in group), head.words))
    special = [act for act in heads if not vocabulary.frames[act.key].general]
    return special or heads


def _variant(frame: Frame, parsed: Parsed) -> tuple[Frame, str]:
    """The frame for the things and limbs of the name, and what chose it."""
    for selector in _selectors(parsed):
        if selector in frame.variants:
            return frame.variants[selector], selector
    return frame, ""


def _selectors(parsed: Parsed) -> list[str]:
    found: list[str] = []
    for role in ("place", "object", "tool"):
        for use in parsed.things:
            if use.role == role:
                found += [kind for kind in use.thing.kinds if kind not in ("thing", "place")]
    if parsed.child:
        found.append("child")
    for limb in parsed.limbs:
        if limb.role in ("mover", "object"):
            found += [limb.place.name, limb.place.group]
    if parsed.other_person:
        found.append("person")
    if parsed.objects or parsed.unknown:
        found.append("thing")
    if parsed.ways:
        found.append("way")
    return found


def _places_behind(selector: str, parsed: Parsed) -> set[str]:
    names = {limb.place.name for limb in parsed.limbs if limb.place.name == selector}
    return names or {limb.place.name for limb in parsed.limbs if limb.place.group == selector}


def _join(frames: list[Frame], acts: list[Act]) -> tuple[Frame, tuple[str, ...]]:
    """One frame of several actions, at the same time ("while") or one after the other."""
    joined, does = frames[0], [frames[0].does]
    for frame, act in zip(frames[1:], acts[1:], strict=True):
        if frame.does in does:
            continue  # said twice ("run and running")
        joined = _while(joined, frame) if act.link == "while" else _then(joined, frame)
        does.append(frame.does)
    return joined, tuple(does[:2])


def _while(first: Frame, second: Frame) -> Frame:
    """Two actions at once: the first one leads, the second adds its limbs."""
    return first.change(
        moving=_union(first.moving, second.moving),
        side=first.side,
        symmetry=first.symmetry,
        arms=_union(first.arms, second.arms),
        contact=_union(first.contact, second.contact),
        heights=_union(first.heights, second.heights),
        thing=first.thing or second.thing,
        tool=first.tool or second.tool,
        persons=max(first.persons, second.persons, key=TRAIT_VALUES["persons"].index),
    )


def _then(first: Frame, second: Frame) -> Frame:
    """Two actions in a row: all limbs and directions, from the first start to the last end."""
    moving = _union(first.moving, second.moving)
    bigger = max(first.amplitude, second.amplitude, key=TRAIT_VALUES["amplitude"].index)
    faster = max(first.speed, second.speed, key=TRAIT_VALUES["speed"].index)
    oftener = max(first.repetition, second.repetition, key=TRAIT_VALUES["repetition"].index)
    same = first.path == second.path
    turned = posture_level(first.end) != posture_level(second.start)
    return first.change(
        moving=moving,
        side=first.side if len(moving) > len(first.moving) else second.side or first.side,
        symmetry=first.symmetry if first.symmetry == second.symmetry else "",
        directions=_union(first.directions, second.directions),
        path=first.path if same else "mixed",
        amplitude=bigger,
        speed=faster,
        repetition=oftener,
        heights=_union(first.heights, second.heights),
        arms=_union(first.arms, second.arms),
        contact=_union(first.contact, second.contact),
        end=second.end if not turned or second.end != "standing" else first.end,
        locomotion=second.locomotion if first.locomotion == "none" else first.locomotion,
        persons=max(first.persons, second.persons, key=TRAIT_VALUES["persons"].index),
        relation=second.relation if first.relation == "none" else first.relation,
        finish=second.finish,
        thing=first.thing or second.thing,
        tool=first.tool or second.tool,
        general=first.general and second.general,
        takes=_union(first.takes, second.takes),
    )


def _union(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    found = dict.fromkeys((*first, *second))
    if len(found) > 1:
        found.pop("none", None)
    for limb in ("arm", "leg"):
        # Both arms hold the one.
        if f"{limb}s" in found:
            found.pop(limb, None)
    return tuple(found)


def _things(frame: Frame, parsed: Parsed) -> tuple[str, str]:
    """What is handled, and the tool: the words of the name before those of the action."""
    tools = [use.phrase for use in parsed.things if use.role == "tool"]
    objects = [use.phrase for use in parsed.objects if use.phrase]
    if parsed.child:
        objects.append("a child")
    if not objects and parsed.unknown and "thing" in frame.takes:
        # A word that is unknown after such an action most likely names what is handled.
        word = parsed.unknown[-1]
        sayable = word.isascii() and word.isalpha() and len(word) <= _LONGEST_THING
        objects = [f"the {word}"] if sayable else []
    tool = tools[0] if tools and (frame.tool or objects) else frame.tool
    if tools and not frame.tool and not objects:
        objects = tools
    thing = objects[0] if objects else frame.thing
    return thing, tool
