"""Vectors made elsewhere: found by their texts, never by the order of rows."""

from __future__ import annotations

import io
import json
import random
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics import EmbeddingCache, TextEncoder, cached_encode, create_text_encoder
from infocpl.semantics.labels import label_key
from infocpl.semantics.text import PrecomputedEncoder, save_precomputed

TEXTS = ["sit down", "stand up", "A person waves."]


def unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def vectors(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(3, 8))


@pytest.fixture
def path(tmp_path: Path, vectors: np.ndarray) -> Path:
    """Three vectors with their texts, a line a row."""
    np.save(tmp_path / "clip.npy", vectors)
    (tmp_path / "clip.labels.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    return tmp_path / "clip.npy"


def test_a_row_is_found_by_its_text_in_any_order(path: Path, vectors: np.ndarray) -> None:
    encoder = create_text_encoder(path)
    assert isinstance(encoder, TextEncoder)
    assert encoder.dim == 8
    rows = encoder.encode(["stand up", "a  PERSON waves.", "sit down", "stand up"])
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, unit(vectors)[[1, 2, 0, 1]], atol=1e-6)
    assert encoder.encode([]).shape == (0, 8)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", ">f4", "<f8", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_and_order_in_memory_is_read(path: Path, dtype: str, order) -> None:
    numbers = np.arange(1, 25).reshape(3, 8)
    np.save(path, np.asarray(numbers, dtype=dtype, order=order))
    rows = create_text_encoder(path).encode(TEXTS)
    np.testing.assert_allclose(rows, unit(numbers), atol=1e-6)


def test_without_labels_the_order_of_rows_is_not_believed(path: Path) -> None:
    (path.parent / "clip.labels.txt").unlink()
    with pytest.raises(SemanticsError, match=r"clip\.labels\.txt beside it.*order of rows alone"):
        create_text_encoder(path)


def test_two_files_of_labels_are_one_too_many(path: Path) -> None:
    (path.parent / "clip.labels.json").write_text(json.dumps(TEXTS))
    with pytest.raises(SemanticsError, match="expected one file of labels"):
        create_text_encoder(path)
    encoder = PrecomputedEncoder(path, path.parent / "clip.labels.json")
    assert encoder.labels_path.name == "clip.labels.json"


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match=r"gone\.npy: no such file of vectors"):
        create_text_encoder(tmp_path / "gone.npy")
    with pytest.raises(SemanticsError, match=r"gone\.npy cannot be read: No such file"):
        PrecomputedEncoder(tmp_path / "gone.npy", tmp_path / "gone.txt")


def test_a_text_without_a_row_is_an_error_with_the_nearest_text(path: Path) -> None:
    encoder = create_text_encoder(path)
    with pytest.raises(
        SemanticsError, match=r"text 'sit dawn' \(nor 1 other.*nearest is 'sit down'"
    ):
        encoder.encode(["stand up", "sit dawn", "xyzzy"])


def test_sentences_are_found_and_their_class_names_are_not(tmp_path: Path) -> None:
    rows = [
        "drink\tA person lifts a cup.",
        "drink\tThe hand goes to the mouth.",
        "",
        "# note",
        "eat",
    ]
    (tmp_path / "v.labels.txt").write_text("\n".join(rows), encoding="utf-8")
    np.save(tmp_path / "v.npy", np.eye(3))
    encoder = create_text_encoder(tmp_path / "v.npy")
    found = encoder.encode(["the hand goes to the mouth.", "eat", "A person lifts a cup."])
    np.testing.assert_array_equal(found, np.eye(3)[[1, 2, 0]])
    # The vector of a sentence is not the vector of the bare name.
    with pytest.raises(SemanticsError, match=r"'drink'.*2 rows have it as a name, .*lifts a cup"):
        encoder.encode(["drink"])


