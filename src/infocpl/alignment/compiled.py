"""A label set prepared once for a trained model, so that every further clip costs less.

The scorer's first layer is linear in the semantics e = sum_k w_k t_k + m before its ReLU, and the
weights w sum to one. What the layer makes of t_k + m is therefore computed once a label set, and a
clip only has to mix the results.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import mix_descriptions
from infocpl.alignment.head import Head
from infocpl.alignment.standard import StandardInfoCPL
from infocpl.products import linear

__all__ = ["CompiledLabels"]

_CHUNK = 4096  # (clip, class) pairs scored at a time
_FEW = 8  # below so many clips, reading what is believed costs less than a product with everything


class CompiledLabels:
    """Labels that a trained model scores clips against, again and again.

    Gives the numbers of ``aligner.scores(features, text)`` to rounding. Holds H x C x K x hidden
    numbers (295 MB for 12 heads, 60 labels, 100 descriptions and 1,024 hidden units), as they
    were when it was made: a model trained further needs new ones.

    Parameters
    ----------
    aligner : trained InfoCPL
    text : raw text of the label set

    Attributes
    ----------
    labels : C names, in the order of the scores

    Examples
    --------
    >>> from infocpl.alignment.infocpl import InfoCPL, InfoCPLConfig
    >>> model = InfoCPL(InfoCPLConfig(visual_dim=4, text_dim=6, k_series=(1, 2), hidden=(8, 4)))
    >>> aligner = StandardInfoCPL(model, torch.zeros(4), torch.ones(4), None)
    >>> text = TextTable(("a", "b", "c"), torch.randn(3, 5, 6), torch.ones(3, 5, dtype=torch.bool),
    ...                  torch.randn(3, 6), torch.randn(3, 6))
    >>> clips = torch.randn(7, 4)
    >>> found = CompiledLabels(aligner, text).scores(clips)
    >>> torch.allclose(found, aligner.scores(clips, text), atol=1e-5)
    True
    """

    @torch.no_grad()
    def __init__(self, aligner: StandardInfoCPL, text: TextTable) -> None:
        self.labels = text.labels
        self._aligner = aligner
        self._text = aligner.text(text)
        self._measured = aligner.measured
        if self._measured is not None:
            self._expected = self._measured.expect(text)
        self._heads = [
            _CompiledHead(head, self._text) for head in aligner.model.granularity_heads()
        ]

    @torch.no_grad()
    def scores(self, features: Tensor) -> Tensor:
        """(B, Dv) raw features to (B, C) fused scores, higher is better."""
        ready = self._aligner.features(features)
        rows = max(1, _CHUNK // len(self.labels))
        parts = []
        for part in torch.split(ready, rows):
            heads = torch.stack([head.scores(part) for head in self._heads])
            parts.append(self._aligner.model.fuse(heads, part, self._text))
        fused = torch.cat(parts)
        if self._measured is None:
            return fused
        return fused + self._measured.scores_of(features, self._expected)


class _CompiledHead:
    """One head with the first layer's units (C, K, H) of every description."""

    def __init__(self, head: Head, text: TextTable) -> None:
        rows = text.descriptions
        if head.motion:
            rows = rows + text.motion.unsqueeze(1)
        self._visual_weight, text_weight = head.l0.weight.detach().chunk(2, dim=1)
        self._units = linear(rows, text_weight)
        self._head = head
        self._text = text

    def scores(self, features: Tensor) -> Tensor:
        """Scores f (B, C) of standardised features (B, Dv)."""
        head = self._head
        z = head.project(features)
        weights = head.attend(z, self._text)
        visual = linear(z, self._visual_weight, head.l0.bias)
        if len(z) >= _FEW:
            units = torch.baddbmm(visual.unsqueeze(0), weights.transpose(0, 1), self._units)
            return head.last_layers(functional.relu_(units)).t()
        classes = torch.arange(weights.shape[1], device=z.device).repeat(len(z))
        mixed = mix_descriptions(weights.flatten(0, 1), self._units, classes, head.count)
        units = mixed.view(*weights.shape[:2], -1).add_(visual.unsqueeze(1))
        return head.last_layers(functional.relu_(units))
