"""``infocpl predict``, ``evaluate`` and ``import-weights``: what is done with trained models."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from infocpl.apps.cli.commands import Evaluate, ImportWeights, Predict
from infocpl.errors import ConfigError, LabelError, OutputExistsError

__all__ = ["run_evaluate", "run_import_weights", "run_predict"]


def run_predict(options: Predict) -> int:
    """Rank names for every readable file; exit 1 if any file could not be read."""
    if not options.files:
        raise ConfigError("predict needs at least one skeleton file")
    if options.top < 1:
        raise ConfigError(f"--top must be at least 1, got {options.top}")
    from infocpl.apps.cli.tables import print_predictions
    from infocpl.apps.predict import Predictor, predict_files, read_labels
    from infocpl.apps.progress import EMBEDDING, Reporter
    from infocpl.semantics import load_lexicon
    from infocpl.skeleton.formats import get_format
    from infocpl.training.pretrained import ZeroShotModel

    labels = read_labels(options.labels)
    if len(labels.names) < 2:
        raise LabelError("predict needs at least two names to choose from")
    if options.format is not None:
        get_format(options.format)
    model = ZeroShotModel.from_pretrained(options.model)
    lexicons = tuple(map(load_lexicon, options.lexicon))
    with Reporter().count(EMBEDDING) as progress:
        predictor = Predictor(
            model, labels, lexicons=lexicons, text_encoder=options.text_encoder, progress=progress
        )
    if predictor.composed:
        told = ", ".join(f"{name} ({source})" for name, source in predictor.composed.items())
        print(
            f"infocpl: note: no lexicon knows {told}; the descriptions were composed from the "
            "names, see `infocpl describe`",
            file=sys.stderr,
        )
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
    """ZSL numbers of a saved model; refuses a model that has seen an unseen class."""
    if options.out is not None and options.out.exists():
        raise OutputExistsError(f"{options.out} exists already")
    from infocpl.apps.cli.evaluate_table import print_measured
    from infocpl.apps.progress import EMBEDDING, Reporter
    from infocpl.data import ClipStore, convert_dataset, find_dataset, is_store, load_split
    from infocpl.evaluation.evaluate import evaluate_model
    from infocpl.files import write_json
    from infocpl.semantics import load_lexicon
    from infocpl.training.feature_cache import FeatureCache
    from infocpl.training.pretrained import ZeroShotModel
    from infocpl.training.stages import forbid_classes

    dataset = find_dataset(options.dataset)
    split = load_split(dataset, options.split)
    model = ZeroShotModel.from_pretrained(options.model)
    lexicons = tuple(map(load_lexicon, options.lexicon))
    # Said before minutes are spent on reading files, and again by evaluate_model().
    forbid_classes(model.seen, split.unseen, "model")
    features = FeatureCache(options.feature_cache)
    reporter = Reporter()

    def measure(store: ClipStore) -> dict[str, Any]:
        with reporter.count(EMBEDDING) as progress:
            return evaluate_model(
                model,
                store,
                split,
                lexicons=lexicons,
                text_encoder=options.text_encoder,
                progress=progress,
                features=features,
            )

    if is_store(options.data):
        numbers = measure(ClipStore.open(options.data))
    else:
        with tempfile.TemporaryDirectory(prefix="infocpl-") as folder:
            with reporter.count(f"reading {dataset.title}") as progress:
                store = convert_dataset(
                    dataset, options.data, Path(folder) / "store", progress=progress
                )
            numbers = measure(store)
    if options.out is not None:
        write_json(options.out, numbers)
    if options.json:
        print(json.dumps(numbers, indent=1))
    else:
        print_measured(numbers, model, dataset, split)
    return 0


def run_import_weights(options: ImportWeights) -> int:
    """Convert the authors' weights and say what they are."""
    if options.out.exists() and not options.overwrite:
        raise OutputExistsError(f"{options.out} exists already")
    from infocpl.training.authors import import_weights

    model = import_weights(
        options.file,
        options.out,
        k_series=options.k_series or None,
        motion=options.motion,
        ignore=options.ignore,
        overwrite=options.overwrite,
    )
    config = model.config
    series = ", ".join(map(str, config.k_series))
    print(
        f"{options.out}: {len(config.k_series)} heads (k = {series}), "
        f"{config.visual_dim} features, text of {config.text_dim} numbers"
    )
    return 0
