"""The embedding cache: kept, shared between processes, and never trusted when damaged."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics import EmbeddingCache, TextEncoder, cached_encode, create_text_encoder
from infocpl.semantics.cache_folder import default_cache_folder

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


@pytest.fixture
def cache(tmp_path: Path) -> EmbeddingCache:
    return EmbeddingCache(tmp_path / "deep" / "cache.sqlite3")


def row(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def test_what_was_put_comes_back_bit_for_bit(
    cache: EmbeddingCache, rng: np.random.Generator
) -> None:
    rows = {f"text {n}": rng.normal(size=384).astype(np.float32) for n in range(1_200)}
    cache.put("e", rows)
    back = EmbeddingCache(cache.path).get("e", list(rows))
    assert len(cache) == 1_200
    for text, expected in rows.items():
        np.testing.assert_array_equal(back[text], expected)
        assert back[text].dtype == np.float32


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(names=st.lists(texts, unique=True, min_size=1, max_size=4))
def test_any_text_is_a_key(cache: EmbeddingCache, names: list[str]) -> None:
    rows = {name: row(float(n), 1.0) for n, name in enumerate(names)}
    cache.put("any", rows)
    back = cache.get("any", names)
    assert [back[name][0] for name in names] == list(range(len(names)))


def test_two_encoders_do_not_share_vectors(cache: EmbeddingCache) -> None:
    cache.put("one", {"jump": row(1, 0)})
    assert cache.get("other", ["jump"]) == {}
    cache.put("other", {"jump": row(0, 1)})
    assert cache.get("one", ["jump"])["jump"][0] == 1


def test_a_second_put_replaces_the_first(cache: EmbeddingCache) -> None:
    cache.put("e", {"jump": row(1, 0)})
    cache.put("e", {"jump": row(0, 1)})
    assert cache.get("e", ["jump"])["jump"][1] == 1
    assert len(cache) == 1


@pytest.mark.parametrize(
    "bad", [row(np.nan), row(np.inf, 0), np.ones((2, 2)), np.ones(0)], ids=["nan", "inf", "2d", "0"]
)
def test_a_vector_that_is_none_is_not_kept(cache: EmbeddingCache, bad: np.ndarray) -> None:
    with pytest.raises(SemanticsError, match=r"embedding of 'jump': expected finite numbers"):
        cache.put("e", {"run": row(1), "jump": bad})
    assert len(cache) == 0


def test_only_missing_texts_are_encoded_and_each_once(cache: EmbeddingCache, letters) -> None:
    first = cached_encode(letters, ["a", "b", "a"], cache)
    assert letters.asked == ["a", "b"]
    second = cached_encode(letters, ["c", "b", "a"], cache)
    assert letters.asked == ["a", "b", "c"]
    np.testing.assert_array_equal(first[[1, 0]], second[[1, 2]])
    np.testing.assert_array_equal(first[0], first[2])


def test_without_a_cache_the_rows_are_those_of_the_encoder(letters: TextEncoder) -> None:
    rows = cached_encode(letters, ["b", "a", "b"])
    np.testing.assert_array_equal(rows, letters.encode(["b", "a", "b"]))


def test_no_text_gives_no_row(cache: EmbeddingCache, letters: TextEncoder) -> None:
    assert cached_encode(letters, [], cache).shape == (0, letters.dim)


def test_a_full_cache_never_loads_the_weights(cache: EmbeddingCache, minilm: TextEncoder) -> None:
    expected = cached_encode(minilm, ["jump", "run"], cache)
    fresh = create_text_encoder("minilm")
    np.testing.assert_array_equal(cached_encode(fresh, ["run", "jump"], cache), expected[::-1])
    assert "_model" not in vars(fresh)


@pytest.mark.parametrize("flaw", ["length", "nan", "count"])
def test_an_encoder_that_breaks_its_promise_is_named_and_not_cached(
    cache: EmbeddingCache, letters, flaw: str
) -> None:
    class Broken(type(letters)):
        def encode(self, texts):
            rows = super().encode(texts)
            if flaw == "count":
                return rows[:-1]
            return rows * (2 if flaw == "length" else np.nan)

    with pytest.raises(SemanticsError, match="text encoder broken: expected"):
        cached_encode(Broken("broken"), ["a", "b"], cache)
    assert len(cache) == 0


def many(count: int) -> list[str]:
    return [f"sentence {'long ' * (n % 7)}{n}" for n in range(count)]


def test_many_texts_are_encoded_in_batches_longest_first(cache: EmbeddingCache, letters) -> None:
    texts, batches = many(1_300), []

    class Batched(type(letters)):
        def encode(self, texts):
            batches.append(list(texts))
            return super().encode(texts)

    steps: list[tuple[int, int]] = []
    rows = cached_encode(Batched(), texts, cache, progress=lambda *step: steps.append(step))
    np.testing.assert_array_equal(rows, letters.encode(texts))
    assert [len(batch) for batch in batches] == [512, 512, 276]
    lengths = [len(text) for batch in batches for text in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert steps == [(512, 1_300), (1_024, 1_300), (1_300, 1_300)]


def test_progress_counts_only_what_is_left_to_do(cache: EmbeddingCache, letters) -> None:
    texts = many(20)
    cached_encode(letters, texts[:15], cache)
    steps: list[tuple[int, int]] = []
    cached_encode(letters, texts, cache, progress=lambda *step: steps.append(step))
    assert steps == [(5, 5)]
    cached_encode(letters, texts, cache, progress=lambda *step: steps.append(step))
    assert steps == [(5, 5)]


def test_who_stops_half_way_keeps_what_was_done(cache: EmbeddingCache, letters) -> None:
    class Stopped(type(letters)):
        def encode(self, texts):
            if len(self.asked) >= 1_000:
                raise KeyboardInterrupt
            return super().encode(texts)

    texts = many(1_300)
    with pytest.raises(KeyboardInterrupt):
        cached_encode(Stopped(), texts, cache)
    assert len(cache) == 1_024
    rows = cached_encode(letters, texts, cache)
    assert len(letters.asked) == 1_300 - 1_024
    np.testing.assert_array_equal(rows, type(letters)().encode(texts))


@pytest.mark.parametrize("text", ["", "  ", None], ids=repr)
def test_a_text_that_is_no_sentence_is_named_by_its_place(
    cache: EmbeddingCache, letters, text: str
) -> None:
    with pytest.raises(SemanticsError, match="text 3: expected a sentence"):
        cached_encode(letters, ["a", "bb", text], cache)
    assert letters.asked == []


WRITER = """
import sys, numpy as np
from infocpl.semantics.cache import EmbeddingCache
path, own = sys.argv[1], int(sys.argv[2])
cache = EmbeddingCache(path)
print("ready", flush=True)
sys.stdin.readline()
for n in range(60):
    vector = np.full(8, n, dtype=np.float32)
    cache.put("e", {f"shared {n}": vector, f"own {own} {n}": vector + own})
    assert cache.get("e", [f"shared {n}"])[f"shared {n}"][0] == n
