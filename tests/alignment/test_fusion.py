"""Weighed heads, gate, margin and fitted fusion, against plain loops and scikit-learn's measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from torch import Tensor

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import fuse_heads, margin_loss, sample_negatives
from infocpl.alignment.fusion import HeadGate, fit_fusion, weigh_heads
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
from infocpl.errors import ConfigError

LEARNED = ("static", "visual", "visual+text")


def problem(gate: str = "none", seed: int = 0) -> tuple[InfoCPL, TextTable, Tensor]:
    torch.manual_seed(seed)
    config = InfoCPLConfig(visual_dim=5, text_dim=7, k_series=(1, 2, 4), hidden=(9, 4), gate=gate)
    rows = torch.nn.functional.normalize(torch.randn(4, 6, 7, dtype=torch.float64), dim=2)
    mask = torch.ones(4, 5, dtype=torch.bool)
    text = TextTable(("a", "b", "c", "d"), rows[:, :5], mask, rows[:, 5], rows[:, 5])
    return InfoCPL(config).double(), text, torch.randn(6, 5, dtype=torch.float64)


def log_sigmoid(f: float) -> float:
    return -math.log1p(math.exp(-f))


def gate_by_loops(gate: HeadGate, v: Tensor, text: TextTable) -> np.ndarray:
    """Softmax over heads of every clip and class, times the number of heads."""
    out = np.zeros((len(v), len(text.labels), len(gate.bias)))
    with torch.no_grad():
        for b in range(len(v)):
            for c in range(len(text.labels)):
                logits = []
                rows = torch.cat([text.descriptions[c], text.motion[c : c + 1]]).mean(0)
                for h in range(len(gate.bias)):
                    logit = gate.bias[h]
                    if gate.kind != "static":
                        logit = logit + gate.visual[h] @ v[b]
                    if gate.kind == "visual+text":
                        logit = logit + gate.text[h] @ (rows / rows.norm())
                    logits.append(float(logit))
                total = sum(math.exp(x) for x in logits)
                out[b, c] = [len(logits) * math.exp(x) / total for x in logits]
    return out


def randomise(gate: HeadGate) -> None:
    with torch.no_grad():
        for parameter in gate.parameters():
            parameter.normal_()


@pytest.mark.parametrize("kind", LEARNED)
def test_the_gated_surface_equals_a_loop_over_clips_classes_and_heads(kind: str) -> None:
    model, text, v = problem(kind)
    randomise(model.gate)
    heads = model.head_scores(v, text).tolist()
    weights = gate_by_loops(model.gate, v, text)
    found = model.scores(v, text)
    for b in range(6):
        for c in range(4):
            terms = [weights[b, c, h] * log_sigmoid(heads[h][b][c]) for h in range(3)]
            assert found[b, c].item() == pytest.approx(sum(terms), abs=1e-12)
    assert not torch.allclose(found, fuse_heads(model.head_scores(v, text)))


@pytest.mark.parametrize("kind", LEARNED)
def test_a_fresh_gate_is_the_published_sum(kind: str) -> None:
    model, text, v = problem(kind)
    torch.testing.assert_close(model.scores(v, text), fuse_heads(model.head_scores(v, text)))


def test_without_gate_and_fusion_nothing_is_added_to_the_published_model() -> None:
    model, text, v = problem()
    assert all(name.startswith("heads.") for name in model.state_dict())
    assert torch.equal(model.scores(v, text), fuse_heads(model.head_scores(v, text)))


def test_fixed_weights_multiply_what_each_head_says() -> None:
    model, text, v = problem()
    heads = torch.nn.functional.logsigmoid(model.head_scores(v, text))
    model.set_fusion((2.0, 0.0, 1.0))
    torch.testing.assert_close(model.scores(v, text), 2 * heads[0] + heads[2])
    model.set_fusion((1.0, 1.0, 1.0))
    torch.testing.assert_close(model.scores(v, text), heads.sum(0))
    model.set_fusion(None)
    torch.testing.assert_close(model.scores(v, text), heads.sum(0))


def test_the_gate_learns_from_the_fused_scores_of_pairs_and_the_heads_do_not() -> None:
    model, text, v = problem("visual+text")
    randomise(model.gate)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    negatives = sample_negatives(labels, 3, 1)[0]
    loss = model.gate_loss(v, labels, text, negatives)
    surface = model.scores(v, text).detach()
    terms = []
    for i in range(6):
        own = surface[i, labels[i]].exp()
        others = sum(surface[j, labels[i]].exp() for j in negatives[i])
        terms.append(-torch.log(own / (own + others)))
    torch.testing.assert_close(loss.detach(), torch.stack(terms).mean())
    loss.backward()
    assert all(p.grad is None for p in model.heads.parameters())
    assert all(bool((p.grad != 0).any()) for p in model.gate.parameters())


def test_a_model_without_gate_cannot_be_asked_for_its_loss() -> None:
    model, text, v = problem()
    with pytest.raises(ConfigError, match="no gate"):
        model.gate_loss(v, torch.zeros(6, dtype=torch.long), text, torch.zeros(6, 1).long())


def test_the_margin_of_every_head_equals_a_loop_over_clips() -> None:
    model, text, v = problem()
    masked = v + 0.5 * torch.randn_like(v)
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    for inverse in (False, True):
        found = model.margin_losses(v, masked, labels, text, 0.3, inverse=inverse)
        whole = model.head_scores(v, text, inverse=inverse).tolist()
        hidden = model.head_scores(masked, text, inverse=inverse).tolist()
        for h in range(3):
            terms = []
            for b in range(6):
                f, g = whole[h][b][labels[b]], hidden[h][b][labels[b]]
                gap = math.log1p(math.exp(f)) - math.log1p(math.exp(g))
                terms.append(max(0.0, 0.3 - gap))
            assert found[h].item() == pytest.approx(sum(terms) / 6, abs=1e-12)


def test_the_margin_asks_for_nothing_where_it_is_kept_and_for_all_of_it_where_nothing_changed():
    high, low = torch.tensor([2.0, 3.0]), torch.tensor([1.0, 2.5])
    assert margin_loss(high, low, 0.5) == 0
    assert margin_loss(high, high, 0.5) == 0.5


# --- fusion fitted on held-out classes ----------------------------------------------------------


def held_out(noise: tuple[float, ...], seed: int, clips: int = 80) -> tuple[Tensor, Tensor]:
    """Head scores that point to the right class under more or less noise."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 4, (clips,), generator=generator)
    right = torch.nn.functional.one_hot(labels, 4).float() * 3 - 1
    heads = [right + size * torch.randn(clips, 4, generator=generator) for size in noise]
    return torch.stack(heads), labels


