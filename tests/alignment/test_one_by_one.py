"""A loss taken back at once has the value and the gradient of one that waits."""

from __future__ import annotations

import weakref

import pytest
import torch

from infocpl.alignment.one_by_one import loss_taken_back


def test_value_and_scaled_gradients_equal_those_of_the_plain_loss() -> None:
    torch.manual_seed(0)
    weights = [torch.randn(4, 3, requires_grad=True) for _ in range(2)]
    constant, x = torch.randn(3), torch.randn(2, 4, requires_grad=True)

    def compute(weight: torch.Tensor) -> torch.Tensor:
        return ((x @ weight + constant).tanh() ** 2).sum()

    plain = torch.stack([compute(weight) for weight in weights])
    expected = torch.autograd.grad((plain * torch.tensor([0.3, -2.0])).sum(), [x, *weights])
    ready = torch.stack(
        [loss_taken_back(lambda w=weight: compute(w), [x, weight, constant]) for weight in weights]
    )
    torch.testing.assert_close(ready, plain)
    (ready * torch.tensor([0.3, -2.0])).sum().backward()
    for mine, theirs in zip([x, *weights], expected, strict=True):
        torch.testing.assert_close(mine.grad, theirs)


def test_an_input_without_influence_gets_no_gradient() -> None:
    used, unused = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    loss_taken_back(lambda: used.sum(), [used, unused]).backward()
    assert unused.grad is None
    assert used.grad.tolist() == [1.0, 1.0]


def test_nothing_of_the_computation_is_kept_alive() -> None:
    weight = torch.ones(5, requires_grad=True)
    kept = []

    def compute() -> torch.Tensor:
        between = weight * 2
        kept.append(weakref.ref(between))
        return (between * between).sum()

    waiting = compute()
    assert kept.pop()() is not None
    del waiting
    ready = loss_taken_back(compute, [weight])
    assert kept.pop()() is None
    ready.backward()
    torch.testing.assert_close(weight.grad, 8 * weight.detach())


@pytest.mark.parametrize("frozen", [True, False])
def test_without_gradients_the_plain_value_is_returned(frozen: bool) -> None:
    weight = torch.ones(3, requires_grad=not frozen)
    with torch.set_grad_enabled(frozen):
        found = loss_taken_back(lambda: weight.sum(), [weight])
    assert found.item() == 3.0
    assert not found.requires_grad


def test_inputs_that_share_one_gradient_get_it_each() -> None:
    a, b = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    (3.0 * loss_taken_back(lambda: (a + b).sum(), [a, b])).backward()
    assert a.grad.tolist() == b.grad.tolist() == [3.0, 3.0, 3.0]


def test_a_second_backward_is_refused() -> None:
    weight = torch.ones(3, requires_grad=True)
    loss = loss_taken_back(lambda: weight.sum(), [weight])
    loss.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="taken back already"):
        loss.backward()
