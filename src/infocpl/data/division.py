"""Who trains and who tests: a split of classes crossed with a protocol of recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from infocpl.data.labelled import LabelledStore
from infocpl.data.protocol import Protocol
from infocpl.data.splits import Split
from infocpl.errors import SplitError, SplitLeakageError

__all__ = ["SplitIndices", "check_no_leak", "split_indices"]


@dataclass(frozen=True, eq=False)
class SplitIndices:
    """Clip numbers of a store, each array sorted int64, disjoint.

    Attributes
    ----------
    train : clips of seen classes on the protocol's training side
    seen_test : clips of seen classes on its test side (the seen half of GZSL)
    unseen_test : clips of unseen classes
    """

    train: NDArray[np.int64]
    seen_test: NDArray[np.int64]
    unseen_test: NDArray[np.int64]


def split_indices(
    store: LabelledStore,
    split: Split,
    protocol: Protocol | str | None = None,
    *,
    unseen: Literal["all", "test"] = "all",
) -> SplitIndices:
    """Divide a store's clips for zero-shot learning.

    Clips of seen classes go to training or to the seen test by `protocol`; clips of classes in
    neither side of the split (as in pseudo splits) are left out.

    Parameters
    ----------
    store, split : of the same dataset
    protocol : a protocol, the name of one of the store's (:meth:`.LabelledStore.protocol`), or
        None for its default
    unseen : ``"all"`` tests on every clip of unseen classes; ``"test"`` only on those of the
        protocol's test side, the rule of the SynSE family of papers

    Raises
    ------
    SplitError : if split and store do not fit, or nothing is left to train or to test on
    SplitLeakageError : if a clip of an unseen class were to train
    """
    if store.dataset != split.dataset:
        raise SplitError(
            f"split {split.id!r} divides dataset {split.dataset!r}; {store.folder} holds "
            f"{store.dataset!r}"
        )
    unknown = [name for name in (*split.seen, *split.unseen) if name not in store.classes]
    if unknown:
        raise SplitError(f"{store.folder} does not know the classes {', '.join(unknown)}")
    if unseen not in ("all", "test"):
        raise SplitError(f"unseen: expected 'all' or 'test', got {unseen!r}")
    if not isinstance(protocol, Protocol):
        protocol = store.protocol(protocol)
    training_side = np.isin(store.column(protocol.field), protocol.train)
    is_seen = np.isin(store.labels, [store.classes.index(name) for name in split.seen])
    is_unseen = np.isin(store.labels, [store.classes.index(name) for name in split.unseen])
    found = SplitIndices(
        train=np.flatnonzero(is_seen & training_side),
        seen_test=np.flatnonzero(is_seen & ~training_side),
        unseen_test=np.flatnonzero(is_unseen & ~training_side if unseen == "test" else is_unseen),
    )
    check_no_leak(store, split, found)
    for part, indices in (("train", found.train), ("test unseen classes", found.unseen_test)):
        if not len(indices):
            raise SplitError(
                f"{store.folder}: no clips to {part} with split {split.id!r} and protocol "
                f"{protocol.name!r}"
            )
    return found


def check_no_leak(store: LabelledStore, split: Split, indices: SplitIndices) -> None:
    """Prove from clip names and class names, not from the masks, that a division is honest.

    Raises
    ------
    SplitLeakageError : if a training clip is of a class that is not seen, a test clip of unseen
        classes is of another class, or a clip is on two sides
    """
    for part, allowed in (
        ("train", set(split.seen)),
        ("seen_test", set(split.seen)),
        ("unseen_test", set(split.unseen)),
    ):
        for index in getattr(indices, part):
            name = store.classes[store.labels[index]]
            if name not in allowed:
                raise SplitLeakageError(
                    f"split {split.id!r}: clip {store.names[index]!r} of class {name!r} "
                    f"must not be in {part}"
                )
    together = np.concatenate((indices.train, indices.seen_test, indices.unseen_test))
    values, counts = np.unique(together, return_counts=True)
    if (counts > 1).any():
        twice = store.names[int(values[counts > 1][0])]
        raise SplitLeakageError(f"split {split.id!r}: clip {twice!r} is on two sides")
