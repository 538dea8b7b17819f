"""What each word of a name has to do with the action: mover, goal, tool, thing, direction ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from infocpl.semantics.grammar.choose import PREPOSITIONS, Read
from infocpl.semantics.grammar.vocabulary import BodyPlace, Thing, Vocabulary, Way
from infocpl.semantics.grammar.words import ARTICLES, Token

__all__ = ["Act", "LimbUse", "Parsed", "ThingUse", "assign_roles"]

_TOOL = ("with", "using", "by")
_LINKS = ("and", "then", "while", "or", "plus", "to")
_GOAL = ("to", "on", "onto", "at", "against", "toward", "towards", "into", "in")
_BESIDE = ("above", "over", "below", "under", "behind", "near", "beside", "between", "around")


@dataclass
class Act:
    """An action of a name, how it is linked to the one before it, and whether it is a plural."""

    key: str
    link: str = ""
    plural: bool = False
    words: int = 1


@dataclass(frozen=True)
class LimbUse:
    """A place of the body in a name.

    Attributes
    ----------
    role : ``"mover"`` before an action, ``"object"`` after it, ``"tool"`` ("with the foot"),
        ``"goal"`` ("to the nose"), ``"beside"`` ("over the head"), ``"without"``
    both : whether the name says both, or more than one
    """

    place: BodyPlace
    role: str
    both: bool


@dataclass(frozen=True)
class ThingUse:
    """A thing in a name: ``"object"``, ``"tool"``, ``"place"`` or ``"without"``.

    `phrase` is how a sentence calls it, which a plural changes.
    """

    thing: Thing
    role: str
    phrase: str


@dataclass
class Parsed:
    """A name taken apart. `side` is empty where the name says none."""

    acts: list[Act] = field(default_factory=list)
    limbs: list[LimbUse] = field(default_factory=list)
    things: list[ThingUse] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)
    heights: list[str] = field(default_factory=list)
    manners: list[str] = field(default_factory=list)
    times: str = ""
    postures: list[str] = field(default_factory=list)
    side: str = ""
    hands: str = ""
    feet: str = ""
    two_persons: bool = False
    other_person: bool = False
    child: bool = False
    unknown: list[str] = field(default_factory=list)

    @property
    def objects(self) -> list[ThingUse]:
        """Things that are handled, not those that are used or stand somewhere."""
        return [use for use in self.things if use.role == "object"]


class _Walker:
    """Goes through the meanings of a name in order and remembers what was said just before."""

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self.tokens = tokens
        self.vocabulary = vocabulary
        self.parsed = Parsed()
        self.preposition = ""
        self.link = ""
        self.negated = False
        self.plural_side = False
        self.last_place = -1

        self.handlers: dict[str, Callable[[Read, Read | None], None]] = {
            "empty": self._empty,
            "negation": self._negation,
            "action": self._action,
            "body": self._body,
            "thing": self._thing,
            "person": self._person,
            "hands": self._hands,
            "feet": self._feet,
            "side": self._side,
            "way": self._way,
            "height": self._height,
            "manner": self._manner,
            "times": self._times,
            "posture": self._posture,
            "unknown": self._unknown,
        }

    def take(self, read: Read, following: Read | None) -> None:
        """Note what one meaning says; a bare number says nothing."""
        if read.kind in self.handlers:
            self.handlers[read.kind](read, following)

    def _empty(self, read: Read, following: Read | None) -> None:
        word = read.value
        if word in _LINKS:
            self.link = word
        if word in PREPOSITIONS and word != "of":
            self.preposition = word
        elif word not in ARTICLES and word not in ("and", "or", "of"):
            self.negated = False

    def _negation(self, read: Read, following: Read | None) -> None:
        self.negated = True

    def _action(self, read: Read, following: Read | None) -> None:
        if self.negated:
            return
        last = self.tokens[read.span.places[-1]]
        plural = last.plural and last.text not in self.vocabulary.words
        words = len(read.span.places)
        self.last_place = read.span.places[-1]
        self.parsed.acts.append(Act(read.value, self.link, plural, words))
        self.link = self.preposition = ""

    def _body(self, read: Read, following: Read | None) -> None:
        place = self.vocabulary.body[read.value]
        token = self.tokens[read.span.places[-1]]
        both = self.plural_side or (token.plural or token.text in ("feet", "teeth"))
        self.parsed.limbs.append(LimbUse(place, self._limb_role(), both))
        self.preposition = self.link = ""
        self.plural_side = False

    def _limb_role(self) -> str:
        if self.negated:
            return "without"
        if self.preposition in _TOOL:
            return "tool"
        if self.preposition in _BESIDE:
            return "beside"
        if self.preposition in _GOAL or self.link == "to":
            return "goal"
        return "object" if self.parsed.acts else "mover"

    def _thing(self, read: Read, following: Read | None) -> None:
        thing = self.vocabulary.things[read.value]
        if self.negated:
            role = "without"
        elif self.preposition in _TOOL:
            role = "tool"
        elif self.preposition and (thing.place or self.parsed.objects):
            role = "place"
        else:
            role = "object"
        phrase = thing.phrase
        if self.tokens[read.span.places[-1]].plural and phrase.startswith(("a ", "an ")):
            phrase = f"the {' '.join(self.tokens[place].text for place in read.span.places)}"
        self.parsed.things.append(ThingUse(thing, role, phrase))
        self.preposition = ""

    def _person(self, read: Read, following: Read | None) -> None:
        if read.value == "two":
            self.parsed.two_persons = True
        elif read.value == "child":
            self.parsed.child = True
        elif self.parsed.acts or self.preposition:
            # Before the action a person is who acts.
            self.parsed.other_person = True
        self.preposition = ""

    def _hands(self, read: Read, following: Read | None) -> None:
        if self.negated:
            self.parsed.limbs.append(LimbUse(self.vocabulary.body["hand"], "without", True))
        else:
            self.parsed.hands = read.value

    def _feet(self, read: Read, following: Read | None) -> None:
        self.parsed.feet = read.value

    def _side(self, read: Read, following: Read | None) -> None:
        value = read.value
        if value == "both":
            self.plural_side = True
            if following is None or following.kind != "body":
                self.parsed.side = "both"
        elif value in ("left", "right"):
            before_limb = following is not None and following.kind in ("body", "hands", "feet")
            # Inside the words of the action ("swing the left arm") a limb must be meant.
            inside = read.span.start < self.last_place
            handed = len(read.span.places) > 1
            if before_limb or inside or handed or not self._turns():
                self.parsed.side = self.parsed.side or value
            else:
                self.parsed.ways.append(Way(value, (value,)))
        elif value in ("either", "alternating"):
            self.parsed.side = self.parsed.side or value

    def _turns(self) -> bool:
        """Whether a side without a limb is a direction: "turn left", but "left punch"."""
        acts = self.parsed.acts
        return bool(acts) and "way" in self.vocabulary.frames[acts[-1].key].takes

    def _way(self, read: Read, following: Read | None) -> None:
        self.parsed.ways.append(self.vocabulary.ways[read.value])
        self.preposition = ""

    def _height(self, read: Read, following: Read | None) -> None:
        self.parsed.heights.append(read.value)
        self.preposition = ""

    def _manner(self, read: Read, following: Read | None) -> None:
        self.parsed.manners.append(read.value)

    def _times(self, read: Read, following: Read | None) -> None:
        self.parsed.times = read.value

    def _posture(self, read: Read, following: Read | None) -> None:
        self.parsed.postures.append(read.value)
        self.preposition = self.link = ""

    def _unknown(self, read: Read, following: Read | None) -> None:
        self.parsed.unknown.append(read.value)


def assign_roles(reads: Sequence[Read], tokens: Sequence[Token], vocabulary: Vocabulary) -> Parsed:
    """Take a name apart whose words have one meaning each."""
    walker = _Walker(tokens, vocabulary)
    told = [read for read in reads if read.kind != "empty"]
    for read in reads:
        later = [other for other in told if other.span.start > read.span.start]
        walker.take(read, later[0] if later else None)
    return walker.parsed
