"""Consume the messages of a queue, one at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from functions.core.runtime import spans

if TYPE_CHECKING:
    from functions.core.runtime.log import Log
    from functions.core.runtime.usage import Metering, Usage

Body = TypeVar("Body")
Content = TypeVar("Content")


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How often a message was delivered, and how long it may be worked on."""

    number: int = 1
    """Which delivery of the message this is, from 1."""
    seconds_left: Callable[[], float] = lambda: math.inf
    """Returns the seconds for which the function may still run."""
    cloud_id: str = ""
    """The id of the cloud's own trace of this call, where it keeps one."""


ONCE = Delivery()


@dataclass(frozen=True, kw_only=True)
class Consumer(Generic[Content]):
    """What to do with each message of a queue."""

    work: Callable[[Content, Delivery], object]
    """Processes what a message holds. Raises when it has to be retried."""
    log: Log
    metering: Metering | None = None
    note: Callable[[Content, object, Usage], dict[str, str]] | None = None
    """Records what a message used, given what it holds and what `work` returned, None where it failed. Returns what
    the usage is told by: a model, a version."""
    timeout_seconds: float = math.inf
    """How long a message may be worked on, for a cloud that does not tell its functions."""

    def take(self, message: str, body: Body, parse: Callable[[Body], Content], delivery: Delivery = ONCE) -> bool:
        """Process what `parse` reads in the body of a message, and return whether that succeeded.

        After False the queue must deliver the message again; the log says why. `parse` raises
        `ValueError` for a body that it cannot read. Such a message is retried too, until the
        queue keeps it as a dead letter: none is lost. The message is a span: of the trace that it
        carries under `trace`, or of its own until the work finds which one it belongs to.
        """
        span = spans.Span(cloud_id=delivery.cloud_id)
        spans.enter(span)
        try:
            return self._take(message, body, parse, delivery, span)
        finally:
            spans.enter(None)

    def _take(
        self, message: str, body: Body, parse: Callable[[Body], Content], delivery: Delivery, span: spans.Span
    ) -> bool:
        start = time.perf_counter()
        content: Content | None = None
        done: object = None
        failed = True
        begun = 0.0 if self.metering is None else self.metering.begin()
        try:
            content = parse(body)
            if isinstance(content, dict):
                span.join(content.get("trace"))
            done = self.work(content, delivery)
            failed = False
        except Exception as problem:
            self.log.error(
                "message failed", problem=problem, message=message, delivery=delivery.number, metric="MessageFailed"
            )
        ms = round((time.perf_counter() - start) * 1000, 1)
        used = self._settle(begun, message, content, done) | span.facts()
        self.log.info("message", message=message, delivery=delivery.number, failed=failed, ms=ms, **used)
        return not failed

    def _settle(self, begun: float, message: str, content: Content | None, done: object) -> dict[str, Any]:
        """Record what a message used, and return what its line in the log says of it. Never raise."""
        if self.metering is None:
            return {}
        used = self.metering.usage(self.metering.end(begun))
        told: dict[str, str] = {}
        if self.note is not None and content is not None:
            try:
                told = self.note(content, done, used)
            except Exception as problem:
                self.log.error("usage not written", problem=problem, message=message, metric="UsageNotWritten")
        return self.metering.measured(used, **told) if told else self.metering.told(used)
