"""A little English grammar: verbs that agree, gerunds, articles, lists of words."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NounPhrase", "article", "definite", "gerund", "join_words"]


@dataclass(frozen=True)
class NounPhrase:
    """Something a sentence is about, and whether there are several of it."""

    text: str
    plural: bool = False

    def __str__(self) -> str:
        return self.text

    @property
    def title(self) -> str:
        """With a capital, to begin a sentence."""
        return self.text[:1].upper() + self.text[1:]

    def verb(self, base: str) -> str:
        """The form of a verb that goes with it: "move" or "moves".

        Examples
        --------
        >>> NounPhrase("the hand").verb("push"), NounPhrase("both hands", True).verb("push")
        ('pushes', 'push')
        """
        word, _, rest = base.partition(" ")
        if not self.plural:
            word = {"be": "is", "have": "has", "do": "does", "go": "goes"}.get(word) or _third(word)
        elif word == "be":
            word = "are"
        return f"{word} {rest}".strip()

    @property
    def possessive(self) -> str:
        """``its`` or ``their``."""
        return "their" if self.plural else "its"


def _third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "z", "o")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


_TWICE = re.compile(r"[^aeiou]*[aeiou][bdgklmnprtvz]")


def gerund(phrase: str) -> str:
    """Turn "swings one leg" into "swinging one leg".

    Examples
    --------
    >>> gerund("sits down"), gerund("carries a box"), gerund("lies flat"), gerund("pushes hard")
    ('sitting down', 'carrying a box', 'lying flat', 'pushing hard')
    """
    word, _, rest = phrase.partition(" ")
    word = word.rstrip(",")
    if word.endswith("ies"):
        stem = f"{word[:-3]}y" if len(word) > 4 else f"{word[0]}y"
    elif word.endswith(("ses", "shes", "ches", "xes", "zes", "oes")):
        stem = word[:-2]
    else:
        stem = word[:-1] if word.endswith("s") and not word.endswith("ss") else word
    if stem.endswith("e") and not stem.endswith(("ee", "oe", "ye")):
        stem = stem[:-1]
    elif _TWICE.fullmatch(stem):
        stem += stem[-1]
    return f"{stem}ing {rest}".strip()


def join_words(words: list[str], last: str = "and") -> str:
    """Put words into a list such as "up, left and right"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def article(noun: str) -> str:
    """The word before a noun: "a" or "an"."""
    return "an" if noun[0] in "aeiou" else "a"


def definite(phrase: str) -> str:
    """Turn "a ball" into "the ball".

    Examples
    --------
    >>> definite("an iron"), definite("clothes"), definite("the string")
    ('the iron', 'the clothes', 'the string')
    """
    if phrase.startswith("the "):
        return phrase
    for article in ("a ", "an ", "several ", "two "):
        if phrase.startswith(article):
            return f"the {phrase.removeprefix(article)}"
    return f"the {phrase}"
