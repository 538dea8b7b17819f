"""A description for any name: from a lexicon, from the motion grammar, or from its neighbours.

Each says where it comes from and how sure it is, so that nobody takes a composed description for a
written one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from infocpl.errors import SemanticsError
from infocpl.files import atomic_path
from infocpl.semantics.cache import EmbeddingCache
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.grammar.entries import GRAMMAR, compose_entry
from infocpl.semantics.grammar.reading import CONFIDENT, Reading, read_name
from infocpl.semantics.labels import LabelSet, label_key
from infocpl.semantics.lexicon import Lexicon, find_entry
from infocpl.semantics.nearest import MIXTURE, Neighbour, find_neighbours, mix_entry
from infocpl.semantics.prompts import NAME_ONLY
from infocpl.semantics.text import TextEncoder

__all__ = [
    "DESCRIBED",
    "MODEL",
    "Described",
    "describe",
    "describe_all",
    "is_composed",
    "to_lexicon",
    "write_described",
]

MODEL = "language model"
"""Dataset of entries that a language model wrote, and how their source begins."""

DESCRIBED = "described"
"""Dataset name of a lexicon made of described names, unless another one is chosen."""

_FEWEST_ALIASES = 4


@dataclass(frozen=True)
class Described:
    """What a name is taken to mean.

    Attributes
    ----------
    name : with single spacing
    entry : the description; None where nothing but the name is known
    source : ``"lexicon <dataset>"``, ``"grammar (confidence 0.83)"``, ``"nearest (...)"`` with
        the actions it resembles, ``"language model <name>"``, or ``"name only"``
    confidence : 0 to 1; 1 for an entry of a lexicon or of a language model (which does not say),
        that of the reading for the grammar, half the similarity of the nearest name for a mixture
    reading : how the grammar read the name; None where a lexicon knows it
    neighbours : whose traits were mixed
    """

    name: str
    entry: LexiconEntry | None
    source: str
    confidence: float
    reading: Reading | None = None
    neighbours: tuple[Neighbour, ...] = ()


def describe(
    name: str,
    *,
    lexicons: Sequence[Lexicon] = (),
    dataset: str = "",
    grammar: bool = True,
    encoder: TextEncoder | None = None,
    cache: EmbeddingCache | None = None,
    taken: Sequence[str] = (),
) -> Described:
    """Describe an action by its name.

    Lexicons are asked first; then the motion grammar, if it understands enough of the name
    (:data:`~infocpl.semantics.grammar.CONFIDENT`); then, given a text encoder, the entries whose
    names mean something similar.

    Parameters
    ----------
    name : an action
    lexicons : your own, asked before the shipped ones
    dataset : which of the shipped lexicons is asked first
    grammar : whether the motion grammar may describe it
    encoder : text encoder for the last resort (default: none, so there is no last resort)
    cache : where its embeddings are kept
    taken : names that the aliases of a composed entry must not repeat

    Raises
    ------
    LabelError : if `name` is empty, too long or unreadable

    Examples
    --------
    >>> found = describe("kick the ball with the left foot twice")
    >>> found.source, found.entry.traits.side, found.entry.traits.repetition
    ('grammar (confidence 1.00)', 'left', 'few')
    >>> describe("sit down", dataset="nw-ucla").source, describe("zorb").source
    ('lexicon nw-ucla', 'name only')
    """
    (clean,) = LabelSet((name,)).names
    for lexicon in lexicons:
        entry = lexicon.get(clean)
        if entry is not None:
            return Described(clean, entry, f"lexicon {lexicon.dataset}", 1.0)
    known = find_entry(clean, first=dataset)
    if known is not None:
        return Described(clean, known[0], f"lexicon {known[1].dataset}", 1.0)
    reading = read_name(clean)
    if grammar and reading.confidence >= CONFIDENT:
        source = f"grammar (confidence {reading.confidence:.2f})"
        entry = compose_entry(reading, taken=taken)
        return Described(clean, entry, source, reading.confidence, reading)
    near = find_neighbours(clean, encoder, lexicons=lexicons, cache=cache) if encoder else ()
    if near:
        entry = mix_entry(clean, near, reading=reading, taken=taken)
        told = ", ".join(f"{item.entry.name} {item.similarity:.2f}" for item in near)
        confidence = round(near[0].similarity / 2, 2)
        return Described(clean, entry, f"nearest ({told})", confidence, reading, near)
    return Described(clean, None, NAME_ONLY, 0.0, reading)


def describe_all(
    labels: LabelSet | Sequence[str],
    *,
    lexicons: Sequence[Lexicon] = (),
    dataset: str = "",
    grammar: bool = True,
    encoder: TextEncoder | None = None,
    cache: EmbeddingCache | None = None,
) -> tuple[Described, ...]:
    """:func:`describe` for several names, no alias of one being the name of another.

    Raises
    ------
    LabelError : if the names break the rules of :class:`LabelSet`
    """
    labels = labels if isinstance(labels, LabelSet) else LabelSet(tuple(labels))
    return tuple(
        describe(
            name,
            lexicons=lexicons,
            dataset=dataset,
            grammar=grammar,
            encoder=encoder,
            cache=cache,
            taken=labels.names,
        )
        for name in labels
    )


def is_composed(source: str) -> bool:
    """Whether a source says that a description was composed and not written by a person.

    Examples
    --------
    >>> is_composed("grammar (confidence 0.83)"), is_composed("lexicon grammar-lessons")
    (True, False)
    """
    return source.startswith((GRAMMAR, MIXTURE, MODEL))


def to_lexicon(described: Sequence[Described], *, dataset: str = DESCRIBED) -> Lexicon | None:
    """The entries as one lexicon, each under the name that was asked for; None if there is none.

    Aliases that another entry has already are left out.
    """
    named = [item for item in described if item.entry is not None]
    taken = {label_key(item.name) for item in named}
    entries: list[LexiconEntry] = []
    for item in named:
        if item.entry is None:
            continue
        aliases: list[str] = []
        # The name an entry has in its lexicon is one more way to call it.
        for alias in (item.entry.name, *item.entry.aliases):
            if label_key(alias) not in taken and len(aliases) < 6:
                taken.add(label_key(alias))
                aliases.append(alias)
        number = 1
        while len(aliases) < _FEWEST_ALIASES:
            spare = f"action {len(entries) + 1} of these, name {number}"
            if label_key(spare) not in taken:
                taken.add(label_key(spare))
                aliases.append(spare)
            number += 1
        entries.append(replace(item.entry, name=item.name, aliases=tuple(aliases), dataset=dataset))
    return Lexicon(dataset, tuple(entries)) if entries else None


def write_described(
    described: Sequence[Described], path: Path, *, dataset: str = DESCRIBED
) -> Lexicon:
    """Write the entries as a lexicon file to read, edit and load again.

    Comments at its head say where each entry comes from and how its name was read.

    Returns
    -------
    the lexicon that was written

    Raises
    ------
    SemanticsError : if no name has an entry, or the file cannot be written
    """
    lexicon = to_lexicon(described, dataset=dataset)
    if lexicon is None:
        raise SemanticsError("nothing to write: of none of the names more is known than the name")
    lines = ["# Descriptions of actions. Edit them freely; use them with --lexicon FILE."]
    for item in described:
        lines.append(f"# {item.name}: {item.source}")
        if item.reading is not None:
            lines.append(f"#   read as {item.reading.explain()}")
    try:
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n" + lexicon.to_yaml(), encoding="utf-8")
    except OSError as error:
        raise SemanticsError(f"{path} cannot be written: {error.strerror}") from error
    return lexicon
