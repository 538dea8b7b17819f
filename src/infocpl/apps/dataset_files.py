"""The original files of a dataset, to be looked at before they are converted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np

from infocpl.data.catalog import list_datasets
from infocpl.data.dataset import Dataset
from infocpl.data.feature_files import is_feature_file
from infocpl.data.protocol import FIELDS, ClipInfo
from infocpl.data.recognise import recognise_datasets
from infocpl.data.sources import ClipSource, FolderSource, open_source
from infocpl.data.walk import walk_files
from infocpl.errors import ConfigError, InfoCPLError
from infocpl.skeleton.sequence import SkeletonSequence

__all__ = ["DatasetFiles", "explain_folder", "find_files"]

_MOST = 1000  # clips that are read: NTU RGB+D would take an hour
_MOST_FILES = 100_000  # files that are counted for a message


@dataclass(frozen=True)
class DatasetFiles:
    """N clips of a dataset as they were published.

    Attributes
    ----------
    path : what the user named
    dataset : whose clips they are
    source : what reads them
    alike : names of other datasets whose files are named like these, or lie there as well
    """

    path: Path
    dataset: Dataset
    source: ClipSource
    alike: tuple[str, ...] = ()

    @cached_property
    def infos(self) -> list[ClipInfo]:
        """What the names of the N clips say."""
        return [self.source.info(item) for item in range(len(self.source))]

    @cached_property
    def names(self) -> list[str]:
        """Names of the N clips."""
        return [info.name for info in self.infos]

    def read(self, number: int) -> SkeletonSequence:
        """The clip at a position.

        Raises
        ------
        InfoCPLError : if its file cannot be read
        """
        (outcome,) = self.source.job(number, number + 1)()
        if isinstance(outcome, InfoCPLError):
            raise outcome
        return outcome[0]

    def sample(self, most: int = _MOST) -> list[int]:
        """Positions of all clips, or of `most` that lie evenly among them."""
        count = len(self.source)
        if count <= most:
            return list(range(count))
        return [int(place) for place in np.linspace(0, count - 1, most).round()]

    def clip_facts(self, number: int) -> list[tuple[str, str]]:
        """What is known of one clip besides its content."""
        info = self.infos[number]
        told = [("dataset", self.dataset.title), ("class", self.dataset.classes[info.label])]
        values = [(name, getattr(info, name)) for name in FIELDS]
        return [*told, *((name, str(value)) for name, value in values if value >= 0)]

    def counts(self) -> tuple[tuple[str, int], ...]:
        """Number of clips of every class."""
        found = Counter(info.label for info in self.infos)
        return tuple((name, found[label]) for label, name in enumerate(self.dataset.classes))

    def facts(self) -> list[tuple[str, str]]:
        """What the names of all files say, and what to do with them."""
        source, dataset, count = self.source, self.dataset, len(self.source)
        occurring = sum(number > 0 for _, number in self.counts())
        facts = [
            ("dataset", f"{dataset.title} ({dataset.name}): {count} clips, format {source.format}"),
            ("layout", source.layout.summary),
            ("classes", f"{occurring} of {len(dataset.classes)} have clips"),
        ]
        for name in FIELDS:
            values = {getattr(info, name) for info in self.infos} - {-1}
            if values:
                facts.append((f"{name}s", f"{len(values)} ({min(values)} to {max(values)})"))
        if isinstance(source, FolderSource) and (missing := source.facts()["missing"]):
            facts.append(("left out", f"{missing}, known to have no usable skeleton"))
        facts.append(("protocols", ", ".join((*dataset.protocols, *dataset.protocol_files))))
        if self.alike:
            alike = ", ".join(self.alike)
            facts.append(("file names also fit", f"{alike}; choose with --dataset NAME"))
        if count > _MOST:
            facts.append(("looked at", f"{_MOST} clips, evenly drawn; `infocpl convert` reads all"))
        if dataset.name in list_datasets():
            use = f"infocpl convert --dataset {dataset.name} --data {self.path} --out STORE"
            facts.append(("to use them", use))
        return facts


def find_files(
    path: Path, dataset: Dataset | None = None, format: str | None = None
) -> DatasetFiles | None:
    """The clips of a dataset that lie at `path`, or None if no dataset has such files.

    Parameters
    ----------
    path : a folder; with `dataset` also a file of many clips
    dataset : whose files they are (default: found out by their names)
    format : their format, if it is not the dataset's

    Raises
    ------
    InfoCPLError : if the files of the dataset cannot be opened
    """
    if dataset is not None:
        return DatasetFiles(path, dataset, open_source(dataset, path, format))
    found = [dataset for dataset, _ in recognise_datasets(path)]
    if not found:
        return None
    alike = tuple(other.name for other in found[1:])
    return DatasetFiles(path, found[0], open_source(found[0], path), alike)


def explain_folder(path: Path, error: InfoCPLError) -> InfoCPLError:
    """What to do with a folder that nothing could be made of.

    Parameters
    ----------
    path : the folder
    error : why it is not one clip with a file for each frame
    """
    found = (file for file in walk_files(path) if not file.name.startswith("."))
    files = sorted(islice(found, _MOST_FILES))
    if not files:
        return ConfigError(f"{path}: there is no file in this folder")
    if is_feature_file(path):
        return ConfigError(
            f"{path} holds features: make a store of them (`infocpl convert --dataset NAME --data "
            f"{path} --trained-on SPLIT --out STORE`) and inspect that"
        )
    hint = (
        f"inspect one file at a time (such as {files[0]}), or say with --dataset whose files these "
        "are: a name, or a YAML file for data of your own (docs/data.md)"
    )
    if any(file.parent == path and file.suffix.lower() == ".json" for file in files):
        return ConfigError(
            f"{path} was taken for one clip with a file for each frame, which failed: {error}; if "
            f"its files are clips, {hint}"
        )
    return ConfigError(
        f"{path}: expected a store, the files of a dataset in the catalogue (see `infocpl info`), "
        f"or one clip with a file for each frame; got {len(files)} other files: {hint}"
    )
