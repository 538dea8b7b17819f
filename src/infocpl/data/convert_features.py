"""From published feature files to a feature store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infocpl.data.dataset import Dataset
from infocpl.data.feature_files import open_features
from infocpl.data.feature_store import EncoderNote, FeatureStore, write_features
from infocpl.data.protocol import ClipInfo
from infocpl.data.splits import load_split
from infocpl.errors import ConfigError, DataError
from infocpl.files import canonical_hash, sha256_file

__all__ = ["convert_features", "declared_classes"]


def declared_classes(dataset: Dataset, trained_on: str) -> tuple[str, ...] | None:
    """Classes an encoder was trained on, as a user says it in a word.

    Parameters
    ----------
    dataset : whose classes are meant
    trained_on : id of a split for its seen classes, ``"all"``, or ``"unknown"``

    Raises
    ------
    SplitError : if there is no such split

    Examples
    --------
    >>> from infocpl.data.catalog import create_dataset
    >>> len(declared_classes(create_dataset("ntu60"), "synse/55-5"))
    55
    """
    if trained_on == "unknown":
        return None
    return dataset.classes if trained_on == "all" else load_split(dataset, trained_on).seen


def convert_features(
    dataset: Dataset,
    source: str | Path,
    out: str | Path,
    encoder: EncoderNote,
    *,
    overwrite: bool = False,
) -> FeatureStore:
    """Check published features and write them to a feature store.

    Parameters
    ----------
    dataset : whose classes the labels number
    source : folder or archive (:func:`~infocpl.data.feature_files.open_features`)
    out : the store to be
    encoder : what is declared of the encoder that made them
    overwrite : replace a feature store that is there already

    Raises
    ------
    SkeletonFormatError : if the files are damaged
    DataError : if a label is not one of the dataset, or the encoder's classes are not
    ConfigError : if the features do not say which clips they are of and cannot be divided
    OutputExistsError : if `out` exists and is not to be overwritten
    """
    table = open_features(source)
    for name in encoder.training_classes or ():
        if name not in dataset.classes:
            raise DataError(f"encoder note: {name!r} is not a class of {dataset.title}")
    kept = list(table.infos)
    for info in kept:
        dataset.describe(info.name, info.label)  # refuses a label that the dataset does not have
    usable = {key: item for key, item in dataset.protocols.items() if _has(kept, item.field)}
    if not usable and not _has(kept, "part"):
        raise ConfigError(
            f"{source}: expected the side of each row (part), or ids that a protocol of "
            f"{dataset.title} divides by, got neither"
        )
    root = table.path if table.path.is_dir() else table.path.parent
    hashes = {file.relative_to(root).as_posix(): sha256_file(file) for file in table.files}
    provenance: dict[str, Any] = {
        "format": "features",
        "found": len(kept),
        "files": {"count": len(hashes), "sha256": canonical_hash(hashes)},
        "notes": list(table.notes),
    }
    return write_features(
        out,
        dataset.name,
        dataset.classes,
        table.features,
        kept,
        encoder,
        protocols=dataset.protocols,
        default_protocol=dataset.default_protocol,
        provenance=provenance,
        overwrite=overwrite,
    )


def _has(infos: list[ClipInfo], field: str) -> bool:
    return any(getattr(info, field) >= 0 for info in infos)
