"""Labels compiled once score clips as the model itself does."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from infocpl.alignment.base import TextCentre, TextTable
from infocpl.alignment.compiled import CompiledLabels
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.alignment.standard import StandardInfoCPL


def make_text(classes: int = 5, **changes: object) -> TextTable:
    rows = torch.nn.functional.normalize(torch.randn(classes, 8, 9), dim=2)
    mask = torch.ones(classes, 6, dtype=torch.bool)
    mask[1, 2:] = False
    labels = tuple(f"class {i}" for i in range(classes))
    table = TextTable(labels, rows[:, :6] * mask.unsqueeze(2), mask, rows[:, 6], rows[:, 7])
    return dataclasses.replace(table, **changes)


def build(dtype: torch.dtype = torch.float32, **changes: object) -> StandardInfoCPL:
    torch.manual_seed(0)
    shape = InfoCPLConfig(visual_dim=7, text_dim=9, k_series=(1, 3, 6), hidden=(11, 5))
    model = InfoCPL(dataclasses.replace(shape, **changes)).to(dtype)
    return StandardInfoCPL(model, torch.randn(7), torch.rand(7) + 0.5, TextCentre.of(make_text()))


@pytest.mark.parametrize("clips", [1, 7, 8, 2000], ids=["one", "few", "many", "several chunks"])
@pytest.mark.parametrize(
    "changes",
    [{}, {"motion": False}, {"gate": "visual+text"}, {"fusion": (1.0, 0.0, 2.0)}],
    ids=["published", "without motion", "gated", "fixed weights"],
)
def test_compiled_labels_give_the_scores_of_the_model(clips: int, changes: dict) -> None:
    aligner, text = build(**changes), make_text()
    features = torch.randn(clips, 7) * 3
    expected = aligner.scores(features, text)
    assert float(expected.std()) > 1e-3
    torch.testing.assert_close(
        CompiledLabels(aligner, text).scores(features), expected, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize("clips", [2, 20], ids=["few", "many"])
def test_weighed_and_tied_descriptions_are_compiled_as_they_are(clips: int) -> None:
    aligner, text = build(), make_text(temperature=0.3)
    doubled = text.descriptions.clone()
    doubled[2, 1:4] = doubled[2, :1]
    text = dataclasses.replace(text, descriptions=doubled)
    features = torch.randn(clips, 7) * 3
    torch.testing.assert_close(
        CompiledLabels(aligner, text).scores(features),
        aligner.scores(features, text),
        rtol=0,
        atol=1e-5,
    )


def test_compiled_labels_keep_the_order_of_the_label_set() -> None:
    aligner, text = build(), make_text()
    order = ("class 3", "class 0", "class 4")
    compiled = CompiledLabels(aligner, text.subset(order))
    features = torch.randn(9, 7)
    assert compiled.labels == order
    torch.testing.assert_close(
        compiled.scores(features), CompiledLabels(aligner, text).scores(features)[:, [3, 0, 4]]
    )


def test_compiled_scores_carry_no_gradient() -> None:
    aligner = build()
    found = CompiledLabels(aligner, make_text()).scores(torch.randn(3, 7, requires_grad=True))
    assert not found.requires_grad
