"""InfoCPL against the golden case and against a dense formulation written out plainly."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import (
    attention_weights,
    dense_loss,
    fuse_heads,
    sample_negatives,
    sample_other_classes,
    sampled_loss,
)
from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig, default_k_series
from infocpl.errors import ConfigError, LabelError


def table(descriptions: torch.Tensor, motion: torch.Tensor) -> TextTable:
    classes, count, _ = descriptions.shape
    mask = torch.ones(classes, count, dtype=torch.bool)
    names = tuple(f"class {i}" for i in range(classes))
    return TextTable(names, descriptions, mask, motion, motion)


def model_and_text(seed: int, dtype: torch.dtype = torch.float64) -> tuple[InfoCPL, TextTable]:
    torch.manual_seed(seed)
    config = InfoCPLConfig(visual_dim=7, text_dim=9, k_series=(1, 3, 6), hidden=(11, 5))
    model = InfoCPL(config).to(dtype)
    rows = torch.nn.functional.normalize(torch.randn(5, 7, 9, dtype=dtype), dim=2)
    return model, table(rows[:, :6], rows[:, 6])


def dense_head(head: torch.nn.Module, v: torch.Tensor, text: TextTable, sign: float) -> dict:
    """The paper's equations, one clip, one class, one description at a time."""
    dim = text.motion.shape[1]
    weights = torch.zeros(len(v), len(text.labels), text.mask.shape[1], dtype=v.dtype)
    scores = []
    for b in range(len(v)):
        h = head.proj.weight @ v[b] + head.proj.bias
        z = (h - h.mean()) / torch.sqrt(((h - h.mean()) ** 2).mean() + 1e-5)
        for c in range(len(text.labels)):
            a = torch.stack([sign * (z @ d) / dim**0.5 for d in text.descriptions[c]])
            kth = sorted(a.tolist(), reverse=True)[min(head.count, len(a)) - 1]
            kept = [j for j in range(len(a)) if a[j].item() >= kth]
            total = sum(torch.exp(a[j]) for j in kept)
            e = text.motion[c].clone()
            for j in kept:
                weights[b, c, j] = torch.exp(a[j]) / total
                e = e + torch.exp(a[j]) / total * text.descriptions[c, j]
            x = torch.relu(head.l0.weight @ torch.cat([z, e]) + head.l0.bias)
            x = torch.relu(head.l1.weight @ x + head.l1.bias)
            scores.append((head.l2.weight @ x + head.l2.bias).squeeze())
    return {"weights": weights, "scores": torch.stack(scores).view(len(v), -1)}


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["plain", "inverse"])
def test_every_head_equals_the_equations_written_as_loops(sign: float) -> None:
    model, text = model_and_text(0)
    v = torch.randn(4, 7, dtype=torch.float64)
    fast = model.head_scores(v, text, inverse=sign < 0)
    for index, head in enumerate(model.heads):
        slow = dense_head(head, v, text, sign)
        torch.testing.assert_close(fast[index], slow["scores"], rtol=0, atol=1e-12)
        attention = head.attend(head.project(v), text, inverse=sign < 0)
        torch.testing.assert_close(attention, slow["weights"].detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["plain", "inverse"])
def test_sampled_pairs_give_the_loss_and_gradients_of_the_dense_formulation(sign: float) -> None:
    model, text = model_and_text(1)
    v = torch.randn(6, 7, dtype=torch.float64)
    labels = torch.tensor([0, 1, 1, 2, 4, 0])
    negatives = sample_negatives(labels, 3, heads=3)
    fast = model.head_losses(v, labels, text, negatives, inverse=sign < 0)
    fast.mean().backward()
    gradients = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    losses = []
    for head, drawn in zip(model.heads, negatives, strict=True):
        g = torch.log1p(torch.exp(dense_head(head, v, text, sign)["scores"]))
        terms = []
        for i in range(6):
            bottom = torch.exp(g[i, labels[i]])
            bottom = bottom + sum(torch.exp(g[j, labels[i]]) for j in drawn[i])
            terms.append(-torch.log(torch.exp(g[i, labels[i]]) / bottom))
        losses.append(torch.stack(terms).mean())
    torch.testing.assert_close(fast, torch.stack(losses), rtol=0, atol=1e-12)
    torch.stack(losses).mean().backward()
    for fast_gradient, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(fast_gradient, parameter.grad, rtol=0, atol=1e-11)


