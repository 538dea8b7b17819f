"""How a scene is spoken of: limbs by name and number, things and persons at first and again.

Sentences are filled from patterns with gaps: ``{hand}`` becomes "the left hand", "both hands" or
"one hand" and, when it is spoken of again, "that hand".
"""

from __future__ import annotations

import re
from functools import cached_property

from infocpl.semantics.grammar.english import NounPhrase, definite, gerund, join_words
from infocpl.semantics.grammar.scene import Scene
from infocpl.semantics.grammar.vocabulary import load_vocabulary

__all__ = ["DIRECTIONS", "Voice", "main_directions", "way_phrase"]

DIRECTIONS = {
    "up": "up",
    "down": "down",
    "forward": "forward",
    "backward": "backward",
    "left": "to the left",
    "right": "to the right",
    "inward": "in to the middle",
    "outward": "out to the side",
    "clockwise": "round clockwise",
    "counterclockwise": "round counterclockwise",
    "towards_face": "to the face",
    "towards_torso": "in to the body",
}
"""Directions of the traits as they are said."""

_OPPOSITE = {"up": "down", "outward": "inward", "inward": "outward", "down": "up"}
_GAP = re.compile(r"\{(\w+)\}")
_PLURALS = {"foot": "feet"}
_PARTNER = ("another person", "the other person")
# Verbs of second clauses that begin no first one.
_MORE_VERBS = frozenset(
    (
        *("blows", "sways", "fixes", "plucks", "cuts", "snaps", "snips", "knots", "returns"),
        *("tears", "twists", "vaults", "thrusts", "slams", "flings", "slings", "drinks", "bites"),
        *("gathers", "fastens", "hurls", "kicks", "forms", "washes", "drags", "levers", "scrapes"),
        *("strips", "flies", "rides", "pitches", "hollows", "balances", "covers", "wiggles"),
        *("kneads", "snatches", "hits", "mixes", "wraps", "pumps", "strums", "rocks"),
    )
)
_LINK = re.compile(r",? and (?=\w)|, (?=\w)")
_TAIL = re.compile(r" (?:until|so that|with|while|after|whenever|at|near|before|in front)\b")
_IT = re.compile(r"\bit\b")
_LONG_CLAUSE = 9


def main_directions(directions: tuple[str, ...]) -> list[str]:
    """Directions of the movement itself, without the way back or the backswing.

    Examples
    --------
    >>> main_directions(("up", "backward", "forward", "down"))
    ['up', 'forward']
    """
    kept: list[str] = []
    for word in directions:
        if word == "backward" and "forward" in directions:
            continue
        if _OPPOSITE.get(word) not in kept:
            kept.append(word)
    return kept


def way_phrase(directions: tuple[str, ...]) -> str:
    """Where a movement goes, in one breath: "forward and up"; empty if nowhere."""
    if set(directions) >= {"left", "right"}:
        return "from side to side"
    return join_words([DIRECTIONS[word] for word in main_directions(directions)[:3]])


