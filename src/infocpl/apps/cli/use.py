"""``infocpl predict`` and ``infocpl evaluate``: what a trained model is used for."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infocpl.apps.cli.commands import Evaluate, Predict
from infocpl.errors import ConfigError, LabelError, OutputExistsError

__all__ = ["run_evaluate", "run_predict"]


def run_predict(options: Predict) -> int:
    """Rank names for every readable file; exit 1 if any file could not be read."""
    if not options.files:
        raise ConfigError("predict needs at least one skeleton file")
    if options.top < 1:
        raise ConfigError(f"--top must be at least 1, got {options.top}")
    from infocpl.apps.cli.tables import print_predictions
    from infocpl.apps.predict import Predictor, predict_files, read_labels
    from infocpl.skeleton.formats import get_format
    from infocpl.training.pretrained import ZeroShotModel

    labels = read_labels(options.labels)
    if len(labels.names) < 2:
        raise LabelError("predict needs at least two names to choose from")
    if options.format is not None:
        get_format(options.format)
    predictor = Predictor(ZeroShotModel.from_pretrained(options.model), labels)
    if predictor.name_only:
        print(
            f"infocpl: note: no description is known for {', '.join(predictor.name_only)}; "
            "only the name speaks for it, which is much weaker",
            file=sys.stderr,
        )
    done, failed = predict_files(predictor, options.files, format=options.format)
    if options.json:
        print(json.dumps([item.to_dict() for item in done], indent=1, ensure_ascii=False))
    else:
        print_predictions(done, top=options.top, explain=options.explain)
    for error in failed:
        print(f"infocpl: error: {' '.join(str(error).split())}", file=sys.stderr)
    return 1 if failed else 0


def run_evaluate(options: Evaluate) -> int:
    """ZSL and GZSL numbers of a saved model; refuses a model that has seen an unseen class."""
    if options.out is not None and options.out.exists():
        raise OutputExistsError(f"{options.out} exists already")
    from infocpl.apps.progress import Reporter
    from infocpl.data import ClipStore, convert_dataset, create_dataset, load_split
    from infocpl.files import write_json
    from infocpl.training.pretrained import ZeroShotModel
    from infocpl.training.stages import forbid_classes

    dataset = create_dataset(options.dataset)
    split = load_split(dataset, options.split)
    model = ZeroShotModel.from_pretrained(options.model)
    forbid_classes(model.seen, split.unseen, "model")
    reporter = Reporter()
    if (options.data / "manifest.json").is_file():
        numbers = _measure(model, ClipStore.open(options.data), split)
    else:
        reporter.say(f"reading {dataset.title}")
        with tempfile.TemporaryDirectory(prefix="infocpl-") as folder:
            store = convert_dataset(dataset, options.data, Path(folder) / "store")
            numbers = _measure(model, store, split)
    text = json.dumps(numbers, indent=1)
    if options.out is not None:
        write_json(options.out, numbers)
    print(text)
    return 0


def _measure(model: Any, store: Any, split: Any) -> dict[str, Any]:
    import numpy as np

    from infocpl.data import prepare_clips
    from infocpl.errors import SemanticsError
    from infocpl.evaluation.protocol import measure_zsl
    from infocpl.evaluation.task_data import text_table
    from infocpl.metrics import per_class_recall
    from infocpl.semantics import (
        GRANULARITIES,
        EmbeddingCache,
        build_codebook,
        create_text_encoder,
    )

    clips = prepare_clips(
        store, frames=model.encoder.frames, layout=model.encoder.layout, persons=model.persons
    )
    wanted = [clips.classes.index(name) for name in split.unseen]
    chosen = np.flatnonzero(np.isin(clips.labels, wanted))
    if not len(chosen):
        raise ConfigError(f"{store.folder} holds no clip of the unseen classes of {split.id}")
    encoder = create_text_encoder(model.text_encoder)
    if encoder.id != model.text_encoder_id:
        raise SemanticsError(
            f"the model was trained with text encoder {model.text_encoder_id}, not {encoder.id}"
        )
    codebook = build_codebook(
        split.unseen,
        encoder,
        granularities=model.granularities or GRANULARITIES,
        cache=EmbeddingCache(),
    )
    scores = model.scores(model.encode(clips.keypoints[chosen]), text_table(codebook))
    labels = np.array([wanted.index(int(label)) for label in clips.labels[chosen]])
    zsl = measure_zsl(scores.double().numpy(), labels)
    return {
        "dataset": split.dataset,
        "split": {"id": split.id, "hash": split.hash, "unseen": list(split.unseen)},
        "model": {"about": model.about, "training_classes": list(model.seen)},
        "text_encoder": codebook.encoder_id,
        "codebook_hash": codebook.hash,
        "clips": len(labels),
        "chance": 1 / len(split.unseen),
        "zsl": {"top1": zsl.top1, "top5": zsl.top5, "per_class_mean": zsl.per_class_mean},
        "per_class": {
            name: None if np.isnan(recall) else float(recall)
            for name, recall in zip(split.unseen, per_class_recall(zsl.confusion), strict=True)
        },
    }