def golden_model(golden: dict[str, np.ndarray], dtype: torch.dtype) -> tuple[InfoCPL, TextTable]:
    k_series = tuple(int(k) for k in golden["k_series"])
    codebook = torch.from_numpy(golden["codebook"]).to(dtype)
    config = InfoCPLConfig(visual_dim=12, text_dim=16, k_series=k_series, hidden=(24, 8))
    model = InfoCPL(config).to(dtype)
    state = {
        f"heads.{i}.{layer}.{ours}": torch.from_numpy(golden[f"head{i}.{layer}_{theirs}"]).to(dtype)
        for i in range(len(k_series))
        for layer in ("proj", "l0", "l1", "l2")
        for ours, theirs in (("weight", "w"), ("bias", "b"))
    }
    model.load_state_dict(state)
    return model, table(codebook[:, :-1], codebook[:, -1])


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)], ids=["f64", "f32"]
)
@pytest.mark.parametrize("mode", ["plain", "inverse"])
def test_the_golden_case_is_reproduced(
    golden_case: dict[str, np.ndarray], dtype: torch.dtype, tolerance: float, mode: str
) -> None:
    model, text = golden_model(golden_case, dtype)
    v = torch.from_numpy(golden_case["visual"]).to(dtype)
    labels = torch.from_numpy(golden_case["labels"]).long()
    inverse = mode == "inverse"
    scores = model.head_scores(v, text, inverse=inverse)
    heads = list(model.heads)
    attention = torch.stack([h.attend(h.project(v), text, inverse=inverse) for h in heads])
    semantics = torch.stack([h.semantics(a, text) for h, a in zip(heads, attention, strict=True)])
    negatives = torch.from_numpy(golden_case["negatives"]).long()
    losses = model.head_losses(v, labels, text, negatives, inverse=inverse)
    losses.mean().backward()
    found = {
        "attention": attention,
        "semantics": semantics,
        "scores": scores,
        "fused": fuse_heads(scores),
        "head_losses": losses,
        "loss": losses.mean(),
    }
    for index, head in enumerate(heads):
        found[f"grad.head{index}.proj_w"] = head.proj.weight.grad
        found[f"grad.head{index}.l0_w"] = head.l0.weight.grad
    for key, value in found.items():
        expected = golden_case[f"{mode}.{key}"]
        error = float(np.abs(value.detach().double().numpy() - expected).max())
        assert error <= tolerance, f"{key}: {error}"


def test_ties_with_the_last_kept_description_are_kept() -> None:
    weights = attention_weights(torch.tensor([2.0, 1.0, 1.0, 0.0]), 2)
    assert (weights > 0).tolist() == [True, True, True, False]


@pytest.mark.parametrize("inverse", [False, True])
def test_a_prior_multiplies_what_is_believed_before_the_best_are_chosen(inverse: bool) -> None:
    torch.manual_seed(0)
    similarity, prior = torch.randn(4, 6).double(), torch.rand(6).double()
    found = attention_weights(similarity, 3, inverse=inverse, prior=prior)
    for row, weights in zip(similarity, found, strict=True):
        grown = prior * torch.exp(-row if inverse else row)
        best = grown.topk(3)
        expected = torch.zeros(6).double()
        expected[best.indices] = best.values / best.values.sum()
        torch.testing.assert_close(weights, expected)


def test_equal_weights_change_no_score_and_others_do() -> None:
    model, text = model_and_text(3)
    features = torch.randn(5, 7, dtype=torch.float64)
    even = dataclasses.replace(text, weights=torch.ones(5, 6, dtype=torch.float64))
    torch.testing.assert_close(model.scores(features, even), model.scores(features, text))
    weighed = dataclasses.replace(text, temperature=0.1)
    assert not torch.allclose(model.scores(features, weighed), model.scores(features, text))


