"""The numbers of a codebook's quality, on codebooks small enough to count by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from infocpl.errors import SemanticsError
from infocpl.semantics import Codebook, TextEncoder, build_codebook
from infocpl.semantics.compounds import COMPOUNDS, related_rows
from infocpl.semantics.quality import class_similarity, rank_agreement, retrieve
from infocpl.semantics.quality_report import measure_agreement, measure_quality

NAMES = ("donning", "doffing", "throw", "zorbing")


@pytest.fixture
def book(trigrams: TextEncoder) -> Codebook:
    """A pair of opposites, one other class, and one without an entry."""
    return build_codebook(NAMES, trigrams, dataset="nw-ucla")


def test_the_numbers_are_plain_json(book: Codebook) -> None:
    found = measure_quality(book)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_sentences_are_counted_and_names_without_entry_listed(book: Codebook) -> None:
    found = measure_quality(book)
    counts = [len(rows) for rows in book.rows]
    assert found["sentences"] == {
        "least": min(counts),
        "mean": pytest.approx(np.mean(counts)),
        "most": max(counts),
    }
    assert found["name_only"] == ["zorbing"]
    assert found["classes"] == list(NAMES)
    assert found["codebook_hash"] == book.hash


def test_retrieval_is_counted_row_by_row(book: Codebook) -> None:
    found = measure_quality(book)["retrieval"]
    strict = retrieve(book.descriptions, book.mask, [related_rows(rows) for rows in book.rows])
    hits: dict[str, list[bool]] = {}
    for c, rows in enumerate(book.rows):
        for k, row in enumerate(rows):
            family = "compound" if row.granularity in COMPOUNDS else "single"
            for group in ("all", family, row.granularity):
                hits.setdefault(group, []).append(bool(strict.by_mean[c, k] == c))
    assert set(found["held_out"]) == set(hits)
    for group, right in hits.items():
        assert found["held_out"][group]["by_mean"] == pytest.approx(np.mean(right))
        assert found["held_out"][group]["rows"] == len(right)


def test_rows_hidden_alone_are_found_more_often_than_with_their_relatives(book: Codebook) -> None:
    found = measure_quality(book)["retrieval"]
    assert found["alone"]["by_row"] > found["held_out"]["all"]["by_row"]


def test_opposites_are_reported_apart(book: Codebook) -> None:
    found = measure_quality(book)["put_on_take_off"]
    assert found["pairs"] == [["donning", "doffing"]]
    strict = retrieve(book.descriptions, book.mask, [related_rows(rows) for rows in book.rows])
    led = np.concatenate([strict.by_mean[c][book.mask[c]] for c in (0, 1)])
    own = np.repeat([0, 1], book.mask[:2].sum(axis=1))
    assert found["by_mean"] == pytest.approx(np.mean(led == own))
    assert found["either"] == pytest.approx(np.mean(led <= 1))
    assert found["others"] == pytest.approx(
        np.mean(np.concatenate([strict.by_mean[c][book.mask[c]] == c for c in (2, 3)]))
    )
    assert measure_quality(book.subset(["throw", "donning"]))["put_on_take_off"] is None


def test_mirrored_actions_are_reported_apart(trigrams: TextEncoder) -> None:
    names = ["wave the right hand", "sit down", "wave the left hand"]
    found = measure_quality(build_codebook(names, trigrams, dataset="synthetic"))["mirrored"]
    assert found["pairs"] == [["wave the right hand", "wave the left hand"]]
    assert 0 <= found["by_mean"] <= found["either"] <= 1


def test_each_class_names_the_one_most_like_it(book: Codebook) -> None:
    similar = class_similarity(book.descriptions, book.mask)
    for c, row in enumerate(measure_quality(book)["separation"]):
        others = [i for i in range(4) if i != c]
        best = max(others, key=lambda i: similar[c, i])
        assert row == {
            "class": NAMES[c],
            "nearest": NAMES[best],
            "cosine": pytest.approx(similar[c, best]),
        }


def test_a_sentence_told_twice_is_reported_and_a_mirror_image_is_not(book: Codebook) -> None:
    before = measure_quality(book, limit=0.9999)
    assert before["repeats"] == []
    descriptions = book.descriptions.copy()
    descriptions[0, 5] = descriptions[0, 3]
    found = measure_quality(replace(book, descriptions=descriptions), limit=0.9999)
    (repeat,) = found["repeats"]
    assert repeat["class"] == "donning"
    assert (repeat["first"], repeat["second"]) == (book.rows[0][3].text, book.rows[0][5].text)
    assert found["closest"] == pytest.approx(1, abs=1e-6)
    rows = list(book.rows[0])
    rows[3] = replace(rows[3], text="The left arm rises.")
    rows[5] = replace(rows[5], text="The right arm rises.")
    mirrored = replace(book, descriptions=descriptions, rows=(tuple(rows), *book.rows[1:]))
    assert measure_quality(mirrored, limit=0.9999)["repeats"] == []


def test_agreement_compares_descriptions_and_names_with_features(
    book: Codebook, rng: np.random.Generator
) -> None:
    means = rng.normal(size=(4, 8))
    labels = np.repeat(np.arange(4), 5)
    features = means[labels] + 0.01 * rng.normal(size=(20, 8))
    found = measure_agreement(book, features, labels)
    assert (found["classes"], found["clips"]) == (4, 20)
    scaled = means / features.std(axis=0)
    expected = rank_agreement(
        class_similarity(book.descriptions, book.mask),
        class_similarity(scaled[:, None], np.ones((4, 1), dtype=bool)),
    )
    assert found["spearman"] == pytest.approx(expected, abs=0.15)


def test_features_made_of_the_text_agree_with_it_perfectly(book: Codebook) -> None:
    means = np.stack([book.descriptions[c][book.mask[c]].mean(axis=0) for c in range(4)])
    # Ten times the same clip, of one scale in every direction, so that scaling changes nothing.
    q, _ = np.linalg.qr(means - means.mean(axis=0))
    assert q.shape[1] == 4
    found = measure_agreement(book, means[np.arange(40) % 4], np.arange(40) % 4)
    assert found["spearman"] > 0.5


def test_one_class_has_no_quality(book: Codebook) -> None:
    with pytest.raises(SemanticsError, match="at least two classes"):
        measure_quality(book.subset(["throw"]))
