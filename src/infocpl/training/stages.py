"""The stages of a run: encoder on seen clips, features of all clips, aligners on features.

Every stage states the classes it learned from, and refuses to meet a class it must not know. The
stages are in :mod:`.encoder_stage`, :mod:`.feature_cache` and :mod:`.alignment_stage`, their
configurations in :mod:`.stage_configs`; whoever runs them needs this module alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from infocpl.errors import SplitLeakageError
from infocpl.training.alignment_stage import train_infocpl
from infocpl.training.encoder_stage import TrainedEncoder, train_encoder
from infocpl.training.feature_cache import encode_clips
from infocpl.training.stage_configs import HEADS, AlignmentConfig, EncoderConfig

__all__ = [
    "HEADS",
    "AlignmentConfig",
    "EncoderConfig",
    "TrainedEncoder",
    "encode_clips",
    "forbid_classes",
    "train_encoder",
    "train_infocpl",
]


def forbid_classes(trained_on: Sequence[str], forbidden: Sequence[str], what: str) -> None:
    """Raise :class:`SplitLeakageError` if `what` was trained on a class it must not know.

    Examples
    --------
    >>> forbid_classes(["walk"], ["walk", "sit"], "encoder")
    Traceback (most recent call last):
    infocpl.errors.SplitLeakageError: the encoder was trained on unseen classes: walk
    """
    both = [name for name in forbidden if name in set(trained_on)]
    if both:
        raise SplitLeakageError(f"the {what} was trained on unseen classes: {', '.join(both)}")
