"""InfoCPL: heads that believe the best-fitting 1, 5, 10, ... descriptions of a class.

Source: Xu, Gao, Li, Gao, "An Information Compensation Framework for Zero-Shot Skeleton-based
Action Recognition", arXiv 2406.00639.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import dense_loss, fuse_heads, margin_loss, sampled_loss
from infocpl.alignment.fusion import HeadGate, weigh_heads
from infocpl.alignment.head import Head
from infocpl.alignment.infocpl_config import InfoCPLConfig, default_k_series
from infocpl.alignment.one_by_one import loss_taken_back
from infocpl.errors import ConfigError

__all__ = ["InfoCPL", "InfoCPLConfig", "default_k_series"]


class InfoCPL(nn.Module):
    """Multi-level alignment of clip features with a codebook.

    Parameters
    ----------
    config : shape of the aligner

    Examples
    --------
    >>> model = InfoCPL(InfoCPLConfig(visual_dim=4, text_dim=6, k_series=(1, 2), hidden=(8, 4)))
    >>> text = TextTable(("a", "b", "c"), torch.randn(3, 5, 6), torch.ones(3, 5, dtype=torch.bool),
    ...                  torch.randn(3, 6), torch.randn(3, 6))
    >>> model.scores(torch.randn(7, 4), text).shape
    torch.Size([7, 3])
    """

    def __init__(self, config: InfoCPLConfig) -> None:
        super().__init__()
        self.config = config
        self.heads = nn.ModuleList(Head(config, count) for count in config.k_series)
        self.gate: HeadGate | None = None
        if config.gate != "none":
            self.gate = HeadGate(
                config.gate,
                heads=len(config.k_series),
                visual_dim=config.visual_dim,
                text_dim=config.text_dim,
            )

    def set_fusion(self, weights: tuple[float, ...] | None) -> None:
        """Weigh the heads by fixed numbers from now on; None for the published sum."""
        self.config = dataclasses.replace(self.config, fusion=weights)

    def head_scores(self, features: Tensor, text: TextTable, *, inverse: bool = False) -> Tensor:
        """(H, B, C) scores f of every head, clip and class."""
        return torch.stack(
            [head.score_all(features, text, inverse=inverse) for head in self.granularity_heads()]
        )

    def granularity_heads(self) -> list[Head]:
        """The heads, one for each entry of the k-series."""
        return [head for head in self.heads if isinstance(head, Head)]

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, C) fused scores: the (weighted) sum over heads of log sigmoid f."""
        return self.fuse(self.head_scores(features, text), features, text)

    def fuse(self, heads: Tensor, features: Tensor, text: TextTable) -> Tensor:
        """(H, B, C) scores f of the heads to the (B, C) fused scores, see :meth:`scores`."""
        if self.gate is not None:
            return weigh_heads(heads, self.gate(features, text))
        if self.config.fusion is not None:
            return weigh_heads(heads, heads.new_tensor(self.config.fusion))
        return fuse_heads(heads)

    def head_losses(
        self,
        features: Tensor,
        labels: Tensor,
        text: TextTable,
        negatives: Tensor,
        *,
        other_classes: Tensor | None = None,
        anchors: Tensor | None = None,
        inverse: bool = False,
    ) -> Tensor:
        """Loss sampling of each head.

        Parameters
        ----------
        features : (B, Dv)
        labels : (B,) rows of `text`
        text : seen classes only
        negatives : (H, A, n) from :func:`.functional.sample_negatives`, n >= 1
        other_classes : (H, A, m) further negatives that keep the clip and change the text, from
            :func:`.functional.sample_other_classes`; none in the paper
        anchors : (A,) clips of the batch whose losses are averaged (default: all B)
        inverse : attention inverse (the first epochs of training)

        Returns
        -------
        (H,) losses
        """
        heads, batch, count = negatives.shape
        if count < 1 or heads != len(self.heads):
            raise ConfigError(
                f"negatives must be ({len(self.heads)}, A, n >= 1), got {tuple(negatives.shape)}"
            )
        if anchors is None:
            anchors = torch.arange(batch, device=labels.device)
        own = labels[anchors].unsqueeze(1)
        anchors = anchors.unsqueeze(1)
        losses = []
        for index, head in enumerate(self.granularity_heads()):
            clips = torch.cat([anchors, negatives[index]], dim=1)
            classes = own.expand_as(clips)
            if other_classes is not None:
                others = other_classes[index]
                clips = torch.cat([clips, anchors.expand_as(others)], dim=1)
                classes = torch.cat([classes, others], dim=1)

            def loss(head: Head = head, clips: Tensor = clips, classes: Tensor = classes) -> Tensor:
                f = head.score_pairs(
                    features, clips.flatten(), classes.flatten(), text, inverse=inverse
                ).view(batch, -1)
                return sampled_loss(f[:, 0], f[:, 1:], self.config.temperature)

            losses.append(loss_taken_back(loss, (features, *head.parameters())))
        return torch.stack(losses)

    def dense_losses(
        self, features: Tensor, labels: Tensor, text: TextTable, *, inverse: bool = False
    ) -> Tensor:
        """Loss of each head with every clip of another class as a negative, none being drawn.

        Parameters
        ----------
        features, labels, text, inverse : see :meth:`head_losses`

        Returns
        -------
        (H,) losses
        """
        scores = self.head_scores(features, text, inverse=inverse)
        return torch.stack([dense_loss(f, labels, self.config.temperature) for f in scores])

    def margin_losses(
        self,
        features: Tensor,
        masked: Tensor,
        labels: Tensor,
        text: TextTable,
        margin: float,
        *,
        inverse: bool = False,
    ) -> Tensor:
        """Margin of each head between clips and their masked versions; off in the paper.

        Parameters
        ----------
        features, masked : (B, Dv) of clips, and of the same clips with parts hidden
        labels : (B,) rows of `text`
        text : seen classes only
        margin, inverse : see :func:`.functional.margin_loss` and :meth:`head_losses`

        Returns
        -------
        (H,) losses
        """
        both = torch.cat([features, masked])
        clips, classes = torch.arange(len(both), device=both.device), labels.repeat(2)
        losses = []
        for head in self.granularity_heads():
            f = head.score_pairs(both, clips, classes, text, inverse=inverse)
            whole, hidden = functional.softplus(f).div(self.config.temperature).chunk(2)
            losses.append(margin_loss(whole, hidden, margin))
        return torch.stack(losses)

    def gate_loss(
        self,
        features: Tensor,
        labels: Tensor,
        text: TextTable,
        negatives: Tensor,
        anchors: Tensor | None = None,
    ) -> Tensor:
        """Loss that teaches the gate, and nothing but the gate, to weigh the heads.

        Parameters
        ----------
        features, labels, text : see :meth:`head_losses`
        negatives : (A, n) other clips contrasted with each anchor
        anchors : (A,) clips of the batch whose losses are averaged (default: all B)

        Returns
        -------
        () mean over anchors of -log(exp F+ / (exp F+ + sum exp F-)), F being the decision surface

        Raises
        ------
        ConfigError : if there is no gate
        """
        if self.gate is None:
            raise ConfigError("this InfoCPL has no gate to teach")
        if anchors is None:
            anchors = torch.arange(len(labels), device=labels.device)
        clips = torch.cat([anchors.unsqueeze(1), negatives], dim=1)
        rows, classes = clips.flatten(), labels[anchors].unsqueeze(1).expand_as(clips).flatten()
        with torch.no_grad():
            scores = torch.stack(
                [
                    head.score_pairs(features, rows, classes, text)
                    for head in self.granularity_heads()
                ]
            )
        weights = self.gate(features, text)[rows, classes]
        fused = weigh_heads(scores, weights).view(clips.shape)
        return -torch.log_softmax(fused, dim=1)[:, 0].mean()