def test_weighed_pairs_score_as_all_pairs_do() -> None:
    model, text = model_and_text(4)
    text = dataclasses.replace(text, temperature=0.2)
    features = torch.randn(3, 7, dtype=torch.float64)
    clips, classes = torch.cartesian_prod(torch.arange(3), torch.arange(5)).unbind(1)
    for head in model.granularity_heads():
        pairs = head.score_pairs(features, clips, classes, text)
        torch.testing.assert_close(pairs.view(3, 5), head.score_all(features, text))


def test_tied_duplicate_descriptions_give_pairs_the_same_score_as_all_scoring() -> None:
    model, text = model_and_text(2)
    doubled = text.descriptions.clone()
    doubled[:, 1:4] = doubled[:, :1]
    text = table(doubled, text.motion)
    v = torch.randn(3, 7, dtype=torch.float64)
    clips, classes = torch.tensor([0, 1, 2]), torch.tensor([4, 2, 0])
    for head in model.heads:
        pairs = head.score_pairs(v, clips, classes, text)
        torch.testing.assert_close(pairs, head.score_all(v, text)[clips, classes])


def test_an_absent_description_is_never_believed() -> None:
    model, text = model_and_text(3)
    mask = text.mask.clone()
    mask[1, 2:] = False
    holes = TextTable(text.labels, text.descriptions, mask, text.motion, text.names)
    v = torch.randn(3, 7, dtype=torch.float64)
    shorter = table(text.descriptions[1:2, :2], text.motion[1:2])
    for inverse in (False, True):
        torch.testing.assert_close(
            model.head_scores(v, holes, inverse=inverse)[:, :, 1:2],
            model.head_scores(v, shorter, inverse=inverse),
        )


def test_scores_do_not_depend_on_the_batch_or_on_the_order_of_labels() -> None:
    model, text = model_and_text(4)
    v = torch.randn(9, 7, dtype=torch.float64)
    together = model.scores(v, text)
    alone = torch.cat([model.scores(row.unsqueeze(0), text) for row in v])
    torch.testing.assert_close(together, alone)
    order = [3, 0, 4, 2, 1]
    shuffled = text.subset(tuple(text.labels[i] for i in order))
    torch.testing.assert_close(model.scores(v, shuffled), together[:, order])


@settings(deadline=None, max_examples=60)
@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=24),
    count=st.integers(1, 8),
    seed=st.integers(0, 1000),
)
def test_negatives_are_of_another_class_and_never_repeat(
    labels: list[int], count: int, seed: int
) -> None:
    y = torch.tensor(labels)
    drawn = sample_negatives(y, count, 2, torch.Generator().manual_seed(seed))
    largest = max(labels.count(c) for c in set(labels))
    assert drawn.shape == (2, len(labels), min(count, len(labels) - largest))
    for head in drawn:
        for anchor, row in enumerate(head.tolist()):
            assert len(set(row)) == len(row)
            assert all(labels[j] != labels[anchor] for j in row)


def test_heads_draw_their_negatives_independently() -> None:
    labels = torch.arange(32)
    drawn = sample_negatives(labels, 4, 2, torch.Generator().manual_seed(0))
    assert not torch.equal(drawn[0], drawn[1])


def test_text_negatives_are_other_classes_and_never_repeat() -> None:
    labels = torch.tensor([0, 3, 3, 1])
    drawn = sample_other_classes(labels, 5, 3, 2, torch.Generator().manual_seed(0))
    assert drawn.shape == (2, 4, 3)
    for head in drawn:
        for label, row in zip(labels.tolist(), head.tolist(), strict=True):
            assert label not in row
            assert len(set(row)) == 3
    assert sample_other_classes(labels, 5, 9, 1).shape == (1, 4, 4)


def test_text_negatives_enter_the_loss_as_pairs_of_the_same_clip_with_another_text() -> None:
    model, text = model_and_text(7)
    v = torch.randn(4, 7, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 4])
    negatives = sample_negatives(labels, 2, heads=3)
    others = sample_other_classes(labels, 5, 2, heads=3)
    found = model.head_losses(v, labels, text, negatives, other_classes=others)
    for index, head in enumerate(model.heads):
        f = head.score_all(v, text)
        terms = []
        for i in range(4):
            clips = f[negatives[index, i], labels[i]]
            texts = f[i, others[index, i]]
            g = torch.nn.functional.softplus(torch.cat([f[i, labels[i]].view(1), clips, texts]))
            terms.append(torch.logsumexp(g, 0) - g[0])
        torch.testing.assert_close(found[index], torch.stack(terms).mean())


