"""Splits: against the released lists, by property, and their refusals."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infocpl.data import Split, create_dataset, create_split, list_datasets, list_splits, load_split
from infocpl.errors import SplitError, SplitLeakageError
from infocpl.files import canonical_hash

PUBLISHED = [
    (name, split) for name in list_datasets() for split in list_splits(create_dataset(name))
]
GATES = {"50-5": "55-5", "36-12": "48-12", "100-10": "110-10", "72-24": "96-24"}
NAMES = [f"class {number}" for number in range(30)]
RANDOM_SBU_0_3 = ("approaching", "pushing", "hugging")


def released(real_data: Path) -> dict[tuple[str, str], list[int]]:
    """(dataset, split id) to unseen indices, from the released lists in their own key forms."""
    path = real_data.parent / "splits.json"
    if not path.is_file():
        pytest.skip(f"no released split lists at {path}")
    data = json.loads(path.read_text(encoding="utf-8"))
    found: dict[tuple[str, str], list[int]] = {}
    for family, key in (
        ("synse", "synse"),
        ("synse-gate", "synse_gate_val_unseen"),
        ("purls", "purls"),
    ):
        for name, indices in data[key].items():
            dataset, _, rest = name.partition("_")
            if isinstance(indices, list) and dataset in list_datasets():
                found[dataset, f"{family}/{rest.replace('_', '-')}"] = indices
    for name, indices in data["smie"].items():
        if isinstance(indices, list):
            dataset, number = name.split("_split")
            found[dataset.replace("pku", "pku-mmd"), f"smie/{number}"] = indices
    star = data["star_neuron"]
    for dataset in ("pku-mmd", "pku-mmd-2"):  # "PKU v1 and v2 use the same ids"
        found[dataset, "star/46-5"] = star["pku_46_5"]
        found[dataset, "star/39-12"] = star["pku_39_12"]
        for number, indices in enumerate(star["pku_random"], start=1):
            found[dataset, f"star/random-{number}"] = indices
    for name, lists in data["sadvae_random"].items():
        if isinstance(lists, list):
            for number, indices in enumerate(lists, start=1):
                found[name.replace("pku", "pku-mmd"), f"sa-dvae/{number}"] = indices
    return found


def test_every_released_list_is_here_with_the_same_classes_by_index(real_data: Path):
    lists = released(real_data)
    assert len(lists) > 40
    for (name, split_id), indices in lists.items():
        dataset = create_dataset(name)
        split = load_split(dataset, split_id)
        assert [dataset.label(item) for item in split.unseen] == sorted(indices), (name, split_id)


def test_nothing_but_released_lists_is_here(real_data: Path):
    ours = {(name, split) for name, split in PUBLISHED if name != "synthetic"}
    assert ours == set(released(real_data))


@pytest.mark.parametrize(("name", "split_id"), PUBLISHED, ids=lambda value: str(value))
def test_seen_and_unseen_are_disjoint_in_class_order_and_of_the_numbers_in_the_name(
    name: str, split_id: str
):
    dataset = create_dataset(name)
    split = load_split(dataset, split_id)
    assert split.id == split_id
    assert split.dataset == name
    assert split.source
    assert set(split.seen).isdisjoint(split.unseen)
    for side in (split.seen, split.unseen):
        positions = [dataset.classes.index(item) for item in side]
        assert positions == sorted(set(positions))
    if not split_id.startswith("synse-gate"):
        assert set(split.seen) | set(split.unseen) == set(dataset.classes)
    counts = split.name.split("-")
    if len(counts) == 2 and all(part.isdigit() for part in counts):
        assert [len(split.seen), len(split.unseen)] == [int(part) for part in counts]


@pytest.mark.parametrize(
    ("name", "gate"),
    [("ntu60", "50-5"), ("ntu60", "36-12"), ("ntu120", "100-10"), ("ntu120", "72-24")],
)
def test_a_gate_split_never_names_the_unseen_classes_of_the_split_it_serves(name: str, gate: str):
    dataset = create_dataset(name)
    inner = load_split(dataset, f"synse-gate/{gate}")
    outer = load_split(dataset, f"synse/{GATES[gate]}")
    assert set(inner.seen) | set(inner.unseen) == set(outer.seen)
    assert set(outer.unseen).isdisjoint(inner.seen + inner.unseen)


def test_a_dataset_without_published_splits_lists_none_but_can_be_split():
    dataset = create_dataset("sbu")
    assert list_splits(dataset) == []
    assert len(load_split(dataset, "random:3:2").unseen) == 2


def test_a_class_on_both_sides_is_leakage():
    with pytest.raises(SplitLeakageError, match="seen and unseen at once: b"):
        Split("toy", "own", "1", seen=("a", "b"), unseen=("b", "c"))


@pytest.mark.parametrize(
    ("seen", "unseen", "words"),
    [
        ((), ("a",), "at least one seen class, got none"),
        (("a",), (), "at least one unseen class, got none"),
        (("a", "a"), ("b",), "seen twice: a"),
        (("a",), ("b", "b"), "unseen twice: b"),
        ("abc", ("d",), "seen: expected class names, got 'abc'"),
        (("a",), (3,), r"unseen: expected class names, got \(3,\)"),
    ],
)
def test_a_split_without_meaning_is_refused(seen, unseen, words: str):
    with pytest.raises(SplitError, match=words):
        Split("toy", "own", "1", seen=seen, unseen=unseen)


def test_a_split_cannot_be_changed_afterwards():
    split = Split("toy", "own", "1", seen=["a"], unseen=["b"])
    assert split.seen == ("a",)
    with pytest.raises(FrozenInstanceError):
        split.seen = ("b",)


def test_the_hash_is_that_of_the_task_and_not_of_its_name():
    one = Split("toy", "own", "1", ("a", "b"), ("c",), source="x")
    other = Split("toy", "elsewhere", "2", ("a", "b"), ("c",))
    assert one.hash == other.hash
    assert one.hash == canonical_hash({"dataset": "toy", "seen": ["a", "b"], "unseen": ["c"]})
    assert one.hash != Split("toy", "own", "1", ("a", "c"), ("b",)).hash
    assert one.hash != Split("toy2", "own", "1", ("a", "b"), ("c",)).hash


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=29), st.randoms())
def test_seen_is_all_minus_unseen_whatever_the_order_of_the_unseen(unseen, random):
    shuffled = list(unseen)
    random.shuffle(shuffled)
    split = create_split("toy", NAMES, shuffled)
    assert split.seen == tuple(name for name in NAMES if name not in unseen)
    assert split.unseen == tuple(name for name in NAMES if name in unseen)


@given(
    st.sets(st.sampled_from(NAMES), min_size=1, max_size=27),
    st.integers(min_value=0, max_value=10**6),
    st.data(),
)
def test_a_pseudo_split_is_made_of_the_seen_classes_only(unseen, seed, data):
    split = create_split("toy", NAMES, unseen)
    count = data.draw(st.integers(1, len(split.seen) - 1))
    pseudo = split.hold_out(count, seed=seed)
    assert len(pseudo.unseen) == count
    assert set(pseudo.seen) | set(pseudo.unseen) == set(split.seen)
    assert set(pseudo.seen).isdisjoint(pseudo.unseen)
    assert pseudo.dataset == split.dataset
    # No attribute, not even the text of one, carries a real unseen class.
    text = repr(pseudo)
    assert not any(f"'{name}'" in text for name in split.unseen)
    assert pseudo == split.hold_out(count, seed=seed)


def test_pseudo_splits_by_fraction_round_to_whole_classes():
    split = create_split("toy", NAMES, NAMES[:10])
    assert len(split.hold_out(fraction=0.25).unseen) == 5
    assert len(split.hold_out(fraction=0.0001).unseen) == 1


def test_seeds_draw_different_classes_and_every_class_now_and_then():
    split = create_split("toy", NAMES, NAMES[:5])
    draws = [split.hold_out(5, seed=seed).unseen for seed in range(60)]
    assert len(set(draws)) > 55
    counts = {name: sum(name in draw for draw in draws) for name in split.seen}
    # Expected 12 of 60 each; a binomial stays within these bounds with all but 1e-4 chance.
    assert min(counts.values()) >= 2
    assert max(counts.values()) <= 28


def test_a_pseudo_split_can_be_held_out_again():
    split = create_split("toy", NAMES, NAMES[:5])
    twice = split.hold_out(5, seed=1).hold_out(5, seed=1)
    assert len(twice.seen) == 15
    assert set(twice.unseen).isdisjoint(split.hold_out(5, seed=1).unseen)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "either count or fraction"),
        ({"count": 1, "fraction": 0.5}, "either count or fraction"),
        ({"count": 0}, "count must be 1 to 19 for 20 seen classes, got 0"),
        ({"count": 20}, "count must be 1 to 19 for 20 seen classes, got 20"),
        ({"fraction": 1.0}, "fraction must lie between 0 and 1, got 1.0"),
        ({"fraction": 0.99}, "got 20"),
        ({"fraction": float("nan")}, "fraction must lie between 0 and 1, got nan"),
    ],
)
def test_a_hold_out_that_leaves_no_side_is_refused(arguments, words: str):
    split = create_split("toy", NAMES, NAMES[:10])
    with pytest.raises(SplitError, match=words):
        split.hold_out(**arguments)


def test_a_random_split_is_the_same_each_time_and_grows_with_its_count():
    dataset = create_dataset("ntu60")
    small, large = load_split(dataset, "random:7:5"), load_split(dataset, "random:7:12")
    assert small == load_split(dataset, "random:7:5")
    assert set(small.unseen) < set(large.unseen)
    assert load_split(dataset, "random:8:5").unseen != small.unseen
    assert (len(large.seen), len(large.unseen)) == (48, 12)


def test_the_id_of_a_random_split_leads_back_to_it():
    dataset = create_dataset("utd-mhad")
    split = load_split(dataset, "random:3:4")
    assert load_split(dataset, split.id) == split


def test_random_draws_stay_what_they_were_in_earlier_versions():
    # A changed draw would silently make old results incomparable.
    assert load_split(create_dataset("sbu"), "random:0:3").unseen == RANDOM_SBU_0_3


@pytest.mark.parametrize(
    "split_id",
    [
        "random:",
        "random:1",
        "random:a:3",
        "random:1:0",
        "random:1:60",
        "random:-1:3",
        "random:1:3:4",
    ],
)
def test_a_malformed_random_split_says_its_form(split_id: str):
    with pytest.raises(SplitError, match=r"expected random:SEED:K .* 1 <= K < 60"):
        load_split(create_dataset("ntu60"), split_id)


def test_an_unknown_split_is_answered_with_the_known_ones():
    with pytest.raises(SplitError, match=r"no split 'purls/55-5'; known: purls/22-5, .* or random"):
        load_split(create_dataset("utd-mhad"), "purls/55-5")


def test_a_split_file_of_ones_own_is_read(tmp_path: Path):
    path = tmp_path / "gestures.yaml"
    path.write_text("unseen: [squat, jogging]\nsource: my choice\n", encoding="utf-8")
    split = load_split(create_dataset("utd-mhad"), str(path))
    assert split.id == "custom/gestures"
    assert split.unseen == ("jogging", "squat")
    assert len(split.seen) == 25
    assert split.source == "my choice"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("unseen: []", "at least one unseen class"),
        ("unseen: [sqat]", "'sqat' is not a class of 'utd-mhad'; did you mean 'squat'"),
        ("unseen: [squat, squat]", "unseen twice: squat"),
        ("unseen: squat", "unseen: expected a list of texts, got 'squat'"),
        ("unseen: [1, 2]", r"unseen\[0\]: expected a text, got 1"),
        ("seen: [squat]", "seen: expected one of the keys dataset, name, source, unseen"),
        ("dataset: sbu\nunseen: [squat]", "dataset: expected 'utd-mhad', got 'sbu'"),
        ("name: x", "unseen: expected a list of texts, got nothing there"),
        ("[", "line 2: expected YAML"),
    ],
)
def test_a_malformed_split_file_says_where_and_why(tmp_path: Path, text: str, words: str):
    path = tmp_path / "mine.yaml"
    path.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(SplitError, match=words) as caught:
        load_split(create_dataset("utd-mhad"), str(path))
    assert str(path) in str(caught.value)


def test_a_split_file_naming_every_class_leaves_nothing_seen(tmp_path: Path):
    path = tmp_path / "all.yaml"
    path.write_text(json.dumps({"unseen": list(create_dataset("sbu").classes)}))
    with pytest.raises(SplitError, match="at least one seen class"):
        load_split(create_dataset("sbu"), str(path))


def test_a_split_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(SplitError, match=r"none.yaml does not exist"):
        load_split(create_dataset("sbu"), str(tmp_path / "none.yaml"))
