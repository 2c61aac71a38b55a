"""Run a step as Workflows or Cloud Scheduler calls it: JSON in, JSON out, a failure as a 500 with its text.

Only the account of the caller reaches a step, so the text of a failure is for the workflow,
which passes it to the run's record.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from functions.adapters.gcp.environment import composed, loaded
from functions.adapters.gcp.http import answer_of, body_of, request_id_of
from functions.core.http.messages import JSON, Response
from functions.core.runtime.spans import TRACEPARENT, of_call

if TYPE_CHECKING:
    from collections.abc import Callable

    import flask

    from functions.core.runtime.environment import Environment
    from functions.core.runtime.step import Step

LARGEST_PAYLOAD = 600_000
"""Bytes. https://cloud.google.com/workflows/quotas: all of a workflow's variables together have 512 KB."""
LONGEST_CAUSE = 10_000
"""Characters of a failure's text, which is a variable of the workflow, too."""


def handler(entry: Callable[[Environment], Step]) -> Callable[[flask.Request], flask.Response]:
    """Return the function that runs the step that `entry` composes; the body of a request is its payload."""

    def handle(request: flask.Request) -> flask.Response:
        return _run(entry, request)

    loaded()
    return handle


def _run(entry: Callable[[Environment], Step], request: flask.Request) -> flask.Response:
    try:
        payload = json.loads(body_of(request, at_most=LARGEST_PAYLOAD))
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        error = f"the payload is not a JSON object of less than {LARGEST_PAYLOAD} bytes"
        return _answered({"error": error}, 400)
    span = of_call(payload, request.headers.get(TRACEPARENT))
    step = composed(entry, span)
    try:
        answer = step.run(payload, request_id_of(request), span)
    except Exception as problem:
        cause = f"{type(problem).__name__}: {problem}"
        return _answered({"error": cause[:LONGEST_CAUSE]}, 500)
    return _answered(answer, 200)


def _answered(value: object, status: int) -> flask.Response:
    # By the standard library: a step has no faster one, which pays only where many numbers are sent.
    body = json.dumps(value, allow_nan=False).encode()
    return answer_of(Response(status=status, body=body, headers={"content-type": JSON}))
