"""``infocpl codebook build | show | compare | check``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infocpl.apps.cli.codebook_commands import (
    CodebookBuild,
    CodebookCheck,
    CodebookCompare,
    CodebookShow,
)
from infocpl.apps.cli.run_options import choose_descriptions
from infocpl.errors import ConfigError, OutputExistsError

__all__ = ["run_build", "run_check", "run_compare", "run_show"]


def run_build(options: CodebookBuild) -> int:
    """Build a codebook and say where its words come from."""
    if options.labels is None and options.dataset is None:
        raise ConfigError("codebook build needs --labels or --dataset")
    if options.out.exists() and not options.overwrite:
        raise OutputExistsError(f"{options.out} exists already")
    from infocpl.apps.predict import read_labels
    from infocpl.apps.progress import EMBEDDING, Reporter
    from infocpl.data import create_dataset
    from infocpl.semantics import (
        EmbeddingCache,
        LabelSet,
        build_codebook,
        create_text_encoder,
    )
    from infocpl.semantics.describing import is_composed
    from infocpl.semantics.prompts import NAME_ONLY

    choice = choose_descriptions(options)
    dataset = create_dataset(options.dataset) if options.dataset is not None else None
    if options.labels is not None:
        labels = read_labels(options.labels)
    elif dataset is not None:
        labels = LabelSet(dataset.classes)
    with Reporter().count(EMBEDDING) as progress:
        book = build_codebook(
            labels,
            create_text_encoder(options.text_encoder),
            lexicons=options.lexicon,
            dataset="" if dataset is None else dataset.name,
            granularities=choice.kinds,
            count=choice.count,
            cache=EmbeddingCache(),
            progress=progress,
        )
    book = choice.apply(book)
    book.save(options.out, overwrite=options.overwrite)
    rows = int(book.mask.sum())
    print(f"{options.out}: {len(book)} classes, {rows} descriptions, {book.encoder_id}")
    sources = dict(zip(book.labels, book.sources, strict=True))
    composed = [f"{name} ({source})" for name, source in sources.items() if is_composed(source)]
    if composed:
        print(f"note: composed from the name alone: {', '.join(composed)}")
    unknown = [name for name, source in sources.items() if source == NAME_ONLY]
    if unknown:
        print(f"note: only the name speaks for {', '.join(unknown)}")
    return 0


def run_show(options: CodebookShow) -> int:
    """A table of classes, or the rows of one."""
    from infocpl.apps.cli.codebook_tables import class_facts, print_class, print_classes
    from infocpl.semantics import Codebook
    from infocpl.semantics.prompts import check_granularities

    book = Codebook.load(options.folder)
    if options.name is None:
        if options.granularities:
            raise ConfigError("--granularities needs a class to show")
        if options.json:
            print(_dump([class_facts(book, name, ()) for name in book.labels]))
        else:
            print_classes(book, options.folder)
        return 0
    kinds = check_granularities(options.granularities) if options.granularities else ()
    facts = class_facts(book, book.labels[book.labels.index(options.name)], kinds)
    if options.json:
        print(_dump(facts))
    else:
        print_class(facts)
    return 0


def run_compare(options: CodebookCompare) -> int:
    """What two codebooks, or two classes, have in common."""
    if (options.other is None) == (options.classes is None):
        raise ConfigError("codebook compare needs either a second codebook or --classes ONE OTHER")
    from infocpl.apps.cli.codebook_tables import print_book_difference, print_class_difference
    from infocpl.semantics import Codebook
    from infocpl.semantics.compare import compare_books, compare_classes

    book = Codebook.load(options.folder)
    if options.classes is not None:
        found = compare_classes(book, *options.classes)
        show: Any = print_class_difference
    elif options.other is not None:
        found = compare_books(book, Codebook.load(options.other))
        show = print_book_difference
    if options.json:
        print(_dump(found))
    else:
        show(found)
    return 0


def run_check(options: CodebookCheck) -> int:
    """The quality table, and the report if one is wanted."""
    if (options.model is None) != (options.data is None):
        raise ConfigError("codebook check needs --model and --data together, or neither")
    if not 0 < options.limit <= 1:
        raise ConfigError(f"--limit must lie above 0 and not above 1, got {options.limit}")
    if options.out is not None and options.out.exists() and not options.overwrite:
        raise OutputExistsError(f"{options.out} exists already")
    from infocpl.apps.cli.codebook_tables import print_quality
    from infocpl.apps.report.codebook_page import write_quality
    from infocpl.semantics import Codebook
    from infocpl.semantics.quality_report import measure_quality

    book = Codebook.load(options.folder)
    quality = measure_quality(book, limit=options.limit)
    agreement = None
    if options.model is not None and options.data is not None:
        agreement = _agreement(book, options.model, options.data)
    if options.out is not None:
        write_quality(book, quality, options.out, agreement=agreement, overwrite=options.overwrite)
    if options.json:
        print(_dump({**quality, "agreement": agreement}))
    else:
        print_quality(quality, agreement, options.out)
    return 1 if options.strict and (quality["repeats"] or quality["name_only"]) else 0


def _agreement(book: Any, model_folder: Path, data: Path) -> dict[str, Any]:
    """Likeness of text and of movement on classes that the model has seen."""
    import numpy as np

    from infocpl.data import ClipStore, prepare_clips
    from infocpl.semantics.quality_report import measure_agreement
    from infocpl.training.pretrained import ZeroShotModel

    model = ZeroShotModel.from_pretrained(model_folder)
    store = ClipStore.open(data)
    known = set(model.seen) & set(store.classes)
    shared = [name for name in book.labels if name in known]
    row = {store.classes.index(name): place for place, name in enumerate(shared)}
    chosen = np.flatnonzero(np.isin(store.labels, list(row)))
    present = {row[int(label)] for label in store.labels[chosen]}
    shared = [name for place, name in enumerate(shared) if place in present]
    if len(shared) < 3:
        raise ConfigError(
            f"--model and --data: expected clips of at least three classes that {model_folder} "
            f"was trained on and {data} and the codebook hold, got {len(shared)}"
        )
    row = {store.classes.index(name): place for place, name in enumerate(shared)}
    trained = model.encoder
    clips = prepare_clips(
        store, frames=trained.frames, layout=trained.layout, persons=model.persons
    )
    features = model.encode(clips.keypoints[chosen]).double().numpy()
    labels = np.array([row[int(label)] for label in clips.labels[chosen]])
    return measure_agreement(book.subset(shared), features, labels)


def _dump(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)
