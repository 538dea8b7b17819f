"""A real chat endpoint on the loopback interface, with every bad habit that endpoints have."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from infocpl.semantics.grammar import read_name
from infocpl.semantics.grammar.entries import compose_entry
from infocpl.semantics.llm import Budget, ChatClient, RateLimit
from infocpl.semantics.llm.prompting import load_prompts


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's list of behaviours says, the last one again and again.

    A behaviour is the name of a method below, a tuple of one and its arguments, or a function of
    the handler and the question.
    """

    protocol_version = "HTTP/1.1"
    server: ChatServer

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.body = json.loads(self.rfile.read(length))
        with self.server.lock:
            number = len(self.server.asked)
            self.server.asked.append(self.body)
            self.server.headers_seen.append(dict(self.headers))
            self.server.paths.append(self.path)
        behaviours = self.server.behaviours
        behaviour = behaviours[min(number, len(behaviours) - 1)]
        if callable(behaviour):
            behaviour(self, self.body)
        else:
            name, *arguments = (behaviour,) if isinstance(behaviour, str) else behaviour
            getattr(self, name)(*arguments)

    def status(self, code: int, data: object = b"", headers: dict[str, str] | None = None) -> None:
        """Any status, with JSON or bytes."""
        content = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def says(self, text: str, finish: str = "stop", tokens: int = 100) -> None:
        """An answer in the form of the interface."""
        choice = {"message": {"content": text}, "finish_reason": finish}
        self.status(200, {"choices": [choice], "usage": {"total_tokens": tokens}})

    def well(self) -> None:
        """A right answer."""
        self.says(json.dumps(self.right_fields()))

    def right_fields(self) -> dict[str, Any]:
        """What a right answer holds: fields of an entry that keeps the format."""
        question = self.body["messages"][1]["content"]
        found = re.match(r"The action is (\"(?:[^\"\\]|\\.)*\")", question)
        name = json.loads(found.group(1))
        (group,) = (g for g in load_prompts().groups if g.prompt(name) == question)
        entry = compose_entry(read_name(name)).to_dict()
        return {field: entry[field] for field in group.fields}

    def hang_up(self) -> None:
        """Close the connection without a word."""
        self.close_connection = True
        self.connection.close()

    def cut_short(self) -> None:
        """Promise more bytes than are sent."""
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        self.wfile.write(b'{"choices": [')
        self.wfile.flush()
        self.hang_up()

    def drip(self) -> None:
        """A byte now and then, so that no single read takes long."""
        self.send_response(200)
        self.send_header("Content-Length", "5000")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            self.wfile.flush()
            time.sleep(0.02)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class ChatServer(ThreadingHTTPServer):
    """Remembers what it was asked, and when."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours: list[Any] = ["well"]
        self.lock = threading.Lock()
        self.asked: list[dict[str, Any]] = []
        self.headers_seen: list[dict[str, str]] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def handle_error(self, *arguments: object) -> None:
        """Connections that break are part of the plan."""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def waits() -> list[float]:
    """How long a client waited, in seconds."""
    return []


@pytest.fixture
def make_client(server: ChatServer, waits: list[float]) -> Callable[..., ChatClient]:
    """A client of the server that takes notes instead of waiting."""

    def make(**changes: Any) -> ChatClient:
        facts = {"budget": Budget(100), "timeout": 5.0, "sleep": waits.append, **changes}
        facts.setdefault("rate", RateLimit(1e6))
        return ChatClient(facts.pop("url", server.url), facts.pop("model", "tiny"), **facts)

    return make
