"""InfoCPL as pure functions (arXiv 2406.00639, section III), arranged to score only what is used.

Equal to the dense formulation, with fewer operations: similarities are one matrix product, the
kept descriptions are gathered as a weighted bag instead of masked, and the visual half of the
scorer's first layer is computed once a clip.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "attention_weights",
    "dense_loss",
    "fuse_heads",
    "margin_loss",
    "mix_descriptions",
    "sample_negatives",
    "sample_other_classes",
    "sampled_loss",
]


def attention_weights(
    similarity: Tensor,
    count: int,
    mask: Tensor | None = None,
    *,
    inverse: bool = False,
    prior: Tensor | None = None,
) -> Tensor:
    """Selective feature ensemble: softmax over the `count` best-fitting descriptions.

    Parameters
    ----------
    similarity : (..., K) scaled similarity of a clip with each description of a class
    count : how many descriptions are believed; ties with the last one are kept
    mask : (..., K) true where a description exists (broadcast)
    inverse : believe the *least* fitting ones instead (attention inverse)
    prior : (..., K) weight of each description before any clip is seen (broadcast; none in the
        paper)

    Returns
    -------
    (..., K) weights that sum to 1, zero on what is not believed

    Examples
    --------
    >>> attention_weights(torch.tensor([1.0, 3.0, 2.0]), 1)
    tensor([0., 1., 0.])
    >>> attention_weights(torch.tensor([1.0, 3.0, 2.0]), 1, inverse=True)
    tensor([1., 0., 0.])
    """
    logits = -similarity if inverse else similarity
    if prior is not None:
        logits = logits + prior.log()
    if mask is not None:
        logits = logits.masked_fill(~mask, float("-inf"))
    count = min(count, logits.shape[-1])
    last = logits.detach().topk(count, dim=-1).values[..., -1:]
    return torch.softmax(logits.masked_fill(logits < last, float("-inf")), dim=-1)


def mix_descriptions(weights: Tensor, descriptions: Tensor, rows: Tensor, keep: int) -> Tensor:
    """Weighted sum of each pair's believed descriptions without gathering them.

    Parameters
    ----------
    weights : (P, K) attention of each (clip, class) pair
    descriptions : (C, K, Dt)
    rows : (P,) class of each pair
    keep : how many weights of a pair are expected to be non-zero

    Returns
    -------
    (P, Dt)
    """
    total = descriptions.shape[1]
    # Ties may keep more than `keep` rows; then the bag simply grows for this batch.
    kept = int((weights.detach() > 0).sum(1).max()) if keep < total else total
    values, index = weights.topk(min(max(kept, 1), total), dim=1)
    flat = rows.unsqueeze(1) * total + index
    return functional.embedding_bag(
        flat, descriptions.flatten(0, 1), per_sample_weights=values, mode="sum"
    )


def fuse_heads(scores: Tensor) -> Tensor:
    """Decision surface: (H, B, C) head scores to (B, C), the sum of log sigmoid.

    Examples
    --------
    >>> fuse_heads(torch.zeros(2, 1, 1)).exp()
    tensor([[0.2500]])
    """
    return functional.logsigmoid(scores).sum(0)


def sample_negatives(
    labels: Tensor, count: int, heads: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw, for every head and anchor, clips of the batch that belong to another class.

    Parameters
    ----------
    labels : (B,) class of each clip of the batch
    count : negatives wanted for an anchor; fewer are drawn when the batch has fewer
        (B minus the size of its largest class)
    heads : H, each head draws afresh
    generator : source of randomness

    Returns
    -------
    (H, B, n) indices into the batch, without repetition; n is 0 for a batch of one class

    Examples
    --------
    >>> sample_negatives(torch.tensor([0, 0, 1]), 8, heads=2).shape
    torch.Size([2, 3, 1])
    >>> sample_negatives(torch.tensor([4, 4]), 8, heads=1).shape
    torch.Size([1, 2, 0])
    """
    batch = labels.shape[0]
    largest = int(torch.unique(labels, return_counts=True)[1].max()) if batch else 0
    drawn = max(min(count, batch - largest), 0)
    ticket = torch.rand(heads, batch, batch, generator=generator, device=labels.device)
    same = labels.unsqueeze(0) == labels.unsqueeze(1)
    return ticket.masked_fill(same, -1.0).topk(drawn, dim=2).indices


