"""Many clients on one model while its pointer goes to and fro between two versions and a worker is killed.

Every answer is held against what the same version said about the same case before.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from interface import layout
from localcloud.commands.callers import ask
from localcloud.commands.watch import Watch
from localcloud.engine.stack import LocalStack

HONEST = (429, 503)
"""What a client may be told in place of an answer, with when to come again."""
END_SECONDS = 60
TOGETHER = 1e-6
"""What may lie between a probability answered alone and one answered together with other callers' rows: the processor
adds up in another order then."""
LONGEST_REST_SECONDS = 1.0


@dataclass(kw_only=True)
class Figures:
    """What came of it."""

    answers: Counter[str] = field(default_factory=Counter)
    """By the version that gave them."""
    wrong: list[str] = field(default_factory=list)
    """Answers that differ from what their version says, and those of a version that is neither of the two."""
    failed: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    """Honest refusals, by status."""
    repeated: int = 0
    """Requests that were sent once more, for a 500 of the gateway's own: the copy that had them is gone."""
    swaps: int = 0
    killed: int = 0
    followed_seconds: float = 0.0
    """The longest that a version still answered a new request after the pointer had left it."""
    milliseconds: list[float] = field(default_factory=list)
    """Of every answer, sorted."""
    distinct: int = 0
    """Cases that both versions were asked about, and about which they do not say the same."""

    @property
    def convincing(self) -> bool:
        """No client was let down, and there was something to see: two versions that differ, and a worker killed."""
        seen = len(self.answers) == 2 and self.distinct > 0 and self.killed > 0
        return seen and not self.failed and not self.wrong

    def slowest(self, share: float) -> float:
        return self.milliseconds[min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)]


def alike(answer: Any, other: Any) -> bool:
    """Return whether two answers of one version are the same, numbers to within `TOGETHER`."""
    match answer, other:
        case float() | int(), float() | int():
            return abs(answer - other) <= TOGETHER
        case dict(), dict():
            return answer.keys() == other.keys() and all(alike(answer[key], other[key]) for key in answer)
        case list(), list():
            return len(answer) == len(other) and all(map(alike, answer, other))
        case _:
            return answer == other


class Swaps:
    """`Swaps(stack, model, cases, (one, other), pointer_seconds=1).run(60)`; the two are registered versions."""

    def __init__(
        self,
        stack: LocalStack,
        model: str,
        cases: Sequence[Mapping[str, float]],
        versions: tuple[str, str],
        *,
        pointer_seconds: float,
        clients: int = 32,
        every_seconds: float = 5.0,
    ) -> None:
        self._stack = stack
        self._model = model
        self._url = urlsplit(stack.outputs["models"][model]["predict"])
        self._bodies = [json.dumps({"instances": [case]}) for case in cases]
        self._versions = versions
        self._pointer_seconds = pointer_seconds
        self._clients = clients
        self._every = every_seconds
        self._models = stack.store(stack.outputs["models_url"])
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._said: dict[tuple[str, int], Any] = {}
        self._left_at: dict[str, float] = {}
        self._figures = Figures()

    def run(self, seconds: float) -> Figures:
        """Swap as often as the time allows, kill a worker halfway, and return what the clients saw.

        A machine that is busy elsewhere is given the time it needs: what was to be swapped is swapped.
        However it ends, the clients end with it.
        """
        self._point(self._versions[0])
        time.sleep(1.2 * self._pointer_seconds)  # no copy goes on with what was live before
        threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(self._clients)]
        try:
            for thread in threads:
                thread.start()
            self._swap(seconds)
        finally:
            self._end(threads)
        return self._counted()

    def _swap(self, seconds: float) -> None:
        swaps = max(round(seconds / self._every) - 1, 1)
        for turn in range(1, swaps + 1):
            time.sleep(self._every)
            self._point(self._versions[turn % 2])
            self._figures.swaps += 1
            if turn == (swaps + 1) // 2:
                self._kill()
        time.sleep(self._every)

    def _end(self, threads: Sequence[threading.Thread]) -> None:
        """Let every client end its last request; one that does not has failed."""
        self._over.set()
        deadline = time.monotonic() + END_SECONDS
        for thread in threads:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))
        for _ in filter(threading.Thread.is_alive, threads):
            self._fail("no end")

    def _point(self, version: str) -> None:
        live = Watch(self._models, self._model).live()
        document = {"revision": live["revision"] + 1, "champion": version, "previous": live["champion"]}
        rest = {"challenger": None, "weight": 0, "shadow": 0, "release": None, "history": live["history"]}
        self._models.put(f"{self._model}/{layout.LIVE}", json.dumps({**document, **rest}).encode())
        with self._lock:
            self._left_at = {name: time.monotonic() for name in self._versions if name != version}

    def _kill(self) -> None:
        for pid in self._stack.workers("predict")[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self._figures.killed += 1

    def _client(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._url.netloc, timeout=60)
        for turn in itertools.count(number):
            if self._over.is_set():
                break
            rest = self._once(connection, turn % len(self._bodies), f"caller-{number}")
            if rest:
                self._over.wait(rest)
        connection.close()

    def _once(self, connection: http.client.HTTPConnection, case: int, caller: str, *, again: bool = False) -> float:
        """One request, and how long to rest after it."""
        began = time.monotonic()
        try:
            status, headers, content = ask(connection, self._url.path, self._bodies[case], caller)
        except (OSError, ValueError, http.client.HTTPException) as problem:
            connection.close()
            return self._fail(type(problem).__name__)
        if status == 200:
            self._hear(headers.get("x-model-version", ""), case, content, began)
            return 0.0
        if status in HONEST and "retry-after" in headers:
            with self._lock:
                self._figures.refused[status] += 1
            return min(float(headers["retry-after"]), LONGEST_REST_SECONDS)
        if status == 500 and "x-request-id" not in headers and not again:
            with self._lock:
                self._figures.repeated += 1
            return self._once(connection, case, caller, again=True)
        return self._fail(f"HTTP {status}")

    def _fail(self, how: str) -> float:
        with self._lock:
            self._figures.failed[how] += 1
        return LONGEST_REST_SECONDS

    def _hear(self, version: str, case: int, content: Mapping[str, Any], began: float) -> None:
        took = (time.monotonic() - began) * 1000
        answer = content.get("predictions")
        with self._lock:
            figures = self._figures
            figures.answers[version] += 1
            figures.milliseconds.append(took)
            if version not in self._versions or not alike(answer, self._said.setdefault((version, case), answer)):
                figures.wrong.append(f"{version} about case {case}: {answer}")
            if version in self._left_at:
                figures.followed_seconds = max(figures.followed_seconds, began - self._left_at[version])

    def _counted(self) -> Figures:
        one, other = self._versions
        with self._lock:
            self._figures.milliseconds.sort()
            both = (case for version, case in self._said if version == one and (other, case) in self._said)
            self._figures.distinct = sum(self._said[one, case] != self._said[other, case] for case in both)
            return self._figures
