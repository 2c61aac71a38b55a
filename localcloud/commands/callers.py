"""Callers of the API: many clients that each ask again and again, and count what they get."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

CLIENTS = 4
PAUSE_SECONDS = 0.02
CALLERS = 500


class Callers:
    """`with Callers(url, instances) as callers: ...` asks for predictions until the block ends."""

    def __init__(self, url: str, instances: Sequence[Mapping[str, object]]) -> None:
        self._url = urlsplit(url)
        self._bodies = itertools.cycle([json.dumps({"instances": [instance]}) for instance in instances])
        self._names = itertools.count()
        self._over = threading.Event()
        self._lock = threading.Lock()
        self.variants: Counter[str] = Counter()
        """Answers by the variant that gave them."""
        self.failures: Counter[str] = Counter()
        """What went wrong, by kind."""
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def requests(self) -> int:
        return self.variants.total() + self.failures.total()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=30)
        while not self._over.wait(PAUSE_SECONDS):
            with self._lock:
                body, caller = next(self._bodies), f"caller-{next(self._names) % CALLERS}"
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
    connection: http.client.HTTPConnection, path: str, body: str, caller: str
) -> tuple[int, Mapping[str, str], dict[str, Any]]:
    """One POST of JSON: status, headers with lower-case names, and the body read; of one that is no JSON, nothing."""
    connection.request("POST", path, body, {"content-type": "application/json", "x-caller-id": caller})
    response = connection.getresponse()
    raw = response.read()
    try:
        content = json.loads(raw or b"{}")
    except ValueError:
        content = {}
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content
