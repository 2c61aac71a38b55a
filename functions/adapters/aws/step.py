"""A step of the workflow: a plain JSON payload in, a small plain JSON answer out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.core.log import Log

Step = Callable[[Mapping[str, Any]], Mapping[str, Any]]

LARGEST_ANSWER = 200_000
"""Bytes. Step Functions stops an execution whose state passes 256 KiB:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


def run_step(name: str, step: Step, payload: object, context: object, log: Log) -> dict[str, Any]:
    """Run a step and log how it went. An exception goes on to the workflow, which retries or records it."""
    if not isinstance(payload, dict):
        raise TypeError(f"{name}: the payload is a JSON object")
    start = time.perf_counter()
    request = getattr(context, "aws_request_id", None)
    try:
        answer = dict(step(payload))
        size = len(json.dumps(answer, allow_nan=False))
        if size > LARGEST_ANSWER:
            raise ValueError(f"{name}: the answer has {size} bytes; at most {LARGEST_ANSWER} travel between steps")
    except Exception as problem:
        log.error("step", problem=problem, step=name, request=request, ms=_since(start))
        raise
    log.info("step", step=name, request=request, ms=_since(start), answer=answer)
    return answer


def _since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)
