"""Pickles read by their bytes, against Python's own pickle; and what a hostile one may try."""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infocpl.errors import SkeletonFormatError
from infocpl.skeleton.formats import pickle_machine
from infocpl.skeleton.formats.pickles import LazyArray, PickleFile, is_pickle

PROTOCOLS = (2, 3, 4, 5)


def real(value: Any, file: PickleFile) -> Any:
    """The value with its arrays read."""
    if isinstance(value, LazyArray):
        return file.array(value)
    if isinstance(value, dict):
        return {key: real(item, file) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(real(item, file) for item in value)
    return value


def same(a: Any, b: Any) -> bool:
    if isinstance(b, np.ndarray):
        native = b.dtype.newbyteorder("=")
        return (
            a.dtype == native and a.shape == b.shape and a.tobytes() == b.astype(native).tobytes()
        )
    if isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


dtypes = st.one_of(
    hnp.floating_dtypes(sizes=(16, 32, 64), endianness="?"),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.boolean_dtypes(),
)
arrays = dtypes.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
    )
)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | arrays
    | arrays.map(np.asfortranarray),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values, st.sampled_from(PROTOCOLS))
def test_plain_data_and_arrays_come_out_as_pickle_gives_them(tmp_path, value, protocol) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    with PickleFile(path) as file:
        assert same(real(file.value, file), value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_large_arrays_shared_objects_and_numpy_numbers_survive(tmp_path, protocol) -> None:
    rng = np.random.default_rng(0)
    big, names = rng.normal(size=(40, 50, 3)), ["clip"] * 3
    value = {
        "a": big,
        "again": big,
        "strided": big[::2, ::3],
        "names": names,
        "the same names": names,
        "ordered": OrderedDict(x=1, y=2.5),
        "numbers": [np.int64(-5), np.float32(0.25), np.uint8(7), np.bool_(True)],
        "many": list(range(3000)),
        "bytes as text": "\x80\xff" * 10,
    }
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))
    with PickleFile(path) as file:
        found = real(file.value, file)
        assert found["the same names"] is not None
        value |= {"ordered": {"x": 1, "y": 2.5}, "numbers": [-5, 0.25, 7, True]}
        assert same(found, value)


