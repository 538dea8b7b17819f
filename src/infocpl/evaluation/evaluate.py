"""Numbers of a saved model on the clips of a store: no training, no selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from infocpl.data.loading import prepare_clips
from infocpl.data.splits import Split
from infocpl.data.store import ClipStore
from infocpl.errors import DataError
from infocpl.evaluation.protocol import measure_zsl
from infocpl.evaluation.task_data import text_table
from infocpl.metrics import per_class_recall
from infocpl.semantics.build import build_codebook
from infocpl.semantics.cache import EmbeddingCache
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.lexicon import Lexicon
from infocpl.semantics.text import restore_text_encoder
from infocpl.training.config import to_dict
from infocpl.training.feature_cache import FeatureCache
from infocpl.training.pretrained import ZeroShotModel
from infocpl.training.stages import forbid_classes

__all__ = ["describe_for", "evaluate_model"]

_FEW = 512  # prepared clips in memory at a time


def describe_for(
    model: ZeroShotModel,
    labels: LabelSet | Sequence[str],
    *,
    dataset: str = "",
    lexicons: Sequence[str | Path | Lexicon] = (),
    cache: EmbeddingCache | None = None,
    text_encoder: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Codebook:
    """The codebook of any label set, in the text space that `model` was trained in.

    The labels are described as the training classes were: the same kinds and number of
    descriptions, and the same weighing, among the labels at hand.

    Parameters
    ----------
    model : trained model; its text encoder and its choice of descriptions are used
    labels : C names
    dataset, lexicons : which lexicons are asked first, see :func:`.build.build_codebook`
    cache : where embeddings are kept (default: the user's cache)
    text_encoder : name or place of the text encoder (default: where it was during training)
    progress : called with the number of sentences embedded, and of all that the cache lacks

    Raises
    ------
    SemanticsError : if the text encoder is not there, or is not the one the model was trained
        with; or if labels are to be told apart and there is only one
    """
    encoder = restore_text_encoder(model.text_encoder, model.text_encoder_id, given=text_encoder)
    choice = model.descriptions
    book = build_codebook(
        labels,
        encoder,
        dataset=dataset,
        lexicons=lexicons,
        granularities=choice.kinds,
        count=choice.count,
        cache=EmbeddingCache() if cache is None else cache,
        progress=progress,
    )
    return choice.apply(book)


def evaluate_model(
    model: ZeroShotModel,
    store: ClipStore,
    split: Split,
    *,
    lexicons: Sequence[str | Path | Lexicon] = (),
    cache: EmbeddingCache | None = None,
    text_encoder: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
    features: FeatureCache | None = None,
) -> dict[str, Any]:
    """Zero-shot recognition of every clip of the unseen classes of `split`.

    Parameters
    ----------
    model : trained model
    store : N clips, on any layout that can be mapped to the model's
    split : only its unseen classes are used; the model need not come from the same dataset
    lexicons, cache, text_encoder, progress : see :func:`describe_for`
    features : where features of the clips are looked up and kept (default: nowhere)

    Returns
    -------
    plain JSON values: ``dataset``, ``split``, ``model``, ``text_encoder``, ``codebook_hash``,
    ``descriptions`` (the model's choice), ``clips``, ``chance``, ``zsl`` (``top1``, ``top5``,
    ``per_class_mean``) and ``per_class`` (None for a class without clips)

    Raises
    ------
    SplitLeakageError : if the model was trained on one of the unseen classes
    DataError : if the store is of another dataset, or has no clip of the unseen classes
    SemanticsError : see :func:`describe_for`
    """
    forbid_classes(model.seen, split.unseen, "model")
    if store.dataset != split.dataset:
        raise DataError(
            f"split {split.id!r} divides dataset {split.dataset!r}; {store.folder} holds "
            f"{store.dataset!r}"
        )
    rows = {store.classes.index(name): row for row, name in enumerate(split.unseen)}
    chosen = np.flatnonzero(np.isin(store.labels, list(rows)))
    if not len(chosen):
        raise DataError(f"{store.folder} holds no clip of the unseen classes of {split.id!r}")
    codebook = describe_for(
        model,
        split.unseen,
        dataset=split.dataset,
        lexicons=lexicons,
        cache=cache,
        text_encoder=text_encoder,
        progress=progress,
    )
    encoded = torch.cat(
        [
            model.encode(
                prepare_clips(
                    store,
                    frames=model.encoder.frames,
                    layout=model.encoder.layout,
                    persons=model.persons,
                    rows=chosen[start : start + _FEW],
                ).keypoints,
                cache=features,
            )
            for start in range(0, len(chosen), _FEW)
        ]
    )
    scores = model.scores(encoded, text_table(codebook)).double().numpy()
    zsl = measure_zsl(scores, np.array([rows[int(label)] for label in store.labels[chosen]]))
    recalls = zip(split.unseen, per_class_recall(zsl.confusion), strict=True)
    return {
        "dataset": split.dataset,
        "split": {"id": split.id, "hash": split.hash, "unseen": list(split.unseen)},
        "model": {"about": model.about, "training_classes": list(model.seen)},
        "text_encoder": codebook.encoder_id,
        "codebook_hash": codebook.hash,
        "descriptions": to_dict(model.descriptions),
        "clips": len(chosen),
        "chance": 1 / len(split.unseen),
        "zsl": {"top1": zsl.top1, "top5": zsl.top5, "per_class_mean": zsl.per_class_mean},
        "per_class": {name: None if np.isnan(r) else float(r) for name, r in recalls},
    }
