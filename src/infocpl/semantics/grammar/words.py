"""Words of a name: cut apart, and the forms a dictionary may know each by.

Rules of regular English endings only, each giving candidates; which of them is a word is for the
vocabulary to say. So "running" may be "runn", "runne" or "run", and just one of them is known.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ARTICLES", "Token", "tokenise", "word_forms"]

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")
_POSSESSIVE = re.compile(r"'s?$")
_DOUBLED = re.compile(r"([bdgklmnprtvz])\1$")

ARTICLES = frozenset(
    ("the", "a", "an", "his", "her", "their", "your", "my", "its", "own", "some", "one's")
)
"""Words before a noun that say nothing about it."""


@dataclass(frozen=True)
class Token:
    """One word of a name.

    Attributes
    ----------
    text : as it stands in the name, in small letters
    forms : what it may be a form of, itself first
    """

    text: str
    forms: tuple[str, ...]

    @property
    def progressive(self) -> bool:
        """Whether it ends like "running"; such a word names an action rather than a thing."""
        return len(self.text) > 4 and self.text.endswith("ing")

    @property
    def plural(self) -> bool:
        """Whether it ends like "push-ups"."""
        return len(self.text) > 2 and self.text.endswith("s") and not self.text.endswith("ss")


def tokenise(name: str, irregular: Mapping[str, str]) -> tuple[Token, ...]:
    """The words of `name` in their order; hyphens, slashes and brackets divide words.

    Examples
    --------
    >>> [token.text for token in tokenise("Push-ups (2x), left/right", {})]
    ['push', 'ups', '2', 'x', 'left', 'right']
    """
    text = unicodedata.normalize("NFC", name).casefold().replace("’", "'").replace("&", " and ")
    return tuple(
        Token(word, word_forms(word, irregular)) for word in _WORD.findall(text.replace("_", " "))
    )


def word_forms(word: str, irregular: Mapping[str, str]) -> tuple[str, ...]:
    """`word` and what regular endings (and the table of irregular ones) may have made it from.

    Examples
    --------
    >>> word_forms("stirring", {})
    ('stirring', 'stirr', 'stir', 'stirre')
    >>> word_forms("feet", {"feet": "foot"})
    ('feet', 'foot')
    """
    found = [word]
    if word in irregular:
        found.append(irregular[word])
    plain = _POSSESSIVE.sub("", word)
    if plain != word:
        found.append(plain)
    for ending, least in (("ing", 2), ("ed", 2)):
        if plain.endswith(ending) and len(plain) - len(ending) >= least:
            stem = plain[: -len(ending)]
            found.append(stem)
            found.append(_DOUBLED.sub(r"\1", stem))
            found.append(stem + "e")
            if stem.endswith("i"):
                found.append(stem[:-1] + "y")
    found += _singular(plain)
    return tuple(dict.fromkeys(found))


def _singular(word: str) -> list[str]:
    """What `word` may be the plural of, or the third person."""
    if len(word) < 3 or not word.endswith("s") or word.endswith("ss"):
        return []
    if word.endswith("ies") and len(word) > 4:
        return [word[:-3] + "y", word[:-1]]
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        return [word[:-2], word[:-1]]
    if word.endswith("ves"):
        return [word[:-3] + "f", word[:-3] + "fe", word[:-1]]
    return [word[:-1]]