def test_arrays_as_python_2_wrote_them_are_read(tmp_path) -> None:
    """Text and bytes were one type, written as BINSTRING; the names of numpy are the same."""
    numbers = np.arange(6, dtype="<f4").reshape(2, 3)

    def short(text: bytes) -> bytes:
        return b"U" + bytes([len(text)]) + text

    data = b"T" + struct.pack("<I", numbers.nbytes) + numbers.tobytes()
    dtype = b"cnumpy\ndtype\n(" + short(b"f4") + b"K\x00K\x01tR"
    dtype += b"(K\x03" + short(b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00t" + short(b"b") + b"tR"
    array += b"(K\x01(K\x02K\x03t" + dtype + b"\x89" + data + b"tb"
    content = b"\x80\x02}" + short(b"keypoint") + array + b"s."
    assert np.array_equal(pickle.loads(content, encoding="latin1")["keypoint"], numbers)
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    with PickleFile(path) as file:
        assert same(real(file.value, file), {"keypoint": numbers})


def test_an_array_is_read_from_the_file_only_when_it_is_asked_for(tmp_path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps([np.zeros(1 << 20), np.ones(1 << 20)]))
    with PickleFile(path) as file:
        first, second = file.value
        assert (first.shape, first.dtype) == ((1 << 20,), np.float64)
        assert first.data.content is None
        assert second.data.content is None
        assert file.array(second).all()
    with pytest.raises(ValueError, match="closed"):
        file.array(first)


# --- hostile files ----------------------------------------------------------------------------


class Runs:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


MARK = "this-file-must-never-appear"

HOSTILE = {
    "os.system": lambda: Runs(os.system, f"touch {MARK}"),
    "subprocess": lambda: Runs(subprocess.Popen, ["touch", MARK]),
    "open for writing": lambda: Runs(open, MARK, "w"),
    "eval": lambda: Runs(eval, f"open({MARK!r}, 'w')"),
    "getattr": lambda: Runs(getattr, "a", "upper"),
    "a class": lambda: Path("a"),
    "a function": lambda: os.getcwd,
    "inside an annotation": lambda: {"annotations": [{"label": Runs(os.system, f"touch {MARK}")}]},
    "inside an object array": lambda: np.array([Runs(os.system, f"touch {MARK}"), 1], object),
    "numpy's own loader": lambda: Runs(np.load, "x.npy"),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_hostile_pickle_is_refused_and_executes_nothing(
    tmp_path, monkeypatch, make, protocol
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(make(), protocol=protocol))
    with pytest.raises(SkeletonFormatError, match=r"byte \d+: ") as caught:
        PickleFile(path)
    assert "which is not run" in str(caught.value) or "expected" in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["a.pkl"]
    # The check can fail: Python itself does run such a file.
    if make is HOSTILE["os.system"]:
        pickle.loads(path.read_bytes())
        assert (tmp_path / MARK).exists()


def test_the_name_that_was_to_be_called_is_in_the_message(tmp_path) -> None:
    path = tmp_path / "a.pkl"
    path.write_bytes(pickle.dumps(Runs(os.system, "true")))
    with pytest.raises(SkeletonFormatError, match=r"a call of 'posix.system', which is not run"):
        PickleFile(path)


HEAD = b"\x80\x04"
NUMPY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"
FLOAT = b"cnumpy\ndtype\n(X\x02\x00\x00\x00f8K\x00K\x01tR"

BROKEN = {
    "a text file": (b"hello", "byte 0: pickle: expected a pickle of protocol 2 to 5"),
    "protocol 0": (pickle.dumps([1], protocol=0), "protocol 2 to 5, got '"),
    "protocol 6": (b"\x80\x06N.", "protocol 2 to 5"),
    "no end": (HEAD + b"N", "byte 3: pickle: expected an instruction, got the end of the file"),
    "two objects": (HEAD + b"NN.", "one object at the end, got 2"),
    "no object": (HEAD + b".", "one object at the end, got 0"),
    "an open mark": (HEAD + b"N(.", "one object at the end, got 1"),
    "a pop from nothing": (HEAD + b"0N.", "an object to work on, got none"),
    "a pop below a mark": (HEAD + b"N(0.", "an object to work on, got none"),
    "no mark": (HEAD + b"Nt.", "a mark, got none"),
    "an append to a number": (HEAD + b"K\x01K\x02a.", "a list, got int"),
    "items of a number": (HEAD + b"K\x01(NNu.", "a dict, got int"),
    "a key without value": (HEAD + b"}(Nu.", "keys and values, got 1 objects"),
    "a list as key": (HEAD + b"}(]Nu.", "text or a whole number, got list"),
    "nothing remembered": (HEAD + b"h\x07.", "remembered before, got number 7"),
    "text that is not UTF-8": (HEAD + b"\x8c\x01\xff.", "pickle text: expected UTF-8"),
    "text beyond the end": (HEAD + b"\x8c\x63ab.", "99 bytes of data, got 3"),
    "bytes beyond the end": (
        HEAD + b"\x8e" + (2**60).to_bytes(8, "little") + b".", "bytes of data, got 1"
    ),
    "a name without end": (HEAD + b"c" + b"x" * 500, "a line of at most 200 bytes"),
    "a list as name": (HEAD + b"]]\x93.", "pickle name: expected text, got list"),
    "a persistent object": (HEAD + b"X\x01\x00\x00\x00aQ.", "instruction 0x51"),
    "an instance": (HEAD + b"N)\x81.", "instruction 0x81"),
    "a call of a number": (HEAD + b"K\x01)R.", "the making of an array, got int"),
    "a state for a list": (HEAD + b"])b.", r"\(\) for list"),
    "a state that is a list": (HEAD + NUMPY + b"]b.", "that of an array, got list"),
    "an array called with text": (
        HEAD + b"cnumpy.core.multiarray\n_reconstruct\nX\x01\x00\x00\x00a\x85R.", r"got \(str\)"
    ),
    "an array of objects": (
        HEAD + NUMPY + b"(K\x01K\x01\x85cnumpy\ndtype\n(X\x02\x00\x00\x00O8K\x00K\x01tR\x89]tb.",
        "real numbers, got Python objects",
    ),
    "an array of text": (
        HEAD + b"cnumpy\ndtype\n(X\x02\x00\x00\x00U9K\x00K\x01tR.", "real numbers, got 'U9'"
    ),
    "too few bytes": (
        HEAD + NUMPY + b"(K\x01K\x09\x85" + FLOAT + b"\x89C\x08abcdefghtb.",
        r"72 bytes for shape \(9,\), got 8",
    ),
    "a negative size": (
        HEAD + NUMPY + b"(K\x01J\xff\xff\xff\xff\x85" + FLOAT + b"\x89C\x00tb.", "array shape"
    ),
    "a state twice": (
        HEAD + NUMPY + 2 * (b"(K\x01K\x01\x85" + FLOAT + b"\x89C\x08abcdefghtb") + b".",
        "state: expected that of an array",
    ),
    "a number of the wrong size": (
        HEAD + b"cnumpy.core.multiarray\nscalar\n(" + FLOAT + b"C\x01atR.", "8 bytes, got 1"
    ),
    "bytes from another alphabet": (
        HEAD + b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x05\x00\x00\x00utf16tR.", "text in latin-1"
    ),
    "an ordered dict of something": (
        HEAD + b"ccollections\nOrderedDict\nN\x85R.", "OrderedDict: expected an empty one"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("content", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_pickle_is_refused_at_its_byte(save, content, words) -> None:
    path = save(content, "a.pkl")
    with pytest.raises(SkeletonFormatError, match=words) as caught:
        PickleFile(path)
    assert str(caught.value).startswith(f"{path}, byte ")


def test_every_truncation_of_a_pickle_is_refused(save) -> None:
    whole = pickle.dumps({"a": [np.arange(3.0), "text", (1, 2)]}, protocol=4)
    for length in range(1, len(whole)):
        with pytest.raises(SkeletonFormatError):
            PickleFile(save(whole[:length], "a.pkl"))


def test_an_array_whose_making_was_not_finished_is_refused_when_read(save) -> None:
    with (
        PickleFile(save(HEAD + NUMPY + b".", "a.pkl")) as file,
        pytest.raises(SkeletonFormatError, match="one with content, got one without"),
    ):
        file.array(file.value)


@pytest.mark.parametrize("data", ["a" * 9000, "€" * 4500])
def test_text_in_the_place_of_bytes_is_counted_when_read(save, data) -> None:
    """Protocol 2 writes bytes as text, which may be up to twice as long."""
    text = data.encode()
    content = HEAD + NUMPY + b"(K\x01M\x88\x13\x85cnumpy\ndtype\n(X\x02\x00\x00\x00u1K\x00K\x01tR"
    content += b"\x89c_codecs\nencode\n(X" + struct.pack("<I", len(text)) + text
    content += b"X\x06\x00\x00\x00latin1tRtb."
    expected = "5,000 bytes" if data[0] == "a" else "5,000 bytes for shape|latin-1 text"
    with (
        pytest.raises(SkeletonFormatError, match=expected),
        PickleFile(save(content, "a.pkl")) as file,
    ):
        file.array(file.value)


def test_bombs_are_refused_in_little_time(save) -> None:
    """Lists in lists that would have 2**200 leaves, and more open objects than are allowed."""
    laughs = (
        HEAD
        + b"]q\x00"
        + b"".join(
            b"](h" + bytes([i]) + b"h" + bytes([i]) + b"eq" + bytes([i + 1]) for i in range(200)
        )
    )
    start = time.process_time()
    with PickleFile(save(laughs + b"0" * 201 + b"h\xc8.", "a.pkl")) as file:
        assert len(file.value) == 2
    with pytest.raises(SkeletonFormatError, match="at most 12,000,000 objects, got more"):
        PickleFile(save(HEAD + b"(" + b"]" * (pickle_machine._MAX_STACK + 5), "b.pkl"))
    assert time.process_time() - start < 3.0


@pytest.mark.parametrize(
    ("limit", "content", "words"),
    [
        ("_MAX_KEPT", b"]" + 120 * b"]a" + b".", "at most 100 objects"),
        ("_MAX_KEPT", b"]" + 60 * b"(NNe" + b".", "at most 100 objects"),
        ("_MAX_KEPT", b"}" + 120 * b"K\x01Ns" + b".", "at most 100 objects"),
        ("_MAX_KEPT", b"N" + 120 * b"\x94" + b".", "at most 100 objects"),
        (
            "_MAX_KEPT",
            b"]" + 3 * (b"X\x00\x10\x00\x00" + 4096 * b"x" + b"a"),
            "at most 100 objects",
        ),
        ("_MAX_STEPS", 100 * b"N0" + b"N.", "at most 100 instructions"),
    ],
    ids=["lists", "list items", "dict items", "remembered objects", "text", "instructions"],
)
def test_everything_that_costs_memory_is_counted(save, monkeypatch, limit, content, words) -> None:
    monkeypatch.setattr(pickle_machine, limit, 100)
    with pytest.raises(SkeletonFormatError, match=words):
        PickleFile(save(HEAD + content, "a.pkl"))


def test_pickles_are_known_by_their_first_bytes() -> None:
    assert all(is_pickle(pickle.dumps({}, protocol=protocol)) for protocol in PROTOCOLS)
    assert not any(is_pickle(head) for head in (b"", b"\x80", b"\x80\x01}", b"PK\x03\x04", b"(dp0"))
