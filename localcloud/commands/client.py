"""One client of the API, which comes again when it is told to, and counts what goes wrong."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

RETRY_LATER = (429, 503)
"""The statuses that are no failure when the response has a Retry-After."""
LONGEST_REST_SECONDS = 1.0
SECONDS = 60
JSON = MappingProxyType({"content-type": "application/json"})


@dataclass(frozen=True, kw_only=True)
class Call:
    """One request, and the status that it is to be answered with."""

    name: str
    """What is asked, for whoever reads what has failed."""
    path: str
    method: str = "POST"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    expected: int = 200


@dataclass(frozen=True, kw_only=True)
class Reply:
    """The response to a call."""

    status: int
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body's JSON object; empty for another body."""
        try:
            content = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(kw_only=True)
class Outcomes:
    """The requests of all clients that were not answered as they were to be."""

    failed: Counter[str] = field(default_factory=Counter)
    """The number of failed requests by what was asked, and status or exception."""
    refused: Counter[int] = field(default_factory=Counter)
    """The number of responses with a Retry-After, by status."""
    repeated: int = 0
    """Requests that were sent once more after a 500 of the gateway itself: the copy that had them was killed."""
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def fail(self, problem: str) -> None:
        """Count a failed request."""
        with self.lock:
            self.failed[problem] += 1


class Client:
    """Sends calls over a connection of its own, as a caller of some name. Not for several threads."""

    def __init__(self, address: str, caller: str, outcomes: Outcomes) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=SECONDS)
        self._caller = caller
        self._outcomes = outcomes
        self.rest = 0.0
        """How many seconds to wait before the next call."""

    def send(self, call: Call) -> Reply | None:
        """Send a call, and return a response of the expected status. None: it was refused or failed, and is counted.

        What the gateway answers in place of a killed copy, a 500 without an `x-request-id`, is sent once more.
        """
        self.rest = 0.0
        try:
            reply = self._exchange(call)
            if reply.status == 500 != call.expected and "x-request-id" not in reply.headers:
                with self._outcomes.lock:
                    self._outcomes.repeated += 1
                reply = self._exchange(call)
            if reply.status == call.expected:
                return reply
            if reply.status in RETRY_LATER and "retry-after" in reply.headers:
                self.rest = min(float(reply.headers["retry-after"]), LONGEST_REST_SECONDS)
                with self._outcomes.lock:
                    self._outcomes.refused[reply.status] += 1
                return None
            problem = f"HTTP {reply.status}"
        except (OSError, ValueError, http.client.HTTPException) as broken:
            self.close()
            problem = type(broken).__name__
        self._outcomes.fail(f"{call.name}: {problem}")
        self.rest = LONGEST_REST_SECONDS
        return None

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._connection.close()

    def _exchange(self, call: Call) -> Reply:
        self._connection.request(
            call.method, call.path, call.body or None, {"x-caller-id": self._caller, **call.headers}
        )
        response = self._connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(status=response.status, headers=headers, body=response.read())
