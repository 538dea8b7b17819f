"""Seen/unseen splits by class name: published families, seeded draws, and your own files.

A split is a list of unseen classes. What is seen is always derived from it, because released
lists of seen classes contradict themselves in places; whatever is built on a split can therefore
trust that seen and unseen are disjoint.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from infocpl.data.catalog import create_dataset
from infocpl.data.dataset import Dataset
from infocpl.data.yaml_files import YamlFile, read_yaml
from infocpl.errors import SplitError, SplitLeakageError
from infocpl.files import canonical_hash

__all__ = ["Split", "create_split", "list_splits", "load_split"]

_RANDOM = re.compile(r"random[:/](\d{1,18})[:-](\d{1,5})")


@dataclass(frozen=True)
class Split:
    """Which classes are seen in training and which are not.

    Attributes
    ----------
    dataset : name of the dataset whose classes these are
    family, name : who made the split and its name there; together they are the :attr:`id`
    seen, unseen : class names in the dataset's order, disjoint; classes in neither are left out
    source : publication or rule the split comes from

    Raises
    ------
    SplitLeakageError : if a class is both seen and unseen
    SplitError : if one side is empty or names a class twice

    Examples
    --------
    >>> Split("toy", "own", "1", seen=("walk", "run"), unseen=("run",))
    Traceback (most recent call last):
    infocpl.errors.SplitLeakageError: split 'own/1': seen and unseen at once: run
    """

    dataset: str
    family: str
    name: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...]
    source: str = ""

    def __post_init__(self) -> None:
        for side in ("seen", "unseen"):
            names = getattr(self, side)
            if isinstance(names, str) or not all(isinstance(name, str) for name in names):
                raise SplitError(f"split {self.id!r}: {side}: expected class names, got {names!r}")
            object.__setattr__(self, side, tuple(names))
            if not names:
                raise SplitError(f"split {self.id!r}: expected at least one {side} class, got none")
            if len(set(names)) != len(names):
                twice = sorted({name for name in names if list(names).count(name) > 1})
                raise SplitError(f"split {self.id!r}: {side} twice: {', '.join(twice)}")
        both = [name for name in self.seen if name in set(self.unseen)]
        if both:
            raise SplitLeakageError(
                f"split {self.id!r}: seen and unseen at once: {', '.join(both)}"
            )

    @property
    def id(self) -> str:
        """Family and name, for example ``"purls/22-5"``."""
        return f"{self.family}/{self.name}"

    @property
    def hash(self) -> str:
        """Hex SHA-256 of dataset, seen and unseen names: equal hashes are equal tasks."""
        return canonical_hash(
            {"dataset": self.dataset, "seen": list(self.seen), "unseen": list(self.unseen)}
        )

    def hold_out(
        self, count: int | None = None, *, fraction: float | None = None, seed: int = 0
    ) -> Split:
        """Make a pseudo split of the seen classes alone, for honest selection.

        Some seen classes are drawn to play the unseen ones. The real unseen classes take no part
        at all: their names are nowhere in the result.

        Parameters
        ----------
        count, fraction : how many seen classes to hold out; give exactly one of them
        seed : another seed draws other classes

        Raises
        ------
        SplitError : if count and fraction are both given or both missing, or if not at least
            one class would stay on each side

        Examples
        --------
        >>> split = Split("toy", "own", "1", seen=("walk", "run", "jump", "wave"), unseen=("sit",))
        >>> pseudo = split.hold_out(1, seed=0)
        >>> len(pseudo.seen), len(pseudo.unseen), "sit" in pseudo.seen + pseudo.unseen
        (3, 1, False)
        """
        if (count is None) == (fraction is None):
            raise SplitError("hold_out: give either count or fraction")
        if fraction is not None:
            if not 0.0 < fraction < 1.0:
                raise SplitError(f"hold_out: fraction must lie between 0 and 1, got {fraction}")
            count = max(1, round(fraction * len(self.seen)))
        if count is None or not 1 <= count < len(self.seen):
            raise SplitError(
                f"hold_out: count must be 1 to {len(self.seen) - 1} for {len(self.seen)} seen "
                f"classes, got {count}"
            )
        held = _draw(self.seen, count, f"hold-out/{seed}")
        return create_split(
            self.dataset,
            self.seen,
            held,
            family="pseudo",
            name=f"{self.family}-{self.name}-{count}-{seed}",
            source=f"drawn from the seen classes of {self.id}",
        )


def create_split(
    dataset: str,
    classes: Sequence[str],
    unseen: Iterable[str],
    *,
    family: str = "custom",
    name: str = "1",
    source: str = "",
) -> Split:
    """Make the split whose seen classes are all `classes` but the `unseen` ones.

    Raises
    ------
    SplitError : if an unseen name is not among the classes (close names are suggested), is given
        twice, or if one side is empty

    Examples
    --------
    >>> create_split("toy", ["walk", "run", "jump"], ["jump"]).seen
    ('walk', 'run')
    """
    chosen = list(unseen)
    for item in chosen:
        if item not in classes:
            close = get_close_matches(str(item), classes, n=3)
            hint = f"; did you mean {' or '.join(map(repr, close))}?" if close else ""
            raise SplitError(f"split {family}/{name}: {item!r} is not a class of {dataset!r}{hint}")
    if len(set(chosen)) != len(chosen):
        twice = sorted({item for item in chosen if chosen.count(item) > 1})
        raise SplitError(f"split {family}/{name}: unseen twice: {', '.join(twice)}")
    return Split(
        dataset=dataset,
        family=family,
        name=name,
        seen=tuple(item for item in classes if item not in chosen),
        unseen=tuple(item for item in classes if item in chosen),
        source=source,
    )


def list_splits(dataset: Dataset) -> list[str]:
    """Ids of the published splits of a dataset, family by family.

    ``random:SEED:K`` and files of your own are understood by :func:`load_split` besides.

    Examples
    --------
    >>> from infocpl.data.catalog import create_dataset
    >>> list_splits(create_dataset("utd-mhad"))
    ['purls/22-5', 'purls/18-9', 'purls/14-13']
    """
    return list(_packaged(dataset))


def load_split(dataset: Dataset, split_id: str) -> Split:
    """Return a split of `dataset`.

    Parameters
    ----------
    dataset : the dataset whose classes are divided
    split_id : ``"family/name"`` of a published split (see :func:`list_splits`),
        ``"random:SEED:K"`` for K unseen classes drawn with a seed, or the path of a YAML file
        ending in .yaml or .yml with ``unseen: [class names]`` and, if wanted, ``dataset``,
        ``name`` and ``source``

    Raises
    ------
    SplitError : if there is no such split, or it does not fit the dataset

    Examples
    --------
    >>> from infocpl.data.catalog import create_dataset
    >>> load_split(create_dataset("utd-mhad"), "purls/22-5").unseen[:2]
    ('right arm throw', 'tennis forehand swing')
    >>> len(load_split(create_dataset("ntu60"), "random:0:12").unseen)
    12
    """
    split_id = str(split_id)
    if split_id.startswith(("random:", "random/")):
        return _random_split(dataset, split_id)
    packaged = _packaged(dataset)
    if split_id in packaged:
        return packaged[split_id]
    if split_id.endswith((".yaml", ".yml")):
        return _file_split(dataset, Path(split_id))
    known = ", ".join(packaged) or "none published"
    raise SplitError(
        f"dataset {dataset.name!r} has no split {split_id!r}; known: {known}; or random:SEED:K, "
        "or a .yaml file with 'unseen: [class names]'"
    )


def _draw(names: Sequence[str], count: int, salt: str) -> set[str]:
    """Draw `count` names by the order of their salted hashes.

    Unlike a library's random generator this gives the same names on every platform and version,
    whatever the order of `names`, and a larger draw contains the smaller one.
    """
    return set(sorted(names, key=lambda n: hashlib.sha256(f"{salt}/{n}".encode()).digest())[:count])


def _random_split(dataset: Dataset, split_id: str) -> Split:
    match = _RANDOM.fullmatch(split_id)
    total = len(dataset.classes)
    if match is None or not 1 <= int(match[2]) < total:
        raise SplitError(
            f"split {split_id!r}: expected random:SEED:K with a whole seed and 1 <= K < {total}"
        )
    seed, count = int(match[1]), int(match[2])
    return create_split(
        dataset.name,
        dataset.classes,
        _draw(dataset.classes, count, f"random/{seed}"),
        family="random",
        name=f"{seed}-{count}",
        source=f"{count} unseen classes drawn with seed {seed}",
    )


def _file_split(dataset: Dataset, path: Path) -> Split:
    file = read_yaml(path, SplitError)
    file.only("dataset", "name", "source", "unseen")
    named = file.text("dataset", dataset.name)
    if named != dataset.name:
        raise file.fail("dataset", f"{dataset.name!r}", named)
    try:
        return create_split(
            dataset.name,
            dataset.classes,
            file.texts("unseen"),
            family="custom",
            name=file.text("name", path.stem),
            source=file.text("source", path.name),
        )
    except SplitError as error:
        raise (
            error if str(error).startswith(str(path)) else SplitError(f"{path}: {error}")
        ) from None


def _lists() -> Traversable:
    return resources.files("infocpl.data") / "split_lists"


@cache
def _packaged(dataset: Dataset) -> dict[str, Split]:
    """Every published split of a dataset by id; callers must not change the mapping."""
    source = _lists() / f"{dataset.name}.yaml"
    if not source.is_file():
        return {}
    file = read_yaml(source, SplitError)
    file.only("dataset", "families")
    if file.text("dataset") != dataset.name:
        raise file.fail("dataset", f"{dataset.name!r}", file.text("dataset"))
    found: dict[str, Split] = {}
    families = file.child("families")
    for family in families.data:
        entry = families.child(family)
        entry.only("title", "source", "splits", "like")
        if "like" in entry.data:
            found |= _borrowed(dataset, family, entry.text("like"))
            continue
        splits = entry.child("splits")
        for name in splits.data:
            split = _packaged_split(dataset, found, entry, splits.child(name), family, name)
            found[split.id] = split
    return found


def _borrowed(dataset: Dataset, family: str, other: str) -> dict[str, Split]:
    """Splits of a family that another dataset with the same classes uses under the same names."""
    lists = _packaged(create_dataset(other))
    splits = [split for split in lists.values() if split.family == family]
    return {split.id: replace(split, dataset=dataset.name) for split in splits}


def _packaged_split(
    dataset: Dataset,
    before: dict[str, Split],
    family: YamlFile,
    node: YamlFile,
    family_name: str,
    name: str,
) -> Split:
    node.only("unseen", "within")
    classes: Sequence[str] = dataset.classes
    within = node.text("within", "")
    if within:
        # Classes held out of another split's seen ones: its unseen ones must stay outside.
        if within not in before:
            raise node.fail("within", f"one of {', '.join(before)}", within)
        classes = before[within].seen
    return create_split(
        dataset.name,
        classes,
        node.texts("unseen"),
        family=family_name,
        name=name,
        source=f"{family.text('title')}; {family.text('source')}",
    )
