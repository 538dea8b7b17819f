"""Text tables, their centre, and standardisation, against plain loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import StandardScaler

from infocpl.alignment.base import TextCentre, TextTable, standardise
from infocpl.errors import LabelError
from infocpl.semantics.weighting import row_margins, row_weights


def make_text(seed: int = 0, classes: int = 4, count: int = 5, dim: int = 6) -> TextTable:
    """Random unit rows; class c lacks its last c descriptions, whose rows are zero."""
    generator = torch.Generator().manual_seed(seed)

    def rows(*shape: int) -> torch.Tensor:
        free = torch.randn(*shape, dim, generator=generator, dtype=torch.float64)
        return torch.nn.functional.normalize(free, dim=-1)

    mask = torch.tensor([[k < count - c for k in range(count)] for c in range(classes)])
    labels = tuple(f"class {i}" for i in range(classes))
    descriptions = rows(classes, count) * mask.unsqueeze(2)
    return TextTable(labels, descriptions, mask, rows(classes), rows(classes))


def unit(row: np.ndarray) -> np.ndarray:
    return row / np.linalg.norm(row)


def test_the_mean_of_a_class_is_over_present_descriptions_and_the_motion_row() -> None:
    text = make_text()
    found = text.mean().numpy()
    for c in range(4):
        rows = [text.descriptions[c, k].numpy() for k in range(5) if text.mask[c, k]]
        rows.append(text.motion[c].numpy())
        np.testing.assert_allclose(found[c], unit(np.mean(rows, axis=0)), atol=1e-12)


def test_a_subset_has_the_rows_of_its_labels_in_their_order() -> None:
    text = make_text()
    part = text.subset(("class 3", "class 1"))
    assert part.labels == ("class 3", "class 1")
    for name in ("motion", "names"):
        assert torch.equal(getattr(part, name), getattr(text, name)[[3, 1]])
    # The longest of the two has four descriptions; the fifth column was class 0's alone.
    for name in ("descriptions", "mask"):
        assert torch.equal(getattr(part, name), getattr(text, name)[[3, 1], :4])


def test_a_subset_does_not_tell_how_much_text_other_labels_have() -> None:
    text = make_text()
    longer = dataclasses.replace(
        text,
        descriptions=torch.nn.functional.pad(text.descriptions, (0, 0, 0, 3), value=0.5),
        mask=torch.nn.functional.pad(text.mask, (0, 3)),
    )
    longer.mask[0] = True
    for name in ("descriptions", "mask"):
        found = [getattr(table.subset(("class 1", "class 2")), name) for table in (text, longer)]
        assert torch.equal(*found)


def test_a_subset_of_nothing_is_empty() -> None:
    assert make_text().subset(()).descriptions.shape == (0, 5, 6)


def test_every_missing_label_of_a_subset_is_named() -> None:
    with pytest.raises(LabelError, match="no text for class 7, class 9"):
        make_text().subset(("class 1", "class 7", "class 9"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": ("a", "b")}, "2 labels"),
        ({"mask": torch.ones(4, 4, dtype=torch.bool)}, r"mask of \(4, 4\)"),
        ({"motion": torch.zeros(4, 5)}, "motion and name features"),
        ({"names": torch.zeros(3, 6)}, "motion and name features"),
        (
            {"mask": torch.tensor([[True] * 5, [False] * 5, [True] * 5, [False] * 5])},
            "without any description: class 1, class 3",
        ),
    ],
    ids=["labels", "mask", "motion", "names", "empty classes"],
)
def test_parts_that_do_not_fit_are_refused(change: dict, sentence: str) -> None:
    with pytest.raises(LabelError, match=sentence):
        dataclasses.replace(make_text(), **change)


def test_the_centre_is_the_mean_over_classes_each_counting_once() -> None:
    text = make_text()
    centre = TextCentre.of(text)
    per_class = [
        np.mean([text.descriptions[c, k].numpy() for k in range(5) if text.mask[c, k]], axis=0)
        for c in range(4)
    ]
    np.testing.assert_allclose(centre.descriptions.numpy(), np.mean(per_class, 0), atol=1e-12)
    np.testing.assert_allclose(centre.motion.numpy(), text.motion.numpy().mean(0), atol=1e-12)
    np.testing.assert_allclose(centre.names.numpy(), text.names.numpy().mean(0), atol=1e-12)


def test_centred_rows_are_the_old_ones_minus_the_centre_at_length_one() -> None:
    seen, other = make_text(0), make_text(1)
    centre = TextCentre.of(seen)
    found = centre.apply(other)
    for c in range(4):
        for k in range(5):
            expected = unit((other.descriptions[c, k] - centre.descriptions).numpy())
            if not other.mask[c, k]:
                expected = np.zeros(6)
            np.testing.assert_allclose(found.descriptions[c, k].numpy(), expected, atol=1e-12)
        expected = unit((other.motion[c] - centre.motion).numpy())
        np.testing.assert_allclose(found.motion[c].numpy(), expected, atol=1e-12)
        expected = unit((other.names[c] - centre.names).numpy())
        np.testing.assert_allclose(found.names[c].numpy(), expected, atol=1e-12)


def test_centring_a_class_does_not_depend_on_the_classes_beside_it() -> None:
    centre = TextCentre.of(make_text(0))
    other = make_text(1)
    alone = centre.apply(other.subset(("class 2",)))
    together = centre.apply(other).subset(("class 2",))
    assert torch.equal(alone.descriptions, together.descriptions)
    assert torch.equal(alone.motion, together.motion)


def with_traits(text: TextTable, seed: int = 0) -> TextTable:
    """Seven traits: the fifth is alike in all classes, the sixth marks class 0 alone."""
    generator = torch.Generator().manual_seed(100 + seed)
    traits = torch.randint(0, 2, (len(text.labels), 7), generator=generator).double()
    traits[:, 4], traits[:, 5], traits[:, 6] = 1.0, 0.0, 0.5
    traits[0, 5] = 1.0
    return dataclasses.replace(text, traits=traits)


def test_traits_follow_every_sentence_scaled_by_their_spread_among_seen_classes() -> None:
    seen, other = with_traits(make_text(0)), with_traits(make_text(1), seed=1)
    centre = TextCentre.of(seen, trait_weight=0.7)
    found = centre.apply(other)
    mean, spread = seen.traits.numpy().mean(0), seen.traits.numpy().std(0)
    plain = TextCentre.of(seen).apply(other)
    for c in range(4):
        block = np.array(
            [
                (other.traits[c, t].item() - mean[t]) / max(spread[t], 0.15) if spread[t] else 0.0
                for t in range(7)
            ]
        )
        block = 0.7 * unit(block)
        for k in range(5):
            expected = unit(np.concatenate([plain.descriptions[c, k].numpy(), block]))
            expected = expected if other.mask[c, k] else np.zeros(13)
            np.testing.assert_allclose(found.descriptions[c, k].numpy(), expected, atol=1e-7)
        expected = unit(np.concatenate([plain.motion[c].numpy(), block]))
        np.testing.assert_allclose(found.motion[c].numpy(), expected, atol=1e-7)
        expected = np.concatenate([plain.names[c].numpy(), np.zeros(7)])
        np.testing.assert_allclose(found.names[c].numpy(), expected, atol=1e-12)


def test_a_label_without_traits_is_judged_by_its_sentences() -> None:
    seen, other = with_traits(make_text(0)), make_text(1)
    centre = TextCentre.of(seen, trait_weight=0.7)
    for unknown in (other, dataclasses.replace(other, traits=torch.zeros(4, 7).double())):
        found = centre.apply(unknown)
        assert found.motion.shape == (4, 13)
        assert not found.motion[:, 6:].any()
        torch.testing.assert_close(found.motion[:, :6], TextCentre.of(seen).apply(other).motion)


def test_traits_are_left_out_where_one_seen_class_has_none() -> None:
    seen = with_traits(make_text(0))
    seen.traits[2] = 0.0
    assert TextCentre.of(seen, trait_weight=0.7).apply(make_text(1)).motion.shape == (4, 6)


def test_a_subset_keeps_the_traits_of_its_labels() -> None:
    text = with_traits(make_text())
    assert torch.equal(text.subset(("class 3", "class 1")).traits, text.traits[[3, 1]])


def test_traits_of_another_number_of_classes_are_refused() -> None:
    with pytest.raises(LabelError, match=r"traits must be \(4, T\), got \(3, 7\)"):
        dataclasses.replace(make_text(), traits=torch.zeros(3, 7))


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 40), dim=st.integers(1, 8))
def test_standardising_equals_the_scaler_of_scikit_learn(seed: int, count: int, dim: int) -> None:
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(count, dim)) * generator.uniform(0.5, 2, dim) + 3
    mean, scale = standardise(torch.from_numpy(x), floor=0.0)
    expected = StandardScaler().fit_transform(x)
    np.testing.assert_allclose((x - mean.numpy()) / scale.numpy(), expected, atol=1e-9)


def test_a_feature_that_never_varies_is_not_blown_up_beyond_the_floor() -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0))
    x[:, 1] = 0.25
    mean, scale = standardise(x, floor=1e-3)
    assert float(mean[1]) == pytest.approx(0.25)
    assert float(scale[1]) == pytest.approx(1e-3 * float(scale.max()))
    assert bool((((x - mean) / scale)[:, 1].abs() < 1e-3).all())


def test_features_that_are_all_constant_give_finite_numbers() -> None:
    x = torch.ones(5, 3)
    mean, scale = standardise(x)
    assert bool(torch.isfinite((x - mean) / scale).all())


def test_weights_are_those_of_the_labels_at_hand() -> None:
    text = dataclasses.replace(make_text(), temperature=0.3)
    part = text.subset(("class 2", "class 0"))
    for table in (text, part):
        rows, mask = table.descriptions.numpy(), table.mask.numpy()
        expected = row_weights(row_margins(rows, mask), mask, 0.3)
        np.testing.assert_array_equal(table.weights.numpy(), expected)
    assert not torch.allclose(part.weights[1], text.weights[0])


def test_a_weighted_mean_is_that_of_a_plain_loop() -> None:
    text = dataclasses.replace(make_text(), temperature=0.3)
    for c, found in enumerate(text.mean().numpy()):
        total = text.motion[c].numpy().copy()
        for k in range(5):
            total += float(text.weights[c, k]) * text.descriptions[c, k].numpy()
        np.testing.assert_allclose(found, unit(total), atol=1e-6)


def test_one_label_alone_has_nothing_to_be_weighed_against() -> None:
    alone = dataclasses.replace(make_text(), temperature=0.3).subset(("class 1",))
    assert alone.weights is None
    assert alone.temperature == 0.3


def test_centred_text_keeps_the_weights_of_the_text_it_was() -> None:
    text = dataclasses.replace(make_text(), temperature=0.3)
    centred = TextCentre.of(text).apply(text)
    assert torch.equal(centred.weights, text.weights)
    assert centred.temperature == 0.3
