"""``infocpl describe``: names to descriptions, told, written down and embedded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from infocpl.apps.cli.describe_command import Describe
from infocpl.apps.cli.run_options import choose_descriptions
from infocpl.errors import (
    ConfigError,
    LanguageModelError,
    OutputExistsError,
    SemanticsError,
)
from infocpl.semantics import (
    Described,
    DescriptionChoice,
    EmbeddingCache,
    LabelSet,
    Lexicon,
    TextEncoder,
    create_text_encoder,
    describe_all,
    load_lexicon,
    write_described,
)
from infocpl.semantics.build import embed_described
from infocpl.semantics.labels import read_labels

__all__ = ["LEXICON_FILE", "run_describe"]

LEXICON_FILE = "lexicon.yaml"
"""The file of descriptions in the output folder, beside those of the codebook."""

_NO_ENCODER = "none"


def run_describe(options: Describe) -> int:
    """Check what can be checked without work, describe every name, say and write the outcome."""
    if (options.llm is None) != (options.llm_model is None):
        raise ConfigError("--llm and --llm-model are needed together")
    labels = read_labels(options.labels)
    choice = choose_descriptions(options)
    if len(labels) < 2 and (choice.best is not None or choice.temperature is not None):
        raise ConfigError(
            "--best-descriptions and --weigh tell names apart: expected at least two names, got one"
        )
    lexicons = tuple(map(load_lexicon, options.lexicon))
    check_output(options)
    encoder = None
    if options.text_encoder != _NO_ENCODER:
        encoder = create_text_encoder(options.text_encoder)
    cache = EmbeddingCache() if encoder is not None else None
    if options.llm is None:
        described = describe_all(labels, lexicons=lexicons, encoder=encoder, cache=cache)
        problem = ""
    else:
        described, problem = ask_model(options, labels, lexicons)
    if described or not problem:
        # Without all names there is no codebook of them; what is finished is written all the same.
        write_output(options, choice, described, None if problem else encoder, cache)
    tell(options, labels, described)
    if problem:
        raise LanguageModelError(
            f"{problem}; {len(described)} of {len(labels)} names are described, and every good "
            "answer is kept: run this again (with --overwrite) to go on"
        )
    return 0


def ask_model(
    options: Describe, labels: LabelSet, lexicons: Sequence[Lexicon]
) -> tuple[tuple[Described, ...], str]:
    """Ask the language model about names that no lexicon holds.

    Returns
    -------
    described : finished names, in the order of the labels
    problem : what kept the others from being finished, in one line; empty if nothing did
    """
    from infocpl.apps.progress import Reporter
    from infocpl.semantics.llm import Budget, ChatClient, RateLimit, describe_with_model

    client = ChatClient(
        options.llm or "",
        options.llm_model or "",
        budget=Budget(options.budget, options.token_budget),
        rate=RateLimit(options.rate),
        key_variable=options.llm_key_env,
        timeout=options.timeout,
    )
    known = {}
    if not options.llm_all:
        looked_up = describe_all(labels, lexicons=lexicons, grammar=False)
        known = {item.name: item for item in looked_up if item.entry is not None}
    asked = [name for name in labels if name not in known]
    if not asked:
        return tuple(known.values()), ""
    reporter = Reporter()
    outcome = describe_with_model(
        asked,
        client,
        repairs=options.repairs,
        progress=lambda name: reporter.say(f"asking {client.model} about {name}"),
    )
    used = f"{client.budget.used_requests} requests, {client.budget.used_tokens} tokens"
    reporter.say(f"{client.model}: {used}")
    known |= {item.name: item for item in outcome.described}
    problems = [f"{name!r}: {problem}" for name, problem in outcome.failed.items()]
    problems += [outcome.stopped] if outcome.stopped else []
    return tuple(known[name] for name in labels if name in known), "; ".join(problems)


def check_output(options: Describe) -> None:
    """Refuse an output folder that holds something else than an earlier description.

    Raises
    ------
    OutputExistsError : if it exists and is not to be replaced, or is not one of ours
    """
    out = options.out
    if out is None or not out.exists():
        return
    if not out.is_dir():
        raise OutputExistsError(f"{out} is a file; --out needs a folder")
    found = {item.name for item in out.iterdir()}
    if not found:
        return
    if not options.overwrite:
        raise OutputExistsError(
            f"{out} is not empty; choose another --out, or replace it with --overwrite"
        )
    if not {LEXICON_FILE, "codebook.json"} & found:
        raise OutputExistsError(f"{out} holds no descriptions; nothing was removed")


def write_output(
    options: Describe,
    choice: DescriptionChoice,
    described: Sequence[Described],
    encoder: TextEncoder | None,
    cache: EmbeddingCache | None,
) -> None:
    """Write the lexicon and, with an encoder, the codebook; the folder is whole or not there."""
    from infocpl.apps.progress import EMBEDDING, Reporter
    from infocpl.files import atomic_folder

    if options.out is None:
        return
    book = None
    if encoder is not None:
        with Reporter().count(EMBEDDING) as progress:
            book = embed_described(
                described,
                encoder,
                granularities=choice.kinds,
                count=choice.count,
                cache=cache,
                progress=progress,
            )
        book = choice.apply(book)
    try:
        with atomic_folder(options.out, overwrite=True) as folder:
            if book is not None:
                book.save(folder, overwrite=True)
            if book is None or any(item.entry is not None for item in described):
                write_described(described, folder / LEXICON_FILE)
    except OSError as error:
        raise SemanticsError(f"{options.out} cannot be written: {error.strerror}") from error


def tell(options: Describe, labels: LabelSet, described: Sequence[Described]) -> None:
    """Print what each name was taken for."""
    if options.json:
        print(json.dumps([facts(item) for item in described], indent=1, ensure_ascii=False))
        return
    from infocpl.apps.cli.tables import print_described

    print_described(described)
    if options.out is not None:
        entries = sum(item.entry is not None for item in described)
        print(f"{options.out}: {entries} of {len(labels)} names described")


def facts(item: Described) -> dict[str, Any]:
    """What is known of one name, as plain JSON values."""
    words = item.reading.words if item.reading is not None else ()
    return {
        "name": item.name,
        "source": item.source,
        "confidence": item.confidence,
        "words": [
            {"text": word.text, "kind": word.kind, "meaning": word.meaning, "spelt": word.spelt}
            for word in words
        ],
        "unknown": list(item.reading.unknown) if item.reading is not None else [],
        "neighbours": [
            {"name": near.entry.name, "similarity": near.similarity} for near in item.neighbours
        ],
        "traits": item.entry.traits.to_dict() if item.entry is not None else None,
    }
