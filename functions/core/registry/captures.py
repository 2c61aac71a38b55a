"""Captures: one record a prediction, many records an object. No request fails because one cannot be written."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.log import Log
    from functions.core.storage.objects import Objects

EVERY_SECONDS = 1.0
LONG = 200
"""So many records are written without waiting for the second to pass."""
MOST = 2_000
"""The most records that are held while the store is away; the oldest are dropped first."""
PAUSE_SECONDS = 10.0
"""How long no write is tried after one has failed."""


def folder(model: str, at: float) -> str:
    """Return the folder of the captures of the hour of `at`, in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).strftime(f"{model}/%Y-%m-%d/%H")


class Captures:
    """The records of one model.

    They are written on the path of a request, at most once a second, as one object
    `<model>/<date>/<hour>/<minute and second>-<unique>.jsonl`. What a copy of the
    function still holds when its machine is taken away is lost.
    """

    def __init__(self, objects: Objects, model: str, log: Log, *, clock: Callable[[], float] = time.time) -> None:
        self._objects = objects
        self._model = model
        self._log = log
        self._clock = clock
        self._lock = threading.Lock()
        self._records: list[Mapping[str, Any]] = []
        self._due_at = float("-inf")
        self._failing = False

    def add(self, record: Mapping[str, Any]) -> None:
        """Hold a record, and write all that are held once a second. Never raise."""
        with self._lock:
            self._records.append(record)
            del self._records[:-MOST]
            now = self._clock()
            if now < self._due_at and (self._failing or len(self._records) < LONG):
                return
            records, self._records, self._due_at = self._records, [], now + EVERY_SECONDS
        self._write(records, now)

    def _write(self, records: list[Mapping[str, Any]], now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC).strftime("%M%S")
        key = f"{folder(self._model, now)}/{moment}-{os.urandom(16).hex()}.jsonl"
        try:
            self._objects.put(key, b"\n".join(canonical(record) for record in records))
        except Exception as problem:
            self._log.error("captures not written", problem=problem, model=self._model, metric="CaptureFailed")
            with self._lock:
                self._records = [*records, *self._records][-MOST:]
                self._failing, self._due_at = True, now + PAUSE_SECONDS
        else:
            self._failing = False
