"""Checkpoints: what is written is what is read, and nothing damaged is ever believed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from infocpl.errors import CheckpointError
from infocpl.files import remove_stale
from infocpl.training.checkpoint import FORMAT_VERSION, load_tensors, save_tensors

DTYPES = [
    torch.float64,
    torch.float32,
    torch.bfloat16,
    torch.float16,
    torch.int64,
    torch.int32,
    torch.uint8,
    torch.bool,
]


def small_file(path: Path) -> Path:
    tensors = {
        "weight": torch.tensor([[1.5, -2.0]]),
        "half": torch.tensor([0.25], dtype=torch.bfloat16),
        "step": torch.tensor(7.0),
    }
    save_tensors(path, tensors, {"epoch": 3, "name": "schön"})
    return path


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (2, 0, 3)], ids=str)
def test_every_kind_of_number_and_shape_comes_back_to_the_bit(
    tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    tensor = (torch.randn(shape) * 50).to(dtype)
    save_tensors(tmp_path / "a.safetensors", {"x": tensor}, {})
    found = load_tensors(tmp_path / "a.safetensors")[0]["x"]
    assert found.dtype == dtype
    assert found.shape == tensor.shape
    assert torch.equal(found, tensor)


def test_not_a_number_and_infinity_survive(tmp_path: Path) -> None:
    tensor = torch.tensor([float("nan"), float("inf"), -float("inf"), -0.0])
    save_tensors(tmp_path / "a.safetensors", {"x": tensor}, {})
    found = load_tensors(tmp_path / "a.safetensors")[0]["x"]
    assert torch.equal(found.view(torch.int32), tensor.view(torch.int32))


def test_views_and_channels_last_tensors_come_back_with_equal_values(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {
        "transposed": torch.randn(3, 5).t(),
        "sliced": torch.randn(10, 4)[::3, 1:],
        "channels last": torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "needs gradient": torch.randn(3, requires_grad=True),
    }
    save_tensors(tmp_path / "a.safetensors", tensors, {})
    found, _ = load_tensors(tmp_path / "a.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half of a surrogate pair is no text in any encoding.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(meta=st.dictionaries(st.text(max_size=8), JSON, max_size=4))
def test_any_json_description_comes_back(tmp_path: Path, meta: dict) -> None:
    save_tensors(tmp_path / "a.safetensors", {"x": torch.ones(1)}, meta)
    assert load_tensors(tmp_path / "a.safetensors")[1] == meta


def test_equal_content_is_equal_bytes(tmp_path: Path) -> None:
    """safetensors alone orders its metadata by chance: one of six orders each time."""
    tensors = {"b": torch.arange(3.0), "a": torch.ones(1, dtype=torch.bfloat16)}
    meta = {"names": ["café", "walk"], "epoch": 3}
    for number in range(12):
        save_tensors(tmp_path / f"{number}.safetensors", tensors, meta)
    assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1
    with safe_open(tmp_path / "0.safetensors", framework="pt") as file:
        assert torch.equal(file.get_tensor("b"), tensors["b"])
        assert json.loads(file.metadata()["meta"]) == meta


def test_no_tensors_at_all_is_a_checkpoint_too(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.safetensors", {}, {"epoch": 0})
    assert load_tensors(tmp_path / "a.safetensors") == ({}, {"epoch": 0})


def test_a_description_json_cannot_hold_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = small_file(tmp_path / "a.safetensors")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="JSON"):
        save_tensors(path, {"x": torch.ones(1)}, {"loss": float("nan")})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_each_single_flipped_bit_is_noticed(tmp_path: Path) -> None:
    content = small_file(tmp_path / "a.safetensors").read_bytes()
    damaged = tmp_path / "b.safetensors"
    for position in range(len(content)):
        for bit in range(8):
            mutant = bytearray(content)
            mutant[position] ^= 1 << bit
            damaged.write_bytes(mutant)
            with pytest.raises(CheckpointError):
                load_tensors(damaged)


def test_replaced_bytes_and_swapped_runs_are_noticed(tmp_path: Path) -> None:
    content = small_file(tmp_path / "a.safetensors").read_bytes()
    expected = load_tensors(tmp_path / "a.safetensors")
    damaged = tmp_path / "b.safetensors"
    draw = random.Random(0)
    noticed = 0
    for _ in range(1500):
        mutant = bytearray(content)
        for _ in range(draw.randint(1, 4)):
            mutant[draw.randrange(len(mutant))] = draw.randrange(256)
        if mutant == content:
            continue
        damaged.write_bytes(mutant)
        try:
            tensors, meta = load_tensors(damaged)
        except CheckpointError:
            noticed += 1
        else:  # white space of the header may differ; numbers may not
            assert meta == expected[1]
            assert tensors.keys() == expected[0].keys()
            assert all(torch.equal(tensors[name], expected[0][name]) for name in tensors)
    assert noticed > 1450


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    content = small_file(tmp_path / "a.safetensors").read_bytes()
    damaged = tmp_path / "b.safetensors"
    for length in range(len(content)):
        damaged.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"b\.safetensors"):
            load_tensors(damaged)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04.", b"PK\x03\x04" + bytes(100), b"{}", b"\xff" * 64],
    ids=["empty", "pickle", "zip", "json", "a header of 2^64 bytes"],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a readable safetensors file"):
        load_tensors(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere\.safetensors does not exist"):
        load_tensors(tmp_path / "nowhere.safetensors")


def test_safetensors_of_somebody_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.ones(2)}, str(path))
    with pytest.raises(CheckpointError, match="not written by infocpl"):
        load_tensors(path)


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (str(FORMAT_VERSION + 1), f"format version {FORMAT_VERSION + 1}; this infocpl reads"),
        ("0", "format version 0; this infocpl reads"),
        ("²", "not written by infocpl"),
        ("-1", "not written by infocpl"),
        ("", "not written by infocpl"),
    ],
)
def test_another_format_version_is_refused(tmp_path: Path, version: str, sentence: str) -> None:
    path = tmp_path / "a.safetensors"
    header = {"format_version": version, "meta": json.dumps({}), "sha256": ""}
    save_file({"x": torch.ones(2)}, str(path), metadata=header)
    with pytest.raises(CheckpointError, match=sentence):
        load_tensors(path)


def test_a_checkpoint_without_its_hash_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"x": torch.ones(2)}, str(path), metadata={"format_version": "1", "meta": "{}"})
    with pytest.raises(CheckpointError, match="damaged"):
        load_tensors(path)


def test_two_tensors_that_exchange_their_names_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_tensors(path, {"x1": torch.ones(2), "x2": torch.zeros(2)}, {})
    content = path.read_bytes()
    swapped = content.replace(b'"x1"', b'"xx"').replace(b'"x2"', b'"x1"').replace(b'"xx"', b'"x2"')
    assert swapped != content
    path.write_bytes(swapped)
    with pytest.raises(CheckpointError, match="does not match its hash"):
        load_tensors(path)


WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import torch
    from infocpl.training.checkpoint import save_tensors
    torch.set_num_threads(1)
    target, number = Path(sys.argv[1]), int(sys.argv[2])
    print("ready", flush=True)
    while True:
        number += 1
        save_tensors(target, {"x": torch.full((200_000,), number)}, {"number": number})
    """
)


@pytest.mark.integration
def test_killing_the_writer_at_any_moment_never_costs_the_checkpoint(tmp_path: Path) -> None:
    target = tmp_path / "state.safetensors"
    save_tensors(target, {"x": torch.zeros(200_000, dtype=torch.int64)}, {"number": 0})
    draw = random.Random(1)
    last = 0
    torn = 0
    for _ in range(24):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(target), str(last)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "ready\n"
            time.sleep(draw.uniform(0.005, 0.12))
            writer.kill()
            assert writer.wait() == -signal.SIGKILL
        tensors, meta = load_tensors(target)
        assert meta["number"] >= last
        assert bool((tensors["x"] == meta["number"]).all())
        last = meta["number"]
        torn += len(list(tmp_path.glob(".partial-*")))
        remove_stale(tmp_path)
        assert list(tmp_path.iterdir()) == [target]
    assert last > 0  # the writers did write,
    assert torn > 0  # and some were killed in the middle of it
