"""One HTTP request to an endpoint, by the standard library, bounded in time and in size."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from infocpl.errors import ConfigError, LanguageModelError

__all__ = ["Endpoint", "Response", "TransientError", "post"]

_MOST_BYTES = 4 * 2**20
_PATH = "/chat/completions"


class TransientError(LanguageModelError):
    """The connection failed in a way that another attempt may mend."""


@dataclass(frozen=True)
class Endpoint:
    """Where to post.

    Attributes
    ----------
    secure : https
    host, port : server
    path : with the query, if there is one
    """

    secure: bool
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """An endpoint from its base address; ``/v1`` and ``/chat/completions`` may be left out.

        Raises
        ------
        ConfigError : if it is no http address, or holds a name and a password

        Examples
        --------
        >>> str(Endpoint.parse("http://localhost:8080"))
        'http://localhost:8080/v1/chat/completions'
        >>> str(Endpoint.parse("https://example.org/api/v2/"))
        'https://example.org/api/v2/chat/completions'
        """
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except ValueError as error:
            raise ConfigError(
                f"language model address: expected a URL, got one with {error}"
            ) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                "language model address: expected http://HOST or https://HOST, got "
                f"{url.strip()[:80]!r}"
            )
        if parts.username or parts.password:
            raise ConfigError(
                "language model address: expected no name or password in it; the key is read from "
                "an environment variable"
            )
        if re.search(r"[\s\x00-\x1f\x7f]", parts.path + parts.query + parts.hostname):
            raise ConfigError("language model address: expected no spaces in it")
        path = parts.path.rstrip("/")
        if not path.endswith(_PATH):
            path = f"{path or '/v1'}{_PATH}"
        query = f"?{parts.query}" if parts.query else ""
        secure = parts.scheme == "https"
        return cls(secure, parts.hostname, port or (443 if secure else 80), path + query)

    def __str__(self) -> str:
        scheme, usual = ("https", 443) if self.secure else ("http", 80)
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == usual else f":{self.port}"
        # What stands in a query may be nobody's business.
        return f"{scheme}://{host}{port}{self.path.partition('?')[0]}"


@dataclass(frozen=True)
class Response:
    """Status, headers in small letters, and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(endpoint: Endpoint, body: bytes, headers: Mapping[str, str], timeout: float) -> Response:
    """Post `body` and read the whole answer.

    Parameters
    ----------
    endpoint : where
    body, headers : what
    timeout : seconds for the whole exchange, however slowly the answer drips

    Raises
    ------
    TransientError : if the connection breaks, or time is up
    LanguageModelError : if nothing listens there, the name is unknown, the certificate is not
        trusted, or the answer is larger than 4 MiB
    """
    connection = _connection(endpoint, timeout)
    late = threading.Event()
    timer = threading.Timer(timeout, _cut, (connection, late))
    timer.daemon = True
    try:
        connection.connect()
        timer.start()
        connection.request("POST", endpoint.path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read(_MOST_BYTES + 1)
        if answer.length and len(content) <= _MOST_BYTES:
            raise http.client.IncompleteRead(content, answer.length)
    except ConnectionRefusedError:
        raise LanguageModelError(
            f"{endpoint}: nothing answers there; is the server running?"
        ) from None
    except socket.gaierror as error:
        raise LanguageModelError(f"{endpoint}: unknown host ({error.strerror})") from None
    except ssl.SSLCertVerificationError as error:
        raise LanguageModelError(
            f"{endpoint}: the certificate is not trusted ({error.verify_message})"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        if late.is_set() or isinstance(error, TimeoutError):
            raise TransientError(f"{endpoint}: no whole answer within {timeout:g} s") from None
        reason = str(error) or type(error).__name__
        raise TransientError(f"{endpoint}: the connection broke ({reason[:100]})") from None
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        # Cut off at the end of a body without a length: what came may be a part of it.
        raise TransientError(f"{endpoint}: no whole answer within {timeout:g} s")
    if len(content) > _MOST_BYTES:
        raise LanguageModelError(f"{endpoint}: expected an answer of at most {_MOST_BYTES} bytes")
    names = {name.lower(): value for name, value in answer.getheaders()}
    return Response(answer.status, names, content)


def _connection(endpoint: Endpoint, timeout: float) -> http.client.HTTPConnection:
    if endpoint.secure:
        return http.client.HTTPSConnection(
            endpoint.host, endpoint.port, timeout=timeout, context=ssl.create_default_context()
        )
    return http.client.HTTPConnection(endpoint.host, endpoint.port, timeout=timeout)


def _cut(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End a connection that takes too long; whoever reads from it notices at once."""
    late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has ended by itself
