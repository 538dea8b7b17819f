"""The matching start: the ridge map in front, differences of clip and text behind it."""

from __future__ import annotations

import pytest
import torch

from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.initialise import start_matching
from infocpl.errors import ConfigError


def fresh(hidden: tuple[int, int] = (8, 4)) -> InfoCPL:
    torch.manual_seed(0)
    return InfoCPL(InfoCPLConfig(visual_dim=5, text_dim=9, k_series=(1, 3), hidden=hidden))


def test_heads_project_with_the_ridge_map() -> None:
    model, ridge, v = fresh(), torch.randn(5, 9), torch.randn(3, 5)
    start_matching(model, ridge)
    expected = torch.nn.functional.layer_norm(v @ ridge, (9,))
    for head in model.heads:
        torch.testing.assert_close(head.project(v), expected)


def test_a_clip_that_is_its_text_excites_no_unit() -> None:
    model = fresh()
    start_matching(model, torch.randn(5, 9))
    e = torch.randn(9)
    for head in model.heads:
        first = head.l0(torch.cat([3.0 * e, e]))  # z = sqrt(Dt) e, and Dt is 9
        torch.testing.assert_close(first, torch.zeros(8), atol=1e-5, rtol=0)


def test_units_come_in_opposite_pairs_and_heads_look_in_different_directions() -> None:
    model = fresh()
    start_matching(model, torch.randn(5, 9))
    for head in model.heads:
        torch.testing.assert_close(head.l0.weight[:4], -head.l0.weight[4:])
    first, second = model.heads
    assert not torch.equal(first.l0.weight, second.l0.weight)


def test_an_odd_width_is_no_obstacle() -> None:
    model = fresh((7, 4))
    start_matching(model, torch.randn(5, 9))
    torch.testing.assert_close(model.heads[0].l0.weight[:3], -model.heads[0].l0.weight[3:6])


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\(5, 9\)"):
        start_matching(fresh(), torch.randn(9, 5))
