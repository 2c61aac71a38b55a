"""What happens in an embedded cloud while it runs, for whoever tells it.

```python
events = Events()
events.add(Written(url="s3://data-bucket", key="breast_cancer/incoming/wdbc.csv"))
events.take()  # what happened since the last call
```
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from localcloud.support.http_server import Request, Response

MOST = 10_000
"""Events that are kept when nobody takes them; older ones are forgotten."""
SERVER_ERRORS = 500


@dataclass(frozen=True, kw_only=True)
class Written:
    """An object was created or replaced."""

    url: str
    """The URL of its store, as in the outputs."""
    key: str


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The API answered a request with a status of 500 or above."""

    method: str
    path: str
    status: int
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a request was answered with, for whoever counts."""

    at: float
    """Seconds since 1970."""
    status: int
    by: str = ""
    """The physical name of the function that answered, where that is known."""


@dataclass(frozen=True, kw_only=True)
class Logged:
    """A function logged a line of level ERROR."""

    function: str
    """Its physical name."""
    line: str


@dataclass(frozen=True, kw_only=True)
class Failed:
    """A call of a function failed: it raised, did not start, was killed or took too long."""

    function: str
    """Its physical name."""
    error: str
    """`ImportError: no module named x`."""
    trace: str = ""
    """The frames of the traceback as Python writes them, where there is one."""


Event = Written | Answered | Logged | Failed


class Events:
    """Keeps events until they are taken. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Event] = deque(maxlen=MOST)
        self._answers: deque[Answer] = deque(maxlen=MOST)

    def add(self, event: Event) -> None:
        """Keep an event."""
        with self._lock:
            self._kept.append(event)

    def answered(self, request: Request, response: Response) -> None:
        """Count what the API answered, and keep it if it is an error of the server."""
        self.count(Answer(at=time.time(), status=response.status))
        if response.status >= SERVER_ERRORS:
            path = request.path.partition("?")[0]
            self.add(Answered(method=request.method, path=path, status=response.status, body=response.body))

    def count(self, answer: Answer) -> None:
        """Count an answer: the last `MOST` are known."""
        with self._lock:
            self._answers.append(answer)

    @property
    def answers(self) -> list[Answer]:
        """The last answers, oldest first."""
        with self._lock:
            return list(self._answers)

    def take(self) -> list[Event]:
        """Return what happened since the last call, oldest first."""
        with self._lock:
            taken = list(self._kept)
            self._kept.clear()
        return taken
