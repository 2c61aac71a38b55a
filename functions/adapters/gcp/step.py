"""A step of the workflow as Workflows calls it: JSON posted, JSON answered, a failure as a 500 with its text.

Only the workflow's account reaches a step, so the text of a failure is for the workflow,
which hands it on to the run's record. Nothing of the serving side is imported here: a step
is built without what that needs.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import flask

from functions.adapters.gcp.environment import composed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.environment import Environment
    from functions.core.step import Step

LARGEST_PAYLOAD = 600_000
"""Bytes. https://cloud.google.com/workflows/quotas: all of a workflow's variables together have 512 KB."""
LONGEST_CAUSE = 10_000
"""Letters of a failure's text; it is a variable of the workflow, too."""
_TRACE = re.compile(r"[0-9a-f]{32}/\d{1,20}")


def run(entry: Callable[[Environment], Step], request: flask.Request) -> flask.Response:
    """The step's answer to the payload that is posted."""
    try:
        payload = json.loads(body_of(request, at_most=LARGEST_PAYLOAD))
    except (ValueError, RecursionError):
        payload = None
    if not isinstance(payload, dict):
        return _answer({"error": f"the payload is a JSON object of less than {LARGEST_PAYLOAD} bytes"}, 400)
    try:
        answer = composed(entry).run(payload, request_id_of(request))
    except Exception as problem:
        cause = f"{type(problem).__name__}: {problem}"
        return _answer({"error": cause[:LONGEST_CAUSE]}, 500)
    return _answer(answer, 200)


def body_of(request: flask.Request, *, at_most: int) -> bytes:
    """The first `at_most` bytes of the body, whatever its content type."""
    whole = b""
    while len(whole) < at_most and (part := request.stream.read(at_most - len(whole))):
        whole += part
    return whole


def request_id_of(request: flask.Request) -> str:
    """The trace and span by which Google's logs know the request, else a name of its own.

    https://cloud.google.com/functions/docs/reference/headers#x-cloud-trace-context
    """
    given = request.headers.get("X-Cloud-Trace-Context", "").split(";")[0]
    return given if _TRACE.fullmatch(given) else os.urandom(16).hex()


def _answer(answer: Mapping[str, object], status: int) -> flask.Response:
    return flask.Response(json.dumps(answer), status, mimetype="application/json")
