"""What a language model is asked: prompts kept as data, filled in from the rules of the format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from infocpl.data.yaml_files import read_yaml
from infocpl.errors import SemanticsError
from infocpl.semantics.entry_reader import ATTRIBUTE_NAMES, COUNTS, PHASE_NAMES, WORD_LIMITS
from infocpl.semantics.traits import TRAIT_LISTS, TRAIT_MAY_BE_EMPTY, TRAIT_VALUES
from infocpl.skeleton.layout import PART_NAMES

__all__ = ["Group", "load_prompts"]


@dataclass(frozen=True)
class Group:
    """One question about an action.

    Attributes
    ----------
    name : such as ``"parts"``
    fields : fields of the lexicon format that the answer holds
    question : the text, but for the action's name
    """

    name: str
    fields: tuple[str, ...]
    question: str

    def prompt(self, action: str) -> str:
        """The whole question about one action."""
        return f"The action is {json.dumps(action, ensure_ascii=False)}. {self.question}"


@dataclass(frozen=True)
class Prompts:
    """All that is ever said to a model."""

    system: str
    repair: str
    groups: tuple[Group, ...]


@cache
def load_prompts() -> Prompts:
    """The prompts of the package.

    Examples
    --------
    >>> [group.name for group in load_prompts().groups][:3]
    ['identity', 'parts', 'phases']
    """
    data = read_yaml(resources.files("infocpl.semantics.llm") / "prompts.yaml", SemanticsError)
    words = _words()
    groups = []
    for name in data.child("groups").data:
        group = data.child("groups").child(name)
        groups.append(Group(name, group.texts("fields"), group.text("ask").format_map(words)))
    system = f"{data.text('system')}\n{data.text('rules')}"
    return Prompts(system, data.text("repair"), tuple(groups))


def _words() -> Mapping[str, str]:
    """What stands for the braces of a prompt: counts and limits of the format, names of keys."""
    found = {f"{field}_words": f"{least} to {most}" for field, (least, most) in WORD_LIMITS.items()}
    for field, (least, most) in COUNTS.items():
        found[field] = str(least) if least == most else f"{least} to {most}"
    for field, keys in (
        ("parts", PART_NAMES),
        ("phases", PHASE_NAMES),
        ("attributes", ATTRIBUTE_NAMES),
        ("may_be_empty", TRAIT_MAY_BE_EMPTY),
    ):
        found[field] = ", ".join(f'"{key}"' for key in keys)
    known = {
        name: list(words) if name in TRAIT_LISTS else " or ".join(words)
        for name, words in TRAIT_VALUES.items()
    }
    found["traits"] = json.dumps(known)
    return found
