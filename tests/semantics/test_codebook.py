"""The codebook: rows in their places, choices of rows, round trips and damage."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infocpl.errors import LabelError, OutputExistsError, SemanticsError
from infocpl.semantics import (
    GRANULARITIES,
    Codebook,
    EmbeddingCache,
    LabelSet,
    Lexicon,
    TextEncoder,
    build_codebook,
    compose,
    describe_name,
    load_lexicon,
    trait_vector,
)
from infocpl.semantics.weighting import row_margins, row_weights

NAMES = ("sit down", "juggling", "throw")


@pytest.fixture
def mixed(letters: TextEncoder) -> Codebook:
    """Two classes of NW-UCLA and one that no lexicon knows."""
    return build_codebook(NAMES, letters, lexicon="nw-ucla")


@pytest.fixture(scope="module")
def real(minilm: Any, shared_cache: EmbeddingCache) -> Codebook:
    """A dataset's classes with as many real vectors as a test has time for."""
    lexicon = load_lexicon("nw-ucla")
    return build_codebook(lexicon.names, minilm, lexicon=lexicon, count=22, cache=shared_cache)


def same(one: Codebook, other: Codebook) -> None:
    for field in ("descriptions", "mask", "weights", "motion", "names", "traits", "has_traits"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    for field in ("labels", "rows", "motion_texts", "sources", "encoder_id", "lexicon_hash"):
        assert getattr(one, field) == getattr(other, field)
    assert one.temperature == other.temperature
    assert one.hash == other.hash


def test_every_vector_is_that_of_its_text(mixed: Codebook, letters: TextEncoder) -> None:
    for c, name in enumerate(NAMES):
        for k, row in enumerate(mixed.rows[c]):
            np.testing.assert_array_equal(mixed.descriptions[c, k], letters.encode([row.text])[0])
        np.testing.assert_array_equal(mixed.motion[c], letters.encode([mixed.motion_texts[c]])[0])
        np.testing.assert_array_equal(mixed.names[c], letters.encode([name])[0])


def test_a_class_with_an_entry_has_its_traits_and_another_has_none(mixed: Codebook) -> None:
    assert mixed.has_traits.tolist() == [True, False, True]
    expected = trait_vector(load_lexicon("nw-ucla")["sit down"].traits)
    np.testing.assert_array_equal(mixed.traits[0], expected)
    assert not mixed.traits[1].any()


def test_without_weighing_every_row_counts_the_same(mixed: Codebook) -> None:
    np.testing.assert_array_equal(mixed.weights, mixed.mask.astype(np.float32))
    assert mixed.temperature is None


def test_shapes_follow_the_class_with_most_descriptions(mixed: Codebook) -> None:
    counts = [len(rows) for rows in mixed.rows]
    assert mixed.descriptions.shape == (3, max(counts), 27)
    assert mixed.mask.sum(axis=1).tolist() == counts
    assert counts[1] < counts[0]
    assert len(mixed) == 3
    assert mixed.dim == 27


def test_rows_beyond_a_classs_own_are_zero_and_masked(mixed: Codebook) -> None:
    own = len(mixed.rows[1])
    assert mixed.mask[1, :own].all()
    assert not mixed.mask[1, own:].any()
    assert not mixed.descriptions[1, own:].any()


def test_the_tensor_has_the_motion_row_last(mixed: Codebook) -> None:
    _, longest, dim = mixed.descriptions.shape
    assert mixed.tensor.shape == (3, longest + 1, dim)
    np.testing.assert_array_equal(mixed.tensor[:, -1], mixed.motion)
    np.testing.assert_array_equal(mixed.tensor[:, :-1], mixed.descriptions)


def test_every_class_records_where_its_words_come_from(mixed: Codebook) -> None:
    assert mixed.sources == ("lexicon nw-ucla", "name only", "lexicon nw-ucla")
    assert mixed.rows[1] == tuple(describe_name("juggling"))
    assert all(row.source == "lexicon nw-ucla" for row in mixed.rows[0])


def test_motion_is_no_description_since_it_has_its_own_row(mixed: Codebook) -> None:
    assert all(row.granularity != "motion" for rows in mixed.rows for row in rows)
    assert mixed.motion_texts[0] == load_lexicon("nw-ucla")["sit down"].motion


def test_labels_follow_the_order_given_not_that_of_the_lexicon(letters: TextEncoder) -> None:
    forth = build_codebook(["throw", "sit down"], letters, lexicon="nw-ucla")
    back = build_codebook(LabelSet(("sit down", "throw")), letters, lexicon="nw-ucla")
    np.testing.assert_array_equal(forth.motion, back.motion[::-1])
    assert forth.hash != back.hash


def test_an_alias_finds_its_entry_and_keeps_the_users_spelling(letters: TextEncoder) -> None:
    book = build_codebook(["Put on a jacket"], letters, dataset="nw-ucla")
    assert book.labels.names == ("Put on a jacket",)
    assert book.rows[0] == tuple(
        row for row in compose(load_lexicon("nw-ucla")["donning"]) if row.granularity != "motion"
    )
    np.testing.assert_array_equal(book.names[0], letters.encode(["Put on a jacket"])[0])


def test_without_a_lexicon_all_of_them_are_asked(letters: TextEncoder) -> None:
    book = build_codebook(["donning", "tennis serve"], letters)
    assert book.sources == ("lexicon nw-ucla", "lexicon utd-mhad")


def test_the_lexicon_of_the_dataset_is_asked_first(letters: TextEncoder) -> None:
    names = ["throw", "tennis serve"]
    assert load_lexicon("ntu60").get("throw") is not None
    book = build_codebook(names, letters, dataset="nw-ucla")
    assert book.sources == ("lexicon nw-ucla", "lexicon utd-mhad")
    other = build_codebook(names, letters, dataset="ntu60")
    assert other.sources == ("lexicon ntu60", "lexicon utd-mhad")


def test_a_named_lexicon_is_the_only_one_asked(letters: TextEncoder) -> None:
    book = build_codebook(["donning", "tennis serve"], letters, lexicon="nw-ucla")
    assert book.sources == ("lexicon nw-ucla", "name only")


def test_a_lexicon_may_be_given_as_object_name_or_file(
    letters: TextEncoder, lexicon_file: Path
) -> None:
    lexicon = load_lexicon(lexicon_file)
    assert isinstance(lexicon, Lexicon)
    same(
        build_codebook(["dig"], letters, lexicon=lexicon),
        build_codebook(["dig"], letters, lexicon=lexicon_file),
    )


def test_the_mean_is_that_of_a_plain_loop(mixed: Codebook) -> None:
    for c, mean in enumerate(mixed.mean_text()):
        vectors = [mixed.descriptions[c, k] for k in range(len(mixed.rows[c]))]
        vectors.append(mixed.motion[c])
        expected = np.sum(vectors, axis=0, dtype=np.float64) / len(vectors)
        np.testing.assert_allclose(mean, expected / np.linalg.norm(expected), atol=1e-6)


def test_the_mean_of_one_granularity_takes_its_rows_only(mixed: Codebook) -> None:
    book = mixed.subset(["sit down", "throw"])
    for c, mean in enumerate(book.mean_text(["phase"])):
        chosen = [k for k, row in enumerate(book.rows[c]) if row.granularity == "phase"]
        assert len(chosen) == 3
        expected = book.descriptions[c, chosen].mean(axis=0)
        np.testing.assert_allclose(mean, expected / np.linalg.norm(expected), atol=1e-6)


def test_the_mean_of_motion_alone_is_the_motion_row(mixed: Codebook) -> None:
    book = mixed.subset(["sit down", "throw"])
    np.testing.assert_allclose(book.mean_text(["motion"]), book.motion, atol=1e-6)


def test_a_class_known_by_name_only_always_contributes_its_name(mixed: Codebook) -> None:
    np.testing.assert_allclose(
        mixed.mean_text(["phase"])[1], mixed.mean_text(["part"])[1], atol=1e-7
    )


def test_selected_granularities_are_those_built_from_the_start(letters: TextEncoder) -> None:
    whole = build_codebook(NAMES, letters, lexicon="nw-ucla")
    chosen = build_codebook(NAMES, letters, lexicon="nw-ucla", granularities=["part", "phase"])
    same(whole.select_granularities(["phase", "part"]), chosen)
    assert chosen.descriptions.shape[1] == 9


@pytest.mark.parametrize("count", [1, 5, 50])
def test_a_balanced_choice_is_that_built_from_the_start(letters: TextEncoder, count: int) -> None:
    whole = build_codebook(NAMES, letters, lexicon="nw-ucla")
    chosen = build_codebook(NAMES, letters, lexicon="nw-ucla", count=count)
    assert [len(rows) for rows in chosen.rows] == [count, min(count, 4), count]
    kinds = [kind for kind in GRANULARITIES if kind != "motion"]
    assert chosen.rows[0] == tuple(compose(load_lexicon("nw-ucla")["sit down"], kinds, count=count))
    for field in ("descriptions", "mask", "weights", "motion"):
        np.testing.assert_array_equal(
            getattr(whole.select_balanced(count).subset(["sit down", "throw"]), field),
            getattr(chosen.subset(["sit down", "throw"]), field),
        )


def test_selecting_everything_changes_nothing(mixed: Codebook) -> None:
    same(mixed.select_granularities(["name", *{r.granularity for r in mixed.rows[0]}]), mixed)


@pytest.mark.parametrize("wanted", [["colour"], [], ["motion"]], ids=["unknown", "none", "motion"])
def test_granularities_without_any_description_are_refused(
    mixed: Codebook, letters: TextEncoder, wanted: list[str]
) -> None:
    book = mixed.subset(["sit down", "throw"])
    with pytest.raises(SemanticsError, match="granularit"):
        book.select_granularities(wanted)
    with pytest.raises(SemanticsError, match="granularit"):
        build_codebook(NAMES, letters, granularities=wanted)


def test_a_granularity_no_row_has_names_the_class(mixed: Codebook) -> None:
    book = mixed.subset(["sit down"]).select_granularities(["phase"])
    with pytest.raises(SemanticsError, match=r"class 'sit down' has no description of .*part"):
        book.mean_text(["part"])


def test_the_weights_are_those_of_the_margins(mixed: Codebook) -> None:
    weighed = mixed.weigh(0.5)
    margins = row_margins(mixed.descriptions, mixed.mask)
    np.testing.assert_array_equal(mixed.margins(), margins)
    np.testing.assert_array_equal(weighed.weights, row_weights(margins, mixed.mask, 0.5))
    assert weighed.temperature == 0.5
    assert weighed.hash != mixed.hash != mixed.weigh(0.4).hash
    np.testing.assert_array_equal(weighed.descriptions, mixed.descriptions)


def test_the_weighted_mean_is_that_of_a_plain_loop(mixed: Codebook) -> None:
    weighed = mixed.weigh(0.3)
    for c, mean in enumerate(weighed.mean_text()):
        total = mixed.motion[c].astype(np.float64)
        for k in range(len(mixed.rows[c])):
            total = total + weighed.weights[c, k] * mixed.descriptions[c, k].astype(np.float64)
        np.testing.assert_allclose(mean, total / np.linalg.norm(total), atol=1e-6)


def test_a_part_of_a_weighed_codebook_is_weighed_among_its_own(mixed: Codebook) -> None:
    weighed = mixed.weigh(0.3)
    kinds = ["phase", "part"]
    same(weighed.select_granularities(kinds), mixed.select_granularities(kinds).weigh(0.3))
    same(weighed.subset(["throw", "sit down"]), mixed.subset(["throw", "sit down"]).weigh(0.3))
    assert not np.allclose(weighed.subset(["throw", "sit down"]).weights[1], weighed.weights[0])


def test_a_class_taken_alone_is_weighed_again_only_among_others(mixed: Codebook) -> None:
    alone = mixed.weigh(0.3).subset(["throw"])
    assert alone.temperature == 0.3
    np.testing.assert_array_equal(alone.weights, alone.mask.astype(np.float32))


@pytest.mark.parametrize("count", [1, 3, 1000])
def test_the_most_telling_rows_are_those_of_largest_margin(mixed: Codebook, count: int) -> None:
    margins = mixed.margins()
    chosen = mixed.select_discriminative(count)
    for c, rows in enumerate(mixed.rows):
        order = sorted(range(len(rows)), key=lambda k: -margins[c, k])
        assert chosen.rows[c] == tuple(rows[k] for k in sorted(order[:count]))


def test_one_class_alone_cannot_be_weighed(mixed: Codebook) -> None:
    with pytest.raises(SemanticsError, match="at least two classes, got 1"):
        mixed.subset(["throw"]).weigh()


def test_without_its_motion_a_class_has_its_name_there(mixed: Codebook) -> None:
    bare = mixed.without_motion()
    np.testing.assert_array_equal(bare.motion, mixed.names)
    assert bare.motion_texts == NAMES
    assert bare.hash != mixed.hash


def test_a_subset_is_the_codebook_built_for_those_names(
    mixed: Codebook, letters: TextEncoder
) -> None:
    part = mixed.subset(["THROW", "juggling"])
    built = build_codebook(["throw", "juggling"], letters, lexicon="nw-ucla")
    for field in ("descriptions", "mask", "motion", "names", "traits", "has_traits"):
        np.testing.assert_array_equal(getattr(part, field), getattr(built, field))
    assert part.labels == built.labels
    assert part.subset(["juggling"]).descriptions.shape[1] == len(describe_name("juggling"))


def test_a_subset_of_an_unknown_class_is_refused(mixed: Codebook) -> None:
    with pytest.raises(LabelError, match="unknown label 'jugling'; did you mean juggling"):
        mixed.subset(["jugling"])


def test_the_hash_speaks_of_texts_and_weights_not_of_last_bits(mixed: Codebook) -> None:
    nudged = (mixed.motion * np.float32(1 + 1e-6)).astype(np.float32)
    assert replace(mixed, motion=nudged).hash == mixed.hash
    assert replace(mixed, encoder_id="other").hash != mixed.hash
    assert replace(mixed, lexicon_hash="other").hash != mixed.hash
    assert replace(mixed, motion_texts=("a", "b", "c")).hash != mixed.hash


@pytest.mark.parametrize(
    ("field", "change", "message"),
    [
        pytest.param(
            "motion", lambda x: x[:2], r"motion: .*\(3, 27\), got .*\(2, 27\)", id="count"
        ),
        pytest.param("motion", lambda x: x.astype("f8"), "got float64", id="float64"),
        pytest.param("names", lambda x: x * 2, "names: expected finite rows", id="long rows"),
        pytest.param("names", lambda x: x * np.nan, "names: expected finite rows", id="nan"),
        pytest.param("mask", lambda x: ~x, "expected a mask of its", id="mask inverted"),
        pytest.param("descriptions", lambda x: x[0], r"expected shape \(C, K, D\)", id="2-d"),
        pytest.param("descriptions", lambda x: x * 0, "finite rows of length one", id="zeros"),
        pytest.param(
            "descriptions", lambda x: x + np.float32(1) * (x == 0), "zeros in rows", id="padding"
        ),
        pytest.param("rows", lambda x: x[:2], "rows: expected 3 classes, got 2", id="rows"),
        pytest.param("rows", lambda x: ((), *x[1:]), "expected a mask of its 0", id="no row"),
        pytest.param(
            "sources", lambda x: x[:1], "sources: expected 3 classes, got 1", id="sources"
        ),
        pytest.param("motion_texts", lambda x: (), "motion_texts: expected 3", id="motion texts"),
        pytest.param("weights", lambda x: x * 2, "weights: .*mean one", id="heavy"),
        pytest.param("weights", lambda x: x * np.nan, "weights: .*mean one", id="nan weights"),
        pytest.param("weights", lambda x: 2 - x, "weights: expected", id="weights of no row"),
        pytest.param("weights", lambda x: x[:2], r"weights: .*got .*\(2, ", id="two weights"),
        pytest.param("traits", lambda x: x + 2, "traits: .*between 0 and 1", id="large traits"),
        pytest.param("traits", lambda x: x[:, 1:], r"traits: .*\(3, 99\)", id="a trait less"),
        pytest.param("has_traits", lambda x: ~x, "traits: expected zeros", id="unknown traits"),
    ],
)
def test_fields_that_do_not_fit_are_refused(
    mixed: Codebook, field: str, change: Any, message: str
) -> None:
    with pytest.raises(SemanticsError, match=message):
        replace(mixed, **{field: change(getattr(mixed, field))})


def test_saved_and_loaded_is_the_same_codebook(mixed: Codebook, tmp_path: Path) -> None:
    for number, book in enumerate((mixed.weigh(), mixed)):
        book.save(tmp_path / "book", overwrite=number > 0)
        same(Codebook.load(tmp_path / "book"), book)
    assert sorted(path.name for path in (tmp_path / "book").iterdir()) == [
        "codebook.json",
        "codebook.safetensors",
    ]


def test_an_existing_folder_is_overwritten_only_on_request(mixed: Codebook, tmp_path: Path) -> None:
    mixed.save(tmp_path / "book")
    part = mixed.subset(["throw"])
    with pytest.raises(OutputExistsError):
        part.save(tmp_path / "book")
    same(Codebook.load(tmp_path / "book"), mixed)
    part.save(tmp_path / "book", overwrite=True)
    same(Codebook.load(tmp_path / "book"), part)


def test_every_flipped_byte_of_the_vectors_is_noticed(mixed: Codebook, tmp_path: Path) -> None:
    mixed.save(tmp_path / "book")
    path = tmp_path / "book" / "codebook.safetensors"
    data = path.read_bytes()
    for place in range(0, len(data), len(data) // 60):
        spoilt = bytearray(data)
        spoilt[place] ^= 1
        path.write_bytes(bytes(spoilt))
        with pytest.raises(SemanticsError, match=r"codebook\.safetensors is damaged"):
            Codebook.load(tmp_path / "book")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        pytest.param(
            lambda d: d.update(format="x/2"), "format: expected infocpl-codebook/2", id="v"
        ),
        pytest.param(lambda d: d.pop("encoder_id"), "encoder_id: expected text", id="no encoder"),
        pytest.param(lambda d: d.update(classes={}), "classes: expected a list", id="no classes"),
        pytest.param(lambda d: d["classes"].pop(), "expected", id="a class less"),
        pytest.param(lambda d: d["traits"].pop(), "traits: expected the 99", id="a trait less"),
        pytest.param(lambda d: d.pop("temperature"), "temperature: expected a number", id="none"),
        pytest.param(lambda d: d.update(temperature="hot"), "got 'hot'", id="hot"),
        pytest.param(lambda d: d.update(temperature=0.5), "texts with hash", id="other weights"),
        pytest.param(lambda d: d["classes"][0].pop("motion"), "class 1: motion", id="no motion"),
        pytest.param(lambda d: d["classes"].insert(0, 3), "class 1: expected fields", id="number"),
        pytest.param(lambda d: d["classes"][1]["rows"].pop(), "expected a mask", id="a row less"),
        pytest.param(
            lambda d: d["classes"][1]["rows"][0].__setitem__(0, "colour"),
            "class 2: rows",
            id="an unknown granularity",
        ),
        pytest.param(
            lambda d: d["classes"][0].update(name="throw"), "repeats", id="a class name twice"
        ),
        pytest.param(
            lambda d: d["classes"][0]["rows"][1].__setitem__(2, "Another text."),
            "expected texts with hash",
            id="a text exchanged",
        ),
    ],
)
def test_a_changed_record_is_refused_with_its_place(
    mixed: Codebook, tmp_path: Path, spoil: Any, message: str
) -> None:
    mixed.save(tmp_path / "book")
    path = tmp_path / "book" / "codebook.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    spoil(record)
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(SemanticsError, match=message):
        Codebook.load(tmp_path / "book")


