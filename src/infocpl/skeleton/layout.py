"""Joint layouts: names, bones, left/right symmetry and body parts, kept as data files.

A layout is one JSON file in ``layouts/``. Joints that mean the same place on the body carry the
same name in every layout, so a map between two layouts needs names only (:mod:`.layout_map`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from infocpl.errors import LayoutError

__all__ = ["PART_NAMES", "Layout", "create_layout", "list_layouts"]

PART_NAMES = ("head", "torso", "left_arm", "right_arm", "left_leg", "right_leg")
"""Body parts, in the order in which part-wise descriptions and tokens are given."""


@dataclass(frozen=True)
class Layout:
    """Which joint stands where in the V axis, and how joints belong together.

    Attributes
    ----------
    name : registry name, for example ``"ntu25"``
    joints : V joint names, in file order
    bones : (child, parent) joint names; a tree rooted at `center`
    symmetry : (left, right) joint names
    parts : part name (see :data:`PART_NAMES`) to joint names
    center : the joint used as origin and as root of the bones
    dims : number of coordinates the sensor delivers (2 or 3)
    derive : joint name to the joints whose mean may stand in for it when another layout
        lacks it; candidates are tried in order, before those that hold for every layout
        (``derivations.json``)
    description : one sentence about the sensor or file family

    Examples
    --------
    >>> layout = create_layout("ntu25")
    >>> len(layout.joints), layout.index("head"), layout.center
    (25, 3, 'pelvis')
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]
    symmetry: tuple[tuple[str, str], ...]
    parts: dict[str, tuple[str, ...]]
    center: str
    dims: int = 3
    derive: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    description: str = ""

    def __post_init__(self) -> None:
        known = set(self.joints)
        if len(known) != len(self.joints):
            doubled = sorted({j for j in self.joints if self.joints.count(j) > 1})
            raise LayoutError(f"layout {self.name!r}: joints named twice: {doubled}")
        pairs = [name for pair in (*self.bones, *self.symmetry) for name in pair]
        in_parts = [name for joints in self.parts.values() for name in joints]
        for name in (*pairs, *in_parts, self.center):
            if name not in known:
                raise LayoutError(f"layout {self.name!r}: {name!r} is not one of its joints")
        unknown_parts = sorted(set(self.parts) - set(PART_NAMES))
        if unknown_parts:
            raise LayoutError(f"layout {self.name!r}: unknown body parts {unknown_parts}")
        if sorted(in_parts) != sorted(self.joints):
            raise LayoutError(f"layout {self.name!r}: parts must cover every joint exactly once")
        self._check_tree()
        if self.dims not in (2, 3):
            raise LayoutError(f"layout {self.name!r}: dims must be 2 or 3, got {self.dims}")

    def _check_tree(self) -> None:
        parent = dict(self.bones)
        if len(parent) != len(self.bones) or len(self.bones) != len(self.joints) - 1:
            raise LayoutError(f"layout {self.name!r}: every joint but the centre needs one parent")
        for joint in self.joints:
            steps = 0
            while joint != self.center:
                joint, steps = parent.get(joint, ""), steps + 1
                if not joint or steps > len(self.joints):
                    raise LayoutError(f"layout {self.name!r}: bones do not form a tree")

    def __len__(self) -> int:
        return len(self.joints)

    @property
    def summary(self) -> str:
        """Name, number of joints and of dimensions, as messages give them.

        Examples
        --------
        >>> create_layout("coco17").summary
        'coco17 (17 joints, 2-D)'
        """
        return f"{self.name} ({len(self)} joints, {self.dims}-D)"

    def __hash__(self) -> int:
        return hash((self.name, self.joints))

    def index(self, joint: str) -> int:
        """Position of `joint` on the V axis; :class:`LayoutError` if it is not there."""
        try:
            return self.joints.index(joint)
        except ValueError:
            raise LayoutError(
                f"layout {self.name!r} has no joint {joint!r}; it has {', '.join(self.joints)}"
            ) from None

    def parent_index(self) -> list[int]:
        """For every joint the V position of its parent; the centre is its own parent."""
        parent = dict(self.bones)
        return [self.index(parent.get(joint, joint)) for joint in self.joints]

    def flip_index(self) -> list[int]:
        """V positions after exchanging left and right (an involution)."""
        swap = {a: b for pair in self.symmetry for a, b in (pair, pair[::-1])}
        return [self.index(swap.get(joint, joint)) for joint in self.joints]

    def part_index(self, part: str) -> list[int]:
        """V positions of one body part."""
        if part not in self.parts:
            raise LayoutError(f"layout {self.name!r} has no part {part!r}; parts: {PART_NAMES}")
        return [self.index(joint) for joint in self.parts[part]]


def list_layouts() -> list[str]:
    """Names of all layouts that ship with the package, sorted."""
    folder = resources.files("infocpl.skeleton") / "layouts"
    return sorted(
        item.name.removesuffix(".json") for item in folder.iterdir() if item.name.endswith(".json")
    )


@cache
def create_layout(name: str) -> Layout:
    """Return the layout called `name`; :class:`LayoutError` names the known ones.

    A name that ends in ``-2d`` or ``-3d`` means the same joints in so many dimensions, for pose
    estimators that lift the joints of a flat layout, or for the image of a spatial one.

    Examples
    --------
    >>> create_layout("coco17-3d").summary
    'coco17-3d (17 joints, 3-D)'
    """
    base, mark, dims = name.rpartition("-")
    if mark and dims in ("2d", "3d") and base in list_layouts():
        plain = create_layout(base)
        return plain if plain.dims == int(dims[0]) else replace(plain, name=name, dims=int(dims[0]))
    if name not in list_layouts():
        raise LayoutError(f"unknown layout {name!r}; known: {', '.join(list_layouts())}")
    source = resources.files("infocpl.skeleton") / "layouts" / f"{name}.json"
    return layout_from_dict(json.loads(source.read_text(encoding="utf-8")))


def layout_from_dict(data: dict[str, object]) -> Layout:
    """Build a layout from the JSON form used by the files in ``layouts/``."""
    try:
        return Layout(
            name=str(data["name"]),
            joints=tuple(data["joints"]),  # type: ignore[arg-type]
            bones=tuple((c, p) for c, p in data["bones"]),  # type: ignore[attr-defined]
            symmetry=tuple((a, b) for a, b in data["symmetry"]),  # type: ignore[attr-defined]
            parts={k: tuple(v) for k, v in data["parts"].items()},  # type: ignore[attr-defined]
            center=str(data["center"]),
            dims=int(data.get("dims", 3)),  # type: ignore[call-overload]
            derive={
                k: tuple(tuple(c) for c in v)
                for k, v in data.get("derive", {}).items()  # type: ignore[attr-defined]
            },
            description=str(data.get("description", "")),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise LayoutError(f"layout {data.get('name', '?')!r} is malformed: {error}") from error
