"""A load on one model while its live pointer alternates between two versions and a worker is killed.

Every prediction is compared with the earlier one of the same version for the same case.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import threading
import time
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from interface import layout
from localcloud.commands.client import Call, Client, Outcomes
from localcloud.commands.watch import Watch
from localcloud.engine.stack import LocalStack

END_SECONDS = 60
TOLERANCE = 1e-6
"""How far a probability that is computed alone may differ from one in a batch with other callers' rows: the
processor adds in another order then."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """How many clients send requests, and how long each rests after one; without a rest the stack sets the pace."""

    clients: int = 32
    pause_seconds: float = 0.0


@dataclass(kw_only=True)
class Figures(Outcomes):
    """What the clients saw."""

    answers: Counter[str] = field(default_factory=Counter)
    """The number of predictions by version."""
    wrong: list[str] = field(default_factory=list)
    """Predictions that differ from earlier ones of their version, and those of a version that is neither of the two."""
    swaps: int = 0
    """Changes of the pointer."""
    killed: int = 0
    """Killed workers."""
    followed_seconds: float = 0.0
    """The longest time after a swap at which a new request was still answered by the previous version."""
    milliseconds: array[float] = field(default_factory=lambda: array("d"))
    """The latency of every prediction: 8 bytes each, so that this process stays small however long the load lasts."""
    distinct: int = 0
    """Cases that both versions predicted, and predicted differently."""

    @property
    def convincing(self) -> bool:
        """Whether no request failed, although the two versions differed and a worker was killed."""
        tested = len(self.answers) == 2 and self.distinct > 0 and self.killed > 0
        return tested and not self.failed and not self.wrong

    def slowest(self, share: float) -> float:
        """Return the latency, in milliseconds, that a share of the predictions did not exceed."""
        return sorted(self.milliseconds)[min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)]


def alike(first: Any, second: Any) -> bool:
    """Return whether two predictions are the same, numbers to within `TOLERANCE`."""
    match first, second:
        case float() | int(), float() | int():
            return abs(first - second) <= TOLERANCE
        case dict(), dict():
            return first.keys() == second.keys() and all(alike(first[key], second[key]) for key in first)
        case list(), list():
            return len(first) == len(second) and all(map(alike, first, second))
        case _:
            return first == second


class Swaps:
    """Swaps two registered versions of a model while the clients of a load request predictions of the cases.

    figures = Swaps(stack, "m", cases, ("v1", "v2"), pointer_seconds=1).run(60)
    """

    def __init__(
        self,
        stack: LocalStack,
        model: str,
        cases: Sequence[Mapping[str, float]],
        versions: tuple[str, str],
        *,
        pointer_seconds: float,
        load: Load = Load(),
        every_seconds: float = 5.0,
    ) -> None:
        self._stack = stack
        self._model = model
        self._url = urlsplit(stack.outputs["models"][model]["predict"])
        bodies = (json.dumps({"instances": [case]}).encode() for case in cases)
        self._calls = [Call(name="one case", path=self._url.path, body=body) for body in bodies]
        self._versions = versions
        self._pointer_seconds = pointer_seconds
        self._load = load
        self._every = every_seconds
        self._models = stack.store(stack.outputs["models_url"])
        self._lock = threading.Lock()
        self._over = threading.Event()
        self.predictions: dict[tuple[str, int], Any] = {}
        """The first predictions of each version for each case."""
        self._left_at: dict[str, float] = {}
        self._figures = Figures()

    def run(self, seconds: float) -> Figures:
        """Swap every `every_seconds`, kill a worker halfway, and return what the clients saw.

        The number of swaps follows from `seconds`; a busy machine takes longer for them. The
        clients end with this call, however it ends.
        """
        self._point(self._versions[0])
        time.sleep(1.2 * self._pointer_seconds)  # until no copy serves what was live before
        threads = [threading.Thread(target=self._client, args=(n,), daemon=True) for n in range(self._load.clients)]
        try:
            for thread in threads:
                thread.start()
            self._swap(seconds)
        finally:
            self._end(threads)
        return self._result()

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
        """Wait up to `END_SECONDS` for the clients' last requests; one that does not end has failed."""
        self._over.set()
        deadline = time.monotonic() + END_SECONDS
        for thread in threads:
            if thread.is_alive():
                thread.join(max(deadline - time.monotonic(), 0))
        for _ in filter(threading.Thread.is_alive, threads):
            self._figures.fail("no end")

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
        client = Client(self._url.netloc, f"caller-{number}", self._figures)
        # Each begins with cases of its own, so that soon every case was asked of either version.
        for turn in itertools.count(number * len(self._calls) // self._load.clients):
            if self._over.is_set():
                break
            began, case = time.monotonic(), turn % len(self._calls)
            if reply := client.send(self._calls[case]):
                self._record(reply.headers.get("x-model-version", ""), case, reply.content, began)
            self._over.wait(max(client.rest, self._load.pause_seconds))
        client.close()

    def _record(self, version: str, case: int, content: Mapping[str, Any], began: float) -> None:
        milliseconds = (time.monotonic() - began) * 1000
        prediction = content.get("predictions")
        with self._lock:
            figures = self._figures
            figures.answers[version] += 1
            figures.milliseconds.append(milliseconds)
            if version not in self._versions or not alike(
                prediction, self.predictions.setdefault((version, case), prediction)
            ):
                figures.wrong.append(f"{version} about case {case}: {prediction}")
            if version in self._left_at:
                figures.followed_seconds = max(figures.followed_seconds, began - self._left_at[version])

    def _result(self) -> Figures:
        one, other = self._versions
        with self._lock:
            compared = (
                case for version, case in self.predictions if version == one and (other, case) in self.predictions
            )
            self._figures.distinct = sum(
                self.predictions[one, case] != self.predictions[other, case] for case in compared
            )
            return self._figures