class Voice:
    """Speaks of one scene.

    Parameters
    ----------
    scene : what is told
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.traits = scene.traits

    def limb(self, noun: str, *, again: bool = False) -> NounPhrase:
        """The acting hand, arm, foot ...: which and how many of them.

        Parameters
        ----------
        noun : ``"hand"``, ``"arm"``, ``"elbow"``, ``"foot"``, ``"leg"`` or ``"knee"``
        again : whether it was spoken of before in the sentence
        """
        group = "leg" if noun in ("foot", "leg", "knee") else "arm"
        many = f"{group}s" in self.scene.frame.moving
        plural = _PLURALS.get(noun, f"{noun}s")
        if many:
            return NounPhrase(f"the {plural}" if again else f"both {plural}", plural=True)
        if self.scene.side in ("left", "right"):
            return NounPhrase(f"the {self.scene.side} {noun}")
        return NounPhrase(f"that {noun}" if again else f"one {noun}")

    @property
    def lead(self) -> NounPhrase:
        """What moves most: hand, foot, head or trunk."""
        lead = self.scene.frame.lead
        if lead in ("arm", "leg"):
            return self.limb("hand" if lead == "arm" else "foot")
        return NounPhrase("the head" if lead == "head" else "the trunk")

    @property
    def lead_limb(self) -> NounPhrase:
        """The same as a whole limb: arm or leg instead of hand or foot."""
        lead = self.scene.frame.lead
        return self.limb(lead) if lead in ("arm", "leg") else self.lead

    def thing(self, *, again: bool = False) -> str:
        """What is handled or worked with."""
        phrase = self.scene.tool or self.scene.thing or "a thing"
        return definite(phrase) if again else phrase

    @property
    def way(self) -> str:
        """Where the movement goes."""
        return way_phrase(self.traits.directions)

    @property
    def ways(self) -> str:
        """The same with the way back, after a verb: " forward and up", or nothing."""
        words = [DIRECTIONS[word] for word in self.traits.directions[:4]]
        if self.traits.path == "circle":
            words = [word.removeprefix("round ") for word in words]
        return f" {join_words(words)}" if words else ""

    @cached_property
    def clauses(self) -> tuple[str, ...]:
        """What the person does, one thing at a time: "lifts one knee", "leans the trunk away"."""
        verbs = load_vocabulary().verbs | _MORE_VERBS
        found: list[str] = []
        for text in self.scene.does:
            told = self.fill(text)
            start = 0
            for link in _LINK.finditer(told):
                if told[link.end() :].split(" ")[0].rstrip(",") in verbs:
                    found.append(told[start : link.start()])
                    start = link.end()
            found.append(told[start:])
        # Alone, a later clause must say what "it" is.
        named = self._meant()
        if named:
            found[1:] = [_IT.sub(named, clause) for clause in found[1:]]
        return tuple(map(_shorten, found))

    def _meant(self) -> str:
        """What "it" stands for: the thing, or the limb that was spoken of."""
        if self.scene.tool or self.scene.thing:
            return self.thing(again=True)
        gaps = [gap for text in self.scene.does for gap in _GAP.findall(text)]
        limbs = [gap for gap in gaps if gap in ("hand", "arm", "foot", "leg")]
        return self.limb(limbs[0], again=True).text if limbs else ""

    def during(self, base: str, number: int) -> str:
        """What goes on besides `base`, as an addition to it; another one for each number.

        " while the person lifts one knee", " when someone wants to hit something".
        """
        meanwhile = " as" if re.search(r"\bwhile\b", base) else " while"
        found = [f"{meanwhile} the person {clause}" for clause in self.clauses]
        found.append(f" when someone wants{self.aim}")
        found.append(f" before the person {_shorten(self.finish)}")
        if len(self.clauses) == 1:
            # Few things are done: the same one again and again would make sentences alike.
            found.append(f" after the person {_shorten(self.begin)}")
        return found[number % len(found)]

    def doing(self, number: int) -> str:
        """The same after a subject that is the person: ", lifting one knee"."""
        return f", {gerund(self.clauses[number % len(self.clauses)])}"

    @property
    def with_thing(self) -> str:
        """What it is done with: " with the ball"; empty if nothing is handled."""
        scene = self.scene
        return f" with {self.thing(again=True)}" if scene.tool or scene.thing else ""

    @property
    def aim(self) -> str:
        """What it is done for: " to reach a goal"."""
        return f" to {self.fill(self.scene.frame.why)}"

    @property
    def begin(self) -> str:
        """What a person does before the movement itself."""
        return self._framed(self.scene.frame.begin, "lifts {hand} in front of the body")

    @property
    def finish(self) -> str:
        """What a person does after it."""
        return self._framed(self.scene.frame.finish, "lowers {hand} to the side")

    def _framed(self, pattern: str, without: str) -> str:
        missing = "{thing}" in pattern and not (self.scene.tool or self.scene.thing)
        return self.fill(without if missing else pattern)

    def fill(self, pattern: str) -> str:
        """Close the gaps of a pattern; what was named once is spoken of as known."""
        said: set[str] = set()

        def close(match: re.Match[str]) -> str:
            gap = match.group(1)
            again = gap in said
            said.add(gap)
            if gap == "thing":
                return self.thing(again=again)
            if gap == "partner":
                return _PARTNER[again]
            if gap == "way":
                return self.way
            return self.limb(gap, again=again).text

        return " ".join(_GAP.sub(close, pattern).split()).replace(" ,", ",")


def _shorten(clause: str) -> str:
    """A clause without what comes after its core, if it is long."""
    if len(clause.split()) <= _LONG_CLAUSE:
        return clause
    for tail in reversed(list(_TAIL.finditer(clause))):
        core = clause[: tail.start()]
        if 4 <= len(core.split()) <= _LONG_CLAUSE + 2:
            return core
    return clause
