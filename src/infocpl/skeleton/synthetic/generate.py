"""Clips and whole datasets of synthetic actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import DataError
from infocpl.files import atomic_folder
from infocpl.skeleton.formats.ntu import ntu_name, write_ntu
from infocpl.skeleton.layout import create_layout
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.action_list import get_action, list_actions
from infocpl.skeleton.synthetic.actions import SyntheticAction, perform
from infocpl.skeleton.synthetic.kinematics import rotation, solve
from infocpl.skeleton.synthetic.sensor import View, create_view, observe
from infocpl.skeleton.synthetic.subjects import MAX_SUBJECTS, Subject, create_subject, vary_style

__all__ = ["FPS", "generate_clip", "generate_dataset", "move_bodies", "partner_of"]

FPS = 30.0
_FRAMES = (50, 110)
_SETUP = 1

Array = NDArray[np.float64]


def move_bodies(
    action: SyntheticAction, subjects: list[Subject], rng: np.random.Generator, frames: int
) -> Array:
    """Let people perform an action, before any sensor looks at them.

    Parameters
    ----------
    action : what they do
    subjects : one for each person of the action
    rng : what makes this performance differ from the next
    frames : T

    Returns
    -------
    (M, T, 25, 3) metres; the floor is y = 0; two persons stand along the x axis
    """
    if len(subjects) != action.persons:
        raise DataError(f"{action.name!r} needs {action.persons} subject(s), got {len(subjects)}")
    bodies = []
    # Arms and legs must reach the other person, whoever that is.
    scale = float(np.mean([subject.body.height for subject in subjects])) / 1.75
    for person, subject in enumerate(subjects):
        pose = perform(action, vary_style(subject.style, rng), frames, person=person)
        joints = solve(subject.body, pose)
        if action.persons == 2:
            sign = -1.0 if person == 0 else 1.0
            turn = 90.0 * sign * (1.0 if action.facing == "each other" else -1.0)
            joints = joints @ rotation("y", turn)[0].T
            joints += (0.5 * sign * scale * action.distance, 0.0, 0.0)
        bodies.append(joints)
    return np.stack(bodies)


def partner_of(subject: int) -> int:
    """The other one of the pairs (1, 2), (3, 4), ...: a split between pairs parts no couple."""
    return subject + 1 if subject % 2 else subject - 1


def _source_of_chance(
    seed: int, action: int, subject: int, replication: int
) -> np.random.Generator:
    return np.random.default_rng([seed, 202, action, subject, replication])


def _generate(
    action: SyntheticAction, subject: int, replication: int, seed: int, noise: float
) -> tuple[SkeletonSequence, View]:
    if replication < 1 or replication > MAX_SUBJECTS:
        raise DataError(f"replication: expected 1 to {MAX_SUBJECTS}, got {replication}")
    if not noise >= 0.0:
        raise DataError(f"noise: expected a number >= 0, got {noise}")
    numbers = [subject, partner_of(subject)][: action.persons]
    subjects = [create_subject(number, seed) for number in numbers]
    rng = _source_of_chance(seed, action.id, subject, replication)
    seconds = action.seconds * subjects[0].tempo * float(rng.uniform(0.93, 1.07))
    frames = int(np.clip(round(seconds * FPS), *_FRAMES))
    joints = move_bodies(action, subjects, rng, frames)
    view = create_view(rng)
    keypoints, confidence = observe(joints, view, rng, noise=noise)
    name = f"synthetic {action.name!r}, subject {subject}, replication {replication}, seed {seed}"
    clip = SkeletonSequence(
        keypoints, create_layout("ntu25"), confidence=confidence, fps=FPS, source=name
    )
    return clip, view


def generate_clip(
    action: str | int | SyntheticAction,
    subject: int,
    replication: int = 1,
    seed: int = 0,
    *,
    noise: float = 1.0,
) -> SkeletonSequence:
    """One performance, as a depth sensor records it.

    Parameters
    ----------
    action : name, id, or record of the action
    subject : number of the person, from 1; in two-person actions 1 and 2 are
        partners, 3 and 4, and so on
    replication : which of that person's performances, from 1
    seed : another seed gives other people and other performances
    noise : factor on sensor noise; 0 for exact positions

    Returns
    -------
    SkeletonSequence : (M, T, 25, 3) metres on layout ntu25, 30 frames a second, 50 <= T <= 110;
        depends on nothing but the arguments

    Raises
    ------
    LabelError : if there is no such action
    DataError : if a number is out of range

    Examples
    --------
    >>> clip = generate_clip("wave the right hand", subject=1)
    >>> clip.persons, 50 <= clip.frames <= 110
    (1, True)
    """
    record = action if isinstance(action, SyntheticAction) else get_action(action)
    return _generate(record, subject, replication, seed, noise)[0]


def generate_dataset(
    folder: Path,
    *,
    subjects: int = 12,
    replications: int = 2,
    seed: int = 0,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write the synthetic dataset as NTU ``.skeleton`` files, all of them or none.

    Parameters
    ----------
    folder : where to; must not exist unless `overwrite`
    subjects, replications : how many of each, 1 to 998
    seed : see :func:`generate_clip`
    overwrite : replace an existing folder when the new one is complete
    progress : called with (files written, files in all) after each file

    Returns
    -------
    number of files written

    Raises
    ------
    OutputExistsError : if `folder` exists and `overwrite` is false
    DataError : if a number is out of range
    """
    for name, value in (("subjects", subjects), ("replications", replications)):
        if not 1 <= value <= MAX_SUBJECTS:
            raise DataError(f"{name}: expected 1 to {MAX_SUBJECTS}, got {value}")
    actions = list_actions()
    total, done = subjects * replications * len(actions), 0
    with atomic_folder(Path(folder), overwrite=overwrite) as partial:
        for subject in range(1, subjects + 1):
            for replication in range(1, replications + 1):
                for action in actions:
                    clip, view = _generate(action, subject, replication, seed, 1.0)
                    name = ntu_name(
                        setup=_SETUP,
                        camera=view.camera,
                        subject=subject,
                        replication=replication,
                        action=action.id,
                    )
                    write_ntu(partial / f"{name}.skeleton", clip)
                    done += 1
                    if progress is not None:
                        progress(done, total)
    return done
