"""Entries written by a language model: asked group by group, checked, repaired, kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from infocpl.errors import ConfigError, LanguageModelError, SemanticsError
from infocpl.semantics.describing import MODEL, Described
from infocpl.semantics.entry import LexiconEntry
from infocpl.semantics.labels import LabelSet
from infocpl.semantics.llm.answers import check_answer, read_answer
from infocpl.semantics.llm.client import ChatClient, Message
from infocpl.semantics.llm.limits import BudgetError
from infocpl.semantics.llm.prompting import Group, load_prompts
from infocpl.semantics.llm.store import AnswerStore

__all__ = ["Outcome", "describe_with_model", "write_entry"]

_TOKENS = 2048
_MOST_TOKENS = 8192


@dataclass(frozen=True)
class Outcome:
    """What came of asking a model about several names.

    Attributes
    ----------
    described : finished names, in their order
    failed : name to what was wrong with the model's answers, to the end
    stopped : why the work ended before all names were asked about; empty if it did not
    """

    described: tuple[Described, ...]
    failed: dict[str, str]
    stopped: str


def describe_with_model(
    labels: LabelSet | Sequence[str],
    client: ChatClient,
    *,
    store: AnswerStore | None = None,
    repairs: int = 2,
    progress: Callable[[str], None] | None = None,
) -> Outcome:
    """Have a language model describe actions by their names.

    Eight questions are asked about each name. An answer that breaks the lexicon format is sent back
    with what is wrong, up to `repairs` times a question. Good answers are kept at once: after a
    kill or a spent budget the same call goes on where the last one ended, without asking again.

    Parameters
    ----------
    labels : names
    client : whom to ask, and within which budget
    store : where good answers are kept (default: the user's cache)
    repairs : how often one question may be asked again
    progress : told each name before it is asked about

    Raises
    ------
    ConfigError : if `repairs` is negative
    LanguageModelError : if the endpoint fails (refused, no such model, wrong key) before a single
        name is finished; later on the outcome says so
    """
    if repairs < 0:
        raise ConfigError(f"repairs: expected 0 or more, got {repairs}")
    labels = labels if isinstance(labels, LabelSet) else LabelSet(tuple(labels))
    store = store if store is not None else AnswerStore()
    described: list[Described] = []
    failed: dict[str, str] = {}
    for name in labels:
        if progress is not None:
            progress(name)
        try:
            entry = write_entry(name, client, store=store, repairs=repairs)
        except UnusableAnswerError as error:
            failed[name] = str(error)
            continue
        except LanguageModelError as error:
            if not described and not isinstance(error, BudgetError):
                raise
            return Outcome(tuple(described), failed, str(error))
        described.append(Described(name, entry, f"{MODEL} {client.model}", 1.0))
    return Outcome(tuple(described), failed, "")


class UnusableAnswerError(LanguageModelError):
    """A model's answers about one name stayed wrong after all repairs."""


def write_entry(name: str, client: ChatClient, *, store: AnswerStore, repairs: int) -> LexiconEntry:
    """The entry of one name; see :func:`describe_with_model`.

    Raises
    ------
    BudgetError : if the budget ends before the entry is finished
    LanguageModelError : if an answer stays wrong, or the endpoint cannot be used
    """
    known: dict[str, Any] = {}
    for group in load_prompts().groups:
        known |= _answer(name, group, known, client, store, repairs)
    try:
        return LexiconEntry.from_dict({"name": name, **known}, MODEL, place=repr(name))
    except SemanticsError as error:
        raise UnusableAnswerError(str(error)) from None


def _answer(
    name: str,
    group: Group,
    earlier: dict[str, Any],
    client: ChatClient,
    store: AnswerStore,
    repairs: int,
) -> dict[str, Any]:
    """The fields of one group, from the store or from the model."""
    prompts = load_prompts()
    prompt = group.prompt(name)
    question = f"{prompts.system}\n{prompt}"
    kept = store.get(client.id, question)
    if kept is not None and _fits(kept, earlier, group, name):
        return kept
    asked: list[Message] = [
        {"role": "system", "content": prompts.system},
        {"role": "user", "content": prompt},
    ]
    messages, tokens, problem = asked, _TOKENS, ""
    for _ in range(repairs + 1):
        answer = client.ask(messages, max_tokens=tokens)
        try:
            if answer.cut:
                tokens = min(2 * tokens, _MOST_TOKENS)
                raise LanguageModelError("it was cut off before its end")
            fields = read_answer(answer.text, group)
            check_answer(fields, earlier, group, name)
        except LanguageModelError as error:
            problem = str(error)
            # Only the last answer is shown again: a long quarrel costs tokens and teaches nothing.
            repair = prompts.repair.format(error=problem)
            messages = [
                *asked,
                {"role": "assistant", "content": answer.text},
                {"role": "user", "content": repair},
            ]
            continue
        store.put(client.id, question, fields)
        return fields
    raise UnusableAnswerError(
        f"the answer of {client.model} about {group.name} stayed unusable after {repairs} repairs: "
        f"{problem}"
    )


def _fits(kept: dict[str, Any], earlier: dict[str, Any], group: Group, name: str) -> bool:
    """Whether a kept answer still is what the schema asks for."""
    if set(kept) != set(group.fields):
        return False
    try:
        check_answer(kept, earlier, group, name)
    except LanguageModelError:
        return False
    return True
