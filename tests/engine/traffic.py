"""A client that asks a stack for predictions while the stack changes."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from localcloud.commands.callers import ask
from localcloud.commands.swaps import alike

SECONDS = 60
PAUSE_SECONDS = 0.02
CALLER = "traffic"


class Traffic:
    """Asks about one case after the other until the block ends; every other time as a new client.

    ```python
    with Traffic(url, cases, headers) as traffic:
        ...
    assert traffic.failed == []
    ```

    It rests for `PAUSE_SECONDS` after each answer: what it watches runs on the same processors. A prediction is wrong
    unless it is the one that the block began with. `headers` are those of each request.
    """

    def __init__(
        self, url: str, cases: Sequence[Mapping[str, object]], headers: Callable[[], Mapping[str, str]]
    ) -> None:
        self._url = urlsplit(url)
        self._bodies = [json.dumps({"instances": [case]}) for case in cases]
        self._headers = headers
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask_all, daemon=True)
        self._expected: list[Any] = []
        self.answered = 0
        """Right predictions."""
        self.failed: list[str] = []
        """What else came of a request: a status, an exception, a wrong prediction."""

    def __enter__(self) -> Self:
        connection = self._connection()
        self._expected = [self._ask(connection, body) for body in self._bodies]
        connection.close()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._url.netloc, timeout=SECONDS)

    def _ask_all(self) -> None:
        connection, turn = self._connection(), 0
        while not self._over.is_set():
            case, turn = turn % len(self._bodies), turn + 1
            try:
                predicted = self._ask(connection, self._bodies[case])
            except (OSError, http.client.HTTPException, AssertionError) as problem:
                self.failed.append(f"{type(problem).__name__}: {problem}")
                connection.close()
                continue
            if alike(predicted, self._expected[case]):
                self.answered += 1
            else:
                self.failed.append(f"case {case}: {predicted} in place of {self._expected[case]}")
            if turn % 2:
                connection.close()
            self._over.wait(PAUSE_SECONDS)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, body: str) -> Any:
        status, _, content = ask(connection, self._url.path, body, CALLER, self._headers())
        assert status == 200, f"HTTP {status} {content}"
        return content["predictions"]
