"""Pickles of numbers, names and arrays, read without unpickling them.

A pickle is a program; unpickling runs it. Here its instructions are followed by a machine that
makes data and can call nothing: ``os.system`` is a name like any other, and every name but the few
that numpy writes is refused. The file is mapped, and arrays stay where they are in it until they
are asked for, so the pickle of a whole dataset opens in little memory.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats.limits import MAX_COLLECTION_BYTES, show
from infocpl.skeleton.formats.mapped import MappedFile
from infocpl.skeleton.formats.pickle_machine import is_pickle, run_pickle
from infocpl.skeleton.formats.pickle_objects import LazyArray

__all__ = ["LazyArray", "PickleFile", "is_pickle"]


class PickleFile(MappedFile):
    """A mapped pickle: its data at once, its arrays on demand; a context manager.

    Parameters
    ----------
    path : the file
    max_bytes : largest size of the file

    Attributes
    ----------
    value : dict, list, tuple, str, int, float, bool, None and :class:`LazyArray`, nested as in the
        file. Numpy scalars are Python numbers; bytes outside arrays are stand-ins of no use.

    Raises
    ------
    SkeletonFormatError : if the file is no pickle of protocol 2 to 5, is damaged, asks for anything
        but numpy arrays and plain data, or is out of bounds; with the byte

    Examples
    --------
    >>> import pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.pkl"
    ...     _ = path.write_bytes(pickle.dumps({"x": np.arange(3), "name": "a"}))
    ...     with PickleFile(path) as file:
    ...         file.value["name"], file.array(file.value["x"]).tolist()
    ('a', [0, 1, 2])
    """

    def __init__(self, path: str | Path, *, max_bytes: int = MAX_COLLECTION_BYTES) -> None:
        super().__init__(path, max_bytes=max_bytes)
        try:
            self.value = run_pickle(self.path, self._map)
        except BaseException:
            self.close()
            raise

    def array(self, lazy: LazyArray) -> NDArray[Any]:
        """Read one array: a copy in native byte order and C order.

        Raises
        ------
        SkeletonFormatError : if its bytes are not as many as its shape needs
        """
        data = lazy.data
        if data is None:
            raise SkeletonFormatError(self.path, "array", "one with content", "one without")
        content = data.content
        if content is None:
            content = self._map[data.start : data.start + data.size]
        if data.coded:
            try:
                content = content.decode("utf-8").encode("latin-1")
            except UnicodeError as error:
                raise SkeletonFormatError(
                    self.path, "array", "latin-1 text", show(error, 60), f"byte {data.start}"
                ) from error
        wanted = math.prod(lazy.shape) * lazy.dtype.itemsize
        if len(content) != wanted:
            expected, got = f"{wanted:,} bytes for shape {lazy.shape}", f"{len(content):,}"
            raise SkeletonFormatError(self.path, "array", expected, got, f"byte {data.start}")
        flat = np.frombuffer(content, lazy.dtype)
        array = flat.reshape(lazy.shape, order="F" if lazy.fortran else "C")
        with np.errstate(invalid="ignore"):  # a NaN in foreign byte order
            return np.array(array, dtype=lazy.dtype.newbyteorder("="), order="C")
