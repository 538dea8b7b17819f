"""A start for InfoCPL that matches clip and text before the first step.

With a few hundred clips of a dozen seen classes, random weights have to discover that the two
halves of the scorer's input are to be *compared*, and learn the seen classes by heart meanwhile.
The shape of the model stays the paper's; only where training starts differs.
"""

from __future__ import annotations

import torch
from torch import Tensor

from infocpl.alignment.infocpl import InfoCPL
from infocpl.errors import ConfigError

__all__ = ["start_matching"]


@torch.no_grad()
def start_matching(model: InfoCPL, ridge: Tensor) -> None:
    """Let every head start from a ridge map and from differences between clip and text.

    The projection starts as the ridge map from features to text. The scorer's first layer starts
    with pairs of units that see +r(z - e) and -r(z - e) for random directions r, where the text
    e is enlarged by sqrt(Dt): z leaves its LayerNorm with that length, descriptions have length 1.

    Parameters
    ----------
    model : freshly created; changed in place
    ridge : (Dv, Dt) map from standardised features to text

    Raises
    ------
    ConfigError : if the map does not fit the model

    Examples
    --------
    >>> from infocpl.alignment.infocpl import InfoCPLConfig
    >>> model = InfoCPL(InfoCPLConfig(visual_dim=3, text_dim=4, k_series=(1,), hidden=(6, 2)))
    >>> start_matching(model, torch.eye(3, 4))
    >>> bool((model.heads[0].proj.weight == torch.eye(4, 3)).all())
    True
    """
    config = model.config
    if ridge.shape != (config.visual_dim, config.text_dim):
        raise ConfigError(
            f"the ridge map must be {(config.visual_dim, config.text_dim)}, "
            f"got {tuple(ridge.shape)}"
        )
    dim, length = config.text_dim, config.text_dim**0.5
    for head in model.granularity_heads():
        head.proj.weight.copy_(ridge.t())
        head.proj.bias.zero_()
        half = head.l0.weight.shape[0] // 2
        # An odd width leaves one unit as it was drawn.
        direction = head.l0.weight[:half, :dim].clone()
        difference = torch.cat([direction, -length * direction], dim=1)
        head.l0.weight[:half] = difference
        head.l0.weight[half : 2 * half] = -difference
        head.l0.bias.zero_()
