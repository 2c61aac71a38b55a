"""A step of the workflow: takes a JSON payload and returns a small JSON answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.core.runtime import spans

if TYPE_CHECKING:
    from functions.core.runtime.log import Log
    from functions.core.runtime.usage import Metering, Usage

LARGEST_ANSWER = 200_000
"""Bytes. Step Functions passes at most 256 KiB between steps, Workflows 512 KB:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, https://cloud.google.com/workflows/quotas"""


NAMED = ("model", "run", "experiment", "action", "execution")
"""What a step's line says of its payload and its answer."""


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    act: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    log: Log
    metering: Metering | None = None
    note: Callable[[Mapping[str, Any], Usage], None] | None = None
    """Records what a call used, given its payload and its answer in one; of a failed call, the payload alone."""

    def run(self, payload: object, request: str | None, span: spans.Span | None = None) -> dict[str, Any]:
        """Call `act` with the payload, log duration and answer, and return the answer.

        `request` is the cloud's id of this call, for the log, and `span` the span of the call: without one, it has
        that of its payload. Raises what `act` raises, `TypeError` for a payload that is not an object, and
        `ValueError` for an answer that is too large or not JSON: the workflow retries or records it.
        """
        span = spans.of_call(payload) if span is None else span
        spans.enter(span)
        try:
            return self._run(payload, request, span)
        finally:
            spans.enter(None)

    def _run(self, payload: object, request: str | None, span: spans.Span) -> dict[str, Any]:
        start = time.perf_counter()
        begun = 0.0 if self.metering is None else self.metering.begin()
        about = payload if isinstance(payload, dict) else {}
        try:
            answer = self._answer(payload)
        except Exception as problem:
            ms, used = _since(start), self._settle(begun, about)
            used |= span.facts()
            self.log.error("step", problem=problem, step=self.name, request=request, ms=ms, **used)
            raise
        ms, used = _since(start), self._settle(begun, {**about, **answer}) | span.facts()
        self.log.info("step", step=self.name, request=request, ms=ms, answer=answer, **used)
        return answer

    def _settle(self, begun: float, about: Mapping[str, Any]) -> dict[str, Any]:
        """Record what a call used, and return what its line in the log says of it and of the call. Never raise."""
        named = {name: about[name] for name in NAMED if isinstance(about.get(name), str)}
        if self.metering is None:
            return named
        used = self.metering.usage(self.metering.end(begun))
        if self.note is not None:
            try:
                self.note(about, used)
            except Exception as problem:
                self.log.error("usage not written", problem=problem, step=self.name, metric="UsageNotWritten")
        model = named.get("model")
        # CloudWatch charges for metrics by the hour: what is called all the time, for no model, has none.
        said = self.metering.told(used) if model is None else self.metering.measured(used, model=model)
        return {**named, **said}

    def _answer(self, payload: object) -> dict[str, Any]:
        if not isinstance(payload, dict):
            raise TypeError(f"{self.name}: the payload is not a JSON object")
        answer = dict(self.act(payload))
        size = len(json.dumps(answer, allow_nan=False))
        if size > LARGEST_ANSWER:
            raise ValueError(f"{self.name}: the answer has {size} bytes; at most {LARGEST_ANSWER} travel between steps")
        return answer


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)
