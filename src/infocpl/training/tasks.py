"""The two things that are trained: an encoder on seen classes, and InfoCPL on its features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from infocpl.alignment.base import TextTable
from infocpl.alignment.functional import sample_negatives, sample_other_classes
from infocpl.alignment.held_text import HeldText
from infocpl.alignment.infocpl import InfoCPL
from infocpl.data.loading import ClipRows
from infocpl.encoders.augment import AugmentConfig, augment_clips
from infocpl.errors import ConfigError
from infocpl.training.loop import Task

__all__ = ["AlignmentTask", "EncoderTask", "LossSampling"]


_COSINE_SCALE = 10.0  # cosines lie too close together for a softmax


class EncoderTask(Task):
    """Cross-entropy of an encoder and a linear classifier over the seen classes.

    Parameters
    ----------
    encoder : maps (N, M, T, V, C) to (N, D) and has ``dim``
    clips : (N, M, T, V, C) training clips, or rows of a mapped array of them; kept as they are, not
        copied into the state: only the clips of a batch are brought to memory and to the device of
        the task, where labels and text are
    labels : (N,) 0 .. classes - 1
    classes : number of seen classes
    augment : strength of augmentation
    smoothing : label smoothing
    text : (classes, Dt) rows of length one, the text of each class, with which features are aligned
        while the encoder is trained: a linear map of them is classified by its cosine to these
    text_weight : share of that second loss

    Raises
    ------
    ConfigError : if there is a weight and no text, or text for another number of classes
    """

    def __init__(
        self,
        encoder: nn.Module,
        clips: Tensor | ClipRows,
        labels: Tensor,
        classes: int,
        augment: AugmentConfig,
        smoothing: float = 0.1,
        text: Tensor | None = None,
        text_weight: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.text_weight = text_weight
        self._text: Tensor
        self._labels: Tensor
        self.project: nn.Linear | None = None
        if text_weight:
            if text is None or len(text) != classes:
                raise ConfigError(f"aligning an encoder needs the text of its {classes} classes")
            self.project = nn.Linear(int(encoder.dim), text.shape[1])  # type: ignore[arg-type]
            self.register_buffer("_text", text, persistent=False)
        self.classifier = nn.Linear(int(encoder.dim), classes)  # type: ignore[arg-type]
        self.augment = augment
        self.smoothing = smoothing
        # Left where they are: all of them may not fit on a device.
        self._clips = clips
        self.register_buffer("_labels", labels, persistent=False)

    def forward(self, index: Tensor, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """Classification loss of a batch of augmented clips."""
        where = index.cpu()
        if isinstance(self._clips, ClipRows):
            clips = torch.from_numpy(self._clips[where.numpy()]).to(index.device)
        else:
            clips = self._clips[where].to(index.device)
        # All processes vary the whole batch, so that each clip is varied as in one process.
        features = self.encoder(augment_clips(clips, self.augment)[part])
        logits = self.classifier(features)
        labels = self._labels[index[part]]
        loss = functional.cross_entropy(logits.float(), labels, label_smoothing=self.smoothing)
        found = {"classification_loss": loss}
        if self.project is not None:
            told = functional.normalize(self.project(features).float(), dim=1)
            cosines = _COSINE_SCALE * told @ self._text.t()
            aligned = functional.cross_entropy(cosines, labels, label_smoothing=self.smoothing)
            found["text_loss"] = self.text_weight * aligned
        return found


@dataclass(frozen=True)
class LossSampling:
    """How InfoCPL's training pairs are chosen.

    Attributes
    ----------
    negatives : other clips contrasted with each anchor
    dense : no sampling: all clips of the batch that are of another class, for every head
    text_negatives : other seen classes contrasted with each anchor (0 in the paper)
    inverse_epochs : first epochs with attention inverse
    noise : standard deviation of noise on standardised features (0 in the paper)
    margin : by how much a clip must fit its text better than with parts of it hidden
    margin_weight : share of that margin loss, 0 to leave it out (0 in the paper, 0.5 where the
        authors' program offers it)
    """

    negatives: int = 8
    dense: bool = False
    text_negatives: int = 0
    inverse_epochs: int = 15
    noise: float = 0.0
    margin: float = 0.3
    margin_weight: float = 0.0

    def __post_init__(self) -> None:
        if self.dense and self.text_negatives:
            raise ConfigError("a dense loss has no text negatives; leave out one of the two")


class AlignmentTask(Task):
    """InfoCPL on fixed clip features of seen classes.

    Features, labels and text go with the task to its device; they are not part of its state.

    Parameters
    ----------
    model : the aligner
    features : (N, Dv) of the training clips
    labels : (N,) rows of `text`
    text : seen classes only
    sampling : negatives and attention inverse
    masked : (N, Dv) features of the same clips with joints and frames hidden (see
        :func:`infocpl.encoders.masking.mask_clips`), for the margin loss

    Raises
    ------
    ConfigError : if the margin loss is asked for and `masked` is missing or of another shape
    """

    def __init__(
        self,
        model: InfoCPL,
        features: Tensor,
        labels: Tensor,
        text: TextTable,
        sampling: LossSampling,
        masked: Tensor | None = None,
    ) -> None:
        super().__init__()
        if sampling.margin_weight and (masked is None or masked.shape != features.shape):
            raise ConfigError("the margin loss needs features of the same clips, masked")
        self.model = model
        self.sampling = sampling
        self._features: Tensor
        self._masked: Tensor | None
        self._labels: Tensor
        self.register_buffer("_features", features, persistent=False)
        self.register_buffer("_masked", masked, persistent=False)
        self.register_buffer("_labels", labels, persistent=False)
        self._held = HeldText(text)

    def forward(self, index: Tensor, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """Loss sampling, mean over heads, and the losses that are switched on beside it.

        Nothing for a batch of one class.
        """
        features, labels, text = self._features[index], self._labels[index], self._held.table()
        heads = len(self.model.config.k_series)
        negatives = sample_negatives(labels, self.sampling.negatives, heads)
        if negatives.shape[2] == 0:
            return {}
        if self.sampling.noise:
            features = features + self.sampling.noise * torch.randn_like(features)
        inverse = epoch < self.sampling.inverse_epochs
        # Negatives come from the whole batch, whoever it is shared with.
        anchors = torch.arange(len(index), device=index.device)[part]
        own = negatives[:, part]
        if self.sampling.dense:
            # Every process looks at the whole batch: the mean of equal losses is that loss.
            losses = self.model.dense_losses(features, labels, text, inverse=inverse)
        else:
            losses = self._sampled(features, labels, text, own, part, anchors, inverse=inverse)
        found = {"alignment_loss": losses.mean()}
        if self.sampling.margin_weight and self._masked is not None:
            margins = self.model.margin_losses(
                features[part],
                self._masked[index[part]],
                labels[part],
                text,
                self.sampling.margin,
                inverse=inverse,
            )
            found["margin_loss"] = self.sampling.margin_weight * margins.mean()
        if self.model.gate is not None:
            found["gate_loss"] = self.model.gate_loss(features, labels, text, own[0], anchors)
        return found

    def _sampled(
        self,
        features: Tensor,
        labels: Tensor,
        text: TextTable,
        negatives: Tensor,
        part: slice,
        anchors: Tensor,
        *,
        inverse: bool,
    ) -> Tensor:
        others = None
        if self.sampling.text_negatives:
            classes, count = len(text.labels), self.sampling.text_negatives
            others = sample_other_classes(labels, classes, count, len(negatives))[:, part]
        return self.model.head_losses(
            features,
            labels,
            text,
            negatives,
            other_classes=others,
            anchors=anchors,
            inverse=inverse,
        )
