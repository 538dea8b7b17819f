"""The client, against a real server that behaves well, badly, slowly or not at all."""

from __future__ import annotations

import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from infocpl.errors import ConfigError, LanguageModelError
from infocpl.semantics.llm import Budget, BudgetError, ChatClient, RateLimit
from infocpl.semantics.llm.transport import Endpoint

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

QUESTION = [{"role": "user", "content": "What is a side kick?"}]
KEY = "sk-very-secret-4711"


def ask(client: ChatClient) -> str:
    return client.ask(QUESTION, max_tokens=50).text


# --- what is sent and read ----------------------------------------------------------------------


def test_model_messages_and_limit_are_sent_and_the_answer_is_read(server, make_client):
    server.behaviours = [("says", "A kick to the side.")]
    client = make_client(model="tiny-1")
    answer = client.ask(QUESTION, max_tokens=50)
    assert (answer.text, answer.cut) == ("A kick to the side.", False)
    (body,) = server.asked
    assert body == {"model": "tiny-1", "messages": QUESTION, "max_tokens": 50, "stream": False}
    assert server.paths == ["/v1/chat/completions"]
    assert client.budget.used_requests == 1
    assert client.budget.used_tokens == 100


def test_an_answer_that_was_cut_off_says_so(server, make_client):
    server.behaviours = [("says", "A kick to", "length")]
    assert make_client().ask(QUESTION, max_tokens=3).cut


def test_an_answer_in_parts_is_put_together(server, make_client):
    parts = [{"type": "text", "text": "A kick "}, {"type": "text", "text": "aside."}]
    data = {"choices": [{"message": {"content": parts}}]}
    server.behaviours = [("status", 200, data)]
    assert ask(make_client()) == "A kick aside."


def test_without_a_count_tokens_are_estimated_from_the_letters(server, make_client):
    server.behaviours = [("status", 200, {"choices": [{"message": {"content": "x" * 400}}]})]
    client = make_client()
    ask(client)
    assert client.budget.used_tokens == (400 + len(QUESTION[0]["content"])) / 4


def test_an_endpoint_with_the_newer_name_of_the_limit_is_asked_by_it(server, make_client):
    message = {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'."}}
    server.behaviours = [("status", 400, message), ("says", "yes"), ("says", "again")]
    client = make_client()
    assert [ask(client), ask(client)] == ["yes", "again"]
    assert [sorted(body)[0] for body in server.asked] == ["max_tokens"] + [
        "max_completion_tokens"
    ] * 2


# --- the key ------------------------------------------------------------------------------------


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(
    server, make_client, monkeypatch, tmp_path
):
    monkeypatch.setenv("INFOCPL_LLM_KEY", KEY)
    server.behaviours = [
        ("says", "fine"),
        ("status", 401, {"error": {"message": f"Incorrect API key provided: {KEY}."}}),
    ]
    client = make_client()
    ask(client)
    assert server.headers_seen[0]["Authorization"] == f"Bearer {KEY}"
    assert KEY not in json.dumps(server.asked) + str(vars(client)) + client.id
    with pytest.raises(LanguageModelError) as caught:
        ask(client)
    assert KEY not in str(caught.value)
    assert "answered 401" in str(caught.value)
    assert "INFOCPL_LLM_KEY" in str(caught.value)
    assert "provided: ***" in str(caught.value)


def test_without_a_key_none_is_sent(server, make_client, monkeypatch):
    monkeypatch.delenv("INFOCPL_LLM_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)  # meant for another server
    server.behaviours = [("says", "fine")]
    ask(make_client())
    assert "Authorization" not in server.headers_seen[0]


def test_another_variable_may_hold_the_key(server, make_client, monkeypatch):
    monkeypatch.setenv("MY_KEY", f" {KEY}\n")
    server.behaviours = [("says", "fine")]
    ask(make_client(key_variable="MY_KEY"))
    assert server.headers_seen[0]["Authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("key", ["two words", "cl\u00e9", "line\nbreak"])
def test_a_key_that_cannot_be_sent_is_refused_without_being_shown(
    server, make_client, monkeypatch, key
):
    monkeypatch.setenv("INFOCPL_LLM_KEY", key)
    with pytest.raises(ConfigError, match="INFOCPL_LLM_KEY") as caught:
        ask(make_client())
    assert key not in str(caught.value)
    assert server.asked == []


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "data", "words"),
    [
        (401, {"error": {"message": "no key"}}, ["401", "INFOCPL_LLM_KEY", "no key"]),
        (403, {"error": "not you"}, ["403", "INFOCPL_LLM_KEY", "not you"]),
        (404, {"error": {"message": "model 'tiny' not found"}}, ["404", "'tiny'", "not found"]),
        (400, {"error": {"message": "context too long"}}, ["400", "context too long"]),
        (422, b"<html>\n<b>bad</b>\x1b[31m</html>", ["422", "<html> <b>bad</b>"]),
        (429, {"error": {"code": "insufficient_quota", "message": "pay"}}, ["429", "pay"]),
        (301, b"", ["301", "redirects"]),
        (418, b"", ["418"]),
    ],
)
def test_what_the_server_refuses_is_told_at_once_in_one_line(
    server, make_client, waits, code, data, words
):
    server.behaviours = [("status", code, data)]
    with pytest.raises(LanguageModelError) as caught:
        ask(make_client())
    message = str(caught.value)
    assert message.startswith(f"{server.url}/chat/completions: answered {code}")
    assert all(word in message for word in words)
    assert message.isprintable()
    assert len(server.asked) == 1
    assert waits == []


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>busy</html>",
        b"[" * 5000,
        {"choices": []},
        {"choices": [{"message": {"content": None}}]},
        {"choices": [{"text": "old form"}]},
        [1, 2],
        "text",
        b'{"choices": [{"message": {"content": "\xff"}}]}',
    ],
    ids=["empty", "html", "deep", "no choice", "null", "old", "list", "text", "no utf-8"],
)
def test_an_answer_of_another_form_is_refused(server, make_client, data):
    server.behaviours = [("status", 200, data)]
    with pytest.raises(LanguageModelError, match="expected JSON with choices and a message"):
        ask(make_client())


