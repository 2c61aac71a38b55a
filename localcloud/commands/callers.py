"""Callers of the API: clients that send requests continuously and count the responses."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from localcloud.support.while_inside import WhileInside

CLIENTS = 4
PAUSE_SECONDS = 0.02
CALLER_IDS = 500


class Callers(WhileInside):
    """Requests predictions from `CLIENTS` threads until the `with` block ends; each rests `pause_seconds` in between.

    with Callers(url, instances) as callers:
        ...
    callers.variants, callers.failures
    """

    def __init__(
        self, url: str, instances: Sequence[Mapping[str, object]], *, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        super().__init__(CLIENTS)
        self._url = urlsplit(url)
        self._pause_seconds = pause_seconds
        self._bodies = itertools.cycle([json.dumps({"instances": [instance]}) for instance in instances])
        self._names = itertools.count()
        self._lock = threading.Lock()
        self.variants: Counter[str] = Counter()
        """The number of predictions by the variant that made them: champion or challenger."""
        self.failures: Counter[str] = Counter()
        """The number of failed requests by status or exception."""

    @property
    def requests(self) -> int:
        """The number of finished requests."""
        return self.variants.total() + self.failures.total()

    def work(self, number: int) -> None:
        del number  # each request is another caller's
        connection = http.client.HTTPConnection(self._url.netloc, timeout=30)
        while not self.over.wait(self._pause_seconds):
            with self._lock:
                body, caller = next(self._bodies), f"caller-{next(self._names) % CALLER_IDS}"
            try:
                status, headers, _ = ask(connection, self._url.path, body, caller)
            except (OSError, http.client.HTTPException) as problem:
                outcome, counter = type(problem).__name__, self.failures
                connection.close()
            else:
                variant = headers.get("x-model-variant", "unknown")
                outcome, counter = (variant, self.variants) if status == 200 else (f"HTTP {status}", self.failures)
            with self._lock:
                counter[outcome] += 1
        connection.close()


def ask(
    connection: http.client.HTTPConnection,
    path: str,
    body: str,
    caller: str,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> tuple[int, Mapping[str, str], dict[str, Any]]:
    """POST a JSON body; return the status, the headers with lower-case names, and the parsed body.

    A response body that is not JSON is returned as an empty object. `headers` are sent with the others.
    """
    connection.request("POST", path, body, {"content-type": "application/json", "x-caller-id": caller, **headers})
    response = connection.getresponse()
    raw = response.read()
    try:
        content = json.loads(raw or b"{}")
    except ValueError:
        content = {}
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content