"""


def test_processes_that_write_at_once_lose_nothing(cache: EmbeddingCache) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", WRITER, str(cache.path), str(own)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for own in (1000, 2000)
    ]
    for writer in writers:  # both stand ready before the file exists
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert (writer.returncode, errors) == (0, "")
    assert len(cache) == 3 * 60
    for own in (1000, 2000):
        found = cache.get("e", [f"own {own} {n}" for n in range(60)])
        assert [found[f"own {own} {n}"][0] for n in range(60)] == [own + n for n in range(60)]


def test_a_file_that_is_no_database_is_set_aside_with_a_warning(
    tmp_path: Path, cache: EmbeddingCache
) -> None:
    cache.path.parent.mkdir()
    cache.path.write_bytes(b"these are my holiday notes, not a database" * 40)
    with pytest.warns(RuntimeWarning, match=r"cache\.sqlite3 is damaged .* begun anew"):
        assert cache.get("e", ["jump"]) == {}
    cache.put("e", {"jump": row(1)})
    assert len(cache) == 1
    (kept,) = cache.path.parent.glob("*.damaged-*")
    assert kept.read_bytes().startswith(b"these are my holiday notes")


def test_a_truncated_file_never_gives_a_wrong_vector(cache: EmbeddingCache) -> None:
    rows = {f"text {n}": row(*[n] * 300) for n in range(200)}
    cache.put("e", rows)
    data = cache.path.read_bytes()
    cache.path.write_bytes(data[: len(data) // 2])
    found: dict[str, np.ndarray] = {}
    # The damage shows at opening (a new file is begun) or while rows are read (an error).
    with pytest.warns(RuntimeWarning, match="damaged"), contextlib.suppress(SemanticsError):
        found = cache.get("e", list(rows))
    for text, vector in found.items():
        np.testing.assert_array_equal(vector, rows[text])
    cache.put("e", {"new": row(1)})
    assert "new" in cache.get("e", ["new"])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_flipped_bytes_never_give_a_wrong_vector(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite3"
    rows = {f"text {n}": row(*[n + 0.5] * 100) for n in range(40)}
    EmbeddingCache(path).put("e", rows)
    data = path.read_bytes()
    dice = random.Random(3)
    lost = 0
    for _ in range(150):
        spoilt = bytearray(data)
        spoilt[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        path.write_bytes(bytes(spoilt))
        try:
            found = EmbeddingCache(path).get("e", list(rows))
        except SemanticsError:
            lost += 1
            continue
        lost += len(found) < len(rows)
        for text, vector in found.items():
            np.testing.assert_array_equal(vector, rows[text])
    assert lost > 50


def test_the_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(SemanticsError, match=r"notes\.sqlite3: .*the database of another program"):
        EmbeddingCache(path).put("e", {"jump": row(1)})
    assert path.read_bytes() == before


def test_a_cache_of_a_newer_version_is_refused(cache: EmbeddingCache) -> None:
    cache.put("e", {"jump": row(1)})
    connection = sqlite3.connect(cache.path)
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(SemanticsError, match="expected version 1, got 9"):
        cache.get("e", ["jump"])


def test_a_place_that_cannot_be_used_points_to_the_variable(tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match=r"cannot be used: .*INFOCPL_CACHE"):
        EmbeddingCache(tmp_path).get("e", ["jump"])
    (tmp_path / "file").write_text("x")
    with pytest.raises(SemanticsError, match=r"cannot be used: .*INFOCPL_CACHE"):
        EmbeddingCache(tmp_path / "file" / "cache.sqlite3").get("e", ["jump"])


def test_a_cache_locked_by_another_process_gives_up_after_its_time(cache: EmbeddingCache) -> None:
    cache.put("e", {"jump": row(1)})
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(SemanticsError, match="locked"):
            EmbeddingCache(cache.path, timeout=0.05).put("e", {"run": row(1)})
    finally:
        holder.close()
    assert len(cache) == 1


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFOCPL_CACHE", str(tmp_path / "mine"))
    assert EmbeddingCache().path == tmp_path / "mine" / "embeddings.sqlite3"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG folders are a Linux convention")
def test_without_the_variable_the_users_cache_folder_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INFOCPL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "infocpl"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache_folder() == Path.home() / ".cache" / "infocpl"
