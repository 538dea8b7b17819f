"""Entries by a language model: asked, checked, repaired, kept, and gone on with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infocpl.errors import ConfigError, LanguageModelError
from infocpl.semantics import compose
from infocpl.semantics.llm import AnswerStore, Budget, describe_with_model
from infocpl.semantics.llm.prompting import load_prompts

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

GROUPS = len(load_prompts().groups)
NAMES = ("side kick", "hug", "jump rope")


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "answers")


def test_a_name_becomes_a_full_entry(server, make_client, store):
    told: list[str] = []
    client = make_client(model="tiny-1")
    outcome = describe_with_model(["side kick", "hug"], client, store=store, progress=told.append)
    assert (outcome.failed, outcome.stopped) == ({}, "")
    assert told == ["side kick", "hug"]
    assert [item.source for item in outcome.described] == ["language model tiny-1"] * 2
    entry = outcome.described[0].entry
    assert (entry.name, entry.dataset) == ("side kick", "language model")
    assert len(compose(entry)) >= 100
    assert len(server.asked) == client.budget.used_requests == 2 * GROUPS


def test_every_question_says_who_is_asked_and_what_about(server, make_client, store):
    describe_with_model(["side kick"], make_client(), store=store)
    prompts = load_prompts()
    for body, group in zip(server.asked, prompts.groups, strict=True):
        assert body["messages"] == [
            {"role": "system", "content": prompts.system},
            {"role": "user", "content": group.prompt("side kick")},
        ]


def spoil_once(field, value):
    """Answer wrongly the first time a question is asked, and rightly when it is asked again."""

    def behave(handler, body):
        fields = handler.right_fields()
        if field in fields and len(body["messages"]) == 2:
            fields[field] = value
        handler.says(json.dumps(fields))

    return behave


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("motion", "Too short.", "motion: expected 20 to 50 words, got 2"),
        ("details", ["One sentence."], "details: expected a list of 10 sentences, got a list of 1"),
        ("parts", {}, "parts: expected the field 'head', got none"),
        ("traits", {"speed": "fast"}, "expected 'moving', got none"),
        ("aliases", ["side kick", "a", "b", "c"], "aliases: expected other names"),
    ],
)
def test_a_wrong_answer_is_sent_back_with_what_is_wrong(
    server, make_client, store, field, value, words
):
    server.behaviours = [spoil_once(field, value)]
    outcome = describe_with_model(["side kick"], make_client(), store=store)
    assert not outcome.failed
    assert len(server.asked) == GROUPS + 1
    (repair,) = (body for body in server.asked if len(body["messages"]) > 2)
    roles = [message["role"] for message in repair["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert json.dumps(value) in repair["messages"][2]["content"]
    assert words in repair["messages"][3]["content"]


def test_an_answer_that_was_cut_off_is_asked_for_with_more_room(server, make_client, store):
    def behave(handler, body):
        if len(body["messages"]) == 2:
            handler.says('{"aliases": [', "length")
        else:
            handler.well()

    server.behaviours = [behave]
    outcome = describe_with_model(["side kick"], make_client(budget=Budget(100)), store=store)
    assert not outcome.failed
    rooms = [body["max_tokens"] for body in server.asked[:2]]
    assert rooms == [2048, 4096]
    assert "cut off" in server.asked[1]["messages"][3]["content"]


def test_answers_that_stay_wrong_cost_their_name_and_no_other(server, make_client, store):
    def behave(handler, body):
        if '"hug"' in body["messages"][1]["content"]:
            handler.says("I would rather not.")
        else:
            handler.well()

    server.behaviours = [behave]
    outcome = describe_with_model(NAMES, make_client(), store=store, repairs=3)
    assert [item.name for item in outcome.described] == ["side kick", "jump rope"]
    assert list(outcome.failed) == ["hug"]
    assert (
        "identity stayed unusable after 3 repairs: it holds no JSON object" in outcome.failed["hug"]
    )
    assert len(server.asked) == 2 * GROUPS + 4


def test_without_repairs_one_wrong_answer_is_enough(server, make_client, store):
    server.behaviours = [("says", "no")]
    outcome = describe_with_model(["hug"], make_client(), store=store, repairs=0)
    assert len(server.asked) == 1
    assert "after 0 repairs" in outcome.failed["hug"]
    with pytest.raises(ConfigError, match="repairs"):
        describe_with_model(["hug"], make_client(), store=store, repairs=-1)


# --- what is kept -------------------------------------------------------------------------------


def test_what_was_answered_is_never_asked_again(server, make_client, store):
    first = describe_with_model(NAMES, make_client(), store=store)
    asked = len(server.asked)
    client = make_client(budget=Budget(1))
    again = describe_with_model(NAMES, client, store=store)
    assert again == first
    assert len(server.asked) == asked
    assert client.budget.used_requests == 0


def test_another_model_is_asked_anew(server, make_client, store):
    describe_with_model(["hug"], make_client(), store=store)
    describe_with_model(["hug"], make_client(model="large"), store=store)
    assert len(server.asked) == 2 * GROUPS


def test_a_kept_answer_that_breaks_the_format_is_asked_for_again(server, make_client, store):
    client = make_client()
    describe_with_model(["hug"], client, store=store)
    group = load_prompts().groups[1]
    question = f"{load_prompts().system}\n{group.prompt('hug')}"
    store.put(client.id, question, {"parts": {"head": "It was edited."}})
    outcome = describe_with_model(["hug"], make_client(), store=store)
    assert not outcome.failed
    assert len(server.asked) == GROUPS + 1


def test_a_spent_budget_stops_cleanly_and_the_next_call_goes_on(server, make_client, store):
    first = describe_with_model(NAMES, make_client(budget=Budget(GROUPS + 3)), store=store)
    assert [item.name for item in first.described] == ["side kick"]
    assert "the budget of 11 requests is spent" in first.stopped
    assert len(server.asked) == GROUPS + 3
    second = describe_with_model(NAMES, make_client(budget=Budget(100)), store=store)
    assert [item.name for item in second.described] == list(NAMES)
    assert not second.stopped
    assert len(server.asked) == 3 * GROUPS


def test_a_budget_of_tokens_stops_as_cleanly(server, make_client, store):
    client = make_client(budget=Budget(100, tokens=1500))
    outcome = describe_with_model(NAMES, client, store=store)
    assert "tokens is spent" in outcome.stopped
    assert len(server.asked) < 3 * GROUPS


def test_a_server_that_fails_before_anything_is_done_is_an_error(server, make_client, store):
    server.behaviours = [("status", 404, {"error": {"message": "no model"}})]
    with pytest.raises(LanguageModelError, match="404"):
        describe_with_model(NAMES, make_client(), store=store)


def test_a_server_that_fails_later_leaves_what_was_done(server, make_client, store):
    server.behaviours = [*["well"] * (GROUPS + 2), "hang_up"]
    outcome = describe_with_model(NAMES, make_client(attempts=2), store=store)
    assert [item.name for item in outcome.described] == ["side kick"]
    assert "the connection broke" in outcome.stopped
    server.behaviours = ["well"]
    again = describe_with_model(NAMES, make_client(), store=store)
    assert len(again.described) == 3
    # Two attempts failed; nothing else was asked twice.
    assert len(server.asked) == 3 * GROUPS + 2