def test_an_endless_answer_is_refused(server, make_client):
    server.behaviours = [("status", 200, b" " * (4 * 2**20 + 1))]
    with pytest.raises(LanguageModelError, match="at most 4194304 bytes"):
        ask(make_client())


def test_a_server_that_is_not_there_is_told_at_once(make_client, waits):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(LanguageModelError, match="nothing answers there; is the server running"):
        ask(make_client(url=f"http://127.0.0.1:{port}"))
    assert waits == []


# --- patience -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure",
    [("status", 500), ("status", 502), ("status", 503), ("status", 429), "hang_up", "cut_short"],
    ids=["500", "502", "503", "429", "closed", "cut short"],
)
def test_what_may_pass_is_tried_again_after_growing_pauses(server, make_client, waits, failure):
    server.behaviours = [failure, failure, failure, ("says", "at last")]
    client = make_client()
    assert ask(client) == "at last"
    assert waits == [1, 2, 4]
    assert client.budget.used_requests == 4


@pytest.mark.parametrize("failure", [("status", 503, b"busy"), "hang_up"], ids=["503", "closed"])
def test_patience_ends(server, make_client, waits, failure):
    server.behaviours = [failure]
    with pytest.raises(LanguageModelError, match="given up after 3 attempts"):
        ask(make_client(attempts=3))
    assert len(server.asked) == 3
    assert waits == [1, 2]


@pytest.mark.parametrize("code", [429, 503])
def test_the_server_says_how_long_to_wait(server, make_client, waits, code):
    moment = datetime.now(UTC) + timedelta(seconds=40)
    date = format_datetime(moment, usegmt=True)
    server.behaviours = [
        ("status", code, b"", {"Retry-After": "7"}),
        ("status", code, b"", {"Retry-After": date}),
        ("status", code, b"", {"Retry-After": "soon"}),
        ("status", code, b"", {"Retry-After": "-5"}),
        ("says", "now"),
    ]
    assert ask(make_client()) == "now"
    assert waits[0] == 7
    assert waits[1] == pytest.approx(40, abs=2)
    assert waits[2:] == [4, 0]


def test_a_server_that_wants_too_much_patience_ends_the_work(server, make_client, waits):
    server.behaviours = [("status", 429, b"", {"Retry-After": "3600"})]
    with pytest.raises(LanguageModelError, match="asks to wait 3600 s, and at most 120 s"):
        ask(make_client())
    assert waits == []


