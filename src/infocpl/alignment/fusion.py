"""How much each head counts: equally as published, by learned weights, or by a gate."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.errors import ConfigError

__all__ = ["GATES", "HeadGate", "fit_fusion", "weigh_heads"]

GATES = ("none", "static", "visual", "visual+text")


def weigh_heads(scores: Tensor, weights: Tensor) -> Tensor:
    """Decision surface with weights: the sum over heads of weight times log sigmoid.

    Parameters
    ----------
    scores : (H, B, C) head scores, or (H, P) of pairs
    weights : (H,), or (B, C, H) or (P, H) where they depend on clip and class; ones give the
        published sum

    Returns
    -------
    (B, C) or (P,)

    Examples
    --------
    >>> weigh_heads(torch.zeros(2, 1, 1), torch.tensor([2.0, 0.0])).exp()
    tensor([[0.2500]])
    """
    return (functional.logsigmoid(scores).movedim(0, -1) * weights).sum(-1)


class HeadGate(nn.Module):
    """Mixture-of-experts gate: H weights of mean one, from nothing, the clip, or clip and text.

    It starts with ones, that is, as the published sum.

    Parameters
    ----------
    kind : ``"static"``, ``"visual"`` or ``"visual+text"``
    heads : H
    visual_dim, text_dim : Dv and Dt

    Examples
    --------
    >>> HeadGate("static", heads=3, visual_dim=4, text_dim=6).bias.shape
    torch.Size([3])
    """

    def __init__(self, kind: str, *, heads: int, visual_dim: int, text_dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.bias = nn.Parameter(torch.zeros(heads))
        if kind in ("visual", "visual+text"):
            self.visual = nn.Parameter(torch.zeros(heads, visual_dim))
        if kind == "visual+text":
            self.text = nn.Parameter(torch.zeros(heads, text_dim))

    def forward(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, Dv) features and the text of C labels to weights (B, C, H)."""
        logits = self.bias.expand(len(features), len(text.labels), -1)
        if self.kind != "static":
            logits = logits + (features @ self.visual.t()).unsqueeze(1)
        if self.kind == "visual+text":
            logits = logits + text.mean() @ self.text.t()
        return torch.softmax(logits, dim=-1) * logits.shape[-1]


def fit_fusion(scores: Tensor, labels: Tensor, *, steps: int = 200) -> tuple[float, ...]:
    """Weights of heads with which clips of held-out classes are told apart best.

    Minimises the cross-entropy of softmax(scale * F) over the classes, F being the weighted
    decision surface, over weights >= 0 of mean one and over the scale, which is then forgotten:
    it changes no decision. Never worse than equal weights, in this measure.

    Parameters
    ----------
    scores : (H, N, C) head scores of clips of pseudo-unseen classes, which are seen ones that the
        heads were not trained on; never those of unseen classes
    labels : (N,) 0 .. C - 1

    Returns
    -------
    H weights, for ``InfoCPLConfig.fusion``

    Raises
    ------
    ConfigError : if there are no clips, fewer than two classes, scores that are not finite, or
        labels that do not fit

    Examples
    --------
    >>> good, noise = torch.tensor([[3.0, -3.0], [-3.0, 3.0]]), torch.tensor([[0.0, 1.0]] * 2)
    >>> first, second = fit_fusion(torch.stack([good, noise]), torch.tensor([0, 1]))
    >>> first > second, round(first + second, 6)
    (True, 2.0)
    """
    if scores.dim() != 3 or min(scores.shape[:2]) < 1 or scores.shape[2] < 2:
        raise ConfigError(f"fusion needs (H, N, C >= 2) scores, got {tuple(scores.shape)}")
    if labels.shape != scores.shape[1:2] or not bool(
        ((labels >= 0) & (labels < scores.shape[2])).all()
    ):
        raise ConfigError("fusion needs a class among the scored ones for every clip")
    if not bool(torch.isfinite(scores).all()):
        raise ConfigError("fusion needs finite scores")
    surface = functional.logsigmoid(scores.detach().double())
    heads = len(surface)
    logits = torch.zeros(heads, dtype=torch.float64, requires_grad=True)
    scale = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits, scale], lr=0.1)
    best, kept = float("inf"), logits.detach().clone()
    # The scale alone first: equal weights at their best are what has to be beaten.
    for step in range(2 * steps):
        optimizer.zero_grad()
        weights = torch.softmax(logits, 0) * heads
        fused = torch.einsum("h,hnc->nc", weights, surface) * scale.exp()
        loss = functional.cross_entropy(fused, labels)
        if loss.item() < best:
            best, kept = loss.item(), logits.detach().clone()
        loss.backward()  # type: ignore[no-untyped-call]
        if step < steps:
            logits.grad = None
        optimizer.step()
        with torch.no_grad():
            # Classes told apart without error would ask for an endless scale.
            scale.clamp_(-6, 6)
    found: list[float] = (torch.softmax(kept, 0) * heads).tolist()
    return tuple(found)
