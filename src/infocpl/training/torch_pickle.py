"""Pickles of tensors and modules, followed without running them.

A pickle is a program; unpickling runs it, and a whole-module file asks for the classes of the
program that wrote it. Here every instruction builds inert records: a name stays a name, a call
stays a note of what was to be called with what. Nothing is imported, called or constructed, so no
class needs to be known and no file can do harm. Used by :mod:`infocpl.training.torch_files`.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infocpl.errors import CheckpointError

__all__ = ["Made", "Name", "Stored", "follow_pickle"]

MAX_PICKLE_BYTES = 64 * 1024 * 1024
_MAX_STEPS = 5_000_000


@dataclass(frozen=True)
class Name:
    """A class or function the pickle names, such as ``torch._utils._rebuild_tensor_v2``."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Stored:
    """A reference to data outside of the pickle."""

    place: Any


@dataclass(eq=False)
class Made:
    """What unpickling would have constructed: a note of it.

    Attributes
    ----------
    what : the class or function that was to be called
    arguments : what it was to be called with
    state : what was to be set on the result
    items : what was to be put into the result under text keys, for mappings
    """

    what: Any
    arguments: Any
    state: Any = None
    items: dict[str, Any] = field(default_factory=dict)


def follow_pickle(content: bytes, source: str) -> Any:
    """Follow a whole pickle and return what it leaves.

    Parameters
    ----------
    content : the pickle
    source : what messages call it

    Returns
    -------
    numbers, text, bytes, tuples, lists, dicts (entries under text keys only), :class:`Name`,
    :class:`Made` and :class:`Stored`, nested

    Raises
    ------
    CheckpointError : with the byte, if the pickle is damaged, out of bounds or of a kind that
        torch does not write

    Examples
    --------
    >>> import pickle
    >>> found = follow_pickle(pickle.dumps(1 + 2j, protocol=4), "a.pkl")
    >>> str(found.what), found.arguments
    ('builtins.complex', (1.0, 2.0))
    """
    if len(content) > MAX_PICKLE_BYTES:
        raise CheckpointError(f"{source}: a pickle of more than {MAX_PICKLE_BYTES:,} bytes")
    machine = _Machine(source)
    steps = 0
    try:
        for code, argument, place in pickletools.genops(content):
            machine.place = place or 0
            steps += 1
            if steps > _MAX_STEPS:
                raise machine.fail(f"more than {_MAX_STEPS:,} instructions")
            if code.name == "STOP":
                break
            machine.step(code.name, argument)
    # What pickletools raises on bytes that are no pickle.
    except (ValueError, IndexError, OverflowError, struct.error) as error:
        raise machine.fail(f"damaged: {str(error)[:80]}") from error
    if len(machine.stack) != 1 or machine.marks:
        raise machine.fail(f"{len(machine.stack)} objects at the end instead of one")
    return machine.stack[0]


_LITERALS = frozenset(
    (
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "UNICODE"),
        *("SHORT_BINSTRING", "BINSTRING", "STRING"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


class _Machine:
    """Stack, marks and memory, and what each instruction does with them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def fail(self, what: str) -> CheckpointError:
        return CheckpointError(f"{self.source}, byte {self.place}: {what}")

    def step(self, name: str, argument: Any) -> None:
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _STEPS:
            _STEPS[name](self, argument)
        else:
            raise self.fail(f"instruction {name}, which torch does not write")

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise self.fail("an instruction without an object to work on")
        return self.stack.pop()

    def top(self) -> Any:
        item = self.pop()
        self.stack.append(item)
        return item

    def since_mark(self) -> list[Any]:
        if not self.marks:
            raise self.fail("an instruction without a mark to go back to")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def group(self, count: int) -> None:
        self.stack.append(tuple([self.pop() for _ in range(count)][::-1]))

    def put(self, index: int) -> None:
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise self.fail(f"object {index} is used before it was made")
        self.stack.append(self.memo[index])

    def append(self, items: list[Any]) -> None:
        # Lists, sets, and objects that behave like them; nothing is read from the latter.
        target = self.top()
        if isinstance(target, list):
            target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top()
        entries = target.items if isinstance(target, Made) else target
        if not isinstance(entries, dict) or len(items) % 2:
            raise self.fail("entries that are put into something other than a mapping")
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Only text keys: a key of any other kind would have to be hashed.
            if type(key) is str:
                entries[key] = value

    def dictionary(self) -> None:
        items = self.since_mark()
        self.stack.append({})
        self.set_items(items)

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise self.fail("a name that is not text")
        self.stack.append(Name(module, name))

    def make(self, *, keywords: bool = False) -> None:
        extra = (self.pop(),) if keywords else ()
        arguments, what = self.pop(), self.pop()
        self.stack.append(Made(what, (arguments, *extra) if keywords else arguments))

    def build(self) -> None:
        state = self.pop()
        target = self.top()
        if isinstance(target, Made):
            target.state = state


def _stack_global(machine: _Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.name(module, name)


def _set_item(machine: _Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.set_items([key, value])


_STEPS: dict[str, Callable[[_Machine, Any], object]] = {
    "PROTO": lambda m, a: None,
    "FRAME": lambda m, a: None,
    "MARK": lambda m, a: m.marks.append(len(m.stack)),
    "POP": lambda m, a: m.pop(),
    "POP_MARK": lambda m, a: m.since_mark(),
    "DUP": lambda m, a: m.stack.append(m.top()),
    "EMPTY_LIST": lambda m, a: m.stack.append([]),
    "EMPTY_SET": lambda m, a: m.stack.append([]),
    "EMPTY_DICT": lambda m, a: m.stack.append({}),
    "LIST": lambda m, a: m.stack.append(m.since_mark()),
    "FROZENSET": lambda m, a: m.stack.append(m.since_mark()),
    "TUPLE": lambda m, a: m.stack.append(tuple(m.since_mark())),
    "TUPLE1": lambda m, a: m.group(1),
    "TUPLE2": lambda m, a: m.group(2),
    "TUPLE3": lambda m, a: m.group(3),
    "DICT": lambda m, a: m.dictionary(),
    "APPEND": lambda m, a: m.append([m.pop()]),
    "APPENDS": lambda m, a: m.append(m.since_mark()),
    "ADDITEMS": lambda m, a: m.append(m.since_mark()),
    "SETITEM": lambda m, a: _set_item(m),
    "SETITEMS": lambda m, a: m.set_items(m.since_mark()),
    "PUT": lambda m, a: m.put(int(a)),
    "BINPUT": lambda m, a: m.put(a),
    "LONG_BINPUT": lambda m, a: m.put(a),
    "MEMOIZE": lambda m, a: m.put(len(m.memo)),
    "GET": lambda m, a: m.get(int(a)),
    "BINGET": lambda m, a: m.get(a),
    "LONG_BINGET": lambda m, a: m.get(a),
    "GLOBAL": lambda m, a: m.name(*str(a).partition(" ")[::2]),
    "STACK_GLOBAL": lambda m, a: _stack_global(m),
    "REDUCE": lambda m, a: m.make(),
    "NEWOBJ": lambda m, a: m.make(),
    "NEWOBJ_EX": lambda m, a: m.make(keywords=True),
    "BUILD": lambda m, a: m.build(),
    "BINPERSID": lambda m, a: m.stack.append(Stored(m.pop())),
}
