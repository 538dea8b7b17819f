"""Measured traits against plain numpy, alone and beside the scores of another aligner."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from infocpl.alignment.base import TextCentre, TextTable
from infocpl.alignment.compiled import CompiledLabels
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.measured import (
    MeasuredTraits,
    TwoVoices,
    spread,
    training_sample,
)
from infocpl.alignment.measured_fit import fit_measured
from infocpl.alignment.ridge import fit_ridge
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.errors import ConfigError
from infocpl.semantics.traits import TRAIT_DIMENSIONS
from infocpl.skeleton.measures import MEASURES

Q = len(MEASURES)


def make_text(seed: int, classes: int = 5, without: tuple[int, ...] = ()) -> TextTable:
    """Random text and traits; no traits for the classes `without`."""
    generator = torch.Generator().manual_seed(seed)

    def rows(*shape: int) -> torch.Tensor:
        return torch.nn.functional.normalize(torch.randn(*shape, 9, generator=generator), dim=-1)

    traits = (torch.rand(classes, len(TRAIT_DIMENSIONS), generator=generator) > 0.7).float()
    traits[list(without)] = 0
    mask = torch.ones(classes, 6, dtype=torch.bool)
    labels = tuple(f"class {i}" for i in range(classes))
    return TextTable(labels, rows(classes, 6), mask, rows(classes), rows(classes), traits=traits)


def make_clips(seed: int, clips: int = 40, classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Measures (N, Q) of very different units, and labels of which the first is half."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, classes, (clips,), generator=generator)
    labels[: clips // 2] = 0
    labels[-classes:] = torch.arange(classes)[:clips]
    units = 10 ** (4 * torch.rand(Q, generator=generator) - 2)
    return (torch.randn(clips, Q, generator=generator) ** 3 + 1) * units, labels


def standardise(train: np.ndarray, labels: np.ndarray, clips: np.ndarray) -> np.ndarray:
    """Clips in units of the training clips, one number after the other."""
    classes = sorted(set(labels.tolist()))
    standard = np.zeros_like(clips)
    for column in range(Q):
        of_class = [train[labels == number, column] for number in classes]
        mean = np.mean([values.mean() for values in of_class])
        scale = np.sqrt(np.mean([((values - mean) ** 2).mean() for values in of_class]))
        if scale >= 1e-4:
            standard[:, column] = np.clip((clips[:, column] - mean) / scale, -3, 3)
    return standard


def find_metric(standard: np.ndarray, labels: np.ndarray, meant: np.ndarray) -> np.ndarray:
    """(Q, Q) from standard training clips and centred traits, NaN where a class has none."""
    means = {number: standard[labels == number].mean(axis=0) for number in set(labels.tolist())}
    inside = np.mean(
        [np.cov(standard[labels == number].T, bias=True) for number in sorted(means)], axis=0
    )
    told = [number for number in sorted(means) if np.isfinite(meant[number]).all()]
    said = np.concatenate([meant[number] for number in told])
    seen = np.concatenate([means[number] for number in told])
    slope = np.linalg.lstsq(said[:, None], seen, rcond=None)[0][0]
    errors = [means[number] - slope * meant[number] for number in told]
    covariance = inside + np.mean([np.outer(error, error) for error in errors], axis=0)
    covariance /= np.diag(covariance).mean()
    return np.linalg.inv(0.1 * covariance + 0.9 * np.eye(Q))


def by_loops(
    train: np.ndarray, labels: np.ndarray, seen: np.ndarray, clips: np.ndarray, told: np.ndarray
) -> np.ndarray:
    """(B, C) logarithms of densities, less that of a class which differs in nothing."""
    columns = [TRAIT_DIMENSIONS.index(name) for name in MEASURES]
    centre = np.mean([traits[columns] for traits in seen if traits.any()], axis=0)
    meant = np.stack(
        [traits[columns] - centre if traits.any() else centre + np.nan for traits in seen]
    )
    trained = standardise(train, labels, train)
    metric = find_metric(trained, labels, meant)
    covariance = np.linalg.inv(metric)
    length = np.median([np.sqrt(row @ metric @ row) for row in trained])
    known = [row for row in meant if np.isfinite(row).all()]
    unknown = np.mean([-row @ metric @ row / 2 for row in known])
    table = np.full((len(clips), len(told)), unknown)
    for row, clip in enumerate(standardise(train, labels, clips)):
        clip = clip * length / np.sqrt(clip @ metric @ clip)
        for label, traits in enumerate(told):
            if traits.any():
                at = traits[columns] - centre
                table[row, label] = log_density(clip, at, covariance)
                table[row, label] -= log_density(clip, 0 * at, covariance)
    return table


def log_density(point: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    return float(multivariate_normal.logpdf(point, mean, covariance))


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_scores_are_log_densities_about_what_centred_traits_say(seed):
    (train, labels), seen = make_clips(seed), make_text(seed, without=(3,))
    train[:, 7] = 0.3
    clips, other = make_clips(seed + 1)[0], make_text(seed + 2, 4, without=(1,))
    found = fit_measured(train, labels, seen).scores(clips, other)
    wide = [part.double().numpy() for part in (train, seen.traits, clips, other.traits)]
    expected = by_loops(wide[0], labels.numpy(), *wide[1:])
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-4, atol=1e-4)


def test_measures_that_err_together_count_less_than_ones_that_err_apart():
    """Two labels differ in as many traits: one in copies of one measure, one in others."""
    (train, labels), seen = make_clips(0, clips=400), make_text(0)
    train[:, 1:4] = train[:, :1]
    told = torch.zeros(2, len(TRAIT_DIMENSIONS))
    columns = [TRAIT_DIMENSIONS.index(name) for name in MEASURES]
    told[0, columns[:4]], told[1, columns[4:8]] = 1, 1
    fitted = fit_measured(train, labels, seen)
    centred = dataclasses.replace(fitted, traits=torch.zeros(Q))
    text = dataclasses.replace(make_text(1, 2), traits=told)
    clip = (fitted.mean + fitted.scale)[None]  # above the mean by one deviation in everything
    found = centred.scores(clip, text)[0]
    assert float(found[0]) < float(found[1])
    plain = dataclasses.replace(centred, metric=torch.eye(Q), length=clip.new_tensor(Q) ** 0.5)
    plain = plain.scores(clip, text)[0]
    assert float(plain[0]) == pytest.approx(float(plain[1]))


def test_classes_without_clips_or_traits_leave_the_metric_alone():
    (train, labels), seen = make_clips(0), make_text(0)
    names = tuple(f"class {number}" for number in range(7))
    more = make_text(9, 7)
    traits = torch.cat([seen.traits, torch.zeros(1, seen.traits.shape[1]), seen.traits[:1]])
    wider = dataclasses.replace(more, labels=names, traits=traits)
    one = fit_measured(train, labels, seen).metric
    assert torch.allclose(fit_measured(train, labels, wider).metric, one, atol=0.05)
    assert torch.isfinite(fit_measured(train[:1], labels[:1], wider).metric).all()


def test_a_measure_that_is_the_same_for_all_clips_says_nothing():
    (train, labels), text = make_clips(0), make_text(0)
    column = MEASURES.index("persons")
    train[:, column] = 0.1  # not exactly representable: its mean differs in the last bit
    fitted = fit_measured(train, labels, text)
    clips, _ = make_clips(1)
    loud = clips.clone()
    loud[:, column] = 1e6
    assert torch.equal(fitted.scores(clips, text), fitted.scores(loud, text))
    loud[:, column - 1] += 1e6
    assert not torch.equal(fitted.scores(clips, text), fitted.scores(loud, text))


def test_beyond_three_deviations_a_measure_says_no_more():
    (train, labels), text = make_clips(0), make_text(0)
    fitted = fit_measured(train, labels, text)
    far = fitted.mean + 3 * fitted.scale
    found = [fitted.scores((fitted.mean + k * fitted.scale)[None], text) for k in (3, 4, 1e4)]
    assert torch.isfinite(far).all()
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_a_label_without_traits_scores_for_every_clip_what_a_seen_class_does_at_the_mean():
    (train, labels), text = make_clips(0), make_text(0)
    fitted = dataclasses.replace(fit_measured(train, labels, text), gain=torch.tensor(7.0))
    found = fitted.scores(train, make_text(1, 4, without=(0, 2)))
    average = fitted.scores(fitted.mean[None], text).mean()
    torch.testing.assert_close(found[:, [0, 2]], average.expand(len(train), 2))
    assert found[:, [1, 3]].std(dim=0).min() > 0.1
    bare = dataclasses.replace(make_text(1, 4), traits=None)
    torch.testing.assert_close(fitted.scores(train, bare), average.expand(len(train), 4))


def test_repeating_the_clips_of_a_class_changes_neither_zero_nor_unit():
    (train, labels), text = make_clips(0), make_text(0)
    again = torch.cat([train, train[labels == 2].repeat(9, 1)])
    more = torch.cat([labels, torch.full((len(again) - len(train),), 2)])
    one, other = fit_measured(train, labels, text), fit_measured(again, more, text)
    torch.testing.assert_close(other.mean, one.mean)
    torch.testing.assert_close(other.scale, one.scale)


def test_measures_of_other_units_give_the_same_scores():
    (train, labels), text = make_clips(0), make_text(0)
    units = torch.linspace(0.5, 20, Q)
    one = fit_measured(train, labels, text).scores(train, text)
    other = fit_measured(train * units + 3, labels, text).scores(train * units + 3, text)
    torch.testing.assert_close(one, other, rtol=0, atol=1e-4)


@pytest.mark.parametrize("weight", [0.5, 1.0, 4.0])
def test_the_gain_makes_spreads_relate_as_the_weight_says(weight):
    (train, labels), text = make_clips(0), make_text(0)
    fitted = fit_measured(train, labels, text)
    own = 30 * torch.randn(40, 5, generator=torch.Generator().manual_seed(1)) + 100
    beside = fitted.beside(own, fitted.scores(train, text), weight)

    def deviation(scores: torch.Tensor) -> float:
        """About the mean of each clip."""
        rows = [np.var(row) for row in scores.double().numpy()]
        return float(np.sqrt(np.mean(rows)))

    expected = weight * deviation(own)
    assert deviation(beside.scores(train, text)) == pytest.approx(expected, rel=1e-5)
    assert float(spread(own)) == pytest.approx(deviation(own), rel=1e-5)
    # All else is as it was.
    assert torch.equal(beside.mean, fitted.mean)
    assert torch.equal(beside.traits, fitted.traits)


def test_agreement_that_says_nothing_gives_a_finite_gain():
    (train, labels), text = make_clips(0), make_text(0)
    fitted = fit_measured(train, labels, text)
    beside = fitted.beside(torch.zeros(4, 5), torch.zeros(4, 5), 2.0)
    assert float(beside.gain) == 0


@pytest.mark.parametrize("count", [1, 5, 256, 257, 5000])
def test_gains_are_found_on_few_clips_spread_over_all(count):
    rows = training_sample(count).tolist()
    assert len(rows) == len(set(rows)) == min(count, 256)
    assert (rows[0], rows[-1]) == (0, count - 1)
    steps = np.diff(rows)
    assert not len(steps) or steps.max() - steps.min() <= 1


def test_without_traits_or_with_other_columns_nothing_is_fitted():
    (train, labels), text = make_clips(0), make_text(0)
    for silent in (None, torch.zeros_like(text.traits)):
        with pytest.raises(ConfigError, match="traits of the seen classes; none has any"):
            fit_measured(train, labels, dataclasses.replace(text, traits=silent))
    with pytest.raises(ConfigError, match=f"expected {Q} measures a clip, got {Q - 1}"):
        fit_measured(train[:, 1:], labels, text)


def build_measured() -> MeasuredTraits:
    (train, labels), text = make_clips(0), make_text(0)
    return dataclasses.replace(fit_measured(train, labels, text), gain=torch.tensor(1.7))


def build_infocpl() -> StandardInfoCPL:
    torch.manual_seed(0)
    shape = InfoCPLConfig(visual_dim=7, text_dim=9, k_series=(1, 3, 6), hidden=(11, 5))
    model = InfoCPL(shape)
    centre = TextCentre.of(make_text(0))
    return StandardInfoCPL(model, torch.randn(7), torch.rand(7) + 0.5, centre, build_measured())


def build_ridge():
    (train, labels), text = make_clips(0), make_text(0)
    generator = torch.Generator().manual_seed(5)
    features = torch.randn(40, 7, generator=generator) + labels[:, None]
    aligner = fit_ridge(features, labels, text, alpha=0.1)
    aligner.add_measured(features, train, labels, text, 2.0)
    return aligner


def rows(clips: int = 12) -> torch.Tensor:
    """(N, 7 + Q) features with measures behind them."""
    generator = torch.Generator().manual_seed(9)
    return torch.cat([torch.randn(clips, 7, generator=generator), make_clips(4, clips)[0]], dim=1)


@pytest.mark.parametrize("build", [build_infocpl, build_ridge])
def test_scores_are_those_of_the_aligner_and_of_what_was_measured_together(build):
    aligner, text, clips = build(), make_text(3, 4), rows()
    assert isinstance(aligner, TwoVoices)
    measured = aligner.measured
    found = aligner.scores(clips, text)
    aligner.measured = None
    own = aligner.scores(clips[:, :7], text)
    # Columns behind those of the encoder do not matter to the aligner itself.
    assert torch.equal(aligner.scores(clips, text), own)
    torch.testing.assert_close(found, own + measured.scores(clips[:, 7:], text))
    assert measured.scores(clips[:, 7:], text).abs().max() > 0.1


@pytest.mark.parametrize("clips", [1, 7, 2000], ids=["one", "few", "several chunks"])
def test_compiled_labels_add_what_was_measured(clips):
    aligner, text, features = build_infocpl(), make_text(3, 4, without=(2,)), rows(clips)
    found = CompiledLabels(aligner, text).scores(features)
    torch.testing.assert_close(found, aligner.scores(features, text), rtol=0, atol=1e-5)
    aligner.measured = None
    assert not torch.allclose(found, aligner.scores(features, text), atol=1e-2)


@pytest.mark.parametrize("build", [build_infocpl, build_ridge])
def test_labels_in_another_order_give_the_columns_in_that_order(build):
    aligner, text, features = build(), make_text(3, 4), rows()
    order = (2, 0, 3)
    names = tuple(text.labels[number] for number in order)
    whole = aligner.scores(features, text)
    torch.testing.assert_close(aligner.scores(features, text.subset(names)), whole[:, list(order)])
    if isinstance(aligner, StandardInfoCPL):
        compiled = CompiledLabels(aligner, text.subset(names))
        torch.testing.assert_close(
            compiled.scores(features), whole[:, list(order)], rtol=0, atol=1e-5
        )


def test_ridge_with_measures_spreads_them_as_the_weight_says():
    (train, labels), text = make_clips(0), make_text(0)
    features = torch.randn(40, 7, generator=torch.Generator().manual_seed(5))
    spreads = []
    for weight in (1.0, 3.0):
        aligner = fit_ridge(features, labels, text, alpha=0.1)
        aligner.add_measured(features, train, labels, text, weight)
        agreement = aligner.measured.scores(train, text).numpy()
        own = aligner.own_scores(features, text).numpy()
        spreads.append(agreement.var(axis=1).mean() / own.var(axis=1).mean())
    assert spreads == pytest.approx([1, 9], rel=1e-4)


@pytest.mark.parametrize("why", ["no weight", "no traits", "empty traits"])
def test_ridge_stays_as_it_is_where_there_is_nothing_to_add(why):
    (train, labels), text = make_clips(0), make_text(0)
    features = torch.randn(40, 7, generator=torch.Generator().manual_seed(5))
    if why == "no traits":
        text = dataclasses.replace(text, traits=None)
    if why == "empty traits":
        text = dataclasses.replace(text, traits=torch.zeros_like(text.traits))
    aligner = fit_ridge(features, labels, text, alpha=0.1)
    aligner.add_measured(features, train, labels, text, 0.0 if why == "no weight" else 2.0)
    assert aligner.measured is None


def test_reasons_are_the_largest_parts_of_the_score():
    """They, the rest and the offset add up to the score of a model without gain."""
    (measures, labels), text = make_clips(5), make_text(5)
    fitted = fit_measured(measures, labels, text)
    told = fitted.reasons(measures[3], text, 1, most=Q)
    parts = dict(told)
    assert list(parts.values()) == sorted(parts.values(), reverse=True)
    assert min(parts.values()) > 0
    assert fitted.reasons(measures[3], text, 1, most=2) == told[:2]
    z = np.clip((measures[3].double() - fitted.mean) / fitted.scale, -3, 3).numpy()
    z *= float(fitted.length) / np.sqrt(z @ fitted.metric.double().numpy() @ z)
    filters, offsets = fitted.expect(text)
    every = z * filters[1].double().numpy()
    for name, part in told:
        assert part == pytest.approx(every[MEASURES.index(name)], abs=1e-4)
    whole = every.sum() + float(offsets[1])
    assert whole == pytest.approx(float(fitted.scores(measures, text)[3, 1]), abs=1e-4)
