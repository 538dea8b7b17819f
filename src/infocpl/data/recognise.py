"""Which datasets the files of a folder are named like."""

from __future__ import annotations

from pathlib import Path

from infocpl.data.catalog import create_dataset, list_datasets
from infocpl.data.dataset import Dataset
from infocpl.data.walk import walk_files
from infocpl.errors import DataError

__all__ = ["recognise_datasets"]

# The generated actions are named like files of NTU RGB+D, which more people have.
_GENERATED = "synthetic"


def recognise_datasets(folder: str | Path) -> list[tuple[Dataset, int]]:
    """Datasets of the catalogue whose clips or recordings lie below `folder`.

    Names alone are looked at. NTU RGB+D 60 and 120 name their files alike, so that there may be
    several answers.

    Parameters
    ----------
    folder : any folder

    Returns
    -------
    datasets with the number of files that fit, the likeliest first: most files, then fewest
    classes

    Raises
    ------
    DataError : if the folder, or one in it, cannot be read

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (Path(folder) / "a24_s3_t2_skeleton.mat").touch()
    ...     [(dataset.name, count) for dataset, count in recognise_datasets(folder)]
    [('utd-mhad', 1)]
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder")
    # Some patterns speak of the folder as well.
    files = [f"{folder.name}/{file.relative_to(folder).as_posix()}" for file in walk_files(folder)]
    found = []
    for dataset in map(create_dataset, list_datasets()):
        count = sum(dataset.fits(file) for file in files) if dataset.file_pattern else 0
        if count:
            found.append((dataset, count))
    return sorted(
        found, key=lambda item: (-item[1], item[0].name == _GENERATED, len(item[0].classes))
    )
