"""The jobs part of a stack in memory: a store that announces objects, a queue that redelivers, workers that die."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from obstore.store import MemoryStore, S3Store

from functions.core.dataset import read_here
from functions.core.jobs.worker import Worker
from functions.core.runtime.consumer import Delivery
from functions.core.storage.objects import Objects
from tests.functions.serving import MODEL, Bench

ATTEMPTS = 3
WRITES = ("put", "create", "put_stream")


class Killed(BaseException):
    """The end of a worker's process: no handler of its own runs after it, and none catches it."""


@dataclass
class Mortal:
    """A store that announces what is written below `in/`, and whose users die at some of their operations.

    `dies(operation, key)` is asked before and after each operation: a worker can die before a
    write, or after it has happened.
    """

    objects: Objects
    announced: list[str] = field(default_factory=list)
    dies: Callable[[str, str], bool] = field(default=lambda operation, key: False)

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self.objects, name)

        def perilous(key: str, *arguments: Any, **options: Any) -> Any:
            if self.dies(f"before {name}", key):
                raise Killed
            result = operation(key, *arguments, **options)
            if name in WRITES and key.startswith((f"{MODEL}/in/", f".again/{MODEL}/")) and result is not False:
                self.announced.append(key)
            if self.dies(f"after {name}", key):
                raise Killed
            return result

        return perilous if callable(operation) else operation


class Queue:
    """Deliver what a store announces, until the job is done or has failed too often."""

    def __init__(
        self, bench: Bench, store: Mortal, *, seconds: Callable[[], float] = lambda: 1e9, parallelism: int = 1
    ) -> None:
        self.store = store
        self.dead: list[str] = []
        self.deliveries = 0
        self._seconds = seconds
        reachable: Any = store
        self.worker = worker(bench, reachable, parallelism)

    def run(self) -> None:
        while self.store.announced:
            key = self.store.announced.pop(0)
            if not any(self._delivered(key, number) for number in range(1, ATTEMPTS + 1)):
                self.dead.append(key)

    def _delivered(self, key: str, number: int) -> bool:
        self.deliveries += 1
        try:
            self.worker.work(key, Delivery(number=number, seconds_left=self._seconds))
        except (Exception, Killed):
            return False
        return True


def worker(bench: Bench, store: Any, parallelism: int = 1) -> Worker:
    """Return a worker that reads tables in this process."""
    return Worker(
        store,
        {MODEL: bench.model_cache},
        bench.log,
        attempts=ATTEMPTS,
        parallelism=parallelism,
        reader=lambda: nullcontext(read_here.open_rows),
        clock=bench.clock,
    )


def jsonl(rows: Iterable[Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def signing() -> Objects:
    """Return a store in memory that signs URLs as S3 does, without a network."""
    signer = S3Store("jobs", region="eu-west-1", access_key_id="AKIA", secret_access_key="made up")
    return Objects(MemoryStore(), signer=signer)
