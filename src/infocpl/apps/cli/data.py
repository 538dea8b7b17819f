"""``infocpl convert`` and ``infocpl info``."""

from __future__ import annotations

from infocpl.apps.cli.commands import Convert, Info
from infocpl.errors import ConfigError

__all__ = ["run_convert", "run_info"]


def run_convert(options: Convert) -> int:
    """Convert a dataset and say what was found."""
    if options.workers < 1:
        raise ConfigError(f"--workers must be at least 1, got {options.workers}")
    from infocpl.apps.progress import Reporter
    from infocpl.data import convert_dataset, create_dataset

    dataset = create_dataset(options.dataset)
    with Reporter().count(f"reading {dataset.title}") as progress:
        store = convert_dataset(
            dataset,
            options.data,
            options.out,
            workers=options.workers,
            overwrite=options.overwrite,
            on_error="skip" if options.skip_bad else "raise",
            progress=progress,
        )
    skipped = store.manifest["provenance"]["skipped"]
    print(f"{options.out}: {len(store)} clips of {dataset.title}, layout {store.layout.name}")
    for item in skipped:
        print(f"left out: {item}")
    return 0


def run_info(options: Info) -> int:
    """Print what has a name."""
    from infocpl import __version__
    from infocpl.data import create_dataset, list_datasets, list_splits

    if options.dataset is not None:
        dataset = create_dataset(options.dataset)
        print(f"{dataset.title} ({dataset.name}), layout {dataset.layout}")
        print(f"protocols: {', '.join(dataset.protocols)} (default {dataset.default_protocol})")
        print(f"splits: {', '.join(list_splits(dataset)) or 'none published'}")
        print(f"classes ({len(dataset.classes)}):")
        for number, name in zip(dataset.class_ids, dataset.classes, strict=True):
            print(f"  {number:4d}  {name}")
        return 0
    from infocpl.encoders.registry import list_encoders
    from infocpl.evaluation.config import list_presets
    from infocpl.evaluation.result import environment
    from infocpl.semantics import list_lexicons, list_text_encoders
    from infocpl.skeleton.formats import list_formats
    from infocpl.skeleton.layout import list_layouts

    print(f"infocpl {__version__}")
    for key, value in environment().items():
        print(f"  {key}: {value}")
    for title, names in (
        ("datasets", list_datasets()),
        ("file formats", list_formats()),
        ("layouts", list_layouts()),
        ("skeleton encoders", list_encoders()),
        ("text encoders", list_text_encoders()),
        ("lexicons", list_lexicons()),
        ("presets", list_presets()),
    ):
        print(f"{title}: {', '.join(names)}")
    return 0
