"""Clips with joints and frames hidden, for the margin loss of the alignment."""

from __future__ import annotations

import torch
from torch import Tensor

from infocpl.errors import ConfigError, LayoutError

__all__ = ["mask_clips"]


def mask_clips(
    clips: Tensor,
    *,
    joints: int = 9,
    candidates: int = 20,
    frames: int = 5,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Hide joints that tell little, and some frames, by setting them to zero.

    How much a joint tells is how far it travels in the clip, over all persons. Of the
    `candidates` joints that travel least, `joints` are drawn for each clip and hidden throughout;
    `frames` drawn frames are hidden altogether. Figures as in the authors' program (9 of the 20
    least informative of 25 joints, 5 of 50 frames); the measure and the drawing of frames are
    ours, as neither is described.

    Parameters
    ----------
    clips : (N, M, T, V, C) normalised coordinates
    joints, candidates : counts; layouts with fewer joints than `candidates` draw among all
    frames : count, below T; at least one frame is left
    generator : source of randomness

    Returns
    -------
    a changed copy

    Raises
    ------
    LayoutError : if the clips do not have five axes
    ConfigError : if more is to be hidden than there is to choose from

    Examples
    --------
    >>> clip = torch.ones(1, 1, 8, 6, 3)
    >>> int((mask_clips(clip, joints=2, candidates=4, frames=3)[0, 0, ..., 0] == 1).sum())  # 4 * 5
    20
    """
    if clips.dim() != 5:
        raise LayoutError(f"clips must be (N, M, T, V, C), got {tuple(clips.shape)}")
    batch, _, length, count, _ = clips.shape
    candidates = min(candidates, count)
    if not (0 <= joints <= candidates and joints < count and 0 <= frames < length):
        raise ConfigError(
            f"cannot hide {joints} of {candidates} among {count} joints "
            f"and {frames} of {length} frames"
        )
    travel = (clips[:, :, 1:] - clips[:, :, :-1]).norm(dim=4).sum((1, 2))  # (N, V)
    still = travel.argsort(dim=1, stable=True)[:, :candidates]
    ticket = torch.rand(batch, candidates, generator=generator, device=clips.device)
    hidden = still.gather(1, ticket.argsort(dim=1)[:, :joints])
    keep_joint = clips.new_ones(batch, count).scatter(1, hidden, 0.0)
    ticket = torch.rand(batch, length, generator=generator, device=clips.device)
    keep_frame = clips.new_ones(batch, length).scatter(1, ticket.argsort(dim=1)[:, :frames], 0.0)
    keep = keep_frame.unsqueeze(2) * keep_joint.unsqueeze(1)  # (N, T, V)
    return clips * keep[:, None, :, :, None]
