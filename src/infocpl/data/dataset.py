"""What a dataset is: class names, file names, official protocols. Facts only, no clips."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from infocpl.data.protocol import ALIASES, FIELDS, ClipInfo, Protocol, ProtocolFile
from infocpl.data.walk import walk_files
from infocpl.errors import DataError

__all__ = ["Dataset", "PublishedResult"]


@dataclass(frozen=True)
class PublishedResult:
    """A zero-shot top-1 accuracy (fraction) printed by others, for orientation only."""

    split: str
    method: str
    top1: float
    source: str


@dataclass(frozen=True)
class Dataset:
    """A recorded dataset, as far as its files' names and its papers describe it.

    Attributes
    ----------
    name, title : registry name and name for people
    layout, format : names of the joint layout and of the skeleton file format
    classes : class names in official order
    class_ids : the number that file names use for each class
    file_pattern : regular expression on a clip's file name, or on the last parts of its path
        where folders carry the facts, with the named group ``action`` and any of
        ``subject``/``pair``, ``camera``/``view``, ``setup``,
        ``replication``/``trial``/``execution``/``run``; a group ``name`` gives the clip's name
        (default: the file name without suffix). Digits of a group make the id, or its place in
        `codes`. "" if the clips of the dataset cannot be found by file name.
    example : a file name that matches, for messages
    protocols : protocol name to protocol
    default_protocol : name of the one to use unless told otherwise ("" without protocols)
    protocol_files : protocols whose ids are read from lists in the user's copy
    codes : for groups that are words, the words in the order of the ids 1, 2, 3, ...; for
        ``action`` in the order of the classes
    missing : names of clips that officially have no usable skeleton
    published : results of others
    unverified : what this catalogue states from memory or from others' accounts, in sentences
    notes, source : what to know, and where the dataset was published

    Raises
    ------
    DataError : if these do not fit together
    """

    name: str
    title: str
    layout: str
    format: str
    classes: tuple[str, ...]
    class_ids: tuple[int, ...]
    file_pattern: str
    example: str = ""
    protocols: Mapping[str, Protocol] = field(default_factory=dict)
    default_protocol: str = ""
    protocol_files: Mapping[str, ProtocolFile] = field(default_factory=dict)
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    published: tuple[PublishedResult, ...] = ()
    unverified: tuple[str, ...] = ()
    notes: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}"
        folded = [" ".join(name.casefold().split()) for name in self.classes]
        if len(folded) < 2 or len(set(folded)) != len(folded):
            twice = sorted({name for name in folded if folded.count(name) > 1})
            raise DataError(f"{where}: classes: expected 2 or more different names, twice: {twice}")
        if len(set(self.class_ids)) != len(self.classes):
            raise DataError(
                f"{where}: class_ids: expected {len(self.classes)} different numbers, "
                f"got {self.class_ids}"
            )
        known = (*self.protocols, *self.protocol_files) or ("",)
        if self.default_protocol not in known:
            raise DataError(
                f"{where}: default_protocol: expected one of {', '.join(known)}, "
                f"got {self.default_protocol!r}"
            )
        self._check_pattern(where)

    def _check_pattern(self, where: str) -> None:
        groups = set(_compile(self.file_pattern).groupindex) if self.file_pattern else set()
        if self.file_pattern:
            unknown = sorted(groups - {"action", "name", *FIELDS[:-1], *ALIASES})
            if not groups - {"name"} or unknown:
                raise DataError(
                    f"{where}: file_pattern: expected a group 'action' or another fact and only "
                    f"known groups, got {', '.join(sorted(groups)) or 'none'}"
                )
        for group, words in self.codes.items():
            if group not in groups or len(set(words)) != len(words):
                raise DataError(
                    f"{where}: codes.{group}: expected different words for a group of "
                    f"file_pattern ({', '.join(sorted(groups))})"
                )
        if len(self.codes.get("action", self.classes)) != len(self.classes):
            raise DataError(
                f"{where}: codes.action: expected a word for each of {len(self.classes)} classes, "
                f"got {len(self.codes['action'])}"
            )

    def __hash__(self) -> int:
        return hash((self.name, self.classes, self.file_pattern))

    def protocol(self, name: str | None = None) -> Protocol:
        """The protocol called `name`, or the default one; :class:`DataError` if unknown."""
        name = self.default_protocol if name is None else name
        if name not in self.protocols:
            if name in self.protocol_files:
                pattern = self.protocol_files[name].pattern
                raise DataError(
                    f"protocol {name!r} of {self.title} is read from a list that ships with the "
                    f"data (named {pattern}), which was not found there"
                )
            known = ", ".join(self.protocols) or "none"
            raise DataError(f"dataset {self.name!r} has no protocol {name!r}; it has: {known}")
        return self.protocols[name]

    def label(self, class_name: str) -> int:
        """0-based number of a class; :class:`DataError` if the dataset does not have it."""
        try:
            return self.classes.index(class_name)
        except ValueError:
            raise DataError(f"dataset {self.name!r} has no class {class_name!r}") from None

    def parse(self, path: str | Path) -> ClipInfo:
        """Read what a file's name says.

        Raises
        ------
        DataError : if the name is not of this dataset's pattern, or its action id is unknown

        Examples
        --------
        >>> from infocpl.data.catalog import create_dataset
        >>> info = create_dataset("utd-mhad").parse("clips/a24_s3_t2_skeleton.mat")
        >>> info.name, info.label, info.subject, info.replication
        ('a24_s3_t2_skeleton', 23, 3, 2)
        """
        info = self._match(Path(path).as_posix())
        if info is None or "(?P<action>" not in self.file_pattern:
            raise DataError(f"{path}: expected a file name {self._expected()}")
        if info.label < 0:
            raise DataError(
                f"{path}: expected an action id of dataset {self.name!r} "
                f"({min(self.class_ids)} to {max(self.class_ids)}), got another one"
            )
        return info

    def fits(self, path: str) -> bool:
        """Whether a path is named like a clip, or a recording of several, of this dataset.

        Examples
        --------
        >>> from infocpl.data.catalog import create_dataset
        >>> ntu = create_dataset("ntu60")
        >>> ntu.fits("S001C001P001R001A060.skeleton"), ntu.fits("S001C001P001R001A061.skeleton")
        (True, False)
        """
        info = self._match(path)
        return info is not None and (info.label >= 0 or "(?P<action>" not in self.file_pattern)

    def facts(self, name: str) -> ClipInfo | None:
        """What an official name without suffix says (label -1 if nothing about it), or None."""
        return self._match(name) or self._match(name + Path(self.example).suffix)

    def describe(self, name: str, label: int) -> ClipInfo:
        """Facts about a clip that lies with others in one file.

        Parameters
        ----------
        name : its name there; facts are taken from it where it is an official one, without suffix
        label : class number that the file gives, -1 if it gives none

        Raises
        ------
        DataError : if the label is not one of this dataset, differs from the one in the name, or
            is in neither place

        Examples
        --------
        >>> from infocpl.data.catalog import create_dataset
        >>> create_dataset("ntu60").describe("S001C002P003R002A058", 57).camera
        2
        >>> create_dataset("ntu60").describe("train/000012", 57).camera
        -1
        """
        if label >= len(self.classes):
            raise DataError(
                f"clip {name!r}: label: expected 0 to {len(self.classes) - 1}, the classes of "
                f"{self.title}, got {label}"
            )
        found = self.facts(name) or ClipInfo(name, -1)
        if label >= 0 <= found.label != label:
            raise DataError(
                f"clip {name!r}: label: expected {found.label}, as its name says, got {label}"
            )
        if max(found.label, label) < 0:
            raise DataError(f"clip {name!r}: label: expected a class number, got none")
        return replace(found, name=name, label=max(found.label, label))

    def files(self, folder: str | Path) -> list[Path]:
        """Find the clips of this dataset below `folder`, sorted by path.

        Other files are passed over, and so are clips whose action is not of this dataset (NTU-60
        and NTU-120 often share a folder). Clips known as missing are listed; conversion skips
        and counts them.

        Raises
        ------
        DataError : if the folder is missing, holds no clip, or holds two clips of one name
        """
        return [Path(folder, name) for name in self.file_names(folder)]

    def file_names(self, folder: str | Path) -> list[str]:
        """Like :meth:`files`, as texts relative to `folder`, which need less memory."""
        folder = Path(folder)
        if not folder.is_dir():
            found = "a file" if folder.exists() else "nothing at this path"
            raise DataError(f"{folder}: expected a folder with {self.title} clips, got {found}")
        clips: dict[str, str] = {}
        others, example = 0, ""
        for path in walk_files(folder):
            file = path.relative_to(folder).as_posix()
            info = self._match(f"{folder.name}/{file}")
            if info is None or info.label < 0:
                others, example = others + 1, min(example or file, file)
            elif info.name in clips:
                raise DataError(
                    f"{folder}: expected each clip once, got {info.name!r} as "
                    f"{clips[info.name]} and as {file}"
                )
            else:
                clips[info.name] = file
        if not clips:
            found = f"{others} other files, such as {example}" if others else "no files"
            raise DataError(
                f"{folder}: expected {self.title} clips with file names {self._expected()}, "
                f"got {found}"
            )
        return sorted(clips.values(), key=lambda file: file.split("/"))

    def _expected(self) -> str:
        if "(?P<action>" not in self.file_pattern:
            return "(none: the clips of this dataset cannot be found by file name)"
        return f"like {self.example}" if self.example else f"of the pattern {self.file_pattern}"

    def _match(self, path: str) -> ClipInfo | None:
        """Read a path; None if it is of another pattern, label -1 if of another action."""
        match = _compile(self.file_pattern).fullmatch(path) if self.file_pattern else None
        if match is None:
            return None
        facts = {key: text for key, text in match.groupdict().items() if text is not None}
        name = facts.pop("name", None) or path.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        action = facts.pop("action", "")
        ids = {ALIASES.get(key, key): self._id(key, text) for key, text in facts.items()}
        if "action" in self.codes:
            words = self.codes["action"]
            label = words.index(action) if action in words else -1
        else:
            number = _number(action)
            label = self.class_ids.index(number) if number in self.class_ids else -1
        return ClipInfo(name=name, label=label, **ids)

    def _id(self, group: str, text: str) -> int:
        words = self.codes.get(group, ())
        return words.index(text) + 1 if text in words else _number(text)


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(f"(?:.*/)?(?:{pattern})")
    except re.error as error:
        raise DataError(f"file_pattern {pattern!r} is not a regular expression: {error}") from error


def _number(text: str) -> int:
    """The digits of a text as one number, so that the pair s01s02 is 102."""
    return int("".join(filter(str.isdigit, text)) or "-1")
