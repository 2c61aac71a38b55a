"""What a caller gets whose request is refused, or fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.core.http.json_codec import respond
from functions.core.http.messages import PROBLEM
from functions.core.http.problem import Problem
from functions.core.onnx.session import RunStopped

if TYPE_CHECKING:
    from functions.core.http.messages import Request, Response
    from functions.core.runtime.log import Log
    from functions.core.runtime.spans import Span


def refusal(problem: Exception, request: Request, span: Span, log: Log, seconds: float) -> Response:
    """Return what a caller is told of a problem, and log what is not for callers.

    A fault of ours is an opaque 500, logged in full under the request's id. `seconds` is how long models may take.
    """
    match problem:
        case Problem():
            if problem.__cause__ is not None:
                # What a model says of its inside is for its owner alone.
                cause = str(problem.__cause__)
                log.warning("request refused by the model", request_id=request.request_id, cause=cause)
            return _said(problem, request, span)
        case RunStopped():
            log.error("model stopped", problem=problem, request_id=request.request_id, metric="ModelStopped")
            return _said(Problem(504, f"the model did not answer within {seconds:g} seconds"), request, span)
        case _:
            log.error("request failed", problem=problem, request_id=request.request_id, metric="RequestFailed")
            ids = f"request {request.request_id}, trace {span.trace_id}"
            return _said(Problem(500, f"something went wrong here; {ids}"), request, span)


def _said(problem: Problem, request: Request, span: Span) -> Response:
    if request.path.startswith("/v2"):
        return respond(problem.in_protocol(), problem.status, problem.headers)
    document = {**problem.document(), "request_id": request.request_id, "trace_id": span.trace_id}
    return respond(document, problem.status, problem.headers, PROBLEM)
