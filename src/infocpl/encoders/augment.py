"""Augmentation of training clips: views, sizes, noise and timing, on whole batches at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from infocpl.errors import ConfigError, LayoutError

__all__ = ["AugmentConfig", "augment_clips"]


@dataclass(frozen=True)
class AugmentConfig:
    """How strongly clips are varied while an encoder is trained; all zero means not at all.

    Attributes
    ----------
    yaw : largest turn about the vertical axis, degrees
    tilt : largest turn about the two horizontal axes, degrees
    scale : largest relative change of size of each axis
    noise : standard deviation of joint noise, in torso lengths
    crop : largest share of the clip cut off in all, at start and end
    warp : largest local change of speed, relative (below 1, so that time never runs backwards)
    """

    yaw: float = 20.0
    tilt: float = 5.0
    scale: float = 0.1
    noise: float = 0.01
    crop: float = 0.15
    warp: float = 0.3

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"augmentation {name} must be a number >= 0, got {value}")
        if self.crop >= 1 or self.warp >= 1 or self.scale >= 1:
            raise ConfigError("augmentation crop, warp and scale must be below 1")


def augment_clips(clips: Tensor, config: AugmentConfig) -> Tensor:
    """Return a varied copy of 3-D clips, each clip varied in its own way.

    Left and right are never exchanged: names such as *wave the right hand* must stay true.
    Absent persons (all zero) stay absent.

    Parameters
    ----------
    clips : (N, M, T, V, 3) normalised coordinates
    config : strengths

    Raises
    ------
    LayoutError : if the clips are not (N, M, T, V, 3)

    Examples
    --------
    >>> x = torch.randn(2, 1, 8, 5, 3)
    >>> still = AugmentConfig(0, 0, 0, 0, 0, 0)
    >>> bool(torch.allclose(augment_clips(x, still), x, atol=1e-6))
    True
    """
    if clips.dim() != 5 or clips.shape[4] != 3:
        raise LayoutError(f"augmentation needs 3-D clips (N, M, T, V, 3), got {tuple(clips.shape)}")
    batch = clips.shape[0]
    out = _warp_time(clips, config) if config.crop or config.warp else clips
    matrix = _rotation(batch, config, clips)
    if config.scale:
        factor = 1 + config.scale * (2 * torch.rand(batch, 3, device=clips.device) - 1)
        matrix = matrix * factor.to(clips.dtype).unsqueeze(1)
    out = torch.einsum("nmtvc,ncd->nmtvd", out, matrix)
    if config.noise:
        present = out.abs().amax(dim=(3, 4), keepdim=True) > 0
        out = out + config.noise * torch.randn_like(out) * present
    return out


def _rotation(batch: int, config: AugmentConfig, like: Tensor) -> Tensor:
    def angle(limit: float) -> Tensor:
        return math.radians(limit) * (2 * torch.rand(batch, device=like.device) - 1)

    matrix = torch.eye(3, device=like.device, dtype=like.dtype).expand(batch, 3, 3)
    for axis, limit in ((1, config.yaw), (0, config.tilt), (2, config.tilt)):
        theta = angle(limit)
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = torch.eye(3, device=like.device, dtype=like.dtype).repeat(batch, 1, 1)
        turn[:, a, a] = turn[:, b, b] = theta.cos()
        turn[:, a, b], turn[:, b, a] = theta.sin(), -theta.sin()
        matrix = matrix @ turn
    return matrix


def _warp_time(clips: Tensor, config: AugmentConfig) -> Tensor:
    batch, persons, frames, joints, coords = clips.shape
    cut = config.crop * torch.rand(batch, 1, device=clips.device)
    start = cut * torch.rand(batch, 1, device=clips.device)
    t = torch.linspace(0, 1, frames, device=clips.device).unsqueeze(0)
    # t + a sin(pi t) / pi keeps both ends and runs forward while |a| < 1.
    bend = config.warp * (2 * torch.rand(batch, 1, device=clips.device) - 1)
    warped = t + bend * torch.sin(math.pi * t) / math.pi
    place = (start + warped * (1 - cut)).clamp(0, 1) * (frames - 1)
    below = place.floor().long().clamp(max=max(frames - 2, 0))
    share = (place - below).view(batch, 1, frames, 1, 1).to(clips.dtype)
    index = below.view(batch, 1, frames, 1, 1).expand(-1, persons, -1, joints, coords)
    first = clips.gather(2, index)
    second = clips.gather(2, (index + 1).clamp(max=frames - 1))
    # Halfway between a body and no body there is no body of half the size: take the nearer frame.
    gap = (first.abs().amax((3, 4)) > 0) != (second.abs().amax((3, 4)) > 0)
    share = torch.where(gap[..., None, None], share.round(), share)
    return first + (second - first) * share
