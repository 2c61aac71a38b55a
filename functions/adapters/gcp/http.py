"""Read a request that API Gateway passes to functions-framework, and write a response as its answer."""

from __future__ import annotations

import base64
import json
import os
import re
from typing import TYPE_CHECKING, Any

import flask

from functions.adapters.gcp.environment import composed, loaded
from functions.adapters.gcp.warm import warm
from functions.core.http.messages import Request, Response, caller_of
from functions.core.runtime.spans import Span
from interface.operations import REQUEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from functions.core.api.service import Service
    from functions.core.runtime.environment import Environment

USERINFO = "x-apigateway-api-userinfo"
"""https://cloud.google.com/api-gateway/docs/authenticating-users-jwt: the payload of the token that
the gateway has verified, in Base64url. `Authorization` holds the gateway's own token by then."""
_TRACE = re.compile(r"[0-9a-f]{32}/\d{1,20}")


def handler(entry: Callable[[Environment], Service]) -> Callable[[flask.Request], flask.Response]:
    """Return the function that answers API Gateway by what `entry` composes."""

    def handle(request: flask.Request) -> flask.Response:
        asked = request_of(request)
        return answer_of(composed(entry, asked.span).answer(asked))

    loaded()
    warm(entry)
    return handle


def request_of(request: flask.Request) -> Request:
    """Return the request, with as much of its body as shows whether it is too large."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    principal, request_id = _principal(headers), request_id_of(request)
    return Request(
        method=request.method,
        path=_path(request),
        headers=headers,
        body=body_of(request, at_most=REQUEST_BYTES + 1),
        caller=caller_of(headers, principal=principal, address=_address(headers)),
        request_id=request_id,
        principal=principal,
        # Where nobody began a trace that W3C knows, it is Google's own.
        span=Span.asked(headers, otherwise=request_id.partition("/")[0]),
    )


def answer_of(response: Response) -> flask.Response:
    """Return a response as functions-framework takes it."""
    return flask.Response(response.body, response.status, dict(response.headers))


def body_of(request: flask.Request, *, at_most: int) -> bytes:
    """Return the first `at_most` bytes of the body, whatever its content type."""
    body = b""
    while len(body) < at_most and (part := request.stream.read(at_most - len(body))):
        body += part
    return body


def request_id_of(request: flask.Request) -> str:
    """Return the trace and span that Google's logs name the request by, or else a random id.

    https://cloud.google.com/functions/docs/reference/headers#x-cloud-trace-context
    """
    trace = request.headers.get("X-Cloud-Trace-Context", "").split(";")[0]
    return trace if _TRACE.fullmatch(trace) else os.urandom(16).hex()


def _path(request: flask.Request) -> str:
    """Return path and query as they were sent: percent-encoded, so that an encoded slash stays within its segment."""
    return request.environ.get("RAW_URI", request.path) or "/"


def _principal(headers: Mapping[str, str]) -> str | None:
    encoded = headers.get(USERINFO, "")
    try:
        payload: Any = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, RecursionError):
        return None
    subject = payload.get("sub") if isinstance(payload, dict) else None
    return subject if isinstance(subject, str) else None


def _address(headers: Mapping[str, str]) -> str:
    """Return the first hop: https://cloud.google.com/functions/docs/reference/headers#x-forwarded-for.

    Google says that it "generally" is the client, who can write any address there. The last ones are
    Google's own proxies.
    """
    return headers.get("x-forwarded-for", "").split(",")[0].strip()
