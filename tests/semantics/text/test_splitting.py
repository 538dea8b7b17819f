"""Texts longer than a model reads: nothing lost, nothing invented, breaks where a reader pauses."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import SemanticsError
from infocpl.semantics.text.splitting import encode_whole, split_text


def words(most: int) -> Callable[[str], bool]:
    return lambda text: len(text.split()) <= most


def characters(most: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= most


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert split_text("  Sit down.  Get up. ", words(4)) == ["  Sit down.  Get up. "]


def test_sentences_stay_whole_where_they_fit() -> None:
    text = "The person sits down. The arms hang. Then the person gets up again!"
    assert split_text(text, words(7)) == [
        "The person sits down. The arms hang.",
        "Then the person gets up again!",
    ]


def test_a_long_sentence_is_divided_at_its_clauses() -> None:
    text = "Go. The person raises the right arm, bends the left knee and turns the head slowly."
    assert split_text(text, words(6)) == [
        "Go.",
        "The person raises the right arm,",
        "bends the left knee",
        "and turns the head slowly.",
    ]


def test_a_long_clause_is_divided_between_words() -> None:
    assert split_text("one two three four five", words(2)) == ["one two", "three four", "five"]


def test_a_word_that_is_too_long_by_itself_is_divided_inside() -> None:
    assert split_text("abcdefgh ij", characters(4)) == ["abcd", "efgh", "ij"]


def test_chinese_sentences_need_no_spaces() -> None:
    assert split_text("他站起来。他举起右手，然后坐下。", characters(8)) == [
        "他站起来。",
        "他举起右手，",
        "然后坐下。",
    ]


def test_a_number_with_a_point_is_no_end_of_a_sentence() -> None:
    assert split_text("Hold it 2.5 seconds. Rest.", characters(21)) == [
        "Hold it 2.5 seconds.",
        "Rest.",
    ]


def test_a_model_without_room_is_an_error_not_an_endless_loop() -> None:
    with pytest.raises(SemanticsError, match="no room for the single character 'a'"):
        split_text("ab", lambda text: not text)


sentences = st.text(st.sampled_from("ab ,.;!?\n-。，é"), max_size=120)


@given(text=sentences, most=st.integers(1, 30))
def test_every_part_fits_and_together_they_are_the_text(text: str, most: int) -> None:
    parts = split_text(text, characters(most))
    assert all(len(part) <= most for part in parts)
    assert squeezed("".join(parts)) == squeezed(text)
    assert all(part.strip() for part in parts) or parts == [text]


@given(
    names=st.lists(st.text("abc", min_size=1, max_size=9), min_size=1, max_size=30),
    most=st.integers(9, 40),
)
def test_words_without_any_mark_are_filled_into_parts_as_into_lines(
    names: list[str], most: int
) -> None:
    text = " ".join(names)
    assert split_text(text, characters(most)) == textwrap.wrap(text, most)


class Counter:
    """An encoder of vowels and consonants that reads a number of words, and remembers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.counted: list[str] = []

    def encode(self, texts: list[str]) -> np.ndarray:
        self.asked += texts
        rows = np.array([[1 + text.count("a"), 1 + text.count("b")] for text in texts], float)
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def count(self, texts: list[str]) -> list[int]:
        self.counted += texts
        return [len(text.split()) + 2 for text in texts]


def test_the_vector_of_a_long_text_is_the_mean_of_its_parts_weighted_by_tokens() -> None:
    model = Counter()
    long = "aa ab aa. b b b b b. ab"
    rows = encode_whole(["a", long, "b"], model.encode, model.count, 7)
    assert model.asked == ["a", "aa ab aa.", "b b b b b.", "ab", "b"]
    plain = Counter()
    np.testing.assert_array_equal(rows[[0, 2]], plain.encode(["a", "b"]))
    parts = plain.encode(["aa ab aa.", "b b b b b.", "ab"]).astype(float)
    mean = (5 * parts[0] + 7 * parts[1] + 3 * parts[2]) / 15
    np.testing.assert_allclose(rows[1], mean / np.linalg.norm(mean), rtol=1e-6)


def test_short_texts_are_not_even_counted() -> None:
    model = Counter()
    encode_whole(["aa", "ab"], model.encode, model.count, 20)
    assert model.counted == []
    # One character may be several tokens where it is not ASCII.
    encode_whole(["é"], model.encode, model.count, 20)
    assert model.counted == ["é"]


def test_the_prompt_takes_its_room() -> None:
    model = Counter()
    encode_whole(["aa"], model.encode, model.count, 20, prompt="a long prompt in front")
    assert model.counted == ["aa"]


def test_parts_that_cancel_each_other_are_an_error_not_a_zero_vector() -> None:
    def encode(texts: list[str]) -> np.ndarray:
        return np.array([[1.0 if text == "a" else -1.0] for text in texts], dtype=np.float32)

    with pytest.raises(SemanticsError, match="'a b': the vectors of its parts cancel"):
        encode_whole(["a b"], encode, Counter().count, 3)
