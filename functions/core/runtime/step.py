"""A step of the workflow: takes a JSON payload and returns a small JSON answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.core.runtime.log import Log

LARGEST_ANSWER = 200_000
"""Bytes. Step Functions passes at most 256 KiB between steps, Workflows 512 KB:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html, https://cloud.google.com/workflows/quotas"""


@dataclass(frozen=True, kw_only=True)
class Step:
    name: str
    act: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    log: Log

    def run(self, payload: object, request: str | None) -> dict[str, Any]:
        """Call `act` with the payload, log duration and answer, and return the answer.

        `request` is the cloud's id of this call, for the log. Raises what `act` raises, `TypeError`
        for a payload that is not an object, and `ValueError` for an answer that is too large or
        not JSON: the workflow retries or records it.
        """
        start = time.perf_counter()
        try:
            answer = self._answer(payload)
        except Exception as problem:
            self.log.error("step", problem=problem, step=self.name, request=request, ms=_since(start))
            raise
        self.log.info("step", step=self.name, request=request, ms=_since(start), answer=answer)
        return answer

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
