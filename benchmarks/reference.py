"""The textbook arrangements that the package's fast ones are measured against.

Plain torch, written the way papers and their published code write it; nothing here is used by
the package. Both are loaded with the package's own weights and checked for equal results before
anything is timed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.head import Head
from infocpl.alignment.infocpl import InfoCPL
from infocpl.encoders.graph import spatial_partition
from infocpl.encoders.stgcn import STGCN, Block, STGCNConfig
from infocpl.skeleton.layout import create_layout


class TextbookBlock(nn.Module):
    """1x1 convolution to three times the channels, einsum over the graph, temporal convolution."""

    def __init__(
        self,
        before: int,
        after: int,
        adjacency: Tensor,
        config: STGCNConfig,
        *,
        stride: int,
        residual: bool,
    ) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency)
        self.importance = nn.Parameter(torch.ones_like(adjacency))
        self.graph = nn.Conv2d(before, 3 * after, 1)
        self.tail = nn.Sequential(
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
            nn.Conv2d(after, after, (config.kernel, 1), (stride, 1), (config.kernel // 2, 0)),
            nn.BatchNorm2d(after),
            nn.Dropout(config.dropout, inplace=True),
        )
        self.residual = residual
        self.down: nn.Module = nn.Identity()
        if residual and (before != after or stride != 1):
            self.down = nn.Sequential(
                nn.Conv2d(before, after, 1, (stride, 1)), nn.BatchNorm2d(after)
            )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (N, C, T, V) over the graph, then over time."""
        y = self.graph(x)
        n, kc, t, v = y.shape
        weighted = self.adjacency * self.importance
        y = torch.einsum("nkctv,kvw->nctw", y.view(n, 3, kc // 3, t, v), weighted)
        y = self.tail(y.contiguous())
        return functional.relu(y + self.down(x) if self.residual else y, inplace=True)


class TextbookSTGCN(nn.Module):
    """ST-GCN on (N, M, T, V, C), in contiguous (N, C, T, V) memory; mean over all M persons."""

    def __init__(self, config: STGCNConfig) -> None:
        super().__init__()
        layout = create_layout(config.layout)
        adjacency = torch.from_numpy(spatial_partition(layout))
        self.data_norm = nn.BatchNorm1d(3 * len(layout))
        widths = (3, *config.channels)
        self.blocks = nn.Sequential(
            *(
                TextbookBlock(
                    widths[i], widths[i + 1], adjacency, config, stride=stride, residual=i > 0
                )
                for i, stride in enumerate(config.strides)
            )
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Features (N, D) of clips (N, M, T, V, C)."""
        n, m, t, v, c = clips.shape
        x = clips.permute(0, 1, 4, 3, 2).reshape(n * m, c * v, t)
        x = self.data_norm(x).view(n * m, c, v, t).permute(0, 1, 3, 2).contiguous()
        x = self.blocks(x)
        return functional.avg_pool2d(x, x.shape[2:]).view(n, m, -1).mean(1)

    @torch.no_grad()
    def copy_from(self, encoder: STGCN) -> TextbookSTGCN:
        """Take over the weights of the package's encoder."""
        self.data_norm.load_state_dict(encoder.input_norm.state_dict())
        for mine, theirs in zip(self.blocks, encoder.blocks, strict=True):
            if not (isinstance(mine, TextbookBlock) and isinstance(theirs, Block)):
                raise TypeError("both networks must be made of blocks")
            out = theirs.graph.bias.shape[1]
            weight = theirs.graph.weight.permute(1, 0, 2).reshape(3 * out, -1, 1, 1)
            mine.graph.weight.copy_(weight)
            mine.graph.bias.copy_(theirs.graph.bias.flatten())
            mine.importance.copy_(theirs.graph.importance)
            for place, module in ((0, theirs.graph_norm), (2, theirs.time), (3, theirs.time_norm)):
                mine.tail[place].load_state_dict(module.state_dict())
            if isinstance(theirs.shortcut, nn.Sequential):
                mine.down.load_state_dict(theirs.shortcut.state_dict())
        return self


def dense_head(head: Head, features: Tensor, text: TextTable) -> Tensor:
    """Scores f (B, C) of one head for all B x C pairs.

    The paper's equations as batched tensors: attention over all K descriptions masked to the
    believed ones, the concatenation [z ; e] of every pair, a three-layer scorer.
    """
    z = functional.layer_norm(head.proj(features), (head.text_dim,))
    fit = torch.einsum("bd,ckd->bck", z, text.descriptions) / head.text_dim**0.5
    fit = fit.masked_fill(~text.mask, float("-inf"))
    last = fit.topk(min(head.count, fit.shape[2]), dim=2).values[..., -1:]
    attention = torch.softmax(fit.masked_fill(fit < last, float("-inf")), dim=2)
    e = torch.einsum("bck,ckd->bcd", attention, text.descriptions)
    if head.motion:
        e = e + text.motion
    pair = torch.cat([z.unsqueeze(1).expand_as(e), e], dim=2)
    hidden = functional.relu(head.l1(functional.relu(head.l0(pair))))
    f: Tensor = head.l2(hidden).squeeze(2)
    return f


def dense_scores(model: InfoCPL, features: Tensor, text: TextTable) -> Tensor:
    """Fused scores (B, C), head by head."""
    heads = [dense_head(head, features, text) for head in model.granularity_heads()]
    return functional.logsigmoid(torch.stack(heads)).sum(0)


def dense_losses(
    model: InfoCPL, features: Tensor, labels: Tensor, text: TextTable, negatives: Tensor
) -> Tensor:
    """Loss sampling (H,) by scoring all B x C pairs and reading off the sampled ones."""
    temperature = model.config.temperature
    losses = []
    for head, drawn in zip(model.granularity_heads(), negatives, strict=True):
        g = functional.softplus(dense_head(head, features, text)) / temperature  # (B, C)
        positive = g.gather(1, labels.unsqueeze(1))
        negative = g[drawn, labels.unsqueeze(1)]
        logits = torch.cat([positive, negative], dim=1)
        losses.append(-torch.log_softmax(logits, dim=1)[:, 0].mean())
    return torch.stack(losses)
