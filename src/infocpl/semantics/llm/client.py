"""A client for endpoints like OpenAI's ``/v1/chat/completions``, local servers included."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from infocpl.errors import ConfigError, LanguageModelError
from infocpl.semantics.llm.limits import Budget, RateLimit
from infocpl.semantics.llm.transport import Endpoint, Response, TransientError, post

__all__ = ["DEFAULT_KEY_VARIABLE", "Answer", "ChatClient"]

DEFAULT_KEY_VARIABLE = "INFOCPL_LLM_KEY"
"""Environment variable that the key is read from."""

_LATER = (408, 409, 425, 429, 500, 502, 503, 504)
_CHARACTERS_A_TOKEN = 4
_FIRST_WAIT = 1.0

Message = Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What a model said, and whether it was cut off at the limit of tokens."""

    text: str
    cut: bool


class ChatClient:
    """Asks one model at one endpoint, within a budget and a rate.

    The key is read from the environment when a request is made; it is never stored, printed or
    part of an error. Proxies of the environment are not used, and redirections are not followed.

    Parameters
    ----------
    url : base address, such as ``"http://localhost:11434/v1"``
    model : name of the model, as the endpoint knows it
    budget : how many requests and tokens may be spent
    rate : spaces the requests (default: 60 a minute)
    key_variable : environment variable with the key; no key is sent if it is not set
    timeout : seconds for one request
    attempts : how often a request is tried while the endpoint is busy or the connection breaks
    longest_wait : seconds; a server that asks for more patience ends the work instead
    sleep : for programs that keep their own time

    Raises
    ------
    ConfigError : if the address, the model or a number cannot be
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        budget: Budget,
        rate: RateLimit | None = None,
        key_variable: str = DEFAULT_KEY_VARIABLE,
        timeout: float = 120.0,
        attempts: int = 5,
        longest_wait: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not model.strip():
            raise ConfigError("language model: expected the name of a model, got none")
        if not 0 < timeout < float("inf"):
            raise ConfigError(f"timeout: expected a positive number of seconds, got {timeout}")
        if attempts < 1:
            raise ConfigError(f"attempts: expected at least 1, got {attempts}")
        self.endpoint = Endpoint.parse(url)
        self.model = model.strip()
        self.budget = budget
        self.key_variable = key_variable
        self.timeout = timeout
        self._rate = rate or RateLimit(60)
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._sleep = sleep
        self._limit_field = "max_tokens"

    @property
    def id(self) -> str:
        """Endpoint and model, as answers are kept under."""
        return f"{self.endpoint} {self.model}"

    def ask(self, messages: Sequence[Message], *, max_tokens: int) -> Answer:
        """Ask once; busy servers and broken connections are tried again.

        Parameters
        ----------
        messages : ``role`` and ``content`` of each
        max_tokens : longest answer

        Raises
        ------
        BudgetError : if the budget does not allow it
        LanguageModelError : if the endpoint refuses, or stays busy or broken after all attempts
        """
        asked = sum(len(message["content"]) for message in messages)
        for attempt in range(1, self._attempts + 1):
            body = {
                "model": self.model,
                "messages": [dict(message) for message in messages],
                self._limit_field: max_tokens,
                "stream": False,
            }
            # A pause that the server asked for is kept by waiting below; this one is our own.
            self._rate.wait()
            self.budget.begin(_tokens(asked))
            try:
                response = post(
                    self.endpoint, json.dumps(body).encode(), self._headers(), self.timeout
                )
            except TransientError as error:
                self._pause(attempt, _FIRST_WAIT * 2 ** (attempt - 1), str(error))
                continue
            if response.status == 200:
                return self._read(response, asked)
            if self._other_limit(response):
                continue
            problem = self._problem(response)
            if response.status not in _LATER or _out_of_money(response):
                raise LanguageModelError(problem)
            wait = _retry_after(response.headers.get("retry-after", ""))
            usual = _FIRST_WAIT * 2 ** (attempt - 1)
            self._pause(attempt, usual if wait is None else wait, problem)
        raise LanguageModelError(f"{self.endpoint}: no answer after {self._attempts} attempts")

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        key = os.environ.get(self.key_variable, "").strip()
        if key:
            if not key.isascii() or not key.isprintable() or " " in key:
                raise ConfigError(
                    f"environment variable {self.key_variable}: expected a key of visible ASCII "
                    "characters"
                )
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _pause(self, attempt: int, seconds: float, problem: str) -> None:
        if attempt == self._attempts:
            raise LanguageModelError(f"{problem}; given up after {attempt} attempts")
        if seconds > self._longest_wait:
            raise LanguageModelError(
                f"{problem}; it asks to wait {seconds:.0f} s, and at most {self._longest_wait:g} s "
                "are waited for; try again later"
            )
        self._sleep(seconds)

    def _other_limit(self, response: Response) -> bool:
        """Whether the endpoint wants the limit of tokens under its newer name."""
        newer = "max_completion_tokens"
        if response.status != 400 or self._limit_field == newer:
            return False
        if newer.encode() not in response.body:
            return False
        self._limit_field = newer
        return True

    def _read(self, response: Response, asked: int) -> Answer:
        data = _json(response.body)
        try:
            choice = data["choices"][0]
            text = choice["message"]["content"]
        except (TypeError, KeyError, IndexError):
            text = choice = None
        if isinstance(text, list):
            # Some servers send a message as a list of parts.
            parts = [part.get("text") for part in text if isinstance(part, dict)]
            text = "".join(part for part in parts if isinstance(part, str))
        if not isinstance(text, str):
            self.budget.end(_tokens(asked))
            raise LanguageModelError(
                f"{self.endpoint}: expected JSON with choices and a message, got "
                f"{self._clean(response.body)!r}"
            )
        usage = data.get("usage")
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            total = _tokens(asked + len(text))
        self.budget.end(total)
        return Answer(text, cut=choice.get("finish_reason") == "length")

    def _problem(self, response: Response) -> str:
        """What a status other than 200 means, in words."""
        status, said = response.status, self._clean(response.body)
        hint = {
            401: f"it wants a key; set the environment variable {self.key_variable}",
            403: f"the key in {self.key_variable} may not be used for this",
            404: f"it knows no model {self.model!r}, or no such path",
            429: "too many requests",
        }.get(status, "")
        if 300 <= status < 400:
            hint = "it redirects, which is not followed; use the address it leads to"
        told = "; ".join(part for part in (hint, said and f"it said: {said}") if part)
        return f"{self.endpoint}: answered {status}" + (f" ({told})" if told else "")

    def _clean(self, body: bytes) -> str:
        """The beginning of what a server said, in one line and without the key."""
        data = _json(body)
        error = data.get("error") if isinstance(data, dict) else None
        message = error.get("message") if isinstance(error, dict) else error
        text = message if isinstance(message, str) else body.decode("utf-8", "replace")
        key = os.environ.get(self.key_variable, "").strip()
        if key:
            text = text.replace(key, "***")
        line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return line[:160]


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_A_TOKEN)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _out_of_money(response: Response) -> bool:
    """Whether waiting would not help."""
    return response.status == 429 and b"insufficient_quota" in response.body


def _retry_after(value: str) -> float | None:
    """Seconds of a Retry-After header, which may be a number or a date; None if it is neither."""
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = (moment - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if seconds == seconds and seconds != float("inf") else None
