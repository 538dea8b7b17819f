"""What a pickle of plain data and numpy arrays is made of, without unpickling any of it.

Used by :mod:`infocpl.skeleton.formats.pickle_machine`. A name in a pickle stays a name here; the
few that numpy writes have a meaning, and the functions below do what unpickling would, on
stand-ins.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import show

__all__ = ["MAKERS", "NAMES", "LazyArray", "Name", "NumberType", "RawBytes", "build"]

Fail = Callable[[str, str, str], SkeletonFormatError]
"""Field, expected, got -> an error that knows the file and the byte."""

_MAX_AXES = 8
_NUMBER = re.compile(r"[fiu][1248]|b1")


@dataclass(frozen=True)
class RawBytes:
    """Bytes that stay in the file, or `content`, if they are few.

    `coded` if they stand in the file as UTF-8 text of latin-1 bytes, which is how protocol 2
    writes bytes.
    """

    start: int
    size: int
    coded: bool = False
    content: bytes | None = None


@dataclass(frozen=True)
class Name:
    """A name that numpy writes."""

    meaning: str


class NumberType:
    """A dtype; its byte order follows after it in a pickle."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.order = "="

    def create(self) -> np.dtype[Any]:
        """The dtype as numpy has it."""
        dtype: np.dtype[Any] = np.dtype(self.order + self.code)
        return dtype


class LazyArray:
    """An array of numbers that is still in its file.

    Attributes
    ----------
    shape, dtype : of the array
    fortran : whether its first axis runs fastest
    data : where its bytes are; None while its making is not complete
    """

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.dtype: np.dtype[Any] = np.dtype(np.float64)
        self.fortran = False
        self.data: RawBytes | None = None


NAMES = {
    ("numpy", "dtype"): Name("dtype"),
    ("numpy", "ndarray"): Name("ndarray"),
    ("numpy.core.multiarray", "_reconstruct"): Name("array"),
    ("numpy._core.multiarray", "_reconstruct"): Name("array"),
    ("numpy.core.multiarray", "scalar"): Name("number"),
    ("numpy._core.multiarray", "scalar"): Name("number"),
    ("numpy.core.numeric", "_frombuffer"): Name("buffer"),
    ("numpy._core.numeric", "_frombuffer"): Name("buffer"),
    ("_codecs", "encode"): Name("bytes"),
    ("__builtin__", "bytes"): Name("no bytes"),
    ("collections", "OrderedDict"): Name("mapping"),
}
"""The names a pickle may contain; no other one has a meaning."""


def kinds(items: Any) -> str:
    """Say what kinds of objects these are, without looking into them."""
    return f"({', '.join(type(item).__name__ for item in items[:6])})"


def _literal(item: Any, fail: Fail) -> RawBytes:
    """Bytes as the data of an array, whichever way a pickle spells them."""
    if type(item) is str:
        try:
            content = item.encode("latin-1")
        except UnicodeEncodeError as error:
            raise fail("array data", "latin-1 text", show(error, 60)) from error
        return RawBytes(0, len(content), content=content)
    if type(item) is not RawBytes:
        kind = "Python objects" if type(item) is list else type(item).__name__
        raise fail("array data", "the bytes of numbers", kind)
    return item


def _make_dtype(arguments: tuple[Any, ...], fail: Fail) -> NumberType:
    if len(arguments) != 3 or type(arguments[0]) is not str:
        raise fail("dtype", "what numpy writes", kinds(arguments))
    code = arguments[0]
    if not _NUMBER.fullmatch(code):
        kind = "Python objects" if code.startswith("O") else show(code)
        raise fail("dtype", "real numbers", kind)
    return NumberType(code)


def _make_array(arguments: tuple[Any, ...], fail: Fail) -> LazyArray:
    if not arguments or arguments[0] is not NAMES["numpy", "ndarray"]:
        raise fail("array", "what numpy writes", kinds(arguments))
    return LazyArray()


def _make_from_buffer(arguments: tuple[Any, ...], fail: Fail) -> LazyArray:
    if len(arguments) != 4 or arguments[3] not in ("C", "F"):
        raise fail("array", "what numpy writes", kinds(arguments))
    data, dtype, shape, order = arguments
    array = LazyArray()
    _fill(array, shape, dtype, order == "F", data, fail)
    return array


def _make_number(arguments: tuple[Any, ...], fail: Fail) -> Any:
    """A numpy scalar as a Python number; its few bytes were read at once."""
    if len(arguments) != 2 or type(arguments[0]) is not NumberType:
        raise fail("number", "what numpy writes", kinds(arguments))
    dtype, data = arguments[0].create(), _literal(arguments[1], fail)
    if data.content is None or len(data.content) != dtype.itemsize:
        raise fail("number", f"{dtype.itemsize} bytes", f"{data.size}")
    return np.frombuffer(data.content, dtype)[0].item()


def _make_bytes(arguments: tuple[Any, ...], fail: Fail) -> RawBytes:
    if len(arguments) != 2 or arguments[1] not in ("latin1", "latin-1"):
        raise fail("bytes", "text in latin-1", kinds(arguments))
    return _literal(arguments[0], fail)


def _make_no_bytes(arguments: tuple[Any, ...], fail: Fail) -> RawBytes:
    """The content of an array without elements, as protocol 2 writes it."""
    if arguments:
        raise fail("bytes", "none", kinds(arguments))
    return RawBytes(0, 0, content=b"")


def _make_mapping(arguments: tuple[Any, ...], fail: Fail) -> dict[Any, Any]:
    if arguments:
        raise fail("OrderedDict", "an empty one", kinds(arguments))
    return {}


MAKERS: dict[str, Callable[[tuple[Any, ...], Fail], Any]] = {
    "dtype": _make_dtype,
    "array": _make_array,
    "buffer": _make_from_buffer,
    "number": _make_number,
    "bytes": _make_bytes,
    "no bytes": _make_no_bytes,
    "mapping": _make_mapping,
}
"""For the meaning of each name that can be called: arguments to object."""


def build(target: Any, state: Any, fail: Fail) -> None:
    """Give an object made before its state, in place."""
    if type(state) is not tuple:
        raise fail("state", "that of an array", type(state).__name__)
    if type(target) is NumberType and len(state) > 1 and state[1] in ("<", ">", "|", "="):
        # Numbers have nothing else in their state: no fields, no sub-arrays, no metadata.
        target.order = state[1]
    elif type(target) is LazyArray and target.data is None and len(state) == 5:
        _, shape, dtype, fortran, data = state
        _fill(target, shape, dtype, fortran is True or fortran == 1, data, fail)
    else:
        raise fail("state", "that of an array", f"{kinds(state)} for {type(target).__name__}")


def _fill(target: LazyArray, shape: Any, dtype: Any, fortran: bool, data: Any, fail: Fail) -> None:
    if type(shape) is not tuple or type(dtype) is not NumberType or len(shape) > _MAX_AXES:
        raise fail("array", "what numpy writes", kinds((shape, dtype, data)))
    if not all(type(size) is int and 0 <= size < 2**48 for size in shape):
        raise fail("array shape", "whole numbers", kinds(shape))
    target.shape, target.dtype = shape, dtype.create()
    target.fortran, target.data = fortran, _literal(data, fail)
    wanted, size = math.prod(shape) * target.dtype.itemsize, target.data.size
    # A byte above 127 takes two as UTF-8; the exact count is taken when the array is read.
    most = 2 * wanted if target.data.coded else wanted
    if not wanted <= size <= most:
        raise fail("array data", f"{wanted:,} bytes for shape {shape}", f"{size:,}")
