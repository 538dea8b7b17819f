"""Convolution over time by products of frequencies against torch's convolution."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from infocpl.encoders.temporal import TimeConv, convolve_time


@pytest.mark.parametrize("frames", [1, 2, 7, 16, 33])
@pytest.mark.parametrize("kernel", [1, 3, 9])
def test_values_and_gradients_equal_the_plain_convolution(frames: int, kernel: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, frames, 5, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 3, kernel, 1, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(4, dtype=torch.float64, requires_grad=True)
    found = convolve_time(x, weight, bias)
    expected = functional.conv2d(x, weight, bias, 1, (kernel // 2, 0))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    slope = torch.randn_like(expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, (x, weight, bias), slope),
        torch.autograd.grad(expected, (x, weight, bias), slope),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("width", [16, 192], ids=["narrow", "wide"])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_layer_is_the_convolution_it_replaces_whatever_its_width(
    width: int, stride: int
) -> None:
    torch.manual_seed(0)
    layer = TimeConv(width, width, kernel=9, stride=stride)
    plain = nn.Conv2d(width, width, (9, 1), (stride, 1), (4, 0))
    plain.load_state_dict(layer.state_dict())
    x = torch.randn(2, width, 15, 6)
    torch.testing.assert_close(layer(x), plain(x), rtol=0, atol=1e-5)
    exact = plain.double()(x.double()).detach()
    # No less exact than torch's own: both stand as close to double precision.
    assert float((layer(x).detach() - exact).abs().max()) < 1e-5


def test_mixed_precision_keeps_the_plain_convolution() -> None:
    layer = TimeConv(192, 192, kernel=9, stride=1)
    x = torch.randn(1, 192, 8, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found, expected = layer(x), nn.Conv2d.forward(layer, x)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, expected)


def test_a_first_call_in_inference_mode_does_not_spoil_later_training() -> None:
    x, weight = torch.randn(1, 2, 21, 3), torch.randn(2, 2, 5, 1, requires_grad=True)
    with torch.inference_mode():
        expected = convolve_time(x, weight, None)
    found = convolve_time(x.requires_grad_(), weight, None)
    found.sum().backward()
    torch.testing.assert_close(found.detach(), expected.clone())
    assert bool(weight.grad.any())
