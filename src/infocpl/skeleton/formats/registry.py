"""The formats that can be read and written, and the function that finds the right one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infocpl.errors import ConfigError, SkeletonFormatError
from infocpl.skeleton.formats.limits import read_head
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["SkeletonFormat", "get_format", "list_formats", "read_skeleton", "register_format"]


@dataclass(frozen=True)
class SkeletonFormat:
    """One file format.

    Attributes
    ----------
    name : registry name, for example ``"ntu"``
    title : one line for people: dataset, sensor, kind of file
    layout : name of the layout its clips have, or None where each file has its own
    suffixes : usual file name endings in lower case, with the dot
    read : path to clip; raises :class:`SkeletonFormatError` for everything that is wrong
    write : path and clip to file, or None if the format cannot be written
    sniff : whether the first bytes of a file look like this format
    frame_suffix : ending of the files in a folder that has one for each frame of a clip; "" if the
        format knows no such folders
    """

    name: str
    title: str
    layout: str | None
    suffixes: tuple[str, ...]
    read: Callable[[Path], SkeletonSequence]
    write: Callable[[Path, SkeletonSequence], None] | None
    sniff: Callable[[bytes], bool]
    frame_suffix: str = ""


_FORMATS: dict[str, SkeletonFormat] = {}


def register_format(format: SkeletonFormat, *, overwrite: bool = False) -> SkeletonFormat:
    """Make `format` known under its name and return it.

    Raises
    ------
    ConfigError : if the name is taken and `overwrite` is false, or a suffix is not lower case
        with a leading dot
    """
    if format.name in _FORMATS and not overwrite:
        raise ConfigError(
            f"a skeleton format {format.name!r} is registered already; pass overwrite=True"
        )
    for suffix in format.suffixes:
        if not suffix.startswith(".") or suffix != suffix.lower():
            raise ConfigError(
                f"skeleton format {format.name!r}: suffixes must be like '.txt', got {suffix!r}"
            )
    _FORMATS[format.name] = format
    return format


def list_formats() -> list[str]:
    """Names of all registered formats, sorted.

    Examples
    --------
    >>> {"ntu", "openpose"} <= set(list_formats())
    True
    """
    return sorted(_FORMATS)


def get_format(name: str) -> SkeletonFormat:
    """Return the format called `name`; :class:`ConfigError` names the known ones.

    Examples
    --------
    >>> get_format("ntu").layout
    'ntu25'
    """
    try:
        return _FORMATS[name]
    except KeyError:
        raise ConfigError(
            f"unknown skeleton format {name!r}; known: {', '.join(list_formats())}"
        ) from None


def read_skeleton(path: str | Path, format: str | None = None) -> SkeletonSequence:
    """Read a clip from a skeleton file.

    Parameters
    ----------
    path : the file, or the folder of a format with one file for each frame
    format : name of its format; None recognises it by content, then by suffix

    Returns
    -------
    SkeletonSequence : (M, T, V, C) in the format's layout, y up

    Raises
    ------
    SkeletonFormatError : if the file is missing, of no known format, or not what its format
        promises (the message names line or field, what was expected and what was found)
    ConfigError : if `format` is not a registered name

    Examples
    --------
    >>> read_skeleton("no/such/clip.skeleton", format="ntu")
    Traceback (most recent call last):
    infocpl.errors.SkeletonFormatError: no/such/clip.skeleton: file: expected a readable file, \
got nothing at this path
    """
    path = Path(path)
    chosen = get_format(format) if format is not None else _recognise(path)
    return chosen.read(path)


def _recognise(path: Path) -> SkeletonFormat:
    file = _first_frame(path)
    head = read_head(file or path)
    if not head:
        raise SkeletonFormatError(path, "file", "content", "an empty file")
    known = [item for item in _FORMATS.values() if file is None or item.frame_suffix]
    suffix = (file or path).suffix.lower()
    by_suffix = [item for item in known if suffix in item.suffixes]
    by_content = [item for item in known if item.sniff(head)]
    both = [item for item in by_content if item in by_suffix]
    # A damaged file of a telling suffix is left to its reader, which can say what is wrong.
    for group in (both, by_content, by_suffix):
        if len(group) == 1:
            return group[0]
    candidates = [item.name for item in both or by_content or by_suffix]
    if candidates:
        raise SkeletonFormatError(
            path, "format", "one format to fit", f"{', '.join(candidates)}; name the format"
        )
    titles = "; ".join(
        f"{name} ({'/'.join(_FORMATS[name].suffixes)}: {_FORMATS[name].title})"
        for name in list_formats()
    )
    raise SkeletonFormatError(path, "format", f"one of {titles}", "none of these")


def _first_frame(path: Path) -> Path | None:
    """The first file of a folder with one for each frame; None if `path` is no such folder."""
    suffixes = {item.frame_suffix for item in _FORMATS.values()} - {""}
    try:
        files = [file for file in path.iterdir() if file.suffix.lower() in suffixes]
    except (OSError, ValueError):  # no folder, or one that cannot be read
        return None
    return min(files, default=None)
