"""The matching start: the ridge map in front, agreement of clip and text behind it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import cosine_similarity

from infocpl.alignment.base import TextTable
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.initialise import start_matching
from infocpl.errors import ConfigError

CLASSES, WIDTH, VISUAL = 6, 24, 10


def fresh(hidden: tuple[int, int] = (64, 8)) -> InfoCPL:
    torch.manual_seed(0)
    return InfoCPL(InfoCPLConfig(visual_dim=VISUAL, text_dim=WIDTH, k_series=(1, 3), hidden=hidden))


def problem(spread: float = 0.3) -> tuple[torch.Tensor, torch.Tensor, TextTable]:
    """Clips whose features are a noisy linear picture of the text of their class."""
    rng = np.random.default_rng(4)
    unit = torch.nn.functional.normalize
    centres = torch.from_numpy(rng.normal(size=(CLASSES, 1, WIDTH))).float()
    rows = torch.from_numpy(rng.normal(size=(CLASSES, 5, WIDTH))).float()
    text = TextTable(
        tuple(f"class {i}" for i in range(CLASSES)),
        unit(centres + 0.5 * rows, dim=2),
        torch.ones(CLASSES, 5, dtype=torch.bool),
        unit(centres[:, 0], dim=1),
        unit(centres[:, 0], dim=1),
    )
    labels = torch.arange(CLASSES).repeat_interleave(20)
    picture = torch.from_numpy(rng.normal(size=(WIDTH, VISUAL))).float()
    x = text.mean()[labels] @ picture
    x = x + spread * torch.from_numpy(rng.normal(size=x.shape)).float()
    return (x - x.mean(0)) / x.std(0, unbiased=False), labels, text


def test_heads_project_with_the_ridge_map_of_scikit_learn() -> None:
    x, labels, text = problem()
    model = fresh()
    start_matching(model, x, labels, text)
    judge = Ridge(alpha=len(x), fit_intercept=False).fit(x.numpy(), text.mean()[labels].numpy())
    expected = torch.nn.functional.layer_norm(
        torch.from_numpy(judge.predict(x[:7].numpy())), (WIDTH,), eps=1e-12
    )
    for head in model.heads:
        torch.testing.assert_close(head.project(x[:7]), expected, atol=1e-4, rtol=1e-4)


def test_the_first_scores_name_clips_nearly_as_well_as_the_cosine_of_the_ridge_map() -> None:
    x, labels, text = problem(spread=1.0)
    model = fresh((256, 32))
    before = (model.scores(x, text).argmax(1) == labels).float().mean()
    start_matching(model, x, labels, text)
    after = (model.scores(x, text).argmax(1) == labels).float().mean()
    judge = Ridge(alpha=len(x), fit_intercept=False).fit(x.numpy(), text.mean()[labels].numpy())
    cosine = cosine_similarity(judge.predict(x.numpy()), text.mean().numpy())
    ridge = (cosine.argmax(1) == labels.numpy()).mean()
    assert before < 0.4
    assert after > ridge - 0.05


def test_scores_start_on_both_sides_of_zero_where_log_sigmoid_bends() -> None:
    x, labels, text = problem()
    model = fresh()
    start_matching(model, x, labels, text)
    for scores in model.head_scores(x, text):
        assert scores.min() < 0 < scores.max()
        assert scores.abs().max() < 10


def test_units_see_sums_and_differences_with_both_signs() -> None:
    x, labels, text = problem()
    model = fresh()
    start_matching(model, x, labels, text)
    for head in model.heads:
        apart, minus_apart, alike, minus_alike = head.l0.weight.chunk(4)
        torch.testing.assert_close(minus_apart, -apart)
        torch.testing.assert_close(minus_alike, -alike)
        torch.testing.assert_close(apart[:, :WIDTH], alike[:, :WIDTH])
        torch.testing.assert_close(apart[:, WIDTH:], -alike[:, WIDTH:])
    first, second = model.heads
    assert not torch.equal(first.l0.weight, second.l0.weight)


def test_directions_stay_within_the_text_of_the_seen_classes() -> None:
    x, labels, text = problem()
    hidden = 5
    nothing = torch.zeros(CLASSES, 5, hidden)
    wider = dataclasses.replace(
        text,
        descriptions=torch.cat([text.descriptions, nothing], dim=2),
        motion=torch.cat([text.motion, nothing[:, 0]], dim=1),
        names=torch.cat([text.names, nothing[:, 0]], dim=1),
    )
    torch.manual_seed(0)
    model = InfoCPL(InfoCPLConfig(VISUAL, WIDTH + hidden, k_series=(2,), hidden=(16, 4)))
    start_matching(model, x, labels, wider)
    blind = model.heads[0].l0.weight[:, WIDTH : WIDTH + hidden]
    torch.testing.assert_close(blind, torch.zeros_like(blind), atol=1e-5, rtol=0)


def test_a_width_that_four_does_not_divide_leaves_the_rest_as_drawn() -> None:
    x, labels, text = problem()
    drawn = fresh((11, 4)).heads[0].l0.weight[8:].clone()
    model = fresh((11, 4))
    start_matching(model, x, labels, text)
    torch.testing.assert_close(model.heads[0].l0.weight[8:], drawn)


def test_features_or_text_of_another_width_are_refused() -> None:
    x, labels, text = problem()
    with pytest.raises(ConfigError, match=r"maps 10 features to text of 24, got 9 and 24"):
        start_matching(fresh(), x[:, :9], labels, text)


def test_a_first_layer_too_narrow_to_compare_is_refused() -> None:
    x, labels, text = problem()
    with pytest.raises(ConfigError, match="needs 4 hidden units, got 3"):
        start_matching(fresh((3, 2)), x, labels, text)
