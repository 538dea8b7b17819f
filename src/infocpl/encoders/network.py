"""What all graph networks share: input streams, present persons, the mean over them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from infocpl.encoders.layers import STREAMS, skeleton_streams
from infocpl.encoders.shared import BatchNorm1d, share_bodies
from infocpl.errors import ConfigError, LayoutError
from infocpl.skeleton.layout import create_layout

__all__ = ["NetworkConfig", "SkeletonNetwork"]


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a graph network, whatever its blocks are.

    Attributes
    ----------
    layout : joint layout of the clips
    streams : ``joint``, ``bone``, ``motion``, stacked as input channels
    channels : output channels of each block; the last are the features
    strides : temporal stride of each block
    dropout : rate after the temporal part of each block
    skip_absent : leave persons without any coordinate out of the mean over persons (and out of
        the arithmetic); the published networks run them as all-zero bodies
    """

    layout: str = "ntu25"
    streams: tuple[str, ...] = ("joint",)
    channels: tuple[int, ...] = (64, 64, 64, 64, 128, 128, 128, 256, 256, 256)
    strides: tuple[int, ...] = (1, 1, 1, 1, 2, 1, 1, 2, 1, 1)
    dropout: float = 0.0
    skip_absent: bool = False

    def __post_init__(self) -> None:
        if not self.channels or len(self.channels) != len(self.strides):
            raise ConfigError(
                f"channels and strides must be equally many and at least one, "
                f"got {len(self.channels)} and {len(self.strides)}"
            )
        if min(*self.channels, *self.strides) < 1:
            raise ConfigError(
                f"channels and strides must be at least 1, got {self.channels} and {self.strides}"
            )
        if not self.streams:
            raise ConfigError("an encoder needs at least one stream")
        for stream in self.streams:
            if stream not in STREAMS:
                raise ConfigError(f"unknown stream {stream!r}; known: {', '.join(STREAMS)}")


class SkeletonNetwork(nn.Module):
    """Blocks over (P, C, T, V) bodies, made into an encoder (N, M, T, V, C) -> (N, D).

    A family of networks derives from it and appends its blocks to ``blocks``.

    Parameters
    ----------
    config : shape of the network

    Attributes
    ----------
    layout : joint layout of the clips
    dim : D, width of the features
    plan : input channels, output channels and stride of each block
    """

    parents: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        layout = create_layout(config.layout)
        self.layout = layout
        self.dim = config.channels[-1]
        self.streams = config.streams
        self.skip_absent = config.skip_absent
        width = layout.dims * len(config.streams)
        self.register_buffer("parents", torch.tensor(layout.parent_index()), persistent=False)
        self.input_norm = BatchNorm1d(width * len(layout))
        self.blocks = nn.ModuleList()
        before = (width, *config.channels[:-1])
        self.plan = list(zip(before, config.channels, config.strides, strict=True))

    def forward(self, clips: Tensor) -> Tensor:
        """Encode clips.

        Parameters
        ----------
        clips : (N, M, T, V, C) normalised joint coordinates; an absent person is all zero

        Returns
        -------
        (N, D) mean over joints, frames and persons of the last block

        Raises
        ------
        LayoutError : if there are not five axes, or V or C is not the layout's
        """
        if clips.dim() != 5:
            raise LayoutError(f"clips must be (N, M, T, V, C), got {tuple(clips.shape)}")
        batch, persons, frames, joints, coords = clips.shape
        if joints != len(self.layout) or coords != self.layout.dims:
            raise LayoutError(
                f"clips have {joints} joints in {coords}-D; the encoder was built for layout "
                f"{self.layout.name!r} ({len(self.layout)} joints, {self.layout.dims}-D)"
            )
        x = skeleton_streams(clips, self.parents, self.streams)
        x = x.reshape(batch * persons, frames, joints, -1)
        present = torch.ones(batch * persons, dtype=torch.bool, device=clips.device)
        if self.skip_absent:
            present = clips.flatten(2).abs().amax(2).gt(0)
            # A clip without anyone still needs one body to average over.
            present[:, 0] |= ~present.any(1)
            present = present.flatten()
            x = x[present]
        x = x.permute(0, 3, 2, 1).reshape(x.shape[0], -1, frames)  # (N*M, C*V, T)
        with share_bodies(len(x), training=self.training, device=x.device):
            x = self.input_norm(x).view(x.shape[0], -1, joints, frames)
            x = x.permute(0, 1, 3, 2).contiguous(memory_format=torch.channels_last)
            for block in self.blocks:
                x = block(x)
        pooled = x.mean(dim=(2, 3))
        owner = torch.arange(batch, device=clips.device).repeat_interleave(persons)[present]
        total = pooled.new_zeros(batch, self.dim).index_add(0, owner, pooled)
        count = torch.bincount(owner, minlength=batch).to(pooled.dtype)
        mean: Tensor = total / count.unsqueeze(1)
        return mean
