"""Every error a user of infocpl can meet, in one place.

All of them derive from :class:`InfoCPLError`, so the command line can turn any of them into one
line and exit code 1, and a caller can catch them together without catching programming mistakes.
"""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "CheckpointError",
    "ConfigError",
    "DataError",
    "InfoCPLError",
    "LabelError",
    "LanguageModelError",
    "LayoutError",
    "OutputExistsError",
    "SemanticsError",
    "SkeletonFormatError",
    "SplitError",
    "SplitLeakageError",
    "StoreError",
]


class InfoCPLError(Exception):
    """Base of every error that has a message for the user."""


class SkeletonFormatError(InfoCPLError):
    """A skeleton file is not what its format promises.

    Parameters
    ----------
    path : the file that was read
    field : what was being read, in words ("frame count", "joint 7 x")
    expected, got : what the format asks for, and what stands there
    where : position in the file, such as ``"line 12"`` or ``"byte 40"`` ("" if the whole file)

    Examples
    --------
    >>> str(SkeletonFormatError("a.skeleton", "frame count", "a whole number", "'x'", "line 1"))
    "a.skeleton, line 1: frame count: expected a whole number, got 'x'"
    """

    def __init__(
        self, path: str | Path, field: str, expected: str, got: str, where: str = ""
    ) -> None:
        self.path = str(path)
        self.field = field
        self.expected = expected
        self.got = got
        self.where = where
        place = f"{self.path}, {where}" if where else self.path
        super().__init__(f"{place}: {field}: expected {expected}, got {got}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str, str]]:
        # Exceptions cross process borders during parallel conversion; the default
        # reduction would call __init__ with the finished message only.
        return type(self), (self.path, self.field, self.expected, self.got, self.where)


class LayoutError(InfoCPLError):
    """A joint layout is unknown, malformed, or cannot be mapped onto another one."""


class DataError(InfoCPLError):
    """A dataset, a folder of clips or a class of clips is missing or unusable."""


class StoreError(DataError):
    """A clip store is missing, damaged, or of another format version."""


class LabelError(InfoCPLError):
    """A list of class names is empty, duplicated, too long or unknown."""


class SplitError(InfoCPLError):
    """A split is unknown or does not fit its dataset."""


class SplitLeakageError(SplitError):
    """Something that must never see unseen classes has seen one."""


class SemanticsError(InfoCPLError):
    """A lexicon entry, a codebook or a text encoder is missing or malformed."""


class LanguageModelError(SemanticsError):
    """A language model cannot be reached, refuses, or gives no usable answer."""


class ConfigError(InfoCPLError):
    """A configuration value is unknown or out of range."""


class CheckpointError(InfoCPLError):
    """Saved weights or a training state are missing, damaged or of another version."""


class OutputExistsError(InfoCPLError):
    """An output place exists already and was not to be overwritten."""
