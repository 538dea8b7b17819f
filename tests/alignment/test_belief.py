"""The sparse gradient of believed descriptions equals that of the dense formulation."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.alignment.belief import mix_believed
from infocpl.errors import ConfigError


def dense(z: Tensor, clips: Tensor, classes: Tensor, text: TextTable, count: int, sign: float):
    """Softmax over the best `count`, one pair at a time, nothing sparse about it."""
    mixed = []
    for clip, row in zip(clips.tolist(), classes.tolist(), strict=True):
        logits = sign * (text.descriptions[row] @ z[clip]) / z.shape[1] ** 0.5
        if text.weights is not None:
            logits = logits + text.weights[row].log()
        logits = logits[text.mask[row]]
        last = logits.sort(descending=True).values[min(count, len(logits)) - 1]
        kept = logits >= last
        weights = torch.softmax(logits[kept], 0)
        mixed.append(weights @ text.descriptions[row][text.mask[row]][kept])
    return torch.stack(mixed)


def make_text() -> TextTable:
    rows = torch.randn(4, 8, 5, dtype=torch.float64)
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[1, 2:] = False
    rows[2, 1] = rows[2, 0]  # a tie
    labels = ("a", "b", "c", "d")
    return TextTable(labels, rows[:, :6] * mask.unsqueeze(2), mask, rows[:, 6], rows[:, 7])


@pytest.mark.parametrize("count", [1, 3, 6, 9])
@pytest.mark.parametrize("inverse", [False, True], ids=["plain", "inverse"])
@pytest.mark.parametrize("temperature", [None, 0.3], ids=["unweighed", "weighed"])
def test_mixtures_and_gradients_equal_a_loop_over_pairs(
    count: int, inverse: bool, temperature: float | None
) -> None:
    torch.manual_seed(3)
    text = dataclasses.replace(make_text(), temperature=temperature)
    z = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    # A clip in several pairs, a class in several pairs, one pair twice.
    clips, classes = torch.tensor([0, 0, 2, 1, 2, 2]), torch.tensor([1, 2, 2, 0, 3, 3])
    found = mix_believed(z, clips, classes, text, count, inverse=inverse)
    expected = dense(z, clips, classes, text, count, -1.0 if inverse else 1.0)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    (mine,) = torch.autograd.grad(found, z, slope)
    (theirs,) = torch.autograd.grad(expected, z, slope, allow_unused=True)
    torch.testing.assert_close(mine, theirs if theirs is not None else torch.zeros_like(z))


def test_a_gradient_of_the_text_is_refused_in_words() -> None:
    text = make_text()
    text.descriptions.requires_grad_()
    z, first = torch.randn(1, 5, dtype=torch.float64), torch.zeros(1, dtype=torch.long)
    with pytest.raises(ConfigError, match="descriptions are data"):
        mix_believed(z, first, first, text, 2)
