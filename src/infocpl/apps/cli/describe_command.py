"""Options of ``infocpl describe``: a frozen record. Nothing heavy is imported here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Describe"]


@dataclass(frozen=True)
class Describe:
    """Say what names of actions are taken to mean, and write descriptions to edit and use.

    Names are looked up in lexicons; others are read by a motion grammar, without any network. With
    --llm a language model of yours is asked instead.

    Example: infocpl describe --labels "side kick, juggling" --out descriptions
    """

    labels: str
    """Action names divided by commas, or a file with a name a line."""
    out: Path | None = None
    """Folder to write: lexicon.yaml to edit, and the codebook. Default: only print."""
    lexicon: tuple[str, ...] = ()
    """Your own lexicons, asked before the shipped ones: YAML files."""
    text_encoder: str = "minilm"
    """Text encoder for the codebook and for names that resemble known ones: a name (see `infocpl
    info`), a folder, or `none` to do without both."""
    granularities: tuple[str, ...] = ()
    """Kinds of description in the codebook (default: all)."""
    descriptions: int | None = None
    """Descriptions a class at the most, drawn evenly from the kinds (default: all)."""
    best_descriptions: int | None = None
    """Instead: descriptions a class at the most, those that tell the names apart best. Only
    text is looked at."""
    weigh: float | None = None
    """Weigh descriptions by how much they tell the names apart; a temperature such as 1, smaller
    for more uneven weights."""
    llm: str | None = None
    """Ask a language model about names that no lexicon holds: base address of an OpenAI-compatible
    endpoint, such as http://localhost:11434/v1. Good answers are kept, so that work that was
    stopped goes on where it ended."""
    llm_model: str | None = None
    """Name of the model, as the endpoint knows it."""
    llm_key_env: str = "INFOCPL_LLM_KEY"
    """Environment variable with the key; nothing is sent if it is not set."""
    llm_all: bool = False
    """Ask about every name, those that a lexicon holds as well."""
    budget: int = 200
    """Most requests to the model (a name takes eight, repairs come on top)."""
    token_budget: int | None = None
    """Most tokens of questions and answers together (default: no limit)."""
    rate: float = 60.0
    """Most requests a minute."""
    repairs: int = 2
    """How often the model may put an unusable answer right, a question."""
    timeout: float = 120.0
    """Seconds to wait for one answer."""
    json: bool = False
    """Print JSON instead of a table."""
    overwrite: bool = False
    """Replace what an earlier `infocpl describe` wrote to the folder."""

    def execute(self, typed: str) -> int:
        """Run the command."""
        from infocpl.apps.cli.describe import run_describe

        return run_describe(self)
