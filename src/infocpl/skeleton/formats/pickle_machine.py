"""The instructions of a pickle, followed one by one; they make data and call nothing.

Used by :mod:`infocpl.skeleton.formats.pickles`. Only what pickles of protocol 2 to 5 need for plain
data and numpy arrays is here; anything else is refused with its byte. Format: Python's
``pickletools``.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import show
from infocpl.skeleton.formats.pickle_objects import MAKERS, NAMES, Name, RawBytes, build

__all__ = ["is_pickle", "run_pickle"]

_MAX_STEPS = 40_000_000
_MAX_KEPT = 12_000_000  # objects in containers or remembered: about 1 GB
_MAX_STACK = 200_000
_SMALL = 4096  # longer texts and bytes are the content of arrays and stay in the file
_STOP = 0x2E


def is_pickle(head: bytes) -> bool:
    """Whether a file that begins with `head` is a pickle of protocol 2 to 5."""
    return len(head) > 2 and head[0] == 0x80 and 2 <= head[1] <= 5


def run_pickle(path: Path, data: mmap.mmap) -> Any:
    """Follow a whole pickle and return what it leaves.

    Parameters
    ----------
    path : named in messages only
    data : the file

    Raises
    ------
    SkeletonFormatError : at the byte of the first instruction that is damaged, out of bounds, or
        wants more than plain data and numpy arrays
    """
    machine = _Machine(path, data)
    if not is_pickle(data[:3]):
        raise machine.fail("pickle", "a pickle of protocol 2 to 5", show(data[:4], 20))
    steps, stack, size = _STEPS, machine.stack, machine.size
    for _ in range(_MAX_STEPS):
        machine.begin = at = machine.at
        if at >= size:
            raise machine.fail("pickle", "an instruction", "the end of the file")
        code = data[at]
        machine.at = at + 1
        if code == _STOP:
            break
        step = steps.get(code)
        if step is None:
            raise machine.fail("pickle", "data of protocol 2 to 5", f"instruction {code:#04x}")
        step(machine)
        if len(stack) > _MAX_STACK or machine.kept > _MAX_KEPT:
            raise machine.fail("pickle", f"at most {_MAX_KEPT:,} objects", "more")
    else:
        raise machine.fail("pickle", f"at most {_MAX_STEPS:,} instructions", "more")
    if len(stack) != 1 or machine.marks:
        raise machine.fail("pickle", "one object at the end", f"{len(stack)}")
    return stack[0]


class _Machine:
    """Place in the file, stack, marks and memory, and what instructions do with them."""

    def __init__(self, path: Path, data: mmap.mmap) -> None:
        self.path, self.data, self.size = path, data, len(data)
        self.at = self.begin = self.kept = 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def fail(self, field: str, expected: str, got: str) -> SkeletonFormatError:
        return SkeletonFormatError(self.path, field, expected, got, f"byte {self.begin}")

    # --- reading the file ---------------------------------------------------------------------

    def skip(self, count: int) -> None:
        if count > self.size - self.at:
            got = f"{self.size - self.at:,}"
            raise self.fail("pickle", f"{count:,} bytes of data", got)
        self.at += count

    def take(self, count: int) -> bytes:
        start = self.at
        self.skip(count)
        return self.data[start : start + count]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "little")

    def line(self) -> str:
        end = self.data.find(b"\n", self.at, self.at + 200)
        if end < 0:
            raise self.fail("pickle name", "a line of at most 200 bytes", "a longer one")
        text = self.take(end - self.at).decode("utf-8", "replace")
        self.at += 1
        return text

    # --- the stack ----------------------------------------------------------------------------

    def push(self, item: Any) -> None:
        self.kept += 1
        self.stack.append(item)

    def pop(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise self.fail("pickle", "an object to work on", "none")
        return self.stack.pop()

    def pop_mark(self) -> list[Any]:
        if not self.marks:
            raise self.fail("pickle", "a mark", "none")
        start = self.marks.pop()
        items = self.stack[start:]
        del self.stack[start:]
        return items

    def top(self) -> Any:
        item = self.pop()
        self.stack.append(item)
        return item

    def put(self, index: int) -> None:
        self.kept += 1
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise self.fail("pickle", "an object remembered before", f"number {index}")
        self.stack.append(self.memo[index])

    # --- objects ------------------------------------------------------------------------------

    def text(self, count: int, encoding: str) -> None:
        if count > _SMALL:
            self.stay(count, coded=encoding == "utf-8")
            return
        self.kept += count // 64
        try:
            self.stack.append(self.take(count).decode(encoding))
        except UnicodeDecodeError as error:
            raise self.fail("pickle text", "UTF-8", show(error, 60)) from error

    def stay(self, count: int, *, coded: bool) -> None:
        start = self.at
        self.skip(count)
        self.stack.append(RawBytes(start, count, coded))

    def raw(self, count: int) -> None:
        if count > _SMALL:
            self.stay(count, coded=False)
            return
        self.kept += count // 64
        content = self.take(count)
        self.stack.append(RawBytes(self.begin, count, content=content))

    def group(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.push(tuple(items[::-1]))

    def append(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) is not list:
            raise self.fail("pickle", "a list", type(target).__name__)
        self.kept += len(items)
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top()
        if type(target) is not dict:
            raise self.fail("pickle", "a dict", type(target).__name__)
        if len(items) % 2:
            raise self.fail("pickle", "keys and values", f"{len(items)} objects")
        for key in items[::2]:
            if type(key) is not str and type(key) is not int:
                raise self.fail("pickle key", "text or a whole number", type(key).__name__)
        self.kept += len(items) // 2
        target.update(zip(items[::2], items[1::2], strict=True))

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise self.fail("pickle name", "text", f"{type(module).__name__}")
        found = NAMES.get((module, name))
        if found is None:
            got = f"a call of {show(f'{module}.{name}', 60)}, which is not run"
            raise self.fail("pickle", "data and numpy arrays only", got)
        self.stack.append(found)

    def name_on_stack(self) -> None:
        name, module = self.pop(), self.pop()
        self.name(module, name)

    def call(self) -> None:
        arguments, name = self.pop(), self.pop()
        make = MAKERS.get(name.meaning) if type(name) is Name else None
        if make is None or type(arguments) is not tuple:
            raise self.fail("pickle", "the making of an array", type(name).__name__)
        self.push(make(arguments, self.fail))

    def build(self) -> None:
        state = self.pop()
        build(self.top(), state, self.fail)


def _whole(machine: _Machine, size: int) -> None:
    machine.stack.append(int.from_bytes(machine.take(size), "little", signed=True))


_STEPS: dict[int, Callable[[_Machine], object]] = {
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("0"): lambda m: m.pop(),
    ord("1"): lambda m: m.pop_mark(),
    ord("N"): lambda m: m.stack.append(None),
    0x88: lambda m: m.stack.append(True),
    0x89: lambda m: m.stack.append(False),
    ord("K"): lambda m: m.stack.append(m.number(1)),
    ord("M"): lambda m: m.stack.append(m.number(2)),
    ord("J"): lambda m: _whole(m, 4),
    0x8A: lambda m: _whole(m, m.number(1)),
    ord("G"): lambda m: m.stack.append(struct.unpack(">d", m.take(8))[0]),
    ord("U"): lambda m: m.text(m.number(1), "latin-1"),
    ord("T"): lambda m: m.text(m.number(4), "latin-1"),
    0x8C: lambda m: m.text(m.number(1), "utf-8"),
    ord("X"): lambda m: m.text(m.number(4), "utf-8"),
    0x8D: lambda m: m.text(m.number(8), "utf-8"),
    ord("C"): lambda m: m.raw(m.number(1)),
    ord("B"): lambda m: m.raw(m.number(4)),
    0x8E: lambda m: m.raw(m.number(8)),
    0x96: lambda m: m.raw(m.number(8)),
    ord("]"): lambda m: m.push([]),
    ord("}"): lambda m: m.push({}),
    ord(")"): lambda m: m.push(()),
    ord("t"): lambda m: m.push(tuple(m.pop_mark())),
    0x85: lambda m: m.group(1),
    0x86: lambda m: m.group(2),
    0x87: lambda m: m.group(3),
    ord("a"): lambda m: m.append([m.pop()]),
    ord("e"): lambda m: m.append(m.pop_mark()),
    ord("s"): lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    ord("u"): lambda m: m.set_items(m.pop_mark()),
    ord("q"): lambda m: m.put(m.number(1)),
    ord("r"): lambda m: m.put(m.number(4)),
    0x94: lambda m: m.put(len(m.memo)),
    ord("h"): lambda m: m.get(m.number(1)),
    ord("j"): lambda m: m.get(m.number(4)),
    ord("c"): lambda m: m.name(m.line(), m.line()),
    0x93: lambda m: m.name_on_stack(),
    ord("R"): lambda m: m.call(),
    ord("b"): lambda m: m.build(),
    0x80: lambda m: m.skip(1),  # the protocol
    0x95: lambda m: m.skip(8),  # the size of a frame
}
"""What each instruction does, by its byte."""
