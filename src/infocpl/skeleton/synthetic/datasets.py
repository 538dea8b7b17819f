"""Whole datasets in the exact file formats of others, for tests, demos and measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from infocpl.errors import DataError
from infocpl.files import atomic_folder
from infocpl.skeleton.formats.aimclr import write_aimclr
from infocpl.skeleton.formats.ctrgcn import write_ctrgcn
from infocpl.skeleton.formats.feature_folder import FeaturePart, write_feature_folder
from infocpl.skeleton.formats.ntu import format_ntu
from infocpl.skeleton.formats.pku_mmd import PkuInterval, write_pku_labels, write_pku_mmd
from infocpl.skeleton.formats.pyskl import write_pyskl
from infocpl.skeleton.sequence import SkeletonSequence
from infocpl.skeleton.synthetic.performances import NtuRecording, PkuScript, perform_pku

__all__ = [
    "generate_aimclr",
    "generate_ctrgcn",
    "generate_feature_folder",
    "generate_ntu",
    "generate_pku_mmd",
    "generate_pyskl",
]

Progress = Callable[[int, int], None]


def generate_ntu(
    folder: str | Path,
    recordings: Sequence[NtuRecording],
    *,
    seed: int = 0,
    oddities: float = 0.0,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write recordings as ``SsssCcccPpppRrrrAaaa.skeleton`` files, all of them or none.

    Parameters
    ----------
    folder : where to; must not exist unless `overwrite`
    recordings : what to write (:func:`~.performances.list_ntu_recordings`)
    seed : another seed gives other people and other performances
    oddities : share of files with what real ones have: a person who is lost and found under
        another tracking id, a tracked piece of furniture, a beginning without anybody. A reader
        that selects bodies returns the persons all the same.
    overwrite : replace an existing folder when the new one is complete
    progress : called with (files written, files in all) after each file

    Raises
    ------
    OutputExistsError : if `folder` exists and `overwrite` is false

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.synthetic.performances import list_ntu_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate_ntu(Path(folder) / "ntu", list_ntu_recordings(classes=2)[:2])
    ...     sorted(path.name for path in (Path(folder) / "ntu").iterdir())
    ['S001C001P001R001A001.skeleton', 'S001C001P001R001A002.skeleton']
    """
    with atomic_folder(Path(folder), overwrite=overwrite) as partial:
        for done, recording in enumerate(recordings, start=1):
            clip = recording.perform(seed)
            ids = None
            rng = np.random.default_rng([seed, 505, *vars(recording).values()])
            if rng.random() < oddities:
                clip, ids = _make_odd(clip, rng)
            path = partial / f"{recording.name}.skeleton"
            # The folder is whole or absent; each file being so by itself would cost ten times more.
            path.write_text(format_ntu(clip, ids=ids), encoding="ascii", newline="\n")
            if progress is not None:
                progress(done, len(recordings))