def test_labels_as_json_say_the_same(tmp_path: Path, vectors: np.ndarray) -> None:
    rows = [{"name": "sit", "sentence": TEXTS[0]}, TEXTS[1], {"name": TEXTS[2]}]
    (tmp_path / "v.labels.json").write_text(json.dumps(rows))
    np.save(tmp_path / "v.npy", vectors)
    rows = create_text_encoder(tmp_path / "v.npy").encode(TEXTS)
    np.testing.assert_allclose(rows, unit(vectors), atol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a\nb", r"expected 3 rows, as .*clip\.npy has, got 2", id="too few"),
        pytest.param("a\nb\nc\nd", "expected 3 rows, .*, got 4", id="too many"),
        pytest.param("a\nb\n A ", r"line 3: 'A' repeats line 1; a text has one", id="twice"),
        pytest.param("a\n#\n\nb\nA", r"line 5: 'A' repeats line 1", id="twice, after a note"),
        pytest.param("a\tb\tc\nb\nc", "line 1: expected a text, or a name, a tab", id="two tabs"),
        pytest.param("a\nb\t\nc", "line 2: expected a text, or a name", id="no sentence"),
        pytest.param("# nothing\n", "expected a text a row, got none at all", id="empty"),
        pytest.param(b"a\nb\n\xff", r"byte 4: expected UTF-8 text", id="no UTF-8"),
        pytest.param("a\nb\n" + "c" * 100_001, "line 3: expected 1 to 100000", id="too long"),
    ],
)
def test_lines_that_do_not_fit_are_refused(path: Path, put, text, message: str) -> None:
    put(path.parent / "clip.labels.txt", text)
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        pytest.param("[", "expected JSON", id="no JSON"),
        pytest.param(3, "expected a list of rows, got int", id="a number"),
        pytest.param({"texts": []}, "expected a list of rows, got NoneType", id="other fields"),
        pytest.param(["a", 2, "c"], "row 2: expected a text", id="a number in it"),
        pytest.param(["a", {"sentence": "b"}, "c"], "row 2: expected a text", id="no name"),
        pytest.param(["a", {"name": "b", "x": "y"}, "c"], "row 2: expected a text", id="more"),
        pytest.param(["a", {"name": "b", "sentence": None}, "c"], "row 2", id="null"),
        pytest.param(["a", "", "c"], "row 2: expected 1 to 100000 characters, got 0", id="empty"),
        pytest.param(["a", "b", "A"], "row 3: 'A' repeats row 1", id="twice"),
        pytest.param('["a", "b", "\\ud800"]', "row 3: expected Unicode text", id="half a pair"),
        pytest.param({"sha256": 3, "rows": TEXTS}, "sha256: expected text", id="a number as hash"),
        pytest.param({"sha256": "ab", "rows": TEXTS}, "belong to other vectors", id="hash"),
    ],
)
def test_json_that_does_not_fit_is_refused(path: Path, put, record, message: str) -> None:
    (path.parent / "clip.labels.txt").unlink()
    put(path.parent / "clip.labels.json", record)
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(content=st.binary(max_size=60), name=st.sampled_from(["labels.txt", "labels.json"]))
def test_any_file_of_labels_is_read_or_refused(path: Path, content: bytes, name: str) -> None:
    (path.parent / name).write_bytes(content)
    try:
        encoder = PrecomputedEncoder(path, path.parent / name)
    except SemanticsError:
        return
    assert encoder.encode([]).shape == (0, 8)


class Evil:
    def __reduce__(self):
        return (print, ("owned",))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        pytest.param(np.array([[Evil()]] * 3), "float64, got object .which could run", id="object"),
        pytest.param(np.ones((3, 8), dtype=int), "float64, got int64", id="whole numbers"),
        pytest.param(np.ones((3, 8), dtype=complex), "float64, got complex128", id="complex"),
        pytest.param(np.full((3, 8), "x"), "float64, got <U1", id="letters"),
        pytest.param(np.ones(24), r"shape \(n, D\), got \(24,\)", id="one axis"),
        pytest.param(np.ones((3, 2, 4)), r"shape \(n, D\), got \(3, 2, 4\)", id="three axes"),
        pytest.param(np.ones((0, 8)), r"shape \(n, D\), got \(0, 8\)", id="no row"),
        pytest.param(np.diag([1.0, np.nan, 1]), "row 2: expected finite numbers", id="NaN"),
        pytest.param(np.diag([1.0, 1, np.inf]), "row 3: expected finite numbers", id="infinity"),
        pytest.param(
            np.diag([1.0, 0, 1]), "row 2: .* scaled to length one, got numbers of at most 0", id="0"
        ),
        pytest.param(np.diag([1.0, 1e308, 1]) * [[1], [1], [1]], "", id="huge but finite"),
    ],
)
def test_arrays_that_are_no_vectors_are_refused(
    path: Path, array: np.ndarray, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(path, array, allow_pickle=True)
    if not message:
        rows = create_text_encoder(path).encode(TEXTS)
        assert np.isfinite(rows).all()
        return
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(path)
    assert capsys.readouterr().out == ""


def header(shape: str, descr: str = "'<f4'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "expected a .npy file", id="empty"),
        pytest.param(b"PK\x03\x04" + b"\0" * 99, "expected a .npy file", id="an archive"),
        pytest.param(header("(100000, 100000)"), "expected 40000000\\d+ bytes, got", id="a bomb"),
        pytest.param(header("(3, 8)") + b"\0" * 95, "expected .* bytes, got", id="cut off"),
        pytest.param(header("(3, 8)") + b"\0" * 97, "expected .* bytes, got", id="too long"),
        pytest.param(header("(-3, 8)"), r"shape \(n, D\), got", id="negative"),
        pytest.param(header("(" * 900), "expected a .npy file", id="brackets"),
        pytest.param(b"\x93NUMPY\x03\x00" + header("(3, 8)")[8:], "version 1 or 2", id="version"),
    ],
)
def test_a_header_is_checked_before_memory_is_used(path: Path, put, data, message: str) -> None:
    put(path, data)
    with pytest.raises(SemanticsError, match=message):
        create_text_encoder(path)


