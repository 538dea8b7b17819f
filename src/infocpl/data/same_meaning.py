"""Which classes of one dataset may not be learned while a class of another is unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from infocpl.data.catalog import create_dataset
from infocpl.data.yaml_files import YamlFile, read_yaml
from infocpl.errors import DataError

__all__ = ["SameMeaning", "load_same_meaning"]


@dataclass(frozen=True)
class SameMeaning:
    """Groups of classes, over datasets, that mean the same or contain one another.

    Attributes
    ----------
    datasets : for which the groups were thought through; nothing is known of others
    groups : each a set of (dataset, class name)
    related : datasets whose classes were not compared with each other's, because they overlap
    """

    datasets: tuple[str, ...]
    groups: tuple[frozenset[tuple[str, str]], ...]
    related: frozenset[str] = frozenset()

    def excluded(self, dataset: str, name: str, other: str) -> frozenset[str]:
        """Classes of `other` that would show class `name` of `dataset`.

        Raises
        ------
        DataError : if nothing is known of one of the datasets, or of the two together
        """
        self._check_known(dataset)
        self._check_known(other)
        if dataset != other and {dataset, other} <= self.related:
            raise DataError(
                f"no list says which classes of {other!r} mean the same as those of {dataset!r}: "
                "they share classes, or even clips, and may not stand in for each other"
            )
        found: set[str] = set()
        for group in self.groups:
            if (dataset, name) in group:
                found |= {entry for owner, entry in group if owner == other}
        return frozenset(found)

    def exclusions(
        self, dataset: str, names: Sequence[str], other: str
    ) -> dict[str, frozenset[str]]:
        """:meth:`excluded` of each of `names`.

        Raises
        ------
        DataError : as :meth:`excluded`, and if one of `names` is not in the catalogue
        """
        self.check_names(dataset, names)
        return {name: self.excluded(dataset, name, other) for name in names}

    def check_names(self, dataset: str, names: Sequence[str]) -> None:
        """Refuse classes that nothing is known of, because somebody renamed or added them.

        Raises
        ------
        DataError : if nothing is known of the dataset, or it has no such class in the catalogue
        """
        self._check_known(dataset)
        known = create_dataset(dataset).classes
        if strange := [name for name in names if name not in known]:
            raise DataError(
                f"no list says what means the same as {strange[0]!r}: the dataset {dataset!r} of "
                "the catalogue has no such class"
            )

    def _check_known(self, dataset: str) -> None:
        if dataset not in self.datasets:
            raise DataError(
                f"no list says which classes of dataset {dataset!r} mean the same as those of "
                f"another; there is one for {', '.join(self.datasets)}"
            )


@cache
def load_same_meaning() -> SameMeaning:
    """The list that is shipped.

    Examples
    --------
    >>> sorted(load_same_meaning().excluded("utd-mhad", "squat", "synthetic"))
    ['squat down', 'stand up from a squat']
    """
    file = resources.files("infocpl.data") / "same_meaning.yaml"
    node = read_yaml(file, DataError)
    groups = []
    for number, group in enumerate(node.get("groups", list, "a list of groups")):
        inner = YamlFile(group, node.where, DataError, f"groups[{number}].")
        groups.append(frozenset((owner, name) for owner in group for name in inner.texts(owner)))
    related = frozenset(node.texts("related"))
    return SameMeaning(node.texts("datasets"), tuple(groups), related)
