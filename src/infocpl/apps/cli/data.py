"""``infocpl convert`` and ``infocpl info``."""

from __future__ import annotations

from infocpl.apps.cli.commands import Convert, Info
from infocpl.data.dataset import Dataset
from infocpl.errors import ConfigError

__all__ = ["run_convert", "run_info"]


def run_convert(options: Convert) -> int:
    """Convert a dataset and say what was found."""
    if options.workers < 1:
        raise ConfigError(f"--workers must be at least 1, got {options.workers}")
    from infocpl.apps.progress import Reporter
    from infocpl.data import convert_dataset
    from infocpl.data.feature_files import is_feature_file

    dataset = _dataset(options)
    if options.trained_on is not None or (options.format is None and is_feature_file(options.data)):
        return _convert_features(options, dataset)
    with Reporter().count(f"reading {dataset.title}") as progress:
        store = convert_dataset(
            dataset,
            options.data,
            options.out,
            format=options.format,
            division=options.division,
            workers=options.workers,
            overwrite=options.overwrite,
            on_error="skip" if options.on_error == "skip" else "raise",
            progress=progress,
        )
    made = store.manifest["provenance"]
    print(f"{options.out}: {len(store)} clips of {dataset.title}, layout {store.layout.name}")
    if made["missing"]:
        print(f"known as missing: {made['missing']}")
    print(f"protocols: {', '.join(store.usable_protocols()) or 'none'}")
    for name in dataset.protocol_files:
        if name not in store.protocols:
            print(
                f"note: no list for protocol {name!r} was found; give one with --train {name}=FILE"
            )
    for note in made.get("notes", ()):
        print(f"note: {note}")
    for item in made["skipped"]:
        print(f"left out: {item['file']}: {item['reason']}")
    return 0


def _dataset(options: Convert) -> Dataset:
    """The dataset, with the user's own lists in it."""
    from infocpl.data import find_dataset
    from infocpl.data.own_lists import with_classes, with_missing, with_training_list

    dataset = find_dataset(options.dataset)
    if options.classes is not None:
        dataset = with_classes(dataset, options.classes)
    if options.missing is not None:
        dataset = with_missing(dataset, options.missing)
    for item in options.train:
        name, equals, path = item.partition("=")
        if not (name and equals and path):
            raise ConfigError(f"--train: expected PROTOCOL=FILE, got {item!r}")
        dataset = with_training_list(dataset, name, path)
    return dataset


def _convert_features(options: Convert, dataset: Dataset) -> int:
    if options.trained_on is None:
        raise ConfigError(
            f"{options.data} holds features: say with --trained-on which classes their encoder was "
            "trained on: a split for its seen classes, all, or unknown"
        )
    from infocpl.data import EncoderNote, convert_features, declared_classes

    note = EncoderNote(
        options.encoder or f"encoder of {options.data.name}",
        declared_classes(dataset, options.trained_on),
        options.declared_by,
    )
    store = convert_features(dataset, options.data, options.out, note, overwrite=options.overwrite)
    print(
        f"{options.out}: {len(store)} features of {store.features.shape[1]} numbers, "
        f"{dataset.title}"
    )
    print(f"encoder: {note.name}; trained on: {options.trained_on} ({note.declared_by})")
    print(f"protocols: {', '.join(store.usable_protocols())}")
    for sentence in store.manifest["provenance"]["notes"]:
        print(f"note: {sentence}")
    return 0


def run_info(options: Info) -> int:
    """Print what has a name."""
    from infocpl import __version__
    from infocpl.data import find_dataset, list_datasets, list_splits

    if options.dataset is not None:
        dataset = find_dataset(options.dataset)
        print(f"{dataset.title} ({dataset.name}), layout {dataset.layout}, files {dataset.format}")
        print(f"protocols: {', '.join(dataset.protocols)} (default {dataset.default_protocol})")
        for name, item in dataset.protocol_files.items():
            print(f"  {name} is read from a list in your copy: {item.notes or item.pattern}")
        print(f"splits: {', '.join(list_splits(dataset)) or 'none published'}")
        print(f"classes ({len(dataset.classes)}):")
        for number, name in zip(dataset.class_ids, dataset.classes, strict=True):
            print(f"  {number:4d}  {name}")
        if dataset.notes:
            print(f"notes: {dataset.notes}")
        for sentence in dataset.unverified:
            print(f"not verified: {sentence}")
        return 0
    from infocpl.encoders.registry import list_encoders
    from infocpl.evaluation.config import list_presets
    from infocpl.evaluation.result import environment
    from infocpl.evaluation.variants import VARIANTS
    from infocpl.semantics import list_lexicons, list_text_encoders
    from infocpl.skeleton.formats import list_collection_formats, list_formats
    from infocpl.skeleton.layout import list_layouts

    print(f"infocpl {__version__}")
    for key, value in environment().items():
        print(f"  {key}: {value}")
    for title, names in (
        ("datasets", list_datasets()),
        ("file formats", list_formats()),
        ("formats of many clips", list_collection_formats()),
        ("layouts", list_layouts()),
        ("skeleton encoders", list_encoders()),
        ("text encoders", list_text_encoders()),
        ("lexicons", list_lexicons()),
        ("presets", list_presets()),
        ("variants of InfoCPL", VARIANTS),
    ):
        print(f"{title}: {', '.join(names)}")
    return 0
