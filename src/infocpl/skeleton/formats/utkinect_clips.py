"""The clips of UTKinect-Action3D: what the labels cut out of the recordings.

``actionLabel.txt`` tells for each recording from which frame number to which each of ten actions
lasts; an action that was not performed says ``NaN NaN``. See
:mod:`infocpl.skeleton.formats.utkinect` for the recordings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.collection import (
    CollectionFormat,
    SkeletonCollection,
    register_collection_format,
)
from infocpl.skeleton.formats.limits import show
from infocpl.skeleton.formats.number_rows import read_lines
from infocpl.skeleton.formats.utkinect import FPS, make_clip, read_recording
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = [
    "UTKINECT_ACTIONS",
    "ActionInterval",
    "UTKinectClips",
    "open_utkinect",
    "read_utkinect_labels",
]

UTKINECT_ACTIONS = (
    "walk", "sitDown", "standUp", "pickUp", "carry", "throw", "push", "pull", "waveHands",
    "clapHands",
)  # fmt: skip
"""Names of the actions in ``actionLabel.txt``, in the order of class numbers 0 to 9."""

_LABELS = "actionLabel.txt"
_MAX_LABEL_LINES = 10_000
_SESSION = re.compile(rb"s\d{2}_e\d{2}")
_INTERVAL = re.compile(rb"(\w{1,40}):\s*(\d{1,9}|NaN)\s+(\d{1,9}|NaN)")


@dataclass(frozen=True)
class ActionInterval:
    """One line of ``actionLabel.txt``.

    Attributes
    ----------
    session : recording, such as ``"s01_e01"``
    action : one of :data:`UTKINECT_ACTIONS`
    start, end : first and last frame number, both included; None if it was not performed
    """

    session: str
    action: str
    start: int | None
    end: int | None


def read_utkinect_labels(path: str | Path) -> list[ActionInterval]:
    r"""Read ``actionLabel.txt``.

    Raises
    ------
    SkeletonFormatError : if the file is unreadable, or a line is neither the name of a recording
        nor an action with two numbers or two times NaN (path, line)

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "actionLabel.txt"
    ...     _ = path.write_text("s01_e01\nwalk: 252 390\ncarry:  NaN NaN\n")
    ...     [(item.action, item.start, item.end) for item in read_utkinect_labels(path)]
    [('walk', 252, 390), ('carry', None, None)]
    """
    path = Path(path)
    session = ""
    found: list[ActionInterval] = []
    seen: set[tuple[str, str]] = set()
    for number, line in enumerate(read_lines(path, _MAX_LABEL_LINES), start=1):
        text, where = line.strip(), f"line {number}"
        if _SESSION.fullmatch(text):
            session = text.decode("ascii")
            continue
        parts = _INTERVAL.fullmatch(text)
        action = parts[1].decode("latin-1") if parts else ""
        if parts is None or action not in UTKINECT_ACTIONS or not session:
            expected = "a recording such as s01_e01, then lines such as 'walk: 252 390'"
            raise SkeletonFormatError(path, "label", expected, show(text), where)
        if (session, action) in seen:
            expected = f"every action of {session} once"
            raise SkeletonFormatError(path, "label", expected, f"{action} again", where)
        seen.add((session, action))
        start, end = (None if part == b"NaN" else int(part) for part in parts.groups()[1:])
        if (start is None) != (end is None) or (start is not None and not start <= (end or 0)):
            expected = "a first frame not above the last one, or NaN NaN"
            raise SkeletonFormatError(path, "interval", expected, show(text), where)
        found.append(ActionInterval(session, action, start, end))
    return found


class UTKinectClips(SkeletonCollection):
    """The clips of a UTKinect folder; open it with :func:`open_utkinect`."""

    def __init__(self, folder: Path, files: dict[str, Path], clips: list[ActionInterval]) -> None:
        present = [item for item in clips if item.session in files and item.start is not None]
        notes = [
            f"{item.session}: {item.action} was not performed (NaN NaN)"
            for item in clips
            if item.start is None and item.session in files
        ]
        for name, wanted, there in (
            ("no recording of", {item.session for item in clips}, set(files)),
            ("no labels of", set(files), {item.session for item in clips}),
        ):
            if missing := sorted(wanted - there):
                notes.append(f"{name} {', '.join(missing)}")
        super().__init__(
            folder,
            create_layout("kinect20"),
            [f"{item.session}_{item.action}" for item in present],
            np.array([UTKINECT_ACTIONS.index(item.action) for item in present], dtype=np.int64),
            files=[folder / _LABELS, *files.values()],
            classes=len(UTKINECT_ACTIONS),
            fps=FPS,
            notes=notes,
        )
        self._intervals = present
        self._files = files
        self._last: tuple[str, NDArray[np.int64], NDArray[np.float64]] | None = None

    def read(self, index: int) -> SkeletonSequence:
        """Return clip number `index`: the rows whose numbers lie within its interval."""
        item = self._intervals[self._position(index)]
        path = self._files[item.session]
        if self._last is None or self._last[0] != item.session:
            self._last = (item.session, *read_recording(path))
        _, numbers, points = self._last
        inside = (numbers >= (item.start or 0)) & (numbers <= (item.end or 0))
        if not points[inside].any():
            expected = f"a person in some frame from {item.start} to {item.end} ({item.action})"
            got = "zeros only" if inside.any() else f"frames {numbers[0]} to {numbers[-1]}"
            raise SkeletonFormatError(path, "rows", expected, got)
        return make_clip(points[inside], self._source(index))


def open_utkinect(folder: str | Path) -> UTKinectClips:
    """Open a folder with ``actionLabel.txt`` and the recordings, in it or in its folder ``joints``.

    Returns
    -------
    UTKinectClips : clips named ``s01_e01_walk``, labels by :data:`UTKINECT_ACTIONS`; its notes tell
        which actions were not performed and which recordings are missing

    Raises
    ------
    SkeletonFormatError : if there are no labels, no recordings, or none that fit each other
    """
    folder = Path(folder)
    labels = read_utkinect_labels(folder / _LABELS)
    files: dict[str, Path] = {}
    for place in (folder, folder / "joints"):
        for file in sorted(place.glob("joints_s??_e??.txt")):
            files.setdefault(file.stem.removeprefix("joints_"), file)
    return UTKinectClips(folder, files, labels)


register_collection_format(
    CollectionFormat(
        name="utkinect",
        title="UTKinect folder with actionLabel.txt and its recordings",
        open=open_utkinect,
        sniff=lambda path: (path / _LABELS).is_file(),
    )
)
