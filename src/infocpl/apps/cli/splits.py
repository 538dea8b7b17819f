"""``infocpl splits list | show | check``."""

from __future__ import annotations

from infocpl.apps.cli.data_commands import SplitsCheck, SplitsList, SplitsShow

__all__ = ["run_check", "run_list", "run_show"]


def run_list(options: SplitsList) -> int:
    """One line a split: dataset, id, numbers of classes, source."""
    from infocpl.data import find_dataset, list_datasets, list_splits, load_split

    names = list_datasets() if options.dataset is None else [options.dataset]
    for name in names:
        dataset = find_dataset(name)
        for split_id in list_splits(dataset):
            split = load_split(dataset, split_id)
            counts = f"{len(split.seen)} seen, {len(split.unseen)} unseen"
            print(f"{dataset.name:<12} {split.id:<18} {counts:<22} {split.source}")
        if options.dataset is not None and not list_splits(dataset):
            print(f"{dataset.name}: none published; random:SEED:K and your own YAML files work")
    return 0


def run_show(options: SplitsShow) -> int:
    """The classes of a split with their numbers."""
    from infocpl.data import find_dataset, load_split

    dataset = find_dataset(options.dataset)
    split = load_split(dataset, options.split)
    print(f"{split.id} of {dataset.title}: {len(split.seen)} seen, {len(split.unseen)} unseen")
    print(f"source: {split.source}")
    print(f"hash: {split.hash}")
    for side in ("unseen", "seen"):
        print(f"{side}:")
        for name in getattr(split, side):
            number = dataset.class_ids[dataset.classes.index(name)]
            print(f"  {number:4d}  {name}")
    return 0


def run_check(options: SplitsCheck) -> int:
    """Say what holds and what does not; exit 1 if something does not."""
    from infocpl.data import find_dataset, load_split, open_store
    from infocpl.data.split_check import check_split

    dataset = find_dataset(options.dataset)
    split = load_split(dataset, options.split)
    store = None if options.data is None else open_store(options.data)
    report = check_split(dataset, split, store, options.protocol)
    print(f"{split.id} of {dataset.title}")
    for word, sentences in (
        ("ok", report.facts),
        ("note", report.warnings),
        ("WRONG", report.problems),
    ):
        for sentence in sentences:
            print(f"{word:>6}: {sentence}")
    if report.classes:
        wide = max(len(item.name) for item in report.classes)
        print(f"\n{'class':<{wide}}  side    train  seen test  unseen test")
        for item in report.classes:
            print(
                f"{item.name:<{wide}}  {item.side:<6}{item.train:>7}{item.seen_test:>11}"
                f"{item.unseen_test:>13}"
            )
    return 1 if report.problems else 0
