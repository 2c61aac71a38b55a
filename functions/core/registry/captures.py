"""Captures: one record a prediction, many records an object. No request fails because one cannot be written."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from functions.core.registry.usage_records import NOBODY, written
from functions.core.runtime import spans
from functions.core.storage.objects import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.runtime.log import Log
    from functions.core.runtime.usage import Metering, Usage
    from functions.core.storage.objects import Objects

EVERY_SECONDS = 1.0
ALONE_SECONDS = 60.0
"""Usage without a record waits so much longer: each write costs more than the requests that probe a model."""
LONG = 200
"""So many records are written without waiting for the second to pass."""
MOST = 2_000
"""The most records that are held while the store is away; the oldest are dropped first."""
PAUSE_SECONDS = 10.0
"""How long no write is tried after one has failed."""
REDACTED = "redacted"
"""In a record: the columns that it does not keep as they came, sorted; absent where there are none."""


def folder(model: str, at: float) -> str:
    """Return the folder of the captures of the hour of `at`, in seconds since the epoch."""
    return datetime.fromtimestamp(at, UTC).strftime(f"{model}/%Y-%m-%d/%H")


def written_at(key: str) -> int | None:
    """Return when an object of captures was written, in seconds since the epoch; None for a key of another kind."""
    try:
        day, hour, name = key.rsplit("/", 3)[-3:]
        return int(datetime.fromisoformat(f"{day}T{hour}:{name[:2]}:{name[2:4]}+00:00").timestamp())
    except ValueError:
        return None


class Captures:
    """The records of one model, and what the calls about it used.

    They are written after the answer to a request is made, at most once a second, as one object
    `<model>/<date>/<hour>/<minute and second>-<unique><usage>.jsonl`, whose key holds the usage since
    the last one. Usage alone, of requests that predict nothing, is written once a minute. What a copy of
    the function still holds when its machine is taken away is lost.
    """

    def __init__(
        self,
        objects: Objects,
        model: str,
        log: Log,
        *,
        metering: Metering | None = None,
        clock: Callable[[], float] = time.time,
        encode: Callable[[Mapping[str, Any]], bytes] = canonical,
    ) -> None:
        """`encode` writes a record as JSON without spaces."""
        self._encode = encode
        self.objects = objects
        self._model = model
        self._log = log
        self._clock = clock
        self._metering = metering
        self._lock = threading.Lock()
        self._records: list[Mapping[str, Any]] = []
        self._used: dict[str, list[float]] = {}
        """Calls and billed seconds, by version."""
        self._due_at = float("-inf")
        self._failing = False

    def add(self, record: dict[str, Any]) -> None:
        """Hold a record until `write` is called and due, and have it name the trace of the request that it is of."""
        if (span := spans.current()) is not None:
            record["trace_id"] = span.trace_id
        with self._lock:
            self._records.append(record)
            if len(self._records) > MOST:
                del self._records[:-MOST]

    def settle(self, version: str | None, seconds: float) -> float:
        """Hold that a call was billed for so many seconds, write what is due, and return what that adds to them.

        `version` is the one that answered; None where none did.
        """
        answered_by = version or NOBODY
        if self._metering is None:
            self.write()
            return 0.0
        with self._lock:
            self._hold(answered_by, 1, seconds)
            due = self._due()
        if due is None:
            return 0.0
        self._write(*due)
        if not (late := self._metering.more()):
            return 0.0
        with self._lock:
            self._hold(answered_by, 0, late)
        return late

    def _hold(self, version: str, calls: float, seconds: float) -> None:
        held = self._used.setdefault(version, [0, 0.0])
        held[0] += calls
        held[1] += seconds

    def write(self) -> bool:
        """Write what is held, once a second, usage alone once a minute; return whether it was tried. Never raise."""
        with self._lock:
            due = self._due()
        if due is not None:
            self._write(*due)
        return due is not None

    def _due(self) -> tuple[list[Mapping[str, Any]], dict[str, list[float]], float] | None:
        """Take what is held and due, and the moment; None for nothing. The lock is held."""
        if not self._records and not self._used:
            return None
        now = self._clock()
        due_at = self._due_at if self._records else self._due_at + ALONE_SECONDS
        if now < due_at and (self._failing or len(self._records) < LONG):
            return None
        records, self._records, self._due_at = self._records, [], now + EVERY_SECONDS
        used, self._used = self._used, {}
        return records, used, now

    def _write(self, records: list[Mapping[str, Any]], used: dict[str, list[float]], now: float) -> None:
        moment = datetime.fromtimestamp(now, UTC).strftime("%M%S")
        usage = self._usage(used)
        key = f"{folder(self._model, now)}/{moment}-{os.urandom(16).hex()}{written(usage) if usage else ''}.jsonl"
        try:
            self.objects.put(key, b"\n".join(map(self._encode, records)))
        except Exception as problem:
            self._log.error("captures not written", problem=problem, model=self._model, metric="CaptureFailed")
            with self._lock:
                self._records = [*records, *self._records][-MOST:]
                for version, (calls, seconds) in used.items():
                    self._hold(version, calls, seconds)
                self._failing, self._due_at = True, now + PAUSE_SECONDS
        else:
            self._failing = False
            self._tell(usage)

    def _usage(self, used: dict[str, list[float]]) -> dict[str, Usage]:
        if self._metering is None:
            return {}
        return {version: self._metering.usage(seconds, calls) for version, (calls, seconds) in sorted(used.items())}

    def _tell(self, usage: dict[str, Usage]) -> None:
        """Log the usage by version, where the cloud makes metrics of such lines."""
        if self._metering is not None and self._metering.has_metrics:
            for version, used in usage.items():
                self._log.info("usage", **self._metering.measured(used, model=self._model, version=version))
