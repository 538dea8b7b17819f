"""Recordings in the manner of NTU RGB+D and PKU-MMD, performed by the synthetic people.

Class numbers, subjects, cameras and names are those of the datasets; what the people do is not: the
synthetic actions are dealt out to the classes in turn, those of two persons to the two-person
classes. With more classes than actions several classes share one, so such data measure paths and
speed, not recognition.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import DataError
from infocpl.skeleton.formats.ntu import ntu_name
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.action_list import list_actions
from infocpl.skeleton.synthetic.actions import SyntheticAction
from infocpl.skeleton.synthetic.generate import FPS, move_bodies, partner_of
from infocpl.skeleton.synthetic.sensor import CAMERA_YAWS, View, create_view, observe
from infocpl.skeleton.synthetic.subjects import create_subject

__all__ = ["NtuRecording", "PkuScript", "list_ntu_recordings", "perform_pku"]

Array = NDArray[np.float64]

_PAIRS = (range(50, 61), range(106, 121))
"""Two-person classes of NTU RGB+D 60 and of what 120 adds."""

_PKU_PAIRS = (12, 14, 16, 18, 21, 24, 26, 27)
"""Two-person classes of PKU-MMD."""

_PAUSE = (15, 45)  # frames between two actions of a recording
_VIEWS = {"L": 2, "M": 1, "R": 3}
_NTU, _PKU = 303, 404  # so that no two kinds of data draw the same numbers


@dataclass(frozen=True)
class NtuRecording:
    """One file of an NTU-like dataset, before it is performed.

    The cameras of one setup, subject, replication and action see the same performance.
    """

    setup: int
    camera: int
    subject: int
    replication: int
    action: int

    @property
    def name(self) -> str:
        """Official name, without suffix.

        Examples
        --------
        >>> NtuRecording(1, 2, 3, 1, 50).name
        'S001C002P003R001A050'
        """
        return ntu_name(**vars(self))

    def perform(self, seed: int = 0) -> SkeletonSequence:
        """What the sensor recorded: (M, T, 25, 3) metres, M = 2 for two-person classes.

        Examples
        --------
        >>> NtuRecording(1, 1, 1, 1, 50).perform().persons
        2
        """
        action = _deal(self.action, any(self.action in pair for pair in _PAIRS))
        facts = [seed, _NTU, self.action, self.subject, self.replication, self.setup]
        rng = np.random.default_rng(facts)
        frames = int(np.clip(round(action.seconds * FPS * float(rng.uniform(0.8, 1.2))), 30, 240))
        joints = _move(action, self.subject, frames, rng, seed)
        sensor = np.random.default_rng([*facts, self.camera])
        keypoints, confidence = observe(joints, _view(self.camera, sensor), sensor)
        return SkeletonSequence(
            keypoints, create_layout("ntu25"), confidence=confidence, fps=FPS, source=self.name
        )


def list_ntu_recordings(
    *,
    classes: int = 60,
    subjects: int = 40,
    setups: int = 17,
    cameras: int = 3,
    replications: int = 2,
) -> list[NtuRecording]:
    """Every combination, replications and subjects outermost, so that a beginning has all classes.

    A subject belongs to one setup, as most of those of NTU RGB+D do.

    Parameters
    ----------
    classes : 60 for NTU RGB+D 60, 120 for 120; fewer give the first ones
    subjects, setups, cameras, replications : how many of each; cameras at most 3

    Raises
    ------
    DataError : if a number is out of range

    Examples
    --------
    >>> recordings = list_ntu_recordings()
    >>> len(recordings), recordings[0].name, recordings[-1].name
    (14400, 'S001C001P001R001A001', 'S006C003P040R002A060')
    """
    for field, value, most in (
        ("classes", classes, 120),
        ("subjects", subjects, 998),
        ("setups", setups, 999),
        ("cameras", cameras, len(CAMERA_YAWS)),
        ("replications", replications, 999),
    ):
        if not 1 <= value <= most:
            raise DataError(f"{field}: expected 1 to {most}, got {value}")
    return [
        NtuRecording(1 + (subject - 1) % setups, camera, subject, replication, action)
        for replication in range(1, replications + 1)
        for subject in range(1, subjects + 1)
        for camera in range(1, cameras + 1)
        for action in range(1, classes + 1)
    ]


@dataclass(frozen=True)
class PkuScript:
    """What happens in one PKU-MMD-like recording.

    Attributes
    ----------
    number : of the recording, which is also that of its subject
    actions : class numbers from 1, in order; only classes of one person or only of two, as in the
        dataset
    """

    number: int
    actions: tuple[int, ...]

    def __post_init__(self) -> None:
        if len({action in _PKU_PAIRS for action in self.actions}) != 1:
            raise DataError("actions: expected those of one person or those of two, not both")

    @classmethod
    def write(cls, number: int, actions: int, seed: int = 0) -> PkuScript:
        """Choose what happens; every third recording is one of two persons.

        Examples
        --------
        >>> len(PkuScript.write(2, 20).actions), PkuScript.write(3, 2).actions[0] in _PKU_PAIRS
        (20, True)
        """
        rng = np.random.default_rng([seed, _PKU, number])
        alone = [action for action in range(1, 52) if action not in _PKU_PAIRS]
        chosen = rng.choice(_PKU_PAIRS if number % 3 == 0 else alone, size=actions)
        return cls(number, tuple(chosen.tolist()))


def perform_pku(
    script: PkuScript, views: Sequence[str] = ("L", "M", "R"), seed: int = 0
) -> tuple[dict[str, SkeletonSequence], list[tuple[int, int, int]]]:
    """Perform a script before three sensors.

    Between actions the people go back to where the next one begins, in half a second to one and a
    half.

    Parameters
    ----------
    script : what happens
    views : of ``"L"``, ``"M"``, ``"R"``
    seed : another seed gives other people and other performances

    Returns
    -------
    recordings : view to the untrimmed recording, (M, T, 25, 3) metres
    intervals : (action, first frame, last frame) of every action, frames counted from 1

    Examples
    --------
    >>> recordings, intervals = perform_pku(PkuScript(1, (34, 1)), views="M")
    >>> [action for action, _, _ in intervals], recordings["M"].frames > intervals[-1][2]
    ([34, 1], True)
    """
    rng = np.random.default_rng([seed, _PKU, script.number, 1])
    parts: list[Array] = []
    intervals: list[tuple[int, int, int]] = []
    frame = 0
    for action in script.actions:
        record = _deal(action, action in _PKU_PAIRS)
        length = round(record.seconds * FPS * float(rng.uniform(0.8, 1.2)))
        joints = _move(record, script.number, length, rng, seed)
        pause = _pass_over(parts[-1][:, -1] if parts else joints[:, 0], joints[:, 0], rng)
        parts += [pause, joints]
        frame += pause.shape[1]
        intervals.append((action, frame + 1, frame + length))
        frame += length
    parts.append(_pass_over(parts[-1][:, -1], parts[-1][:, -1], rng))
    whole = np.concatenate(parts, axis=1)
    recordings = {}
    for view in views:
        sensor = np.random.default_rng([seed, _PKU, script.number, 2, _VIEWS[view]])
        keypoints, confidence = observe(whole, _view(_VIEWS[view], sensor), sensor)
        recordings[view] = SkeletonSequence(
            keypoints, create_layout("ntu25"), confidence=confidence, fps=FPS
        )
    return recordings, intervals


def _deal(action: int, pair: bool) -> SyntheticAction:
    suitable = [item for item in list_actions() if (item.persons == 2) == pair]
    return suitable[(action - 1) % len(suitable)]


def _move(
    action: SyntheticAction, subject: int, frames: int, rng: np.random.Generator, seed: int
) -> Array:
    numbers = [subject, partner_of(subject)][: action.persons]
    return move_bodies(action, [create_subject(n, seed) for n in numbers], rng, frames)


def _view(camera: int, rng: np.random.Generator) -> View:
    view = create_view(rng)
    return replace(view, camera=camera, yaw=float(rng.uniform(*CAMERA_YAWS[camera])))


def _pass_over(before: Array, after: Array, rng: np.random.Generator) -> Array:
    """From one stance (M, 25, 3) to another, in a pause of a random length."""
    share = np.linspace(0.0, 1.0, int(rng.integers(*_PAUSE))).reshape(1, -1, 1, 1)
    passed: Array = before[:, None] + share * (after - before)[:, None]
    return passed
