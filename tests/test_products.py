"""Products through the faster library equal the plain ones, with their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from infocpl.products import linear, plain_single


@pytest.mark.parametrize("shape", [(1, 6), (37, 6), (5, 3, 6), (0, 6)], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])
@pytest.mark.parametrize("with_bias", [True, False])
def test_values_and_gradients_equal_the_plain_linear_map(
    shape: tuple[int, ...], dtype: torch.dtype, with_bias: bool
) -> None:
    torch.manual_seed(0)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    both = torch.randn(4, 12, dtype=dtype, requires_grad=True)
    bias = torch.randn(4, dtype=dtype, requires_grad=True) if with_bias else None
    leaves = [x, both] if bias is None else [x, both, bias]
    weight = both.split(6, dim=1)[1]  # strided, as half of a layer is
    found, expected = linear(x, weight, bias), functional.linear(x, weight, bias)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    for mine, theirs in zip(
        torch.autograd.grad(found, leaves, slope, retain_graph=True),
        torch.autograd.grad(expected, leaves, slope),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_mixed_precision_keeps_its_own_product() -> None:
    x, weight = torch.randn(3, 6), torch.randn(4, 6)
    assert plain_single(x)
    assert not plain_single(x.double())
    with torch.autocast("cpu", torch.bfloat16):
        assert not plain_single(x)
        assert linear(x, weight).dtype == torch.bfloat16


@pytest.mark.filterwarnings("ignore:TF32")
def test_the_library_can_be_switched_off_and_stays_out_of_traced_graphs() -> None:
    x, weight = torch.randn(3, 6), torch.randn(4, 6)
    with torch.backends.mkldnn.flags(enabled=False):
        assert not plain_single(x)
    assert plain_single(x)
    traced = torch.jit.trace(lambda given: linear(given, weight), x)
    assert "mkldnn" not in str(traced.graph)
    torch.testing.assert_close(traced(x), x @ weight.t())
