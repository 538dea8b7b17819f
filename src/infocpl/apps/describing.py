"""The text of a run: the codebook of a dataset's classes, and those of extra classes."""

from __future__ import annotations

from collections.abc import Sequence

from infocpl.apps.plan import Plan
from infocpl.apps.progress import EMBEDDING, Reporter
from infocpl.data.extra import ExtraClasses
from infocpl.semantics import EmbeddingCache, build_codebook, create_text_encoder
from infocpl.semantics.codebook import Codebook
from infocpl.semantics.lexicon import Lexicon

__all__ = ["describe_classes", "describe_extra"]


def describe_classes(plan: Plan, reporter: Reporter) -> Codebook:
    """The codebook of all classes, seen ones first.

    Training knows nothing of unseen names: seen classes are told apart from each other only, and
    unseen ones from each other, as by a saved model that is asked about them.
    """
    split = plan.split
    reporter.say("embedding the descriptions of all classes")
    return _describe(
        plan,
        (*split.seen, *split.unseen),
        plan.dataset.name,
        reporter,
        lexicons=plan.lexicons,
        within=(split.seen, split.unseen),
    )


def describe_extra(plan: Plan, elsewhere: ExtraClasses, reporter: Reporter) -> tuple[Codebook, ...]:
    """The codebooks of the extra classes, one a source, each from the lexicon of its dataset.

    The user's own lexicons describe the classes of the run's dataset alone.
    """
    return tuple(
        _describe(plan, source.classes, source.name, reporter) for source in elsewhere.sources
    )


def _describe(
    plan: Plan,
    names: Sequence[str],
    dataset: str,
    reporter: Reporter,
    *,
    lexicons: Sequence[Lexicon] = (),
    within: Sequence[Sequence[str]] = (),
) -> Codebook:
    choice = plan.descriptions
    with reporter.count(EMBEDDING) as progress:
        book = build_codebook(
            names,
            create_text_encoder(plan.text_encoder),
            lexicons=lexicons,
            dataset=dataset,
            granularities=choice.kinds,
            count=choice.count,
            cache=EmbeddingCache(),
            progress=progress,
        )
    return choice.apply(book, within=within)
