"""Clips, labels and text of one zero-shot task, cut into training and test without leakage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from infocpl.alignment.base import TextTable
from infocpl.data.division import SplitIndices
from infocpl.data.extra import ExtraClasses
from infocpl.data.feature_store import PreparedFeatures
from infocpl.data.loading import PreparedClips
from infocpl.data.splits import Split
from infocpl.errors import SplitLeakageError
from infocpl.semantics.codebook import Codebook

__all__ = ["TaskData", "text_table"]

Indices = NDArray[np.integer]


def text_table(codebook: Codebook) -> TextTable:
    """The codebook's vectors as tensors."""
    return TextTable(
        tuple(codebook.labels.names),
        torch.from_numpy(np.ascontiguousarray(codebook.descriptions)),
        torch.from_numpy(np.ascontiguousarray(codebook.mask)),
        torch.from_numpy(np.ascontiguousarray(codebook.motion)),
        torch.from_numpy(np.ascontiguousarray(codebook.names)),
        codebook.temperature,
        traits=torch.from_numpy(np.ascontiguousarray(codebook.traits)),
    )


@dataclass(frozen=True)
class TaskData:
    """One seen/unseen task.

    Attributes
    ----------
    clips : every clip of the dataset, normalised; or their precomputed features
    split : seen and unseen names
    train : clips of seen classes to learn from
    seen_test : clips of seen classes to test on (may be empty: then there is no GZSL)
    unseen_test : clips of unseen classes
    text : text of seen and unseen classes, and of the extra ones
    extra : clips of other datasets that are learned as well; never tested on
    extra_classes : names of their classes
    elsewhere : where the extra clips come from, and when they may not be used; None without any
    """

    clips: PreparedClips | PreparedFeatures
    split: Split
    train: Indices
    seen_test: Indices
    unseen_test: Indices
    text: TextTable
    extra: Indices = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    extra_classes: tuple[str, ...] = ()
    elsewhere: ExtraClasses | None = None

    def __post_init__(self) -> None:
        if self.elsewhere is not None:
            allowed = self.elsewhere.allowed(self.split.unseen)
            if shown := sorted(set(self.extra_classes) - set(allowed)):
                raise SplitLeakageError(f"extra classes would show unseen ones: {', '.join(shown)}")
        unseen = {self.clips.classes.index(name) for name in self.split.unseen}
        learned = set(np.unique(self.clips.labels[self.learned]).tolist())
        if unseen & learned:
            names = ", ".join(self.clips.classes[i] for i in sorted(unseen & learned))
            raise SplitLeakageError(f"training clips of unseen classes: {names}")
        if set(self.train.tolist()) & {*self.seen_test.tolist(), *self.unseen_test.tolist()}:
            raise SplitLeakageError("a clip is used for training and for testing")

    @classmethod
    def create(
        cls,
        clips: PreparedClips | PreparedFeatures,
        split: Split,
        indices: SplitIndices,
        codebook: Codebook,
    ) -> TaskData:
        """Put a task together from what :mod:`infocpl.data` and the codebook deliver."""
        return cls(
            clips,
            split,
            indices.train,
            indices.seen_test,
            indices.unseen_test,
            text_table(codebook),
        )

    @property
    def learned(self) -> Indices:
        """Every clip that is learned from: `train`, then `extra`."""
        return np.concatenate([self.train, self.extra])

    @property
    def learned_classes(self) -> tuple[str, ...]:
        """Seen classes, then the extra ones."""
        return (*self.split.seen, *self.extra_classes)

    def with_extra(self, elsewhere: ExtraClasses, texts: Sequence[TextTable]) -> TaskData:
        """The task with extra clips to learn from.

        Parameters
        ----------
        elsewhere : from :func:`infocpl.data.extra.join_clips`, which made this task's clips
        texts : one a source, of its classes in that order
        """
        text = self.text
        for source, other in zip(elsewhere.sources, texts, strict=True):
            text = text.join(other, source.names)
        return replace(self, text=text, elsewhere=elsewhere)._choose_extra()

    def _choose_extra(self, also: tuple[str, ...] = ()) -> TaskData:
        """The same task with those extra classes that show none of its unseen classes.

        Nor any of `also`: what selection is made on knows as little as what it is made for.
        """
        if self.elsewhere is None:
            return self
        names = self.elsewhere.allowed((*self.split.unseen, *also))
        numbers = [self.clips.classes.index(name) for name in names]
        rows = self.elsewhere.rows
        rows = rows[np.isin(self.clips.labels[rows], numbers)]
        return replace(self, extra=rows, extra_classes=names)

    def rows(self, clips: Indices, names: Sequence[str]) -> NDArray[np.int64]:
        """Class of each clip as a row of `names`."""
        row = {self.clips.classes.index(name): i for i, name in enumerate(names)}
        return np.array([row[int(label)] for label in self.clips.labels[clips]], dtype=np.int64)

    def pseudo(self, count: int, seed: int) -> TaskData:
        """The same task inside the seen classes: some of them play the unseen ones.

        Only training clips enter, extra ones with the same care for the classes that play unseen
        ones as for the unseen ones themselves. One training subject's clips (or a fifth of the
        clips where there are fewer than three subjects) become the seen test clips, so that
        calibration meets people it was not trained on, as it will in earnest.
        """
        split = self.split.hold_out(count, seed=seed)
        unseen = [self.clips.classes.index(name) for name in split.unseen]
        of_unseen = np.isin(self.clips.labels[self.train], unseen)
        inside = self.train[~of_unseen]
        rng = np.random.default_rng(seed)
        subjects = np.asarray(self.clips.subjects)[inside]
        people = np.unique(subjects)
        if len(people) >= 3:
            test = subjects == people[rng.integers(len(people))]
        else:
            test = rng.random(len(inside)) < 0.2
        # A class whose every clip fell to the test side would leave nothing to learn it from.
        labels = self.clips.labels[inside]
        for label in np.unique(labels):
            if test[labels == label].all():
                test[labels == label] = False
        inner = TaskData(
            self.clips,
            split,
            inside[~test],
            inside[test],
            self.train[of_unseen],
            self.text,
            self.extra[:0],
            (),
            self.elsewhere,
        )
        return inner._choose_extra(also=self.split.unseen)

    def pseudo_count(self) -> int:
        """How many seen classes to hold out: the task's own share of unseen classes, >= 2."""
        seen, unseen = len(self.split.seen), len(self.split.unseen)
        return max(2, min(seen - 2, round(seen * unseen / (seen + unseen))))
