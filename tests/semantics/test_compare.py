"""Comparing codebooks and classes: counted by hand on small ones."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from infocpl.errors import LabelError
from infocpl.semantics import Codebook, TextEncoder, build_codebook
from infocpl.semantics.compare import compare_books, compare_classes
from infocpl.semantics.prompts import SINGLES

NAMES = ("sit down", "stand up", "throw", "zorbing")


@pytest.fixture
def book(trigrams: TextEncoder) -> Codebook:
    return build_codebook(NAMES, trigrams, dataset="nw-ucla")


def singles(book: Codebook, name: str) -> dict[str, int]:
    rows = book.rows[book.labels.index(name)]
    return {row.text: k for k, row in enumerate(rows) if row.granularity in SINGLES}


def test_two_classes_share_the_sentences_that_stand_in_both(book: Codebook) -> None:
    found = compare_classes(book, "sit down", "Stand Up")
    one, other = singles(book, "sit down"), singles(book, "stand up")
    assert found["classes"] == ["sit down", "stand up"]
    assert set(found["shared"]) == set(one) & set(other)
    assert json.loads(json.dumps(found)) == found


def test_the_closest_sentences_are_those_of_a_plain_search(book: Codebook) -> None:
    found = compare_classes(book, "sit down", "throw")["closest"]
    one, other = singles(book, "sit down"), singles(book, "throw")
    shared = set(one) & set(other)
    cosines = sorted(
        (
            float(book.descriptions[0, k] @ book.descriptions[2, m])
            for a, k in one.items()
            for b, m in other.items()
            if not {a, b} & shared
        ),
        reverse=True,
    )
    assert [pair["cosine"] for pair in found] == pytest.approx(cosines[:5])
    for pair in found:
        k, m = one[pair["first"]], other[pair["second"]]
        assert pair["cosine"] == pytest.approx(
            float(book.descriptions[0, k] @ book.descriptions[2, m])
        )


def test_a_class_compared_with_itself_is_the_same(book: Codebook) -> None:
    found = compare_classes(book, "throw", "throw")
    assert found["cosine"] == pytest.approx(1)
    assert found["cosine_centred"] == pytest.approx(1)
    assert found["closest"] == []
    assert found["traits"] == {"first": [], "second": []}


def test_traits_are_listed_on_the_side_that_has_them(book: Codebook) -> None:
    found = compare_classes(book, "sit down", "stand up")["traits"]
    assert "posture_end sitting" in found["first"]
    assert "posture_end standing" in found["second"]
    assert "posture_start sitting" in found["second"]
    assert not set(found["first"]) & set(found["second"])


def test_traits_of_a_bare_name_cannot_be_compared(book: Codebook) -> None:
    assert compare_classes(book, "throw", "zorbing")["traits"] is None


def test_an_unknown_class_is_named(book: Codebook) -> None:
    with pytest.raises(LabelError, match="did you mean throw"):
        compare_classes(book, "sit down", "trow")


def test_two_codebooks_are_compared_class_by_class(book: Codebook, trigrams: TextEncoder) -> None:
    other = build_codebook(["throw", "zorbing", "carry"], trigrams, dataset="nw-ucla", count=30)
    other = replace(other, motion_texts=("Something else.", *other.motion_texts[1:]))
    found = compare_books(book, other)
    assert found["only_first"] == ["sit down", "stand up"]
    assert found["only_second"] == ["carry"]
    assert found["hashes"] == [book.hash, other.hash]
    throw, zorbing = found["classes"]
    assert throw["descriptions"] == [len(book.rows[2]), 30]
    assert throw["shared"] == 30
    assert (throw["motion"], zorbing["motion"]) == (False, True)
    means = book.mean_text()[2], other.mean_text()[0]
    assert throw["cosine"] == pytest.approx(float(np.dot(*means)))
    assert zorbing["cosine"] == pytest.approx(1)


def test_vectors_of_different_text_encoders_are_not_compared(book: Codebook) -> None:
    found = compare_books(book, replace(book, encoder_id="other"))
    assert found["encoders"] == ["trigrams", "other"]
    assert all(row["cosine"] is None for row in found["classes"])
    assert all(row["shared"] == sum(row["descriptions"]) / 2 for row in found["classes"])
