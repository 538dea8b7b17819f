"""Which descriptions of each class are used, and how much they count: one record for all of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from infocpl.errors import SemanticsError
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.prompts import GRANULARITIES, check_granularities

__all__ = ["DescriptionChoice"]


@dataclass(frozen=True)
class DescriptionChoice:
    """How a label set is described, whichever labels are in it.

    A model is trained with the text of its seen classes and asked about any others: the same
    choice describes both. It looks at nothing but text, so that it may be made for classes
    without training clips.

    Attributes
    ----------
    granularities : kinds of description; empty for all
    count : descriptions a class at the most, drawn evenly from the kinds (see
        :func:`.prompts.draw_balanced`); None for all
    best : descriptions a class at the most, those that tell the labels apart best (see
        :func:`.weighting.row_margins`); None for all. Not together with `count`
    temperature : weigh descriptions by how much they tell the labels apart (see
        :func:`.weighting.row_weights`); None where every one counts the same
    motion : with the motion description; else the class name stands in its place

    Raises
    ------
    SemanticsError : if a kind is unknown, a number is not at least 1, both are given, or the
        temperature is not a positive number

    Examples
    --------
    >>> DescriptionChoice(("definition", "part"), count=20).summary
    '20 descriptions a class at the most, drawn evenly from definition, part'
    >>> DescriptionChoice(count=20, best=5)
    Traceback (most recent call last):
    infocpl.errors.SemanticsError: descriptions a class: expected either a number drawn evenly \
(count, --descriptions) or the best (best, --best-descriptions), got both: 20 and 5
    """

    granularities: tuple[str, ...] = ()
    count: int | None = None
    best: int | None = None
    temperature: float | None = None
    motion: bool = True

    def __post_init__(self) -> None:
        if self.granularities:
            check_granularities(self.granularities)
        for number in (self.count, self.best):
            # JSON may hold anything, and True is a whole number to Python.
            if number is not None and (type(number) is not int or number < 1):
                raise SemanticsError(
                    f"count of descriptions: expected a whole number, at least 1, got {number!r}"
                )
        if self.count is not None and self.best is not None:
            raise SemanticsError(
                "descriptions a class: expected either a number drawn evenly (count, "
                "--descriptions) or the best (best, --best-descriptions), got both: "
                f"{self.count} and {self.best}"
            )
        warm = self.temperature
        if warm is not None and not (
            isinstance(warm, int | float) and math.isfinite(warm) and warm > 0
        ):
            raise SemanticsError(
                f"temperature of the weighing (--weigh): expected a positive number, got {warm!r}"
            )

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of description by name, in the order of :data:`.prompts.GRANULARITIES`."""
        return check_granularities(self.granularities or GRANULARITIES)

    @property
    def summary(self) -> str:
        """The choice in words."""
        kinds = ", ".join(self.granularities) or "all kinds"
        if self.count is not None:
            words = f"{self.count} descriptions a class at the most, drawn evenly from {kinds}"
        elif self.best is not None:
            words = (
                f"{self.best} descriptions a class at the most, those of {kinds} that tell the "
                "labels apart best"
            )
        else:
            words = f"all descriptions of {kinds}" if self.granularities else "all descriptions"
        if self.temperature is not None:
            words += f"; weighed by how much they tell the labels apart, at {self.temperature:g}"
        return words if self.motion else f"{words}; the name in place of the motion description"

    def apply(self, codebook: Codebook, *, within: Sequence[Sequence[str]] = ()) -> Codebook:
        """The codebook described this way.

        Parameters
        ----------
        codebook : C classes, with all kinds of description that are wanted
        within : names of each group of classes that are to be told apart from each other only,
            see :meth:`.Codebook.margins`. Weights always look at the labels at hand.

        Raises
        ------
        SemanticsError : if a class would have no description left, or where labels are to be
            told apart and there is only one
        """
        book = codebook.select_granularities(self.kinds)
        if self.count is not None:
            book = book.select_balanced(self.count)
        if self.best is not None:
            book = book.select_discriminative(self.best, within=within)
        if self.temperature is not None:
            book = book.weigh(self.temperature)
        return book if self.motion else book.without_motion()
