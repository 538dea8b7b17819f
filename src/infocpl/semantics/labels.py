"""Class names: an ordered, checked set of them."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infocpl.errors import LabelError

__all__ = ["MAX_LABELS", "MAX_NAME_LENGTH", "LabelSet", "label_key", "read_labels"]

MAX_LABELS = 10_000
"""Most names a label set may hold."""

MAX_NAME_LENGTH = 512
"""Most characters a name may have."""

_MAX_FILE_BYTES = 32 * 2**20
# Control characters, lone surrogates and unassigned code points: none of them can be part of a
# readable name, and a surrogate cannot even be encoded to look the name up.
_REFUSED_CATEGORIES = ("Cc", "Cs", "Cn")


def label_key(name: str) -> str:
    """Form of `name` under which names are compared: one spacing, no case, composed (NFC).

    Examples
    --------
    >>> label_key("  Drink   WATER ")
    'drink water'
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    return unicodedata.normalize("NFC", " ".join(folded.split()))


@dataclass(frozen=True)
class LabelSet:
    """Class names in a fixed order; C = ``len(labels)``.

    Runs of white space inside a name become one space. Order is kept, since rows of a codebook
    and columns of a score matrix follow it.

    Attributes
    ----------
    names : 1 to 10,000 names of 1 to 512 characters each; no two alike after
        :func:`label_key`

    Raises
    ------
    LabelError : which name, at which position, breaks which rule

    Examples
    --------
    >>> labels = LabelSet(("drink water", "hand waving"))
    >>> len(labels), labels.index("Hand Waving")
    (2, 1)
    >>> LabelSet(("jump", "Jump"))
    Traceback (most recent call last):
    infocpl.errors.LabelError: label 2: 'Jump' repeats label 1 ('jump')
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        given: object = self.names
        if isinstance(given, str):
            raise LabelError(
                f"labels: expected several names, got one text {_shorten(given)}; "
                "use LabelSet.parse to split it at commas"
            )
        places = [f"label {number}" for number in range(1, len(tuple(self.names)) + 1)]
        object.__setattr__(self, "names", _check(tuple(self.names), places))

    @classmethod
    def parse(cls, text: str) -> LabelSet:
        """Split `text` at commas: ``"drink water, hand waving"``.

        A name that holds a comma itself can be given by :meth:`read` or the constructor.

        Examples
        --------
        >>> LabelSet.parse("drink water, hand waving").names
        ('drink water', 'hand waving')
        """
        return cls(tuple(text.split(",")))

    @classmethod
    def read(cls, path: str | Path) -> LabelSet:
        """Read a UTF-8 file with a name a line; empty lines and lines from ``#`` on are left out.

        Raises
        ------
        LabelError : file, line, and what is wrong
        """
        path = Path(path)
        try:
            size = path.stat().st_size
            if size > _MAX_FILE_BYTES:
                raise LabelError(
                    f"{path}: expected at most {_MAX_FILE_BYTES} bytes of class names, got {size}"
                )
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise LabelError(f"{path}: no such file of class names") from None
        except UnicodeDecodeError as error:
            raise LabelError(f"{path}, byte {error.start}: expected UTF-8 text") from None
        except OSError as error:
            raise LabelError(f"{path} cannot be read: {error.strerror}") from error
        lines = [
            (number, line)
            for number, line in enumerate(text.split("\n"), start=1)
            if line.strip() and not line.lstrip().startswith("#")
        ]
        if not lines:
            raise LabelError(f"{path}: expected a class name a line, got no name at all")
        places = [f"{path}, line {number}" for number, _ in lines]
        return cls(_check(tuple(line for _, line in lines), places))

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, index: int) -> str:
        return self.names[index]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and label_key(name) in self._positions()

    def index(self, name: str) -> int:
        """Position of `name`; :class:`LabelError` suggests the nearest names if it is absent."""
        positions = self._positions()
        key = label_key(name)
        if key not in positions:
            near = difflib.get_close_matches(key, positions, n=3)
            known = [self.names[positions[item]] for item in near] or list(self.names[:5])
            hint = "did you mean" if near else f"the {len(self)} labels begin with"
            raise LabelError(f"unknown label {_shorten(name)}; {hint} {', '.join(known)}")
        return positions[key]

    def subset(self, names: Iterable[str]) -> LabelSet:
        """Labels called `names`, in that order and in this set's spelling."""
        return LabelSet(tuple(self.names[self.index(name)] for name in names))

    def _positions(self) -> dict[str, int]:
        found: dict[str, int] | None = self.__dict__.get("_cached")
        if found is None:
            found = {label_key(name): position for position, name in enumerate(self.names)}
            object.__setattr__(self, "_cached", found)
        return found


def read_labels(text: str) -> LabelSet:
    """A label set from a file (a name a line) or from names divided by commas.

    Raises
    ------
    LabelError : if it is empty, holds a name twice, or a name is too long
    """
    # os.path.isfile() answers "no" where a long list of names could not be a path at all.
    return LabelSet.read(text) if os.path.isfile(text) else LabelSet.parse(text)


def _check(names: tuple[str, ...], places: list[str]) -> tuple[str, ...]:
    """Names with single spacing; :class:`LabelError` speaks of the place of the first bad one."""
    if not 1 <= len(names) <= MAX_LABELS:
        raise LabelError(f"labels: expected 1 to {MAX_LABELS} names, got {len(names)}")
    clean: list[str] = []
    first: dict[str, int] = {}
    for position, (name, place) in enumerate(zip(names, places, strict=True)):
        if not isinstance(name, str):
            raise LabelError(f"{place}: expected text, got {type(name).__name__}")
        trimmed = " ".join(name.split())
        if not 1 <= len(trimmed) <= MAX_NAME_LENGTH:
            got = f"{len(trimmed)} ({_shorten(trimmed)})" if trimmed else "an empty name"
            raise LabelError(f"{place}: expected 1 to {MAX_NAME_LENGTH} characters, got {got}")
        for character in trimmed:
            if unicodedata.category(character) in _REFUSED_CATEGORIES:
                raise LabelError(
                    f"{place}: expected readable characters, got U+{ord(character):04X}"
                )
        key = label_key(trimmed)
        if key in first:
            earlier = places[first[key]]
            raise LabelError(
                f"{place}: {_shorten(trimmed)} repeats {earlier} ({_shorten(clean[first[key]])})"
            )
        first[key] = position
        clean.append(trimmed)
    return tuple(clean)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
