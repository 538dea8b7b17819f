"""Sentences at several granularities, made of a lexicon entry or of a bare class name.

Many descriptions of one class, from its name down to single body parts, are the information
that InfoCPL compensates a poor class name with (arXiv 2406.00639, section III).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infocpl.errors import SemanticsError
from infocpl.semantics.labels import LabelSet, label_key
from infocpl.semantics.lexicon import LexiconEntry

__all__ = [
    "GRANULARITIES",
    "NAME_ONLY",
    "Description",
    "check_granularities",
    "compose",
    "describe_name",
    "motion_description",
]

GRANULARITIES = (
    "name",
    "definition",
    "part",
    "phase",
    "attribute",
    "sensor",
    "purpose",
    "contrast",
    "motion",
)
"""Kinds of description, in the order in which :func:`compose` gives them."""

NAME_ONLY = "name only"
"""Source of descriptions made without any lexicon entry."""

_TEMPLATES = (
    ("action", "A person performs the action: {name}."),
    ("skeleton", "A skeleton sequence of a person doing this: {name}."),
    ("movement", "The body movement of the action {name}."),
)


@dataclass(frozen=True)
class Description:
    """One sentence about an action.

    Attributes
    ----------
    granularity : one of :data:`GRANULARITIES`
    key : which one of its kind: a part, a phase, an attribute, a template
    text : the sentence
    source : ``"lexicon <dataset>"``, or :data:`NAME_ONLY`
    """

    granularity: str
    key: str
    text: str
    source: str = ""


def check_granularities(granularities: Iterable[str]) -> tuple[str, ...]:
    """`granularities` once each in the order of :data:`GRANULARITIES`.

    Raises
    ------
    SemanticsError : if none is given or one is unknown
    """
    if isinstance(granularities, str):
        granularities = (granularities,)
    wanted = tuple(granularities)
    unknown = [item for item in wanted if item not in GRANULARITIES]
    if unknown or not wanted:
        got = repr(unknown[0]) if unknown else "none"
        raise SemanticsError(
            f"granularities: expected some of {', '.join(GRANULARITIES)}, got {got}"
        )
    return tuple(item for item in GRANULARITIES if item in wanted)


def compose(entry: LexiconEntry, granularities: Sequence[str] = GRANULARITIES) -> list[Description]:
    """Descriptions of one action, distinct, in the order of :data:`GRANULARITIES`.

    Of two sentences that differ in case and spacing only, the first stays. The granularity
    ``"motion"`` gives one row, the text of :func:`motion_description`.

    Raises
    ------
    SemanticsError : if a granularity is unknown

    Examples
    --------
    >>> from infocpl.semantics.lexicon import load_lexicon
    >>> entry = load_lexicon("nw-ucla")["sit down"]
    >>> [row.key for row in compose(entry, ["phase"])]
    ['start', 'middle', 'end']
    """
    source = f"lexicon {entry.dataset}"
    rows = {
        "name": [*_name_rows(entry.name), *_alias_rows(entry)],
        "definition": [("definition", entry.definition)],
        "part": [(part, _about_part(part, text)) for part, text in entry.parts.items()],
        "phase": list(entry.phases.items()),
        "attribute": list(entry.attributes.items()),
        "sensor": [("sensor", entry.sensor)],
        "purpose": [("purpose", entry.purpose)],
        "contrast": [(item.other, item.how) for item in entry.contrast],
        "motion": [("motion", entry.motion)],
    }
    return _distinct(
        Description(kind, key, text, source)
        for kind in check_granularities(granularities)
        for key, text in rows[kind]
    )


def motion_description(entry: LexiconEntry) -> str:
    """Text of the motion row, which InfoCPL adds to every mixture of descriptions (row K+1)."""
    return entry.motion


def describe_name(name: str) -> list[Description]:
    """Descriptions of an action no lexicon knows: its name, and its name in sentences.

    Every row carries ``source="name only"``, so that whoever shows a result can say how little
    it stands on.

    Raises
    ------
    LabelError : if `name` is empty, too long or unreadable

    Examples
    --------
    >>> rows = describe_name("juggling")
    >>> rows[0].text, rows[0].source
    ('juggling', 'name only')
    """
    (clean,) = LabelSet((name,)).names
    return _distinct(Description("name", key, text, NAME_ONLY) for key, text in _name_rows(clean))


def _name_rows(name: str) -> list[tuple[str, str]]:
    return [("name", name), *((key, form.format(name=name)) for key, form in _TEMPLATES)]


def _alias_rows(entry: LexiconEntry) -> list[tuple[str, str]]:
    return [(f"alias {number}", alias) for number, alias in enumerate(entry.aliases, start=1)]


def _about_part(part: str, text: str) -> str:
    """`text`, led by the name of its part unless it says it anyway."""
    words = part.replace("_", " ")
    return text if words in label_key(text) else f"{words.capitalize()}: {text}"


def _distinct(rows: Iterable[Description]) -> list[Description]:
    kept: dict[str, Description] = {}
    for row in rows:
        kept.setdefault(label_key(row.text), row)
    return list(kept.values())
