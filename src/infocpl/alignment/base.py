"""What an alignment method gets and gives, whatever it does inside."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from infocpl.errors import LabelError
from infocpl.semantics.weighting import row_margins, row_weights

__all__ = ["Aligner", "TextCentre", "TextTable", "standardise"]


@dataclass(frozen=True)
class TextTable:
    """Text features of a label set.

    Attributes
    ----------
    labels : C class names, in the order of the first axis
    descriptions : (C, K, Dt) one row a description; rows of absent descriptions are zero
    mask : (C, K) true where a description exists
    motion : (C, Dt) motion descriptions
    names : (C, Dt) bare class names, for the class-names-only baseline
    temperature : weigh descriptions by how much they tell these labels apart, see
        :func:`infocpl.semantics.weighting.row_weights`; a subset is weighed anew, among its own
        labels. None: every description counts the same
    weights : (C, K) of mean one over the descriptions of each class, from `temperature` unless
        given; None like `temperature`
    traits : (C, T) trait vectors, zero for a label that has none; None without any
    """

    labels: tuple[str, ...]
    descriptions: Tensor
    mask: Tensor
    motion: Tensor
    names: Tensor
    temperature: float | None = None
    weights: Tensor | None = None
    traits: Tensor | None = None

    def __post_init__(self) -> None:
        classes, count, dim = self.descriptions.shape
        if len(self.labels) != classes or self.mask.shape != (classes, count):
            raise LabelError(
                f"{len(self.labels)} labels and a mask of {tuple(self.mask.shape)} do not fit "
                f"descriptions of {(classes, count, dim)}"
            )
        if self.motion.shape != (classes, dim) or self.names.shape != (classes, dim):
            raise LabelError("motion and name features must be (C, Dt) like the descriptions")
        if self.traits is not None and self.traits.shape[0] != classes:
            raise LabelError(f"traits must be ({classes}, T), got {tuple(self.traits.shape)}")
        if not bool(self.mask.any(1).all()):
            empty = [self.labels[i] for i in (~self.mask.any(1)).nonzero().flatten().tolist()]
            raise LabelError(f"classes without any description: {', '.join(empty)}")
        if self.temperature is not None and self.weights is None and classes > 1:
            object.__setattr__(self, "weights", _weigh(self, self.temperature))

    @property
    def knows_traits(self) -> bool:
        """Whether traits are known of any label."""
        return self.traits is not None and bool(self.traits.any())

    def subset(self, labels: tuple[str, ...]) -> TextTable:
        """Rows of `labels`, in that order, K cut to their longest.

        Raises
        ------
        LabelError : if a name is not there
        """
        missing = [name for name in labels if name not in self.labels]
        if missing:
            raise LabelError(f"no text for {', '.join(missing)}")
        rows = torch.tensor([self.labels.index(name) for name in labels], dtype=torch.long)
        mask = self.mask[rows]
        # Padding that only other labels need would tell how much text they have.
        count = int(mask.any(0).nonzero().max()) + 1 if len(rows) else mask.shape[1]
        return TextTable(
            tuple(labels),
            self.descriptions[rows, :count],
            mask[:, :count],
            self.motion[rows],
            self.names[rows],
            self.temperature,
            traits=None if self.traits is None else self.traits[rows],
        )

    def join(self, other: TextTable, labels: tuple[str, ...]) -> TextTable:
        """Rows of this table and then of `other`, whose labels are called `labels` from now on.

        Both must be weighed alike; traits stay where both have some.
        """
        count = max(self.mask.shape[1], other.mask.shape[1])
        both = self.traits is not None and other.traits is not None

        def stack(name: str, *, padded: bool = False) -> Tensor:
            parts = [getattr(self, name), getattr(other, name)]
            if padded:
                parts = [_pad(part, count) for part in parts]
            return torch.cat(parts)

        return TextTable(
            (*self.labels, *labels),
            stack("descriptions", padded=True),
            stack("mask", padded=True),
            stack("motion"),
            stack("names"),
            self.temperature,
            traits=stack("traits") if both else None,
        )

    def mean(self) -> Tensor:
        """(C, Dt) weighted mean of descriptions and motion row of each class, L2-normalised."""
        weights = self.mask if self.weights is None else self.weights
        total = self.descriptions.mul(weights.unsqueeze(2)).sum(1) + self.motion
        mean = total / (self.mask.sum(1, keepdim=True) + 1)
        return torch.nn.functional.normalize(mean, dim=1)


def _pad(rows: Tensor, count: int) -> Tensor:
    """(C, K, ...) with absent rows behind the others up to `count`."""
    padded = rows.new_zeros(rows.shape[0], count, *rows.shape[2:])
    padded[:, : rows.shape[1]] = rows
    return padded


def _weigh(text: TextTable, temperature: float) -> Tensor:
    mask = text.mask.cpu().numpy()
    margins = row_margins(text.descriptions.detach().cpu().numpy(), mask)
    weights = torch.from_numpy(row_weights(margins, mask, temperature))
    return weights.to(text.descriptions.device)


class Aligner(Protocol):
    """A trained map from clip features and the text of any label set to scores."""

    def scores(self, features: Tensor, text: TextTable) -> Tensor:
        """(B, Dv) features and the text of C labels to (B, C) scores, higher is better."""
        ...


def standardise(train: Tensor, floor: float = 1e-3) -> tuple[Tensor, Tensor]:
    """Mean and scale that give every feature of `train` (N, D) zero mean and unit variance.

    Features that (nearly) never vary keep their size instead of being blown up.
    """
    mean = train.mean(0)
    spread = train.std(0, unbiased=False)
    return mean, spread.clamp_min(floor * spread.max().clamp_min(1e-12))


# Trait vectors hold ones and zeros: a trait that one class in fifty has would count fifty times as
# much as a common one if it were scaled by its own spread alone.
_TRAIT_FLOOR = 0.15


@dataclass(frozen=True)
class TextCentre:
    """Mean text of the seen classes, one for each kind of row, and the spread of their traits.

    Sentences about movement resemble each other; what they share says nothing about a class.
    Removing the mean of the *seen* classes (no unseen text enters) leaves what differs. With a
    trait weight above zero every row of a class is followed by the class's traits, made
    comparable in the same way.

    Attributes
    ----------
    descriptions, motion, names : (Dt,) means over the seen classes
    trait_weight : () length of the trait block beside a sentence of length one
    trait_mean, trait_factor : (T,) of the seen classes; a trait that does not vary among them has
        factor zero, since nothing was learned about it. Empty when traits are not used
    """

    descriptions: Tensor
    motion: Tensor
    names: Tensor
    trait_weight: Tensor = field(default_factory=lambda: torch.zeros(()))
    trait_mean: Tensor = field(default_factory=lambda: torch.zeros(0))
    trait_factor: Tensor = field(default_factory=lambda: torch.zeros(0))

    @classmethod
    def of(cls, seen: TextTable, trait_weight: float = 0.0) -> TextCentre:
        """Means over the seen classes, each class counting once.

        Parameters
        ----------
        seen : text of the seen classes only
        trait_weight : 0 leaves traits out, as they are where a class has none
        """
        rows = seen.descriptions.mul(seen.mask.unsqueeze(2)).sum(1)
        per_class = rows / seen.mask.sum(1, keepdim=True)
        means = per_class.mean(0), seen.motion.mean(0), seen.names.mean(0)
        if seen.traits is None or trait_weight == 0 or not bool(seen.traits.any(1).all()):
            return cls(*means)
        spread = seen.traits.std(0, unbiased=False)
        factor = torch.where(spread > 0, 1 / spread.clamp_min(_TRAIT_FLOOR), 0.0)
        return cls(*means, torch.tensor(float(trait_weight)), seen.traits.mean(0), factor)

    def apply(self, text: TextTable) -> TextTable:
        """Rows minus their mean, renormalised, with the trait block where traits are used.

        The result has width Dt, or Dt + T with traits; rows have length 1 either way. Bare names
        get an empty block: the class-names-only baseline knows nothing but names.
        """
        normalise = torch.nn.functional.normalize
        rows = normalise(text.descriptions - self.descriptions, dim=2)
        motion = normalise(text.motion - self.motion, dim=1)
        names = normalise(text.names - self.names, dim=1)
        if len(self.trait_factor):
            block = self._block(text)
            rows = torch.cat([rows, block.unsqueeze(1).expand(-1, rows.shape[1], -1)], dim=2)
            rows = normalise(rows, dim=2)
            motion = normalise(torch.cat([motion, block], dim=1), dim=1)
            names = torch.cat([names, torch.zeros_like(block)], dim=1)
        return TextTable(
            text.labels,
            rows * text.mask.unsqueeze(2),
            text.mask,
            motion,
            names,
            text.temperature,
            text.weights,
        )

    def _block(self, text: TextTable) -> Tensor:
        """(C, T) traits of each label, of length `trait_weight`; zero for a label without any."""
        if text.traits is None:
            return self.trait_mean.new_zeros(len(text.labels), len(self.trait_mean))
        scaled = (text.traits - self.trait_mean) * self.trait_factor
        known = text.traits.any(1, keepdim=True)
        block: Tensor = torch.nn.functional.normalize(scaled, dim=1) * known * self.trait_weight
        return block
