"""Sentences at several granularities, made of a lexicon entry or of a bare class name.

Many descriptions of one class, from its name down to single body parts, are the information
that InfoCPL compensates a poor class name with (arXiv 2406.00639, section III). An entry holds
some forty sentences; :mod:`.compounds` puts them together to as many more, and :mod:`.gists` says
with each of them what is done meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from infocpl.errors import SemanticsError
from infocpl.semantics.compounds import COMPOUNDS, constituents, list_compounds, name_with_gist
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.gists import carries_gist, overlap, share_gists, with_gist, word_bits
from infocpl.semantics.labels import LabelSet, label_key

__all__ = [
    "GRANULARITIES",
    "NAME_ONLY",
    "SINGLES",
    "Description",
    "check_granularities",
    "compose",
    "describe_name",
    "draw_balanced",
    "motion_description",
]

SINGLES = (
    *("name", "definition", "part", "phase", "attribute", "objects", "purpose", "sensor"),
    *("detail", "contrast"),
)
"""Kinds of description that are one sentence of an entry (or its name)."""

GRANULARITIES = (*SINGLES, *COMPOUNDS, "motion")
"""Kinds of description, in the order in which :func:`compose` gives them."""

NAME_ONLY = "name only"
"""Source of descriptions made without any lexicon entry."""

_TEMPLATES = (
    ("action", "A person performs the action: {name}."),
    ("skeleton", "A skeleton sequence of a person doing this: {name}."),
    ("movement", "The body movement of the action {name}."),
)
# Names say little about movement; more of them would only crowd out what does.
_MOST_ALIASES = 3
# Compounds that share more than this of their words have vectors that differ hardly at all.
_ECHO = 0.75


@dataclass(frozen=True)
class Description:
    """One sentence about an action.

    Attributes
    ----------
    granularity : one of :data:`GRANULARITIES`
    key : which one of its kind: a part, a phase, an attribute, a number, a template; of a
        compound sentence all that it is made of, and the gist it is told with, such as
        ``"head + gist.2"`` (see :func:`.compounds.constituents`)
    text : the sentence
    source : ``"lexicon <dataset>"``, :data:`NAME_ONLY`, or another one of
        :class:`~infocpl.semantics.describing.Described`
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


def compose(
    entry: LexiconEntry,
    granularities: Sequence[str] = GRANULARITIES,
    *,
    count: int | None = None,
    source: str = "",
) -> list[Description]:
    """Descriptions of one action, distinct, in the order of :data:`GRANULARITIES`.

    First come single sentences, then compound ones; within ``"part"`` and the compounds the parts
    that move come first. Of two sentences that differ in case and spacing only, the first stays,
    and so does it of two compound ones in nearly the same words. Where the entry has gists, they
    take turns in all sentences that do not define the action themselves.
    The granularity ``"motion"`` gives one row, the text of :func:`motion_description`.

    Parameters
    ----------
    entry : an action
    granularities : kinds of description to give
    count : at most so many, chosen by :func:`draw_balanced` (default: all, at least 100 for an
        entry and all kinds)
    source : where the entry comes from (default: the lexicon it stands in)

    Raises
    ------
    SemanticsError : if a granularity is unknown, or `count` is not at least 1

    Examples
    --------
    >>> from infocpl.semantics.lexicon import load_lexicon
    >>> entry = load_lexicon("nw-ucla")["sit down"]
    >>> [row.key for row in compose(entry, ["phase"])]
    ['start + gist.2', 'middle + gist.1', 'end + gist.3']
    >>> [row.granularity for row in compose(entry, count=3)]
    ['definition', 'part', 'phase']
    """
    wanted = check_granularities(granularities)
    source = source or f"lexicon {entry.dataset}"
    rows = _distinct(Description(kind, key, text, source) for kind, key, text in _sentences(entry))
    # Before the gist is added, which would make any two sentences of an entry alike.
    rows = _with_gists(_without_echoes(rows), entry.gist)
    rows = [row for row in rows if row.granularity in wanted]
    return rows if count is None else draw_balanced(rows, count)