def test_mutants_of_a_file_are_refused_or_read_as_finite_vectors(path: Path) -> None:
    (path.parent / "clip.labels.txt").write_text("a\nb\nc\n")
    file = io.BytesIO()
    np.save(file, np.arange(1, 25, dtype=np.float32).reshape(3, 8))
    seed, draw = file.getvalue(), random.Random(7)
    tokens = [
        b"(",
        b")",
        b"'",
        b"{",
        b"}",
        b"-1",
        b"9" * 20,
        b"|O",
        b"<f8",
        b"\x00",
        b"\xff",
        b"1e9",
    ]
    refused, worst, begin = 0, 0.0, time.monotonic()
    for number in range(5_000):
        mutant = bytearray(seed)
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(mutant) if draw.random() < 0.3 else 128)
            if draw.random() < 0.5:
                mutant[place : place + 1] = draw.choice(tokens)
            else:
                mutant[place] = draw.randrange(256)
        path.unlink()  # writing over a file waits for the disk on some systems
        path.write_bytes(mutant)
        started = time.monotonic()
        try:
            rows = create_text_encoder(path).encode(["a", "b", "c"])
        except SemanticsError:
            refused += 1
        else:
            lengths = np.linalg.norm(rows.astype(float), axis=1)
            if not np.allclose(lengths, 1, atol=1e-5):
                pytest.fail(f"mutant {number} gave vectors of lengths {lengths}")
        worst = max(worst, time.monotonic() - started)
        if time.monotonic() - begin > 4:
            break
    assert refused > 300
    assert worst < 0.5


def test_what_is_saved_is_found_again(tmp_path: Path, vectors: np.ndarray) -> None:
    target = tmp_path / "new" / "own.npy"
    save_precomputed(target, TEXTS, vectors)
    rows = create_text_encoder(target).encode(TEXTS[::-1])
    np.testing.assert_allclose(rows, unit(vectors)[::-1], atol=1e-6)
    # Vectors that are made again without their labels no longer belong to these.
    np.save(target, vectors[::-1].astype(np.float32))
    with pytest.raises(SemanticsError, match="the labels belong to other vectors"):
        create_text_encoder(target)


distinct = st.lists(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool),
    min_size=1,
    max_size=6,
    unique_by=label_key,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(texts=distinct)
def test_any_text_can_be_saved_and_found(tmp_path: Path, texts: list[str]) -> None:
    rows = np.random.default_rng(0).normal(size=(len(texts), 4))
    save_precomputed(tmp_path / "v.npy", texts, rows)
    found = create_text_encoder(tmp_path / "v.npy").encode(texts[::-1])
    np.testing.assert_allclose(found, unit(rows)[::-1], atol=1e-6)


@pytest.mark.parametrize(
    ("name", "texts", "rows", "message"),
    [
        pytest.param("v.txt", TEXTS, np.eye(3), "ends in .npy", id="name"),
        pytest.param("v.npy", TEXTS, np.eye(2), r"shape \(3, D\), got \(2, 2\)", id="count"),
        pytest.param("v.npy", TEXTS, np.diag([1, np.nan, 1]), "expected finite", id="NaN"),
        pytest.param("v.npy", ["a", "A", "b"], np.eye(3), "some of them twice", id="twice"),
    ],
)
def test_what_could_not_be_read_is_not_written(
    tmp_path: Path, name: str, texts: list[str], rows: np.ndarray, message: str
) -> None:
    with pytest.raises(SemanticsError, match=message):
        save_precomputed(tmp_path / name, texts, rows)
    assert list(tmp_path.iterdir()) == []


def test_the_id_follows_vectors_and_texts_and_not_the_place(path: Path, tmp_path: Path) -> None:
    encoder = create_text_encoder(path)
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in path.parent.glob("clip.*"):
        (moved / file.name.replace("clip", "other")).write_bytes(file.read_bytes())
    assert create_text_encoder(moved / "other.npy").id == encoder.id
    labels = moved / "other.labels.txt"
    labels.write_text("\n".join([TEXTS[1], TEXTS[0], TEXTS[2]]))
    assert create_text_encoder(moved / "other.npy").id != encoder.id
    labels.write_text("\n".join(TEXTS))
    np.save(moved / "other.npy", np.eye(3))
    assert create_text_encoder(moved / "other.npy").id != encoder.id


def test_it_serves_where_a_model_would(path: Path, tmp_path: Path, vectors: np.ndarray) -> None:
    cache = EmbeddingCache(tmp_path / "cache.sqlite3")
    rows = cached_encode(create_text_encoder(path), TEXTS, cache)
    np.testing.assert_allclose(rows, unit(vectors), atol=1e-6)
    with pytest.raises(SemanticsError, match="expected a row with the text 'jump'"):
        cached_encode(create_text_encoder(path), [*TEXTS, "jump"], cache)