def sample_other_classes(
    labels: Tensor, classes: int, count: int, heads: int, generator: torch.Generator | None = None
) -> Tensor:
    """Draw, for every head and anchor, classes that are not the anchor's (text negatives).

    Parameters
    ----------
    labels : (B,) class of each clip of the batch
    classes : number of seen classes
    count : classes wanted for an anchor; at most `classes` - 1 are drawn
    heads : H, each head draws afresh

    Returns
    -------
    (H, B, n) class indices, without repetition

    Examples
    --------
    >>> sample_other_classes(torch.tensor([0, 1]), 2, 5, heads=1).tolist()
    [[[1], [0]]]
    """
    drawn = max(min(count, classes - 1), 0)
    ticket = torch.rand(heads, len(labels), classes, generator=generator, device=labels.device)
    own = torch.nn.functional.one_hot(labels, classes).bool().unsqueeze(0)
    return ticket.masked_fill(own, -1.0).topk(drawn, dim=2).indices


def sampled_loss(positive: Tensor, negative: Tensor, temperature: float = 1.0) -> Tensor:
    """Loss sampling: contrast the right pair with pairs of the same text and another clip.

    Parameters
    ----------
    positive : (B,) score f of (clip i, class of i)
    negative : (B, n) scores f of (clip j, class of i), n >= 1; pairs of the same clip with
        another text may stand among them
    temperature : divides g = softplus(f)

    Returns
    -------
    () mean over anchors of -log(exp g+ / (exp g+ + sum exp g-))

    Examples
    --------
    >>> round(float(sampled_loss(torch.zeros(1), torch.zeros(1, 3))), 4)  # log 4
    1.3863
    """
    scores = torch.cat([positive.unsqueeze(1), negative], dim=1)
    logits = functional.softplus(scores) / temperature
    return -torch.log_softmax(logits, dim=1)[:, 0].mean()


def dense_loss(scores: Tensor, labels: Tensor, temperature: float = 1.0) -> Tensor:
    """The loss of :func:`sampled_loss` without sampling: every clip of another class is a negative.

    Parameters
    ----------
    scores : (B, C) scores f of the batch's clips with all seen classes
    labels : (B,) columns of `scores`, of two classes at least
    temperature : divides g = softplus(f)

    Returns
    -------
    () mean over clips i of -log(exp g_ii / (exp g_ii + sum exp g_ji)), g_ji being the score of
    clip j with the text of clip i, over all clips j of another class than i

    Examples
    --------
    >>> round(float(dense_loss(torch.zeros(3, 2), torch.tensor([0, 0, 1]))), 4)  # 2, 2, 3 pairs
    0.8283
    """
    # Row i, column j: clip j with the text of clip i.
    logits = functional.softplus(scores[:, labels]).div(temperature).t()
    own = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    twins = (labels.unsqueeze(0) == labels.unsqueeze(1)) & ~own
    logits = logits.masked_fill(twins, float("-inf"))
    return -torch.log_softmax(logits, dim=1).diagonal().mean()


def margin_loss(whole: Tensor, masked: Tensor, margin: float = 0.3) -> Tensor:
    """A clip must fit its text better than the same clip with parts hidden, by a margin.

    Off in the paper's own configuration. Form of the temporal constraint of SMIE (Zhou et al.,
    ACM MM 2023).

    Parameters
    ----------
    whole, masked : (B,) g = softplus(f) / temperature of the clips and of their masked versions,
        each with the text of its class
    margin : by how much g has to be larger

    Returns
    -------
    () mean over clips of max(0, margin - (whole - masked))

    Examples
    --------
    >>> round(float(margin_loss(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 0.9]))), 4)
    0.1
    """
    return functional.relu(margin - (whole - masked)).mean()
