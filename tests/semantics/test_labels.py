"""Class names: what is accepted, what is refused, and how the refusal reads."""

from __future__ import annotations

import pickle
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.errors import LabelError
from infocpl.semantics.labels import MAX_LABELS, MAX_NAME_LENGTH, LabelSet, label_key

words = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)


def test_names_keep_their_order_and_spelling() -> None:
    labels = LabelSet(("Sit Down", "stand up", "Ärmel hoch"))
    assert list(labels) == ["Sit Down", "stand up", "Ärmel hoch"]
    assert labels[1] == "stand up"
    assert len(labels) == 3


def test_white_space_around_and_inside_a_name_is_evened_out() -> None:
    assert LabelSet(("  sit \t down\n",)).names == ("sit down",)


def test_a_list_of_names_becomes_a_tuple_and_two_equal_sets_are_equal() -> None:
    first, second = LabelSet(["a", "b"]), LabelSet(("a", "b"))  # type: ignore[arg-type]
    assert first == second
    assert hash(first) == hash(second)
    assert isinstance(first.names, tuple)


def test_a_used_set_still_equals_and_pickles() -> None:
    labels = LabelSet(("a", "b"))
    assert "a" in labels
    assert labels == LabelSet(("a", "b"))
    assert pickle.loads(pickle.dumps(labels)) == labels


def test_index_finds_a_name_whatever_its_case_and_spacing() -> None:
    labels = LabelSet(("sit down", "Stand Up"))
    assert labels.index(" STAND   up") == 1


def test_index_finds_a_name_whether_its_accents_are_composed_or_not() -> None:
    labels = LabelSet(("café",))
    assert labels.index(unicodedata.normalize("NFD", "café")) == 0


def test_an_unknown_name_gets_the_nearest_ones_suggested() -> None:
    labels = LabelSet(("sit down", "stand up", "squat"))
    with pytest.raises(LabelError, match=r"unknown label 'sit donw'; did you mean sit down"):
        labels.index("sit donw")


def test_a_name_unlike_all_others_gets_the_first_ones_shown() -> None:
    with pytest.raises(LabelError, match=r"the 2 labels begin with sit, run"):
        LabelSet(("sit", "run")).index("zzzzzz")


def test_membership_ignores_case_and_refuses_other_types() -> None:
    labels = LabelSet(("sit down",))
    assert "SIT DOWN" in labels
    assert "sit" not in labels
    assert 0 not in labels


@pytest.mark.parametrize(
    ("names", "message"),
    [
        pytest.param((), r"expected 1 to 10000 names, got 0", id="no name"),
        pytest.param(("a", "  "), r"label 2: .*got an empty name", id="a blank name"),
        pytest.param(("a", "x" * 513), r"label 2: .*characters, got 513", id="a name too long"),
        pytest.param(("jump", "run", "JUMP"), r"label 3: 'JUMP' repeats label 1", id="same name"),
        pytest.param(("straße", "STRASSE"), r"label 2: .*repeats label 1", id="same when folded"),
        pytest.param(
            ("café", "cafe\u0301"), r"label 2: .*repeats label 1", id="same when composed"
        ),
        pytest.param(("a", "b\x00"), r"label 2: .*readable characters, got U\+0000", id="a NUL"),
        pytest.param(("\ud800",), r"label 1: .*got U\+D800", id="half a surrogate pair"),
        pytest.param(("a", 3), r"label 2: expected text, got int", id="a number"),
    ],
)
def test_bad_names_are_refused_with_their_place(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        LabelSet(names)


def test_one_text_instead_of_names_points_to_parse() -> None:
    with pytest.raises(LabelError, match=r"got one text 'jump, run'; use LabelSet\.parse"):
        LabelSet("jump, run")  # type: ignore[arg-type]


def test_the_longest_name_and_the_largest_set_are_accepted() -> None:
    assert len(LabelSet(("x" * MAX_NAME_LENGTH,))[0]) == 512
    assert len(LabelSet(tuple(map(str, range(MAX_LABELS))))) == 10_000


def test_one_name_more_than_the_largest_set_is_refused() -> None:
    with pytest.raises(LabelError, match="got 10001"):
        LabelSet(tuple(map(str, range(MAX_LABELS + 1))))


def test_a_long_name_is_shortened_in_the_message() -> None:
    with pytest.raises(LabelError) as caught:
        LabelSet(("y" * 400, "y" * 400))
    assert len(str(caught.value)) < 150


def test_parse_splits_at_commas() -> None:
    assert LabelSet.parse("drink water ,hand waving").names == ("drink water", "hand waving")


@pytest.mark.parametrize("text", ["", "a,,b", "a,b,", ","])
def test_parse_refuses_an_empty_name_between_commas(text: str) -> None:
    with pytest.raises(LabelError, match="an empty name"):
        LabelSet.parse(text)


@given(st.lists(words, min_size=1, max_size=8, unique_by=label_key))
def test_parse_undoes_a_join_at_commas(names: list[str]) -> None:
    assert list(LabelSet.parse(", ".join(names))) == names


@given(st.lists(words, min_size=1, max_size=8, unique_by=label_key))
def test_every_name_has_the_index_of_its_place(names: list[str]) -> None:
    labels = LabelSet(tuple(names))
    assert [labels.index(name) for name in labels] == list(range(len(names)))


@given(words)
def test_the_key_of_a_key_is_itself(name: str) -> None:
    assert label_key(label_key(name)) == label_key(name)


def test_read_takes_a_name_a_line_and_leaves_out_comments(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("\ufeff# my names\nsit down\r\n\n  # more\nstand, then walk\n".encode())
    assert LabelSet.read(path).names == ("sit down", "stand, then walk")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"# only\n\n", r"names\.txt: .*got no name at all", id="comments only"),
        pytest.param(b"", r"names\.txt: .*got no name at all", id="an empty file"),
        pytest.param(
            b"# x\na\n\nA\n", r"names\.txt, line 4: 'A' repeats .*line 2 \('a'\)", id="twice"
        ),
        pytest.param(b"a\n\xff\n", r"names\.txt, byte 2: expected UTF-8", id="not UTF-8"),
        pytest.param(b"a\n" + b"b" * 600, r"names\.txt, line 2: .*got 600", id="a long line"),
    ],
)
def test_read_names_file_and_line_of_what_is_wrong(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(content)
    with pytest.raises(LabelError, match=message):
        LabelSet.read(path)


def test_read_says_that_a_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"none\.txt: no such file"):
        LabelSet.read(tmp_path / "none.txt")


def test_read_of_a_folder_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="cannot be read"):
        LabelSet.read(tmp_path)


def test_read_refuses_a_huge_file_before_loading_it(tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(33 * 2**20)
    with pytest.raises(LabelError, match="expected at most 33554432 bytes"):
        LabelSet.read(path)


def test_a_subset_follows_the_order_asked_for_in_the_spelling_of_the_set() -> None:
    labels = LabelSet(("Sit", "Run", "Jump"))
    assert labels.subset(["jump", "sit"]).names == ("Jump", "Sit")


def test_a_subset_with_a_name_twice_is_refused() -> None:
    with pytest.raises(LabelError, match="repeats"):
        LabelSet(("Sit", "Run")).subset(["sit", "SIT"])
