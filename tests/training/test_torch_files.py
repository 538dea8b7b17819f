"""Files of torch.save are read as torch would read them, and never run."""

from __future__ import annotations

import collections
import io
import os
import pickle
import pickletools
import random
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from infocpl.errors import CheckpointError
from infocpl.training.torch_files import read_torch_tensors
from infocpl.training.torch_pickle import Made, Name, follow_pickle


class Outer(nn.Module):
    """A module with everything a state dict holds: nested parts, buffers, tied weights."""

    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(3, 4), nn.BatchNorm1d(4)])
        self.register_buffer("table", torch.arange(6).view(2, 3))
        self.register_buffer("fleeting", torch.ones(2), persistent=False)
        self.tied = nn.Linear(3, 4)
        self.tied.weight = self.parts[0].weight
        self.empty = nn.Parameter(torch.zeros(0, 3))
        self.note = {"any": ["thing", 1.5, None, (True, b"bytes")], 7: {1, 2}}


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


def test_a_whole_module_gives_the_tensors_of_its_state_dict(tmp_path: Path) -> None:
    module = Outer()
    torch.save(module, tmp_path / "whole.pt")
    found = read_torch_tensors(tmp_path / "whole.pt")
    # Which buffers are left out of a state dict is the program's secret; none is lost.
    assert torch.equal(found.pop("fleeting"), module.fleeting)
    same(found, dict(module.state_dict()))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_state_dict_is_read_as_torch_reads_it(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "state.pt"
    torch.save(Outer().state_dict(), path, pickle_protocol=protocol)
    same(read_torch_tensors(path), torch.load(path, weights_only=False))


@pytest.mark.parametrize("wrapper", ["state_dict", "model_state_dict", "model", "net"])
def test_a_state_dict_may_lie_inside_a_training_checkpoint(tmp_path: Path, wrapper: str) -> None:
    state = Outer().state_dict()
    torch.save({"epoch": 3, wrapper: state, "optimizer": {}}, tmp_path / "a.pt")
    same(read_torch_tensors(tmp_path / "a.pt"), dict(state))


def test_a_module_may_lie_inside_a_training_checkpoint(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    torch.save({"model": module, "epoch": 1}, tmp_path / "a.pt")
    same(read_torch_tensors(tmp_path / "a.pt"), dict(module.state_dict()))


def test_files_older_than_torch_1_6_are_read_if_they_hold_a_state_dict(tmp_path: Path) -> None:
    state = nn.Linear(2, 3).state_dict()
    path = tmp_path / "old.pt"
    torch.save({"state_dict": state}, path, _use_new_zipfile_serialization=False)
    same(read_torch_tensors(path), dict(state))
    torch.save(nn.Linear(2, 3), path, _use_new_zipfile_serialization=False)
    with pytest.raises(CheckpointError, match="nor an older state dict"):
        read_torch_tensors(path)


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int32, torch.bool], ids=str
)
def test_every_kind_of_number_and_every_view_survives(tmp_path: Path, dtype: torch.dtype) -> None:
    base = (torch.arange(24).view(4, 6) % 5).to(dtype)
    state = {"whole": base, "turned": base.t(), "part": base[1:3, ::2], "one": base[0, 1]}
    torch.save(state, tmp_path / "a.pt")
    same(read_torch_tensors(tmp_path / "a.pt"), state)


def test_classes_that_no_longer_exist_are_not_needed(tmp_path: Path) -> None:
    class Forgotten(nn.Linear):
        __module__ = "program_of_the_authors.models"
        __qualname__ = "Forgotten"

    content = whole_module_of(Forgotten, tmp_path)
    path = tmp_path / "forgotten.pt"
    path.write_bytes(content)
    found = read_torch_tensors(path)
    assert {name: tuple(t.shape) for name, t in found.items()} == {"weight": (3, 2), "bias": (3,)}


def whole_module_of(kind: type[nn.Module], folder: Path) -> bytes:
    """Save a module whose class cannot be imported, by renaming it inside the pickle."""
    torch.save(nn.Linear(2, 3), folder / "plain.pt")
    return rewrite(
        folder / "plain.pt",
        lambda data: data.replace(
            b"ctorch.nn.modules.linear\nLinear\n",
            f"c{kind.__module__}\n{kind.__qualname__}\n".encode(),
        ),
    )