def test_losses_and_gradients_in_mixed_precision_stay_close_to_those_in_single() -> None:
    model, text = model_and_text(8, torch.float32)
    v, labels = torch.randn(6, 7), torch.tensor([0, 1, 2, 4, 0, 3])
    negatives = sample_negatives(labels, 2, heads=3)
    found = []
    for half in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            losses = model.head_losses(v, labels, text, negatives)
        losses.float().mean().backward()
        found.append((losses.detach().float(), model.heads[1].l0.weight.grad.clone()))
    torch.testing.assert_close(found[1][0], found[0][0], rtol=0, atol=2e-2)
    assert float((found[1][1] - found[0][1]).norm() / found[0][1].norm()) < 0.1


def test_loss_sampling_equals_cross_entropy_over_softplus_scores() -> None:
    positive, negative = torch.randn(5), torch.randn(5, 3)
    logits = torch.nn.functional.softplus(torch.cat([positive[:, None], negative], 1)) / 0.5
    expected = torch.nn.functional.cross_entropy(logits, torch.zeros(5, dtype=torch.long))
    torch.testing.assert_close(sampled_loss(positive, negative, 0.5), expected)


@pytest.mark.parametrize(
    ("max_k", "heads"), [(60, 12), (25, 5), (15, 3)], ids=["ntu60", "ntu120", "pku"]
)
def test_the_published_series_have_the_published_number_of_heads(max_k: int, heads: int) -> None:
    assert len(default_k_series(max_k)) == heads


def test_a_batch_of_one_class_is_refused_by_the_loss() -> None:
    model, text = model_and_text(5)
    v = torch.randn(3, 7, dtype=torch.float64)
    labels = torch.tensor([1, 1, 1])
    with pytest.raises(ConfigError, match="n >= 1"):
        model.head_losses(v, labels, text, sample_negatives(labels, 4, 3))


@pytest.mark.parametrize(
    "change",
    [{"k_series": ()}, {"k_series": (0,)}, {"temperature": 0.0}, {"hidden": (0, 4)}],
    ids=["no heads", "a head of nothing", "zero temperature", "no hidden units"],
)
def test_impossible_configurations_are_refused(change: dict) -> None:
    with pytest.raises(ConfigError):
        InfoCPLConfig(**{"visual_dim": 2, "text_dim": 2, **change})


def test_a_label_without_text_is_named() -> None:
    _, text = model_and_text(6)
    with pytest.raises(LabelError, match="class 9"):
        text.subset(("class 1", "class 9"))


def test_the_dense_loss_contrasts_every_clip_of_another_class_as_a_plain_loop_does():
    model, text = model_and_text(3)
    labels = torch.tensor([0, 2, 2, 4, 0, 1])
    v = torch.randn(6, 7, dtype=torch.float64)
    told = model.dense_losses(v, labels, text, inverse=True)
    for head, scores in enumerate(model.head_scores(v, text, inverse=True)):
        g = torch.nn.functional.softplus(scores)
        losses = []
        for i, own in enumerate(labels):
            others = [j for j in range(6) if labels[j] != own]
            pairs = torch.stack([g[i, own], *[g[j, own] for j in others]])
            losses.append(-torch.log(pairs[0].exp() / pairs.exp().sum()))
        torch.testing.assert_close(told[head], torch.stack(losses).mean())


def test_sampling_every_negative_there_is_gives_the_dense_loss():
    model, text = model_and_text(4)
    labels = torch.tensor([0, 1, 2, 3])  # one clip a class: all others are drawn for each
    v = torch.randn(4, 7, dtype=torch.float64)
    sampled = model.head_losses(v, labels, text, sample_negatives(labels, 99, heads=3))
    torch.testing.assert_close(model.dense_losses(v, labels, text), sampled)
    loss = dense_loss(model.head_scores(v, text)[0], labels)
    loss.backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