def _make_odd(
    clip: SkeletonSequence, rng: np.random.Generator
) -> tuple[SkeletonSequence, np.ndarray]:
    """Lose and find the first person, put a chair beside, and begin with an empty frame."""
    keypoints = np.zeros((clip.persons + 1, clip.frames + 1, 25, 3), dtype=np.float32)
    confidence = np.zeros(keypoints.shape[:3], dtype=np.float32)
    keypoints[:-1, 1:], confidence[:-1, 1:] = clip.keypoints, clip.confidence
    ids = np.repeat(np.arange(1, clip.persons + 2)[:, None], clip.frames + 1, axis=1)
    ids[0, clip.frames // 2 :] = clip.persons + 2
    chair = rng.uniform((1.0, -0.6, 2.5), (1.9, -0.3, 2.9), size=(25, 3))
    keypoints[-1, 1:] = chair + rng.normal(scale=0.05, size=(clip.frames, 1, 3))
    confidence[-1, 1:] = 0.5
    return clip.with_keypoints(keypoints, confidence=confidence), ids


def generate_pku_mmd(
    folder: str | Path, *, recordings: int = 3, actions: int = 20, seed: int = 0
) -> None:
    """Write a PKU-MMD folder of part I: long recordings from three views, labels and splits.

    Recording ``0001`` is seen as ``0001-L``, ``0001-M`` and ``0001-R``, with one and the same
    label file each. Odd recordings train in cross-subject, views M and R in cross-view.

    Parameters
    ----------
    folder : where to; must not exist
    recordings, actions : how many recordings, and actions in each (about 90 frames an action)
    seed : see :func:`generate_ntu`

    Raises
    ------
    OutputExistsError : if `folder` exists

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats import open_pku_mmd
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate_pku_mmd(Path(folder) / "pku", recordings=1, actions=2)
    ...     clips = open_pku_mmd(Path(folder) / "pku")
    ...     len(clips), [recording.name for recording in clips.recordings]
    (6, ['0001-L', '0001-M', '0001-R'])
    """
    names = [f"{number:04d}-{view}" for number in range(1, recordings + 1) for view in "LMR"]
    with atomic_folder(Path(folder)) as partial:
        for number in range(1, recordings + 1):
            seen, intervals = perform_pku(PkuScript.write(number, actions, seed), seed=seed)
            labels = [PkuInterval(*interval) for interval in intervals]
            for view, clip in seen.items():
                file = f"{number:04d}-{view}.txt"
                write_pku_mmd(partial / "Data" / "PKU_Skeleton_Renew" / file, clip)
                write_pku_labels(partial / "Label" / "Train_Label_PKU_final" / file, labels)
        (partial / "Split").mkdir()
        for split, train in (
            ("cross-subject", [name for name in names if int(name[:4]) % 2]),
            ("cross-view", [name for name in names if name[-1] != "L"]),
        ):
            rest = [name for name in names if name not in train]
            text = f"Training videos: \n{', '.join(train)}\n"
            text += f"Validataion videos: \n{', '.join(rest)}\n"  # codespell:ignore
            (partial / "Split" / f"{split}.txt").write_text(text, encoding="ascii")


def _sides(recordings: Sequence[NtuRecording]) -> dict[str, list[int]]:
    """Positions that train and that test across subjects: odd subjects train."""
    sides: dict[str, list[int]] = {"train": [], "test": []}
    for position, recording in enumerate(recordings):
        sides["train" if recording.subject % 2 else "test"].append(position)
    return sides


def _perform(
    recordings: Sequence[NtuRecording], which: Iterable[int], seed: int
) -> Iterator[SkeletonSequence]:
    return (recordings[position].perform(seed) for position in which)


def generate_pyskl(path: str | Path, recordings: Sequence[NtuRecording], *, seed: int = 0) -> None:
    """Write recordings as a PYSKL pickle in float16 with splits ``xsub_*`` and ``xview_*``.

    Odd subjects train in xsub, cameras 2 and 3 in xview. All clips are in memory at once.

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats import open_pyskl
    >>> from infocpl.skeleton.synthetic.performances import list_ntu_recordings
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate_pyskl(Path(folder) / "a.pkl", list_ntu_recordings(classes=2, subjects=1)[:4])
    ...     with open_pyskl(Path(folder) / "a.pkl") as clips:
    ...         {name: len(where) for name, where in clips.splits.items()}
    {'xsub_train': 4, 'xsub_val': 0, 'xview_train': 2, 'xview_val': 2}
    """
    sides = _sides(recordings)
    everything = range(len(recordings))
    splits = {
        "xsub_train": sides["train"],
        "xsub_val": sides["test"],
        "xview_train": [i for i in everything if recordings[i].camera != 1],
        "xview_val": [i for i in everything if recordings[i].camera == 1],
    }
    write_pyskl(
        path,
        list(_perform(recordings, everything, seed)),
        [recording.action - 1 for recording in recordings],
        [recording.name for recording in recordings],
        splits,
        dtype="float16",
    )


def generate_ctrgcn(
    path: str | Path, recordings: Sequence[NtuRecording], *, classes: int = 60, seed: int = 0
) -> None:
    """Write recordings as a CTR-GCN archive across subjects (odd ones train), clip by clip."""
    sides = _sides(recordings)
    write_ctrgcn(
        path,
        {
            side: (
                _perform(recordings, which, seed),
                [recordings[position].action - 1 for position in which],
            )
            for side, which in sides.items()
        },
        classes=classes,
    )


def generate_aimclr(
    folder: str | Path, recordings: Sequence[NtuRecording], *, frames: int = 300, seed: int = 0
) -> None:
    """Write ``train`` and ``val`` arrays across subjects (odd ones train), clip by clip.

    Coordinates are as recorded, padded to `frames`; AimCLR's own are resampled to 50.
    """
    for part, which in zip(("train", "val"), _sides(recordings).values(), strict=True):
        if which:
            write_aimclr(
                folder,
                part,
                _perform(recordings, which, seed),
                [recordings[position].action - 1 for position in which],
                [recordings[position].name for position in which],
                frames=frames,
            )


def generate_feature_folder(
    folder: str | Path,
    *,
    classes: int = 60,
    unseen: Sequence[int] = (10, 11, 19, 26, 56),
    rows: int = 20,
    dim: int = 256,
    seed: int = 0,
) -> None:
    """Write a SynSE folder of made-up features: a cloud about a random centre for every class.

    Parameters
    ----------
    folder : where to
    classes : number of classes
    unseen : 0-based classes of ``ztest`` (by default those of the SynSE split 55/5)
    rows : rows of each class on each side
    dim : columns
    seed : another seed gives other numbers

    Raises
    ------
    DataError : if a class of `unseen` does not exist, or none is left as seen

    Examples
    --------
    >>> import tempfile
    >>> from infocpl.skeleton.formats import read_feature_folder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     generate_feature_folder(folder, rows=2)
    ...     {name: len(part) for name, part in read_feature_folder(folder).parts.items()}
    {'train': 110, 'ztest': 10, 'gtest': 120}
    """
    unseen = sorted(set(unseen))
    seen = [label for label in range(classes) if label not in unseen]
    if not seen or not unseen or unseen[0] < 0 or unseen[-1] >= classes:
        raise DataError(f"unseen: expected some of the classes 0 to {classes - 1}, got {unseen}")
    rng = np.random.default_rng([seed, 606])
    centres = rng.normal(size=(classes, dim))

    def part(labels: Sequence[int], *, scores: bool = False) -> FeaturePart:
        numbers = np.repeat(np.array(labels, dtype=np.int64), rows)
        features = np.abs(centres[numbers] + 0.5 * rng.normal(size=(len(numbers), dim)))
        given = -((features[:, None, :16] - np.abs(centres[None, :, :16])) ** 2).sum(axis=2)
        return FeaturePart(
            features.astype(np.float32), numbers, given.astype(np.float32) if scores else None
        )

    everything = range(classes)
    write_feature_folder(
        folder,
        {"train": part(seen), "ztest": part(unseen), "gtest": part(everything, scores=True)},
    )