def rewrite(path: Path, change: Callable[[bytes], bytes], member: str = "data.pkl") -> bytes:
    """The archive at `path` with one member changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if info.filename.endswith("/" + member):
                changed = change(content)
                assert changed != content
                content = changed
            new.writestr(info.filename, content)
    return out.getvalue()


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("new", [True, False], ids=["zip", "old"])
def test_a_hostile_file_runs_nothing(tmp_path: Path, new: bool) -> None:
    victim, path = tmp_path / "victim", tmp_path / "hostile.pt"
    torch.save(Hostile(victim), path, _use_new_zipfile_serialization=new)
    with pytest.raises(CheckpointError, match=r"hostile\.pt"):
        read_torch_tensors(path)
    assert not victim.exists()
    # The same file does run when it is unpickled: the trap is armed.
    torch.load(path, weights_only=False)
    assert victim.exists()


def test_weights_beside_something_hostile_are_read_and_nothing_runs(tmp_path: Path) -> None:
    victim, path = tmp_path / "victim", tmp_path / "hostile.pt"
    module = nn.Linear(2, 1)
    module.trap = Hostile(victim)
    torch.save(module, path)
    same(read_torch_tensors(path), dict(module.state_dict()))
    assert not victim.exists()


def test_calls_stay_notes_of_what_was_to_be_called(tmp_path: Path) -> None:
    found = follow_pickle(pickle.dumps(Hostile(tmp_path / "victim"), protocol=4), "x")
    assert isinstance(found, Made)
    assert found.what == Name(os.system.__module__, "system")
    assert found.arguments == (f"touch {tmp_path / 'victim'}",)
    assert not (tmp_path / "victim").exists()


PLAIN = [
    {"a": [1, -5, 2**70, 1.5, None, True, False], "b": ("x", b"y", ()), "c": {"d": {}}},
    [[], [[]], ({"k": (1, 2, 3, 4)},)],
    "text " * 100,
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("value", PLAIN, ids=["dict", "lists", "text"])
def test_plain_data_come_out_as_unpickling_would_give_them(value: object, protocol: int) -> None:
    if protocol < 3 and isinstance(value, dict):
        value = {**value, "b": ("x", ())}  # bytes are a call in old protocols
    assert follow_pickle(pickle.dumps(value, protocol=protocol), "x") == value


def test_ordered_dicts_keep_their_entries() -> None:
    entries = collections.OrderedDict(b=1, a=2)
    found = follow_pickle(pickle.dumps(entries, protocol=2), "x")
    assert list(found.items.items()) == [("b", 1), ("a", 2)]


def spoil_offsets(data: bytes) -> bytes:
    """Make the first tensor begin far behind the end of its storage."""
    ops = list(pickletools.genops(data))
    place = next(p for i, (op, _, p) in enumerate(ops) if ops[i - 1][0].name == "BINPERSID")
    return data[:place] + b"J" + struct.pack("<i", 2**30) + data[place + 2 :]


SPOILT: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "offset": (spoil_offsets, "data.pkl", "does not fit into a storage"),
    "storage kind": (
        lambda d: d.replace(b"FloatStorage", b"MagicStorage"),
        "data.pkl",
        "a storage of kind MagicStorage",
    ),
    "short storage": (lambda d: d[:-1], "data/0", "numbers in a storage of"),
    "no pickle": (lambda d: b"hello", "data.pkl", "data.pkl, byte 0"),
    "half a pickle": (lambda d: d[: len(d) // 2], "data.pkl", "data.pkl, byte"),
    "empty pickle": (lambda d: b"", "data.pkl", "damaged"),
    "a number": (lambda d: pickle.dumps(5), "data.pkl", "neither a state dict nor a module"),
    "odd instruction": (lambda d: b"\x80\x02Pabc\n.", "data.pkl", "which torch does not write"),
    "storage elsewhere": (
        lambda d: d.replace(b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x009"),
        "data.pkl",
        "has no member data/9",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_file_is_refused_in_one_sentence(tmp_path: Path, case: str) -> None:
    change, member, words = SPOILT[case]
    torch.save({"w": torch.ones(3)}, tmp_path / "good.pt")
    path = tmp_path / "bad.pt"
    path.write_bytes(rewrite(tmp_path / "good.pt", change, member))
    with pytest.raises(CheckpointError) as caught:
        read_torch_tensors(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="is not a file"):
        read_torch_tensors(tmp_path)
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(CheckpointError, match=r"text\.pt is neither a file of torch\.save"):
        read_torch_tensors(tmp_path / "text.pt")
    (tmp_path / "empty.pt").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"empty\.pt"):
        read_torch_tensors(tmp_path / "empty.pt")
    with zipfile.ZipFile(tmp_path / "other.pt", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"no data\.pkl in it"):
        read_torch_tensors(tmp_path / "other.pt")


def test_members_that_inflate_are_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\0" * 10_000_000)
    with pytest.raises(CheckpointError, match="compressed, or larger than the file"):
        read_torch_tensors(tmp_path / "bomb.pt")


def test_many_names_for_one_storage_cannot_fill_the_memory(tmp_path: Path) -> None:
    shared = torch.ones(50_000)
    torch.save({f"w{i}": shared for i in range(40)}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="more than 8 times the file's bytes"):
        read_torch_tensors(tmp_path / "a.pt")


def test_a_module_that_contains_itself_ends_in_a_refusal(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(1, 1))
    module._modules["again"] = module
    torch.save(module, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match="nested without end"):
        read_torch_tensors(tmp_path / "a.pt")


def test_damage_is_refused_with_the_one_kind_of_error_or_changes_nothing(tmp_path: Path) -> None:
    module = nn.Linear(2, 3)
    torch.save(module, tmp_path / "good.pt")
    with zipfile.ZipFile(tmp_path / "good.pt") as archive:
        pickled = next(n for n in archive.namelist() if n.endswith("data.pkl"))
        good = archive.read(pickled)
    rng = random.Random(0)
    refused = 0
    for _ in range(1500):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        if rng.random() < 0.2:
            del bad[rng.randrange(len(bad)) :]
        try:
            follow_pickle(bytes(bad), "x")
        except CheckpointError:
            refused += 1
    assert refused > 300
    whole = (tmp_path / "good.pt").read_bytes()
    for _ in range(300):
        spoilt = bytearray(whole)
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        (tmp_path / "bad.pt").write_bytes(bytes(spoilt))
        try:
            found = read_torch_tensors(tmp_path / "bad.pt")
        except CheckpointError:
            refused += 1
        else:
            same(found, dict(module.state_dict()))
    assert refused > 500
