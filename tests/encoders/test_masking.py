"""Masked clips: what is hidden, what is left, and that it is drawn from the quiet joints."""

from __future__ import annotations

import pytest
import torch

from infocpl.encoders.masking import mask_clips
from infocpl.errors import ConfigError, LayoutError


def clips(batch: int = 3, persons: int = 2, frames: int = 12, joints: int = 25) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch, persons, frames, joints, 3, generator=generator)
    return x * torch.linspace(0.1, 3, joints).view(1, 1, 1, joints, 1)


def test_as_many_joints_and_frames_are_hidden_as_asked_and_the_rest_is_untouched() -> None:
    x = clips()
    masked = mask_clips(x, generator=torch.Generator().manual_seed(1))
    hidden = (masked == 0).all(4)  # (N, M, T, V)
    for clip, found in zip(hidden, range(3), strict=True):
        frames = [t for t in range(12) if bool(clip[:, t].all())]
        joints = [v for v in range(25) if bool(clip[:, :, v].all())]
        assert (len(frames), len(joints)) == (5, 9)
        for t in set(range(12)) - set(frames):
            for v in set(range(25)) - set(joints):
                assert torch.equal(masked[found, :, t, v], x[found, :, t, v])


def test_only_joints_that_travel_least_are_hidden() -> None:
    x = clips(batch=40)
    masked = mask_clips(x, frames=0, generator=torch.Generator().manual_seed(2))
    ever = set()
    for before, after in zip(x, masked, strict=True):
        travel = [
            sum(
                float((before[m, t + 1, v] - before[m, t, v]).norm())
                for m in range(2)
                for t in range(11)
            )
            for v in range(25)
        ]
        quiet = set(sorted(range(25), key=travel.__getitem__)[:20])
        hidden = {v for v in range(25) if bool((after[:, :, v] == 0).all())}
        assert len(hidden) == 9
        assert hidden <= quiet
        ever |= hidden
    assert len(ever) >= 18  # drawn among the candidates, not always the same


def test_clips_are_masked_each_in_its_own_way_and_afresh() -> None:
    x = clips()
    x[1] = x[0]
    first, second = mask_clips(x), mask_clips(x)
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)
    again = [mask_clips(x, generator=torch.Generator().manual_seed(4)) for _ in range(2)]
    assert torch.equal(*again)


def test_the_clips_themselves_stay_as_they_are_and_absent_persons_absent() -> None:
    x = clips()
    x[:, 1] = 0
    before = x.clone()
    masked = mask_clips(x)
    assert torch.equal(x, before)
    assert not bool(masked[:, 1].any())


def test_nothing_is_hidden_when_nothing_is_asked_for() -> None:
    assert torch.equal(mask_clips(clips(), joints=0, frames=0), clips())


def test_layouts_with_fewer_joints_draw_among_all_of_them() -> None:
    masked = mask_clips(clips(joints=15), frames=0)
    assert [(clip == 0).all(3).all(1).all(0).sum().item() for clip in masked] == [9, 9, 9]


@pytest.mark.parametrize(
    "change",
    [{"joints": 21}, {"frames": 12}, {"joints": -1}, {"joints": 5, "candidates": 4}],
    ids=str,
)
def test_more_than_there_is_cannot_be_hidden(change: dict) -> None:
    with pytest.raises(ConfigError, match="cannot hide"):
        mask_clips(clips(), **change)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(LayoutError, match="N, M, T, V, C"):
        mask_clips(torch.zeros(2, 3, 4, 5))