def test_missing_and_broken_files_are_one_kind_of_error(mixed: Codebook, tmp_path: Path) -> None:
    with pytest.raises(SemanticsError, match=r"codebook\.json does not exist"):
        Codebook.load(tmp_path / "none")
    mixed.save(tmp_path / "book")
    (tmp_path / "book" / "codebook.safetensors").unlink()
    with pytest.raises(SemanticsError, match=r"codebook\.safetensors cannot be read"):
        Codebook.load(tmp_path / "book")
    (tmp_path / "book" / "codebook.json").write_text("{")
    with pytest.raises(SemanticsError, match="expected JSON"):
        Codebook.load(tmp_path / "book")


def test_real_rows_have_length_one_and_no_class_lacks_any(real: Codebook) -> None:
    assert (real.mask.sum(axis=1) == 22).all()
    norms = np.linalg.norm(real.descriptions[real.mask], axis=1)
    np.testing.assert_allclose(norms, 1, atol=1e-4)


def test_a_motion_description_finds_its_own_class_far_more_often_than_chance(
    real: Codebook,
) -> None:
    """Retrieval: each against the class means of all rows, common mean removed."""
    means = np.stack([real.descriptions[c, real.mask[c]].mean(axis=0) for c in range(len(real))])
    means -= means.mean(axis=0)
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    found = (real.motion @ means.T).argmax(axis=1)
    assert np.mean(found == np.arange(len(real))) >= 0.5


def test_no_two_classes_share_one_mean(real: Codebook) -> None:
    mean = real.mean_text()
    similar = mean @ mean.T
    np.fill_diagonal(similar, 0)
    assert similar.max() < 0.999


def test_the_cache_makes_a_second_build_equal_bit_for_bit(
    minilm: TextEncoder, shared_cache: EmbeddingCache, real: Codebook
) -> None:
    again = build_codebook(real.labels, minilm, lexicon="nw-ucla", count=22, cache=shared_cache)
    same(again, real)


def test_growing_label_sets_only_ever_add_rows(letters: TextEncoder) -> None:
    books = [build_codebook(NAMES[:n], letters, lexicon="nw-ucla") for n in (1, 2, 3)]
    for small, large in pairwise(books):
        n, k = small.mask.shape
        np.testing.assert_array_equal(large.motion[:n], small.motion)
        np.testing.assert_array_equal(large.descriptions[:n, :k], small.descriptions)