def cross_entropy(scores: Tensor, labels: Tensor, weights: tuple[float, ...]) -> float:
    """Best over scales, by scikit-learn."""
    fused = weigh_heads(scores.double(), torch.tensor(weights, dtype=torch.float64))
    values = [
        log_loss(labels, torch.softmax(fused * scale, 1), labels=range(scores.shape[2]))
        for scale in np.geomspace(0.05, 20, 60)
    ]
    return float(min(values))


@pytest.mark.parametrize("seed", range(3))
def test_fitted_weights_are_at_least_as_good_as_equal_ones(seed: int) -> None:
    scores, labels = held_out((1.0, 4.0, 2.0), seed)
    weights = fit_fusion(scores, labels)
    assert sum(weights) == pytest.approx(3)
    assert min(weights) >= 0
    equal = cross_entropy(scores, labels, (1.0, 1.0, 1.0))
    assert cross_entropy(scores, labels, weights) < equal - 0.01


def test_a_head_that_says_nothing_loses_its_vote() -> None:
    scores, labels = held_out((1.0, 1.0), seed=5, clips=300)
    noise = torch.randn(1, 300, 4, generator=torch.Generator().manual_seed(6)) * 3
    first, second, third = fit_fusion(torch.cat([scores, noise]), labels)
    assert third < 0.15
    assert min(first, second) > 0.9


def test_the_order_of_heads_and_clips_does_not_matter() -> None:
    scores, labels = held_out((1.0, 3.0, 2.0), seed=2)
    found = fit_fusion(scores, labels)
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    turned = fit_fusion(scores.flip(0)[:, order], labels[order])
    assert turned[::-1] == pytest.approx(found, abs=1e-6)


def test_clips_told_apart_without_error_give_finite_weights() -> None:
    labels = torch.tensor([0, 1])
    right = torch.tensor([[9.0, -9.0], [-9.0, 9.0]])
    assert all(math.isfinite(w) for w in fit_fusion(torch.stack([right, right]), labels))


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        (torch.zeros(2, 0, 3), torch.zeros(0).long(), "needs .H, N, C >= 2. scores"),
        (torch.zeros(2, 3, 1), torch.zeros(3).long(), "needs .H, N, C >= 2. scores"),
        (torch.zeros(2, 3, 2), torch.zeros(2).long(), "a class among the scored"),
        (torch.zeros(2, 3, 2), torch.tensor([0, 1, 2]), "a class among the scored"),
        (torch.full((2, 1, 2), torch.nan), torch.zeros(1).long(), "finite"),
    ],
    ids=["no clips", "one class", "too few labels", "an unknown class", "no numbers"],
)
def test_what_cannot_be_fitted_is_refused(scores: Tensor, labels: Tensor, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        fit_fusion(scores, labels)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gate": "oracle"}, "unknown gate 'oracle'; known: none, static, visual"),
        ({"fusion": (1.0,)}, "fusion needs 2 weights"),
        ({"fusion": (1.0, -1.0)}, "at least 0"),
        ({"fusion": (1.0, math.nan)}, "at least 0"),
        ({"fusion": (0.0, 0.0)}, "not all 0"),
        ({"fusion": (1.0, 1.0), "gate": "static"}, "not by both"),
    ],
)
def test_impossible_weighings_are_refused(change: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        InfoCPLConfig(**{"visual_dim": 2, "text_dim": 2, "k_series": (1, 5), **change})
