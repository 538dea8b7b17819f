"""Several encoders side by side: what one of them learned by luck, the others outvote."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from infocpl.encoders.registry import create_encoder
from infocpl.errors import ConfigError

__all__ = ["EncoderEnsemble", "create_members"]


class EncoderEnsemble(nn.Module):
    """Encoders whose features are concatenated; (N, M, T, V, C) -> (N, sum of D).

    Parameters
    ----------
    members : at least two encoders of clips of one layout

    Examples
    --------
    >>> pair = create_members("stgcn-small", "kinect20", 2).eval()
    >>> pair(torch.randn(3, 1, 10, 20, 3)).shape
    torch.Size([3, 256])
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        if len(members) < 2:
            raise ConfigError(f"an ensemble needs at least 2 members, got {len(members)}")
        self.members = nn.ModuleList(members)
        self.dim = sum(int(member.dim) for member in members)  # type: ignore[arg-type, misc]

    @property
    def config(self) -> object:
        """Shape of one member; they are all alike."""
        return self.members[0].config

    def forward(self, clips: Tensor) -> Tensor:
        """Features of every member, in the order of the members."""
        return torch.cat([member(clips) for member in self.members], dim=1)


def create_members(name: str, layout: str, count: int) -> nn.Module:
    """One untrained encoder called `name`, or an ensemble of `count` of them.

    Raises
    ------
    ConfigError : if the name is unknown or `count` is below 1
    """
    if count < 1:
        raise ConfigError(f"an encoder needs at least 1 member, got {count}")
    created = [create_encoder(name, layout) for _ in range(count)]
    return created[0] if count == 1 else EncoderEnsemble(created)
