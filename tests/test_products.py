"""Products through the faster library equal the plain ones, with their gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from infocpl.products import linear, multiply_each, plain_single


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


@pytest.mark.parametrize("count", [0, 1, 5, 1024, 2500])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["f32", "f64"])
def test_each_of_many_products_and_their_gradients_equal_the_batched_product(count, dtype) -> None:
    torch.manual_seed(0)
    left = torch.randn(4, 3, dtype=dtype, requires_grad=True)
    rights = torch.randn(count, 3, 2, dtype=dtype, requires_grad=True)
    found, expected = multiply_each(left, rights), torch.matmul(left, rights)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    mine = torch.autograd.grad(found, (left, rights), slope)
    theirs = torch.autograd.grad(expected, (left, rights), slope)
    # The gradient of the one matrix is a sum over all products.
    torch.testing.assert_close(mine[0], theirs[0], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(mine[1], theirs[1])


def test_each_of_many_products_gives_only_the_gradients_that_are_asked_for() -> None:
    left, rights = torch.randn(4, 3), torch.randn(5, 3, 2)
    for leaf in (left, rights):
        leaf.requires_grad_()
        multiply_each(left, rights).sum().backward()
        assert leaf.grad is not None
        leaf.requires_grad_(False)
        leaf.grad = None
    assert not multiply_each(left, rights).requires_grad


def test_each_of_many_products_keeps_mixed_precision() -> None:
    left, rights = torch.randn(4, 3, requires_grad=True), torch.randn(5, 3, 2, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        found = multiply_each(left, rights)
    assert found.dtype == torch.bfloat16
    found.float().sum().backward()
    assert left.grad is not None


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