def draw_balanced(rows: Sequence[Description], count: int) -> list[Description]:
    """At most `count` of `rows`, as evenly from all granularities as they allow.

    Granularities take turns in the order of :data:`GRANULARITIES`, ``"name"`` after the others
    that are single sentences, and give their next row at each turn; ``"phase"`` begins with the
    middle phase, which says most. So a smaller `count` always gives a part of what a larger one
    gives. The rows keep their order.

    Raises
    ------
    SemanticsError : if `count` is not at least 1
    """
    if count < 1:
        raise SemanticsError(f"count of descriptions: expected at least 1, got {count}")
    turns = [kind for kind in GRANULARITIES if kind != "name"]
    turns.insert(len(SINGLES) - 1, "name")
    order = []
    for turn, kind in enumerate(turns):
        own = [place for place, row in enumerate(rows) if row.granularity == kind]
        own.sort(key=lambda place: constituents(kind, rows[place].key)[0] != ("phase", "middle"))
        order += [(round_, turn, place) for round_, place in enumerate(own)]
    chosen = sorted(place for _, _, place in sorted(order)[:count])
    return [rows[place] for place in chosen]


def _sentences(entry: LexiconEntry) -> Iterator[tuple[str, str, str]]:
    """Granularity, key and text of every description of an entry, not yet distinct."""
    moving = entry.traits.moving
    parts = [*moving, *(part for part in entry.parts if part not in moving)]
    singles = [
        *(("definition", str(n), text) for n, text in enumerate(entry.definition, start=1)),
        *(("part", part, entry.parts[part]) for part in parts),
        *(("phase", phase, text) for phase, text in entry.phases.items()),
        *(("attribute", key, text) for key, text in entry.attributes.items()),
        ("objects", "objects", entry.objects),
        ("purpose", "purpose", entry.purpose),
        *(("sensor", str(n), text) for n, text in enumerate(entry.sensor, start=1)),
        *(("detail", str(n), text) for n, text in enumerate(entry.details, start=1)),
        *(("contrast", item.other, item.how) for item in entry.contrast),
    ]
    yield "name", "name", entry.name
    for number, alias in enumerate(entry.aliases[:_MOST_ALIASES], start=1):
        yield "name", f"alias {number}", alias
    yield from singles
    yield from list_compounds({(kind, key): text for kind, key, text in singles}, parts, moving)
    yield "motion", "motion", entry.motion


def _with_gists(rows: Sequence[Description], gists: Sequence[str]) -> list[Description]:
    """Rows, each with the gist that is its share if its kind carries one."""
    if not gists:
        return list(rows)
    shares = iter(
        share_gists([(r.granularity, r.text) for r in rows if carries_gist(r.granularity)], gists)
    )
    told = []
    for row in rows:
        if carries_gist(row.granularity) and (share := next(shares)):
            number, last = share
            text = with_gist(row.text, gists[number], row.granularity, row.key, last=last)
            row = replace(row, key=name_with_gist(row.key, number + 1), text=text)
        told.append(row)
    return told


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


def _distinct(rows: Iterable[Description]) -> list[Description]:
    kept: dict[str, Description] = {}
    for row in rows:
        kept.setdefault(label_key(row.text), row)
    return list(kept.values())


def _without_echoes(rows: Sequence[Description]) -> list[Description]:
    """Rows without compounds that say nearly what an earlier row says, judged by their words."""
    kept: list[Description] = []
    words: list[int] = []
    for row, own in zip(rows, word_bits([row.text for row in rows]), strict=True):
        if row.granularity in COMPOUNDS and any(map(_ECHO.__lt__, map(overlap(own), words))):
            continue
        kept.append(row)
        words.append(own)
    return kept
