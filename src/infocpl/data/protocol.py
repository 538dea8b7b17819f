"""Facts about a clip that its file name tells, and protocols that divide clips by them."""

from __future__ import annotations

from dataclasses import dataclass

from infocpl.errors import DataError

__all__ = ["ALIASES", "FIELDS", "ClipInfo", "Protocol", "ProtocolFile"]

FIELDS = ("subject", "camera", "setup", "replication", "part")
"""Facts about a clip that a protocol can divide by; all but ``part`` come from its name."""

ALIASES = {
    "pair": "subject",
    "view": "camera",
    "recording": "setup",
    "trial": "replication",
    "execution": "replication",
    "run": "replication",
}
"""Words of single datasets for the same facts, allowed in file patterns and protocols."""


@dataclass(frozen=True)
class ClipInfo:
    """What the file name says about a clip.

    Attributes
    ----------
    name : unique within the dataset, for example ``"a1_s1_t1_skeleton"``
    label : 0-based class number, an index into the dataset's classes
    subject, camera, setup, replication : official ids; -1 where the dataset has no such thing
    part : side on which the file that held the clip put it: 1 training, 2 test; -1 for files that
        do not divide their clips
    """

    name: str
    label: int
    subject: int = -1
    camera: int = -1
    setup: int = -1
    replication: int = -1
    part: int = -1


@dataclass(frozen=True)
class Protocol:
    """Which clips of seen classes may train, by one recording fact.

    Attributes
    ----------
    name : for example ``"xsub"``
    field : one of :data:`FIELDS`
    train : ids of that field that train; every other id tests
    notes : what to know before using it

    Examples
    --------
    >>> protocol = Protocol("xsub", "subject", (1, 3))
    >>> protocol.is_train(ClipInfo("a", 0, subject=3)), protocol.is_train(ClipInfo("b", 0, 2))
    (True, False)
    """

    name: str
    field: str
    train: tuple[int, ...]
    notes: str = ""

    def __post_init__(self) -> None:
        if self.field not in FIELDS:
            raise DataError(
                f"protocol {self.name!r}: field must be one of {', '.join(FIELDS)}, "
                f"got {self.field!r}"
            )
        if not self.train or len(set(self.train)) != len(self.train):
            raise DataError(
                f"protocol {self.name!r}: train must be a list of different ids, got {self.train}"
            )

    def is_train(self, clip: ClipInfo) -> bool:
        """Whether a clip is on the training side."""
        return getattr(clip, self.field) in self.train


@dataclass(frozen=True)
class ProtocolFile:
    """A protocol whose ids stand in a list that ships with the dataset, not in the catalogue.

    Attributes
    ----------
    field : one of :data:`FIELDS`
    pattern : regular expression of the list's file name
    notes : what to know before using it
    """

    field: str
    pattern: str
    notes: str = ""
