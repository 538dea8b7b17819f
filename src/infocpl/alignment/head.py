"""One head of InfoCPL: believes k descriptions a class and scores clips with the mix of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.belief import mix_believed
from infocpl.alignment.functional import attention_weights
from infocpl.alignment.infocpl_config import InfoCPLConfig
from infocpl.products import linear

__all__ = ["Head"]

_CHUNK = 4096  # (clip, class) pairs scored at a time, so that memory does not grow with B x C


class Head(nn.Module):
    """One granularity: projection, selective feature ensemble and scorer.

    Parameters
    ----------
    config : shape of the aligner
    count : k, descriptions believed of each class

    Examples
    --------
    >>> head = Head(InfoCPLConfig(visual_dim=4, text_dim=6, hidden=(8, 4)), count=2)
    >>> head.project(torch.randn(7, 4)).shape
    torch.Size([7, 6])
    """

    def __init__(self, config: InfoCPLConfig, count: int) -> None:
        super().__init__()
        self.count = count
        self.motion = config.motion
        self.text_dim = config.text_dim
        first, second = config.hidden
        self.proj = nn.Linear(config.visual_dim, config.text_dim)
        self.l0 = nn.Linear(2 * config.text_dim, first)
        self.l1 = nn.Linear(first, second)
        self.l2 = nn.Linear(second, 1)

    def project(self, features: Tensor) -> Tensor:
        """Z = LayerNorm(W v + b) without affine parameters; (B, Dv) -> (B, Dt)."""
        hidden = linear(features, self.proj.weight, self.proj.bias)
        z: Tensor = functional.layer_norm(hidden, (self.text_dim,), eps=1e-5)
        return z

    def attend(self, z: Tensor, text: TextTable, *, inverse: bool = False) -> Tensor:
        """(B, C, K) weights of the believed descriptions of every class."""
        return attention_weights(
            self._similarity(z, text),
            self.count,
            text.mask.unsqueeze(0),
            inverse=inverse,
            prior=text.weights,
        )

    def _similarity(self, z: Tensor, text: TextTable) -> Tensor:
        flat = linear(z, text.descriptions.flatten(0, 1))
        return flat.view(z.shape[0], *text.mask.shape).div(self.text_dim**0.5)

    def semantics(self, weights: Tensor, text: TextTable) -> Tensor:
        """E = mixed descriptions + motion row; (B, C, K) -> (B, C, Dt)."""
        mixed = torch.einsum("bck,ckd->bcd", weights, text.descriptions)
        return mixed + text.motion if self.motion else mixed

    def first_layer(self, z: Tensor, semantics: Tensor, clips: Tensor | None = None) -> Tensor:
        """Units of the scorer's first layer, which is linear in [z ; e] before its ReLU.

        Parameters
        ----------
        z : (B, Dt)
        semantics : (B, C, Dt) of every clip and class; (P, Dt) of pairs where `clips` is given
        clips : (P,) clip of each pair

        Returns
        -------
        (B, C, H) or (P, H)
        """
        visual_weight, text_weight = self.l0.weight.chunk(2, dim=1)
        # Of the clips, not of the pairs: a clip stands in many of them.
        visual = linear(z, visual_weight, self.l0.bias)
        visual = visual.unsqueeze(1) if clips is None else visual.index_select(0, clips)
        return functional.relu_(linear(semantics, text_weight).add_(visual))

    def last_layers(self, units: Tensor) -> Tensor:
        """Scores f from units of the first layer; (..., H) -> (...)."""
        hidden = functional.relu_(linear(units, self.l1.weight, self.l1.bias))
        out: Tensor = self.l2(hidden)
        return out.squeeze(-1)

    def score_all(self, features: Tensor, text: TextTable, *, inverse: bool = False) -> Tensor:
        """Scores f of every clip with every class; (B, Dv) -> (B, C)."""
        rows = max(1, _CHUNK // len(text.labels))
        parts = []
        for part in torch.split(features, rows):
            z = self.project(part)
            semantics = self.semantics(self.attend(z, text, inverse=inverse), text)
            parts.append(self.last_layers(self.first_layer(z, semantics)))
        return torch.cat(parts)

    def score_pairs(
        self,
        features: Tensor,
        clips: Tensor,
        classes: Tensor,
        text: TextTable,
        *,
        inverse: bool = False,
    ) -> Tensor:
        """Scores f of the pairs (clips[p], classes[p]) only; (P,)."""
        z = self.project(features)
        semantics = mix_believed(z, clips, classes, text, self.count, inverse=inverse)
        if self.motion:
            semantics = semantics + text.motion.index_select(0, classes)
        return self.last_layers(self.first_layer(z, semantics, clips))
