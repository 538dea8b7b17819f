"""Descriptions by a language model that the user has: never needed, any OpenAI-compatible endpoint.

:mod:`.prompting` says what is asked, :mod:`.client` and :mod:`.transport` how, :mod:`.limits` how
often, :mod:`.answers` what is accepted, :mod:`.store` keeps it, and :mod:`.describe` puts entries
together. Nothing here is imported unless a model is asked for.
"""

from __future__ import annotations

from infocpl.semantics.llm.client import DEFAULT_KEY_VARIABLE, Answer, ChatClient
from infocpl.semantics.llm.describe import Outcome, describe_with_model
from infocpl.semantics.llm.limits import Budget, BudgetError, RateLimit
from infocpl.semantics.llm.store import AnswerStore

__all__ = [
    "DEFAULT_KEY_VARIABLE",
    "Answer",
    "AnswerStore",
    "Budget",
    "BudgetError",
    "ChatClient",
    "Outcome",
    "RateLimit",
    "describe_with_model",
]