def test_a_slow_answer_ends_in_time_however_it_drips(server, make_client):
    server.behaviours = ["drip"]
    before = time.monotonic()
    with pytest.raises(LanguageModelError, match=r"no whole answer within 0\.15 s; given up"):
        ask(make_client(timeout=0.15, attempts=2))
    assert time.monotonic() - before < 1.5


def test_a_silent_server_ends_in_time(server, make_client):
    server.behaviours = [lambda handler, body: time.sleep(0.6)]
    with pytest.raises(LanguageModelError, match=r"no whole answer within 0\.1 s"):
        ask(make_client(timeout=0.1, attempts=1))


def test_a_slow_answer_that_comes_in_time_is_taken(server, make_client):
    def late(handler, body):
        time.sleep(0.1)
        handler.says("late")

    server.behaviours = [late]
    assert ask(make_client()) == "late"


# --- rate and budget ----------------------------------------------------------------------------


def test_requests_are_spaced_over_time(server, make_client):
    server.behaviours = [("says", "fine")]
    client = make_client(rate=RateLimit(1200))
    started = time.monotonic()
    for _ in range(4):
        ask(client)
    # 1,200 a minute leave 50 ms between two: a busy machine can only make it longer.
    assert time.monotonic() - started >= 3 * 0.05
    assert len(server.asked) == 4


def test_no_request_goes_beyond_the_budget(server, make_client):
    server.behaviours = [("says", "fine")]
    client = make_client(budget=Budget(2))
    ask(client)
    ask(client)
    with pytest.raises(BudgetError, match="the budget of 2 requests is spent"):
        ask(client)
    assert len(server.asked) == 2


def test_repetitions_count_as_requests(server, make_client):
    server.behaviours = [("status", 503)]
    with pytest.raises(BudgetError):
        ask(make_client(budget=Budget(2)))
    assert len(server.asked) == 2


def test_no_request_begins_beyond_the_budget_of_tokens(server, make_client):
    server.behaviours = [("says", "fine", "stop", 60)]
    client = make_client(budget=Budget(100, tokens=100))
    ask(client)
    ask(client)
    with pytest.raises(BudgetError, match=r"the budget of 100 tokens is spent \(120 used"):
        ask(client)
    assert len(server.asked) == 2


# --- addresses ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://localhost:8080", "http://localhost:8080/v1/chat/completions"),
        ("http://localhost:8080/", "http://localhost:8080/v1/chat/completions"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1/chat/completions"),
        ("https://x.org/v1/chat/completions", "https://x.org/v1/chat/completions"),
        ("https://x.org:443/a/b", "https://x.org/a/b/chat/completions"),
        ("http://[::1]:99/v1", "http://[::1]:99/v1/chat/completions"),
        ("https://x.org/v1?api-version=3", "https://x.org/v1/chat/completions"),
    ],
)
def test_addresses_may_leave_out_what_is_usual(url, shown):
    assert str(Endpoint.parse(url)) == shown


def test_a_query_is_sent_but_not_shown():
    endpoint = Endpoint.parse("https://x.org/v1?api-version=3")
    assert endpoint.path == "/v1/chat/completions?api-version=3"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:8080", "expected http://HOST"),
        ("ftp://x.org", "expected http://HOST"),
        ("http://", "expected http://HOST"),
        ("http://x.org:port", "expected a URL"),
        ("http://x.org:99999", "expected a URL"),
        ("http://user:secret@x.org", "no name or password"),
        ("http://x.org/a b", "no spaces"),
    ],
)
def test_addresses_that_are_none_are_refused(url, words):
    with pytest.raises(ConfigError, match=words) as caught:
        Endpoint.parse(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": " "}, "the name of a model"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"attempts": 0}, "attempts"),
    ],
)
def test_a_client_that_cannot_work_is_refused(make_client, changes, words):
    with pytest.raises(ConfigError, match=words):
        make_client(**changes)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Budget(0),
        lambda: Budget(1, 0),
        lambda: RateLimit(0),
        lambda: RateLimit(float("inf")),
        lambda: RateLimit(float("nan")),
    ],
)
def test_limits_that_are_none_are_refused(make):
    with pytest.raises(ConfigError):
        make()
