"""From raw files to an ablation of descriptions, on training clips of seen classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from infocpl.apps.pipeline import (
    Plan,
    open_encoder_cache,
    open_output,
    prepare_source,
    source_store,
)
from infocpl.apps.progress import EMBEDDING, Reporter
from infocpl.data import split_indices
from infocpl.evaluation.ablation import (
    DEFAULT_ROWS,
    AblationRow,
    ablation_units,
    run_ablation,
    seen_task,
)
from infocpl.files import write_json
from infocpl.semantics import EmbeddingCache, build_codebook, create_text_encoder

__all__ = ["AblationPlan", "ablate"]


@dataclass(frozen=True)
class AblationPlan(Plan):
    """Everything an ablation needs to know before it starts.

    Attributes
    ----------
    text_encoders : names or folders; every row is played with each of them
    rows : ways of describing
    """

    text_encoders: tuple[str, ...] = ("minilm",)
    rows: tuple[AblationRow, ...] = DEFAULT_ROWS

    def identity(self) -> dict[str, Any]:
        """What must be equal for one ablation to continue another."""
        return {
            **super().identity(),
            "text_encoder": list(self.text_encoders),
            "ablation": [row.title for row in self.rows],
        }


def ablate(plan: AblationPlan, reporter: Reporter, *, resume: bool = False) -> dict[str, Any]:
    """Do everything and return the result, which is written to ``ablation.json``.

    A killed ablation continues with `resume`; skeleton encoders that were finished are kept.
    """
    # Wrong names are refused before anything is written.
    encoders = {name: create_text_encoder(name) for name in plan.text_encoders}
    cache = open_encoder_cache(plan)
    work = open_output(plan, resume=resume)
    store = source_store(plan, work, reporter)
    clips, _ = prepare_source(store, plan, work, reporter)
    kinds = {kind for row in plan.rows for kind in row.choice.kinds}
    books = {}
    for name, encoder in encoders.items():
        reporter.say(f"embedding the descriptions of the seen classes ({name})")
        with reporter.count(EMBEDDING) as progress:
            books[name] = build_codebook(
                plan.split.seen,
                encoder,
                dataset=plan.dataset.name,
                granularities=tuple(kinds),
                cache=EmbeddingCache(),
                progress=progress,
            )
    indices = split_indices(store, plan.split, plan.protocol)
    task = seen_task(clips, plan.split, indices, next(iter(books.values())))
    total = ablation_units(task, plan.config, plan.seeds, len(plan.rows) * len(books))
    with reporter.bar(total) as advance:
        found = run_ablation(
            task,
            books,
            plan.config,
            plan.seeds,
            rows=plan.rows,
            work=work,
            cache=cache,
            advance=advance,
        )
    result = {"command": plan.command, "dataset": plan.dataset.name, **found}
    write_json(plan.out / "ablation.json", result)
    return result
